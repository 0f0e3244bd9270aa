"""A guest's cart meets its customer's: by the situation, and always with undo."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cart_people import CLERK, begin, customer, has
from samlad import carts, channels
from samlad.carts import (
    CartClosed,
    DiscountInput,
    DiscountKind,
    LineInput,
    QuoteInput,
    QuoteLine,
    view,
)
from samlad.carts.merge_rules import add, keep, larger, undone
from samlad.carts.model import MOST_LINES
from samlad.channels import ChannelChange
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, NotFound
from trade import BUYER, GUEST, Trade, build

VARIANTS = [UUID(int=number) for number in range(5)]
quantities = st.dictionaries(st.sampled_from(VARIANTS), st.integers(1, 9), max_size=5)


@given(quantities, quantities)
def test_a_merge_undone_at_once_never_was(own: dict[UUID, int], other: dict[UUID, int]) -> None:
    for strategy in (larger, add):
        merged = strategy(other, own)
        assert merged is not None
        assert undone(own, merged, merged, other) == (own, other)


@given(quantities, quantities, quantities)
def test_what_came_since_stays_and_what_went_is_gone(
    own: dict[UUID, int], other: dict[UUID, int], since: dict[UUID, int]
) -> None:
    merged = larger(other, own)
    assert merged is not None
    more = {v: merged.get(v, 0) + since.get(v, 0) for v in {*merged, *since}}
    assert undone(own, merged, more, other) == (
        {v: own.get(v, 0) + since.get(v, 0) for v in {*own, *since}},
        other,
    )
    assert undone(own, merged, {}, other) == ({}, {})


@given(quantities, quantities, quantities)
def test_undo_never_makes_more_of_the_old_or_less_than_nothing(
    own: dict[UUID, int], other: dict[UUID, int], now: dict[UUID, int]
) -> None:
    merged = larger(other, own)
    assert merged is not None
    mine, theirs = undone(own, merged, now, other)
    assert all(quantity > 0 for quantity in (*mine.values(), *theirs.values()))
    assert all(quantity <= other[variant] for variant, quantity in theirs.items())


def test_too_much_for_one_cart_is_offered_instead() -> None:
    this = {new_id(): 1 for _ in range(MOST_LINES)}
    assert larger(this, {new_id(): 1}) is None
    assert keep(this, {}) is None


class People:
    """Kim, with a cart of a kettle and filters, and a guest who will turn out to be Kim."""

    def __init__(self, trade: Trade, kim: Context, kettle: UUID, filters: UUID, mug: UUID) -> None:
        self.trade, self.kim, self.kettle, self.filters, self.mug = trade, kim, kettle, filters, mug

    async def both(self, **fields: Any) -> tuple[carts.NewCart, carts.NewCart]:
        own = await begin(self.trade, (self.kettle, 1), (self.filters, 2), who=self.kim)
        guest = await begin(self.trade, (self.kettle, 3), (self.mug, 1), **fields)
        return own, guest

    async def attach(self, cart: carts.NewCart, who: Context | None = None) -> carts.Attached:
        whose = self.kim.actor.id if who is CLERK else None
        return await self.trade.db.transaction(
            lambda tx: carts.attach(tx, cart.id, whose, token=cart.token), who or self.kim
        )

    async def undo(self, done: carts.Attached, who: Context | None = None) -> carts.CartView:
        assert done.merge is not None
        return await self.trade.db.transaction(
            lambda tx: carts.undo(tx, done.cart.id, done.merge), who or self.kim
        )

    async def stored(self, cart: UUID) -> list[tuple[Any, ...]]:
        rows = await self.trade.db.rows(
            """SELECT id, variant, quantity, unit_price, added_by, changed_by, gift_note, problem FROM cart_line
               WHERE cart = $1 ORDER BY variant""",
            cart,
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def people(trade: Trade) -> People:
    kim = await customer(trade, "kim@example.org")
    return People(
        trade, kim, await trade.kettle(19_900), await trade.kettle(4_900), await trade.kettle(9_900)
    )


async def test_browsing_the_carts_become_one_with_the_larger_quantity(people: People) -> None:
    own, guest = await people.both()
    await people.trade.set_price(people.mug, 8_900)
    done = await people.attach(guest)
    assert (done.how, done.situation, done.cart.id, done.other) == ("merged", "browsing", own.id, guest.id)
    assert has(done.cart) == {people.kettle: 3, people.filters: 2, people.mug: 1}
    mug = next(line for line in done.cart.lines if line.variant == people.mug)
    assert (mug.added_by, mug.price_before, mug.unit_price) == ("guest", 9_900, 8_900), "as it was agreed to"
    there = await view(people.trade.db, GUEST.actor, guest.id, token=guest.token)
    assert there.id == own.id, "the guest's browser finds itself in the cart that goes on"
    more = LineInput(variant=people.mug)
    added = await people.trade.db.transaction(
        lambda tx: carts.add_line(tx, guest.id, more, token=guest.token), GUEST
    )
    assert (added.id, has(added)[people.mug]) == (own.id, 2)
    assert (await people.attach(guest)).how == "already", "twice is once"


async def test_undo_restores_both_exactly_with_what_happened_since(people: People) -> None:
    own, guest = await people.both()
    before = await people.stored(own.id), await people.stored(guest.id)
    done = await people.attach(guest)
    await people.undo(done)
    assert (await people.stored(own.id), await people.stored(guest.id)) == before
    with pytest.raises(NotFound):
        await view(people.trade.db, GUEST.actor, own.id, token=guest.token)
    alone = await view(people.trade.db, GUEST.actor, guest.id, token=guest.token)
    assert (alone.id, alone.customer, alone.status) == (guest.id, None, "open")
    await people.undo(done)  # twice is once
    assert (await people.stored(own.id), await people.stored(guest.id)) == before


async def test_undo_leaves_what_happened_since(people: People) -> None:
    own, guest = await people.both()
    before = await people.stored(own.id), await people.stored(guest.id)
    done = await people.attach(guest)
    spoon = await people.trade.kettle(900)
    for line in (LineInput(variant=spoon), LineInput(variant=people.kettle, quantity=2)):
        await people.trade.db.transaction(lambda tx, line=line: carts.add_line(tx, own.id, line), people.kim)
    after = await people.undo(done)
    assert has(after) == {people.kettle: 3, people.filters: 2, spoon: 1}
    assert (await people.stored(guest.id)) == before[1]


async def test_a_gift_note_and_a_quoted_price_come_along_to_the_same_thing(people: People) -> None:
    db, kettle = people.trade.db, people.kettle
    own = await begin(people.trade, (kettle, 2), (people.mug, 1), who=people.kim)
    data = QuoteInput(
        channel=people.trade.web.id,
        lines=[QuoteLine(variant=kettle, quantity=2, unit_price=15_000), QuoteLine(variant=people.mug)],
        until=now() + timedelta(days=7),
    )
    quote = await db.transaction(lambda tx: carts.quote(tx, data))
    await db.transaction(lambda tx: carts.accept_quote(tx, quote.id, token=quote.token), GUEST)
    mug = next(line for line in quote.lines if line.variant == people.mug)
    await db.transaction(
        lambda tx: carts.change_line(tx, quote.id, mug.id, gift_note="For Lo", token=quote.token), GUEST
    )
    before = await people.stored(own.id), await people.stored(quote.id)
    done = await people.attach(quote)
    by_variant = {line.variant: line for line in done.cart.lines}
    assert (done.how, has(done.cart)) == ("merged", {kettle: 2, people.mug: 1})
    assert by_variant[people.mug].gift_note == "For Lo"
    assert (by_variant[kettle].unit_price, by_variant[kettle].price_before) == (15_000, None)
    assert by_variant[kettle].price_until is not None
    await people.undo(done)
    assert (await people.stored(own.id), await people.stored(quote.id)) == before


async def test_a_quoted_price_is_for_its_quantity_after_an_undo_too(people: People) -> None:
    db, kettle = people.trade.db, people.kettle
    line = QuoteLine(variant=kettle, unit_price=100)
    data = QuoteInput(
        channel=people.trade.web.id,
        lines=[line],
        until=now() + timedelta(days=7),
        customer=people.kim.actor.id,
    )
    quote = await db.transaction(lambda tx: carts.quote(tx, data))
    await db.transaction(lambda tx: carts.accept_quote(tx, quote.id), people.kim)
    done = await people.attach(await begin(people.trade, (kettle, 3)))
    assert done.cart.id == quote.id
    await db.transaction(lambda tx: carts.add_line(tx, quote.id, LineInput(variant=kettle)), people.kim)
    after = await people.undo(done)
    assert has(after) == {kettle: 2}
    assert (after.lines[0].unit_price, after.lines[0].price_until) == (19_900, None)


async def test_what_was_taken_apart_is_not_put_together_by_itself(people: People) -> None:
    own, guest = await people.both()
    await people.undo(await people.attach(guest))
    done = await people.attach(guest)
    assert (done.how, done.cart.id, done.other) == ("kept", guest.id, own.id)
    assert (done.cart.customer, has(done.cart)) == (people.kim.actor.id, {people.kettle: 3, people.mug: 1})
    assert {line.variant for line in done.offered} == {people.kettle, people.filters}
    assert (await people.attach(guest)).how == "already"
    both = await people.trade.db.transaction(lambda tx: carts.combine(tx, guest.id, own.id), people.kim)
    assert has(both.cart) == {people.kettle: 3, people.filters: 2, people.mug: 1}, "asked for, it is done"


async def test_in_a_checkout_this_cart_is_kept_and_the_rest_offered(people: People) -> None:
    own, guest = await people.both()
    await people.trade.db.transaction(lambda tx: carts.checkout(tx, guest.id, token=guest.token), GUEST)
    done = await people.attach(guest)
    assert (done.how, done.situation, done.cart.id, done.cart.status) == (
        "kept",
        "paying",
        guest.id,
        "checkout",
    )
    assert {line.variant for line in done.offered} == {people.kettle, people.filters}
    assert done.cart.is_current
    live = await carts.live_cart(people.trade.db, people.kim.actor, people.trade.web.id)
    assert live.id == guest.id
    rest = await people.trade.db.transaction(lambda tx: carts.combine(tx, guest.id, own.id), people.kim)
    assert has(rest.cart) == {people.kettle: 3, people.filters: 2, people.mug: 1}
    with pytest.raises(Conflict) as refused:
        await people.undo(done)
    assert refused.value.extra["merge"] == str(rest.merge), "the later one first"
    await people.undo(rest)
    back = await people.undo(done)
    assert (back.customer, has(back)) == (None, {people.kettle: 3, people.mug: 1})
    live = await carts.live_cart(people.trade.db, people.kim.actor, people.trade.web.id)
    assert (live.id, has(live)) == (own.id, {people.kettle: 1, people.filters: 2})


async def test_at_a_till_nothing_comes_onto_the_ticket_by_itself(people: People) -> None:
    own, _ = await people.both()
    ticket = await begin(people.trade, (people.mug, 1), who=CLERK, channel=people.trade.malmo)
    done = await people.attach(ticket, CLERK)
    assert (done.how, has(done.cart), done.other) == ("kept", {people.mug: 1}, own.id)
    assert done.cart.customer == people.kim.actor.id
    assert len(done.offered) == 2


async def test_a_customer_without_a_cart_takes_this_one_and_their_lists(people: People) -> None:
    guest = await begin(people.trade, (people.kettle, 1), (people.mug, 1))
    await people.trade.db.transaction(
        lambda tx: carts.save_line(tx, guest.id, guest.lines[1].id, token=guest.token), GUEST
    )
    done = await people.attach(guest)
    assert (done.how, done.cart.customer) == ("claimed", people.kim.actor.id)
    (saved,) = await carts.lists_beside(people.trade.db, people.kim.actor, guest.id)
    assert (saved.customer, has(saved)) == (people.kim.actor.id, {people.mug: 1})
    await people.undo(done)
    with pytest.raises(NotFound):
        await view(people.trade.db, people.kim.actor, saved.id)
    (saved,) = await carts.lists_beside(people.trade.db, GUEST.actor, guest.id, token=guest.token)
    assert saved.customer is None


async def test_who_may_attach(people: People) -> None:
    own, guest = await people.both()
    lo = await customer(people.trade, "lo@example.org")
    with pytest.raises(Forbidden):
        await people.attach(guest, GUEST)
    with pytest.raises(NotFound):
        await people.trade.db.transaction(lambda tx: carts.attach(tx, guest.id), lo)  # without its token
    with pytest.raises(Forbidden):
        await people.trade.db.transaction(
            lambda tx: carts.attach(tx, guest.id, people.kim.actor.id, token=guest.token), lo
        )
    with pytest.raises(Conflict):
        await people.trade.db.transaction(lambda tx: carts.attach(tx, own.id, lo.actor.id), CLERK)
    with pytest.raises(Conflict):
        await people.trade.db.transaction(
            lambda tx: carts.combine(tx, guest.id, own.id, token=guest.token), CLERK
        )


async def test_what_was_ordered_is_not_undone(people: People) -> None:
    own, guest = await people.both()
    done = await people.attach(guest)
    details = msgspec.convert(BUYER, carts.DetailsInput)
    await people.trade.db.transaction(lambda tx: carts.set_details(tx, own.id, details))
    await people.trade.place(own.id)
    with pytest.raises(CartClosed):
        await people.undo(done)


async def test_many_at_once_leave_one_live_cart(people: People) -> None:
    guests = [await begin(people.trade, (people.kettle, n)) for n in range(1, 6)]
    await asyncio.gather(*(people.attach(guest) for guest in guests))
    live = await people.trade.db.rows(
        "SELECT id FROM cart WHERE customer = $1 AND is_current AND status = 'open'", people.kim.actor.id
    )
    assert len(live) == 1
    assert has(await view(people.trade.db, SYSTEM, live[0]["id"])) == {people.kettle: 5}


async def test_a_customer_has_one_live_cart_and_named_ones_beside_it(people: People) -> None:
    first = await begin(people.trade, (people.kettle, 1), who=people.kim)
    again = await begin(people.trade, (people.mug, 1), who=people.kim)
    assert (again.id, has(again)) == (first.id, {people.kettle: 1, people.mug: 1})
    office = await begin(people.trade, (people.mug, 2), who=people.kim, label="Office")
    assert (office.label, office.is_current) == ("Office", False)
    meant = await people.trade.db.transaction(lambda tx: carts.make_current(tx, office.id), people.kim)
    assert meant.is_current
    assert not (await view(people.trade.db, people.kim.actor, first.id)).is_current
    assert (await begin(people.trade, (people.mug, 1), who=people.kim)).id == office.id


async def test_the_strategy_is_a_setting(db: Database) -> None:
    trade = await build(db, cart_merge="add", cart_merge_paying="larger")
    kim, kettle = await customer(trade, "kim@example.org"), await trade.kettle()
    own = await begin(trade, (kettle, 1), who=kim)
    browsing, paying = await begin(trade, (kettle, 2)), await begin(trade, (kettle, 2))
    await db.transaction(lambda tx: carts.checkout(tx, paying.id, token=paying.token), GUEST)
    assert await trade.level(kettle) == (10, 2)
    done = await db.transaction(lambda tx: carts.attach(tx, browsing.id, token=browsing.token), kim)
    assert (done.how, done.cart.id, has(done.cart)) == ("merged", own.id, {kettle: 3})
    done = await db.transaction(lambda tx: carts.attach(tx, paying.id, token=paying.token), kim)
    assert (done.how, done.cart.id, has(done.cart)) == ("merged", paying.id, {kettle: 3}), "it goes on"
    assert (done.cart.status, done.cart.is_current) == ("open", True), (
        "they look at what came in before they pay"
    )
    assert await trade.level(kettle) == (10, 0), "what the checkout held is free"


async def test_what_comes_onto_a_ticket_leaves_its_discounts_and_where_it_is_sold(db: Database) -> None:
    trade = await build(db, cart_merge_paying="add")
    await trade.db.transaction(
        lambda tx: channels.change(tx, trade.malmo.id, ChannelChange(settings={"cart_merge_paying": "add"}))
    )
    kim, kettle, mug = (
        await customer(trade, "kim@example.org"),
        await trade.kettle(),
        await trade.kettle(9_900),
    )
    own = await begin(trade, (kettle, 1), who=kim)
    ticket = await begin(trade, (mug, 1), who=CLERK, channel=trade.malmo)
    off = DiscountInput(kind=DiscountKind.PERCENT, value=1_000, line=ticket.lines[0].id, reason="Scratched")
    await db.transaction(lambda tx: carts.give_discount(tx, ticket.id, off), CLERK)
    done = await db.transaction(lambda tx: carts.attach(tx, ticket.id, kim.actor.id), CLERK)
    assert (done.how, done.cart.id, done.cart.channel, done.cart.delivery) == (
        "merged", ticket.id, trade.malmo.id, "carry_out",
    )  # fmt: skip
    assert has(done.cart) == {kettle: 1, mug: 1}
    assert [each.reason for each in done.cart.discounts] == ["Scratched"]
    assert done.merge is not None
    await db.transaction(lambda tx: carts.undo(tx, ticket.id, done.merge), CLERK)
    left, back = await view(db, SYSTEM, ticket.id), await view(db, SYSTEM, own.id)
    assert (has(left), has(back)) == ({mug: 1}, {kettle: 1})
    assert len(left.discounts) == 1
