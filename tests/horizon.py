"""When followers can see everything: the horizon of the log is the whole server's, and other tests share it."""

import asyncio
from collections.abc import Sequence

from samlad.kernel.database import Database
from samlad.kernel.followers import Follower

SECONDS = 60


async def passed(db: Database) -> None:
    """Wait until no transaction that is older than the newest event is open, not even in another test's database."""
    async with asyncio.timeout(SECONDS):
        while await db.value(
            "SELECT coalesce(max(xid), 0) >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM event"
        ):
            await asyncio.sleep(0.01)


async def behind(db: Database, followers: Sequence[Follower]) -> set[str]:
    """The names of those that have events to handle. Most have none, and a step that finds nothing costs five statements."""
    rows = await db.rows(
        """
        SELECT name FROM jsonb_to_recordset($1) AS reads (name text, types text[]) JOIN follower USING (name)
        WHERE EXISTS (SELECT FROM event WHERE (event.xid, event.seq) > (follower.xid, follower.seq)
                      AND (reads.types IS NULL OR event.type = ANY (reads.types)))
        """,
        [{"name": each.name, "types": each.types} for each in followers],
    )
    return {row["name"] for row in rows}
