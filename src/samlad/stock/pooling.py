"""What stock has in pools: locations. Levels, holds and the ledger hang on them and go where they go."""

from uuid import UUID

import msgspec

from samlad.catalog.pooling import WHY
from samlad.catalog.twins import IS_SAME, counterparts, repointing, to_pair
from samlad.channels import Resource
from samlad.channels.pooling import (
    SHOWN,
    Example,
    Finding,
    Level,
    Look,
    Move,
    MoveKind,
    Pooling,
    Step,
    Turn,
    examples,
    relabel,
)
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked
from samlad.stock import lots_pooling

_WHOSE = """($2 = 'join' OR p.channel = $3 OR EXISTS (SELECT FROM pool_move_row j
             WHERE j.move = $4 AND j.subject = 'location' AND j.row = p.id))"""


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Locations that come along, goods that both have, and holds that stay as they are."""
    whose = (move.old, str(move.kind), move.channel, move.joined)
    count, places = await examples(
        reader,
        f"""SELECT p.name AS label, p.code AS here, count(*) OVER () AS total,
                   (SELECT coalesce(sum(on_hand), 0) FROM level l WHERE l.location = p.id)::bigint AS units
            FROM location p WHERE p.pool = $1 AND {_WHOSE} ORDER BY p.code LIMIT {SHOWN}""",
        *whose,
    )
    both, goods = await _in_both(reader, move, IS_SAME, "''")
    against, contrary = await _in_both(reader, move, "state = 'contrary'", WHY) if move.goods else (0, [])
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
            text=marked("Goods that both have: what is free is one sum in a shared pool")
            if move.kind is MoveKind.JOIN
            else marked("Goods that lie at places of both: each side has its own sum again"),
            count=both,
            examples=goods,
        ),
        Finding(
            code="stock-contrary",
            level=Level.WARNING,
            text=marked(
                "Goods that lie in both, but contradict each other: whether they are one sum is not said yet"
            ),
            advice=marked("Say in the work list whether each is the same, is another, or is left out."),
            count=against,
            examples=contrary,
        ),
        Finding(
            code="stock-holds",
            level=Level.INFO,
            text=marked("Holds of carts and orders that stay where they are"),
            count=held,
        ),
    ]
    lots = [] if move.goods is None else await _lots_of_goods(reader, move, *move.goods)
    return [*(each for each in found if each.count or each.is_moved), *lots]


async def _in_both(reader: Reader, move: Move, pairs: str, why: str) -> tuple[int, list[Example]]:
    """Goods that lie at places of both, with what is free of them. While goods are apart these are pairs that ``pairs`` chooses."""
    return await examples(
        reader,
        f"""
        WITH pair AS MATERIALIZED (
            SELECT variant, twin, {why} AS why FROM catalogue_pairs($6, $7) WHERE twin IS NOT NULL AND {pairs}
        ), ours AS (
            SELECT l.variant, sum(l.on_hand - l.held) AS free FROM level l JOIN location p ON p.id = l.location
            WHERE p.pool = $1 AND {_WHOSE} AND l.on_hand > 0 GROUP BY 1
        ), theirs AS (
            SELECT l.variant, sum(l.on_hand - l.held) AS free FROM level l JOIN location p ON p.id = l.location
            WHERE l.on_hand > 0 AND NOT (p.pool = $1 AND {_WHOSE}) AND p.pool = $5 GROUP BY 1
        )
        SELECT v.sku AS label, ours.free AS here, theirs.free AS there, coalesce(pair.why, '') AS why, count(*) OVER () AS total
        FROM ours LEFT JOIN pair USING (variant) JOIN theirs ON theirs.variant = coalesce(pair.twin, ours.variant)
             JOIN variant v ON v.id = ours.variant
        ORDER BY v.sku LIMIT {SHOWN}
        """,
        move.old,
        str(move.kind),
        move.channel,
        move.joined,
        move.shared,
        *to_pair(move),
    )


async def _lots_of_goods(reader: Reader, move: Move, home: UUID, shared: UUID) -> list[Finding]:
    """What lots of both would be when the catalogue has joined."""
    return await lots_pooling.look(reader, msgspec.structs.replace(move, home=home, shared=shared))


async def look_at_goods(reader: Reader, move: Move) -> list[Finding]:
    """What of stock stands in the way when the catalogue moves: units of the one that are promised by the other."""
    crossed = f"""SELECT v.sku AS label, p.name AS here, c.name AS there, count(*) OVER () AS total
            FROM hold h JOIN location p ON p.id = h.location JOIN variant v ON v.id = h.variant JOIN channel c ON c.id = h.channel
            WHERE h.kind = 'order' AND v.pool = ANY ($2::uuid[])
              AND (c.id = $1) <> EXISTS (SELECT FROM channel_pool u WHERE u.channel = $1 AND u.resource = 'stock'
                                         AND u.pool = p.pool)
            ORDER BY v.sku LIMIT {SHOWN}"""
    away = await examples(reader, crossed, move.channel, [move.home, move.shared])
    shared = await examples(
        reader,
        f"""SELECT c.name AS label, count(*) OVER () AS total FROM channel_pool a
            JOIN channel_pool b ON b.resource = a.resource AND b.pool = a.pool AND b.channel <> a.channel
            JOIN channel c ON c.id = b.channel
            WHERE a.channel = $1 AND a.resource = 'stock' AND $2 = 'join' ORDER BY c.code LIMIT {SHOWN}""",
        move.channel,
        str(move.kind),
    )
    found = [
        Finding(
            code="stock-crossed",
            level=Level.BLOCKING,
            text=marked("Orders that are to be sent from a place of the others"),
            advice=marked("Hand them over first, or let their own channel's place send them."),
            count=away[0],
            examples=away[1],
        ),
        Finding(
            code="stock-shared",
            level=Level.BLOCKING,
            text=marked("Channels that share stock with this one, but not its goods"),
            advice=marked("Let the channel leave the pool of stock first."),
            count=shared[0],
            examples=shared[1],
        ),
    ]
    return [*(each for each in found if each.count), *await lots_pooling.look(reader, move)]


_LOOK: dict[Resource, Look] = {Resource.STOCK: look, Resource.CATALOGUE: look_at_goods}
_OWN_PLACE = """EXISTS (SELECT FROM location p JOIN channel_pool u ON u.pool = p.pool AND u.resource = 'stock'
                        WHERE p.id = {0} AND u.channel = $1)"""


async def carry_levels(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """What lies there of a variant is from now on of its counterpart: on hand, held, expected, worth, rules and lots."""
    assert move.home is not None
    if move.kind is MoveKind.JOIN:
        rows = await tx.rows(
            """SELECT l.location, v.id AS here, v.twin AS there FROM level l JOIN variant v ON v.id = l.variant
               WHERE v.pool = $1 AND v.twin IS NOT NULL AND (l.on_hand, l.held, l.incoming, l.backorder_limit) <> (0, 0, 0, 0)""",
            move.home,
        )
        pairs = [(row["location"], row["here"], row["there"]) for row in rows]
    else:
        pairs = await _levels_to_leave(tx, move, move.home)
    if not pairs:
        return Turn(0)
    columns = [list(column) for column in zip(*pairs, strict=True)]
    return Turn(
        await tx.value(
            "SELECT stock_rename($1::uuid[], $2::uuid[], $3::uuid[], $4, $5)",
            *columns,
            tx.actor.label,
            move.kind is MoveKind.LEAVE,
        )
    )


async def _levels_to_leave(tx: Tx, move: Move, home: UUID) -> list[tuple[UUID, UUID, UUID]]:
    own = _OWN_PLACE.format("l.location")
    rows = await tx.rows(
        f"""SELECT l.location, l.variant, {own} AS is_ours FROM level l JOIN variant v ON v.id = l.variant
            WHERE v.pool = CASE WHEN {own} THEN $3::uuid ELSE $2::uuid END
              AND (l.on_hand, l.held, l.incoming, l.backorder_limit) <> (0, 0, 0, 0) ORDER BY 1, 2""",
        move.channel,
        home,
        move.shared,
    )
    pairs = []
    for is_ours, pool in ((True, home), (False, move.shared)):
        chosen = [row for row in rows if row["is_ours"] is is_ours]
        found = (
            await counterparts(tx, move, sorted({row["variant"] for row in chosen}), pool) if chosen else {}
        )
        pairs += [(row["location"], row["variant"], found[row["variant"]]) for row in chosen]
    return pairs


LEVELS = Step("levels", carry_levels, with_switch=True)
STRAYS = Step("strays", carry_levels)
"""What came back to a shelf under its old name while orders were still on their way."""


def _lines(table: str, key: str, place: str) -> Step:
    return repointing(table, key=key, ours=_OWN_PLACE.format(place), with_switch=True)


_THINGS = [
    _lines("stock_count_line", "count", "(SELECT location FROM stock_count c WHERE c.id = t.count)"),
    _lines(
        "stock_transfer_line",
        "transfer",
        "(SELECT destination FROM stock_transfer c WHERE c.id = t.transfer)",
    ),
    _lines(
        "purchase_order_line", "purchase", "(SELECT location FROM purchase_order c WHERE c.id = t.purchase)"
    ),
    _lines(
        "supplier_return_line",
        "supplier_return",
        "(SELECT location FROM supplier_return c WHERE c.id = t.supplier_return)",
    ),
    _lines("stock_quarantine", "id", "t.location"),
    *[
        lots_pooling.lots_of(table, with_switch=True)
        for table in ("stock_count_line", "stock_transfer_line", "supplier_return_line", "stock_quarantine")
    ],
]

POOLING = Pooling(
    order=20,
    moves={"location": Resource.STOCK},
    look=_LOOK,
    steps={
        # Few rows, and who asks for goods meanwhile must find them: in one transaction with the switch.
        Resource.STOCK: [relabel("location", since="t.channel = $3", with_switch=True)],
        Resource.CATALOGUE: [lots_pooling.AGREE, LEVELS, lots_pooling.RECALLS, *_THINGS],
    },
)
