"""Stock in the database: calls of the functions in ``sql/``, and reads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record

from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.kernel.rows import into
from samlad.stock.model import Cause, Hold, HoldKind, HoldLine, Level, Location, Moved
from samlad.stock.problems import ShortLine

_HOLD = "id, location, variant, quantity, kind, owner"
_LOCATION = """id, pool, code, name, kind, channel, address, latitude, longitude, time_zone, priority, is_active,
               version"""


class TakeOutcome(msgspec.Struct, frozen=True):
    """What ``stock_take`` answered: holds or shortages, and others' holds that had expired."""

    held: list[Hold]
    short: list[ShortLine]
    expired: list[Hold]


class MoveOutcome(msgspec.Struct, frozen=True):
    """What ``stock_move`` answered: movements, and holds that lost their units."""

    moved: list[Moved]
    dropped: list[Hold]


class MoveLine(msgspec.Struct, frozen=True):
    """Units to add to (or, negative, to take off) what is on hand."""

    location: UUID
    variant: UUID
    quantity: int
    reason: str = ""


def _columns(lines: Sequence[HoldLine] | None) -> tuple[Any, Any, Any]:
    if lines is None:
        return None, None, None
    return [x.variant for x in lines], [x.quantity for x in lines], [x.location for x in lines]


async def take(
    tx: Tx,
    lines: Sequence[HoldLine],
    *,
    channel: UUID,
    pool: UUID,
    buffer: int,
    kind: HoldKind,
    owner: UUID,
    expires_at: datetime | None,
) -> TakeOutcome:
    """Hold the lines, or say what is short."""
    rows = await tx.rows(
        "SELECT * FROM stock_take($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *_columns(lines),
        channel,
        pool,
        buffer,
        kind,
        owner,
        expires_at,
    )
    outcome = TakeOutcome([], [], [])
    for row in rows:
        if row["outcome"] == "short":
            outcome.short.append(ShortLine(row["variant"], row["quantity"], row["available"]))
        else:
            (outcome.held if row["outcome"] == "held" else outcome.expired).append(_hold(row))
    return outcome


def _hold(row: Record) -> Hold:
    return Hold(
        row["id"], row["location"], row["variant"], row["quantity"], HoldKind(row["kind"]), row["owner"]
    )


async def release(tx: Tx, owner: UUID, kind: HoldKind | None, lines: Sequence[HoldLine] | None) -> list[Hold]:
    """Delete holds of an owner and give their units back."""
    sql = f"SELECT {_HOLD} FROM stock_release($1, $2, $3, $4, $5)"
    return await tx.all(Hold, sql, owner, kind, *_columns(lines))


async def convert(
    tx: Tx, owner: UUID, to_kind: HoldKind, to_owner: UUID, expires_at: datetime | None
) -> list[Hold]:
    """Change owner and kind of an owner's holds."""
    return await tx.all(
        Hold,
        f"UPDATE hold SET owner = $2, kind = $3, expires_at = $4 WHERE owner = $1 RETURNING {_HOLD}",
        owner,
        to_owner,
        to_kind,
        expires_at,
    )


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
        """SELECT id, location, variant, quantity, on_hand_after AS on_hand
           FROM stock_ship($1, NULL, $2, $3, $4, $5, $6, $7, $8)""",
        owner,
        *_columns(lines),
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
) -> MoveOutcome:
    """Append movements. ``may_drop``: what is taken off was never there, so holds on it are dropped.

    Raises:
        asyncpg.CheckViolationError: without ``may_drop``, when units are taken off that are not there or are held.
    """
    rows = await tx.rows(
        "SELECT * FROM stock_move($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [line.location for line in lines],
        [line.variant for line in lines],
        [line.quantity for line in lines],
        [line.reason for line in lines],
        cause,
        reference,
        tx.actor.label,
        event,
        may_drop,
    )
    outcome = MoveOutcome([], [])
    for row in rows:
        if row["outcome"] == "moved":
            outcome.moved.append(
                Moved(row["id"], row["location"], row["variant"], row["quantity"], row["on_hand"])
            )
        else:
            outcome.dropped.append(_hold(row))
    return outcome


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


# An expired hold that nobody has released yet does not count: it makes room as soon as somebody wants it.
_LIVE = """CROSS JOIN LATERAL (SELECT (l.held - coalesce(sum(h.quantity), 0))::int AS held FROM hold h
           WHERE h.location = l.location AND h.variant = l.variant AND h.expires_at <= now()) AS live"""
_FREE = "greatest(l.on_hand - live.held, 0)"
_LEVEL = f"l.location, l.variant, l.on_hand, live.held, {_FREE} AS available, l.backorder_limit"


async def levels_of(reader: Reader, variants: Sequence[UUID]) -> list[Level]:
    """Every level of these variants, at active locations of all pools."""
    return await reader.all(
        Level,
        f"""SELECT {_LEVEL} FROM level l {_LIVE} JOIN location p ON p.id = l.location AND p.is_active
            WHERE l.variant = ANY($1::uuid[]) ORDER BY l.variant, p.priority, p.code""",
        list(variants),
    )


async def promised_levels(
    reader: Reader, channel: Channel, variants: Sequence[UUID], *, carry_out: bool
) -> list[Level]:
    """Levels that a channel promises from: its stock pool's active locations, or only its own store."""
    return await reader.all(
        Level,
        f"""SELECT {_LEVEL} FROM level l {_LIVE} JOIN location p ON p.id = l.location
            WHERE l.variant = ANY($1::uuid[]) AND p.pool = $2 AND p.is_active AND (NOT $4 OR p.channel = $3)
            ORDER BY l.variant, p.channel IS NOT DISTINCT FROM $3 DESC, p.priority, p.code""",
        list(variants),
        channel.pools[Resource.STOCK],
        channel.id,
        carry_out,
    )


async def available(
    reader: Reader, channel: Channel, variants: Sequence[UUID], *, carry_out: bool
) -> dict[UUID, int]:
    """Free units by variant over the locations of `promised_levels`; variants without a level are missing."""
    rows = await reader.rows(
        f"""SELECT l.variant, sum({_FREE})::bigint AS free FROM level l {_LIVE} JOIN location p ON p.id = l.location
            WHERE l.variant = ANY($1::uuid[]) AND p.pool = $2 AND p.is_active AND (NOT $4 OR p.channel = $3)
            GROUP BY l.variant""",
        list(variants),
        channel.pools[Resource.STOCK],
        channel.id,
        carry_out,
    )
    return {row["variant"]: row["free"] for row in rows}


async def shipped(reader: Reader, reference: UUID) -> list[Moved]:
    """What was sold under a reference (an order): its sale movements, oldest first."""
    return await reader.all(
        Moved,
        """SELECT id, location, variant, quantity, on_hand_after AS on_hand FROM movement
           WHERE reference = $1 AND cause = 'sale' ORDER BY seq""",
        reference,
    )


async def copy_receipts(
    tx: Tx, rows: Sequence[tuple[UUID, UUID, int]], *, reference: UUID, event: UUID
) -> int:
    """COPY receipts (location, variant, units) and book them, one movement for each level."""
    await tx.execute(
        """CREATE TEMPORARY TABLE opening_stock (location uuid, variant uuid, quantity int) ON COMMIT DROP"""
    )
    await tx.copy("opening_stock", ["location", "variant", "quantity"], rows)
    count: int = await tx.value("SELECT stock_open($1, $2, $3)", reference, tx.actor.label, event)
    await tx.execute("DROP TABLE opening_stock")
    return count


async def set_level(
    tx: Tx, location_id: UUID, variant: UUID, backorder_limit: int | None, low_at: int | None
) -> Record:
    """Set what is given, making the level if there is none; both values as they are then.

    Raises:
        asyncpg.CheckViolationError: more units are held than the new limit allows.
    """
    row = await tx.row(
        """INSERT INTO level AS l (location, variant, backorder_limit, low_at)
           VALUES ($1, $2, coalesce($3, 0), coalesce($4, 2))
           ON CONFLICT (location, variant) DO UPDATE
           SET backorder_limit = coalesce($3, l.backorder_limit), low_at = coalesce($4, l.low_at), updated_at = now()
           RETURNING backorder_limit, low_at""",
        location_id,
        variant,
        backorder_limit,
        low_at,
    )
    assert row is not None
    return row


async def variants_by_sku(reader: Reader, location_id: UUID, skus: Sequence[str]) -> list[Record]:
    """Variants (sku, id) in the catalogues of the channels that share a location's stock."""
    return await reader.rows(
        """
        SELECT v.sku, v.id FROM variant v WHERE v.sku = ANY($2::text[]) AND v.pool IN (
            SELECT catalogue.pool FROM location p
            JOIN channel_pool stock ON stock.pool = p.pool AND stock.resource = 'stock'
            JOIN channel_pool catalogue ON catalogue.channel = stock.channel AND catalogue.resource = 'catalogue'
            WHERE p.id = $1)
        """,
        location_id,
        list(skus),
    )


async def location(reader: Reader, location_id: UUID) -> Location:
    """A location. Raises NotFound."""
    found = await reader.one(Location, f"SELECT {_LOCATION} FROM location WHERE id = $1", location_id)
    if found is None:
        raise NotFound(f"There is no location {location_id}.")
    return found


async def locations(reader: Reader, pool: UUID | None = None) -> list[Location]:
    """All locations, or those of a stock pool, by priority."""
    return await reader.all(
        Location,
        f"SELECT {_LOCATION} FROM location WHERE $1::uuid IS NULL OR pool = $1 ORDER BY priority, code",
        pool,
    )


async def location_by_code(reader: Reader, code: str) -> Location:
    """A location. Raises NotFound."""
    found = await reader.one(Location, f"SELECT {_LOCATION} FROM location WHERE code = $1", code)
    if found is None:
        raise NotFound(f"There is no location “{code}”.")
    return found


async def insert_location(tx: Tx, values: Mapping[str, Any]) -> Location | None:
    """Insert a location; None when its code is taken."""
    names = list(values)
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    rows = await tx.rows(
        f"""INSERT INTO location ({", ".join(names)}) VALUES ({places}) ON CONFLICT (code) DO NOTHING
            RETURNING {_LOCATION}""",
        *values.values(),
    )
    return into(Location, rows)[0] if rows else None


async def update_location(
    tx: Tx, location_id: UUID, version: int, values: Mapping[str, Any]
) -> Location | None:
    """Set columns and count the version up; None when the version is not that any more."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 3))
    return await tx.one(
        Location,
        f"""UPDATE location SET {sets} version = version + 1, updated_at = now()
            WHERE id = $1 AND version = $2 RETURNING {_LOCATION}""",
        location_id,
        version,
        *values.values(),
    )
