"""Decisions about stock that need no database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from msgspec import structs

from samlad.stock.model import Count, CountLine, CountStatus, ExcludedLevel, Later, Level, Location, Promise

E4 = 10_000
"""Ten-thousandths of a minor unit in one: how finely costs are kept."""

Tranche = tuple[date | None, int]
"""Units that come on a day; None: nobody knows."""


def promise(
    levels: Iterable[Level], buffer: int, excluded: Iterable[tuple[UUID, ExcludedLevel]] = ()
) -> list[Promise]:
    """What a channel may sell of each variant: free units over its locations minus the buffer, never below 0.

    A location that owes units (more held than on hand) has none to give; it does not take from the others.
    ``excluded`` are (variant, level) that only explain.
    """
    by_variant: dict[UUID, list[Level]] = {}
    left_out: dict[UUID, list[ExcludedLevel]] = {}
    for variant, level in excluded:
        by_variant.setdefault(variant, [])
        left_out.setdefault(variant, []).append(level)
    for counted in levels:
        by_variant.setdefault(counted.variant, []).append(counted)
    return [
        _promise(variant, group, buffer, left_out.get(variant, [])) for variant, group in by_variant.items()
    ]


def _promise(variant: UUID, levels: list[Level], buffer: int, excluded: list[ExcludedLevel]) -> Promise:
    free = sum(level.available for level in levels)
    # The buffer is kept back from all that may be sold, so what free units cannot bear comes off what comes later,
    # the first of it.
    later = _by_day(_after([tranche for level in levels for tranche in dated(level)], max(0, buffer - free)))
    return Promise(
        variant=variant,
        available=max(0, free - buffer),
        backorder=sum(tranche.units for tranche in later),
        on_hand=sum(level.on_hand for level in levels),
        held=sum(level.held for level in levels),
        buffer=buffer,
        locations=levels,
        kept=sum(level.kept for level in levels),
        expired=sum(level.expired for level in levels),
        expiring=sum(level.expiring for level in levels),
        blocked=sum(level.blocked for level in levels),
        incoming=sum(line.units for level in levels for line in level.incoming),
        later=later,
        excluded=excluded,
    )


def dated(level: Level) -> list[Tranche]:
    """When the ``later`` units of a level come: units by day, in all exactly as many.

    Who bought first is served first, so the earliest arrivals go to those who wait already. What is on backorder comes
    on the level's own day or, where it has none, with what suppliers are to bring.
    """
    if level.later <= 0:
        return []
    most = level.backorder_limit + (sum(line.units for line in level.incoming) if level.sells_incoming else 0)
    free = _after(coming(level), most - level.later)
    found, left = [], level.later
    for day, units in free:
        if left > 0:
            found.append((day, min(units, left)))
        left -= units
    return found


def coming(level: Level) -> list[Tranche]:
    """What a level's orders wait for, the earliest first: what suppliers and transfers are to bring, where that may be sold or
    nothing else is said of when it comes, and the units on backorder."""
    incoming = [(None if line.is_late else line.expected_on, line.units) for line in level.incoming]
    supply = incoming if level.sells_incoming or level.backorder_on is None else []
    return _after([*supply, (level.backorder_on, level.backorder_limit)], 0)


def days_of(
    here: int, queue: Iterable[tuple[UUID, int]], tranches: Sequence[Tranche]
) -> dict[UUID, date | None]:
    """On which day who waits has all of theirs, by owner; None: nobody knows. Who has theirs already is left out.

    ``here`` units lie at the level, ``queue`` is (owner, units) of orders, who bought first before others, and ``tranches``
    come later, the earliest first.
    """
    found: dict[UUID, date | None] = {}
    needed, there, place, day = 0, max(0, here), 0, None
    for owner, units in queue:
        needed += units
        while there < needed and place < len(tranches):
            day, more = tranches[place]
            there, place = there + more, place + 1
        if needed > max(0, here):
            found[owner] = day if there >= needed else None
    return found


def _after(tranches: Sequence[Tranche], units: int) -> list[Tranche]:
    """Tranches by day, those without a day last, less the first so many units."""
    found = []
    for day, there in sorted(tranches, key=lambda tranche: tranche[0] or date.max):
        if there > units:
            found.append((day, there - units))
        units = max(0, units - there)
    return found


def _by_day(tranches: Iterable[Tranche]) -> list[Later]:
    days: dict[date | None, int] = {}
    for day, units in tranches:
        days[day] = days.get(day, 0) + units
    return [Later(day, units) for day, units in days.items()]


def share(value: int, units: int, of: int) -> int:
    """What ``units`` of ``of`` units are worth that are worth ``value`` together; all of them: exactly all of it."""
    return (2 * value * units + of) // (2 * of)


def leaving_value(on_hand: int, value: int, units: int, unit_cost: int) -> int:
    """What units take with them that leave at a cost of their own: no more than their level is worth, and with the last
    one all of it."""
    return value if units == on_hand else min(value, units * unit_cost)


def needs_approval(place: Location, lines: Iterable[CountLine], unit_costs_e4: Mapping[UUID, int]) -> bool:
    """Whether a count differs by more than its location lets one person book.

    What is too much and what is missing are added up, not set off against each other: they are two mistakes.
    """
    units = value = 0
    for line in lines:
        difference = abs(line.counted - (line.expected or 0))
        units += difference
        value += difference * unit_costs_e4.get(line.variant, 0)
    is_much = place.variance_units is not None and units > place.variance_units
    return is_much or (place.variance_value is not None and value > place.variance_value * E4)


def as_counter_sees(count: Count, *, counted: bool = False) -> Count:
    """A count without what the books say: while it is open and blind, and until it is booked for those who ``counted`` it,
    who could otherwise submit it, look, and count once more what the books say.
    """
    hides = count.status is CountStatus.OPEN or (counted and count.status is CountStatus.SUBMITTED)
    if not count.is_blind or not hides:
        return count
    lines = [structs.replace(line, expected=None) for line in count.lines]
    return structs.replace(count, lines=lines)
