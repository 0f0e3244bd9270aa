"""HTTP: promotions, their codes, links and grants. Codes in carts are with the carts."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad import channels
from samlad.channels import Resource
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.promotions import service, store, uses_store
from samlad.promotions.model import (
    Code,
    CodesInput,
    CodesMade,
    Grant,
    GrantInput,
    Link,
    LinkInput,
    Promotion,
    PromotionChange,
    PromotionInput,
    PromotionRow,
)
from samlad.promotions.permissions import READ
from samlad.promotions.uses_store import UseSums


class PromotionPage(Promotion, frozen=True, kw_only=True):
    """A promotion with its links and what it came to: ``sums`` is of orders that were not cancelled."""

    links: list[Link]
    sums: UseSums


@get("/promotions", summary="List promotions")
async def list_promotions(
    request: AnyRequest,
    channel: Annotated[
        UUID | None, QueryParameter(description="Id of a channel: only those of its pool; else of every pool")
    ] = None,
    q: Wanted = None,
    standing: Annotated[
        str | None,
        QueryParameter(
            name="state",
            max_length=200,
            pattern=r"^[^\x00]*$",
            description="scheduled, active, paused, used_up, ended; several with commas",
        ),
    ] = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[PromotionRow]]:
    """Promotions, the latest first. ``q`` is a part of a name or of a code; sort by created_at, name, priority or
    last_day."""
    actor_of(request).require(READ)
    database = database_of(request)
    if channel is None:
        every = await channels.cached_all(database)
        pools = list({each.pools[Resource.PROMOTIONS] for each in every})
    else:
        pools = [(await channels.cached(database, channel)).pools[Resource.PROMOTIONS]]
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"q": q, "state": standing})
    return await store.LISTING.answer(database, query, pools, as_csv=as_format == "csv", name="promotions")


@post("/promotions", summary="Make a promotion", status_code=201)
async def create_promotion(request: AnyRequest, data: JSONBody[PromotionInput]) -> Response[Promotion]:
    """Make a promotion: automatic, or to be had by code, link or grant."""
    return await write(request, lambda tx: service.create(tx, data), status=201)


@get("/promotions/{promotion_id:uuid}", summary="Read a promotion")
async def read_promotion(request: AnyRequest, promotion_id: FromPath[UUID]) -> Response[PromotionPage]:
    """A promotion with its links and what it came to so far, and an ETag of its version."""
    actor_of(request).require(READ)
    database = database_of(request)
    found = await service.get(database, promotion_id)
    values = {name: getattr(found, name) for name in Promotion.__struct_fields__}
    page = PromotionPage(
        **values,
        links=await store.links_of(database, promotion_id),
        sums=await uses_store.sums(database, promotion_id),
    )
    return with_etag(page, found.version)


@patch("/promotions/{promotion_id:uuid}", summary="Change a promotion")
async def change_promotion(
    request: AnyRequest, promotion_id: FromPath[UUID], data: JSONBody[PromotionChange]
) -> Response[Promotion]:
    """Change what is given; pause (who was shown it keeps it) or end it with ``status``. What has ended stays so."""
    version = if_match(request)
    return await write(request, lambda tx: service.change(tx, promotion_id, data, version=version))


@get("/promotions/{promotion_id:uuid}/codes", summary="List codes")
async def list_codes(
    request: AnyRequest,
    promotion_id: FromPath[UUID],
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Code]]:
    """The codes of a promotion with how often each was used; as CSV for whoever prints or mails them."""
    actor_of(request).require(READ)
    await service.get(database_of(request), promotion_id)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"q": q})
    return await store.CODES.answer(
        database_of(request), query, promotion_id, as_csv=as_format == "csv", name="codes"
    )


@post("/promotions/{promotion_id:uuid}/codes", summary="Add codes", status_code=201)
async def add_codes(
    request: AnyRequest, promotion_id: FromPath[UUID], data: JSONBody[CodesInput]
) -> Response[CodesMade]:
    """Add codes by name, or let up to 20,000 be made up, each for one use. 409 if another promotion has a code."""
    return await write(request, lambda tx: service.add_codes(tx, promotion_id, data), status=201)


@post("/promotions/{promotion_id:uuid}/links", summary="Make a link", status_code=201)
async def make_link(
    request: AnyRequest, promotion_id: FromPath[UUID], data: JSONBody[LinkInput]
) -> Response[Link]:
    """Make a link: `/o/{token}` of the storefront gives the promotion to who follows it, and leads on."""
    return await write(request, lambda tx: service.make_link(tx, promotion_id, data), status=201)


@post("/promotions/{promotion_id:uuid}/grants", summary="Give to a customer", status_code=200)
async def give_promotion(
    request: AnyRequest, promotion_id: FromPath[UUID], data: JSONBody[GrantInput]
) -> Response[list[Grant]]:
    """Give a promotion to a customer, who then has it on every channel; answers all that they hold."""
    return await write(request, lambda tx: service.give(tx, promotion_id, data.customer))


@get("/customers/{customer_id:uuid}/promotions", summary="What a customer holds")
async def list_grants(request: AnyRequest, customer_id: FromPath[UUID]) -> list[Grant]:
    """The promotions that were granted or shown to a customer, the latest first."""
    actor_of(request).require(READ)
    return await store.grants_of(database_of(request), customer_id)


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_promotions,
            create_promotion,
            read_promotion,
            change_promotion,
            list_codes,
            add_codes,
            make_link,
            give_promotion,
            list_grants,
        ],
        tags=["Promotions"],
    )
]
