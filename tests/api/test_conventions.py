"""Every operation of the OpenAPI document keeps to the conventions."""

from collections.abc import Callable
from typing import Any

from described import DOCUMENT
from samlad.access.permissions import permissions
from samlad.kernel.openapi import METHODS

OWN = "about the caller's own session, account or cart"
PUBLIC = {
    "/health/live": "machines ask it",
    "/health/ready": "machines ask it",
    "/api/event-types": "documentation",
    "/api/permissions": "documentation for those who are signed in",
    "/api/roles": "documentation for those who are signed in",
    "/api/session": OWN,
    "/api/sessions": OWN,
    "/api/account": OWN,
    "/api/links": "whoever has the secret of the link",
    "/api/carts": "whoever has the cart's token",
    "/api/search": "customers search",
    "/api/promise": "customers ask when they can have it",
    "/api/selling-plans/offers": "customers see how they can subscribe",
    "/api/gift-cards/balance": "whoever has the code of the card; their tries are counted",
    "/api/products/{product_id}/size-chart": "customers look at it",
    "/api/products/{product_id}/reviews": "customers read them",
    "/api/products/{product_id}/rating": "customers read it",
    "/api/products/{product_id}/together": "customers look at it",
    "/api/products/{product_id}/questions": "customers read them",
    "/api/questions": "everybody asks, customers change their own; their tries are counted",
    "/api/question-answers": "customers answer for themselves and say what helped",
    "/api/reviews": "customers write their own and say what helped",
    "/api/appointments": "customers book, and see and change their own; their tries are counted",
    "/api/appointment-services/{service_id}/slots": "customers choose a time",
    "/api/stock-alerts": "customers ask to be told; their tries are counted",
    "/api/vat-numbers/check": "businesses that buy ask; their tries are counted",
}
NOT_IDEMPOTENT = {
    "/api/session": "cookies are set, and a code counts once",
    "/api/links": "cookies are set, and a link counts once",
    "/api/account/password": "sessions end and cookies are set",
    "/api/account/pin": "the same PIN again is the same; no hash of the request is kept",
    "/api/account/totp": "secrets are shown that are stored nowhere else",
    "/api/account/recovery-codes": "secrets are shown that are stored nowhere else",
    "/api/account/passkeys/options": "a challenge counts once",
    "/api/gift-cards/balance": "it only reads; the code is in the body to stay out of logs",
    "/api/gift-cards/lookup": "it only reads; the code is in the body to stay out of logs",
    "/api/loyalty/members/lookup": "it only reads; the code is in the body to stay out of logs",
    "/api/vat-numbers/check": "it asks a register; asked twice in a day it answers what it knows",
    "/api/orders/{order_id}/changes/preview": "it only reads; what is to be changed is in the body",
    "/api/returns/without-receipt/preview": "it only reads; what came back is in the body",
    "/api/till-sales/batch": "each sale brings its own id, and is recorded once however often it is sent",
    "/api/segments/preview": "it only reads; the conditions are in the body",
    "/api/tracking/schemas/learn": "it only reads; which events to learn from is in the body",
    "/api/imports/products": "the same file again changes nothing: its rows are known by handle and SKU",
}


OPERATIONS = [
    (method, path, item[method])
    for path, item in sorted(DOCUMENT["paths"].items())
    for method in METHODS
    if method in item
]
"""Looked at by one test for each convention: two thousand tests would cost more than all that they look at."""


def _is_listed(path: str, listed: dict[str, str]) -> bool:
    return any(path == known or path.startswith(f"{known}/") for known in listed)


def _faults(keeps: Callable[[str, dict[str, Any]], bool]) -> list[str]:
    """The operations that do not keep to a convention; a key that an operation lacks is a fault as well."""
    faults = []
    for method, path, operation in OPERATIONS:
        try:
            is_kept = keeps(path, operation)
        except (KeyError, TypeError):
            is_kept = False
        if not is_kept:
            faults.append(f"{method.upper()} {path}")
    return faults


def test_there_are_operations() -> None:
    assert len(OPERATIONS) > 500


def test_an_operation_says_what_it_is_for() -> None:
    assert _faults(lambda _, operation: bool(operation.get("summary"))) == [], "give the handler a summary"
    assert _faults(lambda _, operation: bool(operation.get("description"))) == [], (
        "give the handler a docstring"
    )
    assert _faults(lambda _, operation: operation["summary"] != operation["operationId"]) == []
    assert _faults(lambda _, operation: bool(operation.get("tags"))) == []


def test_an_operation_names_its_permission_or_is_listed_as_public() -> None:
    known = set(permissions())
    assert _faults(lambda path, operation: bool(operation["x-permissions"]) or _is_listed(path, PUBLIC)) == []
    assert _faults(lambda _, operation: set(operation["x-permissions"]) <= known) == []
    assert (
        _faults(
            lambda _, operation: all(f"`{n}`" in operation["description"] for n in operation["x-permissions"])
        )
        == []
    )


def test_a_write_takes_an_idempotency_key() -> None:
    faults = []
    for method, path, operation in OPERATIONS:
        documented = [p["name"] for p in operation["parameters"] if p["in"] == "header"]
        if method != "get" and ("Idempotency-Key" in documented) == _is_listed(path, NOT_IDEMPOTENT):
            faults.append(f"{method.upper()} {path}")
    assert faults == []


def test_what_is_listed_is_there() -> None:
    for listed in [*PUBLIC, *NOT_IDEMPOTENT]:
        assert any(_is_listed(path, {listed: ""}) for path in DOCUMENT["paths"]), listed


def test_errors_are_documented_as_problems() -> None:
    def is_problem(_: str, operation: dict[str, Any]) -> bool:
        return set(operation["responses"]["default"]["content"]) == {"application/problem+json"}

    assert _faults(is_problem) == []
    assert _faults(lambda _, operation: "400" not in operation["responses"]) == []
