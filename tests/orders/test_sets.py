"""Sets are made of their parts: what is held, sold, sent, given back and promised of them is their parts'."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from changing import make, preview, sold
from test_arrivals import an_arrival

from samlad import carts, catalog, channels, orders, stock
from samlad.app import CHECKS
from samlad.catalog import products
from samlad.catalog.model import ComponentInput, VariantChange
from samlad.channels import ChannelChange
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.orders import Order, arrivals, popular
from samlad.orders.model import FulfilInput, LineSelection, ReturnInput
from samlad.payments import PaymentInput
from samlad.stock import SoldOut, counts
from trade import Trade


async def held(trade: Trade, owner: UUID) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    for hold in await stock.holds_of(trade.db, owner):
        found[hold.variant] = found.get(hold.variant, 0) + hold.quantity
    return found


def told(order: Order) -> list[tuple[UUID | None, int, int, int]]:
    return [(line.variant, line.quantity, line.unit_price, line.total) for line in order.lines]


async def test_a_set_is_one_line_in_the_cart_and_its_parts_in_the_order(trade: Trade) -> None:
    pot, cup = await trade.kettle(30_000, 5), await trade.kettle(5_000, 11)
    tea = await trade.set_of(36_000, (pot, 1), (cup, 2))
    cart = await trade.cart((tea, 2), (cup, 1))
    assert [(line.variant, line.total, line.available, line.problem) for line in cart.lines] == [
        (tea, 72_000, 5, None),
        (cup, 5_000, 7, None),  # the set in the same cart wants four of the eleven
    ]
    await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    assert await held(trade, cart.id) == {pot: 2, cup: 5}
    order = await trade.place(cart.id, total=77_000)
    assert told(order) == [(pot, 2, 27_000, 54_000), (cup, 4, 4_500, 18_000), (cup, 1, 5_000, 5_000)]
    first, second, plain = order.lines
    assert first.set_of == second.set_of
    assert first.set_of is not None
    assert plain.set_of is None
    assert (first.set_of.variant, first.set_of.title, first.set_of.quantity) == (tea, "Tea set", 2)
    assert order.items == 7
    assert await held(trade, order.id) == {pot: 2, cup: 5}
    assert (await orders.read(trade.db, order.id)).lines == order.lines
    await trade.follow()
    await trade.sound()

    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    some = ReturnInput(lines=[LineSelection(position=2, quantity=3)])
    back = await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, some))
    assert back.total == -3 * 4_500  # what was paid for three cups of the set
    assert await trade.level(cup) == (11 - 5 + 3, 0)
    assert await trade.level(tea) == (0, 0)
    await trade.follow()
    await trade.sound()


async def test_parts_of_a_set_and_the_same_alone_are_never_sold_twice(trade: Trade) -> None:
    """Twenty buyers at once of sets and of their parts, where there is enough for five of one and none of the other."""
    pot, cup = await trade.kettle(30_000, 9), await trade.kettle(5_000, 5)
    tea = await trade.set_of(33_000, (pot, 1), (cup, 1))
    made = [await trade.cart((tea if n % 2 else cup, 1)) for n in range(20)]
    results = await asyncio.gather(*(trade.place(cart.id) for cart in made), return_exceptions=True)
    bought = [each for each in results if isinstance(each, Order)]
    refused = [each for each in results if isinstance(each, SoldOut)]
    assert (len(bought), len(refused)) == (5, 15)
    named = {line.variant for each in refused for line in each.lines}
    assert named <= {tea, cup}  # what they had in the cart, not what it is made of
    sets = sum(any(line.set_of for line in order.lines) for order in bought)
    assert await trade.level(cup) == (5, 5)
    assert await trade.level(pot) == (9, sets)
    found = await stock.promises(trade.db, trade.web, [tea])
    assert (found[0].available, [part.is_limiting for part in found[0].parts]) in [
        (0, [True, False]),
        (0, [False, True]),
    ]
    await trade.sound()


async def test_a_cart_holds_parts_as_long_as_it_may_and_says_what_is_short(trade: Trade) -> None:
    await _policy(trade, "cart")
    pot, cup = await trade.kettle(30_000, 3), await trade.kettle(5_000, 5)
    tea = await trade.set_of(33_000, (pot, 1), (cup, 2))
    cart = await trade.cart((tea, 1), (cup, 2))
    assert await held(trade, cart.id) == {pot: 1, cup: 4}
    line = cart.lines[0]
    with pytest.raises(SoldOut) as short:
        await trade.db.transaction(lambda tx: carts.change_line(tx, cart.id, line.id, 2))
    assert [(each.variant, each.wanted, each.available) for each in short.value.lines] == [(tea, 2, 1)]
    assert [each.variant for each in short.value.of_stock] == [cup]
    assert await held(trade, cart.id) == {pot: 1, cup: 4}

    # The parts of a set in a cart change: with the next change it holds those that it has then.
    refs = await catalog.by_ids(trade.db, [tea, pot])
    change = msgspec.convert({"components": [{"sku": refs[pot].sku, "quantity": 2}]}, VariantChange)
    await trade.db.transaction(lambda tx: products.change_variant(tx, tea, change))
    await trade.db.transaction(lambda tx: carts.change_line(tx, cart.id, cart.lines[1].id, 3))
    assert await held(trade, cart.id) == {pot: 2, cup: 3}

    # Time goes by: somebody else has the pots, so the set cannot be had any more.
    past = now() - timedelta(seconds=5)
    await trade.db.rows("UPDATE hold SET expires_at = $1 RETURNING 1", past)
    await trade.db.rows("UPDATE cart SET held_until = $1 RETURNING 1", past)
    other = await trade.buy((pot, 2))
    assert other.items == 2
    shown = await carts.view(trade.db, SYSTEM, cart.id)
    assert [(each.variant, each.available, each.problem) for each in shown.lines] == [
        (tea, 0, "short"),
        (cup, 5, None),
    ]
    with pytest.raises(SoldOut) as gone:
        await trade.place(cart.id)
    assert [(each.variant, each.wanted, each.available) for each in gone.value.lines] == [(tea, 1, 0)]
    await trade.sound()


async def test_what_sells_most_and_what_is_bought_together_are_sets_not_their_parts(trade: Trade) -> None:
    pot, cup, lamp = [await trade.kettle(price, 50) for price in (30_000, 5_000, 9_000)]
    tea = await trade.set_of(33_000, (pot, 1), (cup, 4))
    await trade.buy((tea, 3), (lamp, 2))
    refs = await catalog.by_ids(trade.db, [tea, pot, cup, lamp])
    whole, light = refs[tea].product, refs[lamp].product
    assert await popular.most_sold(trade.db, [trade.web.id], 9) == [whole, light]
    await trade.follow()
    pairs = await trade.db.rows("SELECT product, other FROM product_pair")
    assert {(row["product"], row["other"]) for row in pairs} <= {
        (a, b) for a in (whole, light) for b in (whole, light)
    }
    assert (whole, light) in {(row["product"], row["other"]) for row in pairs}


async def _policy(trade: Trade, policy: str) -> None:
    change = ChannelChange(settings={"hold_policy": policy})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, change))


async def _counted(tx: Tx, place: UUID, variant: UUID) -> None:
    count = await counts.open_count(tx, place)
    await counts.enter(tx, count.id, [(variant, 2)])


async def test_a_set_has_no_stock_and_says_what_would_be_right(trade: Trade) -> None:
    cup, loose = await trade.kettle(5_000, 5), await trade.kettle(9_000, 0, sold_by="weight")
    tea = await trade.set_of(9_000, (cup, 2))
    sku = (await catalog.by_ids(trade.db, [cup]))[cup].sku

    async def refused(verb: Any, error: type[Exception]) -> str:
        with pytest.raises(error) as found:
            await trade.db.transaction(verb)
        return str(found.value.detail) + str(getattr(found.value, "errors", ""))

    place = trade.warehouse.id
    for verb in (
        lambda tx: stock.receive(tx, place, [(tea, 3)]),
        lambda tx: stock.correct(tx, place, [(tea, 3)], reason="found"),
        lambda tx: stock.opening(tx, [(place, tea, 3)]),
        lambda tx: stock.set_level(tx, place, tea, low_at=3),
        lambda tx: _counted(tx, place, tea),
    ):
        assert f"book its parts (2 × {sku})" in await refused(verb, InvalidInput)
    # Neither what has stock of its own nor what somebody waits for becomes a set.
    change = VariantChange(components=[ComponentInput(sku)])
    kettle = await trade.kettle(8_000, 1)
    text = await refused(lambda tx: products.change_variant(tx, kettle, change), Conflict)
    assert "1 on hand, 0 held" in text
    await _policy(trade, "none")
    await trade.db.transaction(lambda tx: stock.correct(tx, place, [(kettle, -1)], reason="moved"))
    order = await trade.buy((kettle, 1))
    text = await refused(lambda tx: products.change_variant(tx, kettle, change), Conflict)
    assert order.number in text
    weighed = msgspec.structs.replace(
        change, components=[ComponentInput((await catalog.by_ids(trade.db, [loose]))[loose].sku)]
    )
    assert "by the piece" in await refused(lambda tx: products.change_variant(tx, tea, weighed), InvalidInput)
    assert await trade.level(tea) == (0, 0)


async def test_a_till_sells_sets_from_its_store(trade: Trade) -> None:
    pot = await trade.kettle(30_000, 2, at=trade.at_malmo)
    cup = await trade.kettle(5_000, 3, at=trade.at_malmo)
    tea = await trade.set_of(33_000, (pot, 1), (cup, 2))
    cart = await trade.cart((tea, 1), channel=trade.malmo)
    assert cart.lines[0].available == 1
    order = await trade.place(cart.id, PaymentInput(provider="cash", tendered=40_000))
    assert [line.fulfilled for line in order.lines] == [1, 2]
    assert await trade.level(pot, trade.at_malmo) == (1, 0)
    assert await trade.level(cup, trade.at_malmo) == (1, 0)
    again = await trade.cart((tea, 1), channel=trade.malmo)
    assert (again.lines[0].available, again.lines[0].problem) == (0, "short")
    with pytest.raises(SoldOut):
        await trade.place(again.id)
    await trade.follow()
    await trade.sound()


async def test_a_marketplace_sells_a_set_and_sends_its_parts(trade: Trade) -> None:
    pot, cup = await trade.kettle(30_000, 5), await trade.kettle(5_000, 5)
    tea = await trade.set_of(33_000, (pot, 1), (cup, 2))
    line = {"variant": str(tea), "quantity": 2, "unit_price": 30_001}
    arrived = an_arrival(trade, line, {"variant": str(cup), "unit_price": 4_000}, total=64_002)
    order = await trade.db.transaction(lambda tx: arrivals.arrive(tx, arrived))
    assert [(each.variant, each.quantity, each.total) for each in order.lines] == [
        (pot, 2, 45_002),
        (cup, 4, 15_000),
        (cup, 1, 4_000),
    ]
    assert await trade.level(cup) == (5, 5)
    more = an_arrival(trade, line, external_id="302-7781234-56")
    with pytest.raises(SoldOut):
        await trade.db.transaction(lambda tx: arrivals.arrive(tx, more))
    await trade.follow()
    await trade.sound()


async def test_an_order_gets_a_set_and_a_part_is_exchanged_for_one(trade: Trade) -> None:
    pot, cup, kettle = [await trade.kettle(price, 9) for price in (30_000, 5_000, 20_000)]
    tea = await trade.set_of(36_000, (pot, 1), (cup, 2))
    order = await trade.buy((kettle, 1))
    add = {"kind": "add", "variant": str(tea), "quantity": 2}
    said = await preview(trade, order, add)
    assert [(each.variant, each.quantity, each.total) for each in said.added] == [
        (pot, 2, 54_000),
        (cup, 4, 18_000),
    ]
    assert [notice.code for notice in said.notices if notice.code == "sold-out"] == []
    await make(trade, order, add, {**add, "quantity": 1}, payments=[PaymentInput(provider="test")])
    grown = await orders.read(trade.db, order.id)
    groups = [each.set_of.group if each.set_of else None for each in grown.lines]
    assert groups == [None, 2, 2, 4, 4]
    assert await trade.level(cup) == (9, 6)
    await trade.follow()
    await trade.sound()

    done = await sold(trade, (tea, 1))
    other = {"kind": "exchange", "position": 2, "quantity": 1, "variant": str(tea)}
    changed = await make(
        trade, done, other, payments=[PaymentInput(provider="test")], location=trade.warehouse.id
    )
    assert changed.placed is not None
    new = await orders.read(trade.db, changed.placed)
    assert [(each.variant, each.total) for each in new.lines] == [(pot, 27_000), (cup, 9_000)]
    assert [line.total for line in changed.preview.came_back] == [-4_500]
    await trade.follow()
    await trade.sound()


async def test_what_a_set_had_of_its_own_before_is_named_and_counts_for_nothing(trade: Trade) -> None:
    cup, tea = await trade.kettle(5_000, 5), await trade.kettle(9_000, 3)
    order = await trade.buy((tea, 1))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await trade.db.rows("ALTER TABLE bundle_component DISABLE TRIGGER bundle_component_without_stock")
    await trade.db.rows("INSERT INTO bundle_component VALUES ($1, $2, 2) RETURNING 1", tea, cup)
    await trade.db.rows("ALTER TABLE bundle_component ENABLE TRIGGER bundle_component_without_stock")
    assert await stock.atp(trade.db, trade.web, [tea]) == {tea: 2}
    check = next(check for check in CHECKS if check.name == "stock-sets")
    finding = await check.look(trade.db)
    assert finding.status == "warning"
    assert "2 on hand, 0 held" in finding.message
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    assert (await trade.level(tea), await trade.level(cup)) == ((2, 0), (7, 0))  # it came back as its parts
    place = trade.warehouse.id
    await trade.db.transaction(lambda tx: stock.correct(tx, place, [(tea, -2)], reason="unpacked"))
    assert (await check.look(trade.db)).status == "ok"
    await trade.sound()


async def test_a_part_that_is_replaced_is_no_set_of_its_own(trade: Trade) -> None:
    pot, cup = await trade.kettle(30_000, 9), await trade.kettle(5_000, 9)
    tea = await trade.set_of(33_000, (pot, 1), (cup, 2))
    order = await sold(trade, (tea, 3))
    await trade.follow()
    await make(
        trade,
        order,
        {"kind": "claim", "position": 1, "quantity": 1, "reason": "defective", "remedy": "replacement"},
        photos=["https://example.com/broken.jpg"],
    )
    done = await make(trade, order, {"kind": "exchange", "position": 2, "quantity": 1})
    assert done.placed is not None
    new = await orders.read(trade.db, done.placed)
    assert [(line.variant, line.quantity, line.set_of) for line in new.lines] == [(cup, 1, None)]
    rows = await trade.db.rows(
        "SELECT variant, set_of FROM order_line l JOIN orders o ON o.id = l.order_id WHERE o.changes = $1",
        order.id,
    )
    assert [row["set_of"] for row in rows] == [None, None]
    await trade.agree()
