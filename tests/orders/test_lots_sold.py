"""Lots in orders: who scans one gives it, it is known who got which, and what comes back is the lot that was sold."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from changing import back, make, sold
from fulfilling import Desk

from samlad.kernel.problems import Conflict, InvalidInput
from samlad.orders import Order, fulfilment_access
from samlad.orders.fulfilment_model import FulfilmentState, RejectReason
from samlad.stock import LotNeeded, lots
from samlad.stock.lots_model import RecallInput
from trade import Trade

GTIN = "07310865004703"


async def milk(trade: Trade, **units: int) -> UUID:
    """Something that is kept by lot and has a GTIN."""
    variant = await trade.kettle(quantity=0)
    await trade.db.rows("UPDATE variant SET gtin = $2 WHERE id = $1 RETURNING 1", variant, GTIN[1:])
    await trade.by_lot(variant, **units)
    return variant


def scan(lot: str) -> str:
    return f"01{GTIN}10{lot}"


async def given(desk: Desk, order: Order) -> dict[str, int]:
    """Units by lot that an order's fulfilments say."""
    found: dict[str, int] = {}
    for fulfilment in await desk.of(order):
        for line in fulfilment.lines:
            for each in line.lots:
                found[each.code] = found.get(each.code, 0) + each.quantity
    return found


async def there(trade: Trade, variant: UUID) -> dict[str, int]:
    rows = await trade.db.rows(
        """SELECT t.code, s.on_hand FROM stock_lot s JOIN lot t ON t.id = s.lot
           WHERE s.variant = $1 AND s.on_hand > 0""",
        variant,
    )
    return {row["code"]: row["on_hand"] for row in rows}


async def test_who_scans_a_lot_gives_it(trade: Trade) -> None:
    variant, desk = await milk(trade, SOON=4, LATE=5), Desk(trade)
    order = await trade.buy((variant, 3))
    fulfilment = await desk.take(await desk.only(order))
    (line,) = fulfilment.lines
    assert (line.tracking, line.next_lot) == ("expiry", "SOON")
    fulfilment = await desk.pick(fulfilment, code=scan("LATE"))
    assert [(each.code, each.quantity) for each in fulfilment.lines[0].lots] == [("LATE", 1)]
    with pytest.raises(InvalidInput):
        await desk.pick(fulfilment, code=scan("NEVER"))
    fulfilment = await desk.pick(fulfilment, position=line.position, quantity=3)
    await desk.ship(fulfilment)
    assert await given(desk, order) == {"LATE": 1, "SOON": 2}
    assert await there(trade, variant) == {"SOON": 2, "LATE": 4}
    await trade.sound()


async def test_of_two_pickers_one_gets_the_last_of_a_lot(trade: Trade) -> None:
    variant, desk = await milk(trade, LAST=1, MORE=9), Desk(trade)
    found = [await desk.take(await desk.only(await trade.buy((variant, 1)))) for _ in range(3)]
    outcomes = await asyncio.gather(
        *(desk.pick(each, code=scan("LAST")) for each in found), return_exceptions=True
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "Conflict", "Fulfilment"]
    nexts = [(await desk.run(fulfilment_access.again, each.id)).lines[0].next_lot for each in found]
    assert sorted(each or "" for each in nexts) == ["", "MORE", "MORE"], "nobody else has it in the hand"
    for each, outcome in zip(found, outcomes, strict=True):
        if isinstance(outcome, Conflict):
            await desk.pick(each, code=scan("MORE"))
        await desk.ship(each)
    assert await there(trade, variant) == {"MORE": 7}
    await trade.sound()


async def test_fewer_in_the_hand_than_were_scanned(trade: Trade) -> None:
    variant, desk = await milk(trade, SOON=4, LATE=5), Desk(trade)
    order = await trade.buy((variant, 2))
    fulfilment = await desk.take(await desk.only(order))
    fulfilment = await desk.pick(fulfilment, code=scan("LATE"))
    fulfilment = await desk.pick(fulfilment, position=fulfilment.lines[0].position, quantity=0)
    assert fulfilment.lines[0].lots == []
    await desk.ship(await desk.pick(fulfilment, position=fulfilment.lines[0].position, quantity=2))
    assert await given(desk, order) == {"SOON": 2}


async def test_who_has_one_lot_in_the_hand_and_misses_another_gives_what_is_in_the_hand(trade: Trade) -> None:
    variant, desk = await milk(trade, SOON=1, LATE=1), Desk(trade)
    order = await trade.buy((variant, 2))
    fulfilment = await desk.take(await desk.only(order))
    fulfilment = await desk.pick(fulfilment, code=scan("SOON"))
    await desk.reject(fulfilment, RejectReason.NOT_FOUND, (fulfilment.lines[0].position, 1))
    left = await desk.only(order, FulfilmentState.PICKED)
    assert [(each.code, each.quantity) for each in left.lines[0].lots] == [("SOON", 1)]
    assert await there(trade, variant) == {"SOON": 1}, "the other one is missing"
    await desk.ship(left)
    assert await given(desk, order) == {"SOON": 1}
    await trade.sound()


async def test_what_is_broken_in_the_hand_is_the_lot_that_was_scanned(trade: Trade) -> None:
    variant, desk = await milk(trade, SOON=4, LATE=5), Desk(trade)
    fulfilment = await desk.take(await desk.only(await trade.buy((variant, 2))))
    for _ in range(2):
        fulfilment = await desk.pick(fulfilment, code=scan("LATE"))
    left, *_ = [
        each
        for each in await desk.reject(fulfilment, RejectReason.DAMAGED, (fulfilment.lines[0].position, 1))
        if each.id == fulfilment.id
    ]
    assert await there(trade, variant) == {"SOON": 4, "LATE": 4}
    assert [(each.code, each.quantity) for each in left.lines[0].lots] == [("LATE", 1)]
    await trade.sound()


async def test_what_comes_back_is_the_lot_that_was_sold(trade: Trade) -> None:
    variant = await milk(trade, A=2, B=9)
    order = await sold(trade, (variant, 3))
    assert await there(trade, variant) == {"B": 8}
    with pytest.raises(LotNeeded):
        await make(trade, order, back(1, 1))
    await make(trade, order, back(1, 1, lot="A", condition="new"))
    assert await there(trade, variant) == {"A": 1, "B": 8}
    await make(trade, order, back(1, 1, scanned=scan("B"), condition="damaged"))
    assert await there(trade, variant) == {"A": 1, "B": 8}, "it came in and is not for sale"
    whole = await sold(trade, (variant, 9))
    assert await there(trade, variant) == {}
    await make(trade, whole, back(1, 9, condition="new"))
    assert await there(trade, variant) == {"A": 1, "B": 8}
    await trade.sound()


async def test_who_got_a_recalled_lot(trade: Trade, api: Any) -> None:
    variant, desk = await milk(trade, BAD=3, GOOD=9), Desk(trade)
    first, second, third = [await sold(trade, (variant, units)) for units in (2, 2, 1)]
    waiting = await trade.buy((variant, 7))
    recall = await trade.db.transaction(
        lambda tx: lots.recall(tx, RecallInput(variant=variant, lot="BAD", reason="Glass"))
    )
    url = f"/api/stock/recalls/{recall.id}/orders"
    answer = (await api.get(url)).json()["items"]
    assert [(row["number"], row["units"], row["email"]) for row in answer] == [
        (first.number, 2, "kim@example.org"),
        (second.number, 1, "kim@example.org"),
    ]
    text = (await api.get(url, params={"format": "csv"})).text
    assert first.number in text
    assert third.number not in text
    await make(trade, first, back(1, 1, condition="damaged"))
    await make(trade, second, back(1, 1, lot="BAD", condition="damaged"))
    answer = (await api.get(url)).json()["items"]
    assert [(row["number"], row["units"], row["returned"]) for row in answer] == [(first.number, 2, 1)]
    await desk.ship(await desk.picked(await desk.only(waiting)))
    assert await given(desk, waiting) == {"GOOD": 7}
    assert await trade.db.value("SELECT count(*) FROM fulfilment_lot") == 5
    await trade.sound()


async def test_a_till_hands_over_whose_turn_it_is(trade: Trade) -> None:
    variant = await milk(trade, A=1, B=9)
    await trade.db.rows(
        "UPDATE location SET channel = $2 WHERE id = $1 RETURNING 1", trade.warehouse.id, trade.malmo.id
    )
    order = await trade.buy((variant, 2), channel=trade.malmo)
    assert order.status == "fulfilled"
    assert await there(trade, variant) == {"B": 8}
    await trade.sound()
