"""The verbs of the tracking plan: say what is expected, take it back, learn it from what came."""

from uuid import UUID

from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound, Problem
from samlad.tracking import events, known, learning, plan, plan_file, plan_store, sources
from samlad.tracking.model import EventSchema, Learned, LearnInput, PlanInput, SchemaInput, SchemaVersion
from samlad.tracking.permissions import CHANGE


async def set_schema(tx: Tx, data: SchemaInput) -> EventSchema:
    """Say what is expected of the events of one name, of one source or of all others; again replaces it.

    Raises:
        InvalidInput: no JSON Schema, or one that points to other documents.
        NotFound: no such source.
    """
    tx.actor.require(CHANGE)
    plan.compiled(data.schema, data.policy)
    if data.source is not None:
        await sources.get(tx, data.source)
    actor = tx.actor.name or tx.actor.label
    made, is_changed = await plan_store.set_schema(
        tx, data.event, data.source, data.schema, data.policy, actor
    )
    if is_changed:
        log.append(tx, events.SchemaSet(event=made.event, policy=made.policy), subject=made.id)
        audit.record(tx, "tracking_schema.set", "tracking_schema", made.id, after=made)
        tx.after_commit(known.forget)
    return made


async def remove_schema(tx: Tx, schema: UUID) -> None:
    """Expect nothing of the events of a name any more.

    Raises:
        NotFound: the plan has no such line.
    """
    tx.actor.require(CHANGE)
    removed = await plan_store.delete_schema(tx, schema)
    if removed is None:
        raise NotFound("The plan has no such line.")
    log.append(tx, events.SchemaRemoved(event=removed.event), subject=schema)
    audit.record(tx, "tracking_schema.removed", "tracking_schema", schema, before=removed)
    tx.after_commit(known.forget)


async def put(tx: Tx, data: PlanInput) -> plan_file.Differences:
    """Take a whole plan over from a document, all of it or nothing; what that changes. ``is_trial`` only looks.

    Raises:
        InvalidInput: a line of it is none; the field names the line.
        NotFound: a line is for a source that is not here.
    """
    tx.actor.require(CHANGE)
    lines = plan_file.read(data.document)
    for line in lines:
        try:
            plan.compiled(line.schema, line.policy)
        except Problem as problem:
            raise problem.under(f"document/$defs/{line.event}") from None
    before = await plan_store.lock_all(tx)
    found = plan_file.differences(before, lines, replaces=data.replaces)
    if data.is_trial:
        return found
    for line in sorted(lines, key=lambda line: (line.event, str(line.source))):
        await set_schema(tx, line)
    if data.replaces:
        kept = {(line.event, line.source) for line in lines}
        for old in before:
            if (old.event, old.source) not in kept:
                await remove_schema(tx, old.id)
    return found


async def versions(reader: Reader, schema: UUID) -> list[SchemaVersion]:
    """What a line of the plan said, the latest first; also of one that was removed.

    Raises:
        NotFound: there never was such a line.
    """
    found = await plan_store.versions_of(reader, schema)
    if not found:
        raise NotFound("The plan has no such line.")
    return found


async def learn(reader: Reader, data: LearnInput) -> Learned:
    """A schema that the latest events of a name fit. It is a suggestion: nothing is written."""
    samples = await plan_store.samples(reader, data.event, data.source, data.last)
    return Learned(event=data.event, source=data.source, events=len(samples), schema=learning.learn(samples))
