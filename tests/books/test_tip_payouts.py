"""Tips are paid out: once, in balance, out of a drawer or with the wages; undone they are owed again."""

import asyncio
from uuid import UUID, uuid4

import pytest
from bookkeeping import settled
from selling import CLERK
from test_tips import WHO, ring_up, tipping

from samlad import books, orders
from samlad.access.permissions import Role, permissions_of
from samlad.books import (
    CloseTillInput,
    Means,
    OpenTillInput,
    TillState,
    TipPayoutInput,
    TipsOwed,
    TipsState,
    TipsWanted,
    UndoTipsInput,
)
from samlad.books.lists import VOUCHERS
from samlad.kernel.context import Actor, Context
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput
from samlad.payments import PaymentInput
from trade import Trade

CARD = PaymentInput(provider="test", token="ok")
BOSS = Context(actor=Actor(kind="staff", id=uuid4(), name="Olivia", permissions=permissions_of(Role.OWNER)))


async def owed(trade: Trade) -> TipsOwed:
    [found] = await books.tips_owed(trade.db, TipsWanted())
    return found


def wanted(trade: Trade, amount: int, means: Means = Means.WAGES, **fields: object) -> TipPayoutInput:
    return TipPayoutInput(
        location=trade.at_malmo.id, clerk=CLERK.id, currency="SEK", amount=amount, means=means, **fields
    )


async def pay(trade: Trade, data: TipPayoutInput) -> books.TipPayout:
    return await trade.db.transaction(lambda tx: books.pay_tips_out(tx, data), BOSS)


async def undo(trade: Trade, payout: UUID, shift: UUID | None = None) -> books.TipPayout:
    data = UndoTipsInput(reason="Paid to somebody else", shift=shift)
    return await trade.db.transaction(lambda tx: books.undo_tip_payout(tx, payout, data), BOSS)


async def open_drawer(trade: Trade) -> UUID:
    data = OpenTillInput(location=trade.at_malmo.id, till="1", float_amount=50_000)
    return (await trade.db.transaction(lambda tx: books.open_till(tx, data), WHO)).shift.id


async def test_tips_are_paid_with_the_wages_once(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    await tipping(trade)
    for tip in (2_000, 1_050):
        await ring_up(trade, kettle, tip, CARD)
    assert (await owed(trade)).owed == 3_050
    for wrong in (3_000, 3_051):  # something else than what somebody saw
        with pytest.raises(TipsState) as refused:
            await pay(trade, wanted(trade, wrong))
        assert refused.value.extra["owed"] == 3_050
    store = Context(actor=Actor(kind="staff", id=uuid4(), name="Sam", permissions=permissions_of(Role.STORE)))
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: books.pay_tips_out(tx, wanted(trade, 3_050)), store)
    key = uuid4()
    first = await pay(trade, wanted(trade, 3_050, id=key))
    again = await pay(trade, wanted(trade, 3_050, id=key))
    assert (first.id, again.id, again.clerk_name) == (key, key, CLERK.name)
    with pytest.raises(Conflict):
        await pay(trade, wanted(trade, 10, id=key))
    with pytest.raises(TipsState):
        await pay(trade, wanted(trade, 3_050))
    book = await settled(trade)
    assert (book.get("tips"), book["wages_payable"]) == (None, -3_050)
    now = await owed(trade)
    assert (now.given, now.paid, now.owed) == (3_050, 3_050, 0)
    for _ in range(2):
        undone = await undo(trade, key)
        assert undone.undone_name == "Olivia"
    book = await settled(trade)
    assert (book["tips"], book.get("wages_payable")) == (-3_050, None)
    assert (await owed(trade)).owed == 3_050
    kinds = [event["type"] for event in await trade.db.rows("SELECT type FROM event ORDER BY id")]
    assert (kinds.count("till.tips_paid"), kinds.count("till.tips_unpaid")) == (1, 1)


async def test_tips_out_of_a_drawer_are_coins_and_go_back_into_one(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    await tipping(trade)
    shift = await open_drawer(trade)
    await ring_up(trade, kettle, 2_030, CARD)
    with pytest.raises(InvalidInput):  # which drawer?
        await pay(trade, wanted(trade, 2_030, Means.DRAWER))
    with pytest.raises(InvalidInput):  # there is none of this id
        await pay(trade, wanted(trade, 2_030, Means.DRAWER, shift=uuid4()))
    payout = await pay(trade, wanted(trade, 2_030, Means.DRAWER, shift=shift))
    assert (payout.amount, payout.paid) == (2_030, 2_000)  # coins of a krona
    report = await trade.db.transaction(lambda tx: books.x_report(tx, shift), WHO)
    assert (report.moved, report.expected) == (-2_000, 48_000)
    book = await settled(trade)
    assert (book.get("tips"), book["rounding"]) == (None, -30)
    counted = CloseTillInput(counts={"10000": 4, "1000": 8})
    await trade.db.transaction(lambda tx: books.close_till(tx, shift, counted), WHO)
    with pytest.raises(TillState):  # that drawer was counted: its cash cannot come back into it
        await undo(trade, payout.id)
    other = await open_drawer(trade)
    await undo(trade, payout.id, other)
    book = await settled(trade)
    assert (book["tips"], book.get("rounding")) == (-2_030, None)
    assert (await trade.db.transaction(lambda tx: books.x_report(tx, other), WHO)).expected == 52_000


async def test_two_who_pay_the_same_at_once_pay_it_once(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    await tipping(trade)
    await ring_up(trade, kettle, 1_000, CARD)
    key = uuid4()
    tries = [
        wanted(trade, 1_000),
        wanted(trade, 1_000),
        wanted(trade, 1_000, id=key),
        wanted(trade, 1_000, id=key),
    ]
    done = await asyncio.gather(*(pay(trade, each) for each in tries), return_exceptions=True)
    paid = {each.id for each in done if isinstance(each, books.TipPayout)}
    assert len(paid) == 1
    assert all(isinstance(each, (books.TipPayout, TipsState)) for each in done), done
    [payout] = paid
    both = await asyncio.gather(undo(trade, payout), undo(trade, payout))
    assert both[0].undone_at == both[1].undone_at
    assert (await settled(trade))["tips"] == -1_000
    found = await VOUCHERS.page(
        trade.db,
        ListQuery(limit=50, filters={"kind": "tip"}),
        [one.id for one in await books.books(trade.db)],
    )
    assert sorted(row.debit for row in found.items) == [1_000, 1_000, 1_000]  # given, paid out, undone


async def test_what_went_back_after_it_was_paid_out_is_taken_off_the_next(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    await tipping(trade)
    sold = await ring_up(trade, kettle, 1_000, CARD)
    first = await pay(trade, wanted(trade, 1_000, Means.BANK))
    await trade.db.transaction(lambda tx: orders.give_tip_back(tx, sold.id), WHO)
    assert (await owed(trade)).owed == -1_000
    await ring_up(trade, kettle, 2_500, CARD)
    second = await pay(trade, wanted(trade, 1_500))
    assert (await settled(trade)).get("tips") is None
    # Undone in whatever order, what is owed is what the staff lack.
    await undo(trade, first.id)
    assert (await owed(trade)).owed == 1_000
    await undo(trade, second.id)
    assert (await owed(trade)).owed == 2_500
    assert (await settled(trade))["tips"] == -2_500


async def test_tips_are_summed_by_day_and_listed(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    await tipping(trade)
    shift = await open_drawer(trade)
    sold = await ring_up(trade, kettle, 2_000, CARD)
    await trade.follow()
    await trade.db.transaction(lambda tx: books.x_report(tx, shift), WHO)
    [by_day] = await books.tip_sums(trade.db, TipsWanted(), "day")
    assert (by_day.part, by_day.sales, by_day.owed) == (sold.local_day.isoformat(), 1, 2_000)
    [by_till] = await books.tip_sums(trade.db, TipsWanted(since=sold.local_day, until=sold.local_day), "till")
    assert by_till.part.endswith(" · 1")
    assert await books.tip_sums(trade.db, TipsWanted(locations=[uuid4()]), "location") == []
    for filters, many in (
        ({"till": "1", "status": "owed", "clerk": str(CLERK.id), "from": str(sold.local_day)}, 1),
        ({"till": "2"}, 0),
        ({"status": "paid"}, 0),
        ({"location": str(uuid4())}, 0),
    ):
        page = await books.EACH_TIP.page(trade.db, ListQuery(limit=5, filters=filters), None)
        assert len(page.items) == many, filters
