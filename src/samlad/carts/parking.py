"""Sales that are put aside at a till, and go on later, at this till or another one of the store."""

from uuid import UUID

import msgspec

from samlad.carts import events, holding, store
from samlad.carts.cart_view import compose
from samlad.carts.model import Cart, CartStatus
from samlad.carts.opening import check_orderable, open_cart
from samlad.carts.permissions import WRITE
from samlad.carts.view_model import CartView
from samlad.kernel import cards, log
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput


async def park(tx: Tx, cart_id: UUID, label: str | None = None, *, version: int | None = None) -> CartView:
    """Put a sale aside. What there is of it is held for the channel's ``parked_hold_seconds``. Asked again, anew.

    Raises:
        Forbidden: without `carts.write` at the cart's till.
        InvalidInput: it is empty, or a list.
    """
    tx.actor.require(WRITE)
    cards.refuse(label, "label")
    cart, channel = await open_cart(tx, cart_id, None, version, reopen=False)
    _at_own_till(tx, cart)
    check_orderable(cart)
    if not cart.lines:
        raise InvalidInput.at("lines", "there is nothing to park")
    until = await holding.for_parked(tx, cart, channel)
    values = {
        "status": CartStatus.PARKED,
        "checkout_until": None,
        "held_until": until,
        "label": label or cart.label,
    }
    await store.set_fields(tx, cart.id, values)
    cart = msgspec.structs.replace(cart, **values)
    fact = events.CartParked(label=cart.label, held_until=until)
    log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
    return await compose(tx, cart, channel)


async def resume(tx: Tx, cart_id: UUID, *, version: int | None = None) -> CartView:
    """Go on with a parked sale: it is open again. One that is open already stays so."""
    tx.actor.require(WRITE)
    cart, channel = await open_cart(tx, cart_id, None, version)
    _at_own_till(tx, cart)
    return await compose(tx, cart, channel)


def _at_own_till(tx: Tx, cart: Cart) -> None:
    if cart.location is not None:
        tx.actor.require(WRITE, location=cart.location)
