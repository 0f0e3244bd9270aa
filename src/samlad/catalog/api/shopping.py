"""HTTP of what customers see: search, and the listings that shape it for a channel."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, delete, get, put
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.catalog import collections, listings
from samlad.catalog.api.parameters import ChannelCode, Format, Limit, Text, pools_of, shop_of
from samlad.catalog.listings import ListingInput, ProductListing
from samlad.catalog.permissions import READ
from samlad.catalog.search.query import DEEPEST, LARGEST_PAGE, Order, SearchQuery, SearchResult, search
from samlad.channels import Resource
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, write
from samlad.kernel.listing import ListQuery, Page
from samlad.kernel.problems import InvalidInput

MOST_FILTERS = 50
Amount = Annotated[
    int | None, QueryParameter(ge=0, le=2**53, description="Minor units of the channel's currency")
]


@get("/search", summary="Search a channel's catalogue")
async def search_products(
    request: AnyRequest,
    channel: ChannelCode = None,
    q: Annotated[
        str, QueryParameter(max_length=200, pattern=r"^[^\x00]*$", description="Words, a SKU or a GTIN")
    ] = "",
    filters: Annotated[
        list[str] | None,
        QueryParameter(
            name="filter",
            description="NAME:VALUE, any number of times. Names are category (a path), brand, tag, option.NAME and "
            "attribute.CODE. Values of one name widen the search, names narrow it",
        ),
    ] = None,
    collection: Annotated[
        str | None,
        QueryParameter(max_length=255, pattern=r"^[^\x00]*$", description="Handle of a collection"),
    ] = None,
    price_from: Amount = None,
    price_to: Amount = None,
    stars_from: Annotated[
        int | None, QueryParameter(ge=1, le=5, description="Only what is rated so many stars or more")
    ] = None,
    sort: Annotated[
        Order | None, QueryParameter(description="Default: relevance with words, else newest")
    ] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=LARGEST_PAGE)] = 24,
    offset: Annotated[int, QueryParameter(ge=0, le=DEEPEST)] = 0,
    facets: Annotated[bool, QueryParameter(description="Whether to count what one can filter by")] = True,
) -> SearchResult:
    """What customers of a channel find: published products with price, and what to filter by with counts.

    Words may be stems, the last one half typed; when nothing is found, misspelled words are mended and ``corrected`` says
    how. Open to everybody.
    """
    shop = await shop_of(request, channel)
    database = database_of(request)
    query: dict[str, Any] = {}
    if collection:
        chosen = await collections.by_handle(database, shop.pools[Resource.CATALOGUE], collection)
        query = collections.search_fields(chosen)
    asked = SearchQuery(
        text=q,
        filters=_filters(filters or []),
        price_from=price_from,
        price_to=price_to,
        stars_from=stars_from,
        sort=sort,
        limit=limit,
        offset=offset,
        facets=facets,
        **query,
    )
    return await search(database, shop, asked)


def _filters(pairs: list[str]) -> dict[str, list[str]]:
    if len(pairs) > MOST_FILTERS:
        raise InvalidInput.at("filter", f"at most {MOST_FILTERS}")
    chosen: dict[str, list[str]] = {}
    for pair in pairs:
        name, colon, value = pair.partition(":")
        if not colon or "\x00" in pair or len(pair) > 500:
            raise InvalidInput.at("filter", "write NAME:VALUE, for example brand:Acme")
        chosen.setdefault(name, []).append(value)
    return chosen


@get("/listings", summary="List listings")
async def list_listings(
    request: AnyRequest,
    channel: ChannelCode = None,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    channel_id: Text = None,
    product: Text = None,
    external_id: Text = None,
    has_problems: Text = None,
    as_format: Format = "json",
) -> Response[Page[ProductListing]]:
    """Where products differ in a channel from their own selves. ``channel`` (a code) leaves only that channel's."""
    actor_of(request).require(READ)
    if channel:
        channel_id = str((await shop_of(request, channel)).id)
    filters = {
        "channel": channel_id,
        "product": product,
        "external_id": external_id,
        "has_problems": has_problems,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    pools = await pools_of(request, Resource.CATALOGUE, channel)
    return await listings.LISTINGS.answer(
        database_of(request), query, pools, as_csv=as_format == "csv", name="listings"
    )


@put("/listings", status_code=200, summary="List products in a channel")
async def put_listings(request: AnyRequest, data: JSONBody[ListingInput]) -> Response[list[ProductListing]]:
    """List up to 1,000 products in a channel, or change how they are listed. New listings are published now unless
    ``published_at`` says otherwise. ``If-Match`` is for a single product."""
    version = if_match(request)
    if version is not None and len(data.products) != 1:
        raise InvalidInput.at("products", "If-Match goes with one product")
    return await write(request, lambda tx: listings.put(tx, data, version))


@delete("/listings/{product_id:uuid}/{channel_id:uuid}", status_code=204, summary="Forget a listing")
async def remove_listing(
    request: AnyRequest, product_id: FromPath[UUID], channel_id: FromPath[UUID]
) -> Response[None]:
    """From then on the product is in the channel as it is (on a marketplace: not at all)."""
    version = if_match(request)
    return await write(request, lambda tx: listings.remove(tx, product_id, channel_id, version))


router = Router(
    path="/api",
    tags=["Search and listings"],
    route_handlers=[search_products, list_listings, put_listings, remove_listing],
)
