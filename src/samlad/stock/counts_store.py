"""Counts in the database."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.stock.model import Count, CountLine, CountStatus

_COUNT = "id, location, status, note, actor, version, created_at, closed_at"
_LINES = """(SELECT coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'counted', l.counted,
             'expected', l.expected) ORDER BY l.counted_at, l.variant), '[]')
             FROM stock_count_line l WHERE l.count = stock_count.id) AS lines"""


async def insert(tx: Tx, count_id: UUID, location: UUID, note: str) -> Count:
    """A new open count."""
    found = await tx.one(
        Count,
        f"INSERT INTO stock_count (id, location, note, actor) VALUES ($1, $2, $3, $4) RETURNING {_COUNT}",
        count_id,
        location,
        note,
        tx.actor.label,
    )
    assert found is not None
    return found


async def get(reader: Reader, count_id: UUID) -> Count:
    """A count with its lines. Raises NotFound."""
    found = await reader.one(Count, f"SELECT {_COUNT}, {_LINES} FROM stock_count WHERE id = $1", count_id)
    if found is None:
        raise NotFound(f"There is no count {count_id}.")
    return found


async def enter(tx: Tx, count_id: UUID, lines: Sequence[tuple[UUID, int]]) -> list[CountLine]:
    """Write lines with what the books say now; a variant counted again replaces its line. Empty if it is not open."""
    return await tx.all(
        CountLine,
        """
        WITH c AS (SELECT id, location FROM stock_count WHERE id = $1 AND status = 'open' FOR SHARE)
        INSERT INTO stock_count_line (count, variant, counted, expected)
        SELECT c.id, t.variant, t.counted, coalesce(l.on_hand, 0)
        FROM c CROSS JOIN unnest($2::uuid[], $3::int[]) AS t (variant, counted)
        LEFT JOIN level l ON l.location = c.location AND l.variant = t.variant
        ON CONFLICT (count, variant) DO UPDATE
        SET counted = EXCLUDED.counted, expected = EXCLUDED.expected, counted_at = now()
        RETURNING variant, counted, expected
        """,
        count_id,
        [variant for variant, _ in lines],
        [counted for _, counted in lines],
    )


async def end(tx: Tx, count_id: UUID, status: CountStatus) -> Count | None:
    """Close or cancel an open count; None if it is not open."""
    return await tx.one(
        Count,
        f"""UPDATE stock_count SET status = $2, closed_at = now(), version = version + 1
            WHERE id = $1 AND status = 'open' RETURNING {_COUNT}, {_LINES}""",
        count_id,
        status,
    )
