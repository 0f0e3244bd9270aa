"""What becomes of an order when its payments move by themselves: a capture that came in, a card that was let go, a
refund that failed. And the order that is placed for a customer who paid and whose browser never came back.

Payments stand below orders: what happens to them comes by the log.
"""

from uuid import UUID

import msgspec
import structlog

from samlad import payments
from samlad.carts import CartClosed
from samlad.kernel import log
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event
from samlad.kernel.problems import Problem
from samlad.orders import events, placement, rules, store, tip_store
from samlad.orders.model import AlreadyOrdered, OrderHead, OrderKind, OrderPayment, OrderStatus, PlaceOrder
from samlad.payments import Payment, PaymentInput

logger = structlog.get_logger("samlad.orders")

TYPES = (
    "payment.captured",
    "payment.voided",
    "payment.declined",
    "payment.refund_begun",
    "payment.refund_failed",
    "payment.dispute_closed",
)


async def settle(tx: Tx, event: Event) -> None:
    """Bring an order to what its payments say. Twice does no harm. What moved by a verb of the order is there already."""
    if event.payload.get("order") is not None and payments.comes_by_itself(event.payload["provider"]):
        await settle_order(tx, UUID(event.payload["order"]))


async def settle_order(tx: Tx, order_id: UUID) -> None:
    """Bring paid and refunded sums, payment status and status of a sale in line with its payments."""
    found = await store.lock(tx, order_id)
    if found is None or found[0].kind is not OrderKind.SALE:
        return
    head, lines = found
    known = await payments.of_order(tx, order_id)
    if head.status is not OrderStatus.CANCELLED:
        head, known = await return_surplus(tx, head, known)
    paid, refunded = sum(p.captured for p in known), sum(p.refunded for p in known)
    if paid >= head.total - head.called_off and any(
        p.status is payments.PaymentStatus.PENDING for p in known
    ):
        await payments.forget_rest(tx, order_id)
        known = await payments.of_order(tx, order_id)
    state = rules.payment_state(head.total - head.called_off, known)
    if (refunded or head.credited) and refunded + head.credited == paid:
        state = OrderPayment.REFUNDED
    values = {"payment_status": state, "paid": paid, "refunded": refunded, "called_off": head.called_off}
    if head.status is not OrderStatus.CANCELLED:
        values["status"] = rules.status_of(lines, state)
    elif state is not OrderPayment.REFUNDED:
        values.pop("payment_status")
    if all(getattr(found[0], name) == value for name, value in values.items()):
        return
    await store.update(tx, order_id, values)
    if state is OrderPayment.PAID and head.payment_status not in (OrderPayment.PAID, OrderPayment.REFUNDED):
        fact = events.OrderPaid(number=head.number, total=head.total, currency=head.currency)
        log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)


async def return_surplus(tx: Tx, head: OrderHead, known: list[Payment]) -> tuple[OrderHead, list[Payment]]:
    """Give back what came in for what was called off, or became cheaper, after it had been authorised.

    Answers the order and its payments as they are then; the caller, who holds the order, writes its ``called_off``.
    """
    kept = sum(p.captured for p in known) - sum(p.refunded for p in known) - head.credited
    over = kept - (head.total - head.called_off)
    if over > 0:
        over -= await tip_store.kept(tx, head.id)  # what is the staff's is no surplus
        over = min(over, sum(p.refundable for p in known))  # what their bank takes back goes back by itself
    if over <= 0:
        return head, known
    await payments.refund(tx, head.id, over, channel=head.channel, reason="")
    head = msgspec.structs.replace(head, called_off=max(0, head.called_off - over))
    return head, await payments.of_order(tx, head.id)


async def let_go_of_rest(tx: Tx, head: OrderHead) -> None:
    """What is still expected for a sale that is paid by now (an invoice for goods that came back after all)."""
    known = await payments.of_order(tx, head.id)
    if sum(payment.captured for payment in known) >= head.total - head.called_off:
        await payments.void(tx, head.id, channel=head.channel)


async def place_begun(tx: Tx, event: Event) -> None:
    """Place the order for which a payment was begun, if its browser has not. What cannot be placed is let go.

    In a transaction of its own, so that a refusal leaves nothing; the follower's has locked nothing yet (``batch=1``).
    """
    payment_id = UUID(event.payload["payment"])
    payment = await payments.to_place(tx, payment_id)
    if payment is None or payment.cart is None:
        return
    try:
        await tx.database.transaction(
            lambda inner: _place_for(inner, payment), Context(actor=SYSTEM, channel=payment.channel)
        )
    except (AlreadyOrdered, CartClosed):
        return  # its browser was quicker; what it did not claim is let go in time
    except Problem as problem:
        logger.warning("a paid cart could not be ordered", payment=str(payment_id), problem=problem.code)
        await payments.leave_all(tx, payment.cart)


async def _place_for(tx: Tx, payment: Payment) -> None:
    assert payment.cart is not None
    others = [
        each
        for each in await payments.begun(tx, payment.cart)
        if each.status in ("authorized", "captured") and each.order_id is None
    ]
    wanted = [PaymentInput(provider=each.provider, payment=each.id) for each in others]
    await placement.place(tx, PlaceOrder(cart=payment.cart, payments=wanted))


FOLLOWERS = [
    Follower(name="order-payments", handle=settle, types=TYPES, batch=50),
    Follower(name="paid-carts", handle=place_begun, types=("payment.order_wanted",), batch=1),
]
