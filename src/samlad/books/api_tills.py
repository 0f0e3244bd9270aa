"""HTTP of drawers."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from samlad.books import till_refunds, till_store, tills
from samlad.books.lists import SHIFTS, ShiftRow
from samlad.books.model import (
    CashRefundInput,
    CloseTillInput,
    OpenTillInput,
    ShiftView,
    TillMovementInput,
    TillReport,
)
from samlad.books.permissions import READ, TILL, TILL_REPORT
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.kernel.problems import NotFound


@get("/tills/shifts", summary="List shifts of drawers")
async def list_shifts(
    request: AnyRequest,
    location: Wanted = None,
    till: Wanted = None,
    status: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[ShiftRow]]:
    """Shifts, the latest first. ``location`` is its code; ``status``: open or closed."""
    actor = actor_of(request)
    actor.require(READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"location": location, "till": till, "status": status}
    )
    scope = actor.bound_to
    return await SHIFTS.answer(database_of(request), query, scope, as_csv=as_format == "csv", name="shifts")


@post("/tills/shifts", summary="Open a drawer", status_code=201)
async def open_till(request: AnyRequest, data: JSONBody[OpenTillInput]) -> Response[ShiftView]:
    """With what is in it. A drawer has at most one open shift."""
    return await write(
        request,
        lambda tx: tills.open_till(tx, data),
        status=201,
        headers=lambda made: {"ETag": f'"{made.shift.version}"'},
    )


@get("/tills/shifts/{shift_id:uuid}", summary="Read a shift")
async def read_shift(request: AnyRequest, shift_id: FromPath[UUID]) -> Response[ShiftView]:
    """What should be in the drawer is told once it was counted."""
    found = await till_store.shift(database_of(request), shift_id)
    actor = actor_of(request)
    if found is None:
        actor.require(TILL)
        raise NotFound("There is no such shift.")
    actor.require(TILL, location=found.location)
    shown = await tills.view(database_of(request), shift_id)
    return with_etag(shown, shown.shift.version)


@post("/tills/shifts/{shift_id:uuid}/join", summary="Work at an open drawer", status_code=200)
async def join_till(request: AnyRequest, shift_id: FromPath[UUID]) -> Response[ShiftView]:
    """What this person rings up at the location is in this shift from now on."""
    return await write(request, lambda tx: tills.join_till(tx, shift_id))


@post("/tills/shifts/{shift_id:uuid}/movements", summary="Put cash in or take it out", status_code=200)
async def move_cash(
    request: AnyRequest, shift_id: FromPath[UUID], data: JSONBody[TillMovementInput]
) -> Response[ShiftView]:
    """For another reason than a sale: change, petty cash, a deposit at the bank, a correction."""
    return await write(request, lambda tx: tills.move_cash(tx, shift_id, data))


@post("/tills/shifts/{shift_id:uuid}/refunds", summary="Pay a refund out of a drawer", status_code=200)
async def refund_cash(
    request: AnyRequest, shift_id: FromPath[UUID], data: JSONBody[CashRefundInput]
) -> Response[ShiftView]:
    """In cash, with a reason: what goes back of an imported order, whose way of paying nobody here knows, or a refund that its provider refused
    (all that is left of it, or ``amount``)."""
    return await write(request, lambda tx: till_refunds.refund_cash(tx, shift_id, data))


@post("/tills/shifts/{shift_id:uuid}/close", summary="Count and close a drawer", status_code=200)
async def close_till(
    request: AnyRequest, shift_id: FromPath[UUID], data: JSONBody[CloseTillInput]
) -> Response[ShiftView]:
    """Its Z report, numbered without gaps. The count comes first; what should be there is in the answer."""
    version = if_match(request)
    return await write(request, lambda tx: tills.close_till(tx, shift_id, data, version=version))


@get("/tills/shifts/{shift_id:uuid}/report", summary="Read the X or Z report")
async def read_report(request: AnyRequest, shift_id: FromPath[UUID]) -> TillReport:
    """X report: what an open drawer has done so far and should hold. Z report of one that is closed."""
    actor_of(request).require(TILL_REPORT)
    return await database_of(request).transaction(
        lambda tx: tills.x_report(tx, shift_id), context_of(request)
    )


TILLS = [list_shifts, open_till, read_shift, join_till, move_cash, refund_cash, close_till, read_report]
