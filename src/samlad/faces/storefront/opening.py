"""When a store is open, as its customers read it: the week in few rows, the days that differ soon, and both for search engines."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from babel.dates import get_day_names

from samlad.channels import OpeningHours
from samlad.channels.model import Interval
from samlad.faces.design import formats
from samlad.kernel.i18n import formatting_locale

SOON = timedelta(days=28)
"""Days that differ are told so long before."""
CLOSED: Sequence[Interval | None] = (None,)
"""The spans of a day without any."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def week(_: Callable[[str], str], hours: OpeningHours, locale: str) -> list[tuple[str, str]]:
    """Rows (days, times); days that follow each other with the same times are one row."""
    names = get_day_names("wide", context="stand-alone", locale=formatting_locale(locale))
    rows = []
    for spans, days in groupby(enumerate(hours.weekly), key=lambda pair: pair[1]):
        numbers = [number for number, _spans in days]
        first, last = (str(names[number]) for number in (numbers[0], numbers[-1]))
        text = first if len(numbers) == 1 else f"{first}–{last}"
        rows.append((text[:1].upper() + text[1:], _times(_, spans, locale)))
    return rows


def differing(
    _: Callable[[str], str], hours: OpeningHours, today: date, locale: str
) -> list[tuple[str, str, str]]:
    """Rows (day, times, why) of the days that soon have hours of their own, the next first."""
    found = sorted(
        (each for each in hours.exceptions if today <= each.date <= today + SOON), key=lambda each: each.date
    )
    return [
        (formats.day_as(each.date, "EEE d MMM", locale), _times(_, each.intervals, locale), each.note)
        for each in found
    ]


def _times(_: Callable[[str], str], spans: Sequence[Interval], locale: str) -> str:
    if any(_is_round_the_clock(each) for each in spans):
        return _("Round the clock")
    said = [f"{formats.wall_clock(s.opens, locale)}–{formats.wall_clock(s.closes, locale)}" for s in spans]
    return ", ".join(said) or _("Closed all day")


def _is_round_the_clock(span: Interval) -> bool:
    return span.opens == "00:00" and span.closes in ("00:00", "24:00")


def structured(hours: OpeningHours, today: date) -> list[dict[str, Any]]:
    """The same by schema.org."""
    regular = [
        _specification(span, dayOfWeek=f"https://schema.org/{_DAYS[number]}")
        for number, spans in enumerate(hours.weekly)
        for span in spans
    ]
    special = [
        _specification(span, validFrom=each.date.isoformat(), validThrough=each.date.isoformat())
        for each in hours.exceptions
        if today <= each.date <= today + SOON
        for span in each.intervals or CLOSED
    ]
    return regular + special


def _specification(span: Interval | None, **which: str) -> dict[str, Any]:
    """None is closed. Round the clock ends a minute before midnight, because Google reads 00:00–00:00 as closed."""
    opens, closes = ("00:00", "00:00") if span is None else (span.opens, span.closes)
    if span is not None and (closes == "24:00" or _is_round_the_clock(span)):
        closes = "23:59"
    return {"@type": "OpeningHoursSpecification", "opens": opens, "closes": closes, **which}
