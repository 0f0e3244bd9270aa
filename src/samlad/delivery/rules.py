"""Delivery methods, decided without a database: where they go, what they cost, which of them holds in a channel."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from samlad.channels import Channel
from samlad.delivery.calendar import knows_holidays
from samlad.delivery.model import (
    SENT,
    AmountTable,
    Calendar,
    Destination,
    FlatRate,
    Method,
    MethodKind,
    PostalRange,
    Rate,
    Slot,
    Step,
    WeightSteps,
    WeightTable,
    Zone,
)
from samlad.kernel.problems import FieldError

LARGEST_SLOT = 100_000
"""Orders of a slot."""


def price(rate: Rate, *, goods: int, weight: int) -> int:
    """What a rate comes to, in minor units, for goods of this amount (with tax, minor units) and weight (grams)."""
    if rate.free_from is not None and goods >= rate.free_from:
        return 0
    match rate:
        case FlatRate():
            return rate.price
        case AmountTable():
            return _reached(rate.steps, goods)
        case WeightTable():
            return _reached(rate.steps, weight)
        case WeightSteps():
            over = max(0, weight - rate.first)
            return rate.price + -(-over // rate.each) * rate.each_price


def _reached(steps: Sequence[Step], value: int) -> int:
    return next(step.price for step in reversed(steps) if step.start <= value)


def zone_of(method: Method, to: Destination) -> Zone | None:
    """The first zone that an address is in; None: the method does not go there.

    What is not known of the address counts as fitting, so that a promise can be made before all of it is typed.
    """
    return next((zone for zone in method.zones if _fits(zone, to)), None)


def _fits(zone: Zone, to: Destination) -> bool:
    if zone.countries and to.country is not None and to.country not in zone.countries:
        return False
    if (
        zone.regions
        and to.region
        and to.region.strip().casefold() not in {r.casefold() for r in zone.regions}
    ):
        return False
    code = plain_code(to.postal_code)
    return not zone.postal_codes or not code or any(_within(code, span) for span in zone.postal_codes)


def plain_code(code: str | None) -> str:
    """A postal code as it is compared: capitals and digits only."""
    return re.sub(r"[^A-Z0-9]", "", (code or "").upper())


def _within(code: str, span: PostalRange) -> bool:
    first, last = plain_code(span.first), plain_code(span.last)
    return first <= code[: len(first)] and code[: len(last)] <= last


def effective(
    channel: Channel, known: Mapping[UUID, Channel], own: Mapping[UUID, Sequence[Method]]
) -> list[Method]:
    """The methods that hold in a channel: of each code the nearest of itself, its parent, its parent's parent ….

    One that is switched off there is off, also when a channel above has it on. Amounts are in one currency, so a method
    of another currency is not inherited.
    """
    found: dict[str, Method] = {}
    at: Channel | None = channel
    while at is not None:
        for method in own.get(at.id, ()):
            if method.currency == channel.currency:
                found.setdefault(method.code, method)
        at = known.get(at.parent) if at.parent else None
    active = [method for method in found.values() if method.is_active]
    return sorted(active, key=lambda method: (method.position, method.code))


def reaching(methods: Iterable[Method], to: Destination, weight: int | None = None) -> list[Method]:
    """Those that go to an address and can carry the weight (grams) as far as it is known."""
    return [
        method
        for method in methods
        if (method.kind not in SENT or zone_of(method, to) is not None)
        and (method.max_weight is None or weight is None or weight <= method.max_weight)
    ]


def method_errors(
    kind: MethodKind, zones: Sequence[Zone], rate: Rate, calendar: Calendar
) -> list[FieldError]:
    """What cannot be right about a method."""
    errors = []
    if kind in SENT and not zones:
        errors.append(FieldError("zones", "say where it goes; one zone without countries is everywhere"))
    if kind not in SENT and zones:
        errors.append(FieldError("zones", f"a method of the kind {kind} goes nowhere"))
    for index, zone in enumerate(zones):
        if zone.transit_min > zone.transit_max:
            errors.append(FieldError(f"zones/{index}/transit_max", "not below transit_min"))
        for place, span in enumerate(zone.postal_codes):
            if plain_code(span.first) > plain_code(span.last):
                errors.append(FieldError(f"zones/{index}/postal_codes/{place}/last", "not before first"))
    if isinstance(rate, AmountTable | WeightTable):
        starts = [step.start for step in rate.steps]
        if starts[0] != 0:
            errors.append(FieldError("rate/steps/0/start", "the first step starts at 0"))
        if any(a >= b for a, b in pairwise(starts)):
            errors.append(FieldError("rate/steps", "each step starts above the one before"))
    if calendar.holidays is not None and not knows_holidays(calendar.holidays, calendar.subdivision):
        errors.append(
            FieldError("calendar/holidays", f"no public holidays are known of “{calendar.holidays}”")
        )
    return errors


def slot_errors(kind: MethodKind, slots: Sequence[Slot]) -> list[FieldError]:
    """What cannot be right about the slots of a method, at the slot that is wrong."""
    if slots and kind is not MethodKind.SAME_DAY:
        return [FieldError("slots", "only what is brought the same day has slots")]
    errors = []
    for index, slot in enumerate(slots):
        if slot.end <= slot.start:
            errors.append(FieldError(f"slots/{index}/end", f"{slot.end} is not after {slot.start}"))
        if slot.capacity is not None and not 1 <= slot.capacity <= LARGEST_SLOT:
            errors.append(FieldError(f"slots/{index}/capacity", f"between 1 and {LARGEST_SLOT} orders"))
    in_order = sorted(enumerate(slots), key=lambda pair: (pair[1].start, pair[1].end))
    for (_, before), (index, slot) in pairwise(in_order):
        if slot.start < before.end:
            errors.append(
                FieldError(
                    f"slots/{index}/start", f"{slot.start} is before {before.start}-{before.end} is over"
                )
            )
    return errors
