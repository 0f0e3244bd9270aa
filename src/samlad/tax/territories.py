"""Where VAT thinks a place is: not always in the country that its address names.

Sources: directive 2006/112/EC articles 5 to 7 (what the Community and its third territories are), article 8 of the
Windsor Framework (goods in Northern Ireland). Customs are another matter: Åland is within them and outside VAT. Postal
codes as the posts publish them.
"""

import re

from samlad.tax.model import Territory

EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
_TREATED_AS = {"MC": "FR", "IM": "GB", "LI": "CH"}
"""Monaco is French for VAT, the Isle of Man British (article 7), Liechtenstein Swiss (their treaty of 1994)."""

_OUTSIDE = {
    # country: (postal code, area) of what belongs to it and not to its VAT
    "DE": ((r"27498", "DE-HELGOLAND"), (r"78266", "DE-BUESINGEN")),
    "DK": ((r"39\d\d", "GL"),),
    "ES": ((r"(35|38)\d{3}", "ES-CN"), (r"51\d{3}", "ES-CE"), (r"52\d{3}", "ES-ML")),
    "FI": ((r"22\d{3}", "FI-01"),),
    "FR": ((r"97[1-8]\d\d", "FR-OVERSEAS"), (r"98[46-8]\d\d", "FR-OVERSEAS")),
    "GB": ((r"(JE|GY)\d.*", "GB-CHANNEL-ISLANDS"),),
    "GR": ((r"63086", "GR-69"),),
    "IT": ((r"23041", "IT-LIVIGNO"), (r"22061", "IT-CAMPIONE")),
    "NO": ((r"917\d", "SJ"),),
}
_REGIONS = {"PT": ((r"9[0-4]\d\d.*", "PT-30"), (r"9[5-9]\d\d.*", "PT-20"))}
"""Parts inside the VAT of their country with rates of their own: Madeira and the Azores."""
_OUTSIDE_REGIONS = {
    ("ES", "ES-CN"): "ES-CN",
    ("ES", "ES-GC"): "ES-CN",
    ("ES", "ES-TF"): "ES-CN",
    ("ES", "ES-CE"): "ES-CE",
    ("ES", "ES-ML"): "ES-ML",
    ("FI", "FI-01"): "FI-01",
    ("GR", "GR-69"): "GR-69",
}


def territory(country: str, region: str | None = None, postal_code: str | None = None) -> Territory:
    """The VAT territory of a place. Without a postal code it is taken for the main part of its country."""
    country = _TREATED_AS.get(country, country)
    region = (region or "").strip()
    code = re.sub(r"\s", "", postal_code or "").upper()
    outside = _OUTSIDE_REGIONS.get((country, region.upper())) or _found(_OUTSIDE.get(country, ()), code)
    if outside is not None:
        return Territory(outside, country, outside)
    if country == "GB" and (region.upper() == "GB-NIR" or re.match(r"BT\d", code)):
        return Territory("GB", "GB", in_eu=True, return_country="XI")
    is_eu = country in EU
    part = _found(_REGIONS.get(country, ()), code) or region
    return Territory(country, country, part, is_eu, is_eu)


def number_prefix(country: str) -> str:
    """How VAT numbers of a country begin: Greece writes EL."""
    return "EL" if country == "GR" else country


def country_of_number(number: str) -> str:
    """The country of a VAT number with its prefix."""
    prefix = number[:2].upper()
    return "GR" if prefix == "EL" else prefix


def _found(table: tuple[tuple[str, str], ...], code: str) -> str | None:
    return next((area for pattern, area in table if code and re.fullmatch(pattern, code)), None)
