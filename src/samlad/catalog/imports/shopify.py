"""Shopify's product CSV: several lines a product, the first of which has the product's own columns.

Source: help.shopify.com/manual/products/import-export/using-csv, and real exports. Columns came and went over the years
(``Published`` became ``Status``, ``Type`` was joined by ``Product Category``), so a column that is not there says nothing.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from samlad.catalog.imports.parsed import Parsed, convert
from samlad.catalog.imports.source import Record, Table
from samlad.catalog.rules import is_gtin, slug
from samlad.kernel.money import parse_amount
from samlad.kernel.problems import InvalidInput

SIGNATURE = frozenset({"Handle", "Title"})

READ = frozenset(
    {
        "Handle",
        "Title",
        "Body (HTML)",
        "Vendor",
        "Type",
        "Tags",
        "Published",
        "Status",
        "SEO Title",
        "SEO Description",
        "Image Src",
        "Image Position",
        "Image Alt Text",
        "Variant SKU",
        "Variant Grams",
        "Variant Price",
        "Variant Compare At Price",
        "Variant Requires Shipping",
        "Variant Barcode",
        "Variant Image",
        "Variant Weight Unit",
        *(f"Option{n} {part}" for n in (1, 2, 3) for part in ("Name", "Value")),
    }
)
KNOWN = READ | {
    "Variant Inventory Tracker",
    "Variant Inventory Qty",
    "Variant Inventory Policy",
    "Variant Fulfillment Service",
    "Variant Taxable",
    "Variant Tax Code",
    "Gift Card",
    "Cost per item",
    "Product Category",
    "Custom Product Type",
    "Standard Product Type",
}
"""Columns that are read, and those that are Shopify's own business (stock comes by its own import)."""


def is_shopify(columns: list[str]) -> bool:
    """Whether a header is that of Shopify's export."""
    return set(columns) >= SIGNATURE


def unknown_columns(columns: list[str]) -> list[str]:
    """Columns that nothing is done with and that are not known either."""
    return [c for c in columns if c and c not in KNOWN and not c.startswith("Google Shopping / ")]


def read(table: Table, *, currency: str, price_list: str) -> Iterator[Parsed]:
    """Products, in the order of the file."""
    for handle, group in groupby(table.records, key=lambda record: record.cells.get("Handle", "").strip()):
        records = list(group)
        if not handle:
            for record in records:
                yield Parsed([record.line], problems=["the column Handle is empty"])
            continue
        yield _product(handle, records, currency, price_list)


def _product(handle: str, records: list[Record], currency: str, price_list: str) -> Parsed:
    first = records[0].cells
    names = [first.get(f"Option{n} Name", "").strip() for n in (1, 2, 3)]
    values: dict[str, Any] = {"handle": _handle(handle)} | _product_fields(first)
    notes: list[str] = []
    lines: list[int] = []
    variants: list[dict[str, Any]] = []
    problems: list[str] = []
    for record in records:
        if not _is_variant(record.cells):
            continue
        try:
            variants.append(_variant(handle, names, record.cells, currency, price_list, notes))
            lines.append(record.line)
        except (InvalidInput, ValueError) as error:
            problems.append(f"line {record.line}: {error}")
    media = _media(records, variants, lines)
    values |= {"variants": variants} | ({"media": media} if "Image Src" in first else {})
    options = [{"name": name, "values": []} for name in names if name and name != "Title"]
    if any(variant["options"] for variant in variants):
        values["options"] = options
    if problems:
        return Parsed([record.line for record in records], None, handle, [], problems, notes)
    parsed = convert(values, lines or [records[0].line], notes)
    if values.get("category"):
        parsed.category_names[values["category"]] = " ".join(first["Type"].split())[:300]
    return parsed


def _handle(text: str) -> str:
    return re.sub(r"[\s/?#%]+", "-", text)[:255]


def _product_fields(cells: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if cells.get("Title", "").strip():
        values["title"] = cells["Title"].strip()
    for column, field in (
        ("Vendor", "brand"),
        ("SEO Title", "seo_title"),
        ("SEO Description", "seo_description"),
    ):
        if column in cells:
            values[field] = " ".join(cells[column].split()) or None
    if "Body (HTML)" in cells:
        values["description"] = cells["Body (HTML)"]
    if "Tags" in cells:
        values["tags"] = [tag.strip() for tag in cells["Tags"].split(",") if tag.strip()]
    if cells.get("Type", "").strip():
        values["category"] = slug(cells["Type"]) or None
    status = cells.get("Status", "").strip().lower()
    if status in ("active", "draft", "archived"):
        values["status"] = status
    elif cells.get("Published", "").strip():
        values["status"] = "active" if cells["Published"].strip().lower() == "true" else "draft"
    return values


def _is_variant(cells: dict[str, str]) -> bool:
    """Lines that only bring another image have neither option value nor price."""
    return any(cells.get(c, "").strip() for c in ("Option1 Value", "Variant SKU", "Variant Price"))


def _variant(
    handle: str, names: list[str], cells: dict[str, str], currency: str, price_list: str, notes: list[str]
) -> dict[str, Any]:
    chosen = [cells.get(f"Option{n} Value", "").strip() for n in (1, 2, 3)]
    options = {
        name: value
        for name, value in zip(names, chosen, strict=True)
        if name and value and not (name == "Title" and value == "Default Title")
    }
    sku = cells.get("Variant SKU", "").strip().lstrip("'")
    if not sku:
        sku = "-".join([handle, *(slug(value) for value in options.values())])[:100]
        notes.append(f"no SKU: “{sku}” was made up")
    values: dict[str, Any] = {"sku": sku, "options": options}
    barcode = cells.get("Variant Barcode", "").strip().lstrip("'")
    if "Variant Barcode" in cells:
        values["gtin"] = barcode if is_gtin(barcode) else None
        if barcode and not is_gtin(barcode):
            notes.append(f"{sku}: the barcode “{barcode}” is not a GTIN and was left out")
    weight = cells.get("Variant Grams", "").strip()
    if weight:
        values["weight_g"] = round(float(weight)) or None
    if cells.get("Variant Requires Shipping", "").strip():
        values["requires_shipping"] = cells["Variant Requires Shipping"].strip().lower() == "true"
    price = cells.get("Variant Price", "").strip()
    if price:
        compare = cells.get("Variant Compare At Price", "").strip()
        values["prices"] = [
            {
                "price_list": price_list,
                "amount": parse_amount(price, currency, field="Variant Price"),
                "compare_at": parse_amount(compare, currency, field="Variant Compare At Price")
                if compare
                else None,
            }
        ]
    return values


def _media(records: list[Record], variants: list[dict[str, Any]], lines: list[int]) -> list[dict[str, Any]]:
    skus = dict(zip(lines, (variant["sku"] for variant in variants), strict=True))
    of_variant = {
        record.cells["Variant Image"].strip(): skus[record.line]
        for record in records
        if record.line in skus and record.cells.get("Variant Image", "").strip()
    }
    placed = []
    for index, record in enumerate(records):
        url = record.cells.get("Image Src", "").strip()
        if url:
            position = record.cells.get("Image Position", "").strip()
            alt = " ".join(record.cells.get("Image Alt Text", "").split())[:300]
            placed.append((int(position) if position.isdigit() else index + 1, index, url, alt))
    found = {url: alt for _, _, url, alt in sorted(placed)}
    for url in of_variant:
        found.setdefault(url, "")
    return [{"url": url, "alt": alt, "sku": of_variant.get(url)} for url, alt in found.items()]
