"""The life of subscriptions, any way it may go: one order for each due cycle, none while they rest, and the books agree."""

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from subscribing import Clock, open_shop

from samlad import subscriptions
from samlad.kernel.clock import local_day
from samlad.kernel.database import open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.kernel.settings import load
from samlad.subscriptions import (
    CancelInput,
    ChangeInput,
    LineInput,
    MoveInput,
    OrderNowInput,
    PauseInput,
    ResumeInput,
    Status,
    Subscription,
)
from warm import Databases, apart

STOCK = 25


class Life(RuleBasedStateMachine):
    """A subscription is paused, skipped, moved, changed, cancelled and brought back while days pass and workers run."""

    databases: Databases
    folder: Path
    loop: asyncio.AbstractEventLoop
    clock: Clock

    def __init__(self) -> None:
        super().__init__()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize(
        unit=st.sampled_from(["day", "week", "month"]),
        every=st.integers(1, 3),
        minimum=st.integers(0, 2),
        policy=st.sampled_from(["wait", "skip", "rest"]),
    )
    def start(self, unit: str, every: int, minimum: int, policy: str) -> None:
        async def begin() -> Subscription:
            dsn = await self.databases.clean()
            chosen = load({}, home=self.folder, database_url=dsn, pool_size=4)
            self.clock.__init__()  # type: ignore[misc]
            self.shop = await open_shop(await open_database(dsn, chosen), self.clock, shipping_flat=4_900)
            self.goods = [await self.shop.trade.kettle(price, STOCK) for price in (9_999, 25_000)]
            plan = await self.shop.make_plan(
                "any", unit=unit, every=every, minimum_orders=minimum, out_of_stock=policy
            )
            return await self.shop.start((self.goods[0], 2), plan=plan)

        self.subscription = self.do(begin())

    def teardown(self) -> None:
        if hasattr(self, "shop"):
            self.do(self.shop.agree())
            self.do(self.shop.db.close())

    def verb(self, verb: Any, *data: Any) -> None:
        with contextlib.suppress(Conflict, InvalidInput):  # it does not allow this now
            self.do(self.shop.do(verb, self.subscription, *data))

    @property
    def today(self) -> date:
        return local_day(self.clock.at, "Europe/Stockholm")

    @rule(days=st.sampled_from([0, 1, 3, 7, 31, 400]), hours=st.integers(0, 23), workers=st.integers(1, 3))
    def time_passes(self, days: int, hours: int, workers: int) -> None:
        self.clock.on(days=days, hours=hours)
        before = self.do(self.shop.read(self.subscription))
        count = len(self.do(self.shop.orders(self.subscription)))

        async def work() -> None:
            await asyncio.gather(*(self.shop.sweep() for _ in range(workers)))

        self.do(work())
        made = len(self.do(self.shop.orders(self.subscription))) - count
        rests = before.status is Status.CANCELLED or (
            before.status is Status.PAUSED and (before.resume_on is None or before.resume_on > self.today)
        )
        assert made <= (0 if rests else 1)
        after = self.do(self.shop.read(self.subscription))
        if before.status is Status.ACTIVE and not rests and after.status is Status.ACTIVE:
            due = before.is_wanted_now or before.next_on < self.today
            waits = before.retry_at is not None and before.retry_at > self.clock.at
            if due and not waits:
                assert made == 1 or after.trouble is not None or after.cycle > before.cycle, (
                    "what is due comes"
                )

    @rule(clock_back=st.integers(1, 48))
    def the_clock_jumps_back(self, clock_back: int) -> None:
        self.clock.on(hours=-clock_back)

    @rule(token=st.sampled_from(["ok", "decline"]))
    def card(self, token: str) -> None:
        change = {"payment": {"provider": "test", "token": token}}
        self.verb(subscriptions.change, msgspec.convert(change, ChangeInput))

    @rule(which=st.integers(0, 1), quantity=st.integers(1, 9), both=st.booleans())
    def lines(self, which: int, quantity: int, both: bool) -> None:
        lines = [LineInput(variant=self.goods[which], quantity=quantity)]
        lines += [LineInput(variant=self.goods[1 - which])] if both else []
        self.verb(subscriptions.change, ChangeInput(lines=lines))

    @rule(days=st.none() | st.integers(-1, 60))
    def pause(self, days: int | None) -> None:
        until = None if days is None else self.today + timedelta(days=days)
        self.verb(subscriptions.pause, PauseInput(until=until))

    @rule(days=st.none() | st.integers(-1, 60))
    def resume(self, days: int | None) -> None:
        next_on = None if days is None else self.today + timedelta(days=days)
        self.verb(subscriptions.resume, ResumeInput(next_on=next_on))

    @rule()
    def skip(self) -> None:
        self.verb(subscriptions.skip)

    @rule()
    def unskip(self) -> None:
        self.verb(subscriptions.unskip)

    @rule(days=st.integers(-1, 60), once=st.booleans())
    def move(self, days: int, once: bool) -> None:
        self.verb(subscriptions.move, MoveInput(next_on=self.today + timedelta(days=days), once=once))

    @rule(restart=st.booleans())
    def order_now(self, restart: bool) -> None:
        self.verb(subscriptions.order_now, OrderNowInput(restart=restart))

    @rule(when=st.sampled_from(["now", "period"]), override=st.booleans())
    def cancel(self, when: Any, override: bool) -> None:
        self.verb(subscriptions.cancel, CancelInput(when=when, override=override))

    @rule(days=st.none() | st.integers(0, 60))
    def reactivate(self, days: int | None) -> None:
        next_on = None if days is None else self.today + timedelta(days=days)
        self.verb(subscriptions.reactivate, ResumeInput(next_on=next_on))

    @rule(which=st.integers(0, 1), price=st.integers(100, 40_000))
    def price(self, which: int, price: int) -> None:
        self.do(self.shop.trade.set_price(self.goods[which], price))

    @rule(which=st.integers(0, 1), quantity=st.integers(1, 20))
    def goods_come(self, which: int, quantity: int) -> None:
        self.do(self.shop.receive(self.goods[which], quantity))

    @invariant()
    def all_agrees(self) -> None:
        if not hasattr(self, "subscription"):
            return
        self.do(self.shop.trade.sound())
        rows = self.do(
            self.shop.db.rows(
                """SELECT y.cycle, y.state, o.total, o.payment_status FROM subscription_cycle y
                   LEFT JOIN orders o ON o.id = y.order_id ORDER BY y.cycle"""
            )
        )
        found = self.do(self.shop.read(self.subscription))
        ordered = [row for row in rows if row["state"] == "ordered"]
        assert len(ordered) == found.orders == self.do(self.shop.db.value("SELECT count(*) FROM orders"))
        assert all(row["payment_status"] == "paid" for row in ordered)
        assert all(row["cycle"] < found.cycle for row in rows)
        kept = self.do(self.shop.db.value("SELECT coalesce(sum(captured), 0) FROM payment"))
        assert kept == sum(row["total"] for row in ordered), "money is that of the orders"


@pytest.mark.slow
def test_any_life_of_a_subscription(postgres: Embedded, template: str, tmp_path: Path, clock: Clock) -> None:
    Life.folder, Life.clock = tmp_path, clock
    with apart(postgres, template) as (Life.loop, Life.databases):
        run_state_machine_as_test(
            Life,
            settings=settings(
                max_examples=12,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
