"""What orders have in pools."""

from collections.abc import Sequence
from uuid import UUID

from samlad import customers
from samlad.channels import Resource
from samlad.channels.pooling import SHOWN, Finding, Level, Move, Pooling, examples, relabel
from samlad.customers import Spend
from samlad.customers.pooling import renaming
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Orders that appear among those of the others, or go."""
    total = await reader.value(
        "SELECT count(*) FROM orders WHERE channel = $1 AND pool = $2", move.channel, move.old
    )
    _, newest = await examples(
        reader,
        f"""SELECT number AS label, coalesce(name, email, '') AS here, status AS why, 0 AS total
            FROM orders WHERE channel = $1 AND pool = $2 ORDER BY placed_at DESC, id DESC LIMIT {SHOWN}""",
        move.channel,
        move.old,
    )
    still_open = await reader.value(
        """SELECT count(*) FROM orders WHERE channel = $1 AND pool = $2
           AND status IN ('placed', 'paid', 'partially_fulfilled')""",
        move.channel,
        move.old,
    )
    found = [
        Finding(
            code="orders",
            level=Level.INFO,
            text=marked("Orders that come along"),
            count=total,
            examples=newest,
            is_moved=True,
        )
    ]
    if still_open:
        found.append(
            Finding(
                code="orders-open",
                level=Level.INFO,
                text=marked("Of these, orders that are still to be handed over: they go on as they are"),
                count=still_open,
            )
        )
    return found


async def _sum_up(tx: Tx, people: Sequence[UUID]) -> None:
    """What these customers have ordered, summed anew rather than added to."""
    spends = await tx.all(
        Spend,
        """SELECT customer, currency, count(*) FILTER (WHERE kind = 'sale')::int AS orders, sum(total)::bigint AS spent,
                  max(placed_at) AS last_order_at
           FROM orders WHERE counted AND customer = ANY ($1::uuid[]) GROUP BY 1, 2""",
        list(people),
    )
    await customers.set_spend(tx, people, spends)


_STAYS = "how returns are taken is a rule of the pool; the channel follows that of the pool it is in"

POOLING = Pooling(
    order=70,
    moves={"orders": Resource.ORDERS},
    stays={"return_reason": _STAYS, "return_window": _STAYS},
    look={Resource.ORDERS: look},
    steps={
        Resource.ORDERS: [relabel("orders", since="t.channel = $3")],
        Resource.CUSTOMERS: [renaming("orders", after=_sum_up)],
    },
)
