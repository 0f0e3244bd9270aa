"""What was sold elsewhere comes back here: imported orders, and a marketplace's that were sent from there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from changing import back, make, preview
from test_arrivals import an_arrival, arrive

from samlad import catalog, orders
from samlad.kernel.clock import now
from samlad.kernel.problems import InvalidInput
from samlad.orders import Order, WrongState, changes, imports
from samlad.orders.import_model import OrderInput
from samlad.orders.model import CancelInput, PayInput
from samlad.payments import PaymentInput, manual
from trade import Trade


async def history(trade: Trade, *records: dict[str, Any]) -> list[Order]:
    """Orders of another system, brought in."""
    common = {"placed_at": (now() - timedelta(days=3)).isoformat(), "country": "SE", "currency": "SEK"}
    given = []
    for each in records:
        total = sum(line["total_minor"] for line in each["lines"])
        given.append(msgspec.convert({**common, "total_minor": total, **each}, OrderInput))
    await imports.run(trade.db, trade.web, given)
    ids = await trade.db.rows("SELECT id FROM orders WHERE imported IS NOT NULL ORDER BY number")
    return [await orders.read(trade.db, row["id"]) for row in ids]


async def line_of(trade: Trade, variant: Any, quantity: int) -> dict[str, Any]:
    """So many at 100.00."""
    sku = (await catalog.by_ids(trade.db, [variant]))[variant].sku
    return {
        "sku": sku,
        "title": "Kettle",
        "quantity": quantity,
        "unit_price": "100.00",
        "total_minor": 10_000 * quantity,
    }


async def test_an_imported_order_comes_back_in_parts(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=0)
    line = await line_of(trade, kettle, 3)
    [order] = await history(trade, {"number": "OLD-1", "lines": [line]})
    with pytest.raises(InvalidInput) as caught:
        await make(trade, order, back(1, 1))
    assert caught.value.errors[0].field == "location"
    done = await make(trade, order, back(1, 1), location=trade.at_lund.id)
    assert [(part.provider, part.amount) for part in done.preview.refunds] == [("history", 10_000)]
    assert (done.order.paid, done.order.refunded, done.order.payment_status) == (30_000, 10_000, "paid")
    assert await trade.level(kettle, trade.at_lund) == (1, 0)
    [refund] = done.order.refunds
    assert refund.status == "pending", "a person sends it"
    await trade.db.transaction(lambda tx: manual.refunded(tx, refund.id))
    with pytest.raises(InvalidInput) as caught:
        await make(trade, order, back(1, 3), location=trade.at_lund.id)
    assert caught.value.errors[0].message == "at most 2: no more of it is out"
    done = await make(trade, order, back(1, 2), location=trade.at_lund.id)
    assert (done.order.status, done.order.payment_status) == ("returned", "refunded")
    await trade.agree()


async def test_what_came_back_before_the_import_does_not_come_back_again(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=0)
    line = await line_of(trade, kettle, 3)
    gone = {**line, "quantity": -2, "total_minor": -20_000, "returns": "OLD-1"}
    sale, _returned = await history(
        trade,
        {"number": "OLD-1", "lines": [line]},
        {"number": "OLD-2", "kind": "return", "returns": "OLD-1", "lines": [gone]},
    )
    assert (sale.lines[0].returned, sale.refunded, sale.status) == (2, 20_000, "fulfilled")
    with pytest.raises(InvalidInput):
        await make(trade, sale, back(1, 2), location=trade.at_lund.id)
    done = await make(trade, sale, back(1, 1), location=trade.at_lund.id)
    assert (done.preview.refunded, done.order.refunded, done.order.status) == (10_000, 30_000, "returned")
    await trade.agree()


async def test_it_is_exchanged_and_late_but_never_paid_called_off_or_added_to(trade: Trade) -> None:
    kettle, better = await trade.kettle(quantity=0), await trade.kettle(12_000, at=trade.at_lund)
    line = await line_of(trade, kettle, 1)
    old = {"number": "OLD-0", "placed_at": "2020-01-02T10:00:00Z"}
    late, order = await history(
        trade,
        {**old, "lines": [line]},
        {"number": "OLD-1", "lines": [line]},
    )
    said = await preview(trade, late, back(1, 1), location=trade.at_lund.id)
    assert "window-over" in [notice.code for notice in said.notices]
    swap = {"kind": "exchange", "position": 1, "quantity": 1, "variant": better}
    done = await make(
        trade,
        order,
        swap,
        location=trade.at_lund.id,
        hand_over=True,
        payments=[PaymentInput(provider="test")],
    )
    assert (done.preview.transferred, done.preview.to_pay, done.order.credited) == (10_000, 2_000, 10_000)
    for action in (
        {"kind": "add", "variant": better, "quantity": 1},
        {"kind": "fee", "amount": 100, "title": "Post"},
        {"kind": "cancel", "position": 1, "quantity": 1},
    ):
        with pytest.raises(WrongState):
            await make(trade, late, action, location=trade.at_lund.id)
    pay = PayInput(payments=[PaymentInput(provider="test")])
    for verb in (
        lambda tx: orders.pay(tx, late.id, pay),
        lambda tx: changes.cancel(tx, late.id, CancelInput()),
    ):
        with pytest.raises(WrongState, match="sold and sent elsewhere"):
            await trade.db.transaction(verb)
    await trade.agree()


async def test_what_a_marketplace_sent_comes_back_here(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=0)
    line = {"variant": str(kettle), "quantity": 2, "unit_price": 15_000}
    recent = {"placed_at": datetime.now(UTC) - timedelta(days=2)}
    order = await arrive(trade, an_arrival(trade, line, is_sent=True, **recent))
    done = await make(trade, order, back(1, 1), location=trade.at_lund.id)
    assert [(part.provider, part.amount) for part in done.preview.refunds] == [("marketplace", 15_000)]
    assert await trade.level(kettle, trade.at_lund) == (1, 0)
    await trade.agree()


async def test_lots_of_history_are_what_the_goods_say(trade: Trade) -> None:
    milk = await trade.kettle(quantity=0)
    await trade.by_lot(milk, L1=1)
    line = await line_of(trade, milk, 2)
    [order] = await history(trade, {"number": "OLD-1", "lines": [line]})
    await make(trade, order, back(1, 1, lot="L1"), location=trade.warehouse.id)
    await make(trade, order, back(1, 1), location=trade.warehouse.id)
    rows = await trade.db.rows(
        """SELECT l.code, sum(m.quantity)::int AS units FROM movement m JOIN lot l ON l.id = m.lot
           WHERE m.cause = 'return' GROUP BY 1 ORDER BY 1 NULLS LAST"""
    )
    assert [(row["code"], row["units"]) for row in rows] == [("", 1), ("L1", 1)], "of one nobody knows"
    await trade.agree()


async def test_cash_goes_back_as_it_can_be_paid_in_coins(trade: Trade) -> None:
    """Three at 33.50 cost 100.50, which is 101 in coins: one comes back for 34, one more, and the last for the rest."""
    kettle = await trade.kettle(3_350, at=trade.at_malmo)
    cart = await trade.cart((kettle, 3), channel=trade.malmo)
    order = await trade.place(cart.id, PaymentInput(provider="cash"))
    assert order.total == 10_100
    given = []
    for _ in range(3):
        done = await make(trade, order, back(1, 1))
        given.append(done.preview.refunded)
        assert done.preview.worth == done.preview.refunded
        order = done.order
    assert given == [3_400, 3_400, 3_300]
    assert (order.paid, order.refunded, order.payment_status) == (10_100, 10_100, "refunded")
    await trade.agree()


async def test_so_little_cash_that_it_is_nothing(trade: Trade) -> None:
    """A ticket of 40 öre costs nothing in coins, and what is given back of it is nothing, too."""
    sweet = await trade.kettle(40, at=trade.at_malmo)
    cart = await trade.cart((sweet, 1), channel=trade.malmo)
    order = await trade.place(cart.id, PaymentInput(provider="cash"))
    assert (order.total, order.payments, order.payment_status, order.status) == (0, [], "paid", "fulfilled")
    done = await make(trade, order, back(1, 1))
    assert (done.preview.refunded, done.order.status) == (0, "returned")
    await trade.agree()
