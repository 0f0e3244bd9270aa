"""What follows from what somebody did, without a database."""

from datetime import datetime


def days_since(moment: datetime, now: datetime) -> int:
    """Whole days that have passed; 0 for what is yet to come."""
    return max(0, (now - moment).days)


def interval_days(first: datetime, last: datetime, orders: int) -> float | None:
    """Days between orders on the average, to a tenth; None with less than two."""
    if orders < 2:
        return None
    return round((last - first).total_seconds() / 86_400 / (orders - 1), 1)


def share(part: int, whole: int) -> float | None:
    """A part of a whole, 0 to 1, to four places; None of nothing. More than the whole is all of it."""
    if whole <= 0:
        return None
    return round(min(1.0, max(0, part) / whole), 4)
