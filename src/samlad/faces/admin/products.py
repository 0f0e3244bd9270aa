"""Products: the list with its search, and making new ones."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from samlad import catalog, channels, stock, tax
from samlad.access.bulk import Arguments, Kind
from samlad.catalog import ProductChange, ProductInput, product_store
from samlad.catalog.categories import tree
from samlad.catalog.model import ProductStatus
from samlad.catalog.permissions import CHANGE, READ
from samlad.catalog.product_store import PRODUCTS, ProductSummary
from samlad.catalog.search.query import SearchQuery, search
from samlad.channels import Channel, Resource
from samlad.faces.admin import bulk_all, names
from samlad.faces.admin.bulk_all import BulkList
from samlad.faces.admin.lists import Shown, shown
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, translated, words
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, NotFound, Problem

FOUND = 50
_MOST_VARIANTS = 1000


class Numbers(msgspec.Struct, frozen=True):
    """Beside a product in the list: its lowest price in the shop's main channel, and what is free to sell."""

    price: int | None
    currency: str
    is_from: bool
    free: int


async def shop_channel(request: AnyRequest, code: str | None = None) -> Channel:
    """The channel whose catalogue is looked at: by its code, else ``?channel=``, else the main one.

    Raises:
        NotFound: there is no channel at all.
    """
    everything = await channels.cached_all(database_of(request))
    chosen = code or request.query_params.get("channel")
    found = next((one for one in everything if one.code == chosen), None) or main_of(everything)
    if found is None:
        raise NotFound("Make a channel first: products belong to a channel's catalogue.")
    return found


@get("/admin/products")
async def list_products(request: AnyRequest) -> Response[Any]:
    """All products of a catalogue, or what a search finds in it."""
    require(request, READ)
    database, _ = database_of(request), words(request)
    everything = await channels.cached_all(database)
    if not everything:
        return await admin_page(request, "admin/products_none.html")
    channel = await shop_channel(request)
    pool = channel.pools[Resource.CATALOGUE]
    wanted = request.query_params.get("q", "").strip()
    corrected = None
    if wanted:
        ids, corrected = await find(database, channel, wanted)
        fixed = {"id": ",".join(map(str, ids)) or str(UUID(int=0)), "pool": str(pool)}
        found = await shown(
            request, database, PRODUCTS, [pool], fixed=fixed, also=("q", "channel"), limit=100
        )
        found = _ranked(found, ids)
    else:
        found = await shown(request, database, PRODUCTS, [pool], also=("q", "channel"))
    return await admin_page(
        request,
        "admin/products.html",
        list=found,
        numbers=await numbers(database, channel, found.items),
        corrected=corrected,
        names=names,
        states=translated(request, names.product_status),
        categories=[(one.path, one.name) for one in await tree(database, pool)],
        catalogues=_catalogues(everything),
        channel=channel,
    )


@get("/admin/products/export.csv")
async def export(request: AnyRequest) -> Response[Any]:
    """What the list shows as CSV, searched as it is there."""
    require(request, READ)
    query, pool = await _query_of(request, request.query_params)
    return await PRODUCTS.answer(database_of(request), query, [pool], as_csv=True, name="products")


async def _query_of(request: AnyRequest, asked: Mapping[str, str]) -> tuple[ListQuery, UUID]:
    """All that the list shows with an address: the query, and the pool of the catalogue."""
    database, channel = database_of(request), await shop_channel(request, asked.get("channel"))
    filters = {name: asked[name] for name in PRODUCTS.filters if asked.get(name)}
    wanted = asked.get("q", "").replace("\x00", "").strip()
    if wanted:
        ids, _corrected = await find(database, channel, wanted)
        filters["id"] = ",".join(map(str, ids)) or str(UUID(int=0))
    return ListQuery(filters=filters, sort=asked.get("sort")), channel.pools[Resource.CATALOGUE]


def _catalogues(everything: list[Channel]) -> list[tuple[str, str]]:
    """One channel for each catalogue; a choice only where there are several."""
    by_pool: dict[UUID, Channel] = {}
    for one in sorted(everything, key=lambda channel: channel.created_at):
        by_pool.setdefault(one.pools[Resource.CATALOGUE], one)
    return [(one.code, one.name) for one in by_pool.values()] if len(by_pool) > 1 else []


async def find(database: Database, channel: Channel, text: str) -> tuple[list[UUID], str | None]:
    """Products for some words, the best first, and the words as they were mended: typing errors are forgiven.

    What is on sale comes from the shop's own search; drafts and archived ones, which it does not know, by title.
    """
    result = await search(database, channel, SearchQuery(text=text, limit=FOUND, facets=False))
    ids = [hit.id for hit in result.items]
    pool = channel.pools[Resource.CATALOGUE]
    for filters in ({"title": text[:200], "status": "draft,archived"}, {"sku": text[:100]}):
        more = await PRODUCTS.page(database, ListQuery(limit=FOUND, filters=filters), [pool])
        ids += [row.id for row in more.items if row.id not in ids]
    return ids[:100], result.corrected


def _ranked(found: Shown[ProductSummary], ids: list[UUID]) -> Shown[ProductSummary]:
    """In the order of the search, unless another was asked for."""
    if "sort" in found.params:
        return found
    rank = {one: place for place, one in enumerate(ids)}
    return msgspec.structs.replace(found, items=sorted(found.items, key=lambda row: rank[row.id]))


async def numbers(database: Database, channel: Channel, rows: list[ProductSummary]) -> dict[UUID, Numbers]:
    """Price and stock of the products on a page: three statements, however many."""
    variants = await product_store.variants_of(database, [row.id for row in rows])
    variants = [one for one in variants if one.status == "active"][:_MOST_VARIANTS]
    ids = [one.id for one in variants]
    sold = await catalog.sellables(database, channel, ids)
    free: dict[UUID, int] = {}
    for level in await stock.levels_of(database, ids):
        free[level.variant] = free.get(level.variant, 0) + level.available
    found: dict[UUID, Numbers] = {}
    for row in rows:
        own = [one.id for one in variants if one.product == row.id]
        prices = {price for one in own if one in sold and (price := sold[one].price) is not None}
        found[row.id] = Numbers(
            price=min(prices, default=None),
            currency=channel.currency,
            is_from=len(prices) > 1,
            free=sum(free.get(one, 0) for one in own),
        )
    return found


# -- a new product --------------------------------------------------------------------------------------------------------


@get("/admin/products/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new product."""
    require(request, CHANGE)
    return await _new_page(request, Form.of(status="draft", tax_class="standard"))


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    channel = await shop_channel(request)
    return await admin_page(
        request,
        "admin/product_new.html",
        status_code=form.status,
        form=form,
        channel=channel,
        states=translated(request, names.product_status)[:2],
        measures=translated(request, names.measure),
        **await product_choices(request, channel.pools[Resource.CATALOGUE]),
    )


async def product_choices(request: AnyRequest, pool: UUID) -> dict[str, Any]:
    """What a product's form offers to choose from."""
    database = database_of(request)
    return {
        "categories": [
            (one.path, " / ".join([*one.path.split("/")[:-1], one.name]))
            for one in await tree(database, pool)
        ],
        "tax_classes": [(one.code, one.name) for one in await tax.classes(database)],
    }


@post("/admin/products/new")
async def create(request: AnyRequest) -> Response[Any]:
    """Make a product with its first variants: one a line, or a single one."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    channel = await shop_channel(request)
    try:
        data = form.into(
            ProductInput,
            variants=_variants(form, channel.currency),
            tags=_tags(form),
            options=[],
            media=[],
            translations={},
            attributes={},
        )
        pool, prices = channel.pools[Resource.CATALOGUE], channel.pools[Resource.PRICES]
        made = await change(request, lambda tx: catalog.create(tx, pool, data, price_pool=prices))
    except Problem as problem:
        return await _new_page(request, form.failed(problem, _AT))
    return go(request, f"/admin/products/{made.id}", _("The product is there."))


_AT = {
    "variants/0/sku": "sku",
    "variants/0/gtin": "gtin",
    "variants/0/prices/0/amount": "price",
    "variants/0/prices/0/price_list": "price",
}


def _tags(form: Form) -> list[str]:
    return [tag.strip() for tag in form.get("tags").split(",") if tag.strip()]


def _variants(form: Form, currency: str) -> list[dict[str, Any]]:
    """One variant for each value of the option that was named, with its SKU made from the first; else one."""
    sku, option = form.text("sku"), form.text("option")
    if sku is None:
        raise InvalidInput.at("sku", form.translate("Please fill this in."))
    amount = form.amount("price", currency)
    prices = [] if amount is None else [{"price_list": "base", "amount": amount}]
    common = {"prices": prices, "sold_by": form.get("sold_by") or "piece"}
    values = [value.strip() for value in form.get("values").split(",") if value.strip()] if option else []
    if not values:
        code = {"gtin": form.text("gtin")} if form.text("gtin") else {}
        return [{"sku": sku, **common, **code}]
    return [
        {"sku": f"{sku}-{value.upper().replace(' ', '')}", "options": {option: value}, **common}
        for value in dict.fromkeys(values)
    ]


@post("/admin/products/bulk")
async def act_on_many(request: AnyRequest) -> Response[Any]:
    """Put the picked ones, or all that fit, on sale, back to drafts, or away."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        wanted = ProductStatus(form.get("act"))
    except ValueError:
        back = local_path(form.text("next"), "/admin/products")
        return go(request, back, _("Please say what is to be done with them."), kind="danger")
    return await _STATUSES.run(request, form, {"to": str(wanted)})


async def _put(tx: Tx, product: UUID, arguments: Arguments) -> str | None:
    found, wanted = await catalog.view(tx, product), ProductStatus(arguments["to"])
    if found.status == wanted:
        return None
    await catalog.change(tx, product, ProductChange(status=wanted), found.version)
    return str(found.status)


async def _put_back(tx: Tx, product: UUID, before: str, arguments: Arguments) -> None:
    found = await catalog.view(tx, product)
    if found.status == arguments["to"]:  # what somebody has changed since is theirs
        await catalog.change(tx, product, ProductChange(status=ProductStatus(before)), found.version)


async def _named(reader: Reader, product: UUID) -> str:
    return (await catalog.view(reader, product)).title


async def _all_that_fit(request: AnyRequest, asked: Mapping[str, str], most: int) -> list[UUID]:
    query, pool = await _query_of(request, asked)
    return await PRODUCTS.keys(database_of(request), query, [pool], most=most)


_ACTS = {
    "active": marked("Put on sale"),
    "draft": marked("Make drafts"),
    "archived": marked("Archive"),
}
_STATUSES = bulk_all.add(
    BulkList(
        path="/admin/products",
        kind=Kind(name="products.status", needs=CHANGE, act=_put, back=_put_back),
        title=lambda request, arguments: words(request)(_ACTS[arguments["to"]]),
        named=_named,
        keys=_all_that_fit,
    )
)

HANDLERS = [list_products, export, show_new, create, act_on_many]
