"""What a scanner read: a SKU or a GTIN, or a GS1 code that also says lot, serial number and date.

GS1-128 and DataMatrix carry element strings (GS1 General Specifications, section 3), QR codes often a Digital Link. Read by
`biip`. Scanners that cannot type the separator (ASCII 29) may be set to send a vertical bar, which no element holds.
"""

from datetime import date
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from biip.gs1_element_strings import GS1ElementStrings

SEPARATOR = "\x1d"
_DATES = ("17", "15", "16")
"""Expiration, best before, sell by: the first that is there is the last good day."""


class Scan(msgspec.Struct, frozen=True):
    """A code as catalogues know it (SKU or GTIN), and what the barcode says of the piece beside that."""

    code: str
    lot: str | None = None
    serial: str | None = None
    expires_on: date | None = None


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
    )


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
