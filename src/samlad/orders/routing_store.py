"""SQL of the table ``routing``, and the reads that routing decides on."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort
from samlad.orders.routing_model import Routing, RuleSet

_ROUTING = "r.id, r.channel, r.version, r.rules, r.note, r.actor, r.created_at"

ROUTINGS: Listing[Routing] = Listing(
    row=Routing,
    select=_ROUTING,
    source="routing r",
    key="r.id",
    sorts={"created_at": Sort("r.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={"channel": Filter("r.channel = (SELECT id FROM channel WHERE code = {}::text)")},
)


async def routing(reader: Reader, routing_id: UUID) -> Routing | None:
    """A version of rules, or None."""
    return await reader.one(Routing, f"SELECT {_ROUTING} FROM routing r WHERE r.id = $1", routing_id)


async def insert(tx: Tx, routing_id: UUID, channel: UUID, rules: RuleSet, note: str) -> Routing | None:
    """Add the next version of a channel; None when somebody adds one at the same moment."""
    return await tx.one(
        Routing,
        f"""INSERT INTO routing AS r (id, channel, version, rules, note, actor)
            SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5 FROM routing WHERE channel = $2
            ON CONFLICT (channel, version) DO NOTHING
            RETURNING {_ROUTING}""",
        routing_id,
        channel,
        msgspec.to_builtins(rules),
        note,
        tx.actor.label,
    )


def _kept(channel: str) -> str:
    """Units that a location ``p`` keeps back from a channel (a parameter), which may say otherwise of it (``c``)."""
    return f"CASE WHEN p.channel IS NOT DISTINCT FROM {channel} THEN 0 ELSE coalesce(c.buffer, p.buffer) END"


def _serves(channel: str) -> str:
    """Whether a location gives anything to a channel."""
    return f"(p.channel IS NOT DISTINCT FROM {channel} OR NOT coalesce(c.is_excluded, false))"


async def shelves(
    reader: Reader, pool: UUID, channel: UUID, variants: Sequence[UUID], day: date, *, with_age: bool
) -> list[Any]:
    """What every active location of a pool has of variants for a channel, and how much is to be done there on a day. One statement.

    What a location keeps back, and locations that the channel leaves out, do not count, as where stock is taken: all of the
    channel's own place does.

    ``free``: units that are there; ``later``: with those that may be sold ahead, where more is promised than is there.

    ``age_days``: since units last came in, under whatever name of the variant; only asked for when a rule wants it. That
    catalogues were joined brought nothing in.
    """
    age = """(SELECT extract(epoch FROM now() - max(m.created_at)) / 86400 FROM movement m
              WHERE m.location = l.location AND m.variant IN (SELECT variant_names(l.variant))
                AND m.cause IN ('receipt', 'transfer_in', 'return')
                AND NOT (m.cause = 'transfer_in' AND m.reason = 'pools' AND m.reference IS NULL))"""
    free = f"l.on_hand - l.expired - l.expiring - l.blocked - l.held - {_kept('$4')}"
    later = f"{free} + stock_later(l.backorder_limit, l.incoming, l.sells_incoming)"
    return await reader.rows(
        f"""SELECT p.id, p.kind, l.variant, greatest({free}, 0) AS free, {later} AS later,
                   {age if with_age else "0"}::float8 AS age_days, coalesce(d.orders, 0) AS load,
                   coalesce(d.units, 0) AS load_units
            FROM location p JOIN level l ON l.location = p.id AND l.variant = ANY($2::uuid[])
            LEFT JOIN delivery_load d ON d.location = p.id AND d.day = $3
            LEFT JOIN location_sharing c ON c.location = p.id AND c.channel = $4
            WHERE p.pool = $1 AND p.is_active AND {later} > 0
              AND {_serves("$4")}""",
        pool,
        list(variants),
        day,
        channel,
    )


async def past_orders(
    reader: Reader, channel: UUID, since: datetime, until: datetime, limit: int
) -> list[Any]:
    """Orders of a channel that were sent, the latest first, with their lines and the places that they left from.

    A place is known from the ledger, or from what is held for an order that has not left.
    """
    return await reader.rows(
        """SELECT o.id, o.number, o.placed_at, o.address,
                  (SELECT jsonb_agg(jsonb_build_array(l.variant, l.quantity, l.total) ORDER BY l.position)
                   FROM order_line l WHERE l.order_id = o.id AND l.kind = 'item' AND l.variant IS NOT NULL) AS lines,
                  ARRAY(SELECT m.location FROM movement m WHERE m.reference = o.id AND m.cause = 'sale'
                        UNION SELECT h.location FROM hold h WHERE h.owner = o.id AND h.kind = 'order') AS places
           FROM orders o
           WHERE o.channel = $1 AND o.placed_at >= $2 AND o.placed_at < $3 AND o.kind = 'sale' AND o.delivery = 'ship'
             AND o.imported IS NULL
           ORDER BY o.placed_at DESC, o.id LIMIT $4""",
        channel,
        since,
        until,
        limit,
    )


async def shelves_then(
    reader: Reader,
    pool: UUID,
    channel: UUID,
    variants: Sequence[UUID],
    moments: Sequence[datetime],
    orders: Sequence[UUID],
) -> list[Any]:
    """What lay at every active location of a pool when orders were placed, by the ledger: one row an order, variant, place.

    The three lists go together. What was held for others at that moment is not known any more and counts as free. What was
    there is found by all names that the variant has had. What is kept back, and left out for the channel, is so as it is now.
    """
    return await reader.rows(
        f"""SELECT w.order_id, w.variant, p.id, p.kind, (past.units - {_kept("$5")})::int AS free
           FROM unnest($2::uuid[], $3::timestamptz[], $4::uuid[]) AS w (variant, moment, order_id)
           JOIN level l ON l.variant = w.variant
           JOIN location p ON p.id = l.location AND p.pool = $1 AND p.is_active
           LEFT JOIN location_sharing c ON c.location = p.id AND c.channel = $5
           CROSS JOIN LATERAL (
               SELECT sum(one.on_hand_after) AS units FROM variant_names(l.variant) AS name CROSS JOIN LATERAL (
                   SELECT m.on_hand_after FROM movement m
                   WHERE m.location = l.location AND m.variant = name AND m.created_at <= w.moment
                   ORDER BY m.seq DESC LIMIT 1) AS one) AS past
           WHERE past.units > {_kept("$5")} AND {_serves("$5")}""",
        pool,
        list(variants),
        list(moments),
        list(orders),
        channel,
    )
