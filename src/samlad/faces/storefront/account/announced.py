"""A return that is announced: its number and label, how far it is, calling it off; for members and for who has the link."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import stock
from samlad.channels import Channel
from samlad.content import photograph_store
from samlad.documents.snapshot import address_lines
from samlad.faces import page as face
from samlad.faces.design.formats import day
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member
from samlad.faces.storefront.account.returning import Sender, of_guest, of_member
from samlad.faces.storefront.account.words import RETURNS
from samlad.faces.storefront.place import channel_of
from samlad.kernel import qr
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import Order, fulfilment_labels, return_store, returns
from samlad.orders.fulfilment_model import Label
from samlad.orders.return_model import EndInput, Request, ReturnState

NO_RETURN = marked("There is no such return.")


async def _of_member(request: AnyRequest, channel: Channel, return_id: UUID) -> tuple[Request, Sender]:
    await member.require(request, channel)
    found = await _found(request, return_id)
    return found, await of_member(request, channel, found.order_id)


async def _of_guest(
    request: AnyRequest, channel: Channel, link: str, return_id: UUID
) -> tuple[Request, Sender]:
    """A return of the order whose link this is."""
    sender, found = await of_guest(request, channel, link), await _found(request, return_id)
    if found.order_id != sender.order.id:
        raise NotFound(face.words(request)(NO_RETURN))
    return found, sender


async def _found(request: AnyRequest, return_id: UUID) -> Request:
    found = await return_store.read(database_of(request), return_id)
    if found is None:
        raise NotFound(face.words(request)(NO_RETURN))
    return found


@get("/account/returns/{return_id:uuid}")
async def one_return(request: AnyRequest, return_id: FromPath[UUID]) -> Response[Any]:
    """An announced return: its number for the parcel or the store, how far it is."""
    channel = await channel_of(request)
    return await _shown(request, channel, *await _of_member(request, channel, return_id))


@get("/order/{link:str}/returns/{return_id:uuid}")
async def guest_one_return(
    request: AnyRequest, link: FromPath[str], return_id: FromPath[UUID]
) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _shown(request, channel, *await _of_guest(request, channel, link, return_id))


async def _shown(request: AnyRequest, channel: Channel, found: Request, sender: Sender) -> Response[Any]:
    _ = face.words(request)
    return await sender.page(
        request,
        channel,
        "returned",
        found=found,
        order=sender.order,
        state=_(RETURNS[found.state]),
        can_cancel=found.state is ReturnState.REQUESTED and found.exchange is None,
        is_open=found.state is ReturnState.REQUESTED,
        steps=_steps(request, found),
        photos=(await photograph_store.of(database_of(request), [found.id])).get(found.id, []),
        due=day(found.due_on, face.locale_of(request)),
        picture=Markup(qr.svg(found.number, scale=6, border=2)),  # noqa: S704 - drawn by segno from a number
    )


def _steps(request: AnyRequest, found: Request) -> list[dict[str, str]]:
    """How far it is."""
    _ = face.words(request)
    order = [ReturnState.REQUESTED, ReturnState.RECEIVED, ReturnState.INSPECTED, ReturnState.SETTLED]
    if found.state is ReturnState.CANCELLED:
        return [{"icon": "close", "text": _(RETURNS[found.state]), "state": "now"}]
    reached = order.index(found.state)
    icons = ("check", "store", "search", "card")
    return [
        {
            "icon": icon,
            "text": _(RETURNS[state]),
            "state": "done" if place < reached else "now" if place == reached else "",
        }
        for place, (icon, state) in enumerate(zip(icons, order, strict=True))
    ]


@get("/account/returns/{return_id:uuid}/label.pdf")
async def label(request: AnyRequest, return_id: FromPath[UUID]) -> Response[bytes]:
    """The label for the parcel: from the customer to the place that the goods had left from, with the return's number as
    bars and as a QR code for the till of any store."""
    channel = await channel_of(request)
    found, sender = await _of_member(request, channel, return_id)
    return await _label(request, channel, found, sender.order)


@get("/order/{link:str}/returns/{return_id:uuid}/label.pdf")
async def guest_label(request: AnyRequest, link: FromPath[str], return_id: FromPath[UUID]) -> Response[bytes]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    found, sender = await _of_guest(request, channel, link, return_id)
    return await _label(request, channel, found, sender.order)


async def _label(request: AnyRequest, channel: Channel, found: Request, order: Order) -> Response[bytes]:
    if found.state is not ReturnState.REQUESTED:
        raise NotFound(face.words(request)("This return needs no label any more."))
    place = await return_store.goes_to(database_of(request), order.id)
    where = None if place is None else await stock.location(database_of(request), place)
    sender = [order.name or "", order.email or ""]
    if order.address:
        given = order.address
        town = f"{given.postal_code or ''} {given.city}".strip()
        sender = [given.name, given.line1, given.line2 or "", town, given.country]
    recipient = [channel.name] if where is None else [where.name, *address_lines(where.address)]
    made = fulfilment_labels.pdf(
        Label(
            sender=[line for line in sender if line],
            recipient=recipient,
            number=found.number,
            order_number=order.number,
            units=sum(line.quantity for line in found.lines),
        )
    )
    name = f"return-{found.number}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(made, media_type="application/pdf", headers=headers)


@post("/account/returns/{return_id:uuid}/cancel", status_code=303)
async def cancel(request: AnyRequest, return_id: FromPath[UUID]) -> Response[Any]:
    """It stays after all. Once it has arrived that is for the shop to say."""
    channel = await channel_of(request)
    return await _cancelled(request, *await _of_member(request, channel, return_id))


@post("/order/{link:str}/returns/{return_id:uuid}/cancel", status_code=303)
async def guest_cancel(request: AnyRequest, link: FromPath[str], return_id: FromPath[UUID]) -> Response[Any]:
    """The same for whoever has the order's link."""
    channel = await channel_of(request)
    return await _cancelled(request, *await _of_guest(request, channel, link, return_id))


async def _cancelled(request: AnyRequest, found: Request, sender: Sender) -> Response[Any]:
    limits.writes.check(limits.who(request))
    _, back = face.words(request), sender.order_href
    if found.state is ReturnState.CANCELLED:
        return face.go(request, back)
    try:
        if found.state is not ReturnState.REQUESTED:
            raise InvalidInput("It has arrived.")
        await database_of(request).transaction(
            lambda tx: returns.end(tx, found.id, EndInput(), version=found.version), sender.context
        )
    except Problem as problem:
        if problem.status >= 500:
            raise
        return face.go(
            request, back, _("This has changed meanwhile. Look at it as it is now."), kind="warning"
        )
    return face.go(request, back, _("The return is called off."))


handlers = [one_return, label, cancel, guest_one_return, guest_label, guest_cancel]
