"""Who is in a segment and why, who came and went, lists with people on them, and the grid of RFM scores."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import customers
from samlad.audiences import lists, rfm, segments, store
from samlad.audiences.model import SegmentKind
from samlad.audiences.permissions import CHANGE, READ
from samlad.channels import Resource
from samlad.faces.admin import segment_names as names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.segment_builder import main, sentence_of
from samlad.faces.admin.segments import size_plot
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.http import database_of
from samlad.kernel.problems import InvalidInput, NotFound, Problem

SHADES = 5
"""Of the grid, from few people to many."""


@get("/admin/segments/{segment_id:uuid}")
async def show_segment(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Any]:
    """One segment: how large it is and was, and who is in it."""
    require(request, READ)
    return await _segment_page(request, segment_id, Form(), None)


async def _segment_page(request: AnyRequest, segment_id: UUID, form: Form, outcome: Any) -> Response[Any]:
    database = database_of(request)
    segment = await segments.get(database, segment_id)
    return await admin_page(
        request,
        "admin/segment.html",
        status_code=form.status,
        segment=segment,
        list=await shown(request, database, store.MEMBERS, segment_id),
        names=names,
        plot=await size_plot(request, segment),
        here=f"/admin/segments/{segment_id}",
        form=form,
        outcome=outcome,
        is_list=segment.kind is SegmentKind.LIST,
        said=await sentence_of(request, segment),
    )


@get("/admin/segments/{segment_id:uuid}/changes")
async def show_changes(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Any]:
    """Who came and went."""
    require(request, READ)
    database = database_of(request)
    segment = await segments.get(database, segment_id)
    return await admin_page(
        request,
        "admin/segment_changes.html",
        segment=segment,
        list=await shown(request, database, store.CHANGES, segment_id),
        names=names,
        causes=translated(request, names.cause),
        here=f"/admin/segments/{segment_id}",
    )


@get("/admin/segments/{segment_id:uuid}/people/{customer_id:uuid}")
async def show_why(
    request: AnyRequest, segment_id: FromPath[UUID], customer_id: FromPath[UUID]
) -> Response[Any]:
    """Why somebody is in a segment, or is not."""
    require(request, READ)
    database = database_of(request)
    why = await segments.explain(database, segment_id, customer_id)
    person = await customers.current(database, customer_id)
    if person is None:
        raise NotFound("There is no such customer.")
    return await admin_page(
        request,
        "admin/segment_why.html",
        segment=await segments.get(database, segment_id),
        person=person,
        why=why,
        names=names,
        here=f"/admin/segments/{segment_id}",
    )


@post("/admin/segments/{segment_id:uuid}/list", status_code=200)
async def put_on_list(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Any]:
    """Put people on a list, by a file or as they are typed, and say which rows could not be used."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    upload = form.files.get("file")
    body = await upload.read() if upload is not None and upload.filename else b""
    try:
        if not body and form.text("people") is None:
            raise InvalidInput.at("people", _("Please choose a file or write somebody down."))
        typed = form.get("people")
        outcome = await change(
            request,
            lambda tx: (
                lists.import_csv(tx, segment_id, body) if body else lists.import_text(tx, segment_id, typed)
            ),
        )
    except Problem as problem:
        return await _segment_page(request, segment_id, form.failed(problem), None)
    return await _segment_page(request, segment_id, Form(), outcome)


@post("/admin/segments/{segment_id:uuid}/list/remove")
async def take_off_list(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Any]:
    """Take the people whose boxes are ticked off a list."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        wanted = [UUID(each) for each in form.all("id")]
    except ValueError:
        raise NotFound("There is no such customer.") from None
    await change(request, lambda tx: lists.remove(tx, segment_id, wanted))
    return go(request, f"/admin/segments/{segment_id}", _("They are off the list."))


# -- scores ------------------------------------------------------------------------------------------------------------------


@get("/admin/rfm")
async def show_grid(request: AnyRequest) -> Response[Any]:
    """The grid of recency and frequency; a cell leads to who is in it."""
    require(request, READ)
    database, channel = database_of(request), await main(request)
    view = await rfm.read(database, channel.pools[Resource.CUSTOMERS])
    most = max((cell.people for cell in view.cells), default=0)
    shades = {
        (cell.recency, cell.frequency): 0 if not cell.people else 1 + (SHADES - 1) * cell.people // most
        for cell in view.cells
    }
    return await admin_page(request, "admin/rfm.html", view=view, shades=shades, names=names, channel=channel)


@post("/admin/rfm")
async def compute_grid(request: AnyRequest) -> Response[Any]:
    """Compute the scores now."""
    require(request, CHANGE)
    channel, _ = await main(request), words(request)
    await change(request, lambda tx: rfm.compute(tx, channel.pools[Resource.CUSTOMERS]))
    return go(request, f"/admin/rfm?channel={channel.code}", _("Everybody has new scores."))


@get("/admin/rfm/people")
async def show_cell(request: AnyRequest) -> Response[Any]:
    """Who is in a cell of the grid."""
    require(request, READ)
    database, channel = database_of(request), await main(request)
    found = await shown(request, database, rfm.PEOPLE, channel.pools[Resource.CUSTOMERS], also=("channel",))
    return await admin_page(
        request,
        "admin/rfm_people.html",
        list=found,
        names=names,
        channel=channel,
        groups=translated(request, names.group),
    )


HANDLERS = [
    show_segment,
    show_changes,
    show_why,
    put_on_list,
    take_off_list,
    show_grid,
    compute_grid,
    show_cell,
]
