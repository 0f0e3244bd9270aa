"""Anything may happen to cards, credit and points, in any order and twice: the books balance, always."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

from credit_shop import books_are_sound, given, person, programme
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from samlad import credit
from samlad.credit import (
    CardState,
    GrantInput,
    IssuedCard,
    NotEnoughPoints,
    PointsInput,
    RedeemInput,
    TopUpInput,
    earning,
    gift_cards,
    loyalty_store,
)
from samlad.kernel.clock import now
from samlad.kernel.database import Tx, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Problem
from samlad.kernel.settings import load
from trade import build
from warm import Databases, apart

amounts = st.integers(1, 1_500)


class Book(RuleBasedStateMachine):
    """Cards, one customer's credit and points; and a plain account of what each should hold."""

    databases: Databases
    folder: Path
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[IssuedCard] = []
        self.value: dict[UUID, int] = {}
        self.held: dict[UUID, tuple[UUID, int]] = {}
        self.taken: dict[UUID, tuple[UUID, int]] = {}
        self.successor: dict[UUID, UUID] = {}
        self.dead: set[UUID] = set()
        self.orders: dict[UUID, tuple[int, int]] = {}
        self.points = 0

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def run(self, work: Any, *expected: type[Problem]) -> Any:
        """A verb, twice if it is to be the same twice; None when it refuses as expected."""
        try:
            return self.do(self.db.transaction(work))
        except expected:
            return None

    @initialize(pending=st.booleans())
    def start(self, pending: bool) -> None:
        async def begin() -> None:
            dsn = await self.databases.clean()
            chosen = load({}, home=self.folder, database_url=dsn, pool_size=2)
            self.trade = await build(await open_database(dsn, chosen))
            self.db = self.trade.db
            await programme(self.trade, pending_days=14 if pending else 0, expire_months=6, tiers=[])
            self.kim = await person(self.trade)
            await self.db.transaction(lambda tx: credit.enrol(tx, self.kim))

        self.do(begin())
        self.value[self.kim] = 0

    def teardown(self) -> None:
        if hasattr(self, "trade"):
            self.do(self.db.close())

    # -- value -----------------------------------------------------------------------------------------------------

    @rule(amount=amounts)
    def issue(self, amount: int) -> None:
        made = self.do(given(self.trade, amount))
        self.cards.append(made)
        self.value[made.card.id] = amount

    @rule(data=st.data(), amount=amounts)
    def top_up(self, data: st.DataObject, amount: int) -> None:
        if self.cards:
            card = data.draw(st.sampled_from(self.cards)).card.id
            more = TopUpInput(amount=amount, reason="More", key=new_id())
            for _ in range(2):
                done = self.run(lambda tx: credit.top_up(tx, card, more), CardState)
            assert (done is None) == (card in self.successor or card in self.dead)
            self.value[card] += amount if done else 0

    @rule(amount=amounts)
    def grant(self, amount: int) -> None:
        data = GrantInput(amount=amount, currency="SEK", reason="Late", key=new_id())
        for _ in range(2):
            self.run(lambda tx: credit.grant(tx, self.kim, data))
        self.value[self.kim] += amount

    @rule(data=st.data(), amount=amounts, by_credit=st.booleans())
    def hold(self, data: st.DataObject, amount: int, by_credit: bool) -> None:
        payment = new_id()
        if by_credit:
            source, can_pay = self.kim, True
            held = self.run(lambda tx: credit.hold_credit(tx, payment, self.kim, amount, "SEK"))
        elif self.cards:
            made = data.draw(st.sampled_from(self.cards))
            source = made.card.id
            can_pay = self.do(credit.get(self.db, source)).status == "active" and source not in self.dead
            held = self.run(lambda tx: credit.hold_card(tx, payment, made.code, amount, "SEK"))
        else:
            return
        assert (held is not None) == (can_pay and self.free(source) >= amount)
        if held is not None:
            self.held[payment] = (source, amount)

    @rule(data=st.data(), share=st.integers(1, 100))
    def capture(self, data: st.DataObject, share: int) -> None:
        if self.held:
            payment = data.draw(st.sampled_from(sorted(self.held)))
            source, amount = self.held.pop(payment)
            part = max(1, amount * share // 100)
            for _ in range(2):
                assert self.run(lambda tx: credit.capture(tx, payment, part))
            self.value[source] -= part
            self.taken[payment] = (source, part)
            if part < amount:
                self.set_free(source)

    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        known = sorted({*self.held, *self.taken})
        if known:
            payment = data.draw(st.sampled_from(known))
            for _ in range(2):
                self.run(lambda tx: credit.void(tx, payment))
            if payment in self.taken:
                self.back(*self.taken[payment])
                self.taken[payment] = (self.taken[payment][0], 0)
            if payment in self.held:
                self.set_free(self.held.pop(payment)[0])

    @rule(data=st.data(), amount=amounts)
    def refund(self, data: st.DataObject, amount: int) -> None:
        if self.taken:
            payment, key = data.draw(st.sampled_from(sorted(self.taken))), new_id()
            source, left = self.taken[payment]
            answers = [self.run(lambda tx: credit.refund(tx, payment, key, amount)) for _ in range(2)]
            assert answers == [amount <= left] * 2
            if amount <= left:
                self.back(source, amount)
                self.taken[payment] = (source, left - amount)

    def back(self, source: UUID, amount: int) -> None:
        while source in self.successor:
            source = self.successor[source]
        if amount:
            self.value[source] += amount
            self.dead.discard(source)

    def set_free(self, source: UUID) -> None:
        """What a replaced card no longer holds is its successor's; an expired one lives on."""
        if source in self.successor:
            moved = self.free(source)
            self.value[source] -= moved
            self.back(source, moved)
        while source in self.successor:
            source = self.successor[source]
        self.dead.discard(source)

    def free(self, source: UUID) -> int:
        return self.value[source] - sum(amount for at, amount in self.held.values() if at == source)

    # -- cards -----------------------------------------------------------------------------------------------------

    @rule(data=st.data(), block=st.booleans())
    def block_or_free(self, data: st.DataObject, block: bool) -> None:
        if self.cards:
            card = data.draw(st.sampled_from(self.cards)).card.id
            verb = credit.block if block else credit.unblock
            for _ in range(2):
                self.run(lambda tx: verb(tx, card, "asked"), CardState)

    @rule(data=st.data())
    def replace(self, data: st.DataObject) -> None:
        if self.cards:
            card = data.draw(st.sampled_from(self.cards)).card.id
            made = self.run(lambda tx: credit.replace(tx, card, "lost"), CardState)
            if made is not None:
                moved = self.free(card)
                self.cards.append(made)
                self.successor[card] = made.card.id
                self.value[card] -= moved
                self.value[made.card.id] = moved

    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        if self.cards:
            card = data.draw(st.sampled_from(self.cards)).card.id
            if card in self.successor:
                return
            over = (
                "UPDATE gift_card SET expires_at = now(), expires_on = current_date WHERE id = $1 RETURNING 1"
            )
            self.do(self.db.rows(over, card))
            self.do(gift_cards.sweep(self.db))
            self.dead.add(card)
            self.value[card] -= self.free(card)

    # -- points ----------------------------------------------------------------------------------------------------

    @rule(goods=st.integers(0, 90_000))
    def earn(self, goods: int) -> None:
        order = new_id()
        told = {"customer": self.kim, "currency": "SEK", "goods": goods, "is_paid": True}
        self.settle(order, lambda tx: loyalty_store.note_order(tx, order, told))
        self.orders[order] = (goods, 0)
        self.points += goods // 1_000

    @rule(data=st.data(), part=st.integers(1, 50_000), cancel=st.booleans())
    def take_back(self, data: st.DataObject, part: int, cancel: bool) -> None:
        if not self.orders:
            return
        order = data.draw(st.sampled_from(sorted(self.orders)))
        goods, returned = self.orders[order]
        back, key = goods if cancel else min(goods, returned + part), new_id()
        before, after = self.kept(goods, returned), self.kept(goods, back)
        if cancel:
            told = {"is_cancelled": True}
            self.settle(order, lambda tx: loyalty_store.note_order(tx, order, told))
        else:
            self.settle(order, lambda tx: loyalty_store.note_return(tx, key, order, back - returned))
        self.orders[order] = (goods, back)
        self.points -= before - after

    @staticmethod
    def kept(goods: int, returned: int) -> int:
        return 0 if returned >= goods else goods // 1_000 * (goods - returned) // goods

    def settle(self, order: UUID, note: Any) -> None:
        async def work(tx: Tx) -> None:
            await note(tx)
            await earning.settle(tx, order)

        for _ in range(2):
            self.run(work)

    @rule(points=st.integers(-60, 60).filter(bool))
    def adjust(self, points: int) -> None:
        spendable = self.do(credit.view(self.db, self.kim)).points
        data = PointsInput(points=points, reason="By hand", key=new_id())
        done = self.run(lambda tx: credit.adjust(tx, self.kim, data), NotEnoughPoints)
        assert (done is None) == (points < 0 and spendable + points < 0)
        self.points += points if done else 0

    @rule(reward=st.sampled_from(["fifty", "card"]))
    def redeem(self, reward: str) -> None:
        spendable, needs = self.do(credit.view(self.db, self.kim)).points, {"fifty": 50, "card": 20}[reward]
        data = RedeemInput(reward=reward, channel=self.trade.web.id)
        done = self.run(lambda tx: credit.redeem(tx, self.kim, data), NotEnoughPoints)
        assert (done is not None) == (spendable >= needs)
        if done is not None:
            self.points -= needs
            if done.code is None:
                self.value[self.kim] += 5_000
            else:
                card = self.do(credit.usable(self.db, done.code, self.trade.web))
                self.cards.append(IssuedCard(card=card, code=done.code))
                self.value[card.id] = 2_000

    @rule(release=st.booleans())
    def time_passes(self, release: bool) -> None:
        if release:
            self.do(
                self.db.rows("UPDATE loyalty_lot SET release_at = $1 WHERE release_at IS NOT NULL", now())
            )
            self.do(earning.sweep(self.db))
            return
        before = self.do(credit.view(self.db, self.kim)).points
        oldest = """UPDATE loyalty_lot SET expires_at = $1 WHERE id = (
                        SELECT id FROM loyalty_lot WHERE open > 0 AND release_at IS NULL
                        ORDER BY earned_at, id LIMIT 1)"""
        self.do(self.db.rows(oldest, now()))
        self.do(earning.sweep(self.db))
        self.points -= before - self.do(credit.view(self.db, self.kim)).points

    # -- always ----------------------------------------------------------------------------------------------------

    @invariant()
    def the_books_balance(self) -> None:
        if not hasattr(self, "trade"):
            return
        self.do(books_are_sound(self.db))
        rows = self.do(
            self.db.rows(
                "SELECT holder, balance, held FROM credit_account WHERE kind IN ('gift_card', 'store_credit')"
            )
        )
        found = {row["holder"]: (row["balance"], row["balance"] - row["held"]) for row in rows}
        for holder, value in self.value.items():
            assert found.get(holder, (0, 0)) == (value, self.free(holder))
            assert self.free(holder) >= 0
        view = self.do(credit.view(self.db, self.kim))
        assert view.points + view.pending == self.points
        assert view.pending >= 0


def test_whatever_happens_the_books_balance(postgres: Embedded, template: str, tmp_path: Path) -> None:
    Book.folder = tmp_path
    with apart(postgres, template) as (Book.loop, Book.databases):
        run_state_machine_as_test(
            Book,
            settings=settings(
                max_examples=15,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
