"""Channels of this process: read on every request, changed a few times a year (`samlad.kernel.snapshots`).

A channel that is not known is looked for at once: who has just opened it may ask the next process. Reads that must not be
stale (verbs that change a channel) use `store.get`.

A channel that moves to another pool: whoever still writes into the old one is refused by the database (``sql/0002``) as
if others had changed the same rows. Its transaction is done again, and asks anew (`Tx.is_retry`). And before a
transaction refuses somebody because of what is not in the old pool, it asks whether that is still so (`Tx.doubt`).
"""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from samlad.channels import store
from samlad.channels.model import Channel
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.kernel.snapshots import Kept, Snapshot


async def _load(reader: Reader) -> dict[UUID, Channel]:
    return {channel.id: channel for channel in await store.all_channels(reader)}


KEPT = Kept(_load, store.fingerprint)
forget = KEPT.forget


async def cached(reader: Database | Tx, channel_id: UUID) -> Channel:
    """A channel, at most `MAX_AGE_SECONDS` old. In a transaction the check, when it is due, is a statement of that.

    Raises:
        NotFound: there is none with this id.
    """
    found = await _known(reader, lambda known: known.get(channel_id))
    if found is None:
        raise NotFound(f"There is no channel {channel_id}.")
    return found


async def cached_all(reader: Database | Tx) -> list[Channel]:
    """Every channel by code, at most `MAX_AGE_SECONDS` old."""
    return list((await _current(reader)).value.values())


async def cached_by_code(reader: Database | Tx, code: str) -> Channel | None:
    """A channel by its code, at most `MAX_AGE_SECONDS` old; None: there is none, also now."""
    return await _known(reader, lambda known: next((c for c in known.values() if c.code == code), None))


async def _known(
    reader: Database | Tx, pick: Callable[[dict[UUID, Channel]], Channel | None]
) -> Channel | None:
    """What is picked of the channels; where that is none, of those of this moment."""
    found = pick((await _current(reader)).value)
    return found if found is not None else pick((await _current(reader, max_age=0)).value)


def last_seen(database: Database) -> list[Channel]:
    """Every channel as this process saw it last, without asking: for pages about errors. Empty before the first use."""
    return list((KEPT.seen(database) or {}).values())


async def _is_outdated(seen: int, tx: Tx) -> bool:
    """Whether channels have changed since a transaction saw them; then they are forgotten."""
    if await store.fingerprint(tx) == seen:
        return False
    forget()
    return True


async def _current(reader: Database | Tx, max_age: float | None = None) -> Snapshot[dict[UUID, Channel]]:
    if not isinstance(reader, Tx):
        return await KEPT.snapshot(reader, max_age)
    snapshot = await KEPT.snapshot(reader, 0 if reader.is_retry else max_age)
    reader.doubt = reader.doubt or partial(_is_outdated, snapshot.fingerprint)
    return snapshot
