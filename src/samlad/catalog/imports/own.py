"""Our own CSV and JSON Lines; `samlad.catalog.exports` writes them, docs/how-to/import-products.md explains them.

CSV: one line a variant. A column that is not there leaves things as they are; an empty cell empties them (but not a title,
a status or a tax class). The lines of a product stand together; its own columns count on the first of them.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

import msgspec

from samlad.catalog.attributes import AttributeInput
from samlad.catalog.categories import CategoryInput
from samlad.catalog.imports.cells import (
    read_json,
    read_optional,
    read_text,
    read_truth,
    read_whole,
    read_words,
)
from samlad.catalog.imports.parsed import Parsed, convert, readable
from samlad.catalog.imports.report import BrokenFile
from samlad.catalog.imports.source import Record, Table
from samlad.catalog.model import Handle, ProductRow
from samlad.catalog.prices import PriceListInput
from samlad.kernel.money import parse_amount
from samlad.kernel.problems import InvalidInput

Reader = Callable[[str], Any]
Any_ = list[Any]

PRODUCT_CELLS: dict[str, Reader] = {
    "title": read_text,
    "description": read_text,
    "status": read_text,
    "category": read_optional,
    "brand": read_optional,
    "supplier": read_optional,
    "tags": read_words,
    "tax_class": read_text,
    "tracking": read_text,
    "min_days_left": read_whole,
    "seo_title": read_optional,
    "seo_description": read_optional,
    "options": read_json(Any_),
    "images": lambda cell: _images(cell),
}
VARIANT_CELLS: dict[str, Reader] = {
    "gtin": read_optional,
    "variant_status": read_text,
    "position": read_whole,
    "weight_g": read_whole,
    "length_mm": read_whole,
    "width_mm": read_whole,
    "height_mm": read_whole,
    "hs_code": read_optional,
    "origin_country": read_optional,
    "requires_shipping": read_truth,
    "sold_by": read_text,
    "components": read_json(Any_),
}
NEVER_EMPTY = frozenset(
    {
        *("title", "status", "tax_class", "tracking", "min_days_left"),
        *("variant_status", "position", "requires_shipping", "sold_by"),
    }
)
RENAMED = {"images": "media", "variant_status": "status"}
TEXT_FIELDS = ("title", "description", "seo_title", "seo_description")
LANGUAGES = ("en", "sv", "nl")


class Columns(msgspec.Struct):
    """What the columns of a header mean. ``unknown`` ones are ignored and reported."""

    attributes: list[str] = []
    variant_attributes: list[str] = []
    options: list[str] = []
    prices: list[tuple[str, str, int]] = []  # column, list, minimum quantity
    unknown: list[str] = []


def columns_of(header: list[str], attributes: Iterable[str]) -> Columns:
    """Sort out a header; ``attributes`` are the codes that exist."""
    known, found = set(attributes), Columns()
    texts = {f"{field}.{language}" for field in (*TEXT_FIELDS, "options") for language in LANGUAGES}
    for name in header:
        kind, _, rest = name.partition(".")
        if name in PRODUCT_CELLS or name in VARIANT_CELLS or name in texts or name in ("handle", "sku"):
            continue
        if kind == "attribute" and rest in known:
            found.attributes.append(rest)
        elif kind == "variant_attribute" and rest in known:
            found.variant_attributes.append(rest)
        elif kind == "option" and rest:
            found.options.append(rest)
        elif kind == "price" and rest:
            code, _, quantity = rest.partition("@")
            if quantity and not (quantity.isascii() and quantity.isdigit() and 0 < int(quantity) < 2**31):
                found.unknown.append(name)
            else:
                found.prices.append((name, code, int(quantity or 1)))
        elif not (kind == "compare_at" and f"price.{rest}" in header) and name:
            found.unknown.append(name)
    return found


def read_csv(table: Table, columns: Columns, currencies: dict[str, str]) -> Iterator[Parsed]:
    """Products, in the order of the file. ``currencies`` of the price lists, by code.

    Raises:
        BrokenFile: there is no column that says which product or variant a line is.
    """
    if not {"sku", "handle"} & set(table.columns):
        raise BrokenFile("There is neither a column “sku” nor “handle” in the first line.")

    def key(record: Record) -> str:
        # Lines without a handle are changes by SKU, each by itself.
        return record.cells.get("handle", "").strip() or f"\x00{record.line}"

    for _, group in groupby(table.records, key=key):
        yield _product(list(group), columns, currencies)


def _product(records: list[Record], columns: Columns, currencies: dict[str, str]) -> Parsed:
    problems: list[str] = []
    first = records[0].cells
    values: dict[str, Any] = _read(first, PRODUCT_CELLS, records[0].line, problems)
    if first.get("handle", "").strip():
        values["handle"] = first["handle"].strip()
    translations = _translations(first, records[0].line, problems)
    if translations is not None:
        values["translations"] = translations
    attributes = {
        code: first[f"attribute.{code}"] for code in columns.attributes if first.get(f"attribute.{code}")
    }
    if columns.attributes:
        values["attributes"] = attributes
    values["variants"] = [
        _variant(record, columns, currencies, problems)
        for record in records
        if record.cells.get("sku", "").strip()
    ]
    lines = [record.line for record in records if record.cells.get("sku", "").strip()]
    lines = lines or [records[0].line]
    if problems:
        return Parsed(lines, None, values.get("handle"), [v["sku"] for v in values["variants"]], problems)
    return convert(values, lines, [])


def _read(
    cells: dict[str, str], readers: dict[str, Reader], line: int, problems: list[str]
) -> dict[str, Any]:
    values = {}
    for name, reader in readers.items():
        cell = cells.get(name)
        if cell is None or (name in NEVER_EMPTY and not cell.strip()):
            continue
        try:
            values[RENAMED.get(name, name)] = reader(cell)
        except (ValueError, OverflowError, msgspec.MsgspecError) as error:
            problems.append(f"line {line}, {name}: {error}")
    return values


def _translations(cells: dict[str, str], line: int, problems: list[str]) -> dict[str, Any] | None:
    """None when the file has no columns for them."""
    found: dict[str, Any] = {}
    is_there = False
    for language in LANGUAGES:
        texts: dict[str, Any] = {}
        for field in TEXT_FIELDS:
            cell = cells.get(f"{field}.{language}")
            is_there = is_there or cell is not None
            if cell:
                texts[field] = cell
        words = cells.get(f"options.{language}")
        is_there = is_there or words is not None
        if words:
            try:
                texts["options"] = msgspec.json.decode(words, type=dict[str, str])
            except msgspec.MsgspecError as error:
                problems.append(f"line {line}, options.{language}: {error}")
        if texts:
            found[language] = texts
    return found if is_there else None


def _variant(
    record: Record, columns: Columns, currencies: dict[str, str], problems: list[str]
) -> dict[str, Any]:
    cells = record.cells
    values: dict[str, Any] = {"sku": cells["sku"].strip()}
    values |= _read(cells, VARIANT_CELLS, record.line, problems)
    if columns.options:
        values["options"] = {
            name: cells[f"option.{name}"] for name in columns.options if cells.get(f"option.{name}")
        }
    if columns.variant_attributes:
        values["attributes"] = {
            code: cells[f"variant_attribute.{code}"]
            for code in columns.variant_attributes
            if cells.get(f"variant_attribute.{code}")
        }
    prices = []
    for column, code, quantity in columns.prices:
        compare = cells.get(f"compare_at.{column.removeprefix('price.')}", "").strip()
        price = cells.get(column, "").strip()
        currency = currencies.get(code)
        if currency is None:
            problems.append(f"line {record.line}, {column}: there is no price list “{code}”")
            continue
        try:
            amount = parse_amount(price, currency, field=column) if price else None
            compare_at = parse_amount(compare, currency, field=f"compare_at.{code}") if compare else None
        except InvalidInput as error:
            problems.append(f"line {record.line}, {column}: {error.detail}")
            continue
        prices.append(
            {"price_list": code, "amount": amount, "compare_at": compare_at, "min_quantity": quantity}
        )
    if prices:
        values["prices"] = prices
    return values


def _images(cell: str) -> list[dict[str, Any]]:
    """A JSON list, or addresses with spaces or lines between them."""
    if cell.lstrip().startswith("["):
        return list(read_json(Any_)(cell))
    return [{"url": url} for url in cell.split()]


class CategoryRow(CategoryInput, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A category in JSON Lines, by its path."""

    path: str


class Definitions(msgspec.Struct):
    """What stands before the products in JSON Lines, so that an empty catalogue can take them."""

    attributes: list[AttributeInput] = []
    categories: list[CategoryRow] = []
    price_lists: list[PriceListInput] = []


_KINDS: dict[str, Any] = {"attribute": AttributeInput, "category": CategoryRow, "price_list": PriceListInput}


def read_jsonl(lines: Iterable[str], definitions: Definitions) -> Iterator[Parsed]:
    """Products, one a line. Definitions are put into ``definitions`` as they come.

    Raises:
        BrokenFile: a line that is not a JSON object.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = msgspec.json.decode(line)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise BrokenFile(f"Line {number} is not JSON: {error}.", line=number) from None
        if not isinstance(values, dict):
            raise BrokenFile(f"Line {number} is not a JSON object.", line=number)
        kind = values.pop("record", "product")
        if kind == "product":
            yield _json_product(values, number)
        elif kind in _KINDS:
            try:
                getattr(definitions, "categories" if kind == "category" else f"{kind}s").append(
                    msgspec.convert(values, _KINDS[kind])
                )
            except msgspec.ValidationError as error:
                yield Parsed([number], problems=[readable(error)])
        else:
            yield Parsed([number], problems=[f"record: “{kind}” is not one of product, {', '.join(_KINDS)}"])


def _json_product(values: dict[str, Any], number: int) -> Parsed:
    variants = values.get("variants")
    count = len(variants) if isinstance(variants, list) else 0
    try:
        row = msgspec.convert(values, ProductRow)
    except msgspec.ValidationError as error:
        return Parsed([number], problems=[readable(error)])
    handle: Handle | None = row.handle if isinstance(row.handle, str) else None
    return Parsed([number] * max(count, 1), row, handle, [v.sku for v in row.variants])
