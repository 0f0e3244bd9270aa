"""The verbs of parked events: try once more what could not be taken, or let it go."""

from collections.abc import Sequence
from uuid import UUID

from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.tracking import parked_store, store
from samlad.tracking.bodies import Envelope
from samlad.tracking.events import ParkedDiscarded, ParkedRetried, ParkedRetriedMany
from samlad.tracking.events_store import Arrival
from samlad.tracking.intake import Sorted, sort_out, write
from samlad.tracking.known import Known
from samlad.tracking.model import ParkedEvent, Retried, RetriedMany, RetryInput, Source
from samlad.tracking.parked_store import Misfit
from samlad.tracking.permissions import CHANGE, DELETE

MANY = 500
"""Parked events that are tried again in one transaction."""
_BLOCKED = ("blocked", "its source does not take events of this name")


async def read(reader: Reader, parked: UUID) -> ParkedEvent:
    """A parked event with all of its body.

    Raises:
        NotFound: it is not parked (any more).
    """
    found = await parked_store.get(reader, parked)
    if found is None:
        raise NotFound("This event is not parked.")
    return found


async def retry(tx: Tx, parked: UUID, known: Known) -> Retried:
    """Try a parked event again, at the time when it came, under the plan of now. Twice at once takes it once.

    Raises:
        NotFound: it is not parked (any more).
    """
    tx.actor.require(CHANGE)
    misfit = await parked_store.lock(tx, parked)
    source = None if misfit is None else await store.get(tx, misfit.source)
    if misfit is None or source is None:
        raise NotFound("This event is not parked.")
    if misfit.reason == "consent":  # of whom it was is not known any more
        return Retried(is_taken=False, reason=misfit.reason, detail=misfit.detail)
    found = _sorted(known, source, misfit)
    why = _why_not(found)
    log.append(tx, ParkedRetried(reason=why and why[0]), subject=parked, channel=source.channel)
    if why is not None:
        await parked_store.still_parked(tx, [(parked, *why)])
        return Retried(is_taken=False, reason=why[0], detail=why[1])
    await parked_store.unpark(tx, [parked])
    await write(tx, {source.id: source.channel}, found.arrivals, [])
    return Retried(is_taken=True)


def _sorted(known: Known, source: Source, misfit: Misfit) -> Sorted:
    return sort_out(
        known,
        source,
        Envelope(events=[misfit.body], sent_at=misfit.sent_at and misfit.sent_at.isoformat()),
        received_at=misfit.received_at,
        route_type=misfit.route_type,
    )


def _why_not(found: Sorted) -> tuple[str, str] | None:
    """Why an event cannot be taken this time either: reason and detail."""
    if found.misfits:
        return found.misfits[0].reason, found.misfits[0].detail
    return _BLOCKED if found.blocked else None


async def retry_many(tx: Tx, data: RetryInput, known: Known) -> RetriedMany:
    """Try parked events again, `MANY` at most, in the order in which they were parked; those that others are trying right now
    are left to them. Five statements, whatever their number."""
    tx.actor.require(CHANGE)
    misfits = await parked_store.lock_many(
        tx, source=data.source, reason=data.reason, name=data.name, after=data.after, limit=MANY
    )
    sources = {source.id: source for source in await store.all_sources(tx)}
    arrivals: list[Arrival] = []
    taken: list[UUID] = []
    again: list[tuple[UUID, str, str]] = []
    for misfit in misfits:
        if misfit.source not in sources:
            continue
        found = _sorted(known, sources[misfit.source], misfit)
        why = _why_not(found)
        if why is None:
            taken.append(misfit.id)
            arrivals += found.arrivals
        else:
            again.append((misfit.id, *why))
    await _settle(tx, sources, arrivals, taken, again)
    is_all = len(misfits) < MANY
    return RetriedMany(taken=len(taken), still_parked=len(again), next=None if is_all else misfits[-1].id)


async def _settle(
    tx: Tx,
    sources: dict[UUID, Source],
    arrivals: Sequence[Arrival],
    taken: Sequence[UUID],
    again: Sequence[tuple[UUID, str, str]],
) -> None:
    if again:
        await parked_store.still_parked(tx, again)
    if taken:
        await parked_store.unpark(tx, taken)
        concerned = {each.source: sources[each.source].channel for each in arrivals}
        await write(tx, concerned, arrivals, [])
    if taken or again:
        log.append(tx, ParkedRetriedMany(taken=len(taken), still_parked=len(again)))


async def discard(tx: Tx, parked: UUID) -> None:
    """Forget a parked event before its 30 days are over. Again it is gone already.

    Raises:
        NotFound: it is not parked (any more).
    """
    tx.actor.require(DELETE)
    misfit = await parked_store.lock(tx, parked)
    if misfit is None:
        raise NotFound("This event is not parked.")
    await parked_store.unpark(tx, [parked])
    log.append(tx, ParkedDiscarded(reason=misfit.reason), subject=parked)
    audit.record(tx, "tracking_parked.discarded", "tracking_parked", parked, before={"reason": misfit.reason})
