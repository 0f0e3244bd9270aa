"""The event log: one with its transaction, read in commit order, never past an open transaction."""

import asyncio
from uuid import uuid4

import pytest

import horizon
from samlad.kernel import followers, log
from samlad.kernel.database import Database, Tx
from samlad.kernel.followers import Follower, Runner
from samlad.kernel.log import BEGINNING, Fact, declare


@declare("test.counted", personal=("name",))
class Counted(Fact):
    """A number was said by somebody."""

    number: int
    name: str = ""


async def say(db: Database, *numbers: int) -> None:
    async def work(tx: Tx) -> None:
        for number in numbers:
            log.append(tx, Counted(number=number, name="Kim"), subject=uuid4())

    await db.transaction(work)


async def test_events_of_a_transaction_are_one_statement_and_carry_who_and_when(db: Database) -> None:
    async def work(tx: Tx) -> int:
        log.append(tx, Counted(number=1, name="Kim"))
        log.append(tx, Counted(number=2))
        await tx.flush()
        return tx.statements

    assert await db.transaction(work) == 1
    await horizon.passed(db)
    events, _ = await log.read(db, BEGINNING)
    assert [e.fact() for e in events] == [Counted(number=1, name="Kim"), Counted(number=2)]
    assert {e.actor for e in events} == {"system"}
    assert await db.value("SELECT count(*) FROM event WHERE payload ? 'name'") == 0, (
        "personal data stands apart"
    )


async def test_a_rolled_back_transaction_leaves_no_event(db: Database) -> None:
    async def work(tx: Tx) -> None:
        log.append(tx, Counted(number=1))
        await tx.flush()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await db.transaction(work)
    assert (await log.read(db, BEGINNING))[0] == []


async def test_a_late_commit_is_waited_for_not_missed(db: Database) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx) -> None:
        log.append(tx, Counted(number=1))
        await tx.flush()
        started.set()
        await release.wait()

    late = asyncio.create_task(db.transaction(slow))
    await started.wait()
    await say(db, 2)
    seen, position = await log.read(db, BEGINNING)
    assert seen == [], "event 2 has committed, but event 1 stands before it and may yet commit"
    release.set()
    await late
    await horizon.passed(db)
    seen, _ = await log.read(db, position)
    assert [e.payload["number"] for e in seen] == [1, 2]


async def test_concurrent_writers_lose_nothing(db: Database) -> None:
    handled: list[int] = []

    async def handle(tx: Tx, event: log.Event) -> None:
        handled.append(event.payload["number"])

    runner = Runner(db, [Follower("collector", handle, batch=7)])
    await runner.start()

    async def writer(base: int) -> None:
        for number in range(40):
            await say(db, base + number)
            runner.wake()

    await asyncio.gather(*(writer(1000 * w) for w in range(6)))
    async with asyncio.timeout(60):
        while len(handled) < 240:
            runner.wake()
            await asyncio.sleep(0.01)
    await runner.stop()
    assert sorted(handled) == sorted(1000 * w + n for w in range(6) for n in range(40))


async def test_followers_are_woken_by_their_own_types_only(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "IDLE_SECONDS", 3600.0)
    steps: list[str] = []
    handled: list[int] = []

    async def handle(tx: Tx, event: log.Event) -> None:
        handled.append(event.payload["number"])

    async def step(db: Database, follower: Follower) -> int | None:
        steps.append(follower.name)
        return await real(db, follower)

    real = followers.step
    monkeypatch.setattr(followers, "step", step)
    reader = Follower("reader", handle, types=(Counted.event_type,))
    runner = Runner(db, [reader, Follower("bystander", handle, types=("test.never",))])
    await runner.start()
    async with asyncio.timeout(60):
        for number in range(5):
            await say(db, number)
            while number not in handled:
                runner.wake()
                await asyncio.sleep(0.01)
    await runner.stop()
    assert steps.count("reader") > 5
    assert steps.count("bystander") == 1, "it looked for itself once, when it began"


async def test_a_poison_event_is_parked_and_the_rest_goes_on(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "PARK_AFTER", 2)
    handled: list[int] = []
    broken = True

    async def handle(tx: Tx, event: log.Event) -> None:
        if event.payload["number"] == 2 and broken:
            raise ValueError("two is poison")
        handled.append(event.payload["number"])

    follower = Follower("picky", handle)
    await followers.register(db, [follower])
    await say(db, 1, 2, 3)
    await horizon.passed(db)
    await followers.step(db, follower)
    for _ in range(2):
        await followers.step(db, follower)
        await db.value("UPDATE follower SET retry_at = '-infinity' RETURNING 1")
    await followers.step(db, follower)
    assert handled[-1] == 3
    assert set(handled) == {1, 3}
    lag = (await followers.lags(db, [follower]))[0]
    assert (lag.parked, lag.events) == (1, 0)
    row = await db.row("SELECT event, reason FROM parked_event")
    assert row is not None
    assert "two is poison" in row["reason"]

    with pytest.raises(ValueError, match="poison"):
        await followers.retry_parked(db, follower, row["event"])
    broken = False
    await followers.retry_parked(db, follower, row["event"])
    assert handled[-1] == 2
    assert await db.value("SELECT count(*) FROM parked_event") == 0


async def test_poison_in_what_a_follower_collects_is_found_and_parked(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "PARK_AFTER", 2)
    handled: list[int] = []
    tries: list[int] = []

    async def together(tx: Tx, events: list[log.Event]) -> None:
        numbers = [event.payload["number"] for event in events]
        tries.append(len(numbers))
        if 5 in numbers:
            raise ValueError("five is poison")
        tx.after_commit(lambda: handled.extend(numbers))

    async def handle(tx: Tx, event: log.Event) -> None:
        tx.collect(together, event)

    follower = Follower("together", handle)
    await followers.register(db, [follower])
    await say(db, *range(1, 9))
    await horizon.passed(db)
    for _ in range(8):
        await followers.step(db, follower)
        await db.value("UPDATE follower SET retry_at = '-infinity' RETURNING 1")
    assert handled == [1, 2, 3, 4, 6, 7, 8]
    assert tries[0] == 8, "what is fine goes together"
    lag = (await followers.lags(db, [follower]))[0]
    assert (lag.parked, lag.events) == (1, 0)
    row = await db.row("SELECT event, reason FROM parked_event")
    assert row is not None
    assert "five is poison" in row["reason"]
    with pytest.raises(ValueError, match="poison"):
        await followers.retry_parked(db, follower, row["event"])


async def test_replay_goes_back(db: Database) -> None:
    handled: list[int] = []

    async def handle(tx: Tx, event: log.Event) -> None:
        handled.append(event.payload["number"])

    follower = Follower("again", handle)
    await followers.register(db, [follower])
    await say(db, 1, 2)
    await horizon.passed(db)
    await followers.step(db, follower)
    await followers.replay(db, "again")
    await followers.step(db, follower)
    assert handled == [1, 2, 1, 2]


async def test_the_log_cannot_be_rewritten(db: Database) -> None:
    import asyncpg

    await say(db, 1)
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.value("DELETE FROM event RETURNING 1")
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.value("UPDATE event SET payload = '{}' RETURNING 1")
    assert await db.value("UPDATE event SET personal = NULL RETURNING 1") == 1, "erasure is allowed"
