"""Lots on pages: what is where and until when it is good, and recalls."""

from datetime import date
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
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders.permissions import READ as ORDERS_READ
from samlad.orders.recall_list import RECALLED
from samlad.stock import lots, lots_store
from samlad.stock.lots_lists import LOTS, RECALLS
from samlad.stock.lots_model import Named, RecallInput
from samlad.stock.permissions import ADJUST, READ, RECALL

SOON_DAYS = 14
"""Days left from which a lot is marked."""


@get("/admin/stock/lots")
async def list_lots(request: AnyRequest) -> Response[Any]:
    """Which lots lie where, what expires first at the top."""
    require(request, READ)
    return await _lots_page(request, Form())


async def _lots_page(request: AnyRequest, form: Form) -> Response[Any]:
    _, database = words(request), database_of(request)
    codes = await own_codes(actor_of(request), database, request.query_params.get("location"))
    found = await shown(request, database, LOTS, fixed={"location": codes})
    within = [(str(days), _("Within %(num)d days") % {"num": days}) for days in (0, 7, 14, 30, 90)]
    return await admin_page(
        request,
        "admin/stock_lots.html",
        status_code=form.status,
        list=found,
        states=translated(request, lot_names.state),
        within=within,
        soon=SOON_DAYS,
        lot_names=lot_names,
        form=form,
        **await frame(request, "lots"),
    )


def day_of(form: Form, name: str) -> date | None:
    """A day that somebody typed. Raises InvalidInput."""
    text = form.text(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput.at(name, form.translate("We cannot use this as it is written.")) from None


@post("/admin/stock/lots/{lot_id:uuid}/{act:str}")
async def act_on_lot(request: AnyRequest, lot_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Change its date, say which lot units are of, or recall it."""
    require(request, RECALL if act == "recall" else ADJUST)
    form, _ = await read_form(request), words(request)
    back = local_path(form.get("back"), "/admin/stock/lots")
    try:
        lot = await lots_store.get(database_of(request), lot_id)
        if act == "date":
            day = day_of(form, "expires_on")
            await change(request, lambda tx: lots.change_date(tx, lot_id, day, version=form.version()))
            return go(request, back, _("Saved. What may be sold has changed with it."))
        if act == "name":
            place = UUID(form.get("location"))
            named = Named(
                lot.variant, form.whole("units") or 0, form.text("code"), day_of(form, "expires_on")
            )
            if named.units < 1:
                raise InvalidInput.at("units", _("Please write how many are there."))
            await change(request, lambda tx: lots.name_units(tx, place, [named]))
            return go(request, back, _("Written down. Nothing came or went."))
        if act == "recall":
            data = form.into(RecallInput, variant=lot.variant, lot=lot.code, reason=form.text("reason"))
            made = await change(request, lambda tx: lots.recall(tx, data))
            text = _("The lot is blocked everywhere. Here is who got it.")
            return go(request, f"/admin/stock/recalls/{made.id}", text)
    except (Problem, ValueError) as problem:
        if not isinstance(problem, Problem):
            raise NotFound("There is no such place.") from None
        return await _lots_page(request, form.failed(problem))
    raise NotFound("There is no such act.")


@get("/admin/stock/recalls")
async def list_recalls(request: AnyRequest) -> Response[Any]:
    """Lots that are or were blocked."""
    require(request, READ)
    return await _recalls_page(request, Form())


async def _recalls_page(request: AnyRequest, form: Form) -> Response[Any]:
    found = await shown(request, database_of(request), RECALLS)
    return await admin_page(
        request,
        "admin/stock_recalls.html",
        status_code=form.status,
        list=found,
        form=form,
        **await frame(request, "lots"),
    )


@post("/admin/stock/recalls")
async def recall(request: AnyRequest) -> Response[Any]:
    """Block a lot everywhere, also one that has not come yet."""
    require(request, RECALL)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(RecallInput, sku=form.text("sku"), lot=form.text("lot"), reason=form.text("reason"))
        made = await change(request, lambda tx: lots.recall(tx, data))
    except Problem as problem:
        return await _recalls_page(request, form.failed(problem))
    text = _("The lot is blocked everywhere. Here is who got it.")
    return go(request, f"/admin/stock/recalls/{made.id}", text)


@get("/admin/stock/recalls/{recall_id:uuid}")
async def show_recall(request: AnyRequest, recall_id: FromPath[UUID]) -> Response[Any]:
    """A recall: where the lot lies, and who got it."""
    require(request, READ)
    require(request, ORDERS_READ)
    database = database_of(request)
    found = await lots_store.recall_by_id(database, recall_id)
    told = await shown(request, database, RECALLED, found.lot)
    return await admin_page(
        request,
        "admin/stock_recall.html",
        recall=found,
        list=told,
        open_orders=await open_orders(actor_of(request), database, [each.order_id for each in told.items]),
        here_now=await lots_store.where(database, found.lot),
        lot_names=lot_names,
        **await frame(request, "lots"),
    )


@post("/admin/stock/recalls/{recall_id:uuid}/end")
async def end_recall(request: AnyRequest, recall_id: FromPath[UUID]) -> Response[Any]:
    """Free the lot again."""
    require(request, RECALL)
    await read_form(request)
    await change(request, lambda tx: lots.end_recall(tx, recall_id))
    text = words(request)("The lot is free again, as far as its date allows.")
    return go(request, f"/admin/stock/recalls/{recall_id}", text)


HANDLERS = [list_lots, act_on_lot, list_recalls, recall, show_recall, end_recall]
