"""Sets: what is promised of a variant that is made of others. Its parts have the stock, it has none.

A set is promised as often as each of its parts suffices. At one place that is how many whole sets lie there; for a channel,
whose parts may come from several places, it may be more.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from asyncpg import Record

from samlad.kernel.database import Reader
from samlad.stock import rules
from samlad.stock.model import Incoming, Later, Level, Promise, PromisedPart

SetOf = tuple[UUID, UUID, str, int]
"""A set, a part of it, that one's SKU, and how many of it are in one set."""
Sets = Mapping[UUID, Mapping[UUID, tuple[str, int]]]
"""Of each set its parts: SKU and how many of it are in one set."""


async def parts_of(reader: Reader, variants: Sequence[UUID]) -> dict[UUID, dict[UUID, int]]:
    """Of those variants that are sets: how many of which parts are in one."""
    rows = await reader.rows(
        "SELECT bundle, component, quantity FROM bundle_component WHERE bundle = ANY($1) ORDER BY bundle, component",
        list(variants),
    )
    return _by_set(rows)


async def sets_of(reader: Reader, pool: UUID) -> dict[UUID, dict[UUID, int]]:
    """All sets of a catalogue pool: how many of which parts are in one."""
    rows = await reader.rows(
        """SELECT b.bundle, b.component, b.quantity FROM bundle_component b JOIN variant v ON v.id = b.bundle
           WHERE v.pool = $1 ORDER BY b.bundle, b.component""",
        pool,
    )
    return _by_set(rows)


def _by_set(rows: Iterable[Record]) -> dict[UUID, dict[UUID, int]]:
    found: dict[UUID, dict[UUID, int]] = {}
    for row in rows:
        found.setdefault(row["bundle"], {})[row["component"]] = row["quantity"]
    return found


def known(rows: Iterable[SetOf] | None) -> dict[UUID, dict[UUID, tuple[str, int]]]:
    """Rows of parts by set."""
    found: dict[UUID, dict[UUID, tuple[str, int]]] = {}
    for whole, part, sku, quantity in rows or ():
        found.setdefault(whole, {})[part] = (sku, quantity)
    return found


def levels_with_sets(levels: Iterable[Level], sets: Sets, asked: Iterable[UUID]) -> list[Level]:
    """The levels of what was asked for: its own, and for sets how many whole ones lie at each place."""
    by_variant: dict[UUID, list[Level]] = {}
    for level in levels:
        by_variant.setdefault(level.variant, []).append(level)
    found: list[Level] = []
    for variant in dict.fromkeys(asked):
        if variant in sets:
            found += _levels_of(variant, sets[variant], by_variant)
        else:
            found += by_variant.get(variant, [])
    return found


def with_sets(found: Iterable[Promise], sets: Sets, asked: Iterable[UUID], buffer: int) -> list[Promise]:
    """What is promised of what was asked for: as stock has it, and for sets by what is promised of their parts."""
    by_variant = {each.variant: each for each in found}
    promised = []
    for variant in dict.fromkeys(asked):
        if variant in sets:
            promised.append(_promise(variant, sets[variant], by_variant, buffer))
        elif variant in by_variant:
            promised.append(by_variant[variant])
    return promised


def _promise(
    whole: UUID, parts: Mapping[UUID, tuple[str, int]], by_variant: Mapping[UUID, Promise], buffer: int
) -> Promise:
    nothing = Promise(variant=whole, available=0, backorder=0, on_hand=0, held=0, buffer=buffer, locations=[])
    of = {part: by_variant.get(part, nothing) for part in parts}
    can = {part: of[part].available // quantity for part, (_, quantity) in parts.items()}
    most = {
        part: (of[part].available + of[part].backorder) // quantity for part, (_, quantity) in parts.items()
    }
    available = min(can.values())
    later = _later(
        [
            (of[part].available, [(each.expected_on, each.units) for each in of[part].later], quantity)
            for part, (_, quantity) in parts.items()
        ]
    )
    levels = _levels_of(whole, parts, {part: each.locations for part, each in of.items()})
    return Promise(
        variant=whole,
        available=available,
        backorder=sum(each.units for each in later),
        on_hand=sum(level.on_hand for level in levels),
        held=sum(level.held for level in levels),
        buffer=buffer,
        locations=levels,
        incoming=sum(line.units for level in levels for line in level.incoming),
        later=later,
        parts=[
            PromisedPart(
                variant=part,
                sku=sku,
                quantity=quantity,
                available=of[part].available,
                backorder=of[part].backorder,
                sets=can[part],
                is_limiting=(can[part], most[part]) == min((can[each], most[each]) for each in parts),
            )
            for part, (sku, quantity) in parts.items()
        ],
    )


def _levels_of(
    whole: UUID, parts: Mapping[UUID, tuple[str, int]], levels: Mapping[UUID, Sequence[Level]]
) -> list[Level]:
    """How many whole sets lie at each place that has any of the parts, and when more can be made there."""
    at: dict[UUID, dict[UUID, Level]] = {}
    for part in parts:
        for level in levels.get(part, ()):
            at.setdefault(level.location, {})[part] = level
    found = []
    for place, here in at.items():
        if len(here) < len(parts):
            continue
        per = [(here[part], quantity) for part, (_, quantity) in parts.items()]
        on_hand = min(level.on_hand // quantity for level, quantity in per)
        free = min(level.available // quantity for level, quantity in per)
        later = _later([(level.available, rules.dated(level), quantity) for level, quantity in per])
        found.append(
            Level(
                location=place,
                variant=whole,
                on_hand=on_hand,
                held=max(0, on_hand - free),
                available=free,
                backorder_limit=sum(each.units for each in later if each.expected_on is None),
                later=sum(each.units for each in later),
                sells_incoming=any(each.expected_on is not None for each in later),
                incoming=[
                    Incoming(purchase=None, units=each.units, expected_on=each.expected_on)
                    for each in later
                    if each.expected_on is not None
                ],
            )
        )
    return found


def _later(parts: Sequence[tuple[int, Sequence[rules.Tranche], int]]) -> list[Later]:
    """When more sets can be made, from (available now, what comes when, quantity in a set) of each part: each set on the
    day of the last of its parts; those without a day last."""
    days = sorted({day or date.max for _, tranches, _ in parts for day, _ in tranches})
    made = min(now // quantity for now, _, quantity in parts)
    found = []
    for day in days:
        there = min(
            (now + sum(units for on, units in tranches if (on or date.max) <= day)) // quantity
            for now, tranches, quantity in parts
        )
        if there > made:
            found.append(Later(None if day == date.max else day, there - made))
        made = max(made, there)
    return found
