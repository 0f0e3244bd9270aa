"""What customers agreed to and asked for: consent, exports, erasures, the texts that they are shown, how long events are kept."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, consent, customers, privacy
from samlad.consent import AnswerInput, Level, TextInput
from samlad.customers import Customer
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.known_data import MOST_ROWS, handed_out, place_of, readable, reasons
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import context_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import NotFound, Problem
from samlad.kernel.seen import mark, unchanged
from samlad.privacy import RequestInput, RequestKind
from samlad.tracking import retention, retention_store
from samlad.tracking.model import RetentionInput
from samlad.tracking.permissions import CHANGE as CHANGE_TRACKING
from samlad.tracking.permissions import READ as READ_TRACKING

ANSWERS = {"granted": marked("Yes"), "denied": marked("No")}
LEVELS = {0: marked("Nobody checked it"), 1: marked("The shop says so"), 2: marked("They proved it")}
KINDS = {"access": marked("Export of everything"), "erasure": marked("Erasure")}
STATES = {
    "waiting": marked("Waits"),
    "running": marked("Under way"),
    "done": marked("Done"),
    "cancelled": marked("Cancelled"),
    "refused": marked("Not possible yet"),
}
EVENT_TYPES = {
    "": marked("All that no other rule names"),
    "track": marked("What was tracked"),
    "page": marked("Pages"),
    "screen": marked("Screens of apps"),
    "identify": marked("Who somebody is"),
    "group": marked("Groups"),
    "alias": marked("Other names"),
}
LANGUAGES = (("en", "English"), ("sv", "Svenska"), ("nl", "Nederlands"))
SHOWN = 50


# -- one customer ------------------------------------------------------------------------------------------------------


@get("/admin/customers/{customer_id:uuid}/privacy")
async def show_customer(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """What a customer agreed to, and what was asked for them."""
    require(request, consent.READ)
    return await _customer_page(request, await _customer(request, customer_id), Form())


async def _customer(request: AnyRequest, customer_id: UUID) -> Customer:
    found = await customers.current(database_of(request), customer_id)
    if found is None:
        raise NotFound("There is no such customer.")
    return found


async def _customer_page(request: AnyRequest, customer: Customer, form: Form) -> Response[Any]:
    database = database_of(request)
    found = await consent.given(database, customer.id)
    people = {customer.id, *await _ids(request, customer)}
    query = ListQuery(limit=SHOWN, filters={"person": ",".join(str(each) for each in sorted(people))})
    return await admin_page(
        request,
        "admin/customer_privacy.html",
        status_code=form.status,
        form=form,
        customer=customer,
        found=found,
        purposes=await consent.purposes(database),
        texts={each.id: each for each in await consent.texts_of(database)},
        channel_names={each.id: each.name for each in await channels.cached_all(database)},
        requests=(await privacy.LISTING.page(database, query)).items,
        answers=ANSWERS,
        levels=LEVELS,
        kinds=KINDS,
        states=STATES,
    )


async def _ids(request: AnyRequest, customer: Customer) -> list[UUID]:
    return await customers.members(database_of(request), customer.id)


@post("/admin/customers/{customer_id:uuid}/privacy/consent", status_code=303)
async def record(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Write down what a customer said."""
    require(request, consent.RECORD)
    customer, form, _ = await _customer(request, customer_id), await read_form(request), words(request)
    try:
        answer = form.into(AnswerInput, purpose=form.get("purpose"), answer=form.get("answer"))
        await change(
            request,
            lambda tx: consent.record(tx, customer.id, [answer], level=Level.AUTHENTICATED, source="staff"),
        )
    except Problem as problem:
        return await _customer_page(request, customer, form.failed(problem))
    return go(request, f"/admin/customers/{customer.id}/privacy", _("Written down."))


@post("/admin/customers/{customer_id:uuid}/privacy/requests", status_code=303)
async def ask(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Collect everything about a customer, or erase them."""
    form, _ = await read_form(request), words(request)
    kind = RequestKind.ERASURE if form.get("kind") == "erasure" else RequestKind.ACCESS
    require(request, privacy.ERASE if kind is RequestKind.ERASURE else privacy.EXPORT)
    customer = await _customer(request, customer_id)
    if kind is RequestKind.ERASURE and not form.has("sure"):
        form.errors["sure"] = _("Tick this: what is erased cannot be brought back.")
        form.status = 422
        return await _customer_page(request, customer, form)
    data = RequestInput(kind=kind, person=customer.id)
    made = await change(request, lambda tx: privacy.ask(tx, data))
    return go(request, f"/admin/privacy/{made.id}")


# -- requests ----------------------------------------------------------------------------------------------------------


@get("/admin/privacy")
async def list_requests(request: AnyRequest) -> Response[Any]:
    """All exports and erasures."""
    require(request, privacy.READ)
    found = await shown(request, database_of(request), privacy.LISTING)
    return await admin_page(
        request,
        "admin/privacy.html",
        list=found,
        kinds=KINDS,
        states=STATES,
        kind_options=translated(request, KINDS),
        state_options=translated(request, STATES),
    )


@get("/admin/privacy/{request_id:uuid}")
async def show_request(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Any]:
    """How far a request is, what came of it, and what the law keeps."""
    require(request, privacy.READ)
    found = await privacy.get(database_of(request), request_id)
    return await admin_page(
        request,
        "admin/privacy_request.html",
        asked=found,
        reasons=reasons(request, found.reason),
        kinds=KINDS,
        states=STATES,
        about=privacy.ABOUT,
        why_kept=privacy.WHY_KEPT,
    )


@post("/admin/privacy/{request_id:uuid}/cancel", status_code=303)
async def cancel(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Any]:
    """Take a request back before it begins."""
    require(request, privacy.READ)
    _ = words(request)
    await change(request, lambda tx: privacy.cancel(tx, request_id))
    return go(request, f"/admin/privacy/{request_id}", _("Cancelled. Nothing was erased."))


@get("/admin/privacy/{request_id:uuid}/export")
async def show_export(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Any]:
    """Everything that is known of a person, to be read and printed."""
    require(request, privacy.EXPORT)
    keys, place = request.app.state.runtime.vault, place_of(request)
    export = await database_of(request).transaction(
        lambda tx: privacy.excerpt(tx, keys, request_id, MOST_ROWS, part=place.part, after=place.after),
        context_of(request),
    )
    return await admin_page(
        request,
        "admin/privacy_export.html",
        export=export,
        parts=readable(request, export),
        place=place,
        files_at=f"/admin/privacy/{request_id}/files",
        number=request_id,
    )


@get("/admin/privacy/{request_id:uuid}/files/{folder:str}/{name:str}")
async def show_file(
    request: AnyRequest, request_id: FromPath[UUID], folder: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """A photograph of an export, which we drew; any other file is somebody else's, and only to be saved."""
    require(request, privacy.EXPORT)
    keys = request.app.state.runtime.vault
    content = await database_of(request).transaction(
        lambda tx: privacy.file(tx, keys, request_id, f"{folder}/{name}"), context_of(request)
    )
    return handed_out(folder, name, content)


# -- purposes, texts, retention ----------------------------------------------------------------------------------------


@get("/admin/consent")
async def show_purposes(request: AnyRequest) -> Response[Any]:
    """What people are asked for, and with which words."""
    require(request, consent.READ)
    return await _purposes_page(request, Form())


async def _purposes_page(request: AnyRequest, form: Form) -> Response[Any]:
    database = database_of(request)
    return await admin_page(
        request,
        "admin/consent.html",
        status_code=form.status,
        form=form,
        purposes=await consent.purposes(database),
        texts=await consent.texts_of(database),
        languages_of_texts=LANGUAGES,
        levels=LEVELS,
    )


@post("/admin/consent", status_code=303)
async def add_text(request: AnyRequest) -> Response[Any]:
    """Add a wording; those of before stay, because answers point to them."""
    require(request, consent.CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(TextInput, language=form.get("language"), text=form.get("text"))
        await change(request, lambda tx: consent.add_text(tx, form.get("purpose"), data))
    except Problem as problem:
        return await _purposes_page(request, form.failed(problem))
    return go(request, "/admin/consent", _("Saved. It is shown from now on."))


@get("/admin/retention")
async def show_retention(request: AnyRequest) -> Response[Any]:
    """How long events of clients are kept."""
    require(request, READ_TRACKING)
    return await _retention_page(request, Form.of(days=400))


async def _retention_page(request: AnyRequest, form: Form) -> Response[Any]:
    rules = await retention_store.rules(database_of(request))
    form.fields.setdefault("version", [str(mark(rules))])
    return await admin_page(
        request,
        "admin/retention.html",
        status_code=form.status,
        form=form,
        rules=rules,
        types=EVENT_TYPES,
        type_options=translated(request, EVENT_TYPES),
    )


@post("/admin/retention", status_code=303)
async def set_retention(request: AnyRequest) -> Response[Any]:
    """Set or replace a rule."""
    require(request, CHANGE_TRACKING)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(
            RetentionInput, type=form.get("type") or None, name=form.text("name"), days=form.whole("days")
        )

        async def work(tx: Tx) -> None:
            await unchanged(tx, "retention", retention_store.rules, form.version())
            await retention.set_rule(tx, data)

        await change(request, work)
    except Problem as problem:
        return await _retention_page(request, form.failed(problem))
    return go(request, "/admin/retention", _("Saved. It is looked after every hour."))


@post("/admin/retention/{rule_id:uuid}/remove", status_code=303)
async def remove_retention(request: AnyRequest, rule_id: FromPath[UUID]) -> Response[Any]:
    """Take a rule away."""
    require(request, CHANGE_TRACKING)
    _ = words(request)

    async def work(tx: Tx) -> None:
        await retention.remove_rule(tx, rule_id)

    await change(request, work)
    return go(request, "/admin/retention", _("Removed."))


HANDLERS = [
    show_customer,
    record,
    ask,
    list_requests,
    show_request,
    cancel,
    show_export,
    show_file,
    show_purposes,
    add_text,
    show_retention,
    set_retention,
    remove_retention,
]
