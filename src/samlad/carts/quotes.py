"""Quotes: staff name prices that stand until a date, and the customer makes a cart of them."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from samlad import channels
from samlad.carts import events, sharing_store, store
from samlad.carts.cart_view import compose, prices
from samlad.carts.model import MOST_LINES, Cart, CartKind, CartLine, Label, Quantity
from samlad.carts.opening import check_sellable, open_cart
from samlad.carts.permissions import QUOTE
from samlad.carts.service import admit, as_new, new_cart
from samlad.carts.view_model import CartView, NewCart
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, Problem

LARGEST_PRICE = 10**12
LONGEST = timedelta(days=366)


class QuoteExpired(Problem):
    """The prices of this quote do not stand any more: ``until`` says since when. Ask for a new one."""

    code, status, title = "quote-expired", 410, "This quote has expired"


class QuoteLine(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A line of a quote. Without a price it is the one of now, which then stands too."""

    variant: UUID
    quantity: Quantity = 1
    unit_price: (
        Annotated[
            int,
            msgspec.Meta(
                ge=0, le=LARGEST_PRICE, description="Minor units, as prices are kept here", examples=[17_900]
            ),
        ]
        | None
    ) = None


class QuoteInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new quote: the prices of its lines stand until a date, for these quantities."""

    channel: UUID
    lines: Annotated[list[QuoteLine], msgspec.Meta(min_length=1, max_length=MOST_LINES)]
    until: Annotated[
        datetime,
        msgspec.Meta(tz=True, description="At most a year ahead", examples=["2026-12-24T17:00:00+01:00"]),
    ]
    customer: UUID | None = None
    label: Label | None = None


async def quote(tx: Tx, data: QuoteInput) -> NewCart:
    """Make a quote. Its ``token`` goes into the link that the customer gets.

    Raises:
        Forbidden: without `carts.quote`.
        InvalidInput: a date that is past or too far, the same variant twice.
        NotSellable: something that the channel does not sell. NotFound: no such channel or customer.
    """
    tx.actor.require(QUOTE)
    if not now() < data.until <= now() + LONGEST:
        raise InvalidInput.at("until", "a moment in the future, at most a year ahead")
    if len({line.variant for line in data.lines}) < len(data.lines):
        raise InvalidInput.at("lines", "each variant once")
    channel = await channels.cached(tx, data.channel)
    cart = await new_cart(
        tx, channel, data.customer, kind=CartKind.QUOTE, label=data.label, quoted_until=data.until
    )
    token = await admit(tx, cart, None, is_needed=True)
    kind = tx.actor.kind
    lines = [
        CartLine(
            id=new_id(),
            variant=line.variant,
            quantity=line.quantity,
            unit_price=line.unit_price or 0,
            added_by=kind,
            changed_by=kind,
            price_until=data.until,
        )
        for line in data.lines
    ]
    cart = msgspec.structs.replace(cart, lines=lines)
    current = check_sellable(cart, await prices(tx, cart, channel))
    named = {line.variant: line.unit_price for line in data.lines}
    cart = msgspec.structs.replace(
        cart, lines=[_priced(line, named[line.variant], current[line.variant]) for line in lines]
    )
    await store.put_lines(tx, cart.id, cart.lines)
    fact = events.CartQuoted(until=data.until, lines=len(lines))
    log.append(tx, fact, subject=cart.id, channel=channel.id, profile=cart.customer)
    return as_new(await compose(tx, cart, channel), token)


def _priced(line: CartLine, named: int | None, current: int) -> CartLine:
    return msgspec.structs.replace(line, unit_price=current if named is None else named)


async def accept(tx: Tx, cart_id: UUID, *, token: str | None = None, version: int | None = None) -> CartView:
    """Make a cart of a quote; accepted before, it is that cart. Its prices stand till the date of the quote.

    Another quantity of a line has the usual price again, and says so.

    Raises:
        QuoteExpired: its date has passed.
        Conflict: it never was a quote.
    """
    cart, channel = await open_cart(tx, cart_id, token, version, reopen=False)
    if cart.quoted_until is None:
        raise Conflict("This is not a quote.")
    if cart.kind is CartKind.QUOTE:
        if not await sharing_store.accept_quote(tx, cart.id):
            raise _expired(cart)
        cart = msgspec.structs.replace(cart, kind=CartKind.CART, is_current=False)
        fact = events.QuoteAccepted()
        log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
    return await compose(tx, cart, channel)


def _expired(cart: Cart) -> QuoteExpired:
    until = cart.quoted_until.isoformat() if cart.quoted_until else None
    return QuoteExpired("Its prices do not stand any more; ask for a new one.", until=until)
