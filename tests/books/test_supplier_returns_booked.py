"""Goods that went back to suppliers are in the money book: out of stock, owed, credited, given up."""

from bookkeeping import settled

from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.stock import purchases, service, supplier_returns, suppliers, transfers
from samlad.stock.model import Transfer
from samlad.stock.purchase_model import SupplierInput, WantedLine
from samlad.stock.supplier_return_model import (
    ReturnedLine,
    SupplierCreditInput,
    SupplierReturn,
    SupplierReturnReason,
)
from trade import Trade


async def test_a_return_is_booked_as_far_as_it_is_true(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=0)

    async def send(tx: Tx) -> SupplierReturn:
        supplier = await suppliers.create(tx, SupplierInput(code="bodum", name="Bodum"))
        order = await purchases.draft(
            tx, supplier, trade.warehouse.id, [WantedLine(kettle, 5, 100_00 * 10_000)]
        )
        await purchases.order(tx, order.id)
        await purchases.receive(tx, order.id)
        return await supplier_returns.send(
            tx,
            supplier,
            trade.warehouse.id,
            [ReturnedLine(kettle, 2)],
            reason=SupplierReturnReason.UNSOLD,
            purchase=order.id,
            expected=180_00,
        )

    made = await trade.db.transaction(send)
    assert await settled(trade) == {
        "stock": -200_00,
        "suppliers_owe": 180_00,
        "supplier_difference": 20_00,
    }
    note = SupplierCreditInput(amount=100_00, id=new_id())
    await trade.db.transaction(lambda tx: supplier_returns.credit(tx, made.id, note))
    await trade.db.transaction(lambda tx: supplier_returns.credit(tx, made.id, note))
    assert await settled(trade) == {
        "stock": -200_00,
        "suppliers_owe": 80_00,
        "suppliers_credited": 100_00,
        "supplier_difference": 20_00,
    }
    await trade.db.transaction(lambda tx: supplier_returns.close(tx, made.id, "no more comes"))
    assert await settled(trade) == {
        "stock": -200_00,
        "suppliers_credited": 100_00,
        "supplier_difference": 100_00,
    }
    await trade.agree()


async def test_what_is_lost_on_the_way_is_booked_and_taken_back(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=0)

    async def lose(tx: Tx) -> Transfer:
        await service.receive(tx, trade.warehouse.id, [(kettle, 4)], unit_costs_e4=[100_00 * 10_000])
        sent = await transfers.send(tx, trade.warehouse.id, trade.at_malmo.id, [(kettle, 3)])
        return await transfers.lose(tx, sent.id, [(kettle, 2)], reason="stolen")

    gone = await trade.db.transaction(lose)
    assert await settled(trade) == {"stock": -200_00, "stock_difference": 200_00}
    await trade.db.transaction(lambda tx: transfers.find(tx, gone.id))
    assert await settled(trade) == {}
    await trade.agree()
