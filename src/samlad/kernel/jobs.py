"""Jobs: durable, retried, scheduled work that a worker process does later. The engine is procrastinate.

A package declares a job once and defers it in the transaction that wants it done::

    @job("orders.send-receipt", retry=Retry(attempts=8))
    async def send_receipt(ctx: JobContext, order: UUID) -> None: ...

    await jobs.defer(tx, "orders.send-receipt", {"order": order.id})

It runs at least once: after a crash or a failure again, so write it so that twice does no harm. Deferring tells
PostgreSQL to notify at the commit, which takes a lock that all commits share: verbs that must be fast append an
event and leave it to a follower to defer.
"""

import asyncio
import inspect
import time
import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.settings import Settings

JobFunction = Callable[..., Awaitable[None]]

STALLED_SECONDS = 30.0
"""A worker without a heartbeat for this long is taken for dead, and its jobs go back to the queue."""
LARGEST_STALLS = 10
"""A job that was under way this often when its worker died is not tried again: it may be what kills them."""

logger = structlog.get_logger("samlad.jobs")


class Retry(msgspec.Struct, frozen=True):
    """How often a failing job is tried in all, and the pause: it doubles from the first to the longest (seconds)."""

    attempts: int = 6
    first_seconds: float = 5
    longest_seconds: float = 3600

    def pause(self, failures: int) -> timedelta | None:
        """How long to wait after this many failures; None: give up."""
        if failures >= self.attempts:
            return None
        return timedelta(seconds=min(self.first_seconds * 2 ** (failures - 1), self.longest_seconds))


FEW_TIMES = Retry()


class JobInfo(msgspec.Struct, frozen=True):
    """A declared job. ``cron`` (five fields, UTC; a sixth for seconds) makes it run by itself."""

    name: str
    function: JobFunction
    queue: str
    retry: Retry
    cron: str | None = None


class JobContext(msgspec.Struct, frozen=True):
    """What a job gets besides its arguments. ``attempt`` is 1 the first time."""

    database: Database
    settings: Settings
    id: int
    name: str
    attempt: int
    context: Context


_DECLARED: dict[str, JobInfo] = {}


def job(
    name: str, *, queue: str = "default", retry: Retry = FEW_TIMES
) -> Callable[[JobFunction], JobFunction]:
    """Declare an ``async`` function ``(JobContext, **arguments)`` as a job.

    Arguments are JSON on the way; they are converted to the types that the function is annotated with.
    """

    def decorate(function: JobFunction) -> JobFunction:
        known = _DECLARED.get(name)
        if known is not None and known.function.__qualname__ != function.__qualname__:
            raise TypeError(f"the job {name} is declared twice")
        _DECLARED[name] = JobInfo(name, function, queue, retry, getattr(function, "_samlad_cron", None))
        return function

    return decorate


def periodic(cron: str) -> Callable[[JobFunction], JobFunction]:
    """Below `job`: let it run by itself, at times in UTC. One run is made up if nobody worked when it was due."""

    def decorate(function: JobFunction) -> JobFunction:
        function._samlad_cron = cron  # type: ignore[attr-defined]
        return function

    return decorate


def declared() -> dict[str, JobInfo]:
    """Every job that the loaded packages declare, by name."""
    return dict(sorted(_DECLARED.items()))


# The same insert as procrastinate_defer_jobs_v1, but a queueing lock that is taken skips the job: an error would
# end the caller's transaction.
_INSERT = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
SELECT $1::text, $2::text, $3::int, $4::text, $5::text, args, $7::timestamptz FROM unnest($6::jsonb[]) AS args
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
RETURNING id
"""


async def defer(
    tx: Tx,
    name: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    at: datetime | None = None,
    lock: str | None = None,
    queueing_lock: str | None = None,
    priority: int = 0,
) -> int | None:
    """Have a job done after this transaction commits; its id. One statement.

    ``at`` is the earliest moment; jobs of one ``lock`` run one at a time, in order; with a ``queueing_lock`` nothing
    is added while such a job waits (then the answer is None). Higher ``priority`` goes first.
    """
    ids = await defer_many(
        tx, name, [arguments or {}], at=at, lock=lock, queueing_lock=queueing_lock, priority=priority
    )
    return ids[0] if ids else None


async def defer_many(
    tx: Tx,
    name: str,
    arguments: Sequence[Mapping[str, Any]],
    *,
    at: datetime | None = None,
    lock: str | None = None,
    queueing_lock: str | None = None,
    priority: int = 0,
) -> list[int]:
    """`defer` for many at once, still one statement; the ids of those that were added."""
    info = _DECLARED.get(name)
    if info is None:
        raise LookupError(f"no loaded package declares the job {name}")
    plain = [msgspec.to_builtins(dict(a)) for a in arguments]
    rows = await tx.rows(_INSERT, info.queue, name, priority, lock, queueing_lock, plain, at)
    return [row["id"] for row in rows]


async def cancel(tx: Tx, job_id: int) -> bool:
    """Take back a job that waits; False if it runs or has ended."""
    return await tx.value("SELECT procrastinate_cancel_job_v1($1, false, false)", job_id) is not None


async def retry_stalled(database: Database, seconds: float = STALLED_SECONDS) -> int:
    """Put the jobs of workers that died back into the queue; how many.

    One that waits with the same queueing lock, or was under way `LARGEST_STALLS` times, is failed instead.
    """

    async def work(tx: Tx) -> int:
        return await tx.execute(
            """
            WITH stalled AS MATERIALIZED (
                SELECT id, queueing_lock, attempts FROM procrastinate_jobs
                WHERE status = 'doing' AND (worker_id IS NULL OR worker_id IN (
                    SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - $1 * interval '1 second'))
                FOR UPDATE SKIP LOCKED
            ), turns AS (
                SELECT s.id, s.attempts >= $2 OR (s.queueing_lock IS NOT NULL AND (
                       row_number() OVER (PARTITION BY s.queueing_lock ORDER BY s.id) > 1 OR EXISTS (
                       SELECT 1 FROM procrastinate_jobs w WHERE w.queueing_lock = s.queueing_lock AND w.status = 'todo')
                       )) AS is_over
                FROM stalled s
            )
            UPDATE procrastinate_jobs j
            SET status = CASE WHEN t.is_over THEN 'failed' ELSE 'todo' END::procrastinate_job_status,
                abort_requested = false, worker_id = NULL, scheduled_at = NULL, attempts = j.attempts + 1
            FROM turns t WHERE t.id = j.id
            """,
            seconds,
            LARGEST_STALLS,
        )

    found = await database.transaction(work)
    if found:
        logger.warning("jobs of a worker that died were put back", jobs=found)
    return found


async def counts(reader: Reader) -> dict[str, int]:
    """How many jobs wait, run and have failed: ``todo``, ``doing``, ``failed``."""
    rows = await reader.rows(
        "SELECT status::text AS status, count(*) AS jobs FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1"
    )
    return {"todo": 0, "doing": 0, "failed": 0} | {row["status"]: row["jobs"] for row in rows}


async def stalled_count(reader: Reader, seconds: float = STALLED_SECONDS) -> int:
    """How many jobs are under way with a worker that gives no sign of life."""
    found: int = await reader.value(
        """
        SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND (worker_id IS NULL OR worker_id IN (
            SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - $1 * interval '1 second'))
        """,
        seconds,
    )
    return found


async def forget_finished(database: Database, age: timedelta) -> int:
    """Delete jobs that ended longer ago than ``age``, 5,000 a transaction; how many."""
    return await delete_in_batches(
        database,
        """
        DELETE FROM procrastinate_jobs WHERE id IN (
            SELECT j.id FROM procrastinate_jobs j
            WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted') AND NOT EXISTS (
                SELECT 1 FROM procrastinate_events e WHERE e.job_id = j.id AND e.at >= $1)
            ORDER BY j.id LIMIT 5000 FOR UPDATE SKIP LOCKED)
        """,
        now() - age,
    )


async def delete_in_batches(database: Database, sql: str, *args: Any) -> int:
    """Repeat a bounded DELETE, each time in a transaction of its own, until it finds nothing; how many rows."""
    total = 0
    while True:
        deleted = await database.transaction(lambda tx: tx.execute(sql, *args))
        total += deleted
        if deleted == 0:
            return total


async def run(info: JobInfo, ctx: JobContext, arguments: Mapping[str, Any]) -> None:
    """Run a job with its arguments converted to what its function is annotated with, and log how it went."""
    started = time.perf_counter()
    outcome = "failed"
    try:
        await info.function(ctx, **_convert(info.function, arguments))
        outcome = "done"
    except asyncio.CancelledError:
        outcome = "interrupted"
        raise
    finally:
        logger.info(
            "job ran", job=info.name, job_id=ctx.id, attempt=ctx.attempt, outcome=outcome,
            ms=round((time.perf_counter() - started) * 1000, 1), request_id=str(ctx.context.request_id),
        )  # fmt: skip


def _convert(function: JobFunction, arguments: Mapping[str, Any]) -> dict[str, Any]:
    kinds = _annotations(function)
    return {
        name: msgspec.convert(value, kinds[name], strict=False) if name in kinds else value
        for name, value in arguments.items()
    }


@lru_cache(maxsize=1024)
def _annotations(function: JobFunction) -> dict[str, Any]:
    hints = typing.get_type_hints(function)
    return {name: hints[name] for name in list(inspect.signature(function).parameters)[1:] if name in hints}
