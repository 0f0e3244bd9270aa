"""The follower that finds out on whom events landed, and counts them for the plots.

It reads the log's `tracking.received`, one for each group that was stored together, and handles all groups that wait in one
go: one call of `identity.observe` for up to thousands of events. What it notes stands beside the events.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from samlad import channels, consent, identity
from samlad.consent import Answer, AnswerInput, Level, stamps
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import RETRIED, Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event
from samlad.kernel.problems import Problem
from samlad.tracking import events_store, store
from samlad.tracking.consenting import ANSWERS
from samlad.tracking.events import Batch, EventsLanded, EventsReceived
from samlad.tracking.events_store import Count, Landing, Unresolved
from samlad.tracking.model import Source, SourceKind
from samlad.tracking.sightings import reporter, sighting, without_repeats
from samlad.tracking.vocabulary import EMAIL_LIST, UNSUBSCRIBED

NOT_ITS_FAULT = (*RETRIED, asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError)
"""The transaction is tried again as a whole."""
IMPOSSIBLE = (asyncpg.PostgresError, asyncpg.InterfaceError, Problem, ValueError, TypeError, KeyError)

GROUPS = 20
"""That are handled in one transaction: each has some hundred events."""

logger = structlog.get_logger("samlad.tracking")


async def follow(tx: Tx, event: Event) -> None:
    """Keep a group for the end of the transaction, when all of its groups are handled together."""
    tx.collect(_handle, event)


async def _handle(tx: Tx, events: list[Event]) -> None:
    facts = {event.id: event.fact() for event in events}
    counts, batches = [], []
    for event in events:
        fact = facts[event.id]
        assert isinstance(fact, EventsReceived)
        assert event.subject is not None
        batches.append((event.id, fact.first, fact.last))
        counts.append(
            Count(
                source=event.subject,
                minute=fact.first.replace(second=0, microsecond=0),
                accepted=fact.accepted,
                duplicates=fact.duplicates,
                parked=fact.parked,
                violating=fact.violating,
                blocked=fact.blocked,
                xid=event.xid,
                seq=event.seq,
            )
        )
    await events_store.add_volume(tx, counts)
    waiting = await events_store.of_batches(tx, batches)
    await resolve(tx, waiting)
    if waiting:
        log.append(
            tx, EventsLanded(batches=[Batch(id=id_, first=first, last=last) for id_, first, last in batches])
        )


async def resolve(tx: Tx, events: Sequence[Unresolved]) -> None:
    """Find out on whom events landed and note it. Should one of them be impossible, it holds up no other."""
    if not events:
        return
    sources = {source.id: source for source in await store.all_sources(tx)}
    try:
        landings = await _observe(tx, events, sources)
    except NOT_ITS_FAULT:
        raise
    except IMPOSSIBLE as error:
        if tx.connection.is_closed():
            raise
        logger.warning("events are looked at one by one", events=len(events), error=str(error))
        landings = [await _observe_alone(tx, event, sources) for event in events]
    await events_store.note_landings(tx, landings)
    await _note_answers(tx, landings, sources)


async def _note_answers(tx: Tx, landings: Sequence[Landing], sources: dict[UUID, Source]) -> None:
    """Write into the ledger of consent what events told that people chose. An event that is read again tells it once."""
    told: list[tuple[UUID, AnswerInput, Level, str, Any]] = []
    for landing in landings:
        event = landing.event
        if (
            landing.identity is None
            or event.type != "track"
            or event.name not in ANSWERS
            or not event.consent
        ):
            continue
        source, stamp = sources[event.source], stamps.read(event.consent)
        for codes, answer in ((stamp.granted, Answer.GRANTED), (stamp.denied, Answer.DENIED)):
            for code in sorted(codes - {"necessary"}):
                given = AnswerInput(
                    purpose=code,
                    answer=answer,
                    answered_at=min(event.occurred_at, now()),
                    channel=source.channel,
                    event_id=str(event.id),
                )
                told.append((landing.identity, given, _LEVELS[source.kind], str(source.id), event.consent))
    told += await _unsubscribed(tx, landings, sources)
    if told:
        await consent.record_many(tx, told)


async def _unsubscribed(
    tx: Tx, landings: Sequence[Landing], sources: dict[UUID, Source]
) -> list[tuple[UUID, AnswerInput, Level, str, None]]:
    """Of whom a server told that they unsubscribed, in a tool that sends mails say: a no to the purpose that is the list, or
    else to mails. What anybody can write with a browser's key ends nobody's news."""
    gone = {
        landing.event.id: landing
        for landing in landings
        if landing.identity is not None
        and (landing.event.type, landing.event.name) == ("track", UNSUBSCRIBED)
        and sources[landing.event.source].kind is SourceKind.SERVER
    }
    if not gone:
        return []
    lists = await events_store.lists_of(tx, [each.event for each in gone.values()])
    known = {each.code for each in await consent.asked_for(tx)}
    told = []
    for event_id, landing in gone.items():
        assert landing.identity is not None
        source, purpose = sources[landing.event.source], lists.get(event_id, EMAIL_LIST)
        given = AnswerInput(
            purpose=purpose if purpose in known else EMAIL_LIST,
            answer=Answer.DENIED,
            answered_at=min(landing.event.occurred_at, now()),
            channel=source.channel,
            event_id=str(event_id),
        )
        told.append((landing.identity, given, _LEVELS[source.kind], str(source.id), None))
    return told


_LEVELS = {
    SourceKind.BROWSER: Level.CLAIMED,
    SourceKind.SERVER: Level.AUTHENTICATED,
    SourceKind.OURS: Level.AUTHENTICATED,
}
"""Who stands behind an answer that a source tells."""


async def _observe(tx: Tx, events: Sequence[Unresolved], sources: dict[UUID, Source]) -> list[Landing]:
    by = {}
    for source in {event.source for event in events}:
        by[source] = reporter(sources[source], await channels.cached(tx, sources[source].channel))
    seen = [sighting(event, by[event.source]) for event in events]
    told, places = without_repeats(seen)
    async with tx.savepoint():
        found = await identity.observe(tx, told)
    return [Landing(event, found[place]) for event, place in zip(events, places, strict=True)]


async def _observe_alone(tx: Tx, event: Unresolved, sources: dict[UUID, Source]) -> Landing:
    try:
        (landing,) = await _observe(tx, [event], sources)
        return landing
    except NOT_ITS_FAULT:
        raise
    except IMPOSSIBLE as error:
        if tx.connection.is_closed():
            raise
        return Landing(event, None, f"{type(error).__name__}: {error}"[:500])


FOLLOWERS = [Follower(name="tracking", handle=follow, types=("tracking.received",), batch=GROUPS)]
