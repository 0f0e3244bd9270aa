"""HTTP: sources of events, their keys, the tracking plan, events and what was parked. Clients' own addresses are in `wire`."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.kernel.clock import now
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
from samlad.kernel.problems import NotFound
from samlad.tracking import (
    events_store,
    parked,
    parked_store,
    plan_file,
    plan_store,
    planning,
    retention,
    retention_store,
    sources,
    store,
)
from samlad.tracking.known import known
from samlad.tracking.model import (
    EventSchema,
    Faults,
    KeyInput,
    Learned,
    LearnInput,
    NewWriteKey,
    ParkedEvent,
    ParkedRow,
    PlanInput,
    RetentionInput,
    RetentionRule,
    RetentionRules,
    Retried,
    RetriedMany,
    RetryInput,
    SchemaInput,
    SchemaVersion,
    Source,
    SourceChange,
    SourceInput,
    SourceRow,
    SourceView,
    TrackedRow,
    ViolationRow,
    Volume,
)
from samlad.tracking.permissions import READ


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
    source: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[EventSchema]]:
    """What is expected of events, by name. ``policy`` is report, park or drop; sort by event or updated_at."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"q": q, "policy": policy, "source": source}
    )
    return await plan_store.SCHEMAS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="plan"
    )


@put("/tracking/schemas", summary="Set the schema of an event")
async def set_schema(request: AnyRequest, data: JSONBody[SchemaInput]) -> Response[EventSchema]:
    """Say what is expected of the events of one name, of one source or of all others; again replaces it. Events that came
    before stay as they are. ``drop`` takes an event without what does not fit."""
    return await write(request, lambda tx: planning.set_schema(tx, data))


@delete("/tracking/schemas/{schema_id:uuid}", summary="Remove the schema of an event", status_code=204)
async def remove_schema(request: AnyRequest, schema_id: FromPath[UUID]) -> Response[None]:
    """Expect nothing of the events of this name any more."""
    return await write(request, lambda tx: planning.remove_schema(tx, schema_id), status=204)


@get("/tracking/schemas/{schema_id:uuid}/versions", summary="Read the versions of a schema")
async def schema_versions(request: AnyRequest, schema_id: FromPath[UUID]) -> list[SchemaVersion]:
    """What a line of the plan said from when on, the latest first; also of one that was removed."""
    actor_of(request).require(READ)
    return await planning.versions(database_of(request), schema_id)


@post("/tracking/schemas/learn", summary="Learn a schema from events", status_code=200)
async def learn_schema(request: AnyRequest, data: JSONBody[LearnInput]) -> Learned:
    """A schema that the latest events of a name all fit. It is a suggestion: read it, then set it."""
    actor_of(request).require(READ)
    return await planning.learn(database_of(request), data)


@get("/tracking/plan", summary="Export the tracking plan")
async def export_plan(request: AnyRequest) -> dict[str, Any]:
    """The whole plan as one JSON Schema (2020-12) that checks events as clients send them; `PUT` takes it over elsewhere."""
    actor_of(request).require(READ)
    return plan_file.written(await plan_store.all_schemas(database_of(request)))


@put("/tracking/plan", summary="Import a tracking plan")
async def import_plan(request: AnyRequest, data: JSONBody[PlanInput]) -> Response[plan_file.Differences]:
    """Take a plan over, all of it or nothing. Say ``is_trial`` first to see what it would change."""
    return await write(request, lambda tx: planning.put(tx, data))


@get("/tracking/violations", summary="List what did not fit the plan")
async def list_violations(
    request: AnyRequest,
    event: Wanted = None,
    source: Wanted = None,
    outcome: Annotated[
        str | None,
        QueryParameter(max_length=40, pattern=r"^[a-z,]*$", description="reported, dropped or parked"),
    ] = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[ViolationRow]]:
    """What events of the last 30 days had wrong, counted by event, source and place, with examples; sort by events, last_at
    or event."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"event": event, "source": source, "outcome": outcome}
    )
    return await plan_store.VIOLATIONS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="violations"
    )


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
    who: Annotated[
        str | None,
        QueryParameter(
            max_length=500,
            description="Of one person: by their profile's id, e-mail address, phone number, `userId` or `anonymousId`",
        ),
    ] = None,
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
        "who": who,
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
    name: Wanted = None,
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
    filters = {"source": source, "reason": reason, "type": kind, "name": name}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await parked_store.PARKED.answer(
        database_of(request), query, as_csv=as_format == "csv", name="parked-events"
    )


@get("/tracking/parked/{parked_id:uuid}", summary="Read a parked event")
async def read_parked(request: AnyRequest, parked_id: FromPath[UUID]) -> ParkedEvent:
    """A parked event with all of its body, and the line of the plan that speaks of it."""
    actor_of(request).require(READ)
    return await parked.read(database_of(request), parked_id)


@delete("/tracking/parked/{parked_id:uuid}", summary="Discard a parked event")
async def discard_parked(request: AnyRequest, parked_id: FromPath[UUID]) -> Response[None]:
    """Forget a parked event before its 30 days are over."""
    return await write(request, lambda tx: parked.discard(tx, parked_id))


@post("/tracking/parked/retry", summary="Retry parked events", status_code=200)
async def retry_many(request: AnyRequest, data: JSONBody[RetryInput]) -> Response[RetriedMany]:
    """Try up to 500 parked events again, in the order in which they were parked, under the plan of now; with ``next`` of the
    answer as ``after`` it goes on."""
    here = await known(database_of(request))
    return await write(request, lambda tx: parked.retry_many(tx, data, here))


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


@get("/tracking/faults", summary="How many events were parked, and why")
async def read_faults(
    request: AnyRequest,
    source: Annotated[UUID | None, QueryParameter(description="Id of a source; else of all")] = None,
    hours: Annotated[int, QueryParameter(ge=1, le=720, description="Back from now")] = 24,
    minutes: Annotated[int, QueryParameter(ge=1, le=1440, description="Length of one span")] = 60,
) -> list[Faults]:
    """How many of the events that came are parked for which reason, span by span; those that were taken since are left out."""
    actor_of(request).require(READ)
    since = now().replace(second=0, microsecond=0) - timedelta(hours=hours)
    return await parked_store.faults(database_of(request), since=since, minutes=minutes, source=source)


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
    """Forget one event for ever. A client that sends it again does not bring it back."""
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
            schema_versions,
            learn_schema,
            list_violations,
            list_events,
            read_event,
            list_parked,
            read_parked,
            discard_parked,
            retry_many,
            retry_parked,
            export_plan,
            import_plan,
            read_volume,
            read_faults,
        ],
        tags=["Tracking"],
    )
]
