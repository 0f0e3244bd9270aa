"""By what a customer is known, and which customers are one person: a part of the customer's page."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from samlad import customers, identity
from samlad.customers import Customer, PersonInput
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.identity import Decision, Kind, MergeInput, Profile, ReasonInput, SplitInput
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

SHOWN = 20
TAKEN_BACK = marked("Taken back on the page")
NOBODY = marked("No other customer has this id, number or e-mail address.")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. ``labels`` name identifiers by id, ``others`` the customers that are the same person."""

    profile: Profile
    labels: dict[UUID, str]
    others: list[Customer]
    decisions: list[Any]
    changes: list[Any]


async def customer_identity(request: AnyRequest, customer: Customer) -> Known | None:
    """What is known of who a customer is; None if nothing was seen yet, or it may not be seen."""
    if not actor_of(request).may(identity.READ):
        return None
    database = database_of(request)
    try:
        profile = await identity.read(database, customer.id)
    except NotFound:
        return None
    ids = await identity.ids_of(database, customer.id)
    rows = [await customers.get(database, row) for row in profile.customers if row != customer.id]
    query = ListQuery(limit=SHOWN, filters={"profile": str(profile.id)})
    return Known(
        profile=profile,
        labels={each.id: each.value for each in profile.identifiers if each.kind != Kind.CUSTOMER},
        others=[row for row in rows if row is not None],
        decisions=(await identity.DECISIONS.page(database, query)).items,
        changes=(await identity.CHANGES_OF.page(database, ListQuery(limit=SHOWN), ids)).items,
    )


@post("/admin/customers/{customer_id:uuid}/merge")
async def merge(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Another customer is the same person."""
    require(request, identity.DECIDE)
    form, _ = await read_form(request), words(request)
    try:
        other = await found_customer(request, customer_id, form.text("other") or "")
        given = form.into(MergeInput, profiles=[str(customer_id), str(other)], reason=form.text("reason"))
        made = await change(request, lambda tx: identity.merge(tx, given))
    except (Conflict, InvalidInput, NotFound) as problem:
        return _refused(request, customer_id, problem)
    return _decided(request, made, _("They are one person from now on."))


async def found_customer(request: AnyRequest, customer_id: UUID, text: str) -> UUID:
    """The customer that somebody names: by id, number or e-mail address."""
    try:
        return UUID(text.strip())
    except ValueError:
        pass
    database = database_of(request)
    this = await customers.current(database, customer_id)
    if this is None:
        raise NotFound("There is no such customer.")
    wanted = PersonInput(email=text.strip(), external_id=text.strip())
    found = await customers.find(database, this.pool, wanted) if text.strip() else None
    if found is None or found.id == customer_id:
        raise InvalidInput.at("other", NOBODY)
    return found.id


@post("/admin/customers/{customer_id:uuid}/split")
async def split(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Some of what the customer is known by is somebody else's."""
    require(request, identity.DECIDE)
    form, _ = await read_form(request), words(request)
    try:
        given = form.into(
            SplitInput,
            profile=str(customer_id),
            identifiers=form.all("identifier"),
            takes_along=form.text("only") is None,
            reason=form.text("reason"),
        )
        made = await change(request, lambda tx: identity.split(tx, given))
    except (Conflict, InvalidInput, NotFound) as problem:
        return _refused(request, customer_id, problem)
    return _decided(request, made, _("They are two people from now on."), customer_id)


@post("/admin/identity/decisions/{decision_id:uuid}/undo")
async def take_back(request: AnyRequest, decision_id: FromPath[UUID]) -> Response[Any]:
    """Take a decision back."""
    require(request, identity.DECIDE)
    form, _ = await read_form(request), words(request)
    try:
        customer = UUID(form.text("customer") or "")
    except ValueError:
        raise NotFound("There is no such customer.") from None
    try:
        given = form.into(ReasonInput, reason=form.text("reason") or _(TAKEN_BACK))
        await change(request, lambda tx: identity.undo(tx, decision_id, given.reason))
    except (Conflict, InvalidInput, NotFound) as problem:
        return _refused(request, customer, problem)
    return go(request, f"/admin/customers/{customer}", _("Taken back: it is as if it had never been."))


def _decided(request: AnyRequest, made: Decision, text: str, customer: UUID | None = None) -> Response[Any]:
    where = customer or made.profiles[0]
    undo = undo_href(request, "identity.decision", decision=made.id, customer=where)
    return go(request, f"/admin/customers/{where}", text, undo=undo)


@undoable("identity.decision")
async def _undo(tx: Tx, arguments: dict[str, Any]) -> str:
    await identity.undo(tx, UUID(arguments["decision"]), TAKEN_BACK)
    return f"/admin/customers/{arguments['customer']}"


def _refused(
    request: AnyRequest, customer: UUID, problem: Conflict | InvalidInput | NotFound
) -> Response[Any]:
    told = problem.errors[0].message if problem.errors else problem.detail
    return go(request, f"/admin/customers/{customer}", words(request)(told), kind="danger")


HANDLERS = [merge, split, take_back]
