"""SQL of drawers, their shifts, and what was paid at a location."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad.books.model import RateDay, Shift, TenderDay, TillMovement
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id

_SHIFT = """s.id, s.till, t.name AS till_name, t.location, s.book, s.currency, s.number, s.float, s.counted, s.counts,
            s.expected, s.taken, s.report, s.note, s.opened_by, s.opened_name, s.opened_at, s.closed_by, s.closed_name,
            s.closed_at, s.version, ARRAY(SELECT c.name FROM till_clerk c WHERE c.shift = s.id ORDER BY c.joined_at, c.actor)
                AS clerks"""
SHIFT_FROM = "till_shift s JOIN till t ON t.id = s.till"


class Till(msgspec.Struct, frozen=True, kw_only=True):
    """A drawer. ``left_in`` is what its last shift left (minor units)."""

    id: UUID
    location: UUID
    name: str
    last_z: int
    left_in: int


async def lock_till(tx: Tx, location: UUID, name: str) -> Till:
    """The drawer of this name at a location, made if it is new, held until the transaction ends."""
    found = await tx.one(
        Till,
        """INSERT INTO till (id, location, name) VALUES ($1, $2, $3)
           ON CONFLICT (location, name) DO UPDATE SET name = excluded.name RETURNING id, location, name, last_z, left_in""",
        new_id(),
        location,
        name,
    )
    assert found is not None
    return found


async def insert_shift(tx: Tx, shift: UUID, till: Till, book: UUID, currency: str, amount: int) -> bool:
    """Open a drawer; False if it is open already, or the shift is there."""
    return bool(
        await tx.execute(
            """INSERT INTO till_shift (id, till, book, currency, float, opened_by, opened_name)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING""",
            shift,
            till.id,
            book,
            currency,
            amount,
            tx.actor.label,
            tx.actor.name,
        )
    )


async def join(tx: Tx, shift: UUID) -> bool:
    """The actor works at this drawer, too; False if they did already."""
    return bool(
        await tx.execute(
            "INSERT INTO till_clerk (shift, actor, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            shift,
            tx.actor.label,
            tx.actor.name,
        )
    )


async def shift(reader: Reader, shift_id: UUID) -> Shift | None:
    """A shift by its id."""
    return await reader.one(Shift, f"SELECT {_SHIFT} FROM {SHIFT_FROM} WHERE s.id = $1", shift_id)


async def lock_shift(tx: Tx, shift_id: UUID) -> Shift | None:
    """A shift and its till, held until the transaction ends: the till first, as opening locks it."""
    await tx.execute(
        "SELECT FROM till WHERE id = (SELECT till FROM till_shift WHERE id = $1) FOR UPDATE", shift_id
    )
    return await tx.one(Shift, f"SELECT {_SHIFT} FROM {SHIFT_FROM} WHERE s.id = $1 FOR UPDATE OF s", shift_id)


async def open_shifts(reader: Reader, location: UUID) -> list[Shift]:
    """The open drawers of a location, by name."""
    return await reader.all(
        Shift,
        f"SELECT {_SHIFT} FROM {SHIFT_FROM} WHERE t.location = $1 AND s.closed_at IS NULL ORDER BY t.name",
        location,
    )


async def drawers(reader: Reader, location: UUID) -> list[Till]:
    """The drawers that a location has had, by name."""
    return await reader.all(
        Till,
        "SELECT id, location, name, last_z, left_in FROM till WHERE location = $1 ORDER BY name",
        location,
    )


async def add_movement(tx: Tx, shift_id: UUID, key: UUID, reason: str, amount: int, note: str) -> bool:
    """Cash in or out; False if this key was used before."""
    return bool(
        await tx.execute(
            """INSERT INTO till_movement (id, shift, reason, amount, note, actor, name)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING""",
            key,
            shift_id,
            reason,
            amount,
            note,
            tx.actor.label,
            tx.actor.name,
        )
    )


async def movements(reader: Reader, shift_id: UUID) -> list[TillMovement]:
    """Cash that was put in and taken out, in its order."""
    return await reader.all(
        TillMovement,
        "SELECT id, reason, amount, note, name, at FROM till_movement WHERE shift = $1 ORDER BY at, id",
        shift_id,
    )


_EVENTS = """
    SELECT e.id, o.location, o.id AS order_id, e.payload ->> 'provider' AS tender,
           CASE WHEN e.type = 'payment.captured' THEN 1 ELSE -1 END * (e.payload ->> 'amount')::bigint AS amount,
           e.payload ->> 'currency' AS currency, e.actor, e.occurred_at
    FROM event e JOIN orders o ON o.id = (e.payload ->> 'order')::uuid
    WHERE e.type IN ('payment.captured', 'payment.refunded') AND o.location IS NOT NULL
          AND (o.delivery = 'carry_out' OR e.payload ->> 'provider' = 'cash')
"""


async def note_payment(tx: Tx, event: UUID) -> None:
    """Keep a payment or refund at a location for the shift that it belongs to; once."""
    await tx.execute(
        f"""INSERT INTO till_payment (event, location, order_id, tender, amount, currency, actor, at)
            SELECT id, location, order_id, tender, amount, currency, actor, occurred_at FROM ({_EVENTS} AND e.id = $1) n
            ON CONFLICT (event) DO NOTHING""",
        event,
    )


async def catch_up(tx: Tx, location: UUID) -> None:
    """Keep what the log has of a location and the follower has not come to yet. What commits later is the next shift's."""
    await tx.execute(
        f"""INSERT INTO till_payment (event, location, order_id, tender, amount, currency, actor, at)
            SELECT id, location, order_id, tender, amount, currency, actor, occurred_at
            FROM ({_EVENTS} AND o.location = $1 AND (e.xid, e.seq) >
                  (SELECT coalesce(max(f.xid), 0), coalesce(max(f.seq), 0) FROM follower f WHERE f.name = 'books')) n
            ORDER BY id ON CONFLICT (event) DO NOTHING""",
        location,
    )


async def claim(tx: Tx, found: Shift) -> None:
    """What was paid at the location and belongs to no shift is this one's: of its clerks, and of nobody else's."""
    await tx.execute(
        """
        UPDATE till_payment p SET shift = $1
        WHERE p.shift IS NULL AND p.location = $2 AND p.currency = $3
              AND (EXISTS (SELECT FROM till_clerk c WHERE c.shift = $1 AND c.actor = p.actor)
                   OR NOT EXISTS (SELECT FROM till_clerk c JOIN till_shift s ON s.id = c.shift JOIN till t ON t.id = s.till
                                  WHERE t.location = $2 AND s.closed_at IS NULL AND c.actor = p.actor))
        """,
        found.id,
        found.location,
        found.currency,
    )


async def tenders(reader: Reader, shift_id: UUID) -> list[TenderDay]:
    """What each tender took and gave back in a shift."""
    return await reader.all(
        TenderDay,
        """SELECT tender, coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::bigint AS taken,
                  coalesce(-sum(amount) FILTER (WHERE amount < 0), 0)::bigint AS given_back
           FROM till_payment WHERE shift = $1 GROUP BY 1 ORDER BY 1""",
        shift_id,
    )


async def rates(reader: Reader, shift_id: UUID) -> tuple[int, list[RateDay]]:
    """How many sales were paid in a shift, and what they come to by tax rate."""
    sales = await reader.value(
        "SELECT count(DISTINCT order_id) FROM till_payment WHERE shift = $1 AND amount > 0", shift_id
    )
    found = await reader.all(
        RateDay,
        """SELECT l.tax_rate, sum(l.total - l.tax)::bigint AS net, sum(l.tax)::bigint AS tax
           FROM order_line l WHERE l.kind <> 'adjustment' AND l.order_id IN (
               SELECT order_id FROM till_payment WHERE shift = $1 AND amount > 0)
           GROUP BY 1 ORDER BY 1 DESC""",
        shift_id,
    )
    return int(sales), found


async def close_shift(tx: Tx, shift_id: UUID, till: UUID, values: Mapping[str, Any], left: int) -> int:
    """Write the count; the number of the Z report, the till's next. The caller holds the till."""
    number: int = await tx.value(
        "UPDATE till SET last_z = last_z + 1, left_in = $2 WHERE id = $1 RETURNING last_z", till, left
    )
    columns: Sequence[str] = list(values)
    setters = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 5))
    await tx.execute(
        f"""UPDATE till_shift SET number = $2, closed_by = $3, closed_name = $4, closed_at = now(),
               version = version + 1, {setters} WHERE id = $1""",
        shift_id,
        number,
        tx.actor.label,
        tx.actor.name,
        *values.values(),
    )
    return number
