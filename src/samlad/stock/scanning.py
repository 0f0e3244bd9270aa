"""What a scanner read: a SKU or a GTIN, or a GS1 code that also says lot, serial number and date.

GS1-128 and DataMatrix carry element strings (GS1 General Specifications, section 3), QR codes often a Digital Link. Read by
`biip`. Scanners that cannot type the separator (ASCII 29) may be set to send a vertical bar, which no element holds.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from biip.gs1_element_strings import GS1ElementStrings

SEPARATOR = "\x1d"
_MEASURES = {"310": "weight", "320": "pounds", "311": "length", "315": "volume"}
GRAMS_A_POUND = Decimal("0.45359237")
"""Thousandths of what 320n counts: the avoirdupois pound of 1959, in kilograms."""
_DATES = ("17", "15", "16")
"""Expiration, best before, sell by: the first that is there is the last good day."""


class Scan(msgspec.Struct, frozen=True):
    """A code as catalogues know it (SKU or GTIN), and what the barcode says of the piece beside that."""

    code: str
    lot: str | None = None
    serial: str | None = None
    expires_on: date | None = None
    measure: tuple[str, int] | None = None
    """`weight`, `length` or `volume`, and how many grams, millimetres or millilitres."""
    price: tuple[int, int] | None = None
    """What it costs: a number with so many decimals, in the currency of the place."""


def read(text: str) -> Scan:
    """What was scanned. What is no GS1 code with a GTIN is taken as it is."""
    found = _elements(text.strip())
    gtin = None if found is None else found.get(ai="01")
    if found is None or gtin is None or gtin.gtin is None:
        return Scan(text)
    dates = [each for each in (found.get(ai=ai) for ai in _DATES) if each is not None]
    lot, serial = found.get(ai="10"), found.get(ai="21")
    return Scan(
        gtin.value,
        None if lot is None else lot.value,
        None if serial is None else serial.value,
        dates[0].date if dates else None,
        *_how_much(found),
    )


def _how_much(found: "GS1ElementStrings") -> tuple[tuple[str, int] | None, tuple[int, int] | None]:
    """Net weight (310n kilograms, 320n pounds), length (311n), volume (315n), and the price to pay (392n)."""
    measure, price = None, None
    for each in found:
        ai, value = each.ai.ai, each.value
        kind = _MEASURES.get(ai[:3]) if len(ai) == 4 else None
        if kind is not None and measure is None:
            exact = Decimal(value).scaleb(3 - int(ai[3])) * (GRAMS_A_POUND if kind == "pounds" else 1)
            measure = ("weight" if kind == "pounds" else kind, int(exact.quantize(Decimal(1), ROUND_HALF_UP)))
        if ai[:3] == "392":
            price = (int(value), int(ai[3]))
    return measure, price


def _elements(text: str) -> "GS1ElementStrings | None":
    # It loads the tables of all companies' prefixes, a twentieth of every start: here it is for those who scan.
    from biip import ParseError, parse
    from biip.gs1_messages import GS1Message

    try:
        if text.startswith("(01)"):
            return GS1Message.parse_hri(text).element_strings
        if text.startswith(("http://", "https://")):
            link = parse(text).gs1_digital_link_uri
            return None if link is None else link.element_strings
        plain = text.replace("|", SEPARATOR)
        if plain.startswith("]") or SEPARATOR in plain or (plain.startswith("01") and len(plain) > 14):
            message = parse(plain).gs1_message
            return None if message is None else message.element_strings
    except (ParseError, IndexError):  # biip looks at the letter after a "]" that has none
        return None
    return None
