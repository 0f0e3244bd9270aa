"""Finding things: the search page, and what the command bar (Ctrl-K) finds beside the pages."""

import re
from collections.abc import Awaitable, Callable, Iterable
from itertools import zip_longest
from typing import Any

import msgspec
from litestar import Response, get

from samlad import channels, customers, orders
from samlad.access import staff as people
from samlad.audiences.store import LISTING as SEGMENTS
from samlad.catalog.permissions import READ as CATALOG_READ
from samlad.catalog.product_store import PRODUCTS
from samlad.channels import Resource
from samlad.conversations import CONVERSATIONS
from samlad.credit.store import CARDS
from samlad.documents.store import LISTING as DOCUMENTS
from samlad.faces.admin import names, palette_words, setting_names
from samlad.faces.admin.palette import Named, closeness, find, words_in
from samlad.faces.admin.products import find as find_products
from samlad.faces.admin.scope import order_scope, own_codes, own_locations, within
from samlad.faces.admin.shell import MORE_PLACES, NAVIGATION, admin_page, main_of, places_for
from samlad.faces.page import AnyRequest, page, require, words
from samlad.kernel.context import Actor
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.orders import return_store
from samlad.promotions.store import LISTING as PROMOTIONS
from samlad.stock import reach
from samlad.stock.purchase_lists import PURCHASES
from samlad.subscriptions.store import LISTING as SUBSCRIPTIONS

_SHORTEST = 2
_LONGEST = 100
_NEAR = 2
"""How well fits what was found by something that its line does not say: better than a name with a slip."""
_FAR = 3


class Hit(msgspec.Struct, frozen=True):
    """Something that was found. ``names`` are what it is called besides ``text``; ``fits`` how well, where none of them says."""

    text: str
    href: str
    icon: str
    sub: str
    names: tuple[str, ...] = ()
    fits: int = _NEAR


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
    return page(request, "admin/search_options.html", hits=ranked(query, [hits for _title, hits in groups]))


def ranked(query: str, groups: Iterable[list[Hit]]) -> list[Hit]:
    """What was found as one list: what fits best first; of what fits as well, one of each kind in turn."""
    asked = words_in(query)
    turns = [hit for turn in zip_longest(*groups) for hit in turn if hit is not None]
    return sorted(turns, key=lambda hit: _fits(asked, hit))


def _fits(asked: tuple[str, ...], hit: Hit) -> int:
    found = [fits for name in (hit.text, *hit.names) if (fits := closeness(asked, name)) is not None]
    return min([hit.fits, *found])


def number_in(query: str) -> str:
    """The number that somebody asks for, without what they say before it: `order #W-1002`, `gift card 4KF7`, `PO 12`."""
    last = query.split()[-1].lstrip("#№") if query.split() else ""
    return last if re.search(r"[0-9]", last) else query.lstrip("#№")


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
    """The pages and acts that somebody may open, by their names and other words for them, here and in English."""
    everywhere = tuple(place for _title, places in NAVIGATION for place in places) + MORE_PLACES
    return [
        Named(
            said(place.text),
            place.href,
            place.icon,
            others=_others(said, place.text, palette_words.PLACES.get(place.href, "")),
        )
        for place in places_for(actor, everywhere)
    ]


def _others(said: Callable[[str], str], text: str, more: str) -> tuple[str, ...]:
    """Its name in English, each of the other words for it, and all of them with its name."""
    both = {more, said(more)} if more else set()
    each = [phrase.strip() for words_ in sorted(both) for phrase in words_.split(",")]
    return (text, *each, *(f"{said(text)} {text} {words_}" for words_ in sorted(both)))


def _places(request: AnyRequest, query: str, most: int) -> list[Hit]:
    """Pages, acts and settings."""
    _, actor = words(request), actor_of(request)
    named = named_places(_, actor)
    channel = main_of(channels.last_seen(database_of(request))) if actor.may("channels.read") else None
    if channel is not None:
        named += [
            Named(
                _(label),
                f"/admin/channels/{channel.id}#f-{name}",
                "settings",
                _("Setting"),
                (name, *_others(_, label, palette_words.SETTINGS.get(name, ""))),
            )
            for name, (label, _hint) in setting_names.setting.items()
        ]
    return [_hit(one) for one in find(query, named, most)]


def _hit(one: Named) -> Hit:
    return Hit(one.text, one.href, one.icon, one.sub, one.others, _FAR)


async def _orders(request: AnyRequest, query: str, most: int) -> list[Hit]:
    """By the whole number, with what it begins with in a channel or without (people type #w1001, and 1001); else by its beginning."""
    _, database = words(request), database_of(request)
    number = number_in(query)
    begins = {str(one.setting("number_prefix")) for one in await channels.cached_all(database)}
    whole = ",".join(sorted({each + number.upper() for each in begins | {""}} - {""}))

    async def look(filters: dict[str, str]) -> list[orders.OrderRow]:
        asked = ListQuery(limit=most, filters={**order_scope(actor_of(request)), **filters})
        return (await orders.LISTING.page(database, asked)).items

    rows = await look({"number": whole}) if whole else []
    for text in dict.fromkeys((query, number, number.upper())):
        if more := await look({"q": text}):
            rows += more
            break
    rows = list({row.id: row for row in rows}.values())[:most]
    return [
        Hit(
            row.number,
            f"/admin/orders/{row.id}",
            "orders",
            row.name or _(names.state_of(row)),
            fits=0 if number and number.upper() in row.number else _FAR,
        )
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
    rows: list[customers.CustomerRow] = []
    mine = await within(request, Resource.CUSTOMERS)
    for filters in [{"q": query}, *([{"phone": query}] if customers.looks_like_phone(query) else [])]:
        asked = ListQuery(limit=most, filters={**filters, **mine})
        rows = rows or (await customers.LISTING.page(database_of(request), asked)).items
    return [
        Hit(
            row.name or row.email or row.external_id or "–",
            f"/admin/customers/{row.id}",
            "customers",
            row.email or "",
            (row.email or "", row.external_id or "", row.phone or ""),
            fits=1,
        )
        for row in rows
    ]


async def _gift_cards(request: AnyRequest, query: str, most: int) -> list[Hit]:
    """By the last four characters of the code: nobody keeps the whole. The dashes of a code are for the eye."""
    end = "".join(filter(str.isalnum, number_in(query)))[-4:]
    if len(end) < 4:
        return []
    rows = (
        await CARDS.page(
            database_of(request),
            ListQuery(
                limit=most,
                filters={"last_four": end, **await within(request, Resource.CUSTOMERS)},
            ),
        )
    ).items
    return [
        Hit(f"•••• {row.last_four}", f"/admin/gift-cards/{row.id}", "gift", row.channel, fits=0)
        for row in rows
    ]


async def _returns(request: AnyRequest, query: str, most: int) -> list[Hit]:
    _, actor = words(request), actor_of(request)
    place = None if actor.locations is None else ",".join(map(str, sorted(actor.locations)))
    listing = ListQuery(limit=most, filters={"q": number_in(query).upper(), "place": place})
    rows = (await return_store.LISTING.page(database_of(request), listing)).items
    return [Hit(row.number, f"/admin/returns/{row.id}", "undo", row.name or row.order_number) for row in rows]


async def _documents(request: AnyRequest, query: str, most: int) -> list[Hit]:
    filters = {"q": number_in(query).upper(), "location": order_scope(actor_of(request)).get("location")}
    rows = (await DOCUMENTS.page(database_of(request), ListQuery(limit=most, filters=filters))).items
    return [
        Hit(row.number, f"/admin/orders/{row.order}", "receipt", row.buyer or row.order_number)
        for row in rows
    ]


async def _staff(request: AnyRequest, query: str, most: int) -> list[Hit]:
    rows = (await people.STAFF.page(database_of(request), ListQuery(limit=most, filters={"q": query}))).items
    return [Hit(row.name, f"/admin/staff/{row.id}", "user", row.email, (row.email,)) for row in rows]


async def _channels(request: AnyRequest, query: str, most: int) -> list[Hit]:
    every = await channels.cached_all(database_of(request))
    named = [Named(c.name, f"/admin/channels/{c.id}", "channels", c.code, (c.code,)) for c in every]
    return [_hit(one) for one in find(query, named, most)]


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
    return [_hit(one) for one in find(query, named, most)]


async def _promotions(request: AnyRequest, query: str, most: int) -> list[Hit]:
    database = database_of(request)
    pools = list({each.pools[Resource.PROMOTIONS] for each in await channels.cached_all(database)})
    rows = (await PROMOTIONS.page(database, ListQuery(limit=most, filters={"q": query}), pools)).items
    return [Hit(row.name, f"/admin/promotions/{row.id}", "tag", "") for row in rows]


async def _segments(request: AnyRequest, query: str, most: int) -> list[Hit]:
    rows = (await SEGMENTS.page(database_of(request), ListQuery(limit=most, filters={"q": query}))).items
    return [Hit(row.name, f"/admin/segments/{row.id}", "filter", "") for row in rows]


async def _conversations(request: AnyRequest, query: str, most: int) -> list[Hit]:
    asked = ListQuery(limit=most, filters={"q": query})
    mine = await reach.pools(database_of(request), actor_of(request), Resource.CONVERSATIONS)
    rows = (await CONVERSATIONS.page(database_of(request), asked, mine)).items
    return [
        Hit(
            row.subject, f"/admin/conversations/{row.id}", "mail", row.name, (row.name, row.email or ""), _FAR
        )
        for row in rows
    ]


async def _subscriptions(request: AnyRequest, query: str, most: int) -> list[Hit]:
    mine = await within(request, Resource.ORDERS)
    asked = ListQuery(limit=most, filters={"q": number_in(query), **mine})
    rows = (await SUBSCRIPTIONS.page(database_of(request), asked)).items
    return [
        Hit(row.number, f"/admin/subscriptions/{row.id}", "clock", row.name or row.email or "", fits=_FAR)
        for row in rows
    ]


async def _purchases(request: AnyRequest, query: str, most: int) -> list[Hit]:
    database = database_of(request)
    codes = await own_codes(actor_of(request), database)
    asked = ListQuery(limit=most, filters={"q": number_in(query), "location": codes})
    rows = (await PURCHASES.page(database, asked)).items
    return [
        Hit(
            f"{row.number} {row.reference}".strip(),
            f"/admin/stock/purchases/{row.id}",
            "cart",
            row.supplier_name,
        )
        for row in rows
    ]


_LOOKS: tuple[tuple[str, str, Callable[[AnyRequest, str, int], Awaitable[list[Hit]]]], ...] = (
    (marked("Orders"), orders.READ, _orders),
    (marked("Products"), CATALOG_READ, _products),
    (marked("Customers"), customers.READ, _customers),
    (marked("Conversations"), "conversations.read", _conversations),
    (marked("Returns"), orders.READ, _returns),
    (marked("Invoices"), "documents.read", _documents),
    (marked("Gift cards"), "credit.read", _gift_cards),
    (marked("Promotions"), "promotions.read", _promotions),
    (marked("Subscriptions"), "subscriptions.read", _subscriptions),
    (marked("Purchases"), "stock.purchase", _purchases),
    (marked("Segments"), "audiences.read", _segments),
    (marked("Channels"), "channels.read", _channels),
    (marked("Locations"), "stock.read", _locations),
    (marked("Staff"), "staff.read", _staff),
)
"""What is looked through, by whom, and how."""

HANDLERS = [search_page, options]
