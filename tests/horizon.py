"""When followers can see everything: the horizon of the log is the whole server's, and other tests share it."""

import asyncio

from samlad.kernel.database import Database

SECONDS = 60


async def passed(db: Database) -> None:
    """Wait until no transaction that is older than the newest event is open, not even in another test's database."""
    async with asyncio.timeout(SECONDS):
        while await db.value(
            "SELECT coalesce(max(xid), 0) >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM event"
        ):
            await asyncio.sleep(0.01)
