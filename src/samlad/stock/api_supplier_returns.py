"""HTTP of returns to suppliers."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.kernel.database import Tx
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
from samlad.stock import purchases_store, supplier_returns, supplier_returns_store
from samlad.stock.inputs import place_of, variants_of
from samlad.stock.lot_lines import named
from samlad.stock.lots import resolve
from samlad.stock.permissions import PURCHASE
from samlad.stock.purchase_model import Supplier
from samlad.stock.supplier_return_model import (
    ReturnedLine,
    SupplierCreditInput,
    SupplierReturn,
    SupplierReturnClose,
    SupplierReturnInput,
)
from samlad.stock.supplier_returns_store import SUPPLIER_RETURNS, SupplierReturnRow


@get("/stock/supplier-returns", summary="List returns to suppliers")
async def list_supplier_returns(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    supplier: Wanted = None,
    reason: Wanted = None,
    purchase: Wanted = None,
    return_status: Annotated[
        str | None,
        QueryParameter(name="status", max_length=90, description="`sent`, `credited` or `closed`"),
    ] = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[SupplierReturnRow]]:
    """What went back to whom, what is expected for it and what was credited; newest first."""
    actor_of(request).require(PURCHASE)
    filters = {
        "q": q,
        "location": location,
        "supplier": supplier,
        "reason": reason,
        "purchase": purchase,
        "status": return_status,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await SUPPLIER_RETURNS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="supplier-returns"
    )


@get("/stock/supplier-returns/{return_id:uuid}", summary="Read a return to a supplier")
async def read_supplier_return(request: AnyRequest, return_id: FromPath[UUID]) -> Response[SupplierReturn]:
    """A return with its lines and credits, and its version as ETag."""
    actor_of(request).require(PURCHASE)
    found = await supplier_returns_store.get(database_of(request), return_id)
    return with_etag(found, found.version)


async def sent(tx: Tx, data: SupplierReturnInput) -> SupplierReturn:
    """Send back what somebody wrote down; supplier and location are the purchase order's where they are left out.

    Raises:
        InvalidInput: neither a purchase order nor both of them, or something unknown; as `samlad.stock.supplier_returns.send`.
    """
    supplier, place = await _whom_and_where(tx, data)
    variants = await variants_of(tx, place, data.lines)
    lots = await resolve(
        tx,
        named(variants, data.lines, [line.quantity for line in data.lines]),
        may_be_new=False,
        is_needed=False,
    )
    lines = [
        ReturnedLine(variant, line.quantity, lot, line.unit_cost_e4)
        for variant, lot, line in zip(variants, lots, data.lines, strict=True)
    ]
    return await supplier_returns.send(
        tx,
        supplier,
        place,
        lines,
        reason=data.reason,
        purchase=data.purchase,
        expected=data.expected,
        reference=data.reference,
        note=data.note,
        return_id=data.id,
    )


async def _whom_and_where(tx: Tx, data: SupplierReturnInput) -> tuple[Supplier, UUID]:
    came = None
    if data.purchase is not None:
        try:
            came = await purchases_store.get(tx, data.purchase)
        except NotFound as error:
            raise InvalidInput.at("purchase", error.detail) from None
    if data.supplier is not None:
        try:
            supplier = await purchases_store.supplier_by_code(tx, data.supplier)
        except NotFound as error:
            raise InvalidInput.at("supplier", error.detail) from None
    elif came is not None:
        supplier = await purchases_store.supplier(tx, came.supplier)
    else:
        raise InvalidInput.at("supplier", "say to which supplier")
    if data.location is not None:
        return supplier, await place_of(tx, data.location)
    if came is None:
        raise InvalidInput.at("location", "say from which location")
    return supplier, came.location


@post("/stock/supplier-returns", status_code=201, summary="Send goods back to a supplier")
async def send_supplier_return(
    request: AnyRequest, data: JSONBody[SupplierReturnInput]
) -> Response[SupplierReturn]:
    """The goods leave stock at what they came in with, and a credit is expected for them."""
    actor_of(request).require(PURCHASE)
    return await write(request, lambda tx: sent(tx, data), status=201)


@post("/stock/supplier-returns/{return_id:uuid}/credits", status_code=200, summary="Book a supplier's credit")
async def credit_supplier_return(
    request: AnyRequest, return_id: FromPath[UUID], data: JSONBody[SupplierCreditInput]
) -> Response[SupplierReturn]:
    """A credit note came, for all of it or a part. Send an ``id`` so that it counts once."""
    actor_of(request).require(PURCHASE)
    version = if_match(request)
    return await write(request, lambda tx: supplier_returns.credit(tx, return_id, data, version=version))


@post("/stock/supplier-returns/{return_id:uuid}/close", status_code=200, summary="Expect no more credit")
async def close_supplier_return(
    request: AnyRequest, return_id: FromPath[UUID], data: JSONBody[SupplierReturnClose]
) -> Response[SupplierReturn]:
    """What was expected and did not come is a loss."""
    actor_of(request).require(PURCHASE)
    version = if_match(request)
    return await write(request, lambda tx: supplier_returns.close(tx, return_id, data.note, version=version))


SUPPLIER_RETURNING = [
    list_supplier_returns,
    read_supplier_return,
    send_supplier_return,
    credit_supplier_return,
    close_supplier_return,
]
