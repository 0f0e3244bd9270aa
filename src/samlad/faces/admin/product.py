"""One product: what it is, its variants and prices, where it lies, where and in which languages it is shown."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import catalog, channels, stock
from samlad.catalog import ProductChange, ProductView, listings, prices, size_charts
from samlad.catalog.listings import LISTINGS, ListingInput, ProductListing
from samlad.catalog.model import LANGUAGES
from samlad.catalog.permissions import CHANGE, PRICES, READ
from samlad.catalog.prices import PRICES_OF
from samlad.channels import Channel, Resource
from samlad.faces import shop_link
from samlad.faces.admin import lot_names, names
from samlad.faces.admin.products import product_choices, shop_channel
from samlad.faces.admin.scope import own_locations
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import LARGEST_LIMIT, ListQuery
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import NotFound, Problem

TABS = (
    ("details", marked("Details")),
    ("variants", marked("Variants and prices")),
    ("stock", marked("Stock")),
    ("channels", marked("Channels")),
    ("languages", marked("Languages")),
)
TEXTS = ("title", "description", "seo_title", "seo_description")
DETAILS = (
    "title",
    "handle",
    "description",
    "status",
    "category",
    "brand",
    "supplier",
    "tax_class",
    "tracking",
    "min_days_left",
    "seo_title",
    "seo_description",
)


@get("/admin/products/{product_id:uuid}")
async def show_product(request: AnyRequest, product_id: FromPath[UUID]) -> Response[Any]:
    """A product, a tab at a time."""
    require(request, READ)
    product = await catalog.view(database_of(request), product_id)
    return await _page(request, product, request.query_params.get("tab", "details"), None)


async def _page(request: AnyRequest, product: ProductView, tab: str, form: Form | None) -> Response[Any]:
    _ = words(request)
    tab = tab if tab in dict(TABS) else "details"
    here = f"/admin/products/{product.id}"
    channel = await _channel_of(request, product)
    own = await _TAB_CONTEXTS[tab](request, product, channel, form)
    shown = own.pop("form")
    return await admin_page(
        request,
        "admin/product.html",
        status_code=shown.status,
        product=product,
        form=shown,
        tab=tab,
        tabs=[{"text": _(text), "href": f"{here}?tab={key}", "current": key == tab} for key, text in TABS],
        channel=channel,
        in_shops=await _in_shops(request, product),
        names=names,
        can_change=actor_of(request).may(CHANGE),
        can_price=actor_of(request).may(PRICES),
        **own,
    )


async def _channel_of(request: AnyRequest, product: ProductView) -> Channel:
    """A channel that sells from the product's catalogue: the main one if it does."""
    first = await shop_channel(request)
    if first.pools[Resource.CATALOGUE] == product.pool:
        return first
    everything = await channels.cached_all(database_of(request))
    return next((one for one in everything if one.pools[Resource.CATALOGUE] == product.pool), first)


async def _in_shops(request: AnyRequest, product: ProductView) -> list[tuple[str, str]]:
    """Where it can be seen: (name, address) of each web shop that sells any of it now."""
    if product.status != "active":
        return []
    database, variants = database_of(request), [variant.id for variant in product.variants]
    return [
        (shop.name, f"{start}/p/{product.handle}")
        for shop, start in await shop_link.shops_of_goods(request, product.pool)
        if await catalog.sellables(database, shop, variants)
    ]


# -- what each tab shows ---------------------------------------------------------------------------------------------------


async def _details(
    request: AnyRequest, product: ProductView, _: Channel, form: Form | None
) -> dict[str, Any]:
    values = {name: getattr(product, name) for name in DETAILS if name != "category"}
    shown = form or Form.of(
        version=product.version,
        category=product.category_path,
        tags=", ".join(product.tags),
        media="\n".join(one.url for one in product.media),
        **values,
    )
    return {
        "form": shown,
        "states": translated(request, names.product_status),
        "tracking": translated(request, lot_names.tracking),
        "is_set": bool(product.components),
        "chart": await size_charts.of_product(database_of(request), product.id),
        "chart_columns": lambda chart: [{"title": measure, "end": True} for measure in chart.measures],
        **await product_choices(request, product.pool),
    }


async def _variants(
    request: AnyRequest, product: ProductView, channel: Channel, form: Form | None
) -> dict[str, Any]:
    database = database_of(request)
    ids = [variant.id for variant in product.variants]
    query = ListQuery(limit=LARGEST_LIMIT, filters={"product": str(product.id), "price_list": "base"})
    pool = channel.pools[Resource.PRICES]
    found = (await PRICES_OF.page(database, query, [pool])).items
    base = {price.variant: price for price in found if price.min_quantity == 1}
    fields: dict[str, Any] = {}
    for variant in product.variants:
        price = base.get(variant.id)
        fields |= {
            f"gtin-{variant.id}": variant.gtin,
            f"weight-{variant.id}": variant.weight_g,
            f"status-{variant.id}": str(variant.status),
            f"price-{variant.id}": decimal_text(price.amount, price.currency) if price else None,
            f"was-{variant.id}": decimal_text(price.compare_at, price.currency)
            if price and price.compare_at
            else None,
        }
    return {
        "form": form or Form.of(version=product.version, **fields),
        "sold": await catalog.sellables(database, channel, ids),
        "currency": next((price.currency for price in found), channel.currency),
        "variant_states": translated(request, names.variant_status),
        "measures": translated(request, names.measure),
    }


async def _stock(request: AnyRequest, product: ProductView, _: Channel, form: Form | None) -> dict[str, Any]:
    database = database_of(request)
    places = {place.id: place for place in await own_locations(actor_of(request), database)}
    levels = await stock.levels_of(database, [variant.id for variant in product.variants])
    return {
        "form": form or Form(),
        "levels": [level for level in levels if level.location in places],
        "places": places,
        "variant_names": {variant.id: variant for variant in product.variants},
    }


async def _channels(
    request: AnyRequest, product: ProductView, _: Channel, form: Form | None
) -> dict[str, Any]:
    database = database_of(request)
    everything = await channels.cached_all(database)
    here = [one for one in everything if one.pools[Resource.CATALOGUE] == product.pool]
    query = ListQuery(limit=LARGEST_LIMIT, filters={"product": str(product.id)})
    found = {one.channel: one for one in (await LISTINGS.page(database, query, [product.pool])).items}
    return {"form": form or Form(), "shops": here, "listings": found, "now": now(), "own_price": _own_price}


def _own_price(listing: ProductListing | None, currency: str) -> str:
    return "" if listing is None or listing.price is None else decimal_text(listing.price, currency)


async def _languages(
    _: AnyRequest, product: ProductView, channel: Channel, form: Form | None
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for language in LANGUAGES:
        texts = product.translations.get(language)
        fields |= {f"{name}-{language}": getattr(texts, name) if texts else None for name in TEXTS}
    own = channel.locale.partition("-")[0]
    return {
        "form": form or Form.of(version=product.version, **fields),
        "languages_of": [(one, names.language[one]) for one in LANGUAGES if one != own],
    }


_TAB_CONTEXTS = {
    "details": _details,
    "variants": _variants,
    "stock": _stock,
    "channels": _channels,
    "languages": _languages,
}


# -- changing -----------------------------------------------------------------------------------------------------------------


@post("/admin/products/{product_id:uuid}")
async def change_details(request: AnyRequest, product_id: FromPath[UUID]) -> Response[Any]:
    """Change what the product is."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    before = await catalog.view(database_of(request), product_id)
    try:
        given: dict[str, Any] = {name: form.text(name) for name in DETAILS if name in form.fields}
        given["description"] = form.get("description")
        if "min_days_left" in given:
            given["min_days_left"] = form.whole("min_days_left") or 0
        given["tags"] = [tag.strip() for tag in form.get("tags").split(",") if tag.strip()]
        given["media"] = _media(form, before)
        needed = {
            name: value
            for name, value in given.items()
            if value is not None or name not in ("title", "handle")
        }
        data = form.into(ProductChange, **needed)
        after = await change(request, lambda tx: catalog.change(tx, product_id, data, form.version()))
    except Problem as problem:
        return await _page(request, before, "details", form.failed(problem))
    back = {name: getattr(before, name) for name in DETAILS if name != "category"} | {
        "category": before.category_path,
        "tags": before.tags,
    }
    undo = undo_href(request, "product.change", product=product_id, version=after.version, back=back)
    return go(request, f"/admin/products/{product_id}", _("Saved. Customers see it now."), undo=undo)


def _media(form: Form, before: ProductView) -> list[dict[str, Any]]:
    """The pictures by their addresses, one a line; known ones keep what is said of them."""
    known = {one.url: one for one in before.media}
    skus = {variant.id: variant.sku for variant in before.variants}
    found = []
    for url in filter(None, map(str.strip, form.get("media").splitlines())):
        old = known.get(url)
        found.append(
            {
                "url": url,
                "alt": old.alt if old else "",
                "sku": skus.get(old.variant) if old and old.variant else None,
            }
        )
    return found


@undoable("product.change")
async def _undo_change(tx: Tx, arguments: dict[str, Any]) -> str:
    product_id = UUID(arguments["product"])
    await catalog.change(
        tx, product_id, msgspec.convert(arguments["back"], ProductChange), arguments["version"]
    )
    return f"/admin/products/{product_id}"


@post("/admin/products/{product_id:uuid}/variants")
async def change_variants(request: AnyRequest, product_id: FromPath[UUID]) -> Response[Any]:
    """Change barcodes, weights, states and prices of the variants; add another one."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    before = await catalog.view(database_of(request), product_id)
    channel = await _channel_of(request, before)
    may_price = actor_of(request).may(PRICES)
    try:
        rows = []
        for place, variant in enumerate(before.variants):
            if f"status-{variant.id}" in form.fields:
                rows.append(
                    (
                        place,
                        _variant_row(form, variant.id, variant.sku, channel.currency, may_price=may_price),
                    )
                )
        if form.text("new-sku"):
            rows.append((len(before.variants), _new_row(form, channel.currency)))
        data = form.into(ProductChange, variants=[row for _place, row in rows])
        pool = channel.pools[Resource.PRICES]
        await change(
            request, lambda tx: catalog.change(tx, product_id, data, form.version(), price_pool=pool)
        )
    except Problem as problem:
        return await _page(request, before, "variants", form.failed(problem))
    return go(request, f"/admin/products/{product_id}?tab=variants", _("Saved. Customers see it now."))


def _variant_row(form: Form, variant: UUID, sku: str, currency: str, *, may_price: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "sku": sku,
        "gtin": form.text(f"gtin-{variant}"),
        "weight_g": form.whole(f"weight-{variant}"),
        "status": form.get(f"status-{variant}"),
    }
    if may_price:
        amount, was = form.amount(f"price-{variant}", currency), form.amount(f"was-{variant}", currency)
        row["prices"] = [
            {"price_list": "base", "amount": amount, "compare_at": was if amount is not None else None}
        ]
    return row


def _new_row(form: Form, currency: str) -> dict[str, Any]:
    amount = form.amount("new-price", currency)
    options = {}
    for name in form.fields:
        if name.startswith("new-option-") and form.text(name):
            options[name.removeprefix("new-option-")] = form.text(name)
    if form.text("new-option") and form.text("new-value"):
        options[form.get("new-option").strip()] = form.text("new-value")
    prices_of = [] if amount is None else [{"price_list": "base", "amount": amount}]
    sold_by = form.get("new-sold-by") or "piece"
    return {"sku": form.text("new-sku"), "options": options, "prices": prices_of, "sold_by": sold_by}


@post("/admin/products/{product_id:uuid}/languages")
async def change_texts(request: AnyRequest, product_id: FromPath[UUID]) -> Response[Any]:
    """Change the texts in other languages; what is left empty stays in the shop's own."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    before = await catalog.view(database_of(request), product_id)
    try:
        texts: dict[str, Any] = {}
        for language in LANGUAGES:
            old = before.translations.get(language)
            given = msgspec.to_builtins(old) if old else {}
            if f"title-{language}" in form.fields:
                given |= {name: form.text(f"{name}-{language}") for name in TEXTS}
            if any(given.values()):
                texts[language] = given
        data = form.into(ProductChange, translations=texts)
        await change(request, lambda tx: catalog.change(tx, product_id, data, form.version()))
    except Problem as problem:
        return await _page(request, before, "languages", form.failed(problem))
    return go(request, f"/admin/products/{product_id}?tab=languages", _("Saved. Customers see it now."))


@post("/admin/products/{product_id:uuid}/channels/{channel_id:uuid}")
async def change_listing(
    request: AnyRequest, product_id: FromPath[UUID], channel_id: FromPath[UUID]
) -> Response[Any]:
    """Show or hide the product in a channel, with a title or price of its own there."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    before = await catalog.view(database_of(request), product_id)
    channel = await channels.cached(database_of(request), channel_id)
    here, seen = f"/admin/products/{product_id}?tab=channels", form.version()
    form.fields["shop"] = [str(channel_id)]
    try:
        if form.get("act") == "forget":
            await change(request, lambda tx: listings.remove(tx, product_id, channel_id, seen))
            return go(request, here, _("It is shown there as it is, again."))
        published: datetime | None = now() if form.has("published") else None
        data = ListingInput(products=[product_id], channel=channel_id, published_at=published)
        data = msgspec.structs.replace(data, title=form.text("title"))
        if actor_of(request).may(PRICES):
            data = msgspec.structs.replace(data, price=form.amount("price", channel.currency))
        await change(request, lambda tx: listings.put(tx, data, seen))
    except Problem as problem:
        return await _page(request, before, "channels", form.failed(problem))
    return go(request, here, _("Saved. It holds from now on."))


@get("/admin/variants/{variant_id:uuid}/prices")
async def show_prices(request: AnyRequest, variant_id: FromPath[UUID]) -> Response[Any]:
    """What a variant cost when: the evidence for a prior price."""
    require(request, READ)
    database = database_of(request)
    found = (await catalog.by_ids(database, [variant_id])).get(variant_id)
    if found is None:
        raise NotFound("There is no such variant.")
    everything = {one.id: one.name for one in await channels.cached_all(database)}
    periods = await prices.history(database, variant_id)
    return await admin_page(
        request, "admin/variant_prices.html", variant=found, periods=periods, channel_names=everything
    )


HANDLERS = [show_product, change_details, change_variants, change_texts, change_listing, show_prices]
