"""HTTP of delivery: methods, how locations work, and the promise that everybody may ask for."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from samlad import channels
from samlad.channels.rules import check_values
from samlad.delivery import promising, service, store
from samlad.delivery.model import (
    Destination,
    Method,
    MethodChange,
    MethodInput,
    Workday,
    WorkdayInput,
)
from samlad.delivery.permissions import READ
from samlad.delivery.promising import Answer
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.kernel.problems import InvalidInput, NotFound

MOST_UNITS = 1_000_000


@get("/delivery-methods", summary="List delivery methods")
async def list_methods(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    q: Wanted = None,
    channel: Wanted = None,
    kind: Wanted = None,
    code: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[Method]]:
    """Methods as channels set them themselves. ``channel`` is a code; what a channel inherits is its parents' rows.

    ``q`` is part of the code or of the name in any language."""
    actor_of(request).require(READ)
    filters = {"q": q, "channel": channel, "kind": kind, "code": code}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await store.METHODS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="delivery-methods"
    )


@post("/delivery-methods", status_code=201, summary="Make a delivery method")
async def create_method(request: AnyRequest, data: JSONBody[MethodInput]) -> Response[Method]:
    """Give a channel, and those that inherit from it, a way to get goods to customers."""
    return await write(request, lambda tx: service.create_method(tx, data), status=201)


@get("/delivery-methods/{method_id:uuid}", summary="Read a delivery method")
async def read_method(request: AnyRequest, method_id: FromPath[UUID]) -> Response[Method]:
    """A method with its rate, zones and calendar."""
    actor_of(request).require(READ)
    method = await store.method(database_of(request), method_id)
    return with_etag(method, method.version)


@patch("/delivery-methods/{method_id:uuid}", summary="Change a delivery method")
async def change_method(
    request: AnyRequest, method_id: FromPath[UUID], data: JSONBody[MethodChange]
) -> Response[Method]:
    """Change what is given. Orders that were placed keep what they cost. Send ``If-Match`` so that no change is lost."""
    version = if_match(request)
    return await write(request, lambda tx: service.change_method(tx, method_id, data, version=version))


@get("/locations/{location_id:uuid}/workday", summary="Read how a location works")
async def read_workday(request: AnyRequest, location_id: FromPath[UUID]) -> Response[Workday]:
    """Hours of picking, minutes and capacity; version 0 says that the location has nothing of its own."""
    actor_of(request).require(READ)
    workday = await store.workday(database_of(request), location_id) or Workday(location=location_id)
    return with_etag(workday, workday.version)


@put("/locations/{location_id:uuid}/workday", status_code=200, summary="Say how a location works")
async def set_workday(
    request: AnyRequest, location_id: FromPath[UUID], data: JSONBody[WorkdayInput]
) -> Response[Workday]:
    """Hours of picking, holidays, minutes and capacity of a location; all of it anew."""
    version = if_match(request)
    return await write(request, lambda tx: service.set_workday(tx, location_id, data, version=version))


@get("/promise", summary="When customers can have it")
async def read_promise(
    request: AnyRequest,
    channel: Annotated[
        str,
        QueryParameter(max_length=63, pattern=r"^[^\x00]*$", description="Code of the channel that sells it"),
    ],
    variant: FromQuery[UUID],
    quantity: Annotated[int, QueryParameter(ge=1, le=MOST_UNITS)] = 1,
    country: Annotated[
        str | None,
        QueryParameter(
            max_length=2, pattern=r"^[^\x00]*$", description="ISO 3166-1 alpha-2; default: the channel's"
        ),
    ] = None,
    region: Annotated[
        str | None, QueryParameter(max_length=100, pattern=r"^[^\x00]*$", description="State or province")
    ] = None,
    postal_code: Annotated[
        str | None,
        QueryParameter(
            max_length=20, pattern=r"^[^\x00]*$", description="Where it goes; sorts stores when no lat, lon"
        ),
    ] = None,
    lat: Annotated[
        float | None, QueryParameter(ge=-90, le=90, description="Where the customer is (WGS 84 degrees)")
    ] = None,
    lon: Annotated[float | None, QueryParameter(ge=-180, le=180)] = None,
    locale: Annotated[
        str | None,
        QueryParameter(
            max_length=35, pattern=r"^[^\x00]*$", description="Language of texts; default: the channel's"
        ),
    ] = None,
    stores: Annotated[int, QueryParameter(ge=0, le=1000, description="At most so many stores")] = 50,
) -> Answer:
    """When a customer of a channel has so many of a variant: delivered, and in each store, the nearest first.

    From what is free, opening hours, cut-offs, time to pick and pack, public holidays, carriers' calendars and capacity.
    Days are those of the place's own clock. Open to everybody; it tells no number of units.
    """
    if (lat is None) != (lon is None):
        raise InvalidInput.at("lon" if lon is None else "lat", "lat and lon go together")
    check_values({"country": country or None, "locale": locale or None})
    database = database_of(request)
    where = await channels.cached_by_code(database, channel)
    if where is None:
        raise NotFound(f"There is no channel “{channel}”.")
    to = Destination(
        country=country or where.country,
        region=region,
        postal_code=postal_code,
        latitude=lat,
        longitude=lon,
    )
    return await promising.answer(
        database, where, {variant: quantity}, to, locale=locale or None, most_stores=stores
    )


routes: list[Router] = [
    Router(
        path="/api",
        route_handlers=[
            list_methods,
            create_method,
            read_method,
            change_method,
            read_workday,
            set_workday,
            read_promise,
        ],
        tags=["Delivery"],
    )
]
