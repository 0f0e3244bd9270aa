"""What subscriptions have in pools: themselves, with the orders that they make."""

from samlad.channels import Resource
from samlad.channels.pooling import Finding, Level, Move, Pooling, relabel
from samlad.customers.pooling import renaming
from samlad.kernel.database import Reader
from samlad.kernel.i18n import marked


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Subscriptions that come along."""
    count = await reader.value(
        "SELECT count(*) FROM subscription WHERE channel = $1 AND pool = $2", move.channel, move.old
    )
    text = marked("Subscriptions that come along")
    found = Finding(code="subscriptions", level=Level.INFO, text=text, count=count, is_moved=True)
    return [found] if count else []


POOLING = Pooling(
    order=80,
    moves={"subscription": Resource.ORDERS},
    look={Resource.ORDERS: look},
    steps={
        Resource.ORDERS: [relabel("subscription", since="t.channel = $3")],
        Resource.CUSTOMERS: [renaming("subscription")],
    },
)
