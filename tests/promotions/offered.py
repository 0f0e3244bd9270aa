"""Short ways to make promotions in the tests' shop."""

from typing import Any
from uuid import UUID

import msgspec

from samlad import carts
from samlad.carts import CartView
from samlad.promotions import service
from samlad.promotions.model import Promotion, PromotionChange, PromotionInput
from trade import GUEST, Trade

PERCENT = {"kind": "percent", "percent": 1_000}


async def promotion(trade: Trade, effect: dict[str, Any] = PERCENT, **fields: Any) -> Promotion:
    """A promotion in the pool of the webshop; automatic unless codes are given."""
    terms = {"effect": effect} | {
        key: fields.pop(key) for key in ("goods", "minimum_amount", "minimum_quantity") if key in fields
    }
    values = {
        "channel": str(trade.web.id),
        "name": "Kettle week",
        "terms": terms,
        "is_automatic": not fields.get("codes"),
        **fields,
    }
    data = msgspec.convert(msgspec.to_builtins(values), PromotionInput)
    return await trade.db.transaction(lambda tx: service.create(tx, data))


async def change(trade: Trade, which: Promotion, **fields: Any) -> Promotion:
    data = msgspec.convert(msgspec.to_builtins(fields), PromotionChange)
    return await trade.db.transaction(lambda tx: service.change(tx, which.id, data))


async def look(trade: Trade, cart: UUID) -> CartView:
    return await carts.view(trade.db, GUEST_SYSTEM, cart)


async def code(trade: Trade, cart: UUID, text: str) -> CartView:
    return await trade.db.transaction(lambda tx: carts.add_code(tx, cart, text))


GUEST_SYSTEM = msgspec.structs.replace(GUEST.actor, kind="system")
