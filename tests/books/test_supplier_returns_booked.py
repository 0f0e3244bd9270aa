"""Goods that went back to suppliers are in the money book: out of stock, owed, credited, given up."""

from bookkeeping import settled

from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.stock import purchases, supplier_returns, suppliers
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
