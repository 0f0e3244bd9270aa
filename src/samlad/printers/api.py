"""HTTP of printers and their queue."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    States,
    Wanted,
)
from samlad.kernel.problems import NotFound
from samlad.printers import queue, reports, service, store
from samlad.printers.model import (
    DrawerInput,
    Printer,
    PrinterChange,
    PrinterInput,
    PrintInput,
    PrintJob,
    PrintReportInput,
)
from samlad.printers.permissions import PRINT

Id = FromPath[UUID]
Elsewhere = Annotated[
    UUID | None, QueryParameter(description="Id of another printer of the same place; else the one before")
]


@get("/printers", summary="List printers")
async def list_printers(
    request: AnyRequest,
    location: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Printer]]:
    """The printers that are used, by name. ``location`` are ids."""
    actor = actor_of(request)
    actor.require(PRINT)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"location": location})
    scope = actor.bound_to
    return await store.PRINTERS.answer(
        database_of(request), query, scope, as_csv=as_format == "csv", name="printers"
    )


@post("/printers", status_code=201, summary="Add a printer")
async def add_printer(request: AnyRequest, data: JSONBody[PrinterInput]) -> Response[Printer]:
    """Its address must lie in the settings ``printer_networks`` and ``printer_ports``."""
    return await write(
        request,
        lambda tx: service.create(tx, data),
        status=201,
        headers=lambda made: {"ETag": f'"{made.version}"'},
    )


@get("/printers/{printer_id:uuid}", summary="Read a printer")
async def read_printer(request: AnyRequest, printer_id: Id) -> Response[Printer]:
    """With an ETag of its version."""
    actor = actor_of(request)
    actor.require(PRINT)
    found = await store.printer(database_of(request), printer_id)
    if found is None:
        raise NotFound("There is no such printer.")
    actor.require(PRINT, location=found.location)
    return with_etag(found, found.version)


@patch("/printers/{printer_id:uuid}", summary="Change a printer")
async def change_printer(
    request: AnyRequest, printer_id: Id, data: JSONBody[PrinterChange]
) -> Response[Printer]:
    """What is left out stays. What waits goes where it is now."""
    version = if_match(request)
    return await write(
        request,
        lambda tx: service.change(tx, printer_id, data, version=version),
        headers=lambda made: {"ETag": f'"{made.version}"'},
    )


@delete("/printers/{printer_id:uuid}", status_code=204, summary="Remove a printer")
async def remove_printer(request: AnyRequest, printer_id: Id) -> Response[None]:
    """What waits for it fails and can be printed on another. Again is no error."""
    return await write(request, lambda tx: service.remove(tx, printer_id), status=204)


@post("/printers/{printer_id:uuid}/test", status_code=202, summary="Print a test page")
async def test_printer(request: AnyRequest, printer_id: Id) -> Response[PrintJob]:
    """How wide it prints, its letters, whether it cuts."""
    return await write(request, lambda tx: queue.print_test(tx, printer_id), status=202)


@post("/printers/{printer_id:uuid}/drawer", status_code=202, summary="Open the drawer of a printer")
async def open_drawer(request: AnyRequest, printer_id: Id, data: JSONBody[DrawerInput]) -> Response[PrintJob]:
    """Without a sale, and why. It opens within 30 seconds or not at all; who opened it is on the log."""
    return await write(request, lambda tx: queue.open_drawer(tx, printer_id, data), status=202)


@post("/orders/{order_id:uuid}/prints", status_code=202, summary="Print a receipt on a printer")
async def print_receipt(request: AnyRequest, order_id: Id, data: JSONBody[PrintInput]) -> Response[PrintJob]:
    """The original once, however often it is asked for; with ``copy`` one that says so."""
    return await write(request, lambda tx: queue.print_receipt(tx, order_id, data), status=202)


@post("/tills/shifts/{shift_id:uuid}/prints", status_code=202, summary="Print the X or Z report of a drawer")
async def print_report(
    request: AnyRequest, shift_id: Id, data: JSONBody[PrintReportInput]
) -> Response[PrintJob]:
    """Of an open drawer what it has done so far, which needs `books.till_report`; of a closed one its Z report."""
    return await write(request, lambda tx: reports.print_report(tx, shift_id, data), status=202)


@get("/print-jobs", summary="List what is printed")
async def list_jobs(
    request: AnyRequest,
    location: Wanted = None,
    printer: Wanted = None,
    order: Wanted = None,
    states: States = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[PrintJob]]:
    """The latest first. ``location``, ``printer`` and ``order`` are ids."""
    actor = actor_of(request)
    actor.require(PRINT)
    filters = {"location": location, "printer": printer, "order": order, "state": states}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    scope = actor.bound_to
    return await store.JOBS.answer(
        database_of(request), query, scope, as_csv=as_format == "csv", name="print-jobs"
    )


@post("/print-jobs/{job_id:uuid}/again", status_code=202, summary="Print again what failed")
async def again(request: AnyRequest, job_id: Id, printer: Elsewhere = None) -> Response[PrintJob]:
    """Where nobody knows whether it was printed, what is printed now is a copy."""
    return await write(request, lambda tx: queue.ask_again(tx, job_id, printer), status=202)


routes = [
    Router(
        path="/api",
        tags=["Printers"],
        route_handlers=[
            list_printers,
            add_printer,
            read_printer,
            change_printer,
            remove_printer,
            test_printer,
            open_drawer,
            print_receipt,
            print_report,
            list_jobs,
            again,
        ],
    )
]
