"""HTTP: destinations of audiences, what was sent, and what would be."""

from typing import Any
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from samlad.destinations import service, store
from samlad.destinations.model import BatchRow, Destination, DestinationChange, DryRun, NewDestination
from samlad.destinations.permissions import READ
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    States,
    Wanted,
)
from samlad.kernel.vault import Vault

Id = FromPath[UUID]


def _vault(request: AnyRequest) -> Vault:
    found: Vault = request.app.state.runtime.vault
    return found


@get("/destinations", summary="List destinations of audiences")
async def list_destinations(
    request: AnyRequest,
    segment: Wanted = None,
    q: Wanted = None,
    states: States = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Destination]]:
    """Where segments are sent, by name; those that are ended are left out. Secrets are never shown."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"segment": segment, "q": q, "state": states}
    )
    return await store.LISTING.answer(
        database_of(request), query, as_csv=as_format == "csv", name="destinations"
    )


@post("/destinations", status_code=201, summary="Send a segment somewhere")
async def create_destination(request: AnyRequest, data: JSONBody[NewDestination]) -> Response[Destination]:
    """Whoever is in the segment and has agreed to the purpose is sent right after, hashed; who leaves it is removed."""
    return await write(
        request,
        lambda tx: service.create(tx, _vault(request), data),
        status=201,
        headers=lambda made: {"ETag": f'"{made.version}"'},
    )


@get("/destinations/{destination_id:uuid}", summary="Read a destination")
async def read_destination(request: AnyRequest, destination_id: Id) -> Response[Destination]:
    """Its state, the last sync and the last error; with an ETag of its version."""
    actor_of(request).require(READ)
    found = await service.get(database_of(request), destination_id)
    return with_etag(found, found.version)


@patch("/destinations/{destination_id:uuid}", summary="Change a destination")
async def change_destination(
    request: AnyRequest, destination_id: Id, data: JSONBody[DestinationChange]
) -> Response[Destination]:
    """Its name, its way in, or whether it is paused. What is left out stays, also of the config."""
    version = if_match(request)
    return await write(
        request,
        lambda tx: service.change(tx, _vault(request), destination_id, data, version=version),
        headers=lambda made: {"ETag": f'"{made.version}"'},
    )


@delete("/destinations/{destination_id:uuid}", status_code=204, summary="End a destination")
async def end_destination(request: AnyRequest, destination_id: Id) -> Response[None]:
    """Everybody who was sent is removed there; then it is ended. Again is no error."""
    version = if_match(request)

    async def work(tx: Any) -> None:
        await service.end(tx, destination_id, version=version)

    return await write(request, work, status=204)


@post("/destinations/{destination_id:uuid}/sync", status_code=202, summary="Look at everybody again")
async def sync_destination(request: AnyRequest, destination_id: Id) -> Response[dict[str, int]]:
    """Everybody who is or ought to be there is compared, and what differs is sent; at once, though a pause is on."""

    async def work(tx: Any) -> dict[str, int]:
        return {"people": await service.everybody(tx, destination_id)}

    return await write(request, work, status=202)


@get("/destinations/{destination_id:uuid}/dry-run", summary="See what would be sent")
async def try_destination(request: AnyRequest, destination_id: Id) -> DryRun:
    """Counts and three hashed examples. Nothing is sent."""
    actor_of(request).require(READ)
    return await service.dry_run(database_of(request), destination_id)


@get("/destinations/{destination_id:uuid}/batches", summary="List what was sent")
async def list_batches(
    request: AnyRequest,
    destination_id: Id,
    states: States = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[BatchRow]]:
    """Each batch with how many were added and removed, and what the receiver said."""
    actor_of(request).require(READ)
    await service.get(database_of(request), destination_id)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"state": states})
    return await store.BATCHES.answer(
        database_of(request), query, destination_id, as_csv=as_format == "csv", name="batches"
    )


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_destinations,
            create_destination,
            read_destination,
            change_destination,
            end_destination,
            sync_destination,
            try_destination,
            list_batches,
        ],
        tags=["Destinations of audiences"],
    )
]
