"""What a process remembers of the database: read with every request, changed a few times a year.

Staleness: a change is seen at once by the process that made it (`Kept.forget`), and within `MAX_AGE_SECONDS` by every other
one, which then compares one value (the fingerprint) and loads everything again only when that is another.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

import msgspec

from samlad.kernel.database import Database, Reader, Tx

MAX_AGE_SECONDS = 2.0

T = TypeVar("T")


class Snapshot(msgspec.Struct, Generic[T]):
    """All of something as it was; checked against the database at ``checked_at`` (monotonic seconds)."""

    value: T
    fingerprint: Any
    generation: int
    checked_at: float


class Kept(Generic[T]):
    """One thing that processes remember. ``fingerprint`` asks for a value that is another after every change of it."""

    def __init__(
        self, load: Callable[[Any], Awaitable[T]], fingerprint: Callable[[Any], Awaitable[Any]]
    ) -> None:
        self._load, self._fingerprint = load, fingerprint
        self._snapshots: WeakKeyDictionary[Database, Snapshot[T]] = WeakKeyDictionary()
        self._looks: WeakKeyDictionary[Database, dict[int, asyncio.Future[Snapshot[T]]]] = WeakKeyDictionary()
        """Looks that are under way, by the generation that they were begun in."""
        self._generation = 0

    def forget(self) -> None:
        """Load everything anew at the next use; called after the commit of a change in this process."""
        self._generation += 1

    def seen(self, database: Database) -> T | None:
        """As it was seen last, without asking; None before the first use."""
        snapshot = self._snapshots.get(database)
        return None if snapshot is None else snapshot.value

    async def current(self, reader: Reader) -> T:
        """At most `MAX_AGE_SECONDS` old. In a transaction the check, when it is due, is a statement of that."""
        return (await self.snapshot(reader)).value

    async def snapshot(self, reader: Reader, max_age: float | None = None) -> Snapshot[T]:
        """The same with its fingerprint, at most ``max_age`` seconds old."""
        # Never a second connection while one is held: a pool full of such transactions would wait for itself.
        database = reader.database if isinstance(reader, Tx) else cast("Database", reader)
        snapshot = self._snapshots.get(database)
        oldest = time.monotonic() - (MAX_AGE_SECONDS if max_age is None else max_age)
        if snapshot and snapshot.generation == self._generation and snapshot.checked_at > oldest:
            return snapshot
        if isinstance(reader, Tx) or max_age is not None:
            return await self._look(reader, database)
        # When a crowd comes to a process that has just begun, one looks for all.
        generation = self._generation
        looks = self._looks.setdefault(database, {})
        if generation not in looks:
            looks[generation] = asyncio.ensure_future(self._look(reader, database))
            looks[generation].add_done_callback(lambda _: looks.pop(generation, None))
        return await asyncio.shield(looks[generation])

    async def _look(self, reader: Reader, database: Database) -> Snapshot[T]:
        moment, generation = time.monotonic(), self._generation
        snapshot = self._snapshots.get(database)
        # The fingerprint first: a change between the two reads only makes the next check load once more.
        fingerprint = await self._fingerprint(reader)
        if snapshot is not None and snapshot.generation == generation and fingerprint == snapshot.fingerprint:
            snapshot.checked_at = moment
            return snapshot
        snapshot = Snapshot(await self._load(reader), fingerprint, generation, moment)
        self._snapshots[database] = snapshot
        return snapshot
