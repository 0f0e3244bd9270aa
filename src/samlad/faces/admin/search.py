"""Finding things: the search page, and what the command bar (Ctrl-K) finds beside the pages."""

from typing import Any

import msgspec
from litestar import Response, get

from samlad import channels, customers, orders
from samlad.catalog.permissions import READ as CATALOG_READ
from samlad.catalog.product_store import PRODUCTS
from samlad.channels import Resource
from samlad.faces.admin import names
from samlad.faces.admin.products import find
from samlad.faces.admin.scope import order_scope
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.page import AnyRequest, page, require, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.listing import ListQuery

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
    query = request.query_params.get("q", "").strip()[:_LONGEST]
    groups = await found(request, query, most=20)
    return await admin_page(request, "admin/search.html", query=query, groups=groups)


@get("/admin/search/options")
async def options(request: AnyRequest) -> Response[Any]:
    """What the command bar adds to its list while one types."""
    require(request)
    query = request.query_params.get("q", "").strip()[:_LONGEST]
    groups = await found(request, query, most=5)
    hits = [hit for _title, hits in groups for hit in hits]
    return page(request, "admin/search_options.html", hits=hits)


async def found(request: AnyRequest, query: str, *, most: int) -> list[tuple[str, list[Hit]]]:
    """Orders by number, products by SKU or title, customers by name: what the reader may see."""
    if len(query) < _SHORTEST:
        return []
    _ = words(request)
    actor, groups = actor_of(request), []
    if actor.may(orders.READ):
        groups.append((_("Orders"), await _orders(request, query, most)))
    if actor.may(CATALOG_READ):
        groups.append((_("Products"), await _products(request, query, most)))
    if actor.may(customers.READ):
        groups.append((_("Customers"), await _customers(request, query, most)))
    return [(title, hits) for title, hits in groups if hits]


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
    ids, _corrected = await find(database, channel, query)
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


HANDLERS = [search_page, options]
