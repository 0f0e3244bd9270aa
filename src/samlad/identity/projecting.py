"""The projection: which profile each identifier belongs to, brought up to date where something changed.

Only what hangs together with the change is looked at: from an identifier over everything it was seen with, but not
through one that links nothing. That is the whole answer for these, because `rules.resolve` never looks further.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Literal
from uuid import UUID

import msgspec

from samlad import customers
from samlad.identity import history, store
from samlad.identity.events import CustomersLed
from samlad.identity.evidence import Key, Partition
from samlad.identity.history import Change
from samlad.identity.knowing import make_customers
from samlad.identity.model import RANK, Kind, Rules
from samlad.identity.rules import resolve
from samlad.identity.store import Node, StoredPin, StoredSighting
from samlad.kernel import log
from samlad.kernel.database import Tx


class Cause(msgspec.Struct, frozen=True):
    """Why profiles change: something was seen, somebody decided (``pin``), or there are other rules."""

    name: Literal["observed", "decided", "rules"] = "observed"
    pin: UUID | None = None


OBSERVED = Cause()


class Neighbourhood(msgspec.Struct):
    """Identifiers that may hang together, with everything that says so, by id; ``is_whole``: all that there is."""

    nodes: dict[UUID, Node]
    sightings: dict[UUID, StoredSighting]
    pins: dict[UUID, StoredPin]
    is_whole: bool = False


async def project(
    tx: Tx,
    pool: UUID,
    start: Collection[UUID],
    *,
    new: Collection[UUID] = (),
    cause: Cause = OBSERVED,
    reopened: Collection[UUID] = (),
) -> None:
    """Compute anew who is who around these identifiers, and tell what changed.

    ``new`` were not there before this transaction, so nobody has kept anything under them. ``reopened`` are looked
    through though they link nothing as it stands, because that was decided otherwise.
    """
    rules = (await store.rules_of(tx, [pool]))[pool]
    around = await _gather(tx, start, reopened)
    added, fresh = await settle(tx, pool, around, rules, frozenset(new), cause)
    if added:
        around = await _gather(tx, added, reopened)
        await settle(tx, pool, around, rules, frozenset(new) | fresh, cause)


async def _gather(tx: Tx, start: Collection[UUID], reopened: Collection[UUID]) -> Neighbourhood:
    """Everything around, held until the transaction ends. Who adds to it meanwhile waits, and looks afterwards."""
    found = Neighbourhood({}, {}, {})
    waiting = set(start)
    while waiting:
        fresh = await store.lock_nodes(tx, waiting, reopened)
        found.nodes |= {node.id: node for node in fresh}
        links = [node.id for node in fresh if node.state == "live" or node.id in reopened]
        near = {sighting.id: sighting for sighting in await store.sightings_at(tx, links)} if links else {}
        found.sightings |= near
        pins = {pin.id: pin for pin in await store.pins_at(tx, [node.id for node in fresh])}
        found.pins |= pins
        waiting = {node for sighting in near.values() for node in sighting.nodes}
        waiting |= {node for pin in pins.values() if pin.kind == "same" for node in _sides(pin)}
        if any(node.kind == Kind.EMAIL for node in fresh) and links:
            waiting |= await store.namesakes(tx, links)
        waiting -= found.nodes.keys()
    return found


def _sides(pin: StoredPin) -> list[UUID]:
    return pin.left_nodes + pin.right_nodes


def solve(around: Neighbourhood, rules: Rules) -> tuple[Partition, dict[Key, UUID]]:
    """Who is who here, and the ids of the identifiers."""
    keys = {node.id: node.key for node in around.nodes.values()}
    cut = [] if around.is_whole else [node for node in around.nodes.values() if node.state == "quarantined"]
    held = {node.key: node.fan_out or 0 for node in cut}
    people = [sighting for sighting in around.sightings.values() if set(sighting.nodes) <= keys.keys()]
    partition = resolve(
        (sighting.seen(keys) for sighting in people),
        rules,
        (pin.pin(keys) for pin in around.pins.values()),
        held=held,
    )
    return partition, {node.key: node.id for node in around.nodes.values()}


def projected(around: Neighbourhood, partition: Partition, ids: Mapping[Key, UUID]) -> dict[UUID, Node]:
    """The identifiers as they are to be, by id; what is in no sighting (a shared device) is alone."""
    found = {
        node.id: Node(node.id, node.kind, node.value, node.id, "live", None, False)
        for node in around.nodes.values()
        if node.kind != Kind.SIGHTING
    }
    for group in partition.groups:
        stands = min(group, key=lambda key: (RANK[key.kind], ids[key].bytes))
        for key in group:
            state = "live"
            if key in partition.blocked:
                state = "blocked"
            elif key in partition.quarantined:
                state = "quarantined"
            found[ids[key]] = Node(
                ids[key],
                key.kind,
                key.value,
                ids[stands],
                state,
                partition.quarantined.get(key),
                # Of what was not looked through, not everything that was said is here.
                key in partition.known or (around.nodes[ids[key]].is_known and not around.is_whole),
            )
    return found


async def settle(
    tx: Tx, pool: UUID, around: Neighbourhood, rules: Rules, new: frozenset[UUID], cause: Cause
) -> tuple[set[UUID], set[UUID]]:
    """Write who is who here and what changed by it.

    The identifiers to look at again because customers were made for them, and which of them are new.
    """
    partition, ids = solve(around, rules)
    after = projected(around, partition, ids)
    different = [node for node in after.values() if node != around.nodes[node.id]]
    if different:
        await store.set_nodes(tx, different)
    changes = _changes(around.nodes, after, new, _evidence(partition, ids, around.nodes, after, new))
    await history.tell(tx, pool, changes, cause=cause.name, pin=cause.pin)
    history.tell_states(tx, pool, around.nodes, after)
    await history.keep_conflicts(tx, pool, partition, ids, after)
    await _stand(tx, pool, around.nodes, after)
    return await make_customers(tx, pool, after.values(), around.sightings.values())


def _changes(
    before: Mapping[UUID, Node],
    after: Mapping[UUID, Node],
    new: frozenset[UUID],
    evidence: Mapping[UUID, list[UUID]],
) -> list[Change]:
    """What was merged and what came apart. Only profiles count under whose id something may have been kept."""
    losers: dict[UUID, set[UUID]] = defaultdict(set)
    parts: dict[UUID, set[UUID]] = defaultdict(set)
    for node in after.values():
        old = before[node.id].profile
        if node.id in new:
            continue
        if old != node.profile and old in after and after[old].profile == node.profile and old not in new:
            losers[node.profile].add(old)
        heir = after[old].profile if old in after else old
        if heir != node.profile:
            parts[heir].add(node.profile)
    merged = [
        Change("merged", profile, sorted(ids), evidence.get(profile, [])) for profile, ids in losers.items()
    ]
    split = [Change("split", profile, sorted(ids), []) for profile, ids in parts.items()]
    return sorted(merged + split, key=lambda change: (change.kind, change.profile))


def _evidence(
    partition: Partition,
    ids: Mapping[Key, UUID],
    before: Mapping[UUID, Node],
    after: Mapping[UUID, Node],
    new: frozenset[UUID],
) -> dict[UUID, list[UUID]]:
    """By profile, the sightings that link what was apart before."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for link in partition.links:
        left, right = ids[link.left], ids[link.right]
        is_new = left in new or right in new or before[left].profile != before[right].profile
        if is_new and link.why != "alias":
            found[after[left].profile].append(UUID(link.why))
    return found


async def _stand(tx: Tx, pool: UUID, before: Mapping[UUID, Node], after: Mapping[UUID, Node]) -> None:
    """Tell the floor of customers which of them stands for which."""
    moved = {
        node.id: node.profile
        for node in after.values()
        if node.kind == Kind.CUSTOMER and before[node.id].profile != node.profile
    }
    if moved:
        await customers.stand_for(tx, moved)
        told = {*moved, *moved.values(), *(before[customer].profile for customer in moved)}
        log.append(tx, CustomersLed(pool=pool, customers=sorted(told)))
