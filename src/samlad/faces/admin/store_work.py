"""Store work of phones that could not be booked: why, and what is to be done about it."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import stock, storework
from samlad.faces import store_work_names as names
from samlad.faces.admin import decided
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import own_locations
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, go, require, translated, words
from samlad.faces.store_work_names import said
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import Outdated, Problem
from samlad.storework import ENTRIES, RESOLVE, Dismissal, Kept, State

BASE = "/admin/store-work"
_SUBJECTS = {
    **dict.fromkeys(("count-begin", "count", "count-close"), "/admin/stock/counts"),
    "arrival": "/admin/stock/transfers",
    "delivery": "/admin/stock/purchases",
}


@get(BASE)
async def list_entries(request: AnyRequest) -> Response[Any]:
    """What was refused, unless the address asks for something else; what came last first."""
    require(request, RESOLVE)
    database, actor = database_of(request), actor_of(request)
    scope = actor.bound_to
    fixed = None if request.query_params else {"state": State.REFUSED.value}
    found = await shown(request, database, ENTRIES, scope, fixed=fixed)
    places = await own_locations(actor, database)
    _ = words(request)
    return await admin_page(
        request,
        "admin/store_work.html",
        list=found,
        is_first_view=fixed is not None,
        kinds=translated(request, names.KINDS),
        kind_names=dict(translated(request, names.KINDS)),
        states=translated(request, names.STATES),
        places=[(place.code, place.name) for place in places],
        place_names={place.code: place.name for place in places},
        why={row.id: said(_, row.code, row.problem) for row in found.items},
        names=names,
    )


@get(f"{BASE}/{{entry_id:uuid}}")
async def show_entry(request: AnyRequest, entry_id: FromPath[UUID]) -> Response[Any]:
    """One entry as it was sent, with what the server said to it."""
    require(request, RESOLVE)
    return await _page(request, await _found(request, entry_id), Form())


async def _found(request: AnyRequest, entry_id: UUID) -> Kept:
    found = await storework.get(database_of(request), entry_id)
    actor_of(request).require(RESOLVE, location=found.location)
    return found


async def _page(request: AnyRequest, entry: Kept, form: Form) -> Response[Any]:
    _ = words(request)
    place = await stock.location(database_of(request), entry.location)
    base = _SUBJECTS.get(entry.kind, f"/pos/work/{place.code}")
    return await admin_page(
        request,
        "admin/store_work_entry.html",
        status_code=form.status,
        entry=entry,
        place=place,
        why=said(_, entry.code, entry.problem),
        kind_names=dict(translated(request, names.KINDS)),
        about_href=f"{base}/{entry.subject}" if entry.subject else None,
        sent=msgspec.json.format(msgspec.json.encode(entry.body), indent=2).decode(),
        form=form,
        is_refused=entry.state is State.REFUSED,
        names=names,
    )


@post(f"{BASE}/{{entry_id:uuid}}/again")
async def try_again(request: AnyRequest, entry_id: FromPath[UUID]) -> Response[Any]:
    """What was in its way may be settled by now."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    await _found(request, entry_id)

    async def again(problem: Problem) -> Response[Any]:
        if problem.status >= 500:
            raise problem
        form.status, form.message = 409, said(_, problem.code, _told(problem))
        return await _page(request, await _found(request, entry_id), form)

    return await decided.decide(
        request,
        lambda tx: storework.try_again(tx, entry_id, version=form.version()),
        here=f"{BASE}/{entry_id}",
        done=lambda _entry: go(request, BASE, _("It is booked now.")),
        again=again,
        is_quicker=(Outdated,),  # what is not there may be why it is refused
    )


def _told(problem: Problem) -> str:
    return "; ".join(each.message for each in problem.errors) or problem.detail or problem.title


@post(f"{BASE}/{{entry_id:uuid}}/dismiss")
async def dismiss(request: AnyRequest, entry_id: FromPath[UUID]) -> Response[Any]:
    """It will not be booked."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    await _found(request, entry_id)

    async def page(failed: Form) -> Response[Any]:
        return await _page(request, await _found(request, entry_id), failed)

    return await decided.decide(
        request,
        lambda tx: storework.dismiss(tx, entry_id, form.into(Dismissal), version=form.version()),
        here=f"{BASE}/{entry_id}",
        done=lambda _entry: go(request, BASE, _("Dismissed. What was sent stays here.")),
        again=decided.failed(form, page),
    )


HANDLERS = [list_entries, show_entry, try_again, dismiss]
