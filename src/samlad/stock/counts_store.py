"""Counts in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.stock.model import Count, CountLine, CountStatus, Moved

_COUNT = """id, location, status, note, actor, version, created_at, closed_at, is_blind, submitted_by, approved_by"""
_LINES = """(SELECT coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'counted', l.counted,
             'expected', l.expected, 'lot', l.lot, 'lot_code', t.code) ORDER BY l.counted_at, l.variant, t.code), '[]')
             FROM stock_count_line l LEFT JOIN lot t ON t.id = l.lot WHERE l.count = stock_count.id) AS lines"""


async def insert(
    tx: Tx, count_id: UUID, location: UUID, note: str, is_blind: bool, at: datetime | None
) -> Count | None:
    """A new open count, begun now or ``at`` an earlier moment; None if there is one of this id."""
    return await tx.one(
        Count,
        f"""INSERT INTO stock_count (id, location, note, actor, is_blind, created_at)
            VALUES ($1, $2, $3, $4, $5, least(coalesce($6::timestamptz, now()), now()))
            ON CONFLICT (id) DO NOTHING RETURNING {_COUNT}""",
        count_id,
        location,
        note,
        tx.actor.label,
        is_blind,
        at,
    )


async def get(reader: Reader, count_id: UUID) -> Count:
    """A count with its lines. Raises NotFound."""
    found = await reader.one(Count, f"SELECT {_COUNT}, {_LINES} FROM stock_count WHERE id = $1", count_id)
    if found is None:
        raise NotFound(f"There is no count {count_id}.")
    return found


async def head(reader: Reader, count_id: UUID) -> Count:
    """A count without its lines. Raises NotFound."""
    found = await reader.one(Count, f"SELECT {_COUNT} FROM stock_count WHERE id = $1", count_id)
    if found is None:
        raise NotFound(f"There is no count {count_id}.")
    return found


async def total(reader: Reader, count_id: UUID, variant: UUID) -> int:
    """Units of a variant that were found in a count, over all its lots."""
    found: int = await reader.value(
        """SELECT coalesce(sum(counted), 0)::bigint FROM stock_count_line WHERE count = $1 AND variant = $2""",
        count_id,
        variant,
    )
    return found


async def lock(tx: Tx, count_id: UUID) -> Count:
    """As `get`, and nobody enters or ends anything until the commit, in this count or another that goes on at its location."""
    await tx.execute(
        """SELECT FROM stock_count WHERE location = (SELECT location FROM stock_count WHERE id = $1)
           AND (id = $1 OR status IN ('open', 'submitted')) ORDER BY id FOR UPDATE""",
        count_id,
    )
    return await get(tx, count_id)


async def lock_to_enter(tx: Tx, count_id: UUID) -> Count:
    """As `head`, and no count of its location is booked until the commit: what the books say is read after this."""
    await tx.execute("SELECT FROM stock_count WHERE id = $1 FOR SHARE", count_id)
    return await head(tx, count_id)


async def lock_ended_after(tx: Tx, location: UUID, moment: datetime) -> tuple[list[UUID], list[UUID]]:
    """Counts of a location that go on, and those that were booked after a moment; nobody enters or ends them until the commit."""
    rows = await tx.rows(
        """SELECT id, status FROM stock_count WHERE location = $1
           AND (status IN ('open', 'submitted') OR (status = 'closed' AND closed_at >= $2)) ORDER BY id FOR NO KEY UPDATE""",
        location,
        moment,
    )
    going = [row["id"] for row in rows if row["status"] != CountStatus.CLOSED]
    return going, [row["id"] for row in rows if row["status"] == CountStatus.CLOSED]


_IS_PIECE = """EXISTS (
    SELECT FROM lot k JOIN variant v ON v.id = k.variant JOIN product g ON g.id = v.product
    WHERE k.id = EXCLUDED.lot AND k.code <> '' AND g.tracking = 'serial')"""


async def last_looks(
    tx: Tx, counts: Sequence[UUID], variants: Sequence[UUID], since: datetime
) -> dict[tuple[UUID, UUID | None], UUID]:
    """Of each (variant, lot) that these counts looked at since a moment, the count that did so last."""
    rows = await tx.rows(
        """SELECT DISTINCT ON (variant, lot) variant, lot, count FROM stock_count_line
           WHERE count = ANY($1) AND variant = ANY($2) AND counted_at >= $3 ORDER BY variant, lot, counted_at DESC""",
        counts,
        variants,
        since,
    )
    return {(row["variant"], row["lot"]): row["count"] for row in rows}


async def missed_lots(
    tx: Tx, counts: Sequence[UUID], variants: Sequence[UUID], since: datetime, reason: str
) -> list[Record]:
    """Units by lot that these counts have missed since a moment (variant, lot, units, count, is_booked), who looked first first.

    Without what was taken back already, with this ``reason``.
    """
    return await tx.rows(
        """SELECT * FROM (
               SELECT l.variant, l.lot, l.count, c.status = 'closed' AS is_booked, l.counted_at,
                      l.expected - l.counted - coalesce((
                          SELECT sum(m.quantity)::int FROM movement m
                          WHERE m.reference = l.count AND m.variant = l.variant AND m.lot = l.lot AND m.reason = $4), 0) AS units
               FROM stock_count_line l JOIN stock_count c ON c.id = l.count
               WHERE l.count = ANY($1) AND l.variant = ANY($2) AND l.lot IS NOT NULL AND l.counted_at >= $3) missed
           WHERE units > 0 ORDER BY counted_at, count, lot""",
        counts,
        variants,
        since,
        reason,
    )


async def change_expected(
    tx: Tx,
    counts: Sequence[UUID],
    went: Mapping[tuple[UUID, UUID | None], int],
    put_right: Mapping[tuple[UUID, UUID | None], int],
    at: datetime,
) -> None:
    """Tell these counts what moved at a moment (who looked before it saw nothing of it) and by how much the books were put right.

    Units by (variant, lot), negative: fewer.
    """
    keys = sorted(went.keys() | put_right.keys(), key=str)
    await tx.execute(
        """UPDATE stock_count_line l
           SET expected = l.expected + t.put_right + CASE WHEN l.counted_at >= $6 THEN t.went ELSE 0 END
           FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::int[]) AS t (variant, lot, went, put_right)
           WHERE l.count = ANY($1) AND l.variant = t.variant AND l.lot IS NOT DISTINCT FROM t.lot""",
        counts,
        [variant for variant, _ in keys],
        [lot for _, lot in keys],
        [went.get(key, 0) for key in keys],
        [put_right.get(key, 0) for key in keys],
        at,
    )


async def give_way(tx: Tx, count_id: UUID) -> None:
    """What somebody has looked at later, and booked, is no difference of this count: the later look counts."""
    await tx.execute(
        """UPDATE stock_count_line mine SET expected = mine.counted
           FROM stock_count c WHERE c.id = $1 AND mine.count = c.id AND mine.expected <> mine.counted AND EXISTS (
               SELECT FROM stock_count other JOIN stock_count_line l ON l.count = other.id
               WHERE other.location = c.location AND other.closed_at > mine.counted_at AND other.status = 'closed'
               AND l.variant = mine.variant AND l.lot IS NOT DISTINCT FROM mine.lot AND l.counted_at > mine.counted_at)""",
        count_id,
    )


async def tell_others(tx: Tx, count_id: UUID, moved: Sequence[Moved]) -> None:
    """What a count has just ``moved`` is no difference of the other counts that go on at its location, and that are locked.

    Who counted after it compared with books that lacked its difference. What was counted before it says nothing any more: the
    later look counts, whichever is booked first (`give_way`).
    """
    await tx.execute(
        """UPDATE stock_count_line other
           SET expected = CASE WHEN other.counted_at < mine.counted_at THEN other.counted
                          ELSE other.expected + coalesce(t.units, 0) END
           FROM stock_count booked JOIN stock_count_line mine ON mine.count = booked.id
                LEFT JOIN unnest($2::uuid[], $3::uuid[], $4::int[]) AS t (variant, lot, units)
                ON t.variant = mine.variant AND t.lot IS NOT DISTINCT FROM mine.lot, stock_count open
           WHERE booked.id = $1
           AND open.location = booked.location AND open.id <> booked.id AND open.status IN ('open', 'submitted')
           AND other.count = open.id AND other.variant = mine.variant AND other.lot IS NOT DISTINCT FROM mine.lot""",
        count_id,
        [each.variant for each in moved],
        [each.lot for each in moved],
        [each.quantity for each in moved],
    )


async def enter(
    tx: Tx,
    count_id: UUID,
    lines: Sequence[tuple[UUID, UUID | None, int]],
    *,
    adds_up: bool = False,
    at: datetime | None = None,
    found_by: UUID | None = None,
) -> list[CountLine]:
    """Write lines, (variant, lot, units) each, with what the books say now. Empty if the count is not open.

    A variant that is there already is replaced or, if it ``adds_up``, has so many more. If it was found ``at`` an earlier
    moment, the books are those of that moment: what is on hand now without what has happened since, whenever it was booked (but
    with what other counts have booked since, for that was missing before). Of what adds up the latest
    moment counts, in whatever order it comes in. A piece with a number is one, however often it is scanned. ``found_by`` has counted, too, beside whoever enters it.
    """
    both = "stock_count_line.counted, EXCLUDED.counted"
    adding = f"CASE WHEN {_IS_PIECE} THEN greatest({both}) ELSE {both.replace(',', ' +')} END"
    counted = adding if adds_up else "EXCLUDED.counted"
    is_later = "EXCLUDED.counted_at >= stock_count_line.counted_at" if adds_up else "true"
    return await tx.all(
        CountLine,
        f"""
        WITH c AS (SELECT id, location, greatest(created_at, least(coalesce($6::timestamptz, now()), now())) AS found_at
                   FROM stock_count WHERE id = $1 AND status = 'open' FOR SHARE)
        INSERT INTO stock_count_line (count, variant, counted, expected, actors, lot, counted_at)
        SELECT c.id, t.variant, t.counted,
               coalesce(CASE WHEN t.lot IS NULL THEN l.on_hand ELSE s.on_hand END, 0) - coalesce(CASE WHEN $6::timestamptz IS NOT NULL THEN
                   (SELECT sum(m.quantity)::int FROM movement m WHERE m.location = c.location AND m.variant = t.variant
                    AND (t.lot IS NULL OR m.lot = t.lot) AND m.created_at > c.found_at
                    AND coalesce(m.happened_at, m.created_at) > c.found_at AND m.cause <> 'count') END, 0),
               $4::text[], t.lot, c.found_at
        FROM c CROSS JOIN unnest($2::uuid[], $3::int[], $5::uuid[]) AS t (variant, counted, lot)
        LEFT JOIN level l ON l.location = c.location AND l.variant = t.variant
        LEFT JOIN stock_lot s ON s.location = c.location AND s.variant = t.variant AND s.lot = t.lot
        ORDER BY t.variant, t.lot
        ON CONFLICT (count, variant, lot) DO UPDATE
        SET counted = {counted},
            expected = CASE WHEN {is_later} THEN EXCLUDED.expected ELSE stock_count_line.expected END,
            counted_at = CASE WHEN {is_later} THEN EXCLUDED.counted_at ELSE stock_count_line.counted_at END,
            actors = ARRAY(SELECT DISTINCT unnest(stock_count_line.actors || EXCLUDED.actors))
        RETURNING variant, counted, expected, lot
        """,
        count_id,
        [variant for variant, _, _ in lines],
        [counted for _, _, counted in lines],
        sorted({tx.actor.label} | ({f"staff:{found_by}"} if found_by else set())),
        [lot for _, lot, _ in lines],
        at,
    )


async def update(tx: Tx, count_id: UUID, values: Mapping[str, Any], *, ends: bool = False) -> Count:
    """Set columns and count the version up; ``ends``: it is over now."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 3))
    found = await tx.one(
        Count,
        f"""UPDATE stock_count SET {sets} closed_at = CASE WHEN $2 THEN now() END, version = version + 1
            WHERE id = $1 RETURNING {_COUNT}, {_LINES}""",
        count_id,
        ends,
        *values.values(),
    )
    assert found is not None
    return found


async def counters(reader: Reader, count_id: UUID) -> set[str]:
    """Who has entered anything."""
    rows = await reader.rows(
        "SELECT DISTINCT unnest(actors) AS actor FROM stock_count_line WHERE count = $1", count_id
    )
    return {row["actor"] for row in rows}


async def unit_costs(reader: Reader, count_id: UUID) -> dict[UUID, int]:
    """What a unit of each counted variant costs at the count's location, in ten-thousandths of a minor unit."""
    rows = await reader.rows(
        """SELECT l.variant, l.unit_cost_e4 FROM stock_count c JOIN stock_count_line s ON s.count = c.id
           JOIN level l ON l.location = c.location AND l.variant = s.variant WHERE c.id = $1""",
        count_id,
    )
    return {row["variant"]: row["unit_cost_e4"] for row in rows}
