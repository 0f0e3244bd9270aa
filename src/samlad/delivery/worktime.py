"""Working time: when so many minutes of work are done that can only be done within some hours.

Hours come as their JSON text, which can be a key: the spans of a week are worked out once a process and not once for each
of 500 stores with each question. `samlad.channels.hours` says what a wall-clock time is when clocks change.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from samlad.channels import OpeningHours
from samlad.channels.hours import moment_of, periods
from samlad.delivery.calendar import DAY, HORIZON_DAYS, public_holidays

Span = tuple[datetime, datetime]

_CHUNK = 8
"""Days whose spans are worked out together."""
_decode = msgspec.json.Decoder(OpeningHours).decode
_ALWAYS = msgspec.json.encode({"weekly": [[{"opens": "00:00", "closes": "00:00"}]] * 7, "exceptions": []})


class Hours(msgspec.Struct, frozen=True):
    """When something is done at a place: opening hours as JSON (None: always) on the clock of a time zone.

    ``holidays``: the country whose public holidays are free.
    """

    time_zone: str
    hours: bytes | None = None
    holidays: str | None = None

    @property
    def is_always(self) -> bool:
        """Whether there is no time that is outside."""
        return self.hours is None and self.holidays is None


@lru_cache(maxsize=16_384)
def _chunk(hours: Hours, number: int) -> tuple[Span, ...]:
    first, zone = date.fromordinal(number * _CHUNK), zone_info(hours.time_zone)
    found = periods(_decode(hours.hours or _ALWAYS), hours.time_zone, first, _CHUNK)
    free = hours.holidays
    if free is not None:
        found = (span for span in found if not _is_free(free, span[0].astimezone(zone).date()))
    return tuple(sorted(found))


def _is_free(country: str, day: date) -> bool:
    return day in public_holidays(country, None, day.year)


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo:
    """A time zone by its IANA name."""
    return ZoneInfo(name)


@lru_cache(maxsize=8192)
def local_day(moment: datetime, time_zone: str) -> date:
    """The day of a moment on the clock of a place."""
    return moment.astimezone(zone_info(time_zone)).date()


@lru_cache(maxsize=8192)
def clock_on(day: date, clock: str, time_zone: str) -> datetime:
    """The first moment (UTC) of a day at which the clock of a place shows a time (HH:MM) or a later one."""
    return moment_of(day, clock, zone_info(time_zone))


def spans(hours: Hours, moment: datetime) -> Iterator[Span]:
    """The spans that end after a moment, by their beginning; they may touch and overlap."""
    # An evening may begin on the day before; a skipped day (Samoa, 2011) stretches that to two.
    first = (local_day(moment, hours.time_zone).toordinal() - 2) // _CHUNK
    for number in range(first, first + HORIZON_DAYS // _CHUNK + 1):
        for span in _chunk(hours, number):
            if span[1] > moment:
                yield span


def finish(hours: Hours, moment: datetime, minutes: int = 0) -> datetime | None:
    """When work is done that could begin at a moment and takes so many minutes within the hours.

    Without any work it is the first moment within the hours. A later beginning never gives an earlier end. None: not
    within `HORIZON_DAYS`.
    """
    left = timedelta(minutes=minutes)
    if hours.is_always:
        return moment + left
    at = moment
    for start, end in spans(hours, moment):
        at = max(at, start)
        if at >= end:
            continue
        if end - at >= left:
            return at + left
        left -= end - at
        at = end
    return None


def closing(hours: Hours, moment: datetime) -> datetime | None:
    """When the span that covers a moment ends; None when that is not within a day, as where it is always open."""
    if hours.is_always:
        return None
    end = moment
    for start, stop in spans(hours, moment):
        if start > end or end - moment > DAY:
            break
        end = max(end, stop)
    return end if moment < end <= moment + DAY else None
