"""How a cart becomes an order's: the part of placing an order that is about the cart."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from samlad import channels
from samlad.carts import rules, store
from samlad.carts.access import access_of
from samlad.carts.cart_view import prices
from samlad.carts.model import Cart, CartClosed, NotSellable, Totals
from samlad.carts.opening import check_orderable, check_prices, check_sellable
from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import InvalidInput, NotFound


class ClosedCart(msgspec.Struct, frozen=True):
    """A cart with its lines at the agreed prices, what they are, and what they come to.

    ``may_be_held``: it was in checkout, or its channel holds in carts: its stock may be held under the cart's id.
    """

    cart: Cart
    channel: Channel
    sellables: Mapping[UUID, Sellable]
    totals: Totals
    may_be_held: bool


async def close(
    tx: Tx, cart_id: UUID, order: UUID, *, token: str | None = None, version: int | None = None
) -> ClosedCart:
    """Take a cart for an order; of several that try at once the first gets it. Three statements.

    In a checkout that has not run out the agreed prices stand, else they must be those of now.

    Raises:
        NotFound: no such cart, or it is not this actor's. CartClosed: it was ordered or given up before.
        Outdated: it is not the version that was seen.
        InvalidInput: it is empty, or something about the buyer is missing.
        NotSellable, PriceChanged: something in it cannot be had here any more, or costs something else now.
    """
    access = access_of(tx.actor, token)
    cart = await store.close(tx, cart_id, access, order)
    if cart is None:
        closed = await store.read(tx, cart_id, access)
        if closed is None:
            raise NotFound("There is no such cart, or its token is not the right one.")
        check_orderable(closed)
        raise CartClosed(
            f"It is {closed.status}.", order=None if closed.order_id is None else str(closed.order_id)
        )
    check_version(version, cart.version - 1)
    cart = msgspec.structs.replace(cart, lines=await store.lines_of(tx, cart.id))
    if not cart.lines:
        raise InvalidInput.at("lines", "the cart is empty")
    missing = rules.missing_details(cart)
    if missing:
        raise InvalidInput("Something about the buyer is missing.", errors=tuple(missing))
    channel = await channels.cached(tx, cart.channel)
    sellables = await prices(tx, cart, channel)
    if rules.prices_stand(cart, now()):
        gone = [str(line.variant) for line in cart.lines if line.variant not in sellables]
        if gone:
            raise NotSellable("Take these out to go on.", lines=gone)
    else:
        check_prices(cart, check_sellable(cart, sellables))
    totals = rules.totals(
        [
            (
                line.quantity,
                rules.amounts(line.unit_price, line.quantity, sold.tax_rate, tax_included=sold.tax_included),
                sold.tax_rate,
            )
            for line in cart.lines
            for sold in (sellables[line.variant],)
        ],
        rules.shipping_price(cart, channel),
        tax_included=bool(channel.setting("prices_include_tax")),
    )
    may_be_held = cart.checkout_until is not None or cart.held_until is not None
    return ClosedCart(cart, channel, sellables, totals, may_be_held)
