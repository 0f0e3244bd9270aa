"""What can be guessed of a shop from where it is: its country from the browser, the rest from the country (CLDR, tz)."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec
from babel.core import get_global
from babel.languages import get_official_languages
from babel.localedata import locale_identifiers
from babel.numbers import get_territory_currencies

from samlad.kernel.i18n import LOCALES, SOURCE, collation_key, formatting_locale
from samlad.kernel.money import exponent

FALLBACK = "SE"
"""The country where nothing at all is known."""

_BUSIEST = {
    "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto", "CL": "America/Santiago",
    "MX": "America/Mexico_City", "NZ": "Pacific/Auckland", "RU": "Europe/Moscow",
}  # fmt: skip
"""Where the tz database does not list the clock that most people have first."""

_A_EURO: Mapping[str, int] = {
    "SEK": 10, "NOK": 10, "DKK": 7, "PLN": 4, "CZK": 25, "HUF": 400, "RON": 5, "BGN": 2, "ISK": 150, "JPY": 150,
    "TRY": 40, "INR": 90, "ZAR": 20, "BRL": 6, "MXN": 20, "CNY": 8, "AUD": 2, "NZD": 2, "CAD": 2,
}  # fmt: skip
"""Whole units of a currency that are about a euro; one where it is not here. Good for a first guess only."""


class Guess(msgspec.Struct, frozen=True):
    """What a shop in a country most probably has."""

    country: str
    currency: str
    locale: str
    time_zone: str


def country_of(accept_language: str | None, locale: str) -> str:
    """The country that a browser's languages point to: the first that names one, else where the language is at home."""
    tags = [item.partition(";")[0].strip() for item in (accept_language or "").split(",")[:16]]
    for tag in [*tags, locale]:
        region = tag.replace("_", "-").split("-")[-1].upper()
        if "-" in tag.replace("_", "-") and region in countries_known():
            return region
    for tag in [*tags, locale]:
        likely = str(get_global("likely_subtags").get(tag.lower(), "")).rpartition("_")[2]
        if likely in countries_known():
            return likely
    return FALLBACK


def for_country(country: str) -> Guess:
    """Currency, language and clock of a country. One that is not known is guessed as `FALLBACK`."""
    land = country.upper() if country.upper() in countries_known() else FALLBACK
    spoken = [tag.partition("_")[0] for tag in get_official_languages(land, de_facto=True)]
    language = next((tag for tag in spoken if tag in LOCALES), SOURCE)
    return Guess(
        country=land,
        currency=next(iter(get_territory_currencies(land)), "EUR"),
        locale=f"{language}-{land}" if language == SOURCE and f"{language}_{land}" in _tags() else language,
        time_zone=_zones().get(land, "UTC"),
    )


def typical(currency: str, euros: float) -> int:
    """An amount that looks at home in a currency, minor units, where it would be ``euros`` in euro."""
    unit: int = 10 ** exponent(currency)
    factor = _A_EURO.get(currency)
    return round(euros * unit) if factor is None else max(1, round(euros * factor)) * unit


@cache
def _tags() -> frozenset[str]:
    return frozenset(locale_identifiers())


@cache
def countries_known() -> frozenset[str]:
    """Codes of countries in which money is known."""
    return frozenset(
        code
        for code in map(str, formatting_locale(SOURCE).territories)
        if len(code) == 2 and code.isalpha() and get_territory_currencies(code)
    )


@cache
def countries(locale: str) -> list[tuple[str, str]]:
    """Codes and names of countries, in the order of a reader's language."""
    names = formatting_locale(locale).territories
    pairs = [(code, str(names.get(code, code))) for code in countries_known()]
    return sorted(pairs, key=lambda pair: collation_key(pair[1], locale))


@cache
def _zones() -> dict[str, str]:
    """The clock of each country: the first of the tz database, which lists those of most people first."""
    found: dict[str, str] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, zone)
    return found | _BUSIEST
