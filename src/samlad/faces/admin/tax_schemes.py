"""Tax schemes: which there are, which channel sells by which from when, and beginning, changing and ending them."""

from collections.abc import Callable
from typing import Any
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
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict, InvalidInput, Problem
from samlad.tax import schemes
from samlad.tax.model import Scheme, SchemeChange, SchemeInput, SchemeKind
from samlad.tax.permissions import CHANGE, READ
from samlad.tax.territories import EU

BASE = "/admin/tax/schemes"

KINDS = {
    "margin_second_hand": marked("Margin scheme: second-hand goods"),
    "margin_art": marked("Margin scheme: works of art"),
    "margin_antiques": marked("Margin scheme: collector's items and antiques"),
    "ioss": marked("Import one-stop shop"),
}

RULES: tuple[tuple[str, str, str], ...] = (
    ("small_business", marked("Small business"), marked("Sells without tax below its country's limit.")),
    (
        "oss",
        marked("One-stop shop"),
        marked("Consumers in other EU countries pay the tax of theirs; it is told in one return at home."),
    ),
    (
        "intra_eu",
        marked("Business in the EU"),
        marked("Goods to a business in another EU country whose VAT number counts bear no tax here."),
    ),
    (
        "reverse_charge",
        marked("Reverse charge"),
        marked("For services to such a business the customer owes the tax."),
    ),
    (
        "export",
        marked("Export"),
        marked("What leaves the VAT area bears no tax, unless you are registered there."),
    ),
)
"""Rules that no date begins: they hold by the settings of channels, or by themselves."""

FAULTS = {
    "number": marked("It is written IM and ten digits, as the tax office gave it."),
    "tax_class": marked("The margin scheme is for one class of goods, the import scheme for all: choose so."),
    "channel": marked("The import scheme is for sellers outside of the EU."),
    "most": marked("Please say what 150 euros are in the currency of this channel."),
    "valid_to": marked("The end must be after the beginning."),
    "valid_from": marked("The channel has a scheme for these goods at that time: end that one first."),
}
"""What is wrong with a field, in words of people."""


def _users(everything: list[Channel], rule: str) -> list[Channel]:
    """The channels that a rule of their settings, or of the law, is for."""
    using: dict[str, Callable[[Channel], bool]] = {
        "small_business": lambda c: c.setting("tax_scheme") == "small_business",
        "oss": lambda c: bool(c.setting("tax_oss")),
        "intra_eu": lambda c: c.country in EU and c.setting("tax_vat_number") != "off",
        "reverse_charge": lambda c: c.country in EU and c.setting("tax_vat_number") != "off",
        "export": lambda c: c.setting("tax_scheme") != "small_business",
    }
    return [channel for channel in everything if using[rule](channel)]


@get(BASE)
async def list_schemes(request: AnyRequest) -> Response[Any]:
    """What there is, who uses it, and from when."""
    require(request, READ)
    database, _ = database_of(request), words(request)
    everything = await channels.cached_all(database)
    found = await shown(request, database, schemes.SCHEMES)
    main = main_of(everything)
    return await admin_page(
        request,
        "admin/tax_schemes.html",
        list=found,
        kinds=translated(request, KINDS),
        kind_names=KINDS,
        classes={each.code: each.name for each in await tax.classes(database)},
        by_id={channel.id: channel for channel in everything},
        channels_of=[(channel.code, channel.name) for channel in everything],
        today=local_day(now(), main.time_zone if main else "UTC"),
        rules=[(_(name), _(text), _users(everything, code)) for code, name, text in RULES],
        setting_names=setting_names,
    )


@get(f"{BASE}/new")
async def show_new_scheme(request: AnyRequest) -> Response[Any]:
    """The form to begin with a scheme."""
    require(request, CHANGE)
    main = main_of(await channels.cached_all(database_of(request)))
    return await _page(request, Form.of(channel=main.code if main else ""), None)


@post(f"{BASE}/new")
async def use_scheme(request: AnyRequest) -> Response[Any]:
    """Say that a channel sells by a scheme from a day on."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    everything = {channel.code: channel for channel in await channels.cached_all(database_of(request))}
    chosen = everything.get(form.get("channel"))
    if chosen is None:
        wrong = InvalidInput.at("channel", _("Please choose one of these."))
        return await _page(request, form.failed(wrong), None)
    try:
        given = form.into(
            SchemeInput,
            number=form.get("number").strip().upper(),
            most=form.amount("most", chosen.currency) or None,
            valid_to=form.text("valid_to"),
        )
        made = await change(request, lambda tx: schemes.use(tx, given))
    except Problem as problem:
        return await _page(request, _failed(request, form, problem), None)
    told = _("It holds from %(day)s on.") % {"day": made.valid_from.isoformat()}
    return go(request, BASE, told)


@get(f"{BASE}/{{scheme_id:uuid}}")
async def show_scheme(request: AnyRequest, scheme_id: FromPath[UUID]) -> Response[Any]:
    """One use of a scheme, to look at and to end."""
    require(request, READ)
    found = await schemes.read(database_of(request), scheme_id)
    return await _page(request, Form.of(**msgspec.structs.asdict(found)), found)


@post(f"{BASE}/{{scheme_id:uuid}}")
async def change_scheme(request: AnyRequest, scheme_id: FromPath[UUID]) -> Response[Any]:
    """Change from when to when it is used, normally the day on which it ends."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    before = await schemes.read(database_of(request), scheme_id)
    try:
        given = form.into(SchemeChange, valid_to=form.text("valid_to"))
        after = await change(request, lambda tx: schemes.change(tx, scheme_id, given, form.version()))
    except Problem as problem:
        return await _page(request, _failed(request, form, problem), before)
    back = {name: getattr(before, name) for name in SchemeChange.__struct_fields__}
    undo = undo_href(
        request, "tax.scheme", scheme=scheme_id, version=after.version, back=msgspec.to_builtins(back)
    )
    return go(request, BASE, _("Saved. It holds from now on."), undo=undo)


@undoable("tax.scheme")
async def _undo_scheme(tx: Tx, arguments: dict[str, Any]) -> str:
    given = msgspec.convert(arguments["back"], SchemeChange)
    await schemes.change(tx, UUID(arguments["scheme"]), given, arguments["version"])
    return BASE


def _failed(request: AnyRequest, form: Form, problem: Problem) -> Form:
    """What the verb refused, in words of people; where a day is missing or unreadable the form says that itself."""
    _ = words(request)
    form.failed(problem)
    if isinstance(problem, InvalidInput | Conflict):
        form.errors |= {
            name: _(FAULTS[name])
            for name in form.errors
            if name in FAULTS and (form.text(name) or name in ("tax_class", "most", "number"))
        }
    return form


async def _page(request: AnyRequest, form: Form, scheme: Scheme | None) -> Response[Any]:
    database, _ = database_of(request), words(request)
    everything = await channels.cached_all(database)
    return await admin_page(
        request,
        "admin/tax_scheme.html",
        status_code=form.status,
        form=form,
        scheme=scheme,
        kinds=translated(request, KINDS),
        kind_names=KINDS,
        ioss=SchemeKind.IOSS,
        classes=[("", _("All goods")), *((each.code, each.name) for each in await tax.classes(database))],
        channel=next((c for c in everything if scheme and c.id == scheme.channel), None),
        channels_of=[(channel.code, channel.name) for channel in everything],
    )


HANDLERS = [list_schemes, show_new_scheme, use_scheme, show_scheme, change_scheme]
