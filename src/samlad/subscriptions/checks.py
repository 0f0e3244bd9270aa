"""What must always hold of subscriptions; for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database

# By name: what holds, and the statement that answers (what, detail) of up to 20 things for which it does not.
_RULES: dict[str, tuple[str, str]] = {
    "subscription-orders": (
        "Subscriptions have one order for each cycle that was ordered",
        """
        SELECT 'subscription ' || s.number AS what,
               format('orders %s, cycles %s, began with one %s', s.orders, n.cycles, s.origin IS NOT NULL) AS detail
        FROM subscription s CROSS JOIN LATERAL (
            SELECT count(*) AS cycles, max(cycle) AS last FROM subscription_cycle y
            WHERE y.subscription = s.id AND y.state = 'ordered') AS n
        WHERE s.orders <> n.cycles + (s.origin IS NOT NULL)::int OR n.last >= s.cycle
        ORDER BY s.id LIMIT 20
    """,
    ),
    "subscription-channels": (
        "The orders of a subscription are of its channel",
        """
        SELECT 'subscription ' || s.number AS what, 'order ' || o.number AS detail
        FROM subscription_cycle y JOIN subscription s ON s.id = y.subscription JOIN orders o ON o.id = y.order_id
        WHERE o.channel <> s.channel
        ORDER BY s.id LIMIT 20
    """,
    ),
    "subscription-payments": (
        "What subscriptions wait for is a payment that is under way",
        """
        SELECT 'subscription ' || s.number AS what, 'payment ' || s.charging AS detail
        FROM subscription s LEFT JOIN payment p ON p.id = s.charging
        WHERE s.charging IS NOT NULL AND (p.id IS NULL OR p.order_id IS NOT NULL OR s.status <> 'active')
        ORDER BY s.id LIMIT 20
    """,
    ),
}


def _check(name: str, description: str, sql: str) -> Check:
    async def look(database: Database) -> Finding:
        rows = await database.rows(sql)
        if not rows:
            return Finding("ok", "all of them")
        more = " and more" if len(rows) == 20 else ""
        told = "; ".join(f"{row['what']}: {row['detail']}" for row in rows[:3])
        return Finding(
            "failed", f"{len(rows)}{more}: {told}", "docs/concepts/subscriptions.md says what should be"
        )

    return Check(name, description, look)


CHECKS = [_check(name, description, sql) for name, (description, sql) in _RULES.items()]
"""Every check of this package."""
