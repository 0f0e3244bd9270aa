"""Goods as lists show them: product cards, the branches of the catalogue, and the address of everything."""

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from samlad import catalog
from samlad.catalog import Measure, Sellable, categories, unit_prices
from samlad.catalog.categories import Category
from samlad.catalog.search.query import Hit, SearchQuery, search
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, Resource
from samlad.faces.design.formats import money
from samlad.kernel.database import Database

KEPT_SECONDS = 30.0
_kept: dict[tuple[UUID, str, int], tuple[float, list["Branch"]]] = {}
MOST_KEPT = 500


class Branch(msgspec.Struct, frozen=True):
    """A category that has something in it. ``depth`` 0 is the trunk."""

    path: str
    name: str
    count: int

    @property
    def depth(self) -> int:
        """How many categories are above it."""
        return self.path.count("/")

    @property
    def href(self) -> str:
        """Its address."""
        return category_href(self.path)


def category_href(path: str) -> str:
    """The address of a category."""
    return f"/c/{quote(path)}"


def product_href(handle: str, sku: str | None = None) -> str:
    """The address of a product, or of one of its variants."""
    return f"/p/{quote(handle, safe='')}" + (f"?variant={quote(sku, safe='')}" if sku else "")


async def branches(database: Database, channel: Channel) -> list[Branch]:
    """The categories that have products in this shop, in the order of the tree; at most half a minute old.

    They stand on every page, so each process keeps them for a while.
    """
    key = (channel.id, channel.locale, id(database))
    kept = _kept.get(key)
    moment = time.monotonic()
    if kept is not None and moment - kept[0] < KEPT_SECONDS:
        return kept[1]
    found = await search(database, channel, SearchQuery(limit=1))
    counts = {v.value: v.count for f in found.facets if f.name == "category" for v in f.values}
    language = language_of(channel.locale)
    made = [
        Branch(each.path, _name(each, language), counts[each.path])
        for each in await categories.tree(database, channel.pools[Resource.CATALOGUE])
        if each.path in counts
    ]
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = (moment, made)
    return made


def _name(category: Category, language: str) -> str:
    texts = category.translations.get(language)
    return (texts.name if texts else None) or category.name


async def cards(
    database: Database, channel: Channel, hits: Sequence[Hit], sale_word: str
) -> list[dict[str, Any]]:
    """Hits as `ui.product_card` takes them. A reduction is shown with the former price and that of the last 30 days."""
    reduced = [hit.variant for hit in hits if hit.is_reduced and hit.variant is not None]
    sellables = await catalog.sellables(database, channel, reduced) if reduced else {}
    return [
        _card(hit, sellables.get(hit.variant) if hit.variant else None, channel, sale_word)
        for hit in hits
        if hit.price is not None
    ]


def _card(hit: Hit, sellable: Sellable | None, channel: Channel, sale_word: str) -> dict[str, Any]:
    card: dict[str, Any] = {
        "href": product_href(hit.handle),
        "title": hit.title,
        "sku": hit.handle,
        "image": hit.image,
        "price": hit.price,
        "currency": channel.currency,
        "from_price": hit.price_to is not None and hit.price_to != hit.price,
        "badge": (sale_word, "danger") if hit.is_reduced else None,
        "rating": hit.rating,
        "ratings": hit.ratings,
        "sold_by": hit.sold_by,
    }
    if sellable is not None and sellable.price is not None:
        card |= {
            "price": sellable.price,
            "reduced_from": before_price(sellable),
            "lowest_30": sellable.reference_price,
        }
    content = (
        hit.content if hit.sold_by is Measure.PIECE else None
    )  # what is weighed has its price by it already
    return card | {"unit_price": unit_price(card["price"], content, hit.content_unit, channel)}


def unit_price(price: int, content: float | None, unit: str | None, channel: Channel) -> str:
    """What a kilogram, litre or metre of it costs, as pages say it; empty where it is not known (Directive 98/6/EC)."""
    found = None if content is None else unit_prices.of(price, content, unit)
    return "" if found is None else f"{money(found.amount, channel.currency, channel.locale)} / {found.unit}"


def before_price(sellable: Sellable) -> int | None:
    """The price that is struck through: the former one, or without one the lowest of the 30 days before.

    A former price that was not asked is no reason to strike anything through.
    """
    if sellable.price is None:
        return None
    known = [
        p for p in (sellable.compare_at, sellable.reference_price) if p is not None and p > sellable.price
    ]
    return known[0] if known else None
