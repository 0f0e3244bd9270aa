"""HTTP of alerts."""

from uuid import UUID

from litestar import Response, Router, delete, get, post
from litestar.params import FromPath, JSONBody

from samlad.alerts import service
from samlad.alerts.model import AlertInput, StockAlert
from samlad.alerts.permissions import READ
from samlad.alerts.store import ALERTS
from samlad.channels import Resource
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
from samlad.stock import reach


@post("/stock-alerts", status_code=204, summary="Ask to be told when something is there again")
async def ask(request: AnyRequest, data: JSONBody[AlertInput]) -> Response[None]:
    """Once, by the event ``stock_alert.due``. Open to everybody; asked twice it is kept once."""
    return await write(request, lambda tx: service.ask(tx, data), status=204)


@get("/stock-alerts", summary="List who waits for what")
async def list_alerts(
    request: AnyRequest,
    variant: Wanted = None,
    channel: Wanted = None,
    waiting: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[StockAlert]]:
    """The latest first. ``waiting=true``: those that were not told yet; ``channel`` are ids."""
    actor_of(request).require(READ)
    pools = await reach.pool_filter(database_of(request), actor_of(request), Resource.CUSTOMERS)
    filters = {"variant": variant, "channel": channel, "pool": pools, "waiting": waiting}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await ALERTS.answer(database_of(request), query, as_csv=as_format == "csv", name="stock-alerts")


@delete("/stock-alerts/{alert_id:uuid}", status_code=204, summary="Do not wait any more")
async def end(request: AnyRequest, alert_id: FromPath[UUID]) -> Response[None]:
    """The customer who asked, or staff. Again is no error."""
    return await write(request, lambda tx: service.end(tx, alert_id), status=204)


routes = [Router(path="/api", tags=["Alerts"], route_handlers=[ask, list_alerts, end])]
