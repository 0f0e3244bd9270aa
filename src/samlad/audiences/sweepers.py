"""What the worker does by the clock: who is in or out only because time has passed, and what is old."""

from datetime import datetime, timedelta
from uuid import UUID

from samlad.audiences import membership, store
from samlad.kernel import clock
from samlad.kernel.database import Database, Tx
from samlad.kernel.sweepers import Sweeper

BATCH = 2_000
CHANGES_KEPT = timedelta(days=400)
DELETED_KEPT = timedelta(days=30)


async def turn(database: Database) -> int:
    """Look again at everybody whose moment has come; how many."""
    at, total = clock.now(), 0
    for segment in await database.transaction(lambda tx: membership.due_segments(tx, at)):
        while True:
            looked = await database.transaction(lambda tx, one=segment: _turn(tx, one, at))  # type: ignore[misc]
            total += looked
            if looked < BATCH:
                break
    return total


async def _turn(tx: Tx, segment_id: UUID, at: datetime) -> int:
    locked = await store.lock_many(tx, [segment_id])
    people = await membership.due_people(tx, segment_id, at, BATCH)
    if not locked:
        await membership.forget_clock(tx, segment_id)
        return 0
    if people:
        (segment,) = locked
        definitions = {each.id: each.definition for each in await store.active(tx, segment.pool)}
        await membership.settle(tx, segment, definitions, people=people, at=at, cause="clock")
        await membership.delay(tx, segment_id, people, at)
    return len(people)


async def tidy(database: Database) -> None:
    """Forget who came and went long ago, and segments that were deleted a month ago."""

    async def changes(tx: Tx) -> int:
        return await membership.forget_changes(tx, clock.now() - CHANGES_KEPT, BATCH)

    while await database.transaction(changes) == BATCH:
        pass
    await database.transaction(lambda tx: membership.forget_deleted(tx, clock.now() - DELETED_KEPT))


SWEEPERS = [Sweeper("audiences", 30, turn), Sweeper("audiences.tidy", 3_600, tidy)]
"""Half a minute after midnight at the latest nobody is in who fell out."""
