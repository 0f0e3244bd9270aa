"""HTTP: what people asked for about their data."""

from typing import cast
from uuid import UUID

from litestar import MediaType, Response, Router, get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, write
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
from samlad.privacy import service, store
from samlad.privacy.model import Export, PrivacyRequest, RequestInput
from samlad.privacy.permissions import EXPORT, READ
from samlad.privacy.pieces import Kept


@get("/privacy/requests", summary="List requests about personal data")
async def list_requests(
    request: AnyRequest,
    kind: Wanted = None,
    standing: States = None,
    person: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[PrivacyRequest]]:
    """Exports and erasures, the latest first. ``state``: waiting, running, done, cancelled, refused."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"kind": kind, "state": standing, "person": person}
    )
    return await store.LISTING.answer(
        database_of(request), query, as_csv=as_format == "csv", name="privacy-requests"
    )


@post("/privacy/requests", summary="Ask for an export or an erasure", status_code=201)
async def make_request(request: AnyRequest, data: JSONBody[RequestInput]) -> Response[PrivacyRequest]:
    """Collect everything that is known of a person, or erase it after some minutes in which it can be cancelled.

    Asked again while it waits or runs, it answers the same request. An erasure is refused (state ``refused``, with the
    reason) while orders are not delivered or subscriptions run.
    """
    return await write(request, lambda tx: service.ask(tx, data), status=201)


@get("/privacy/requests/{request_id:uuid}", summary="Read a request about personal data")
async def read_request(request: AnyRequest, request_id: FromPath[UUID]) -> Response[PrivacyRequest]:
    """How far it is, and what was found, erased and kept by law."""
    actor_of(request).require(READ)
    return Response(await service.get(database_of(request), request_id))


@post(
    "/privacy/requests/{request_id:uuid}/cancel",
    summary="Cancel a request about personal data",
    status_code=200,
)
async def cancel(request: AnyRequest, request_id: FromPath[UUID]) -> Response[PrivacyRequest]:
    """Take it back before it begins; afterwards it answers 409."""
    return await write(request, lambda tx: service.cancel(tx, request_id))


@get("/privacy/requests/{request_id:uuid}/export", summary="Download everything that is known of a person")
async def download(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Export]:
    """What was collected, table by table, for 30 days. That it was downloaded is in the audit log."""
    found = await _found(request, request_id)
    headers = _headers(f"personal-data-{request_id}.json")
    told = Stream(found.lines(database_of(request)), media_type=MediaType.JSON, headers=headers)
    # What it says is an `Export`, as the documentation of the operation has it; it is not read into one to be written again.
    return cast("Response[Export]", told)


@get(
    "/privacy/requests/{request_id:uuid}/archive",
    summary="Download everything that is known of a person, with files",
    media_type="application/zip",
)
async def download_archive(request: AnyRequest, request_id: FromPath[UUID]) -> Response[bytes]:
    """A ZIP: ``export.json`` as in the export, and the files that it names beside it. Downloads are in the audit log."""
    found = await _found(request, request_id)
    headers = _headers(f"personal-data-{request_id}.zip")
    packed = Stream(found.zipped(database_of(request)), media_type="application/zip", headers=headers)
    return cast("Response[bytes]", packed)


async def _found(request: AnyRequest, request_id: UUID) -> Kept:
    actor_of(request).require(EXPORT)
    keys = request.app.state.runtime.vault
    return await database_of(request).transaction(
        lambda tx: service.download(tx, keys, request_id), context_of(request)
    )


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


routes = [
    Router(
        path="/api",
        route_handlers=[list_requests, make_request, read_request, cancel, download, download_archive],
        tags=["Privacy"],
    )
]
