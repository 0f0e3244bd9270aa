"""HTTP of stock: reading it, and what is promised from it. Changes are in `samlad.stock.api_changes`."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from samlad import channels
from samlad.kernel.http import AnyRequest, actor_of, database_of, with_etag
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    Wanted,
)
from samlad.stock import counts, counts_store, lists, places, reach, service, sharing, transfers_store
from samlad.stock.api_changes import CHANGES
from samlad.stock.api_costs import COSTING
from samlad.stock.api_lots import LOTS
from samlad.stock.api_purchases import PURCHASING
from samlad.stock.api_quarantine import QUARANTINING
from samlad.stock.api_supplier_returns import SUPPLIER_RETURNING
from samlad.stock.model import Count, Location, LocationChannel, Promise, Transfer
from samlad.stock.permissions import READ


@get("/locations", summary="List locations")
async def list_locations(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    code: Wanted = None,
    kind: Wanted = None,
    channel: Wanted = None,
    pool: Wanted = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[lists.LocationRow]]:
    """Places that hold stock. ``channel`` filters by the code of the store that stands there."""
    actor_of(request).require(READ)
    filters = {"q": q, "code": code, "kind": kind, "channel": channel, "pool": pool}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await lists.LOCATIONS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="locations"
    )


@get("/locations/{location_id:uuid}", summary="Read a location")
async def read_location(request: AnyRequest, location_id: FromPath[UUID]) -> Response[Location]:
    """A place that holds stock, with its version as ETag."""
    actor_of(request).require(READ)
    location = await places.location(database_of(request), location_id)
    return with_etag(location, location.version)


@get("/locations/{location_id:uuid}/channels", summary="What channels get from a location")
async def list_location_channels(request: AnyRequest, location_id: FromPath[UUID]) -> list[LocationChannel]:
    """Where a location behaves otherwise for a channel: what it keeps back, whether it serves it. Others: as it is."""
    actor_of(request).require(READ)
    database = database_of(request)
    await places.location(database, location_id)
    return await sharing.of_location(database, location_id)


@get("/stock/levels", summary="List levels")
async def list_levels(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    q: Wanted = None,
    location: Wanted = None,
    pool: Wanted = None,
    variant: Wanted = None,
    sku: Wanted = None,
    stock_state: Annotated[
        str | None, QueryParameter(name="state", max_length=10, description="`in`, `low` or `out`")
    ] = None,
    as_format: FileFormat = "json",
) -> Response[Page[lists.LevelRow]]:
    """What there is of each variant at each location. ``location`` filters by code, ``q`` by words or parts of words of SKU,
    title and options, all of which must be there."""
    actor_of(request).require(READ)
    filters = {
        "q": q,
        "location": location,
        "pool": pool,
        "variant": variant,
        "sku": sku,
        "state": stock_state,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await lists.LEVELS.answer(database_of(request), query, as_csv=as_format == "csv", name="levels")


@get("/stock/movements", summary="List movements")
async def list_movements(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    variant: Wanted = None,
    sku: Wanted = None,
    cause: Wanted = None,
    reference: Wanted = None,
    lot: Wanted = None,
    since: Wanted = None,
    until: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[lists.MovementRow]]:
    """The stock ledger, newest first. ``since`` and ``until`` are ISO 8601 moments."""
    actor_of(request).require(READ)
    filters = {
        "location": await reach.place_filter(database_of(request), actor_of(request), location),
        "variant": variant,
        "sku": sku,
        "cause": cause,
        "reference": reference,
        "lot": lot,
        "since": since,
        "until": until,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await lists.MOVEMENTS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="movements"
    )


@get("/stock/holds", summary="List holds")
async def list_holds(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    variant: Wanted = None,
    sku: Wanted = None,
    kind: Wanted = None,
    owner: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[lists.HoldRow]]:
    """Claims on units: carts, checkouts, orders, tills. An expired one goes as soon as somebody needs its units."""
    actor_of(request).require(READ)
    filters = {
        "location": await reach.place_filter(database_of(request), actor_of(request), location),
        "variant": variant,
        "sku": sku,
        "kind": kind,
        "owner": owner,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await lists.HOLDS.answer(database_of(request), query, as_csv=as_format == "csv", name="holds")


@get("/stock/counts", summary="List counts")
async def list_counts(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    count_status: Annotated[str | None, QueryParameter(name="status", max_length=60)] = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[lists.CountRow]]:
    """Counts, newest first, with how much they differed."""
    actor_of(request).require(READ)
    filters = {"q": q, "location": location, "status": count_status}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await lists.COUNTS.answer(database_of(request), query, as_csv=as_format == "csv", name="counts")


@get("/stock/counts/{count_id:uuid}", summary="Read a count")
async def read_count(request: AnyRequest, count_id: FromPath[UUID]) -> Response[Count]:
    """A count with its lines."""
    actor, database = actor_of(request), database_of(request)
    actor.require(READ)
    count = await counts.as_seen(database, actor, await counts_store.get(database, count_id))
    return with_etag(count, count.version)


@get("/stock/transfers", summary="List transfers")
async def list_transfers(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    origin: Wanted = None,
    destination: Wanted = None,
    transfer_status: Annotated[str | None, QueryParameter(name="status", max_length=60)] = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[lists.TransferRow]]:
    """Transfers, newest first. ``origin`` and ``destination`` filter by code."""
    actor_of(request).require(READ)
    filters = {"q": q, "origin": origin, "destination": destination, "status": transfer_status}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await lists.TRANSFERS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="transfers"
    )


@get("/stock/transfers/{transfer_id:uuid}", summary="Read a transfer")
async def read_transfer(request: AnyRequest, transfer_id: FromPath[UUID]) -> Response[Transfer]:
    """A transfer with its lines."""
    actor_of(request).require(READ)
    transfer = await transfers_store.get(database_of(request), transfer_id)
    return with_etag(transfer, transfer.version)


@get("/atp", summary="What a channel may sell")
async def read_promises(
    request: AnyRequest,
    channel: Annotated[
        str, QueryParameter(max_length=63, pattern=r"^[^\x00]*$", description="Code of the channel")
    ],
    variant: Annotated[list[UUID], QueryParameter(max_items=200, description="Repeat it for several")],
    carry_out: FromQuery[bool] = False,
) -> list[Promise]:
    """Available to promise, with what explains each number.

    ``available`` units can be sold now, ``backorder`` more before they are there; ``later`` says when those come.
    The parts are on hand, held, what has expired, will soon or is recalled, what locations keep back, the channel's buffer, what suppliers are to bring and when,
    each location's own numbers, and the locations that do not count with the reason. A set has none of its own: its ``parts`` say how many
    sets each of them makes, and which is the reason that there are no more.

    ``carry_out``: only what lies in the channel's own store. A variant without stock anywhere is left out: it is 0.
    """
    actor_of(request).require(READ)
    database = database_of(request)
    where = await channels.by_code(database, channel)
    return await service.promises(database, where, variant, carry_out=carry_out)


routes: list[Router] = [
    Router(
        path="/api",
        route_handlers=[
            list_locations,
            read_location,
            list_location_channels,
            list_levels,
            list_movements,
            list_holds,
            list_counts,
            read_count,
            list_transfers,
            read_transfer,
            read_promises,
            *CHANGES,
            *PURCHASING,
            *COSTING,
            *LOTS,
            *QUARANTINING,
            *SUPPLIER_RETURNING,
        ],
        tags=["Stock"],
    )
]
