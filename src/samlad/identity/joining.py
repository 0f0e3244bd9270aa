"""Joining identifiers into people, link by link, within limits and decisions. The engine room of `rules.resolve`."""

from collections.abc import Iterable, Mapping, Sequence

from samlad.identity.evidence import Key, Link, Pin, Refusal
from samlad.identity.model import Kind, PinKind, Rules, Trust

_LEFT, _RIGHT, _BOTH = 1, 2, 3
STRONG = Trust.STRONG


class _Group:
    """What must be known of a group to say whether it may join another."""

    __slots__ = ("is_known", "keys", "sides", "values")

    def __init__(self, key: Key, *, is_known: bool, is_limited: bool) -> None:
        self.keys = [key]
        self.is_known = is_known
        self.values: dict[Kind, set[str]] = {key.kind: {key.value}} if is_limited else {}
        self.sides: dict[int, int] = {}
        """By pin: which sides of what is to stay apart are in here."""


class Joiner:
    """Groups that grow. Every decision looks at content alone."""

    def __init__(
        self, keys: Mapping[Key, Trust], known: Iterable[Key], rules: Rules, pins: Sequence[Pin]
    ) -> None:
        sure = frozenset(known)
        self._limits = rules.limits
        self._of = {
            key: _Group(key, is_known=key in sure, is_limited=key.kind in rules.limits) for key in keys
        }
        self._pins = pins
        self.accepted: list[Link] = []
        self.refused: list[Refusal] = []
        for pin in pins:
            if pin.kind == PinKind.APART:
                for side, members in ((_LEFT, pin.left), (_RIGHT, pin.right)):
                    for key in members:
                        sides = self._of[key].sides
                        sides[pin.seq] = sides.get(pin.seq, 0) | side

    def join(self, links: Iterable[Link]) -> None:
        """Join by what was seen, then by what people said is the same; then see what was left out once more.

        What people joined are whole people: their links come first, so that a limit keeps nobody's own from them.
        """
        left_out = [link for link in sorted(links, key=Link.order) if not self._join(link)]
        self._pin()
        for link in left_out:
            if not self._join(link):
                one, other = self._of[link.left], self._of[link.right]
                reason = self._reason(one, other, link.trust)
                assert reason is not None
                self.refused.append(Refusal(link.left, link.right, reason, link.why))
        # A later one may have brought them together after all.
        self.refused = [each for each in self.refused if self._of[each.left] is not self._of[each.right]]

    def _pin(self) -> None:
        """Join what people said is the same, unless they said the contrary later."""
        for pin in self._pins:
            if pin.kind == PinKind.SAME:
                members = sorted(pin.left | pin.right)
                for key in members[1:]:
                    one, other = self._of[members[0]], self._of[key]
                    if one is not other and not _would_meet(one, other, after=pin.seq):
                        self._unite(one, other)

    def _join(self, link: Link) -> bool:
        """Join by a link, if nothing is against it."""
        one, other = self._of[link.left], self._of[link.right]
        if one is other:
            return True
        if self._reason(one, other, link.trust) is not None:
            return False
        self._unite(one, other)
        self.accepted.append(link)
        return True

    def _reason(self, one: _Group, other: _Group, trust: Trust) -> str | None:
        if _would_meet(one, other):
            return "apart"
        for kind in one.values.keys() & other.values.keys():
            mine, theirs = one.values[kind], other.values[kind]
            # A group that people made larger than the limit may still grow by what adds nothing of that kind.
            if len(mine | theirs) > max(self._limits[kind], len(mine), len(theirs)):
                return "limit"
        if trust < STRONG and one.is_known and other.is_known:
            return "weak"
        return None

    def _unite(self, one: _Group, other: _Group) -> None:
        large, small = (one, other) if len(one.keys) >= len(other.keys) else (other, one)
        large.keys += small.keys
        large.is_known |= small.is_known
        for kind, values in small.values.items():
            large.values.setdefault(kind, set()).update(values)
        for pin, sides in small.sides.items():
            large.sides[pin] = large.sides.get(pin, 0) | sides
        for key in small.keys:
            self._of[key] = large

    def groups(self) -> list[frozenset[Key]]:
        """What there is now."""
        distinct = {id(group): group for group in self._of.values()}
        return [frozenset(group.keys) for group in distinct.values()]


def _would_meet(one: _Group, other: _Group, *, after: int = 0) -> bool:
    """Whether joining brings together what was set apart later than ``after`` and has not met yet."""
    few, many = (one.sides, other.sides) if len(one.sides) <= len(other.sides) else (other.sides, one.sides)
    return any(
        seq > after and sides != _BOTH and many.get(seq, 0) not in (0, _BOTH) and sides | many[seq] == _BOTH
        for seq, sides in few.items()
    )
