"""Followers: whose data changed is looked at again, in the segments that such a change can touch; and segments that mean
something else are computed as a whole."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from samlad.audiences import kinds, membership, rules, store, touched
from samlad.audiences.conditions import Condition
from samlad.audiences.events import SegmentChanged
from samlad.audiences.model import Segment
from samlad.kernel import clock, log
from samlad.kernel.database import Database, Tx
from samlad.kernel.followers import Follower
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.kernel.log import Event


async def follow(tx: Tx, event: Event) -> None:
    """Keep an event for the end of the transaction, when all are looked at together."""
    tx.collect(_look, event)


async def _look(tx: Tx, events: list[Event]) -> None:
    segments = await store.active(tx)
    if not segments:
        return
    definitions = {each.id: each.definition for each in segments}
    expanded = {each.id: _expanded(each, definitions) for each in segments}
    known = [each for each in expanded.values() if each is not None]
    names = set().union(*(rules.event_names(each) for each in known))
    asks_stock = any("stock" in rules.sources(each) for each in known)
    people = await touched.people(tx, events, names, asks_stock=asks_stock)
    if not people:
        return
    wanted: dict[UUID, set[UUID]] = {}
    for segment in segments:
        what = expanded[segment.id]
        if what is None:
            continue
        hit = set().union(*(people.get(source, ()) for source in (*rules.sources(what), touched.EVERYTHING)))
        if hit:
            wanted[segment.id] = hit
    cause: membership.Cause = (
        "identity" if all(event.type in touched.IDENTITY for event in events) else "data"
    )
    for segment in await store.lock_many(tx, list(wanted)):
        await membership.settle(
            tx, segment, definitions, people=sorted(wanted[segment.id]), at=clock.now(), cause=cause
        )


def _expanded(segment: Segment, definitions: rules.Definitions) -> Condition | None:
    try:
        return rules.expand(segment.definition, definitions, (segment.id,))
    except membership.ITS_OWN_FAULT:
        return None


# -- as a whole -----------------------------------------------------------------------------------------------------------


async def rebuild(tx: Tx, event: Event) -> None:
    """Keep an event for the end of the transaction, when each segment that it touches is computed once."""
    tx.collect(_rebuild, event)


async def _rebuild(tx: Tx, events: list[Event]) -> None:
    causes: dict[UUID, membership.Cause] = {}
    if any(event.type in _MOVES_DAYS for event in events):
        for moved in await store.follow_channels(tx):
            causes[moved.id] = "definition"
            fact = SegmentChanged(
                pool=moved.pool, name=moved.name, fields=["time_zone"], version=moved.version
            )
            log.append(tx, fact, subject=moved.id, channel=moved.channel)
    segments = await store.active(tx)
    definitions = {each.id: each.definition for each in segments}
    for event in events:
        for each in _of_event(event, segments, definitions):
            causes[each] = _CAUSES[event.type]
    await build(tx, causes)


_CAUSES: dict[str, membership.Cause] = {
    "segment.created": "definition",
    "segment.changed": "definition",
    "segment.restored": "definition",
    "segment.listed": "list",
    "rfm.computed": "rfm",
    "identity.rules_changed": "identity",
    "loyalty.programme_changed": "data",
    "consent.purpose-changed": "data",
    "tracking.forgotten": "data",
    "pool.switched": "identity",
    "pool.moved": "identity",
    "channel.changed": "definition",
}
_MOVES_DAYS = ("channel.changed", "pool.switched", "segment.created", "segment.restored")
"""After these a segment may have other days: its channel, or one above that, has another time zone, or is in the pool again."""


def _of_event(event: Event, segments: Sequence[Segment], definitions: rules.Definitions) -> Iterable[UUID]:
    """The segments that have to be computed anew; those that name one that has come with it."""
    if event.type.startswith("segment."):
        is_as_before = event.type == "segment.changed" and "definition" not in event.payload["fields"]
        return () if is_as_before or event.subject is None else rules.dependents(event.subject, definitions)
    if event.type == "channel.changed":  # what that changes is found by `store.follow_channels`
        return ()
    if event.type == "consent.purpose-changed":  # in every pool
        return [each.id for each in segments if "consent" in _sources(each, definitions)]
    if event.type == "tracking.forgotten":
        return _of_forgotten(event, segments, definitions)
    pools = {UUID(event.payload[name]) for name in ("pool", "old", "new") if name in event.payload}
    source = {"rfm.computed": "rfm", "loyalty.programme_changed": "points"}.get(event.type)
    found = []
    for each in segments:
        what = _expanded(each, definitions)
        if each.pool in pools and what is not None and (source is None or source in rules.sources(what)):
            found.append(each.id)
    return found


def _of_forgotten(event: Event, segments: Sequence[Segment], definitions: rules.Definitions) -> list[UUID]:
    """Segments that count events of which some are kept no longer: as a whole, because nobody knows any more whose they were."""
    names = set(event.payload.get("names", ()))
    found = []
    for each in segments:
        what = _expanded(each, definitions)
        counted = set() if what is None else rules.event_names(what)
        if counted & names or (counted and event.payload.get("has_others", True)):
            found.append(each.id)
    return found


def _sources(segment: Segment, definitions: rules.Definitions) -> set[str]:
    what = _expanded(segment, definitions)
    return set() if what is None else rules.sources(what)


async def build(tx: Tx, causes: dict[UUID, membership.Cause]) -> None:
    """Compute segments as a whole, for the one who has to wait for it: without a time limit, and with memory for it."""
    locked = await store.lock_many(tx, list(causes))
    if not locked:
        return
    await tx.execute(
        "SELECT set_config('statement_timeout', '0', true), set_config('work_mem', '64MB', true)"
    )
    by_pool: dict[UUID, dict[UUID, Condition]] = defaultdict(dict)
    for each in await store.active(tx):
        by_pool[each.pool][each.id] = each.definition
    for segment in locked:
        definitions = by_pool[segment.pool]
        await membership.settle(
            tx, segment, definitions, people=None, at=clock.now(), cause=causes[segment.id]
        )


async def catch_up_goods(database: Database) -> int:
    """Compute segments anew that ask what is bought by category, brand or product; how many. A category that lies elsewhere, or
    another brand of a product, is nobody's event: nobody did anything."""
    every = await store.active(database)
    definitions = {each.id: each.definition for each in every}
    expanded = {each.id: _expanded(each, definitions) for each in every}
    due = [one for one, what in expanded.items() if what is not None and rules.asks_the_catalogue(what)]
    for each in due:
        await database.transaction(lambda tx, one=each: build(tx, {one: "data"}))  # type: ignore[misc]
    return len(due)


@job("audiences.goods")
@periodic("50 3 * * *")
async def nightly(ctx: JobContext) -> None:
    """Each night, as scores are."""
    await catch_up_goods(ctx.database)


def followers() -> list[Follower]:
    """Both; after every package that registers kinds was imported."""
    also = {name for kind in kinds.all_kinds() for name in kind.types}
    return [
        Follower(name="audiences", handle=follow, types=tuple(sorted({*touched.TYPES, *also})), batch=200),
        Follower(name="audiences.build", handle=rebuild, types=tuple(sorted(_CAUSES)), batch=50),
    ]


FOLLOWERS = followers()
