"""Levels as they are, and as a channel sees them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader
from samlad.kernel.rows import into
from samlad.stock import sets
from samlad.stock.model import ExcludedBy, ExcludedLevel, Level
from samlad.stock.sets import SetOf, Sets

FREE = """l.on_hand - l.expired - l.expiring - l.blocked - l.held + coalesce((SELECT sum(h.quantity) FROM hold h WHERE h.location = l.location
           AND h.variant = l.variant AND h.expires_at <= now()), 0)"""
"""Units of a level ``l`` that nobody holds. An expired hold that nobody has released yet makes room as soon as somebody wants it."""

# What tills of a store have leased lies in it: whoever stands there can have it.
_LEASED = """coalesce((SELECT sum(h.quantity) FROM hold h WHERE h.location = l.location AND h.variant = l.variant
             AND h.kind = 'lease' AND h.expires_at > now()), 0)"""

# What is asked for ($1) and, of sets, their parts. What a set may have from before it was one counts for nothing.
_STOCKED = (
    """($1::uuid[] || ARRAY(SELECT b.component FROM bundle_component b WHERE b.bundle = ANY($1::uuid[])))"""
)
_SETS = """(SELECT jsonb_agg(jsonb_build_array(b.bundle, b.component, v.sku, b.quantity) ORDER BY b.bundle, v.sku)
            FROM bundle_component b JOIN variant v ON v.id = b.component WHERE b.bundle = ANY($1::uuid[])) AS sets"""

# What a channel ($3) sees; $4: only its own store, all of which a customer can have in hand.
_SEEN = f"""FROM level l JOIN location p ON p.id = l.location
    LEFT JOIN location_sharing c ON c.location = l.location AND c.channel = $3
    CROSS JOIN LATERAL (SELECT CASE WHEN $4 THEN 0 ELSE coalesce(c.buffer, p.buffer) END AS kept,
                               CASE WHEN NOT p.is_active THEN 'inactive'
                                    WHEN c.is_excluded AND NOT $4 THEN 'channel' END AS excluded,
                               {FREE} + CASE WHEN $4 THEN {_LEASED} ELSE 0 END AS free) n
    WHERE l.variant = ANY({_STOCKED}) AND p.pool = $2 AND (NOT $4 OR p.channel = $3)"""

TODAY = "(now() AT TIME ZONE p.time_zone)::date"
COMING = f"""l.sells_incoming, CASE WHEN l.backorder_on >= {TODAY} THEN l.backorder_on END AS backorder_on,
    CASE WHEN l.incoming > 0 THEN (
        SELECT coalesce(jsonb_agg(jsonb_build_object('purchase', i.purchase, 'transfer', i.transfer, 'units', i.units, 'expected_on',
                        i.expected_on, 'is_late', coalesce(i.expected_on < {TODAY}, false))
                        ORDER BY i.expected_on, i.purchase, i.transfer), '[]')
        FROM stock_incoming i WHERE i.variant = l.variant AND i.location = l.location) ELSE '[]' END AS incoming"""
"""What comes to a level ``l`` at a location ``p``, and when."""
_HELD = (
    "(l.on_hand - l.expired - l.expiring - l.blocked - n.free)::int AS held, l.expired, l.expiring, l.blocked"
)
_PROMISED = f"""l.location, l.variant, l.on_hand, {_HELD}, greatest(n.free - n.kept, 0)::int AS available,
    l.backorder_limit, n.kept,
    (greatest(n.free - n.kept + stock_later(l.backorder_limit, l.incoming, l.sells_incoming), 0)
     - greatest(n.free - n.kept, 0))::int AS later,
    {COMING}"""


class _Level(Level, frozen=True):
    """A level, and of which parts the sets are made that were asked for beside it."""

    sets: list[SetOf] | None = None


class Seen(msgspec.Struct, frozen=True):
    """Levels that count, those that do not with the variant, and of which parts the sets are that were asked for."""

    levels: list[Level]
    excluded: list[tuple[UUID, ExcludedLevel]]
    sets: Sets


async def levels_of(
    reader: Reader, variants: Sequence[UUID], *, channel: Channel | None = None
) -> list[Level]:
    """Levels of these variants: those that a channel promises from, as it sees them.

    Without a channel every level at active locations of all pools, whoever may sell from them, nothing kept back.
    """
    if channel is not None:
        seen = await promised_levels(reader, channel, variants, carry_out=False)
        return sets.levels_with_sets(seen.levels, seen.sets, variants) if seen.sets else seen.levels
    rows = await reader.all(
        _Level,
        f"""SELECT l.location, l.variant, l.on_hand, {_HELD}, greatest(n.free, 0)::int AS available, l.backorder_limit, {_SETS}
            FROM level l CROSS JOIN LATERAL (SELECT {FREE} AS free) n JOIN location p ON p.id = l.location AND p.is_active
            WHERE l.variant = ANY({_STOCKED}) ORDER BY l.variant, p.priority, p.code""",
        list(variants),
    )
    known = sets.known(rows[0].sets if rows else None)
    levels = [Level(*(getattr(level, name) for name in Level.__struct_fields__)) for level in rows]
    return sets.levels_with_sets(levels, known, variants) if known else levels


async def promised_levels(
    reader: Reader, channel: Channel, variants: Sequence[UUID], *, carry_out: bool
) -> Seen:
    """Levels that a channel promises from, and what its stock pool has beside those; of sets, those of their parts.

    ``carry_out``: only what lies in its own store.
    """
    rows = await reader.rows(
        f"""SELECT {_PROMISED}, n.excluded, {_SETS} {_SEEN}
            ORDER BY l.variant, p.channel IS NOT DISTINCT FROM $3 DESC, p.priority, p.code""",
        *_arguments(channel, variants, carry_out),
    )
    made = msgspec.convert(rows[0]["sets"] if rows else None, list[SetOf] | None, strict=False)
    seen = Seen([], [], sets.known(made))
    counting: list[dict[str, Any]] = []
    for row in rows:
        level = dict(row)
        del level["sets"]
        if level["variant"] in seen.sets:
            continue
        excluded = level.pop("excluded")
        if excluded is None:
            counting.append(level)
        else:
            told = ExcludedLevel(level["location"], level["on_hand"], level["held"], ExcludedBy(excluded))
            seen.excluded.append((level["variant"], told))
    seen.levels.extend(into(Level, counting))
    return seen


class _Asked(msgspec.Struct, frozen=True):
    """How many of which variants a channel could sell."""

    channel: Channel
    variants: Sequence[UUID]
    buffer: int
    carry_out: bool


async def available(
    reader: Reader, channel: Channel, variants: Sequence[UUID], buffer: int, *, carry_out: bool
) -> dict[UUID, int]:
    """Units by variant over the locations of `promised_levels`, less the channel's buffer; of a set, as many as each of its
    parts makes. Variants without a level are missing."""
    return await reader.with_others(_available_each, _Asked(channel, variants, buffer, carry_out))


async def _available_each(reader: Reader, asked: Sequence[_Asked]) -> list[dict[UUID, int]]:
    """One statement for those who ask the same way."""
    free: dict[tuple[UUID, UUID, int, bool], dict[UUID, int]] = {}
    ways = [(e.channel.id, e.channel.pools[Resource.STOCK], e.buffer, e.carry_out) for e in asked]
    for way, first in zip(ways, asked, strict=True):
        if way not in free:
            wanted = [e.variants for e, its in zip(asked, ways, strict=True) if its == way]
            variants = list(dict.fromkeys(variant for each in wanted for variant in each))
            free[way] = await _available(reader, msgspec.structs.replace(first, variants=variants))
    return [
        {variant: free[way][variant] for variant in each.variants if variant in free[way]}
        for way, each in zip(ways, asked, strict=True)
    ]


async def _available(reader: Reader, asked: _Asked) -> dict[UUID, int]:
    rows = await reader.rows(
        f"""WITH free AS (
                SELECT l.variant, greatest(sum(greatest(n.free - n.kept, 0)) - $5, 0)::bigint AS units
                {_SEEN} AND n.excluded IS NULL GROUP BY l.variant
            ), asked AS (
                SELECT w.variant, coalesce(b.component, w.variant) AS part, coalesce(b.quantity, 1) AS quantity
                FROM unnest($1::uuid[]) AS w (variant) LEFT JOIN bundle_component b ON b.bundle = w.variant
            )
            SELECT a.variant, min(coalesce(f.units, 0) / a.quantity)::bigint AS free
            FROM asked a LEFT JOIN free f ON f.variant = a.part GROUP BY a.variant""",
        *_arguments(asked.channel, asked.variants, asked.carry_out),
        asked.buffer,
    )
    return {row["variant"]: row["free"] for row in rows}


def _arguments(channel: Channel, variants: Sequence[UUID], carry_out: bool) -> tuple[Any, ...]:
    return list(variants), channel.pools[Resource.STOCK], channel.id, carry_out


async def free_at(reader: Reader, location: UUID) -> list[tuple[UUID, int]]:
    """What is free at a location, as (variant, units); variants of which nothing is are left out."""
    rows = await reader.rows(
        f"""SELECT l.variant, n.free::int AS free FROM level l CROSS JOIN LATERAL (SELECT {FREE} AS free) n
            WHERE l.location = $1 AND l.on_hand > 0 AND n.free > 0""",
        location,
    )
    return [(row["variant"], row["free"]) for row in rows]


async def lease_ends(reader: Reader, owner: UUID) -> datetime | None:
    """When the first of a till's leased units are on sale again."""
    ends: datetime | None = await reader.value(
        "SELECT min(expires_at) FROM hold WHERE owner = $1 AND kind = 'lease'", owner
    )
    return ends
