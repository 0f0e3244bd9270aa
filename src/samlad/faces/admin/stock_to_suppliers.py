"""Goods that go back to their supplier, and the credit for them, on pages."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import catalog, stock
from samlad.faces.admin import names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import own_codes
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.stock_frame import chosen_place, frame
from samlad.faces.admin.stock_lines import typed_goods
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.stock import lots_store, purchases_store, supplier_returns, supplier_returns_store
from samlad.stock.permissions import PURCHASE
from samlad.stock.purchase_model import Purchase, Supplier
from samlad.stock.supplier_return_model import (
    ReturnedLine,
    SupplierCreditInput,
    SupplierReturnClose,
    SupplierReturnReason,
    SupplierReturnStatus,
)
from samlad.stock.supplier_returns_store import SUPPLIER_RETURNS


@get("/admin/stock/supplier-returns")
async def list_returns(request: AnyRequest) -> Response[Any]:
    """What went back to whom, and what is still to be credited."""
    require(request, PURCHASE)
    database = database_of(request)
    codes = await own_codes(actor_of(request), database, request.query_params.get("location"))
    found = await shown(request, database, SUPPLIER_RETURNS, fixed={"location": codes})
    return await admin_page(
        request,
        "admin/stock_supplier_returns.html",
        list=found,
        states=translated(request, names.supplier_return_status),
        makers=[(one.code, one.name) for one in await purchases_store.suppliers(database)],
        **await frame(request, "supplier-returns"),
    )


def _id(text: str, otherwise: str) -> UUID:
    """An id of a form; ``otherwise`` is what is said where it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(otherwise) from None


async def _came(request: AnyRequest, text: str | None) -> Purchase | None:
    return (
        await purchases_store.get(database_of(request), _id(text, marked("There is no such purchase order.")))
        if text
        else None
    )


@get("/admin/stock/supplier-returns/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form: of a purchase order, or loose."""
    require(request, PURCHASE)
    form = Form.of(purchase=request.query_params.get("purchase"), id=new_id())
    return await _new_page(request, form)


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    database = database_of(request)
    came = await _came(request, form.text("purchase"))
    return await admin_page(
        request,
        "admin/stock_supplier_return_new.html",
        status_code=form.status,
        form=form,
        purchase=came,
        supplier=came and await purchases_store.supplier(database, came.supplier),
        place=came and await stock.location(database, came.location),
        reasons=translated(request, names.supplier_return_reason),
        makers=[(one.code, one.name) for one in await purchases_store.suppliers(database)],
        **await frame(request, "supplier-returns"),
    )


async def _whom(request: AnyRequest, form: Form, came: Purchase | None) -> Supplier:
    _, database = words(request), database_of(request)
    if came is not None:
        return await purchases_store.supplier(database, came.supplier)
    try:
        return await purchases_store.supplier_by_code(database, form.get("supplier"))
    except NotFound:
        raise InvalidInput.at("supplier", _("Please choose one of these.")) from None


@post("/admin/stock/supplier-returns/new")
async def send(request: AnyRequest) -> Response[Any]:
    """The goods leave. The form knows its return: sent twice is once."""
    require(request, PURCHASE)
    form, _ = await read_form(request), words(request)
    came, own = (
        await _came(request, form.text("purchase")),
        _id(form.get("id"), marked("There is no such return.")),
    )
    try:
        supplier = await _whom(request, form, came)
        place = (
            await chosen_place(request, form)
            if came is None
            else await stock.location(database_of(request), came.location)
        )
        if form.get("reason") not in list(SupplierReturnReason):
            raise InvalidInput.at("reason", _("Please choose one of these."))

        async def work(tx: Tx) -> UUID:
            goods = await typed_goods(tx, form, place, may_be_new=False, is_needed=False)
            lines = [
                ReturnedLine(variant, units, lot)
                for (variant, units), lot in zip(goods.lines, goods.lots, strict=True)
                if units
            ]
            made = await supplier_returns.send(
                tx,
                supplier,
                place.id,
                lines,
                reason=SupplierReturnReason(form.get("reason")),
                purchase=None if came is None else came.id,
                expected=form.amount("expected", place.currency),
                reference=(form.text("reference") or "")[:100],
                note=(form.text("note") or "")[:500],
                return_id=own,
            )
            return made.id

        made = await change(request, work)
    except Problem as problem:
        return await _new_page(request, form.failed(problem))
    return go(request, f"/admin/stock/supplier-returns/{made}", _("The goods have left stock."))


@get("/admin/stock/supplier-returns/{return_id:uuid}")
async def show(request: AnyRequest, return_id: FromPath[UUID]) -> Response[Any]:
    """One return: what left, what is expected for it, what was credited."""
    require(request, PURCHASE)
    return await _page(request, return_id, Form())


async def _page(request: AnyRequest, return_id: UUID, form: Form) -> Response[Any]:
    database = database_of(request)
    found = await supplier_returns_store.get(database, return_id)
    return await admin_page(
        request,
        "admin/stock_supplier_return.html",
        status_code=form.status,
        sent=found,
        supplier=await purchases_store.supplier(database, found.supplier),
        place=await stock.location(database, found.location),
        purchase=found.purchase and await purchases_store.get(database, found.purchase),
        known=await catalog.by_ids(database, [line.variant for line in found.lines]),
        lots=await lots_store.codes_of(database, [line.lot for line in found.lines if line.lot]),
        may_change=actor_of(request).may(PURCHASE, found.location)
        and found.status is not SupplierReturnStatus.CLOSED,
        credit=form.get("id") or new_id(),
        form=form,
        **await frame(request, "supplier-returns"),
    )


@post("/admin/stock/supplier-returns/{return_id:uuid}/{act:str}")
async def act_on_return(request: AnyRequest, return_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Book a credit that came, or expect no more."""
    require(request, PURCHASE)
    form, _ = await read_form(request), words(request)
    acts: dict[str, tuple[Callable[[Tx], Awaitable[Any]], str]] = {
        "credit": (lambda tx: _credit(tx, return_id, form), _("Booked.")),
        "close": (lambda tx: _close(tx, return_id, form), _("Closed. No more is expected.")),
    }
    if act not in acts:
        raise NotFound("There is no such act.")
    work, said = acts[act]
    try:
        await change(request, work)
    except Problem as problem:
        return await _page(request, return_id, form.failed(problem))
    return go(request, f"/admin/stock/supplier-returns/{return_id}", said)


async def _credit(tx: Tx, return_id: UUID, form: Form) -> None:
    currency = (await supplier_returns_store.get(tx, return_id)).currency
    data = form.into(
        SupplierCreditInput,
        amount=form.amount("amount", currency) or 0,
        reference=form.text("reference") or "",
        id=_id(form.get("id"), marked("There is no such credit of a supplier.")),
    )
    await supplier_returns.credit(tx, return_id, data)


async def _close(tx: Tx, return_id: UUID, form: Form) -> None:
    data = form.into(SupplierReturnClose, note=form.text("note") or "")
    await supplier_returns.close(tx, return_id, data.note, version=form.version())


HANDLERS = [list_returns, show_new, send, show, act_on_return]
