"""HTTP: plans, joining and leaving."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad import channels
from samlad.catalog import pairing
from samlad.catalog.pairing import PAIRS, Decided, DecisionInput, Pair
from samlad.channels import Resource
from samlad.channels.model import Code
from samlad.channels.permissions import READ
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
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
from samlad.kernel.problems import NotFound
from samlad.pools import pairs, service, store
from samlad.pools.model import MoveInput, MoveRow, Plan
from samlad.pools.planning import plan


@get("/channels/{channel_id:uuid}/pools/{resource:str}/plan", summary="Plan joining or leaving a pool")
async def read_plan(
    request: AnyRequest,
    channel_id: FromPath[UUID],
    resource: FromPath[Resource],
    to: Annotated[
        str | None, QueryParameter(description="Code of a channel whose pool would be joined", required=False)
    ] = None,
    keeps_own: Annotated[
        bool,
        QueryParameter(
            description="The channel would keep its own prices or texts; of a leave, the prices or collections that it shows",
            required=False,
        ),
    ] = False,
) -> Plan:
    """What it would do: to join others, if the channel has the resource for itself, else to leave them.

    Findings come with counts and examples; those that are ``blocking`` are to be settled first. Nothing is written.
    """
    actor_of(request).require(READ, shop_wide=True)
    database = database_of(request)
    return await plan(database, await channels.get(database, channel_id), resource, to, keeps_own=keeps_own)


@post("/channels/{channel_id:uuid}/pools/{resource:str}/join", status_code=202, summary="Join a pool")
async def join(
    request: AnyRequest,
    channel_id: FromPath[UUID],
    resource: FromPath[Resource],
    data: JSONBody[MoveInput],
) -> Response[MoveRow]:
    """Let the channel share the resource with others. Answers at once; the work goes on and can be looked at."""
    return await write(
        request,
        lambda tx: service.join(tx, channel_id, resource, to=data.to, keeps_own=data.keeps_own),
        status=202,
    )


@post("/channels/{channel_id:uuid}/pools/{resource:str}/leave", status_code=202, summary="Leave a pool")
async def leave(
    request: AnyRequest,
    channel_id: FromPath[UUID],
    resource: FromPath[Resource],
    keeps_own: Annotated[
        bool,
        QueryParameter(
            description="Of `prices` and `catalogue`: the channel keeps the prices, or the collections, that its shoppers "
            "see, as copies; else its own from before hold again",
            required=False,
        ),
    ] = False,
) -> Response[MoveRow]:
    """Let the channel have the resource for itself again, with everything that has happened since in its place."""
    return await write(
        request, lambda tx: service.leave(tx, channel_id, resource, keeps_own=keeps_own), status=202
    )


class Decisions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goods of the channel are in the catalogue that it would join; ``to`` as in the plan."""

    decisions: Annotated[list[DecisionInput], msgspec.Meta(min_length=1, max_length=pairing.MOST)]
    to: Code | None = None


@get("/channels/{channel_id:uuid}/catalogue-pairs", summary="List what goods are in another catalogue")
async def list_pairs(
    request: AnyRequest,
    channel_id: FromPath[UUID],
    to: Annotated[
        str | None, QueryParameter(description="Code of a channel whose pool would be joined", required=False)
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    states: States = None,
    why: Wanted = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[Pair]]:
    """The work list before the channel joins the catalogue of others: what each of its variants is there, and why.

    What needs a hand comes first. As CSV it is a file that can be changed and read in again.
    """
    actor_of(request).require(READ, shop_wide=True)
    database = database_of(request)
    here = await pairs.between(database, channel_id, to)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"state": states, "why": why, "q": q})
    return await PAIRS.answer(database, query, *here.scope, as_csv=as_format == "csv", name="catalogue-pairs")


@post(
    "/channels/{channel_id:uuid}/catalogue-pairs",
    status_code=200,
    summary="Say what goods are in another catalogue",
)
async def decide_pairs(
    request: AnyRequest, channel_id: FromPath[UUID], data: JSONBody[Decisions]
) -> Response[Decided]:
    """Say of goods that they are the same as one there, that they are others, or that they are left out.

    It is kept, and used by plan and join. All of it is kept or nothing.
    """
    return await write(request, lambda tx: pairs.decide(tx, channel_id, data.decisions, data.to))


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
    actor_of(request).require(READ, shop_wide=True)
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
    actor_of(request).require(READ, shop_wide=True)
    found = await store.get(database_of(request), move_id)
    if found is None:
        raise NotFound("There is no such move.")
    return found


routes = [
    Router(
        path="/api",
        route_handlers=[read_plan, join, leave, list_pairs, decide_pairs, list_moves, read_move],
        tags=["Channels"],
    )
]
