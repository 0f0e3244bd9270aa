"""How goods get to customers: the methods of each channel, and how each location makes orders ready."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, delivery, stock
from samlad.channels import Channel
from samlad.delivery import Method, MethodChange, MethodInput, MethodKind, Workday, WorkdayInput
from samlad.delivery import store as methods
from samlad.delivery.model import CapacityUnit
from samlad.delivery.permissions import CHANGE, READ
from samlad.faces.admin import names
from samlad.faces.admin.delivery_form import RATE_KINDS, method_fields, read_method
from samlad.faces.admin.delivery_load import MOST as MOST_SLOTS
from samlad.faces.admin.delivery_load import slots_shown
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Problem

KINDS = {
    MethodKind.SHIP: marked("Sent to an address"),
    MethodKind.SAME_DAY: marked("Brought the same day"),
    MethodKind.PICKUP: marked("Picked up in a store"),
    MethodKind.CURBSIDE: marked("Brought to the car"),
    MethodKind.CARRY_OUT: marked("Taken along at once"),
    MethodKind.DIGITAL: marked("Sent without a parcel"),
}
FIELDS = {
    "rate/steps": "steps",
    "rate/steps/0/start": "steps",
    "calendar/holidays": "holidays",
    "calendar/closed": "closed",
}


@get("/admin/delivery")
async def list_methods(request: AnyRequest) -> Response[Any]:
    """The methods of all channels, and how locations work."""
    require(request, READ)
    database, _ = database_of(request), words(request)
    known = {channel.id: channel for channel in await channels.all_channels(database)}
    workdays = {workday.location: workday for workday in await methods.all_workdays(database)}
    return await admin_page(
        request,
        "admin/delivery.html",
        list=await shown(request, database, methods.METHODS),
        channels=known,
        channel_options=[(channel.code, channel.name) for channel in known.values()],
        kinds=KINDS,
        kind_options=[(str(kind), _(text)) for kind, text in KINDS.items()],
        rate_kinds=RATE_KINDS,
        places=[(place, workdays.get(place.id)) for place in await stock.locations(database)],
    )


@get("/admin/delivery/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new method."""
    require(request, CHANGE, shop_wide=True)
    form = Form.of(
        rate="flat",
        zones="* | * | 1-2",
        weekdays=[1, 2, 3, 4, 5],
        pick_minutes=60,
        pack_minutes=15,
        position=100,
    )
    return await _method_page(request, form, None)


@post("/admin/delivery/new")
async def create_method(request: AnyRequest) -> Response[Any]:
    """Make a method."""
    require(request, CHANGE, shop_wide=True)
    form, _ = await read_form(request), words(request)
    try:
        currency = await _currency_of(request, form.get("channel"))
        values = read_method(form, currency)
        if form.get("kind") not in (MethodKind.SHIP, MethodKind.SAME_DAY):
            values["zones"] = []
        given = form.into(MethodInput, **values)
        made = await change(request, lambda tx: delivery.create_method(tx, given))
    except Problem as problem:
        return await _method_page(request, _failed(form, problem), None)
    return go(request, "/admin/delivery", _("“%(name)s” can be chosen from now on.") % {"name": made.name})


async def _currency_of(request: AnyRequest, code: str) -> str:
    found = {channel.code: channel for channel in await channels.all_channels(database_of(request))}
    return found[code].currency if code in found else "EUR"


def _failed(form: Form, problem: Problem) -> Form:
    lines = {
        fault.field: fault.field.partition("/")[0]
        for fault in problem.errors
        if fault.field.startswith(("zones/", "slots/"))
    }
    return form.failed(problem, FIELDS | lines)


@get("/admin/delivery/{method_id:uuid}")
async def show_method(request: AnyRequest, method_id: FromPath[UUID]) -> Response[Any]:
    """A method, to look at and to change."""
    require(request, READ)
    method = await methods.method(database_of(request), method_id)
    return await _method_page(request, Form.of(**method_fields(method)), method)


async def _method_page(request: AnyRequest, form: Form, method: Method | None) -> Response[Any]:
    everything = await channels.all_channels(database_of(request))
    channel = next((c for c in everything if method and c.id == method.channel), None)
    _ = words(request)
    return await admin_page(
        request,
        "admin/delivery_method.html",
        status_code=form.status,
        form=form,
        method=method,
        channel=channel,
        channels_of=[(c.code, c.name) for c in everything],
        kinds=[(str(kind), _(text)) for kind, text in KINDS.items()],
        kind_name=_(KINDS[method.kind]) if method else "",
        rate_kinds=[(kind, _(text)) for kind, text in RATE_KINDS.items()],
        weekdays=[(number, _(name)) for number, name in enumerate(names.weekday, 1)],
        languages_of=list(names.language.items()),
        heirs=_heirs(everything, channel),
        taken=await slots_shown(request, method, channel) if method and channel else [],
        most_taken=MOST_SLOTS,
    )


def _heirs(everything: list[Channel], channel: Channel | None) -> int:
    """How many channels are below one, at any depth."""
    if channel is None:
        return 0
    below, grew = {channel.id}, True
    while grew:
        more = {c.id for c in everything if c.parent in below} - below
        below |= more
        grew = bool(more)
    return len(below) - 1


@post("/admin/delivery/{method_id:uuid}")
async def change_method(request: AnyRequest, method_id: FromPath[UUID]) -> Response[Any]:
    """Change a method; switching it off is one of its boxes."""
    require(request, CHANGE, shop_wide=True)
    form, _ = await read_form(request), words(request)
    before = await methods.method(database_of(request), method_id)
    try:
        values = read_method(form, before.currency)
        if before.kind not in (MethodKind.SHIP, MethodKind.SAME_DAY):
            values["zones"] = []
        # What the form does not show of the calendar stays.
        kept = {"subdivision": before.calendar.subdivision, "open": before.calendar.open}
        values["calendar"] = values["calendar"] | kept
        given = form.into(MethodChange, is_active=form.has("is_active"), **values)
        after = await change(
            request, lambda tx: delivery.change_method(tx, method_id, given, version=form.version())
        )
    except Problem as problem:
        return await _method_page(request, _failed(form, problem), before)
    back = {name: msgspec.to_builtins(getattr(before, name)) for name in MethodChange.__struct_fields__}
    undo = undo_href(request, "delivery.change", method=method_id, version=after.version, back=back)
    return go(request, "/admin/delivery", _("Saved. It holds from now on."), undo=undo)


@undoable("delivery.change")
async def _undo_change(tx: Tx, arguments: dict[str, Any]) -> str:
    method_id = UUID(arguments["method"])
    given = msgspec.convert(arguments["back"], MethodChange)
    await delivery.change_method(tx, method_id, given, version=arguments["version"])
    return f"/admin/delivery/{method_id}"


@get("/admin/delivery/locations/{location_id:uuid}")
async def show_workday(request: AnyRequest, location_id: FromPath[UUID]) -> Response[Any]:
    """How a location makes orders ready."""
    require(request, READ)
    found = await methods.workday(database_of(request), location_id) or Workday(location=location_id)
    return await _workday_page(request, location_id, Form.of(**msgspec.structs.asdict(found)))


async def _workday_page(request: AnyRequest, location_id: UUID, form: Form) -> Response[Any]:
    _ = words(request)
    return await admin_page(
        request,
        "admin/delivery_location.html",
        status_code=form.status,
        form=form,
        place=await stock.location(database_of(request), location_id),
        units=[(str(CapacityUnit.ORDERS), _("orders")), (str(CapacityUnit.UNITS), _("units"))],
    )


@post("/admin/delivery/locations/{location_id:uuid}")
async def change_workday(request: AnyRequest, location_id: FromPath[UUID]) -> Response[Any]:
    """Say how a location works. Hours of picking that the API set stay."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    before = await methods.workday(database_of(request), location_id)
    try:
        numbers = {name: form.whole(name) for name in ("pick_minutes", "pack_minutes", "capacity")}
        hours = None if before is None else before.hours
        given = form.into(WorkdayInput, hours=hours, **numbers)
        await change(request, lambda tx: delivery.set_workday(tx, location_id, given, version=form.version()))
    except Problem as problem:
        return await _workday_page(request, location_id, form.failed(problem))
    return go(request, "/admin/delivery", _("Saved. It holds from now on."))


HANDLERS = [
    list_methods,
    show_new,
    create_method,
    show_method,
    change_method,
    show_workday,
    change_workday,
]
