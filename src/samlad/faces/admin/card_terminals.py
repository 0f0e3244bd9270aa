"""The card terminals of locations: listed, named, removed."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import stock
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import NotFound, Problem
from samlad.payments import CardTerminal, TerminalBusy, card_terminal_store, card_terminals
from samlad.payments.card_terminal_model import CardTerminalChange, CardTerminalInput
from samlad.payments.permissions import TERMINALS
from samlad.stock import Location

BASE = "/admin/payments/terminals"


@get(BASE)
async def list_page(request: AnyRequest) -> Response[Any]:
    """All of them that are used, and one more."""
    require(request, TERMINALS)
    return await _list(request, Form.of(location=request.query_params.get("location", "")))


async def _list(request: AnyRequest, form: Form) -> Response[Any]:
    database, actor = database_of(request), actor_of(request)
    scope = actor.bound_to
    places = await _places(request)
    return await admin_page(
        request,
        "admin/card_terminals.html",
        status_code=form.status,
        list=await shown(request, database, card_terminal_store.TERMINALS, scope),
        places=[(str(one.id), one.name) for one in places],
        place_names={one.id: one.name for one in places},
        form=form,
    )


async def _places(request: AnyRequest) -> list[Location]:
    """Stores where somebody may list terminals."""
    actor = actor_of(request)
    found = await stock.locations(database_of(request))
    return [one for one in found if one.channel and one.is_active and actor.may(TERMINALS, one.id)]


@post(BASE, status_code=200)
async def add(request: AnyRequest) -> Response[Any]:
    """One more of a location."""
    require(request, TERMINALS)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(CardTerminalInput)
        await change(request, lambda tx: card_terminals.add(tx, data))
    except Problem as problem:
        return await _list(request, form.failed(problem, {"": "name"}))
    return go(request, BASE, _("The tills of this store can take cards there."))


@get(f"{BASE}/{{terminal_id:uuid}}")
async def show(request: AnyRequest, terminal_id: FromPath[UUID]) -> Response[Any]:
    """One: its names, and taking it away."""
    found = await _found(request, terminal_id)
    form = Form.of(name=found.name, reference=found.reference, version=found.version)
    return await _page(request, found, form)


async def _found(request: AnyRequest, terminal_id: UUID) -> CardTerminal:
    require(request, TERMINALS)
    found = await card_terminal_store.read(database_of(request), terminal_id)
    if found is None or not found.is_active:
        raise NotFound("There is no such card terminal.")
    actor_of(request).require(TERMINALS, location=found.location)
    return found


async def _page(request: AnyRequest, found: CardTerminal, form: Form, *, asks: bool = False) -> Response[Any]:
    place = await stock.location(database_of(request), found.location)
    return await admin_page(
        request,
        "admin/card_terminal.html",
        status_code=form.status,
        one=found,
        place=place,
        form=form,
        asks=asks,
    )


@post(f"{BASE}/{{terminal_id:uuid}}", status_code=200)
async def save(request: AnyRequest, terminal_id: FromPath[UUID]) -> Response[Any]:
    """Name it anew."""
    found, form, _ = await _found(request, terminal_id), await read_form(request), words(request)
    try:
        data = form.into(CardTerminalChange, reference=form.get("reference").strip())
        await change(request, lambda tx: card_terminals.change(tx, terminal_id, data, version=form.version()))
    except Problem as problem:
        return await _page(request, found, form.failed(problem))
    return go(request, BASE, _("Saved."))


@post(f"{BASE}/{{terminal_id:uuid}}/remove", status_code=200)
async def remove(request: AnyRequest, terminal_id: FromPath[UUID]) -> Response[Any]:
    """Take it away; while it waits for a card it is asked once more."""
    form, _ = await read_form(request), words(request)
    require(request, TERMINALS)
    try:
        await change(request, lambda tx: card_terminals.remove(tx, terminal_id, anyway=form.has("anyway")))
    except TerminalBusy as problem:
        found = await _found(request, terminal_id)
        again = Form.of(name=found.name, reference=found.reference, version=found.version)
        again.translate = form.translate
        return await _page(request, found, again.failed(problem), asks=True)
    return go(request, BASE, _("It is removed. Payments that were taken there still name it."))


HANDLERS = [list_page, add, show, save, remove]
