"""Drawers: opened, used, counted blind, closed once; each payment is in one shift."""

import asyncio
from typing import Any

import pytest
from bookkeeping import held, is_sound, settled
from hypothesis import given
from hypothesis import strategies as st

from samlad import books, orders
from samlad.access.permissions import permissions
from samlad.books import (
    CloseTillInput,
    OpenTillInput,
    ShiftView,
    TillMovementInput,
    TillReason,
    TillState,
    till_rules,
)
from samlad.books.model import TenderDay
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.orders import ReturnInput
from samlad.payments import PaymentInput
from trade import Trade


def clerk(trade: Trade, name: str) -> Context:
    """Somebody who sells in Malmö only."""
    allowed = frozenset(permissions()) - {"books.till_report"}
    return Context(
        actor=Actor(
            kind="staff",
            id=new_id(),
            name=name,
            permissions=allowed,
            locations=frozenset({trade.at_malmo.id}),
        )
    )


async def opened(
    trade: Trade, amount: int = 100_000, till: str = "1", who: Context | None = None
) -> ShiftView:
    data = OpenTillInput(location=trade.at_malmo.id, till=till, float_amount=amount)
    return await trade.db.transaction(lambda tx: books.open_till(tx, data), who or Context())


async def ring_up(trade: Trade, variant: Any, *tenders: str, who: Context | None = None) -> orders.Order:
    cart = await trade.cart((variant, 1), channel=trade.malmo, delivery="carry_out")
    paid = [PaymentInput(provider=tender) for tender in tenders or ("cash",)]
    place = orders.PlaceOrder(cart=cart.id, payments=paid)
    if who is None:
        return await trade.place(cart.id, *paid)
    return await trade.db.transaction(lambda tx: orders.place(tx, place), who)


async def closed(trade: Trade, shift: ShiftView, amount: int, taken: int = 0) -> ShiftView:
    data = CloseTillInput(counts={"100": amount // 100, "1": amount % 100}, taken=taken)
    return await trade.db.transaction(lambda tx: books.close_till(tx, shift.shift.id, data))


async def test_a_day_of_a_drawer(trade: Trade) -> None:
    kettle = await trade.kettle(price=20_000, at=trade.at_malmo)
    shift = await opened(trade)
    await ring_up(trade, kettle)
    await ring_up(trade, kettle, "test")
    sold = await ring_up(trade, kettle)
    await trade.db.transaction(lambda tx: orders.take_back(tx, sold.id, ReturnInput()))
    out = TillMovementInput(amount=-5_000, reason=TillReason.PETTY_CASH, note="Milk", id=new_id())
    for _ in range(2):
        moved = await trade.db.transaction(lambda tx: books.move_cash(tx, shift.shift.id, out))
    assert [one.amount for one in moved.movements] == [-5_000]
    assert (moved.difference, moved.report) == (None, None)
    x = await trade.db.transaction(lambda tx: books.x_report(tx, shift.shift.id))
    assert (x.expected, x.sales) == (115_000, 3)
    z = await closed(trade, shift, 114_900, taken=14_900)
    assert (z.shift.number, z.difference, z.shift.expected) == (1, -100, 115_000)
    assert z.report is not None
    assert z.report.tenders == [
        TenderDay(tender="cash", taken=40_000, given_back=20_000),
        TenderDay(tender="test", taken=20_000, given_back=0),
    ]
    found = await settled(trade)
    assert found["cash:malmo"] == 100_000
    assert (found["petty_cash"], found["till_difference"], found["safe"]) == (5_000, 100, -85_100)
    again = await opened(trade, 100_000)
    assert (await held(trade.db)) == found
    assert (await closed(trade, again, 100_000)).shift.number == 2
    await is_sound(trade.db)


async def test_a_sale_after_the_close_is_in_the_next_shift(trade: Trade) -> None:
    kettle = await trade.kettle(price=20_000, at=trade.at_malmo)
    first = await opened(trade)
    await ring_up(trade, kettle)
    assert (await closed(trade, first, 120_000)).difference == 0
    await ring_up(trade, kettle)
    second = await opened(trade, 120_000)
    await trade.follow()
    assert (await closed(trade, second, 140_000)).difference == 0
    assert len(await settled(trade)) > 0


async def test_two_people_at_once_open_and_close_it_once(trade: Trade) -> None:
    tries = await asyncio.gather(*(opened(trade) for _ in range(4)), return_exceptions=True)
    (shift,) = [one for one in tries if not isinstance(one, BaseException)]
    assert sum(isinstance(one, TillState) for one in tries) == 3
    tries = await asyncio.gather(*(closed(trade, shift, 100_000) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, TillState) for one in tries) == 3
    assert (await settled(trade)) == {"cash:malmo": 100_000, "safe": -100_000}


async def test_two_drawers_have_the_sales_of_their_own_clerks(trade: Trade) -> None:
    kettle = await trade.kettle(price=20_000, at=trade.at_malmo)
    ann, ben, cas = (clerk(trade, name) for name in ("Ann", "Ben", "Cas"))
    one, two = await opened(trade, 0, "1", ann), await opened(trade, 0, "2", ben)
    await trade.db.transaction(lambda tx: books.join_till(tx, two.shift.id), cas)
    assert (await books.view(trade.db, two.shift.id)).shift.clerks == ["Ben", "Cas"]
    for who in (ann, ben, cas):
        await ring_up(trade, kettle, who=who)
    assert (await closed(trade, one, 20_000)).difference == 0
    assert (await closed(trade, two, 40_000)).difference == 0
    await settled(trade)


async def test_what_is_wrong_is_said(trade: Trade) -> None:
    shift = await opened(trade)
    with pytest.raises(InvalidInput, match="at most what was counted") as refused:
        await closed(trade, shift, 100, taken=101)
    assert refused.value.errors[0].field == "taken"
    nothing = TillMovementInput(amount=0, reason=TillReason.CHANGE)
    wordless = TillMovementInput(amount=-1, reason=TillReason.PETTY_CASH)
    for wrong in (nothing, wordless):
        with pytest.raises(InvalidInput):
            await trade.db.transaction(lambda tx, wrong=wrong: books.move_cash(tx, shift.shift.id, wrong))
    at_the_warehouse = OpenTillInput(location=trade.warehouse.id, float_amount=0)
    with pytest.raises(InvalidInput, match="no store"):
        await trade.db.transaction(lambda tx: books.open_till(tx, at_the_warehouse))
    elsewhere = OpenTillInput(location=trade.at_lund.id, float_amount=0)
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: books.open_till(tx, elsewhere), clerk(trade, "Ann"))
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: books.x_report(tx, shift.shift.id), clerk(trade, "Ann"))


@given(st.dictionaries(st.integers(1, 100_000).map(str), st.integers(0, 500), max_size=20))
def test_a_count_is_the_sum_of_its_pieces(counts: dict[str, int]) -> None:
    assert till_rules.counted(counts) == sum(int(key) * pieces for key, pieces in counts.items())
