"""When goods can be had: pure rules over what is there, how places work, and how methods go.

Three steps, each of which never answers earlier for a later question: when the units are there (`there`), when they are
made ready (`ready`), and when the customer has them (`collect` in a store, `bring` to an address). So whoever orders later
is never promised an earlier time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from uuid import UUID

import msgspec

from samlad.delivery.calendar import DAY, working_day, working_days
from samlad.delivery.model import COLLECTED, CapacityUnit, Destination, Method, MethodKind, Slot, Zone
from samlad.delivery.rules import plain_code
from samlad.delivery.worktime import Hours, clock_on, closing, finish, local_day

SLOT_DAYS = 14
"""From the day on which goods are ready, so many days ahead a slot can be chosen."""
EARTH_KM = 6371.0088
"""Mean radius (IUGG)."""


class Incoming(msgspec.Struct, frozen=True):
    """Units that are on their way to a place, and the day (its own) on which they are expected."""

    units: int
    day: date


class Supply(msgspec.Struct, frozen=True):
    """What a place can give of a variant: free units on the shelf, units that may be sold ahead, and what is to come."""

    free: int
    backorder: int = 0
    incoming: tuple[Incoming, ...] = ()


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A location as promises see it: where it is, when its doors are open, when and how fast orders are picked there."""

    id: UUID
    code: str
    name: str
    pool: UUID
    channel: UUID | None
    is_store: bool
    city: str
    postal_code: str
    country: str
    latitude: float | None
    longitude: float | None
    priority: int
    doors: Hours
    work: Hours
    pick_minutes: int | None = None
    pack_minutes: int | None = None
    capacity: int | None = None
    capacity_unit: CapacityUnit = CapacityUnit.ORDERS

    @property
    def time_zone(self) -> str:
        """IANA name of its clock."""
        return self.work.time_zone


class Window(msgspec.Struct, frozen=True):
    """When somebody has the goods: on these days at the place's own clock, once they are ready (UTC).

    ``until``: when the doors close, or the tour or the slot is over, on the last day; ``since``: when the slot begins.
    """

    first_day: date
    last_day: date
    ready_at: datetime
    until: datetime | None = None
    since: datetime | None = None


class OpenSlot(msgspec.Struct, frozen=True):
    """A slot of a day, on the place's own clock, with its moments (UTC)."""

    day: date
    slot: Slot
    since: datetime
    until: datetime

    @property
    def key(self) -> str:
        """By which it is named: its day and start, ``2026-11-27T17:00``."""
        return f"{self.day.isoformat()}T{self.slot.start}"

    def window(self, ready_at: datetime) -> Window:
        """When goods that are ready then come in it."""
        return Window(self.day, self.day, ready_at, self.until, self.since)


Full = frozenset[date]
"""Days of a place on which no more can be made ready."""


def there(supply: Supply, quantity: int, moment: datetime, time_zone: str) -> datetime | None:
    """When so many units are at the place. None: no date is known, or they may not be sold before they are there.

    What is overdue is hoped for tomorrow, never today.
    """
    if supply.free >= quantity:
        return moment
    if supply.free + supply.backorder < quantity:
        return None
    have, today = supply.free, local_day(moment, time_zone)
    for coming in sorted(supply.incoming, key=lambda each: each.day):
        have += coming.units
        if have >= quantity:
            day = coming.day if coming.day >= today else today + DAY
            return max(moment, clock_on(day, "00:00", time_zone))
    return None


def begin(site: Site, cut_off: str | None, moment: datetime, full: Full = frozenset()) -> datetime | None:
    """When work on an order of this moment begins: after the cut-off the day after, and never on a day that is full."""
    if site.capacity == 0:
        return None
    at: datetime | None = moment
    day = local_day(moment, site.time_zone)
    if cut_off is not None and moment >= clock_on(day, cut_off, site.time_zone):
        at = max(moment, clock_on(day + DAY, "00:00", site.time_zone))
    for _attempt in range(len(full) + 1):
        at = finish(site.work, at) if at is not None else None
        if at is None:
            return None
        day = local_day(at, site.time_zone)
        if day not in full:
            return at
        at = clock_on(day + DAY, "00:00", site.time_zone)
    return None


def ready(site: Site, method: Method, moment: datetime, full: Full = frozenset()) -> datetime | None:
    """When an order of this moment, whose units are there, is picked and packed."""
    at = begin(site, method.cut_off, moment, full)
    pick = method.pick_minutes if site.pick_minutes is None else site.pick_minutes
    pack = method.pack_minutes if site.pack_minutes is None else site.pack_minutes
    return None if at is None else finish(site.work, at, pick + pack)


def collect(site: Site, method: Method, moment: datetime, full: Full = frozenset()) -> Window | None:
    """When the customer can fetch it: ready, and the doors are open."""
    at = moment if method.kind is MethodKind.CARRY_OUT else ready(site, method, moment, full)
    opened = None if at is None else finish(site.doors, at)
    if opened is None:
        return None
    day = local_day(opened, site.doors.time_zone)
    return Window(day, day, opened, closing(site.doors, opened))


def bring(
    site: Site, method: Method, zone: Zone, moment: datetime, full: Full = frozenset()
) -> Window | None:
    """When it is at the customer's door: it leaves on a working day of the carrier, and is under way for some more."""
    at = ready(site, method, moment, full)
    if at is None:
        return None
    if method.kind is MethodKind.SAME_DAY:
        return _tour(site, method, at)
    leaves = working_day(method.calendar, local_day(at, site.time_zone))
    if leaves is None:
        return None
    first = working_day(method.calendar, leaves, zone.transit_min)
    last = working_day(method.calendar, leaves, zone.transit_max)
    return None if first is None or last is None else Window(first, last, at)


def slots(site: Site, method: Method, at: datetime) -> Iterator[OpenSlot]:
    """The slots, in their order, in which goods can be brought that are ready (`ready`) at a moment.

    On working days of the carrier for which somebody is at the place, by its hours and holidays, when the slot begins. When
    clocks change a slot may be shorter or longer than it says; one that would have no time in it is left out.
    """
    first = local_day(at, site.time_zone)
    in_order = sorted(method.slots, key=lambda slot: slot.start)
    for day in working_days(method.calendar, first):
        if day >= first + SLOT_DAYS * DAY:
            return
        opens = finish(site.work, clock_on(day, "00:00", site.time_zone))
        if opens is None:
            return
        for slot in in_order:
            since, until = (clock_on(day, clock, site.time_zone) for clock in (slot.start, slot.end))
            if max(at, opens) <= since < until and local_day(since, site.time_zone) == day:
                yield OpenSlot(day, slot, since, until)


def pick_by(site: Site, method: Method, since: datetime) -> datetime:
    """When goods should be picked that are brought from a moment on: so long before as packing takes."""
    pack = method.pack_minutes if site.pack_minutes is None else site.pack_minutes
    return since - timedelta(minutes=pack)


def _tour(site: Site, method: Method, at: datetime) -> Window | None:
    """The first slot, or tour of a working day that has not ended, for goods that are ready then."""
    if method.slots:
        return next((each.window(at) for each in slots(site, method, at)), None)
    day = local_day(at, site.time_zone)
    if method.until is not None and at >= clock_on(day, method.until, site.time_zone):
        day += DAY
    found = working_day(method.calendar, day)
    if found is None:
        return None
    until = None if method.until is None else clock_on(found, method.until, site.time_zone)
    return Window(found, found, at, until)


def latest(windows: Iterable[Window | None]) -> Window | None:
    """One window for parts that come in several: all of it is there with the last part. None if one part has none."""
    found = list(windows)
    parts = [window for window in found if window is not None]
    if not parts or len(parts) < len(found):
        return None
    last = max(parts, key=lambda window: (window.last_day, window.ready_at))
    return Window(max(w.first_day for w in parts), last.last_day, max(w.ready_at for w in parts), last.until)


Wanted = Mapping[UUID, int]
"""Units by variant."""
Shelves = Mapping[UUID, Mapping[UUID, Supply]]
"""Supply by site, then by variant."""
_NOTHING = Supply(0)


def at_site(site: Site, shelves: Shelves, wanted: Wanted, moment: datetime) -> datetime | None:
    """When a place has all that is wanted; None: it never has, as far as is known."""
    shelf = shelves.get(site.id)
    if shelf is None:
        return None
    found = moment
    for variant, quantity in wanted.items():
        when = there(shelf.get(variant, _NOTHING), quantity, moment, site.time_zone)
        if when is None:
            return None
        found = max(found, when)
    return found


def in_order(sites: Iterable[Site], channel: UUID) -> list[Site]:
    """Sites, which come by priority, as placement asks them by default: the channel's own first (``stock_plan``)."""
    return sorted(sites, key=lambda site: site.channel != channel)


def sources(
    sites: Sequence[Site], shelves: Shelves, wanted: Wanted, moment: datetime
) -> list[tuple[Site, datetime]] | None:
    """Where an order would leave from, with when its units are there; as placement decides, so that promises are kept.

    One place that has everything, else each line from one place that has it, else from the first where it is sold ahead,
    else a line from several places. None: something is not there, or has no date where it would be sold ahead.
    """
    for site in sites:
        shelf = shelves.get(site.id, {})
        if all(shelf.get(variant, _NOTHING).free >= quantity for variant, quantity in wanted.items()):
            return [(site, moment)]
    found: list[tuple[Site, datetime]] = []
    for variant, quantity in wanted.items():
        part = _source(sites, shelves, variant, quantity, moment)
        if part is None:
            return None
        found += part
    return found


def _source(
    sites: Sequence[Site], shelves: Shelves, variant: UUID, quantity: int, moment: datetime
) -> list[tuple[Site, datetime]] | None:
    supplies = [(site, shelves.get(site.id, {}).get(variant, _NOTHING)) for site in sites]
    for site, supply in supplies:
        if supply.free >= quantity:
            return [(site, moment)]
    for site, supply in supplies:
        if supply.free + supply.backorder >= quantity:
            when = there(supply, quantity, moment, site.time_zone)
            return None if when is None else [(site, when)]
    parts, left = [], quantity
    for site, supply in supplies:
        if supply.free > 0 and left > 0:
            parts.append((site, moment))
            left -= supply.free
    return parts if left <= 0 else None


def distance_km(site: Site, to: Destination) -> float | None:
    """How far a place is, as the crow flies (haversine formula); None where one of the two is not known."""
    if site.latitude is None or site.longitude is None or to.latitude is None or to.longitude is None:
        return None
    return between_km((site.latitude, site.longitude), (to.latitude, to.longitude))


def between_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance of two places as (latitude, longitude) in degrees, by the haversine formula on a sphere."""
    (a, b), (c, d) = [(radians(lat), radians(lon)) for lat, lon in (one, other)]
    h = sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(h)))


def nearness(site: Site, to: Destination, km: float | None = None) -> tuple[float, int, int, int, str]:
    """A key that sorts places by nearness; ``km`` where the distance is known already.

    By distance if both coordinates are known, else by postal code: those of the same country that share its beginning, then
    those whose number is close; post districts are numbered by neighbourhood. Else by priority.
    """
    km = distance_km(site, to) if km is None else km
    if km is not None:
        return (km, 0, 0, site.priority, site.code)
    theirs, ours = plain_code(to.postal_code), plain_code(site.postal_code)
    if not theirs or not ours or (to.country and site.country and to.country != site.country):
        return (float("inf"), 0, 0, site.priority, site.code)
    shared = next(
        (n for n, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b), min(len(theirs), len(ours))
    )
    apart = abs(int(theirs) - int(ours)) if theirs.isdecimal() and ours.isdecimal() else 0
    return (float("inf"), -shared, apart, site.priority, site.code)


def for_collecting(methods: Iterable[Method]) -> list[Method]:
    """Those with which goods are fetched in a store."""
    return [method for method in methods if method.kind in COLLECTED]
