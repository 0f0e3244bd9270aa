"""Taking events in: sorted out one by one, stored together.

Requests of one process that come at the same time are stored by one statement and one commit, and each is answered
after that commit. When nobody else waits, a request is stored at once. More than `MOST_WAITING` events never wait:
whoever comes then is told to come again, and nothing of theirs was taken.
"""

import asyncio
import contextvars
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from samlad.kernel import log, turns
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Busy
from samlad.tracking import events_store, parked_store, plan
from samlad.tracking.bodies import Envelope
from samlad.tracking.consenting import SAID, email_of, missing, nameless, names_in, readable, stripped
from samlad.tracking.events import EventsReceived
from samlad.tracking.events_store import Arrival
from samlad.tracking.known import Known
from samlad.tracking.model import Full, Source, Without
from samlad.tracking.parked_store import Misfit
from samlad.tracking.rules import Normal, Unfit, moment_of, normalise

LARGEST_GROUP = 100
"""Events of one statement, unless one request has more. Larger ones were little cheaper, and while one is made ready
nobody else in the process gets a turn."""
STRIDE = 10
"""Events that are sorted out before others get a turn: a third of a millisecond."""
MOST_WAITING = 40_000

NO_BATCH = UUID(int=0)
"""Of arrivals that are not in a group yet."""

_UNSTORABLE = (asyncpg.DataError, asyncpg.ProgramLimitExceededError, UnicodeEncodeError)
"""What PostgreSQL and its driver say of a value that they cannot keep."""


class Blocked(Exception):
    """The source does not take events of this name."""


class Refusals(msgspec.Struct, frozen=True):
    """How many events of a source came, at one moment, that it does not take."""

    source: UUID
    at: datetime
    count: int


class Sorted(msgspec.Struct, frozen=True):
    """The events of a request with their verdicts: to be stored, to be parked, not to be taken at all."""

    arrivals: list[Arrival]
    misfits: list[Misfit]
    blocked: list[Refusals] = []


def sort_out(
    known: Known, source: Source, envelope: Envelope, *, received_at: datetime, route_type: str | None = None
) -> Sorted:
    """Decide on each event by itself: one that cannot be taken holds up no other.

    What the stamp of consent does not allow never gets further than here: it is stored without the person, or parked
    without them, as the source says.
    """
    found, blocked = Sorted([], [], []), 0
    for raw in envelope.events:
        try:
            found.arrivals.append(_arrival(known, source, raw, envelope.sent_at, received_at, route_type))
        except Unfit as unfit:
            misfit = _misfit_of(known, source, raw, unfit, envelope.sent_at, received_at, route_type)
            found.misfits.append(misfit)
        except Blocked:
            blocked += 1
    if blocked:
        found.blocked.append(Refusals(source.id, received_at, blocked))
    return found


def _arrival(
    known: Known, source: Source, raw: bytes, sent_at: object, received_at: datetime, route_type: str | None
) -> Arrival:
    normal = normalise(raw, received_at=received_at, sent_at=sent_at, route_type=route_type)
    if source.blocks and normal.plan_name in source.blocks:
        raise Blocked
    if known.stones.has((normal.user_id, normal.anonymous_id, email_of(normal.traits))):
        return _without_person(_made(normal, source, received_at, []), {"verdict": "erased"})
    lacking = missing(source, normal.payload.get("context"))
    if lacking and normal.type == "track" and normal.name in SAID:
        return _only_answer(_made(normal, source, received_at, []))
    if lacking and source.without_consent is Without.PARK:
        raise Unfit("consent", f"without consent to: {', '.join(lacking)}", type=normal.type)
    normal, violations = plan.checked(known.plan, source.id, normal)
    arrival = _made(normal, source, received_at, violations)
    verdict = {"verdict": "anonymised", "lacking": lacking}
    return _without_person(arrival, verdict) if lacking else arrival


def _made(normal: Normal, source: Source, received_at: datetime, violations: list[Any]) -> Arrival:
    return Arrival(
        id=new_id(),
        received_at=received_at,
        batch=NO_BATCH,
        source=source.id,
        message_id=normal.message_id,
        type=normal.type,
        name=normal.name,
        occurred_at=normal.occurred_at,
        anonymous_id=normal.anonymous_id,
        user_id=normal.user_id,
        previous_id=normal.previous_id,
        group_id=normal.group_id,
        traits=normal.traits,
        consent=normal.consent,
        violations=violations or None,
        payload=normal.payload,
    )


def _only_answer(arrival: Arrival) -> Arrival:
    """Of an event that tells what somebody chose: who and what, and nothing else."""
    return msgspec.structs.replace(
        _without_person(arrival, arrival.consent or {}),
        message_id=arrival.message_id,
        anonymous_id=arrival.anonymous_id,
        user_id=arrival.user_id,
    )


def _without_person(arrival: Arrival, verdict: dict[str, Any]) -> Arrival:
    """What is stored in place of an event of somebody who has not agreed or was erased, with the verdict as its stamp."""
    return msgspec.structs.replace(
        arrival,
        message_id=nameless(arrival.message_id),
        name=arrival.name if arrival.type == "track" and "@" not in (arrival.name or "") else None,
        anonymous_id=None,
        user_id=None,
        previous_id=None,
        group_id=None,
        traits=None,
        consent=verdict,
        violations=None,
        payload=stripped(arrival.payload),
    )


def _misfit_of(
    known: Known,
    source: Source,
    raw: bytes,
    unfit: Unfit,
    sent_at: object,
    received_at: datetime,
    route_type: str | None,
) -> Misfit:
    """What is parked of an event: as it came, or without the person where they have not agreed or were erased."""
    event = readable(raw)
    is_nobodys = bool(missing(source, event.get("context"))) or known.stones.has(names_in(event))
    if not is_nobodys:
        return _misfit(source.id, raw, unfit, sent_at, received_at, route_type)
    # What was wrong with it may repeat what was in it.
    detail = unfit.detail if unfit.reason == "consent" else "what came was not kept"
    nobody = Unfit(unfit.reason, detail, type=unfit.type)
    parked = _misfit(
        source.id, msgspec.json.encode(stripped(event)), nobody, sent_at, received_at, route_type
    )
    return msgspec.structs.replace(parked, fingerprint=hashlib.sha256(raw).digest())


def _misfit(
    source: UUID, raw: bytes, unfit: Unfit, sent_at: object, received_at: datetime, route_type: str | None
) -> Misfit:
    return Misfit(
        id=new_id(),
        source=source,
        # A client that sends it again sends the same text: it is parked once.
        fingerprint=hashlib.sha256(raw).digest(),
        received_at=received_at,
        sent_at=moment_of(sent_at),
        route_type=route_type,
        type=unfit.type,
        name=None if unfit.name is None else unfit.name.replace("\0", "�"),
        reason=unfit.reason,
        detail=unfit.detail[:1000].replace("\0", "�"),
        size=len(raw),
        body=raw,
    )


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    channels: dict[UUID, UUID]
    """The channel of each source."""
    sorted: Sorted
    done: "asyncio.Future[None]"


class Intake:
    """What waits to be stored in one process. One for each database handle (`Database.companion`)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._events = 0
        self._task: asyncio.Task[None] | None = None
        self._sorting = asyncio.Lock()

    async def sort_out(self, known: Known, source: Source, envelope: Envelope, **how: Any) -> Sorted:
        """`sort_out` a request without holding up who checks out in the same process meanwhile.

        One large request at a time, a stride and then the others (`kernel.turns`).
        """
        if len(envelope.events) <= STRIDE:
            return sort_out(known, source, envelope, **how)
        found = Sorted([], [], [])
        async with self._sorting:
            for start in range(0, len(envelope.events), STRIDE):
                few = msgspec.structs.replace(envelope, events=envelope.events[start : start + STRIDE])
                part = sort_out(known, source, few, **how)
                found.arrivals.extend(part.arrivals)
                found.misfits.extend(part.misfits)
                found.blocked.extend(part.blocked)
                await turns.let_others()
        return found

    async def take(self, source: Source, found: Sorted) -> None:
        """Store what a request brought; comes back after the commit.

        Raises:
            Full: too much waits; nothing was taken.
            Busy, OutcomeUnknown: the database did not answer. Sent again, each message is there once.
        """
        size = len(found.arrivals) + len(found.misfits)
        if not size and not found.blocked:
            return
        if self._events and self._events + size > MOST_WAITING:
            raise Full("Events come faster than they can be stored. Send the same again.", retry_after=1)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting({source.id: source.channel}, found, done))
        self._events += size
        if self._task is None or self._task.done():
            # In a context of its own: it goes on for others when the request that began it is over.
            self._task = asyncio.create_task(
                self._run(), name="tracking-intake", context=contextvars.Context()
            )
        await done

    async def _run(self) -> None:
        while self._waiting:
            await turns.let_others()
            group: list[_Waiting] = []
            size = 0
            for each in self._waiting:
                more = len(each.sorted.arrivals) + len(each.sorted.misfits)
                if group and size + more > LARGEST_GROUP:
                    break
                group.append(each)
                size += more
            del self._waiting[: len(group)]
            failure: BaseException | None = Busy("The process is being stopped.")
            try:
                await self._store(group)
                failure = None
            except Exception as error:  # noqa: BLE001 - told to each who waits for it
                failure = error
            finally:
                self._events -= size
                for each in group:
                    if not each.done.done():
                        each.done.set_exception(failure) if failure else each.done.set_result(None)

    async def _store(self, group: Sequence[_Waiting]) -> None:
        channels = {source: channel for each in group for source, channel in each.channels.items()}
        arrivals = [arrival for each in group for arrival in each.sorted.arrivals]
        misfits = [misfit for each in group for misfit in each.sorted.misfits]
        blocked = [each for one in group for each in one.sorted.blocked]
        await self._store_or_split(channels, arrivals, misfits, blocked)

    async def _store_or_split(
        self,
        channels: dict[UUID, UUID],
        arrivals: list[Arrival],
        misfits: list[Misfit],
        blocked: Sequence[Refusals] = (),
    ) -> None:
        """Store a group. A value that only PostgreSQL finds impossible is looked for by halves, and parked."""
        try:
            database = await self._database.giving_way()
            await database.transaction(lambda tx: write(tx, channels, arrivals, misfits, blocked))
            return
        except _UNSTORABLE as error:
            if not arrivals:
                raise
            refusal = f"it cannot be stored: {error}"
        if len(arrivals) == 1:
            raw = msgspec.json.encode(arrivals[0].payload)
            unfit = Unfit("unstorable", refusal, type=arrivals[0].type)
            parked = _misfit(arrivals[0].source, raw, unfit, None, arrivals[0].received_at, None)
            await self._store_or_split(channels, [], [*misfits, parked], blocked)
            return
        middle = len(arrivals) // 2
        await self._store_or_split(channels, arrivals[:middle], misfits, blocked)
        await self._store_or_split(channels, arrivals[middle:], [])


async def write(
    tx: Tx,
    channels: dict[UUID, UUID],
    arrivals: Sequence[Arrival],
    misfits: Sequence[Misfit],
    blocked: Sequence[Refusals] = (),
) -> None:
    """Store events whose message is new, park the others, and tell the log of each source. Three statements."""
    batches = {source: new_id() for source in channels}
    once = {(each.source, each.message_id): each for each in reversed(arrivals)}  # the first of several stays
    rows = [msgspec.structs.replace(each, batch=batches[each.source]) for each in reversed(once.values())]
    stored = {row.source: row for row in await events_store.insert(tx, rows)} if rows else {}
    parked = await parked_store.park(tx, misfits) if misfits else {}
    for source, channel in channels.items():
        came = [each.received_at for each in arrivals if each.source == source]
        refused = [each for each in blocked if each.source == source]
        moments = (
            came
            or [each.received_at for each in misfits if each.source == source]
            or [each.at for each in refused]
        )
        if not moments:
            continue
        new = stored.get(source)
        fact = EventsReceived(
            accepted=new.accepted if new else 0,
            duplicates=len(came) - (new.accepted if new else 0),
            parked=parked.get(source, 0),
            violating=new.violating if new else 0,
            first=min(moments),
            last=max(moments),
            blocked=sum(each.count for each in refused),
        )
        log.append(tx, fact, subject=source, channel=channel, event_id=batches[source])
