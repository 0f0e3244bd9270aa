"""Acts on many orders at the desk: begun for chosen rows or all of a filter, watched while a job does them, printed."""

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, orders, stock
from samlad.faces.admin import names
from samlad.faces.admin.lists import href
from samlad.faces.admin.order_desk import BASE, query_of
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import bulk, bulk_store, fulfilment_store
from samlad.orders.bulk import BulkInput
from samlad.orders.fulfilment_model import FulfilmentState

ACTS = {
    "tag": marked("Tag"),
    "untag": marked("Take a tag off"),
    "fulfil": marked("Mark as shipped or handed over"),
    "cancel": marked("Cancel"),
    "assign": marked("Let a location give it"),
}
MOST_SLIPS = 200
_PRINTED = (
    FulfilmentState.OPEN,
    FulfilmentState.PICKING,
    FulfilmentState.PICKED,
    FulfilmentState.PACKED,
    FulfilmentState.READY,
)


async def chosen_in(request: AnyRequest, form: Form) -> dict[str, Any]:
    """The rows that were picked, or the filters that the desk shows when all of them are meant."""
    if not form.has("everything"):
        try:
            return {"orders": [str(UUID(one)) for one in form.all("id")]}
        except ValueError:
            raise InvalidInput.at("id", "these are no orders") from None
    query = await query_of(request, dict(parse_qsl(form.get("selection"))))
    return {"filters": {name: value for name, value in query.filters.items() if value}}


@post(f"{BASE}/bulk")
async def begin(request: AnyRequest) -> Response[Any]:
    """Begin an act on many orders; the page of it says how far it is."""
    require(request, orders.CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        chosen = await chosen_in(request, form)
        if chosen.get("orders") == []:
            raise InvalidInput(_("Choose at least one order."))
        data = msgspec.convert(
            {
                "act": form.get("act"),
                "tags": [tag for tag in form.get("tags").split(",") if tag.strip()],
                "reason": form.get("reason"),
                "location": form.text("location"),
                **chosen,
            },
            BulkInput,
        )
        known = UUID(form.get("bulk"))
        begun = await change(request, lambda tx: bulk.begin(tx, data, bulk=known))
    except (msgspec.ValidationError, ValueError):
        return go(request, back_to(form), _("Please say what is to be done with them."), kind="danger")
    except Problem as problem:
        return go(request, back_to(form), form.failed(problem).in_one_line(), kind="danger")
    return go(request, f"{BASE}/bulk/{begun.id}")


def back_to(form: Form) -> str:
    """The desk as it was when a form was sent from it."""
    return href(BASE, dict(parse_qsl(form.get("selection"))))


@get(f"{BASE}/bulk/{{bulk_id:uuid}}")
async def show(request: AnyRequest, bulk_id: FromPath[UUID]) -> Response[Any]:
    """How far an act is, and what each order said to it."""
    require(request, orders.READ)
    database = database_of(request)
    found = await bulk.get(database, actor_of(request), bulk_id)
    places = {str(place.id): place.name for place in await stock.locations(database)}
    return await admin_page(
        request,
        "admin/order_bulk.html",
        bulk=found,
        act=words(request)(ACTS[found.act]),
        place=places.get(str(found.arguments.get("location"))),
        refused=await bulk_store.rows_of(database, bulk_id, "refused"),
        done=await bulk_store.rows_of(database, bulk_id, "done"),
        most=bulk_store.MOST_SHOWN,
        opposite={"tag": "untag", "untag": "tag"}.get(found.act),
    )


@post(f"{BASE}/bulk/{{bulk_id:uuid}}/{{act:str}}")
async def act_on(request: AnyRequest, bulk_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Stop an act; or take it back where that is possible, for those orders that it changed."""
    require(request, orders.CHANGE)
    await read_form(request)
    _, database, actor = words(request), database_of(request), actor_of(request)
    if act == "stop":
        await change(request, lambda tx: bulk.stop(tx, bulk_id))
        return go(request, f"{BASE}/bulk/{bulk_id}", _("Stopped. What was not done yet stays as it was."))
    found = await bulk.get(database, actor, bulk_id)
    opposite = {"tag": "untag", "untag": "tag"}.get(found.act)
    if act != "back" or opposite is None:
        raise NotFound("There is no such act.")
    rows = await bulk_store.rows_of(database, bulk_id, "done", bulk.MOST_ORDERS)
    data = msgspec.convert(
        {"act": opposite, "orders": [str(row.order_id) for row in rows], "tags": found.arguments["tags"]},
        BulkInput,
    )
    begun = await change(request, lambda tx: bulk.begin(tx, data, of=bulk_id))
    return go(request, f"{BASE}/bulk/{begun.id}")


@post(f"{BASE}/print", status_code=200)
async def print_slips(request: AnyRequest) -> Response[Any]:
    """Packing slips of what is to be packed in chosen orders, or in all of a filter; a page each."""
    require(request, orders.READ)
    form, database, actor = await read_form(request), database_of(request), actor_of(request)
    picked = [] if form.has("everything") else form.all("id")
    asked = dict(parse_qsl(form.get("selection")))
    query = await query_of(
        request, asked if form.has("everything") else {"id": ",".join(picked) or str(new_id())}
    )
    chosen = await orders.LISTING.keys(database, query, most=MOST_SLIPS + 1)
    known = {channel.id: channel for channel in await channels.cached_all(database)}
    places = {place.id: place for place in await stock.locations(database)}
    slips = []
    for order_id in chosen[:MOST_SLIPS]:
        parts = await fulfilment_store.of_order(database, order_id)
        mine = [
            p
            for p in parts
            if p.state in _PRINTED and (actor.locations is None or p.location in actor.locations)
        ]
        if mine:
            order = await orders.read(database, order_id)
            slips += [
                (order, part, known[order.channel], places.get(part.location) if part.location else None)
                for part in mine
            ]
    return await admin_page(
        request,
        "admin/order_slips.html",
        slips=slips,
        is_cut=len(chosen) > MOST_SLIPS,
        most=MOST_SLIPS,
        names=names,
    )


HANDLERS = [begin, show, act_on, print_slips]
