"""Buying: suppliers, purchase orders and what comes of them, and what is to be bought again."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import catalog, stock
from samlad.faces.admin import bulk, names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import own_codes
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.stock_frame import chosen_place, frame
from samlad.faces.admin.stock_lines import typed_costs, typed_goods, typed_wanted
from samlad.faces.admin.undo import undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, camera_headers, change, go, local_path, require, translated, words
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.stock import purchase_drafts, purchases, purchases_store, reorder, suppliers
from samlad.stock.pace import RUNNING_OUT
from samlad.stock.permissions import ADJUST, PURCHASE, READ
from samlad.stock.purchase_lists import PURCHASES
from samlad.stock.purchase_model import OPEN, PurchaseStatus, Supplier, SupplierInput
from samlad.stock.reorder import REORDER


async def _makers(request: AnyRequest) -> list[tuple[str, str]]:
    return [(one.code, one.name) for one in await purchases_store.suppliers(database_of(request))]


async def _chosen_supplier(request: AnyRequest, form: Form) -> Supplier:
    _ = words(request)
    try:
        return await purchases_store.supplier_by_code(database_of(request), form.get("supplier"))
    except NotFound:
        raise InvalidInput.at("supplier", _("Please choose one of these.")) from None


# -- purchase orders -----------------------------------------------------------------------------------------------------


@get("/admin/stock/purchases")
async def list_purchases(request: AnyRequest) -> Response[Any]:
    """Purchase orders, the newest first."""
    require(request, ADJUST)
    return await _list_page(request, Form())


async def _list_page(request: AnyRequest, form: Form) -> Response[Any]:
    database = database_of(request)
    codes = await own_codes(actor_of(request), database, request.query_params.get("location"))
    found = await shown(request, database, PURCHASES, fixed={"location": codes})
    context = await frame(request, "purchases")
    return await admin_page(
        request,
        "admin/stock_purchases.html",
        status_code=form.status,
        list=found,
        states=translated(request, names.purchase_status),
        makers=await _makers(request),
        form=form,
        **context,
    )


@post("/admin/stock/purchases/bulk")
async def act_on_many(request: AnyRequest) -> Response[Any]:
    """Call the picked drafts off. What is ordered is for its own page: others count on what is to come."""
    require(request, PURCHASE)
    form, _ = await read_form(request), words(request)
    back = local_path(form.text("next"), "/admin/stock/purchases")
    if form.get("act") != "cancel":
        return go(request, back, _("Please say what is to be done with them."), kind="danger")

    async def act(tx: Tx, purchase: UUID) -> str | None:
        before = await purchases_store.lock(tx, purchase)
        after = await purchase_drafts.call_off(tx, purchase)
        return None if after.version == before.version else "-"

    async def named(reader: Reader, purchase: UUID) -> str:
        return _("Purchase %(number)s") % {"number": (await purchases_store.get(reader, purchase)).number}

    return await bulk.run(request, bulk.picked(form), act, named=named, back=back, undo="purchases.drafts")


@undoable("purchases.drafts")
async def _undo_many(tx: Tx, arguments: dict[str, Any]) -> str:
    for purchase, _before in bulk.rows_before(arguments):
        await purchase_drafts.restore(tx, purchase)
    return str(arguments["back"])


@post("/admin/stock/suppliers")
async def create_supplier(request: AnyRequest) -> Response[Any]:
    """Make somebody to buy from."""
    require(request, PURCHASE)
    form, _ = await read_form(request), words(request)
    try:
        made = await change(request, lambda tx: suppliers.create(tx, form.into(SupplierInput)))
    except Problem as problem:
        return await _list_page(request, form.failed(problem))
    text = _("You can buy from %(name)s now.") % {"name": made.name}
    return go(request, f"/admin/stock/purchases/new?supplier={made.code}", text)


@get("/admin/stock/purchases/new")
async def show_new_purchase(request: AnyRequest) -> Response[Any]:
    """The form of a purchase order."""
    require(request, PURCHASE)
    given = {name: request.query_params.get(name) for name in ("supplier", "location", "lines")}
    return await _new_page(request, Form.of(**given))


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    context = await frame(request, "purchases")
    return await admin_page(
        request,
        "admin/stock_purchases_new.html",
        status_code=form.status,
        makers=await _makers(request),
        form=form,
        **context,
    )


@post("/admin/stock/purchases/new")
async def draft(request: AnyRequest) -> Response[Any]:
    """Write a purchase order down."""
    require(request, PURCHASE)
    form, _ = await read_form(request), words(request)
    try:
        supplier, place = await _chosen_supplier(request, form), await chosen_place(request, form)

        async def work(tx: Tx) -> UUID:
            lines = await typed_wanted(tx, form, place)
            texts = {"reference": form.text("reference") or "", "note": form.text("note") or ""}
            return (await purchases.draft(tx, supplier, place.id, lines, **texts)).id

        made = await change(request, work)
    except Problem as problem:
        return await _new_page(request, form.failed(problem))
    return go(
        request, f"/admin/stock/purchases/{made}", _("The draft is written. Order it when it is right.")
    )


@get("/admin/stock/purchases/{purchase_id:uuid}")
async def show_purchase(request: AnyRequest, purchase_id: FromPath[UUID]) -> Response[Any]:
    """A purchase order: what was ordered, what has come, what is to come when."""
    require(request, ADJUST)
    return await _purchase_page(request, purchase_id, Form())


async def _purchase_page(request: AnyRequest, purchase_id: UUID, form: Form) -> Response[Any]:
    database, actor = database_of(request), actor_of(request)
    found = await purchases_store.get(database, purchase_id)
    context = await frame(request, "purchases")
    return await admin_page(
        request,
        "admin/stock_purchase.html",
        status_code=form.status,
        headers=camera_headers(),
        purchase=found,
        supplier=await purchases_store.supplier(database, found.supplier),
        place=await stock.location(database, found.location),
        known=await catalog.by_ids(database, [line.variant for line in found.lines]),
        receipts=await purchases_store.receipts(database, purchase_id),
        delivery=form.get("receipt") or new_id(),
        is_open=found.status in OPEN,
        can_go_back=any(line.received for line in found.lines),
        is_draft=found.status is PurchaseStatus.DRAFT,
        may_buy=actor.may(PURCHASE, found.location),
        may_receive=actor.may(ADJUST, found.location),
        form=form,
        **context,
    )


@post("/admin/stock/purchases/{purchase_id:uuid}/{act:str}")
async def act_on_purchase(
    request: AnyRequest, purchase_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Order it, book what came, or call it off."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    acts: dict[str, tuple[Callable[[Tx], Awaitable[Any]], str]] = {
        "order": (
            lambda tx: purchases.order(tx, purchase_id, version=form.version()),
            _("Ordered. Its goods are expected now."),
        ),
        "cancel": (lambda tx: purchases.cancel(tx, purchase_id), _("Called off. Nothing more is expected.")),
        "receive": (lambda tx: _receive(tx, purchase_id, form), _("Booked in.")),
    }
    if act not in acts:
        raise NotFound("There is no such act.")
    work, said = acts[act]
    try:
        await change(request, work)
    except Problem as problem:
        return await _purchase_page(request, purchase_id, form.failed(problem))
    return go(request, f"/admin/stock/purchases/{purchase_id}", said)


async def _receive(tx: Tx, purchase_id: UUID, form: Form) -> None:
    """What was scanned, or without a line all that is still to come. The form knows its delivery: sent twice is once."""
    place = await stock.location(tx, (await purchases_store.get(tx, purchase_id)).location)
    came = await typed_goods(tx, form, place) if form.text("lines") else None
    try:
        receipt = UUID(form.get("receipt"))
    except ValueError:
        raise NotFound("There is no such delivery.") from None
    await purchases.receive(
        tx,
        purchase_id,
        came.lines if came else None,
        receipt=receipt,
        note=(form.text("note") or "")[:500],
        lots=came.lots if came else (),
        costs=await typed_costs(tx, form, place),
        version=form.version(),
    )


# -- what is to be bought again -------------------------------------------------------------------------------------------


@get("/admin/stock/reorder")
async def list_reorder(request: AnyRequest) -> Response[Any]:
    """What runs low, and who brings it."""
    require(request, READ)
    return await _reorder_page(request, Form.of(supplier=request.query_params.get("supplier")))


async def _reorder_page(request: AnyRequest, form: Form) -> Response[Any]:
    database = database_of(request)
    codes = await own_codes(actor_of(request), database, request.query_params.get("location"))
    found = await shown(request, database, REORDER, fixed={"location": codes})
    makers = await _makers(request)
    context = await frame(request, "reorder")
    return await admin_page(
        request,
        "admin/stock_reorder.html",
        status_code=form.status,
        list=found,
        makers=makers,
        maker_names=dict(makers),
        form=form,
        **context,
    )


@get("/admin/stock/running-out")
async def list_running_out(request: AnyRequest) -> Response[Any]:
    """What sells, and for how long what is there lasts at that pace."""
    require(request, READ)
    database, _ = database_of(request), words(request)
    codes = await own_codes(actor_of(request), database, request.query_params.get("location"))
    found = await shown(request, database, RUNNING_OUT, fixed={"location": codes})
    weeks = [(str(days), _("Lasts at most %(days)s days") % {"days": days}) for days in (0, 3, 7, 14, 28)]
    context = await frame(request, "running-out")
    return await admin_page(request, "admin/stock_running_out.html", list=found, weeks=weeks, **context)


@post("/admin/stock/reorder")
async def propose(request: AnyRequest) -> Response[Any]:
    """Draft a purchase order of what runs low."""
    require(request, PURCHASE)
    form, _ = await read_form(request), words(request)
    try:
        supplier, place = await _chosen_supplier(request, form), await chosen_place(request, form)
        made = await change(request, lambda tx: reorder.propose(tx, supplier, place.id))
    except Problem as problem:
        return await _reorder_page(request, form.failed(problem))
    return go(
        request, f"/admin/stock/purchases/{made.id}", _("The draft is written. Order it when it is right.")
    )


HANDLERS = [
    list_purchases,
    act_on_many,
    create_supplier,
    show_new_purchase,
    draft,
    show_purchase,
    act_on_purchase,
    list_reorder,
    list_running_out,
    propose,
]
