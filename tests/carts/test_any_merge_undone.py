"""Two carts that become one and two again: of plain goods, of goods by lot, of sets and their parts, with what staff chose.

Undone at once, a merge never was: each cart is as it was to the last note. With things that happened between, it holds what
the rule says, and what was chosen for goods that are gone is gone with them.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cart_people import CLERK, customer, has
from samlad import carts, catalog, stock
from samlad.access.permissions import Role, permissions_of
from samlad.carts import CartInput, ChooseLot, DetailsInput, DiscountInput, LineInput
from samlad.carts.merge_rules import larger, undone
from samlad.catalog import ProductChange, Tracking
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.stock.lots_model import Named
from trade import Trade

MANAGER = Context(
    actor=Actor(
        kind="staff",
        id=new_id(),
        name="Mo",
        permissions=permissions_of(Role.MANAGER) | CLERK.actor.permissions,
    )
)
NAMES = ("kettle", "milk", "pot", "set")
"""Something plain, something by lot, what a set is made of (twice) and the set: it holds its parts."""
held = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 4), max_size=4)
notes = st.sampled_from([None, "Ring twice", "Leave it"])
acts = st.lists(
    st.tuples(st.sampled_from(["add", "take", "lot", "discount"]), st.sampled_from(NAMES), st.integers(1, 3)),
    max_size=4,
)


class Counter:
    """A store with the goods, and a clerk with tickets."""

    def __init__(self, trade: Trade) -> None:
        self.trade = trade

    async def open(self) -> None:
        at = self.trade.at_malmo
        kettle, pot = [await self.trade.kettle(10_000, 10_000, at) for _ in range(2)]
        milk = await self.trade.kettle(1_500, quantity=0)

        async def bring(tx: Tx) -> None:
            found = await catalog.by_ids(tx, [milk])
            await catalog.change(tx, found[milk].product, ProductChange(tracking=Tracking.EXPIRY))
            for days, code in enumerate(("SOON", "LATE"), 30):
                day = now().date() + timedelta(days=days)
                of = await stock.resolve_lots(tx, [Named(milk, 5_000, code, day)])
                await stock.receive(tx, at.id, [(milk, 5_000)], lots=of)

        await self.trade.db.transaction(bring)
        self.goods = {
            "kettle": kettle,
            "milk": milk,
            "pot": pot,
            "set": await self.trade.set_of(15_000, (pot, 2)),
        }
        self.lots = {each.code: each.lot for each in await stock.lots_here(self.trade.db, at.id, [milk])}

    async def do(self, verb: Any, who: Context = MANAGER) -> Any:
        return await self.trade.db.transaction(verb, who)

    async def ticket(self, holds: dict[str, int], note: str | None, who: UUID | None) -> UUID:
        """At the till, or in the webshop for somebody."""
        channel = self.trade.malmo if who is None else self.trade.web
        lines = [LineInput(variant=self.goods[name], quantity=n) for name, n in holds.items()]
        whose = MANAGER if who is None else Context(actor=Actor(kind="customer", id=who))
        made = await self.do(lambda tx: carts.create(tx, CartInput(channel=channel.id, lines=lines)), whose)
        if note is not None:
            told = msgspec.convert({"gift_note": note, "note": note[::-1]}, DetailsInput)
            await self.do(lambda tx: carts.set_details(tx, made.id, told), whose)
        cart: UUID = made.id
        return cart

    async def stored(self, cart: UUID) -> dict[str, Any]:
        """Everything of a cart that a merge may touch."""
        row = await self.trade.db.row(
            "SELECT status, customer, is_current, gift_note, note, lots, discounts FROM cart WHERE id = $1",
            cart,
        )
        lines = await self.trade.db.rows(
            "SELECT id, variant, quantity, unit_price, added_by, gift_note FROM cart_line WHERE cart = $1 ORDER BY id",
            cart,
        )
        return {**dict(row.items()), "lines": [tuple(line) for line in lines]}

    async def act(self, cart: UUID, what: str, name: str, quantity: int) -> None:
        """Something that a clerk does with a ticket; what cannot be done is not done."""
        seen = await carts.view(self.trade.db, MANAGER.actor, cart)
        variant = self.goods[name]
        line = next((each for each in seen.lines if each.variant == variant), None)
        if what == "add":
            await self.do(lambda tx: carts.add_line(tx, cart, LineInput(variant=variant, quantity=quantity)))
        elif line is None:
            return
        elif what == "take":
            left = max(0, line.quantity - quantity)
            await self.do(lambda tx: carts.change_line(tx, cart, line.id, left))
        elif what == "discount":
            off = DiscountInput(kind="percent", value=1_000, line=line.id, reason="Scratched")
            await self.do(lambda tx: carts.give_discount(tx, cart, off))
        elif name == "milk":
            chosen = ChooseLot(lot=self.lots["LATE"], quantity=min(quantity, line.quantity))
            await self.do(lambda tx: carts.choose_lot(tx, cart, line.id, chosen))


@pytest.mark.slow
async def test_carts_with_lots_and_sets_become_one_and_two_again(trade: Trade) -> None:
    counter = Counter(trade)
    await counter.open()
    loop = asyncio.get_running_loop()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],
    )
    @given(at_till=held, at_home=held, before=acts, since=acts, till_note=notes, home_note=notes)
    def holds(
        at_till: dict[str, int],
        at_home: dict[str, int],
        before: list[tuple[str, str, int]],
        since: list[tuple[str, str, int]],
        till_note: str | None,
        home_note: str | None,
    ) -> None:
        run(merged_and_undone(counter, at_till, at_home, before, since, till_note, home_note))

    await asyncio.to_thread(holds)
    await trade.sound()


async def merged_and_undone(
    counter: Counter,
    at_till: dict[str, int],
    at_home: dict[str, int],
    before: list[tuple[str, str, int]],
    since: list[tuple[str, str, int]],
    till_note: str | None,
    home_note: str | None,
) -> None:
    db = counter.trade.db
    kim = await customer(counter.trade, f"kim-{new_id()}@example.org")
    assert kim.actor.id is not None
    own = await counter.ticket(at_home, home_note, kim.actor.id)
    till = await counter.ticket(at_till, till_note, None)
    for act in before:
        await counter.act(till, *act)
    was = {cart: await counter.stored(cart) for cart in (till, own)}
    attached = await counter.do(lambda tx: carts.attach(tx, till, kim.actor.id))
    assert attached.how == "kept"
    middle = await counter.stored(till)
    both = [has(await carts.view(db, MANAGER.actor, cart)) for cart in (till, own)]
    merged = (await counter.do(lambda tx: carts.combine(tx, till, own))).merge
    wanted = larger(both[1], both[0])
    assert wanted is not None
    assert has(await carts.view(db, MANAGER.actor, till)) == wanted
    for act in since:
        await counter.act(till, *act)
    now_there = has(await carts.view(db, MANAGER.actor, till))
    await counter.do(lambda tx: carts.undo(tx, till, merged))
    found = {cart: await counter.stored(cart) for cart in (till, own)}
    left = [has(await carts.view(db, MANAGER.actor, cart)) for cart in (till, own)]
    assert left == list(undone(both[0], wanted, now_there, both[1]))
    if not since:
        assert found[till] == middle
        assert found[own]["lines"] == was[own]["lines"]
        assert [found[own][name] for name in ("gift_note", "note", "lots", "discounts", "status")] == [
            was[own][name] for name in ("gift_note", "note", "lots", "discounts", "status")
        ]
        await counter.do(lambda tx: carts.undo(tx, till, attached.merge))
        assert await counter.stored(till) == was[till]
        assert (await counter.stored(own))["is_current"]
    there = {str(line[1]) for line in found[till]["lines"]}
    assert {str(each["variant"]) for each in found[till]["lots"]} <= there, "lots of goods that are gone"
    assert {str(each["variant"]) for each in found[till]["discounts"] if each["variant"]} <= there
