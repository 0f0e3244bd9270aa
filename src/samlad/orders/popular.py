"""What sells most, as far as the last orders of each channel tell: bounded, however many orders there are."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.database import Reader

LAST_ORDERS = 500
"""Of each channel."""


async def most_sold(reader: Reader, channels: Sequence[UUID], limit: int) -> list[UUID]:
    """Products by units in the last orders of some channels, the most first. Cancelled orders and returns do not count.

    A set counts as what it was sold as, its parts do not.
    """
    rows = await reader.rows(
        f"""SELECT v.product, sum(CASE WHEN l.set_of IS NOT NULL THEN (l.set_of ->> 'quantity')::int
                                      WHEN l.sold_by = 'piece' THEN l.quantity ELSE 1 END) AS units
            FROM unnest($1::uuid[]) AS c (channel)
            CROSS JOIN LATERAL (
                SELECT o.id FROM orders o WHERE o.channel = c.channel AND o.kind = 'sale' AND o.status <> 'cancelled'
                ORDER BY o.placed_at DESC, o.id DESC LIMIT {LAST_ORDERS}) AS o
            JOIN order_line l ON l.order_id = o.id AND l.kind = 'item' AND l.quantity > 0
                AND (l.set_of IS NULL OR l.position = (l.set_of ->> 'group')::int)
            JOIN variant v ON v.id = coalesce((l.set_of ->> 'variant')::uuid, l.variant)
            GROUP BY v.product ORDER BY units DESC, v.product LIMIT $2""",
        list(channels),
        limit,
    )
    return [row["product"] for row in rows]
