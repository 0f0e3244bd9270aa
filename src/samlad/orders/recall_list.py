"""Who got a lot: the orders that it went to, for a recall."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Response, Router, get
from litestar.params import FromPath

from samlad.kernel.http import AnyRequest, actor_of, database_of
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    Listing,
    ListQuery,
    Page,
    Sort,
    Sorting,
)
from samlad.orders.permissions import READ
from samlad.stock import lots_store


class RecallRow(msgspec.Struct, frozen=True):
    """An order that got units of a lot from a place, and whom to tell. ``returned`` of the ``units`` came back; who has
    brought all of them back is not in the list.

    ``left_at``: when the first of them left. Who bought at a till without a name has no customer.
    """

    order_id: UUID
    number: str
    channel: str
    location_code: str
    units: int
    returned: int
    left_at: datetime
    customer: UUID | None
    name: str | None
    email: str | None
    phone: str | None


RECALLED: Listing[RecallRow] = Listing(
    row=RecallRow,
    select="""o.id AS order_id, o.number, c.code AS channel, p.code AS location_code, m.units, m.returned, m.left_at,
              o.customer,
              coalesce(o.name, k.name) AS name, coalesce(o.email, k.email) AS email,
              coalesce(o.phone, k.phone) AS phone""",
    source="""(SELECT *, greatest(0, least(units, back - before)) AS returned
               FROM (SELECT *, (sum(units) OVER (PARTITION BY reference ORDER BY left_at, id) - units)::int AS before,
                            coalesce((SELECT sum(b.quantity) FROM movement b WHERE b.lot = $1 AND b.cause = 'return'
                                      AND (b.reference = sold.reference OR b.reference IN (
                                           SELECT r.id FROM orders r WHERE r.returns = sold.reference))), 0)::int AS back
                     FROM (SELECT reference, location, -sum(quantity)::int AS units, min(created_at) AS left_at,
                                  (array_agg(id ORDER BY seq))[1] AS id
                           FROM movement WHERE lot = $1 AND cause = 'sale' GROUP BY reference, location) sold) taken) m
              JOIN orders o ON o.id = m.reference JOIN channel c ON c.id = o.channel
              JOIN location p ON p.id = m.location LEFT JOIN customer k ON k.id = o.customer
              WHERE m.units > m.returned""",
    key="m.id",
    sorts={"left_at": Sort("m.left_at", "timestamptz"), "number": Sort("o.number")},
    default_sort="left_at",
    filters={},
)


@get("/stock/recalls/{recall_id:uuid}/orders", summary="Who got a recalled lot")
async def list_recalled(
    request: AnyRequest,
    recall_id: FromPath[UUID],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    as_format: FileFormat = "json",
) -> Response[Page[RecallRow]]:
    """The orders that got units of the lot, the first that left first, and how to reach who bought them."""
    actor_of(request).require(READ)
    database = database_of(request)
    recall = await lots_store.recall_by_id(database, recall_id)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={})
    return await RECALLED.answer(
        database, query, recall.lot, as_csv=as_format == "csv", name=f"recall-{recall.lot_code}"
    )


routes: list[Router] = [Router(path="/api", route_handlers=[list_recalled], tags=["Stock"])]
