"""What follows from orders: their invoices and credit notes. An event only says which order to look at."""

from samlad.documents import issuing
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event

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


async def follow(tx: Tx, event: Event) -> None:
    """Bring the documents of an order in line with it. Twice, late or out of order it does no harm."""
    if event.subject is not None:
        await issuing.settle(tx, event.subject, is_claim=event.type == CLAIMED)


# One event a transaction: an order is locked before the series of numbers, never after it.
FOLLOWERS = [Follower(name="documents", handle=follow, types=TYPES, batch=1)]
