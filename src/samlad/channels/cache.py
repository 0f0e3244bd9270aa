"""Channels of this process: read on every request, changed a few times a year.

Staleness: a change is seen at once by the process that made it, and within `MAX_AGE_SECONDS` by every other one,
which then compares one number (`store.fingerprint`) and loads all channels again only when it grew. A channel that is
not known is looked for at once: who has just opened it may ask the next process. Reads that must not be stale (verbs
that change a channel) use `store.get`.

A channel that moves to another pool: whoever still writes into the old one is refused by the database (``sql/0002``) as
if others had changed the same rows. Its transaction is done again, and asks anew (`Tx.is_retry`). And before a
transaction refuses somebody because of what is not in the old pool, it asks whether that is still so (`Tx.doubt`).
"""

import asyncio
import time
from functools import partial
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec

from samlad.channels import store
from samlad.channels.model import Channel
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import NotFound

MAX_AGE_SECONDS = 2.0


class _Snapshot(msgspec.Struct):
    """All channels as they were; checked against the database at ``checked_at`` (monotonic seconds)."""

    channels: dict[UUID, Channel]
    fingerprint: int
    generation: int
    checked_at: float


_snapshots: "WeakKeyDictionary[Database, _Snapshot]" = WeakKeyDictionary()
_looks: "WeakKeyDictionary[Database, dict[int, asyncio.Future[_Snapshot]]]" = WeakKeyDictionary()
"""Looks that are under way, by the generation that they were begun in."""
_generation = 0


def forget() -> None:
    """Load everything anew at the next use; called after the commit of a change in this process."""
    global _generation
    _generation += 1


async def cached(reader: Database | Tx, channel_id: UUID) -> Channel:
    """A channel, at most `MAX_AGE_SECONDS` old. In a transaction the check, when it is due, is a statement of that.

    Raises:
        NotFound: there is none with this id.
    """
    found = (await _current(reader)).channels.get(channel_id)
    if found is None:
        found = (await _current(reader, max_age=0)).channels.get(channel_id)
    if found is None:
        raise NotFound(f"There is no channel {channel_id}.")
    return found


async def cached_all(reader: Database | Tx) -> list[Channel]:
    """Every channel by code, at most `MAX_AGE_SECONDS` old."""
    return list((await _current(reader)).channels.values())


def last_seen(database: Database) -> list[Channel]:
    """Every channel as this process saw it last, without asking: for pages about errors. Empty before the first use."""
    snapshot = _snapshots.get(database)
    return [] if snapshot is None else list(snapshot.channels.values())


async def _is_outdated(seen: int, tx: Tx) -> bool:
    """Whether channels have changed since a transaction saw them; then they are forgotten."""
    if await store.fingerprint(tx) == seen:
        return False
    forget()
    return True


async def _current(reader: Database | Tx, max_age: float | None = None) -> _Snapshot:
    if not isinstance(reader, Tx):
        return await _remembered(reader, max_age)
    snapshot = await _remembered(reader, 0 if reader.is_retry else max_age)
    reader.doubt = reader.doubt or partial(_is_outdated, snapshot.fingerprint)
    return snapshot


async def _remembered(reader: Database | Tx, max_age: float | None) -> _Snapshot:
    # Never a second connection while one is held: a pool full of such transactions would wait for itself.
    database = reader.database if isinstance(reader, Tx) else reader
    snapshot = _snapshots.get(database)
    age = MAX_AGE_SECONDS if max_age is None else max_age
    if (
        snapshot is not None
        and snapshot.generation == _generation
        and time.monotonic() - snapshot.checked_at < age
    ):
        return snapshot
    if isinstance(reader, Tx) or max_age is not None:
        return await _looked(reader, database)
    # When a crowd comes to a process that has just begun, one looks for all.
    key = _generation
    looks = _looks.setdefault(database, {})
    if key not in looks:
        looks[key] = asyncio.ensure_future(_looked(reader, database))
        looks[key].add_done_callback(lambda _: looks.pop(key, None))
    return await asyncio.shield(looks[key])


async def _looked(reader: Database | Tx, database: Database) -> _Snapshot:
    now, generation = time.monotonic(), _generation
    snapshot = _snapshots.get(database)
    # The number first: a change between the two reads only makes the next check load once more.
    fingerprint = await store.fingerprint(reader)
    if snapshot is not None and snapshot.generation == generation and fingerprint == snapshot.fingerprint:
        snapshot.checked_at = now
        return snapshot
    channels = {channel.id: channel for channel in await store.all_channels(reader)}
    snapshot = _Snapshot(channels, fingerprint, generation, now)
    _snapshots[database] = snapshot
    return snapshot
