"""Events of clients: sources with their keys, the events as they arrive, and what was parked."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, customers, identity
from samlad.faces.admin import names
from samlad.faces.admin.lists import Shown, shown
from samlad.faces.admin.shell import admin_page, main_channel
from samlad.faces.admin.tracking_plots import volume_plot
from samlad.faces.form import Form, read_form
from samlad.faces.page import (
    AnyRequest,
    change,
    go,
    listen_from_here,
    live_href,
    local_path,
    require,
    translated,
    words,
)
from samlad.kernel.clock import now
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import uuids
from samlad.kernel.problems import Problem
from samlad.tracking import events_store, parked_store, retention, sources, store
from samlad.tracking.model import (
    PER_SECOND,
    KeyInput,
    ParkedRow,
    SourceChange,
    SourceInput,
    SourceKind,
    SourceView,
    TrackedRow,
)
from samlad.tracking.permissions import CHANGE, DELETE, READ

ROWS = 50
PARKED_SHOWN = timedelta(days=1)
"""How far back the live page shows what was parked when it has no full page of events."""


NEEDS = {
    "functional": marked("Functional"),
    "performance": marked("Statistics"),
    "targeting": marked("Advertising"),
}
WITHOUT = {
    "anonymise": marked("It is kept without the person"),
    "park": marked("It is parked without the person"),
}


@get("/admin/tracking")
async def list_sources(request: AnyRequest) -> Response[Any]:
    """All sources, and what came in a day."""
    require(request, READ)
    database = database_of(request)
    main = await main_channel(database)
    found = await shown(request, database, store.LISTING)
    return await admin_page(
        request,
        "admin/tracking.html",
        list=found,
        names=names,
        channel_names=await _channel_names(request),
        plot=await volume_plot(request, main.time_zone if main else "UTC"),
        kinds=translated(request, names.source_kind),
    )


async def _channel_names(request: AnyRequest) -> dict[UUID, str]:
    return {channel.id: channel.name for channel in await channels.cached_all(database_of(request))}


@get("/admin/tracking/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new source."""
    require(request, CHANGE)
    return await _new_page(request, Form.of(kind="browser", device_class="personal", per_second=PER_SECOND))


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    kinds = [pair for pair in translated(request, names.source_kind) if pair[0] != SourceKind.OURS]
    return await admin_page(
        request,
        "admin/tracking_new.html",
        status_code=form.status,
        form=form,
        channels=[(str(id_), name) for id_, name in (await _channel_names(request)).items()],
        kinds=kinds,
        classes=translated(request, names.device_class),
    )


@post("/admin/tracking/new")
async def create(request: AnyRequest) -> Response[Any]:
    """Make a source."""
    require(request, CHANGE)
    form = await read_form(request)
    try:
        given = form.into(SourceInput, per_second=form.whole("per_second"))
        made = await change(request, lambda tx: sources.create(tx, given))
    except Problem as problem:
        return await _new_page(request, form.failed(problem))
    return go(request, f"/admin/tracking/{made.id}", words(request)("The source is there. It needs a key."))


@get("/admin/tracking/{source_id:uuid}")
async def show_source(request: AnyRequest, source_id: FromPath[UUID]) -> Response[Any]:
    """One source: its keys and how to send with them."""
    require(request, READ)
    found = await sources.read(database_of(request), source_id)
    return await _source_page(request, found, _form_of(found))


def _form_of(found: SourceView) -> Form:
    shown = Form.of(name=found.name, per_second=found.per_second, without_consent=found.without_consent)
    shown.fields["needs"] = list(found.needs)
    shown.fields["blocks"] = ["\n".join(found.blocks)]
    return shown


async def _source_page(request: AnyRequest, found: SourceView, form: Form) -> Response[Any]:
    main = await main_channel(database_of(request))
    return await admin_page(
        request,
        "admin/tracking_source.html",
        status_code=form.status,
        source=found,
        form=form,
        names=names,
        channel_name=(await _channel_names(request)).get(found.channel, ""),
        plot=await volume_plot(request, main.time_zone if main else "UTC", found.id),
        now=now(),
        snippet=_snippet(request, found),
        needs=translated(request, NEEDS),
        without=translated(request, WITHOUT),
    )


def _snippet(request: AnyRequest, source: SourceView) -> str:
    """What a developer puts into a page or a program."""
    address = request.app.state.runtime.settings.public_url or str(request.base_url).rstrip("/")
    if source.kind is not SourceKind.BROWSER:
        return f'Client(write_key, host="{address}")'
    key = source.keys[0].key if source.keys else "…"
    return (
        f'analytics._cdn = "{address}";\n'
        f'analytics._writeKey = "{key}";\n'
        f'script.src = "{address}/analytics.js/v1/{key}/analytics.min.js";'
    )


@post("/admin/tracking/{source_id:uuid}")
async def change_source(request: AnyRequest, source_id: FromPath[UUID]) -> Response[Any]:
    """Another name or limit."""
    require(request, CHANGE)
    form = await read_form(request)
    try:
        # Boxes that are not ticked are not sent: whether they were there is said beside them.
        needs = {"needs": form.all("needs")} if form.has("has_needs") else {}
        blocks = {"blocks": _lines(form.get("blocks"))} if "blocks" in form.fields else {}
        given = form.into(SourceChange, per_second=form.whole("per_second"), **needs, **blocks)
        await change(request, lambda tx: sources.change(tx, source_id, given, version=form.version()))
    except Problem as problem:
        found = await sources.read(database_of(request), source_id)
        return await _source_page(request, found, form.failed(problem))
    return go(request, f"/admin/tracking/{source_id}", words(request)("Saved."))


def _lines(text: str) -> list[str]:
    return sorted({line.strip() for line in text.splitlines() if line.strip()})


@post("/admin/tracking/{source_id:uuid}/switch")
async def switch(request: AnyRequest, source_id: FromPath[UUID]) -> Response[Any]:
    """Off or on."""
    require(request, CHANGE)
    _ = words(request)
    given = SourceChange(is_on=(await read_form(request)).has("on"))
    after = await change(request, lambda tx: sources.change(tx, source_id, given))
    text = _("Its events are taken again.") if after.is_on else _("Its keys are refused now.")
    return go(request, f"/admin/tracking/{source_id}", text)


@post("/admin/tracking/{source_id:uuid}/keys")
async def make_key(request: AnyRequest, source_id: FromPath[UUID]) -> Response[Any]:
    """A new key; a server's is shown this once."""
    require(request, CHANGE)
    form = await read_form(request)
    given = KeyInput(others_end_in_hours=form.whole("others_end_in_hours"))
    try:
        made = await change(request, lambda tx: sources.make_key(tx, source_id, given))
    except Problem as problem:
        found = await sources.read(database_of(request), source_id)
        return await _source_page(request, found, form.failed(problem))
    if made.key.key is not None:
        return go(request, f"/admin/tracking/{source_id}", words(request)("The key is there."))
    found = await sources.read(database_of(request), source_id)
    return await admin_page(request, "admin/tracking_key.html", status_code=201, made=made, source=found)


@post("/admin/tracking/{source_id:uuid}/keys/{key_id:uuid}/end")
async def end_key(request: AnyRequest, source_id: FromPath[UUID], key_id: FromPath[UUID]) -> Response[Any]:
    """Take a key away."""
    require(request, CHANGE)
    await change(request, lambda tx: sources.end_key(tx, source_id, key_id))
    return go(request, f"/admin/tracking/{source_id}", words(request)("The key does not work any more."))


@get("/admin/tracking/events")
async def show_events(request: AnyRequest) -> Response[Any]:
    """The events as they arrive, with verdict and profile; ``paused`` holds the page still."""
    require(request, READ)
    await listen_from_here(request)
    database = database_of(request)
    found = await shown(request, database, events_store.EVENTS, also=("paused",), limit=ROWS)
    everything = await store.all_sources(database)
    is_live = not found.get("paused") and not found.get("cursor")
    rows = await _with_parked(request, found)
    return await admin_page(
        request,
        "admin/tracking_events.html",
        list=found,
        rows=rows,
        names=names,
        sources={source.id: source.name for source in everything},
        source_options=[(str(source.id), source.name) for source in everything],
        types=[(kind, kind) for kind in ("track", "identify", "page", "screen", "group", "alias")],
        profiles=(profiles := await _profiles(request, found.items)),
        people=await _people(request, profiles.values()),
        nameless=_nameless(request, found.items),
        live_href=live_href(request, "tracking") if is_live else None,
    )


@post("/admin/tracking/events/{event_id:uuid}/delete")
async def delete_event(request: AnyRequest, event_id: FromPath[UUID]) -> Response[Any]:
    """Forget one event for ever."""
    require(request, DELETE)
    back = local_path((await read_form(request)).text("back"), "/admin/tracking/events")
    await change(request, lambda tx: retention.delete_event(tx, event_id))
    return go(request, back, words(request)("The event is gone."))


async def _with_parked(request: AnyRequest, found: Shown[TrackedRow]) -> list[TrackedRow | ParkedRow]:
    """A page of events, and what was parked in its span of time: both arrived. Not where a filter is set that only speaks of
    events that were taken."""
    rows: list[TrackedRow | ParkedRow] = list(found.items)
    if any(found.get(name) for name in ("type", "name", "user_id", "identity", "who", "violating")):
        return rows
    since = found.items[-1].received_at if found.next and found.items else now() - PARKED_SHOWN
    until = found.items[0].received_at if found.get("cursor") and found.items else None
    sources = uuids(found.get("source"))
    rows += await parked_store.between(database_of(request), since, until, sources, ROWS)
    return sorted(rows, key=lambda row: row.received_at, reverse=True)


async def _profiles(request: AnyRequest, rows: Sequence[TrackedRow]) -> dict[UUID, UUID]:
    """The profile of now of each identity that events landed on."""
    ids = list({row.identity for row in rows if row.identity is not None})
    return dict(await identity.current(database_of(request), ids)) if ids else {}


async def _people(request: AnyRequest, profiles: Iterable[UUID]) -> dict[UUID, str]:
    """Names of the customers among some profiles, for those who may see customers; visitors have none."""
    if not actor_of(request).may(customers.READ):
        return {}
    found = [await customers.get(database_of(request), profile) for profile in set(profiles)]
    return {one.id: one.name or one.email or one.external_id or "" for one in found if one is not None}


def _nameless(request: AnyRequest, rows: Sequence[TrackedRow]) -> dict[UUID, str]:
    """Why events were kept without their person, by their ids: that is a verdict, too."""
    _ = words(request)
    found = {}
    for row in rows:
        stamp = row.consent if isinstance(row.consent, dict) else {}
        if stamp.get("verdict") == "erased":
            found[row.id] = _("They were erased")
        elif stamp.get("verdict") == "anonymised":
            lacking = ", ".join(_(NEEDS[each]) for each in stamp["lacking"] if each in NEEDS)
            found[row.id] = _("No consent to: %(purposes)s") % {"purposes": lacking}
    return found


HANDLERS = [
    list_sources,
    show_new,
    create,
    show_source,
    change_source,
    switch,
    make_key,
    end_key,
    show_events,
    delete_event,
]
