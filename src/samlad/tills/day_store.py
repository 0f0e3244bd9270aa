"""SQL of what tills take along for a day; it only reads."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    """A member who bought here."""

    id: UUID
    name: str
    code: str
    phone: str | None
    group_name: str | None
    promotions: list[UUID]


class PickUpRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order that waits."""

    id: UUID
    number: str
    name: str | None
    state: str
    code: str | None
    pick_up_by: datetime | None
    lines: list[tuple[str, int]]


class ReceiptLine(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A line of which something may come back. ``gone`` units of ``quantity`` did already; ``total`` is of all, with tax. ``lots``: (code, units)
    that are still out, where the goods are kept by lot."""

    position: int
    title: str
    quantity: int
    gone: int
    total: int
    sold_by: str = "piece"
    lots: list[tuple[str, int]] = []


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A sale of this store that was paid in cash alone. ``entry`` is the till's own id of it, if a till sent it."""

    order: UUID
    number: str
    reference: str | None
    entry: UUID | None
    day: date
    lines: list[ReceiptLine]


async def members(reader: Reader, channel: UUID, pool: UUID, since: datetime, most: int) -> list[MemberRow]:
    """Members who bought in a store lately, who was here last first."""
    return await reader.all(
        MemberRow,
        """WITH seen AS (
               SELECT coalesce(c.survivor, c.id) AS id, max(o.placed_at) AS last
               FROM orders o JOIN customer c ON c.id = o.customer
               WHERE o.channel = $1 AND o.placed_at >= $3 GROUP BY 1)
           SELECT c.id, c.name, m.code, c.phone, c.group_name,
                  ARRAY(SELECT g.promotion FROM promotion_grant g WHERE g.holder = c.id) AS promotions
           FROM seen JOIN customer c ON c.id = seen.id AND c.pool = $2
                JOIN LATERAL (SELECT code FROM loyalty_member WHERE customer = ANY (customer_members(ARRAY[c.id]))
                              ORDER BY joined_at LIMIT 1) m ON true
           WHERE c.name IS NOT NULL ORDER BY seen.last DESC, c.id LIMIT $4""",
        channel,
        pool,
        since,
        most,
    )


async def pick_ups(reader: Reader, location: UUID) -> list[PickUpRow]:
    """What waits at a place to be handed over."""
    return await reader.all(
        PickUpRow,
        """SELECT f.id, o.number, o.name, f.state, f.code, f.pick_up_by,
                  (SELECT jsonb_agg(jsonb_build_array(l.title, n.quantity) ORDER BY n.position)
                   FROM fulfilment_line n JOIN order_line l ON l.order_id = f.order_id AND l.position = n.position
                   WHERE n.fulfilment = f.id) AS lines
           FROM fulfilment f JOIN orders o ON o.id = f.order_id
           WHERE f.location = $1 AND f.state IN ('picked', 'packed', 'ready') AND f.method NOT IN ('ship', 'same_day')
           ORDER BY f.opened_at, f.id LIMIT 500""",
        location,
    )


async def receipts(reader: Reader, channel: UUID, since: datetime, most: int) -> list[Receipt]:
    """Sales of a store of which goods may come back for cash: paid in cash alone, the latest first."""
    return await reader.all(
        Receipt,
        """SELECT o.id AS order, o.number, s.reference, s.id AS entry, o.local_day AS day, lines.lines
           FROM (SELECT * FROM orders WHERE channel = $1 AND placed_at >= $2 AND kind = 'sale'
                 ORDER BY placed_at DESC, id LIMIT $3) o
           LEFT JOIN till_sale s ON s.order_id = o.id
           JOIN LATERAL (
               SELECT jsonb_agg(jsonb_build_array(l.position, concat_ws(', ', l.title, nullif(l.options, '')),
                                l.quantity, l.returned + l.cancelled, l.total, l.sold_by, coalesce(still.lots, '[]'))
                                ORDER BY l.position) AS lines
               FROM order_line l
               LEFT JOIN variant v ON v.id = l.variant LEFT JOIN product g ON g.id = v.product AND g.tracking <> 'none'
               LEFT JOIN LATERAL (
                   SELECT jsonb_agg(jsonb_build_array(left_.code, left_.units) ORDER BY left_.code) AS lots
                   FROM (SELECT t.code, -sum(m.quantity)::int AS units
                         FROM movement m JOIN lot t ON t.id = m.lot
                         WHERE m.variant = l.variant AND t.code <> '' AND m.cause IN ('sale', 'return')
                           AND (m.reference = o.id OR m.reference IN (SELECT r.id FROM orders r WHERE r.returns = o.id))
                         GROUP BY t.code HAVING sum(m.quantity) < 0) left_) still ON g.id IS NOT NULL
               WHERE l.order_id = o.id AND l.kind = 'item' AND l.fulfilled > l.returned) lines
               ON lines.lines IS NOT NULL
           WHERE o.refunded <= o.paid AND NOT EXISTS (
               SELECT FROM payment p WHERE p.order_id = o.id AND p.captured > 0 AND p.provider <> 'cash')
           ORDER BY o.placed_at DESC, o.id""",
        channel,
        since,
        most,
    )
