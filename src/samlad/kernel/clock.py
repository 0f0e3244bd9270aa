"""Time: always aware, always UTC inside; days are a location's own."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


def day_bounds(day: date, time_zone: str) -> tuple[datetime, datetime]:
    """The first moment of a local day and of the day after, in UTC (23 to 25 hours apart)."""
    zone = ZoneInfo(time_zone)
    start = datetime.combine(day, time.min, zone)
    end = datetime.combine(day + timedelta(days=1), time.min, zone)
    return start.astimezone(UTC), end.astimezone(UTC)


def local_day(moment: datetime, time_zone: str) -> date:
    """The calendar day of a moment where the given IANA time zone holds."""
    return moment.astimezone(ZoneInfo(time_zone)).date()
