"""HTTP: papers of many orders in files."""

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from samlad.documents import papers
from samlad.documents.papers_model import PaperInput, PaperRun
from samlad.documents.papers_store import RUNS
from samlad.documents.permissions import READ
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
from samlad.kernel.ids import new_id
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

Id = FromPath[UUID]


@post("/paper-runs", status_code=202, summary="Ask for papers of many orders")
async def ask(request: AnyRequest, data: JSONBody[PaperInput]) -> Response[PaperRun]:
    """Invoices, packing slips or labels of up to 10,000 orders, made in the background. Labels need `orders.change`."""
    return await write(request, lambda tx: papers.ask(tx, data), status=202)


@get("/paper-runs", summary="List papers that were asked for")
async def list_runs(
    request: AnyRequest,
    what: Wanted = None,
    states: States = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[PaperRun]]:
    """The latest first; one's own where one is bound to locations."""
    actor = actor_of(request)
    actor.require(READ)
    staff = None if actor.locations is None else str(actor.id or new_id())
    filters = {"what": what, "state": states, "staff": staff}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await RUNS.answer(database_of(request), query, as_csv=as_format == "csv", name="paper-runs")


@get("/paper-runs/{run_id:uuid}", summary="Read how far papers are")
async def read_run(request: AnyRequest, run_id: Id) -> PaperRun:
    """Of how many orders they are made, and how many have none."""
    return await papers.get(database_of(request), actor_of(request), run_id)


@post("/paper-runs/{run_id:uuid}/stop", status_code=200, summary="Make no more papers")
async def stop(request: AnyRequest, run_id: Id) -> Response[PaperRun]:
    """What is made already can be had."""
    return await write(request, lambda tx: papers.stop(tx, run_id))


@get(
    "/paper-runs/{run_id:uuid}/file",
    summary="Read papers of many orders",
    media_type="application/pdf",
    responses={
        200: ResponseSpec(data_container=bytes, media_type="application/pdf", description="A PDF, or a ZIP")
    },
)
async def read_file(request: AnyRequest, run_id: Id) -> Stream:
    """One PDF of up to 500 orders; a ZIP where there are more, or where that was asked for. Kept for three days."""
    return await file_answer(request, run_id)


async def file_answer(request: AnyRequest, run_id: UUID) -> Stream:
    """What was made of a run as an answer, piece by piece."""
    _, name, pieces = await papers.download(database_of(request), actor_of(request), run_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    media_type = "application/pdf" if name.endswith(".pdf") else "application/zip"
    return Stream(pieces, media_type=media_type, headers=headers)


routes = [Router(path="/api", tags=["Documents"], route_handlers=[ask, list_runs, read_run, stop, read_file])]
