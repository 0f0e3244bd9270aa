"""HTTP of products and variants."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.catalog import product_store, products
from samlad.catalog.api.parameters import (
    ChannelCode,
    Format,
    Limit,
    Text,
    pool_of,
    pools_of,
    price_pool_of,
)
from samlad.catalog.model import (
    ProductChange,
    ProductInput,
    ProductView,
    Variant,
    VariantChange,
    VariantRef,
)
from samlad.catalog.permissions import READ
from samlad.catalog.product_store import ProductSummary
from samlad.catalog.sellables import variant_by_code
from samlad.channels import Resource
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import ListQuery, Page
from samlad.kernel.problems import NotFound


@get("/products", summary="List products")
async def list_products(
    request: AnyRequest,
    channel: ChannelCode = None,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    status: Text = None,
    brand: Text = None,
    supplier: Text = None,
    tag: Text = None,
    category: Text = None,
    handle: Text = None,
    sku: Text = None,
    as_format: Format = "json",
) -> Response[Page[ProductSummary]]:
    """Products of all catalogues, or of a channel's. Filters take several values with commas; ``category`` is a path
    and means all below it too. Sort by created_at, updated_at, title or handle, with ``-`` for descending."""
    actor_of(request).require(READ)
    filters = {
        "status": status,
        "brand": brand,
        "supplier": supplier,
        "tag": tag,
        "category": category,
        "handle": handle,
        "sku": sku,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    pools = await pools_of(request, Resource.CATALOGUE, channel)
    return await product_store.PRODUCTS.answer(
        database_of(request), query, pools, as_csv=as_format == "csv", name="products"
    )


@post("/products", status_code=201, summary="Create a product")
async def create_product(
    request: AnyRequest, data: JSONBody[ProductInput], channel: ChannelCode = None
) -> Response[ProductView]:
    """Create a product with its variants, their prices, media and parts, all or nothing."""
    pool = await pool_of(request, Resource.CATALOGUE, channel)
    price_pool = await price_pool_of(request, channel)
    return await write(request, lambda tx: products.create(tx, pool, data, price_pool=price_pool), status=201)


@get("/products/{product_id:uuid}", summary="Read a product")
async def read_product(request: AnyRequest, product_id: FromPath[UUID]) -> Response[ProductView]:
    """A product with its variants, media and parts; the ETag is its version."""
    actor_of(request).require(READ)
    found = await products.view(database_of(request), product_id)
    return with_etag(found, found.version)


@patch("/products/{product_id:uuid}", summary="Change a product")
async def change_product(
    request: AnyRequest,
    product_id: FromPath[UUID],
    data: JSONBody[ProductChange],
    channel: ChannelCode = None,
) -> Response[ProductView]:
    """Change what is given. Variants are found by SKU; new SKUs become new variants. ``media`` replaces all media.
    Send ``If-Match`` so that nobody's change is lost."""
    version = if_match(request)
    price_pool = await price_pool_of(request, channel)
    return await write(
        request, lambda tx: products.change(tx, product_id, data, version, price_pool=price_pool)
    )


@post("/products/{product_id:uuid}/archive", status_code=200, summary="Archive a product")
async def archive_product(request: AnyRequest, product_id: FromPath[UUID]) -> Response[ProductView]:
    """Take a product out of sale everywhere. Orders keep it; change its status to bring it back."""
    version = if_match(request)
    return await write(request, lambda tx: products.archive(tx, product_id, version))


@get("/variants", summary="List variants")
async def list_variants(
    request: AnyRequest,
    channel: ChannelCode = None,
    limit: Limit = 50,
    cursor: Text = None,
    sort: Text = None,
    status: Text = None,
    product: Text = None,
    sku: Text = None,
    gtin: Text = None,
    as_format: Format = "json",
) -> Response[Page[Variant]]:
    """Variants of all catalogues, or of a channel's."""
    actor_of(request).require(READ)
    filters = {"status": status, "product": product, "sku": sku, "gtin": gtin}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    pools = await pools_of(request, Resource.CATALOGUE, channel)
    return await product_store.VARIANTS.answer(
        database_of(request), query, pools, as_csv=as_format == "csv", name="variants"
    )


@get("/variants/by-code", summary="Find a variant by what a scanner reads")
async def read_variant_by_code(
    request: AnyRequest,
    code: Annotated[
        str,
        QueryParameter(
            min_length=1, max_length=100, pattern=r"^[^\x00]*$", description="SKU or GTIN (UPC, EAN)"
        ),
    ],
    channel: ChannelCode = None,
) -> VariantRef:
    """The variant with this SKU, else with this GTIN."""
    actor_of(request).require(READ)
    pool = await pool_of(request, Resource.CATALOGUE, channel)
    found = await variant_by_code(database_of(request), pool, code)
    if found is None:
        raise NotFound("No variant has this code.")
    return found


@get("/variants/{variant_id:uuid}", summary="Read a variant")
async def read_variant(request: AnyRequest, variant_id: FromPath[UUID]) -> Response[Variant]:
    """One variant; the ETag is its version."""
    actor_of(request).require(READ)
    found = await products.variant(database_of(request), variant_id)
    return with_etag(found, found.version)


@patch("/variants/{variant_id:uuid}", summary="Change a variant")
async def change_variant(
    request: AnyRequest,
    variant_id: FromPath[UUID],
    data: JSONBody[VariantChange],
    channel: ChannelCode = None,
) -> Response[Variant]:
    """Change what is given, the SKU too. Send ``If-Match`` so that nobody's change is lost."""
    version = if_match(request)
    price_pool = await price_pool_of(request, channel)
    return await write(
        request, lambda tx: products.change_variant(tx, variant_id, data, version, price_pool=price_pool)
    )


router = Router(
    path="/api",
    tags=["Products"],
    route_handlers=[
        list_products,
        create_product,
        read_product,
        change_product,
        archive_product,
        list_variants,
        read_variant_by_code,
        read_variant,
        change_variant,
    ],
)
