"""SQL of the import of orders: COPY and set-based statements."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx

_ORDER = (
    "id",
    "pool",
    "channel",
    "number",
    "kind",
    "status",
    "payment_status",
    "customer",
    "country",
    "currency",
    "items",
    "tax",
    "total",
    "paid",
    "returns",
    "imported",
    "placed_at",
    "local_day",
    "counted",
    "actor",
)
_LINE = (
    "order_id",
    "position",
    "kind",
    "variant",
    "sku",
    "title",
    "quantity",
    "unit_price",
    "total",
    "fulfilled",
    "returns",
    "stock_correction",
)


async def ids_of(reader: Reader, channel: UUID, numbers: Sequence[str]) -> dict[str, UUID]:
    """Ids of a channel's orders by number; unknown ones are left out."""
    rows = await reader.rows(
        "SELECT number, id FROM orders WHERE channel = $1 AND number = ANY($2)", channel, numbers
    )
    return {row["number"]: row["id"] for row in rows}


async def copy_orders(tx: Tx, rows: Iterable[Sequence[object]]) -> None:
    """Add orders."""
    await tx.copy("orders", _ORDER, rows)


async def copy_lines(tx: Tx, rows: Iterable[Sequence[object]]) -> None:
    """Add lines."""
    await tx.copy("order_line", _LINE, rows)


async def came_back(tx: Tx, returns: Sequence[UUID]) -> None:
    """Say on the sales which of their goods and money returns took back, so that it does not come back twice."""
    if returns:
        await tx.execute("SELECT orders_came_back($1)", list(returns))


async def add_days(tx: Tx, channel: UUID, sums: Sequence[tuple[date, str, int, int, int]]) -> None:
    """Add to days as (day, currency, orders, revenue, items); one statement, in key order."""
    ordered = sorted(sums)
    await tx.execute(
        """
        INSERT INTO order_day AS d (channel, day, currency, orders, revenue, items)
        SELECT $1, * FROM unnest($2::date[], $3::text[], $4::int[], $5::bigint[], $6::int[])
        ON CONFLICT (channel, day, currency) DO UPDATE
        SET orders = d.orders + excluded.orders, revenue = d.revenue + excluded.revenue,
            items = d.items + excluded.items
        """,
        channel,
        *([row[column] for row in ordered] for column in range(5)),
    )


async def add_quarters(tx: Tx, orders: Sequence[UUID]) -> None:
    """Add orders that were just copied to their quarters of an hour; one statement, in key order."""
    await tx.execute(
        """
        INSERT INTO order_quarter AS q (channel, starts_at, currency, orders, revenue, items)
        SELECT channel, date_bin('15 minutes', placed_at, 'epoch'), currency, count(*) FILTER (WHERE kind = 'sale'),
               sum(total), sum(items)
        FROM orders WHERE id = ANY ($1::uuid[]) AND counted GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (channel, starts_at, currency) DO UPDATE
        SET orders = q.orders + excluded.orders, revenue = q.revenue + excluded.revenue,
            items = q.items + excluded.items
        """,
        list(orders),
    )


async def number_beyond(tx: Tx, channel: UUID, used: int) -> None:
    """Let the channel's series go on beyond a number, unless it is there already; 0 changes nothing."""
    if used:
        await tx.execute("SELECT order_number_beyond($1, $2)", channel, used)


async def analyse(tx: Tx) -> None:
    """Let the planner know what there is now."""
    await tx.execute("ANALYZE orders, order_line, order_day, order_quarter, customer, customer_spend")


class Imported(msgspec.Struct, frozen=True):
    """What a channel has from one source. ``total`` is in minor units of the channel's currency."""

    orders: int
    lines: int
    customers: int
    total: int


async def imported(reader: Reader, channel: UUID, source: str) -> Imported:
    """Count what was imported into a channel from a source, from the orders and lines themselves."""
    found = await reader.one(
        Imported,
        """
        WITH head AS MATERIALIZED (
            SELECT id, customer, total FROM orders WHERE channel = $1 AND imported = $2
        )
        SELECT count(*) AS orders, (SELECT count(*) FROM order_line l JOIN head h ON h.id = l.order_id) AS lines,
               count(DISTINCT customer) AS customers, coalesce(sum(total), 0)::bigint AS total
        FROM head
        """,
        channel,
        source,
    )
    assert found is not None
    return found
