"""In-store codes that a scale prints: EAN-13 with prefix 20–29, an article's number and its price or weight.

Who numbers what is each country's own: GS1 Sweden gives 20 to 22 a price with two, one or no decimals and 23 to 25 a weight
with three, two or one (gs1.se, “Viktvarunummer”); GS1 UK a price of four digits with a check digit of its own (gs1uk.org,
“How to barcode variable measure items”). The check digits of prices: GS1 General Specifications, section 7.9.
`faces/pos/static/rules/scale.js` says the same.
"""

from collections.abc import Sequence

import msgspec

LAYOUTS: dict[str, tuple[str, ...]] = {
    "se": (
        "20IIIIIIPPPPC.2",
        "21IIIIIIPPPPC.1",
        "22IIIIIIPPPPC.0",
        "23IIIIIIWWWWC.3",
        "24IIIIIIWWWWC.2",
        "25IIIIIIWWWWC.1",
    ),
    "gb": ("20IIIIIVPPPPC.2", "28IIIIIVPPPPC.2"),
    "de": ("28IIIIVPPPPPC.2", "29IIIIVWWWWWC.3"),
    "plain": ("21IIIIIWWWWWC.3", "23IIIIIPPPPPC.2"),
}
"""Layouts by name: I an article's number, P its price, W its kilograms, V the check digit of these, C of all; then decimals."""
KILOGRAM = 3
_TIMES_2_MINUS = (0, 2, 4, 6, 8, 9, 1, 3, 5, 7)
_TIMES_3 = (0, 3, 6, 9, 2, 5, 8, 1, 4, 7)
_TIMES_5_PLUS = (0, 5, 1, 6, 2, 7, 3, 8, 4, 9)
_TIMES_5_MINUS = (0, 5, 9, 4, 8, 3, 7, 2, 6, 1)


class ScaleCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a scale's code says. ``names``: what the article may be known by, the likeliest first. ``grams``, or ``price``
    (a number with so many decimals); ``is_wrong``: the check digit of these does not fit.
    """

    names: list[str]
    grams: int | None = None
    price: tuple[int, int] | None = None
    is_wrong: bool = False


def read(code: str, layouts: Sequence[str]) -> ScaleCode | None:
    """What a scale printed, by the layouts of a store (or names of several); None if it is no such code."""
    if len(code) != 13 or not (code.isascii() and code.isdigit()) or check_digit(code[:12]) != code[12]:
        return None
    known = (each for name in layouts for each in LAYOUTS.get(name, (name,)))
    layout = next((each for each in known if code.startswith(each[:2])), None)
    return None if layout is None else _read(code, layout)


def _read(code: str, layout: str) -> ScaleCode:
    shape, decimals = layout[:13], int(layout[14:])

    def part(letter: str) -> str:
        return "".join(digit for digit, at in zip(code, shape, strict=True) if at == letter)

    item, value, verifier = part("I"), part("P") or part("W"), part("V")
    bare = "".join("0" if at in "PWVC" else digit for digit, at in zip(code, shape, strict=True))
    names = [bare[:12] + check_digit(bare[:12]), item, item.lstrip("0")]
    return ScaleCode(
        names=[name for name in dict.fromkeys(names) if name],
        grams=int(value) * 10 ** (KILOGRAM - decimals) if "W" in shape else None,
        price=(int(value), decimals) if "P" in shape else None,
        is_wrong=bool(verifier) and verifier != value_digit(value),
    )


def check_digit(digits: str) -> str:
    """The last digit of an EAN: from the right every other one counts three times."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def value_digit(digits: str) -> str:
    """The check digit of a price (or weight) of four or five digits."""
    a, b, c, d, *rest = (int(digit) for digit in digits)
    if not rest:
        return str((_TIMES_2_MINUS[a] + _TIMES_2_MINUS[b] + _TIMES_3[c] + _TIMES_5_MINUS[d]) * 3 % 10)
    total = (
        _TIMES_5_PLUS[a] + _TIMES_2_MINUS[b] + _TIMES_5_MINUS[c] + _TIMES_5_PLUS[d] + _TIMES_2_MINUS[rest[0]]
    )
    return str(_TIMES_5_MINUS.index(-total % 10))


def made(layout: str, item: str, value: int) -> str:
    """The code that a scale prints in a layout for an article's number and a value."""
    shape = layout[:13]
    size = shape.count("P") + shape.count("W")
    digits = {
        "I": iter(item.zfill(shape.count("I"))),
        "P": iter(f"{value:0{size}d}"),
        "W": iter(f"{value:0{size}d}"),
    }
    first = "".join(
        value_digit(f"{value:0{size}d}") if at == "V" else next(digits[at]) if at in digits else at
        for at in shape[:12]
    )
    return first + check_digit(first)


def minor_of(price: tuple[int, int], exponent: int) -> int:
    """A price of a code in minor units of a currency; finer than those is rounded, halves up."""
    value, decimals = price
    if exponent >= decimals:
        return int(value * 10 ** (exponent - decimals))
    step = int(10 ** (decimals - exponent))
    return (2 * value + step) // (2 * step)


def quantity_for(paid: int, unit_price: int, per: int) -> int | None:
    """The most of something that costs no more than what its label says (minor units); None where that is nothing.

    What the label says in grams was rounded away: up to a gram's price the customer pays less than it says, never more.
    """
    if unit_price <= 0 or paid <= 0:
        return None
    most = -(-(2 * paid + 1) * per // (2 * unit_price)) - 1
    return most or None
