"""SQL of what is bought together, and of the sizes that somebody had."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.recommendations.model import Companion, Tried

MONTHS = 18
"""Orders that are older say nothing any more."""
FADING = 0.92
"""What a month ago counts to what now does: half after eight months."""
LARGEST_BASKET = 30
"""Of an order with more products only so many: a company's order of everything says little about any pair."""
MOST_COMPANIONS = 200
"""Of one product and pool; rarer ones are forgotten by the sweeper."""
CANDIDATES = 60
LEAST_ORDERS = 2
"""One order that holds both is chance."""


async def add(tx: Tx, orders: Sequence[UUID]) -> int:
    """Count the pairs of orders that are not counted yet; how many orders that were. One statement, in key order."""
    return int(
        await tx.value(
            f"""
            WITH taken AS (
                INSERT INTO paired_order (order_id, pool, month)
                SELECT id, pool, date_trunc('month', local_day)::date FROM orders
                WHERE id = ANY($1) AND kind = 'sale' AND status <> 'cancelled'
                  AND local_day >= date_trunc('month', current_date) - interval '{MONTHS} months'
                ORDER BY id ON CONFLICT DO NOTHING RETURNING order_id, pool, month
            ), {_BASKET},
            counted AS (
                INSERT INTO product_pair AS p (pool, product, other, month, orders)
                SELECT * FROM sums ORDER BY pool, product, other, month
                ON CONFLICT (pool, product, other, month) DO UPDATE SET orders = p.orders + EXCLUDED.orders
            )
            SELECT count(*) FROM taken
            """,
            list(orders),
        )
    )


async def remove(tx: Tx, order: UUID) -> bool:
    """Take a cancelled order out again; whether it was in. One statement."""
    return bool(
        await tx.value(
            f"""
            WITH taken AS (DELETE FROM paired_order WHERE order_id = $1 RETURNING order_id, pool, month), {_BASKET},
            locked AS MATERIALIZED (
                SELECT p.pool, p.product, p.other, p.month, s.orders FROM product_pair p
                JOIN sums s USING (pool, product, other, month) ORDER BY 1, 2, 3, 4 FOR UPDATE OF p
            ), counted AS (
                UPDATE product_pair p SET orders = greatest(0, p.orders - l.orders) FROM locked l
                WHERE (p.pool, p.product, p.other, p.month) = (l.pool, l.product, l.other, l.month)
            )
            SELECT count(*) FROM taken
            """,
            order,
        )
    )


_BASKET = f"""goods AS (
        SELECT t.order_id, t.pool, t.month, v.product,
               row_number() OVER (PARTITION BY t.order_id ORDER BY min(l.position)) AS place
        FROM taken t JOIN order_line l ON l.order_id = t.order_id
        JOIN variant v ON v.id = coalesce((l.set_of ->> 'variant')::uuid, l.variant)  -- a set, not its parts
        WHERE l.kind = 'item' AND l.quantity > 0 GROUP BY t.order_id, t.pool, t.month, v.product
    ), sums AS (
        SELECT a.pool, a.product, b.product AS other, a.month, count(*)::int AS orders
        FROM goods a JOIN goods b ON b.order_id = a.order_id
        WHERE a.place <= {LARGEST_BASKET} AND b.place <= {LARGEST_BASKET} GROUP BY 1, 2, 3, 4
    )"""


async def together(reader: Reader, pool: UUID, product: UUID, limit: int) -> list[Companion]:
    """What is bought with a product in a pool of orders, what says most first. One statement.

    By the cosine of the baskets: orders with both, over the root of orders with the one times orders with the other, so that
    what everybody buys anyway does not come with everything. Older months count less.
    """
    return await reader.all(
        Companion,
        f"""
        WITH weight AS (
            SELECT other, sum(orders)::int AS orders, sum(orders * {_FADED})::float8 AS n FROM product_pair
            WHERE pool = $1 AND product = $2 GROUP BY other
        ), near AS (
            SELECT * FROM weight WHERE other <> $2 AND orders >= {LEAST_ORDERS} ORDER BY n DESC LIMIT {CANDIDATES}
        )
        SELECT near.other AS product, near.orders,
               (near.n / sqrt(greatest(alone.n, near.n) * (SELECT n FROM weight WHERE other = $2)))::float8 AS score
        FROM near CROSS JOIN LATERAL (
            SELECT coalesce(sum(orders * {_FADED}), 0)::float8 AS n FROM product_pair p
            WHERE p.pool = $1 AND p.product = near.other AND p.other = near.other
        ) AS alone
        WHERE EXISTS (SELECT 1 FROM weight WHERE other = $2 AND n > 0)
        ORDER BY score DESC, near.other LIMIT $3
        """,
        pool,
        product,
        limit,
    )


_FADED = f"""power({FADING}, 12 * extract(year FROM age(current_date, month)) + extract(month FROM age(current_date, month)))"""


async def forget(tx: Tx) -> int:
    """Remove months that are over, pairs that are empty, and of each product all but its most frequent companions."""
    gone = await tx.execute(
        f"""DELETE FROM product_pair
            WHERE month < date_trunc('month', current_date) - interval '{MONTHS} months' OR orders = 0"""
    )
    await tx.execute(
        f"""DELETE FROM paired_order
            WHERE month < date_trunc('month', current_date) - interval '{MONTHS} months'"""
    )
    return gone + await tx.execute(
        f"""
        DELETE FROM product_pair p USING (
            SELECT pool, product, other FROM (
                SELECT pool, product, other,
                       row_number() OVER (PARTITION BY pool, product ORDER BY sum(orders) DESC, other) AS place
                FROM product_pair WHERE product <> other GROUP BY pool, product, other) AS ranked
            WHERE place > {MOST_COMPANIONS}) AS rare
        WHERE (p.pool, p.product, p.other) = (rare.pool, rare.product, rare.other)
        """
    )


async def tried(reader: Reader, customer: UUID, option: str, most: int = 200) -> list[Tried]:
    """The sizes that a person got in three years, by the option that holds the size, with why they sent them back."""
    return await reader.all(
        Tried,
        """
        SELECT v.options ->> $2 AS size, p.brand, c.path AS category, l.quantity - l.returned AS kept, l.returned,
               coalesce((SELECT array_agg(DISTINCT rl.reason) FROM return_request_line rl
                         JOIN return_request r ON r.id = rl.request
                         WHERE r.order_id = o.id AND rl.position = l.position AND r.state <> 'cancelled'), '{}') AS reasons,
               o.placed_at AS at
        FROM orders o JOIN order_line l ON l.order_id = o.id JOIN variant v ON v.id = l.variant
        JOIN product p ON p.id = v.product LEFT JOIN category c ON c.id = p.category
        WHERE o.customer = ANY (customer_members(ARRAY[$1::uuid])) AND o.kind = 'sale' AND o.status <> 'cancelled'
          AND l.kind = 'item' AND (l.fulfilled > 0 OR o.imported IS NOT NULL) AND v.options ? $2
          AND o.placed_at > now() - interval '3 years'
        ORDER BY o.placed_at DESC LIMIT $3
        """,
        customer,
        option,
        most,
    )
