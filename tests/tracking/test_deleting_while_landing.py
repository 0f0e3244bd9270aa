"""An event that is deleted while it is being put on a profile leaves nothing behind, whichever of the two is first."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from test_landing import take, track

from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.tracking import events_store, resolving, retention, retention_store
from samlad.tracking.model import RetentionInput
from tracked import Tracked


async def waiting(tracked: Tracked) -> tuple[UUID, list[tuple[UUID, datetime, datetime]]]:
    """An event that has come and is on nobody yet, and its group."""
    await take(tracked, tracked.server.source, track(userId="u"), track(userId="w"))
    row = await tracked.db.row(
        "SELECT id, batch, received_at FROM tracked_event ORDER BY occurred_at LIMIT 1"
    )
    assert row is not None
    return row["id"], [(row["batch"], row["received_at"], row["received_at"])]


async def land(tx: Tx, group: list[tuple[UUID, datetime, datetime]], seen: asyncio.Event, go_on: Any) -> None:
    """What the follower does, held up after it has looked, or after it has noted."""
    found = await events_store.of_batches(tx, group)
    if go_on is not None:
        seen.set()
        await go_on.wait()
    await resolving.resolve(tx, found)


async def delete(db: Database, event: UUID) -> None:
    await db.transaction(lambda tx: retention.delete_event(tx, event), Context(actor=SYSTEM))


async def orphans(db: Database) -> tuple[int, int]:
    """How many events are on somebody, and how many of those are not there."""
    row = await db.row(
        """SELECT count(*) AS landed, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM tracked_event e
           WHERE e.received_at = p.received_at AND e.id = p.event)) AS orphans FROM tracked_profile p"""
    )
    assert row is not None
    return row["landed"], row["orphans"]


async def test_deleted_after_it_was_looked_at(tracked: Tracked) -> None:
    event, group = await waiting(tracked)
    seen, deleted = asyncio.Event(), asyncio.Event()
    landing = asyncio.create_task(tracked.db.transaction(lambda tx: land(tx, group, seen, deleted)))
    await asyncio.wait_for(seen.wait(), 60)
    await delete(tracked.db, event)
    deleted.set()
    await landing
    assert await orphans(tracked.db) == (1, 0)


async def test_deleted_after_it_was_noted_and_before_that_is_to_be_seen(tracked: Tracked) -> None:
    db = tracked.db
    event, group = await waiting(tracked)

    async def work(tx: Tx) -> asyncio.Task[None]:
        await land(tx, group, asyncio.Event(), None)
        deleting = asyncio.create_task(delete(db, event))
        mine = await tx.value("SELECT pg_backend_pid()")
        while not deleting.done() and not await db.value(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))", mine
        ):
            await asyncio.sleep(0.01)
        return deleting

    await (await db.transaction(work))
    assert await orphans(db) == (1, 0)


async def test_forgotten_by_a_rule_while_it_lands(tracked: Tracked) -> None:
    """The sweep of retention does as a person does who deletes."""
    db = tracked.db
    _, group = await waiting(tracked)
    rule = RetentionInput(days=1)
    await db.transaction(lambda tx: retention.set_rule(tx, rule))
    seen, forgotten = asyncio.Event(), asyncio.Event()
    landing = asyncio.create_task(db.transaction(lambda tx: land(tx, group, seen, forgotten)))
    await asyncio.wait_for(seen.wait(), 60)

    async def sweep(tx: Tx) -> None:
        assert (
            sum(each.events for each in await retention_store.forget(tx, now() + timedelta(days=3), 10)) == 2
        )

    await db.transaction(sweep)
    forgotten.set()
    await landing
    assert await orphans(db) == (0, 0)
