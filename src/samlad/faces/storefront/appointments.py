"""Appointments in the shop: what can be booked in which store, a time, and the page by which it is changed or cancelled."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import appointments, customers, stock
from samlad.appointments import Appointment, BookInput, Service, SlotTaken, State, calendar_file, links
from samlad.appointments.mails import where
from samlad.catalog.sellables import language_of
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces import slot_choice
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member, person
from samlad.faces.storefront.place import INCOMPLETE_LINK, channel_of, root_of, shopper, show
from samlad.faces.storefront.stores import stores_of
from samlad.kernel.clock import now
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, TooMany

TAKEN = marked("Somebody was faster: this time is not free any more. Choose another one.")
TOO_MANY = marked("That is a lot of appointments for one day. Call the store, they help you.")
HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@get("/appointments")
async def choose(request: AnyRequest) -> Response[Any]:
    """What can be booked, store by store."""
    channel = await channel_of(request)
    stores = await stores_of(request, channel)
    offered = await appointments.services_at(database_of(request), [each.location.id for each in stores])
    language = language_of(channel.locale)
    return await show(
        request,
        channel,
        "storefront/appointments.html",
        stores=[
            (store.location, [each for each in offered if each.location == store.location.id])
            for store in stores
            if any(each.location == store.location.id for each in offered)
        ],
        language=language,
    )


@get("/appointments/{service_id:uuid}")
async def choose_time(request: AnyRequest, service_id: FromPath[UUID]) -> Response[Any]:
    """A day, a time, and who comes."""
    limits.searches.check(limits.who(request))
    return await _times(request, service_id, Form())


async def _times(request: AnyRequest, service_id: UUID, form: Form) -> Response[Any]:
    channel = await channel_of(request)
    service, place = await _offered(request, channel, service_id)
    signed = await member.signed_in(request, channel)
    return await show(
        request,
        msgspec.structs.replace(channel, time_zone=place.time_zone),
        "storefront/appointment_new.html",
        status=form.status,
        service=service,
        what=service.named(language_of(channel.locale)),
        place=place,
        form=form,
        key=form.get("id") or str(uuid4()),
        chosen=form.get("starts_at"),
        known=signed.customer if signed else None,
        people=[(str(each.id), each.name) for each in service.staff],
        **slot_choice.context(await slot_choice.choice(request, service.id), f"/appointments/{service.id}"),
    )


async def _offered(request: AnyRequest, channel: Channel, service_id: UUID) -> tuple[Service, stock.Location]:
    """A service of one of this shop's stores."""
    found = await appointments.offered(database_of(request), service_id)
    places = {each.location.id: each.location for each in await stores_of(request, channel)}
    if found is None or not found.is_active or found.location not in places:
        raise NotFound(face.words(request)("This cannot be booked (any more)."))
    return found, places[found.location]


@post("/appointments/{service_id:uuid}", status_code=303)
async def book(request: AnyRequest, service_id: FromPath[UUID]) -> Response[Any]:
    """Book it. The same form sent twice is one appointment."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    service, _place = await _offered(request, channel, service_id)
    try:
        data = form.into(
            BookInput,
            service=str(service.id),
            shop=str(channel.id),
            language=language_of(channel.locale),
            source="shop",
            customer=None,
            staff=form.text("staff"),
        )
        made = await database_of(request).transaction(
            lambda tx: appointments.book(tx, data), await person.context(request, channel)
        )
    except SlotTaken as problem:
        form.failed(problem)
        form.message = _(TAKEN)
        return await _times(request, service_id, form)
    except TooMany as problem:
        form.failed(problem)
        form.message = _(TOO_MANY)
        return await _times(request, service_id, form)
    except (Conflict, InvalidInput) as problem:
        return await _times(request, service_id, form.failed(problem))
    path = links.path(request.app.state.runtime.settings, made.id)
    return face.go(request, path, _("It is booked. We look forward to seeing you."))


async def _linked(request: AnyRequest, link: str) -> tuple[Channel, Appointment]:
    channel = await channel_of(request)
    key = links.read(request.app.state.runtime.settings, link)
    if key is None:
        raise NotFound(face.words(request)(INCOMPLETE_LINK))
    return channel, await appointments.by_link(database_of(request), key)


@get("/appointment/{link:str}")
async def appointment_page(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """One's appointment: when and where, for one's calendar, and what can be done about it."""
    channel, found = await _linked(request, link)
    service = await appointments.offered(database_of(request), found.service)
    assert service is not None
    signed, _ = await member.signed_in(request, channel), face.words(request)
    is_own = signed is not None and await customers.are_same(
        database_of(request), found.customer, signed.customer.id
    )
    return await show(
        request,
        msgspec.structs.replace(channel, time_zone=found.time_zone),
        "storefront/appointment.html",
        headers=HEADERS,
        appointment=found,
        what=service.named(language_of(channel.locale)),
        where=where(await stock.location(database_of(request), found.location)),
        link=link,
        crumbs=[(_("Your account"), "/account"), (_("Appointments"), "/account/appointments")]
        if is_own
        else [],
        is_open=found.state is State.BOOKED and found.starts_at > now(),
    )


@get("/appointment/{link:str}/calendar.ics")
async def calendar(request: AnyRequest, link: FromPath[str]) -> Response[str]:
    """The same for a calendar."""
    channel, found = await _linked(request, link)
    database = database_of(request)
    service, place = (
        await appointments.offered(database, found.service),
        await stock.location(database, found.location),
    )
    what = service.named(language_of(channel.locale)) if service else found.service_name
    address = f"{root_of(request)}/appointment/{link}"
    file = calendar_file.calendar(found, f"{what} · {place.name}", where(place), address)
    return Response(
        file,
        media_type="text/calendar",
        headers={
            "Content-Disposition": 'attachment; filename="appointment.ics"',
            "Cache-Control": "no-store",
        },
    )


@get("/appointment/{link:str}/change")
async def change_page(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """Another time to choose."""
    return await _change(request, link, Form())


async def _change(request: AnyRequest, link: str, form: Form) -> Response[Any]:
    channel, found = await _linked(request, link)
    back = f"/appointment/{link}"
    try:
        times = await slot_choice.choice(request, found.service)
    except NotFound:
        return face.go(
            request, back, face.words(request)("This cannot be booked (any more)."), kind="warning"
        )
    return await show(
        request,
        msgspec.structs.replace(channel, time_zone=found.time_zone),
        "storefront/appointment_change.html",
        status=form.status,
        headers=HEADERS,
        appointment=found,
        link=link,
        form=form,
        chosen=form.get("starts_at"),
        **slot_choice.context(times, f"{back}/change"),
    )


@post("/appointment/{link:str}/change", status_code=303)
async def change(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """Move it. What was agreed stays if the new time is not free."""
    limits.writes.check(limits.who(request))
    form, _ = await read_form(request), face.words(request)
    channel, found = await _linked(request, link)
    starts = _moment(form.get("starts_at"))
    try:
        if starts is None:
            raise InvalidInput.at("starts_at", _("Choose a time."))
        await database_of(request).transaction(
            lambda tx: appointments.move(tx, found.id, starts, link=link), shopper(request, channel)
        )
    except SlotTaken as problem:
        form.failed(problem)
        form.message = _(TAKEN)
        return await _change(request, link, form)
    except (Conflict, InvalidInput) as problem:
        return await _change(request, link, form.failed(problem))
    return face.go(request, f"/appointment/{link}", _("It is moved."))


@post("/appointment/{link:str}/cancel", status_code=303)
async def cancel(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """They do not come. Twice does no harm."""
    limits.writes.check(limits.who(request))
    _ = face.words(request)
    channel, found = await _linked(request, link)
    try:
        await database_of(request).transaction(
            lambda tx: appointments.cancel(tx, found.id, link=link), shopper(request, channel)
        )
    except Conflict as problem:
        return face.go(request, f"/appointment/{link}", _(problem.detail), kind="warning")
    return face.go(request, f"/appointment/{link}", _("It is cancelled. Thank you for telling us."))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


handlers = [choose, choose_time, book, appointment_page, calendar, change_page, change, cancel]
