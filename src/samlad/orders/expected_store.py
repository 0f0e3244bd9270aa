"""SQL of the table ``order_expected``."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.stock import Waiting


class Expected(msgspec.Struct, frozen=True):
    """A variant that an order waits for, and the day that its buyer knows of, in the place where it comes to; None: they were
    told that nobody knows it. ``is_moved``: it is not what was promised when they ordered. ``due_at``: when a place should have picked
    it that has not begun; only said when it is looked at."""

    order: UUID
    variant: UUID
    expected_on: date | None
    is_moved: bool = False
    due_at: datetime | None = None


_COLUMNS = "e.order_id AS order, e.variant, e.expected_on, e.is_moved"


async def add(tx: Tx, waiting: Sequence[Waiting]) -> None:
    """Remember what is waited for; what is known stays as it is."""
    if waiting:
        await tx.execute(
            """INSERT INTO order_expected (order_id, variant, expected_on)
               SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::date[]) ON CONFLICT DO NOTHING""",
            [each.order for each in waiting],
            [each.variant for each in waiting],
            [each.expected_on for each in waiting],
        )


async def lock_next(tx: Tx, after: UUID, most: int) -> tuple[UUID | None, list[Expected]]:
    """What the next orders wait for, locked, and the last of these orders; None: there are no more. What somebody else looks
    at is left out."""
    last: UUID | None = await tx.value(
        """SELECT o.order_id FROM (SELECT DISTINCT order_id FROM order_expected WHERE order_id > $1
                                   ORDER BY order_id LIMIT $2) o ORDER BY o.order_id DESC LIMIT 1""",
        after,
        most,
    )
    if last is None:
        return None, []
    found = await tx.all(
        Expected,
        f"""SELECT {_COLUMNS}, (
                SELECT min(f.due_at) FROM fulfilment f JOIN fulfilment_line n ON n.fulfilment = f.id
                WHERE f.order_id = e.order_id AND f.state = 'open' AND n.variant = e.variant) AS due_at
            FROM order_expected e WHERE e.order_id > $1 AND e.order_id <= $2
            ORDER BY e.order_id, e.variant FOR UPDATE SKIP LOCKED""",
        after,
        last,
    )
    return last, found


async def forget(tx: Tx, order: UUID, variant: UUID) -> None:
    """It is there, or is not wanted any more."""
    await tx.execute("DELETE FROM order_expected WHERE order_id = $1 AND variant = $2", order, variant)


async def set_days(tx: Tx, order: UUID, days: Mapping[UUID, date | None]) -> None:
    """What the buyer of an order is told now, by variant."""
    await tx.execute(
        """UPDATE order_expected e SET expected_on = n.day, is_moved = true, told_at = now()
           FROM unnest($2::uuid[], $3::date[]) AS n (variant, day) WHERE e.order_id = $1 AND e.variant = n.variant""",
        order,
        list(days),
        list(days.values()),
    )


async def of_order(reader: Reader, order: UUID) -> list[Expected]:
    """What an order waits for."""
    return await reader.all(
        Expected, f"SELECT {_COLUMNS} FROM order_expected e WHERE e.order_id = $1 ORDER BY e.variant", order
    )


async def waiting(reader: Reader, among: Sequence[UUID]) -> set[UUID]:
    """Which of these orders wait for goods that are not there yet. One statement."""
    rows = await reader.rows(
        "SELECT DISTINCT order_id FROM order_expected WHERE order_id = ANY($1::uuid[])", list(among)
    )
    return {row["order_id"] for row in rows}


async def places_of(reader: Reader, order: UUID, variant: UUID) -> list[UUID]:
    """Where a variant of an order is to be picked and nobody has begun."""
    rows = await reader.rows(
        """SELECT DISTINCT f.location FROM fulfilment f JOIN fulfilment_line n ON n.fulfilment = f.id
           WHERE f.order_id = $1 AND n.variant = $2 AND f.state = 'open' AND f.location IS NOT NULL""",
        order,
        variant,
    )
    return [row["location"] for row in rows]


async def set_due(tx: Tx, order: UUID, variant: UUID, location: UUID, due_at: datetime) -> None:
    """Say when a place should have picked what nobody has begun to pick."""
    await tx.execute(
        """UPDATE fulfilment f SET due_at = $4 WHERE f.order_id = $1 AND f.location = $3 AND f.state = 'open'
           AND EXISTS (SELECT FROM fulfilment_line n WHERE n.fulfilment = f.id AND n.variant = $2)""",
        order,
        variant,
        location,
        due_at,
    )
