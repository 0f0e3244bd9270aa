"""All that a page about one order shows."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad import payments
from samlad.kernel import log
from samlad.kernel.database import Reader
from samlad.kernel.problems import NotFound
from samlad.orders import change_store, rules, store
from samlad.orders.expected import WaitsFor, waits_for
from samlad.orders.model import Order, OrderHead


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an order: the event's type, when, who did it, and what it said."""

    type: str
    at: datetime
    actor: str
    payload: dict[str, Any]


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """An order with lines and payments, what came back of it, and its history, oldest first. ``waits``: goods that are not there
    yet, and when they are expected."""

    order: Order
    returns: list[OrderHead]
    history: list[HistoryEntry]
    waits: list[WaitsFor] = []


async def read(reader: Reader, order_id: UUID) -> Order:
    """An order with lines, payments and refunds. Three or four statements.

    Raises:
        NotFound: there is none.
    """
    order = await store.read(reader, order_id)
    if order is None:
        raise NotFound("There is no such order.")
    return msgspec.structs.replace(
        rules.as_told(order),
        payments=await payments.of_order(reader, order_id),
        # One that failed is in no sum.
        refunds=await payments.refunds_of(reader, order_id) if order.paid else [],
    )


async def given_back(reader: Reader, returned: OrderHead) -> dict[str, int]:
    """What went back for an order of kind return, minor units by provider (``store_credit``: as store credit); nothing for
    other orders. One statement.
    """
    if returned.returns is None:
        return {}
    made = await change_store.by_return(reader, returned.returns, returned.id)
    if made is None:
        return {}
    parts: dict[str, int] = {}
    for part in made.preview.refunds:
        parts[part.provider] = parts.get(part.provider, 0) + part.amount
    if made.credited:
        parts["store_credit"] = parts.get("store_credit", 0) + made.credited
    return parts


async def page(reader: Reader, order_id: UUID) -> OrderPage:
    """All about one order. Six or seven statements.

    Raises:
        NotFound: there is none.
    """
    order = await read(reader, order_id)
    events = await log.of_subject(reader, order_id)
    return OrderPage(
        order=order,
        returns=await store.returns_of(reader, order_id),
        history=[
            HistoryEntry(type=e.type, at=e.occurred_at, actor=e.actor, payload=e.payload) for e in events
        ],
        waits=await waits_for(reader, order),
    )
