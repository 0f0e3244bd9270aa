"""HTTP of goods that are put aside."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
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
    Wanted,
)
from samlad.stock import quarantine, quarantine_store
from samlad.stock.permissions import ADJUST, READ
from samlad.stock.quarantine_model import Quarantine, QuarantineInput


@get("/stock/quarantine", summary="List what is put aside")
async def list_quarantine(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    variant: Wanted = None,
    sku: Wanted = None,
    lot: Wanted = None,
    reference: Wanted = None,
    order: Wanted = None,
    aside_state: Annotated[
        str | None, QueryParameter(name="state", max_length=10, description="`open` or `done`")
    ] = None,
    as_format: FileFormat = "json",
) -> Response[Page[Quarantine]]:
    """What is where, since when, why and from which return; the longest at the top. ``location`` filters by code."""
    actor_of(request).require(READ)
    filters = {
        "location": location,
        "variant": variant,
        "sku": sku,
        "lot": lot,
        "reference": reference,
        "order": order,
        "state": aside_state,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await quarantine_store.QUARANTINE.answer(
        database_of(request), query, as_csv=as_format == "csv", name="quarantine"
    )


@get("/stock/quarantine/{quarantine_id:uuid}", summary="Read what is put aside")
async def read_quarantine(request: AnyRequest, quarantine_id: FromPath[UUID]) -> Response[Quarantine]:
    """Goods that were put aside, with their version as ETag."""
    actor_of(request).require(READ)
    found = await quarantine_store.get(database_of(request), quarantine_id)
    return with_etag(found, found.version)


@post("/stock/quarantine/{quarantine_id:uuid}/verdict", status_code=200, summary="Decide about it")
async def judge_quarantine(
    request: AnyRequest, quarantine_id: FromPath[UUID], data: JSONBody[QuarantineInput]
) -> Response[Quarantine]:
    """Back for sale, written off, or back to the supplier: all that is left, or a part of it."""
    actor_of(request).require(ADJUST)
    version = if_match(request)
    return await write(request, lambda tx: quarantine.judge(tx, quarantine_id, data, version=version))


QUARANTINING = [list_quarantine, read_quarantine, judge_quarantine]
