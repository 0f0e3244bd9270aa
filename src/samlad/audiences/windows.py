"""Parts of the past: where they begin and end at a moment, and when what lies in them falls out."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from samlad.audiences.conditions import PastWindow


class Bounds(msgspec.Struct, frozen=True):
    """A window at a moment: from ``start`` (``is_open``: without it) up to before ``end``."""

    start: datetime | None
    end: datetime | None
    is_open: bool


def midnight(moment: datetime, time_zone: str, days: int = 0) -> datetime:
    """The first moment of a local day, so many days from the one that holds ``moment``."""
    zone = ZoneInfo(time_zone)
    day = moment.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time.min, zone).astimezone(moment.tzinfo)


def bounds(window: PastWindow, at: datetime, time_zone: str) -> Bounds:
    """Where a window lies at a moment."""
    if window.days is not None:
        return Bounds(midnight(at, time_zone, -window.days), None, is_open=False)
    if window.hours is not None:
        return Bounds(at - timedelta(hours=window.hours), None, is_open=True)
    zone = ZoneInfo(time_zone)
    start = datetime.combine(window.since, time.min, zone) if window.since else None
    end = datetime.combine(window.until + timedelta(days=1), time.min, zone) if window.until else None
    return Bounds(start and start.astimezone(at.tzinfo), end and end.astimezone(at.tzinfo), is_open=False)


def contains(window: PastWindow, happened: datetime, at: datetime, time_zone: str) -> bool:
    """Whether something that happened lies in a window at a moment."""
    edge = bounds(window, at, time_zone)
    after = edge.start is None or happened > edge.start or (happened == edge.start and not edge.is_open)
    return after and (edge.end is None or happened < edge.end)


def falls_out(window: PastWindow, happened: datetime, time_zone: str) -> datetime | None:
    """The first moment at which what happened does not lie in a window any more; None: windows of days of the calendar stay."""
    if window.days is not None:
        return midnight(happened, time_zone, window.days + 1)
    if window.hours is not None:
        return happened + timedelta(hours=window.hours)
    return None
