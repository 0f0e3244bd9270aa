"""Promotions of this process: read with every cart, changed a few times a day.

Staleness as of channels: a change is seen at once by the process that made it, and within `MAX_AGE_SECONDS` by every
other one. What must be exact at the moment of buying (ended, limits, budgets) is asked once more by the statement
that counts the use (`uses_store.use`).
"""

import time
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec

from samlad.kernel.database import Database, Reader, Tx
from samlad.promotions import store
from samlad.promotions.model import Promotion

MAX_AGE_SECONDS = 2.0


class _Snapshot(msgspec.Struct):
    promotions: dict[UUID, list[Promotion]]
    fingerprint: str
    generation: int
    checked_at: float


_snapshots: "WeakKeyDictionary[Database, _Snapshot]" = WeakKeyDictionary()
_generation = 0


def forget() -> None:
    """Load everything anew at the next use; called after the commit of a change in this process."""
    global _generation
    _generation += 1


async def of_pool(reader: Reader, pool: UUID) -> list[Promotion]:
    """The promotions of a pool that have not ended, at most `MAX_AGE_SECONDS` old."""
    database = reader.database if isinstance(reader, Tx) else reader
    assert isinstance(database, Database)
    now, generation = time.monotonic(), _generation
    snapshot = _snapshots.get(database)
    if snapshot is not None and snapshot.generation == generation:
        if now - snapshot.checked_at < MAX_AGE_SECONDS:
            return snapshot.promotions.get(pool, [])
        if await store.fingerprint(reader) == snapshot.fingerprint:
            snapshot.checked_at = now
            return snapshot.promotions.get(pool, [])
    # The fingerprint first: a change between the two reads only makes the next check load once more.
    fingerprint = await store.fingerprint(reader)
    promotions: dict[UUID, list[Promotion]] = {}
    for promotion in await store.live(reader):
        promotions.setdefault(promotion.pool, []).append(promotion)
    _snapshots[database] = _Snapshot(promotions, fingerprint, generation, now)
    return promotions.get(pool, [])
