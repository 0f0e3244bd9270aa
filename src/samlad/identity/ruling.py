"""Rules as data: drafts, what they would do to everything that was ever seen, and putting them in force."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from samlad import channels
from samlad.access import audit
from samlad.identity import decision_store, store
from samlad.identity.events import IdentityRulesChanged
from samlad.identity.model import DryRun, Example, Kind, Rules, RulesInput, RulesVersion
from samlad.identity.permissions import RULES
from samlad.identity.projecting import Cause, Neighbourhood, project, projected, settle, solve
from samlad.identity.sessions import attached
from samlad.identity.store import Node
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import Conflict, NotFound

MOST_EXAMPLES = 20
MOST_NAMED = 12
"""Identifiers that an example names of one profile."""


async def versions(reader: Reader, channel: UUID) -> list[RulesVersion]:
    """The rules of a channel's customers, the newest first; at the end what comes with Samlad."""
    found = await channels.get(reader, channel)
    pool = found.pools[channels.Resource.CUSTOMERS]
    kept = await decision_store.rules_versions(reader, pool)
    is_ruled = any(version.status == "active" for version in kept)
    first = RulesVersion(
        id=None,
        pool=pool,
        version=0,
        rules=Rules(),
        note="",
        status="retired" if is_ruled else "active",
        actor="",
        created_at=None,
        activated_at=None,
    )
    return [*kept, first]


async def draft(tx: Tx, given: RulesInput) -> RulesVersion:
    """Keep new rules; nothing follows them yet."""
    tx.actor.require(RULES)
    channel = await channels.get(tx, given.channel)
    made = await decision_store.add_rules(
        tx, channel.pools[channels.Resource.CUSTOMERS], given.rules, given.note
    )
    audit.record(tx, "identity.rules-drafted", "identity_rules", made.id, after=given.rules)
    return made


async def dry_run(reader: Reader, rules: UUID) -> DryRun:
    """What rules would do to the pool as it is. Reads everything: about ten seconds for 100,000 identifiers.

    Raises:
        NotFound: there are no such rules.
    """
    version = await _version(reader, rules)
    around = await _everything(reader, version.pool)
    partition, ids = solve(around, version.rules)
    after = projected(around, partition, ids)
    moments = _moments(around, version.rules)
    held_by = await store.persons_of(reader, moments)
    moved = [node for node, person in moments.items() if person != held_by.get(node)]
    into, apart = _gathered(around.nodes, after), _scattered(around.nodes, after)
    states = [(around.nodes[node.id].state, node.state) for node in after.values()]
    reasons = [refusal.reason for refusal in partition.refused]
    return DryRun(
        profiles=len({around.nodes[node].profile for node in after}),
        profiles_after=len({node.profile for node in after.values()}),
        merged=sum(len(profiles) for profiles in into.values()),
        merged_into=len(into),
        split=len(apart),
        split_into=sum(len(profiles) for profiles in apart.values()),
        quarantined=sum(now == "quarantined" != old for old, now in states),
        released=sum(now == "live" != old for old, now in states),
        conflicts=len(reasons) - reasons.count("apart"),
        moments=len(moved),
        merge_examples=_examples(into, around.nodes.values()),
        split_examples=_examples(apart, after.values()),
    )


async def activate(tx: Tx, rules: UUID) -> RulesVersion:
    """Put rules in force: who is who becomes what they make of everything that was ever seen, at once.

    Takes as long as `dry_run`; sightings wait meanwhile. Going back to older rules is the same.

    Raises:
        NotFound: there are no such rules.
        Conflict: they are in force already.
    """
    tx.actor.require(RULES)
    version = await _version(tx, rules)
    await store.take_pool(tx, version.pool)
    active = await decision_store.activate(tx, rules)
    if active is None:
        raise Conflict("These rules are in force already.")
    around = await _everything(tx, version.pool)
    cause = Cause("rules")
    added, new = await settle(tx, version.pool, around, version.rules, frozenset(), cause)
    if added:
        await project(tx, version.pool, added, new=new, cause=cause)
    await store.attach(tx, _moments(around, version.rules))
    after = {node.id: node for node in (await store.everything(tx, version.pool))[0]}
    log.append(
        tx,
        IdentityRulesChanged(
            pool=version.pool,
            version=version.version,
            merged=len(_gathered(around.nodes, after)),
            split=len(_scattered(around.nodes, after)),
        ),
        subject=rules,
    )
    audit.record(tx, "identity.rules-activated", "identity_rules", rules, after={"version": version.version})
    return active


async def _version(reader: Reader, rules: UUID) -> RulesVersion:
    found = await decision_store.rules_version(reader, rules)
    if found is None:
        raise NotFound("There are no such rules.")
    return found


async def _everything(reader: Reader, pool: UUID) -> Neighbourhood:
    nodes, sightings, pins = await store.everything(reader, pool)
    return Neighbourhood(
        {node.id: node for node in nodes},
        {sighting.id: sighting for sighting in sightings},
        {pin.id: pin for pin in pins},
        is_whole=True,
    )


def _moments(around: Neighbourhood, rules: Rules) -> dict[UUID, UUID | None]:
    """Whose the moments at shared devices are by these rules."""
    keys = {node.id: node.key for node in around.nodes.values()}
    ids = {key: node for node, key in keys.items()}
    whose = attached((sighting.seen(keys) for sighting in around.sightings.values()), rules)
    moments = [key for key in ids if key.kind == Kind.SIGHTING]
    return {ids[key]: ids[whose[key]] if key in whose else None for key in moments}


def _gathered(before: Mapping[UUID, Node], after: Mapping[UUID, Node]) -> dict[UUID, set[UUID]]:
    """By profile afterwards, the profiles that it was, where it was several."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for node in after.values():
        if node.id in before and node.kind != Kind.SIGHTING:
            found[node.profile].add(before[node.id].profile)
    return {profile: olds for profile, olds in found.items() if len(olds) > 1}


def _scattered(before: Mapping[UUID, Node], after: Mapping[UUID, Node]) -> dict[UUID, set[UUID]]:
    """By profile before, the profiles that it became, where it became several."""
    return _gathered(after, {node: before[node] for node in before if node in after})


def _examples(changes: Mapping[UUID, set[UUID]], nodes: Iterable[Node]) -> list[Example]:
    """The largest changes, with what the profiles are known by."""
    chosen = sorted(changes, key=lambda profile: (-len(changes[profile]), profile))[:MOST_EXAMPLES]
    shown = {part for profile in chosen for part in changes[profile]}
    named: dict[UUID, list[str]] = defaultdict(list)
    for node in nodes:
        if node.profile in shown and len(named[node.profile]) < MOST_NAMED:
            named[node.profile].append(f"{node.kind}:{node.value}")
    return [Example(profiles={part: sorted(named[part]) for part in sorted(changes[one])}) for one in chosen]
