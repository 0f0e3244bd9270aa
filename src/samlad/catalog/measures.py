"""Quantities as people read them: 770 of what is sold by weight is 0.770 kg."""

from decimal import Decimal

from babel import Locale

from samlad.catalog.model import Measure
from samlad.kernel.money import format_number

UNITS = {Measure.PIECE: "", Measure.WEIGHT: "kg", Measure.LENGTH: "m", Measure.VOLUME: "l"}
"""What a price is for; the signs are the same in every language (ISO 80000)."""


COUNTED = {Measure.PIECE: "", Measure.WEIGHT: "g", Measure.LENGTH: "mm", Measure.VOLUME: "ml"}
"""What a quantity counts."""
HANDFUL = 100
"""So many of what is weighed or measured are one step of a choice."""


def quantity_text(quantity: int, sold_by: Measure | str, locale: Locale | str) -> str:
    """A quantity with its unit: pieces without any, the rest with all three decimals, as a scale shows it."""
    measure = Measure(sold_by)
    if measure is Measure.PIECE:
        return format_number(quantity, locale)
    return f"{format_number(Decimal(quantity) / measure.per, locale, '#,##0.000')} {UNITS[measure]}"


def counted_in(sold_by: Measure | str) -> str:
    """The sign of what a quantity counts: ``g``; nothing for pieces."""
    return COUNTED[Measure(sold_by)]


def step_of(sold_by: Measure | str) -> int:
    """By how much a quantity is chosen: by one piece, by a hundred grams."""
    return 1 if Measure(sold_by) is Measure.PIECE else HANDFUL


def per_text(sold_by: Measure | str) -> str:
    """What follows a price: ``/kg``, or nothing where it is for a piece."""
    unit = UNITS[Measure(sold_by)]
    return f"/{unit}" if unit else ""
