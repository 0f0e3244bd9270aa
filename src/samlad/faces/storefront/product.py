"""The page of one product."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from markupsafe import Markup

from samlad import catalog, delivery, stock
from samlad.carts.model import LARGEST_QUANTITY
from samlad.catalog import Measure, ProductView, Sellable, Variant, attributes, measures, unit_prices
from samlad.catalog.model import Media, Texts
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, Resource
from samlad.faces import page as face
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import (
    amounts,
    back_again,
    beside,
    facts,
    feed_forms,
    fitting,
    looked,
    nearby,
    person,
    picker,
    questioning,
    repeats,
    reviewing,
    shelf,
    stores,
    structured,
)
from samlad.faces.storefront.place import channel_of, show
from samlad.faces.storefront.typed import typed
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound
from samlad.reviews import ShownReview, Totals
from samlad.tracking.vocabulary import decimal


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
    crumbs, known = await _crumbs(request, channel, product), await _attributes(request, product)
    said, parcel = await reviewing.section(request, product), await _delivery_cost(request, channel, sold)
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
        "facts": facts.of(_, face.locale_of(request), known, product, chosen),
        "plans": await repeats.choices(request, channel, chosen.id if chosen else None),
        "bundle": _bundle(sold.get(chosen.id) if chosen else None),
        "agreed_text": _(back_again.AGREED),
        "is_known": await person.signed_in(request, channel) is not None,
        **said,
        **await questioning.section(request, product),
        **await fitting.section(request, channel, product),
        **await beside.section(request, channel, product),
        **_price_and_stock(request, bool(parcel), sold.get(chosen.id) if chosen else None, there),
        **await nearby.section(request, channel, chosen.id if chosen else None),
    }
    described = Markup(texts.description or product.description).striptags()  # noqa: S704 - only its text is taken
    told = Told(
        product, variants, sold, there, title, described, crumbs, said["rating"], said["reviews"], parcel
    )
    context["structured_data"] = _structured(request, channel, told)
    context["unit_price"] = _unit_price(request, channel, known, product, chosen, context["chosen"])
    _tell_of_view(request, channel, product, title, sold.get(chosen.id) if chosen else None)
    answer = await show(request, channel, "storefront/product.html", **context)
    if not face.is_htmx(request):
        beside.remember(request, channel, product.id, answer)
    return answer


def _tell_of_view(
    request: AnyRequest, channel: Channel, product: ProductView, title: str, chosen: Sellable | None
) -> None:
    """The page reports through the same door as everybody's; it does not wait for that."""
    properties: dict[str, Any] = {"name": title, "url": f"/p/{product.handle}", "currency": channel.currency}
    if chosen is not None:
        properties |= {"product_id": str(chosen.variant), "sku": chosen.sku}
        if chosen.price is not None:
            properties["price"] = decimal(chosen.price, chosen.currency)
        if chosen.sold_by is not Measure.PIECE:
            properties["unit"] = measures.UNITS[chosen.sold_by]
    looked.at(request, channel, "Product Viewed", properties)


def _units(promise: stock.Promise | None) -> int:
    return 0 if promise is None else promise.available + promise.backorder


def _source(media: Media) -> str:
    return f"/media/{media.storage_key}" if media.storage_key else media.url


def _full(root: str, media: Media) -> str:
    """The address of a picture for who is not on the page. One that was never fetched is still elsewhere."""
    source = _source(media)
    return f"{root}{source}" if source.startswith("/") else source


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
    rate = " / ".join(amounts.rate_text(each, locale) for each in sellable.tax_rates)
    shape = _("Including %(rate)s tax") if sellable.tax_included else _("Without %(rate)s tax")
    parcel = _("delivery not included") if costs_delivery else _("free delivery")
    units, is_counted = (
        there.get(sellable.variant, 0),
        sellable.sold_by is Measure.PIECE,
    )  # grams are never few
    return {
        "price_note": f"{shape % {'rate': rate}}, {parcel}",
        "stock": stores.stock_words(request, units if is_counted or units <= 0 else stores.FEW + 1),
        "most": min(units, LARGEST_QUANTITY),
    }


async def _delivery_cost(request: AnyRequest, channel: Channel, sold: Mapping[UUID, Sellable]) -> int | None:
    """What it costs at least to have the cheapest variant sent, minor units; 0: nothing. None: nothing is sent."""
    sent = [m for m in await delivery.methods_of(database_of(request), channel) if m.kind in delivery.SENT]
    if not sent:
        flat: int = channel.setting("shipping_flat") or 0
        return flat
    goods = min((each.price for each in sold.values() if each.price is not None), default=0)
    weight = min((each.weight or 0 for each in sold.values()), default=0)
    return min(delivery.price(method.rate, goods=goods, weight=weight) for method in sent)


def _bundle(chosen: Sellable | None) -> dict[str, Any] | None:
    """What is in a bundle, and what one saves."""
    if chosen is None or not chosen.parts:
        return None
    known = [(part.quantity, part.sold) for part in chosen.parts]
    apart = sum(quantity * (each.price or 0) for quantity, each in known)
    is_priced = all(each.price is not None for _, each in known)
    saving = apart - chosen.price if is_priced and chosen.price is not None else 0
    return {
        "parts": [
            {
                "quantity": quantity,
                "title": each.title,
                "options": each.options,
                "href": shelf.product_href(each.handle, each.sku) if each.is_available else None,
                "image": each.image,
                "handle": each.handle,
            }
            for quantity, each in known
        ],
        "apart": apart,
        "saving": max(0, saving),
    }


def _unit_price(
    request: AnyRequest,
    channel: Channel,
    known: facts.Known,
    product: ProductView,
    chosen: Variant | None,
    sold: Sellable | None,
) -> str:
    """The price of a kilogram, litre or metre, where the content is known (Directive 98/6/EC)."""
    own = chosen.attributes if chosen else {}
    code = channel.setting("content_attribute")
    content = own.get(code, product.attributes.get(code))
    if sold is None or sold.price is None or not isinstance(content, int | float):
        return ""
    found = unit_prices.of(sold.price, content, known[code].unit if code in known else None)
    if found is None:
        return ""
    amount = formats.money(found.amount, sold.currency, face.locale_of(request))
    return f"{amount} / {found.unit}"


async def _attributes(request: AnyRequest, product: ProductView) -> facts.Known:
    """The definitions of what is said of it; none are read where nothing is."""
    if not product.attributes and not any(variant.attributes for variant in product.variants):
        return {}
    return facts.by_code(await attributes.all_attributes(database_of(request), product.pool))


async def _crumbs(request: AnyRequest, channel: Channel, product: ProductView) -> list[tuple[str, str]]:
    known = {b.path: b for b in await shelf.branches(database_of(request), channel)}
    parts = (product.category_path or "").split("/")
    line = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    found = [(known[path].name, known[path].href) for path in line if path in known]
    return [(channel.name, "/"), *found]


class Told(msgspec.Struct, frozen=True):
    """What is told to search engines of a product."""

    product: ProductView
    variants: Sequence[Variant]
    sold: Mapping[UUID, Sellable]
    there: Mapping[UUID, int]
    title: str
    description: str
    crumbs: Sequence[tuple[str, str]]
    rating: Totals
    reviews: Sequence[ShownReview]
    parcel: int | None


def _structured(request: AnyRequest, channel: Channel, told: Told) -> Markup:
    product, sold = told.product, told.sold
    root = str(request.base_url).rstrip("/")
    address = f"{root}/p/{quote(product.handle, safe='')}"
    spoken = (product.translations.get(language_of(channel.locale)) or Texts()).options
    ready = [m for m in product.media if m.status == "ready"]
    document = structured.product(
        title=told.title,
        description=told.description,
        brand=product.brand,
        group=product.handle[: feed_forms.ID],
        pictures=[_full(root, m) for m in ready if m.variant is None] or [_full(root, m) for m in ready],
        address=address,
        offers=[
            structured.Offer(
                sold[v.id],
                v.gtin,
                told.there.get(v.id, 0) > 0,
                f"{root}{shelf.product_href(product.handle, v.sku)}",
                {spoken.get(name, name): spoken.get(value, value) for name, value in v.options.items()},
                next((_full(root, m) for m in ready if m.variant == v.id), None),
            )
            for v in told.variants
            if v.id in sold and sold[v.id].is_available
        ],
        shipping=None if told.parcel is None else (told.parcel, channel.country),
        rating=told.rating,
        reviews=told.reviews,
    )
    way = [(name, root + href) for name, href in told.crumbs]
    return structured.block(document) + structured.block(
        structured.breadcrumbs([*way, (told.title, address)])
    )


handlers = [product_page]
