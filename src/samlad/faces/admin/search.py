"""Finding things: the search page, and what the command bar (Ctrl-K) finds beside the pages."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Response, get

from samlad import channels, customers, orders
from samlad.access import staff as people
from samlad.audiences.store import LISTING as SEGMENTS
from samlad.catalog.permissions import READ as CATALOG_READ
from samlad.catalog.product_store import PRODUCTS
from samlad.channels import Resource
from samlad.credit.store import CARDS
from samlad.documents.store import LISTING as DOCUMENTS
from samlad.faces.admin import names, setting_names
from samlad.faces.admin.palette import Named, find
from samlad.faces.admin.products import find as find_products
from samlad.faces.admin.scope import order_scope, own_locations
from samlad.faces.admin.shell import MORE_PLACES, NAVIGATION, admin_page, main_of, places_for
from samlad.faces.page import AnyRequest, page, require, words
from samlad.kernel.context import Actor
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.orders import return_store
from samlad.promotions.store import LISTING as PROMOTIONS

_SHORTEST = 2
_LONGEST = 100


class Hit(msgspec.Struct, frozen=True):
    """Something that was found."""

    text: str
    href: str
    icon: str
    sub: str


@get("/admin/search")
async def search_page(request: AnyRequest) -> Response[Any]:
    """Everything that fits some words."""
    require(request)
    query = request.query_params.get("q", "").replace("\x00", "").strip()[:_LONGEST]
    groups = await found(request, query, most=20)
    return await admin_page(request, "admin/search.html", query=query, groups=groups)


@get("/admin/search/options")
async def options(request: AnyRequest) -> Response[Any]:
    """What the command bar adds to its list while one types."""
    require(request)
    query = request.query_params.get("q", "").replace("\x00", "").strip()[:_LONGEST]
    groups = await found(request, query, most=5)
    hits = [hit for _title, hits in groups for hit in hits]
    return page(request, "admin/search_options.html", hits=hits)


async def found(request: AnyRequest, query: str, *, most: int) -> list[tuple[str, list[Hit]]]:
    """Pages and acts by name, then what has a number or a name of its own: all that the reader may see."""
    if len(query) < _SHORTEST:
        return []
    _ = words(request)
    actor = actor_of(request)
    groups = [(_("Pages"), _places(request, query, most))]
    for title, permission, look in _LOOKS:
        if actor.may(permission):
            groups.append((_(title), await look(request, query, most)))
    return [(title, hits) for title, hits in groups if hits]


def named_places(said: Callable[[str], str], actor: Actor) -> list[Named]:
    """The pages and acts that somebody may open, by their names here and in English."""
    everywhere = tuple(place for _title, places in NAVIGATION for place in places) + MORE_PLACES
    return [
        Named(said(place.text), place.href, place.icon, others=(place.text,))
        for place in places_for(actor, everywhere)
    ]


def _places(request: AnyRequest, query: str, most: int) -> list[Hit]:
    """Pages, acts and settings."""
    _, actor = words(request), actor_of(request)
    named = named_places(_, actor)
    channel = main_of(channels.last_seen(database_of(request))) if actor.may("channels.read") else None
    if channel is not None:
        named += [
            Named(_(label), f"/admin/channels/{channel.id}#f-{name}", "settings", _("Setting"), (label, name))
            for name, (label, _hint) in setting_names.setting.items()
        ]
    return [Hit(one.text, one.href, one.icon, one.sub) for one in find(query, named, most)]


async def _orders(request: AnyRequest, query: str, most: int) -> list[Hit]:
    _ = words(request)
    rows: list[orders.OrderRow] = []
    for text in dict.fromkeys((query, query.upper())):  # people type w1001
        filters = {**order_scope(actor_of(request)), "q": text}
        rows = (
            rows
            or (await orders.LISTING.page(database_of(request), ListQuery(limit=most, filters=filters))).items
        )
    return [
        Hit(row.number, f"/admin/orders/{row.id}", "orders", row.name or _(names.order_status[row.status]))
        for row in rows
    ]


async def _products(request: AnyRequest, query: str, most: int) -> list[Hit]:
    database = database_of(request)
    channel = main_of(await channels.cached_all(database))
    if channel is None:
        return []
    ids, _corrected = await find_products(database, channel, query)
    ids = ids[:most]
    if not ids:
        return []
    listing = ListQuery(limit=most, filters={"id": ",".join(map(str, ids))})
    rows = {
        row.id: row
        for row in (await PRODUCTS.page(database, listing, [channel.pools[Resource.CATALOGUE]])).items
    }
    return [
        Hit(rows[one].title, f"/admin/products/{one}", "products", rows[one].handle)
        for one in ids
        if one in rows
    ]


async def _customers(request: AnyRequest, query: str, most: int) -> list[Hit]:
    rows = (
        await customers.LISTING.page(database_of(request), ListQuery(limit=most, filters={"q": query}))
    ).items
    return [
        Hit(
            row.name or row.email or row.external_id or "–",
            f"/admin/customers/{row.id}",
            "customers",
            row.email or "",
        )
        for row in rows
    ]


async def _gift_cards(request: AnyRequest, query: str, most: int) -> list[Hit]:
    """By the last four characters of the code: nobody keeps the whole."""
    rows = (
        await CARDS.page(database_of(request), ListQuery(limit=most, filters={"last_four": query[-4:]}))
    ).items
    return [Hit(f"•••• {row.last_four}", f"/admin/gift-cards/{row.id}", "gift", row.channel) for row in rows]


async def _returns(request: AnyRequest, query: str, most: int) -> list[Hit]:
    _, actor = words(request), actor_of(request)
    place = None if actor.locations is None else ",".join(map(str, sorted(actor.locations)))
    listing = ListQuery(limit=most, filters={"q": query.upper(), "place": place})
    rows = (await return_store.LISTING.page(database_of(request), listing)).items
    return [Hit(row.number, f"/admin/returns/{row.id}", "undo", row.name or row.order_number) for row in rows]


async def _documents(request: AnyRequest, query: str, most: int) -> list[Hit]:
    filters = {"q": query.upper(), "location": order_scope(actor_of(request)).get("location")}
    rows = (await DOCUMENTS.page(database_of(request), ListQuery(limit=most, filters=filters))).items
    return [
        Hit(row.number, f"/admin/orders/{row.order}", "receipt", row.buyer or row.order_number)
        for row in rows
    ]


async def _staff(request: AnyRequest, query: str, most: int) -> list[Hit]:
    rows = (await people.STAFF.page(database_of(request), ListQuery(limit=most, filters={"q": query}))).items
    return [Hit(row.name, f"/admin/staff/{row.id}", "user", row.email) for row in rows]


async def _channels(request: AnyRequest, query: str, most: int) -> list[Hit]:
    every = await channels.cached_all(database_of(request))
    named = [Named(c.name, f"/admin/channels/{c.id}", "channels", c.code, (c.code,)) for c in every]
    return [Hit(one.text, one.href, one.icon, one.sub) for one in find(query, named, most)]


async def _locations(request: AnyRequest, query: str, most: int) -> list[Hit]:
    every = await own_locations(actor_of(request), database_of(request))
    named = [
        Named(
            place.name,
            f"/admin/stock/locations/{place.id}",
            "store",
            place.code,
            (place.code, str(place.address.get("city", ""))),
        )
        for place in every
    ]
    return [Hit(one.text, one.href, one.icon, one.sub) for one in find(query, named, most)]


async def _promotions(request: AnyRequest, query: str, most: int) -> list[Hit]:
    database = database_of(request)
    pools = list({each.pools[Resource.PROMOTIONS] for each in await channels.cached_all(database)})
    rows = (await PROMOTIONS.page(database, ListQuery(limit=most, filters={"q": query}), pools)).items
    return [Hit(row.name, f"/admin/promotions/{row.id}", "tag", "") for row in rows]


async def _segments(request: AnyRequest, query: str, most: int) -> list[Hit]:
    rows = (await SEGMENTS.page(database_of(request), ListQuery(limit=most, filters={"q": query}))).items
    return [Hit(row.name, f"/admin/segments/{row.id}", "filter", "") for row in rows]


_LOOKS: tuple[tuple[str, str, Callable[[AnyRequest, str, int], Awaitable[list[Hit]]]], ...] = (
    (marked("Orders"), orders.READ, _orders),
    (marked("Products"), CATALOG_READ, _products),
    (marked("Customers"), customers.READ, _customers),
    (marked("Returns"), orders.READ, _returns),
    (marked("Invoices"), "documents.read", _documents),
    (marked("Gift cards"), "credit.read", _gift_cards),
    (marked("Promotions"), "promotions.read", _promotions),
    (marked("Segments"), "audiences.read", _segments),
    (marked("Channels"), "channels.read", _channels),
    (marked("Locations"), "stock.read", _locations),
    (marked("Staff"), "staff.read", _staff),
)
"""What is looked through, by whom, and how."""

HANDLERS = [search_page, options]
