"""HTTP of what stock is worth."""

from litestar import Response, get, post
from litestar.params import JSONBody

from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
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
from samlad.stock import reach, service
from samlad.stock.cost_lists import COSTS, VALUES, CostRow, ValueRow
from samlad.stock.inputs import RevaluationInput, place_of, variants_of
from samlad.stock.model import Moved
from samlad.stock.permissions import PURCHASE


@get("/stock/values", summary="List what stock is worth")
async def list_values(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    variant: Wanted = None,
    sku: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[ValueRow]]:
    """What each level is worth, and the moving average of its units, in ten-thousandths of a minor unit."""
    actor_of(request).require(PURCHASE)
    filters = {
        "location": await reach.place_filter(database_of(request), actor_of(request), location),
        "variant": variant,
        "sku": sku,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await VALUES.answer(database_of(request), query, as_csv=as_format == "csv", name="stock-values")


@get("/stock/costs", summary="List what movements were worth")
async def list_costs(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    location: Wanted = None,
    variant: Wanted = None,
    sku: Wanted = None,
    cause: Wanted = None,
    reference: Wanted = None,
    since: Wanted = None,
    until: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[CostRow]]:
    """The stock ledger with costs, newest first. ``since`` and ``until`` are ISO 8601 moments."""
    actor_of(request).require(PURCHASE)
    filters = {
        "location": await reach.place_filter(database_of(request), actor_of(request), location),
        "variant": variant,
        "sku": sku,
        "cause": cause,
        "reference": reference,
        "since": since,
        "until": until,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await COSTS.answer(database_of(request), query, as_csv=as_format == "csv", name="stock-costs")


@post("/stock/revaluations", status_code=201, summary="Say what stock costs")
async def revalue(request: AnyRequest, data: JSONBody[RevaluationInput]) -> Response[list[Moved]]:
    """Set what the units on hand cost each; the ledger keeps the difference with its reason."""
    actor_of(request).require(PURCHASE)

    async def work(tx: Tx) -> list[Moved]:
        place = await place_of(tx, data.location)
        variants = await variants_of(tx, place, data.lines)
        costs = list(zip(variants, (line.unit_cost_e4 for line in data.lines), strict=True))
        return await service.revalue(tx, place, costs, reason=data.reason)

    return await write(request, work, status=201)


COSTING = [list_values, list_costs, revalue]
