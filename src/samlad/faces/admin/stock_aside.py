"""Goods that are put aside, on a page."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad.faces.admin import lot_names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import open_orders, own_codes
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.stock_frame import frame
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, translated, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import Problem
from samlad.stock import purchases_store, quarantine
from samlad.stock.permissions import ADJUST, READ
from samlad.stock.quarantine_model import QuarantineInput
from samlad.stock.quarantine_store import QUARANTINE


@get("/admin/stock/quarantine")
async def list_aside(request: AnyRequest) -> Response[Any]:
    """What waits for somebody to look at it, the longest at the top."""
    require(request, READ)
    return await _page(request, Form())


async def _page(request: AnyRequest, form: Form) -> Response[Any]:
    _, database = words(request), database_of(request)
    codes = await own_codes(actor_of(request), database, request.query_params.get("location"))
    fixed = {"location": codes}
    if "state" not in request.query_params:
        fixed["state"] = "open"
    found = await shown(request, database, QUARANTINE, fixed=fixed)
    makers = [(maker.code, maker.name) for maker in await purchases_store.suppliers(database)]
    return await admin_page(
        request,
        "admin/stock_quarantine.html",
        status_code=form.status,
        list=found,
        open_orders=await open_orders(actor_of(request), database, [each.order_id for each in found.items]),
        states=[("open", _("Waits")), ("done", _("Decided"))],
        verdicts=translated(request, lot_names.verdict),
        makers=makers,
        form=form,
        **await frame(request, "quarantine"),
    )


@post("/admin/stock/quarantine/{quarantine_id:uuid}")
async def judge(request: AnyRequest, quarantine_id: FromPath[UUID]) -> Response[Any]:
    """Decide: back for sale, written off, or back to the supplier."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(
            QuarantineInput,
            verdict=form.get("verdict"),
            quantity=form.whole("quantity"),
            supplier=form.text("supplier") if form.get("verdict") == "return_to_supplier" else None,
            note=form.text("note") or "",
        )
        await change(request, lambda tx: quarantine.judge(tx, quarantine_id, data, version=form.version()))
    except Problem as problem:
        return await _page(request, form.failed(problem))
    return go(request, local_path(form.get("back"), "/admin/stock/quarantine"), _("Decided."))


HANDLERS = [list_aside, judge]
