"""What orders have in pools."""

from samlad.channels import Resource
from samlad.channels.pooling import SHOWN, Finding, Level, Move, Pooling, examples, relabel
from samlad.kernel.database import Reader
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


_STAYS = "how returns are taken is a rule of the pool; the channel follows that of the pool it is in"

POOLING = Pooling(
    order=70,
    moves={"orders": Resource.ORDERS},
    stays={"return_reason": _STAYS, "return_window": _STAYS},
    look={Resource.ORDERS: look},
    steps={Resource.ORDERS: [relabel("orders", since="t.channel = $3")]},
)
