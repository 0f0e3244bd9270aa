"""HTTP: sources of events, their keys, the tracking plan, events and what was parked. Clients' own addresses are in `wire`."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.kernel.clock import now
from samlad.kernel.http import actor_of, database_of, if_match, with_etag, write
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
from samlad.tracking import events_store, parked, retention, retention_store, sources, store
from samlad.tracking.known import known
from samlad.tracking.model import (
    EventSchema,
    KeyInput,
    NewWriteKey,
    ParkedRow,
    RetentionInput,
    RetentionRule,
    RetentionRules,
    Retried,
    SchemaInput,
    Source,
    SourceChange,
    SourceInput,
    SourceRow,
    SourceView,
    TrackedRow,
    Volume,
)
from samlad.tracking.permissions import READ

AnyRequest = Request[Any, Any, Any]


@get("/tracking/sources", summary="List sources of events")
async def list_sources(
    request: AnyRequest,
    q: Wanted = None,
    channel: Wanted = None,
    kind: Wanted = None,
    standing: States = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[SourceRow]]:
    """Sources by name, with what each brought in the last 24 hours; ``state`` is on or off; sort by name, created_at or
    accepted."""
    actor_of(request).require(READ)
    filters = {"q": q, "channel": channel, "kind": kind, "state": standing}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await store.LISTING.answer(database_of(request), query, as_csv=as_format == "csv", name="sources")


@post("/tracking/sources", summary="Make a source of events", status_code=201)
async def create_source(request: AnyRequest, data: JSONBody[SourceInput]) -> Response[Source]:
    """Make a source for a channel and a class of devices. Its kind and class stay: they say how far it is believed."""
    return await write(request, lambda tx: sources.create(tx, data), status=201)


@get("/tracking/sources/{source_id:uuid}", summary="Read a source of events")
async def read_source(request: AnyRequest, source_id: FromPath[UUID]) -> Response[SourceView]:
    """A source with its write keys, and an ETag of its version."""
    actor_of(request).require(READ)
    found = await sources.read(database_of(request), source_id)
    return with_etag(found, found.version)


@patch("/tracking/sources/{source_id:uuid}", summary="Change a source of events")
async def change_source(
    request: AnyRequest, source_id: FromPath[UUID], data: JSONBody[SourceChange]
) -> Response[Source]:
    """Rename it, change its limit, or switch it off and on: while it is off its keys are refused."""
    version = if_match(request)
    return await write(request, lambda tx: sources.change(tx, source_id, data, version=version))


@post("/tracking/sources/{source_id:uuid}/keys", summary="Make a write key", status_code=201)
async def make_key(
    request: AnyRequest, source_id: FromPath[UUID], data: JSONBody[KeyInput]
) -> Response[NewWriteKey]:
    """Make a write key; a server's is shown this once. With ``others_end_in_hours`` the older ones end then."""
    return await write(request, lambda tx: sources.make_key(tx, source_id, data), status=201, secret=True)


@delete("/tracking/sources/{source_id:uuid}/keys/{key_id:uuid}", summary="End a write key", status_code=200)
async def end_key(
    request: AnyRequest, source_id: FromPath[UUID], key_id: FromPath[UUID]
) -> Response[SourceView]:
    """Take a write key away at once; answers the source with its keys."""
    return await write(request, lambda tx: sources.end_key(tx, source_id, key_id))


@get("/tracking/schemas", summary="List the tracking plan")
async def list_schemas(
    request: AnyRequest,
    q: Wanted = None,
    policy: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[EventSchema]]:
    """What is expected of events, by name. ``policy`` is report or park; sort by event or updated_at."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"q": q, "policy": policy})
    return await store.SCHEMAS.answer(database_of(request), query, as_csv=as_format == "csv", name="plan")


@put("/tracking/schemas", summary="Set the schema of an event")
async def set_schema(request: AnyRequest, data: JSONBody[SchemaInput]) -> Response[EventSchema]:
    """Say what is expected of the events of one name; again replaces it. Events that came before stay as they are."""
    return await write(request, lambda tx: sources.set_schema(tx, data))


@delete("/tracking/schemas/{schema_id:uuid}", summary="Remove the schema of an event", status_code=204)
async def remove_schema(request: AnyRequest, schema_id: FromPath[UUID]) -> Response[None]:
    """Expect nothing of the events of this name any more."""
    return await write(request, lambda tx: sources.remove_schema(tx, schema_id), status=204)


@get("/tracking/events", summary="List events of clients")
async def list_events(
    request: AnyRequest,
    source: Wanted = None,
    kind: Annotated[
        str | None,
        QueryParameter(name="type", max_length=100, pattern=r"^[a-z,]*$", description="track, page …"),
    ] = None,
    name: Wanted = None,
    user_id: Wanted = None,
    identity: Wanted = None,
    violating: Annotated[
        str | None,
        QueryParameter(pattern="^(yes|no)?$", max_length=3, description="Against the plan: yes or no"),
    ] = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[TrackedRow]]:
    """Events as they came, the latest first, each with the identity that it landed on; sort by received_at."""
    actor_of(request).require(READ)
    filters = {
        "source": source,
        "type": kind,
        "name": name,
        "user_id": user_id,
        "identity": identity,
        "violating": violating,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await events_store.EVENTS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="events"
    )


@get("/tracking/events/{event_id:uuid}", summary="Read an event of a client")
async def read_event(request: AnyRequest, event_id: FromPath[UUID]) -> TrackedRow:
    """One event as it came, with the identity that it landed on."""
    actor_of(request).require(READ)
    found = await events_store.get(database_of(request), event_id)
    if found is None:
        raise NotFound("There is no such event.")
    return found


@get("/tracking/parked", summary="List parked events")
async def list_parked(
    request: AnyRequest,
    source: Wanted = None,
    reason: Wanted = None,
    kind: Annotated[
        str | None,
        QueryParameter(name="type", max_length=100, pattern=r"^[a-z,]*$", description="track, page …"),
    ] = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[ParkedRow]]:
    """Events that could not be taken, each with the reason, the latest first; sort by received_at or size."""
    actor_of(request).require(READ)
    filters = {"source": source, "reason": reason, "type": kind}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await events_store.PARKED.answer(
        database_of(request), query, as_csv=as_format == "csv", name="parked-events"
    )


@post("/tracking/parked/{parked_id:uuid}/retry", summary="Retry a parked event", status_code=200)
async def retry_parked(request: AnyRequest, parked_id: FromPath[UUID]) -> Response[Retried]:
    """Try a parked event again, under the plan of now and at the time when it came."""
    here = await known(database_of(request))
    return await write(request, lambda tx: parked.retry(tx, parked_id, here))


@get("/tracking/volume", summary="How many events came")
async def read_volume(
    request: AnyRequest,
    source: Annotated[UUID | None, QueryParameter(description="Id of a source; else of all")] = None,
    hours: Annotated[int, QueryParameter(ge=1, le=720, description="Back from now")] = 24,
    minutes: Annotated[int, QueryParameter(ge=1, le=1440, description="Length of one span")] = 15,
) -> list[Volume]:
    """How many events were taken, came twice, were parked or did not fit the plan, span by span; empty spans are left out."""
    actor_of(request).require(READ)
    since = now().replace(second=0, microsecond=0) - timedelta(hours=hours)
    return await events_store.volume(database_of(request), since=since, minutes=minutes, source=source)


@get("/tracking/retention", summary="List how long events are kept")
async def list_retention(request: AnyRequest) -> Response[RetentionRules]:
    """Rules by type and name; the one that names most holds, and what none names is kept for ever."""
    actor_of(request).require(READ)
    return Response(RetentionRules(rules=await retention_store.rules(database_of(request))))


@put("/tracking/retention", summary="Set how long events are kept")
async def set_retention(request: AnyRequest, data: JSONBody[RetentionInput]) -> Response[RetentionRule]:
    """Keep events of a type and name for so many days after they came; again replaces the rule. An hourly job forgets them."""
    return await write(request, lambda tx: retention.set_rule(tx, data))


@delete("/tracking/retention/{rule_id:uuid}", summary="Remove a rule of retention")
async def remove_retention(request: AnyRequest, rule_id: FromPath[UUID]) -> Response[None]:
    """Such events are kept as long as the other rules say."""
    return await write(request, lambda tx: retention.remove_rule(tx, rule_id))


@delete("/tracking/events/{event_id:uuid}", summary="Delete an event")
async def delete_event(request: AnyRequest, event_id: FromPath[UUID]) -> Response[None]:
    """Forget one event for ever. A client that sends it again within two days does not bring it back."""
    return await write(request, lambda tx: retention.delete_event(tx, event_id))


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_retention,
            set_retention,
            remove_retention,
            delete_event,
            list_sources,
            create_source,
            read_source,
            change_source,
            make_key,
            end_key,
            list_schemas,
            set_schema,
            remove_schema,
            list_events,
            read_event,
            list_parked,
            retry_parked,
            read_volume,
        ],
        tags=["Tracking"],
    )
]
