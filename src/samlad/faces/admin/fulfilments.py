"""What stores and warehouses have to bring: how each is doing, what is late or stuck, and the parts of one order."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import orders, stock
from samlad.faces import fulfilment_names as fulfilment_texts
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import own_locations
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound, Problem
from samlad.orders import Order, fulfilment_carriers, fulfilment_short, fulfilment_store
from samlad.orders.fulfilment_lists import LISTING
from samlad.orders.fulfilment_model import UNENDED, AnswerInput, Fulfilment, FulfilmentState

TOLD: dict[str, tuple[str, str, str]] = {
    "fulfilment.opened": (marked("A place is to bring it"), "store", ""),
    "fulfilment.taken": (marked("Being picked"), "scan", ""),
    "fulfilment.picked": (marked("Picked"), "check", ""),
    "fulfilment.packed": (marked("Packed"), "check", ""),
    "fulfilment.ready": (marked("Ready for pick-up"), "bag", "success"),
    "fulfilment.labelled": (marked("The parcel has a number"), "tag", ""),
    "fulfilment.left": (marked("Left the place"), "truck", "success"),
    "fulfilment.delivered": (marked("The carrier has delivered it"), "check", "success"),
    "fulfilment.rejected": (marked("A place could not bring it"), "warning", "warning"),
    "fulfilment.needs_customer": (marked("The customer is asked"), "mail", "warning"),
    "fulfilment.answered": (marked("The customer has answered"), "mail", ""),
    "fulfilment.substituted": (marked("Something else is given"), "undo", "warning"),
    "fulfilment.uncollected": (marked("Nobody came for it"), "clock", "warning"),
    "order.part_called_off": (marked("A part was called off"), "close", "warning"),
}
"""What an order's history says of its parts: text, icon, colour."""

_CHOICES = {
    "other_store": marked("They pick it up there"),
    "wait": marked("They wait"),
    "cancel": marked("Call it off, money back"),
}


class PartShown(msgspec.Struct, frozen=True):
    """A part of an order as its page shows it."""

    fulfilment: Fulfilment
    place: str | None
    method: str
    state: str
    kind: str
    reason: str | None
    url: str | None
    work_href: str | None
    may_answer: bool
    choices: list[tuple[str, str, str]]


async def parts_of(request: AnyRequest, order: Order) -> list[PartShown]:
    """The parts of an order, oldest first."""
    _, database, actor = words(request), database_of(request), actor_of(request)
    found = await fulfilment_store.of_order(database, order.id)
    places = {place.id: place for place in await stock.locations(database)} if found else {}
    shown_parts = []
    for one in found:
        place = places.get(one.location) if one.location else None
        works = place is not None and one.state in UNENDED and actor.may(orders.CHANGE, place.id)
        offered = one.location is not None and one.state is FulfilmentState.NEEDS_CUSTOMER
        skipped = ({"other_store"} if not offered else set()) | (
            {"wait"} if one.state is FulfilmentState.WAITING else set()
        )
        reason = fulfilment_texts.REASONS.get(one.reason or "")
        shown_parts.append(
            PartShown(
                fulfilment=one,
                place=place.name if place else None,
                method=_(fulfilment_texts.METHODS[one.method]),
                state=_(fulfilment_texts.STATES[one.state]),
                kind=fulfilment_texts.STATE_KINDS.get(one.state, ""),
                reason=_(reason) if reason else one.reason,
                url=fulfilment_carriers.link(one.carrier, one.tracking),
                work_href=f"/pos/work/{place.code}/{one.id}" if works and place else None,
                may_answer=actor.may(orders.CHANGE, one.location)
                or (order.location is not None and actor.may(orders.CHANGE, order.location)),
                choices=[
                    (name, _(text), "primary" if name == "other_store" else "")
                    for name, text in _CHOICES.items()
                    if name not in skipped
                ],
            )
        )
    return shown_parts


@post("/admin/orders/{order_id:uuid}/parts/{fulfilment_id:uuid}/answer")
async def answer(
    request: AnyRequest, order_id: FromPath[UUID], fulfilment_id: FromPath[UUID]
) -> Response[Any]:
    """What the customer said on the phone or in the shop."""
    require(request)
    form, _ = await read_form(request), words(request)
    here = f"/admin/orders/{order_id}"
    if fulfilment_id not in {f.id for f in await fulfilment_store.of_order(database_of(request), order_id)}:
        raise NotFound("There is no such part.")
    try:
        chosen = form.into(AnswerInput)
        await change(request, lambda tx: fulfilment_short.answer(tx, fulfilment_id, chosen))
    except Problem as problem:
        return go(request, here, form.failed(problem).message, kind="warning")
    return go(request, here, _("The answer is kept."))


@get("/admin/fulfilments")
async def list_fulfilments(request: AnyRequest) -> Response[Any]:
    """How each place is doing, and every part of every order: late ones, stuck ones, all."""
    require(request, orders.READ)
    actor, database, _ = actor_of(request), database_of(request), words(request)
    mine = actor.bound_to
    fixed = {"place": None if mine is None else ",".join(map(str, mine))}
    found = await shown(request, database, LISTING, fixed=fixed)
    own = await own_locations(actor, database)
    return await admin_page(
        request,
        "admin/fulfilments.html",
        list=found,
        places=await fulfilment_store.late(database, mine),
        stuck=await fulfilment_store.stuck(database, mine),
        place_names={place.code: place.name for place in own},
        place_options=[(place.code, place.name) for place in own],
        states=[(name, _(text)) for name, text in fulfilment_texts.STATES.items()],
        methods=[(name, _(text)) for name, text in fulfilment_texts.METHODS.items()],
        state_kinds=fulfilment_texts.STATE_KINDS,
        views=_views(_, found.params),
    )


_VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    (marked("To do"), {"state": "open,picking,picked,packed,ready"}),
    (marked("Late"), {"late": "true"}),
    (marked("Waiting for an answer or goods"), {"state": "needs_customer,waiting"}),
    (marked("All"), {}),
)


def _views(translate: Any, params: dict[str, str]) -> list[dict[str, Any]]:
    asked = {name: params[name] for name in ("state", "late") if name in params}
    return [
        {
            "text": translate(text),
            "href": "/admin/fulfilments" + "".join(f"?{name}={value}" for name, value in filters.items()),
            "current": asked == filters,
        }
        for text, filters in _VIEWS
    ]


HANDLERS = [list_fulfilments, answer]
