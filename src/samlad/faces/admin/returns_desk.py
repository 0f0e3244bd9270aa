"""At the desk: announce a return before its goods come, and take goods back that nobody has a receipt for."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, orders
from samlad.channels import Channel
from samlad.faces import change_form, unknown_form
from samlad.faces.admin.changes import order_of
from samlad.faces.admin.scope import own_locations
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, Problem
from samlad.orders import Order, return_announce, return_store
from samlad.orders.return_model import AnnounceInput
from samlad.orders.return_unknown import UnknownPreview
from samlad.orders.rules import returnable
from samlad.stock import Location

UNKNOWN = "/admin/returns/without-receipt"


@get("/admin/orders/{order_id:uuid}/announce")
async def announce_page(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """What of it is to come back."""
    require(request, orders.CHANGE)
    return await _announce(request, await order_of(request, order_id), Form())


async def _announce(request: AnyRequest, order: Order, form: Form) -> Response[Any]:
    coming = await return_store.announced(database_of(request), order.id)
    left = {p: n - coming.get(p, 0) for p, n in returnable(order.lines).items() if n > coming.get(p, 0)}
    known = await change_form.reasons_for(request, order)
    return await admin_page(
        request,
        "admin/return_announce.html",
        status_code=form.status,
        order=order,
        form=form,
        left=left,
        reasons=change_form.reason_options(request, known),
    )


@post("/admin/orders/{order_id:uuid}/announce", status_code=200)
async def announce(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """Give the return a number under which its goods will come."""
    require(request, orders.CHANGE)
    form, _ = await read_form(request), words(request)
    order = await order_of(request, order_id)
    positions = [line.position for line in order.lines if (form.whole(f"back-{line.position}") or 0) > 0]
    try:
        if not positions:
            raise InvalidInput(_(marked("Choose at least one piece.")))
        lines = [
            {
                "position": position,
                "quantity": form.whole(f"back-{position}"),
                "reason": form.text(f"reason-{position}") or "other",
            }
            for position in positions
        ]
        photos = form.get("photos").split()
        given = form.into(AnnounceInput, order=str(order.id), lines=lines, photos=photos)
        made = await change(request, lambda tx: return_announce.announce(tx, given))
    except Problem as problem:
        names = {
            f"lines/{index}/{part}": f"{name}-{position}"
            for index, position in enumerate(positions)
            for part, name in (("quantity", "back"), ("position", "back"), ("reason", "reason"))
        }
        return await _announce(request, order, form.failed(problem, names))
    text = _("Announced as %(number)s. Write that on the parcel.") % {"number": made.number}
    return go(request, f"/admin/returns/{made.id}", text)


# -- without a receipt -------------------------------------------------------------------------------------------------


@get(UNKNOWN)
async def unknown_page(request: AnyRequest) -> Response[Any]:
    """The form."""
    require(request, orders.CHANGE)
    return await _unknown(request, Form(), None)


@post(UNKNOWN, status_code=200)
async def take_unknown(request: AnyRequest) -> Response[Any]:
    """Show what it is worth, or take it back."""
    require(request, orders.CHANGE)
    form, _ = await read_form(request), words(request)
    found = await _store(request, form)
    if found is None:
        return await _unknown(
            request, form.failed(InvalidInput.at("location", _("Please choose one of these."))), None
        )
    place, channel = found
    actor_of(request).require(orders.CHANGE, location=place.id)
    if form.get("act") != "apply":
        return await _unknown(request, form, await unknown_form.previewed(request, channel, place.id, form))
    try:
        order = await unknown_form.take(request, channel, place.id, form)
    except Problem as problem:
        again = Form(form.fields, None, _)
        said = await unknown_form.previewed(request, channel, place.id, again)
        return await _unknown(request, unknown_form.failed(form, problem), said)
    return go(request, f"/admin/orders/{order.id}", _("Taken back as %(number)s.") % {"number": order.number})


async def _store(request: AnyRequest, form: Form) -> tuple[Location, Channel] | None:
    """The store that was chosen, with its channel."""
    for place in await _stores(request):
        if str(place.id) == form.get("location") and place.channel is not None:
            return place, await channels.cached(database_of(request), place.channel)
    return None


async def _stores(request: AnyRequest) -> list[Location]:
    found = await own_locations(actor_of(request), database_of(request))
    return [place for place in found if place.channel is not None and place.is_active]


async def _unknown(request: AnyRequest, form: Form, said: UnknownPreview | None) -> Response[Any]:
    places = await _stores(request)
    chosen = await _store(request, form)
    if chosen is None and places and places[0].channel is not None:
        chosen = places[0], await channels.cached(database_of(request), places[0].channel)
    if chosen is None:
        return await admin_page(request, "admin/return_no_store.html")
    place, channel = chosen
    return await admin_page(
        request,
        "admin/return_unknown.html",
        status_code=form.status,
        places=[(str(one.id), one.name) for one in places],
        location=str(place.id),
        **await unknown_form.shown(request, channel, form, said),
    )


HANDLERS = [announce_page, announce, unknown_page, take_unknown]
