"""HTTP of clienteling."""

from uuid import UUID

from litestar import Response, Router, delete, get, post, put
from litestar.params import FromPath, JSONBody

from samlad.clienteling import service
from samlad.clienteling.model import (
    AssignInput,
    Client,
    FollowUp,
    FollowUpInput,
    Recommended,
    RecommendInput,
)
from samlad.clienteling.store import CLIENTS, FOLLOW_UPS
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
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


@get("/clients", summary="List whom clerks look after")
async def list_clients(
    request: AnyRequest,
    location: Wanted = None,
    customer: Wanted = None,
    staff: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Client]]:
    """One's own; who leads sees everybody's. The latest first; filters are ids."""
    scope = service.scope_of(actor_of(request))
    filters = {"location": location, "customer": customer, "staff": staff}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await CLIENTS.answer(
        database_of(request), query, *scope, as_csv=as_format == "csv", name="clients"
    )


@put("/customers/{customer_id:uuid}/clerk", status_code=204, summary="Look after a customer")
async def assign(
    request: AnyRequest, customer_id: FromPath[UUID], data: JSONBody[AssignInput]
) -> Response[None]:
    """Whoever asks looks after the customer in a store, if the customer agreed to ``personal_advice`` before or does now."""
    return await write(request, lambda tx: service.assign(tx, customer_id, data), status=204)


@delete(
    "/customers/{customer_id:uuid}/clerk/{location_id:uuid}",
    status_code=204,
    summary="Do not look after a customer",
)
async def release(
    request: AnyRequest, customer_id: FromPath[UUID], location_id: FromPath[UUID]
) -> Response[None]:
    """Again is no error."""
    return await write(request, lambda tx: service.release(tx, customer_id, location_id), status=204)


@post("/customers/{customer_id:uuid}/recommendations", summary="Recommend something to a customer")
async def recommend(
    request: AnyRequest, customer_id: FromPath[UUID], data: JSONBody[RecommendInput]
) -> Response[Recommended]:
    """Onto their wish list, or into the cart that they have on their devices: they see it at once."""
    return await write(request, lambda tx: service.recommend(tx, customer_id, data), status=201)


@get("/follow-ups", summary="List what clerks mean to do for customers")
async def list_follow_ups(
    request: AnyRequest,
    location: Wanted = None,
    customer: Wanted = None,
    staff: Wanted = None,
    is_open: Wanted = None,
    due: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[FollowUp]]:
    """One's own; who leads sees everybody's. What is due first first.

    ``is_open=true``: what is not done; ``due``: by that day (2026-03-02). The others are ids.
    """
    scope = service.scope_of(actor_of(request))
    filters = {"location": location, "customer": customer, "staff": staff, "open": is_open, "due": due}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await FOLLOW_UPS.answer(
        database_of(request), query, *scope, as_csv=as_format == "csv", name="follow-ups"
    )


@post("/customers/{customer_id:uuid}/follow-ups", summary="Mean to do something for a customer")
async def follow_up(
    request: AnyRequest, customer_id: FromPath[UUID], data: JSONBody[FollowUpInput]
) -> Response[FollowUp]:
    """A task of whoever asks."""
    return await write(request, lambda tx: service.follow_up(tx, customer_id, data), status=201)


@post("/follow-ups/{task_id:uuid}/done", status_code=200, summary="It is done")
async def finish(request: AnyRequest, task_id: FromPath[UUID]) -> Response[FollowUp]:
    """Again is no error."""
    return await write(request, lambda tx: service.finish(tx, task_id))


@post("/follow-ups/{task_id:uuid}/reopen", status_code=200, summary="It is not done after all")
async def reopen(request: AnyRequest, task_id: FromPath[UUID]) -> Response[FollowUp]:
    """Again is no error."""
    return await write(request, lambda tx: service.reopen(tx, task_id))


routes = [
    Router(
        path="/api",
        tags=["Clienteling"],
        route_handlers=[
            list_clients,
            assign,
            release,
            recommend,
            list_follow_ups,
            follow_up,
            finish,
            reopen,
        ],
    )
]
