"""Appointments of a store on a phone: the list of a day, who came and who did not, booked at the till or by phone."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import appointments, customers
from samlad.appointments import CHANGE, READ, BookInput, SlotTaken, State
from samlad.catalog.sellables import language_of
from samlad.channels import Resource
from samlad.faces import page as face
from samlad.faces import slot_choice
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, show, till_of
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

MOST = 200
STATES = {
    State.BOOKED: (marked("Expected"), ""),
    State.DONE: (marked("Was here"), "success"),
    State.NO_SHOW: (marked("Did not come"), "danger"),
    State.CANCELLED: (marked("Cancelled"), ""),
}
SAID = {
    "done": marked("They were here."),
    "no_show": marked("They did not come."),
    "booked": marked("It is open again."),
    "cancel": marked("It is cancelled, and the time is free. They are told by mail."),
}
TAKEN = marked("This time is not free any more. Choose another one.")


async def _read(request: AnyRequest, code: str, permission: str) -> Till:
    till = await till_of(request, code)
    actor_of(request).require(permission, location=till.location.id)
    return till


@get("/{code:str}/appointments")
async def day_list(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Who comes on a day, the first first."""
    till, _ = await _read(request, code, READ), face.words(request)
    today = local_day(now(), till.location.time_zone)
    day = slot_choice.day_of(request.query_params.get("day", "")) or today
    database = database_of(request)
    filters = {"location": str(till.location.id), "day": day.isoformat()}
    found = await appointments.APPOINTMENTS.page(database, ListQuery(limit=MOST, filters=filters), None)
    return show(
        request,
        till,
        "pos/appointments.html",
        day=day,
        today=today,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        appointments=found.items,
        states={state: (_(text), kind) for state, (text, kind) in STATES.items()},
        services=await appointments.services_at(database, [till.location.id]),
        language=language_of(till.channel.locale),
        moment_now=now(),
        may_change=actor_of(request).may(CHANGE, till.location.id),
    )


@post("/{code:str}/appointments/{appointment:uuid}/{act:str}", status_code=303)
async def act_on(
    request: AnyRequest, code: FromPath[str], appointment: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Who came, or that they do not."""
    till, form, _ = await _read(request, code, CHANGE), await read_form(request), face.words(request)
    if act not in SAID:
        raise NotFound("There is no such act.")
    back = face.local_path(form.get("next"), f"{till.base}/appointments")

    async def verb(tx: Tx) -> None:
        if act == "cancel":
            await appointments.cancel(tx, appointment)
        else:
            await appointments.say(tx, appointment, State(act))

    try:
        await face.change(request, verb)
    except Conflict as problem:
        return face.go(request, back, _(problem.detail), kind="warning")
    undo = f"{till.base}/appointments/{appointment}/booked" if act in ("done", "no_show") else None
    return face.go(request, back, _(SAID[act]), undo=undo)


@get("/{code:str}/appointments/new/{service_id:uuid}")
async def new(request: AnyRequest, code: FromPath[str], service_id: FromPath[UUID]) -> Response[Any]:
    """A time, and who comes. A customer may be named in the address."""
    return await _new(request, await _read(request, code, CHANGE), service_id, Form())


async def _new(request: AnyRequest, till: Till, service_id: UUID, form: Form) -> Response[Any]:
    database = database_of(request)
    service = await appointments.offered(database, service_id)
    if service is None or service.location != till.location.id:
        raise NotFound("This cannot be booked here.")
    return show(
        request,
        till,
        "pos/appointment_new.html",
        status=form.status,
        service=service,
        what=service.named(language_of(till.channel.locale)),
        people=[(str(each.id), each.name) for each in service.staff],
        customer=await _customer(request, till, form),
        form=form,
        key=form.get("id") or str(uuid4()),
        chosen=form.get("starts_at"),
        languages_known=[(code, name) for code, name in face.LANGUAGES],
        **slot_choice.context(
            await slot_choice.choice(request, service.id, is_staff=True),
            f"{till.base}/appointments/new/{service.id}",
        ),
    )


async def _customer(request: AnyRequest, till: Till, form: Form) -> customers.Customer | None:
    text = form.get("customer") or request.query_params.get("customer", "")
    try:
        found = await customers.current(database_of(request), UUID(text)) if text else None
    except ValueError:
        return None
    if found is None or not actor_of(request).may(customers.READ):
        return None
    return found if found.pool == till.channel.pools[Resource.CUSTOMERS] else None


@post("/{code:str}/appointments/new/{service_id:uuid}", status_code=303)
async def book(request: AnyRequest, code: FromPath[str], service_id: FromPath[UUID]) -> Response[Any]:
    """Book it. The same form sent twice is one appointment."""
    till, form, _ = await _read(request, code, CHANGE), await read_form(request), face.words(request)
    try:
        data = form.into(
            BookInput,
            service=str(service_id),
            source="phone" if form.has("by_phone") else "till",
            language=form.text("language") or language_of(till.channel.locale),
            shop=None,
        )
        made = await face.change(request, lambda tx: appointments.book(tx, data))
    except SlotTaken as problem:
        form.failed(problem)
        form.message = _(TAKEN)
        return await _new(request, till, service_id, form)
    except (Conflict, InvalidInput) as problem:
        return await _new(request, till, service_id, form.failed(problem))
    day = local_day(made.starts_at, till.location.time_zone)
    return face.go(request, f"{till.base}/appointments?day={day}", _("It is booked."))


handlers = [day_list, act_on, new, book]
