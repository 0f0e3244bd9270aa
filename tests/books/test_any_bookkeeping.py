"""Any mixture of sales, part refunds, gift cards, roundings, fees and prepayments: the book balances and equals them."""

import asyncio
from collections.abc import Coroutine
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from bookkeeping import is_sound
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from samlad import books, credit, orders
from samlad.books import Recognition, posting, rules
from samlad.books.followers import FOLLOWERS, follow
from samlad.books.model import Entry
from samlad.books.rules import OrderFact, OrderLineFact
from samlad.credit import IssuedCard, IssueInput
from samlad.kernel import log
from samlad.kernel.database import Tx, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import Problem
from samlad.kernel.settings import load
from samlad.orders import CancelInput, FulfilInput, ReturnInput
from samlad.orders.model import LineSelection
from samlad.payments import PaymentInput
from trade import build
from warm import Databases, apart

# -- what orders come to, without a database --------------------------------------------------------------------------


@st.composite
def line_facts(draw: st.DrawFn) -> OrderLineFact:
    kind = draw(st.sampled_from(["item", "item", "shipping", "fee", "adjustment"]))
    quantity = draw(st.integers(1, 9)) if kind == "item" else 1
    fulfilled = draw(st.integers(0, quantity)) if kind == "item" else 0
    total = draw(st.integers(0, 100_000))
    rate = 0 if kind == "adjustment" else draw(st.sampled_from([0, 600, 1200, 2500]))
    return OrderLineFact(
        kind=kind,
        quantity=quantity,
        fulfilled=fulfilled,
        cancelled=draw(st.integers(0, quantity - fulfilled)) if kind == "item" else 0,
        tax_rate=rate,
        tax_included=draw(st.booleans()),
        tax=total - total * 10_000 // (10_000 + rate),
        total=total,
        reduced=draw(st.integers(0, 5_000)) if kind == "item" else 0,
    )


@st.composite
def order_facts(draw: st.DrawFn) -> OrderFact:
    return OrderFact(
        id=UUID(int=1),
        number="W1",
        channel=UUID(int=3),
        location=None,
        kind="sale",
        status=draw(st.sampled_from(["placed", "paid", "fulfilled", "cancelled"])),
        payment_status=draw(st.sampled_from(["unpaid", "authorized", "paid", "refunded"])),
        delivery="ship",
        country=draw(st.sampled_from([None, "SE", "NL"])),
        currency="SEK",
        local_day=date(2026, 1, 1),
        imported=None,
        lines=draw(st.lists(line_facts(), max_size=6)),
    )


@given(order_facts(), st.sampled_from(list(Recognition)))
def test_the_target_of_any_order_balances(order: OrderFact, recognition: Recognition) -> None:
    target = rules.order_target(order, "SE", recognition)
    assert sum(target.values()) == 0
    owed = sum(amount for entry, amount in target.items() if entry.purpose == "receivables")
    tax = -sum(amount for entry, amount in target.items() if entry.purpose.startswith("tax:"))
    if order.status == "cancelled":
        assert target == {}
    elif order.is_paid:
        assert owed == sum(line.total for line in order.lines)
        assert tax == sum(line.tax for line in order.lines)
    else:
        assert 0 <= owed <= sum(line.total for line in order.lines)


@given(order_facts())
def test_when_income_is_recognised_changes_neither_what_is_owed_nor_its_tax(order: OrderFact) -> None:
    def of(recognition: Recognition) -> dict[str, int]:
        found: dict[str, int] = {}
        for entry, amount in rules.order_target(order, "SE", recognition).items():
            name = entry.purpose if entry.purpose.startswith(("tax", "receivables")) else "income"
            found[name] = found.get(name, 0) + amount
        return {name: amount for name, amount in found.items() if amount}

    assert of(Recognition.PAID) == of(Recognition.HANDED_OVER)


entries = st.builds(Entry, st.sampled_from(["sales", "tax", "receivables"]), st.sampled_from(["SEK", "EUR"]))


@given(st.dictionaries(entries, st.integers(-99, 99)), st.dictionaries(entries, st.integers(-99, 99)))
def test_the_difference_makes_the_book_what_it_should_be(
    target: dict[Entry, int], booked: dict[Entry, int]
) -> None:
    change = rules.difference(target, booked)
    after = {entry: booked.get(entry, 0) + change.get(entry, 0) for entry in booked.keys() | change.keys()}
    assert {e: a for e, a in after.items() if a} == {e: a for e, a in target.items() if a}
    assert rules.difference(target, after) == {}


# -- and with one ------------------------------------------------------------------------------------------------------


class Shop(RuleBasedStateMachine):
    """A retailer to whom anything happens; the follower reads as it pleases, and some events twice."""

    databases: Databases
    folder: Path
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[UUID] = []
        self.cards: list[IssuedCard] = []
        self.read = 0

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def run(self, work: Any) -> Any:
        """A verb; None when it refuses."""
        try:
            return self.do(self.db.transaction(work))
        except Problem:
            return None

    @initialize(recognition=st.sampled_from(list(Recognition)))
    def start(self, recognition: Recognition) -> None:
        async def begin() -> None:
            dsn = await self.databases.clean()
            chosen = load({}, home=self.folder, database_url=dsn, pool_size=2)
            self.trade = await build(await open_database(dsn, chosen), shipping_flat=4_900)
            self.db = self.trade.db
            self.kettle = await self.trade.kettle(price=19_950, quantity=500)
            self.mug = await self.trade.kettle(price=3_333, quantity=500, at=self.trade.at_malmo)

            async def choose(tx: Tx) -> None:
                book = await posting.book_of(tx, self.trade.web)
                await books.change(tx, book.id, books.BookChange(recognition=recognition))

            await self.db.transaction(choose)

        self.do(begin())

    def teardown(self) -> None:
        if hasattr(self, "trade"):
            self.do(self.db.close())

    @rule(quantity=st.integers(1, 4), later=st.booleans())
    def order(self, quantity: int, later: bool) -> None:
        self.orders.append(self.do(self.trade.buy((self.kettle, quantity), pay_later=later)).id)

    @rule(quantity=st.integers(1, 3), tender=st.sampled_from(["cash", "test"]))
    def ring_up(self, quantity: int, tender: str) -> None:
        cart = self.do(self.trade.cart((self.mug, quantity), channel=self.trade.malmo, delivery="carry_out"))
        self.orders.append(self.do(self.trade.place(cart.id, PaymentInput(provider=tender))).id)

    @rule(data=st.data(), amount=st.integers(1, 40_000), sold=st.booleans())
    def card(self, data: st.DataObject, amount: int, sold: bool) -> None:
        order = data.draw(st.sampled_from(self.orders)) if sold and self.orders else None
        given_card = IssueInput(channel=self.trade.web.id, amount=amount, note="x", order=order)
        made = self.run(lambda tx: credit.issue(tx, given_card))
        if made is not None:
            self.cards.append(made)

    @rule(data=st.data(), part=st.integers(1, 9_000))
    def pay_by_card(self, data: st.DataObject, part: int) -> None:
        if self.cards:
            code = data.draw(st.sampled_from(self.cards)).code
            cart = self.do(self.trade.cart((self.kettle, 1)))
            paid = [
                PaymentInput(provider="gift_card", amount=part, token=code),
                PaymentInput(provider="test"),
            ]
            placed = self.run(lambda tx: orders.place(tx, orders.PlaceOrder(cart=cart.id, payments=paid)))
            if placed is not None:
                self.orders.append(placed.id)

    @rule(data=st.data(), tender=st.sampled_from(["test", "cash"]))
    def pay(self, data: st.DataObject, tender: str) -> None:
        self.change(data, lambda tx, order: orders.pay(tx, order, _paid(tender)))

    @rule(data=st.data(), quantity=st.integers(1, 3))
    def fulfil(self, data: st.DataObject, quantity: int) -> None:
        part = FulfilInput(lines=[LineSelection(position=1, quantity=quantity)])
        self.change(data, lambda tx, order: orders.fulfil(tx, order, part))

    @rule(data=st.data(), quantity=st.integers(1, 3), refund=st.booleans())
    def take_back(self, data: st.DataObject, quantity: int, refund: bool) -> None:
        part = ReturnInput(lines=[LineSelection(position=1, quantity=quantity)], refund=refund)
        self.change(data, lambda tx, order: orders.take_back(tx, order, part))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.change(data, lambda tx, order: orders.cancel(tx, order, CancelInput()))

    def change(self, data: st.DataObject, work: Any) -> None:
        if self.orders:
            order = data.draw(st.sampled_from(self.orders))
            self.run(lambda tx: work(tx, order))

    @rule(twice=st.booleans())
    def follow(self, twice: bool) -> None:
        self.do(self.trade.follow())
        if twice:
            self.do(self.tell_again())

    async def tell_again(self) -> None:
        types = list(FOLLOWERS[0].types or ())
        for row in await self.db.rows(
            "SELECT id FROM event WHERE type = ANY ($1) ORDER BY seq DESC LIMIT 8", types
        ):
            event = await log.by_id(self.db, row["id"])
            assert event is not None
            await self.db.transaction(lambda tx, event=event: follow(tx, event))

    @invariant()
    def the_book_balances_at_any_time(self) -> None:
        if hasattr(self, "db"):
            off = "SELECT voucher FROM voucher_line GROUP BY voucher, currency HAVING sum(amount) <> 0"
            assert self.do(self.db.rows(off)) == []

    @rule()
    def it_equals_orders_payments_and_credit(self) -> None:
        self.do(self.trade.follow())
        self.do(is_sound(self.db))
        owed = self.do(
            self.db.value(
                "SELECT coalesce(sum(amount), 0)::bigint FROM voucher_line WHERE purpose = 'receivables'"
            )
        )
        booked = self.do(
            self.db.value(
                """SELECT coalesce(sum(l.amount), 0)::bigint FROM voucher v JOIN voucher_line l ON l.voucher = v.id
                   WHERE v.kind = 'order' AND l.purpose = 'receivables'"""
            )
        )
        money = self.do(self.db.value("SELECT coalesce(sum(captured - refunded), 0)::bigint FROM payment"))
        assert owed == booked - money


def _paid(tender: str) -> orders.PayInput:
    return orders.PayInput(payments=[PaymentInput(provider=tender)])


def test_any_shop(postgres: Embedded, template: str, tmp_path: Path) -> None:
    Shop.folder = tmp_path
    with apart(postgres, template) as (Shop.loop, Shop.databases):
        run_state_machine_as_test(
            Shop,
            settings=settings(
                max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
