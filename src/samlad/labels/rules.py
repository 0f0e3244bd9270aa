"""Labels, decided without a database: sheets, which code is in the bars, the price of a unit.

Sheets: as Avery and Herma sell them. Price of a unit: directive 98/6/EC (kilogram, litre, metre, square metre, or a piece).
"""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from samlad.catalog.rules import is_gtin
from samlad.kernel.problems import InvalidInput
from samlad.labels.model import MOST_PICKS, Pick, Tag, Template

TEMPLATES: dict[str, Template] = {
    each.name: each
    for each in (
        Template(name="a4-3x8", columns=3, rows=8, width=70, height=37, top=0.5),
        Template(name="a4-3x7", columns=3, rows=7, width=63.5, height=38.1, left=7.2, top=15.15, gap=2.5),
        Template(name="a4-2x7", columns=2, rows=7, width=99.1, height=38.1, left=4.65, top=15.15, gap=2.5),
        Template(name="a4-2x4", columns=2, rows=4, width=105, height=74, top=0.5),
        Template(name="a4-5x13", columns=5, rows=13, width=38.1, height=21.2, left=4.75, top=10.7, gap=2.5),
        Template(name="roll-58x40", columns=1, rows=1, width=58, height=40, page_width=58, page_height=40),
    )
}


class Place(msgspec.Struct, frozen=True):
    """Where a label is: its page from 0, and its lower left corner in millimetres from the page's."""

    page: int
    x: float
    y: float


def place(template: Template, index: int) -> Place:
    """Where the label with a number from 0 is: row by row, from the top."""
    page, on_page = divmod(index, template.a_page)
    row, column = divmod(on_page, template.columns)
    x = template.left + column * (template.width + template.gap)
    return Place(page, x, template.page_height - template.top - (row + 1) * template.height)


def bars_of(gtin: str | None) -> str:
    """Which kind of barcode holds the code of a variant: `ean13`, `ean8`, or `code128`, which holds any."""
    if gtin is not None and is_gtin(gtin):
        if len(gtin) == 8:
            return "ean8"
        if len(gtin.lstrip("0")) <= 13:
            return "ean13"
    return "code128"


def ean13(gtin: str) -> str:
    """A GTIN as the 13 digits of an EAN: a UPC has a zero in front."""
    return gtin[-13:].zfill(13)


_CONTENT = re.compile(
    r"^(?:(\d{1,4})\s*[x×*]\s*)?(\d{1,7}(?:[.,]\d{1,4})?)\s*(mg|g|kg|ml|cl|dl|l|mm|cm|m|m2|m²|pcs|pc|st|stk)\.?$",
    re.IGNORECASE,
)
_UNITS: dict[str, tuple[str, Decimal]] = {
    "mg": ("kg", Decimal("0.000001")),
    "g": ("kg", Decimal("0.001")),
    "kg": ("kg", Decimal(1)),
    "ml": ("l", Decimal("0.001")),
    "cl": ("l", Decimal("0.01")),
    "dl": ("l", Decimal("0.1")),
    "l": ("l", Decimal(1)),
    "mm": ("m", Decimal("0.001")),
    "cm": ("m", Decimal("0.01")),
    "m": ("m", Decimal(1)),
    "m2": ("m²", Decimal(1)),
    "m²": ("m²", Decimal(1)),
    **dict.fromkeys(("pcs", "pc", "st", "stk"), ("st", Decimal(1))),
}


def unit_price(price: int, content: str) -> tuple[int, str] | None:
    """What a whole unit costs (minor units) of something that holds ``content`` (``6 x 33 cl``), and which unit; None if
    that says no amount. Rounded half up to minor units."""
    found = _CONTENT.match(content.strip())
    if found is None:
        return None
    unit, factor = _UNITS[found[3].lower()]
    amount = Decimal(found[1] or 1) * Decimal(found[2].replace(",", ".")) * factor
    if amount <= 0:
        return None
    return int((price / amount).quantize(Decimal(1), rounding=ROUND_HALF_UP)), unit


def picks(text: str) -> list[Pick]:
    """Picks as people type or paste them: a code on a line, and how many after a tab, semicolon or comma.

    The same code twice is one pick of both, as when it was scanned twice.

    Raises:
        InvalidInput: at ``picks``: what is no number of labels, or too many lines.
    """
    counted: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        code, _, rest = (part.strip() for part in re.sub(r"[\t;,]", "\t", line, count=1).partition("\t"))
        if not code:
            continue
        if rest and not (rest.isascii() and rest.isdigit()):
            raise InvalidInput.at("picks", f"line {number}: “{rest[:20]}” is no number of labels")
        counted[code[:100]] = counted.get(code[:100], 0) + (int(rest[:6]) if rest else 1)
    if len(counted) > MOST_PICKS:
        raise InvalidInput.at("picks", f"at most {MOST_PICKS:,} lines")
    wrong = next((code for code, copies in counted.items() if not 1 <= copies <= 999), None)
    if wrong is not None:
        raise InvalidInput.at("picks", f"1 to 999 labels of {wrong}")
    return [Pick(code, copies) for code, copies in counted.items()]


A_PART = 960
"""Labels that are drawn in one go: about eight seconds."""


def parts(tags: Iterable[Tag], a_page: int, skip: int) -> list[list[Tag]]:
    """Labels cut into parts of whole sheets of ``a_page``, in their order; on the first sheet ``skip`` places are used."""
    made: list[list[Tag]] = [[]]
    room = whole = max(a_page, A_PART // a_page * a_page)
    room -= skip
    for tag in tags:
        left = tag.copies
        while left:
            if not room:
                made.append([])
                room = whole
            taken = min(left, room)
            made[-1].append(msgspec.structs.replace(tag, copies=taken))
            left -= taken
            room -= taken
    return made
