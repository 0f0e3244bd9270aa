"""Counts in the database."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.stock.model import Count, CountLine

_COUNT = """id, location, status, note, actor, version, created_at, closed_at, is_blind, submitted_by, approved_by"""
_LINES = """(SELECT coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'counted', l.counted,
             'expected', l.expected, 'lot', l.lot, 'lot_code', t.code) ORDER BY l.counted_at, l.variant, t.code), '[]')
             FROM stock_count_line l LEFT JOIN lot t ON t.id = l.lot WHERE l.count = stock_count.id) AS lines"""


async def insert(tx: Tx, count_id: UUID, location: UUID, note: str, is_blind: bool) -> Count:
    """A new open count."""
    found = await tx.one(
        Count,
        f"""INSERT INTO stock_count (id, location, note, actor, is_blind) VALUES ($1, $2, $3, $4, $5)
            RETURNING {_COUNT}""",
        count_id,
        location,
        note,
        tx.actor.label,
        is_blind,
    )
    assert found is not None
    return found


async def get(reader: Reader, count_id: UUID) -> Count:
    """A count with its lines. Raises NotFound."""
    found = await reader.one(Count, f"SELECT {_COUNT}, {_LINES} FROM stock_count WHERE id = $1", count_id)
    if found is None:
        raise NotFound(f"There is no count {count_id}.")
    return found


async def lock(tx: Tx, count_id: UUID) -> Count:
    """As `get`, and nobody enters or ends anything until the commit."""
    await tx.execute("SELECT FROM stock_count WHERE id = $1 FOR UPDATE", count_id)
    return await get(tx, count_id)


async def enter(
    tx: Tx, count_id: UUID, lines: Sequence[tuple[UUID, UUID | None, int]], *, adds_up: bool = False
) -> list[CountLine]:
    """Write lines, (variant, lot, units) each, with what the books say now. Empty if the count is not open.

    A variant that is there already is replaced or, if it ``adds_up``, has so many more.
    """
    counted = "stock_count_line.counted + EXCLUDED.counted" if adds_up else "EXCLUDED.counted"
    return await tx.all(
        CountLine,
        f"""
        WITH c AS (SELECT id, location FROM stock_count WHERE id = $1 AND status = 'open' FOR SHARE)
        INSERT INTO stock_count_line (count, variant, counted, expected, actors, lot)
        SELECT c.id, t.variant, t.counted, coalesce(CASE WHEN t.lot IS NULL THEN l.on_hand ELSE s.on_hand END, 0),
               ARRAY[$4::text], t.lot
        FROM c CROSS JOIN unnest($2::uuid[], $3::int[], $5::uuid[]) AS t (variant, counted, lot)
        LEFT JOIN level l ON l.location = c.location AND l.variant = t.variant
        LEFT JOIN stock_lot s ON s.location = c.location AND s.variant = t.variant AND s.lot = t.lot
        ORDER BY t.variant, t.lot
        ON CONFLICT (count, variant, lot) DO UPDATE
        SET counted = {counted}, expected = EXCLUDED.expected, counted_at = now(),
            actors = array_remove(stock_count_line.actors, $4::text) || $4::text
        RETURNING variant, counted, expected, lot
        """,
        count_id,
        [variant for variant, _, _ in lines],
        [counted for _, _, counted in lines],
        tx.actor.label,
        [lot for _, lot, _ in lines],
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
