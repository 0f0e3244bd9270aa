"""HTTP of labels."""

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from samlad.kernel.http import AnyRequest, actor_of, database_of, write
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
from samlad.labels import making, store
from samlad.labels.model import LabelRun, LabelRunInput
from samlad.labels.permissions import READ

TYPES = {"pdf": "application/pdf", "zpl": "application/octet-stream"}


@post("/label-runs", status_code=202, summary="Ask for price tags")
async def ask(request: AnyRequest, data: JSONBody[LabelRunInput]) -> Response[LabelRun]:
    """Of goods by code, category, brand, tag, or because their price changed; made in the background, up to 20,000."""
    return await write(request, lambda tx: making.ask(tx, data), status=202)


@get("/label-runs", summary="List price tags that were asked for")
async def list_runs(
    request: AnyRequest,
    channel: Wanted = None,
    states: States = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[LabelRun]]:
    """The latest first. ``channel`` are ids."""
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"channel": channel, "state": states})
    return await store.RUNS.answer(database_of(request), query, as_csv=as_format == "csv", name="label-runs")


@get(
    "/label-runs/{run_id:uuid}/file",
    summary="Read the file of price tags",
    media_type="application/pdf",
    responses={
        200: ResponseSpec(data_container=bytes, media_type="application/pdf", description="The labels")
    },
)
async def read_file(request: AnyRequest, run_id: FromPath[UUID]) -> Response[bytes]:
    """PDF, or ZPL where that was asked for. Kept for a week."""
    actor_of(request).require(READ)
    return file_answer(*await making.content(database_of(request), run_id))


def file_answer(run: LabelRun, content: bytes) -> Response[bytes]:
    """The file of a run as an answer."""
    headers = {
        "Content-Disposition": f'attachment; filename="labels-{run.asked_at:%Y%m%d-%H%M}.{run.form}"',
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=TYPES[run.form], headers=headers)


routes = [Router(path="/api", tags=["Labels"], route_handlers=[ask, list_runs, read_file])]
