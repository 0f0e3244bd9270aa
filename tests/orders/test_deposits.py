"""A deposit now, the rest before goods leave: in parts, at any till, and all of it back when the order is called off."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from changing import clerk

from samlad import carts, channels, orders
from samlad.carts import CartInput, LineInput
from samlad.channels import ChannelChange
from samlad.kernel.context import Context
from samlad.kernel.database import Database
from samlad.kernel.problems import Forbidden, InvalidInput, Outdated
from samlad.orders import (
    CancelInput,
    FulfilInput,
    Order,
    PayInput,
    WrongState,
    changes,
    fulfilment,
    fulfilment_store,
    rest_due,
)
from samlad.orders.change_model import CancelAction
from samlad.orders.deposits import BalanceDue
from samlad.orders.fulfilment_model import HandOverInput
from samlad.payments import PaymentInput
from trade import BUYER, GUEST, Trade, build


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(db)


async def ordered(
    trade: Trade, deposit: int, *, units: int = 1, provider: str = "test", **details: object
) -> Order:
    """Kettles at 199.00 each, with a deposit."""
    cart = await trade.cart((await trade.kettle(), units), **(details or BUYER))
    return await trade.place(cart.id, PaymentInput(provider=provider), deposit=deposit)


async def pay(
    trade: Trade, order: Order, *amounts: int | None, who: Context | None = None, **fields: object
) -> Order:
    given = PayInput(
        payments=[
            PaymentInput(provider=str(fields.pop("provider", "test")), amount=each) for each in amounts
        ],
        **fields,
    )
    return await trade.db.transaction(lambda tx: changes.pay(tx, order.id, given), *([who] if who else []))


async def leave(trade: Trade, order: Order) -> Order:
    return await trade.db.transaction(lambda tx: changes.fulfil(tx, order.id, FulfilInput()))


async def test_the_rest_is_paid_in_parts_and_only_then_the_goods_leave(trade: Trade) -> None:
    order = await ordered(trade, 5_000)
    assert (order.deposit, order.paid, order.payment_status, order.status) == (
        5_000,
        5_000,
        "unpaid",
        "placed",
    )
    with pytest.raises(BalanceDue) as refused:
        await leave(trade, order)
    assert refused.value.extra["due"] == 14_900
    order = await pay(trade, order, 4_900, is_part=True)
    assert (order.paid, order.payment_status) == (9_900, "unpaid")
    with pytest.raises(BalanceDue):
        await leave(trade, order)
    order = await pay(trade, order, None)
    assert (order.paid, order.payment_status, order.status) == (19_900, "paid", "paid")
    assert (await leave(trade, order)).status == "fulfilled"
    with pytest.raises(WrongState):
        await pay(trade, order, None)
    await trade.agree()


async def test_what_lies_ready_is_not_handed_over_before_the_rest_is_paid(trade: Trade) -> None:
    kettle = await trade.kettle(at=trade.at_malmo)
    cart = await trade.cart(
        (kettle, 1), name="Kim", email="kim@example.org", delivery="pickup", location=str(trade.at_malmo.id)
    )
    order = await trade.place(cart.id, PaymentInput(provider="test"), deposit=5_000)
    (work,) = await fulfilment_store.of_order(trade.db, order.id)
    await trade.db.transaction(lambda tx: fulfilment_store.pick_all(tx, work.id))
    await trade.db.transaction(lambda tx: fulfilment_store.update(tx, work.id, {"state": "picked"}))
    await trade.db.transaction(lambda tx: fulfilment.make_ready(tx, work.id))
    code = (await fulfilment_store.codes_of(trade.db, order.id))[work.id]
    given = HandOverInput(code=code)
    with pytest.raises(BalanceDue):
        await trade.db.transaction(lambda tx: fulfilment.hand_over(tx, work.id, given))
    await pay(trade, order, None, provider="cash", location=trade.at_lund.id)
    done = await trade.db.transaction(lambda tx: fulfilment.hand_over(tx, work.id, given))
    assert done.state == "delivered"
    await trade.agree()


async def test_called_off_all_that_was_paid_goes_back(trade: Trade) -> None:
    order = await ordered(trade, 5_000, units=2)
    order = await pay(trade, order, 1_000, is_part=True)
    done = await trade.db.transaction(lambda tx: changes.cancel(tx, order.id, CancelInput()))
    assert (done.status, done.paid, done.refunded) == ("cancelled", 6_000, 6_000)
    await trade.agree()


async def test_what_is_called_off_first_makes_the_rest_less(trade: Trade) -> None:
    order = await ordered(trade, 25_000, units=2)
    data = orders.ChangeInput(actions=[CancelAction(position=1, quantity=1)])
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, data))
    order = await orders.read(trade.db, order.id)
    assert (order.paid, order.refunded, order.payment_status) == (25_000, 5_100, "paid")
    await leave(trade, order)
    await trade.agree()


@pytest.mark.parametrize(("deposit", "field"), [(19_900, "deposit"), (30_000, "deposit"), (3_979, "deposit")])
async def test_a_deposit_is_less_than_all_and_not_less_than_the_channel_wants(
    db: Database, deposit: int, field: str
) -> None:
    trade = await build(db, deposit_percent=20)
    with pytest.raises(InvalidInput) as refused:
        await ordered(trade, deposit)
    assert refused.value.errors[0].field == field
    assert (await ordered(trade, 3_980)).deposit == 3_980


async def test_who_and_what_has_no_deposit(trade: Trade) -> None:
    kettle = await trade.kettle(at=trade.at_malmo)
    carried = await trade.cart((kettle, 1), channel=trade.malmo, delivery="carry_out")
    with pytest.raises(InvalidInput, match="paid at once"):
        await trade.place(carried.id, PaymentInput(provider="cash"), deposit=1_000)
    with pytest.raises(InvalidInput):
        await ordered(trade, 5_050, provider="cash")
    data = CartInput(channel=trade.web.id, lines=[LineInput(variant=kettle)])
    mine = await trade.db.transaction(lambda tx: carts.create(tx, data), GUEST)
    buyer = msgspec.convert(BUYER, carts.DetailsInput)
    await trade.db.transaction(lambda tx: carts.set_details(tx, mine.id, buyer, token=mine.token), GUEST)
    wanted = orders.PlaceOrder(cart=mine.id, payments=[PaymentInput(provider="test")], deposit=1_000)
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: orders.place(tx, wanted, token=mine.token), GUEST)


async def test_a_part_says_its_amount_and_is_no_more_than_is_due(trade: Trade) -> None:
    order = await ordered(trade, 5_000)
    for amounts in ((None,), (15_000,), (10_000, 10_000)):
        with pytest.raises(InvalidInput):
            await pay(trade, order, *amounts, is_part=True)
    with pytest.raises(InvalidInput):
        await pay(trade, order, 1_050, is_part=True, provider="cash")
    assert (await orders.read(trade.db, order.id)).paid == 5_000


async def test_of_two_who_pay_the_rest_at_once_one_does(trade: Trade) -> None:
    order = await ordered(trade, 5_000)
    done = await asyncio.gather(*(pay(trade, order, None) for _ in range(4)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Order", *["WrongState"] * 3]
    given = PayInput(payments=[PaymentInput(provider="test")])
    with pytest.raises(Outdated):
        await trade.db.transaction(lambda tx: changes.pay(tx, order.id, given, version=order.version))
    await trade.agree()


async def test_an_order_on_account_of_which_a_part_is_paid_waits_for_the_rest(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(), 1), pay_later=True)
    order = await pay(trade, order, 4_000, is_part=True)
    assert order.deposit == 4_000
    with pytest.raises(BalanceDue):
        await leave(trade, order)
    await trade.agree()


async def test_what_is_taken_of_an_order_that_is_paid_later_is_its_deposit(trade: Trade) -> None:
    """However little: the channel wants at least a tenth of what customers choose to pay now."""
    wanted = ChannelChange(settings={"deposit_percent": 10})
    await trade.db.transaction(
        lambda tx: channels.change(tx, trade.web.id, wanted, version=trade.web.version)
    )
    kettle = await trade.kettle()

    async def placed(*amounts: int | None, **more: Any) -> Order:
        given = [PaymentInput(provider="test", amount=amount) for amount in amounts]
        return await trade.place((await trade.cart((kettle, 1))).id, *given, pay_later=True, **more)

    order = await placed(1)
    assert (order.deposit, order.paid, order.payment_status) == (1, 1, "unpaid")
    with pytest.raises(BalanceDue):
        await leave(trade, order)
    whole = await placed(order.total - 1, 1)
    assert (whole.deposit, whole.payment_status) == (None, "paid"), "nothing is left for later"
    for amounts, more in (((None,), {}), ((order.total + 1,), {}), ((1,), {"deposit": 1}), ((), {"tip": 5})):
        with pytest.raises(InvalidInput):
            await placed(*amounts, **more)
    await trade.agree()


async def test_a_clerk_takes_the_rest_at_their_own_till_only(trade: Trade) -> None:
    order = await ordered(trade, 5_000)
    lund: UUID = trade.at_lund.id
    with pytest.raises(Forbidden):
        await pay(trade, order, None, who=clerk(trade.at_malmo), location=lund)
    paid = await pay(trade, order, None, who=clerk(trade.at_lund), location=lund, provider="cash")
    assert paid.payment_status == "paid"
    await trade.follow()
    rows = await trade.db.rows("SELECT location, tender, amount FROM till_payment")
    assert [tuple(row.values()) for row in rows] == [(lund, "cash", 14_900)], "it is in the drawer of Lund"
    await trade.agree()


async def test_customers_choose_a_deposit_where_the_channel_offers_it(db: Database) -> None:
    trade = await build(db, deposit_offered=True, deposit_percent=20, deposit_days=14)
    mine = await cart_of_guest(trade, pays_deposit=True)
    paid = orders.PlaceOrder(cart=mine.id, payments=[PaymentInput(provider="test")])
    order = await db.transaction(lambda tx: orders.place(tx, paid, token=mine.token), GUEST)
    assert (order.deposit, order.paid, order.payment_status) == (3_980, 3_980, "unpaid")
    assert order.rest_due_on == order.local_day + timedelta(days=14)
    # More than the least, said with the order; less is refused.
    mine = await cart_of_guest(trade)
    wanted = orders.PlaceOrder(cart=mine.id, payments=[PaymentInput(provider="test")], deposit=1_000)
    with pytest.raises(InvalidInput):
        await db.transaction(lambda tx: orders.place(tx, wanted, token=mine.token), GUEST)
    wanted.deposit = 10_000
    order = await db.transaction(lambda tx: orders.place(tx, wanted, token=mine.token), GUEST)
    assert order.deposit == 10_000
    await trade.agree()


async def cart_of_guest(trade: Trade, **details: object) -> carts.NewCart:
    data = CartInput(channel=trade.web.id, lines=[LineInput(variant=await trade.kettle())])
    mine = await trade.db.transaction(lambda tx: carts.create(tx, data), GUEST)
    buyer = msgspec.convert({**BUYER, **details}, carts.DetailsInput)
    await trade.db.transaction(lambda tx: carts.set_details(tx, mine.id, buyer, token=mine.token), GUEST)
    return mine


async def test_the_rest_is_reminded_of_before_its_day_and_twice_after(db: Database) -> None:
    trade = await build(db, deposit_days=30)
    order, paid = await ordered(trade, 5_000), await ordered(trade, 5_000)
    await pay(trade, paid, None)
    assert order.rest_due_on is not None
    day, told = order.rest_due_on, []
    for after in (-30, -4, -3, -2, 0, 1, 2, 8, 9, 100):
        count = await rest_due.remind_of(db, day + timedelta(days=after))
        told.append((after, count))
    assert [after for after, count in told if count] == [-3, 1, 8]
    rows = await db.rows("SELECT subject, payload FROM event WHERE type = 'order.rest_due' ORDER BY seq")
    assert [(row["subject"], row["payload"]["due"], row["payload"]["reminder"]) for row in rows] == [
        (order.id, 14_900, number) for number in (1, 2, 3)
    ]


async def test_who_was_not_reminded_in_time_is_reminded_once(db: Database) -> None:
    trade = await build(db, deposit_days=30)
    order = await ordered(trade, 5_000)
    assert order.rest_due_on is not None
    day = order.rest_due_on + timedelta(days=20)
    counts = await asyncio.gather(*(rest_due.remind_of(db, day) for _ in range(3)))
    assert sum(counts) == 1
    called_off = await ordered(trade, 5_000)
    await db.transaction(lambda tx: changes.cancel(tx, called_off.id, CancelInput()))
    assert await rest_due.remind_of(db, day) == 0
