"""Live: what happens, to browsers and to other parts of this process, while it happens.

Each process has one `Live`: one connection that LISTENs for the log's wake while anybody wants to know, one read of the
log however many listeners there are, one encoded frame for all of them. A listener that does not keep up is dropped; its browser
comes back with ``Last-Event-ID`` (a position in the log) and gets what it missed. A page that is rendered names the
position before its own reading (`Live.position`) as ``after`` and so misses nothing that happens until it listens. A
lost wake costs at most `POLL_SECONDS`.

A topic is ``name`` or ``name:key``. Packages register theirs::

    live.register(Topic("tills", guard=live.needs("orders.read"), keys=live.by_type("order.sold", "order.parked")))

A package that registers nothing has the topic of its own name: ``stock`` is every event that ``samlad.stock``
declares, for those with the permission ``stock.read``.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Self
from uuid import UUID

import asyncpg
import msgspec
import structlog

from samlad.kernel import log
from samlad.kernel.connections import connect
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader
from samlad.kernel.log import Event, Position
from samlad.kernel.problems import Busy, Forbidden, InvalidInput

POLL_SECONDS = 0.5
SOON_SECONDS = 0.004
"""After this one looks again for what an older transaction held back; then after twice this, and so on."""
HEARTBEAT_SECONDS = 15.0
QUEUE_LENGTH = 256
"""Frames that may wait for one listener before it is dropped."""
REPLAY_LIMIT = 2000
"""Events of the log that are looked through for a listener that resumes; further behind it starts anew."""
LARGEST_AUDIENCE = 5000
MOST_TOPICS = 20

HEARTBEAT = b": still here\n\n"
RESET = b"event: reset\ndata: {}\n\n"
"""Tells a page that it missed too much to catch up: load what you show afresh."""

Guard = Callable[[Reader, Actor, str], Awaitable[str]]

logger = structlog.get_logger("samlad.live")
_encode = msgspec.json.Encoder().encode


def _small(event: Event) -> dict[str, Any]:
    """What a browser is told: what happened to what, never the payload."""
    return {
        "id": str(event.id),
        "type": event.type,
        "at": event.recorded_at.isoformat(),
        "subject": event.subject and str(event.subject),
        "channel": event.channel and str(event.channel),
    }


class Topic(msgspec.Struct, frozen=True):
    """Something that can be listened to.

    Attributes:
        name: the part before the colon, also the ``event:`` of its frames.
        guard: given a reader, who asks and the key that they named (``""`` without one), answers the key to listen
            to, or raises Forbidden or NotFound. It may translate: a cart's secret token to the cart's id.
        keys: the keys under which an event belongs to this topic; ``[""]`` for a topic without keys, ``[]`` for not.
        render: the ``data:`` of its frames. Only say personal things if the guard lets nobody else in.
    """

    name: str
    guard: Guard
    keys: Callable[[Event], Sequence[str]]
    render: Callable[[Event], dict[str, Any]] = _small


_TOPICS: dict[str, Topic] = {}


def register(topic: Topic) -> None:
    """Make a topic known. Again with the same name replaces it."""
    _TOPICS[topic.name] = topic


def needs(permission: str) -> Guard:
    """A guard: whoever has this permission; the topic has no keys."""

    async def guard(_reader: Reader, actor: Actor, key: str) -> str:
        actor.require(permission)
        if key:
            raise InvalidInput.at("topic", "this topic takes no key")
        return ""

    return guard


def by_type(*types: str) -> Callable[[Event], Sequence[str]]:
    """Keys of a topic without keys: events of these types."""
    wanted = frozenset(types)
    return lambda event: [""] if event.type in wanted else []


async def _staff_with_id(_reader: Reader, actor: Actor, key: str) -> str:
    if actor.kind not in ("staff", "key", "system"):
        raise Forbidden("Only staff may listen to this.")
    try:
        return str(UUID(key))
    except ValueError:
        raise InvalidInput.at("topic", "after the colon stands an id, a UUID") from None


register(Topic("subject", _staff_with_id, lambda event: [str(event.subject)] if event.subject else []))
register(Topic("channel", _staff_with_id, lambda event: [str(event.channel)] if event.channel else []))


def _topic(name: str) -> Topic:
    if name in _TOPICS:
        return _TOPICS[name]
    types = [kind for kind, fact in log.declared().items() if fact.__module__.startswith(f"samlad.{name}.")]
    if types:
        register(Topic(name, needs(f"{name}.read"), by_type(*types)))
        return _TOPICS[name]
    raise InvalidInput.at("topic", f"there is no topic “{name}”")


async def admit(reader: Reader, actor: Actor, wanted: Sequence[str]) -> frozenset[str]:
    """The topics to listen to, after each one's guard has agreed.

    Raises:
        InvalidInput: none, too many, or one that does not exist.
        Forbidden, NotFound: from the guard.
    """
    if not 1 <= len(wanted) <= MOST_TOPICS:
        raise InvalidInput.at(
            "topic", f"name 1 to {MOST_TOPICS} topics, for example ?topic=orders&topic=stock"
        )
    admitted = set()
    for text in wanted:
        name, _, key = text.partition(":")
        key = await _topic(name).guard(reader, actor, key)
        admitted.add(f"{name}:{key}" if key else name)
    return frozenset(admitted)


class Message(msgspec.Struct, frozen=True):
    """An event as one topic tells it. ``frame`` is the encoded server-sent event that all listeners share."""

    topic: str
    event: Event
    frame: bytes


def _messages(event: Event, is_wanted: Callable[[str], bool]) -> list[Message]:
    """The event once for each wanted topic it belongs to, each encoded once."""
    found = []
    for topic in _TOPICS.values():
        full = [f"{topic.name}:{key}" if key else topic.name for key in topic.keys(event)]
        wanted = [name for name in full if is_wanted(name)]
        if wanted:
            data = _encode(topic.render(event))
            frame = b"id: %b\nevent: %b\ndata: %b\n\n" % (
                str(event.position).encode(),
                topic.name.encode(),
                data,
            )
            found += [Message(name, event, frame) for name in wanted]
    return found


class Listener:
    """One listener's messages in the order of the log; each event comes once. Iterate over it.

    The iteration ends when the listener was too slow or the process stops; None stands for a heartbeat.
    """

    def __init__(self, wanted: frozenset[str]) -> None:
        self.topics = wanted
        self.begin = log.BEGINNING
        """It gets everything after this position."""
        self.is_over = False
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(QUEUE_LENGTH + 1)  # one more for the end
        self._last = log.BEGINNING

    def offer(self, message: Message) -> bool:
        """Give it a message; False if it is too slow and was ended instead."""
        if message.event.position <= self._last:
            return True  # came already under another topic
        self._last = message.event.position
        if self._queue.qsize() >= QUEUE_LENGTH:
            self.end()
            return False
        self._queue.put_nowait(message)
        return True

    def end(self) -> None:
        """Let the iteration end after what is queued already."""
        if not self.is_over:
            self.is_over = True
            self._queue.put_nowait(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message | None:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                message = await self._queue.get()
        except TimeoutError:
            return None
        if message is None:
            raise StopAsyncIteration
        return message


class Live:
    """The live part of one process. `start` … `stop`; reads the log only while somebody listens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: dict[str, set[Listener]] = {}
        self._audience: set[Listener] = set()
        self._position: Position | None = None
        self._wake = asyncio.Event()
        self._needed = asyncio.Event()  # a listener or a callback: until then commits wake nobody here
        self._callbacks: list[Callable[[], None]] = []
        self._connection: asyncpg.Connection | None = None
        self._reading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def audience(self) -> int:
        """How many listen now."""
        return len(self._audience)

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Call this when the log has grown: for followers."""
        self._callbacks.append(callback)
        self._needed.set()

    def start(self) -> None:
        """Begin to listen to the database."""
        self._task = asyncio.create_task(self._run(), name="live")

    async def stop(self) -> None:
        """End every listener and the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for listener in list(self._audience):
            self._drop(listener)
        if self._connection is not None:
            self._connection.terminate()

    async def position(self) -> Position:
        """Where the log is now.

        Who reads the database afterwards sees everything up to here; a `stream` after here brings the rest.
        """
        return await log.end(self._database)

    @contextlib.asynccontextmanager
    async def listen(self, wanted: frozenset[str]) -> AsyncIterator[Listener]:
        """Listen to topics (after `admit`) from now on.

        Raises:
            Busy: too many listen to this process already.
        """
        if self.audience >= LARGEST_AUDIENCE:
            raise Busy("Too many listeners on this process.")
        listener = Listener(wanted)
        async with self._reading:
            if self._position is None:
                self._position = await log.end(self._database)
            listener.begin = self._position
            self._audience.add(listener)
            self._needed.set()
            for topic in wanted:
                self._listeners.setdefault(topic, set()).add(listener)
        try:
            yield listener
        finally:
            self._drop(listener)

    async def stream(self, wanted: frozenset[str], after: Position | None = None) -> AsyncIterator[bytes]:
        """Server-sent events for a browser; with ``after`` first what it missed since that position."""
        async with self.listen(wanted) as listener:
            yield b"retry: 2000\n\n"
            if after is not None:
                for frame in await self._missed(wanted, after, listener.begin):
                    yield frame
            # Silence moves the browser's position, too: it does not come back with one from hours ago.
            yield b"id: %b\n\n" % str(listener.begin).encode()
            async for message in listener:
                yield HEARTBEAT if message is None else message.frame

    async def _missed(self, wanted: frozenset[str], after: Position, until: Position) -> list[bytes]:
        events, _ = await log.read(self._database, after, limit=REPLAY_LIMIT)
        if len(events) == REPLAY_LIMIT:
            return [b"id: %b\n" % str(until).encode() + RESET]
        frames = []
        for event in events:
            if event.position <= until:
                frames += [m.frame for m in _messages(event, wanted.__contains__)[:1]]
        return frames

    def _drop(self, listener: Listener) -> None:
        listener.end()
        self._audience.discard(listener)
        for topic in listener.topics:
            group = self._listeners.get(topic)
            if group is not None:
                group.discard(listener)
                if not group:
                    del self._listeners[topic]
        if not self._audience:
            self._position = None  # nobody listens: the next one begins at the log's end
            if not self._callbacks:
                self._needed.clear()

    async def _run(self) -> None:
        is_woken, pause = True, POLL_SECONDS
        while True:
            try:
                if not self._needed.is_set():
                    await self._hush()
                    await self._needed.wait()
                await self._hear()
                # Asked before reading: what is not held back now, the reading finds.
                is_held_back = is_woken and await log.is_held_back(self._database)
                await self._deliver()
                if not is_held_back:
                    pause = POLL_SECONDS
                else:  # a long transaction does not make this busy: the pause doubles until it has ended
                    pause = min(pause * 2, POLL_SECONDS) if pause < POLL_SECONDS else SOON_SECONDS
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, Busy) as error:
                logger.warning("live waits for the database", error=type(error).__name__)
                await asyncio.sleep(POLL_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            is_woken = self._wake.is_set() or pause < POLL_SECONDS
            self._wake.clear()
            if is_woken:
                for callback in self._callbacks:
                    callback()

    async def _hear(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._database.dsn, self._database.settings)
        # Once more is no more: a callback is there once, and LISTEN is sent for the first one only.
        await self._connection.add_listener(log.wake_channel(self._database), self._woken)

    async def _hush(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.remove_listener(log.wake_channel(self._database), self._woken)

    def _woken(self, *_: object) -> None:
        self._wake.set()

    async def _deliver(self) -> None:
        """Read what is new and hand it out, until there is no more."""
        while self._audience:
            async with self._reading:
                if self._position is None:
                    return
                events, position = await log.read(self._database, self._position, limit=500)
                if self._position is not None:  # the last listener may have left meanwhile
                    self._position = position
                for event in events:
                    self._hand_out(event)
            if len(events) < 500:
                return

    def _hand_out(self, event: Event) -> None:
        for message in _messages(event, self._listeners.__contains__):
            for listener in list(self._listeners.get(message.topic, ())):
                if not listener.offer(message):
                    logger.info("a slow listener was dropped", topics=len(listener.topics))
                    self._drop(listener)
