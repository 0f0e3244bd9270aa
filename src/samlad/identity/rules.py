"""Who is one person: a pure function of what was seen, of the rules, and of what people decided.

`resolve` looks at content alone (who, with whom, when, how sure), never at the order in which it was told, so the
same sightings give the same people in any order. It joins like Kruskal's algorithm: the surest links first, and a
link that would break a limit or a decision is left out. What is left out is thereby the weakest on its path, as in
Adobe's identity optimisation.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from samlad.identity.evidence import Key, Link, Partition, Pin, Seen
from samlad.identity.joining import Joiner
from samlad.identity.model import RANK, Kind, PinKind, Rules, Trust
from samlad.identity.normalising import alias_of, local_part
from samlad.identity.sessions import attached

# Names of their own, because Python 3.11 looks members of an enumeration up slowly, and here it is many times.
MOMENT, EMAIL, NEVER, STRONG = Kind.SIGHTING, Kind.EMAIL, Trust.NEVER, Trust.STRONG
TELLING_APART = (Kind.CUSTOMER, Kind.LOGIN, Kind.EXTERNAL_ID, Kind.LOYALTY, Kind.EMAIL)
"""Kinds of which many values beside one value mean that this value is not one person's."""


Trusted = tuple[Seen, tuple[Trust, ...]]
"""A sighting, and how much it says of each of its identifiers."""


def _trusted(observations: Iterable[Seen], rules: Rules) -> list[Trusted]:
    trusts = rules.trusts()
    found = []
    for seen in sorted(observations, key=lambda seen: (seen.at, seen.id)):
        given = (trusts[key.kind, seen.auth] for key in seen.keys)
        said = tuple(
            trust if ceiling is None or trust <= ceiling else ceiling
            for trust, ceiling in zip(given, seen.ceilings, strict=True)
        )
        found.append((seen, said))
    return found


def resolve(
    observations: Iterable[Seen],
    rules: Rules,
    pins: Iterable[Pin] = (),
    *,
    held: Mapping[Key, int] | None = None,
) -> Partition:
    """Who is who.

    ``held`` are identifiers whose quarantine is known though not all of their sightings are given: of a part of the
    whole, the part's own people come out as they would from the whole.
    """
    observed = _trusted(observations, rules)
    decided = sorted(pins, key=lambda pin: pin.seq)
    trust = _strongest(observed)
    for pin in decided:
        for key in pin.left | pin.right:
            trust.setdefault(key, Trust.WEAK)
    blocked, released = _decided(trust, rules, decided)
    quarantined = _crowded(observed, rules, trust, blocked)
    quarantined |= dict(held or {})
    quarantined = {key: fan for key, fan in quarantined.items() if key not in released and key not in blocked}
    cut = blocked | quarantined.keys()
    links = _links(observed, cut) + _aliases(trust, observed, rules, cut)
    known = frozenset(key for key, value in trust.items() if value >= STRONG)
    people = {key: value for key, value in trust.items() if key.kind != MOMENT}
    joiner = Joiner(people, known - cut, rules, decided)
    joiner.join(links)
    return Partition(
        groups=_with_moments(joiner.groups(), trust, (seen for seen, _ in observed), rules),
        quarantined=quarantined,
        blocked=frozenset(blocked),
        links=joiner.accepted,
        refused=joiner.refused,
        known=known,
    )


def _with_moments(
    groups: Sequence[frozenset[Key]], trust: Iterable[Key], observed: Iterable[Seen], rules: Rules
) -> list[frozenset[Key]]:
    """The groups with the moments at shared devices that are theirs; a moment of nobody's is alone."""
    moments = [key for key in trust if key.kind == MOMENT]
    if not moments:
        return list(groups)
    place = {key: index for index, group in enumerate(groups) for key in group}
    larger: list[set[Key]] = [set(group) for group in groups]
    whose = attached(observed, rules)
    for key in moments:
        if key in whose:
            larger[place[whose[key]]].add(key)
        else:
            larger.append({key})
    return [frozenset(group) for group in larger]


def _strongest(observed: Iterable[Trusted]) -> dict[Key, Trust]:
    trust: dict[Key, Trust] = {}
    for seen, said in observed:
        for key, value in zip(seen.keys, said, strict=True):
            if value > trust.get(key, -1):
                trust[key] = value
    return trust


def _decided(trust: Iterable[Key], rules: Rules, pins: Sequence[Pin]) -> tuple[set[Key], set[Key]]:
    """What links nothing, and what people set free; the newest decision holds."""
    blocked = {key for key in trust if is_blocked(key, rules)}
    released: set[Key] = set()
    for pin in pins:
        if pin.kind == PinKind.BLOCK:
            blocked |= pin.left
            released -= pin.left
        elif pin.kind == PinKind.RELEASE:
            released |= pin.left
            blocked -= pin.left
    return blocked, released


def is_blocked(key: Key, rules: Rules) -> bool:
    """Whether the rules say that this value is nobody's."""
    if key.value in rules.blocked:
        return True
    return key.kind == EMAIL and local_part(key.value) in rules.role_mailboxes


def _crowded(
    observed: Iterable[Trusted], rules: Rules, trust: Mapping[Key, Trust], blocked: set[Key]
) -> dict[Key, int]:
    """Values that were seen with too many different people, and with how many.

    People are counted by what tells them apart, not by profiles, which would depend on the outcome. A sighting counts
    only if it says of the value as much as the best one, so that nobody quarantines an address by claiming it.
    """
    beside: dict[Key, dict[Kind, set[str]]] = defaultdict(lambda: defaultdict(set))
    for seen, said in observed:
        others = [key for key in seen.keys if key.kind in TELLING_APART and key not in blocked]
        if not others:
            continue
        for key, value in zip(seen.keys, said, strict=True):
            if key.kind in rules.fan_out and value == trust[key]:
                for other in others:
                    if other.kind != key.kind:
                        beside[key][other.kind].add(other.value)
    counts = {key: max(len(values) for values in kinds.values()) for key, kinds in beside.items() if kinds}
    return {key: count for key, count in counts.items() if count > rules.fan_out[key.kind]}


def _links(observed: Iterable[Trusted], cut: Iterable[Key]) -> list[Link]:
    gone = frozenset(cut)
    found: dict[tuple[Key, Key], Link] = {}
    for seen, said in observed:
        for link in _star(seen, said, gone):
            _keep(found, link)
    return list(found.values())


def _keep(found: dict[tuple[Key, Key], Link], link: Link) -> None:
    best = found.get((link.left, link.right))
    if best is None or link.order() < best.order():
        found[link.left, link.right] = link


def _star(seen: Seen, said: Sequence[Trust], cut: frozenset[Key]) -> list[Link]:
    """What one sighting links: everything to its strongest."""
    there = [
        (trust, key) for trust, key in zip(said, seen.keys, strict=True) if trust > NEVER and key not in cut
    ]
    if len(there) < 2:
        return []
    there.sort(key=lambda each: (-each[0], RANK[each[1].kind], each[1].value))
    _, centre = there[0]
    return [_link(trust, seen.at, centre, key, seen.id) for trust, key in there[1:]]


def _link(trust: Trust, at: datetime, one: Key, other: Key, why: str) -> Link:
    left, right = sorted((one, other))
    return Link(trust, at, left, right, why)


def _aliases(
    trust: Mapping[Key, Trust], observed: Iterable[Trusted], rules: Rules, cut: Iterable[Key]
) -> list[Link]:
    """Addresses that are one mailbox by policy."""
    gone = frozenset(cut)
    first: dict[Key, datetime] = {}
    for seen, _ in observed:
        for key in seen.keys:
            if key.kind == EMAIL:
                first.setdefault(key, seen.at)
    boxes: dict[str, list[Key]] = defaultdict(list)
    for key in first:
        if key not in gone:
            boxes[alias_of(key.value, rules.plus_domains, rules.dot_domains)].append(key)
    links = []
    for keys in boxes.values():
        keys.sort()
        for key in keys[1:]:
            sure = min(trust[keys[0]], trust[key])
            if sure > NEVER:
                links.append(_link(sure, max(first[keys[0]], first[key]), keys[0], key, "alias"))
    return links
