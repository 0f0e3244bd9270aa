"""Which times are free: from what is open and what is taken, without a database."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from samlad.appointments.model import Service, Slot, Taken
from samlad.channels.hours import periods
from samlad.channels.model import OpeningHours

Period = tuple[datetime, datetime]


def open_periods(
    hours: OpeningHours, time_zone: str, first: date, days: int, closed: Iterable[date] = ()
) -> list[Period]:
    """When a store is open on some local days. Dates in ``closed`` (public holidays) are shut unless the hours name them.

    An evening that goes past midnight belongs to the day on which it began.
    """
    shut = set(closed) - {each.date for each in hours.exceptions}
    zone = ZoneInfo(time_zone)
    found = periods(hours, time_zone, first, days)
    return [each for each in found if each[0].astimezone(zone).date() not in shut]


def starts(service: Service, opened: Sequence[Period]) -> list[Slot]:
    """Every time at which a service can begin: each step after the doors open, as long as it ends before they close.

    Steps are real minutes, so that a slot is as long as it says where clocks change, too.
    """
    length, step = timedelta(minutes=service.minutes), timedelta(minutes=service.step_minutes)
    found = set()
    for opens, closes in opened:
        begins = opens
        while begins + length <= closes:
            found.add(Slot(begins, begins + length))
            begins += step
    return sorted(found, key=lambda slot: slot.starts_at)


def is_free(service: Service, slot: Slot, taken: Iterable[Taken]) -> bool:
    """Whether a seat of the service is free, and somebody who can do it."""
    overlapping = [t for t in taken if t.starts_at < slot.ends_at and slot.starts_at < t.ends_at]
    seats = {each.seat for each in overlapping if each.service == service.id}
    if len([seat for seat in range(1, service.capacity + 1) if seat not in seats]) == 0:
        return False
    busy = {each.staff for each in overlapping}
    return not service.staff or any(each.id not in busy for each in service.staff)


def free(
    service: Service, opened: Sequence[Period], taken: Sequence[Taken], earliest: datetime, latest: datetime
) -> list[Slot]:
    """The free times that begin from ``earliest`` and before ``latest``."""
    return [
        slot
        for slot in starts(service, opened)
        if earliest <= slot.starts_at < latest and is_free(service, slot, taken)
    ]
