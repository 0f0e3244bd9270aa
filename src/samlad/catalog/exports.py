"""Taking products out: as JSON Lines or as our CSV, streamed; `imports` reads both back without loss.

Not in it: stock, which has its own export, and prices that hold in one channel only, which belong to listings. Cells are not guarded against spreadsheets that run formulas, because that would
change what is read back.
"""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from samlad.catalog import attributes, categories, prices, product_store
from samlad.catalog.attributes import Attribute, AttributeInput
from samlad.catalog.imports.cells import write_json, write_plain, write_words
from samlad.catalog.imports.own import LANGUAGES, TEXT_FIELDS
from samlad.catalog.model import (
    Component,
    ComponentInput,
    Media,
    MediaInput,
    PriceInput,
    Product,
    ProductRow,
    Texts,
    Variant,
    VariantInput,
)
from samlad.catalog.permissions import READ
from samlad.catalog.prices import Price, PriceListInput
from samlad.channels import Channel, Resource
from samlad.kernel.context import BACKGROUND, Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.money import decimal_text

CHUNK = 500
_FIRST = UUID(int=0)
_PLAIN = ("tax_class", "tracking", "min_days_left")


async def rows(reader: Reader, channel: Channel) -> AsyncIterator[list[ProductRow]]:
    """Every product of a channel's catalogue with its prices, in chunks, ordered by making."""
    pool, price_pool = channel.pools[Resource.CATALOGUE], channel.pools[Resource.PRICES]
    paths = {c.id: c.path for c in await categories.tree(reader, pool)}
    last = _FIRST
    while chunk := await product_store.products_after(reader, pool, last, CHUNK):
        last = chunk[-1].id
        yield await _complete(reader, chunk, paths, price_pool)


async def _complete(
    reader: Reader, chunk: list[Product], paths: dict[UUID, str], price_pool: UUID
) -> list[ProductRow]:
    ids = [p.id for p in chunk]
    variants = await product_store.variants_of(reader, ids)
    variant_ids = [v.id for v in variants]
    media = product_store.grouped(await product_store.media_of(reader, ids), "product")
    parts = product_store.grouped(await product_store.components_of(reader, variant_ids), "bundle")
    amounts = product_store.grouped(await prices.prices_of(reader, price_pool, variant_ids), "variant")
    by_product = product_store.grouped(variants, "product")
    return [_row(p, by_product.get(p.id, []), media.get(p.id, []), parts, amounts, paths) for p in chunk]


def _row(
    product: Product,
    variants: list[Variant],
    media: list[Media],
    parts: dict[UUID, list[Component]],
    amounts: dict[UUID, list[Price]],
    paths: dict[UUID, str],
) -> ProductRow:
    skus = {v.id: v.sku for v in variants}
    copied = (
        "handle",
        "title",
        "description",
        "status",
        "brand",
        "supplier",
        "tags",
        "options",
        "attributes",
    )
    return ProductRow(
        **{name: getattr(product, name) for name in (*copied, *_PLAIN, "seo_title", "seo_description")},
        translations=product.translations,  # type: ignore[arg-type]
        category=paths[product.category] if product.category else None,
        media=[
            MediaInput(url=m.url, alt=m.alt, sku=skus.get(m.variant) if m.variant else None) for m in media
        ],
        variants=[_variant(v, parts.get(v.id, []), amounts.get(v.id, [])) for v in variants],
    )


def _variant(variant: Variant, parts: list[Component], amounts: list[Price]) -> VariantInput:
    names = [n for n in VariantInput.__struct_fields__ if n not in ("components", "prices")]
    return VariantInput(
        **{name: getattr(variant, name) for name in names},
        components=[ComponentInput(c.sku, c.quantity) for c in parts] if parts else UNSET,
        prices=[
            PriceInput(
                price_list=p.code, amount=p.amount, compare_at=p.compare_at, min_quantity=p.min_quantity
            )
            for p in amounts
        ],
    )


async def jsonl(
    database: Database, channel: Channel, *, context: Context = BACKGROUND
) -> AsyncIterator[bytes]:
    """The catalogue as JSON Lines: definitions, then products; from one snapshot."""
    context.actor.require(READ)
    encode = msgspec.json.encode
    async with (
        database.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        reader = Tx(connection, context, database)
        yield b"".join(encode(each) + b"\n" for each in await _definitions(reader, channel))
        async for chunk in rows(reader, channel):
            yield b"".join(encode(each) + b"\n" for each in chunk)


async def _definitions(reader: Reader, channel: Channel) -> list[dict[str, Any]]:
    pool, price_pool = channel.pools[Resource.CATALOGUE], channel.pools[Resource.PRICES]
    made = [
        {"record": "attribute"} | _fields(a, AttributeInput)
        for a in await attributes.all_attributes(reader, pool)
    ]
    for category in await categories.tree(reader, pool):
        fields = _fields(category, categories.CategoryInput)
        del fields["slug"], fields["parent"]
        made.append({"record": "category", "path": category.path} | fields)
    lists = [each for each in await prices.all_lists(reader, price_pool) if each.channel is None]
    return made + [{"record": "price_list"} | _fields(each, PriceListInput) for each in lists]


def _fields(thing: msgspec.Struct, kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in kind.__struct_fields__}


async def csv_file(
    database: Database, channel: Channel, *, context: Context = BACKGROUND
) -> AsyncIterator[bytes]:
    """The catalogue as our CSV, UTF-8 with a header; from one snapshot."""
    context.actor.require(READ)
    async with (
        database.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        reader = Tx(connection, context, database)
        layout = await _layout(reader, channel)
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(layout.header())
        async for chunk in rows(reader, channel):
            for row in chunk:
                writer.writerows(layout.lines(row))
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
        yield buffer.getvalue().encode()


class _Layout(msgspec.Struct):
    """The columns of one export: those that every product has, and those that occur in this catalogue."""

    attributes: list[str]
    options: list[str]
    price_keys: list[tuple[str, int]]
    currencies: dict[str, str]

    def header(self) -> list[str]:
        """Names of the columns."""
        return [
            *(
                "handle",
                "title",
                "description",
                "status",
                "category",
                "brand",
                "supplier",
                "tags",
                *_PLAIN,
            ),
            *("seo_title", "seo_description", "options", "images"),
            *(f"{field}.{language}" for language in LANGUAGES for field in (*TEXT_FIELDS, "options")),
            *(f"attribute.{code}" for code in self.attributes),
            *("sku", "gtin", "variant_status", "position", "weight_g", "length_mm", "width_mm", "height_mm"),
            *("hs_code", "origin_country", "requires_shipping", "sold_by", "components"),
            *(f"option.{name}" for name in self.options),
            *(f"variant_attribute.{code}" for code in self.attributes),
            *(f"{kind}.{_price_name(*key)}" for key in self.price_keys for kind in ("price", "compare_at")),
        ]

    def lines(self, row: ProductRow) -> list[list[str]]:
        """The lines of a product: its own cells stand on the first."""
        own = self._product(row)
        blank = [row.handle if isinstance(row.handle, str) else "", *([""] * (len(own) - 1))]
        return [(own if n == 0 else blank) + self._variant(v) for n, v in enumerate(row.variants)]

    def _product(self, row: ProductRow) -> list[str]:
        cells = [
            write_plain(getattr(row, name))
            for name in ("handle", "title", "description", "status", "category")
        ]
        cells += [write_plain(row.brand), write_plain(row.supplier), write_words(row.tags or [])]
        cells += [write_plain(getattr(row, name)) for name in (*_PLAIN, "seo_title", "seo_description")]
        cells += [write_json(row.options), write_json(row.media)]
        translations: dict[Any, Texts] = row.translations or {}
        for language in LANGUAGES:
            texts = translations.get(language) or Texts()
            cells += [write_plain(getattr(texts, field)) for field in TEXT_FIELDS]
            cells.append(write_json(texts.options))
        values: dict[str, Any] = row.attributes or {}
        return cells + [write_plain(values.get(code)) for code in self.attributes]

    def _variant(self, variant: VariantInput) -> list[str]:
        names = ("sku", "gtin", "status", "position", "weight_g", "length_mm", "width_mm", "height_mm")
        cells = [write_plain(getattr(variant, name)) for name in names]
        cells += [
            write_plain(getattr(variant, n))
            for n in ("hs_code", "origin_country", "requires_shipping", "sold_by")
        ]
        cells.append(write_json(variant.components) if variant.components is not UNSET else "")
        options: dict[str, str] = variant.options or {}
        cells += [options.get(name, "") for name in self.options]
        values: dict[str, Any] = variant.attributes or {}
        cells += [write_plain(values.get(code)) for code in self.attributes]
        amounts = {(p.price_list, p.min_quantity): p for p in (variant.prices or [])}
        for key in self.price_keys:
            price, currency = amounts.get(key), self.currencies[key[0]]
            for amount in (price.amount, price.compare_at) if price else (None, None):
                cells.append("" if amount is None else decimal_text(amount, currency))
        return cells


def _price_name(code: str, quantity: int) -> str:
    return code if quantity == 1 else f"{code}@{quantity}"


async def _layout(reader: Reader, channel: Channel) -> _Layout:
    pool, price_pool = channel.pools[Resource.CATALOGUE], channel.pools[Resource.PRICES]
    found: Sequence[Attribute] = await attributes.all_attributes(reader, pool)
    lists = await prices.all_lists(reader, price_pool)
    return _Layout(
        [each.code for each in found],
        await product_store.option_names(reader, pool),
        await prices.keys(reader, price_pool),
        {each.code: each.currency for each in lists},
    )
