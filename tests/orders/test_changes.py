"""After an order was placed: paid, handed over, cancelled, taken back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad import orders
from samlad.carts import PriceStep
from samlad.kernel import log
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound, Outdated
from samlad.orders import (
    CancelInput,
    FulfilInput,
    LineKind,
    LineSelection,
    Order,
    OrderLine,
    OrderPayment,
    OrderStatus,
    PayInput,
    ReturnInput,
    WrongState,
)
from samlad.orders.order_page import page
from samlad.orders.rules import returned_line, where_from
from samlad.payments import PaymentInput
from samlad.tax import amounts
from trade import Trade


async def fulfil(trade: Trade, order: Order, *parts: tuple[int, int]) -> Order:
    lines = [LineSelection(position=p, quantity=q) for p, q in parts] or None
    return await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput(lines=lines)))


async def take_back(trade: Trade, order: Order, *parts: tuple[int, int], **fields: object) -> Order:
    lines = [LineSelection(position=p, quantity=q) for p, q in parts] or None
    data = ReturnInput(lines=lines, **fields)  # type: ignore[arg-type]
    return await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, data))


async def cancel(trade: Trade, order: Order) -> Order:
    return await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput(reason="changed")))


async def read(trade: Trade, order: Order) -> Order:
    return await orders.read(trade.db, order.id)


async def test_goods_leave_in_parts(trade: Trade) -> None:
    kettle, filters = await trade.kettle(), await trade.kettle()
    order = await trade.buy((kettle, 2), (filters, 3))
    part = await fulfil(trade, order, (1, 1), (2, 3))
    assert part.status is OrderStatus.PARTIALLY_FULFILLED
    assert [line.fulfilled for line in part.lines] == [1, 3]
    assert (await trade.level(kettle), await trade.level(filters)) == ((9, 1), (7, 0))
    await trade.sound()
    with pytest.raises(InvalidInput):
        await fulfil(trade, order, (1, 2))
    whole = await fulfil(trade, order)
    assert whole.status is OrderStatus.FULFILLED
    assert await trade.level(kettle) == (8, 0)
    with pytest.raises(WrongState):
        await fulfil(trade, order)
    await trade.sound()


async def test_cancelling_frees_the_stock_and_gives_the_money_back(trade: Trade) -> None:
    kettle = await trade.kettle(10_000)
    order = await trade.buy((kettle, 2))
    await trade.follow()
    assert await revenue(trade) == 20_000
    gone = await cancel(trade, order)
    assert (gone.status, gone.payment_status, gone.refunded) == ("cancelled", "refunded", 20_000)
    assert await trade.level(kettle) == (10, 0)
    with pytest.raises(WrongState):
        await cancel(trade, order)
    await trade.follow()
    assert await revenue(trade) == 0
    await trade.sound()


async def test_cancelling_what_had_left_puts_it_back_where_it_was(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=3, at=trade.at_malmo)
    order = await trade.buy((kettle, 2), channel=trade.malmo)
    assert await trade.level(kettle, trade.at_malmo) == (1, 0)
    await cancel(trade, order)
    assert await trade.level(kettle, trade.at_malmo) == (3, 0)
    await trade.follow()
    await trade.sound()


async def test_goods_come_back_in_another_store(trade: Trade) -> None:
    kettle = await trade.kettle(10_000, quantity=5)
    order = await trade.buy((kettle, 3))
    with pytest.raises(WrongState):
        await take_back(trade, order)
    await fulfil(trade, order)
    back = await take_back(trade, order, (1, 1), location=trade.at_lund.id, reason="too loud")
    assert (back.kind, back.total, back.tax, back.items, back.returns) == (
        "return",
        -10_000,
        -2_000,
        -1,
        order.id,
    )
    assert await trade.level(kettle, trade.at_lund) == (1, 0)
    sale = await read(trade, order)
    assert (sale.status, sale.payment_status, sale.refunded) == ("fulfilled", "paid", 10_000)
    with pytest.raises(InvalidInput):
        await take_back(trade, order, (1, 3))
    await take_back(trade, order)
    sale = await read(trade, order)
    assert (sale.status, sale.payment_status, sale.refunded) == ("returned", "refunded", 30_000)
    assert await trade.level(kettle) == (4, 0), "the rest where it had left from"
    await trade.follow()
    assert await revenue(trade) == 0
    await trade.sound()
    shown = await page(trade.db, order.id)
    assert len(shown.returns) == 2
    assert [h.type for h in shown.history if h.type.startswith("order.")] == [
        "order.placed",
        "order.fulfilled",
        "order.returned",
        "order.changed",
        "order.returned",
        "order.changed",
        "order.customer_linked",
    ]


async def test_broken_goods_are_refunded_but_not_put_back(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=2, at=trade.at_malmo)
    order = await trade.buy((kettle, 1), channel=trade.malmo)
    await take_back(trade, order, restock=False)
    assert await trade.level(kettle, trade.at_malmo) == (1, 0)
    await trade.sound()


async def test_what_was_not_paid_is_not_refunded(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(), 1), pay_later=True)
    assert (order.status, order.payment_status) == (OrderStatus.PLACED, OrderPayment.UNPAID)
    await fulfil(trade, order)
    back = await take_back(trade, order)
    assert back.payment_status is OrderPayment.UNPAID
    assert (await read(trade, order)).refunded == 0
    await trade.follow()
    await trade.sound()


async def test_paying_at_pick_up_in_cash_rounds_and_the_sums_follow(trade: Trade) -> None:
    kettle = await trade.kettle(19_949)
    order = await trade.buy((kettle, 1), pay_later=True)
    await trade.follow()
    with pytest.raises(InvalidInput):
        await trade.db.transaction(
            lambda tx: orders.pay(tx, order.id, PayInput(payments=[PaymentInput(provider="test", amount=1)]))
        )
    paid = await trade.db.transaction(
        lambda tx: orders.pay(tx, order.id, PayInput(payments=[PaymentInput(provider="cash")]))
    )
    assert (paid.status, paid.payment_status, paid.total, paid.paid) == ("paid", "paid", 19_900, 19_900)
    assert await revenue(trade) == 19_900
    await trade.sound()
    with pytest.raises(WrongState):
        await trade.db.transaction(
            lambda tx: orders.pay(tx, order.id, PayInput(payments=[PaymentInput(provider="test")]))
        )


async def test_authorised_money_is_captured_or_let_go(trade: Trade) -> None:
    kettle = await trade.kettle()
    promised = PaymentInput(provider="test", token="authorize")
    first, second = [await trade.place((await trade.cart((kettle, 1))).id, promised) for _ in range(2)]
    captured = await trade.db.transaction(lambda tx: orders.capture(tx, first.id))
    assert (captured.status, captured.paid) == (OrderStatus.PAID, captured.total)
    gone = await cancel(trade, second)
    assert [payment.status for payment in gone.payments] == ["voided"]
    types = [event.type for event in await log.of_subject(trade.db, second.id)]
    assert types[-2:] == ["payment.voided", "order.cancelled"]
    await trade.sound()


async def test_a_channel_that_holds_nothing_takes_when_it_ships(trade: Trade) -> None:
    from samlad import channels

    change = msgspec.convert({"settings": {"hold_policy": "none"}}, channels.ChannelChange)
    await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, change))
    kettle = await trade.kettle(quantity=3)
    order = await trade.buy((kettle, 2))
    assert (order.is_held, await trade.level(kettle)) == (False, (3, 0))
    await fulfil(trade, order, (1, 1))
    assert await trade.level(kettle) == (2, 0)
    await fulfil(trade, order)
    await trade.sound()


async def test_staff_change_only_what_is_at_their_own_place(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=2, at=trade.at_malmo)
    order = await trade.buy((kettle, 1), channel=trade.malmo)
    lund = Actor(
        kind="staff",
        id=new_id(),
        permissions=frozenset({"orders.change", "orders.place", "carts.write"}),
        locations=frozenset({trade.at_lund.id}),
    )
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()), Context(actor=lund))
    cart = await trade.cart((kettle, 1), channel=trade.malmo)
    data = orders.PlaceOrder(cart=cart.id, payments=[PaymentInput(provider="cash")])
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: orders.place(tx, data), Context(actor=lund))
    malmo = Actor(
        kind="staff", id=new_id(), permissions=lund.permissions, locations=frozenset({trade.at_malmo.id})
    )
    await trade.db.transaction(lambda tx: orders.place(tx, data), Context(actor=malmo))


async def test_versions_and_unknown_orders(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(), 1))
    with pytest.raises(Outdated):
        await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput(), version=7))
    with pytest.raises(NotFound):
        await trade.db.transaction(lambda tx: orders.fulfil(tx, new_id(), FulfilInput()))


async def revenue(trade: Trade) -> int:
    return int(await trade.db.value("SELECT coalesce(sum(revenue), 0) FROM order_day"))


@given(st.integers(1, 50), st.integers(0, 10**7), st.integers(0, 10**6), st.data())
def test_parts_that_come_back_are_worth_the_whole(
    quantity: int, total: int, tax: int, data: st.DataObject
) -> None:
    line = OrderLine(
        position=1, kind=LineKind.ITEM, title="Kettle", quantity=quantity, unit_price=0, tax=tax, total=total,
        fulfilled=quantity,
    )  # fmt: skip
    worth, taxed = 0, 0
    while line.returned < quantity:
        part = data.draw(st.integers(1, quantity - line.returned))
        back = returned_line(line, part, 1, new_id())
        assert back.quantity == -part
        assert back.total <= 0
        worth, taxed = worth - back.total, taxed - back.tax
        line = msgspec.structs.replace(line, returned=line.returned + part)
    assert (worth, taxed) == (total, tax)


@given(
    st.integers(1, 12),
    st.integers(1, 50_000),
    st.lists(st.integers(1, 40_000), min_size=1, max_size=4),
    st.integers(0, 3_000),
    st.booleans(),
    st.data(),
)
def test_parts_of_a_reduced_line_give_back_what_was_paid_for_them_step_by_step(
    quantity: int, price: int, steps: list[int], rate: int, tax_included: bool, data: st.DataObject
) -> None:
    """Each part goes from its list price by its steps to what is given back; all parts are the whole."""
    left, reductions = price * quantity, []
    for amount in steps:
        amount = min(amount, left)
        left -= amount
        if amount:
            reductions.append(PriceStep(promotion=new_id(), name="Kettle week", amount=amount))
    paid = amounts(price, quantity, rate, tax_included=tax_included, reduction=price * quantity - left)
    line = OrderLine(
        position=1, kind=LineKind.ITEM, title="Kettle", quantity=quantity, unit_price=price, tax=paid.tax, total=paid.total,
        tax_rate=rate, tax_included=tax_included, fulfilled=quantity, reductions=reductions,
    )  # fmt: skip
    worth, taxed, stepped = 0, 0, [0] * len(reductions)
    while line.returned < quantity:
        part = data.draw(st.integers(1, quantity - line.returned))
        back = returned_line(line, part, 1, new_id())
        quoted = back.total - (0 if tax_included else back.tax)
        assert price * back.quantity - sum(step.amount for step in back.reductions) == quoted
        worth, taxed = worth - back.total, taxed - back.tax
        stepped = [a - step.amount for a, step in zip(stepped, back.reductions, strict=True)]
        line = msgspec.structs.replace(line, returned=line.returned + part)
    assert (worth, taxed) == (paid.total, paid.tax)
    assert stepped == [step.amount for step in reductions]


def test_goods_go_back_where_they_left_from_the_last_first() -> None:
    here, there, kettle, filters = (new_id() for _ in range(4))
    left = [(here, kettle, 2), (here, filters, 1), (there, kettle, 1)]
    assert where_from([(kettle, 2), (filters, 1)], left) == [
        (there, kettle, 1),
        (here, kettle, 1),
        (here, filters, 1),
    ]
