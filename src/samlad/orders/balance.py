"""What is still to be paid of an order, paid by its customer while they are away from any till.

Payments are begun for the order's own id, as they are for a cart. As soon as money is reserved it pays the order, whoever sees
that first: the customer's browser, or the log when the browser is gone (`on_payment`). Money that finds nothing left to pay
(somebody paid at a till meanwhile, it was cancelled) is let go. What a terminal at a till reserves is taken by the page of that
till alone, which knows in whose drawer's report it belongs.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
import structlog

from samlad import channels, payments
from samlad.channels import Channel
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event
from samlad.kernel.problems import NotFound, Problem
from samlad.orders import changes, store
from samlad.orders.model import Order, OrderHead, OrderKind, OrderStatus, PayInput, WrongState
from samlad.payments import (
    Attempt,
    NotClaimable,
    Payment,
    PaymentInput,
    PaymentPending,
    PaymentStatus,
    StartInput,
)

PATIENCE_SECONDS = 10.0
"""So long a customer waits for a provider; then they are told that it takes longer, and it is asked again."""
RESERVED = (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)
_LIVE = (PaymentStatus.PENDING, *RESERVED)
AT_TILL = "terminal"
"""The provider whose payments are begun and taken at a till."""

logger = structlog.get_logger("samlad.orders")


def due_of(order: OrderHead, known: Sequence[Payment]) -> int:
    """What is still to be paid of a sale and nothing promises yet (minor units); 0 of what is cancelled or no sale of ours."""
    if (
        order.kind is not OrderKind.SALE
        or (order.status is OrderStatus.CANCELLED and not order.is_empty)
        or order.imported is not None
    ):
        return 0
    return max(0, order.total - order.called_off - sum(payment.promised for payment in known))


async def begin_payments(
    tx: Tx, order_id: UUID, wanted: Sequence[StartInput], *, offered_by: Channel | None = None
) -> list[Payment]:
    """Begin payments for what is due of an order; those on the network are asked after the commit (`look`).

    One that is under way and the same as the only one wanted is gone on with; others that are are let go. Who may see the
    order is the caller's to know. ``offered_by``: whose ways to pay they are, if not those of the order's channel.

    Raises:
        NotFound: there is no such order. WrongState: nothing is due. Those of `payments.begin`.
    """
    found = await store.lock(tx, order_id)
    if found is None:
        raise NotFound("There is no such order.")
    due = due_of(found[0], await payments.of_order(tx, order_id))
    if due == 0:
        raise WrongState("Nothing is due.", state=found[0].status)
    channel = offered_by or await channels.cached(tx, found[0].channel)
    known = await payments.begun(tx, order_id)
    for each in known:
        if each.status is not PaymentStatus.PENDING or each.order_id is not None:
            continue
        if len(wanted) == 1 and _is_same(each, wanted[0], due):
            payment = await payments.read_payment(tx, each.id)
            assert payment is not None
            return [payment]
        await payments.leave_begun(tx, order_id, each.id)
    before = sum(each.amount for each in known if each.order_id is not None and each.status in _LIVE)
    # There is no cart to place, so nobody else looks after them.
    plain = [msgspec.structs.replace(one, place=False) for one in wanted]
    return [await payments.begin(tx, order_id, channel, before + due, each) for each in plain]


def _is_same(begun: Attempt, wanted: StartInput, due: int) -> bool:
    is_plain = wanted.token is None and not wanted.keep and wanted.terminal in (None, begun.terminal)
    return is_plain and begun.provider == wanted.provider and begun.amount == (wanted.amount or due)


async def leave(tx: Tx, order_id: UUID, payment_id: UUID) -> None:
    """They do not want to pay this way after all.

    Raises:
        NotFound: it was not begun for this order. NotClaimable: it pays it already.
    """
    await payments.leave_begun(tx, order_id, payment_id)


async def look(database: Database, order_id: UUID, payment_id: UUID) -> Attempt:
    """How a payment that was begun for an order stands; its provider is asked if that is not settled.

    Raises:
        NotFound: it was not begun for this one.
    """
    await _of_order(database, order_id, payment_id)
    action = await payments.pursue_payment(database, payment_id, patience=PATIENCE_SECONDS)
    payment = await _of_order(database, order_id, payment_id)
    if action is None:
        action = await payments.action_of(database, payment, patience=PATIENCE_SECONDS)
    return payments.shown(payment, action if payment.status is PaymentStatus.PENDING else None)


async def _of_order(database: Database, order_id: UUID, payment_id: UUID) -> Payment:
    payment = await payments.read_payment(database, payment_id)
    if payment is None or payment.cart != order_id:
        raise NotFound("No such payment was begun for this order.")
    return payment


def ready(begun: Sequence[Attempt]) -> list[Attempt]:
    """Those whose money waits to pay the order, but for what a till has in hand."""
    return [
        each
        for each in begun
        if each.order_id is None and each.status in RESERVED and each.provider != AT_TILL
    ]


async def complete(
    tx: Tx, order_id: UUID, more: Sequence[PaymentInput] = (), *, offered_by: Channel | None = None
) -> Order | None:
    """Pay an order with what is reserved for it, and with ``more`` that is paid now; None if that is nothing.

    ``more`` pay all that is left then; what is reserved may be a part. ``offered_by`` as for `begin_payments`.

    Raises:
        WrongState: nothing is due any more. PaymentDeclined, PaymentPending, NotClaimable: it is not paid.
        Those of `changes.pay`.
    """
    found = await store.lock(tx, order_id)
    if found is None:
        raise NotFound("There is no such order.")
    kept = ready(await payments.begun(tx, order_id))
    if not kept and not more:
        return None
    due = due_of(found[0], await payments.of_order(tx, order_id))
    paid = [PaymentInput(provider=each.provider, payment=each.id, amount=each.amount) for each in kept]
    is_part = not more and sum(each.amount for each in kept) < due
    data = PayInput(payments=[*paid, *more], is_part=is_part)
    return await changes.pay(tx, order_id, data, offered_by=offered_by)


async def let_go(tx: Tx, order_id: UUID) -> None:
    """Nothing is left to pay: what was begun for the order and has not paid it is free again."""
    for each in await payments.begun(tx, order_id):
        if each.order_id is None and each.provider != AT_TILL:
            await payments.leave_begun(tx, order_id, each.id)


async def on_payment(tx: Tx, event: Event) -> None:
    """The follower: money is reserved for an order, and its browser may be gone. Twice does no harm.

    In a transaction of its own, so that a refusal leaves nothing; the follower's has locked nothing yet (``batch=1``).
    """
    begun_for, provider = event.payload.get("cart"), event.payload["provider"]
    if begun_for is None or event.payload.get("order") is not None or provider == AT_TILL:
        return
    if not payments.is_network(payments.provider(provider)):
        return  # a gift card is only held until the provider on the network has said yes to the rest
    order = UUID(begun_for)
    if await store.head(tx, order) is None:
        return  # a cart, an exchange, or a return that is charged
    try:
        await tx.database.transaction(
            lambda inner: complete(inner, order), Context(actor=SYSTEM, channel=event.channel)
        )
    except (PaymentPending, NotClaimable):
        return  # it moved in this very moment, and says so itself
    except Problem as problem:
        logger.warning("money for an order found nothing to pay", order=str(order), problem=problem.code)
        await let_go(tx, order)


FOLLOWERS = [
    Follower(
        name="paid-balances",
        handle=on_payment,
        types=("payment.authorized", "payment.captured"),
        batch=1,
    )
]
