"""Days on which is worked: weekdays, public holidays, and dates of their own.

Public holidays are data that others keep well: the library ``holidays`` (MIT) knows 250 countries and their parts.
"""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache

from samlad.delivery.model import Calendar
from samlad.kernel.clock import now

DAY = timedelta(days=1)
HORIZON_DAYS = 400
"""How far ahead a working day is looked for."""


@lru_cache(maxsize=512)
def public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The public holidays of a country (ISO 3166-1 alpha-2) in a year; empty for one that is not known."""
    import holidays

    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=year)
    except NotImplementedError:  # no such country, or no such part of it
        return frozenset()
    return frozenset(found.keys())


def knows_holidays(country: str, subdivision: str | None = None) -> bool:
    """Whether holidays of a country, and of that part of it, are known."""
    import holidays

    try:
        holidays.country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        return False
    return True


async def prepare(places: Iterable[tuple[str, str | None]]) -> None:
    """Work out the holidays of (country, part) for this year and the next, beside the event loop: the first takes a second."""
    year = now().year
    await asyncio.to_thread(
        lambda: [public_holidays(*place, year + more) for place in places for more in (0, 1)]
    )


def works(calendar: Calendar, day: date) -> bool:
    """Whether a carrier works on a day."""
    if day in calendar.open:
        return True
    if day.isoweekday() not in calendar.weekdays or day in calendar.closed:
        return False
    return calendar.holidays is None or day not in public_holidays(
        calendar.holidays, calendar.subdivision, day.year
    )


def working_days(calendar: Calendar, first: date) -> Iterator[date]:
    """The working days from a day on, that day included, within the horizon."""
    for offset in range(HORIZON_DAYS):
        if works(calendar, first + offset * DAY):
            yield first + offset * DAY


def working_day(calendar: Calendar, first: date, after: int = 0) -> date | None:
    """The working day that comes so many working days after the first one at or after a day; None beyond the horizon."""
    for number, day in enumerate(working_days(calendar, first)):
        if number == after:
            return day
    return None
