"""HTTP: plans, joining and leaving."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad import channels
from samlad.channels import Resource
from samlad.channels.permissions import READ
from samlad.kernel.http import actor_of, database_of, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.kernel.problems import NotFound
from samlad.pools import service, store
from samlad.pools.model import MoveInput, MoveRow, Plan
from samlad.pools.planning import plan

AnyRequest = Request[Any, Any, Any]


@get("/channels/{channel_id:uuid}/pools/{resource:str}/plan", summary="Plan joining or leaving a pool")
async def read_plan(
    request: AnyRequest,
    channel_id: FromPath[UUID],
    resource: FromPath[Resource],
    to: Annotated[
        str | None, QueryParameter(description="Code of a channel whose pool would be joined", required=False)
    ] = None,
) -> Plan:
    """What it would do: to join others, if the channel has the resource for itself, else to leave them.

    Findings come with counts and examples; those that are ``blocking`` are to be settled first. Nothing is written.
    """
    actor_of(request).require(READ)
    database = database_of(request)
    return await plan(database, await channels.get(database, channel_id), resource, to)


@post("/channels/{channel_id:uuid}/pools/{resource:str}/join", status_code=202, summary="Join a pool")
async def join(
    request: AnyRequest,
    channel_id: FromPath[UUID],
    resource: FromPath[Resource],
    data: JSONBody[MoveInput],
) -> Response[MoveRow]:
    """Let the channel share the resource with others. Answers at once; the work goes on and can be looked at."""
    return await write(request, lambda tx: service.join(tx, channel_id, resource, to=data.to), status=202)


@post("/channels/{channel_id:uuid}/pools/{resource:str}/leave", status_code=202, summary="Leave a pool")
async def leave(
    request: AnyRequest, channel_id: FromPath[UUID], resource: FromPath[Resource]
) -> Response[MoveRow]:
    """Let the channel have the resource for itself again, with everything that has happened since in its place."""
    return await write(request, lambda tx: service.leave(tx, channel_id, resource), status=202)


@get("/pool-moves", summary="List joins and leaves")
async def list_moves(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    channel: Wanted = None,
    resource: Wanted = None,
    status: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[MoveRow]]:
    """Who let which channel join or leave what, the latest first; ``channel`` is a code."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit,
        cursor=cursor,
        sort=sort,
        filters={"channel": channel, "resource": resource, "status": status},
    )
    return await store.MOVES.answer(database_of(request), query, as_csv=as_format == "csv", name="pool-moves")


@get("/pool-moves/{move_id:uuid}", summary="Read a join or leave")
async def read_move(request: AnyRequest, move_id: FromPath[UUID]) -> MoveRow:
    """How far it has come: ``rows`` of about ``expected``."""
    actor_of(request).require(READ)
    found = await store.get(database_of(request), move_id)
    if found is None:
        raise NotFound("There is no such move.")
    return found


routes = [
    Router(path="/api", route_handlers=[read_plan, join, leave, list_moves, read_move], tags=["Channels"])
]
