"""The verbs of lots in any order, on a real database: lots add up to levels, and ATP never lies."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from stock_shop import Shop, books_are_right, build_shop, new_variants

from samlad import catalog, stock
from samlad.catalog import ProductChange, Tracking
from samlad.kernel.database import Tx, open_database
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.kernel.settings import load
from samlad.stock import Cause, HoldKind, HoldLine, NotHeld, NotInStock, SoldOut, counts, lots, transfers
from samlad.stock.lots_model import Named, RecallInput
from samlad.stock.problems import LotNeeded

T = TypeVar("T")
place = st.integers(0, 1)
code = st.sampled_from(["A", "B"])
few = st.integers(1, 5)
DATES = {"A": 4, "B": 9}
"""Days that lots are good for when they first come."""


class Shelves(RuleBasedStateMachine):
    """One shop for all runs, a new product for each run."""

    runner: asyncio.Runner
    shop: Shop
    owners = Bundle("owners")
    under_way = Bundle("under_way")
    recalls = Bundle("recalls")

    def __init__(self) -> None:
        super().__init__()
        (self.milk,) = self.run(new_variants(self.shop.db, 1))
        self.places = [self.shop.warehouse, self.shop.at_lund]
        self.keep(Tracking.EXPIRY, 0)

    def run(self, work: Awaitable[T]) -> T:
        return self.runner.run(work)  # type: ignore[arg-type]

    def do(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        return self.run(self.shop.db.transaction(work))

    @rule(how=st.sampled_from([Tracking.EXPIRY, Tracking.EXPIRY, Tracking.LOT, Tracking.NONE]), days=few)
    def keep(self, how: Tracking, days: int) -> None:
        self.how = how
        change = ProductChange(tracking=how, min_days_left=days - 1 if days else 0)
        self.do(lambda tx: catalog.change(tx, self.milk, change))

    async def lot(self, tx: Tx, name: str, units: int) -> UUID | None:
        if self.how is Tracking.NONE:
            return None
        day = await tx.value("SELECT (now() AT TIME ZONE 'Europe/Stockholm')::date")
        known = await tx.value("SELECT expires_on FROM lot WHERE variant = $1 AND code = $2", self.milk, name)
        good_until = known or day + timedelta(days=DATES[name])
        return (await lots.resolve(tx, [Named(self.milk, units, name, good_until)]))[0]

    @rule(at=place, name=code, units=few)
    def receive(self, at: int, name: str, units: int) -> None:
        async def work(tx: Tx) -> None:
            lot = await self.lot(tx, name, units)
            await stock.receive(tx, self.places[at].id, [(self.milk, units)], lots=[lot])

        self.do(work)

    @rule(at=place, name=code, units=st.integers(-4, 4))
    def correct(self, at: int, name: str, units: int) -> None:
        async def work(tx: Tx) -> None:
            lot = await self.lot(tx, name, units)
            await stock.correct(tx, self.places[at].id, [(self.milk, units)], reason="found", lots=[lot])

        before = self.on_hand(at)
        try:
            self.do(work)
            assert self.on_hand(at) == before + units
        except NotInStock:
            assert units < 0
            assert self.on_hand(at) == before

    @rule(at=place, units=few)
    def lose(self, at: int, units: int) -> None:
        """Nobody says which lot it was."""
        gone = [(self.places[at].id, self.milk, units)]
        before = self.on_hand(at)
        self.do(lambda tx: stock.write_off(tx, gone, cause=Cause.DAMAGE, reason="mice", reference=new_id()))
        assert self.on_hand(at) == max(0, before - units)

    @rule(target=owners, units=few, kind=st.sampled_from([HoldKind.CART, HoldKind.ORDER]))
    def take(self, units: int, kind: HoldKind) -> Any:
        owner, web = new_id(), self.shop.web
        promised = self.run(stock.promises(self.shop.db, web, [self.milk]))
        room = sum(p.available + p.backorder for p in promised)
        line = [HoldLine(self.milk, units)]
        try:
            self.do(lambda tx: stock.take(tx, line, channel=web, kind=kind, owner=owner))
            assert units <= room
            return owner
        except SoldOut:
            assert units > room
            return multiple()

    @rule(owner=consumes(owners))
    def release(self, owner: UUID) -> None:
        self.do(lambda tx: stock.release(tx, owner))

    @rule(owner=consumes(owners), name=st.none() | code)
    def ship(self, owner: UUID, name: str | None) -> None:
        """The lot whose turn it is, or the one that somebody has in hand; never one that nobody may get."""
        held = self.run(stock.holds_of(self.shop.db, owner))
        lot = self.run(
            self.shop.db.value("SELECT id FROM lot WHERE variant = $1 AND code = $2", self.milk, name)
        )
        lines = [HoldLine(h.variant, h.quantity, h.location, lot) for h in held] if lot else None
        try:
            moved = self.do(lambda tx: stock.ship(tx, owner, lines=lines))
        except (NotHeld, NotInStock):
            assert not held or lot is not None or self.late(), "what is held can leave"
            return
        assert sum(m.quantity for m in moved) == -sum(h.quantity for h in held)
        gone = self.run(
            self.shop.db.rows(
                """SELECT t.recall, t.expires_on < (now() AT TIME ZONE 'Europe/Stockholm')::date AS is_old
                   FROM lot t WHERE t.id = ANY($1::uuid[])""",
                [m.lot for m in moved if m.lot],
            )
        )
        assert not any(row["recall"] or row["is_old"] for row in gone)

    @rule(target=under_way, at=place, units=few)
    def send(self, at: int, units: int) -> Any:
        origin, destination = self.places[at].id, self.places[1 - at].id
        try:
            sent = self.do(lambda tx: transfers.send(tx, origin, destination, [(self.milk, units)]))
        except NotInStock:
            return multiple()
        return sent.id

    @rule(transfer=consumes(under_way), part=few, is_cancelled=st.booleans())
    def end_transfer(self, transfer: UUID, part: int, is_cancelled: bool) -> None:
        with contextlib.suppress(LotNeeded, Conflict):  # several lots are under way, or fewer units
            self.do(lambda tx: transfers.receive(tx, transfer, [(self.milk, part)]))
            self.do(lambda tx: transfers.lose(tx, transfer, [(self.milk, part)], reason="mice"))
            self.do(lambda tx: transfers.find(tx, transfer))
        end = transfers.cancel if is_cancelled else transfers.receive
        with contextlib.suppress(Conflict):  # it had all arrived
            self.do(lambda tx: end(tx, transfer))

    @rule(at=place, found=st.lists(st.integers(0, 6), min_size=2, max_size=2))
    def count(self, at: int, found: list[int]) -> None:
        async def work(tx: Tx) -> None:
            these = [await self.lot(tx, name, 1) for name in ("A", "B")]
            lines = [(self.milk, units) for units in found]
            if self.how is Tracking.NONE:
                these, lines = these[:1], lines[:1]
            made = await counts.open_count(tx, self.places[at].id)
            await counts.enter(tx, made.id, lines, lots=these)
            await counts.close(tx, made.id)

        self.do(work)

    @rule(target=recalls, name=code)
    def recall(self, name: str) -> Any:
        data = RecallInput(variant=self.milk, lot=name, reason="glass")
        try:
            return self.do(lambda tx: lots.recall(tx, data)).id
        except InvalidInput:
            assert self.how is Tracking.NONE
            return multiple()

    @rule(recall=consumes(recalls))
    def end_recall(self, recall: UUID) -> None:
        self.do(lambda tx: lots.end_recall(tx, recall))

    @rule(days=few)
    def days_pass(self, days: int) -> None:
        """As if days had gone by: dates come nearer."""
        for sql in (
            "UPDATE lot SET expires_on = expires_on - $2::int WHERE variant = $1",
            "UPDATE stock_lot SET look_on = look_on - $2::int WHERE variant = $1 AND look_on > '-infinity'",
        ):
            self.do(lambda tx, sql=sql: tx.execute(sql, self.milk, days))

    @rule()
    def judge(self) -> None:
        self.run(lots.judge(self.shop.db))
        assert not self.late()

    def late(self) -> bool:
        """Whether lots have become something that nobody has looked at yet."""
        count = self.run(
            self.shop.db.value(
                "SELECT count(*) FROM stock_lot_due WHERE variant = $1 AND state <> due AND on_hand > 0",
                self.milk,
            )
        )
        return bool(count)

    @invariant()
    def lots_add_up(self) -> None:
        self.run(books_are_right(self.shop.db, [self.milk]))
        for view in ("stock_lot_difference", "stock_lot_ledger_difference", "stock_ledger_difference"):
            rows = self.run(self.shop.db.rows(f"SELECT * FROM {view} WHERE variant = $1", self.milk))
            assert rows == [], view

    def on_hand(self, at: int) -> int:
        return self.run(self.shop.level(self.milk, self.places[at]))[0]


@pytest.mark.slow
@pytest.mark.timeout(900)  # when it fails, Hypothesis takes up to five minutes to find the shortest story
def test_the_verbs_of_lots_in_any_order(dsn: str, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        db = runner.run(open_database(dsn, load({}, home=tmp_path, database_url=dsn, pool_size=2)))
        Shelves.runner, Shelves.shop = runner, runner.run(build_shop(db))
        quick = settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        )
        try:
            run_state_machine_as_test(Shelves, settings=quick)
        finally:
            runner.run(db.close())
