"""Opening hours: when a channel is open, on its own clock, through changes of that clock.

Hours are wall-clock times. A wall-clock time becomes the *first moment at which the local clock shows it or a later
time*: in the hour that is skipped in spring that is the end of the gap, in the hour that comes twice in autumn the
first of the two. One rule for opening and for closing, and later times never become earlier moments.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from samlad.channels.model import Channel, Interval, OpeningHours

HORIZON_DAYS = 400
"""How far ahead `next_opening` looks; a year and its exceptions."""

BACK_DAYS = 60
"""How far back `open_since` looks."""
_DAY = timedelta(days=1)


def is_open(channel: Channel, moment: datetime) -> bool:
    """Whether the channel is open at a moment. Without opening hours it always is."""
    hours = channel.opening_hours
    return hours is None or is_within(hours, channel.time_zone, moment)


def next_opening(channel: Channel, moment: datetime) -> datetime | None:
    """``moment`` itself if the channel is open then, else when it opens next (UTC).

    None if it does not within `HORIZON_DAYS`.
    """
    hours = channel.opening_hours
    return moment if hours is None else first_open(hours, channel.time_zone, moment)


def is_within(hours: OpeningHours, time_zone: str, moment: datetime) -> bool:
    """Whether hours of a time zone cover a moment; the closing moment itself is closed."""
    # An evening may begin on the day before; a skipped day (Samoa, 2011) stretches that to two.
    first = moment.astimezone(ZoneInfo(time_zone)).date() - 2 * _DAY
    return any(start <= moment < end for start, end in periods(hours, time_zone, first, 4))


def first_open(hours: OpeningHours, time_zone: str, moment: datetime) -> datetime | None:
    """``moment`` if it is within the hours, else their next beginning (UTC), None beyond the horizon."""
    first = moment.astimezone(ZoneInfo(time_zone)).date() - 2 * _DAY
    found: datetime | None = None
    for start, end in periods(hours, time_zone, first, HORIZON_DAYS):
        if found is not None and start > found + 3 * _DAY:
            break
        if moment < end and (found is None or start < found):
            found = max(start, moment)
    return found


def open_since(channel: Channel, moment: datetime, seconds: int) -> datetime | None:
    """The moment (UTC) from which on the channel was open for so many seconds until ``moment``; None: it was not, in `BACK_DAYS`.

    Without opening hours it is always open.
    """
    hours = channel.opening_hours
    if hours is None:
        return moment - timedelta(seconds=seconds)
    return since(hours, channel.time_zone, moment, seconds)


def since(hours: OpeningHours, time_zone: str, moment: datetime, seconds: int) -> datetime | None:
    """As `open_since`, by hours of a time zone."""
    first = moment.astimezone(ZoneInfo(time_zone)).date() - BACK_DAYS * _DAY
    left, counted_from = timedelta(seconds=seconds), moment
    spans = sorted(periods(hours, time_zone, first, BACK_DAYS + 1), key=lambda span: span[1], reverse=True)
    for start, end in spans:  # the latest first; what two of them share counts once
        until = min(end, counted_from)
        if start >= until:
            continue
        if until - start >= left:
            return until - left
        left, counted_from = left - (until - start), start
    return None


def periods(
    hours: OpeningHours, time_zone: str, first: date, days: int
) -> Iterator[tuple[datetime, datetime]]:
    """The open spans that begin on ``days`` local days from ``first``, as UTC moments; empty ones are left out.

    An evening past midnight belongs to the day on which it began, also when the next day is an exception.
    """
    zone = ZoneInfo(time_zone)
    exceptions = {day.date: day.intervals for day in hours.exceptions}
    for offset in range(days):
        day = first + offset * _DAY
        for interval in exceptions.get(day, hours.weekly[day.weekday()]):
            start, end = _span(interval, day, zone)
            if start < end:
                yield start, end


def _span(interval: Interval, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    opens, closes = _minutes(interval.opens), _minutes(interval.closes)
    if closes <= opens:
        closes += 24 * 60
    midnight = datetime.combine(day, datetime.min.time())
    return _moment(midnight + timedelta(minutes=opens), zone), _moment(
        midnight + timedelta(minutes=closes), zone
    )


def moment_of(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) at which the clock shows a time (HH:MM) of a day or a later one."""
    return _moment(datetime.combine(day, datetime.min.time()) + timedelta(minutes=_minutes(clock)), zone)


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which the clock shows a wall time or a later one."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # The clock jumps over this time. The jump lies between the two readings of it; halve until found.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = moment
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
