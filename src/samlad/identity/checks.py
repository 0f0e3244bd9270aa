"""What ``samlad doctor`` looks at in identity. What it finds is never normal."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database

SHOWN = 5
ADVICE = "Putting the active rules in force once more computes it anew: docs/concepts/identity.md"


async def _survivors(database: Database) -> Finding:
    """Customers say of each other what the projection does."""
    rows = await database.rows(
        """SELECT c.id FROM customer c JOIN identity_node n ON n.id = c.id
           WHERE coalesce(c.survivor, c.id) <> n.profile ORDER BY c.id LIMIT 50"""
    )
    if not rows:
        return Finding("ok", "all of them")
    return Finding("failed", f"{len(rows)}: " + ", ".join(str(row["id"]) for row in rows[:SHOWN]), ADVICE)


async def _heads(database: Database) -> Finding:
    """What stands for a profile is of it."""
    rows = await database.rows(
        """SELECT DISTINCT n.profile FROM identity_node n JOIN identity_node p ON p.id = n.profile
           WHERE p.profile <> p.id OR p.pool <> n.pool ORDER BY n.profile LIMIT 50"""
    )
    if not rows:
        return Finding("ok", "all of them")
    return Finding(
        "failed", f"{len(rows)}: " + ", ".join(str(row["profile"]) for row in rows[:SHOWN]), ADVICE
    )


async def _links(database: Database) -> Finding:
    """What is seen together points at what is there, and what is there is of a pool."""
    rows = await database.rows(
        """(SELECT l.sighting AS id FROM identity_sighting_node l
            LEFT JOIN identity_node n ON n.id = l.node LEFT JOIN identity_sighting s ON s.id = l.sighting
            WHERE n.id IS NULL OR s.id IS NULL LIMIT 50)
           UNION ALL
           (SELECT n.id FROM identity_node n LEFT JOIN pool p ON p.id = n.pool WHERE p.id IS NULL LIMIT 50)"""
    )
    if not rows:
        return Finding("ok", "all of them")
    return Finding("failed", f"{len(rows)}: " + ", ".join(str(row["id"]) for row in rows[:SHOWN]), ADVICE)


CHECKS = [
    Check("identity-survivors", "Customers lead to whom identity says they are", _survivors),
    Check("identity-profiles", "What stands for a profile belongs to it", _heads),
    Check("identity-links", "What was seen together points at identifiers that are there", _links),
]
"""The checks of identity."""
