"""Tips: beside the total, owed to the staff, in no sales figure, no tax and no return."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from bookkeeping import settled
from hypothesis import given
from hypothesis import strategies as st
from selling import CLERK, Till

from samlad import books, channels, orders
from samlad.books import OpenTillInput, TillMovementInput, TillReason
from samlad.channels import ChannelChange
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.money import exponent
from samlad.kernel.problems import InvalidInput
from samlad.orders import ReturnInput
from samlad.payments import PaymentInput
from trade import Trade

WHO = Context(actor=CLERK)


async def tipping(trade: Trade) -> None:
    """The store asks for tips."""
    change = ChannelChange(settings={"tips": True})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.malmo.id, change))


async def ring_up(trade: Trade, kettle: Any, tip: int, *paid: PaymentInput) -> orders.Order:
    cart = await trade.cart((kettle, 1), channel=trade.malmo, delivery="carry_out")
    wanted = orders.PlaceOrder(cart=cart.id, payments=list(paid), total=19_900, tip=tip)
    return await trade.db.transaction(lambda tx: orders.place(tx, wanted), WHO)


async def test_a_tip_is_the_staffs_and_nobody_elses(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    card, cash = PaymentInput(provider="test", token="ok"), PaymentInput(provider="cash")
    with pytest.raises(InvalidInput):  # the store takes none
        await ring_up(trade, kettle, 1_000, card)
    await tipping(trade)
    drawer = OpenTillInput(location=trade.at_malmo.id, till="1", float_amount=50_000)
    shift = await trade.db.transaction(lambda tx: books.open_till(tx, drawer), WHO)
    by_card = await ring_up(trade, kettle, 2_000, card)
    in_cash = await ring_up(trade, kettle, 1_050, cash)  # rounded with the rest: to 210.00
    assert (by_card.total, by_card.paid, by_card.payment_status) == (19_900, 21_900, "paid")
    assert (in_cash.total, in_cash.paid) == (19_950, 21_000)
    book = await settled(trade)
    assert (book["tips"], book.get("receivables"), book["rounding"]) == (-3_050, None, -50)
    x = await trade.db.transaction(lambda tx: books.x_report(tx, shift.shift.id), WHO)
    assert [(tip.name, tip.amount) for tip in x.tips] == [(CLERK.name, 3_050)]
    assert x.expected == 50_000 + 21_000
    assert sum(rate.net + rate.tax for rate in x.rates) == 2 * 19_900
    # No sales figure knows of it; the receipt does.
    days = await orders.by_day(trade.db, by_card.local_day, by_card.local_day)
    assert sum(day.revenue for day in days) == 19_900 + 19_950
    [mine] = await orders.tips_by_clerk(trade.db, now() - timedelta(days=1), now() + timedelta(days=1), None)
    assert (mine.clerk, mine.sales, mine.amount) == (CLERK.id, 2, 3_050)
    assert await orders.tips_by_clerk(trade.db, now(), now() + timedelta(days=1), [uuid4()]) == []
    # Goods come back, the tip does not; then somebody says so, twice.
    await trade.db.transaction(lambda tx: orders.take_back(tx, by_card.id, ReturnInput()), WHO)
    assert (await orders.read(trade.db, by_card.id)).refunded == 19_900
    for _ in range(2):
        tip = await trade.db.transaction(lambda tx: orders.give_tip_back(tx, by_card.id), WHO)
        assert tip.returned == 2_000
    after = await orders.read(trade.db, by_card.id)
    assert (after.refunded, after.payment_status) == (21_900, "refunded")
    # A sale that is cancelled keeps its tip, too; the rest is paid out of the drawer.
    await trade.db.transaction(lambda tx: orders.cancel(tx, in_cash.id, orders.CancelInput()), WHO)
    assert (await orders.read(trade.db, in_cash.id)).refunded == 19_950
    out = TillMovementInput(amount=-1_000, reason=TillReason.TIPS, note="Sam")
    await trade.db.transaction(lambda tx: books.move_cash(tx, shift.shift.id, out), WHO)
    assert (await settled(trade))["tips"] == -50


async def test_a_till_without_network_brings_tips(trade: Trade) -> None:
    kettle, till = await trade.kettle(quantity=9, at=trade.at_malmo), Till(trade)
    sale = till.sale((kettle, 1), tip=2_000, tenders=[{"kind": "card", "amount": 21_900}])
    wrong = till.sale((kettle, 1), tip=2_000)  # the tenders lack it
    first, second = await till.send(sale, wrong)
    assert (first.verdict, [each.code for each in first.objections]) == ("recorded", [])
    assert [(each.code, each.here, each.there) for each in second.objections] == [("paid", "21900", "19900")]
    assert first.order is not None
    tip = await orders.tip_of(trade.db, first.order)
    assert tip is not None
    assert (tip.amount, tip.clerk, tip.tender) == (2_000, CLERK.id, "till_card")
    again = await till.send(sale)
    assert again[0].is_known
    assert (await settled(trade))["tips"] == -4_000


@given(
    st.integers(0, 10**7),
    st.lists(st.integers(1, 100), max_size=6),
    st.lists(st.integers(1, 10**5), max_size=6),
    st.sampled_from(["SEK", "JPY"]),
)
def test_tips_that_are_offered(total: int, percents: list[int], amounts: list[int], currency: str) -> None:
    found = orders.tips_offered(total, percents, amounts, currency)
    worth = [amount for _, amount in found]
    assert worth == sorted(set(worth))
    assert not total or set(amounts) <= set(worth)
    for percent, amount in found:
        assert percent or amount in amounts
        unit = 10 ** exponent(currency)
        assert not percent or amount == unit or abs(amount * 100 - total * percent) <= 100 * unit // 2 + 50
