"""Routing, decided without a database: filter and rank the candidates, then spread the lines over them.

A **strategy** is a function from a question to a decision, registered under a name. A new one is a function here and nothing
else: rules name it, replay compares it, placement calls it.
"""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import msgspec

from samlad.orders.routing_model import (
    MORE_IS_BETTER,
    Candidate,
    Costs,
    Decision,
    Factor,
    Filters,
    Line,
    Part,
    RuleSet,
    Seen,
)

FAR_KM = 20_100.0
"""A place of unknown distance counts as on the other side of the earth."""


class Question(msgspec.Struct, frozen=True):
    """An order to route: what is to be sent, and who could send it."""

    lines: Sequence[Line]
    candidates: Sequence[Candidate]
    rules: RuleSet


Strategy = Callable[[Question], Decision]
STRATEGIES: dict[str, Strategy] = {}
"""How rules are used, by name; the first line of each one's docstring is what people read."""


def strategy(name: str) -> Callable[[Strategy], Strategy]:
    """Decorator: this function is a strategy."""

    def register(function: Strategy) -> Strategy:
        STRATEGIES[name] = function
        return function

    return register


def decide(question: Question) -> Decision:
    """Where an order goes, by the rules' strategy."""
    return STRATEGIES[question.rules.strategy](question)


@strategy("default")
def as_stock_does(_question: Question) -> Decision:
    """Own store first, then priority, one parcel before several: what stock does without rules. Costs nothing."""
    return Decision(strategy="default", parts=[], reason="stock decides as it does without rules", seen=[])


@strategy("ranked")
def by_rank(question: Question) -> Decision:
    """The best-ranked place that has everything; else the best-ranked ones together, if the parts are worth it."""
    ranked, seen = sift(question)
    for candidate in ranked:
        if _has_all(candidate, question):
            part = Part(
                candidate.id, candidate.code, {line.variant: line.quantity for line in question.lines}
            )
            return _decision(
                question, "ranked", [part], "the first in rank that has everything", seen, ranked
            )
    return _split(question, "ranked", ranked, seen)


@strategy("fewest_parts")
def by_parts(question: Question) -> Decision:
    """As few parcels as possible, each time from the place that has most of what is left; rank decides between equals."""
    ranked, seen = sift(question)
    left = {line.variant: line.quantity for line in question.lines}
    chosen: list[Candidate] = []
    while left and len(chosen) < len(ranked):
        rest = [candidate for candidate in ranked if candidate not in chosen]
        best = max(rest, key=lambda c: (_covered(c, left, question.rules.filters), -ranked.index(c)))
        if _covered(best, left, question.rules.filters) == (0, 0):
            break
        chosen.append(best)
        for variant, units in _take(best, left, question.rules.filters).items():
            left[variant] -= units
        left = {variant: units for variant, units in left.items() if units}
    return _split(question, "fewest_parts", chosen, seen)


def sift(question: Question) -> tuple[list[Candidate], list[Seen]]:
    """The candidates that pass the filters, best first, and what is to be said of every one."""
    passed, refused = [], []
    for candidate in question.candidates:
        why_not = _why_not(candidate, question)
        if why_not is None:
            passed.append(candidate)
        else:
            refused.append((candidate, why_not))
    ranked = sorted(passed, key=lambda candidate: (*_key(candidate, question), str(candidate.id)))
    seen = [_seen(candidate, question, number, None) for number, candidate in enumerate(ranked, 1)]
    seen += [_seen(candidate, question, None, why_not) for candidate, why_not in refused]
    return ranked, seen


def _why_not(candidate: Candidate, question: Question) -> str | None:
    """Why a place is not asked; None: it is."""
    filters = question.rules.filters
    tests = (
        (not filters.kinds or candidate.kind in filters.kinds, f"is a {candidate.kind}"),
        (not filters.only or candidate.code in filters.only, "is not among the named ones"),
        (candidate.code not in filters.without, "is excluded"),
        (
            filters.max_km is None or (candidate.km is not None and candidate.km <= filters.max_km),
            "is too far away" if candidate.km is not None else "is at an unknown distance",
        ),
        (filters.max_load is None or candidate.load < filters.max_load, "has too much open work"),
        (not filters.with_capacity or not candidate.is_full, "is full today"),
        (
            any(_usable(candidate, line.variant, filters) for line in question.lines),
            "has none of it to spare",
        ),
    )
    return next((text for holds, text in tests if not holds), None)


def _usable(candidate: Candidate, variant: UUID, filters: Filters) -> int:
    return max(0, candidate.free.get(variant, 0) - filters.keep_units)


def value(candidate: Candidate, factor: Factor, question: Question) -> float:
    """What a place has of a factor."""
    wanted = [line.variant for line in question.lines]
    match factor:
        case Factor.OWN_STORE:
            return 0 if candidate.is_own else 1
        case Factor.DISTANCE:
            return FAR_KM if candidate.km is None else candidate.km
        case Factor.PRIORITY:
            return candidate.priority
        case Factor.LOAD:
            return candidate.load
        case Factor.CAPACITY:
            return candidate.load / candidate.capacity if candidate.capacity else 0
        case Factor.COST:
            return cost_of(candidate, question.rules.costs)
        case Factor.STOCK_AGE:
            return candidate.age_days
        case Factor.ON_HAND:
            return sum(candidate.free.get(variant, 0) for variant in wanted)
        case Factor.BALANCE:
            return min(
                ((candidate.free.get(line.variant, 0) - line.quantity) / candidate.free[line.variant]
                 for line in question.lines if candidate.free.get(line.variant)),
                default=-1.0,
            )  # fmt: skip


def cost_of(candidate: Candidate, costs: Costs) -> int:
    """What sending from a place costs, minor units."""
    return costs.places.get(candidate.code, costs.default) + round(costs.per_km * (candidate.km or 0))


def _key(candidate: Candidate, question: Question) -> list[float]:
    key = []
    for rank in question.rules.ranks:
        found = value(candidate, rank.by, question)
        if rank.step:
            found = found // rank.step
        key.append(-found if rank.by in MORE_IS_BETTER else found)
    return key


def _seen(candidate: Candidate, question: Question, rank: int | None, why_not: str | None) -> Seen:
    values: dict[str, float | None] = {
        str(each.by): round(value(candidate, each.by, question), 3) for each in question.rules.ranks
    }
    if candidate.km is None and Factor.DISTANCE in values:
        values[Factor.DISTANCE] = None
    return Seen(location=candidate.id, code=candidate.code, rank=rank, why_not=why_not, values=values)


def _has_all(candidate: Candidate, question: Question) -> bool:
    filters = question.rules.filters
    return all(_usable(candidate, line.variant, filters) >= line.quantity for line in question.lines)


def _covered(candidate: Candidate, left: dict[UUID, int], filters: Filters) -> tuple[int, int]:
    """How many lines and units of what is left a place has: whole lines before units."""
    usable = {variant: _usable(candidate, variant, filters) for variant in left}
    whole = sum(usable[variant] >= units for variant, units in left.items())
    return whole, sum(min(usable[variant], units) for variant, units in left.items())


def _take(candidate: Candidate, left: dict[UUID, int], filters: Filters) -> dict[UUID, int]:
    taken = {variant: min(units, _usable(candidate, variant, filters)) for variant, units in left.items()}
    return {variant: units for variant, units in taken.items() if units}


def _split(question: Question, name: str, order: Sequence[Candidate], seen: list[Seen]) -> Decision:
    """Spread the lines over places in their order: a whole line at one place before a line in pieces."""
    filters, split = question.rules.filters, question.rules.split
    left = {line.variant: line.quantity for line in question.lines}
    parts: dict[UUID, dict[UUID, int]] = {}
    for candidate in order:
        for variant, units in list(left.items()):
            if _usable(candidate, variant, filters) >= units:
                parts.setdefault(candidate.id, {})[variant] = left.pop(variant)
    for candidate in order:
        for variant, units in _take(candidate, left, filters).items():
            parts.setdefault(candidate.id, {})[variant] = units
            left[variant] -= units
    if any(left.values()):
        return _none(name, seen, "the places that the rules allow do not have all of it")
    known = {candidate.id: candidate for candidate in question.candidates}
    found = [Part(place, known[place].code, units) for place, units in parts.items()]
    if len(found) > split.max_parts:
        return _none(name, seen, f"it would leave in {len(found)} parts, more than {split.max_parts}")
    if len(found) > 1:
        worth = [_worth(part, question.lines) for part in found]
        if min(worth) < split.least_amount:
            return _none(name, seen, f"a part would be worth {min(worth)}, less than {split.least_amount}")
    reason = (
        "one place has everything"
        if len(found) == 1
        else f"no place has everything; {len(found)} have it together"
    )
    return _decision(question, name, found, reason, seen, order)


def _worth(part: Part, lines: Iterable[Line]) -> int:
    """What a part comes to, minor units."""
    return sum(line.amount * part.units.get(line.variant, 0) // line.quantity for line in lines)


def _decision(
    question: Question,
    name: str,
    parts: list[Part],
    reason: str,
    seen: list[Seen],
    candidates: Iterable[Candidate],
) -> Decision:
    known = {candidate.id: candidate for candidate in candidates}
    used = [known[part.location] for part in parts]
    far = [candidate.km for candidate in used]
    return Decision(
        strategy=name,
        parts=parts,
        reason=reason,
        seen=seen,
        km=None if None in far else round(sum(km for km in far if km is not None), 1),
        cost=sum(cost_of(candidate, question.rules.costs) for candidate in used),
    )


def _none(name: str, seen: list[Seen], reason: str) -> Decision:
    return Decision(strategy=name, parts=[], reason=f"{reason}: stock decides", seen=seen)
