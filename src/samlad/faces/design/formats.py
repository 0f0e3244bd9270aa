"""Money, numbers and times as people write them, per locale, by the data of Babel (CLDR).

Babel builds each text anew in 30 to 55 µs; a table of 50 rows asks for 200 of them. What repeats is kept here: the shape of an amount
per currency, the text of a day, the text of a minute of the day. The results are Babel's own, and browsers' (`tests/faces/test_design.py`).
"""

from __future__ import annotations

import math
import re
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta, get_datetime_format
from babel.lists import format_list
from babel.numbers import get_currency_precision, get_decimal_symbol
from babel.units import format_unit

from samlad.catalog.measures import quantity_text
from samlad.kernel.i18n import SOURCE, dated_locale, formatting_locale
from samlad.kernel.money import format_decimal_money, format_number

zone: ContextVar[tzinfo] = ContextVar("zone", default=UTC)
"""The time zone of the page that is being rendered."""
country: ContextVar[str] = ContextVar("country", default="")
"""The country of the shop that is being looked at, for days and times in English; whoever finds the shop sets it."""


class _Shape(NamedTuple):
    """How an amount of one currency is written in one locale."""

    positive: str  # with {} for the digits
    negative: str
    group: str
    point: str
    digits: int  # after the point


_SAMPLE = re.compile(r"1(\D?)234\D?567(?:(\D)(\d+))?")


@lru_cache(maxsize=512)
def _shape(currency: str, locale: str) -> _Shape:
    """Learn the shape from what Babel writes for a sample amount."""
    digits = get_currency_precision(currency)
    sample = Decimal(1234567) + (Decimal(1) - Decimal(10) ** -digits if digits else 0)
    texts = [format_decimal_money(value, currency, formatting_locale(locale)) for value in (sample, -sample)]
    found = _SAMPLE.search(texts[0])
    if found is None:  # a locale with digits of its own
        raise ValueError(f"amounts in {locale} are not written in decimal digits 0 to 9")
    positive, negative = (text.replace(found[0], "{}") for text in texts)
    return _Shape(positive, negative, found[1], found[2] or "", digits)


def money(minor: int, currency: str, locale: str) -> str:
    """An amount in minor units (pence, öre) of an ISO 4217 currency: `money(123456, "SEK", "sv")` is `1 234,56 kr`."""
    shape = _shape(currency, locale)
    whole, rest = divmod(abs(minor), 10**shape.digits)
    digits = f"{whole:,}".replace(",", shape.group)
    if shape.digits:
        digits += f"{shape.point}{rest:0{shape.digits}}"
    return (shape.negative if minor < 0 else shape.positive).format(digits)


_PLAIN = re.compile(r"-?[0-9]+\.[0-9]+")


def typed(text: str, locale: str) -> str:
    """A number in a form as people of a locale type it: ``49.00`` is ``49,00`` in Swedish. What is none stays as it is."""
    if not _PLAIN.fullmatch(text):
        return text
    return text.replace(".", get_decimal_symbol(formatting_locale(locale)))


@lru_cache(maxsize=8192)
def number(value: float | Decimal, locale: str) -> str:
    """A number with the locale's separators, at most three decimals."""
    return format_number(value, formatting_locale(locale))


@lru_cache(maxsize=8192)
def amount_of(quantity: int, sold_by: str, locale: str) -> str:
    """A quantity with its unit where it is weighed or measured: `amount_of(770, "weight", "sv")` is `0,770 kg`."""
    return quantity_text(quantity, sold_by, formatting_locale(locale))


_LENGTHS: tuple[tuple[Literal["day", "hour", "minute", "second"], int], ...] = (
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
    ("second", 1),
)


@lru_cache(maxsize=1024)
def duration(seconds: int, locale: str) -> str:
    """So many seconds in the units that people count in, exactly: `duration(5400, "en")` is `1 hour and 30 minutes`."""
    babel = formatting_locale(locale)
    parts: list[str] = []
    for unit, length in _LENGTHS:
        left = seconds % length
        if seconds > left or (unit == "second" and not parts):
            # The shape of one unit: no bigger one is ever reached. (The units of Babel 2.18 have no Dutch hours and days.)
            whole = timedelta(seconds=seconds - left)
            parts.append(format_timedelta(whole, unit, threshold=math.inf, locale=babel))
        seconds = left
    return format_list(parts, locale=babel)


@lru_cache(maxsize=256)
def language_name(code: str, locale: str) -> str:
    """What a language is called in another: `language_name("sv", "nl")` is `Zweeds`."""
    return Locale.parse(code).get_language_name(formatting_locale(locale)) or code


def local(moment: datetime) -> datetime:
    """The moment in the page's time zone. Raises `ValueError` for a naive one: times are aware UTC everywhere."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown")
    return moment.astimezone(zone.get())


def file_size(count: int, locale: str) -> str:
    """Bytes as people say them: 4.2 MB, 64 kB."""
    unit, size = ("megabyte", 1_000_000) if count >= 1_000_000 else ("kilobyte", 1_000)
    return format_unit(round(count / size, 1), unit, "short", locale=formatting_locale(locale))


def english_dates() -> str:
    """The language tag by which scripts write days and times in English: as in the shop's country."""
    return str(dated_locale(SOURCE, country.get())).replace("_", "-")


@lru_cache(maxsize=8192)
def _day(day: date, locale: str, country: str) -> str:
    return format_date(day, "medium", locale=dated_locale(locale, country))


@lru_cache(maxsize=8192)
def _minute(hour: int, minute: int, locale: str, country: str) -> str:
    return format_time(time(hour, minute), "short", locale=dated_locale(locale, country))


@lru_cache(maxsize=64)
def _glue(locale: str, country: str) -> str:
    return str(get_datetime_format("medium", locale=dated_locale(locale, country)))


def day(value: date | datetime, locale: str) -> str:
    """A day, `22 Nov 2026`: a date as it is, a moment as the day that it is in the page's time zone."""
    return _day(local(value).date() if isinstance(value, datetime) else value, locale, country.get())


def day_as(day: date, pattern: str, locale: str) -> str:
    """A day by a CLDR pattern, for axes and heads: `day_as(day, "d MMM", "sv")` is `22 nov.`."""
    return _day_as(day, pattern, locale, country.get())


@lru_cache(maxsize=4096)
def _day_as(day: date, pattern: str, locale: str, country: str) -> str:
    return format_date(day, pattern, locale=dated_locale(locale, country))


def clock(moment: datetime, locale: str) -> str:
    """The time of day in the page's time zone, to the minute."""
    here = local(moment)
    return _minute(here.hour, here.minute, locale, country.get())


def wall_clock(text: str, locale: str) -> str:
    """A time of day (`09:30`) of a clock on the wall, as people write it."""
    return _minute(int(text[:2]) % 24, int(text[3:5]), locale, country.get())


def day_and_clock(moment: datetime, locale: str) -> str:
    """Day and time of a moment in the page's time zone."""
    here, land = local(moment), country.get()
    return (
        _glue(locale, land)
        .replace("{1}", _day(here.date(), locale, land))
        .replace("{0}", _minute(here.hour, here.minute, locale, land))
    )


def day_and_clock_at(moment: datetime, time_zone: str, locale: str) -> str:
    """Day and time of a moment in the time zone (IANA name) of the place where it happens, whatever the page's is."""
    token = zone.set(zone_of(time_zone))
    try:
        return day_and_clock(moment, locale)
    finally:
        zone.reset(token)


_STEPS = (
    (60, "second"),
    (3600, "minute"),
    (86400, "hour"),
    (7 * 86400, "day"),
    (30 * 86400, "week"),
    (365 * 86400, "month"),
)
_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
    "month": 2592000,
    "year": 31536000,
}


def ago(moment: datetime, locale: str, now: datetime | None = None) -> str:
    """How long ago or ahead a moment is, in its largest unit: `3 minutes ago`, `in 2 days`."""
    seconds = int((moment - (now or datetime.now(UTC))).total_seconds())
    seconds = seconds or -1  # "in 0 seconds" is said of nothing
    unit = next((name for limit, name in _STEPS if abs(seconds) < limit), "year")
    return _ago(int(seconds / _SECONDS[unit]), unit, locale)


@lru_cache(maxsize=4096)
def _ago(count: int, unit: str, locale: str) -> str:
    return format_timedelta(
        count * _SECONDS[unit],
        granularity="second",
        threshold=1,
        add_direction=True,
        locale=formatting_locale(locale),
    )


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of that name; raises `ZoneInfoNotFoundError` (a `KeyError`)."""
    return ZoneInfo(name)
