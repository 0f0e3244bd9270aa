"""The database: conflicts are retried, limits are kept, and a PostgreSQL that was killed is survived."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from samlad.kernel import database as databases
from samlad.kernel import migrations
from samlad.kernel.context import EVENT_IDS
from samlad.kernel.database import Database, Tx, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import Busy, OutcomeUnknown
from samlad.kernel.settings import Settings, load


@pytest.fixture
async def accounts(db: Database) -> Database:
    async def work(tx: Tx) -> None:
        await tx.execute("CREATE TABLE pot (id int PRIMARY KEY, balance int NOT NULL)")
        await tx.execute_many("INSERT INTO pot VALUES ($1, $2)", [(n, 100) for n in range(1, 5)])

    await db.transaction(work)
    return db


async def move(tx: Tx, source: int, target: int, pause: float = 0) -> None:
    await tx.execute("UPDATE pot SET balance = balance - 1 WHERE id = $1", source)
    await asyncio.sleep(pause)
    await tx.execute("UPDATE pot SET balance = balance + 1 WHERE id = $1", target)


async def test_deadlocks_are_retried(accounts: Database) -> None:
    attempts = 0

    async def work(tx: Tx, source: int, target: int) -> None:
        nonlocal attempts
        attempts += 1
        await move(tx, source, target, 0.1)

    pairs = [(1, 2), (2, 1), (3, 4), (4, 3)]
    await asyncio.gather(*(accounts.transaction(lambda tx, p=p: work(tx, *p)) for p in pairs))
    assert attempts > 4, "there were deadlocks"
    assert [r["balance"] for r in await accounts.rows("SELECT balance FROM pot ORDER BY id")] == [100] * 4


async def test_serialization_failures_are_retried_and_nothing_is_lost(accounts: Database) -> None:
    attempts = 0

    async def work(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        balance = await tx.value("SELECT balance FROM pot WHERE id = 1")
        await asyncio.sleep(0.02)
        await tx.execute("UPDATE pot SET balance = $1 WHERE id = 1", balance + 1)

    await asyncio.gather(*(accounts.transaction(work, isolation="repeatable_read") for _ in range(4)))
    assert attempts > 4
    assert await accounts.value("SELECT balance FROM pot WHERE id = 1") == 104


async def test_endless_conflicts_are_busy(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = 0

    async def work(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        raise asyncpg.SerializationError("again")

    with pytest.raises(Busy):
        await db.transaction(work)
    assert attempts == databases.ATTEMPTS


async def test_a_lock_that_is_held_too_long_is_busy(accounts: Database, settings: Settings) -> None:
    hasty = await open_database(accounts.dsn, msgspec.structs.replace(settings, lock_seconds=1))
    held, release = asyncio.Event(), asyncio.Event()

    async def hold(tx: Tx) -> None:
        await tx.execute("UPDATE pot SET balance = 0 WHERE id = 1")
        held.set()
        await release.wait()

    holder = asyncio.create_task(accounts.transaction(hold))
    await held.wait()
    with pytest.raises(Busy, match="lock"):
        await hasty.transaction(lambda tx: move(tx, 1, 2))
    release.set()
    await holder
    await hasty.close()


async def test_a_statement_that_takes_too_long_is_busy(db: Database, settings: Settings) -> None:
    hasty = await open_database(db.dsn, msgspec.structs.replace(settings, statement_seconds=1))
    with pytest.raises(Busy, match="statement timeout"):
        await hasty.value("SELECT pg_sleep(5)")
    assert await hasty.value("SELECT 1") == 1
    await hasty.close()


async def test_callbacks_and_event_ids_wait_for_the_commit(db: Database) -> None:
    called: list[str] = []

    async def work(tx: Tx, fail: bool) -> None:
        tx.after_commit(lambda: called.append("done"))
        if fail:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await db.transaction(lambda tx: work(tx, True))
    assert called == []
    token = EVENT_IDS.set([])
    await db.transaction(lambda tx: work(tx, False))
    EVENT_IDS.reset(token)
    assert called == ["done"]


async def test_a_connection_that_broke_before_the_commit_is_tried_again(accounts: Database) -> None:
    attempts = 0

    async def work(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute("UPDATE pot SET balance = balance - 1 WHERE id = 1")
        if attempts == 1:
            own = await tx.value("SELECT pg_backend_pid()")
            await accounts.value("SELECT pg_terminate_backend($1)", own)
            await asyncio.sleep(0.1)
        await tx.value("SELECT 1")

    await accounts.transaction(work)
    assert attempts == 2
    assert await accounts.value("SELECT balance FROM pot WHERE id = 1") == 99


async def test_a_connection_that_breaks_while_it_is_rolled_back_hides_nothing(accounts: Database) -> None:
    async def work(tx: Tx) -> None:
        own = await tx.value("SELECT pg_backend_pid()")
        await accounts.value("SELECT pg_terminate_backend($1)", own)
        time.sleep(0.2)  # nothing is read meanwhile: that it is over shows when it is asked to roll back
        raise LookupError("as the work says")

    with pytest.raises(LookupError):
        await accounts.transaction(work)


async def test_a_connection_that_broke_at_the_commit_is_an_unknown_outcome(accounts: Database) -> None:
    attempts = 0

    async def work(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute("UPDATE pot SET balance = balance - 1 WHERE id = 1")
        own = await tx.value("SELECT pg_backend_pid()")
        await accounts.value("SELECT pg_terminate_backend($1)", own)
        await asyncio.sleep(0.1)

    with pytest.raises(OutcomeUnknown):
        await accounts.transaction(work)
    assert attempts == 1, "to do it again might do it twice"


async def test_a_cancelled_transaction_leaves_nothing_and_frees_its_connection(accounts: Database) -> None:
    started = asyncio.Event()

    async def work(tx: Tx) -> None:
        await tx.execute("UPDATE pot SET balance = 0 WHERE id = 1")
        started.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(accounts.transaction(work))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await accounts.value("SELECT balance FROM pot WHERE id = 1") == 100
    assert accounts.pool.get_idle_size() == accounts.pool.get_size()


class Row(msgspec.Struct):
    id: int
    balance: int = 0


async def test_rows_become_structs_by_name(accounts: Database) -> None:
    assert await accounts.one(Row, "SELECT balance, id FROM pot WHERE id = 1") == Row(1, 100)
    assert await accounts.one(Row, "SELECT id FROM pot WHERE id = 9") is None
    assert len(await accounts.all(Row, "SELECT id FROM pot")) == 4
    with pytest.raises(TypeError, match="no field"):
        await accounts.all(Row, "SELECT id, 1 AS surprise FROM pot")


async def test_json_goes_through_as_it_is(db: Database) -> None:
    value: dict[str, Any] = {"å": [1, 2.5, None, True], "deep": {"x": "\u2028"}}
    assert await db.value("SELECT $1::jsonb", value) == value


async def test_nobody_answering_is_told_at_once(tmp_path: Path) -> None:
    settings = load({}, home=tmp_path)
    with pytest.raises(Busy, match="does not answer"):
        await open_database("postgresql://samlad@127.0.0.1:1/samlad", settings)


async def test_postgres_killed_under_a_running_pool_comes_back_and_everything_goes_on(tmp_path: Path) -> None:
    settings = load({}, home=tmp_path / "home", pool_size=4)
    with Embedded(settings.home) as server:
        await migrations.migrate(server.dsn, settings, ["samlad.kernel"])
        db = await open_database(server.dsn, settings)

        async def make(tx: Tx) -> None:
            await tx.execute("CREATE TABLE tick (n int)")

        await db.transaction(make)
        acknowledged: list[int] = []
        unknown: list[int] = []

        async def write(number: int) -> None:
            try:
                await db.transaction(lambda tx: tx.execute("INSERT INTO tick VALUES ($1)", number))
                acknowledged.append(number)
            except OutcomeUnknown:
                unknown.append(number)

        async def writer(first: int) -> None:
            for number in range(first, first + 40):
                while number not in acknowledged and number not in unknown:
                    try:
                        await write(number)
                    except Busy:
                        await asyncio.sleep(0.1)
                await asyncio.sleep(0.01)

        async def killer() -> None:
            await asyncio.sleep(0.3)
            pid = server.pid()
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(60):
                while not await asyncio.to_thread(server.supervise):
                    await asyncio.sleep(0.1)

        async with asyncio.timeout(120):
            await asyncio.gather(killer(), *(writer(n * 100) for n in range(3)))
        rows = [r["n"] for r in await db.rows("SELECT n FROM tick")]
        await db.close()
    assert len(rows) == len(set(rows)), "nothing was done twice"
    assert set(acknowledged) <= set(rows), "what was acknowledged is there"
    assert set(rows) <= set(acknowledged) | set(unknown)
    assert len(acknowledged) > 100


async def test_who_looks_through_all_there_is_has_time(db: Database) -> None:
    hasty = await open_database(db.dsn, msgspec.structs.replace(db.settings, statement_seconds=1))
    try:
        with pytest.raises(Busy):
            await hasty.value("SELECT pg_sleep(1.1)")
        async with hasty.patient() as patient:
            await patient.value("SELECT pg_sleep(1.1)")
    finally:
        await hasty.close()
