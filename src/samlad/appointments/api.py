"""HTTP of appointments."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.appointments import service
from samlad.appointments.model import (
    Appointment,
    BookInput,
    MoveInput,
    OutcomeInput,
    Service,
    ServiceInput,
    Slots,
    State,
)
from samlad.appointments.permissions import READ
from samlad.appointments.store import APPOINTMENTS, SERVICES
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
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


@get("/appointment-services", summary="List what can be booked")
async def list_services(
    request: AnyRequest,
    location: Wanted = None,
    active: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Service]]:
    """By name. ``location`` are ids; ``active=true``: what is offered now."""
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"location": location, "active": active})
    scope = service.scope_of(actor_of(request))
    return await SERVICES.answer(
        database_of(request), query, scope, as_csv=as_format == "csv", name="appointment-services"
    )


@post("/appointment-services", summary="Offer something by appointment")
async def add_service(request: AnyRequest, data: JSONBody[ServiceInput]) -> Response[Service]:
    """In one store."""
    return await write(request, lambda tx: service.set_service(tx, data), status=201)


@put("/appointment-services/{service_id:uuid}", summary="Change what can be booked")
async def put_service(
    request: AnyRequest, service_id: FromPath[UUID], data: JSONBody[ServiceInput]
) -> Response[Service]:
    """Whole. What is booked already stays as it was agreed."""
    version = if_match(request)
    return await write(request, lambda tx: service.set_service(tx, data, service=service_id, version=version))


@get("/appointment-services/{service_id:uuid}/slots", summary="List free times")
async def free_slots(
    request: AnyRequest,
    service_id: FromPath[UUID],
    first: Annotated[date, QueryParameter(name="from", description="A day of the store")],
    days: Annotated[int, QueryParameter(ge=1, le=31, description="How many days from there")] = 7,
) -> Response[Slots]:
    """Of some days on the store's own calendar. Open to everybody; staff need not keep to the notice."""
    actor = actor_of(request)
    is_staff = actor.may(READ)
    return Response(await service.slots(database_of(request), service_id, first, days, is_staff=is_staff))


@post("/appointments", summary="Book an appointment")
async def book(request: AnyRequest, data: JSONBody[BookInput]) -> Response[Appointment]:
    """Open to guests and customers, for themselves; staff book for anybody. 409 ``slot-taken``: somebody was faster."""
    return await write(request, lambda tx: service.book(tx, data), status=201)


@get("/appointments", summary="List appointments")
async def list_appointments(
    request: AnyRequest,
    location: Wanted = None,
    service_ids: Annotated[str | None, QueryParameter(name="service", max_length=2000)] = None,
    customer: Wanted = None,
    states: Annotated[str | None, QueryParameter(name="state", max_length=200)] = None,
    q: Wanted = None,
    day: Wanted = None,
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
) -> Response[Page[Appointment]]:
    """What is next first. ``state``: booked, done, no_show, cancelled; ``q`` looks into name, e-mail and phone;
    ``day`` of the store (2026-03-02); others are ids."""
    scope = service.scope_of(actor_of(request))
    filters = {
        "location": location,
        "service": service_ids,
        "customer": customer,
        "state": states,
        "q": q,
        "day": day,
        "from": first,
        "to": to,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await APPOINTMENTS.answer(
        database_of(request), query, scope, as_csv=as_format == "csv", name="appointments"
    )


@get("/appointments/{appointment_id:uuid}", summary="Read an appointment")
async def read(request: AnyRequest, appointment_id: FromPath[UUID]) -> Response[Appointment]:
    """Staff of the store, and the customer who comes."""
    found = await service.read(database_of(request), actor_of(request), appointment_id)
    return with_etag(found, found.version)


@post("/appointments/{appointment_id:uuid}/move", status_code=200, summary="Move an appointment")
async def move(
    request: AnyRequest, appointment_id: FromPath[UUID], data: JSONBody[MoveInput]
) -> Response[Appointment]:
    """To another free time; if it is not free, everything stays."""
    version = if_match(request)
    return await write(request, lambda tx: service.move(tx, appointment_id, data.starts_at, version=version))


@post("/appointments/{appointment_id:uuid}/cancel", status_code=200, summary="Cancel an appointment")
async def cancel(request: AnyRequest, appointment_id: FromPath[UUID]) -> Response[Appointment]:
    """The time is free. Again is no error."""
    return await write(request, lambda tx: service.cancel(tx, appointment_id))


@post("/appointments/{appointment_id:uuid}/outcome", status_code=200, summary="Say who came")
async def outcome(
    request: AnyRequest, appointment_id: FromPath[UUID], data: JSONBody[OutcomeInput]
) -> Response[Appointment]:
    """``no_show``: they did not come; ``booked`` takes back what was said."""
    return await write(request, lambda tx: service.say(tx, appointment_id, State(data.state)))


routes = [
    Router(
        path="/api",
        tags=["Appointments"],
        route_handlers=[
            list_services,
            add_service,
            put_service,
            free_slots,
            book,
            list_appointments,
            read,
            move,
            cancel,
            outcome,
        ],
    )
]
