"""Payments before there is an order: begun for a cart, claimed by the order that is placed, else let go.

The verbs take a transaction and ask nobody outside: they write what is wished, `samlad.payments.pursuit` asks for it
after the commit. Who may begin a payment for a cart is decided by whoever knows carts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from samlad.channels import Channel
from samlad.kernel import cards
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound
from samlad.payments import accounts, card_terminals, held, kept, operations, store, terminal
from samlad.payments.model import (
    Action,
    Attempt,
    NotClaimable,
    OperationKind,
    Payment,
    PaymentInput,
    PaymentPending,
    PaymentStatus,
    StartInput,
)
from samlad.payments.providers import beginnable, is_kept, is_network, keeps, provider, registered
from samlad.payments.pursuit import give_back
from samlad.payments.telling import tell

LIFE = timedelta(minutes=30)
"""A payment that no order claims in this time is let go; a checkout that holds its goods longer has as long."""
MOST_ATTEMPTS = 20
"""Payments that can be begun for one cart: whoever tries more is trying out cards."""
LIVE = (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)


async def begin(
    tx: Tx,
    cart: UUID,
    channel: Channel,
    total: int,
    data: StartInput,
    *,
    until: datetime | None = None,
    key: UUID | None = None,
) -> Payment:
    """Begin a payment for a cart whose row the caller has locked; a provider on the network is asked after the commit,
    a gift card, store credit or points are held at once.

    ``total`` is what the cart comes to, minor units; ``until`` how long its goods are held; ``key`` the payment's id, where
    whoever begins it has named it.

    Raises:
        InvalidInput: the channel does not offer this provider, or more would be paid than the cart comes to.
        CardNumber: the token looks like a card number.
        PaymentDeclined: a gift card, credit or points cannot pay that.
        Conflict: too many were begun. TerminalBusy: the card terminal waits for another card.
    """
    cards.refuse(data)
    through = beginnable(data.provider)
    accounts.check_offered(channel, through)
    if through.staff_only and tx.actor.kind in ("guest", "customer"):
        raise Forbidden(f"Only staff can take a payment by {through.name}.")
    token = data.token
    if token is not None and token.startswith(kept.KEPT):
        token = await kept.token_for(tx, through.name, token)
    elif is_kept(through, token) and tx.actor.kind in ("guest", "customer"):
        raise Forbidden("Only the shop can charge by what a provider keeps.")
    is_to_keep = data.keep and keeps(through)
    if is_to_keep and tx.actor.kind != "customer":
        raise Forbidden("Only a customer who is signed in can have a card kept.")
    known = await operations.lock_of_cart(tx, cart)
    if len(known) >= MOST_ATTEMPTS:
        raise Conflict("Too many payments were begun for this cart; take a new cart.")
    left = total - sum(each.amount for each in known if each.status in LIVE and not each.is_leaving)
    amount = left if data.amount is None else data.amount
    if amount <= 0 or amount > left:
        raise InvalidInput.at(
            "amount",
            f"{max(left, 0)} is left to pay; let go of another payment of this cart to pay more here",
        )
    payment = Payment(
        id=key or new_id(),
        order_id=None,
        provider=through.name,
        currency=channel.currency,
        amount=amount,
        status=PaymentStatus.PENDING,
        cart=cart,
        channel=channel.id,
        places=data.place,
        expires_at=max(filter(None, (now() + LIFE, until))),
        customer=tx.actor.id if tx.actor.kind == "customer" else None,
        keeps=is_to_keep,
        terminal=await _terminal(tx, through.name, channel, data),
    )
    if held.can_hold(through):
        return await held.begin(tx, through, payment, channel, data.token)
    await operations.begin(tx, payment, token=token)
    tell(tx, payment)
    return payment


async def _terminal(tx: Tx, name: str, channel: Channel, data: StartInput) -> UUID | None:
    if name == terminal.NAME:
        return await card_terminals.choose(tx, channel, data.terminal)
    if data.terminal is not None:
        raise InvalidInput.at("terminal", "only a payment by terminal has one")
    return None


async def claim(
    tx: Tx, order: UUID, cart: UUID, inputs: Sequence[PaymentInput], channel: Channel
) -> dict[UUID, Payment]:
    """Make an order's what its inputs name of payments that were begun for its cart; what is held of gift cards, credit
    and points is taken. One statement and one for each of those, none without.

    Raises:
        PaymentPending: a provider has not answered yet. NotClaimable: it is another's, used, declined or let go.
    """
    wanted = [given.payment for given in inputs if given.payment is not None]
    if not wanted:
        return {}
    captured = [name for name, each in registered().items() if is_network(each)]
    if channel.setting("payment_capture") != "placed":
        captured = []
    claimed = {each.id: each for each in await operations.claim(tx, order, cart, wanted, captured)}
    for index, given in enumerate(inputs):
        if given.payment is not None and given.payment not in claimed:
            await _refuse_claim(tx, cart, given.payment, index)
    for payment in claimed.values():
        if payment.currency != channel.currency:
            raise NotClaimable(f"It is in {payment.currency}, the cart in {channel.currency}.")
    return {key: await held.take(tx, payment) for key, payment in claimed.items()}


async def claim_sold(tx: Tx, order: UUID, ticket: UUID, wanted: Sequence[UUID]) -> dict[UUID, Payment]:
    """Make the order of a sale that has happened what is reserved for its till's ticket, and have it captured: the goods have left.
    What is not reserved (any more) is left out. One statement, none without."""
    if not wanted:
        return {}
    captured = [name for name, each in registered().items() if is_network(each)]
    return {each.id: each for each in await operations.claim(tx, order, ticket, wanted, captured)}


async def _refuse_claim(tx: Tx, cart: UUID, payment_id: UUID, index: int) -> None:
    payment = await store.read(tx, payment_id)
    if payment is None or payment.cart != cart:
        raise InvalidInput.at(f"payments/{index}/payment", "no such payment was begun for this cart")
    if payment.status is PaymentStatus.PENDING and payment.order_id is None and not payment.is_leaving:
        raise PaymentPending(
            "Whether the money is reserved is not known yet. Ask for the payment's status, then order again.",
            payment=str(payment_id),
        )
    state = "being let go" if payment.is_leaving else payment.status
    raise NotClaimable(
        f"It is {state}{' and pays another order' if payment.order_id else ''}.",
        payment=str(payment_id),
        reason=payment.reason,
    )


async def leave(tx: Tx, payment: Payment, reason: str = "") -> Payment:
    """Let go of a payment that the caller has locked: nobody can claim it, its provider is told, what came in goes back.

    Nothing happens twice; what a provider captured in this very moment goes back when it says so.
    """
    is_paid = payment.status is PaymentStatus.CAPTURED and payment.order_id is not None  # that is a refund
    if payment.is_leaving or payment.status not in LIVE or is_paid:
        return payment
    if not is_network(provider(payment.provider)):
        return await held.let_go(tx, payment)
    payment = msgspec.structs.replace(payment, is_leaving=True)
    await store.change(tx, payment)
    withdrawn = await operations.withdraw(tx, payment.id)
    if payment.captured:
        if payment.refundable:
            await give_back(tx, payment, payment.refundable, reason or "No order was placed")
    elif OperationKind.AUTHORIZE in withdrawn:  # nobody has heard of it
        payment = msgspec.structs.replace(payment, status=PaymentStatus.VOIDED)
        await store.change(tx, payment)
        tell(tx, payment)
    else:
        await operations.wish(tx, payment.id, OperationKind.VOID, payment.amount)
    return payment


async def leave_begun(tx: Tx, cart: UUID, payment_id: UUID) -> Payment:
    """The customer does not want to pay this way after all.

    Raises:
        NotFound: no such payment was begun for this cart. NotClaimable: an order has claimed it.
    """
    payment = await store.lock(tx, payment_id)
    if payment is None or payment.cart != cart:
        raise NotFound("No such payment was begun for this cart.")
    if payment.order_id is not None:
        raise NotClaimable("It pays an order already; cancel that.", order=str(payment.order_id))
    return await leave(tx, payment, "The customer chose another way to pay")


async def leave_all(tx: Tx, cart: UUID) -> None:
    """Nothing of what was begun for a cart becomes an order: all that no order has claimed is let go."""
    for payment in await operations.lock_of_cart(tx, cart):
        if payment.order_id is None:
            await leave(tx, payment)


async def expire(tx: Tx, limit: int = 50) -> int:
    """Let go of what nobody claimed in time, at most so many; how many."""
    found = await operations.expired(tx, limit)
    for payment in found:
        await leave(tx, payment)
    return len(found)


async def begun(reader: Reader, cart: UUID) -> list[Attempt]:
    """The payments that were begun for a cart, earliest first, as far as is known here."""
    return [shown(payment) for payment in await operations.of_cart(reader, cart)]


def shown(payment: Payment, action: Action | None = None) -> Attempt:
    """A payment as its customer may see it."""
    return Attempt(
        id=payment.id,
        provider=payment.provider,
        amount=payment.amount,
        currency=payment.currency,
        status=PaymentStatus.VOIDED if payment.is_leaving else payment.status,
        order_id=payment.order_id,
        reason=payment.reason,
        reference=payment.reference,
        expires_at=payment.expires_at,
        action=action,
        terminal=payment.terminal,
    )


def is_begun_first(name: str) -> bool:
    """Whether payments with this provider are begun for the cart before the order is placed."""
    return is_network(provider(name))
