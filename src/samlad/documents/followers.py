"""What follows from orders: their invoices and credit notes. An event only says which order to look at."""

from uuid import UUID

from samlad.documents import issuing
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event
from samlad.orders import store as order_store

CLAIMED = "return.charged"
"""Goods that were exchanged before they were back never came: the customer gets an invoice, whatever the channel says."""
TYPES = (
    "order.placed",
    "order.paid",
    "order.fulfilled",
    "order.returned",
    "order.cancelled",
    "order.part_called_off",
    "order.changed",
    "fulfilment.substituted",
    CLAIMED,
)
MONEY = (
    "payment.captured",
    "payment.refund_begun",
    "payment.refunded",
    "payment.refund_failed",
    "payment.paid_otherwise",
)
"""They matter to orders with a deposit alone: what came in of one is invoiced when it comes in."""


async def follow(tx: Tx, event: Event) -> None:
    """Bring the documents of an order in line with it. Twice, late or out of order it does no harm."""
    if event.type in MONEY:
        order = event.payload.get("order")
        head = None if order is None else await order_store.head(tx, UUID(order))
        if head is not None and head.deposit is not None:
            await issuing.settle(tx, head.id)
        return
    if event.subject is not None:
        await issuing.settle(tx, event.subject, is_claim=event.type == CLAIMED)


# One event a transaction: an order is locked before the series of numbers, never after it.
FOLLOWERS = [Follower(name="documents", handle=follow, types=(*TYPES, *MONEY), batch=1)]
