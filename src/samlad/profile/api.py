"""HTTP: everything about a customer."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, put
from litestar.params import FromPath, QueryParameter

from samlad import customers
from samlad.customers.api import change_customer
from samlad.kernel.http import AnyRequest, actor_of, database_of, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    Wanted,
    texts,
)
from samlad.kernel.problems import NotFound
from samlad.profile import household, reading
from samlad.profile.model import Person, TimelineRow
from samlad.profile.timeline import TIMELINE, scope_of


@get("/customers/{customer_id:uuid}", summary="Read a customer")
async def read_customer(
    request: AnyRequest, customer_id: FromPath[UUID], parts: Wanted = None
) -> Response[Person]:
    """Everything about a customer in one call, with an ETag of its version.

    ``parts`` names those that are wanted (``orders,loyalty``); without it all that the role may see. What is left out is
    named in ``withheld``.

    Ids live for ever: that of a customer who was found to be the same person as another answers the one that stands
    for both, whose ``id`` it then has; ``Content-Location`` says where that is.
    """
    only = None if parts is None else texts(parts)
    person = await reading.read(database_of(request), actor_of(request), customer_id, only)
    answer = with_etag(person, person.version)
    if person.id != customer_id:
        answer.headers["Content-Location"] = f"/api/customers/{person.id}"
    return answer


@get("/customers/{customer_id:uuid}/timeline", summary="Read a customer's timeline")
async def read_timeline(
    request: AnyRequest,
    customer_id: FromPath[UUID],
    kind: Wanted = None,
    channel: Wanted = None,
    first: Annotated[
        str | None, QueryParameter(name="from", max_length=40, description="Since when, with a time zone")
    ] = None,
    to: Annotated[
        str | None, QueryParameter(max_length=40, description="Until when, with a time zone")
    ] = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[TimelineRow]]:
    """What happened to a person in all channels, the newest first, as far as the role may see.

    ``kind``: orders, payments, carts, promotions, credit, subscriptions, documents, customer,
    appointments, conversations, questions, service, identity, browsing.
    ``channel``: ids; ``from`` (with it) and ``to`` (without it): moments with a time zone.
    """
    actor, database = actor_of(request), database_of(request)
    actor.require(customers.READ)
    if await customers.resolve(database, customer_id) is None:
        raise NotFound("There is no such customer.")
    filters = {"kind": kind, "channel": channel, "from": first, "to": to}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    scope = await scope_of(database, actor, customer_id)
    return await TIMELINE.answer(database, query, *scope, as_csv=as_format == "csv", name="timeline")


@put(
    "/customers/{customer_id:uuid}/household/{other_id:uuid}",
    summary="Say who lives together",
    status_code=204,
)
async def live_with(
    request: AnyRequest, customer_id: FromPath[UUID], other_id: FromPath[UUID]
) -> Response[None]:
    """Two customers are of one household. Said again is no error."""
    return await write(request, lambda tx: household.live_with(tx, customer_id, other_id), status=204)


@delete(
    "/customers/{customer_id:uuid}/household/{other_id:uuid}",
    summary="Take back who lives together",
    status_code=204,
)
async def leave(request: AnyRequest, customer_id: FromPath[UUID], other_id: FromPath[UUID]) -> Response[None]:
    """They are not of one household, unless the same address says so. Again is no error."""
    return await write(request, lambda tx: household.leave(tx, customer_id, other_id), status=204)


routes = [
    Router(
        path="/api",
        route_handlers=[read_customer, change_customer, read_timeline, live_with, leave],
        tags=["Customers"],
    )
]
