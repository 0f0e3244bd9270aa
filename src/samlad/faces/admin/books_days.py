"""Days of places, closed or to be closed, and the shifts of drawers."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import books, channels, stock
from samlad.books import (
    CLOSE,
    CLOSINGS,
    READ,
    REOPEN,
    SHIFTS,
    CloseDayInput,
    DayReport,
    ReopenInput,
)
from samlad.books.closing_store import closing as closing_of
from samlad.books.closing_store import closing_of_day
from samlad.books.model import DayClosing
from samlad.channels import ChannelKind
from samlad.faces.admin import names
from samlad.faces.admin.books import BASE, tabs
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.clock import local_day, now
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import InvalidInput, NotFound, Problem

DAYS, SHIFT_LIST = f"{BASE}/days", f"{BASE}/shifts"


class PlaceChoice(msgspec.Struct, frozen=True):
    """A place whose day can be closed."""

    id: UUID
    name: str
    time_zone: str


async def _places(request: AnyRequest) -> list[PlaceChoice]:
    """Stores' locations, and channels that sell without one; those that the actor may see."""
    database, actor = database_of(request), actor_of(request)
    stores = [
        PlaceChoice(one.id, one.name, one.time_zone)
        for one in await stock.locations(database)
        if one.channel is not None and actor.may(READ, one.id)
    ]
    others = [
        PlaceChoice(one.id, one.name, one.time_zone)
        for one in await channels.cached_all(database)
        if one.kind is not ChannelKind.STORE and actor.locations is None
    ]
    return [*stores, *others]


@get(DAYS)
async def list_days(request: AnyRequest) -> Response[Any]:
    """Closed days, and the way to close one."""
    require(request, READ)
    places = await _places(request)
    found = await shown(request, database_of(request), CLOSINGS, actor_of(request).bound_to)
    today = local_day(now(), places[0].time_zone if places else "UTC")
    return await admin_page(
        request,
        "admin/book_days.html",
        list=found,
        places=[(str(one.id), one.name) for one in places],
        today=today,
        tabs=tabs(request, DAYS),
    )


@get(f"{DAYS}/report")
async def show_report(request: AnyRequest) -> Response[Any]:
    """What a place sold and took on a day; closed or with the form to close it."""
    require(request, READ)
    place, day = _asked(request.query_params.get("place"), request.query_params.get("day"))
    return await _day_page(request, place, day, Form())


def _asked(place: str | None, day: str | None) -> tuple[UUID, date]:
    try:
        found = UUID(place or ""), date.fromisoformat(day or "")
    except ValueError:
        raise NotFound("There is no such day.") from None
    if not 1900 <= found[1].year <= 9000:
        raise NotFound("There is no such day.")
    return found


async def _day_page(request: AnyRequest, place: UUID, day: date, form: Form) -> Response[Any]:
    database = database_of(request)
    try:
        here = await books.place_of(database, place)
    except InvalidInput:
        raise NotFound("There is no such place.") from None
    actor_of(request).require(READ, location=here.id)
    closed = await closing_of_day(database, here.id, day)
    report = closed.report if closed else await books.report(database, here, day)
    return await _report_page(request, report, closed, form)


async def _report_page(
    request: AnyRequest, report: DayReport, closed: DayClosing | None, form: Form
) -> Response[Any]:
    cards = [one.tender for one in report.tenders if one.tender not in ("cash", "gift_card", "store_credit")]
    return await admin_page(
        request,
        "admin/book_day.html",
        status_code=form.status,
        report=report,
        closed=closed,
        form=form,
        cards=cards,
        tenders=names.provider,
    )


@post(f"{DAYS}/close")
async def close_day(request: AnyRequest) -> Response[Any]:
    """Close it."""
    require(request, CLOSE)
    form, _ = await read_form(request), words(request)
    place, day = _asked(form.get("place"), form.get("day"))
    try:
        currency = (await books.place_of(database_of(request), place)).channel.currency
        totals = {
            name.removeprefix("total-"): form.amount(name, currency)
            for name in form.fields
            if name.startswith("total-") and form.text(name)
        }
        data = CloseDayInput(
            place=place,
            day=day,
            provider_totals={name: amount for name, amount in totals.items() if amount is not None},
            note=form.get("note")[:500],
        )
        done = await change(request, lambda tx: books.close_day(tx, data))
    except Problem as problem:
        return await _day_page(request, place, day, form.failed(problem))
    return go(request, f"{DAYS}/{done.id}", _("The day is closed."))


@get(f"{DAYS}/{{closing_id:uuid}}")
async def show_closing(request: AnyRequest, closing_id: FromPath[UUID]) -> Response[Any]:
    """A closed day as it was when it was closed."""
    require(request, READ)
    return await _closing_page(request, closing_id, Form())


async def _closing_page(request: AnyRequest, closing_id: UUID, form: Form) -> Response[Any]:
    found = await closing_of(database_of(request), closing_id)
    if found is None:
        raise NotFound("There is no such closing.")
    actor_of(request).require(READ, location=found.place)
    return await _report_page(request, found.report, found, form)


@post(f"{DAYS}/{{closing_id:uuid}}/reopen")
async def reopen(request: AnyRequest, closing_id: FromPath[UUID]) -> Response[Any]:
    """Reopen it with a reason."""
    require(request, REOPEN)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(ReopenInput)
        done = await change(request, lambda tx: books.reopen_day(tx, closing_id, data))
    except NotFound:
        raise
    except Problem as problem:
        return await _closing_page(request, closing_id, form.failed(problem))
    return go(request, f"{DAYS}/report?place={done.place}&day={done.day}", _("The day is open again."))


@get(SHIFT_LIST)
async def list_shifts(request: AnyRequest) -> Response[Any]:
    """Shifts of drawers, the latest first."""
    require(request, READ)
    database, actor = database_of(request), actor_of(request)
    found = await shown(request, database, SHIFTS, actor.bound_to)
    places = [
        (one.code, one.name)
        for one in await stock.locations(database)
        if one.channel is not None and actor.may(READ, one.id)
    ]
    _ = words(request)
    return await admin_page(
        request,
        "admin/book_shifts.html",
        list=found,
        places=places,
        place_names=dict(places),
        states=[("open", _("Open")), ("closed", _("Counted"))],
        tabs=tabs(request, SHIFT_LIST),
    )


@get(f"{SHIFT_LIST}/{{shift_id:uuid}}")
async def show_shift(request: AnyRequest, shift_id: FromPath[UUID]) -> Response[Any]:
    """A shift with its report."""
    require(request, READ)
    database = database_of(request)
    view = await books.view(database, shift_id)
    actor_of(request).require(READ, location=view.shift.location)
    report = view.report
    if report is None and actor_of(request).may(books.TILL_REPORT, view.shift.location):
        report = await change(request, lambda tx: books.x_report(tx, shift_id))
    place = await stock.location(database, view.shift.location)
    return await admin_page(
        request, "admin/book_shift.html", view=view, report=report, place=place, tenders=names.provider
    )


HANDLERS = [list_days, show_report, close_day, show_closing, reopen, list_shifts, show_shift]
