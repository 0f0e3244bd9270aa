"""What follows from orders, which stand above: cards that they sold are charged, points are earned and taken back.

Only the types and payloads of events are known here. Every step may be told twice, or late.
"""

from typing import Any
from uuid import UUID

from samlad.credit import earning, gift_cards, loyalty_store, store
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event


async def follow(tx: Tx, event: Event) -> None:
    """Note what an event tells of an order, then bring cards and points in line with it."""
    order = event.subject
    if order is None or (event.type == "order.placed" and event.payload.get("kind") != "sale"):
        return
    if event.type == "order.changed":
        await _note_more(tx, order, event)
    elif event.type in ("order.returned", "order.part_called_off"):
        await loyalty_store.note_order(tx, order, {"is_paid": False})
        await loyalty_store.note_return(tx, UUID(event.payload["by"]), order, _goods_back(event.payload))
    else:
        await loyalty_store.note_order(tx, order, _told(event))
    if event.type in ("order.placed", "order.paid", "order.cancelled"):
        await _charge_cards(tx, order)
    if event.type == "order.paid":
        await loyalty_store.note_more_paid(tx, order, event.recorded_at)
    await earning.settle(tx, order)


async def _note_more(tx: Tx, order: UUID, event: Event) -> None:
    added = _goods(event.payload.get("added", []))
    if added > 0:
        change, is_paid = UUID(event.payload["change"]), bool(event.payload.get("is_paid"))
        await loyalty_store.note_order(tx, order, {"is_paid": False})
        await loyalty_store.note_more(tx, change, order, added, event.recorded_at, is_paid=is_paid)


def _goods(lines: list[dict[str, Any]]) -> int:
    return sum(int(line["total"]) for line in lines if line["kind"] == "item" and line["variant"] is not None)


def _goods_back(payload: dict[str, Any]) -> int:
    """What the goods were worth that came back or will not come (minor units): shipping that went back with them and fees
    that were kept are not what points were earned by."""
    lines = payload.get("lines")
    if not lines:  # an event of before lines were told
        return -int(payload["total"])
    return -_goods(lines)


def _told(event: Event) -> dict[str, Any]:
    payload = event.payload
    if event.type == "order.paid":
        return {"is_paid": True}
    if event.type == "order.cancelled":
        return {"is_cancelled": True}
    if event.type == "order.customer_linked":
        return {"customer": UUID(payload["customer"])}
    customer = payload.get("customer")
    return {
        "customer": None if customer is None else UUID(customer),
        "currency": payload["currency"],
        "goods": sum(int(line["total"]) for line in payload["lines"]),
        "is_paid": payload["payment_status"] == "paid",
    }


async def _charge_cards(tx: Tx, order: UUID) -> None:
    is_paid, is_cancelled = await store.note_order(tx, order)
    if not is_paid and not is_cancelled:
        return
    for charge in await store.charges_of(tx, order):
        if is_cancelled and charge.status != "cancelled":
            await gift_cards.cancel_charge(tx, charge)
        elif not is_cancelled and charge.status == "waiting":
            await gift_cards.book_charge(tx, charge)


FOLLOWERS = [
    Follower(
        name="credit",
        handle=follow,
        types=(
            "order.placed",
            "order.paid",
            "order.cancelled",
            "order.changed",
            "order.returned",
            "order.part_called_off",
            "order.customer_linked",
        ),
        batch=50,
    )
]
