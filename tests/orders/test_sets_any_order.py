"""Sets and their parts under everything that carts and orders do to them: never more is sold than there is, and what is
held is what is promised."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from samlad import carts, orders, stock
from samlad.carts import LineInput
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.orders import CancelInput, FulfilInput, Order
from samlad.payments import PaymentInput
from samlad.stock import SoldOut
from trade import BUYER, Trade, build

UNITS = 6


class Sales(RuleBasedStateMachine):
    """Two parts, two sets of them, and people who want all of it at once."""

    trade: Trade
    run: Callable[[Awaitable[Any]], Any]

    def __init__(self) -> None:
        super().__init__()
        self.carts: list[UUID] = []
        self.orders: list[UUID] = []
        self.gone: dict[UUID, int] = {}
        self.named: set[UUID] = set()

    @initialize()
    def open(self) -> None:
        """A new pair of parts and new sets of them."""
        trade = self.trade
        self.pot, self.cup = (self.run(trade.kettle(price, UNITS)) for price in (30_001, 5_003))
        small = self.run(trade.set_of(33_333, (self.pot, 1), (self.cup, 1)))
        large = self.run(trade.set_of(39_999, (self.pot, 1), (self.cup, 3)))
        self.parts = {
            self.pot: {self.pot: 1},
            self.cup: {self.cup: 1},
            small: {self.pot: 1, self.cup: 1},
            large: {self.pot: 1, self.cup: 3},
        }
        self.goods = list(self.parts)
        self.gone = {self.pot: 0, self.cup: 0}

    def do(self, verb: Callable[..., Any]) -> Any:
        """A verb, or None where there is not enough."""
        try:
            return self.run(self.trade.db.transaction(verb))
        except SoldOut as short:
            self.named |= {line.variant for line in short.lines}
            return None

    @rule(lines=st.dictionaries(st.integers(0, 3), st.integers(1, 3), min_size=1))
    def fill(self, lines: dict[int, int]) -> None:
        """Somebody begins a cart, which holds what there is where carts hold."""
        made = self.run(self.trade.cart(**BUYER))
        for index, quantity in lines.items():
            line = LineInput(variant=self.goods[index], quantity=quantity)
            self.do(lambda tx, line=line: carts.add_line(tx, made.id, line))
        self.carts.append(made.id)

    @rule(pick=st.integers(0, 9), quantity=st.integers(0, 4))
    def change(self, pick: int, quantity: int) -> None:
        """Somebody wants more, or less."""
        if not self.carts:
            return
        cart = self.carts[pick % len(self.carts)]
        shown = self.run(self.trade.db.transaction(lambda tx: carts.view(tx, tx.actor, cart)))
        if shown.lines:
            line = shown.lines[pick % len(shown.lines)].id
            self.do(lambda tx: carts.change_line(tx, cart, line, quantity))

    @rule(pick=st.integers(0, 9))
    def check_out(self, pick: int) -> None:
        """Somebody begins to pay."""
        if self.carts:
            cart = self.carts[pick % len(self.carts)]
            if self.lines(cart):
                self.do(lambda tx: carts.checkout(tx, cart))

    @rule()
    def time_goes_by(self) -> None:
        """What carts hold runs out; nobody has released it yet."""
        past = now() - timedelta(seconds=5)
        self.run(
            self.trade.db.rows("UPDATE hold SET expires_at = $1 WHERE kind <> 'order' RETURNING 1", past)
        )
        self.run(
            self.trade.db.rows("UPDATE cart SET held_until = $1 WHERE held_until > $1 RETURNING 1", past)
        )

    @rule(pick=st.integers(0, 9))
    def buy(self, pick: int) -> None:
        """Somebody buys what is in a cart: exactly its total, in its parts."""
        if not self.carts:
            return
        cart = self.carts[pick % len(self.carts)]
        shown = self.lines(cart)
        if not shown:
            return
        wanted = {line.variant: line.quantity for line in shown}
        order: Order | None = None
        try:
            order = self.run(self.trade.place(cart, PaymentInput(provider="test")))
        except SoldOut as short:
            self.named |= {line.variant for line in short.lines}
            return
        assert order is not None
        self.carts.remove(cart)
        self.orders.append(order.id)
        assert order.total == sum(line.total for line in shown)
        for variant, quantity in wanted.items():
            mine = [
                line
                for line in order.lines
                if (line.set_of.variant if line.set_of else line.variant) == variant
            ]
            assert sum(line.total for line in mine) == next(
                line.total for line in shown if line.variant == variant
            )
            units: dict[UUID | None, int] = {}
            for line in mine:
                units[line.variant] = units.get(line.variant, 0) + line.quantity
            assert units == {part: each * quantity for part, each in self.parts[variant].items()}

    @rule(pick=st.integers(0, 9), is_sent=st.booleans())
    def end(self, pick: int, is_sent: bool) -> None:
        """An order is sent, or called off."""
        if not self.orders:
            return
        order = self.orders.pop(pick % len(self.orders))
        if not is_sent:
            self.run(self.trade.db.transaction(lambda tx: orders.cancel(tx, order, CancelInput())))
            return
        done = self.run(self.trade.db.transaction(lambda tx: orders.fulfil(tx, order, FulfilInput())))
        for line in done.lines:
            if line.variant in self.gone:
                self.gone[line.variant] += line.quantity

    def lines(self, cart: UUID) -> Any:
        """What is in a cart."""
        return self.run(self.trade.db.transaction(lambda tx: carts.view(tx, tx.actor, cart))).lines

    @invariant()
    def nothing_is_sold_twice(self) -> None:
        """Levels, holds and promises agree with what has left."""
        if not self.gone:
            return
        assert self.named <= set(self.goods)  # what is short is what somebody asked for
        levels = {part: self.run(self.trade.level(part)) for part in self.gone}
        for part, (on_hand, held) in levels.items():
            assert on_hand == UNITS - self.gone[part]
            assert 0 <= held <= on_hand
        free = self.run(stock.atp(self.trade.db, self.trade.web, self.goods))
        for variant, parts in self.parts.items():
            assert free[variant] == min(free[part] // each for part, each in parts.items())
        told = {
            each.variant: each for each in self.run(stock.promises(self.trade.db, self.trade.web, self.goods))
        }
        assert {variant: each.available for variant, each in told.items()} == free
        assert all(
            sum(level.available for level in each.locations) == each.available for each in told.values()
        )

    def teardown(self) -> None:
        """Ledger, levels, holds, orders and fulfilments agree."""
        if self.gone:
            self.run(stock.sweep(self.trade.db))
            self.run(self.trade.sound())


@pytest.mark.parametrize("policy", ["checkout", "cart"])
async def test_sets_and_their_parts_are_never_sold_twice(db: Database, policy: str) -> None:
    trade = await build(db, hold_policy=policy)
    loop = asyncio.get_running_loop()

    def run(work: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)  # type: ignore[arg-type]

    machine = type("Machine", (Sales,), {"trade": trade, "run": staticmethod(run)})
    await asyncio.to_thread(
        run_state_machine_as_test,
        machine,
        settings=settings(
            max_examples=5,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # what fails says its steps; making them fewer takes minutes
        ),
    )
