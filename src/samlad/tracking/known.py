"""Sources, write keys and the tracking plan of this process: asked with every request (`samlad.kernel.snapshots`)."""

from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from samlad.access.rate import LocalLimit
from samlad.access.tokens import token_hash
from samlad.customers import tombstones
from samlad.kernel import remembering
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.problems import InvalidInput
from samlad.kernel.snapshots import Kept
from samlad.tracking import plan_store, store
from samlad.tracking.model import Source
from samlad.tracking.plan import Expected, compiled

BURST_SECONDS = 5
"""A source may send at once what it may send in so many seconds."""

logger = structlog.get_logger("samlad.tracking")


class Known(msgspec.Struct):
    """All of it as it was."""

    sources: dict[UUID, Source]
    keys: dict[bytes, tuple[UUID, datetime | None]]
    plan: dict[tuple[str, UUID | None], Expected]
    limits: dict[UUID, LocalLimit]
    stones: tombstones.Stones
    """Of people who were erased."""

    def source_of(self, key: str) -> Source | None:
        """The source that a write key belongs to; None for keys that are not valid.

        Looked up by the hash, so how long it takes tells nothing of how much of a guess was right.
        """
        found = self.keys.get(token_hash(key))
        if found is None or (found[1] is not None and found[1] <= now()):
            return None
        return self.sources.get(found[0])

    def count_request(self, source: Source) -> None:
        """Count one request of a source.

        Raises:
            TooMany: more than it may, in this process.
        """
        self.limits[source.id].check("")


async def _load(database: Database) -> Known:
    before = KEPT.seen(database)
    sources = {source.id: source for source in await store.all_sources(database)}
    loaded = Known(
        sources=sources,
        keys={key.key_hash: (key.source, key.ends_at) for key in await store.valid_keys(database)},
        plan=await _plan(database),
        limits={source.id: _limit(source, before) for source in sources.values()},
        stones=await tombstones.everything(database),
    )
    if before is not None and loaded.stones != before.stones:
        remembering.forget_all()
    return loaded


async def _fingerprint(database: Database) -> str:
    return f"{await store.fingerprint(database)} {await tombstones.state(database)}"


KEPT = Kept(_load, _fingerprint)
known, forget = KEPT.current, KEPT.forget


async def _plan(database: Database) -> dict[tuple[str, UUID | None], Expected]:
    found = {}
    for line in await plan_store.all_schemas(database):
        try:
            found[line.event, line.source] = compiled(line.schema, line.policy)
        except InvalidInput as error:  # written by a version that understood more
            logger.warning(
                "a schema of the tracking plan cannot be used", event_name=line.event, error=str(error)
            )
    return found


def _limit(source: Source, before: Known | None) -> LocalLimit:
    """The same limit as before if nothing about it changed: a change elsewhere gives nobody a new burst."""
    if before is not None and source.id in before.limits:
        known_before = before.sources.get(source.id)
        if known_before is not None and known_before.per_second == source.per_second:
            return before.limits[source.id]
    return LocalLimit(per_second=source.per_second, burst=source.per_second * BURST_SECONDS, keys=1)
