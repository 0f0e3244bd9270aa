"""Paying for a cart before it is ordered, with providers on the network: begun, looked at, let go.

The first step of placing an order (docs/decisions/payments.md): the customer waits for the provider here, and no lock
does. The checkout holds the goods meanwhile.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from samlad import channels, delivery, payments
from samlad.carts import store
from samlad.carts.access import access_of
from samlad.carts.cart_view import compose
from samlad.carts.delivery_choice import with_method
from samlad.carts.model import Cart, CartClosed, CartStatus, Delivery
from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.payments import Attempt, Payment, StartInput

PATIENCE_SECONDS = 10.0
"""So long a customer waits for a provider; then they are told that it takes longer, and it is asked again."""


async def begin(
    tx: Tx, cart_id: UUID, data: StartInput, *, token: str | None = None, version: int | None = None
) -> Attempt:
    """Begin a payment for a cart. Nobody is asked yet: `look` does after the commit.

    Raises:
        NotFound: no such cart, or it is not this actor's. CartClosed: it was ordered or given up.
        SlotFull, SlotPast: it cannot be brought in the slot that was chosen.
        InvalidInput, CardNumber, Conflict: see `samlad.payments.attempts.begin`.
    """
    cart = await store.hold(tx, cart_id, access_of(tx.actor, token))
    if cart is None:
        raise NotFound("There is no such cart, or its token is not the right one.")
    if cart.status in (CartStatus.ORDERED, CartStatus.ABANDONED):
        raise CartClosed(f"It is {cart.status}.", order=None if cart.order_id is None else str(cart.order_id))
    check_version(version, cart.version)
    channel = await channels.cached(tx, cart.channel)
    if data.tip and (
        not channel.setting("tips")
        or data.place
        or cart.delivery is not Delivery.CARRY_OUT
        or tx.actor.kind != "staff"
    ):
        raise InvalidInput.at("tip", "only a sale at a till that takes tips has one")
    await _hold_slot(tx, cart, channel)
    filled = msgspec.structs.replace(cart, lines=await store.lines_of(tx, cart_id))
    total = (await compose(tx, filled, channel)).totals.total
    return payments.shown(
        await payments.begin(tx, cart_id, channel, total + data.tip, data, until=cart.checkout_until)
    )


async def _hold_slot(tx: Tx, cart: Cart, channel: Channel) -> None:
    """Keep the slot in which it is to be brought, as the checkout keeps the goods: a card is confirmed for minutes."""
    if cart.promise is None or cart.promise.slot is None:
        return
    cart = await with_method(tx, cart)
    if cart.method is not None and cart.method.slots and cart.location is not None:
        until = cart.checkout_until or now() + timedelta(seconds=channel.setting("checkout_hold_seconds"))
        await delivery.hold_slot(tx, cart.id, cart.method, cart.location, cart.promised, until)


async def look(
    database: Database, actor: Actor, cart_id: UUID, payment_id: UUID, *, token: str | None = None
) -> Attempt:
    """How a payment that was begun for a cart stands; its provider is asked if that is not settled.

    Raises:
        NotFound: no such cart or payment, or it is not this actor's.
    """
    await check_access(database, actor, cart_id, token)
    await _of_cart(database, cart_id, payment_id)
    action = await payments.pursue_payment(database, payment_id, patience=PATIENCE_SECONDS)
    payment = await _of_cart(database, cart_id, payment_id)
    if action is None:
        action = await payments.action_of(database, payment, patience=PATIENCE_SECONDS)
    return payments.shown(payment, action if payment.status == "pending" else None)


async def settle_begun(database: Database, wanted: list[UUID]) -> None:
    """Ask about payments of which it is not known whether they are authorised, so that an order can claim them."""
    for payment_id in wanted:
        payment = await payments.read_payment(database, payment_id)
        if payment is not None and payment.order_id is None and payment.status == "pending":
            await payments.pursue_payment(database, payment_id, patience=PATIENCE_SECONDS)


async def let_go(tx: Tx, cart_id: UUID, payment_id: UUID, *, token: str | None = None) -> Attempt:
    """The customer does not want to pay this way after all; what was reserved is free again.

    Raises:
        NotFound: no such cart or payment. NotClaimable: an order has claimed it.
    """
    await check_access(tx, tx.actor, cart_id, token)
    return payments.shown(await payments.leave_begun(tx, cart_id, payment_id))


async def check_access(reader: Reader, actor: Actor, cart_id: UUID, token: str | None) -> None:
    """Raises NotFound unless this actor with this token may open the cart."""
    if await store.read(reader, cart_id, access_of(actor, token)) is None:
        raise NotFound("There is no such cart, or its token is not the right one.")


async def _of_cart(reader: Reader, cart_id: UUID, payment_id: UUID) -> Payment:
    payment = await payments.read_payment(reader, payment_id)
    if payment is None or payment.cart != cart_id:
        raise NotFound("No such payment was begun for this cart.")
    return payment
