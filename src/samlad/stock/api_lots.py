"""HTTP of lots: what is where and until when it is good, dates, and recalls."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, patch, post
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
from samlad.stock import lots, lots_lists, lots_store
from samlad.stock.inputs import LotUnitsInput, place_of, variants_of
from samlad.stock.lot_lines import named
from samlad.stock.lots_model import Lot, LotChange, Recall, RecallInput
from samlad.stock.model import Moved
from samlad.stock.permissions import ADJUST, READ


@get("/stock/lots", summary="List lots")
async def list_lots(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    variant: Wanted = None,
    sku: Wanted = None,
    lot: Wanted = None,
    code: Wanted = None,
    lot_state: Annotated[
        str | None,
        QueryParameter(
            name="state", max_length=60, description="`for_sale`, `expiring`, `expired`, `blocked`"
        ),
    ] = None,
    within_days: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[lots_lists.LotRow]]:
    """Units of each lot at each location, what expires first at the top. ``location`` filters by code.

    ``within_days``: good for so many days at most, counted by each location's own today.
    """
    actor_of(request).require(READ)
    filters = {
        "location": location,
        "variant": variant,
        "sku": sku,
        "lot": lot,
        "code": code,
        "state": lot_state,
        "within_days": within_days,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await lots_lists.LOTS.answer(database_of(request), query, as_csv=as_format == "csv", name="lots")


@get("/stock/lots/{lot_id:uuid}", summary="Read a lot")
async def read_lot(request: AnyRequest, lot_id: FromPath[UUID]) -> Response[Lot]:
    """A lot, with its version as ETag."""
    actor_of(request).require(READ)
    lot = await lots_store.get(database_of(request), lot_id)
    return with_etag(lot, lot.version)


@patch("/stock/lots/{lot_id:uuid}", summary="Change the date of a lot")
async def change_lot(request: AnyRequest, lot_id: FromPath[UUID], data: JSONBody[LotChange]) -> Response[Lot]:
    """It is good until another day; what may be sold changes with it. Send ``If-Match`` so that nobody's change is lost."""
    version = if_match(request)
    return await write(request, lambda tx: lots.change_date(tx, lot_id, data.expires_on, version=version))


@post("/stock/lots/names", status_code=201, summary="Say which lot units are")
async def name_units(request: AnyRequest, data: JSONBody[LotUnitsInput]) -> Response[list[Moved]]:
    """Of units that were there before their product was kept by lot: nothing comes or goes, the ledger names them."""
    actor_of(request).require(ADJUST)

    async def work(tx: Tx) -> list[Moved]:
        place = await place_of(tx, data.location)
        variants = await variants_of(tx, place, data.lines)
        lines = named(variants, data.lines, [line.quantity for line in data.lines])
        return await lots.name_units(tx, place, lines)

    return await write(request, work, status=201)


@get("/stock/recalls", summary="List recalls")
async def list_recalls(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    lot: Wanted = None,
    sku: Wanted = None,
    code: Wanted = None,
    q: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[Recall]]:
    """Lots that are or were blocked, newest first."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"q": q, "lot": lot, "sku": sku, "code": code}
    )
    return await lots_lists.RECALLS.answer(
        database_of(request), query, as_csv=as_format == "csv", name="recalls"
    )


@post("/stock/recalls", status_code=201, summary="Recall a lot")
async def recall_lot(request: AnyRequest, data: JSONBody[RecallInput]) -> Response[Recall]:
    """Block a lot at every location: it is not sold and not picked, also where more of it comes in. Twice is once.

    Who got it: ``GET /api/stock/recalls/{id}/orders``.
    """
    return await write(request, lambda tx: lots.recall(tx, data), status=201)


@post("/stock/recalls/{recall_id:uuid}/end", status_code=200, summary="End a recall")
async def end_recall(request: AnyRequest, recall_id: FromPath[UUID]) -> Response[Recall]:
    """The lot may be sold again, as far as its date allows."""
    return await write(request, lambda tx: lots.end_recall(tx, recall_id))


LOTS = [
    list_lots,
    read_lot,
    change_lot,
    name_units,
    list_recalls,
    recall_lot,
    end_recall,
]
