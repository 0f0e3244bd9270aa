"""The verbs of segments: make, change, delete, bring back, and what can be asked of one."""

from uuid import UUID

import msgspec

from samlad import channels, customers
from samlad.access import audit
from samlad.audiences import compiling, membership, rules, store
from samlad.audiences.conditions import Condition, Listed, of
from samlad.audiences.events import SegmentChanged, SegmentCreated, SegmentDeleted, SegmentRestored
from samlad.audiences.model import Explanation, NewSegment, Reason, Segment, SegmentChange, SegmentKind
from samlad.audiences.permissions import CHANGE
from samlad.channels import Resource
from samlad.kernel import clock, log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

MOST_SEGMENTS = 500
"""Of a pool: each that an event can touch is looked at when it comes."""
NONE = "There is no such segment."
TAKEN = "There is a segment of this name already."


async def create(tx: Tx, data: NewSegment) -> Segment:
    """Make a segment; its members are computed right after. Without a definition it is a list to put people on.

    Raises:
        NotFound: no such channel.
        InvalidInput: the definition cannot be used.
        Conflict: the pool has a segment of this name, or very many.
    """
    tx.actor.require(CHANGE)
    channel = await channels.get(tx, data.channel)
    pool = channel.pools[Resource.CUSTOMERS]
    await store.queue(tx, pool)
    definitions = await definitions_of(tx, pool)
    if len(definitions) >= MOST_SEGMENTS:
        raise Conflict(f"There are {len(definitions)} segments; delete some first.")
    this = new_id()
    if data.definition is not None:
        check(data.definition, definitions, this)
    made = await store.insert(
        tx,
        this,
        pool=pool,
        kind=SegmentKind.LIVE if data.definition is not None else SegmentKind.LIST,
        name=data.name,
        note=data.note,
        channel=channel.id,
        time_zone=channel.time_zone,
        definition=data.definition if data.definition is not None else Listed(segment=this),
    )
    if made is None:
        raise Conflict(TAKEN)
    await store.note_version(tx, made)
    log.append(
        tx, SegmentCreated(pool=pool, name=made.name, kind=made.kind), subject=made.id, channel=channel.id
    )
    audit.record(tx, "segment.created", "segment", made.id, after=made)
    return made


def check(definition: Condition, definitions: rules.Definitions, this: UUID | None = None) -> Condition:
    """What a definition comes to with the segments that it names.

    Raises:
        InvalidInput: it cannot be used, alone or together with the others.
    """
    rules.check(definition)
    if any(isinstance(each, Listed) and each.segment != this for each in rules.walk(definition)):
        raise InvalidInput.at(
            "definition", "to be on another segment's list is to be in that segment: name it"
        )
    expanded = rules.expand(definition, definitions, () if this is None else (this,))
    rules.check(expanded)
    return expanded


async def definitions_of(reader: Reader, pool: UUID) -> dict[UUID, Condition]:
    """What the segments of a pool mean."""
    return {each.id: each.definition for each in await store.active(reader, pool)}


async def get(reader: Reader, segment: UUID) -> Segment:
    """A segment.

    Raises:
        NotFound: there is none, or it was deleted.
    """
    found = await store.get(reader, segment)
    if found is None or found.deleted_at is not None:
        raise NotFound(NONE)
    return found


async def change(tx: Tx, segment: UUID, data: SegmentChange, *, version: int | None = None) -> Segment:
    """Another name, note or definition; with another definition its members are computed anew right after.

    Raises:
        NotFound, Outdated: no such segment; not the version that the caller saw.
        InvalidInput: the definition cannot be used.
        Conflict: another segment has the name; a list has no other definition.
    """
    tx.actor.require(CHANGE)
    seen = await get(tx, segment)
    await store.queue(tx, seen.pool)
    before = await _held(tx, segment)
    check_version(version, before.version)
    wanted = {
        name: getattr(data, name)
        for name in SegmentChange.__struct_fields__
        if getattr(data, name) is not msgspec.UNSET and getattr(data, name) != getattr(before, name)
    }
    if not wanted:
        return before
    if "definition" in wanted:
        if before.kind is SegmentKind.LIST:
            raise Conflict("A list has its people by name: make a segment with conditions instead.")
        check(wanted["definition"], await definitions_of(tx, before.pool), segment)
    after = await store.update(tx, segment, wanted)
    if after is None:
        raise Conflict(TAKEN)
    if "definition" in wanted:
        await store.note_version(tx, after)
    fact = SegmentChanged(pool=after.pool, name=after.name, fields=sorted(wanted), version=after.version)
    log.append(tx, fact, subject=segment)
    audit.record(tx, "segment.changed", "segment", segment, before=before, after=after)
    return after


async def take_back(tx: Tx, segment: UUID, before: SegmentChange, *, to: int, version: int) -> Segment:
    """Let a segment mean again what it meant at the version ``to``, with the name and note of then.

    Raises:
        NotFound, Outdated: no such segment, or no such version of it; somebody changed it after ``version``.
        Conflict, InvalidInput: the name is another's now; a segment that it named is gone.
    """
    tx.actor.require(CHANGE)
    then = await store.version_at(tx, segment, to)
    if then is None:
        raise NotFound(NONE)
    is_list = (await get(tx, segment)).kind is SegmentKind.LIST
    wanted = before if is_list else msgspec.structs.replace(before, definition=then.definition)
    return await change(tx, segment, wanted, version=version)


async def _held(tx: Tx, segment: UUID) -> Segment:
    found = await store.lock(tx, segment)
    if found is None or found.deleted_at is not None:
        raise NotFound(NONE)
    return found


async def delete(tx: Tx, segment: UUID, *, version: int | None = None) -> Segment:
    """Delete a segment. Nobody enters or leaves it any more; `restore` brings it back.

    Raises:
        NotFound, Outdated: no such segment; not the version that the caller saw.
        Conflict: other segments name it; ``used_by`` says which.
    """
    tx.actor.require(CHANGE)
    seen = await get(tx, segment)
    await store.queue(tx, seen.pool)
    before = await _held(tx, segment)
    check_version(version, before.version)
    users = [each for each in await store.active(tx, before.pool) if segment in rules.uses(each.definition)]
    if users:
        names = ", ".join(f"“{each.name}”" for each in users)
        raise Conflict(f"It is named by {names}.", used_by=[str(each.id) for each in users])
    after = await store.update(tx, segment, {"deleted_at": clock.now()})
    assert after is not None
    await membership.forget_clock(tx, segment)
    log.append(tx, SegmentDeleted(pool=after.pool, name=after.name), subject=segment)
    audit.record(tx, "segment.deleted", "segment", segment, before=before)
    return after


async def restore(tx: Tx, segment: UUID) -> Segment:
    """Bring a deleted segment back; doing it twice is fine.

    Raises:
        NotFound: no such segment.
        Conflict: another segment has its name now.
        InvalidInput: a segment that it names is gone.
    """
    tx.actor.require(CHANGE)
    seen = await store.get(tx, segment)
    if seen is None:
        raise NotFound(NONE)
    await store.queue(tx, seen.pool)
    before = await store.lock(tx, segment)
    assert before is not None
    if before.deleted_at is None:
        return before
    check(before.definition, await definitions_of(tx, before.pool), segment)
    after = await store.update(tx, segment, {"deleted_at": None})
    if after is None:
        raise Conflict(TAKEN)
    log.append(tx, SegmentRestored(pool=after.pool, name=after.name), subject=segment)
    audit.record(tx, "segment.restored", "segment", segment, after=after)
    return after


async def explain(reader: Reader, segment: UUID, person: UUID) -> Explanation:
    """Whether somebody is in a segment as things are now, and which condition holds and which does not.

    Raises:
        NotFound: no such segment, or no such customer in its pool.
    """
    found = await get(reader, segment)
    current = await customers.current(reader, person)
    if current is None or current.pool != found.pool:
        raise NotFound("There is no such customer in the segment's pool.")
    expanded = rules.expand(found.definition, await definitions_of(reader, found.pool), (segment,))
    statement, args, inside = compiling.explained(
        expanded, found.pool, clock.now(), found.time_zone, current.id
    )
    row = await reader.row(statement, *args)
    if row is None:
        raise NotFound("There is no such customer in the segment's pool.")
    numbers = iter(range(len(inside)))

    def reason(condition: Condition) -> Reason:
        number = next(numbers)
        return Reason(
            kind=str(type(condition).__struct_config__.tag),
            holds=row[f"h{number}"],
            found=row[f"f{number}"],
            of=[reason(each) for each in of(condition)],
        )

    why = reason(expanded)
    return Explanation(
        segment=segment,
        person=current.id,
        is_member=why.holds,
        since=await store.entered_at(reader, segment, current.id),
        next_change_at=row["until"],
        why=why,
        condition=expanded,
    )
