"""What ``samlad doctor`` looks at in tracking."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.tracking.events_store import DELETING

MOST, STEP = 1_000, 10_000
_ORPHANS = """tracked_profile p WHERE NOT EXISTS (
    SELECT FROM tracked_event e WHERE e.received_at = p.received_at AND e.id = p.event)"""


async def _landings(database: Database) -> Finding:
    """On whom events landed that are not kept any more: until retention and deletion took these along they stayed."""
    found = await database.value(f"SELECT count(*) FROM (SELECT FROM {_ORPHANS} LIMIT {MOST}) AS o")
    if not found:
        return Finding("ok", "all of them")
    return Finding(
        "warning",
        f"{found}{' or more' if found == MOST else ''}: they tell of events that are gone",
        "samlad doctor --fix",
    )


async def _forget(database: Database) -> int:
    """A part at a time, so that nobody waits for it. Nothing else counts them: whatever does asks for the event as well."""

    async def part(tx: Tx) -> int:
        await tx.execute(f"SELECT pg_advisory_xact_lock({DELETING})")
        return await tx.execute(
            f"""DELETE FROM tracked_profile t USING (SELECT p.received_at, p.event FROM {_ORPHANS} LIMIT {STEP}) AS o
                WHERE t.received_at = o.received_at AND t.event = o.event"""
        )

    total = 0
    while gone := await database.transaction(part, Context(actor=SYSTEM)):
        total += gone
    return total


CHECKS = [
    Check("tracked-landings", "Whoever an event landed on, the event is there", _landings, _forget),
]
"""The checks of tracking."""
