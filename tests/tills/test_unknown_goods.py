"""Goods that nobody knows, sold by a till without network: they are goods all the same, and somebody says later what they were."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from selling import AT_TILL, Till

from samlad import catalog, orders, tills
from samlad.kernel.context import Actor, Context
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.orders import ChangeInput, Order, ReturnInput, WrongState
from samlad.orders.model import LineSelection
from samlad.tills import KeptSale, NameGoodsInput, NotToResolve, SaleState, WriteOffInput
from trade import Trade


async def sku_of(trade: Trade, variant: UUID) -> str:
    return (await catalog.by_ids(trade.db, [variant]))[variant].sku


async def name(trade: Trade, sale: UUID, line: int, code: str, **version: int) -> KeptSale:
    data = NameGoodsInput(line=line, code=code)
    return await trade.db.transaction(lambda tx: tills.name_goods(tx, sale, data, **version), AT_TILL)


async def sold(trade: Trade, till: Till, *goods: tuple[UUID, int], **fields: Any) -> tuple[UUID, Order]:
    """A sale that is an order at once: the id under which it is kept, and its order."""
    entry = till.sale(*goods, **fields)
    (verdict,) = await till.send(entry)
    assert verdict.order is not None
    return UUID(entry["id"]), await orders.read(trade.db, verdict.order)


async def test_goods_that_nobody_knows_are_goods_and_somebody_says_which_they_were(trade: Trade) -> None:
    till = Till(trade)
    cup, kettle = [await trade.kettle(19_900, 9, at=trade.at_malmo) for _ in range(2)]
    sale, order = await sold(trade, till, (uuid4(), 2), (kettle, 1))
    assert [(line.kind, line.variant, line.total, line.fulfilled) for line in order.lines] == [
        ("item", None, 39_800, 2),
        ("item", kettle, 19_900, 1),
    ]
    assert (order.status, order.items, order.total) == ("fulfilled", 3, 59_700)
    kept = await tills.get(trade.db, sale)
    assert (kept.state, kept.needs_look, kept.unknown_lines) == (SaleState.ORDERED, True, [1])
    await trade.follow()
    await trade.agree()
    sales = "SELECT -sum(amount)::bigint FROM voucher_line WHERE purpose LIKE 'sales:%'"
    assert await trade.db.value(sales) == 59_700 * 4 // 5, "goods, not fees"
    assert await trade.level(cup, trade.at_malmo) == (9, 0)

    with pytest.raises(InvalidInput):
        await name(trade, sale, 1, "no such code")
    with pytest.raises(InvalidInput):
        await name(trade, sale, 2, await sku_of(trade, cup))  # that line was known
    named = await name(trade, sale, 1, await sku_of(trade, cup), version=kept.version)
    assert [(each.code, each.here) for each in named.objections] == [
        ("unknown-goods", await sku_of(trade, cup))
    ]
    assert named.needs_look
    after = await orders.read(trade.db, order.id)
    assert after.lines[0].variant == cup
    assert (after.lines[0].title, after.lines[0].sku, after.total) == ("Kettle", "KETTLE", 59_700)
    assert after.version > order.version
    assert await trade.level(cup, trade.at_malmo) == (7, 0)
    await name(trade, sale, 1, await sku_of(trade, cup))  # twice
    assert await trade.level(cup, trade.at_malmo) == (7, 0)
    with pytest.raises(WrongState):
        await name(trade, sale, 1, await sku_of(trade, kettle))
    seen = await trade.db.transaction(lambda tx: tills.settle(tx, sale), AT_TILL)
    assert (seen.resolution, seen.needs_look) == ("seen", False)
    with pytest.raises(NotToResolve):
        await trade.db.transaction(lambda tx: tills.write_off(tx, sale, WriteOffInput(reason="no")), AT_TILL)
    await trade.follow()
    await trade.sound()


async def test_of_two_who_say_it_at_once_the_stock_moves_once(trade: Trade) -> None:
    cup = await trade.kettle(19_900, 1, at=trade.at_malmo)
    sale, order = await sold(trade, Till(trade), (uuid4(), 3))
    code = await sku_of(trade, cup)
    await asyncio.gather(*(name(trade, sale, 1, code) for _ in range(4)))
    # The books had one: the other two were found, openly.
    assert await trade.level(cup, trade.at_malmo) == (0, 0)
    rows = await trade.db.rows("SELECT cause, quantity FROM movement WHERE reference = $1", order.id)
    assert sorted((row["cause"], row["quantity"]) for row in rows) == [("correction", 2), ("sale", -3)]
    await trade.follow()
    await trade.sound()


@pytest.mark.parametrize("how", ["as new", "defective", "elsewhere", "all"])
async def test_what_came_back_while_nobody_knew_it_is_in_stock_again_where_it_came_in(
    trade: Trade, how: str
) -> None:
    cup = await trade.kettle(19_900, 9, at=trade.at_malmo)
    sale, order = await sold(trade, Till(trade), (uuid4(), 2))
    place = trade.at_lund if how == "elsewhere" else trade.at_malmo
    action: dict[str, Any] = {"kind": "return", "position": 1, "quantity": 2 if how == "all" else 1}
    if how == "defective":
        action |= {"reason": "defective", "condition": "defective"}
    data = msgspec.convert({"actions": [action], "location": str(place.id), "override": "seen"}, ChangeInput)
    done = await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, data))
    assert done.came_back is not None
    await trade.follow()
    await trade.agree()
    for _ in range(2):  # twice is once
        await name(trade, sale, 1, await sku_of(trade, cup))
    here, there = await trade.level(cup, trade.at_malmo), await trade.level(cup, trade.at_lund)
    assert (here[0], there[0]) == {"as new": (8, 0), "defective": (7, 0), "elsewhere": (7, 1), "all": (9, 0)}[
        how
    ]
    back = await orders.read(trade.db, done.came_back)
    assert [line.variant for line in back.lines] == [cup]
    after = await orders.read(trade.db, order.id)
    assert (after.lines[0].variant, after.lines[0].returned) == (cup, 2 if how == "all" else 1)
    if how != "all":  # the other one comes back as any goods
        one = ReturnInput(lines=[LineSelection(position=1, quantity=1)], location=trade.at_malmo.id)
        await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, one))
        assert (await trade.level(cup, trade.at_malmo))[0] == here[0] + 1
    await trade.follow()
    await trade.agree()


@pytest.mark.parametrize("is_counted", [True, False])
async def test_a_set_is_its_parts_from_then_on(trade: Trade, is_counted: bool) -> None:
    till = Till(trade)
    pot, cup = [await trade.kettle(price, 9, at=trade.at_malmo) for price in (20_000, 5_000)]
    kettle = await trade.kettle(19_900, 9, at=trade.at_malmo)
    tea = await trade.set_of(25_000, (pot, 1), (cup, 2))
    sale, order = await sold(trade, till, (uuid4(), 2), (kettle, 1))
    if is_counted:
        await trade.follow()
    for _ in range(2):  # twice is once
        named = await name(trade, sale, 1, await sku_of(trade, tea))
    assert [each.here for each in named.objections] == [await sku_of(trade, tea)]
    after = await orders.read(trade.db, order.id)
    assert [
        (line.variant, line.quantity, line.fulfilled, line.set_of is not None) for line in after.lines
    ] == [
        (pot, 2, 2, True),
        (cup, 4, 4, True),
        (kettle, 1, 1, False),
    ]
    assert {(line.set_of.variant, line.set_of.quantity) for line in after.lines if line.set_of} == {(tea, 2)}
    assert sum(line.total for line in after.lines[:2]) == order.lines[0].total
    assert sum(line.tax for line in after.lines[:2]) == order.lines[0].tax
    assert (after.total, after.tax, after.items) == (order.total, order.tax, 7)
    levels = [await trade.level(each, trade.at_malmo) for each in (pot, cup, kettle)]
    assert levels == [(7, 0), (5, 0), (8, 0)]
    assert orders.as_sold(after.lines) == [[(1, 1), (3, 2)], [(2, 1)]]
    with pytest.raises(WrongState):
        await name(trade, sale, 1, await sku_of(trade, kettle))
    await trade.agree()
    back = ReturnInput(lines=[LineSelection(position=3, quantity=1)], location=trade.at_lund.id)
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, back))
    assert await trade.level(cup, trade.at_lund) == (1, 0)
    await trade.agree()


async def test_a_set_of_which_something_came_back_is_not_named(trade: Trade) -> None:
    cup = await trade.kettle(19_900, 9, at=trade.at_malmo)
    tea = await trade.set_of(30_000, (cup, 2))
    sale, order = await sold(trade, Till(trade), (uuid4(), 2))
    one = ReturnInput(lines=[LineSelection(position=1, quantity=1)], location=trade.at_malmo.id)
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, one))
    with pytest.raises(WrongState):
        await name(trade, sale, 1, await sku_of(trade, tea))
    assert await trade.level(cup, trade.at_malmo) == (9, 0)


async def test_other_measures_and_others_stores_are_refused(trade: Trade) -> None:
    cup = await trade.kettle(19_900, 9, at=trade.at_malmo)
    beans = await trade.kettle(19_900, 5_000, at=trade.at_malmo, sold_by="weight")
    sale, order = await sold(trade, Till(trade), (uuid4(), 1))
    with pytest.raises(InvalidInput):
        await name(trade, sale, 1, await sku_of(trade, beans))
    lund = Context(
        actor=Actor(
            kind="staff", id=uuid4(), permissions=frozenset({"tills.resolve"}), locations=frozenset({trade.at_lund.id})
        )
    )  # fmt: skip
    data = NameGoodsInput(line=1, code=await sku_of(trade, cup))
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: tills.name_goods(tx, sale, data), lund)
    assert (await orders.read(trade.db, order.id)).lines[0].variant is None
    await trade.follow()
    await trade.sound()
