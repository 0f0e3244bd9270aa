"""Disputes of payments with the orders that they are about: the list, and those of one order."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Response, Router, get

from samlad.kernel.database import Reader
from samlad.kernel.http import AnyRequest, actor_of, database_of
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Filter,
    Limit,
    Listing,
    ListQuery,
    Page,
    Sort,
    Sorting,
    Wanted,
    at_start,
    texts,
    uuids,
)
from samlad.orders import seeing
from samlad.payments.dispute_model import DisputeStatus
from samlad.payments.permissions import READ


class OrderDispute(msgspec.Struct, frozen=True, kw_only=True):
    """A customer has their bank take a payment back, or (``is_inquiry``) the bank asks about it. Amounts in minor units.

    ``needs_response`` waits for an answer until ``evidence_due_at``, which is given at ``url``; ``lost`` money is gone. Without a
    ``payment`` it is about one that nobody here knows, without an ``order`` about one that pays none.
    """

    id: UUID
    provider: str
    reference: str
    payment: UUID | None
    payment_reference: str | None
    order: UUID | None
    number: str | None
    amount: int
    currency: str
    reason: str
    status: DisputeStatus
    is_inquiry: bool
    evidence_due_at: datetime | None
    url: str
    opened_at: datetime
    closed_at: datetime | None


_OWN = {"order": 'o.id AS "order"', "number": "o.number"}
_ROW = ", ".join(_OWN.get(name, f"d.{name}") for name in OrderDispute.__struct_fields__)
_FROM = "payment_dispute d LEFT JOIN payment p ON p.id = d.payment LEFT JOIN orders o ON o.id = p.order_id"

DISPUTES = Listing(
    row=OrderDispute,
    select=_ROW,
    source=_FROM,
    key="d.id",
    sorts={
        "opened_at": Sort("d.opened_at", "timestamptz"),
        "evidence_due_at": Sort("coalesce(d.evidence_due_at, 'infinity')", "timestamptz"),
        "amount": Sort("d.amount", "bigint"),
    },
    default_sort="-opened_at",
    filters={
        "status": Filter("d.status = ANY({})", texts),
        "provider": Filter("d.provider = ANY({})", texts),
        "payment": Filter("d.payment = {}", UUID),
        "order": Filter("o.id = {}", UUID),
        "q": Filter("d.reference LIKE {0} OR d.payment_reference LIKE {0} OR o.number LIKE {0}", at_start),
        "location": Filter("o.location = ANY({}::uuid[])", uuids),
    },
)


async def of_order(reader: Reader, order: UUID) -> list[OrderDispute]:
    """The disputes about payments of an order, earliest first."""
    return await reader.all(
        OrderDispute, f"SELECT {_ROW} FROM {_FROM} WHERE p.order_id = $1 ORDER BY d.opened_at, d.id", order
    )


@get("/payment-disputes", summary="List disputes of payments")
async def list_disputes(
    request: AnyRequest,
    status: Wanted = None,
    provider: Wanted = None,
    payment: Wanted = None,
    order: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[OrderDispute]]:
    """What customers dispute at their banks (chargebacks and inquiries), the latest first; ``status=needs_response`` for what waits
    for an answer; ``q`` is the beginning of an order's number or of what the provider calls it. Sort by opened_at, evidence_due_at or amount. Who is bound to locations sees those of their orders."""
    actor = actor_of(request)
    actor.require(READ)
    filters = {
        "status": status,
        "provider": provider,
        "payment": payment,
        "order": order,
        "q": q,
        "location": seeing.scope(actor),
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await DISPUTES.answer(
        database_of(request), query, as_csv=as_format == "csv", name="payment-disputes"
    )


routes = [Router(path="/api", route_handlers=[list_disputes], tags=["Payments"])]
