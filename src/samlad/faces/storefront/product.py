"""The page of one product."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath
from markupsafe import Markup

from samlad import catalog, delivery, stock
from samlad.carts.model import LARGEST_QUANTITY
from samlad.catalog import ProductView, Sellable, Variant
from samlad.catalog.model import Media, Texts
from samlad.catalog.search.query import SearchQuery, search
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, Resource
from samlad.delivery import Destination
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import amounts, basket, picker, repeats, shelf, stores, structured
from samlad.faces.storefront.place import channel_of, show
from samlad.faces.storefront.typed import typed
from samlad.kernel.http import database_of
from samlad.kernel.i18n import translator
from samlad.kernel.problems import NotFound
from samlad.tracking import own
from samlad.tracking.vocabulary import decimal

MORE = 4
MOST_PLACES = 30
"""Stores on the page; whoever types a postal code sees those nearby."""


@get("/p/{handle:str}")
async def product_page(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """A product; ``?variant=SKU`` says which of its variants is chosen."""
    channel, database, _ = await channel_of(request), database_of(request), face.words(request)
    product = await catalog.view_by_handle(database, channel.pools[Resource.CATALOGUE], typed(handle))
    variants = [variant for variant in product.variants if variant.status == "active"]
    sold = await catalog.sellables(database, channel, [variant.id for variant in variants])
    if product.status != "active" or not any(each.is_available for each in sold.values()):
        raise NotFound(_("We do not sell this (any more)."))
    promises = {p.variant: p for p in await stock.promises(database, channel, [v.id for v in variants])}
    there = {v.id: _units(promises.get(v.id)) for v in variants}
    choices = [
        picker.Choice(v.sku, v.options, there[v.id] > 0 and v.id in sold and sold[v.id].is_available)
        for v in variants
    ]
    choice = picker.pick(choices, request.query_params.get("variant"))
    chosen = next((v for v in variants if choice and v.sku == choice.sku), None)
    texts = product.translations.get(language_of(channel.locale)) or Texts()
    title = next(iter(sold.values())).title
    crumbs = await _crumbs(request, channel, product)
    context = {
        "product": {
            "title": title,
            "seo_title": texts.seo_title or product.seo_title,
            "handle": product.handle,
            "brand": product.brand,
            "description": Markup(texts.description or product.description),  # noqa: S704 - sanitised when it came in
            "pictures": [{"src": _source(m), "alt": m.alt} for m in product.media if _fits(m, chosen)],
        },
        "picture": _picture(product, chosen),
        "chosen": sold.get(chosen.id) if chosen else None,
        "before_price": shelf.before_price(sold[chosen.id]) if chosen and chosen.id in sold else None,
        "crumbs": crumbs,
        "description": texts.seo_description or product.seo_description,
        "options": _options(product, choices, choice, texts),
        "facts": _facts(request, product, chosen),
        "more": await _more(request, channel, product),
        "plans": await repeats.choices(request, channel, chosen.id if chosen else None),
        "structured_data": _structured(request, product, variants, sold, there, title, crumbs),
        **_price_and_stock(
            request, await _costs_delivery(request, channel), sold.get(chosen.id) if chosen else None, there
        ),
        **await _places(request, channel, chosen.id if chosen else None),
    }
    _tell_of_view(request, channel, product, title, sold.get(chosen.id) if chosen else None)
    return await show(request, channel, "storefront/product.html", **context)


def _tell_of_view(
    request: AnyRequest, channel: Channel, product: ProductView, title: str, chosen: Sellable | None
) -> None:
    """The page reports through the same door as everybody's; it does not wait for that."""
    held = basket.read(request)
    properties: dict[str, Any] = {"name": title, "url": f"/p/{product.handle}", "currency": channel.currency}
    if chosen is not None:
        properties |= {"product_id": str(chosen.variant), "sku": chosen.sku}
        if chosen.price is not None:
            properties["price"] = decimal(chosen.price, chosen.currency)
    own.viewed(
        database_of(request),
        channel,
        properties,
        cart=held.cart if held else None,
        visitor=basket.visitor(request),
    )


def _units(promise: stock.Promise | None) -> int:
    return 0 if promise is None else promise.available + promise.backorder


def _source(media: Media) -> str:
    return f"/media/{media.storage_key}" if media.storage_key else media.url


def _fits(media: Media, chosen: Variant | None) -> bool:
    return media.status == "ready" and (
        media.variant is None or (chosen is not None and media.variant == chosen.id)
    )


def _picture(product: ProductView, chosen: Variant | None) -> dict[str, str | None]:
    own = [m for m in product.media if chosen and m.variant == chosen.id and m.status == "ready"]
    found = own or [m for m in product.media if _fits(m, chosen)]
    return {"src": _source(found[0]) if found else None, "alt": found[0].alt if found else ""}


def _options(
    product: ProductView, choices: Sequence[picker.Choice], chosen: picker.Choice | None, texts: Texts
) -> list[dict[str, Any]]:
    """Every option with its values as links, in the language of the page."""
    if chosen is None or len(choices) < 2:
        return []
    said = texts.options
    shown = []
    for option in product.options:
        values = picker.values_of(option.name, choices, chosen)
        order = {value: place for place, value in enumerate(option.values)}
        values.sort(key=lambda value: order.get(value.value, len(order)))
        shown.append(
            {
                "name": said.get(option.name, option.name),
                "chosen": said.get(chosen.options.get(option.name, ""), chosen.options.get(option.name, "")),
                "values": [
                    {
                        "text": said.get(value.value, value.value),
                        "href": shelf.product_href(product.handle, value.sku),
                        "current": value.is_current,
                        "gone": value.is_gone,
                    }
                    for value in values
                ],
            }
        )
    return shown


def _price_and_stock(
    request: AnyRequest, costs_delivery: bool, sellable: Sellable | None, there: Mapping[UUID, int]
) -> dict[str, Any]:
    _, locale = face.words(request), face.locale_of(request)
    if sellable is None:
        return {"price_note": "", "stock": {"text": "", "kind": ""}, "most": 0}
    rate = amounts.rate_text(sellable.tax_rate, locale)
    shape = _("Including %(rate)s tax") if sellable.tax_included else _("Without %(rate)s tax")
    parcel = _("delivery not included") if costs_delivery else _("free delivery")
    units = there.get(sellable.variant, 0)
    return {
        "price_note": f"{shape % {'rate': rate}}, {parcel}",
        "stock": stock_words(request, units),
        "most": min(units, LARGEST_QUANTITY),
    }


async def _costs_delivery(request: AnyRequest, channel: Channel) -> bool:
    """Whether to have it sent may cost something."""
    sent = [m for m in await delivery.methods_of(database_of(request), channel) if m.kind in delivery.SENT]
    if not sent:
        return bool(channel.setting("shipping_flat"))
    return any(delivery.price(method.rate, goods=0, weight=0) for method in sent)


def stock_words(request: AnyRequest, units: int) -> dict[str, str]:
    """How much there is, in words: exact only when it is few."""
    if units <= 0:
        return {"text": face.words(request)("Sold out"), "kind": "none"}
    if units <= stores.FEW:
        said = translator(face.locale_of(request)).ngettext("Only %(num)d left", "Only %(num)d left", units)
        return {"text": said % {"num": units}, "kind": "few"}
    return {"text": face.words(request)("In stock"), "kind": "good"}


async def _places(request: AnyRequest, channel: Channel, variant: UUID | None) -> dict[str, Any]:
    """When it can be had: brought, and in each store, the nearest first where a postal code is typed."""
    found = await stores.stores_of(request, channel)
    code = (request.query_params.get("postal_code") or "").replace("\x00", "").strip()[:20]
    nothing: dict[str, Any] = {
        "places": [],
        "places_note": "",
        "brought": [],
        "postal_code": code,
        "more_places": 0,
    }
    if variant is None:
        return nothing
    database = database_of(request)
    to = Destination(country=channel.country, postal_code=code or None)
    promised = await delivery.answer(database, channel, {variant: 1}, to, locale=face.locale_of(request))
    nothing["brought"] = [each.text for each in promised.delivered]
    if not found:
        return nothing
    levels = await stock.levels_of(database, [variant], channel=channel)
    free = {level.location: level.available for level in levels}
    order = {store.location: place for place, store in enumerate(promised.stores)}
    said_of = {store.location: store.promise.text for store in promised.stores if store.promise is not None}
    places = [
        {
            "name": store.location.name,
            "note": said_of.get(store.location.id) or store.location.address.get("city", ""),
            "units": free.get(store.location.id, 0),
            **stock_words(request, free.get(store.location.id, 0)),
        }
        for store in sorted(found, key=lambda store: order.get(store.location.id, len(order)))
    ]
    have = sum(free.get(store.location.id, 0) > 0 for store in found)
    said = translator(face.locale_of(request)).ngettext("in %(num)d store", "in %(num)d stores", have)
    places.sort(key=lambda place: place["units"] == 0)
    return nothing | {
        "places": places[:MOST_PLACES],
        "more_places": max(0, len(places) - MOST_PLACES),
        "places_note": said % {"num": have},
    }


def _facts(request: AnyRequest, product: ProductView, chosen: Variant | None) -> list[tuple[str, str]]:
    """What is known of it beside its description."""
    _ = face.words(request)
    rows = []
    if chosen is not None:
        rows.append((_("Article number"), chosen.sku))
        if chosen.gtin:
            rows.append((_("Barcode"), chosen.gtin))
    rows += [(_attribute_name(code), _plain(value)) for code, value in product.attributes.items()]
    if chosen is not None:
        rows += [(_attribute_name(code), _plain(value)) for code, value in chosen.attributes.items()]
        sizes = [chosen.length_mm, chosen.width_mm, chosen.height_mm]
        if all(sizes):
            rows.append((_("Size"), " × ".join(f"{size} mm" for size in sizes)))
        if chosen.weight_g:
            rows.append((_("Weight"), f"{chosen.weight_g} g"))
    return rows


def _attribute_name(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


async def _crumbs(request: AnyRequest, channel: Channel, product: ProductView) -> list[tuple[str, str]]:
    known = {b.path: b for b in await shelf.branches(database_of(request), channel)}
    parts = (product.category_path or "").split("/")
    line = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    found = [(known[path].name, known[path].href) for path in line if path in known]
    return [(channel.name, "/"), *found]


async def _more(request: AnyRequest, channel: Channel, product: ProductView) -> list[dict[str, Any]]:
    """Others of the same category."""
    if not product.category_path:
        return []
    query = SearchQuery(
        filters={"category": [product.category_path]}, limit=MORE + 1, facets=False, sort="newest"
    )
    found = await search(database_of(request), channel, query)
    others = [hit for hit in found.items if hit.id != product.id][:MORE]
    return await shelf.cards(database_of(request), channel, others, face.words(request)("Sale"))


def _structured(
    request: AnyRequest,
    product: ProductView,
    variants: Sequence[Variant],
    sold: Mapping[UUID, Sellable],
    there: Mapping[UUID, int],
    title: str,
    crumbs: Sequence[tuple[str, str]],
) -> Markup:
    root = str(request.base_url).rstrip("/")
    address = f"{root}/p/{quote(product.handle, safe='')}"
    document = structured.product(
        title=title,
        description=Markup(product.description).striptags(),  # noqa: S704 - only its text is taken
        brand=product.brand,
        pictures=[root + _source(m) for m in product.media if m.status == "ready"],
        address=address,
        offers=[
            (sold[v.id], v.gtin, there.get(v.id, 0) > 0)
            for v in variants
            if v.id in sold and sold[v.id].is_available
        ],
    )
    way = [(name, root + href) for name, href in crumbs]
    return structured.block(document) + structured.block(structured.breadcrumbs([*way, (title, address)]))


handlers = [product_page]
