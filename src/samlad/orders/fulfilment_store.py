"""SQL of the tables ``fulfilment``, ``fulfilment_line``, ``pick_batch``, ``pick_bin`` and ``tracking_event``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.catalog import Tracking
from samlad.kernel.database import Reader, Tx
from samlad.orders import fulfilment_lots as lots
from samlad.orders.fulfilment_model import (
    UNENDED,
    WORK,
    Fulfilment,
    FulfilmentHead,
    FulfilmentLine,
    FulfilmentState,
    Late,
    Part,
    PickedLot,
    TrackingEvent,
    TrackingEventInput,
)

_HEAD = """f.id, f.order_id, o.number, o.channel, f.location, f.method, f.state, f.due_at, f.taken_by, f.taken_name,
           f.batch, f.slot, f.pick_up_by, f.reason, f.note, f.carrier, f.tracking, f.came_from, f.opened_at,
           f.left_at, f.version"""
_FROM = "fulfilment f JOIN orders o ON o.id = f.order_id"
WORK_STATES, UNENDED_STATES = [str(state) for state in WORK], [str(state) for state in UNENDED]

# Two common table expressions that make fulfilments with their lines; the placeholders are put in by number.
_MAKE = """
made AS (
    INSERT INTO fulfilment (id, order_id, location, method, state, due_at, came_from, left_at, reason, note)
    SELECT * FROM unnest(${0}::uuid[], ${1}::uuid[], ${2}::uuid[], ${3}::text[], ${4}::text[], ${5}::timestamptz[],
                         ${6}::uuid[], ${7}::timestamptz[], ${8}::text[], ${9}::text[])
), made_lines AS (
    INSERT INTO fulfilment_line (fulfilment, position, variant, quantity)
    SELECT * FROM unnest(${10}::uuid[], ${11}::smallint[], ${12}::uuid[], ${13}::int[])
)"""
_PART = ("location", "method", "state", "due_at", "came_from", "left_at", "reason", "note")


def making(first: int) -> str:
    """Common table expressions that make fulfilments of orders, with parameters `made_of` from $first on."""
    return _MAKE.format(*range(first, first + 14))


def made_of(parts: Sequence[tuple[UUID, Part]]) -> list[list[Any]]:
    """The parameters of `making`: the parts of orders, each with its order's id."""
    lines = [(part.id, *line) for _, part in parts for line in part.lines]
    return [
        [part.id for _, part in parts],
        [order for order, _ in parts],
        *([getattr(part, name) for _, part in parts] for name in _PART),
        *([line[index] for line in lines] for index in range(4)),
    ]


async def make(tx: Tx, order: UUID, parts: Sequence[Part]) -> None:
    """Make fulfilments of an order; one statement."""
    await tx.execute(f"WITH {making(1)} SELECT", *made_of([(order, part) for part in parts]))


async def head(reader: Reader, fulfilment: UUID) -> FulfilmentHead | None:
    """A fulfilment without lines, or None."""
    return await reader.one(FulfilmentHead, f"SELECT {_HEAD} FROM {_FROM} WHERE f.id = $1", fulfilment)


async def read(reader: Reader, fulfilment: UUID) -> Fulfilment | None:
    """A fulfilment with its lines, or None. Two statements."""
    found = await head(reader, fulfilment)
    return None if found is None else (await _with_lines(reader, [found]))[0]


async def of_order(reader: Reader, order: UUID) -> list[Fulfilment]:
    """The fulfilments of an order, oldest first. Two statements."""
    found = await reader.all(
        FulfilmentHead, f"SELECT {_HEAD} FROM {_FROM} WHERE f.order_id = $1 ORDER BY f.opened_at, f.id", order
    )
    return await _with_lines(reader, found)


async def to_pick(reader: Reader, location: UUID, most: int) -> list[Fulfilment]:
    """What a location has to pick and pack, what is due first first. Two statements."""
    found = await reader.all(
        FulfilmentHead,
        f"""SELECT {_HEAD} FROM {_FROM} WHERE f.location = $1 AND f.state IN ('open', 'picking', 'picked')
            AND f.method <> 'digital' ORDER BY f.due_at, f.id LIMIT $2""",
        location,
        most,
    )
    return await _with_lines(reader, found)


async def brought(reader: Reader, orders: Sequence[UUID]) -> dict[UUID, tuple[datetime, datetime]]:
    """From when to when those of some orders are to be with their customers that are brought in a slot. Nothing is asked of
    no orders."""
    if not orders:
        return {}
    rows = await reader.rows(
        """SELECT id, (promise->>'since')::timestamptz AS since, (promise->>'until')::timestamptz AS until
           FROM orders WHERE id = ANY($1) AND promise->>'slot' IS NOT NULL AND promise->>'since' IS NOT NULL
             AND promise->>'until' IS NOT NULL""",
        list(orders),
    )
    return {row["id"]: (row["since"], row["until"]) for row in rows}


async def of_batch(reader: Reader, batch: UUID) -> list[Fulfilment]:
    """The fulfilments of a batch by box."""
    found = await reader.all(
        FulfilmentHead, f"SELECT {_HEAD} FROM {_FROM} WHERE f.batch = $1 ORDER BY f.slot, f.id", batch
    )
    return await _with_lines(reader, found)


async def lock(tx: Tx, order: UUID) -> list[Fulfilment]:
    """The fulfilments of an order that are still to go, held until the transaction ends, by id."""
    found = await tx.all(
        FulfilmentHead,
        f"""SELECT {_HEAD} FROM {_FROM} WHERE f.order_id = $1 AND f.state = ANY($2) ORDER BY f.id
            FOR UPDATE OF f""",
        order,
        UNENDED_STATES,
    )
    return await _with_lines(tx, found)


async def _with_lines(reader: Reader, heads: Sequence[FulfilmentHead]) -> list[Fulfilment]:
    lines: dict[UUID, list[FulfilmentLine]] = {}
    rows = await reader.rows(
        """SELECT n.fulfilment, n.position, n.variant, l.sku, l.title, l.options, n.quantity, n.picked, n.packed,
                  b.bin, l.substitutes, l.set_of ->> 'title' AS set_title, coalesce(g.tracking, 'none') AS tracking, t.lots, next.code AS next_lot,
                  next.expires_on AS next_expires_on
           FROM fulfilment_line n JOIN fulfilment f ON f.id = n.fulfilment
           JOIN order_line l ON l.order_id = f.order_id AND l.position = n.position
           LEFT JOIN variant v ON v.id = n.variant LEFT JOIN product g ON g.id = v.product
           LEFT JOIN LATERAL (
               SELECT jsonb_agg(jsonb_build_object('lot', k.id, 'code', k.code, 'quantity', m.quantity)
                                ORDER BY k.code) AS lots
               FROM fulfilment_lot m JOIN lot k ON k.id = m.lot
               WHERE m.fulfilment = n.fulfilment AND m.position = n.position) t ON g.tracking <> 'none'
           LEFT JOIN LATERAL (
               SELECT k.code, k.expires_on FROM stock_lots_for_customers(f.location, n.variant) s
               JOIN lot k ON k.id = s.lot WHERE s.on_hand > (
                   SELECT coalesce(sum(m.quantity), 0) FROM fulfilment_lot m JOIN fulfilment o ON o.id = m.fulfilment
                   WHERE m.lot = k.id AND o.location = f.location AND o.state = ANY($2))
               ORDER BY s.turn LIMIT 1) next
               ON g.tracking <> 'none' AND f.state IN ('open', 'picking')
           LEFT JOIN pick_bin b ON b.location = f.location AND b.variant = n.variant
           WHERE n.fulfilment = ANY($1) ORDER BY b.bin NULLS LAST, l.sku, n.position""",
        [one.id for one in heads],
        UNENDED_STATES,
    )
    for row in rows:
        values = dict(row.items())
        values["tracking"] = Tracking(values["tracking"])
        values["lots"] = msgspec.convert(values["lots"] or [], list[PickedLot])
        lines.setdefault(values.pop("fulfilment"), []).append(FulfilmentLine(**values))
    names = FulfilmentHead.__struct_fields__
    return [
        Fulfilment(**{name: getattr(one, name) for name in names}, lines=lines.get(one.id, []))
        for one in heads
    ]


async def update(tx: Tx, fulfilment: UUID, values: dict[str, Any]) -> None:
    """Set columns of a fulfilment that the caller has locked; names are ours."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 2))
    await tx.execute(
        f"UPDATE fulfilment SET {sets} version = version + 1, changed_at = now() WHERE id = $1",
        fulfilment,
        *values.values(),
    )


async def begin(tx: Tx, fulfilment: UUID, by: str, name: str, *, take_over: bool) -> bool:
    """Give a fulfilment to whoever begins to pick it; False when somebody else was first."""
    return bool(
        await tx.execute(
            """UPDATE fulfilment SET state = 'picking', taken_by = $2, taken_name = $3, version = version + 1,
                      changed_at = now()
               WHERE id = $1 AND (state = 'open' OR state = 'picking' AND (taken_by = $2 OR $4))""",
            fulfilment,
            by,
            name,
            take_over,
        )
    )


async def set_picked(tx: Tx, fulfilment: UUID, position: int, quantity: int | None) -> bool:
    """Count one more of a line, or say how many in all; False when that is more than are wanted."""
    return bool(
        await tx.execute(
            """UPDATE fulfilment_line SET picked = coalesce($3, picked + 1)
               WHERE fulfilment = $1 AND position = $2 AND coalesce($3, picked + 1) <= quantity""",
            fulfilment,
            position,
            quantity,
        )
    )


async def set_packed(tx: Tx, fulfilment: UUID, position: int) -> bool:
    """Count one more into the parcel; False when there are no more in the hand."""
    return bool(
        await tx.execute(
            """UPDATE fulfilment_line SET packed = packed + 1
               WHERE fulfilment = $1 AND position = $2 AND packed < picked""",
            fulfilment,
            position,
        )
    )


async def touch(tx: Tx, fulfilment: UUID, states: Sequence[FulfilmentState]) -> bool:
    """Hold a fulfilment if it is in one of these states, and count its version up."""
    return bool(
        await tx.execute(
            """UPDATE fulfilment SET version = version + 1, changed_at = now() WHERE id = $1 AND state = ANY($2)""",
            fulfilment,
            [str(state) for state in states],
        )
    )


async def note_picked(tx: Tx, fulfilment: UUID) -> bool:
    """Somebody's picking is done if there is nothing more to pick; whether it is now."""
    return bool(
        await tx.execute(
            """UPDATE fulfilment f SET state = 'picked', version = f.version + 1, changed_at = now()
               WHERE f.id = $1 AND f.state = 'picking' AND NOT EXISTS (
                   SELECT FROM fulfilment_line l WHERE l.fulfilment = f.id AND l.picked < l.quantity)""",
            fulfilment,
        )
    )


async def pick_all(tx: Tx, fulfilment: UUID) -> None:
    """All of it is in the hand."""
    await tx.execute("UPDATE fulfilment_line SET picked = quantity WHERE fulfilment = $1", fulfilment)


async def take_off(tx: Tx, fulfilment: UUID, chosen: Sequence[tuple[int, int]]) -> None:
    """Take units (position, quantity) out of a fulfilment's lines; those that were not picked yet go first.

    Lots that are in the hand stay there; which of them go, where more than one was scanned, nobody knows.
    The version counts up: whoever gives up the same once more is told.
    """
    positions = [position for position, _ in chosen]
    quantities = [quantity for _, quantity in chosen]
    await lots.leave(tx, fulfilment, chosen)
    await tx.execute(
        """DELETE FROM fulfilment_line l USING unnest($2::smallint[], $3::int[]) AS n (position, quantity)
           WHERE l.fulfilment = $1 AND l.position = n.position AND l.quantity <= n.quantity""",
        fulfilment,
        positions,
        quantities,
    )
    await tx.execute(
        """UPDATE fulfilment_line l
           SET quantity = l.quantity - n.quantity, picked = least(l.picked, l.quantity - n.quantity),
               packed = least(l.packed, l.quantity - n.quantity)
           FROM unnest($2::smallint[], $3::int[]) AS n (position, quantity)
           WHERE l.fulfilment = $1 AND l.position = n.position AND l.quantity > n.quantity""",
        fulfilment,
        positions,
        quantities,
    )
    await tx.execute(
        "UPDATE fulfilment SET version = version + 1, changed_at = now() WHERE id = $1", fulfilment
    )


async def put_line(tx: Tx, fulfilment: UUID, position: int, variant: UUID, quantity: int) -> None:
    """Units that are in the hand already become a line of a fulfilment."""
    await tx.execute(
        """INSERT INTO fulfilment_line (fulfilment, position, variant, quantity, picked) VALUES ($1, $2, $3, $4, $4)""",
        fulfilment,
        position,
        variant,
        quantity,
    )


async def end_all(tx: Tx, order: UUID, reason: str) -> None:
    """Cancel whatever of an order is still to go."""
    await tx.execute(
        """UPDATE fulfilment SET state = 'cancelled', reason = $2, code = NULL, version = version + 1,
                  changed_at = now()
           WHERE order_id = $1 AND state = ANY($3)""",
        order,
        reason[:500],
        UNENDED_STATES,
    )


async def rejecting(reader: Reader, order: UUID, hours: int) -> list[UUID]:
    """The places that rejected a part of an order within so many hours."""
    rows = await reader.rows(
        """SELECT DISTINCT location FROM fulfilment
           WHERE order_id = $1 AND state = 'rejected' AND location IS NOT NULL
             AND changed_at > now() - make_interval(hours => $2)""",
        order,
        hours,
    )
    return [row["location"] for row in rows]


async def give_code(
    tx: Tx, fulfilment: UUID, location: UUID, codes: Sequence[str], until: datetime
) -> str | None:
    """Make a fulfilment ready under the first of these codes that is free at its place; None when none is."""
    code: str | None = await tx.value(
        """UPDATE fulfilment SET state = 'ready', pick_up_by = $4, version = version + 1, changed_at = now(),
                  code = (SELECT c FROM unnest($3::text[]) AS c
                          WHERE NOT EXISTS (SELECT FROM fulfilment o WHERE o.location = $2 AND o.code = c) LIMIT 1)
           WHERE id = $1 RETURNING code""",
        fulfilment,
        location,
        list(codes),
        until,
    )
    return code


async def by_code(reader: Reader, location: UUID, code: str) -> UUID | None:
    """What a code means at a place, if anything."""
    found: UUID | None = await reader.value(
        "SELECT id FROM fulfilment WHERE location = $1 AND code = $2 AND state = 'ready'", location, code
    )
    return found


async def codes_of(reader: Reader, order: UUID) -> dict[UUID, str]:
    """The codes that a customer may show, by fulfilment. Only for the customer's own page."""
    rows = await reader.rows(
        "SELECT id, code FROM fulfilment WHERE order_id = $1 AND code IS NOT NULL AND state = 'ready'", order
    )
    return {row["id"]: row["code"] for row in rows}


async def waiting(reader: Reader, most: int) -> list[UUID]:
    """Fulfilments whose customers wait for goods, the longest first."""
    rows = await reader.rows(
        "SELECT id FROM fulfilment WHERE state = 'waiting' ORDER BY opened_at, id LIMIT $1", most
    )
    return [row["id"] for row in rows]


async def late(reader: Reader, locations: Sequence[UUID] | None) -> list[Late]:
    """Each place that has something to do, the latest first; all places or some. One statement."""
    return await reader.all(
        Late,
        """SELECT p.id AS location, p.code, p.name,
                  count(*) FILTER (WHERE f.state IN ('open', 'picking'))::int AS to_pick,
                  count(*) FILTER (WHERE f.state IN ('open', 'picking') AND f.due_at < now())::int AS late,
                  count(*) FILTER (WHERE f.state = 'ready')::int AS ready,
                  count(*) FILTER (WHERE f.state = 'ready' AND f.pick_up_by < now())::int AS uncollected,
                  min(f.due_at) FILTER (WHERE f.state IN ('open', 'picking')) AS oldest_due
           FROM fulfilment f JOIN location p ON p.id = f.location
           WHERE f.state = ANY($1) AND ($2::uuid[] IS NULL OR f.location = ANY($2))
           GROUP BY p.id ORDER BY late DESC, uncollected DESC, oldest_due, p.code""",
        WORK_STATES,
        None if locations is None else list(locations),
    )


async def stuck(reader: Reader, locations: Sequence[UUID] | None) -> int:
    """How many parts of orders wait for their customer's answer or for goods; of the orders of some places, or all."""
    count: int = await reader.value(
        """SELECT count(*) FROM fulfilment f JOIN orders o ON o.id = f.order_id
           WHERE f.state IN ('needs_customer', 'waiting')
             AND ($1::uuid[] IS NULL OR f.location = ANY($1) OR o.location = ANY($1))""",
        None if locations is None else list(locations),
    )
    return count


# -- batches and bins --------------------------------------------------------------------------------------------------


async def make_batch(tx: Tx, batch: UUID, location: UUID, by: str, name: str) -> None:
    """A walk begins."""
    await tx.execute(
        "INSERT INTO pick_batch (id, location, taken_by, taken_name) VALUES ($1, $2, $3, $4)",
        batch,
        location,
        by,
        name,
    )


class BatchRow(msgspec.Struct, frozen=True):
    """A walk as it is kept."""

    id: UUID
    location: UUID
    taken_by: str
    taken_name: str
    opened_at: datetime


async def batch(reader: Reader, batch_id: UUID) -> BatchRow | None:
    """A walk, or None."""
    return await reader.one(
        BatchRow,
        "SELECT id, location, taken_by, taken_name, opened_at FROM pick_batch WHERE id = $1",
        batch_id,
    )


async def into_batch(
    tx: Tx, batch_id: UUID, location: UUID, wanted: Sequence[UUID], most: int, by: str, name: str
) -> int:
    """Take open fulfilments of a place (these, or the most urgent) into a walk; what others take now is left out."""
    return int(
        await tx.execute(
            """WITH free AS MATERIALIZED (
                   SELECT id, due_at FROM fulfilment
                   WHERE location = $2 AND state = 'open' AND method <> 'digital'
                     AND (cardinality($3::uuid[]) = 0 OR id = ANY($3))
                   ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED
               ), boxed AS (SELECT id, row_number() OVER (ORDER BY due_at, id) AS slot FROM free)
               UPDATE fulfilment f SET state = 'picking', batch = $1, slot = b.slot, taken_by = $5, taken_name = $6,
                      version = f.version + 1, changed_at = now()
               FROM boxed b WHERE f.id = b.id""",
            batch_id,
            location,
            list(wanted),
            most,
            by,
            name,
        )
    )


async def set_bins(tx: Tx, location: UUID, bins: Sequence[tuple[UUID, str]]) -> None:
    """Say where variants lie at a place."""
    await tx.execute(
        """INSERT INTO pick_bin (location, variant, bin) SELECT $1, * FROM unnest($2::uuid[], $3::text[])
           ON CONFLICT (location, variant) DO UPDATE SET bin = excluded.bin""",
        location,
        [variant for variant, _ in bins],
        [bin_code for _, bin_code in bins],
    )


# -- parcels -----------------------------------------------------------------------------------------------------------


async def by_tracking(reader: Reader, carrier: str, number: str) -> FulfilmentHead | None:
    """The fulfilment that travels under a carrier's number, or None."""
    return await reader.one(
        FulfilmentHead,
        f"SELECT {_HEAD} FROM {_FROM} WHERE f.carrier = $1 AND f.tracking = $2",
        carrier,
        number,
    )


async def add_tracking(tx: Tx, fulfilment: UUID, events: Sequence[tuple[str, TrackingEventInput]]) -> None:
    """Keep what a carrier told, by reference; what was told before stays as it was."""
    await tx.execute(
        """INSERT INTO tracking_event (fulfilment, reference, status, happened_at, place, note)
           SELECT $1, * FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
           ON CONFLICT DO NOTHING""",
        fulfilment,
        [reference for reference, _ in events],
        [event.status for _, event in events],
        [event.happened_at for _, event in events],
        [event.place for _, event in events],
        [event.note for _, event in events],
    )


async def tracking_of(reader: Reader, fulfilment: UUID) -> list[TrackingEvent]:
    """What carriers told of a parcel, in the order in which it happened."""
    return await reader.all(
        TrackingEvent,
        """SELECT status, happened_at, place, note FROM tracking_event WHERE fulfilment = $1
           ORDER BY happened_at, recorded_at, reference""",
        fulfilment,
    )
