"""What must always hold of appointments; for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database


async def _claims(database: Database) -> Finding:
    rows = await database.rows(
        """SELECT coalesce(a.id, c.appointment) AS id,
                  CASE WHEN c.appointment IS NULL THEN 'has no time of its own'
                       WHEN a.state = 'cancelled' THEN 'is cancelled, but takes time'
                       ELSE 'takes another time than was agreed' END AS why
           FROM appointment a FULL JOIN appointment_claim c ON c.appointment = a.id
           WHERE (a.state <> 'cancelled') IS DISTINCT FROM (c.appointment IS NOT NULL)
              OR c.appointment IS NOT NULL
                 AND (c.during, c.service) IS DISTINCT FROM (tstzrange(a.starts_at, a.ends_at), a.service)
           ORDER BY 1 LIMIT 20"""
    )
    if not rows:
        return Finding("ok", "all of them")
    told = "; ".join(f"{row['id']} {row['why']}" for row in rows[:5])
    return Finding("failed", f"{len(rows)}: {told}", "Cancel and book them again")


CHECKS = [
    Check(
        "appointment-times", "Each appointment takes the time that was agreed, and nothing else does", _claims
    )
]
"""The checks of appointments."""
