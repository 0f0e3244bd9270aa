"""Choosing a time: days to leaf through and the free times of one, in the shop and at the till."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad import appointments
from samlad.appointments import Slot
from samlad.faces.page import AnyRequest
from samlad.kernel.clock import local_day, now
from samlad.kernel.http import database_of

DAYS = 7
LOOK_AHEAD = 31
FARTHEST = timedelta(days=3650)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The days of a week with how many times are free, the chosen day and its times. Days are the store's."""

    days: list[tuple[date, int]]
    day: date
    slots: list[Slot]
    earlier: date | None
    later: date
    time_zone: str


async def choice(request: AnyRequest, service: UUID, *, is_staff: bool = False) -> Choice:
    """What can be chosen on the day that the address names (``day``), else on the first that has a free time.

    Raises:
        NotFound: it is not offered.
    """
    database = database_of(request)
    asked = day_of(request.query_params.get("day", ""))
    today = local_day(now(), "UTC") - timedelta(days=1)  # no store's day is earlier
    first = asked or today
    found = await appointments.slots(
        database, service, first, DAYS if asked else LOOK_AHEAD, is_staff=is_staff
    )
    here = local_day(now(), found.time_zone)
    by_day: dict[date, list[Slot]] = {}
    for slot in found.slots:
        by_day.setdefault(local_day(slot.starts_at, found.time_zone), []).append(slot)
    day = asked or min(by_day, default=here)
    begin = max(day, here)
    days = [(begin + timedelta(days=n), len(by_day.get(begin + timedelta(days=n), ()))) for n in range(DAYS)]
    earlier = begin - timedelta(days=DAYS)
    return Choice(
        days=days,
        day=day,
        slots=by_day.get(day, []),
        earlier=max(earlier, here) if begin > here else None,
        later=begin + timedelta(days=DAYS),
        time_zone=found.time_zone,
    )


def context(found: Choice, address: str) -> dict[str, Any]:
    """What `design/times.html` needs; ``address`` is that of the page, without its query."""
    return {"choice": found, "times_href": address}


def day_of(text: str) -> date | None:
    """A day of an address; None for what is none, or beyond all appointments."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if abs(found - now().date()) < FARTHEST else None
