"""Tax: where the seller is registered, what countries take, how much of the threshold is used, and the report."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, tax
from samlad.channels import Channel
from samlad.faces.admin import setting_names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, page, require, words
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database, Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, Problem
from samlad.orders import tax_report
from samlad.orders.tax_api import check_period
from samlad.tax import service, store
from samlad.tax.model import (
    Registration,
    RegistrationChange,
    RegistrationInput,
    TaxRate,
    TaxRateChange,
    TaxRateInput,
)
from samlad.tax.permissions import CHANGE, READ, REPORT
from samlad.tax.texts import TREATMENTS

BASE = "/admin/tax"


@get(BASE)
async def overview(request: AnyRequest) -> Response[Any]:
    """How is taxed where, the threshold, and the report of a period: that of one that nobody asked for is fetched after it."""
    require(request, READ)
    database, _ = database_of(request), words(request)
    everything = await channels.cached_all(database)
    main = main_of(everything)
    today = local_day(now(), main.time_zone if main else "UTC")
    form = _period(request, today)
    sees_report = actor_of(request).may(REPORT)
    rows, meters = None, []
    if sees_report:
        meters = await tax_report.meters(database, everything, today.year)
        if "start" in request.query_params or form.status != 200:
            rows = await _rows(database, everything, form)
    return await admin_page(
        request,
        "admin/tax.html",
        status_code=form.status,
        form=form,
        registrations=await store.all_registrations(database),
        channels=everything,
        by_id={channel.id: channel for channel in everything},
        today=today,
        setting_names=setting_names,
        treatments=TREATMENTS,
        meters=meters,
        rows=rows,
        asked=urlencode(_query(form)),
        sees_report=sees_report,
        export=f"/api/tax-report?{urlencode(_query(form) | {'format': 'csv'})}",
        channels_of=[("", _("All channels")), *((c.code, c.name) for c in everything)],
    )


@get(f"{BASE}/report")
async def show_report(request: AnyRequest) -> Response[Any]:
    """The rows of the report of a period, as a piece of the page."""
    require(request, REPORT)
    database = database_of(request)
    everything = await channels.cached_all(database)
    main = main_of(everything)
    form = _period(request, local_day(now(), main.time_zone if main else "UTC"))
    rows = await _rows(database, everything, form)
    return page(
        request, "admin/tax_rows.html", status_code=form.status, rows=rows, asked="", treatments=TREATMENTS
    )


async def _rows(database: Database, everything: list[Channel], form: Form) -> list[tax_report.TaxRow]:
    """The report of the period, if it can be one. A year of millions of orders takes longer than a page may."""
    start, end = _days(form)
    if start is None or end is None or form.status != 200:
        return []
    async with database.patient() as patient:
        return await tax_report.report(patient, _chosen(everything, form), start, end)


def _period(request: AnyRequest, today: date) -> Form:
    """The period that the address asks for; without one the quarter before, which is to be told next."""
    first = date(today.year, today.month - (today.month - 1) % 3, 1)
    last = first - timedelta(days=1)
    begun = date(last.year, last.month - 2, 1)
    asked = request.query_params
    form = Form.of(
        start=asked.get("start") or begun.isoformat(),
        end=asked.get("end") or last.isoformat(),
        channel=asked.get("channel") or "",
    )
    start, end = _days(form)
    if start is None or end is None:
        _ = words(request)
        return form.failed(InvalidInput.at("start" if start is None else "end", _("Please give a day.")))
    try:
        check_period(start, end)
    except InvalidInput as problem:
        return form.failed(problem)
    return form


def _days(form: Form) -> tuple[date | None, date | None]:
    return _day(form.get("start")), _day(form.get("end"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _query(form: Form) -> dict[str, str]:
    named = {name: form.get(name) for name in ("start", "end", "channel")}
    return {name: value for name, value in named.items() if value}


def _chosen(everything: list[Channel], form: Form) -> list[Channel]:
    return [channel for channel in everything if form.get("channel") in ("", channel.code)]


@get(f"{BASE}/registrations/new")
async def show_new_registration(request: AnyRequest) -> Response[Any]:
    """The form for a new registration."""
    require(request, CHANGE)
    main = main_of(await channels.cached_all(database_of(request)))
    form = Form.of(channel=main.code if main else "", country=main.country if main else "")
    return await _registration_page(request, form, None)


@post(f"{BASE}/registrations/new")
async def create_registration(request: AnyRequest) -> Response[Any]:
    """Say that the seller is registered somewhere."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        given = form.into(RegistrationInput, country=form.get("country").strip().upper())
        made = await change(request, lambda tx: service.register(tx, given))
    except Problem as problem:
        return await _registration_page(request, _failed(request, form, problem), None)
    told = _("What goes to %(country)s is taxed there from %(day)s on.")
    return go(request, BASE, told % {"country": made.country, "day": made.valid_from.isoformat()})


@get(f"{BASE}/registrations/{{registration_id:uuid}}")
async def show_registration(request: AnyRequest, registration_id: FromPath[UUID]) -> Response[Any]:
    """A registration, to look at and to end."""
    require(request, READ)
    found = await store.registration(database_of(request), registration_id)
    return await _registration_page(request, Form.of(**msgspec.structs.asdict(found)), found)


@post(f"{BASE}/registrations/{{registration_id:uuid}}")
async def change_registration(request: AnyRequest, registration_id: FromPath[UUID]) -> Response[Any]:
    """Change a registration, normally the day on which it ends."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    before = await store.registration(database_of(request), registration_id)
    try:
        given = form.into(RegistrationChange, valid_to=form.text("valid_to"))
        after = await change(
            request,
            lambda tx: service.change_registration(tx, registration_id, given, form.version()),
        )
    except Problem as problem:
        return await _registration_page(request, _failed(request, form, problem), before)
    back = {name: getattr(before, name) for name in RegistrationChange.__struct_fields__}
    undo = undo_href(
        request,
        "tax.registration",
        registration=registration_id,
        version=after.version,
        back=msgspec.to_builtins(back),
    )
    return go(request, BASE, _("Saved. It holds from now on."), undo=undo)


@undoable("tax.registration")
async def _undo_registration(tx: Tx, arguments: dict[str, Any]) -> str:
    given = msgspec.convert(arguments["back"], RegistrationChange)
    registration = UUID(arguments["registration"])
    await service.change_registration(tx, registration, given, arguments["version"])
    return BASE


async def _registration_page(
    request: AnyRequest, form: Form, registration: Registration | None
) -> Response[Any]:
    everything = await channels.cached_all(database_of(request))
    return await admin_page(
        request,
        "admin/tax_registration.html",
        status_code=form.status,
        form=form,
        registration=registration,
        channel=next((c for c in everything if registration and c.id == registration.channel), None),
        channels_of=[(channel.code, channel.name) for channel in everything],
    )


@get(f"{BASE}/rates")
async def list_rates(request: AnyRequest) -> Response[Any]:
    """What countries take: those of today first asked for, and all there were and will be."""
    require(request, READ)
    database = database_of(request)
    found = await shown(request, database, store.RATES)
    return await admin_page(
        request,
        "admin/tax_rates.html",
        list=found,
        classes=[(each.code, each.name) for each in await tax.classes(database)],
        shops=await _shops(request),
    )


async def _shops(request: AnyRequest) -> dict[UUID, str]:
    """By pool of prices, the names of the channels that share it."""
    found: dict[UUID, list[str]] = {}
    for channel in await channels.cached_all(database_of(request)):
        found.setdefault(channel.pools[channels.Resource.PRICES], []).append(channel.name)
    return {pool: ", ".join(each) for pool, each in found.items()}


@get(f"{BASE}/rates/new")
async def show_new_rate(request: AnyRequest) -> Response[Any]:
    """The form for a new rate."""
    require(request, CHANGE)
    main = main_of(await channels.cached_all(database_of(request)))
    form = Form.of(
        country=main.country if main else "", tax_class="standard", channel=main.code if main else ""
    )
    return await _rate_page(request, form, None)


@post(f"{BASE}/rates/new")
async def create_rate(request: AnyRequest) -> Response[Any]:
    """Make a rate."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        values = {"country": form.get("country").strip().upper(), "region": form.get("region").strip()}
        given = form.into(
            TaxRateInput,
            **values,
            rate_bp=_basis_points(request, form),
            **_category(form),
        )
        made = await change(request, lambda tx: service.create_rate(tx, given))
    except Problem as problem:
        return await _rate_page(request, _failed(request, form, problem), None)
    return go(
        request,
        f"{BASE}/rates?country={made.country}",
        _("It holds from %(day)s on.") % {"day": made.valid_from},
    )


def _category(form: Form) -> dict[str, str]:
    """The category that was chosen; without one it follows from the rate."""
    chosen = form.text("category")
    return {} if chosen is None else {"category": chosen}


def _basis_points(request: AnyRequest, form: Form) -> int:
    """A percentage as people write it, in basis points."""
    text = form.get("rate").strip().rstrip("%").strip().replace(",", ".")
    whole, _, part = text.partition(".")
    if (
        not whole.isascii()
        or not whole.isdigit()
        or len(part) > 2
        or (part and not (part.isascii() and part.isdigit()))
    ):
        raise InvalidInput.at("rate", words(request)("Please write a percentage, such as 25 or 5.5."))
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


@get(f"{BASE}/rates/{{rate_id:uuid}}")
async def show_rate(request: AnyRequest, rate_id: FromPath[UUID]) -> Response[Any]:
    """A rate, to look at and to end."""
    require(request, READ)
    found = await store.rate(database_of(request), rate_id)
    values = msgspec.structs.asdict(found) | {"rate": _percent(found.rate_bp)}
    return await _rate_page(request, Form.of(**values), found)


def _percent(rate_bp: int) -> str:
    return f"{rate_bp / 100:g}"


@post(f"{BASE}/rates/{{rate_id:uuid}}")
async def change_rate(request: AnyRequest, rate_id: FromPath[UUID]) -> Response[Any]:
    """Change a rate, normally the day on which it ends."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    before = await store.rate(database_of(request), rate_id)
    try:
        given = form.into(
            TaxRateChange,
            rate_bp=_basis_points(request, form),
            **_category(form),
            valid_to=form.text("valid_to"),
        )
        after = await change(request, lambda tx: service.change_rate(tx, rate_id, given, form.version()))
    except Problem as problem:
        return await _rate_page(request, _failed(request, form, problem), before)
    back = {name: getattr(before, name) for name in TaxRateChange.__struct_fields__}
    undo = undo_href(request, "tax.rate", rate=rate_id, version=after.version, back=msgspec.to_builtins(back))
    return go(request, f"{BASE}/rates?country={after.country}", _("Saved. It holds from now on."), undo=undo)


@undoable("tax.rate")
async def _undo_rate(tx: Tx, arguments: dict[str, Any]) -> str:
    rate_id = UUID(arguments["rate"])
    given = msgspec.convert(arguments["back"], TaxRateChange)
    await service.change_rate(tx, rate_id, given, arguments["version"])
    return f"{BASE}/rates/{rate_id}"


async def _rate_page(request: AnyRequest, form: Form, rate: TaxRate | None) -> Response[Any]:
    _, database = words(request), database_of(request)
    everything = await channels.cached_all(database)
    return await admin_page(
        request,
        "admin/tax_rate.html",
        status_code=form.status,
        form=form,
        rate=rate,
        shops=await _shops(request),
        classes=[(each.code, each.name) for each in await tax.classes(database)],
        categories=[
            ("", _("as the rate says")),
            ("S", _("Taxed (S)")),
            ("Z", _("Zero rate (Z)")),
            ("E", _("Exempt (E)")),
            ("O", _("Outside VAT (O)")),
        ],
        channels_of=[("", _("All channels")), *((c.code, c.name) for c in everything)],
    )


FAULTS = {
    "number": marked("This is no VAT number of that country."),
    "valid_to": marked("The end must be after the beginning."),
    "valid_from": marked("Another one holds at this time: end that one first."),
    "category": marked("A rate above 0 is taxed; the other kinds go with 0."),
}
"""What is wrong with a field, in words of people; the API's own are for machines' makers."""


def _failed(request: AnyRequest, form: Form, problem: Problem) -> Form:
    _ = words(request)
    form.failed(problem, {"rate_bp": "rate"})
    form.errors |= {name: _(FAULTS[name]) for name in form.errors if name in FAULTS and form.text(name)}
    return form


HANDLERS = [
    overview,
    show_report,
    show_new_registration,
    create_registration,
    show_registration,
    change_registration,
    list_rates,
    show_new_rate,
    create_rate,
    show_rate,
    change_rate,
]
