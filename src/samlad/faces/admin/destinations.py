"""Where segments are sent: the list, a new one, and one with its state, what was sent, and what would be."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, consent, destinations
from samlad.audiences import store as segment_store
from samlad.destinations import DestinationChange, NewDestination, store
from samlad.destinations.model import Destination, State
from samlad.destinations.permissions import CHANGE, READ
from samlad.destinations.strategies import STRATEGIES, Strategy
from samlad.faces.admin.lists import shown
from samlad.faces.admin.segment_export import purpose_choices
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound, Problem

BASE = "/admin/destinations"
DAYS = 90
STATES = {
    "active": marked("Active"),
    "paused": marked("Paused"),
    "ending": marked("Being taken out"),
    "ended": marked("Ended"),
}
BATCH_STATES = {"sending": marked("Being sent"), "sent": marked("Taken"), "failed": marked("Failed")}


@get(BASE)
async def list_destinations(request: AnyRequest) -> Response[Any]:
    """All destinations with their state."""
    require(request, READ)
    found = await shown(request, database_of(request), store.LISTING)
    return await admin_page(
        request,
        "admin/destinations.html",
        list=found,
        states=STATES,
        state_choices=translated(request, STATES),
        strategies=STRATEGIES,
        segments=await _segments(request),
    )


async def _segments(request: AnyRequest) -> dict[str, str]:
    every = await segment_store.active(database_of(request))
    return {str(each.id): each.name for each in sorted(every, key=lambda each: each.name.lower())}


@get(f"{BASE}/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """Choose how, then fill in what that needs."""
    require(request, CHANGE)
    given = request.query_params
    return await _new_page(
        request, Form.of(strategy=given.get("strategy"), segment=given.get("segment"), purpose="ads")
    )


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    strategy = STRATEGIES.get(form.get("strategy"))
    database = database_of(request)
    return await admin_page(
        request,
        "admin/destination_new.html",
        status_code=form.status,
        form=form,
        strategy=strategy,
        strategies=STRATEGIES,
        segments=list((await _segments(request)).items()),
        purposes=purpose_choices(request, await consent.asked_for(database)),
        channels=[(str(one.id), one.name) for one in await channels.cached_all(database)],
    )


@post(f"{BASE}/new")
async def create(request: AnyRequest) -> Response[Any]:
    """Send a segment somewhere from now on."""
    require(request, CHANGE)
    form, vault = await read_form(request), request.app.state.runtime.vault
    strategy = STRATEGIES.get(form.get("strategy"))
    if strategy is None:
        raise NotFound("There is no such way to send.")
    try:
        given = form.into(NewDestination, config=_config(form, strategy))
        made = await change(request, lambda tx: destinations.create(tx, vault, given))
    except Problem as problem:
        return await _new_page(request, form.failed(problem))
    return go(request, f"{BASE}/{made.id}", words(request)("It is sent from now on."))


def _config(form: Form, strategy: Strategy) -> dict[str, str]:
    return {each.name: form.text(f"config.{each.name}") or "" for each in strategy.fields}


@get(f"{BASE}/{{destination_id:uuid}}")
async def show_destination(request: AnyRequest, destination_id: FromPath[UUID]) -> Response[Any]:
    """Its state, its last sync, errors, batches, and what was sent over time."""
    require(request, READ)
    return await _page(request, destination_id, Form())


async def _page(request: AnyRequest, destination_id: UUID, form: Form) -> Response[Any]:
    database = database_of(request)
    found = await destinations.get(database, destination_id)
    tried = await destinations.dry_run(database, destination_id) if "try" in request.query_params else None
    names = await _segments(request)
    return await admin_page(
        request,
        "admin/destination.html",
        status_code=form.status,
        destination=found,
        strategy=STRATEGIES[found.strategy],
        segment=names.get(str(found.segment)),
        states=STATES,
        batch_states=BATCH_STATES,
        list=await shown(request, database, store.BATCHES, destination_id, also=("try",)),
        plot=await _plot(request, found),
        tried=tried,
        form=form,
        here=f"{BASE}/{destination_id}",
    )


async def _plot(request: AnyRequest, destination: Destination) -> dict[str, Any] | None:
    """People added and removed by day; None before anything was sent."""
    _ = words(request)
    days = await store.days(database_of(request), destination.id, DAYS)
    if not days:
        return None
    series = (
        (_("Added"), [each.added for each in days]),
        (_("Removed"), [each.removed for each in days]),
    )
    option = {
        "xAxis": {"type": "category", "data": [f"{each.day:%m-%d}" for each in days]},
        "yAxis": {"type": "value", "minInterval": 1},
        "legend": {},
        "series": [{"type": "bar", "name": name, "data": data} for name, data in series],
    }
    summary = _(
        "In %(days)s days %(added)s people were added and %(removed)s removed; %(failed)s batches failed."
    ) % {
        "days": DAYS,
        "added": sum(each.added for each in days),
        "removed": sum(each.removed for each in days),
        "failed": sum(each.failed for each in days),
    }
    return {"option": option, "summary": summary}


@post(f"{BASE}/{{destination_id:uuid}}")
async def edit(request: AnyRequest, destination_id: FromPath[UUID]) -> Response[Any]:
    """Another way in, pause, go on, look at everybody again, or end."""
    require(request, CHANGE)
    form, _, vault = await read_form(request), words(request), request.app.state.runtime.vault
    found = await destinations.get(database_of(request), destination_id)
    here, act = f"{BASE}/{destination_id}", form.get("do")
    try:
        if act == "sync":
            await change(request, lambda tx: destinations.everybody(tx, destination_id))
            return go(request, here, _("Everybody is looked at again."))
        if act == "end":
            await change(request, lambda tx: destinations.end(tx, destination_id))
            return go(request, here, _("Everybody who was sent is being taken out."))
        if act in ("active", "paused"):
            given = DestinationChange(state=State(act))
        else:
            strategy = STRATEGIES[found.strategy]
            given = DestinationChange(config={k: v for k, v in _config(form, strategy).items() if v})
        await change(
            request, lambda tx: destinations.change(tx, vault, destination_id, given, version=form.version())
        )
    except Problem as problem:
        return await _page(request, destination_id, form.failed(problem))
    return go(request, here, _("Saved."))


HANDLERS = [list_destinations, show_new, create, show_destination, edit]
