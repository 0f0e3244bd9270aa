"""One person's carts under everything that devices, staff and time do to them: nothing is lost, nothing doubled.

The machine keeps a plain model of what each cart and list should hold, and compares after each step.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cart_people import CLERK, begin, customer, has
from samlad import carts
from samlad.carts import CartView, DetailsInput, LineInput, TakeOver, view
from samlad.carts.merge_rules import larger, undone
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from trade import BUYER, GUEST, Trade, build

STOCK = 10_000


class Person(RuleBasedStateMachine):
    """Kim at a computer, with a phone, helped by a clerk, and a guest's cart that turns out to be Kim's."""

    trade: Trade
    variants: Sequence[UUID]
    parts: dict[UUID, dict[UUID, int]]
    """What sets are made of."""
    run: Callable[[Awaitable[Any]], Any]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[UUID, dict[UUID, int]] = {}
        self.versions: dict[UUID, int] = {}
        self.keys: dict[UUID, list[tuple[Context, str | None]]] = {}
        self.merges: list[tuple[UUID, UUID, UUID, dict[UUID, int], dict[UUID, int], dict[UUID, int]]] = []
        self.gone: set[UUID] = set()
        self.saved: dict[UUID, int] = {}
        self.ordered: dict[UUID, int] = {}

    @initialize()
    def arrive(self) -> None:
        """Kim signs in with an empty cart."""
        self.kim = self.run(customer(self.trade, f"kim-{new_id()}@example.org"))
        self.own = self.run(begin(self.trade, who=self.kim)).id
        self.held[self.own] = {}
        self.keys[self.own] = [(self.kim, None), (CLERK, None)]

    def do(self, cart: UUID, pick: int, verb: Callable[..., Any]) -> Any:
        """A verb on a cart by one of those who may."""
        who, token = self.keys[cart][pick % len(self.keys[cart])]
        return self.run(self.trade.db.transaction(lambda tx: verb(tx, token), who))

    @rule(pick=st.integers(0, 9), index=st.integers(0, 2), quantity=st.integers(1, 3))
    def add(self, pick: int, index: int, quantity: int) -> None:
        """Somebody puts something in."""
        variant = self.variants[index]
        line = LineInput(variant=variant, quantity=quantity)
        shown = self.do(self.own, pick, lambda tx, token: carts.add_line(tx, self.own, line, token=token))
        mine = self.held[self.own]
        mine[variant] = mine.get(variant, 0) + quantity
        assert has(shown) == mine

    @rule(pick=st.integers(0, 9), index=st.integers(0, 2), quantity=st.integers(0, 4))
    def change(self, pick: int, index: int, quantity: int) -> None:
        """Somebody sets a quantity, or takes a line out."""
        shown = self.look(self.own)
        line = next((line for line in shown.lines if line.variant == self.variants[index]), None)
        if line is None:
            return
        self.do(
            self.own,
            pick,
            lambda tx, token: carts.change_line(
                tx, self.own, line.id, quantity, line_version=line.version, token=token
            ),
        )
        self.held[self.own].pop(line.variant)
        if quantity:
            self.held[self.own][line.variant] = quantity

    @rule(pick=st.integers(0, 9), index=st.integers(0, 2))
    def save(self, pick: int, index: int) -> None:
        """A line is saved for later."""
        line = next((x for x in self.look(self.own).lines if x.variant == self.variants[index]), None)
        if line is None:
            return
        self.do(self.own, pick, lambda tx, token: carts.save_line(tx, self.own, line.id, token=token))
        quantity = self.held[self.own].pop(line.variant)
        self.saved[line.variant] = self.saved.get(line.variant, 0) + quantity

    @rule(index=st.integers(0, 2))
    def put_back(self, index: int) -> None:
        """What was saved comes back."""
        for saved in self.lists():
            line = next((x for x in saved.lines if x.variant == self.variants[index]), None)
            if line is None:
                continue
            self.run(
                self.trade.db.transaction(
                    lambda tx, saved=saved, line=line: carts.save_line(tx, saved.id, line.id, self.own),
                    self.kim,
                )
            )
            self.saved.pop(line.variant)
            mine = self.held[self.own]
            mine[line.variant] = mine.get(line.variant, 0) + line.quantity

    @rule(lines=st.dictionaries(st.integers(0, 2), st.integers(1, 4), min_size=1), is_paying=st.booleans())
    def guest_signs_in(self, lines: dict[int, int], is_paying: bool) -> None:
        """A guest's cart turns out to be Kim's, while browsing or in a checkout."""
        wanted = {self.variants[index]: quantity for index, quantity in lines.items()}
        guest = self.run(begin(self.trade, *wanted.items()))
        if is_paying:
            self.run(
                self.trade.db.transaction(lambda tx: carts.checkout(tx, guest.id, token=guest.token), GUEST)
            )
        done = self.run(
            self.trade.db.transaction(lambda tx: carts.attach(tx, guest.id, token=guest.token), self.kim)
        )
        mine = self.held[self.own]
        if not is_paying:
            merged = larger(wanted, mine)
            assert (done.how, has(done.cart)) == ("merged", merged)
            self.merges.append((done.merge, self.own, guest.id, dict(mine), merged or {}, wanted))
            self.held[self.own] = dict(merged or {})
            return
        assert done.how == "kept"
        rest = self.run(self.trade.db.transaction(lambda tx: carts.combine(tx, guest.id, self.own), self.kim))
        self.gone.add(self.own)
        self.held[guest.id] = dict(larger(mine, wanted) or {})
        assert has(rest.cart) == self.held[guest.id]
        del self.held[self.own]
        self.own, self.merges = guest.id, []
        self.keys[self.own] = [(self.kim, None), (CLERK, None), (GUEST, guest.token)]

    @precondition(lambda self: bool(self.merges))
    @rule()
    def undo(self) -> None:
        """The last merge is undone; twice is once."""
        merge, cart, other, before, merged, wanted = self.merges.pop()
        mine, theirs = undone(before, merged, self.held[cart], wanted)
        for _ in range(2):
            shown = self.run(self.trade.db.transaction(lambda tx: carts.undo(tx, cart, merge), self.kim))
        assert has(shown) == mine
        assert has(self.look(other)) == theirs
        self.held[cart] = mine

    @rule(pick=st.integers(0, 9))
    def hand_over(self, pick: int) -> None:
        """Another device joins; it stays with the others."""
        offer = self.do(self.own, pick, lambda tx, token: carts.offer(tx, self.own, token=token))
        data = TakeOver(channel=self.trade.web.id, code=offer.code)
        joined = self.run(self.trade.db.transaction(lambda tx: carts.take_over(tx, data), GUEST))
        assert has(joined) == self.held[self.own]
        self.keys[self.own] = [*self.keys[self.own], (GUEST, joined.token)][-6:]

    @precondition(lambda self: bool(self.held[self.own]))
    @rule(goes_on=st.booleans())
    def park(self, goes_on: bool) -> None:
        """A clerk puts it aside; it goes on by being resumed, or by whatever comes next."""
        self.run(self.trade.db.transaction(lambda tx: carts.park(tx, self.own), CLERK))
        if goes_on:
            self.run(self.trade.db.transaction(lambda tx: carts.resume(tx, self.own), CLERK))
        else:
            self.run(self.trade.db.transaction(lambda tx: carts.reopen(tx, self.own), self.kim))

    @precondition(lambda self: bool(self.held[self.own]))
    @rule(checks_out=st.booleans())
    def order(self, checks_out: bool) -> None:
        """It is bought; the next cart is a new one, with what was saved beside it."""
        details = msgspec.convert(BUYER, DetailsInput)
        self.run(self.trade.db.transaction(lambda tx: carts.set_details(tx, self.own, details), self.kim))
        if checks_out:
            self.run(self.trade.db.transaction(lambda tx: carts.checkout(tx, self.own), self.kim))
        order = self.run(self.trade.place(self.own))
        bought: Counter[UUID] = Counter()
        for line in order.lines:
            if line.variant:
                bought[line.variant] += line.quantity
        wanted: Counter[UUID] = Counter()
        for variant, quantity in self.held.pop(self.own).items():  # of a set its parts are ordered
            wanted.update(
                {part: each * quantity for part, each in self.parts.get(variant, {variant: 1}).items()}
            )
        assert bought == wanted
        for variant, quantity in bought.items():
            self.ordered[variant] = self.ordered.get(variant, 0) + quantity
        self.merges = []
        self.own = self.run(begin(self.trade, who=self.kim)).id
        self.held[self.own] = {}
        self.keys[self.own] = [(self.kim, None), (CLERK, None)]

    def look(self, cart: UUID) -> CartView:
        shown: CartView = self.run(view(self.trade.db, SYSTEM, cart))
        return shown

    def lists(self) -> list[CartView]:
        found: list[CartView] = self.run(carts.lists_beside(self.trade.db, self.kim.actor, self.own))
        return found

    @invariant()
    def is_as_it_should_be(self) -> None:
        """The cart and what was saved hold what they should, versions only grow, and one cart is the live one."""
        if not hasattr(self, "kim"):
            return
        shown = self.look(self.own)
        assert has(shown) == self.held[self.own]
        assert shown.version >= self.versions.get(self.own, 0)
        self.versions[self.own] = shown.version
        saved: dict[UUID, int] = {}
        for each in self.lists():
            for line in each.lines:
                saved[line.variant] = saved.get(line.variant, 0) + line.quantity
        assert saved == self.saved
        live = self.run(carts.live_cart(self.trade.db, self.kim.actor, self.trade.web.id))
        assert live.id == self.own

    def teardown(self) -> None:
        """What is held in all is what is in the cart and was ordered: nothing was held twice or forgotten."""
        if hasattr(self, "kim"):
            self.run(self.sound())

    async def sound(self) -> None:
        await self.trade.sound()


@pytest.mark.parametrize("policy", ["checkout", "cart"])
async def test_one_persons_carts(db: Database, policy: str) -> None:
    """The steps run in a thread of their own, so that each can wait for this loop's database."""
    trade = await build(db, hold_policy=policy)
    loop = asyncio.get_running_loop()

    def run(work: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)  # type: ignore[arg-type]

    plain, milk = await trade.kettle(quantity=STOCK), await trade.kettle(quantity=0)
    await trade.by_lot(milk, SOON=50, LATE=STOCK)
    # A set holds its parts: one of them is also bought alone.
    pot = await trade.kettle(quantity=STOCK)
    goods = [plain, await trade.set_of(15_000, (plain, 1), (pot, 2)), milk]
    parts = {goods[1]: {plain: 1, pot: 2}}
    world = {"trade": trade, "run": staticmethod(run), "variants": goods, "parts": parts}
    machine = type("Machine", (Person,), world)
    await asyncio.to_thread(
        run_state_machine_as_test,
        machine,
        settings=settings(
            max_examples=6,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # what fails says its steps; making them fewer takes minutes
        ),
    )
