"""HTTP of price lists, prices and tax rates."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, get, patch, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from samlad.catalog import prices, tax
from samlad.catalog.api.parameters import AnyRequest, ChannelCode, Format, Limit, Text, pool_of, pools_of
from samlad.catalog.permissions import READ
from samlad.catalog.prices import (
    Price,
    PriceList,
    PriceListChange,
    PriceListInput,
    PricePeriod,
    PriceSetting,
)
from samlad.catalog.tax import TaxClass, TaxClassInput, TaxRate, TaxRateChange, TaxRateInput
from samlad.channels import Resource
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import ListQuery, Page


class PricesInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices to set in one list, all or none."""

    prices: Annotated[list[PriceSetting], Meta(min_length=1, max_length=5000)]


class PricesSet(msgspec.Struct, frozen=True):
    """How many prices are different now."""

    changed: int


@get("/price-lists", summary="List price lists")
async def list_price_lists(
    request: AnyRequest,
    channel: ChannelCode = None,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    status: Text = None,
    currency: Text = None,
    as_format: Format = "json",
) -> Response[Page[PriceList]]:
    """Price lists of all pools, or of the pool that a channel takes its prices from."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"status": status, "currency": currency})
    pools = await pools_of(request, Resource.PRICES, channel)
    return await prices.LISTS.answer(
        database_of(request), query, pools, as_csv=as_format == "csv", name="price-lists"
    )


@post("/price-lists", status_code=201, summary="Create a price list")
async def create_price_list(
    request: AnyRequest, data: JSONBody[PriceListInput], channel: ChannelCode = None
) -> Response[PriceList]:
    """Create a price list. Where several have a price for a variant, the one with the highest priority holds."""
    pool = await pool_of(request, Resource.PRICES, channel)
    return await write(request, lambda tx: prices.create_list(tx, pool, data), status=201)


@get("/price-lists/{list_id:uuid}", summary="Read a price list")
async def read_price_list(request: AnyRequest, list_id: FromPath[UUID]) -> Response[PriceList]:
    """One price list; the ETag is its version."""
    actor_of(request).require(READ)
    found = await prices.price_list(database_of(request), list_id)
    return with_etag(found, found.version)


@patch("/price-lists/{list_id:uuid}", summary="Change a price list")
async def change_price_list(
    request: AnyRequest, list_id: FromPath[UUID], data: JSONBody[PriceListChange]
) -> Response[PriceList]:
    """Change for whom and when a price list holds; archive it with ``status``."""
    version = if_match(request)
    return await write(request, lambda tx: prices.change_list(tx, list_id, data, version))


@put("/price-lists/{list_id:uuid}/prices", status_code=200, summary="Set prices")
async def set_prices(
    request: AnyRequest, list_id: FromPath[UUID], data: JSONBody[PricesInput]
) -> Response[PricesSet]:
    """Set up to 5,000 prices of a list; ``amount`` null takes one away. Prices that are not named stay."""

    async def work(tx: Tx) -> PricesSet:
        return PricesSet(await prices.set_prices(tx, list_id, data.prices))

    return await write(request, work)


@get("/prices", summary="List prices")
async def list_prices(
    request: AnyRequest,
    channel: ChannelCode = None,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    price_list: Text = None,
    variant: Text = None,
    product: Text = None,
    sku: Text = None,
    currency: Text = None,
    as_format: Format = "json",
) -> Response[Page[Price]]:
    """Prices as they stand in their lists, in minor units; ``price_list`` is a code."""
    actor_of(request).require(READ)
    filters = {
        "price_list": price_list,
        "variant": variant,
        "product": product,
        "sku": sku,
        "currency": currency,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    pools = await pools_of(request, Resource.PRICES, channel)
    return await prices.PRICES_OF.answer(
        database_of(request), query, pools, as_csv=as_format == "csv", name="prices"
    )


@get("/variants/{variant_id:uuid}/price-history", summary="What a variant cost when")
async def list_price_history(request: AnyRequest, variant_id: FromPath[UUID]) -> list[PricePeriod]:
    """Every price that stood for everybody and a single piece, the newest first: the evidence for a prior price."""
    actor_of(request).require(READ)
    return await prices.history(database_of(request), variant_id)


@get("/tax-classes", summary="List tax classes")
async def list_tax_classes(request: AnyRequest) -> list[TaxClass]:
    """What is taxed alike. A class without a rate in a country is taxed at the standard rate there."""
    actor_of(request).require(READ)
    return await tax.classes(database_of(request))


@post("/tax-classes", status_code=201, summary="Create a tax class")
async def create_tax_class(request: AnyRequest, data: JSONBody[TaxClassInput]) -> Response[TaxClass]:
    """Create a class of goods that some country taxes differently."""
    return await write(request, lambda tx: tax.create_class(tx, data), status=201)


@get("/tax-rates", summary="List tax rates")
async def list_tax_rates(
    request: AnyRequest,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    country: Text = None,
    tax_class: Text = None,
    on: Text = None,
    as_format: Format = "json",
) -> Response[Page[TaxRate]]:
    """Tax rates in basis points (2500 is 25 %); ``on`` is a date and leaves only those that hold then."""
    actor_of(request).require(READ)
    filters = {"country": country, "tax_class": tax_class, "on": on}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await tax.RATES.answer(database_of(request), query, as_csv=as_format == "csv", name="tax-rates")


@post("/tax-rates", status_code=201, summary="Create a tax rate")
async def create_tax_rate(request: AnyRequest, data: JSONBody[TaxRateInput]) -> Response[TaxRate]:
    """Create a tax rate; end the one that holds now first."""
    return await write(request, lambda tx: tax.create_rate(tx, data), status=201)


@get("/tax-rates/{rate_id:uuid}", summary="Read a tax rate")
async def read_tax_rate(request: AnyRequest, rate_id: FromPath[UUID]) -> Response[TaxRate]:
    """One tax rate; the ETag is its version."""
    actor_of(request).require(READ)
    found = await tax.rate(database_of(request), rate_id)
    return with_etag(found, found.version)


@patch("/tax-rates/{rate_id:uuid}", summary="Change a tax rate")
async def change_tax_rate(
    request: AnyRequest, rate_id: FromPath[UUID], data: JSONBody[TaxRateChange]
) -> Response[TaxRate]:
    """Change a tax rate: normally the day on which it ends. What was sold keeps the rate it was sold with."""
    version = if_match(request)
    return await write(request, lambda tx: tax.change_rate(tx, rate_id, data, version))


router = Router(
    path="/api",
    tags=["Prices"],
    route_handlers=[
        list_price_lists,
        create_price_list,
        read_price_list,
        change_price_list,
        set_prices,
        list_prices,
        list_price_history,
        list_tax_classes,
        create_tax_class,
        list_tax_rates,
        create_tax_rate,
        read_tax_rate,
        change_tax_rate,
    ],
)
