"""What is bought together follows the log."""

from uuid import UUID

from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event
from samlad.recommendations import store


async def follow(tx: Tx, event: Event) -> None:
    """Count an order's pairs, or take them out again. An order is in or it is not, so a replay changes nothing."""
    if event.type == "order.imported":
        await store.add(tx, [UUID(each) for each in event.payload["orders"]])
    elif event.subject is not None:
        if event.type == "order.cancelled":
            await store.remove(tx, event.subject)
        else:
            await store.add(tx, [event.subject])


FOLLOWERS = [
    Follower(
        name="bought-together",
        handle=follow,
        types=("order.placed", "order.cancelled", "order.imported"),
        batch=100,
    )
]
