"""Short ways to change orders in tests."""

from typing import Any

import msgspec

from samlad import orders
from samlad.kernel.context import BACKGROUND, Actor, Context
from samlad.kernel.ids import new_id
from samlad.orders import Changed, ChangeInput, Order
from samlad.orders.change_model import Preview
from trade import Trade

CLERK_MAY = frozenset({"orders.change", "orders.place", "orders.read", "carts.write", "carts.read"})


def clerk(*places: Any, manager: bool = False) -> Context:
    """Somebody who sells at these places, or everywhere."""
    permissions = CLERK_MAY | ({"orders.override"} if manager else set())
    at = frozenset(place.id for place in places) or None
    return Context(actor=Actor(kind="staff", id=new_id(), permissions=permissions, locations=at))


def change(*actions: dict[str, Any], **fields: Any) -> ChangeInput:
    return msgspec.convert({"actions": list(actions), **msgspec.to_builtins(fields)}, ChangeInput)


async def preview(
    trade: Trade, order: Order, *actions: dict[str, Any], who: Context = BACKGROUND, **fields: Any
) -> Preview:
    return await orders.preview_change(trade.db, who.actor, order.id, change(*actions, **fields))


async def make(
    trade: Trade, order: Order, *actions: dict[str, Any], who: Context = BACKGROUND, **fields: Any
) -> Changed:
    """Preview and apply; what was said is what was done."""
    version = fields.pop("version", None)
    data = change(*actions, **fields)
    said = await orders.preview_change(trade.db, who.actor, order.id, data)
    agreed = msgspec.structs.replace(data, fingerprint=said.fingerprint)
    done = await trade.db.transaction(
        lambda tx: orders.apply_change(tx, order.id, agreed, version=version), who
    )
    assert msgspec.structs.replace(done.preview, notices=[]) == msgspec.structs.replace(said, notices=[])
    return done


async def sold(trade: Trade, *lines: Any, **fields: Any) -> Order:
    """An order whose goods are with the customer."""
    order = await trade.buy(*lines, **fields)
    if order.status != "fulfilled":
        order = await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    return order


def back(position: int, quantity: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "return", "position": position, "quantity": quantity, **fields}
