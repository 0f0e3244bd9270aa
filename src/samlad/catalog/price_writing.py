"""Writing prices by the set, and with each the history of what applied when."""

from datetime import datetime
from uuid import UUID

from samlad.kernel.database import Tx


async def put_prices(
    tx: Tx,
    variants: list[UUID],
    lists: list[UUID],
    quantities: list[int],
    amounts: list[int | None],
    compares: list[int | None],
    at: datetime,
) -> list[tuple[UUID, UUID]]:
    """Write prices that differ from what is there, and their history; list and variant of what changed."""
    rows = await tx.rows(
        """
        WITH wanted AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::bigint[])
                AS w (variant, price_list, min_quantity, amount, compare_at)
        ), put AS (
            INSERT INTO price AS p (variant, price_list, min_quantity, amount, compare_at)
            SELECT * FROM wanted WHERE amount IS NOT NULL ORDER BY variant, price_list, min_quantity
            ON CONFLICT (variant, price_list, min_quantity) DO UPDATE
                SET amount = EXCLUDED.amount, compare_at = EXCLUDED.compare_at, updated_at = now()
                WHERE (p.amount, p.compare_at) IS DISTINCT FROM (EXCLUDED.amount, EXCLUDED.compare_at)
            RETURNING p.variant, p.price_list, p.min_quantity
        ), gone AS (
            DELETE FROM price p USING wanted w
            WHERE w.amount IS NULL AND (p.variant, p.price_list, p.min_quantity)
                = (w.variant, w.price_list, w.min_quantity)
            RETURNING p.variant, p.price_list, p.min_quantity
        )
        SELECT * FROM put UNION ALL SELECT * FROM gone
        """,
        variants,
        lists,
        quantities,
        amounts,
        compares,
    )
    singles = [row for row in rows if row["min_quantity"] == 1]
    if singles:
        await rewrite_history(
            tx, [row["variant"] for row in singles], [row["price_list"] for row in singles], at
        )
    return [(row["price_list"], row["variant"]) for row in rows]


async def rewrite_history(tx: Tx, variants: list[UUID], lists: list[UUID], at: datetime) -> None:
    """End what stood for these prices at a moment, forget what was still to come, and begin what stands now.

    Only prices for everybody and a single piece are kept: no other may be announced as a reduction.
    """
    if not variants:
        return
    await tx.execute(
        """
        WITH pair AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS p (variant, price_list)),
        forgotten AS (
            DELETE FROM price_history h USING pair
            WHERE (h.variant, h.price_list) = (pair.variant, pair.price_list) AND h.applied_from >= $3
        ), ended AS (
            UPDATE price_history h SET applied_to = $3 FROM pair
            WHERE (h.variant, h.price_list) = (pair.variant, pair.price_list)
              AND h.applied_from < $3 AND (h.applied_to IS NULL OR h.applied_to > $3)
        )
        INSERT INTO price_history (variant, price_list, pool, channel, currency, kind, priority, tax_included, amount,
                                   applied_from, applied_to)
        SELECT pr.variant, pl.id, pl.pool, pl.channel, pl.currency, pl.kind, pl.priority, pl.tax_included, pr.amount,
               greatest($3, pl.valid_from), pl.valid_to
        FROM pair JOIN price pr ON pr.variant = pair.variant AND pr.price_list = pair.price_list
                                AND pr.min_quantity = 1
        JOIN price_list pl ON pl.id = pair.price_list
        WHERE pl.status = 'active' AND pl.customer_group IS NULL AND (pl.valid_to IS NULL OR pl.valid_to > $3)
        """,
        variants,
        lists,
        at,
    )
