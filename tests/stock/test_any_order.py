"""The verbs in any order, on a real database: the books are always right, and ATP never lies."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
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
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from stock_shop import Shop, books_are_right, build_shop, new_variants

from samlad import channels, stock
from samlad.channels import ChannelChange
from samlad.kernel.database import Tx, open_database
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict
from samlad.kernel.settings import load
from samlad.stock import (
    HoldKind,
    HoldLine,
    LocationChange,
    NotHeld,
    NotInStock,
    SoldOut,
    counts,
    purchases,
    purchases_store,
    sharing,
    suppliers,
    transfers,
)
from samlad.stock.model import LocationChannelInput
from samlad.stock.purchase_model import OPEN, Supplier, SupplierInput, WantedLine

T = TypeVar("T")
PLACES, VARIANTS = 3, 2
PAST = datetime(2020, 1, 1, tzinfo=UTC)
EXPIRED = """SELECT coalesce(sum(quantity), 0)::int FROM hold
             WHERE location = $1 AND variant = $2 AND expires_at <= now()"""

place = st.integers(0, PLACES - 1)
variant = st.integers(0, VARIANTS - 1)
few = st.integers(1, 6)


class Books(RuleBasedStateMachine):
    """One shop for all runs, new variants for each run."""

    runner: asyncio.Runner
    shop: Shop
    supplier: Supplier
    owners = Bundle("owners")
    under_way = Bundle("under_way")
    on_order = Bundle("on_order")
    open_counts = Bundle("open_counts")

    def __init__(self) -> None:
        super().__init__()
        self.variants = self.run(new_variants(self.shop.db, VARIANTS))
        self.places = [self.shop.warehouse, self.shop.at_malmo, self.shop.at_lund]
        self.begin_anew()
        self.there = dict.fromkeys(self.variants, 0)
        """Units on hand over all locations, by our own account."""

    def begin_anew(self) -> None:
        """The channels and locations are those of all runs: take back what the last run said of them."""
        for at in range(PLACES):
            self.keep_back(at, 0)
            for channel in ("web", "malmo", "lund"):
                self.serve(at, channel, None, False)
        for channel in ("web", "malmo"):
            self.keep_for_others(channel, 0)

    def run(self, work: Awaitable[T]) -> T:
        return self.runner.run(work)  # type: ignore[arg-type]

    def do(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        return self.run(self.shop.db.transaction(work))

    @initialize(units=st.lists(st.integers(0, 4), min_size=PLACES * VARIANTS, max_size=PLACES * VARIANTS))
    def open(self, units: list[int]) -> None:
        every = [(p.id, v) for p in self.places for v in self.variants]
        rows = [(p, v, n) for (p, v), n in zip(every, units, strict=True)]
        self.do(lambda tx: stock.opening(tx, rows, unit_costs_e4={self.variants[0]: 1_000_003}))
        for _, v, n in rows:
            self.there[v] += n

    @rule(at=place, what=variant, units=few, cost=st.none() | st.integers(0, 10**7))
    def receive(self, at: int, what: int, units: int, cost: int | None) -> None:
        lines = [(self.variants[what], units)]
        self.do(lambda tx: stock.receive(tx, self.places[at].id, lines, unit_costs_e4=[cost]))
        self.there[self.variants[what]] += units

    @rule(at=place, what=variant, limit=st.integers(0, 3), sells_incoming=st.booleans())
    def sell_before_it_is_there(self, at: int, what: int, limit: int, sells_incoming: bool) -> None:
        level = self.row(at, what)
        most = limit + (level["incoming"] if level and sells_incoming else 0)
        where = (self.places[at].id, self.variants[what])
        expired = self.run(self.shop.db.value(EXPIRED, *where))
        owed = 0 if level is None else level["held"] - expired - level["on_hand"]
        try:
            self.do(
                lambda tx: stock.set_level(tx, *where, backorder_limit=limit, sells_incoming=sells_incoming)
            )
            assert owed <= most
        except Conflict:
            assert owed > most

    @rule(at=place, units=st.integers(0, 2))
    def keep_back(self, at: int, units: int) -> None:
        change = LocationChange(buffer=units)
        self.do(lambda tx: stock.change_location(tx, self.places[at].id, change))

    @rule(
        at=place,
        channel=st.sampled_from(["web", "malmo", "lund"]),
        buffer=st.none() | st.integers(0, 2),
        is_excluded=st.booleans(),
    )
    def serve(self, at: int, channel: str, buffer: int | None, is_excluded: bool) -> None:
        data = LocationChannelInput(buffer=buffer, is_excluded=is_excluded)
        where = getattr(self.shop, channel)
        self.do(lambda tx: sharing.set_channel(tx, self.places[at].id, where, data))

    @rule(channel=st.sampled_from(["web", "malmo"]), units=st.integers(0, 2))
    def keep_for_others(self, channel: str, units: int) -> None:
        change = ChannelChange(settings={"buffer": units})
        new = self.do(lambda tx: channels.change(tx, getattr(self.shop, channel).id, change))
        setattr(self.shop, channel, new)

    @rule(target=on_order, at=place, units=st.lists(few, min_size=VARIANTS, max_size=VARIANTS))
    def order(self, at: int, units: list[int]) -> UUID:
        async def work(tx: Tx) -> UUID:
            lines = [WantedLine(v, n, 3_333_333) for v, n in zip(self.variants, units, strict=True)]
            made = await purchases.draft(tx, self.supplier, self.places[at].id, lines)
            return (await purchases.order(tx, made.id)).id

        return self.do(work)

    @rule(purchase=on_order, what=variant, units=st.none() | few, receipt=st.sampled_from([None, "again"]))
    def goods_come(self, purchase: UUID, what: int, units: int | None, receipt: str | None) -> None:
        name = new_id()
        lines = None if units is None else [(self.variants[what], units)]
        old = self.run(purchases_store.get(self.shop.db, purchase))
        for _ in range(2 if receipt else 1):
            try:
                self.do(lambda tx: purchases.receive(tx, purchase, lines, receipt=name))
            except Conflict:
                assert old.status not in OPEN
                return
        new = self.run(purchases_store.get(self.shop.db, purchase))
        came = {line.variant: line.received for line in new.lines}
        for line in old.lines:
            self.there[line.variant] += came[line.variant] - line.received
        if lines is not None:
            assert sum(came.values()) - sum(line.received for line in old.lines) == units

    @rule(purchase=on_order)
    def call_off(self, purchase: UUID) -> None:
        old = self.run(purchases_store.get(self.shop.db, purchase))
        try:
            self.do(lambda tx: purchases.cancel(tx, purchase))
            assert old.status in OPEN
        except Conflict:
            assert old.status not in OPEN

    @rule(
        target=owners,
        wanted=st.lists(st.integers(0, 5), min_size=VARIANTS, max_size=VARIANTS).filter(any),
        kind=st.sampled_from(HoldKind),
        expires=st.sampled_from([None, PAST]),
        channel=st.sampled_from(["web", "malmo"]),
    )
    def take(self, wanted: list[int], kind: HoldKind, expires: datetime | None, channel: str) -> Any:
        owner, where = new_id(), getattr(self.shop, channel)
        lines = [HoldLine(v, q) for v, q in zip(self.variants, wanted, strict=True) if q]
        promised = {p.variant: p for p in self.run(stock.promises(self.shop.db, where, self.variants))}
        room = {v: p.available + p.backorder for v, p in promised.items()}
        fits = all(line.quantity <= room.get(line.variant, 0) for line in lines)
        try:
            held = self.do(
                lambda tx: stock.take(tx, lines, channel=where, kind=kind, owner=owner, expires_at=expires)
            )
            assert fits
            for line in lines:
                assert line.quantity == sum(h.quantity for h in held if h.variant == line.variant)
            return owner
        except SoldOut as refused:
            assert not fits
            for line in refused.lines:
                assert line.available == room.get(line.variant, 0) < line.wanted
            return multiple()

    @rule(target=owners, at=place, what=variant, units=few)
    def take_here(self, at: int, what: int, units: int) -> Any:
        owner, lund = new_id(), self.shop.lund
        is_own = self.places[at].channel == lund.id
        seen = self.run(stock.promises(self.shop.db, lund, [self.variants[what]], carry_out=is_own))
        levels = seen[0].locations if seen else []
        room = sum(level.available + level.later for level in levels if level.location == self.places[at].id)
        try:
            lines = [HoldLine(self.variants[what], units, self.places[at].id)]
            self.do(
                lambda tx: stock.take(tx, lines, channel=self.shop.lund, kind=HoldKind.ORDER, owner=owner)
            )
            assert units <= room
            return owner
        except SoldOut:
            assert units > room
            return multiple()

    @rule(owner=consumes(owners))
    def release(self, owner: UUID) -> None:
        self.do(lambda tx: stock.release(tx, owner))
        assert self.run(stock.holds_of(self.shop.db, owner)) == []

    @rule(owner=owners, what=variant, units=few)
    def release_some(self, owner: UUID, what: int, units: int) -> None:
        held = self.held(owner, what)
        try:
            self.do(lambda tx: stock.release(tx, owner, lines=[HoldLine(self.variants[what], units)]))
            assert self.held(owner, what) == held - units
        except NotHeld:
            assert self.held(owner, what) == held < units

    @rule(target=owners, owner=consumes(owners))
    def convert(self, owner: UUID) -> UUID:
        order, before = new_id(), self.run(stock.holds_of(self.shop.db, owner))
        self.do(lambda tx: stock.convert(tx, owner, to_kind=HoldKind.ORDER, to_owner=order))
        after = self.run(stock.holds_of(self.shop.db, order))
        assert sorted(h.id for h in before) == sorted(h.id for h in after)
        return order

    @rule(owner=owners, some=st.none() | st.tuples(variant, few))
    def ship(self, owner: UUID, some: tuple[int, int] | None) -> None:
        lines = None if some is None else [HoldLine(self.variants[some[0]], some[1])]
        try:
            moved = self.do(lambda tx: stock.ship(tx, owner, lines=lines))
        except (NotHeld, NotInStock):
            return
        for m in moved:
            self.there[m.variant] += m.quantity
        if some is not None:
            assert sum(m.quantity for m in moved) == -some[1]

    @rule(at=place, what=variant, units=st.integers(-5, 5))
    def correct(self, at: int, what: int, units: int) -> None:
        level = self.level(at, what)
        try:
            self.do(
                lambda tx: stock.correct(
                    tx, self.places[at].id, [(self.variants[what], units)], reason="found or lost"
                )
            )
            self.there[self.variants[what]] += units
        except NotInStock:
            assert (level.on_hand if level else 0) + units < 0

    @rule(target=open_counts, at=place, found=st.lists(st.integers(0, 8), min_size=2, max_size=2))
    def begin_count(self, at: int, found: list[int]) -> UUID:
        async def work(tx: Tx) -> UUID:
            count = await counts.open_count(tx, self.places[at].id)
            await counts.enter(tx, count.id, list(zip(self.variants, found, strict=True)))
            return count.id

        return self.do(work)

    @rule(count=consumes(open_counts))
    def close_count(self, count: UUID) -> None:
        self.do(lambda tx: counts.close(tx, count))
        rows = self.run(
            self.shop.db.rows("SELECT variant, quantity FROM movement WHERE reference = $1", count)
        )
        for row in rows:
            self.there[row["variant"]] += row["quantity"]

    @rule(target=under_way, start=place, step=st.integers(1, PLACES - 1), what=variant, units=few)
    def send(self, start: int, step: int, what: int, units: int) -> Any:
        origin, destination = self.places[start].id, self.places[(start + step) % PLACES].id
        level = self.row(start, what)
        try:
            transfer = self.do(
                lambda tx: transfers.send(tx, origin, destination, [(self.variants[what], units)])
            )
        except NotInStock:
            assert level is None or units > level["on_hand"] - max(0, level["held"] - level["later"])
            return None
        self.there[self.variants[what]] -= units
        return (transfer.id, what, units)

    @rule(
        transfer=consumes(under_way),
        arrived=st.integers(0, 6),
        lost=st.integers(0, 6),
        is_found=st.booleans(),
        is_cancelled=st.booleans(),
    )
    def end_transfer(
        self, transfer: Any, arrived: int, lost: int, is_found: bool, is_cancelled: bool
    ) -> None:
        if transfer is None:
            return
        transfer_id, what, units = transfer
        part = min(arrived, units)
        got = self.do(lambda tx: transfers.receive(tx, transfer_id, [(self.variants[what], part)]))
        gone = min(lost, units - part)
        if gone:
            line = (self.variants[what], gone)
            got = self.do(lambda tx: transfers.lose(tx, transfer_id, [line], reason="fell off the lorry"))
            if is_found:
                got, gone = self.do(lambda tx: transfers.find(tx, transfer_id)), 0
        if got.status == "in_transit":
            end = transfers.cancel if is_cancelled else transfers.receive
            self.do(lambda tx: end(tx, transfer_id))
        self.there[self.variants[what]] += units - gone

    @rule()
    def sweep(self) -> None:
        self.run(stock.sweep(self.shop.db))
        expired = self.run(self.shop.db.value("SELECT count(*) FROM hold WHERE expires_at <= now()"))
        assert expired == 0

    @invariant()
    def the_books_are_right(self) -> None:
        self.run(books_are_right(self.shop.db, self.variants))

    @invariant()
    def stock_is_worth_what_its_movements_say(self) -> None:
        for view in ("stock_ledger_difference", "stock_incoming_difference"):
            assert (
                self.run(self.shop.db.rows(f"SELECT * FROM {view} WHERE variant = ANY($1)", self.variants))
                == []
            )
        moved = self.run(
            self.shop.db.value(
                """SELECT coalesce(sum(value_e4), 0) FROM movement
                   WHERE variant = ANY($1) AND (cause LIKE 'transfer%' OR cause = 'loss')""",
                self.variants,
            )
        )
        under_way = self.run(
            self.shop.db.value(
                """SELECT coalesce(sum(l.value_e4 - l.received_e4 - l.lost_e4), 0) FROM stock_transfer_line l
                   JOIN stock_transfer t ON t.id = l.transfer AND t.status = 'in_transit'
                   WHERE l.variant = ANY($1)""",
                self.variants,
            )
        )
        lost = self.run(
            self.shop.db.value(
                """SELECT coalesce(sum(lost_e4), 0) FROM stock_transfer_line WHERE variant = ANY($1)""",
                self.variants,
            )
        )
        assert moved + under_way + lost == 0, "a transfer takes along exactly what its units are worth"

    @invariant()
    def nothing_came_from_nowhere(self) -> None:
        rows = self.run(
            self.shop.db.rows(
                "SELECT variant, sum(on_hand)::int AS units FROM level WHERE variant = ANY($1) GROUP BY variant",
                self.variants,
            )
        )
        units = {row["variant"]: row["units"] for row in rows}
        assert {v: units.get(v, 0) for v in self.variants} == self.there

    def level(self, at: int, what: int) -> stock.Level | None:
        levels = self.run(stock.levels_of(self.shop.db, [self.variants[what]]))
        return next((level for level in levels if level.location == self.places[at].id), None)

    def row(self, at: int, what: int) -> Any:
        return self.run(
            self.shop.db.row(
                """SELECT on_hand, held, incoming, stock_later(backorder_limit, incoming, sells_incoming) AS later
                   FROM level WHERE location = $1 AND variant = $2""",
                self.places[at].id,
                self.variants[what],
            )
        )

    def held(self, owner: UUID, what: int) -> int:
        holds = self.run(stock.holds_of(self.shop.db, owner))
        return sum(h.quantity for h in holds if h.variant == self.variants[what])


@pytest.mark.slow
@pytest.mark.timeout(900)  # when it fails, Hypothesis takes up to five minutes to find the shortest story
def test_the_verbs_in_any_order(dsn: str, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        db = runner.run(open_database(dsn, load({}, home=tmp_path, database_url=dsn, pool_size=2)))
        Books.runner, Books.shop = runner, runner.run(build_shop(db))
        maker = SupplierInput(code="bodum", name="Bodum")
        Books.supplier = runner.run(db.transaction(lambda tx: suppliers.create(tx, maker)))
        quick = settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        )
        try:
            run_state_machine_as_test(Books, settings=quick)
        finally:
            runner.run(db.close())
