"""Blocks of a page as its template takes them: texts in the reader's language, goods as they are sold here."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from samlad import channels, consent
from samlad.catalog import collections
from samlad.catalog.search.query import SearchQuery, search
from samlad.channels import Channel, Resource
from samlad.content import markdown, rules, store
from samlad.content.model import (
    Block,
    Categories,
    Document,
    Hero,
    Newsletter,
    Picture,
    PictureText,
    Recommend,
    Shelf,
    Stores,
    Text,
)
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import shelf, stores
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound
from samlad.orders import popular

KEPT_SECONDS = 600.0
MOST_KEPT = 200
MOST_SEEN = 24
_best: dict[tuple[UUID, int], tuple[float, list[UUID]]] = {}

Shown = dict[str, Any]


class _Page:
    """A page that is being put together."""

    def __init__(self, request: AnyRequest, channel: Channel, pictures: dict[str, Picture]) -> None:
        self.request = request
        self.channel = channel
        self.database: Database = database_of(request)
        self.pictures = pictures
        self.language = channel.locale
        self.own_language = channel.own.locale or "en"

    def say(self, words: Any) -> str:
        return rules.said(words, self.language, self.own_language[:2])

    def html(self, prose: Any) -> Any:
        return markdown.html(self.say(prose))

    async def cards(self, query: SearchQuery) -> list[Shown]:
        found = await search(self.database, self.channel, query)
        return await shelf.cards(self.database, self.channel, found.items, face.words(self.request)("Sale"))


async def shown(request: AnyRequest, channel: Channel, document: Document) -> list[Shown]:
    """Every block with what it needs; those that have nothing to show are left out."""
    keys = sorted(rules.pictures_of(document))
    pictures = await store.pictures(database_of(request), keys) if keys else {}
    page = _Page(request, channel, pictures)
    made = []
    for block in document.blocks:
        values = await _MAKERS[type(block)](page, block)
        if values is not None:
            made.append({"type": block.kind, "id": block.id} | values)
    return made


async def _hero(page: _Page, block: Hero) -> Shown | None:
    picture = page.pictures.get(block.picture)
    collage = [] if picture else await page.cards(SearchQuery(sort="newest", limit=4, facets=False))
    return {
        "title": page.say(block.title),
        "text": page.html(block.text),
        "picture": picture,
        "alt": page.say(block.alt),
        "button": page.say(block.button),
        "href": block.href,
        "collage": collage if len(collage) == 4 else [],
    }


async def _text(page: _Page, block: Text) -> Shown | None:
    return {"text": page.html(block.text)}


async def _picture_text(page: _Page, block: PictureText) -> Shown | None:
    return {
        "title": page.say(block.title),
        "text": page.html(block.text),
        "picture": page.pictures.get(block.picture),
        "alt": page.say(block.alt),
        "side": block.side,
        "button": page.say(block.button),
        "href": block.href,
    }


async def _shelf(page: _Page, block: Shelf) -> Shown | None:
    if not block.goods:
        return None
    if block.source == "category":
        query = SearchQuery(filters={"category": [block.goods]}, limit=block.count, facets=False)
        href = shelf.category_href(block.goods)
    else:
        try:
            found = await collections.by_handle(
                page.database, page.channel.pools[Resource.CATALOGUE], block.goods
            )
        except NotFound:  # it was removed; the page is shown without it
            return None
        query = SearchQuery(limit=block.count, facets=False, **collections.search_fields(found))
        href = ""
    products = await page.cards(query)
    return {"title": page.say(block.title), "products": products, "href": href} if products else None


async def _recommend(page: _Page, block: Recommend) -> Shown | None:
    values: Shown = {"title": page.say(block.title), "what": block.what, "count": block.count, "href": ""}
    if block.what == "last_seen":  # only the browser knows: it asks for them (`start.last_seen`)
        return values | {"products": []}
    if block.what == "new":
        query: SearchQuery | None = SearchQuery(sort="newest", limit=block.count, facets=False)
        values["href"] = "/search?sort=newest"
    else:
        query = _these(await _most_sold(page, block.count))
    products = await page.cards(query) if query is not None else []
    return values | {"products": products} if products else None


async def _most_sold(page: _Page, count: int) -> list[UUID]:
    """Products that sell most in all channels of the shop's pool of orders; at most ten minutes old."""
    pool = page.channel.pools[Resource.ORDERS]
    kept, moment = _best.get((pool, id(page.database))), time.monotonic()
    if kept is None or moment - kept[0] > KEPT_SECONDS:
        beside = [
            each.id
            for each in await channels.cached_all(page.database)
            if each.pools[Resource.ORDERS] == pool
        ]
        kept = (moment, await popular.most_sold(page.database, beside, MOST_SEEN))
        if len(_best) >= MOST_KEPT:
            _best.clear()
        _best[pool, id(page.database)] = kept
    return kept[1][:count]


def _these(products: Sequence[UUID]) -> SearchQuery | None:
    """A query for just these products, in their order."""
    if not products:
        return None
    listed = ", ".join(f"'{product}'" for product in products)
    return SearchQuery(
        condition=("s.product = ANY({}::uuid[])", [list(products)]),
        own_order="own",
        own_position=f"array_position(ARRAY[{listed}]::uuid[], s.product)",
        limit=len(products),
        facets=False,
    )


async def last_seen(request: AnyRequest, channel: Channel, handles: Sequence[str], count: int) -> list[Shown]:
    """Products by handle in the order in which a browser remembers them; those that are not sold are left out."""
    page = _Page(request, channel, {})
    pool = channel.pools[Resource.CATALOGUE]
    query = SearchQuery(
        condition=(
            "s.product IN (SELECT id FROM product WHERE pool = {}::uuid AND handle = ANY({}::text[]))",
            [pool, list(handles[:MOST_SEEN])],
        ),
        limit=MOST_SEEN,
        facets=False,
    )
    order = {shelf.product_href(handle): place for place, handle in enumerate(handles)}
    cards = await page.cards(query)
    return sorted(cards, key=lambda card: order.get(card["href"], len(order)))[:count]


async def _categories(page: _Page, block: Categories) -> Shown | None:
    trunk = [each for each in await shelf.branches(page.database, page.channel) if each.depth == 0]
    return {"title": page.say(block.title), "tiles": tiles(trunk[: block.count])} if trunk else None


def tiles(branches: Sequence[shelf.Branch]) -> list[Shown]:
    """Categories as tiles."""
    return [
        {"text": each.name, "href": each.href, "sku": each.path, "image": None, "count": each.count}
        for each in branches
    ]


async def _stores(page: _Page, block: Stores) -> Shown | None:
    moment = now()
    found = [
        stores.card(page.request, each, moment) for each in await stores.stores_of(page.request, page.channel)
    ]
    return {"title": page.say(block.title), "stores": found} if found else None


async def _newsletter(page: _Page, block: Newsletter) -> Shown | None:
    wording = await consent.latest_text(page.database, "email_marketing", page.language)
    return {"title": page.say(block.title), "text": page.html(block.text), "wording": wording}


_Maker = Callable[[_Page, Any], Awaitable[Shown | None]]
_MAKERS: dict[type[Block], _Maker] = {
    Hero: _hero,
    Text: _text,
    PictureText: _picture_text,
    Shelf: _shelf,
    Recommend: _recommend,
    Categories: _categories,
    Stores: _stores,
    Newsletter: _newsletter,
}
