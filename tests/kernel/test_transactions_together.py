"""Transactions that go together: one for all who wait, and nobody fails for another's reason."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from samlad.kernel import log
from samlad.kernel.context import EVENT_IDS, Actor, Context
from samlad.kernel.database import Database, GoAlone, Tx, asked_once
from samlad.kernel.ids import new_id
from samlad.kernel.log import Fact, declare
from samlad.kernel.problems import Conflict, StillRunning
from samlad.kernel.together import Together

MADE = "INSERT INTO made (id, of) SELECT * FROM unnest($1::int[], $2::text[])"


@declare("test.together")
class Added(Fact):
    """A number was added."""

    number: int


asked: list[list[int]] = []
"""With whom each statement was asked."""


async def add_each(tx: Tx, numbers: Sequence[int]) -> list[int | BaseException]:
    """Add numbers, but none that is there; below zero they go alone."""
    asked.append([*numbers])
    wanted = [number for number in numbers if number >= 0 or not tx.is_shared]
    rows = await tx.rows(
        "INSERT INTO number SELECT * FROM unnest($1::int[]) ON CONFLICT DO NOTHING RETURNING value", wanted
    )
    new = {row["value"] for row in rows}
    return [
        GoAlone() if number not in wanted else number if number in new else Conflict(f"{number} is there")
        for number in numbers
    ]


@asked_once
async def count(reader: Tx) -> int:
    asked.append([])
    return int(await reader.value("SELECT count(*) FROM number"))


class Numbers(Together):
    """Those of these tests."""


class World:
    """A table of numbers, and a first transaction that keeps the others waiting until all have come."""

    def __init__(self, db: Database) -> None:
        self.db, self.together = db, db.companion(Numbers)

    async def run(self, *works: Callable[[Tx], Awaitable[Any]], keys: Sequence[str | None] = ()) -> list[Any]:
        """How each ended, in a group."""
        may_end = asyncio.Event()

        async def first(_: Tx) -> None:
            await may_end.wait()

        turn = asyncio.create_task(self.together.transaction(first))
        await asyncio.sleep(0)
        asked.clear()
        keys = keys or [None] * len(works)
        tasks = [
            asyncio.create_task(self.together.transaction(work, _who(n), alone=key))
            for n, (work, key) in enumerate(zip(works, keys, strict=True))
        ]
        await asyncio.sleep(0)
        may_end.set()
        await turn
        return await asyncio.gather(*tasks, return_exceptions=True)

    async def numbers(self) -> list[int]:
        return [row["value"] for row in await self.db.rows("SELECT value FROM number ORDER BY value")]


def _who(number: int) -> Context:
    return Context(
        actor=Actor(kind="staff", id=new_id(), name=f"Sam {number}"),
        request_id=new_id(),
        channel=None,
        remote=None,
    )


@pytest.fixture
async def world(db: Database) -> World:
    await db.pool.execute("CREATE TABLE number (value int PRIMARY KEY)")
    await db.pool.execute("CREATE TABLE made (id int PRIMARY KEY, of text)")
    return World(db)


def adding(number: int, *, then: Exception | None = None) -> Callable[[Tx], Awaitable[int]]:
    async def work(tx: Tx) -> int:
        added = await tx.with_others(add_each, number, writes=True)
        if then is not None:
            raise then
        tx.rows_later(MADE, [number], [tx.actor.name])
        log.append(tx, Added(number=number))
        return added

    return work


async def test_one_statement_for_all_and_each_its_own_events(world: World) -> None:
    ended = Counter[str]()
    told: list[list[Any]] = []

    def noting(number: int) -> Callable[[Tx], Awaitable[int]]:
        async def work(tx: Tx) -> int:
            tx.after_commit(lambda: ended.update(["committed"]))
            tx.at_end(lambda: ended.update(["ended"]))
            tx.at_rollback(lambda: ended.update(["rolled back"]))
            return await adding(number)(tx)

        return work

    async def as_request(number: int) -> list[Any]:
        mine: list[Any] = []
        EVENT_IDS.set(mine)
        await world.together.transaction(noting(number), _who(number))
        told.append(mine)
        return mine

    may_end = asyncio.Event()
    turn = asyncio.create_task(world.together.transaction(lambda _: may_end.wait()))
    await asyncio.sleep(0)
    asked.clear()
    requests = [asyncio.create_task(as_request(number)) for number in range(5)]
    await asyncio.sleep(0)
    may_end.set()
    await turn
    own = await asyncio.gather(*requests)
    assert asked == [[0, 1, 2, 3, 4]]
    assert ended == {"committed": 5, "ended": 5}
    assert await world.numbers() == [0, 1, 2, 3, 4]
    made = await world.db.rows("SELECT id, of FROM made ORDER BY id")
    assert [(row["id"], row["of"]) for row in made] == [(n, f"Sam {n}") for n in range(5)]
    events = await world.db.rows(
        "SELECT id, xid, actor, payload FROM event WHERE type = 'test.together' ORDER BY seq"
    )
    assert [row["payload"]["number"] for row in events] == [0, 1, 2, 3, 4]
    assert len({row["xid"] for row in events}) == 1, "one transaction"
    assert len({row["actor"] for row in events}) == 5
    assert own == [[row["id"]] for row in events], "each request is told of its own"


async def test_a_refusal_is_one_persons(world: World) -> None:
    await world.db.pool.execute("INSERT INTO number VALUES (2)")
    ended = await world.run(*(adding(number) for number in (1, 2, 3)))
    assert [type(each) for each in ended] == [int, Conflict, int]
    assert asked == [[1, 2, 3]], "and nobody was asked for twice"
    assert await world.numbers() == [1, 2, 3]


async def test_who_fails_when_something_was_written_takes_back_only_that(world: World) -> None:
    ended = await world.run(
        adding(1), adding(2, then=Conflict("no")), adding(3), adding(4, then=ValueError("bad"))
    )
    assert [type(each) for each in ended] == [int, Conflict, int, ValueError]
    assert asked[0] == [1, 2, 3, 4]
    assert sorted(asked[1:]) == [[1], [2], [3], [4]]
    assert await world.numbers() == [1, 3]
    assert await world.db.value("SELECT count(*) FROM event WHERE type = 'test.together'") == 2


async def test_what_the_database_refuses_is_one_persons(world: World) -> None:
    async def twice(tx: Tx) -> int:
        tx.rows_later(MADE, [7, 7], ["a", "b"])
        return await tx.with_others(add_each, 7, writes=True)

    ended = await world.run(adding(1), twice, adding(3))
    assert [type(each).__name__ for each in ended] == ["int", "UniqueViolationError", "int"]
    assert await world.numbers() == [1, 3]


async def test_who_does_what_others_do_not_goes_alone(world: World) -> None:
    async def own(tx: Tx) -> str:
        await tx.execute("INSERT INTO number VALUES (50)")
        return "alone" if not tx.is_shared else "together"

    async def slow(tx: Tx) -> str:
        await asyncio.sleep(0)
        await adding(60)(tx)
        return "alone" if not tx.is_shared else "together"

    async def says_so(tx: Tx) -> str:
        tx.alone()
        return "alone" if not tx.is_shared else "together"

    ended = await world.run(adding(1), own, slow, says_so, adding(-5), adding(2))
    assert ended == [1, "alone", "alone", "alone", -5, 2]
    assert asked[0] == [1, -5, 2]
    assert await world.numbers() == [-5, 1, 2, 50, 60]


async def test_what_comes_when_much_is_done_is_asked_between(world: World) -> None:
    async def reads(tx: Tx) -> tuple[bool, int]:
        await tx.with_others(add_each, 5, writes=True)
        return tx.is_shared, await tx.value("SELECT count(*) FROM number")

    assert await world.run(adding(1), reads, adding(2)) == [1, (True, 3), 2]
    assert asked == [[1, 5, 2]]


async def test_whoever_is_behind_catches_up(world: World) -> None:
    """A read that some need is asked once, before what all come to."""

    async def looks(tx: Tx) -> int:
        assert await count(tx) == 0
        return await tx.with_others(add_each, 9 if tx.actor.name == "Sam 1" else 8, writes=True)

    assert await world.run(adding(1), looks, looks, adding(2)) == [1, 9, 8, 2]
    assert asked == [[], [1, 9, 8, 2]]


async def test_of_two_with_one_key_one_is_done(world: World) -> None:
    ended = await world.run(adding(1), adding(2), adding(3), keys=["a", "b", "a"])
    assert sorted(type(each).__name__ for each in ended) == ["StillRunning", "int", "int"]
    assert len(await world.numbers()) == 2

    async def holds_it(_: Tx) -> list[Any]:
        return await world.run(adding(4), adding(5), keys=["c", "d"])

    ended = await world.db.transaction(holds_it, alone="c")
    assert [type(each) for each in ended] == [StillRunning, int]


async def test_a_doubtful_refusal_is_looked_at_again(world: World) -> None:
    await world.db.pool.execute("INSERT INTO number VALUES (2)")
    doubts = 0

    def doubting(number: int, is_outdated: bool) -> Callable[[Tx], Awaitable[int]]:
        async def doubt(_: Tx) -> bool:
            nonlocal doubts
            doubts += 1
            return is_outdated

        async def work(tx: Tx) -> int:
            tx.doubt = doubt
            return await adding(number)(tx)

        return work

    ended = await world.run(adding(1), doubting(2, is_outdated=False), doubting(2, is_outdated=True))
    assert [type(each) for each in ended] == [int, Conflict, Conflict]
    assert asked[0] == [1, 2, 2]
    assert [2] in asked[1:], "the outdated one was tried alone"
    assert doubts >= 3


async def test_those_who_wait_go_on_beside_one_that_is_stuck(world: World) -> None:
    may_end = asyncio.Event()
    stuck = asyncio.create_task(world.together.transaction(lambda _: may_end.wait()))
    await asyncio.sleep(0)
    ended = await asyncio.gather(*(world.together.transaction(adding(n)) for n in range(4)))
    assert ended == [0, 1, 2, 3]
    assert not stuck.done()
    may_end.set()
    await stuck
    assert await world.run(adding(10), adding(11)) == [10, 11]
    assert asked == [[10, 11]], "and then again one at a time"


async def test_whoever_gives_up_waiting_is_in_nobodys_way(world: World) -> None:
    may_end = asyncio.Event()
    turn = asyncio.create_task(world.together.transaction(lambda _: may_end.wait()))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(world.together.transaction(adding(n))) for n in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[1].cancel()
    may_end.set()
    await turn
    assert await waiting[2] == 2
    assert await world.numbers() == [2]
    assert await world.together.transaction(adding(5)) == 5, "the turn came back"


async def test_a_crowd_in_which_most_go_alone_is_not_tried_again_at_once(world: World) -> None:
    assert await world.run(adding(-1), adding(-2), adding(-3)) == [-1, -2, -3]
    assert await world.run(adding(1), adding(2)) == [1, 2]
    assert sorted(asked) == [[1], [2]]
