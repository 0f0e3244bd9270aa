"""HTTP of routing: versions of rules, where a cart would go by them, and what they would have done to past orders."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from samlad import carts, channels
from samlad.kernel.clock import now
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.orders import routing, routing_replay, routing_store
from samlad.orders.permissions import ROUTE
from samlad.orders.routing_model import Decision, Line, Replay, Routing, RoutingInput


@get("/routing", summary="List routing rules")
async def list_rules(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    channel: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[Routing]]:
    """Versions of rules, the newest first. Which one holds is the channel's setting ``routing``, or its parent's."""
    actor_of(request).require(ROUTE)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"channel": channel})
    return await routing_store.ROUTINGS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="routing"
    )


@post("/routing", status_code=201, summary="Add routing rules")
async def add_rules(request: AnyRequest, data: JSONBody[RoutingInput]) -> Response[Routing]:
    """Keep a new version of a channel's rules. It does nothing until it goes live: replay it first."""
    return await write(request, lambda tx: routing.add_rules(tx, data), status=201)


@get("/routing/{routing_id:uuid}", summary="Read routing rules")
async def read_rules(request: AnyRequest, routing_id: FromPath[UUID]) -> Routing:
    """A version of rules. It never changes."""
    actor_of(request).require(ROUTE)
    return await routing.read_rules(database_of(request), routing_id)


@post("/routing/{routing_id:uuid}/live", status_code=200, summary="Let routing rules hold")
async def go_live(request: AnyRequest, routing_id: FromPath[UUID]) -> Response[Routing]:
    """From now on orders of the channel, and of those that inherit from it, go by these rules.

    It changes the channel's setting ``routing``; null there goes back to what its parent says.
    """
    return await write(request, lambda tx: routing.go_live(tx, routing_id))


@get("/routing/{routing_id:uuid}/where", summary="Where a cart would go")
async def explain(request: AnyRequest, routing_id: FromPath[UUID], cart: FromQuery[UUID]) -> Decision:
    """Which locations would send a cart by these rules now, and why: every candidate with its rank, or why not."""
    actor_of(request).require(ROUTE)
    database = database_of(request)
    rules = (await routing.read_rules(database, routing_id)).rules
    shown = await carts.view(database, actor_of(request), cart)
    channel = await channels.cached(database, shown.channel)
    lines = [Line(line.variant, line.quantity, line.total) for line in shown.lines]
    return await routing.route(database, channel, lines, shown.address, rules)


@get("/routing/{routing_id:uuid}/replay", summary="Try routing rules on past orders")
async def replay(
    request: AnyRequest,
    routing_id: FromPath[UUID],
    days: Annotated[int, QueryParameter(ge=1, le=400, description="Orders of so many days")] = 30,
    limit: Annotated[
        int, QueryParameter(ge=1, le=routing_replay.MOST_ORDERS, description="At most so many")
    ] = 200,
) -> Replay:
    """Parcels, kilometres and cost of orders that were sent, as they went and as these rules would have sent them."""
    actor_of(request).require(ROUTE)
    database = database_of(request)
    found = await routing.read_rules(database, routing_id)
    channel = await channels.cached(database, found.channel)
    until = now()
    since = until - timedelta(days=days)
    return await routing_replay.replay(database, channel, found.rules, since=since, until=until, limit=limit)


routes = [
    Router(
        path="/api",
        route_handlers=[list_rules, add_rules, read_rules, go_live, explain, replay],
        tags=["Routing"],
    )
]
