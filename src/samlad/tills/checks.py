"""What must always hold of the sales of tills; for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database

SHOWN = 5


async def _orders(database: Database) -> Finding:
    """An order comes to what the customer paid at the till."""
    rows = await database.rows(
        """SELECT s.reference, o.number, o.total, coalesce(paid.amount, 0) AS paid
           FROM till_sale s JOIN orders o ON o.id = s.order_id
           CROSS JOIN LATERAL (SELECT sum((t ->> 'amount')::bigint)::bigint AS amount
                               FROM jsonb_array_elements(s.body -> 'tenders') t) AS paid
           WHERE o.total <> coalesce(paid.amount, 0) AND o.version = 1 ORDER BY s.received_at LIMIT $1""",
        SHOWN,
    )
    if not rows:
        return Finding("ok", "every sale")
    told = [f"{row['reference']} took {row['paid']}, order {row['number']} is {row['total']}" for row in rows]
    return Finding("failed", "; ".join(told))


CHECKS = [Check("till-sales", "Orders of tills come to what was paid there", _orders)]
"""The checks of tills."""
