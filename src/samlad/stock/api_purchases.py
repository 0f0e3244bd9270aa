"""HTTP of buying: suppliers and purchase orders."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET

from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    Wanted,
)
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.stock import purchases, purchases_store, reorder, suppliers
from samlad.stock.inputs import place_of, variants_of
from samlad.stock.lot_lines import goods_of
from samlad.stock.pace import MOST_DAYS, RUNNING_OUT, PaceRow
from samlad.stock.permissions import ADJUST, PURCHASE, READ
from samlad.stock.purchase_lists import PURCHASES, SUPPLIERS, PurchaseRow, SupplierRow
from samlad.stock.purchase_model import (
    DeliveryInput,
    ProposalInput,
    Purchase,
    PurchaseChange,
    PurchaseInput,
    PurchaseReceipt,
    ScheduleInput,
    Supplier,
    SupplierChange,
    SupplierInput,
    WantedLine,
    WantedLineInput,
)
from samlad.stock.reorder import REORDER, ReorderRow


@get("/suppliers", summary="List suppliers")
async def list_suppliers(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    code: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[SupplierRow]]:
    """Who goods are bought from."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"code": code})
    return await SUPPLIERS.answer(database_of(request), query, as_csv=as_format == "csv", name="suppliers")


@post("/suppliers", status_code=201, summary="Make a supplier")
async def create_supplier(request: AnyRequest, data: JSONBody[SupplierInput]) -> Response[Supplier]:
    """Make somebody to buy from."""
    return await write(request, lambda tx: suppliers.create(tx, data), status=201)


@patch("/suppliers/{supplier_id:uuid}", summary="Change a supplier")
async def change_supplier(
    request: AnyRequest, supplier_id: FromPath[UUID], data: JSONBody[SupplierChange]
) -> Response[Supplier]:
    """Change what is given. Send ``If-Match`` so that nobody's change is lost."""
    version = if_match(request)
    return await write(request, lambda tx: suppliers.change(tx, supplier_id, data, version=version))


@get("/stock/purchases", summary="List purchase orders")
async def list_purchases(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    supplier: Wanted = None,
    purchase_status: Annotated[str | None, QueryParameter(name="status", max_length=90)] = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[PurchaseRow]]:
    """Purchase orders, newest first. ``location`` and ``supplier`` filter by code."""
    actor_of(request).require(PURCHASE)
    filters = {"q": q, "location": location, "supplier": supplier, "status": purchase_status}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await PURCHASES.answer(database_of(request), query, as_csv=as_format == "csv", name="purchases")


@get("/stock/purchases/{purchase_id:uuid}", summary="Read a purchase order")
async def read_purchase(request: AnyRequest, purchase_id: FromPath[UUID]) -> Response[Purchase]:
    """A purchase order with its lines."""
    actor_of(request).require(PURCHASE)
    purchase = await purchases_store.get(database_of(request), purchase_id)
    return with_etag(purchase, purchase.version)


@get("/stock/purchases/{purchase_id:uuid}/receipts", summary="What came of a purchase order")
async def list_purchase_receipts(request: AnyRequest, purchase_id: FromPath[UUID]) -> list[PurchaseReceipt]:
    """The deliveries that were booked, the oldest first. Their ids are the ``reference`` of movements."""
    actor_of(request).require(PURCHASE)
    database = database_of(request)
    await purchases_store.get(database, purchase_id)
    return await purchases_store.receipts(database, purchase_id)


async def _supplier(reader: Reader, code: str) -> Supplier:
    try:
        return await purchases_store.supplier_by_code(reader, code)
    except NotFound as error:
        raise InvalidInput.at("supplier", error.detail) from None


async def _lines(reader: Reader, location: UUID, lines: list[WantedLineInput]) -> list[WantedLine]:
    variants = await variants_of(reader, location, lines)
    return [
        WantedLine(variant, line.quantity, line.unit_cost_e4, line.expected_on)
        for variant, line in zip(variants, lines, strict=True)
    ]


@post("/stock/purchases", status_code=201, summary="Draft a purchase order")
async def draft_purchase(request: AnyRequest, data: JSONBody[PurchaseInput]) -> Response[Purchase]:
    """Write down what is to be ordered. Nothing is expected until it is ordered."""
    actor_of(request).require(PURCHASE)

    async def work(tx: Tx) -> Purchase:
        supplier = await _supplier(tx, data.supplier)
        place = await place_of(tx, data.location)
        lines = await _lines(tx, place, data.lines)
        return await purchases.draft(tx, supplier, place, lines, reference=data.reference, note=data.note)

    return await write(request, work, status=201)


@get("/stock/reorder", summary="List what is to be bought again")
async def list_reorder(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    supplier: Wanted = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[ReorderRow]]:
    """Levels at or below their reorder point, expected units counted. Filters by code."""
    actor_of(request).require(READ)
    filters = {"q": q, "location": location, "supplier": supplier}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await REORDER.answer(database_of(request), query, as_csv=as_format == "csv", name="reorder")


@get("/stock/running-out", summary="List what sells by how long it lasts")
async def list_running_out(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    q: Wanted = None,
    days: Annotated[
        int | None, QueryParameter(ge=0, le=MOST_DAYS, description="What lasts at most so many days")
    ] = None,
    as_format: FileFormat = "json",
) -> Response[Page[PaceRow]]:
    """Levels that sold in the last 28 days, with the days that what is free lasts at that pace. Summed up every hour.

    ``location`` takes codes; ``q`` is the beginning of an SKU or a part of a title; sort by runs_out_on, sku or sold.
    """
    actor_of(request).require(READ)
    filters = {"location": location, "q": q, "days": None if days is None else str(days)}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await RUNNING_OUT.answer(
        database_of(request), query, as_csv=as_format == "csv", name="running-out"
    )


@post("/stock/purchases/proposals", status_code=201, summary="Propose a purchase order")
async def propose_purchase(request: AnyRequest, data: JSONBody[ProposalInput]) -> Response[Purchase]:
    """Draft a purchase order of everything that is to be bought again from a supplier for a location."""
    actor_of(request).require(PURCHASE)

    async def work(tx: Tx) -> Purchase:
        supplier = await _supplier(tx, data.supplier)
        return await reorder.propose(tx, supplier, await place_of(tx, data.location))

    return await write(request, work, status=201)


@patch("/stock/purchases/{purchase_id:uuid}", summary="Change a purchase order")
async def change_purchase(
    request: AnyRequest, purchase_id: FromPath[UUID], data: JSONBody[PurchaseChange]
) -> Response[Purchase]:
    """Change what is given; lines only while it is a draft. Send ``If-Match`` so that nobody's change is lost."""
    actor_of(request).require(PURCHASE)
    version = if_match(request)

    async def work(tx: Tx) -> Purchase:
        old = await purchases_store.get(tx, purchase_id)
        lines = UNSET if data.lines is UNSET else await _lines(tx, old.location, data.lines)
        return await purchases.change(
            tx, purchase_id, reference=data.reference, note=data.note, lines=lines, version=version
        )

    return await write(request, work)


@post("/stock/purchases/{purchase_id:uuid}/order", status_code=200, summary="Order it")
async def order_purchase(request: AnyRequest, purchase_id: FromPath[UUID]) -> Response[Purchase]:
    """It was sent to the supplier: its goods are expected, on their days or after the supplier's lead time."""
    actor_of(request).require(PURCHASE)
    version = if_match(request)
    return await write(request, lambda tx: purchases.order(tx, purchase_id, version=version))


@post("/stock/purchases/{purchase_id:uuid}/schedule", status_code=200, summary="Set when it comes")
async def reschedule_purchase(
    request: AnyRequest, purchase_id: FromPath[UUID], data: JSONBody[ScheduleInput]
) -> Response[Purchase]:
    """The supplier names other days."""
    actor_of(request).require(PURCHASE)
    version = if_match(request)

    async def work(tx: Tx) -> Purchase:
        old = await purchases_store.get(tx, purchase_id)
        variants = await variants_of(tx, old.location, data.lines)
        days = [(variant, line.expected_on) for variant, line in zip(variants, data.lines, strict=True)]
        return await purchases.reschedule(tx, purchase_id, days, version=version)

    return await write(request, work)


@post(
    "/stock/purchases/{purchase_id:uuid}/receive", status_code=200, summary="Receive goods that were ordered"
)
async def receive_purchase(
    request: AnyRequest, purchase_id: FromPath[UUID], data: JSONBody[DeliveryInput]
) -> Response[Purchase]:
    """Goods came: all that were expected, or these, be they fewer or more than were ordered. `If-Match` refuses what
    somebody else has booked in meanwhile."""
    actor_of(request).require(ADJUST)
    version = if_match(request)

    async def work(tx: Tx) -> Purchase:
        old = await purchases_store.get(tx, purchase_id)
        came = None if data.lines is None else await goods_of(tx, old.location, data.lines)
        variants = await variants_of(tx, old.location, data.costs) if data.costs else []
        costs = {v: line.unit_cost_e4 for v, line in zip(variants, data.costs, strict=True)}
        return await purchases.receive(
            tx,
            purchase_id,
            came.lines if came else None,
            receipt=data.receipt,
            note=data.note,
            lots=came.lots if came else (),
            costs=costs,
            version=version,
        )

    return await write(request, work)


@post("/stock/purchases/{purchase_id:uuid}/cancel", status_code=200, summary="Cancel a purchase order")
async def cancel_purchase(request: AnyRequest, purchase_id: FromPath[UUID]) -> Response[Purchase]:
    """What has not come is not expected any more. Where it was sold already, holds are dropped."""
    actor_of(request).require(PURCHASE)
    version = if_match(request)
    return await write(request, lambda tx: purchases.cancel(tx, purchase_id, version=version))


PURCHASING = [
    list_suppliers,
    create_supplier,
    change_supplier,
    list_purchases,
    read_purchase,
    list_purchase_receipts,
    list_reorder,
    list_running_out,
    propose_purchase,
    draft_purchase,
    change_purchase,
    order_purchase,
    reschedule_purchase,
    receive_purchase,
    cancel_purchase,
]
