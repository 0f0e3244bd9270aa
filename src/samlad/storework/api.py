"""HTTP of store work of phones: what was sent, and what a manager does with what was refused."""

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody

from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    ASKED,
    FromAsked,
    Page,
    States,
    Wanted,
)
from samlad.storework import service
from samlad.storework.model import Dismissal, Kept, Row
from samlad.storework.permissions import RESOLVE
from samlad.storework.store import ENTRIES


@get("/store-work", summary="List store work of phones", dependencies=ASKED)
async def list_entries(
    request: AnyRequest,
    asked: FromAsked,
    location: Wanted = None,
    kind: Wanted = None,
    states: States = None,
    q: Wanted = None,
) -> Response[Page[Row]]:
    """Everything that phones in stores sent, what came last first. ``state``: `refused` for what waits for a manager."""
    actor = actor_of(request)
    actor.require(RESOLVE)
    filters = {"q": q, "location": location, "kind": kind, "state": states}
    query = asked.query(filters)
    scope = actor.bound_to
    return await ENTRIES.answer(database_of(request), query, scope, as_csv=asked.as_csv, name="store-work")


@get("/store-work/{entry_id:uuid}", summary="Read an entry of store work")
async def read_entry(request: AnyRequest, entry_id: FromPath[UUID]) -> Response[Kept]:
    """With what was sent, what became of it, and an ETag of its version."""
    actor = actor_of(request)
    actor.require(RESOLVE)
    found = await service.get(database_of(request), entry_id)
    actor.require(RESOLVE, location=found.location)
    return with_etag(found, found.version)


@post("/store-work/{entry_id:uuid}/again", summary="Try a refused entry again", status_code=200)
async def try_again(request: AnyRequest, entry_id: FromPath[UUID]) -> Response[Kept]:
    """Book what was refused, now that it goes; said twice it is done once. What still refuses it is the problem."""
    version = if_match(request)
    return await write(request, lambda tx: service.try_again(tx, entry_id, version=version))


@post("/store-work/{entry_id:uuid}/dismiss", summary="Dismiss a refused entry", status_code=200)
async def dismiss(request: AnyRequest, entry_id: FromPath[UUID], data: JSONBody[Dismissal]) -> Response[Kept]:
    """It will not be booked, and why. What was sent stays."""
    version = if_match(request)
    return await write(request, lambda tx: service.dismiss(tx, entry_id, data, version=version))


routes: list[Router] = [
    Router(
        path="/api",
        route_handlers=[list_entries, read_entry, try_again, dismiss],
        tags=["Store work"],
    )
]
