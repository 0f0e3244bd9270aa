"""Stock in the database: calls of the functions in ``sql/``, and reads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record

from samlad.kernel.database import Reader, Tx
from samlad.stock.model import Cause, Hold, HoldKind, HoldLine, Moved
from samlad.stock.problems import ShortLine

_HOLD = "id, location, variant, quantity, kind, owner"


class TakeOutcome(msgspec.Struct, frozen=True):
    """What ``stock_take`` answered: holds or shortages, and others' holds that had expired."""

    held: list[Hold]
    short: list[ShortLine]
    expired: list[Hold]


class MoveOutcome(msgspec.Struct, frozen=True):
    """What ``stock_move`` answered: movements, their values in the same order, and holds that lost their units."""

    moved: list[Moved]
    values_e4: list[int]
    dropped: list[Hold]


class MoveLine(msgspec.Struct, frozen=True):
    """Units to add to (or, negative, to take off) what is on hand.

    What is added may bring the cost of each unit, or the value of all (ten-thousandths of a minor unit); without, the
    units cost what those of the level cost last. Of what is kept by lot, units that come must name theirs; those that go
    without come from the lots whose turn it is.
    """

    location: UUID
    variant: UUID
    quantity: int
    reason: str = ""
    lot: UUID | None = None
    unit_cost_e4: int | None = None
    value_e4: int | None = None


def _columns(lines: Sequence[HoldLine] | None) -> tuple[Any, Any, Any]:
    if lines is None:
        return None, None, None
    return [x.variant for x in lines], [x.quantity for x in lines], [x.location for x in lines]


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """A hold that is wanted. Without a ``buffer`` locations keep nothing back either."""

    lines: Sequence[HoldLine]
    channel: UUID
    pool: UUID
    buffer: int | None
    kind: HoldKind
    owner: UUID
    expires_at: datetime | None


async def take(tx: Tx, wanted: Take) -> TakeOutcome:
    """Hold the lines, or say what is short."""
    rows = await tx.rows(
        "SELECT * FROM stock_take($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *_columns(wanted.lines),
        wanted.channel,
        wanted.pool,
        wanted.buffer,
        wanted.kind,
        wanted.owner,
        wanted.expires_at,
    )
    outcome = TakeOutcome([], [], [])
    for row in rows:
        _sort(outcome, row)
    return outcome


async def short(
    reader: Reader, lines: Sequence[HoldLine], channel: UUID, pool: UUID, buffer: int | None
) -> list[ShortLine]:
    """What `take` would be short of now; it locks and changes nothing. What has expired makes no room here."""
    sql = "SELECT variant, quantity AS wanted, available FROM stock_plan($1, $2, $3, $4, $5, $6) WHERE location IS NULL"
    return await reader.all(ShortLine, sql, *_columns(lines), channel, pool, buffer)


async def plan(
    reader: Reader, lines: Sequence[HoldLine], channel: UUID, pool: UUID, buffer: int | None
) -> dict[tuple[UUID, UUID], int]:
    """Units by (location, variant) that `take` would hold now; it locks and changes nothing. What is short is left out."""
    rows = await reader.rows(
        """SELECT location, variant, sum(quantity)::int AS units FROM stock_plan($1, $2, $3, $4, $5, $6)
           WHERE location IS NOT NULL GROUP BY location, variant""",
        *_columns(lines),
        channel,
        pool,
        buffer,
    )
    return {(row["location"], row["variant"]): row["units"] for row in rows}


async def gone(reader: Reader, variants: Sequence[UUID], pool: UUID) -> list[UUID]:
    """Of which variants nothing at all seems to be left in a pool; nothing is locked."""
    rows = await reader.rows(
        "SELECT v.id FROM unnest($1::uuid[]) AS v (id) WHERE stock_is_gone(v.id, $2, NULL)",
        sorted(set(variants)),
        pool,
    )
    return [row["id"] for row in rows]


async def take_each(
    tx: Tx, wanted: Sequence[Take], claimants: Sequence[str] | None = None
) -> list[TakeOutcome]:
    """`take` for many in one call, one after the other, each with its own outcome.

    ``claimants`` are the ids of the transactions that will claim the holds (`transaction_id`), if it is not this one.
    """
    if len(wanted) == 1 and claimants is None:
        return [await take(tx, wanted[0])]
    rows = await tx.rows(
        "SELECT * FROM stock_take_each($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text[]::xid8[])",
        [len(each.lines) for each in wanted],
        *_columns([line for each in wanted for line in each.lines]),
        [each.channel for each in wanted],
        [each.pool for each in wanted],
        [each.buffer for each in wanted],
        [each.kind for each in wanted],
        [each.owner for each in wanted],
        [each.expires_at for each in wanted],
        None if claimants is None else list(claimants),
    )
    outcomes = [TakeOutcome([], [], []) for _ in wanted]
    for row in rows:
        _sort(outcomes[row["taker"] - 1], row)
    return outcomes


def _sort(outcome: TakeOutcome, row: Record) -> None:
    if row["outcome"] == "short":
        outcome.short.append(ShortLine(row["variant"], row["quantity"], row["available"]))
    else:
        (outcome.held if row["outcome"] == "held" else outcome.expired).append(_hold(row))


def _hold(row: Record) -> Hold:
    return Hold(
        row["id"], row["location"], row["variant"], row["quantity"], HoldKind(row["kind"]), row["owner"]
    )


async def release(tx: Tx, owner: UUID, kind: HoldKind | None, lines: Sequence[HoldLine] | None) -> list[Hold]:
    """Delete holds of an owner and give their units back."""
    sql = f"SELECT {_HOLD} FROM stock_release($1, $2, $3, $4, $5)"
    return await tx.all(Hold, sql, owner, kind, *_columns(lines))


class Conversion(msgspec.Struct, frozen=True):
    """Holds of an owner that get another owner and kind."""

    owner: UUID
    to_kind: HoldKind
    to_owner: UUID
    expires_at: datetime | None


# Read through a subquery the arrays say nothing of their length, so that one plan serves all.
_CONVERT = """
UPDATE hold h SET owner = n.to_owner, kind = n.to_kind, expires_at = n.until
FROM (SELECT $1::uuid[] AS a, $2::text[] AS b, $3::uuid[] AS c, $4::timestamptz[] AS d OFFSET 0) AS given
CROSS JOIN LATERAL unnest(given.a, given.b, given.c, given.d) AS n (owner, to_kind, to_owner, until)
WHERE h.owner = n.owner
RETURNING n.owner AS before, h.id, h.location, h.variant, h.quantity, h.kind, h.owner
"""


async def convert_each(tx: Tx, wanted: Sequence[Conversion]) -> list[list[Hold]]:
    """Change owner and kind of the holds of owners, each once."""
    rows = await tx.rows(
        _CONVERT,
        [each.owner for each in wanted],
        [each.to_kind for each in wanted],
        [each.to_owner for each in wanted],
        [each.expires_at for each in wanted],
    )
    found: dict[UUID, list[Hold]] = {each.owner: [] for each in wanted}
    for row in rows:
        found[row["before"]].append(_hold(row))
    return [found[each.owner] for each in wanted]


async def ship(
    tx: Tx,
    owner: UUID,
    lines: Sequence[HoldLine] | None,
    *,
    cause: Cause,
    reference: UUID,
    event: UUID,
) -> list[Moved]:
    """Turn holds of an owner into movements."""
    return await tx.all(
        Moved,
        """SELECT id, location, variant, quantity, on_hand_after AS on_hand, lot
           FROM stock_ship($1, NULL, $2, $3, $4, $5, $6, $7, $8, $9)""",
        owner,
        *_columns(lines),
        None if lines is None else [line.lot for line in lines],
        cause,
        reference,
        tx.actor.label,
        event,
    )


async def move(
    tx: Tx,
    lines: Sequence[MoveLine],
    *,
    cause: Cause,
    reference: UUID | None,
    event: UUID,
    may_drop: bool = False,
    happened_at: datetime | None = None,
) -> MoveOutcome:
    """Append movements. ``may_drop``: what is taken off was never there, so holds on it are dropped. ``happened_at``: before now.

    Raises:
        asyncpg.CheckViolationError: without ``may_drop``, when units are taken off that are not there or are held.
    """
    rows = await tx.rows(
        "SELECT * FROM stock_move($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        [line.location for line in lines],
        [line.variant for line in lines],
        [line.lot for line in lines],
        [line.quantity for line in lines],
        [line.reason for line in lines],
        [line.unit_cost_e4 for line in lines],
        [line.value_e4 for line in lines],
        cause,
        reference,
        tx.actor.label,
        event,
        may_drop,
        happened_at,
    )
    outcome = MoveOutcome([], [], [])
    for row in rows:
        if row["outcome"] == "moved":
            outcome.moved.append(
                Moved(row["id"], row["location"], row["variant"], row["quantity"], row["on_hand"], row["lot"])
            )
            outcome.values_e4.append(row["value_e4"])
        else:
            outcome.dropped.append(_hold(row))
    return outcome


async def sell(
    tx: Tx,
    location_id: UUID,
    lines: Sequence[tuple[UUID, int]],
    *,
    lease: UUID,
    reference: UUID,
    reason: str,
    events: tuple[UUID, UUID],
    happened_at: datetime,
    missed: Mapping[UUID, int],
    named: Mapping[UUID, int],
    named_reason: str,
) -> list[tuple[str, Moved]]:
    """Book a sale that has happened: ``sold``, ``found`` and ``named`` movements, and units of ``named`` lots that were ``lacked``.

    ``events`` are those of what is sold and of the others. Of each lot so many units go, the ``named`` ones first, then the ``missed`` ones.
    """
    rows = await tx.rows(
        "SELECT * FROM stock_sell($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        location_id,
        lease,
        [variant for variant, _ in lines],
        [units for _, units in lines],
        reference,
        reason,
        tx.actor.label,
        *events,
        happened_at,
        list(missed),
        list(missed.values()),
        list(named),
        list(named.values()),
        named_reason,
    )
    return [
        (
            row["outcome"],
            Moved(row["id"], row["location"], row["variant"], row["quantity"], row["on_hand"], row["lot"]),
        )
        for row in rows
    ]


async def prolong(tx: Tx, owner: UUID, kind: HoldKind, until: datetime) -> list[Hold]:
    """Let the holds of an owner last until then."""
    return await tx.all(Hold, f"SELECT {_HOLD} FROM stock_prolong($1, $2, $3)", owner, kind, until)


async def end_leases(tx: Tx, location_id: UUID, lines: Sequence[tuple[UUID, int]]) -> list[Hold]:
    """Free units (variant, so many) that tills have leased at a location."""
    return await tx.all(
        Hold,
        f"SELECT {_HOLD} FROM stock_end_leases($1, $2, $3)",
        location_id,
        [variant for variant, _ in lines],
        [units for _, units in lines],
    )


async def transaction_id(tx: Tx) -> str:
    """The id of this transaction, by which others see whether it still runs."""
    return str(await tx.value("SELECT pg_current_xact_id()::text"))


async def forget_claims(tx: Tx, seconds: int) -> None:
    """Forget for which transactions holds were taken so long ago."""
    await tx.execute("DELETE FROM hold_claim WHERE made_at < now() - make_interval(secs => $1)", seconds)


async def sweep(tx: Tx, most: int) -> list[Hold]:
    """Release at most so many expired holds."""
    return await tx.all(Hold, f"SELECT {_HOLD} FROM stock_sweep($1)", most)


async def expire(tx: Tx, location_id: UUID, variant: UUID) -> list[Hold]:
    """Release the expired holds of a level."""
    return await tx.all(
        Hold,
        f"""SELECT {_HOLD} FROM stock_expire(ARRAY[$2::uuid], ARRAY[$1::uuid],
                                             (SELECT pool FROM location WHERE id = $1))""",
        location_id,
        variant,
    )


async def holds_of(reader: Reader, owner: UUID) -> list[Hold]:
    """What is held for an owner."""
    return await reader.all(Hold, f"SELECT {_HOLD} FROM hold WHERE owner = $1 ORDER BY created_at, id", owner)


async def shipped(reader: Reader, reference: UUID, variants: Sequence[UUID] = ()) -> list[Moved]:
    """What was sold under a reference (an order): its sale movements, oldest first. What had another name of one of these
    ``variants`` when it left is said of that."""
    return await reader.all(
        Moved,
        """SELECT m.id, m.location, coalesce(now_as.variant, m.variant) AS variant, m.quantity, m.on_hand_after AS on_hand, m.lot
           FROM movement m LEFT JOIN LATERAL (
               SELECT a.variant FROM unnest($2::uuid[]) AS a (variant) WHERE m.variant IN (SELECT variant_names(a.variant))
               ORDER BY a.variant <> m.variant LIMIT 1) AS now_as ON true
           WHERE m.reference = $1 AND m.cause = 'sale' ORDER BY m.seq""",
        reference,
        list(variants),
    )


async def copy_receipts(
    tx: Tx, rows: Sequence[tuple[UUID, UUID, UUID | None, int, int | None]], *, reference: UUID, event: UUID
) -> int:
    """COPY receipts (location, variant, lot, units, cost of each) and book them, one movement for each level or lot."""
    await tx.execute(
        """CREATE TEMPORARY TABLE opening_stock (location uuid, variant uuid, lot uuid, quantity int, cost bigint)
           ON COMMIT DROP"""
    )
    await tx.copy("opening_stock", ["location", "variant", "lot", "quantity", "cost"], rows)
    count: int = await tx.value("SELECT stock_open($1, $2, $3)", reference, tx.actor.label, event)
    await tx.execute("DROP TABLE opening_stock")
    return count


async def revalue(
    tx: Tx,
    location_id: UUID,
    costs: Sequence[tuple[UUID, int]],
    *,
    reason: str,
    reference: UUID,
    event: UUID,
) -> list[Moved]:
    """Say what the units of levels cost: (variant, ten-thousandths of a minor unit) each."""
    return await tx.all(
        Moved,
        """SELECT id, location, variant, quantity, on_hand_after AS on_hand
           FROM stock_revalue($1, $2, $3, $4, $5, $6, $7)""",
        location_id,
        [variant for variant, _ in costs],
        [cost for _, cost in costs],
        reason,
        reference,
        tx.actor.label,
        event,
    )


async def sold_costs(reader: Reader, reference: UUID, variants: Sequence[UUID]) -> dict[UUID, int]:
    """What units that were sold under a reference had cost each, by variant, under whatever name they left."""
    rows = await reader.rows(
        """SELECT a.variant, round(sum(m.value_e4) / sum(m.quantity))::bigint AS cost
           FROM unnest($2::uuid[]) AS a (variant)
                JOIN movement m ON m.reference = $1 AND m.cause = 'sale' AND m.variant IN (SELECT variant_names(a.variant))
           GROUP BY a.variant""",
        reference,
        sorted(set(variants)),
    )
    return {row["variant"]: row["cost"] for row in rows}


async def set_level(tx: Tx, location_id: UUID, variant: UUID, values: Mapping[str, Any]) -> Record:
    """Set columns, making the level if there is none; how it behaves then.

    Raises:
        asyncpg.CheckViolationError: more units are held than may be then.
    """
    names = list(values)
    places = "".join(f", ${number}" for number in range(3, len(names) + 3))
    columns = "".join(f", {name}" for name in names)
    sets = "".join(f"{name} = EXCLUDED.{name}, " for name in names)
    row = await tx.row(
        f"""INSERT INTO level AS l (location, variant{columns}) VALUES ($1, $2{places})
            ON CONFLICT (location, variant) DO UPDATE SET {sets} updated_at = now()
            RETURNING backorder_limit, low_at, sells_incoming, backorder_on, reorder_point,
                      reorder_quantity""",
        location_id,
        variant,
        *values.values(),
    )
    assert row is not None
    return row


async def expect(tx: Tx, lines: Sequence[MoveLine]) -> list[Hold]:
    """More (or, negative, fewer) units are expected at levels; holds that had counted on them are dropped."""
    return await tx.all(
        Hold,
        f"SELECT {_HOLD} FROM stock_expect($1, $2, $3)",
        [line.location for line in lines],
        [line.variant for line in lines],
        [line.quantity for line in lines],
    )


async def variants_by_name(
    reader: Reader, location_id: UUID, skus: Sequence[str], codes: Sequence[str]
) -> list[Record]:
    """Variants (field, name, id) in the catalogues of the channels that share a location's stock.

    A code is a SKU or else a GTIN, with or without the zeros before it.
    """
    return await reader.rows(
        """
        WITH catalogue AS MATERIALIZED (
            SELECT DISTINCT catalogue.pool FROM location p
            JOIN channel_pool stock ON stock.pool = p.pool AND stock.resource = 'stock'
            JOIN channel_pool catalogue ON catalogue.channel = stock.channel AND catalogue.resource = 'catalogue'
            WHERE p.id = $1
        ), scanned AS (SELECT DISTINCT code FROM unnest($3::text[]) AS code),
        by_sku AS (
            SELECT s.code, v.id FROM scanned s CROSS JOIN catalogue c JOIN variant v ON v.pool = c.pool AND v.sku = s.code
        )
        SELECT 'sku' AS field, v.sku AS name, v.id FROM catalogue c
        JOIN variant v ON v.pool = c.pool AND v.sku = ANY($2::text[])
        UNION ALL
        SELECT 'code', code, id FROM by_sku
        UNION ALL
        SELECT 'code', s.code, v.id FROM scanned s CROSS JOIN catalogue c
        JOIN variant v ON v.pool = c.pool AND v.gtin14 = lpad(s.code, 14, '0')
        WHERE s.code ~ '^[0-9]{8,14}$' AND s.code NOT IN (SELECT code FROM by_sku)
        """,
        location_id,
        list(skus),
        list(codes),
    )
