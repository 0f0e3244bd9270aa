"""Product feeds at `/feeds/…`: everything that the shop sells, streamed, so that 300,000 products need no memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from samlad import catalog, channels, content, stock
from samlad.catalog import (
    Sellable,
    Variant,
    addresses,
    attributes,
    categories,
    measures,
    product_store,
    unit_prices,
)
from samlad.catalog.model import Measure, Media, Product, Texts
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, Resource
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, shelf
from samlad.faces.storefront.feed_forms import ALSO, FORMS, ID, TRAITS, Availability, Item, plain
from samlad.faces.storefront.machines import HOUR, one_at_a_time
from samlad.faces.storefront.place import channel_of, root_of
from samlad.faces.storefront.typed import typed
from samlad.kernel.database import Database
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound
from samlad.stock import Promise

STEP = 200
LONGEST = 9_999


@get("/feeds/{name:str}")
async def feed(request: AnyRequest, name: FromPath[str]) -> Response[Any] | Stream:
    """A feed of this shop, in the language of its channel. A feed that breaks off has no end: readers refuse it whole."""
    limits.searches.check(limits.who(request))
    form = FORMS.get(typed(name))
    if form is None:
        raise NotFound(f"There are these feeds: {', '.join(FORMS)}.")
    shop, database, root = await channel_of(request), database_of(request), root_of(request)
    # A feed is one file for everybody: it does not follow the language of who fetches it.
    channel = await channels.cached(database, shop.id)
    look, turns = await content.look_of(database, channel), one_at_a_time()
    seller = look.brand.name or channel.name

    async def parts() -> AsyncIterator[bytes]:
        async with turns:
            yield form.head(seller, root).encode()
            async for items in every_item(database, channel, root, seller):
                yield "".join(form.item(item) for item in items).encode()
            yield form.tail.encode()

    return Stream(parts(), media_type=form.media_type, headers=HOUR)


async def every_item(
    database: Database, channel: Channel, root: str, seller: str
) -> AsyncIterator[list[Item]]:
    """Every variant that a channel sells, product by product."""
    paths = {each.id: each for each in await categories.tree(database, channel.pools[Resource.CATALOGUE])}
    names = {
        each.id: " > ".join(
            other.name
            for other in sorted(paths.values(), key=lambda one: len(one.path))
            if each.path == other.path or each.path.startswith(f"{other.path}/")
        )
        for each in paths.values()
    }
    async for chunk in addresses.every(database, channel, STEP):
        yield await _items(database, channel, [each.id for each in chunk], names, root, seller)


async def _items(
    database: Database,
    channel: Channel,
    ids: Sequence[UUID],
    names: Mapping[UUID, str],
    root: str,
    seller: str,
) -> list[Item]:
    products = await product_store.products_by_id(database, ids)
    variants = [v for v in await product_store.variants_of(database, ids) if v.status == "active"]
    media = product_store.grouped(await product_store.media_of(database, ids), "product")
    sold = await catalog.sellables(database, channel, [v.id for v in variants])
    promises = {p.variant: p for p in await stock.promises(database, channel, [v.id for v in variants])}
    by_product = product_store.grouped(variants, "product")
    code = channel.setting("content_attribute")
    known = await attributes.all_attributes(database, channel.pools[Resource.CATALOGUE])
    unit = next((each.unit for each in known if each.code == code), None)
    found = []
    for product in products:
        for variant in by_product.get(product.id, []):
            sellable = sold.get(variant.id)
            if sellable is not None and sellable.is_available and sellable.price is not None:
                there, day = _availability(promises.get(variant.id))
                found.append(
                    Item(
                        **_texts(product, variant, sellable, channel),
                        group=product.handle[:ID],
                        link=root + shelf.product_href(product.handle, variant.sku),
                        pictures=_pictures(media.get(product.id, []), variant, root),
                        price=sellable.price,
                        regular=shelf.before_price(sellable),
                        currency=sellable.currency,
                        availability=there,
                        available_on=day,
                        brand=product.brand or "",
                        gtin=variant.gtin or "",
                        mpn=variant.sku,
                        category=names.get(product.category, "") if product.category else "",
                        weight_g=variant.weight_g,
                        seller=seller,
                        root=root,
                        traits=_measured(product, variant, channel, unit) | _traits(product, variant),
                    )
                )
    return found


def _texts(product: Product, variant: Variant, sellable: Sellable, channel: Channel) -> dict[str, str]:
    texts = product.translations.get(language_of(channel.locale)) or Texts()
    return {
        "id": variant.sku if len(variant.sku) <= ID else variant.id.hex,
        "title": f"{sellable.title}, {sellable.options}" if sellable.options else sellable.title,
        "description": plain(texts.description or product.description, LONGEST),
    }


def _availability(promise: Promise | None) -> tuple[Availability, Any]:
    """What may be sold now, else what may be ordered with a day on which it comes: Google takes no backorder without one."""
    if promise is not None and promise.available > 0:
        return "in_stock", None
    days = [each.expected_on for each in promise.later if each.expected_on] if promise else []
    if promise is not None and promise.backorder > 0 and days:
        return "backorder", min(days)
    return "out_of_stock", None


def _pictures(media: Sequence[Media], variant: Variant, root: str) -> list[str]:
    """Addresses of a variant's own pictures, then of those of all variants."""
    ready = [m for m in media if m.status == "ready" and m.variant in (None, variant.id)]
    ready.sort(key=lambda m: m.variant is None)
    found = [f"/media/{m.storage_key}" if m.storage_key else m.url for m in ready]
    return [f"{root}{href}" if href.startswith("/") else href for href in found]


def _measured(product: Product, variant: Variant, channel: Channel, unit: str | None) -> dict[str, str]:
    """Of how much a price is, and for how much readers compare it: what is weighed costs so much a kilogram."""
    if variant.sold_by is not Measure.PIECE:
        sign = measures.UNITS[variant.sold_by]
        return {"unit_pricing_measure": f"1 {sign}", "unit_pricing_base_measure": f"1 {sign}"}
    code = channel.setting("content_attribute")
    content = variant.attributes.get(code, product.attributes.get(code))
    if isinstance(content, bool) or not isinstance(content, int | float):
        return {}
    found = unit_prices.in_base(content, unit)
    if found is None:
        return {}
    amount, base = found
    sign = "sqm" if base == "m²" else base
    return {"unit_pricing_measure": f"{amount:f} {sign}", "unit_pricing_base_measure": f"1 {sign}"}


def _traits(product: Product, variant: Variant) -> dict[str, str]:
    """Attributes and options that readers know by name. A variant's own go before its product's."""
    given = {**product.attributes, **variant.attributes, **variant.options}
    found: dict[str, str] = {}
    for name, value in given.items():
        known = ALSO.get(name.lower(), name.lower())
        if known in TRAITS and value not in (None, ""):
            found[known] = str(value)[:100]
    return found


handlers: list[Any] = [feed]
