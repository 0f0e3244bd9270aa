"""Change an order on one page, and the returns that were announced."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, orders
from samlad.faces import change_form, pay_ways
from samlad.faces.admin import names
from samlad.faces.admin.lists import shown as shown_list
from samlad.faces.admin.scope import own_locations
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, is_htmx, require, translated, words
from samlad.kernel.database import Database
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import Order, change_store, return_claim, return_reasons, return_store, returns
from samlad.orders.change_model import ChangeDiffers, ChangeInput, Preview
from samlad.orders.return_model import (
    OPEN,
    EndInput,
    InspectInput,
    ReceiveInput,
    Request,
    ReturnState,
    SettleInput,
)
from samlad.stock import lots_store

STATES = {
    "requested": marked("Announced"),
    "received": marked("Here"),
    "inspected": marked("Looked at"),
    "settled": marked("Settled"),
    "cancelled": marked("Will not come"),
}
STATE_KINDS = {"requested": "info", "received": "accent", "inspected": "accent", "settled": "success"}
VIEWS = (
    (marked("Open"), "state=requested,received,inspected"),
    (marked("Overdue"), "overdue=true"),
    (marked("All"), ""),
)
UNPAID_WAYS = (("", marked("Invoice")), ("store_credit", marked("Store credit")))
"""How new goods are paid whose old ones never come, as it can be said here; by the API what a provider keeps, too."""
LATER = {"later": marked("Later")}


@get("/admin/orders/{order_id:uuid}/change")
async def change_page(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """One page to take back, call off, exchange, add and make good."""
    require(request, orders.CHANGE)
    return await _page(request, await order_of(request, order_id), Form(), None)


async def order_of(request: AnyRequest, order_id: UUID) -> Order:
    """An order that whoever asks sees: staff who are bound to locations those of these; the till finds all."""
    order, actor = await orders.read(database_of(request), order_id), actor_of(request)
    if actor.locations is not None and order.location not in actor.locations:
        raise NotFound("There is no such order at your locations.")
    return order


@post("/admin/orders/{order_id:uuid}/change/preview", status_code=200)
async def preview_page(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """What it would come to, as a piece of the page."""
    require(request, orders.CHANGE)
    form = await read_form(request)
    order = await order_of(request, order_id)
    said, _data = await _previewed(request, order, form)
    return await _page(request, order, form, said)


async def _previewed(
    request: AnyRequest, order: Order, form: Form
) -> tuple[Preview | None, ChangeInput | None]:
    """What was chosen and what it comes to; a fault is said in the form."""
    try:
        data = await change_form.change_from(request, order, form, fingerprint=None)
        if not data.actions:
            return None, None
        return await orders.preview_change(database_of(request), actor_of(request), order.id, data), data
    except Problem as problem:
        form.failed(problem)
        return None, None


@post("/admin/orders/{order_id:uuid}/change", status_code=200)
async def apply_page(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """Do what the preview said."""
    require(request, orders.CHANGE)
    form, _ = await read_form(request), words(request)
    order = await order_of(request, order_id)
    if form.get("act") != "apply":
        said, _data = await _previewed(request, order, form)
        return await _page(request, order, form, said)
    try:
        data = await change_form.change_from(request, order, form)
        if not data.actions:
            raise InvalidInput(_("Choose what changes first."))
        await change(request, lambda tx: orders.apply_change(tx, order_id, data, version=form.version()))
    except ChangeDiffers:
        form.message = _("It would come to something else now. Look at it again.")
        form.status = 409
        order = await order_of(request, order_id)
        said, _data = await _previewed(request, order, Form(form.fields, None, _))
        return await _page(request, order, form, said)
    except Problem as problem:
        order = await order_of(request, order_id)
        said, _data = await _previewed(request, order, Form(form.fields, None, _))
        return await _page(request, order, form.failed(problem), said)
    return go(request, f"/admin/orders/{order_id}", _("Changed."))


async def _page(request: AnyRequest, order: Order, form: Form, said: Preview | None) -> Response[Any]:
    database, actor, _ = database_of(request), actor_of(request), words(request)
    places, channel = await own_locations(actor, database), await channels.cached(database, order.channel)
    context = {
        **await change_form.shown(request, order, await change_form.reasons_for(request, order), form),
        **change_form.previewed(request, said, may_override=actor.may(orders.OVERRIDE)),
        "pay_ways": translated(request, LATER | pay_ways.of_staff(channel)),
        "unpaid_ways": [
            (name, _(text)) for name, text in UNPAID_WAYS if name != "store_credit" or order.customer
        ],
        "provider_names": names.provider,
        "here": f"/admin/orders/{order.id}",
        "places": [("", _("Choose where it came in") if order.imported else _("where it left from"))]
        + [(str(place.id), place.name) for place in places],
        "names": names,
    }
    if is_htmx(request):
        return await admin_page(request, "design/change_preview.html", **context)
    changes = await change_store.of_order(database, order.id)
    return await admin_page(
        request, "admin/order_change.html", status_code=form.status, changes=changes, **context
    )


# -- announced returns -----------------------------------------------------------------------------------------------------


@get("/admin/returns")
async def list_returns(request: AnyRequest) -> Response[Any]:
    """Every announced return, the newest first."""
    require(request, orders.READ)
    _, actor = words(request), actor_of(request)
    own = None if actor.locations is None else ",".join(sorted(map(str, actor.locations)))
    found = await shown_list(
        request, database_of(request), return_store.LISTING, fixed={"place": own} if own else {}
    )
    asked = "&".join(f"{n}={found.params[n]}" for n in ("state", "overdue") if n in found.params)
    return await admin_page(
        request,
        "admin/returns.html",
        list=found,
        states=translated(request, STATES),
        state_kinds=STATE_KINDS,
        views=[
            {
                "text": _(text),
                "href": f"/admin/returns{'?' if query else ''}{query}",
                "current": asked == query,
            }
            for text, query in VIEWS
        ],
    )


@get("/admin/returns/{request_id:uuid}")
async def show_return(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Any]:
    """One announced return."""
    require(request, orders.READ)
    return await _return_page(request, request_id, Form())


async def _return_page(request: AnyRequest, request_id: UUID, form: Form) -> Response[Any]:
    database, actor, _ = database_of(request), actor_of(request), words(request)
    found = await return_store.read(database, request_id)
    if found is None:
        raise NotFound("There is no such return.")
    order = await orders.read(database, found.order_id)
    known = await return_reasons.reasons(database, order.pool)
    channel = await channels.cached(database, order.channel)
    return await admin_page(
        request,
        "admin/return.html",
        agreed=_(names.provider.get(found.agreed or "invoice", found.agreed or "")),
        charged_on=found.due_on + timedelta(days=int(channel.setting("exchange_patience")) + 1),
        status_code=form.status,
        found=found,
        order=order,
        form=form,
        places=[(str(place.id), place.name) for place in await own_locations(actor, database)],
        conditions=translated(request, change_form.CONDITIONS),
        refund_ways=translated(request, change_form.REFUND_TO),
        reasons=dict(change_form.reason_options(request, list(known.values()))),
        states={name: _(text) for name, text in STATES.items()},
        state_kinds=STATE_KINDS,
        is_open=found.state in OPEN and actor.may(orders.CHANGE),
        lots_of=await _lots_of(request, found) if found.state in OPEN else {},
        rest=await _rest_of(database, found) if actor.may(orders.CHANGE) else 0,
        may_override=actor.may(orders.OVERRIDE),
    )


async def _rest_of(database: Database, found: Request) -> int:
    """What of goods that went out is still open after the old ones were settled, and nobody was charged for (minor units)."""
    if found.exchange is None or found.state is not ReturnState.SETTLED or found.claimed_at is not None:
        return 0
    sale = await orders.read(database, found.exchange)
    return max(0, sale.total - sale.called_off - sale.paid)


@post("/admin/returns/{request_id:uuid}/{act:str}")
async def act_on_return(request: AnyRequest, request_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """It is here, it looks so, its money goes back, it will not come, or what went out for it is charged."""
    require(request, orders.CHANGE)
    form, _ = await read_form(request), words(request)
    version = form.version()
    found = await return_store.read(database_of(request), request_id)
    if found is None or act not in ("receive", "inspect", "settle", "cancel", "charge"):
        raise NotFound("There is no such return, or no such act.")
    try:
        if act == "receive":
            here = form.into(ReceiveInput, lines=_lines(found, form))
            await change(request, lambda tx: returns.receive(tx, request_id, here, version=version))
            text = _("It is here.")
        elif act == "inspect":
            look = form.into(InspectInput, lines=_lines(found, form))
            await change(request, lambda tx: returns.inspect(tx, request_id, look, version=version))
            text = _("Kept.")
        elif act == "settle":
            how = form.into(
                SettleInput,
                sent_in=form.has("sent_in"),
                waive_fees=form.has("waive_fees"),
                lots=_lots(form, await _lots_of(request, found)),
            )
            await change(request, lambda tx: returns.settle(tx, request_id, how, version=version))
            text = _("Settled.")
        elif act == "charge":
            await change(request, lambda tx: return_claim.charge_now(tx, request_id, version=version))
            text = _("It is charged.")
        else:
            await change(request, lambda tx: returns.end(tx, request_id, EndInput(), version=version))
            text = _("It is not expected any more.")
    except Problem as problem:
        return await _return_page(request, request_id, form.failed(problem))
    return go(request, f"/admin/returns/{request_id}", text)


async def _lots_of(request: AnyRequest, found: Request) -> dict[int, list[tuple[str, int]]]:
    """Lots (code, units) that the order got, by the position of what came: only where there are several, so that somebody must say."""
    order = await orders.read(database_of(request), found.order_id)
    came = {line.position for line in found.lines if line.received}
    variants = {line.position: line.variant for line in order.lines if line.variant and line.position in came}
    sold = await lots_store.sold(database_of(request), order.id, list(set(variants.values())))
    named = {
        at: [(lot.code, units) for lot, units in sold.get(variant, []) if lot.code]
        for at, variant in variants.items()
    }
    return {at: lots for at, lots in named.items() if len(lots) > 1}


def _lots(form: Form, lots_of: dict[int, list[tuple[str, int]]]) -> list[dict[str, Any]]:
    return [
        {"position": position, "lot": code, "quantity": units}
        for position, lots in lots_of.items()
        for place, (code, _units) in enumerate(lots)
        if (units := form.whole(f"lot-{position}-{place}") or 0) > 0
    ]


def _lines(found: Request, form: Form) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for line in found.lines:
        given = {"position": line.position, "quantity": form.whole(f"came-{line.position}") or 0}
        condition = form.text(f"condition-{line.position}")
        lines.append(given | ({"condition": condition} if condition else {}))
    return [msgspec.to_builtins(line) for line in lines]


HANDLERS = [
    change_page,
    preview_page,
    apply_page,
    list_returns,
    show_return,
    act_on_return,
]
