"""Staff who are bound to a store reach nothing of another: not by its ids, not by its till, not by what all stores share.

Walks the OpenAPI document and the routes of the office and the tills, so a new operation and a new page are covered from their
first day. Whoever asks has every permission that somebody who is bound can have, and works at a store with pools of its own; all
that the ids name belongs to others (`whole_life`).
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from smallest import NOBODY, body_of, path_of
from whole_life import EMAIL, PHONE, live

from described import DOCUMENT
from samlad import app, channels, stock
from samlad.access import clients, keys
from samlad.access.clients import ClientInput
from samlad.access.keys import KeyInput
from samlad.access.permissions import permissions
from samlad.channels import ChannelInput, ChannelKind
from samlad.kernel import live as kernel_live
from samlad.kernel.context import GUEST, SHOP_WIDE, Actor
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.openapi import METHODS
from samlad.kernel.problems import NotFound
from samlad.stock import LocationInput, LocationKind
from trade import build

TABLES = {
    "appointment_id": "appointment", "answer_id": "question_answer", "alert_id": "stock_alert", "batch_id": "pick_batch",
    "bulk_id": "order_bulk", "card_id": "gift_card", "cart": "cart", "cart_id": "cart", "closing_id": "day_closing",
    "conversation_id": "conversation", "count_id": "stock_count", "customer_id": "customer", "device_id": "till_device", "any_id": "customer",
    "other_id": "customer", "document_id": "document", "entry_id": "store_work", "exchange_id": "order_change",
    "fulfilment_id": "fulfilment", "job_id": "print_job", "key": "api_key",
    "line": "cart_line", "line_id": "cart_line", "location_id": "location", "lot_id": "lot", "merge": "cart_merge",
    "note_id": "customer_note", "order_id": "orders", "payment_id": "payment", "payout_id": "tip_payout",
    "plan_id": "selling_plan", "printer_id": "printer", "product_id": "product", "promotion_id": "promotion",
    "purchase_id": "purchase_order", "quarantine_id": "stock_quarantine", "question_id": "question", "recall_id": "stock_recall",
    "refund_id": "refund", "request_id": "return_request", "return_id": "return_request", "review_id": "review",
    "routing_id": "routing", "run_id": "label_run", "sale_id": "till_sale", "screen_id": "screen", "segment_id": "segment",
    "service_id": "appointment_service", "shift_id": "till_shift", "source_id": "tracking_source", "staff_id": "staff",
    "subscription_id": "subscription", "supplier_id": "supplier", "task_id": "follow_up", "task": "follow_up",
    "transfer_id": "stock_transfer", "variant": "variant", "variant_id": "variant", "voucher_id": "voucher",
    "channel_id": "channel", "kiosk_id": "session", "list_id": "price_list", "book_id": "book", "method_id": "delivery_method",
    "page_id": "content_page", "category_id": "category", "collection_id": "collection", "attribute_id": "attribute",
    "size_chart_id": "size_chart", "entity_id": "legal_entity", "rate_id": "tax_country_rate", "registration_id": "tax_registration",
    "scheme_id": "tax_scheme", "move_id": "pool_move", "bounce_id": "mail_bounce", "mail_id": "inbound_mail",
    "reply_id": "saved_reply", "view_id": "order_view", "subscription": "subscription", "pair_id": "duplicate_pair",
}  # fmt: skip
"""What the holes of addresses name, each as its table; the id is the latest that is there, or nobody's."""

_GOODS = "what is sold, for how much and how is no secret of a store: tills and the endless aisle need it"
_WORDS = "drafts of what customers read anyway"
_TERMS = "what holds for all places: who sells, which tax"
SHARED: dict[tuple[str, str], str] = {
    ("get", path): why
    for why, paths in {
        _GOODS: (
            "/api/attributes/{attribute_id}", "/api/categories/{category_id}", "/api/channels/{channel_id}",
            "/api/collections/{collection_id}", "/api/collections/{collection_id}/products",
            "/api/delivery-methods/{method_id}", "/api/locations/{location_id}", "/api/locations/{location_id}/channels",
            "/api/locations/{location_id}/workday", "/api/loyalty/programmes/{channel_id}", "/api/price-lists/{list_id}",
            "/api/products/{product_id}", "/api/selling-plans/{plan_id}", "/api/size-charts/{size_chart_id}",
            "/api/variants/{variant_id}", "/api/variants/{variant_id}/price-history",
        ),
        _WORDS: (
            "/api/brand-kits/{code}", "/api/content/pages/{page_id}", "/api/content/pages/{page_id}/versions/{number}",
            "/api/menus/{code}/{place}",
        ),
        _TERMS: (
            "/api/legal-entities/{entity_id}", "/api/tax-rates/{rate_id}", "/api/tax-registrations/{registration_id}",
            "/api/tax-schemes/{scheme_id}",
        ),
    }.items()
    for path in paths
}  # fmt: skip
"""What staff of a store do read of what is not theirs, each with the reason. They change none of it."""


SHARED_PAGES: dict[tuple[str, str], str] = {
    ("GET", path): why
    for why, paths in {
        _GOODS: (
            "/admin/channels/{channel_id}", "/admin/delivery/locations/{location_id}", "/admin/delivery/{method_id}",
            "/admin/products/{product_id}", "/admin/selling-plans/{plan_id}", "/admin/stock/levels/{location_id}/{variant_id}",
            "/admin/stock/locations/{location_id}", "/admin/variants/{variant_id}/prices",
        ),
        _WORDS: (
            "/admin/content/brand/{code}", "/admin/content/brand/{code}/preview", "/admin/content/brand/{code}/theme.css",
            "/admin/content/pages/{page_id}", "/admin/content/pages/{page_id}/preview",
        ),
        _TERMS: (
            "/admin/legal-entities/{entity_id}", "/admin/tax/rates/{rate_id}", "/admin/tax/registrations/{registration_id}",
            "/admin/tax/schemes/{scheme_id}",
        ),
    }.items()
    for path in paths
} | {
    ("POST", "/admin/content/brand/{code}/preview"): "shows what is sent; keeps nothing",
}  # fmt: skip
"""As `SHARED`, of pages."""

OWN = {
    "/admin/link/{token}": "whoever has the link", "/admin/undo/{signed}": "whoever made the change",
    "/pos/{code}/clerks": "of a till that is signed in", "/pos/{code}/lock": "of a till that is signed in",
    "/admin/orders/views/{view_id}": "goes back with what its verb refuses; the API's walk holds the verb",
    "/admin/stock/quarantine/{quarantine_id}": "there is none",
    "/pos/{code}/drawer/{shift_id}/print": "goes back with what its verb refuses; the API's walk holds the verb",
    "/admin/profile/password": "whoever asks here is nobody of the database",
    "/pos/{code}/kiosk": "of a kiosk", "/pos/{code}/kiosk/help": "of a kiosk", "/pos/{code}/kiosk/leave": "of a kiosk",
    "/pos/{code}/kiosk/card": "of a kiosk",
}  # fmt: skip
"""Pages that a secret or a device opens, not what somebody may."""

BACK = ("/pos/kiruna", "/pos/kiruna/kiosks")
"""Where a till leads when what it was asked for is not on its own ticket, and not its own device: nothing was done."""


TAG = "of-the-others"


class There(msgspec.Struct):
    """Somebody of another store, and what the holes of addresses are filled with."""

    kiruna: Actor
    ids: dict[str, str]
    told: dict[str, str]
    words: list[str]
    """By which what belongs to others is searched for."""

    @property
    def body(self) -> dict[str, str]:
        """What fields of bodies that are ids are filled with."""
        named = {
            "location": "location_id",
            "customer": "customer_id",
            "order": "order_id",
            "cart": "cart_id",
            "channel": "channel_id",
        }
        return {hole: one for hole, one in self.ids.items() if hole not in ("code", "channel", "kid")} | {
            field: self.ids[hole] for field, hole in named.items()
        }


@pytest.fixture
async def there(settings: Any, db: Database, api_as: Any, monkeypatch: pytest.MonkeyPatch) -> There:
    async with api_as() as api, api_as(GUEST) as wire:
        world = await live(settings, db, api, wire, monkeypatch)
    known = {
        row["name"]
        for row in await db.rows(
            "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
        )
    }
    ids = {}
    for hole, table in TABLES.items():
        found = await db.value(f"SELECT max(id::text) FROM {table}") if table in known else None
        ids[hole] = str(found or NOBODY)
    await db.transaction(_of_the_office)
    told = {TAG: "tag"}
    for table in (
        "api_key",
        "oauth_client",
        "customer",
        "cart",
        "orders",
        "conversation",
        "gift_card",
        "subscription",
        "fulfilment",
        "payment",
        "document",
    ):
        told |= {str(row["id"]): table for row in await db.rows(f"SELECT id FROM {table}")}
    ids |= {
        "code": world.trade.malmo.code,
        "channel": world.trade.malmo.code,
        "kid": str(await db.value("SELECT max(kid) FROM till_key")),
    }

    async def opens(tx: Tx) -> UUID:
        await channels.create(
            tx,
            ChannelInput(
                code="kiruna",
                name="Kiruna",
                kind=ChannelKind.STORE,
                country="SE",
                locale="sv",
                currency="SEK",
                time_zone="Europe/Stockholm",
            ),
        )
        place = LocationInput(code="kiruna", name="Kiruna", kind=LocationKind.STORE, channel="kiruna")
        return (await stock.create_location(tx, place)).id

    place = await db.transaction(opens)
    sam = Actor(
        kind="staff",
        id=new_id(),
        name="Sam",
        permissions=frozenset(permissions()),
        locations=frozenset({place}),
    )
    numbers = await db.rows("SELECT number FROM orders UNION ALL SELECT number FROM subscription")
    return There(sam, ids, told, [EMAIL, "sjuttisju", PHONE, *(row["number"] for row in numbers)])


async def _of_the_office(tx: Tx) -> None:
    """Keys that act everywhere, and words that others found for their customers and orders."""
    await keys.create(tx, KeyInput(name="Sync", scopes=["key.read"]))
    await clients.create(tx, ClientInput(name="Sync", scopes=["key.read"]))
    await tx.execute("INSERT INTO customer_tag (customer, tag) SELECT id, $1 FROM customer", TAG)
    await tx.execute("INSERT INTO order_tag (order_id, tag) SELECT id, $1 FROM orders", TAG)


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in sorted(DOCUMENT["paths"].items()):
        for method in METHODS:
            if method in item and item[method]["x-permissions"]:
                yield method, path, item[method]


async def _ask(
    client: httpx.AsyncClient, method: str, path: str, operation: dict[str, Any], there: There
) -> httpx.Response:
    content = operation.get("requestBody", {}).get("content", {})
    where = path_of(path, operation, there.ids)
    if "multipart/form-data" in content:
        return await client.request(method.upper(), where, files={"file": b"x"})
    return await client.request(method.upper(), where, json=body_of(operation, there.body))


def test_nobody_who_is_bound_has_what_is_everybodys() -> None:
    assert len(SHOP_WIDE) > 30
    sam = Actor(kind="staff", permissions=frozenset(permissions()), locations=frozenset({new_id()}))
    assert not sam.permissions & SHOP_WIDE
    assert not any(sam.may(each) for each in SHOP_WIDE)


@pytest.mark.slow
async def test_a_store_reaches_nothing_of_another(api_as: Any, db: Database, there: There) -> None:
    """One test, because making somebody with a whole life takes longer than asking a thousand addresses."""
    async with api_as(there.kiruna) as client, api_as(there.kiruna, accept="text/html") as browser:
        faults = [fault async for fault in _api_faults(client, there)]
        faults += [fault async for fault in _page_faults(browser, there)]
        for word in there.words:
            fault = _fault(await browser.get("/admin/search", params={"q": word}), there, has_ids=False)
            faults += [f"search for {word}: {fault}"] if fault else []
    with pytest.raises(NotFound):
        await kernel_live.admit(db, there.kiruna, [f"person:{there.ids['customer_id']}"])
    assert faults == [], "\n".join(faults)


async def _api_faults(client: httpx.AsyncClient, there: There) -> AsyncIterator[str]:
    for method, path, operation in _operations():
        if (method, path) in SHARED:
            continue
        answer = await _ask(client, method, path, operation, there)
        if fault := _fault(answer, there, has_ids="{" in path):
            yield f"{method.upper()} {path}: {fault}"


async def _page_faults(browser: httpx.AsyncClient, there: There) -> AsyncIterator[str]:
    for method, template in _pages():
        if (method, template) in SHARED_PAGES or template in OWN:
            continue
        at_own_till = template.startswith("/pos/{code}/") and template.count("{") > 1
        for codes in ({}, {"code": "kiruna"}) if at_own_till else ({},):
            path = template
            for hole, value in {**there.ids, **codes}.items():
                path = path.replace(f"{{{hole}}}", value)
            form = {"data": {"next": "/admin"}} if method != "GET" else {}
            answer = await browser.request(method, path, **form)
            if answer.headers.get("location") in BACK:
                continue
            if fault := _fault(answer, there, has_ids="{" in template):
                yield f"{method} {path if codes else template}: {fault}"


def _fault(answer: httpx.Response, there: There, *, has_ids: bool) -> str:
    """What is wrong with an answer to somebody of another store; nothing if it says that it is not theirs."""
    if answer.status_code in (403, 404):
        return ""
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.text[:120]}"
    if has_ids:
        return f"{answer.status_code} {answer.headers.get('location', answer.text[:120])}"
    asked = str(answer.url)
    named = sorted({what for one, what in there.told.items() if one in answer.text and one not in asked})
    return f"{answer.status_code} names {', '.join(named)}" if named else ""


def _pages() -> Iterator[tuple[str, str]]:
    for router in app.FACES:
        for route in router.routes:  # type: ignore[union-attr]
            if route.path_format.startswith(("/admin", "/pos")):
                for handler in route.route_handlers:
                    for method in sorted(handler.http_methods - {"HEAD", "OPTIONS"}):
                        yield method, route.path_format


async def test_a_store_that_shares_its_customers_serves_them(api_as: Any, db: Database) -> None:
    """What is refused above is refused for its pool, not for everybody who is bound."""
    trade = await build(db)
    variant = await trade.kettle()
    everything = frozenset(permissions())
    lund = Actor(
        kind="staff", id=new_id(), name="Lo", permissions=everything, locations=frozenset({trade.at_lund.id})
    )
    async with api_as(lund) as clerk:
        new = {"channel": str(trade.web.id), "name": "Kim Berg", "email": "kim@example.org"}
        kim = (await clerk.post("/api/customers", json=new)).json()
        changed = await clerk.patch(f"/api/customers/{kim['id']}", json={"phone": "+46701234567"})
        assert (changed.status_code, changed.json()["phone"]) == (200, "+46701234567")
        assert [each["id"] for each in (await clerk.get("/api/customers")).json()["items"]] == [kim["id"]]
        assert (await clerk.get(f"/api/customers/{kim['id']}")).status_code == 200
        await clerk.post(f"/api/customers/{kim['id']}/tags", json={"tags": ["vip"]})
        assert (await clerk.get("/api/customers/tags")).json() == [{"tag": "vip", "people": 1}]
        for path, change in (
            (f"/api/channels/{trade.lund.id}", {"name": "Ours"}),
            (f"/api/customers/{kim['id']}", {"name": "Kim"}),
            (f"/api/variants/{variant}", {"sku": "ours"}),
        ):
            answer = await clerk.patch(path, json=change)
            assert answer.status_code == (200 if "customers" in path else 403), path
