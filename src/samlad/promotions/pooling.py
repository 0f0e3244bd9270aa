"""What promotions have in pools. They do not move yet: limits and codes of two pools would have to become one."""

from samlad.channels import Resource
from samlad.channels.pooling import SHOWN, Finding, Level, Move, Pooling, examples
from samlad.kernel.database import Reader
from samlad.kernel.i18n import marked


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Promotions that would be left behind: a channel moves without any."""
    count, names = await examples(
        reader,
        f"""SELECT name AS label, status AS why, count(*) OVER () AS total FROM promotion
            WHERE pool = $1 AND status <> 'ended' AND ($2 = 'join' OR $3 = ANY (channels)) ORDER BY id LIMIT {SHOWN}""",
        move.old,
        str(move.kind),
        move.channel,
    )
    if not count:
        return []
    return [
        Finding(
            code="promotions-live",
            level=Level.BLOCKING,
            text=marked("Promotions that are not over: they cannot come along yet"),
            advice=marked("End them, or wait until they are over; then the channel can move."),
            count=count,
            examples=names,
        )
    ]


_STAYS = "ended promotions stay as the history of the pool"

POOLING = Pooling(
    order=60,
    stays={"promotion": _STAYS, "promotion_code": _STAYS},
    look={Resource.PROMOTIONS: look},
)
