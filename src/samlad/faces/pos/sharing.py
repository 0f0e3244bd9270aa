"""Carts that come to the till and leave it: a customer's by code or picture, what else a customer has, parked sales."""

import re
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, customers
from samlad.carts import CartClosed, CartKind, CartStatus, CartView, OfferGone, TakeOver
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import DAY_SECONDS, Till, cookie_of, current, show, till_of
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

MOST_PARKED = 50
_CODE = re.compile(r"^\d{3} ?\d{3}$")
_LINK = re.compile(r"/cart/continue/([A-Za-z0-9_-]{43})$")
GONE = marked("This code is not good any more. The customer gets a new one on their device.")


def offered(text: str, till: Till) -> TakeOver | None:
    """What was scanned or typed, if it is how a customer hands their cart over."""
    link = _LINK.search(text)
    if link:
        return TakeOver(channel=till.channel.id, secret=link[1])
    return TakeOver(channel=till.channel.id, code=text) if _CODE.match(text) else None


async def take_over(request: AnyRequest, data: TakeOver, ticket: CartView | None) -> CartView:
    """The customer's cart as the ticket; what was on the ticket before is parked.

    Raises:
        OfferGone, CartClosed, Conflict, TooMany: it cannot be opened here.
    """
    if data.code is not None:
        await carts.count_try(database_of(request), context_of(request))

    async def verb(tx: Tx) -> CartView:
        opened = await carts.take_over(tx, data)
        if ticket is not None and ticket.lines and ticket.id != opened.id:
            await carts.park(tx, ticket.id)
        return opened

    return await face.change(request, verb)


async def recognise(request: AnyRequest, till: Till, cart: CartView) -> CartView:
    """Whose ticket this is, by the e-mail address on it, if we know it. Nothing comes onto the ticket by itself."""
    if cart.email is None or cart.customer is not None:
        return cart
    pool = till.channel.pools[Resource.CUSTOMERS]
    person = await customers.find(database_of(request), pool, PersonInput(email=cart.email))
    if person is None:
        return cart
    try:
        done = await face.change(request, lambda tx: carts.attach(tx, cart.id, person.id))
    except (NotFound, CartClosed, Conflict):
        return cart
    return done.cart


async def others(request: AnyRequest, cart: CartView | None) -> list[CartView]:
    """What else the customer of this ticket has in a cart."""
    if cart is None or cart.customer is None:
        return []
    found = await carts.lists_beside(database_of(request), actor_of(request), cart.id, kinds=[CartKind.CART])
    return [each for each in found if each.lines and each.status is CartStatus.OPEN]


async def parked_count(request: AnyRequest, till: Till) -> int:
    """How many sales are parked in this store."""
    return await carts.LISTING.count(database_of(request), _parked(till), None)


def _parked(till: Till) -> ListQuery:
    return ListQuery(limit=MOST_PARKED, filters={"status": "parked", "channel": till.channel.code})


@get("/{code:str}/parked")
async def parked_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The parked sales of this store, the last first."""
    till = await till_of(request, code)
    found = await carts.LISTING.page(database_of(request), _parked(till), None)
    return show(request, till, "pos/parked.html", parked=found.items)


@post("/{code:str}/park", status_code=303)
async def park(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Put the ticket aside and begin a new one."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    cart = await current(request, till)
    if cart is None:
        return face.go(request, till.base)
    label = form.get("label").replace("\x00", "").strip()[:100] or None
    try:
        await face.change(request, lambda tx: carts.park(tx, cart.id, label))
    except (NotFound, CartClosed, InvalidInput):
        return face.go(request, till.base)
    answer = face.go(request, till.base, _("The sale is parked."))
    answer.delete_cookie(cookie_of(till))
    return answer


@post("/{code:str}/parked/{cart_id:uuid}", status_code=303)
async def resume(request: AnyRequest, code: FromPath[str], cart_id: FromPath[UUID]) -> Response[Any]:
    """Go on with a parked sale; what is on the ticket is parked instead."""
    till, _ = await till_of(request, code), face.words(request)
    ticket = await current(request, till)

    async def verb(tx: Tx) -> CartView:
        found = await carts.resume(tx, cart_id)
        if found.channel != till.channel.id:
            raise NotFound("This sale was parked in another store.")
        if ticket is not None and ticket.lines and ticket.id != cart_id:
            await carts.park(tx, ticket.id)
        return found

    try:
        cart = await face.change(request, verb)
    except (NotFound, CartClosed):
        return face.go(request, f"{till.base}/parked", _("This sale is gone."), kind="warning")
    answer = face.go(request, till.base)
    answer.set_cookie(face.own_cookie(request, cookie_of(till), str(cart.id), DAY_SECONDS))
    return answer


handlers = [parked_page, park, resume]
PROBLEMS = (OfferGone, CartClosed, Conflict, InvalidInput, NotFound)
