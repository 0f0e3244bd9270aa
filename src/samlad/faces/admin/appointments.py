"""What can be booked in which store, and who comes."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import appointments, stock
from samlad.access import staff
from samlad.appointments import APPOINTMENTS, READ, SERVICES, SETUP, Service, ServiceInput, State
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import LANGUAGES, AnyRequest, change, go, require, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import NotFound, Problem

BASE = "/admin/appointments"
STATES = {
    State.BOOKED: (marked("Expected"), "info"),
    State.DONE: (marked("Was here"), "success"),
    State.NO_SHOW: (marked("Did not come"), "danger"),
    State.CANCELLED: (marked("Cancelled"), ""),
}
MOST_SERVICES = 200


@get(BASE)
async def list_appointments(request: AnyRequest) -> Response[Any]:
    """Who comes when, and what can be booked."""
    require(request, READ)
    database, _, scope = database_of(request), words(request), appointments.scope_of(actor_of(request))
    found = await shown(request, database, APPOINTMENTS, scope)
    services = (await SERVICES.page(database, ListQuery(limit=MOST_SERVICES), scope)).items
    return await admin_page(
        request,
        "admin/appointments.html",
        list=found,
        states={state: (_(text), kind) for state, (text, kind) in STATES.items()},
        services=services,
        places={place.id: place.name for place in await stock.locations(database)},
    )


@get(f"{BASE}/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new service."""
    require(request, SETUP)
    form = Form.of(minutes=30, step_minutes=30, capacity=1, notice_minutes=60, ahead_days=60, is_active=True)
    return await _page(request, form, None)


@get(f"{BASE}/{{service_id:uuid}}")
async def show_service(request: AnyRequest, service_id: FromPath[UUID]) -> Response[Any]:
    """A service, to look at and to change."""
    require(request, READ)
    found = await _service(request, service_id)
    names = {f"name-{language}": found.names.get(language) for language, _name in LANGUAGES}
    plain = {name: getattr(found, name) for name in ServiceInput.__struct_fields__ if name not in _OTHERS}
    form = Form.of(staff=[each.id for each in found.staff], version=found.version, **names, **plain)
    return await _page(request, form, found)


_OTHERS = ("names", "staff")


@post(f"{BASE}/new")
async def create(request: AnyRequest) -> Response[Any]:
    """Offer it."""
    require(request, SETUP)
    return await _save(request, None)


@post(f"{BASE}/{{service_id:uuid}}")
async def save(request: AnyRequest, service_id: FromPath[UUID]) -> Response[Any]:
    """Change it."""
    require(request, SETUP)
    return await _save(request, await _service(request, service_id))


async def _save(request: AnyRequest, before: Service | None) -> Response[Any]:
    form, _ = await read_form(request), words(request)
    known = {str(each.id): each.name for each in await _people(request)}
    known |= {str(each.id): each.name for each in before.staff} if before else {}
    try:
        data = form.into(
            ServiceInput,
            names={code: text for code, _n in LANGUAGES if (text := form.text(f"name-{code}"))},
            staff=[{"id": each, "name": known[each]} for each in form.all("staff") if each in known],
            about=form.text("about") or "",
            is_active=form.has("is_active"),
        )
        made = await change(
            request,
            lambda tx: appointments.set_service(
                tx, data, service=before.id if before else None, version=form.version() if before else None
            ),
        )
    except Problem as problem:
        return await _page(request, form.failed(problem), before)
    return go(request, BASE, _("“%(name)s” is kept.") % {"name": made.name})


async def _service(request: AnyRequest, service_id: UUID) -> Service:
    found = await appointments.offered(database_of(request), service_id)
    if found is None or not actor_of(request).may(READ, found.location):
        raise NotFound("There is no such service.")
    return found


async def _people(request: AnyRequest) -> list[Any]:
    return [each for each in await staff.everybody(database_of(request)) if each.status == "active"]


async def _page(request: AnyRequest, form: Form, service: Service | None) -> Response[Any]:
    actor = actor_of(request)
    places = [
        (str(place.id), place.name)
        for place in await stock.locations(database_of(request))
        if place.channel and place.is_active and actor.may(SETUP, place.id)
    ]
    return await admin_page(
        request,
        "admin/appointment_service.html",
        status_code=form.status,
        form=form,
        service=service,
        places=places,
        people=await _people(request),
        languages_known=LANGUAGES,
        may_change=actor.may(SETUP, service.location if service else None),
    )


HANDLERS = [list_appointments, show_new, show_service, create, save]
