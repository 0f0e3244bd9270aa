"""What a kilogram, a litre or a metre costs, from the price and the content of a package. Pure."""

from decimal import Decimal
from fractions import Fraction

import msgspec

_BASES: dict[str, tuple[str, Fraction]] = {
    "mg": ("kg", Fraction(1, 1_000_000)),
    "g": ("kg", Fraction(1, 1000)),
    "kg": ("kg", Fraction(1)),
    "ml": ("l", Fraction(1, 1000)),
    "cl": ("l", Fraction(1, 100)),
    "dl": ("l", Fraction(1, 10)),
    "l": ("l", Fraction(1)),
    "mm": ("m", Fraction(1, 1000)),
    "cm": ("m", Fraction(1, 100)),
    "m": ("m", Fraction(1)),
    "m2": ("m²", Fraction(1)),
    "m²": ("m²", Fraction(1)),
}


class UnitPrice(msgspec.Struct, frozen=True):
    """Minor units for one ``unit``."""

    amount: int
    unit: str


def in_base(content: float, unit: str | None) -> tuple[Decimal, str] | None:
    """A content in kilograms, litres, metres or square metres; None for a unit that is none of these."""
    base = _BASES.get((unit or "").strip().lower())
    if base is None or content <= 0:
        return None
    exact = Fraction(str(content)) * base[1]
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).normalize(), base[0]


def of(price: int, content: float, unit: str | None) -> UnitPrice | None:
    """The price of one kilogram, litre, metre or square metre, half up; None for a unit that is none of these."""
    base = _BASES.get((unit or "").strip().lower())
    if base is None or content <= 0:
        return None
    exact = Fraction(price) / (Fraction(str(content)) * base[1])
    return UnitPrice(int(exact + Fraction(1, 2)), base[0])
