"""Promises in words, in the reader's language: *Today before 18:00 at Södermalm*, *Tomorrow by Courier*, *Thu 26 Nov*."""

from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache

from babel.dates import format_date, format_time

from samlad.delivery.calendar import DAY
from samlad.delivery.model import COLLECTED, MethodKind
from samlad.delivery.promise import Window
from samlad.delivery.worktime import local_day, zone_info
from samlad.kernel.i18n import dated_locale, negotiate, translator


@lru_cache(maxsize=256)
def _gettext(locale: str) -> Callable[[str], str]:
    return translator(negotiate(locale)).gettext


def day_words(day: date, today: date | None, locale: str, country: str) -> str:
    """*Today*, *Tomorrow*, or the day with its weekday; always that one without ``today``."""
    _ = _gettext(locale)
    if day == today:
        return _("Today")
    return _("Tomorrow") if today and day == today + DAY else _date(day, locale, country)


@lru_cache(maxsize=4096)
def _date(day: date, locale: str, country: str) -> str:
    return format_date(day, "EEE d MMM", locale=dated_locale(locale, country))


@lru_cache(maxsize=4096)
def _clock(hour: int, minute: int, locale: str, country: str) -> str:
    return format_time(time(hour, minute), "short", locale=dated_locale(locale, country))


@lru_cache(maxsize=8192)
def clock_words(moment: datetime, time_zone: str, locale: str, country: str) -> str:
    """The time of day on a place's clock."""
    here = moment.astimezone(zone_info(time_zone))
    return _clock(here.hour, here.minute, locale, country)


def span_words(since: datetime, until: datetime, time_zone: str, locale: str, country: str) -> str:
    """From when to when, on a place's clock: *17:00–19:00*."""
    return "–".join(clock_words(moment, time_zone, locale, country) for moment in (since, until))


def promise_words(
    kind: MethodKind,
    name: str,
    window: Window,
    *,
    place: str,
    time_zone: str,
    moment: datetime | None,
    locale: str,
    country: str,
) -> str:
    """One line that says when and how. Times are on the clock of the place, days as seen from ``moment``, else as dates.

    ``country`` (ISO 3166) is the shop's: English writes days and times as there."""
    _ = _gettext(locale)
    today = None if moment is None else local_day(moment, time_zone)
    day = day_words(window.first_day, today, locale, country)
    if kind is MethodKind.DIGITAL:
        return _("At once by %(method)s") % {"method": name}
    if kind in COLLECTED or kind is MethodKind.CARRY_OUT:
        if window.until is None:
            at = clock_words(window.ready_at, time_zone, locale, country)
            return _("%(day)s from %(time)s at %(place)s") % {"day": day, "time": at, "place": place}
        at = clock_words(window.until, time_zone, locale, country)
        return _("%(day)s before %(time)s at %(place)s") % {"day": day, "time": at, "place": place}
    if window.since is not None and window.until is not None:
        span = span_words(window.since, window.until, time_zone, locale, country)
        return _("%(day)s %(span)s by %(method)s") % {"day": day, "span": span, "method": name}
    if window.until is not None:
        at = clock_words(window.until, time_zone, locale, country)
        return _("%(day)s before %(time)s by %(method)s") % {"day": day, "time": at, "method": name}
    if window.last_day != window.first_day:
        last = day_words(window.last_day, today, locale, country)
        return _("%(first)s to %(last)s by %(method)s") % {"first": day, "last": last, "method": name}
    return _("%(day)s by %(method)s") % {"day": day, "method": name}


def without_date(locale: str) -> str:
    """What is said of what can be ordered before anybody knows when it comes."""
    _ = _gettext(locale)
    return _("On order; the day is not known yet")
