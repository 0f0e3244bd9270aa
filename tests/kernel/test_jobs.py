"""Jobs: deferred in the transaction that wants them, retried, made up for, rescued from workers that were killed."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from samlad.kernel import housekeeping, jobs
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.job_worker import JobWorker, engine
from samlad.kernel.jobs import JobContext, Retry, job, periodic
from samlad.kernel.settings import Settings

DONE: list[Any] = []
FAILING: set[str] = set()


@job("test.note", retry=Retry(attempts=3, first_seconds=0))
async def note(
    ctx: JobContext, text: str, when: datetime | None = None, ids: list[UUID] | None = None
) -> None:
    if text in FAILING:
        DONE.append((text, ctx.attempt, "failed"))
        raise ValueError(text)
    DONE.append((text, ctx.attempt, when, ids))


@job("test.often")
@periodic("* * * * * *")
async def often(ctx: JobContext) -> None:
    DONE.append("often")


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DONE.clear()
    FAILING.clear()


@contextlib.asynccontextmanager
async def worker(db: Database) -> AsyncIterator[None]:
    task = asyncio.create_task(JobWorker(db).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Any, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not (found := condition()) or (asyncio.iscoroutine(found) and not await found):
            await asyncio.sleep(0.02)


async def defer(db: Database, *args: Any, **options: Any) -> Any:
    return await db.transaction(lambda tx: jobs.defer(tx, *args, **options))


def test_our_migration_is_the_installed_schema() -> None:
    theirs = (resources.files("procrastinate.sql") / "schema.sql").read_text("utf-8")
    ours = (resources.files("samlad.kernel") / "sql" / "0002_jobs.sql").read_text("utf-8")
    assert ours.endswith(theirs), (
        "procrastinate's schema has changed: write a migration from its sql/migrations"
    )


async def test_a_deferred_job_runs_with_arguments_of_its_types(db: Database) -> None:
    when, one = datetime(2026, 5, 1, tzinfo=UTC), uuid4()
    async with worker(db):
        await defer(db, "test.note", {"text": "a", "when": when, "ids": [one]})
        await until(lambda: [d for d in DONE if d != "often"])
    assert ("a", 1, when, [one]) in DONE


async def test_defer_is_one_statement_of_the_callers_transaction(db: Database) -> None:
    async def work(tx: Tx) -> int:
        await jobs.defer_many(tx, "test.note", [{"text": str(n)} for n in range(100)], priority=3)
        return tx.statements

    assert await db.transaction(work) == 1
    assert (await jobs.counts(db))["todo"] == 100

    async def fails(tx: Tx) -> None:
        await jobs.defer(tx, "test.note", {"text": "never"})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await db.transaction(fails)
    assert (await jobs.counts(db))["todo"] == 100


async def test_an_unknown_job_is_told_at_once(db: Database) -> None:
    with pytest.raises(LookupError, match=r"test\.unknown"):
        await defer(db, "test.unknown")


async def test_a_queueing_lock_adds_nothing_while_one_waits_and_breaks_no_transaction(db: Database) -> None:
    async def work(tx: Tx) -> tuple[int | None, int | None, int]:
        first = await jobs.defer(tx, "test.note", {"text": "a"}, queueing_lock="once")
        second = await jobs.defer(tx, "test.note", {"text": "b"}, queueing_lock="once")
        return first, second, await tx.value("SELECT 1")

    first, second, goes_on = await db.transaction(work)
    assert first is not None
    assert (second, goes_on) == (None, 1)


async def test_later_jobs_wait_and_can_be_cancelled(db: Database) -> None:
    async with worker(db):
        later = await defer(db, "test.note", {"text": "later"}, at=datetime.now(UTC) + timedelta(hours=1))
        await defer(db, "test.note", {"text": "now"})
        await until(lambda: any(d[0] == "now" for d in DONE if d != "often"))
    assert not any(d[0] == "later" for d in DONE if d != "often")
    assert await db.transaction(lambda tx: jobs.cancel(tx, later))
    assert not await db.transaction(lambda tx: jobs.cancel(tx, later))


async def test_a_failing_job_is_retried_then_given_up(db: Database) -> None:
    FAILING.add("bad")
    async with worker(db):
        await defer(db, "test.note", {"text": "bad"})
        await until(lambda: sum(d != "often" for d in DONE) == 3)

        async def failed() -> bool:
            return (await jobs.counts(db))["failed"] == 1

        await until(failed)
    assert [d for d in DONE if d != "often"] == [("bad", n, "failed") for n in (1, 2, 3)]


def test_the_pause_doubles_up_to_its_limit() -> None:
    retry = Retry(attempts=5, first_seconds=10, longest_seconds=35)
    pauses = [retry.pause(n) for n in range(1, 6)]
    assert [p and p.total_seconds() for p in pauses] == [10, 20, 35, 35, None]


async def test_a_periodic_job_runs_by_itself(db: Database) -> None:
    async with worker(db):
        await until(lambda: DONE.count("often") >= 2)


async def test_every_job_has_a_schedule_that_can_be_read(db: Database) -> None:
    app = engine(db)
    names = {name for name, _ in app.periodic_registry.periodic_tasks}
    assert {"kernel.event-partitions", "kernel.forget-answers", "kernel.forget-jobs"} <= names


async def test_a_job_that_the_worker_must_leave_goes_back_to_the_queue(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from samlad.kernel import job_worker

    monkeypatch.setattr(job_worker, "GRACE_SECONDS", 0.1)
    started = asyncio.Event()

    async def endless(ctx: JobContext) -> None:
        started.set()
        await asyncio.sleep(3600)

    job("test.endless")(endless)
    try:
        async with worker(db):
            await defer(db, "test.endless")
            await asyncio.wait_for(started.wait(), 15)
        row = await db.row(
            "SELECT status::text, attempts FROM procrastinate_jobs WHERE task_name = 'test.endless'"
        )
        assert row is not None
        assert row["status"] == "todo"
    finally:
        del jobs._DECLARED["test.endless"]


WORKER = """
import asyncio, sys
from pathlib import Path
from samlad.kernel import jobs
from samlad.kernel.database import open_database
from samlad.kernel.job_worker import JobWorker
from samlad.kernel.settings import load

@jobs.job("test.slow")
async def slow(ctx, marker: str, rescued: str):
    if ctx.attempt == 1:
        Path(marker).write_text("started")
        await asyncio.sleep(3600)
    Path(rescued).write_text(str(ctx.attempt))

async def main():
    dsn, home = sys.argv[1:]
    settings = load({}, home=home, database_url=dsn)
    database = await open_database(dsn, settings)
    await JobWorker(database).run()

asyncio.run(main())
"""


@pytest.mark.slow
async def test_jobs_of_a_killed_worker_are_done_by_another(
    db: Database, settings: Settings, tmp_path: Path
) -> None:
    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, str(settings.database_url), str(tmp_path)
        )

    marker, rescued = tmp_path / "marker", tmp_path / "rescued"
    info = jobs.JobInfo("test.slow", note, "default", Retry())
    jobs._DECLARED["test.slow"] = info
    first = second = None
    try:
        await defer(db, "test.slow", {"marker": str(marker), "rescued": str(rescued)})
        first = await start()
        await until(marker.exists, 30)
        first.send_signal(signal.SIGKILL)
        await first.wait()
        second = await start()
        assert await jobs.retry_stalled(db, 3600) == 0, "its last heartbeat is too young"
        await asyncio.sleep(1.5)
        assert (await jobs.stalled_count(db, 1)) == 1
        assert await jobs.retry_stalled(db, 1) == 1
        # A file is there before what is written in it.
        await until(lambda: rescued.exists() and rescued.read_text() != "", 30)
        assert rescued.read_text() == "2"
    finally:
        del jobs._DECLARED["test.slow"]
        for process in (first, second):
            if process is not None and process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()


async def insert_doing(db: Database, *, attempts: int = 0, queueing_lock: str | None = None) -> int:
    found: int = await db.value(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts, queueing_lock)"
        " VALUES ('default', 'test.note', 'doing', $1, $2) RETURNING id",
        attempts,
        queueing_lock,
    )
    return found


async def test_stalled_jobs_that_cannot_go_back_are_failed(db: Database) -> None:
    await defer(db, "test.note", {"text": "waits"}, queueing_lock="a")
    superseded = await insert_doing(db, queueing_lock="a")
    killer = await insert_doing(db, attempts=jobs.LARGEST_STALLS)
    first, twin = await insert_doing(db, queueing_lock="b"), await insert_doing(db, queueing_lock="b")
    plain = await insert_doing(db)
    assert await jobs.retry_stalled(db) == 5
    rows = await db.rows("SELECT id, status::text FROM procrastinate_jobs")
    status = {row["id"]: row["status"] for row in rows}
    assert [status[i] for i in (superseded, killer, first, twin, plain)] == [
        "failed", "failed", "todo", "failed", "todo",
    ]  # fmt: skip


async def test_finished_jobs_and_old_answers_are_forgotten_after_a_week(
    db: Database, settings: Settings
) -> None:
    old = await insert_doing(db)
    young = await insert_doing(db)

    async def finish(tx: Tx) -> None:
        for number in (old, young):
            await tx.execute("SELECT procrastinate_finish_job_v1($1, 'succeeded', false)", number)
        await tx.execute(
            "UPDATE procrastinate_events SET at = now() - interval '8 days' WHERE job_id = $1", old
        )
        for key, age in (("old", 8), ("young", 6)):
            await tx.execute(
                "INSERT INTO idempotency VALUES ('s', $1, '', 200, '{}', '', now() - $2 * interval '1 day')",
                key,
                age,
            )

    await db.transaction(finish)
    ctx = JobContext(database=db, settings=settings, id=1, name="x", attempt=1, context=jobs.Context())
    await housekeeping.forget_jobs(ctx)
    await housekeeping.forget_answers(ctx)
    assert [row["id"] for row in await db.rows("SELECT id FROM procrastinate_jobs")] == [young]
    assert [row["key"] for row in await db.rows("SELECT key FROM idempotency")] == ["young"]


async def test_partitions_are_made_ahead_over_the_turn_of_the_year(db: Database) -> None:
    assert housekeeping.months(date(2030, 11, 30), 4) == [
        date(2030, 11, 1), date(2030, 12, 1), date(2031, 1, 1), date(2031, 2, 1),
    ]  # fmt: skip
    assert await housekeeping.make_partitions(db, date(2030, 11, 30)) == 4
    assert await housekeeping.make_partitions(db, date(2030, 11, 30)) == 0


async def test_a_month_that_is_in_the_default_partition_is_left_there(db: Database) -> None:
    async def stray(tx: Tx) -> None:
        await tx.execute(
            "INSERT INTO event (id, type, occurred_at, recorded_at, actor, request, payload)"
            " VALUES ($1, 't', now(), '2031-03-05', 'system', $1, '{}')",
            new_id(),
        )

    await db.transaction(stray)
    assert await housekeeping.make_partitions(db, date(2031, 3, 1)) == 3
