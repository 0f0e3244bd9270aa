"""Who is in is who full recomputation finds, after anything: purchases, events, the clock, merging and taking apart, edits.

The machine does not know what conditions mean: it compares what was kept up step by step with what one statement over
everybody says, and with what the log's events add up to.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import horizon
from audience import Audience
from samlad import credit, customers, identity
from samlad.app import FOLLOWERS
from samlad.audiences import lists, rfm, segments
from samlad.carts.events import CartLineChanged
from samlad.credit import PointsInput
from samlad.customers.model import CustomerChange
from samlad.identity.model import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel import followers, log
from samlad.kernel.database import Tx
from samlad.kernel.problems import Problem
from samlad.orders.events import OrderCancelled, OrderPlaced
from samlad.tracking.events import Batch, EventsLanded

MINE = [each for each in FOLLOWERS if each.name in ("identity", "audiences", "audiences.build")]
COUNTRIES = ("SE", "NL", "DE")
NAMES = ("Product Viewed", "Signed Up")

windows = st.one_of(
    st.builds(lambda n: {"days": n}, st.sampled_from([1, 2, 7])),
    st.builds(lambda n: {"hours": n}, st.sampled_from([1, 30])),
)
ranges = st.sampled_from(
    [{"at_least": 1}, {"at_least": 2}, {"at_most": 0}, {"at_most": 1}, {"at_least": 1, "at_most": 2}]
)
leaves = st.one_of(
    st.builds(lambda v: {"kind": "trait", "field": "country", "values": [v]}, st.sampled_from(COUNTRIES)),
    st.builds(lambda w: {"kind": "customer_since", "within": w}, windows),
    st.builds(lambda r, w: {"kind": "orders", **r, "within": w}, ranges, st.none() | windows),
    st.builds(
        lambda m, r, w: {"kind": "orders", "measure": m, "currency": "SEK", **r, "within": w},
        st.sampled_from(["sum", "average"]),
        st.sampled_from([{"at_least": 150}, {"at_most": 100}]),
        st.none() | windows,
    ),
    st.builds(
        lambda which, w: {"kind": "order_date", "which": which, "within": w},
        st.sampled_from(["first", "last"]),
        windows,
    ),
    st.builds(lambda r, w: {"kind": "returns", **r, "within": w}, ranges, st.none() | windows),
    st.builds(
        lambda n, r, w, p: {"kind": "event", "name": n, **r, "within": w, "properties": p},
        st.sampled_from(NAMES),
        ranges,
        st.none() | windows,
        st.sampled_from(
            [[], [{"name": "price", "op": "at_least", "value": 2}], [{"name": "tag", "value": "A"}]]
        ),
    ),
    st.builds(lambda n: {"kind": "points", "at_least": n}, st.sampled_from([0, 1, 10])),
    st.builds(
        lambda n, h: {"kind": "cart", "at_least": n, "currency": "SEK", "idle_hours": h},
        st.sampled_from([0, 150]),
        st.sampled_from([0, 5, 30]),
    ),
    st.builds(
        lambda on, s: {"kind": "wanted", "on": on, **s},
        st.sampled_from(["anywhere", "wish", "cart"]),
        st.sampled_from([{"stock": "in_stock"}, {"stock": "sold_out"}, {"at_most": 2}]),
    ),
    st.just({"kind": "rfm", "frequency": [1, 2, 3, 4, 5]}),
)
definitions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda of: {"kind": "not", "of": of}, inner),
        st.builds(
            lambda kind, of: {"kind": kind, "of": of},
            st.sampled_from(["all", "any"]),
            st.lists(inner, max_size=3),
        ),
    ),
    max_leaves=4,
)
days = st.sampled_from([0.0, 0.01, 0.5, 1.0, 1.3, 2.0, 6.9, 7.5])


class People(RuleBasedStateMachine):
    """Few people to whom much happens."""

    audience: Audience
    run: Callable[[Awaitable[Any]], Any]

    def __init__(self) -> None:
        super().__init__()
        self.people: list[UUID] = []
        self.orders: list[tuple[UUID, UUID]] = []
        self.decisions: list[UUID] = []
        self.segments: list[UUID] = []

    def do(self, work: Callable[[Tx], Awaitable[Any]]) -> Any:
        """A verb; None if it refuses."""
        try:
            return self.run(self.audience.db.transaction(work))
        except Problem:
            return None

    @initialize(first=definitions, second=definitions)
    def begin(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        self.audience.ahead = timedelta()
        for definition in (first, second):
            self.segments.append(self.run(self.audience.segment(f"S {uuid4()}", definition)).id)
        named = {"kind": "not", "of": {"kind": "segment", "segment": str(self.segments[0])}}
        self.segments.append(self.run(self.audience.segment(f"S {uuid4()}", named)).id)
        self.list = self.run(self.audience.segment(f"S {uuid4()}", None)).id
        self.come("SE")
        self.come(None)

    @rule(country=st.none() | st.sampled_from(COUNTRIES))
    def come(self, country: str | None) -> None:
        self.people.append(self.run(self.audience.person(country=country)))

    def who(self, pick: int) -> UUID:
        return self.people[pick % len(self.people)]

    @rule(pick=st.integers(0, 9), country=st.sampled_from(COUNTRIES))
    def move(self, pick: int, country: str) -> None:
        change = CustomerChange(country=country)
        self.do(lambda tx: customers.change(tx, self.who(pick), change))

    @rule(pick=st.integers(0, 9), ago=days, total=st.sampled_from([100, 200]), is_return=st.booleans())
    def buy(self, pick: int, ago: float, total: int, is_return: bool) -> None:
        order, person = uuid4(), self.who(pick)
        kind, sign = ("return", -1) if is_return else ("sale", 1)

        async def work(tx: Tx) -> None:
            at = self.audience.now() - timedelta(days=ago)
            web = self.audience.trade.web
            await tx.execute(
                """INSERT INTO orders (id, pool, channel, number, kind, status, payment_status, customer, currency, items,
                                       tax, total, placed_at, local_day, actor)
                   VALUES ($1, $2, $3, $4, $5, 'fulfilled', 'paid', $6, 'SEK', $7, 0, $8, $9, $10, 'test')""",
                order, web.pools["orders"], web.id, str(order), kind, person, sign, sign * total, at, at.date(),
            )  # fmt: skip
            fact = OrderPlaced(
                number=str(order), kind=kind, currency="SEK", total=sign * total, tax=0, items=sign,
                payment_status="paid", status="fulfilled", local_day=at.date(), lines=[],
            )  # fmt: skip
            log.append(tx, fact, subject=order, profile=person)

        self.do(work)
        self.orders.append((order, person))

    @precondition(lambda self: self.orders)
    @rule(pick=st.integers(0, 9))
    def cancel(self, pick: int) -> None:
        order, _ = self.orders.pop(pick % len(self.orders))

        async def work(tx: Tx) -> None:
            await tx.execute("UPDATE orders SET status = 'cancelled' WHERE id = $1", order)
            fact = OrderCancelled(number="", total=0, currency="SEK", refunded=0, reason="")
            log.append(tx, fact, subject=order)

        self.do(work)

    @rule(
        pick=st.integers(0, 9),
        name=st.sampled_from(NAMES),
        ago=days,
        price=st.integers(1, 3),
        is_known=st.booleans(),
    )
    def track(self, pick: int, name: str, ago: float, price: int, is_known: bool) -> None:
        """Something is tracked: of a browser that is nobody's yet, or of somebody who is named."""

        async def work(tx: Tx) -> None:
            at = self.audience.now() - timedelta(days=ago)
            who = [Identifier(Kind.ANONYMOUS, f"browser-{pick}-{self.people[0]}")]
            if is_known:
                who.append(Identifier(Kind.CUSTOMER, str(self.who(pick))))
            batch, event = uuid4(), uuid4()
            seen = Sighting(
                pool=self.audience.pool, source="test", event_id=str(event), identifiers=who,
                auth=AuthLevel.AUTHENTICATED, observed_at=at, received_at=at,
            )  # fmt: skip
            (found,) = await identity.observe(tx, [seen])
            await tx.execute(
                """INSERT INTO tracked_event (id, received_at, batch, source, message_id, type, name, occurred_at, payload)
                   SELECT $1, $2, $3, id, $4, 'track', $5, $2, $6 FROM tracking_source LIMIT 1""",
                event, at, batch, str(event), name, {"properties": {"price": price, "tag": "a" if price > 1 else 7}},
            )  # fmt: skip
            await tx.execute(
                "INSERT INTO tracked_profile (event, received_at, occurred_at, identity) VALUES ($1, $2, $2, $3)",
                event,
                at,
                found,
            )
            log.append(tx, EventsLanded(batches=[Batch(id=batch, first=at, last=at)]))

        self.do(work)

    @rule(pick=st.integers(0, 9), points=st.integers(-5, 12))
    def points(self, pick: int, points: int) -> None:
        if points:
            data = PointsInput(points=points, reason="a test")
            self.do(lambda tx: credit.adjust(tx, self.who(pick), data))

    @rule(pick=st.integers(0, 9), price=st.sampled_from([100, 200]), ago=days, closed=st.booleans())
    def cart(self, pick: int, price: int, ago: float, closed: bool) -> None:
        cart, person = uuid4(), self.who(pick)

        async def work(tx: Tx) -> None:
            web = self.audience.trade.web
            at = self.audience.now() - timedelta(days=ago)
            old = await tx.rows(
                "UPDATE cart SET status = 'abandoned' WHERE customer = $1 RETURNING id", person
            )
            if not closed:
                await tx.execute(
                    """INSERT INTO cart (id, pool, channel, customer, currency, updated_at)
                       VALUES ($1, $2, $3, $4, 'SEK', $5)""",
                    cart, web.pools["carts"], web.id, person, at,
                )  # fmt: skip
                await tx.execute(
                    "INSERT INTO cart_line (id, cart, variant, quantity, unit_price) VALUES ($1, $2, $3, 1, $4)",
                    uuid4(),
                    cart,
                    self.audience.variant,
                    price,
                )
            for each in [cart] if not closed else [row["id"] for row in old]:
                fact = CartLineChanged(
                    variant=self.audience.variant, quantity_before=0, quantity=1, unit_price=price
                )
                log.append(tx, fact, subject=each, profile=person)

        self.do(work)

    @rule(hours=st.sampled_from([1, 5, 13, 24, 30, 24 * 7]))
    def time_goes_by(self, hours: int) -> None:
        self.audience.ahead += timedelta(hours=hours)

    @rule(one=st.integers(0, 9), other=st.integers(0, 9))
    def merge(self, one: int, other: int) -> None:
        made = self.run(self._merge(self.who(one), self.who(other))) if one != other else None
        if made:
            self.decisions.append(made)

    async def _merge(self, one: UUID, other: UUID) -> UUID | None:
        await self._step("identity")
        try:
            return (await self.audience.merge(one, other)).id
        except Problem:
            return None

    @rule(pick=st.integers(0, 9))
    def take_apart(self, pick: int) -> None:
        with contextlib.suppress(Problem):
            self.decisions.append(self.run(self.audience.split(self.who(pick), self.who(pick))).id)

    @precondition(lambda self: self.decisions)
    @rule(pick=st.integers(0, 9))
    def take_back(self, pick: int) -> None:
        self.run(self.audience.undo(self.decisions.pop(pick % len(self.decisions))))

    @rule(pick=st.integers(0, 1), definition=definitions)
    def edit(self, pick: int, definition: dict[str, Any]) -> None:
        self.run(self.audience.edit(self.segments[pick], definition))

    @rule()
    def delete(self) -> None:
        self.do(lambda tx: segments.delete(tx, self.segments[2]))

    @rule()
    def restore(self) -> None:
        self.do(lambda tx: segments.restore(tx, self.segments[2]))

    @rule(pick=st.integers(0, 9), off=st.booleans())
    def put_on_list(self, pick: int, off: bool) -> None:
        verb = lists.remove if off else lists.pick
        self.do(lambda tx: verb(tx, self.list, [self.who(pick)]))

    @rule()
    def score(self) -> None:
        self.do(lambda tx: rfm.compute(tx, self.audience.pool))

    async def _step(self, *names: str) -> bool:
        handled = False
        for name in names:
            follower = next(each for each in MINE if each.name == name)
            await horizon.passed(self.audience.db)
            while await followers.step(self.audience.db, follower):
                handled = True
                await horizon.passed(self.audience.db)
        return handled

    @rule(order=st.permutations(["identity", "audiences", "audiences.build", "clock"]))
    def follow(self, order: list[str]) -> None:
        """Whoever comes first does its part."""
        for name in order:
            self.run(self.audience.turn() if name == "clock" else self._step(name))

    @rule()
    def compare(self) -> None:
        self.run(self._compare())

    async def _compare(self) -> None:
        while await self._step("identity", "audiences", "audiences.build"):
            pass
        await self.audience.turn()
        await self.audience.sound()

    def teardown(self) -> None:
        if self.people:
            self.compare()
            for each in (self.segments[2], *self.segments[:2], self.list):
                self.do(lambda tx, one=each: segments.delete(tx, one))


@pytest.mark.slow
async def test_who_is_in_is_who_full_recomputation_finds(audience: Audience) -> None:
    audience.variant = await audience.trade.kettle()
    await audience.db.rows(
        """INSERT INTO tracking_source (id, channel, name, kind, device_class, per_second)
           VALUES ($1, $2, 'test', 'server', 'personal', 10) RETURNING 1""",
        uuid4(),
        audience.trade.web.id,
    )
    await followers.register(audience.db, MINE, start=await log.end(audience.db))
    loop = asyncio.get_running_loop()

    def run(work: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(_awaited(work), loop).result()

    machine = type("Machine", (People,), {"audience": audience, "run": staticmethod(run)})
    chosen = settings(
        max_examples=12,
        stateful_step_count=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # what fails says its steps; making them fewer takes minutes
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work
