"""What must always hold of store work of phones; for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database

SHOWN = 5


async def _entries(database: Database) -> Finding:
    """Nothing is half taken in, and each delivery that a phone was told is booked is a receipt of its purchase order."""
    rows = await database.rows(
        """SELECT w.id, w.state FROM store_work w
           WHERE w.state = 'new' OR w.state = 'done' AND w.kind = 'delivery'
                 AND NOT EXISTS (SELECT FROM purchase_receipt r WHERE r.id = w.id AND r.purchase = w.subject)
           ORDER BY w.received_at LIMIT $1""",
        SHOWN,
    )
    if not rows:
        return Finding("ok", "every entry")
    return Finding("failed", "; ".join(f"{row['id']} is {row['state']}" for row in rows))


CHECKS = [Check("store-work", "Store work of phones is booked as they were told", _entries)]
"""The checks of store work."""
