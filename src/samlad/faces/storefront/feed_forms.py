"""Product feeds as their readers want them: one item, many forms. Pure.

Sources: Google Merchant Center, *Product data specification* (and the field names of google-shopping-merchant-products
1.9, `ProductAttributes`); Meta, *Product data specifications for catalogs*; OpenAI, *Product feed spec*. Words that mean the
same differ between them ("in_stock", "in stock"), so no form takes those of another.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Literal
from xml.sax.saxutils import escape

import msgspec
import nh3

from samlad.kernel.money import decimal_text

Availability = Literal["in_stock", "out_of_stock", "backorder"]
TITLE, DESCRIPTION, ID, MOST_PICTURES = 150, 5_000, 50, 10


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as it is sold in a channel. Prices in minor units; ``regular`` is the one that is struck through, if any."""

    id: str
    group: str
    title: str
    description: str
    link: str
    pictures: Sequence[str]
    price: int
    regular: int | None
    currency: str
    availability: Availability
    available_on: date | None = None
    brand: str = ""
    gtin: str = ""
    mpn: str = ""
    category: str = ""
    weight_g: int | None = None
    seller: str = ""
    root: str = ""
    traits: Mapping[str, str] = {}
    """Of these: color, size, material, gender, age_group, unit_pricing_measure, unit_pricing_base_measure."""


TRAITS = (
    "color", "size", "material", "pattern", "gender", "age_group",
    "unit_pricing_measure", "unit_pricing_base_measure",
)  # fmt: skip
"""Attributes and options that are handed on as they are, by the code that Google gives them."""
ALSO = {"colour": "color", "färg": "color", "kleur": "color", "storlek": "size", "maat": "size"}
"""What shops call them besides."""


def plain(html: str, most: int) -> str:
    """A description without marks, cut at a word."""
    text = " ".join(_unescaped(nh3.clean(html.replace("<", " <"), tags=set())).split())
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + "…"


def _unescaped(text: str) -> str:
    for sign, escaped in (("<", "&lt;"), (">", "&gt;"), ("\u00a0", "&nbsp;"), ("&", "&amp;")):
        text = text.replace(escaped, sign)
    return text


def _money(amount: int, currency: str) -> str:
    return f"{decimal_text(amount, currency)} {currency}"


def google(item: Item) -> dict[str, str]:
    """The attributes of Google's specification that are known; empty ones are left out."""
    regular = item.price if item.regular is None else item.regular
    values = {
        "id": item.id,
        "title": item.title[:TITLE],
        "description": item.description[:DESCRIPTION] or item.title,
        "link": item.link,
        "image_link": item.pictures[0] if item.pictures else "",
        "additional_image_link": ",".join(item.pictures[1 : MOST_PICTURES + 1]),
        "availability": item.availability,
        "availability_date": item.available_on.isoformat() if item.available_on else "",
        "price": _money(regular, item.currency),
        "sale_price": "" if item.regular is None else _money(item.price, item.currency),
        "condition": "new",
        "brand": item.brand,
        "gtin": item.gtin,
        "mpn": "" if item.gtin else item.mpn,
        "identifier_exists": "" if item.gtin or (item.brand and item.mpn) else "no",
        "item_group_id": item.group,
        "product_type": item.category,
        "shipping_weight": f"{item.weight_g} g" if item.weight_g else "",
    }
    return {name: text for name, text in (values | dict(item.traits)).items() if text}


GOOGLE_COLUMNS = (
    "id", "title", "description", "link", "image_link", "additional_image_link", "availability", "availability_date",
    "price", "sale_price", "condition", "brand", "gtin", "mpn", "identifier_exists", "item_group_id", "product_type",
    "shipping_weight", *TRAITS,
)  # fmt: skip


def meta(item: Item) -> dict[str, str]:
    """The fields of Meta's catalogue. It has no backorder: what can be ordered is *available for order*."""
    regular = item.price if item.regular is None else item.regular
    words = {"in_stock": "in stock", "out_of_stock": "out of stock", "backorder": "available for order"}
    values = {
        "id": item.id,
        "title": item.title[:200],
        "description": item.description[:9_999] or item.title,
        "availability": words[item.availability],
        "condition": "new",
        "price": _money(regular, item.currency),
        "sale_price": "" if item.regular is None else _money(item.price, item.currency),
        "link": item.link,
        "image_link": item.pictures[0] if item.pictures else "",
        "additional_image_link": ",".join(item.pictures[1:20]),
        "brand": item.brand or item.seller,
        "gtin": item.gtin,
        "mpn": item.mpn,
        "item_group_id": item.group,
        "product_type": item.category,
    }
    taken = ("color", "size", "material", "pattern", "gender", "age_group")
    return values | {name: item.traits.get(name, "") for name in taken}


META_COLUMNS = (
    "id", "title", "description", "availability", "condition", "price", "sale_price", "link", "image_link",
    "additional_image_link", "brand", "gtin", "mpn", "item_group_id", "product_type",
    "color", "size", "material", "pattern", "gender", "age_group",
)  # fmt: skip


def openai(item: Item) -> dict[str, str]:
    """The fields of OpenAI's feed: the nine that it needs, and those of ours that it knows. Bought is on our own pages."""
    regular = item.price if item.regular is None else item.regular
    values = {
        "is_eligible_search": "true",
        "is_eligible_checkout": "false",
        "item_id": item.id,
        "title": item.title[:TITLE],
        "description": item.description[:DESCRIPTION] or item.title,
        "url": item.link,
        "brand": item.brand or item.seller,
        "seller_name": item.seller,
        "seller_url": item.root,
        "image_url": item.pictures[0] if item.pictures else "",
        "additional_image_urls": ",".join(item.pictures[1 : MOST_PICTURES + 1]),
        "availability": item.availability,
        "price": _money(regular, item.currency),
        "sale_price": "" if item.regular is None else _money(item.price, item.currency),
        "condition": "new",
        "gtin": item.gtin,
        "mpn": item.mpn,
        "product_category": item.category,
        "group_id": item.group,
        "color": item.traits.get("color", ""),
        "size": item.traits.get("size", ""),
        "material": item.traits.get("material", ""),
    }
    return {name: text for name, text in values.items() if text}


# -- files -----------------------------------------------------------------------------------------------------------------


class Form(msgspec.Struct, frozen=True):
    """How a feed is written: its first bytes, an item, its last bytes."""

    media_type: str
    head: Callable[[str, str], str]
    item: Callable[[Item], str]
    tail: str = ""


def _xml_head(name: str, root: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>'
        f"<title>{_xml(name)}</title><link>{_xml(root)}/</link><description>{_xml(name)}</description>\n"
    )


def _xml_item(item: Item) -> str:
    fields = []
    for name, text in google(item).items():
        parts = text.split(",") if name == "additional_image_link" else [text]
        fields += [f"<g:{name}>{_xml(part)}</g:{name}>" for part in parts]
    return f"<item>{''.join(fields)}</item>\n"


def _xml(text: str) -> str:
    """Text for XML 1.0, which cannot have most control characters, not even escaped."""
    return escape(
        "".join(
            c
            for c in text
            if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
        )
    )


def _row(columns: Sequence[str], values: Mapping[str, str]) -> str:
    """A line of tab-separated values: no tab and no line break is in any, so that nobody has to know about quotes."""
    held = io.StringIO()
    writer = csv.writer(held, delimiter="\t", lineterminator="\n")
    writer.writerow([" ".join(values.get(name, "").split()) for name in columns])
    return held.getvalue()


def _tsv(columns: Sequence[str], form: Callable[[Item], dict[str, str]]) -> Form:
    return Form(
        "text/tab-separated-values; charset=utf-8",
        lambda _name, _root: _row(columns, dict(zip(columns, columns, strict=True))),
        lambda item: _row(columns, form(item)),
    )


FORMS: dict[str, Form] = {
    "google.xml": Form("application/xml; charset=utf-8", _xml_head, _xml_item, "</channel></rss>\n"),
    "google.tsv": _tsv(GOOGLE_COLUMNS, google),
    "meta.tsv": _tsv(META_COLUMNS, meta),
    "openai.jsonl": Form(
        "application/jsonl",
        lambda _name, _root: "",
        lambda item: msgspec.json.encode(openai(item)).decode() + "\n",
    ),
}
"""Every feed by its name in `/feeds/NAME`."""
