"""The demo's catalogue: the gift shop's stock codes as products, with categories, attributes and one price list."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from samlad.catalog import attributes, categories, prices
from samlad.catalog.attributes import AttributeInput, AttributeType
from samlad.catalog.categories import CategoryChange
from samlad.catalog.model import (
    NamedTexts,
    NamedTranslations,
    Option,
    PriceInput,
    ProductRow,
    ProductStatus,
    VariantInput,
)
from samlad.catalog.prices import PriceListInput
from samlad.channels import Channel, Resource
from samlad.demo.records import CategoryRecord, ProductRecord, VariantRecord
from samlad.demo.words import CATEGORY_NAMES
from samlad.kernel.database import Tx

PRICE_LIST = "base"
_ATTRIBUTES = (
    ("colour", "Colour", "Färg", "Kleur", AttributeType.TEXT),
    ("material", "Material", "Material", "Materiaal", AttributeType.TEXT),
    ("pieces", "Pieces in the set", "Delar i setet", "Stuks in de set", AttributeType.NUMBER),
)


async def prepare(tx: Tx, channel: Channel, nodes: Iterable[CategoryRecord]) -> None:
    """What products refer to: categories, attributes, the price list."""
    catalogue = channel.pool(Resource.CATALOGUE)
    nodes = list(nodes)
    paths = category_paths(nodes)
    await categories.ensure(tx, catalogue, paths.values(), {paths[node.slug]: node.name for node in nodes})
    await _translate(tx, catalogue, {path: slug for slug, path in paths.items()})
    for code, english, swedish, dutch, kind in _ATTRIBUTES:
        translations: NamedTranslations = {"sv": NamedTexts(name=swedish), "nl": NamedTexts(name=dutch)}
        given = AttributeInput(code=code, name=english, type=kind, translations=translations)
        await attributes.create(tx, catalogue, given)
    price_list = PriceListInput(code=PRICE_LIST, name="Base prices", currency=channel.currency)
    await prices.create_list(tx, channel.pool(Resource.PRICES), price_list)


async def _translate(tx: Tx, catalogue: UUID, slugs: Mapping[str, str]) -> None:
    """Name categories in the other languages of the shop; ``slugs`` by path."""
    for each in await categories.tree(tx, catalogue):
        known = CATEGORY_NAMES.get(slugs.get(each.path, ""))
        if known is not None:
            swedish, dutch = known
            names: NamedTranslations = {"sv": NamedTexts(name=swedish), "nl": NamedTexts(name=dutch)}
            await categories.change(tx, each.id, CategoryChange(translations=names))


def category_paths(nodes: Iterable[CategoryRecord]) -> dict[str, str]:
    """The path of each category by its slug; parents come before their children."""
    paths: dict[str, str] = {}
    for node in nodes:
        paths[node.slug] = f"{paths[node.parent]}/{node.slug}" if node.parent else node.slug
    return paths


def product_row(record: ProductRecord, paths: dict[str, str]) -> ProductRow:
    """A product as the import takes it."""
    values = [v.option_value for v in record.variants if v.option_value is not None]
    return ProductRow(
        handle=record.handle,
        title=record.title,
        status=ProductStatus.ACTIVE,
        category=paths[record.category],
        tags=list(record.tags),
        options=[Option(record.option_name, values)] if record.option_name else [],
        variants=[_variant(variant, record.option_name) for variant in record.variants],
    )


def _variant(record: VariantRecord, option: str | None) -> VariantInput:
    found = {"colour": record.colour, "material": record.material, "pieces": record.pieces}
    return VariantInput(
        sku=record.sku,
        gtin=in_store_number(record.sku),
        options={option: record.option_value} if option and record.option_value else {},
        attributes={code: value for code, value in found.items() if value is not None},
        prices=[PriceInput(price_list=PRICE_LIST, amount=record.price_minor)],
    )


def in_store_number(sku: str) -> str | None:
    """A GTIN-8 for use inside a shop, of a stock code of five digits; none of a code with letters.

    The file has no GTINs. Numbers that begin with 2 are the shop's own to give (RCN-8, GS1 General Specifications 2.1.11).
    """
    if len(sku) != 5 or not (sku.isascii() and sku.isdigit()):
        return None
    digits = f"20{sku}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"
