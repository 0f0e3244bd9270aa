"""What happens to orders, payments, gift cards and stock is in the book, once, and it balances."""

import asyncio
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from bookkeeping import accounts, book_of, held, ids, is_sound, settled, vouchers

import horizon
from mixed_sets import breakfast
from samlad import books, credit, orders, stock
from samlad.books import (
    AccountInput,
    BookChange,
    Recognition,
    ReverseInput,
    VoucherState,
    posting,
    purposes,
)
from samlad.books.followers import FOLLOWERS, follow
from samlad.books.posting import Cause
from samlad.credit import GrantInput, IssueInput
from samlad.kernel import followers, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.orders import CancelInput, FulfilInput, ReturnInput
from samlad.orders import changes as order_changes
from samlad.orders import store as order_store
from samlad.orders.events import OrdersImported
from samlad.orders.model import LineSelection
from samlad.payments import PaymentInput
from trade import Trade


async def test_a_till_sale_is_cash_against_sales_and_tax(trade: Trade) -> None:
    kettle = await trade.kettle(price=19_950, at=trade.at_malmo)
    cart = await trade.cart((kettle, 1), channel=trade.malmo, delivery="carry_out")
    await trade.place(cart.id, PaymentInput(provider="cash"))
    assert await settled(trade) == {
        "cash:malmo": 20_000,
        "rounding": -50,
        "sales:2500:SE": -15_960,
        "tax:2500:SE": -3_990,
    }
    assert await accounts(trade.db) == {"1910": 20_000, "3740": -50, "3001": -15_960, "2611": -3_990}
    assert await vouchers(trade.db) == ["P1", "S1"]


async def test_a_set_of_several_rates_is_sales_and_tax_of_each_and_so_is_what_comes_back(
    trade: Trade,
) -> None:
    box, _jam, book, _bowl = await breakfast(trade, at=trade.at_malmo)
    cart = await trade.cart((box, 1), channel=trade.malmo, delivery="carry_out")
    order = await trade.place(cart.id, PaymentInput(provider="cash"))
    sales = {
        "sales:1200:SE": -3_348,
        "tax:1200:SE": -402,
        "sales:600:SE": -14_151,
        "tax:600:SE": -849,
        "sales:2500:SE": -9_000,
        "tax:2500:SE": -2_250,
    }
    assert await settled(trade) == {"cash:malmo": 30_000, **sales}
    place = next(line.position for line in order.lines if line.variant == book)
    part = ReturnInput(lines=[LineSelection(position=place, quantity=1)])
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, part))
    left = {name: amount for name, amount in sales.items() if ":600:" not in name}
    assert await settled(trade) == {"cash:malmo": 15_000, **left}


async def test_an_unpaid_order_is_booked_as_far_as_it_was_handed_over(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    order = await trade.buy((kettle, 3), pay_later=True)
    assert await settled(trade) == {}
    part = FulfilInput(lines=[LineSelection(position=1, quantity=1)])
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, part))
    assert await settled(trade) == {"receivables": 10_000, "sales:2500:SE": -8_000, "tax:2500:SE": -2_000}
    pay = orders.PayInput(payments=[PaymentInput(provider="test")])
    await trade.db.transaction(lambda tx: orders.pay(tx, order.id, pay))
    assert await settled(trade) == {
        "clearing:test": 30_000,
        "sales:2500:SE": -24_000,
        "tax:2500:SE": -6_000,
    }


async def test_a_return_and_a_cancellation_take_everything_back(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    sold, cancelled = await trade.buy((kettle, 3)), await trade.buy((kettle, 2))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, sold.id, FulfilInput()))
    back = ReturnInput(lines=[LineSelection(position=1, quantity=2)])
    await trade.db.transaction(lambda tx: orders.take_back(tx, sold.id, back))
    await trade.db.transaction(lambda tx: orders.cancel(tx, cancelled.id, CancelInput()))
    assert await settled(trade) == {
        "clearing:test": 10_000,
        "sales:2500:SE": -8_000,
        "tax:2500:SE": -2_000,
    }


async def test_with_hand_over_paid_goods_are_a_prepayment_and_their_tax_is_due(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    await trade.buy((kettle, 1))
    await trade.follow()
    book = await book_of(trade.db)
    change = BookChange(recognition=Recognition.HANDED_OVER)
    await trade.db.transaction(lambda tx: books.change(tx, book.id, change))
    order = await trade.buy((kettle, 2))
    found = await settled(trade)
    assert (found["prepayments"], found["sales:2500:SE"], found["tax:2500:SE"]) == (-16_000, -8_000, -6_000)
    part = FulfilInput(lines=[LineSelection(position=1, quantity=1)])
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, part))
    found = await settled(trade)
    assert (found["prepayments"], found["sales:2500:SE"], found["tax:2500:SE"]) == (-8_000, -16_000, -6_000)


async def test_gift_cards_are_a_debt_until_they_pay(trade: Trade) -> None:
    kettle = await trade.kettle(price=20_000)
    seller = await trade.buy((kettle, 1))
    sold = IssueInput(channel=trade.web.id, amount=15_000, order=seller.id)
    card = await trade.db.transaction(lambda tx: credit.issue(tx, sold))
    given = IssueInput(channel=trade.web.id, amount=1_000, note="Sorry")
    await trade.db.transaction(lambda tx: credit.issue(tx, given))
    found = await settled(trade)
    assert (found["gift_cards"], found["gift_cards_sold"], found["credit_given"]) == (-16_000, 15_000, 1_000)
    cart = await trade.cart((kettle, 1))
    by_card = PaymentInput(provider="gift_card", amount=12_000, token=card.code)
    order = await trade.place(cart.id, by_card, PaymentInput(provider="test"))
    found = await settled(trade)
    assert (found["gift_cards"], found["clearing:test"]) == (-4_000, 28_000)
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    assert (await settled(trade))["gift_cards"] == -16_000


async def test_store_credit_as_a_refund_pays_what_is_owed(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    order = await trade.buy((kettle, 1))
    await trade.follow()
    customer = await trade.db.value("SELECT customer FROM orders WHERE id = $1", order.id)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput(refund=False)))
    grant = GrantInput(amount=10_000, currency="SEK", reason="Returned", order=order.id, key=new_id())
    await trade.db.transaction(lambda tx: credit.grant(tx, customer, grant))
    assert await settled(trade) == {"clearing:test": 10_000, "store_credit": -10_000}


async def test_the_cost_of_goods_is_booked_and_comes_back_with_them(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000, quantity=0)
    place = trade.warehouse.id
    await trade.db.transaction(lambda tx: stock.receive(tx, place, [(kettle, 4)], unit_costs_e4=[60_000_000]))
    order = await trade.buy((kettle, 2))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    found = await settled(trade)
    assert (found["cost_of_goods"], found["stock"]) == (12_000, -12_000)
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    assert await settled(trade) == {}


async def test_events_told_twice_and_a_replay_book_nothing_more(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    order = await trade.buy((kettle, 3))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    await trade.follow()
    before = await vouchers(trade.db), await held(trade.db)
    await followers.replay(trade.db, "books")
    await trade.follow()
    assert (await vouchers(trade.db), await held(trade.db)) == before
    event_id = await trade.db.value("SELECT id FROM event WHERE type = 'order.placed' ORDER BY seq LIMIT 1")
    event = await log.by_id(trade.db, event_id)
    assert event is not None

    async def again(tx: Any) -> None:
        await follow(tx, event)

    await asyncio.gather(*(trade.db.transaction(again) for _ in range(4)))
    assert (await vouchers(trade.db), await held(trade.db)) == before


async def test_the_same_event_at_once_books_once(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    await trade.buy((kettle, 1))
    given = IssueInput(channel=trade.web.id, amount=1_000, note="Sorry")
    await trade.db.transaction(lambda tx: credit.issue(tx, given))
    await horizon.passed(trade.db)
    rows = await trade.db.rows("SELECT id FROM event ORDER BY seq")
    events = [await log.by_id(trade.db, row["id"]) for row in rows]

    async def all_of_them(tx: Any) -> None:
        for event in events:
            assert event is not None
            if event.type in (FOLLOWERS[0].types or ()):
                await follow(tx, event)

    await asyncio.gather(*(trade.db.transaction(all_of_them) for _ in range(5)))
    assert await vouchers(trade.db) == ["G1", "P1", "S1"]
    await trade.follow()
    await is_sound(trade.db)


async def test_imported_orders_are_not_booked_unless_the_book_says_so(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    await trade.buy((kettle, 1))
    rows = await trade.db.rows("UPDATE orders SET imported = 'old' RETURNING id, channel")
    await trade.db.rows("DELETE FROM payment RETURNING 1")

    async def tell(tx: Any) -> None:
        fact = OrdersImported(
            source="old",
            count=1,
            lines=1,
            total=10_000,
            currency="SEK",
            first="1",
            last="1",
            orders=[rows[0]["id"]],
        )
        log.append(tx, fact, channel=rows[0]["channel"])

    await trade.db.transaction(tell)
    await trade.follow()
    assert "S1" not in await vouchers(trade.db)
    book = await book_of(trade.db)
    await trade.db.transaction(lambda tx: books.change(tx, book.id, BookChange(posts_imports=True)))
    await followers.replay(trade.db, "books")
    await trade.follow()
    assert (await held(trade.db))["imported"] == 10_000
    assert await vouchers(trade.db, "order") == ["S1"]


async def test_an_order_from_elsewhere_with_its_payment_is_trade(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    await trade.buy((kettle, 1))
    await trade.db.rows("UPDATE orders SET imported = 'marketplace' RETURNING 1")
    assert await settled(trade) == {
        "clearing:test": 10_000,
        "sales:2500:SE": -8_000,
        "tax:2500:SE": -2_000,
    }


async def test_the_book_is_append_only_and_balanced_by_the_database(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    await trade.buy((kettle, 1))
    await trade.follow()
    for sql in (
        "UPDATE voucher_line SET amount = 1 RETURNING 1",
        "DELETE FROM voucher RETURNING 1",
        "INSERT INTO voucher_line SELECT voucher, 90, purpose, account, 1, currency FROM voucher_line LIMIT 1 RETURNING 1",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await trade.db.rows(sql)


async def test_a_voucher_is_reversed_once_on_its_own_accounts(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    await trade.buy((kettle, 1))
    await trade.follow()
    (voucher, *_) = await ids(trade.db, "order")
    why = ReverseInput(reason="Wrong channel")
    done = await asyncio.gather(
        *(trade.db.transaction(lambda tx: books.reverse(tx, voucher, why)) for _ in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, VoucherState) for one in done) == 2
    assert (await held(trade.db)) == {"clearing:test": 10_000, "receivables": -10_000}
    assert await vouchers(trade.db, "reversal") == ["M1"]
    (reversal,) = await ids(trade.db, "reversal")
    with pytest.raises(VoucherState):
        await trade.db.transaction(lambda tx: books.reverse(tx, reversal, why))


async def test_the_doctor_says_which_row_differs(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    order = await trade.buy((kettle, 1))
    await trade.follow()
    await trade.db.rows("UPDATE payment SET captured = 9999 RETURNING 1")
    await trade.db.rows("UPDATE orders SET total = total + 1 WHERE id = $1 RETURNING 1", order.id)
    await trade.db.rows("UPDATE book_series SET last = last + 1 WHERE series = 'S' RETURNING 1")
    found = {check.name: await check.look(trade.db) for check in books.checks.CHECKS}
    payment = await trade.db.value("SELECT id FROM payment")
    assert f"payment {payment}: test: 9999 moved, 10000 in the book" in found["books-money"].message
    assert f"sale {order.number}: comes to 10001, 10000 in the book" in found["books-orders"].message
    assert "series S" in found["books-numbers"].message


async def test_what_is_called_off_is_never_more_than_was_booked(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    for later in (True, False):
        order = await trade.buy((kettle, 3), pay_later=later)
        part = FulfilInput(lines=[LineSelection(position=1, quantity=1)])
        await trade.db.transaction(lambda tx, o=order, part=part: orders.fulfil(tx, o.id, part))

        async def call_off(tx: Any, order: orders.Order = order) -> None:
            locked = await order_store.lock(tx, order.id)
            assert locked is not None
            head, lines = locked
            await order_changes.call_off(tx, head, lines, [(lines[0], 2)], "gone")

        await trade.db.transaction(call_off)
    assert await settled(trade) == {
        "receivables": 10_000,
        "clearing:test": 10_000,
        "sales:2500:SE": -16_000,
        "tax:2500:SE": -4_000,
    }


async def test_a_refund_is_a_debt_until_the_provider_has_answered(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    order = await trade.buy((kettle, 1))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    refund = await trade.db.value("SELECT id FROM refund")
    seen = []
    for number, status in enumerate(("pending", "failed", "done")):
        await trade.db.rows("UPDATE refund SET status = $1 RETURNING 1", status)
        cause = Cause(key=f"told-{number}", at=now(), actor="system")
        for _ in range(2):
            await trade.db.transaction(lambda tx, cause=cause: posting.settle_refund(tx, refund, cause))
        found = await held(trade.db)
        seen.append((found.get("refunds_to_pay", 0), found.get("clearing:test", 0)))
    assert seen == [(-10_000, 0), (0, 0), (0, -10_000)]
    assert await settled(trade) == {}


async def test_another_account_holds_from_its_day_on(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    await trade.buy((kettle, 1))
    await trade.follow()
    book = await book_of(trade.db)
    today = local_day(now(), "Europe/Stockholm")
    for purpose, number, start in (
        ("sales:2500", "3051", today - timedelta(days=1)),
        ("sales", "3050", today - timedelta(days=1)),
        ("clearing:test", "1581", today + timedelta(days=5)),
    ):
        data = AccountInput(purpose=purpose, number=number, name="Ours", valid_from=start)
        await trade.db.transaction(lambda tx, data=data: books.set_account(tx, book.id, data))
    await trade.buy((kettle, 1))
    await trade.follow()
    assert await accounts(trade.db) == {"1580": 20_000, "2611": -4_000, "3001": -8_000, "3051": -8_000}
    unknown = AccountInput(purpose="wages", number="7010", name="Wages", valid_from=today)
    with pytest.raises(InvalidInput, match="unknown; there are sales, tax"):
        await trade.db.transaction(lambda tx: books.set_account(tx, book.id, unknown))


async def test_numbers_have_no_gap_when_posting_rolls_back(trade: Trade) -> None:
    kettle = await trade.kettle(price=10_000)
    await trade.buy((kettle, 1))
    await trade.follow()
    order = await trade.buy((kettle, 1))
    cause = Cause(key="lost", at=now(), actor="system")

    async def killed(tx: Any) -> None:
        await posting.settle_order(tx, order.id, cause)
        raise RuntimeError("killed in the middle")

    with pytest.raises(RuntimeError):
        await trade.db.transaction(killed)
    await trade.follow()
    assert await vouchers(trade.db) == ["P1", "P2", "S1", "S2"]
    await is_sound(trade.db)


@pytest.mark.parametrize(
    ("purpose", "number"),
    [
        ("sales:2500:SE", "3001"),
        ("sales:2100:SE", "3000"),
        ("sales:2100:NL", "3106"),
        ("tax:2500:NL", "2670"),
        ("clearing:invoice", "1930"),
        ("clearing:stripe", "1580"),
        ("cash:malmo", "1910"),
        ("shipping:2500:SE", "3520"),
        ("sales:0:SE:intra_eu", "3108"),
        ("sales:0:SE:export", "3105"),
        ("sales:2100:NL:oss", "3106"),
        ("tax:2100:NL:oss", "2670"),
        ("tax:0:SE:margin", "2616"),
        ("shipping:0:SE:export", "3520"),
    ],
)
def test_the_swedish_chart(purpose: str, number: str) -> None:
    assert purposes.account_of(purpose, date(2026, 1, 1), "SE", []).number == number


@pytest.mark.parametrize("country", ["SE", "DE"])
def test_every_purpose_has_an_account(country: str) -> None:
    for purpose in purposes.PURPOSES:
        for narrowed in (purpose, f"{purpose}:1900", f"{purpose}:1900:FR"):
            assert purposes.account_of(narrowed, date(2026, 1, 1), country, []).number
    with pytest.raises(InvalidInput):
        purposes.account_of("wages", date(2026, 1, 1), country, [])


@pytest.mark.parametrize("recognition", [Recognition.PAID, Recognition.HANDED_OVER])
async def test_a_deposit_is_owed_and_no_sale_until_the_rest_is_paid(
    trade: Trade, recognition: Recognition
) -> None:
    order = await trade.place(
        (await trade.cart((await trade.kettle(price=20_000), 1))).id,
        PaymentInput(provider="test"),
        deposit=5_000,
    )
    assert await settled(trade) == {"clearing:test": 5_000, "prepayments": -4_000, "tax:2500:SE": -1_000}
    book = await book_of(trade.db)
    await trade.db.transaction(lambda tx: books.change(tx, book.id, BookChange(recognition=recognition)))
    rest = orders.PayInput(payments=[PaymentInput(provider="test", amount=7_000)], is_part=True)
    await trade.db.transaction(lambda tx: order_changes.pay(tx, order.id, rest))
    assert await settled(trade) == {"clearing:test": 12_000, "prepayments": -9_600, "tax:2500:SE": -2_400}
    rest = orders.PayInput(payments=[PaymentInput(provider="test")])
    await trade.db.transaction(lambda tx: order_changes.pay(tx, order.id, rest))
    sold = "sales:2500:SE" if recognition is Recognition.PAID else "prepayments"
    assert await settled(trade) == {"clearing:test": 20_000, sold: -16_000, "tax:2500:SE": -4_000}
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    after = await settled(trade)
    assert (after["sales:2500:SE"], after.get("prepayments", 0)) == (-16_000, 0)
    await is_sound(trade.db)


async def test_a_deposit_that_goes_back_leaves_nothing_in_the_book(trade: Trade) -> None:
    order = await trade.place(
        (await trade.cart((await trade.kettle(price=20_000), 1))).id,
        PaymentInput(provider="test"),
        deposit=5_000,
    )
    assert (await settled(trade))["prepayments"] == -4_000
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    assert await settled(trade) == {}
    await is_sound(trade.db)
