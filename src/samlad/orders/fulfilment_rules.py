"""Fulfilments, decided without a database: who gets what of an order, until when, and from where instead."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from samlad.carts import Delivery
from samlad.channels import OpeningHours
from samlad.channels.hours import periods
from samlad.delivery import MethodKind
from samlad.orders.fulfilment_model import FulfilmentLine, Method, TrackingEvent, TrackingStatus

HORIZON_DAYS = 30
"""A place that does not open within so many days is treated as if it were always open."""

Units = tuple[int, UUID, int]
"""Position of an order's line, variant, quantity."""


def method_of(delivery: Delivery | None, kind: MethodKind | None = None) -> Method:
    """How a part of an order gets to the customer by what was chosen in the cart; ``kind``: of its delivery method."""
    if kind is not None:
        return Method.HAND_OVER if kind is MethodKind.CARRY_OUT else Method(kind)
    if delivery is Delivery.PICKUP:
        return Method.PICKUP
    return Method.HAND_OVER if delivery is Delivery.CARRY_OUT else Method.SHIP


def spread(lines: Iterable[Units], held: Iterable[tuple[UUID, UUID, int]]) -> dict[UUID, list[Units]]:
    """Which units of which lines each location has: lines and holds (location, variant, quantity) in their order."""
    places = list(held)
    free = [quantity for _place, _variant, quantity in places]
    parts: dict[UUID, list[Units]] = {}
    for position, variant, quantity in lines:
        left = quantity
        for index, (place, held_variant, _quantity) in enumerate(places):
            taken = min(left, free[index]) if held_variant == variant else 0
            if taken:
                parts.setdefault(place, []).append((position, variant, taken))
                free[index] -= taken
                left -= taken
    return {place: _joined(units) for place, units in parts.items()}


def _joined(units: Iterable[Units]) -> list[Units]:
    """A line once, also if several holds have a part of it."""
    sums: dict[tuple[int, UUID], int] = {}
    for position, variant, quantity in units:
        sums[position, variant] = sums.get((position, variant), 0) + quantity
    return [(position, variant, quantity) for (position, variant), quantity in sums.items()]


def due(opened: datetime, minutes: int, hours: OpeningHours | None, time_zone: str) -> datetime:
    """When a place should have picked what came at ``opened``: so many minutes of its opening hours later (UTC)."""
    left = timedelta(minutes=minutes)
    if hours is None:
        return opened + left
    first = opened.date() - timedelta(days=2)
    upto = opened
    for start, end in sorted(periods(hours, time_zone, first, HORIZON_DAYS)):
        begin = max(start, upto)  # spans may overlap; time counts once
        if end <= begin:
            continue
        if end - begin >= left:
            return begin + left
        left -= end - begin
        upto = end
    return opened + timedelta(minutes=minutes)


def choose(
    wanted: Mapping[UUID, int], free: Sequence[tuple[UUID, UUID, int]], *, one_place: bool = False
) -> tuple[list[tuple[UUID, UUID, int]], dict[UUID, int]]:
    """Where units (by variant) come from instead, out of what is free as (location, variant, units), best first.

    One place that has all of it is best; else (unless it has to be one place) whole lines go to the place that has
    most lines, and a line is split only if no place has all of it. Answers the picks and what nobody has.
    """
    there: dict[UUID, dict[UUID, int]] = {}
    for place, variant, units in free:
        if units > 0 and variant in wanted:
            there.setdefault(place, {})[variant] = units
    covers = {
        place: sum(units.get(variant, 0) >= quantity for variant, quantity in wanted.items())
        for place, units in there.items()
    }
    for place, count in covers.items():
        if count == len(wanted):
            return [(place, variant, quantity) for variant, quantity in wanted.items()], {}
    if one_place:
        return [], dict(wanted)
    picks: list[tuple[UUID, UUID, int]] = []
    missing: dict[UUID, int] = {}
    for variant, quantity in wanted.items():
        ranked = sorted(there, key=lambda place: (there[place].get(variant, 0) < quantity, -covers[place]))
        left = quantity
        for place in ranked:
            part = min(left, there[place].get(variant, 0))
            if part:
                picks.append((place, variant, part))
                left -= part
        if left:
            missing[variant] = left
    return picks, missing


def take_from(parts: Iterable[Units], chosen: Mapping[int, int]) -> tuple[list[Units], list[Units]]:
    """Part lines in two: what was chosen by position, and the rest."""
    out: list[Units] = []
    rest: list[Units] = []
    for position, variant, quantity in parts:
        part = min(quantity, chosen.get(position, 0))
        if part:
            out.append((position, variant, part))
        if quantity > part:
            rest.append((position, variant, quantity - part))
    return out, rest


def units_of(lines: Iterable[FulfilmentLine]) -> list[Units]:
    """Lines as units."""
    return [(line.position, line.variant, line.quantity) for line in lines]


def sum_of(units: Iterable[Units]) -> int:
    """How many in all."""
    return sum(quantity for _position, _variant, quantity in units)


def by_variant(units: Iterable[Units]) -> dict[UUID, int]:
    """How many of each variant."""
    sums: dict[UUID, int] = {}
    for _position, variant, quantity in units:
        sums[variant] = sums.get(variant, 0) + quantity
    return sums


def tracking_state(events: Collection[TrackingEvent]) -> TrackingStatus | None:
    """Where a parcel is by what was told in any order: delivered and returned are final, else the latest counts."""
    for final in (TrackingStatus.RETURNED, TrackingStatus.DELIVERED):
        if any(event.status is final for event in events):
            return final
    latest = max(events, key=lambda event: event.happened_at, default=None)
    return latest.status if latest else None


def tracking_number(fulfilment: UUID) -> str:
    """The number of a parcel without a carrier's own: twelve digits of the fulfilment and a check digit (mod 10)."""
    digits = f"{int.from_bytes(hashlib.sha256(fulfilment.bytes).digest()[:8]) % 10**12:012d}"
    total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits))
    return f"SM{digits}{-total % 10}"
