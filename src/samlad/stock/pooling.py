"""What stock has in pools: locations. Levels, holds and the ledger hang on them and go where they go."""

from samlad.channels import Resource
from samlad.channels.pooling import SHOWN, Finding, Level, Look, Move, Pooling, examples, relabel
from samlad.kernel.database import Reader
from samlad.kernel.i18n import marked

_WHOSE = """($2 = 'join' OR p.channel = $3 OR EXISTS (SELECT FROM pool_move_row j
             WHERE j.move = $4 AND j.subject = 'location' AND j.row = p.id))"""


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Locations that come along, goods that both have, and holds that stay as they are."""
    whose = (move.old, str(move.kind), move.channel, move.joined)
    count, places = await examples(
        reader,
        f"""SELECT p.name AS label, p.code AS here, count(*) OVER () AS total,
                   (SELECT coalesce(sum(on_hand), 0) FROM level l WHERE l.location = p.id) || ' units' AS why
            FROM location p WHERE p.pool = $1 AND {_WHOSE} ORDER BY p.code LIMIT {SHOWN}""",
        *whose,
    )
    both, goods = await examples(
        reader,
        f"""
        WITH ours AS (SELECT l.variant, sum(l.on_hand - l.held) AS free FROM level l JOIN location p ON p.id = l.location
                      WHERE p.pool = $1 AND {_WHOSE} AND l.on_hand > 0 GROUP BY 1),
             theirs AS (SELECT l.variant, sum(l.on_hand - l.held) AS free
                        FROM level l JOIN location p ON p.id = l.location
                        WHERE l.on_hand > 0 AND NOT (p.pool = $1 AND {_WHOSE}) AND p.pool = $5 GROUP BY 1)
        SELECT v.sku AS label, ours.free AS here, theirs.free AS there, count(*) OVER () AS total
        FROM ours JOIN theirs USING (variant) JOIN variant v ON v.id = variant ORDER BY v.sku LIMIT {SHOWN}
        """,
        *whose,
        move.shared,
    )
    held = await reader.value(
        f"""SELECT count(*) FROM hold h JOIN location p ON p.id = h.location WHERE p.pool = $1 AND {_WHOSE}""",
        *whose,
    )
    found = [
        Finding(
            code="stock-locations",
            level=Level.INFO,
            text=marked("Locations that come along with what lies there"),
            count=count,
            examples=places,
            is_moved=True,
        ),
        Finding(
            code="stock-both",
            level=Level.INFO,
            text=marked("Goods that both have: what is free is one sum in a shared pool"),
            count=both,
            examples=goods,
        ),
        Finding(
            code="stock-holds",
            level=Level.INFO,
            text=marked("Holds of carts and orders that stay where they are"),
            count=held,
        ),
    ]
    return [each for each in found if each.count or each.is_moved]


_LOOK: dict[Resource, Look] = {Resource.STOCK: look}

POOLING = Pooling(
    order=20,
    moves={"location": Resource.STOCK},
    look=_LOOK,
    steps={
        # Few rows, and who asks for goods meanwhile must find them: in one transaction with the switch.
        Resource.STOCK: [relabel("location", since="t.channel = $3", with_switch=True)],
    },
)
