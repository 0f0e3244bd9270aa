"""HTTP of what describes and groups products: categories, collections, attributes, size charts."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.catalog import attributes, categories, collections, size_charts
from samlad.catalog.api.parameters import ChannelCode, Format, Limit, Text, pool_of, pools_of
from samlad.catalog.attributes import Attribute, AttributeChange, AttributeInput
from samlad.catalog.categories import Category, CategoryChange, CategoryInput
from samlad.catalog.collections import Collection, CollectionChange, CollectionInput
from samlad.catalog.permissions import READ
from samlad.catalog.size_charts import SizeChart, SizeChartChange, SizeChartInput
from samlad.channels import Resource
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import ListQuery, Page
from samlad.kernel.problems import NotFound


@get("/categories", summary="List categories")
async def list_categories(
    request: AnyRequest,
    channel: ChannelCode = None,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    parent: Text = None,
    path: Text = None,
    under: Text = None,
    as_format: Format = "json",
) -> Response[Page[Category]]:
    """Categories by path: parents come before their children. ``under`` is a path and means all below it."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"parent": parent, "path": path, "under": under}
    )
    pools = await pools_of(request, Resource.CATALOGUE, channel)
    return await categories.CATEGORIES.answer(
        database_of(request), query, pools, as_csv=as_format == "csv", name="categories"
    )


@post("/categories", status_code=201, summary="Create a category")
async def create_category(
    request: AnyRequest, data: JSONBody[CategoryInput], channel: ChannelCode = None
) -> Response[Category]:
    """Create a category; without a slug it gets one from its name."""
    pool = await pool_of(request, Resource.CATALOGUE, channel)
    return await write(request, lambda tx: categories.create(tx, pool, data), status=201)


@get("/categories/{category_id:uuid}", summary="Read a category")
async def read_category(request: AnyRequest, category_id: FromPath[UUID]) -> Response[Category]:
    """One category; the ETag is its version."""
    actor_of(request).require(READ)
    found = await categories.get(database_of(request), category_id)
    return with_etag(found, found.version)


@patch("/categories/{category_id:uuid}", summary="Change a category")
async def change_category(
    request: AnyRequest, category_id: FromPath[UUID], data: JSONBody[CategoryChange]
) -> Response[Category]:
    """Change or move a category; with ``parent`` it moves with all below it."""
    version = if_match(request)
    return await write(request, lambda tx: categories.change(tx, category_id, data, version))


@delete("/categories/{category_id:uuid}", status_code=204, summary="Remove a category")
async def remove_category(request: AnyRequest, category_id: FromPath[UUID]) -> Response[None]:
    """Remove a category that has neither products nor categories in it."""
    version = if_match(request)
    return await write(request, lambda tx: categories.remove(tx, category_id, version))


@get("/collections", summary="List collections")
async def list_collections(
    request: AnyRequest,
    channel: ChannelCode = None,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    status: Text = None,
    kind: Text = None,
    handle: Text = None,
    as_format: Format = "json",
) -> Response[Page[Collection]]:
    """Collections by name."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"status": status, "kind": kind, "handle": handle}
    )
    pools = await pools_of(request, Resource.CATALOGUE, channel)
    return await collections.COLLECTIONS.answer(
        database_of(request), query, pools, as_csv=as_format == "csv", name="collections"
    )


@post("/collections", status_code=201, summary="Create a collection")
async def create_collection(
    request: AnyRequest, data: JSONBody[CollectionInput], channel: ChannelCode = None
) -> Response[Collection]:
    """Create a collection: with a rule, or with products in their order."""
    pool = await pool_of(request, Resource.CATALOGUE, channel)
    return await write(request, lambda tx: collections.create(tx, pool, data), status=201)


@get("/collections/{collection_id:uuid}", summary="Read a collection")
async def read_collection(request: AnyRequest, collection_id: FromPath[UUID]) -> Response[Collection]:
    """One collection; its products are at ``/api/search?collection=``."""
    actor_of(request).require(READ)
    found = await collections.get(database_of(request), collection_id)
    return with_etag(found, found.version)


@patch("/collections/{collection_id:uuid}", summary="Change a collection")
async def change_collection(
    request: AnyRequest, collection_id: FromPath[UUID], data: JSONBody[CollectionChange]
) -> Response[Collection]:
    """Change a collection; ``products`` replaces all products of one that is put together by hand."""
    version = if_match(request)
    return await write(request, lambda tx: collections.change(tx, collection_id, data, version))


@get("/collections/{collection_id:uuid}/products", summary="Products of a collection put together by hand")
async def list_collection_products(request: AnyRequest, collection_id: FromPath[UUID]) -> list[UUID]:
    """Ids in their order. A collection with a rule is looked at by ``/api/search?collection=``."""
    actor_of(request).require(READ)
    await collections.get(database_of(request), collection_id)
    return await collections.members(database_of(request), collection_id)


@get("/attributes", summary="List attributes")
async def list_attributes(
    request: AnyRequest,
    channel: ChannelCode = None,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    kind: Annotated[str | None, QueryParameter(name="type", max_length=100, pattern=r"^[^\x00]*$")] = None,
    code: Text = None,
    as_format: Format = "json",
) -> Response[Page[Attribute]]:
    """Attributes by code."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"type": kind, "code": code})
    pools = await pools_of(request, Resource.CATALOGUE, channel)
    return await attributes.ATTRIBUTES.answer(
        database_of(request), query, pools, as_csv=as_format == "csv", name="attributes"
    )


@post("/attributes", status_code=201, summary="Create an attribute")
async def create_attribute(
    request: AnyRequest, data: JSONBody[AttributeInput], channel: ChannelCode = None
) -> Response[Attribute]:
    """Create an attribute; from then on products can have values for it."""
    pool = await pool_of(request, Resource.CATALOGUE, channel)
    return await write(request, lambda tx: attributes.create(tx, pool, data), status=201)


@get("/attributes/{attribute_id:uuid}", summary="Read an attribute")
async def read_attribute(request: AnyRequest, attribute_id: FromPath[UUID]) -> Response[Attribute]:
    """One attribute; the ETag is its version."""
    actor_of(request).require(READ)
    found = await attributes.get(database_of(request), attribute_id)
    return with_etag(found, found.version)


@patch("/attributes/{attribute_id:uuid}", summary="Change an attribute")
async def change_attribute(
    request: AnyRequest, attribute_id: FromPath[UUID], data: JSONBody[AttributeChange]
) -> Response[Attribute]:
    """Change an attribute; its code and type stay."""
    version = if_match(request)
    return await write(request, lambda tx: attributes.change(tx, attribute_id, data, version))


@get("/size-charts", summary="List size charts")
async def list_size_charts(
    request: AnyRequest,
    channel: ChannelCode = None,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    product: Text = None,
    brand: Text = None,
    as_format: Format = "json",
) -> Response[Page[SizeChart]]:
    """Size charts by name."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"product": product, "brand": brand})
    pools = await pools_of(request, Resource.CATALOGUE, channel)
    return await size_charts.SIZE_CHARTS.answer(
        database_of(request), query, pools, as_csv=as_format == "csv", name="size-charts"
    )


@post("/size-charts", status_code=201, summary="Create a size chart")
async def create_size_chart(
    request: AnyRequest, data: JSONBody[SizeChartInput], channel: ChannelCode = None
) -> Response[SizeChart]:
    """Create a size chart and say what it is for: products, categories, brands."""
    pool = await pool_of(request, Resource.CATALOGUE, channel)
    return await write(request, lambda tx: size_charts.create(tx, pool, data), status=201)


@get("/size-charts/{size_chart_id:uuid}", summary="Read a size chart")
async def read_size_chart(request: AnyRequest, size_chart_id: FromPath[UUID]) -> Response[SizeChart]:
    """One size chart; the ETag is its version."""
    actor_of(request).require(READ)
    found = await size_charts.get(database_of(request), size_chart_id)
    return with_etag(found, found.version)


@patch("/size-charts/{size_chart_id:uuid}", summary="Change a size chart")
async def change_size_chart(
    request: AnyRequest, size_chart_id: FromPath[UUID], data: JSONBody[SizeChartChange]
) -> Response[SizeChart]:
    """Change a size chart."""
    version = if_match(request)
    return await write(request, lambda tx: size_charts.change(tx, size_chart_id, data, version))


@delete("/size-charts/{size_chart_id:uuid}", status_code=204, summary="Remove a size chart")
async def remove_size_chart(request: AnyRequest, size_chart_id: FromPath[UUID]) -> Response[None]:
    """Remove a size chart."""
    version = if_match(request)
    return await write(request, lambda tx: size_charts.remove(tx, size_chart_id, version))


@get("/products/{product_id:uuid}/size-chart", summary="The size chart of a product")
async def read_product_size_chart(
    request: AnyRequest,
    product_id: FromPath[UUID],
    unit: Annotated[
        Literal["cm", "in"] | None, QueryParameter(description="Convert the lengths to this unit")
    ] = None,
) -> SizeChart:
    """Its own chart, else that of its category or the nearest above, else that of its brand."""
    found = await size_charts.of_product(database_of(request), product_id)
    if found is None:
        raise NotFound("This product has no size chart.")
    return size_charts.in_unit(found, unit or found.unit)


router = Router(
    path="/api",
    tags=["Catalogue"],
    route_handlers=[
        list_categories,
        create_category,
        read_category,
        change_category,
        remove_category,
        list_collections,
        create_collection,
        read_collection,
        change_collection,
        list_collection_products,
        list_attributes,
        create_attribute,
        read_attribute,
        change_attribute,
        list_size_charts,
        create_size_chart,
        read_size_chart,
        change_size_chart,
        remove_size_chart,
        read_product_size_chart,
    ],
)
