"""What a channel's values may be."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError

from samlad.channels.model import Channel, ChannelKind, ChannelStatus, OpeningHours
from samlad.kernel.money import currencies
from samlad.kernel.problems import FieldError, InvalidInput


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").territories) if len(code) == 2) - {"ZZ"}


@lru_cache(maxsize=256)
def _is_locale(tag: str) -> bool:
    try:
        Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return False
    return True


_TESTS: dict[str, tuple[Callable[[str], bool], str]] = {
    "country": (lambda value: value in _countries(), "not an ISO 3166-1 country code such as SE"),
    "locale": (_is_locale, "not a language tag such as sv or en-GB"),
    "currency": (lambda value: value in currencies(), "not an ISO 4217 currency code such as EUR"),
    "time_zone": (lambda value: value in _time_zones(), "not an IANA time zone such as Europe/Stockholm"),
}


def check_values(values: dict[str, Any]) -> None:
    """Refuse an unknown country, locale, currency or time zone, and opening hours with a date twice.

    Raises:
        InvalidInput: with one error for each faulty field.
    """
    errors = [
        FieldError(name, f"“{values[name]}” is {message}")
        for name, (test, message) in _TESTS.items()
        if values.get(name) is not None and not test(values[name])
    ]
    hours = values.get("opening_hours")
    if isinstance(hours, OpeningHours):
        dates = [day.date for day in hours.exceptions]
        errors += [
            FieldError(f"opening_hours/exceptions/{index}/date", f"{date} is there twice")
            for index, date in enumerate(dates)
            if date in dates[:index]
        ]
    if errors:
        raise InvalidInput("Some of the input is not right.", errors=tuple(errors))


def main_of(known: Iterable[Channel]) -> Channel | None:
    """The channel that stands for the shop: the oldest without a parent. None in a shop without channels."""
    top = [channel for channel in known if channel.parent is None]
    return min(top, key=lambda channel: (channel.created_at, channel.code), default=None)


def shop_at(host: str, known: Sequence[Channel]) -> Channel | None:
    """The webshop that answers at a host (as in the header, perhaps with a port).

    The one that names the host; else the first one made, those without a host of their own before the others.
    """
    host = host.lower()
    shops = [c for c in known if c.kind is ChannelKind.WEBSHOP and c.status is ChannelStatus.ACTIVE]
    named = [c for c in shops if host and c.setting("storefront_host") in (host, host.partition(":")[0])]
    others = sorted(shops, key=lambda c: (bool(c.setting("storefront_host")), c.created_at))
    return next(iter([*named, *others]), None)
