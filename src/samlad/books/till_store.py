"""SQL of drawers, their shifts, and what was paid at a location."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.books.model import RateDay, Shift, TenderDay, TillMovement, TipDay
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.orders.lists import NOT_REFUNDED

_SHIFT = """s.id, s.till, t.name AS till_name, t.location, s.book, s.currency, s.number, s.float, s.counted, s.counts,
            s.expected, s.taken, s.report, s.note, s.opened_by, s.opened_name, s.opened_at, s.closed_by, s.closed_name,
            s.closed_at, s.late, s.version, ARRAY(SELECT c.name FROM till_clerk c WHERE c.shift = s.id ORDER BY c.joined_at, c.actor)
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


class By(msgspec.Struct, frozen=True):
    """Who did something at a drawer, and when. A till tells of it later."""

    actor: str
    name: str
    at: datetime


def by(tx: Tx) -> By:
    """Who does it, now."""
    return By(tx.actor.label, tx.actor.name, now())


async def insert_shift(
    tx: Tx, shift: UUID, till: Till, book: UUID, currency: str, amount: int, who: By
) -> bool:
    """Open a drawer; False if it is open already, or the shift is there."""
    return bool(
        await tx.execute(
            """INSERT INTO till_shift (id, till, book, currency, float, opened_by, opened_name, opened_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING""",
            shift,
            till.id,
            book,
            currency,
            amount,
            who.actor,
            who.name,
            who.at,
        )
    )


async def join(tx: Tx, shift: UUID, who: By) -> bool:
    """Somebody works at this drawer, too; False if they did already."""
    return bool(
        await tx.execute(
            """INSERT INTO till_clerk (shift, actor, name, joined_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING""",
            shift,
            who.actor,
            who.name,
            who.at,
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


async def add_movement(
    tx: Tx, shift_id: UUID, key: UUID, reason: str, amount: int, note: str, who: By
) -> bool:
    """Cash in or out; False if this key was used before."""
    return bool(
        await tx.execute(
            """INSERT INTO till_movement (id, shift, reason, amount, note, actor, name, at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING""",
            key,
            shift_id,
            reason,
            amount,
            note,
            who.actor,
            who.name,
            who.at,
        )
    )


async def movement_shift(reader: Reader, movement: UUID) -> UUID | None:
    """The shift of a movement, if there is one."""
    found: UUID | None = await reader.value("SELECT shift FROM till_movement WHERE id = $1", movement)
    return found


class WaitingRefund(msgspec.Struct, frozen=True):
    """Money that is to go back (minor units), and of which order; ``has_failed``: its provider refused to give it back. Else the order was
    imported, and nobody here knows how it was paid."""

    id: UUID
    number: str
    amount: int
    order: UUID
    has_failed: bool


_HERE = """(own.location = ANY({0}) OR p.location = ANY({0})
            OR EXISTS (SELECT FROM orders b WHERE b.returns = own.id AND b.location = ANY({0})))"""
"""SQL: an order ``own`` with a payment ``p`` is one of these locations: sold, fetched or paid there, or brought back there."""


async def waiting_refunds(reader: Reader, location: UUID, currency: str, limit: int) -> list[WaitingRefund]:
    """What a person is still to pay of a location's orders, the longest waiting first: of imported ones that came back there,
    and what a provider refused to give back."""
    return await reader.all(
        WaitingRefund,
        f"""SELECT id, number, amount, "order", has_failed FROM (
               SELECT r.id, o.number, r.amount, o.id AS "order", false AS has_failed, r.created_at
               FROM refund r JOIN payment p ON p.id = r.payment JOIN orders o ON o.id = p.order_id
               WHERE r.status = 'pending' AND p.provider = 'history' AND p.currency = $2
                 AND EXISTS (SELECT FROM orders b WHERE b.returns = o.id AND b.location = $1)
               UNION ALL
               SELECT f.id, own.number,
                      least(f.amount - (SELECT coalesce(sum(n.amount), 0) FROM refund n WHERE n.instead_of = f.id),
                            p.captured - p.refunded - p.disputed)::bigint,
                      own.id, true, f.created_at
               {NOT_REFUNDED} AND p.currency = $2 AND {_HERE.format("ARRAY[$1::uuid]")}) AS waiting
            WHERE amount > 0 ORDER BY created_at, id LIMIT $3""",
        location,
        currency,
        limit,
    )


async def is_refund_at(reader: Reader, refund: UUID, locations: Collection[UUID]) -> bool:
    """Whether a refund is of an order of one of these locations."""
    return bool(
        await reader.value(
            f"""SELECT EXISTS (SELECT FROM refund r JOIN payment p ON p.id = r.payment JOIN orders own ON own.id = p.order_id
                               WHERE r.id = $1 AND {_HERE.format("$2::uuid[]")})""",
            refund,
            list(locations),
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
    SELECT e.id, coalesce(p.location, o.location) AS location, o.id AS order_id, e.payload ->> 'provider' AS tender,
           CASE WHEN e.type = 'payment.captured' THEN 1 ELSE -1 END * (e.payload ->> 'amount')::bigint AS amount,
           e.payload ->> 'currency' AS currency, coalesce(d.actor, e.actor) AS actor, coalesce(d.at, e.occurred_at) AS at,
           d.subject IS NOT NULL AS is_told, d.shift AS told_shift
    FROM event e JOIN orders o ON o.id = (e.payload ->> 'order')::uuid
         LEFT JOIN payment p ON p.id = (e.payload ->> 'payment')::uuid
         LEFT JOIN till_told d ON d.subject = coalesce(e.payload ->> 'refund', e.payload ->> 'payment')::uuid
    WHERE e.type IN ('payment.captured', 'payment.refunded') AND coalesce(p.location, o.location) IS NOT NULL
          AND (p.location IS NOT NULL OR o.delivery = 'carry_out' OR e.payload ->> 'provider' = 'cash')
"""
_NOTED = "location, order_id, tender, amount, currency, actor, at, is_told, told_shift"
_TOLD = "till_shift_told(p.location, p.currency, p.told_shift, p.actor, p.at)"


async def note_told(tx: Tx, subjects: Sequence[UUID], shift: UUID | None, actor: str, at: datetime) -> None:
    """Keep where the money of some payments or refunds is, as a till says; once."""
    await tx.execute(
        """INSERT INTO till_told (subject, shift, actor, at) SELECT unnest($1::uuid[]), $2, $3, $4
           ON CONFLICT (subject) DO NOTHING""",
        list(subjects),
        shift,
        actor,
        at,
    )


async def note_payment(tx: Tx, event: UUID) -> None:
    """Keep a payment or refund at a location for the shift that it belongs to; once."""
    await tx.execute(
        f"""INSERT INTO till_payment (event, {_NOTED}) SELECT id, {_NOTED} FROM ({_EVENTS} AND e.id = $1) n
            ON CONFLICT (event) DO NOTHING""",
        event,
    )


async def told_shift(reader: Reader, event: UUID) -> UUID | None:
    """The shift of a payment that a till told of and that no shift has yet."""
    found: UUID | None = await reader.value(
        f"SELECT {_TOLD} FROM till_payment p WHERE p.event = $1 AND p.is_told AND p.shift IS NULL", event
    )
    return found


async def add_late(tx: Tx, event: UUID, shift: UUID) -> int | None:
    """A payment is a closed shift's now; the cash that it is (minor units), None if it is another's already."""
    found: int | None = await tx.value(
        """UPDATE till_payment SET shift = $2 WHERE event = $1 AND shift IS NULL
           RETURNING CASE WHEN tender = 'cash' THEN amount ELSE 0 END""",
        event,
        shift,
    )
    return found


async def amend(tx: Tx, shift: UUID, expected: int, report: object) -> None:
    """What a closed shift comes to with what came late. The report that was printed stays beside it."""
    await tx.execute(
        """UPDATE till_shift SET expected = $2, report = $3, first_report = coalesce(first_report, report),
                  late = late + 1, version = version + 1 WHERE id = $1""",
        shift,
        expected,
        report,
    )


async def catch_up(tx: Tx, location: UUID) -> None:
    """Keep what the log has of a location and the follower has not come to yet. What commits later is the next shift's."""
    await tx.execute(
        f"""INSERT INTO till_payment (event, {_NOTED}) SELECT id, {_NOTED}
            FROM ({_EVENTS} AND coalesce(p.location, o.location) = $1 AND (e.xid, e.seq) >
                  (SELECT coalesce(max(f.xid), 0), coalesce(max(f.seq), 0) FROM follower f WHERE f.name = 'books')) n
            ORDER BY id ON CONFLICT (event) DO NOTHING""",
        location,
    )


async def claim(tx: Tx, found: Shift) -> None:
    """What was paid at the location and belongs to no shift is this one's: of its clerks, and of nobody else's. What a till
    told of is that of the shift in which it was made."""
    await tx.execute(
        f"""
        UPDATE till_payment p SET shift = $1
        WHERE p.shift IS NULL AND p.location = $2 AND p.currency = $3
              AND CASE WHEN p.is_told AND {_TOLD} IS NOT NULL THEN {_TOLD} = $1
                       ELSE EXISTS (SELECT FROM till_clerk c WHERE c.shift = $1 AND c.actor = p.actor)
                            OR NOT EXISTS (SELECT FROM till_clerk c JOIN till_shift s ON s.id = c.shift
                                           JOIN till t ON t.id = s.till
                                           WHERE t.location = $2 AND s.closed_at IS NULL AND c.actor = p.actor) END
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


async def tips(reader: Reader, shift_id: UUID) -> list[TipDay]:
    """What was given for each of the staff with the sales of a shift, less what went back."""
    return await reader.all(
        TipDay,
        """SELECT t.clerk_name AS name, sum(t.amount - t.returned)::bigint AS amount FROM order_tip t
           WHERE t.order_id IN (SELECT order_id FROM till_payment WHERE shift = $1 AND amount > 0)
           GROUP BY t.clerk, t.clerk_name HAVING sum(t.amount - t.returned) <> 0 ORDER BY 2 DESC, 1""",
        shift_id,
    )


async def close_shift(
    tx: Tx, shift_id: UUID, till: UUID, values: Mapping[str, Any], left: int, who: By
) -> int:
    """Write the count; the number of the Z report, the till's next. The caller holds the till."""
    number: int = await tx.value(
        "UPDATE till SET last_z = last_z + 1, left_in = $2 WHERE id = $1 RETURNING last_z", till, left
    )
    columns: Sequence[str] = list(values)
    setters = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 6))
    await tx.execute(
        f"""UPDATE till_shift SET number = $2, closed_by = $3, closed_name = $4, closed_at = $5,
               version = version + 1, {setters} WHERE id = $1""",
        shift_id,
        number,
        who.actor,
        who.name,
        who.at,
        *values.values(),
    )
    return number
