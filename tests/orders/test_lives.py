"""The life of orders, any way it may go: stock, money and sums always agree."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from samlad import carts, orders, stock
from samlad.kernel.database import open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import InvalidInput, Problem
from samlad.kernel.settings import load
from samlad.orders import CancelInput, FulfilInput, LineSelection, Order, ReturnInput, WrongState
from samlad.stock import SoldOut
from trade import build
from warm import Databases, apart

START = 12


class Lives(RuleBasedStateMachine):
    """A webshop and a till sell two things; orders are shipped, cancelled and taken back in parts."""

    databases: Databases
    folder: Path
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[Order] = []
        self.open_carts: list[UUID] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def start(self) -> None:
        async def begin() -> None:
            dsn = await self.databases.clean()
            settings = load({}, home=self.folder, database_url=dsn, pool_size=2)
            self.trade = await build(await open_database(dsn, settings), shipping_flat=4_900)
            self.goods = [await self.trade.kettle(price, START) for price in (9_999, 25_000)]
            wanted = [(variant, START) for variant in self.goods]
            await self.trade.db.transaction(lambda tx: stock.receive(tx, self.trade.at_malmo.id, wanted))

        self.do(begin())

    def teardown(self) -> None:
        if hasattr(self, "trade"):
            self.do(self.trade.db.close())

    @rule(which=st.integers(0, 1), quantity=st.integers(1, 5), at_till=st.booleans(), second=st.booleans())
    def fill(self, which: int, quantity: int, at_till: bool, second: bool) -> None:
        lines = [(self.goods[which], quantity)] + ([(self.goods[1 - which], 1)] if second else [])
        channel = self.trade.malmo if at_till else None
        self.open_carts.append(self.do(self.trade.cart(*lines, channel=channel)).id)

    @rule(data=st.data())
    def check_out(self, data: st.DataObject) -> None:
        if self.open_carts:
            cart = data.draw(st.sampled_from(self.open_carts))
            self.attempt(self.trade.db.transaction(lambda tx: carts.checkout(tx, cart)), SoldOut)

    @rule(data=st.data())
    def shop_on(self, data: st.DataObject) -> None:
        if self.open_carts:
            cart = data.draw(st.sampled_from(self.open_carts))
            self.do(self.trade.db.transaction(lambda tx: carts.reopen(tx, cart)))

    @rule(data=st.data(), later=st.booleans())
    def place(self, data: st.DataObject, later: bool) -> None:
        if self.open_carts:
            cart = data.draw(st.sampled_from(self.open_carts))
            order = self.attempt(self.trade.place(cart, pay_later=later), SoldOut)
            if order is not None:
                self.open_carts.remove(cart)
                self.orders.append(order)

    @rule(data=st.data())
    def ship(self, data: st.DataObject) -> None:
        if self.orders:
            order, lines = self.pick(data)
            work = self.trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput(lines=lines)))
            self.attempt(work, WrongState, InvalidInput)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if self.orders:
            order, _ = self.pick(data)
            self.attempt(
                self.trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput())), WrongState
            )

    @rule(data=st.data(), elsewhere=st.booleans(), refund=st.booleans())
    def take_back(self, data: st.DataObject, elsewhere: bool, refund: bool) -> None:
        if self.orders:
            order, lines = self.pick(data)
            place = self.trade.at_lund.id if elsewhere else None
            given = ReturnInput(lines=lines, location=place, refund=refund)
            work = self.trade.db.transaction(lambda tx: orders.take_back(tx, order.id, given))
            self.attempt(work, WrongState, InvalidInput)

    @rule(
        data=st.data(),
        kind=st.sampled_from(["goodwill", "return", "cancel", "exchange", "claim", "quantity"]),
        refund_to=st.sampled_from(["tender", "credit"]),
        amount=st.integers(1, 30_000),
    )
    def change(self, data: st.DataObject, kind: str, refund_to: str, amount: int) -> None:
        if self.orders:
            order, lines = self.pick(data)
            quantity = lines[0].quantity if lines else 1
            action: dict[str, Any] = {"kind": kind, "position": 1, "quantity": quantity}
            if kind == "goodwill":
                action = {"kind": kind, "amount": amount}
            elif kind == "exchange":
                action["variant"] = data.draw(st.sampled_from([None, *self.goods]))
            elif kind == "claim":
                action |= {"goods_back": True, "condition": "new"}
            given = {"actions": [action], "refund_to": refund_to, "pay_later": True, "override": "a test"}
            change = msgspec.convert(given, orders.ChangeInput)
            work = self.trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, change))
            done = self.attempt(work, WrongState, InvalidInput, SoldOut)
            if done is not None and done.placed is not None:
                self.orders.append(self.do(orders.read(self.trade.db, done.placed)))

    @rule()
    def follow(self) -> None:
        self.do(self.trade.follow())

    @invariant()
    def all_agrees(self) -> None:
        if hasattr(self, "trade"):
            self.do(self.trade.sound())
            total = "SELECT coalesce(sum(on_hand), 0) FROM level WHERE variant = $1"
            out = """SELECT coalesce(sum(fulfilled - returned), 0) FROM order_line l JOIN orders o ON o.id = l.order_id
                     WHERE l.variant = $1 AND o.kind = 'sale' AND o.status <> 'cancelled'"""
            for variant in self.goods:
                here, gone = (
                    self.do(self.trade.db.value(total, variant)),
                    self.do(self.trade.db.value(out, variant)),
                )
                assert here + gone == 2 * START, "what is not here is with customers"

    def pick(self, data: st.DataObject) -> tuple[Order, list[LineSelection] | None]:
        order = data.draw(st.sampled_from(self.orders))
        quantity = data.draw(st.integers(0, 3))
        return order, [LineSelection(position=1, quantity=quantity)] if quantity else None

    def attempt(self, work: Coroutine[Any, Any, Any], *expected: type[Problem]) -> Any:
        try:
            return self.do(work)
        except expected:
            return None


def test_any_life_of_orders_keeps_the_books(postgres: Embedded, template: str, tmp_path: Path) -> None:
    Lives.folder = tmp_path
    with apart(postgres, template) as (Lives.loop, Lives.databases):
        run_state_machine_as_test(
            Lives,
            settings=settings(
                max_examples=12,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
