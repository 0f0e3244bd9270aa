"""Something cheaper given for what was ordered."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from samlad import orders
from samlad.kernel.context import SYSTEM, Context
from samlad.orders import Order, fulfilment, fulfilment_store
from samlad.orders.fulfilment_model import SubstituteInput, TakeInput
from samlad.orders.fulfilment_substitute import substitute
from trade import Trade


async def substituted(trade: Trade, *, before: Callable[[UUID], Awaitable[Any]]) -> tuple[Order, str]:
    """An order of two kettles of which one is replaced by a cheaper one, after ``before`` was done with it."""
    dear, cheap = await trade.kettle(20_000), await trade.kettle(15_000)
    order = await trade.buy((dear, 2))
    await before(order.id)
    (work,) = await fulfilment_store.of_order(trade.db, order.id)
    context = Context(actor=SYSTEM)
    await trade.db.transaction(lambda tx: fulfilment.take(tx, work.id, TakeInput()), context)
    sku = await trade.db.value("SELECT sku FROM variant WHERE id = $1", cheap)
    data = SubstituteInput(position=1, quantity=1, code=sku)
    await trade.db.transaction(lambda tx: substitute(tx, work.id, data), context)
    return await orders.read(trade.db, order.id), sku
