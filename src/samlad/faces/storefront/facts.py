"""What is known of a product beside its description, in the words of its attributes: names, choices, units."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from samlad.catalog import ProductView, Variant
from samlad.catalog.attributes import Attribute, AttributeType
from samlad.catalog.model import NamedTexts
from samlad.faces.design import formats

Known = Mapping[str, Attribute]
"""The definitions of a catalogue by their code."""


def of(
    _: Callable[[str], str], locale: str, known: Known, product: ProductView, chosen: Variant | None
) -> list[tuple[str, str]]:
    """Rows (name, text) in the reader's language: of the product, and of the variant that is chosen, whose values go first."""
    rows = []
    if chosen is not None:
        rows.append((_("Article number"), chosen.sku))
        if chosen.gtin:
            rows.append((_("Barcode"), chosen.gtin))
    values = product.attributes | (chosen.attributes if chosen else {})
    order = {code: (known[code].position, place) for place, code in enumerate(values) if code in known}
    last = (2**31, 0)
    shown = sorted(values, key=lambda each: order.get(each, last))
    rows += [(name_of(known.get(c), c, locale), text_of(_, known.get(c), values[c], locale)) for c in shown]
    return rows + (_measured(_, locale, chosen) if chosen else [])


def _measured(_: Callable[[str], str], locale: str, chosen: Variant) -> list[tuple[str, str]]:
    rows = []
    sizes = [chosen.length_mm, chosen.width_mm, chosen.height_mm]
    if all(sizes):
        rows.append((_("Size"), " × ".join(f"{formats.number(size or 0, locale)} mm" for size in sizes)))
    if chosen.weight_g:
        rows.append((_("Weight"), f"{formats.number(chosen.weight_g, locale)} g"))
    return rows


def name_of(attribute: Attribute | None, code: str, locale: str) -> str:
    """What an attribute is called; one that is not defined by its code."""
    if attribute is None:
        return code.replace("_", " ").capitalize()
    return _texts(attribute, locale).name or attribute.name


def text_of(_: Callable[[str], str], attribute: Attribute | None, value: Any, locale: str) -> str:
    """A value as people read it."""
    if isinstance(value, list):
        return ", ".join(text_of(_, attribute, each, locale) for each in value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, int | float):
        unit = attribute.unit if attribute else None
        return formats.number(value, locale) + (f"\u00a0{unit}" if unit else "")
    text = str(value)
    if attribute is not None and attribute.type is AttributeType.DATE:
        return _day(text, locale)
    return _texts(attribute, locale).words.get(text, text) if attribute else text


def _day(text: str, locale: str) -> str:
    try:
        return formats.day(date.fromisoformat(text), locale)
    except ValueError:
        return text


def _texts(attribute: Attribute, locale: str) -> NamedTexts:
    return attribute.translations.get(locale.split("-")[0], NamedTexts())


def by_code(found: Sequence[Attribute]) -> Known:
    """Definitions by code."""
    return {each.code: each for each in found}
