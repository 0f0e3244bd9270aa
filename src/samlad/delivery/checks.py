"""What must always hold of delivery, for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database

SHOWN = 20


async def _slots(database: Database) -> Finding:
    """Each slot counts as many orders as have it."""
    rows = await database.rows(
        """SELECT coalesce(l.day, s.day) AS day, coalesce(l.start, s.start) AS start,
                  coalesce(l.orders, 0) AS counted, coalesce(s.orders, 0) AS taken
           FROM delivery_slot l
           FULL JOIN (SELECT method, day, location, start, count(*)::int AS orders FROM delivery_slot_share
                      GROUP BY method, day, location, start) s USING (method, day, location, start)
           WHERE coalesce(l.orders, 0) <> coalesce(s.orders, 0) ORDER BY 1, 2 LIMIT $1""",
        SHOWN,
    )
    if not rows:
        return Finding("ok", "every slot")
    said = (f"{row['day']} {row['start']} counts {row['counted']}, {row['taken']} have it" for row in rows)
    return Finding("failed", "; ".join(said))


CHECKS = [Check("delivery-slots", "Delivery slots count the orders that have them", _slots)]
"""The checks of delivery."""
