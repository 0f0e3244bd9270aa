"""What goes back of an imported order may be paid out of a drawer: once, with permission and a reason, and it is booked."""

import asyncio
from uuid import UUID

import msgspec
import pytest
from bookkeeping import settled
from test_tills import clerk, closed, opened

from samlad import books, orders
from samlad.books import CashRefundInput, ShiftView, TillState
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound
from samlad.orders import LineSelection, ReturnInput, imports
from samlad.orders.import_model import OrderInput
from samlad.payments import manual
from trade import Trade


async def brought_back(trade: Trade, amount: int = 10_033) -> tuple[UUID, UUID]:
    """An imported order whose goods came back in Malmö: the order and the refund that waits."""
    line = {"sku": "OLD", "title": "Kettle", "quantity": 1, "unit_price": "100.33", "total_minor": amount}
    given = {
        "number": f"OLD-{new_id()}",
        "placed_at": now().isoformat(),
        "country": "SE",
        "currency": "SEK",
        "total_minor": amount,
        "lines": [line],
    }
    await imports.run(trade.db, trade.web, [msgspec.convert(given, OrderInput)])
    order = await trade.db.value(
        "SELECT id FROM orders WHERE imported IS NOT NULL AND kind = 'sale' ORDER BY id DESC LIMIT 1"
    )
    back = ReturnInput(lines=[LineSelection(position=1, quantity=1)], location=trade.at_malmo.id)
    await trade.db.transaction(lambda tx: orders.take_back(tx, order, back))
    [refund] = (await orders.read(trade.db, order)).refunds
    return order, refund.id


async def pay_out(trade: Trade, shift: ShiftView, refund: UUID, who: Context | None = None) -> ShiftView:
    data = CashRefundInput(refund=refund, reason="The card is gone")
    return await trade.db.transaction(
        lambda tx: books.refund_cash(tx, shift.shift.id, data), who or Context()
    )


async def test_it_goes_out_of_the_drawer_once_in_coins(trade: Trade) -> None:
    order, refund = await brought_back(trade)
    shift = await opened(trade, 50_000)
    with pytest.raises(Forbidden):
        await pay_out(trade, shift, refund, _without_permission(trade))
    await asyncio.gather(*(pay_out(trade, shift, refund) for _ in range(2)))
    view = await pay_out(trade, shift, refund)
    assert [(one.reason, one.amount, one.note) for one in view.movements] == [
        ("refund", -10_000, "The card is gone")
    ]
    assert [each.status for each in (await orders.read(trade.db, order)).refunds] == ["done"]
    found = await settled(trade)
    assert found["cash:malmo"] == 40_000
    assert found["rounding"] == -33
    assert "clearing:history" not in found
    ended = await closed(trade, shift, 40_000)
    assert ended.difference == 0
    await trade.agree()


async def test_what_cannot_be_paid_so_is_refused(trade: Trade) -> None:
    shift = await opened(trade, 50_000)
    with pytest.raises(NotFound):
        await pay_out(trade, shift, new_id())
    _order, refund = await brought_back(trade)
    await trade.db.transaction(lambda tx: manual.refunded(tx, refund))
    with pytest.raises(Conflict):
        await pay_out(trade, shift, refund)
    sold = await trade.buy((await trade.kettle(), 1))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, sold.id, orders.FulfilInput()))
    await trade.db.transaction(lambda tx: orders.take_back(tx, sold.id, ReturnInput()))
    [own] = (await orders.read(trade.db, sold.id)).refunds
    with pytest.raises(InvalidInput):
        await pay_out(trade, shift, own.id)
    await closed(trade, shift, 50_000)
    with pytest.raises(TillState):
        await pay_out(trade, shift, own.id)


def _without_permission(trade: Trade) -> Context:
    who = clerk(trade, "Alva").actor
    return Context(actor=msgspec.structs.replace(who, permissions=who.permissions - {"books.till_refund"}))
