"""Fulfilments of a few orders, any way they may go: stock, holds, fulfilments, orders and money agree afterwards."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from fulfilling import Desk
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from samlad import orders, stock
from samlad.kernel.database import open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import Conflict, InvalidInput, Problem
from samlad.kernel.settings import load
from samlad.orders import (
    CancelInput,
    FulfilInput,
    LineSelection,
    Order,
    ReturnInput,
    WrongState,
    fulfilment_short,
)
from samlad.orders.fulfilment_model import (
    Choice,
    Fulfilment,
    FulfilmentState,
    RejectReason,
    SubstituteInput,
)
from samlad.orders.fulfilment_substitute import substitute
from samlad.stock import SoldOut
from trade import build
from warm import Databases, apart

START = 4
REASONS = [RejectReason.NOT_FOUND, RejectReason.DAMAGED, RejectReason.NO_TIME]


class Work(RuleBasedStateMachine):
    """Three places with little of two things; orders are sent, picked up, rejected, called off and taken back."""

    databases: Databases
    folder: Path
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[Order] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def attempt(self, work: Coroutine[Any, Any, Any], *expected: type[Problem]) -> Any:
        try:
            return self.do(work)
        except (WrongState, *expected):
            return None

    @initialize()
    def start(self) -> None:
        async def begin() -> None:
            dsn = await self.databases.clean()
            found = load({}, home=self.folder, database_url=dsn, pool_size=2)
            self.trade = await build(await open_database(dsn, found), shipping_flat=4_900)
            self.desk = Desk(self.trade)
            self.goods = [await self.trade.kettle(price, START) for price in (9_999, 25_000)]
            for place in (self.trade.at_malmo, self.trade.at_lund):
                for variant in self.goods:
                    await self.desk.put(variant, START, place.id)
            self.skus = [
                await self.trade.db.value("SELECT sku FROM variant WHERE id = $1", one) for one in self.goods
            ]

        self.do(begin())

    def teardown(self) -> None:
        if hasattr(self, "trade"):
            self.do(self.trade.db.close())

    @rule(
        which=st.integers(0, 1),
        units=st.integers(1, 3),
        second=st.booleans(),
        later=st.booleans(),
        sent=st.booleans(),
    )
    def buy(self, which: int, units: int, second: bool, later: bool, sent: bool) -> None:
        lines = [(self.goods[which], units)] + ([(self.goods[1 - which], 1)] if second else [])
        placed = self.trade.buy(*lines, pay_later=later) if sent else self.desk.for_pickup(*lines)
        order = self.attempt(placed, SoldOut)
        if order is not None:
            self.orders.append(order)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), steps=st.integers(1, 3))
    def work_on(self, data: st.DataObject, steps: int) -> None:
        """One to three steps of the usual way."""
        found = self.draw(data)
        if found is None:
            return
        self.attempt(self.desk.picked(found), Conflict, InvalidInput)
        if steps > 1:
            self.attempt(self.desk.pack(found))
            self.attempt(self.desk.ready(found))
        if steps > 2:
            self.attempt(self.desk.ship(found))
            code = self.do(self.desk.code(found))
            if code is not None:
                self.attempt(self.desk.hand_over(found, code))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), reason=st.sampled_from(REASONS), part=st.booleans())
    def reject(self, data: st.DataObject, reason: RejectReason, part: bool) -> None:
        found = self.draw(data)
        if found is not None:
            chosen = [(found.lines[0].position, 1)] if part else []
            self.attempt(self.desk.reject(found, reason, *chosen))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), choice=st.sampled_from(Choice))
    def answer(self, data: st.DataObject, choice: Choice) -> None:
        found = self.draw(data, FulfilmentState.NEEDS_CUSTOMER, FulfilmentState.WAITING)
        if found is not None:
            self.attempt(self.desk.answer(found, choice))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), which=st.integers(0, 1))
    def give_something_else(self, data: st.DataObject, which: int) -> None:
        found = self.draw(data)
        if found is not None:
            self.attempt(self.desk.take(found))
            given = SubstituteInput(
                position=found.lines[0].position,
                quantity=1,
                code=self.skus[which],
                reason=RejectReason.NO_TIME,
            )
            self.attempt(self.desk.run(substitute, found.id, given), InvalidInput, SoldOut)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def nobody_comes(self, data: st.DataObject) -> None:
        found = self.draw(data, FulfilmentState.READY)
        if found is not None:
            past = "UPDATE fulfilment SET pick_up_by = now() - interval '1 hour' WHERE id = $1 RETURNING 1"
            self.do(self.trade.db.rows(past, found.id))
            self.attempt(self.desk.run(fulfilment_short.put_back, found.id))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), quick=st.booleans())
    def end(self, data: st.DataObject, quick: bool) -> None:
        """The quick way of the order page, or no more of it."""
        order = data.draw(st.sampled_from(self.orders))
        if quick:
            lines = [LineSelection(position=1, quantity=1)]
            work = self.trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput(lines=lines)))
        else:
            work = self.trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
        self.attempt(work, InvalidInput)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.orders))
        self.attempt(self.trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput())))

    @rule(which=st.integers(0, 1), found=st.booleans())
    def count(self, which: int, found: bool) -> None:
        """Somebody finds one more, or one less than the books say: then orders may lose what was held for them."""
        change = [(self.goods[which], 1 if found else -1)]
        work = self.trade.db.transaction(
            lambda tx: stock.correct(tx, self.trade.at_malmo.id, change, reason="counted")
        )
        self.attempt(work, stock.NotInStock)
        self.do(self.trade.follow())

    @rule()
    def look_again(self) -> None:
        self.do(fulfilment_short.retry_waiting(self.trade.db))
        self.do(self.trade.follow())

    @invariant()
    def all_agrees(self) -> None:
        if hasattr(self, "trade"):
            self.do(self.trade.sound())
            negative = "SELECT count(*) FROM orders WHERE refunded > paid OR total < 0 AND kind = 'sale'"
            assert self.do(self.trade.db.value(negative)) == 0

    def draw(self, data: st.DataObject, *states: FulfilmentState) -> Fulfilment | None:
        order = data.draw(st.sampled_from(self.orders))
        found = [f for f in self.do(self.desk.of(order)) if not states or f.state in states]
        return data.draw(st.sampled_from(found)) if found else None


def test_any_way_of_fulfilments_keeps_the_books(postgres: Embedded, template: str, tmp_path: Path) -> None:
    Work.folder = tmp_path
    with apart(postgres, template) as (Work.loop, Work.databases):
        run_state_machine_as_test(
            Work,
            settings=settings(
                max_examples=8,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
