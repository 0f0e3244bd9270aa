"""Where the goods of an order are, for who placed it: parcels, the code for the store, and what they can choose."""

from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import stock
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.fulfilment_names import TRACKING
from samlad.faces.page import AnyRequest
from samlad.faces.storefront.limits import who, writes
from samlad.faces.storefront.order_link import read_link
from samlad.kernel import qr
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound, Problem
from samlad.orders import fulfilment_short, fulfilment_store, fulfilment_tracking
from samlad.orders.fulfilment_model import (
    AnswerInput,
    Choice,
    Fulfilment,
    FulfilmentState,
    Method,
    Tracked,
)
from samlad.orders.model import Order

S = FulfilmentState
STATES = {
    "open": marked("Being packed"),
    "picking": marked("Being packed"),
    "picked": marked("Being packed"),
    "packed": marked("Packed"),
    "ready": marked("Ready to be picked up"),
    "needs_customer": marked("We need your answer"),
    "waiting": marked("Waiting for it to come in"),
    "shipped": marked("Sent"),
    "delivered": marked("You have it"),
    "cancelled": marked("Cancelled"),
}
ANSWERED = {
    Choice.OTHER_STORE: marked("Thank you. The store puts it aside for you."),
    Choice.WAIT: marked("Thank you. You get it when it comes in."),
    Choice.CANCEL: marked("It is called off, and what you paid for it goes back."),
}


class Parcel(msgspec.Struct, frozen=True):
    """A part of an order as its buyer sees it. ``until``: the last day on which it can be fetched, by the store's clock."""

    fulfilment: Fulfilment
    until: date | None
    text: str
    place: str | None
    code: str | None
    picture: Markup | None
    tracked: Tracked | None
    told: str | None


async def parcels_of(request: AnyRequest, order: Order) -> list[Parcel]:
    """The parts of an order that are still to go or have left, but what was carried out of a store at once."""
    database, _ = database_of(request), face.words(request)
    found = [f for f in await fulfilment_store.of_order(database, order.id) if f.state in STATES]
    found = [f for f in found if f.method is not Method.HAND_OVER and f.reason != "found"]
    codes = await fulfilment_store.codes_of(database, order.id)
    parcels = []
    for one in found:
        place = await stock.location(database, one.location) if one.location else None
        tracked = await fulfilment_tracking.tracked(database, one.id)
        code = codes.get(one.id)
        told = TRACKING.get(tracked.status) if tracked and tracked.status else None
        parcels.append(
            Parcel(
                fulfilment=one,
                until=one.pick_up_by.astimezone(ZoneInfo(place.time_zone)).date()
                if one.pick_up_by and place
                else None,
                text=_(STATES[one.state]),
                place=place.name if place else None,
                code=code,
                picture=picture_of(code) if code else None,
                tracked=tracked,
                told=_(told) if told else None,
            )
        )
    return parcels


def picture_of(code: str) -> Markup:
    """A code as a picture for a scanner."""
    return Markup(qr.svg(code, scale=6, border=2))  # noqa: S704 - drawn by segno from digits


@post("/order/{link:str}/answer", status_code=303)
async def answer(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """What the buyer chose when a store had not got what they ordered."""
    writes.check(who(request))
    order_id, form, _ = read_link(request, link), await read_form(request), face.words(request)
    back = f"/order/{quote(link)}"
    try:
        fulfilment_id = UUID(form.get("fulfilment"))
        chosen = form.into(AnswerInput)
    except (ValueError, Problem):
        return face.go(request, back)
    database = database_of(request)
    if fulfilment_id not in {f.id for f in await fulfilment_store.of_order(database, order_id)}:
        raise NotFound(_("This is not in the order."))
    try:
        await face.change(
            request, lambda tx: fulfilment_short.answer(tx, fulfilment_id, chosen, by_customer=True)
        )
    except Problem as problem:
        if problem.status >= 500:
            raise
        return face.go(
            request, back, _("This has changed meanwhile. Look at it as it is now."), kind="warning"
        )
    return face.go(request, back, _(ANSWERED[chosen.choice]))


handlers = [answer]
