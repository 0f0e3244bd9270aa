"""A buyer calls an order off: until somebody begins to pack it, once, and never together with who packs it."""

import asyncio
from uuid import UUID

import pytest
from fulfilling import Desk, clerk

from samlad import orders
from samlad.kernel import log
from samlad.kernel.context import Actor, Context
from samlad.orders import FulfilInput, Order, OrderStatus, WrongState
from samlad.orders.fulfilment_model import FulfilmentState
from trade import Trade

BUYER = Context(actor=Actor(kind="guest", permissions=frozenset({orders.CHANGE})))
"""Whose order it is has been made sure of."""


async def call_off(trade: Trade, order: UUID) -> Order:
    return await trade.db.transaction(lambda tx: orders.cancel_as_buyer(tx, order), BUYER)


async def test_it_is_called_off_once_and_the_money_goes_back(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=2)
    order = await trade.buy((kettle, 2))
    assert await orders.can_cancel_as_buyer(trade.db, order)
    gone = await call_off(trade, order.id)
    assert (gone.status, gone.refunded) == (OrderStatus.CANCELLED, order.total)
    again = await call_off(trade, order.id)
    assert (again.status, again.refunded) == (OrderStatus.CANCELLED, order.total)
    assert not await orders.can_cancel_as_buyer(trade.db, again)
    told = [each for each in await log.of_subject(trade.db, order.id) if each.type == "order.cancelled"]
    assert len(told) == 1
    assert (await trade.buy((kettle, 2))).status is OrderStatus.PAID, "the goods can be sold again"
    await trade.sound()


async def test_what_is_being_packed_or_has_left_stays(trade: Trade) -> None:
    desk, kettle = Desk(trade, clerk()), await trade.kettle(quantity=9)
    packing, left = await trade.buy((kettle, 1)), await trade.buy((kettle, 1))
    carried = await trade.buy((await trade.kettle(quantity=3, at=trade.at_malmo), 1), channel=trade.malmo)
    await desk.take(await desk.only(packing))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, left.id, FulfilInput()))
    for order in (packing, left, carried):
        now = await orders.read(trade.db, order.id)
        assert not await orders.can_cancel_as_buyer(trade.db, now)
        with pytest.raises(WrongState, match="packed already"):
            await call_off(trade, order.id)
        assert (await orders.read(trade.db, order.id)).status is now.status
    await trade.sound()


async def test_who_packs_and_who_calls_off_at_once_are_never_both_right(trade: Trade) -> None:
    desk, kettle = Desk(trade, clerk()), await trade.kettle(quantity=20)
    for _ in range(6):
        order = await trade.buy((kettle, 1))
        parcel = await desk.only(order)
        taken, off = await asyncio.gather(
            desk.take(parcel), call_off(trade, order.id), return_exceptions=True
        )
        now, state = await orders.read(trade.db, order.id), (await desk.only(order)).state
        if isinstance(off, Order):
            assert isinstance(taken, WrongState)
            assert (now.status, state) == (OrderStatus.CANCELLED, FulfilmentState.CANCELLED)
        else:
            assert isinstance(off, WrongState)
            assert (now.status, state) == (OrderStatus.PAID, FulfilmentState.PICKING)
    await trade.sound()
