"""Live: every process hears every commit once, in order; slow listeners are dropped; who resumes misses nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

import horizon
from samlad.kernel import live, log
from samlad.kernel.context import GUEST, Actor, Context
from samlad.kernel.database import Database, Tx, open_database
from samlad.kernel.live import Live, Topic
from samlad.kernel.log import Fact, Poker, Position, declare
from samlad.kernel.problems import Busy, Forbidden, InvalidInput
from samlad.kernel.settings import Settings

STAFF = Actor(kind="staff", id=uuid4(), permissions=frozenset({"bell.read"}))


@declare("bell.rung")
class Rung(Fact):
    """A bell was rung."""

    number: int


@declare("horn.blown")
class Blown(Fact):
    """A horn was blown."""

    number: int


live.register(Topic("bell", live.needs("bell.read"), live.by_type("bell.rung")))
live.register(Topic("horn", live.needs("horn.read"), live.by_type("horn.blown")))


async def ring(db: Database, *numbers: int, subject: UUID | None = None, kind: type[Fact] = Rung) -> None:
    async def work(tx: Tx) -> None:
        for number in numbers:
            log.append(tx, kind(number=number), subject=subject)

    await db.transaction(work)


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Database]:
    """The pool of another process, with its poker."""
    database = await open_database(settings.database_url or "", settings)
    poker = Poker(database)
    poker.start()
    yield database
    await poker.stop()
    await database.close()


@pytest.fixture
async def hub(db: Database) -> AsyncIterator[Live]:
    hub = Live(db)
    hub.start()
    yield hub
    await hub.stop()


async def admit(db: Database, *topics: str, actor: Actor = STAFF) -> frozenset[str]:
    return await live.admit(db, actor, topics)


async def take(listener: live.Listener, count: int, seconds: float = 10) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            message = await anext(listener)
            if message is not None:
                found.append(message.event.payload["number"])
    return found


async def test_commits_of_another_process_arrive_in_order_and_once(
    db: Database, hub: Live, other: Database
) -> None:
    subject = uuid4()
    topics = await admit(db, "bell", f"subject:{subject}")
    async with hub.listen(topics) as one, hub.listen(topics) as two:
        for number in range(20):
            await ring(other, number, subject=subject)
        await ring(other, 99, kind=Blown)
        await ring(other, 20)
        assert await take(one, 21) == list(range(21)), "once, though the event is in both topics"
        assert await take(two, 21) == list(range(21))


async def test_all_listeners_share_one_frame(db: Database, hub: Live, other: Database) -> None:
    topics = await admit(db, "bell")
    async with hub.listen(topics) as one, hub.listen(topics) as two:
        await ring(other, 1)
        first, second = await anext(one), await anext(two)
    assert first is second
    assert first is not None
    head, event, data, *_ = first.frame.decode().split("\n")
    assert Position.parse(head.removeprefix("id: ")) == first.event.position
    assert event == "event: bell"
    told = msgspec.json.decode(data.removeprefix("data: "))
    assert set(told) == {"id", "type", "at", "subject", "channel"}


async def test_a_lost_wake_costs_one_poll(db: Database, hub: Live) -> None:
    async with hub.listen(await admit(db, "bell")) as listener:
        await ring(db, 1)  # this database has no poker
        assert await take(listener, 1) == [1]


async def test_from_commit_to_listener_nobody_waits_for_the_poll(
    db: Database, hub: Live, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub.listen(await admit(db, "bell")) as listener:
        monkeypatch.setattr(live, "POLL_SECONDS", 3600.0)
        unaided = 0
        for number in range(30):
            await ring(other, number)
            try:
                heard = await take(listener, 1, seconds=2)
                unaided += 1
            except (
                TimeoutError
            ):  # a transaction of another test, open meanwhile, holds up the log of the server
                await horizon.passed(db)
                hub._woken()
                heard = await take(listener, 1)
            assert heard == [number]
        assert unaided > 20


async def test_what_an_older_transaction_held_back_is_told_soon_after_it_ends(
    db: Database, hub: Live, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def older(tx: Tx) -> None:
        await tx.value("SELECT pg_current_xact_id()::text")
        begun.set()
        await end.wait()

    async with hub.listen(await admit(db, "bell")) as listener:
        monkeypatch.setattr(live, "POLL_SECONDS", 3600.0)
        open_one = asyncio.create_task(db.transaction(older))
        await begun.wait()
        await ring(other, 1)
        with pytest.raises(TimeoutError):
            await take(listener, 1, seconds=0.2)
        end.set()
        await open_one
        assert await take(listener, 1) == [1], "nobody wakes it: it looks again by itself"


async def test_a_slow_listener_is_dropped_and_the_rest_go_on(
    db: Database, hub: Live, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUEUE_LENGTH", 5)
    topics = await admit(db, "bell")
    async with hub.listen(topics) as slow, hub.listen(topics) as quick:
        for number in range(8):
            await ring(other, number)
            assert await take(quick, 1) == [number]
        assert slow.is_over
        assert hub.audience == 1
        assert await take(slow, 5) == [0, 1, 2, 3, 4], "what was queued is still there"
        with pytest.raises(StopAsyncIteration):
            await anext(slow)


async def test_who_resumes_gets_what_was_missed_then_the_new(
    db: Database, hub: Live, other: Database
) -> None:
    topics = await admit(db, "bell")
    async with hub.listen(topics) as listener:
        await ring(other, 1, 2, 3)
        first = await anext(listener)
    assert first is not None
    await ring(other, 4)
    await ring(other, 0, kind=Blown)
    stream = hub.stream(topics, first.event.position)
    ids: list[Position] = []
    async with asyncio.timeout(60):
        async for frame in stream:
            if b"\nevent: bell\n" in frame:
                ids.append(Position.parse(frame.decode().split("\n")[0].removeprefix("id: ")))
            if len(ids) == 1:
                await ring(other, 5)
            if len(ids) == 4:
                break
    await stream.aclose()
    events, _ = await log.read(db, Position(0, 0))
    numbers = {event.position: event.payload["number"] for event in events}
    assert [numbers[position] for position in ids] == [2, 3, 4, 5]
    assert hub.audience == 0


async def test_who_missed_too_much_is_told_to_begin_anew(
    db: Database, hub: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REPLAY_LIMIT", 3)
    await ring(db, 1, 2, 3)
    await horizon.passed(db)
    stream = hub.stream(await admit(db, "bell"), Position(0, 0))
    assert await anext(stream) == b"retry: 2000\n\n"
    told = await anext(stream)
    assert told.endswith(b"\n" + live.RESET)
    assert Position.parse(told.decode().split("\n")[0].removeprefix("id: ")) > Position(1, 0)
    await stream.aclose()


async def test_silence_is_broken_by_heartbeats(
    db: Database, hub: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)
    stream = hub.stream(await admit(db, "bell"))
    await anext(stream), await anext(stream)  # how it begins
    assert await anext(stream) == live.HEARTBEAT
    await stream.aclose()


async def test_the_connection_comes_back_after_it_was_cut(db: Database, hub: Live, other: Database) -> None:
    async with hub.listen(await admit(db, "bell")) as listener:
        await ring(other, 1)
        assert await take(listener, 1) == [1]
        cut = hub._connection
        await db.value(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        async with asyncio.timeout(30):
            while hub._connection is cut or hub._connection is None or hub._connection.is_closed():
                await asyncio.sleep(0.01)
            while True:
                with contextlib.suppress(Busy, asyncpg.PostgresError):
                    await ring(other, 2)
                    break
        assert await take(listener, 1) == [2]


async def test_followers_are_woken(hub: Live, other: Database) -> None:
    woken = asyncio.Event()
    hub.on_wake(woken.set)
    async with asyncio.timeout(60):
        while not woken.is_set():
            await ring(other, 1)
            await asyncio.sleep(0.05)


async def test_guards_decide(db: Database) -> None:
    for topic, actor, problem in [
        ("bell", GUEST, Forbidden),
        ("horn", STAFF, Forbidden),
        ("bell:x", STAFF, InvalidInput),
        ("nonsense", STAFF, InvalidInput),
        (f"subject:{uuid4()}", GUEST, Forbidden),
        ("subject:x", STAFF, InvalidInput),
        ("channel", STAFF, InvalidInput),
    ]:
        with pytest.raises(problem):
            await admit(db, topic, actor=actor)
    with pytest.raises(InvalidInput):
        await admit(db)
    with pytest.raises(InvalidInput):
        await admit(db, *["bell"] * 21)


async def test_a_package_has_the_topic_of_its_name(db: Database, hub: Live, other: Database) -> None:
    from samlad.app import ROUTES  # loads the packages
    from samlad.channels import ChannelKind
    from samlad.channels.events import ChannelCreated

    assert ROUTES

    async def create(tx: Tx) -> None:
        log.append(tx, ChannelCreated(code="web", name="Web", kind=ChannelKind.WEBSHOP, pools={}))

    reader = Actor(kind="staff", id=uuid4(), permissions=frozenset({"channels.read"}))
    with pytest.raises(Forbidden):
        await admit(db, "channels")
    async with hub.listen(await admit(db, "channels", actor=reader)) as listener:
        await ring(other, 1)
        await other.transaction(create)
        message = await asyncio.wait_for(anext(listener), 10)
    assert message is not None
    assert message.event.type == "channel.created"


async def test_a_guard_may_translate_a_secret_into_an_id(db: Database, hub: Live, other: Database) -> None:
    cart = uuid4()

    async def guard(reader: live.Reader, actor: Actor, key: str) -> str:
        if key != "token":
            raise Forbidden
        return str(cart)

    live.register(Topic("basket", guard, live._TOPICS["subject"].keys, lambda event: dict(event.payload)))
    try:
        with pytest.raises(Forbidden):
            await admit(db, "basket:wrong", actor=GUEST)
        async with hub.listen(await admit(db, "basket:token", actor=GUEST)) as listener:
            await ring(other, 7, subject=cart)
            message = await asyncio.wait_for(anext(listener), 10)
        assert message is not None
        assert message.frame.decode().split("\n")[1:3] == ["event: basket", 'data: {"number":7}']
    finally:
        del live._TOPICS["basket"]


async def test_too_many_listeners_are_refused(
    hub: Live, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LARGEST_AUDIENCE", 1)
    topics = await admit(db, "bell")
    async with hub.listen(topics):
        with pytest.raises(Busy):
            async with hub.listen(topics):
                pass


async def test_nobody_listening_reads_nothing_and_the_end_of_the_process_ends_listeners(db: Database) -> None:
    hub = Live(db)
    hub.start()
    async with hub.listen(await admit(db, "bell")) as listener:
        assert hub._position is not None
        await hub.stop()
        with pytest.raises(StopAsyncIteration):
            await anext(listener)
    assert hub._position is None
    assert hub._listeners == {}


async def test_the_context_of_a_request_is_not_told(db: Database, hub: Live, other: Database) -> None:
    async def work(tx: Tx) -> None:
        log.append(tx, Rung(number=1))

    async with hub.listen(await admit(db, "bell")) as listener:
        await other.transaction(work, Context(actor=STAFF, remote="192.0.2.1"))
        message = await asyncio.wait_for(anext(listener), 10)
    assert message is not None
    assert str(STAFF.id) not in message.frame.decode()


async def frames(stream: AsyncIterator[bytes], count: int) -> list[bytes]:
    """The next frames that tell of an event."""
    found = []
    async with asyncio.timeout(60):
        while len(found) < count:
            frame = await anext(stream)
            if b"\nevent: bell\n" in frame:
                found.append(frame)
    return found


async def test_a_page_hears_what_happens_between_its_reading_and_its_listening(
    db: Database, hub: Live, other: Database
) -> None:
    topics = await admit(db, "bell")
    await ring(other, 1)
    await horizon.passed(db)
    rendered = await hub.position()
    await ring(other, 2)
    await horizon.passed(db)
    stream = hub.stream(topics, rendered)
    (missed,) = await frames(stream, 1)
    await ring(other, 3)
    (new,) = await frames(stream, 1)
    await stream.aclose()
    events, _ = await log.read(db, rendered)
    assert [event.payload["number"] for event in events] == [2, 3]
    for event, frame in zip(events, (missed, new), strict=True):
        assert frame.startswith(f"id: {event.position}\n".encode())


async def test_what_was_open_while_the_page_read_is_heard(db: Database, hub: Live, other: Database) -> None:
    """The page does not show it, and its place in the log is before things that the page shows."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx) -> None:
        await tx.value("SELECT pg_current_xact_id()::text")
        begun.set()
        await may_end.wait()
        log.append(tx, Rung(number=1))

    running = asyncio.create_task(other.transaction(slow))
    await begun.wait()
    await ring(db, 2)
    rendered = await hub.position()
    may_end.set()
    await running
    stream = hub.stream(await admit(db, "bell"), rendered)
    told = await frames(stream, 2)
    await stream.aclose()
    events, _ = await log.read(db, rendered)
    assert [event.payload["number"] for event in events] == [1, 2]
    assert [frame.split(b"\n")[0] for frame in told] == [f"id: {e.position}".encode() for e in events]


async def test_silence_moves_the_place_to_which_a_browser_comes_back(db: Database, hub: Live) -> None:
    stream = hub.stream(await admit(db, "bell"), Position(0, 0))
    assert await anext(stream) == b"retry: 2000\n\n"
    told = await anext(stream)
    await stream.aclose()
    assert told.startswith(b"id: ")
    assert Position.parse(told.decode().strip().removeprefix("id: ")) > Position(1, 0)
