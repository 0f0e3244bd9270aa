"""What is still to be paid of an order, with a provider that is asked first, as a till's terminal is: begun, looked at, let go.

The order stands in the place of a cart (`samlad.carts.paying`): payments are begun for its id, and `samlad.orders.pay` claims what was reserved.
"""

from uuid import UUID

import msgspec

from samlad import payments
from samlad.channels import Channel
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.orders.changes import lock_sale
from samlad.orders.model import WrongState
from samlad.payments import Attempt, Payment, PaymentStatus, StartInput

PATIENCE_SECONDS = 10.0
LIVE = (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)


async def begin(tx: Tx, order_id: UUID, data: StartInput, channel: Channel, location: UUID) -> Attempt:
    """Begin a payment for all that is still due of an order, or for ``data.amount`` of it, in a store (``channel``) at a ``location``. The
    provider is asked after the commit (`look`). One that was begun before and nobody has claimed is let go.

    Raises:
        WrongState: nothing is due, or it is cancelled. Those of `payments.begin`.
    """
    head, _ = await lock_sale(tx, order_id, None, at=location)
    due = head.total - head.called_off - sum(p.promised for p in await payments.of_order(tx, order_id))
    if due <= 0:
        raise WrongState("Nothing is due.", state=head.status)
    claimed = 0
    for each in await payments.begun(tx, order_id):
        if each.status in LIVE and each.order_id is None:
            await payments.leave_begun(tx, order_id, each.id)
        elif each.status in LIVE:
            claimed += each.amount  # the order has promised it already; it is no part of what is due
    amount = due if data.amount is None else data.amount
    wanted = msgspec.structs.replace(data, amount=amount, place=False)
    return payments.shown(await payments.begin(tx, order_id, channel, due + claimed, wanted))


async def look(database: Database, order_id: UUID, payment_id: UUID) -> Attempt:
    """How such a payment stands; its provider is asked if that is not settled. The caller has asked who may see the order.

    Raises:
        NotFound: it was not begun for this order.
    """
    payment = await _of_order(database, order_id, payment_id)
    if payment.status is PaymentStatus.PENDING and not payment.is_leaving:
        await payments.pursue_payment(database, payment_id, patience=PATIENCE_SECONDS)
        payment = await _of_order(database, order_id, payment_id)
    return payments.shown(payment)


async def leave(tx: Tx, order_id: UUID, payment_id: UUID, location: UUID) -> Attempt:
    """The customer does not pay so after all.

    Raises:
        NotFound: it was not begun for this order. NotClaimable: it has paid it.
    """
    await lock_sale(tx, order_id, None, at=location)
    return payments.shown(await payments.leave_begun(tx, order_id, payment_id))


async def _of_order(reader: Reader, order_id: UUID, payment_id: UUID) -> Payment:
    payment = await payments.read_payment(reader, payment_id)
    if payment is None or payment.cart != order_id:
        raise NotFound("No such payment was begun for this order.")
    return payment
