"""What is left for the last statement of a transaction: written with the events, or before what needs it."""

import asyncpg
import pytest

from samlad.kernel import log
from samlad.kernel.database import Database, Tx
from samlad.kernel.log import Fact, declare

ADD = "INSERT INTO thing (id, of) SELECT * FROM unnest($1::int[], $2::int[])"
ONE = "INSERT INTO thing (id, note) VALUES ($1, $2)"


@declare("test.made")
class Made(Fact):
    """Things were made."""

    count: int


@pytest.fixture
async def things(db: Database) -> Database:
    await db.pool.execute("CREATE TABLE thing (id int PRIMARY KEY, of int REFERENCES thing, note text)")
    return db


async def test_all_is_one_statement_whatever_refers_to_what(things: Database) -> None:
    async def work(tx: Tx) -> int:
        tx.later(ADD, [2, 3], [1, 2])  # refers to what is written after it
        tx.later(ONE, 1, "costs $1, or $2")
        log.append(tx, Made(count=3))
        await tx.flush()
        return tx.statements

    assert await things.transaction(work) == 1
    rows = await things.rows("SELECT id, of, note FROM thing ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [(1, None, "costs $1, or $2"), (2, 1, None), (3, 2, None)]
    assert await things.value("SELECT count(*) FROM event WHERE type = 'test.made'") == 1


async def test_it_is_written_without_events_too_and_once(things: Database) -> None:
    async def work(tx: Tx) -> None:
        tx.later(ONE, 1, "a")
        await tx.flush()
        await tx.flush()

    await things.transaction(work)
    assert await things.value("SELECT count(*) FROM thing") == 1


async def test_who_needs_it_before_has_it_written(things: Database) -> None:
    async def work(tx: Tx) -> None:
        tx.later(ONE, 1, "a")
        await tx.settle()
        await tx.settle()
        await tx.execute("UPDATE thing SET note = 'b' WHERE id = 1")
        tx.later(ONE, 2, "c")

    await things.transaction(work)
    rows = await things.rows("SELECT note FROM thing ORDER BY id")
    assert [row["note"] for row in rows] == ["b", "c"]


async def test_what_is_refused_there_takes_all_back(things: Database) -> None:
    async def work(tx: Tx) -> None:
        await tx.execute(ONE, 1, "a")
        tx.later(ONE, 1, "again")
        log.append(tx, Made(count=1))

    with pytest.raises(asyncpg.UniqueViolationError):
        await things.transaction(work)
    assert await things.value("SELECT count(*) FROM thing") == 0
    assert await things.value("SELECT count(*) FROM event WHERE type = 'test.made'") == 0


async def test_a_savepoint_takes_back_what_failed_inside_alone(things: Database) -> None:
    async def fail(tx: Tx) -> None:
        async with tx.savepoint():
            async with tx.savepoint():
                await tx.execute(ONE, 2, "b")
            await tx.execute(ONE, 1, "again")

    async def work(tx: Tx) -> None:
        await tx.execute(ONE, 1, "a")
        with pytest.raises(asyncpg.UniqueViolationError):
            await fail(tx)
        async with tx.savepoint():
            await tx.execute(ONE, 3, "c")

    await things.transaction(work)
    assert [row["id"] for row in await things.rows("SELECT id FROM thing ORDER BY id")] == [1, 3]
