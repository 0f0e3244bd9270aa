"""What must always hold of reviews; for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database


async def _totals(database: Database) -> Finding:
    rows = await database.rows(
        "SELECT product, kept, truth FROM review_total_difference ORDER BY product LIMIT 20"
    )
    if not rows:
        return Finding("ok", "all of them")
    told = "; ".join(f"product {row['product']}: {row['kept']}, should be {row['truth']}" for row in rows[:5])
    return Finding("failed", f"{len(rows)}: {told}")


CHECKS = [Check("review-totals", "The stars of products are those of their approved reviews", _totals)]
"""The checks of reviews."""
