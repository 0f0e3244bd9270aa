"""The verb `observe`: identifiers were seen together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from samlad.identity import history, store
from samlad.identity.history import Change
from samlad.identity.keeping import Nodes, keep, keys_of
from samlad.identity.model import AuthLevel, Kind, Rules, Sighting, Trust
from samlad.identity.preparing import Prepared, kept_under, prepare
from samlad.identity.projecting import project
from samlad.identity.recognising import Known, recognise
from samlad.identity.sessions import attached
from samlad.identity.store import Times
from samlad.kernel.database import Tx

PRECISION = timedelta(hours=1)
"""The last time that a set of identifiers was seen is kept no finer: most sightings then need no write."""


async def observe(tx: Tx, sightings: Sequence[Sighting]) -> list[UUID | None]:
    """Note who was seen; for each sighting the id under which to keep what they did, None if it tells nobody.

    The id belongs to the strongest identifier of the sighting and never changes, so it may be written down: it goes
    where that identifier goes, through every merge and split. `current` says which profile it is of now.

    Set-based: thousands at once, in three statements if all of them are known. The caller holds the permission for
    what it reports. Told twice it does nothing the second time.
    """
    made: Sequence[Prepared | None] = [prepare(sighting) for sighting in sightings]
    if not any(one is not None for one in made):
        return [None] * len(made)
    rules = await store.rules_of(tx, {one.pool for one in made if one is not None})
    made, known = await recognise(tx, made)
    rest = [one for one in made if one is not None and one.id not in known]
    wanted = {(one.pool, key) for one in rest for key in keys_of(one)}
    nodes = await store.nodes_of(tx, wanted) if wanted else {}
    made = await _without_strangers(tx, made, nodes, known)
    prepared = [one for one in made if one is not None]
    fresh = [one for one in prepared if one.id not in known]
    earlier = await _widen(tx, prepared, known)
    if earlier:
        nodes |= await store.nodes_of(tx, {(one.pool, key) for one in earlier for key in keys_of(one)})
    if fresh or earlier:
        await _take_in(tx, fresh, earlier, nodes)
    trusts = {pool: its.trusts() for pool, its in rules.items()}
    return [None if one is None else _kept_under(one, known, nodes, trusts[one.pool]) for one in made]


def _kept_under(
    one: Prepared,
    known: Mapping[UUID, Known],
    nodes: Nodes,
    trusts: Mapping[tuple[Kind, AuthLevel], Trust],
) -> UUID | None:
    before = known.get(one.id)
    return kept_under(
        one, before.nodes if before is not None else [nodes[one.pool, key] for key in one.keys], trusts
    )


async def _without_strangers(
    tx: Tx, made: Sequence[Prepared | None], nodes: Nodes, known: Mapping[UUID, Known]
) -> Sequence[Prepared | None]:
    """Without customers that are of another pool: what is told late of one whose channel has joined or left meanwhile."""
    unknown = {
        UUID(key.value)
        for one in made
        if one is not None and one.id not in known
        for key in one.keys
        if key.kind == Kind.CUSTOMER and (one.pool, key) not in nodes
    }
    elsewhere = {str(node.id) for node in await store.nodes_by_id(tx, unknown)} if unknown else set()
    if not elsewhere:
        return made
    found: list[Prepared | None] = []
    for one in made:
        if one is not None and one.id not in known:
            kept = [
                place
                for place, key in enumerate(one.keys)
                if key.kind != Kind.CUSTOMER or key.value not in elsewhere or (one.pool, key) in nodes
            ]
            keys = tuple(one.keys[place] for place in kept)
            ceilings = tuple(one.ceilings[place] for place in kept)
            one = msgspec.structs.replace(one, keys=keys, ceilings=ceilings) if keys else None
        found.append(one)
    return found


async def _widen(tx: Tx, prepared: Iterable[Prepared], times: Mapping[UUID, Known]) -> list[Prepared]:
    """Keep when known sets were seen; those that were seen earlier than we knew, which may change who is who."""
    wider: dict[UUID, Times] = {}
    earlier = []
    for one in prepared:
        known, at = times.get(one.id), one.sighting.observed_at
        if known is None or known.first_seen <= at <= known.last_seen + PRECISION:
            continue
        if at < known.first_seen:
            earlier.append(one)
        before = wider.get(one.id) or Times(one.id, known.first_seen, known.last_seen)
        wider[one.id] = Times(one.id, min(at, before.first_seen), max(at, before.last_seen))
    if wider:
        await store.widen(tx, list(wider.values()))
    return earlier


async def _take_in(tx: Tx, fresh: Sequence[Prepared], earlier: Sequence[Prepared], nodes: Nodes) -> None:
    pools = sorted({one.pool for one in (*fresh, *earlier)})
    for pool in pools:
        await store.share_pool(tx, pool)
    new = await keep(tx, fresh, nodes) if fresh else set()
    for pool in pools:
        mine = [one for one in fresh if one.pool == pool]
        people = {
            nodes[pool, key].id
            for one in (*mine, *(one for one in earlier if one.pool == pool))
            for key in one.keys
            if key.kind != Kind.SIGHTING
        }
        if people:
            await project(tx, pool, people, new=new)
        await _attach(tx, pool, [one for one in mine if one.device is not None], nodes)


async def _attach(tx: Tx, pool: UUID, moments: Sequence[Prepared], nodes: Nodes) -> None:
    """Say anew whose the moments at these shared devices are, in the sessions that these fall into."""
    if not moments:
        return
    rules = (await store.rules_of(tx, [pool]))[pool]
    times = _spans(moments, nodes, rules)
    devices = {device for device, _, _ in times}
    await store.lock_nodes(tx, devices, devices)
    runs = await store.runs_at(tx, times, timedelta(minutes=rules.idle_minutes))
    ids = {node for sighting in runs for node in sighting.nodes} | devices
    keys = {node.id: node.key for node in await store.nodes_by_id(tx, ids)}
    whose = attached((sighting.seen(keys) for sighting in runs), rules)
    by_key = {key: node for node, key in keys.items()}
    parts = {node: key for node, key in keys.items() if key.kind == Kind.SIGHTING}
    moved = await store.attach(
        tx, {node: by_key[whose[key]] if key in whose else None for node, key in parts.items()}
    )
    new = {nodes[pool, key].id for one in moments for key in one.keys}
    changes = [
        Change("merged", profile, sorted(set(ids) - new), [])
        for profile, ids in moved.items()
        if set(ids) - new
    ]
    await history.tell(tx, pool, changes)


def _spans(moments: Iterable[Prepared], nodes: Nodes, rules: Rules) -> list[tuple[UUID, datetime, datetime]]:
    """Device, first and last time; moments that lie within the idle time of each other are one span."""
    at: dict[UUID, list[datetime]] = defaultdict(list)
    for one in moments:
        assert one.device is not None
        at[nodes[one.pool, one.device].id].append(one.sighting.observed_at)
    idle = timedelta(minutes=rules.idle_minutes)
    spans: list[tuple[UUID, datetime, datetime]] = []
    for device, found in at.items():
        low = high = min(found)
        for moment in sorted(found):
            if moment - high > idle:
                spans.append((device, low, high))
                low = moment
            high = moment
        spans.append((device, low, high))
    return spans
