"""What ``samlad doctor`` looks at in the catalogue."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database


async def _search(database: Database) -> Finding:
    row = await database.row(
        """
        SELECT (SELECT count(*) FROM product p LEFT JOIN product_search s ON s.product = p.id
                WHERE s.product IS NULL OR s.is_active <> (p.status = 'active')) AS wrong,
               (SELECT count(*) FROM product) AS every
        """
    )
    assert row is not None
    if row["wrong"]:
        return Finding(
            "failed", f"{row['wrong']} of {row['every']} products are found wrongly", "samlad reindex"
        )
    return Finding("ok", f"{row['every']} products")


async def _search_prices(database: Database) -> Finding:
    missing = await database.value(
        """
        SELECT count(DISTINCT v.product) FROM price pr JOIN price_list pl ON pl.id = pr.price_list
        JOIN variant v ON v.id = pr.variant AND v.status = 'active'
        JOIN price_context c ON c.pool = pl.pool AND c.currency = pl.currency AND c.channel IS NULL
        WHERE pl.status = 'active' AND pl.channel IS NULL AND pl.customer_group IS NULL AND pr.min_quantity = 1
          AND pl.valid_from IS NULL AND pl.valid_to IS NULL
          AND NOT EXISTS (SELECT 1 FROM search_price s WHERE s.context = c.id AND s.product = v.product)
        """
    )
    if missing:
        return Finding(
            "failed", f"{missing} products have a price that search does not know", "samlad reindex"
        )
    return Finding("ok", "search knows all prices")


async def _history(database: Database) -> Finding:
    wrong = await database.value(
        """
        SELECT count(*) FROM price pr JOIN price_list pl ON pl.id = pr.price_list
        WHERE pr.min_quantity = 1 AND pl.status = 'active' AND pl.customer_group IS NULL
          AND (pl.valid_to IS NULL OR pl.valid_to > now()) AND (pl.valid_from IS NULL OR pl.valid_from <= now())
          AND NOT EXISTS (SELECT 1 FROM price_history h
                          WHERE h.variant = pr.variant AND h.price_list = pl.id AND h.amount = pr.amount
                            AND h.applied_from <= now() AND (h.applied_to IS NULL OR h.applied_to > now()))
        """
    )
    twice = await database.value(
        """
        SELECT count(*) FROM (
            SELECT applied_from, lag(applied_to, 1, applied_from) OVER w AS before,
                   lag(variant) OVER w AS other FROM price_history
            WINDOW w AS (PARTITION BY variant, price_list ORDER BY applied_from)
        ) AS line WHERE other IS NOT NULL AND (before IS NULL OR before > applied_from)
        """
    )
    if wrong or twice:
        return Finding("failed", f"{wrong} prices are not in their history, {twice} periods overlap")
    return Finding("ok", "every price is in its history, no period overlaps another")


CHECKS = [
    Check("search", "Search has a row for every product", _search),
    Check("search-prices", "Search knows every price", _search_prices),
    Check("price-history", "The history has every price once", _history),
]
