"""What somebody bought lately, over all channels and stores: to buy it again with one press."""

from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader

ORDERS = 40
"""Of so many last orders."""


class Bought(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as it was bought last. ``unit_price`` in minor units of ``currency``; ``times``: in so many orders."""

    variant: UUID
    title: str
    options: str
    quantity: int
    unit_price: int
    currency: str
    order_id: UUID
    at: datetime
    times: int


async def lately(reader: Reader, customer: UUID, most: int = 8) -> list[Bought]:
    """What a person (and whoever is the same person) bought last, latest first, each variant once; sets as sets. One statement."""
    return await reader.all(
        Bought,
        """
        WITH latest AS (
            SELECT o.id, o.currency, o.placed_at FROM orders o
            WHERE o.customer = ANY (customer_members(ARRAY[$1::uuid])) AND o.kind = 'sale' AND o.status <> 'cancelled'
            ORDER BY o.placed_at DESC LIMIT $3
        ), lines AS (
            SELECT DISTINCT ON (n.variant) n.variant, n.title, n.options, n.quantity, n.unit_price, o.currency,
                   o.id AS order_id, o.placed_at AS at, count(*) OVER (PARTITION BY n.variant) AS times
            FROM latest o JOIN order_line l ON l.order_id = o.id
            CROSS JOIN LATERAL (
                SELECT l.variant, l.title, l.options, l.quantity, l.unit_price::bigint WHERE l.set_of IS NULL
                UNION ALL
                SELECT (l.set_of ->> 'variant')::uuid, l.set_of ->> 'title', l.set_of ->> 'options',
                       (l.set_of ->> 'quantity')::int,
                       (SELECT sum(p.unit_price * p.quantity) / (l.set_of ->> 'quantity')::int FROM order_line p
                        WHERE p.order_id = o.id AND p.set_of -> 'group' = l.set_of -> 'group')::bigint
                WHERE l.set_of IS NOT NULL AND l.position = (l.set_of ->> 'group')::int
            ) AS n (variant, title, options, quantity, unit_price)
            WHERE l.kind = 'item' AND n.variant IS NOT NULL AND l.quantity > l.cancelled
            ORDER BY n.variant, o.placed_at DESC
        )
        SELECT * FROM lines ORDER BY at DESC, title LIMIT $2
        """,
        customer,
        most,
        ORDERS,
    )
