"""Papers of many orders as files: begun at the desk, watched while a job makes them, had for three days."""

from typing import Any
from uuid import UUID, uuid5

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from samlad import documents
from samlad.documents import PaperInput, papers, papers_store
from samlad.documents.papers_api import file_answer
from samlad.faces.admin import paper_names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.order_bulk import back_to, chosen_in
from samlad.faces.admin.order_desk import BASE
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, Problem

PAPERS = f"{BASE}/papers"


@post(PAPERS)
async def begin(request: AnyRequest) -> Response[Any]:
    """Have papers made of chosen rows, or of all of a filter."""
    require(request, documents.READ)
    form, _ = await read_form(request), words(request)
    wanted = form.get("papers")
    try:
        chosen = await chosen_in(request, form)
        if chosen.get("orders") == []:
            raise InvalidInput(_("Choose at least one order."))
        what, _dot, file_form = wanted.partition(".")
        # The same form sent twice is one run; other rows of the same page are another.
        run = uuid5(UUID(form.get("bulk")), f"{wanted} {chosen}")
        data = msgspec.convert({"what": what, "form": file_form, "id": str(run), **chosen}, PaperInput)
        begun = await change(request, lambda tx: papers.ask(tx, data))
    except (msgspec.ValidationError, ValueError):
        return go(request, back_to(form), _("Please say what is to be made."), kind="danger")
    except Problem as problem:
        return go(request, back_to(form), form.failed(problem).in_one_line(), kind="danger")
    return go(request, f"{PAPERS}/{begun.id}")


@get(PAPERS)
async def list_runs(request: AnyRequest) -> Response[Any]:
    """What was made lately."""
    require(request, documents.READ)
    actor = actor_of(request)
    fixed = {"staff": None if actor.locations is None else str(actor.id or new_id())}
    return await admin_page(
        request,
        "admin/order_papers_list.html",
        list=await shown(request, database_of(request), papers_store.RUNS, fixed=fixed),
        kinds=translated(request, paper_names.WHAT),
        names=paper_names,
    )


@get(f"{PAPERS}/{{run_id:uuid}}")
async def show(request: AnyRequest, run_id: FromPath[UUID]) -> Response[Any]:
    """How far they are, and which orders have none."""
    require(request, documents.READ)
    database = database_of(request)
    return await admin_page(
        request,
        "admin/order_papers_run.html",
        run=await papers.get(database, actor_of(request), run_id),
        left_out=await papers_store.left_out(database, run_id),
        most=papers_store.MOST_SHOWN,
        names=paper_names,
    )


@post(f"{PAPERS}/{{run_id:uuid}}/stop")
async def stop(request: AnyRequest, run_id: FromPath[UUID]) -> Response[Any]:
    """Make no more of them."""
    require(request, documents.READ)
    await read_form(request)
    await change(request, lambda tx: papers.stop(tx, run_id))
    return go(request, f"{PAPERS}/{run_id}", words(request)("Stopped. What is made can be had."))


@get(f"{PAPERS}/{{run_id:uuid}}/file")
async def file(request: AnyRequest, run_id: FromPath[UUID]) -> Stream:
    """The file."""
    require(request, documents.READ)
    return await file_answer(request, run_id)


HANDLERS = [begin, list_runs, show, stop, file]
