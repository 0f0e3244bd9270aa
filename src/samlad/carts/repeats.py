"""Carts that nobody filled: what is ordered again without its buyer, at prices that whoever repeats it has worked out."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec import structs

from samlad.carts import delivery_choice, events, pricing, store
from samlad.carts.cart_view import build, prices
from samlad.carts.model import Address, Cart, CartLine, Delivery
from samlad.carts.service import admit, new_cart
from samlad.carts.view_model import CartView
from samlad.channels import Channel
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id

STANDS = timedelta(hours=1)
"""Prices were worked out for an order that is placed at once, or after its provider has answered."""


class RepeatLine(msgspec.Struct, frozen=True):
    """So many of a variant at a price each (minor units as quoted), by a selling plan."""

    variant: UUID
    quantity: int
    unit_price: int
    plan: UUID


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """What is bought again: the goods, who gets them, and how."""

    customer: UUID
    lines: Sequence[RepeatLine]
    label: str
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: Address | None = None
    delivery: Delivery
    delivery_method: UUID | None = None
    location: UUID | None = None
    vat_number: str | None = None


async def repeat(tx: Tx, channel: Channel, data: Repeat, *, waits: bool = False) -> Cart:
    """Write the cart, ready to be ordered: its prices stand, and promotions come off them as in any cart.

    One that ``waits`` for its payment is nobody's until `hand_to`, so that its customer does not shop on in it.
    """
    cart = await _draft(tx, channel, data)
    await admit(tx, structs.replace(cart, customer=None) if waits else cart, None, is_needed=False)
    wanted = {
        name: getattr(cart, name)
        for name in ("email", "name", "phone", "address", "delivery_method", "vat_number")
        if getattr(cart, name) is not None
    }
    if wanted:
        await store.set_fields(tx, cart.id, wanted)
    await store.put_lines(tx, cart.id, cart.lines)
    fact = events.CartCreated(currency=cart.currency, customer=cart.customer)
    log.append(tx, fact, subject=cart.id, channel=channel.id, profile=cart.customer)
    return cart


async def hand_to(tx: Tx, cart: UUID, customer: UUID) -> None:
    """Say whose a cart is that waited for its payment."""
    await store.set_fields(tx, cart, {"customer": customer})


async def estimate(tx: Tx, channel: Channel, data: Repeat) -> CartView:
    """What it would come to now, with delivery, promotions and tax. Nothing is written or held."""
    cart = await _draft(tx, channel, data)
    return build(cart, await pricing.price(tx, cart, channel, await prices(tx, cart, channel)), None, channel)


async def _draft(tx: Tx, channel: Channel, data: Repeat) -> Cart:
    cart = await new_cart(tx, channel, data.customer, label=data.label)
    until, kind = now() + STANDS, tx.actor.kind
    lines = [
        CartLine(
            id=new_id(),
            variant=line.variant,
            quantity=line.quantity,
            unit_price=line.unit_price,
            added_by=kind,
            changed_by=kind,
            price_until=until,
            plan=line.plan,
        )
        for line in data.lines
    ]
    cart = structs.replace(
        cart,
        lines=lines,
        email=data.email,
        name=data.name,
        phone=data.phone,
        address=data.address,
        delivery=data.delivery,
        delivery_method=data.delivery_method,
        location=data.location,
        vat_number=data.vat_number,
    )
    return await delivery_choice.with_method(tx, cart)
