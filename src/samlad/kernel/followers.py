"""Followers: what happens elsewhere because something happened. They read the log, each from its own cursor.

A follower's work and the move of its cursor are one transaction, so its effect in our database happens exactly
once. One that fails backs off without holding up the others; an event that keeps failing is parked with its
reason and can be retried.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import asyncpg
import msgspec
import structlog

from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.log import BEGINNING, Event, Position
from samlad.kernel.problems import NotFound

Handler = Callable[[Tx, Event], Awaitable[None]]

POLL_SECONDS = 0.5
"""How often a process looks for new events when nothing wakes it, and a follower that failed for its next attempt."""
IDLE_SECONDS = 2.0
"""How often each follower looks for itself: after a replay, or what a process that ended has left."""
PARK_AFTER = 8
QUIET_STRIDE = 1000
"""Transactions that may pass before a follower without events of its own notes how far it has read."""
LONGEST_BACKOFF = timedelta(minutes=5)

logger = structlog.get_logger("samlad.followers")


class Follower(msgspec.Struct, frozen=True):
    """One reader of the log. ``types`` None means every event; ``batch`` events share a transaction."""

    name: str
    handle: Handler
    types: tuple[str, ...] | None = None
    batch: int = 100


class Lag(msgspec.Struct, frozen=True):
    """How far a follower is behind. ``events`` counts up to 10,000; ``seconds`` is the age of the next event."""

    name: str
    events: int
    seconds: float
    attempts: int
    parked: int
    last_error: str | None


async def register(database: Database, followers: Sequence[Follower], *, start: Position = BEGINNING) -> None:
    """Make the cursor rows of followers that have none yet, at ``start``."""

    async def work(tx: Tx) -> None:
        await tx.execute(
            "INSERT INTO follower (name, xid, seq) SELECT unnest($1::text[]), $2, $3 ON CONFLICT DO NOTHING",
            [f.name for f in followers],
            start.xid,
            start.seq,
        )

    await database.transaction(work)


async def step(database: Database, follower: Follower) -> int | None:
    """Let a follower handle its next events; how many it went through.

    0: nothing to do, or another has the turn. None: the next one failed, or has failed and waits for its time.

    An event that fails is tried again alone after a pause of 1, 2, 4 … seconds (at most five minutes) and parked
    after `PARK_AFTER` attempts. In what is handled together (`Tx.collect`) it is looked for by halves.
    """
    size = follower.batch
    while True:
        try:
            return await database.transaction(partial(_handle_batch, follower=follower, size=size))
        except _HandlerFailed as error:
            failure = error
        if failure.index == 0:
            await database.transaction(partial(_note_failure, follower=follower, failure=failure))
            return None
        # What came before the bad event goes through; the bad one is then alone at the front.
        size = failure.index


class _HandlerFailed(Exception):
    """``index`` events may go through without the one that failed."""

    def __init__(self, index: int, event: Event, error: Exception) -> None:
        super().__init__(str(error))
        self.index, self.event, self.error = index, event, error


async def _handle_batch(tx: Tx, follower: Follower, size: int) -> int | None:
    row = await tx.row(
        "SELECT xid, seq, attempts, retry_at <= now() AS is_due FROM follower WHERE name = $1 FOR UPDATE SKIP LOCKED",
        follower.name,
    )
    if row is None:
        return 0
    if not row["is_due"]:
        return None
    limit = 1 if row["attempts"] else size
    events, position = await log.read(tx, Position(row["xid"], row["seq"]), limit=limit, types=follower.types)
    for index, event in enumerate(events):
        try:
            await follower.handle(tx, event)
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
            raise  # the transaction is tried again as a whole
        except Exception as error:
            raise _HandlerFailed(index, event, error) from error
    try:
        await tx.flush()
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
        raise
    except Exception as error:
        raise _HandlerFailed(len(events) // 2, events[0], error) from error
    if not events and position.xid - row["xid"] < QUIET_STRIDE:
        return 0  # nothing of ours happened: not worth a write
    await tx.execute(
        """
        UPDATE follower SET xid = $2, seq = $3, attempts = 0, last_error = NULL,
               handled_at = CASE WHEN $4 THEN now() ELSE handled_at END
        WHERE name = $1
        """,
        follower.name,
        position.xid,
        position.seq,
        bool(events),
    )
    return len(events)


async def _note_failure(tx: Tx, follower: Follower, failure: _HandlerFailed) -> None:
    event, reason = failure.event, f"{type(failure.error).__name__}: {failure.error}"[:2000]
    row = await tx.row(
        "SELECT attempts FROM follower WHERE name = $1 AND (xid, seq) < ($2, $3) FOR UPDATE",
        follower.name,
        event.xid,
        event.seq,
    )
    if row is None:
        return  # another process has got past it meanwhile
    attempts = row["attempts"] + 1
    logger.warning("follower failed", follower=follower.name, event_id=str(event.id), attempts=attempts)
    if attempts < PARK_AFTER:
        pause = min(timedelta(seconds=2 ** (attempts - 1)), LONGEST_BACKOFF)
        await tx.execute(
            "UPDATE follower SET attempts = $2, retry_at = $3, last_error = $4 WHERE name = $1",
            follower.name,
            attempts,
            now() + pause,
            reason,
        )
        return
    await tx.execute(
        """
        INSERT INTO parked_event (follower, event, seq, type, reason, attempts) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (follower, event) DO UPDATE SET reason = excluded.reason, attempts = parked_event.attempts + 1
        """,
        follower.name,
        event.id,
        event.seq,
        event.type,
        reason,
        attempts,
    )
    await tx.execute(
        "UPDATE follower SET xid = $2, seq = $3, attempts = 0, retry_at = '-infinity', last_error = $4 WHERE name = $1",
        follower.name,
        event.xid,
        event.seq,
        reason,
    )


async def retry_parked(database: Database, follower: Follower, event_id: UUID) -> None:
    """Handle a parked event once more; it leaves the parking place if that succeeds.

    Raises:
        NotFound: it is not parked (any more).
        Exception: what the follower raised; the event stays parked.
    """

    async def work(tx: Tx) -> None:
        found = await tx.row(
            "DELETE FROM parked_event WHERE follower = $1 AND event = $2 RETURNING seq",
            follower.name,
            event_id,
        )
        if found is None:
            raise NotFound("This event is not parked.")
        event = await log.by_id(tx, event_id)
        if event is None:
            raise NotFound("The event is no longer in the log.")
        await follower.handle(tx, event)

    await database.transaction(work)


async def replay(database: Database, name: str, start: Position | datetime = BEGINNING) -> None:
    """Send a follower back to a position, or to the first event recorded at or after a moment.

    Its handler sees events again: it must be written so that this is what one wants (projections rebuild).
    """

    async def work(tx: Tx) -> None:
        position = start
        if isinstance(position, datetime):
            row = await tx.row(
                "SELECT xid, seq FROM event WHERE recorded_at >= $1 ORDER BY xid, seq LIMIT 1", position
            )
            position = Position(row["xid"], row["seq"] - 1) if row else await log.end(tx)
        moved = await tx.execute(
            "UPDATE follower SET xid = $2, seq = $3, attempts = 0, retry_at = '-infinity', last_error = NULL"
            " WHERE name = $1",
            name,
            position.xid,
            position.seq,
        )
        if not moved:
            raise NotFound(f"There is no follower called {name}.")

    await database.transaction(work)


async def lags(reader: Reader, followers: Sequence[Follower]) -> list[Lag]:
    """How far behind each follower is."""
    found = []
    for follower in followers:
        row = await reader.row(
            """
            SELECT f.attempts, f.last_error,
                   (SELECT count(*) FROM parked_event p WHERE p.follower = f.name) AS parked,
                   count(e.seq) AS events,
                   coalesce(extract(epoch FROM now() - min(e.recorded_at)), 0)::float8 AS seconds
            FROM follower f LEFT JOIN LATERAL (
                SELECT seq, recorded_at FROM event
                WHERE (xid, event.seq) > (f.xid, f.seq) AND ($2::text[] IS NULL OR type = ANY($2))
                ORDER BY xid, event.seq LIMIT 10000
            ) e ON true
            WHERE f.name = $1 GROUP BY f.name
            """,
            follower.name,
            None if follower.types is None else list(follower.types),
        )
        if row is not None:
            found.append(Lag(name=follower.name, **dict(row.items())))
    return found


class Runner:
    """Runs followers in this process until stopped. Any number of processes may run the same ones.

    One look at the types of what is new, for all followers: those that do not read them are left alone.
    """

    def __init__(self, database: Database, followers: Sequence[Follower]) -> None:
        self._database = database
        self._followers = tuple(followers)
        self._grown = asyncio.Event()
        self._wakes = {f.name: asyncio.Event() for f in self._followers}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Register the followers and begin."""
        await register(self._database, self._followers)
        begin = await log.end(self._database)  # each follower looks for itself once, at the latest after this
        self._tasks = [asyncio.create_task(self._run(f), name=f"follower-{f.name}") for f in self._followers]
        self._tasks.append(asyncio.create_task(self._look(begin), name="followers"))

    def wake(self) -> None:
        """Something was appended: look now."""
        self._grown.set()

    async def stop(self) -> None:
        """Stop after the transactions that are under way were rolled back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self, position: Position) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._grown.wait(), POLL_SECONDS)
            self._grown.clear()
            try:
                types, position = await log.types_after(self._database, position)
            except Exception as error:  # noqa: BLE001 - must outlive whatever the database does
                logger.warning("looking for events failed", error=str(error))
                await asyncio.sleep(1)
                continue
            for follower in self._followers:
                if types and (follower.types is None or not types.isdisjoint(follower.types)):
                    self._wakes[follower.name].set()

    async def _run(self, follower: Follower) -> None:
        wake = self._wakes[follower.name]
        while True:
            wake.clear()
            pause = IDLE_SECONDS
            try:
                handled = await step(self._database, follower)
            except Exception as error:  # noqa: BLE001 - a follower's loop must outlive whatever the database does
                logger.warning("follower step failed", follower=follower.name, error=str(error))
                handled = None
                await asyncio.sleep(1)
            if handled is None:
                pause = POLL_SECONDS
            if not handled:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), pause)
