"""HTTP of price lists and prices."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, get, patch, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from samlad.catalog import prices
from samlad.catalog.api.parameters import ChannelCode, Format, Limit, Text, pool_of, pools_of
from samlad.catalog.permissions import READ
from samlad.catalog.prices import (
    Price,
    PriceList,
    PriceListChange,
    PriceListInput,
    PricePeriod,
    PriceSetting,
)
from samlad.channels import Resource
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
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
    ],
)
