"""Returns that are announced first, exchanges before the goods are back, returns without a receipt."""

import asyncio

import msgspec
import pytest
from changing import back, clerk, make, sold

from samlad import credit, customers, orders, stock
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel import log
from samlad.kernel.context import BACKGROUND, Context
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.orders import Order, WrongState, return_announce, return_store, return_unknown, returns
from samlad.orders.return_model import (
    AnnounceInput,
    CameLot,
    EndInput,
    InspectInput,
    ReceiveInput,
    Request,
    SettleInput,
    UnknownInput,
)
from samlad.payments import PaymentInput
from trade import Trade


async def announce(trade: Trade, order: Order, *lines: tuple[int, int], who: Context = BACKGROUND) -> Request:
    data = {
        "order": order.id,
        "lines": [{"position": p, "quantity": q, "reason": "changed_mind"} for p, q in lines],
    }
    given = msgspec.convert(data, AnnounceInput)
    return await trade.db.transaction(lambda tx: return_announce.announce(tx, given), who)


async def receive(trade: Trade, request: Request) -> Request:
    data = ReceiveInput(location=trade.at_lund.id)
    return await trade.db.transaction(lambda tx: returns.receive(tx, request.id, data))


async def settle(trade: Trade, request: Request, **fields: object) -> orders.Changed:
    data = SettleInput(**fields)  # type: ignore[arg-type]
    return await trade.db.transaction(lambda tx: returns.settle(tx, request.id, data))


async def test_an_announced_return_comes_is_looked_at_and_settled(trade: Trade) -> None:
    kettle = await trade.kettle(10_000, quantity=5)
    order = await sold(trade, (kettle, 3))
    request = await announce(trade, order, (1, 2))
    assert (request.state, request.number[0], request.is_overdue) == ("requested", "R", False)
    with pytest.raises(InvalidInput) as caught:
        await announce(trade, order, (1, 2))
    assert caught.value.errors[0].message == "at most 1"
    with pytest.raises(WrongState):
        await settle(trade, request)
    request = await receive(trade, request)
    assert (request.state, [line.received for line in request.lines]) == ("received", [2])
    look = msgspec.convert({"lines": [{"position": 1, "quantity": 1, "condition": "new"}]}, InspectInput)
    request = await trade.db.transaction(lambda tx: returns.inspect(tx, request.id, look))
    assert request.state == "inspected"
    done = await settle(trade, request)
    assert (done.preview.refunded, done.order.lines[0].returned) == (10_000, 1)
    assert await trade.level(kettle, trade.at_lund) == (1, 0)
    with pytest.raises(WrongState):
        await settle(trade, request)
    types = [
        event.type for event in await log.of_subject(trade.db, order.id) if event.type.startswith("return.")
    ]
    assert types == ["return.requested", "return.received", "return.inspected", "return.settled"]
    await trade.follow()
    await trade.sound()


async def test_of_several_lots_somebody_says_which_came(trade: Trade) -> None:
    milk = await trade.kettle(10_000, quantity=0)
    await trade.by_lot(milk, early=1, late=2)
    order = await sold(trade, (milk, 3))
    request = await receive(trade, await announce(trade, order, (1, 2)))
    with pytest.raises(stock.LotNeeded):
        await settle(trade, request)
    lots = [CameLot(position=1, lot="late", quantity=1), CameLot(position=1, lot="early")]
    done = await settle(trade, request, lots=lots)
    assert (done.preview.refunded, done.order.lines[0].returned) == (20_000, 2)
    here = await stock.lots_here(trade.db, trade.at_lund.id, [milk])
    assert {each.code: each.on_hand for each in here} == {"early": 1, "late": 1}
    await trade.sound()


async def test_new_goods_leave_before_the_old_ones_are_back(trade: Trade) -> None:
    kettle, better = await trade.kettle(10_000), await trade.kettle(12_000)
    order = await sold(trade, (kettle, 1))
    swap = {"kind": "exchange", "position": 1, "quantity": 1, "variant": better, "instant": True}
    done = await make(trade, order, swap, pay_later=True)
    assert (done.preview.expected, done.preview.to_pay, done.preview.worth) == (10_000, 2_000, 0)
    assert done.request is not None
    assert done.placed is not None
    new = await orders.read(trade.db, done.placed)
    assert (new.is_held, new.payment_status, new.total) == (True, "unpaid", 12_000)
    with pytest.raises(InvalidInput):
        await make(trade, order, back(1, 1))  # its value is promised
    request = await trade.db.transaction(lambda tx: returns.again(tx, done.request))  # type: ignore[arg-type]
    await receive(trade, request)
    settled = await settle(trade, request)
    assert (settled.preview.transferred, settled.preview.refunded) == (10_000, 0)
    new, old = await orders.read(trade.db, new.id), await orders.read(trade.db, order.id)
    assert (new.paid, new.payment_status, old.credited, old.status) == (10_000, "unpaid", 10_000, "returned")
    rest = orders.PayInput(payments=[PaymentInput(provider="test")])
    new = await trade.db.transaction(lambda tx: orders.pay(tx, new.id, rest))
    assert (new.paid, new.payment_status) == (12_000, "paid")
    await trade.follow()
    await trade.sound()


async def test_what_does_not_come_is_overdue_once_and_stays_to_be_paid(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(10_000), 1))
    done = await make(trade, order, {"kind": "exchange", "position": 1, "quantity": 1, "instant": True})
    await trade.db.rows("UPDATE return_request SET due_on = due_on - 30 RETURNING 1")
    assert await returns.tell_overdue(trade.db) == 1
    assert await returns.tell_overdue(trade.db) == 0
    late = [event for event in await log.of_subject(trade.db, order.id) if event.type == "return.overdue"]
    assert [(event.payload["due"], event.payload["exchange"]) for event in late] == [
        (10_000, str(done.placed))
    ]
    rows = (await return_store.LISTING.page(trade.db, ListQuery(filters={"overdue": "true"}))).items
    assert [(row.order_number, row.open_amount, row.units) for row in rows] == [(order.number, 10_000, 1)]
    ended = await trade.db.transaction(lambda tx: returns.end(tx, rows[0].id, EndInput(reason="lost")))
    assert ended.state == "cancelled"
    await make(trade, order, back(1, 1))
    await trade.sound()


async def test_a_return_without_a_receipt(trade: Trade) -> None:
    kettle = await trade.kettle(10_000, quantity=0)
    await trade.set_price(kettle, 7_000)
    pool = trade.web.pools[Resource.CUSTOMERS]
    kim = await trade.db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(email="kim@example.org"))
    )
    data = msgspec.convert(
        {
            "location": trade.at_lund.id,
            "customer": kim.id,
            "override": "long known",
            "id": new_id(),
            "lines": [{"variant": kettle, "quantity": 2, "condition": "new"}],
        },
        UnknownInput,
    )
    said = await return_unknown.preview_unknown(trade.db, data)
    lowest = await trade.db.value("SELECT min(amount) FROM price_history WHERE variant = $1", kettle)
    assert said.worth == 2 * lowest
    assert [notice.code for notice in said.notices] == ["no-receipt"]
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: return_unknown.take_unknown(tx, data), clerk())
    manager = clerk(manager=True)
    order, again = await asyncio.gather(
        *(trade.db.transaction(lambda tx: return_unknown.take_unknown(tx, data), manager) for _ in range(2))
    )
    assert (order.id, order.number) == (again.id, again.number)
    assert (order.kind, order.total, order.returns) == ("return", -2 * lowest, None)
    line = order.lines[0]  # without a country it was taken off no return of taxes
    assert (line.tax_rate, line.tax_country, line.tax_treatment) == (2_500, "SE", "domestic")
    assert [one.balance for one in await credit.of_customer(trade.db, kim.id)] == [2 * lowest]
    assert await trade.level(kettle, trade.at_lund) == (2, 0)
    stranger = msgspec.structs.replace(data, id=new_id(), customer=new_id())
    with pytest.raises(NotFound):
        await trade.db.transaction(lambda tx: return_unknown.take_unknown(tx, stranger), manager)
    await trade.follow()
    await trade.sound()
