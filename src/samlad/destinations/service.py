"""The verbs of destinations: make, change, end, look at everybody again, try without sending."""

from typing import Any
from uuid import UUID

import msgspec

from samlad import consent
from samlad.access import audit
from samlad.audiences import segments
from samlad.audiences.permissions import EXPORT
from samlad.destinations import secrets, store, syncing
from samlad.destinations.events import DestinationChanged, DestinationCreated, DestinationEnded
from samlad.destinations.model import Destination, DestinationChange, DryRun, Entry, NewDestination, State
from samlad.destinations.permissions import CHANGE
from samlad.destinations.strategies import STRATEGIES, Strategy, faults
from samlad.kernel import jobs, log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound
from samlad.kernel.vault import Vault

NONE = "There is no such destination."
TAKEN = "There is a destination of this name already."
TRIED = 20_000
"""People that a dry run looks at."""
STEP = 2_000


async def create(tx: Tx, vault: Vault, data: NewDestination) -> Destination:
    """Send a segment somewhere from now on; whoever is in it and has agreed is sent right after.

    Raises:
        NotFound: no such segment.
        InvalidInput: no such strategy or purpose, or fields of the strategy that are missing or wrong.
        Conflict: the name is taken.
    """
    tx.actor.require(CHANGE)
    tx.actor.require(EXPORT)
    await segments.get(tx, data.segment)
    if data.strategy not in STRATEGIES:
        raise InvalidInput.at("strategy", f"must be one of {', '.join(STRATEGIES)}")
    known = [each.code for each in await consent.asked_for(tx)]
    if data.purpose not in known:
        raise InvalidInput.at("purpose", f"must be one of {', '.join(known)}")
    strategy, this = STRATEGIES[data.strategy], new_id()
    _check(strategy, data.config)
    shown, secret = secrets.parted(strategy, data.config)
    fields = {
        "segment": data.segment,
        "strategy": data.strategy,
        "name": data.name,
        "purpose": data.purpose,
        "channel": data.channel,
        "config": shown,
    }
    if not await store.insert(tx, this, fields):
        raise Conflict(TAKEN)
    if secret:
        await secrets.seal(tx, vault, this, secret)
    await store.mark_everybody(tx, this)
    await wake(tx, [this])
    made = await get(tx, this)
    fact = DestinationCreated(
        segment=data.segment, strategy=data.strategy, name=data.name, purpose=data.purpose
    )
    log.append(tx, fact, subject=this)
    audit.record(tx, "destination.created", "destination", this, after=made)
    return made


def _check(strategy: Strategy, config: dict[str, str]) -> None:
    wrong = [FieldError(f"config.{name}", message) for name, message in faults(strategy, config)]
    if wrong:
        raise InvalidInput("The destination cannot be reached with this.", errors=tuple(wrong))


async def get(reader: Reader, destination: UUID) -> Destination:
    """A destination, also one that is ended.

    Raises:
        NotFound: there is none.
    """
    found = await store.get(reader, destination)
    if found is None:
        raise NotFound(NONE)
    return found


async def change(
    tx: Tx, vault: Vault, destination: UUID, data: DestinationChange, *, version: int | None = None
) -> Destination:
    """Another name or way in; pause it, or go on. What waits meanwhile is sent then.

    Raises:
        NotFound, Outdated: no such destination; not the version that the caller saw.
        InvalidInput: the fields cannot be used, or a state that is reached by `end` alone.
        Conflict: the name is taken, or it is ended.
    """
    tx.actor.require(CHANGE)
    before = await _held(tx, destination, version)
    fields: dict[str, Any] = {}
    if data.name is not msgspec.UNSET and data.name != before.name:
        fields["name"] = data.name
    if data.state is not msgspec.UNSET and data.state != before.state:
        if data.state not in (State.ACTIVE, State.PAUSED) or before.state is State.ENDING:
            raise InvalidInput.at("state", "can be active or paused")
        fields |= {"state": data.state, "next_at": None}
    changed = sorted(fields)
    if data.config is not msgspec.UNSET:
        kept = await secrets.whole_config(tx, vault, before)
        given = {name: text for name, text in data.config.items() if text.strip()}
        whole, strategy = {**kept, **given}, STRATEGIES[before.strategy]
        _check(strategy, whole)
        shown, secret = secrets.parted(strategy, whole)
        fields |= {"config": shown, "failures": 0, "next_at": None}
        changed += sorted(f"config.{name}" for name in given)
        if secret:
            await secrets.seal(tx, vault, destination, secret)
    if not fields:
        return before
    if not await store.update(tx, destination, fields):
        raise Conflict(TAKEN)
    await wake(tx, [destination])
    after = await get(tx, destination)
    log.append(tx, DestinationChanged(name=after.name, fields=changed), subject=destination)
    audit.record(tx, "destination.changed", "destination", destination, before=before, after=after)
    return after


async def _held(tx: Tx, destination: UUID, version: int | None) -> Destination:
    await store.lock(tx, destination)
    found = await get(tx, destination)
    check_version(version, found.version)
    if found.state is State.ENDED:
        raise Conflict("It is ended.")
    return found


async def end(tx: Tx, destination: UUID, *, version: int | None = None) -> Destination:
    """Send nobody any more, and have everybody removed who was sent; then it is ended. Twice is fine.

    Raises:
        NotFound, Outdated: no such destination; not the version that the caller saw.
    """
    tx.actor.require(CHANGE)
    await store.lock(tx, destination)
    before = await get(tx, destination)
    check_version(version, before.version)
    if before.state in (State.ENDING, State.ENDED):
        return before
    await store.update(tx, destination, {"state": State.ENDING, "next_at": None})
    await store.mark_everybody(tx, destination)
    await wake(tx, [destination])
    log.append(tx, DestinationEnded(name=before.name), subject=destination)
    audit.record(tx, "destination.ended", "destination", destination, before=before)
    return await get(tx, destination)


async def everybody(tx: Tx, destination: UUID) -> int:
    """Look at everybody again, and at once though a pause is on; how many.

    Raises:
        NotFound, Conflict: no such destination; it is ended.
    """
    tx.actor.require(CHANGE)
    await _held(tx, destination, None)
    marked = await store.mark_everybody(tx, destination)
    await store.update(tx, destination, {"next_at": None})
    await wake(tx, [destination])
    return marked


async def dry_run(reader: Reader, destination: UUID) -> DryRun:
    """What would be sent now. Nothing is written or sent.

    Raises:
        NotFound: no such destination.
    """
    found = await get(reader, destination)
    rows = await reader.rows(
        """SELECT person FROM segment_member WHERE segment = $1
           UNION SELECT person FROM destination_sent WHERE destination = $2 ORDER BY person LIMIT $3""",
        found.segment,
        destination,
        TRIED,
    )
    people = [row["person"] for row in rows]
    counts = [0, 0, 0, 0]
    examples: list[Entry] = []
    for start in range(0, len(people), STEP):
        part = await syncing.changes_of(reader, found, people[start : start + STEP])
        numbers = (len(part.adds), len(part.removes), part.without_consent, part.without_contact)
        counts = [sum(pair) for pair in zip(counts, numbers, strict=True)]
        examples += part.adds[: 3 - len(examples)]
    return DryRun(
        looked_at=len(people),
        adds=counts[0],
        removes=counts[1],
        without_consent=counts[2],
        without_contact=counts[3],
        examples=examples,
    )


async def wake(tx: Tx, destinations: list[UUID]) -> None:
    """Have what is due sent after the commit."""
    for each in destinations:
        lock = f"destination/{each}"
        await jobs.defer(tx, "destinations.sync", {"destination": each}, lock=lock, queueing_lock=lock)
