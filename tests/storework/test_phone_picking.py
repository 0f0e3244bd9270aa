"""Picking that phones send: once, at once, out of date, with what is missing routed anew when it arrives."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
from phones import Phone, person

from samlad import delivery, orders, stock, storework
from samlad.kernel.context import Context
from samlad.kernel.database import Tx
from samlad.orders import fulfilment, fulfilment_store
from samlad.orders.fulfilment_model import Fulfilment, FulfilmentState, TakeInput
from samlad.orders.model import CancelInput
from trade import BUYER, Trade


async def _work(trade: Trade, *lines: tuple[UUID, int]) -> Fulfilment:
    order = await trade.buy(*lines)
    (work,) = await fulfilment_store.of_order(trade.db, order.id)
    return work


async def _now(trade: Trade, work: Fulfilment) -> Fulfilment:
    found = await fulfilment_store.read(trade.db, work.id)
    assert found is not None
    return found


def _verdicts(said: list[storework.Verdict]) -> list[str]:
    return [each.verdict for each in said]


async def test_picked_and_packed_twice_at_once_and_in_order(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5, gtin="4006381333931")
    work, phone = await _work(trade, (kettle, 2)), Phone(trade.db, trade.warehouse)

    def did(kind: str, **fields: Any) -> dict[str, Any]:
        return phone.entry(kind, fulfilment=work.id, **fields)

    scan = {"code": "4006381333931"}
    first = [did("take"), did("pick", what=scan), did("pick", what=scan)]
    for said in await asyncio.gather(*(phone.send(*first) for _ in range(4))):
        assert _verdicts(said) == ["done"] * 3
    seen = await _now(trade, work)
    assert (seen.state, [line.picked for line in seen.lines]) == (FulfilmentState.PICKED, [2])
    packs = [did("pack", what=scan), did("pack", what=scan)]
    for _twice in range(2):
        assert _verdicts(await phone.send(*packs)) == ["done"] * 2
    assert (await _now(trade, work)).state is FulfilmentState.PACKED
    await trade.sound()


async def test_a_colleague_has_it_or_it_was_called_off(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9)
    mine, theirs = await _work(trade, (kettle, 1)), await _work(trade, (kettle, 1))
    phone, anna = Phone(trade.db, trade.warehouse), person()
    await trade.db.transaction(lambda tx: fulfilment.take(tx, theirs.id, TakeInput()), Context(actor=anna))
    line = {"position": theirs.lines[0].position, "quantity": 1}
    said = await phone.send(
        phone.entry("take", fulfilment=theirs.id),
        phone.entry("pick", fulfilment=theirs.id, what=line),
        phone.entry("take", fulfilment=mine.id),
    )
    assert _verdicts(said) == ["refused", "refused", "done"], "what is refused holds up nothing"
    assert said[0].detail == "It is picking by Sam Säljare."
    assert [each.picked for each in (await _now(trade, theirs)).lines] == [0]
    await trade.db.transaction(lambda tx: orders.cancel(tx, mine.order_id, CancelInput()))
    (late,) = await phone.send(phone.entry("pick", fulfilment=mine.id, what=line))
    assert (late.verdict, late.code) == ("refused", orders.WrongState.code)
    assert late.detail.startswith("It is cancelled")
    await trade.sound()


async def test_what_is_short_goes_to_another_place_when_it_arrives_and_only_once(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=3)
    await trade.db.transaction(lambda tx: _put(tx, trade, kettle))
    work, phone = await _work(trade, (kettle, 2)), Phone(trade.db, trade.warehouse)
    position = work.lines[0].position
    entries = [
        phone.entry("take", fulfilment=work.id),
        phone.entry("pick", fulfilment=work.id, what={"position": position, "quantity": 1}),
        phone.entry(
            "reject",
            fulfilment=work.id,
            reason="not_found",
            lines=[{"position": position, "quantity": 1}],
        ),
    ]
    for said in await asyncio.gather(*(phone.send(*entries) for _ in range(3))):
        assert _verdicts(said) == ["done"] * 3
    parts = await fulfilment_store.of_order(trade.db, work.order_id)
    there = sorted(
        (part.location == trade.warehouse.id, part.state, sum(x.quantity for x in part.lines))
        for part in parts
    )
    assert (True, FulfilmentState.PICKED, 1) in there
    assert (False, FulfilmentState.OPEN, 1) in there
    await trade.sound()


async def _put(tx: Tx, trade: Trade, variant: UUID) -> None:
    await stock.receive(tx, trade.at_lund.id, [(variant, 4)])


async def test_work_of_another_place_is_not_touched(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=3)
    work, phone = await _work(trade, (kettle, 1)), Phone(trade.db, trade.at_lund)
    (said,) = await phone.send(phone.entry("take", fulfilment=work.id))
    assert (said.verdict, said.code) == ("refused", "not-found")
    assert (await _now(trade, work)).state is FulfilmentState.OPEN


async def test_what_a_phone_takes_along_says_nothing_about_customers(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=3, gtin="4006381333931")
    work, who = await _work(trade, (kettle, 1)), person()
    tasks = await storework.tasks_of(trade.db, who, trade.warehouse)
    (pick,) = tasks.picks
    assert (pick.id, pick.is_sent, pick.is_mine, pick.lines[0].quantity) == (work.id, True, False, 1)
    assert [(good.variant, good.gtin) for good in tasks.goods] == [(kettle, "4006381333931")]
    text = str(tasks)
    for personal in ("Kim", "kim@example.org", "Storgatan"):
        assert personal not in text


async def test_a_phone_takes_along_when_an_order_is_brought(trade: Trade) -> None:
    method = {
        "channel": "web", "code": "bike", "kind": "same_day", "name": "Bike", "zones": [{}], "pick_minutes": 5,
        "calendar": {"weekdays": [1, 2, 3, 4, 5, 6, 7]}, "pack_minutes": 5,
        "slots": [{"start": f"{hour:02d}:00", "end": f"{hour:02d}:45"} for hour in range(24)],
    }  # fmt: skip
    await trade.db.transaction(
        lambda tx: delivery.create_method(tx, msgspec.convert(method, delivery.MethodInput))
    )
    kettle = await trade.kettle(quantity=3, at=trade.at_malmo)
    where = BUYER | {"delivery_method": "bike", "location": str(trade.at_malmo.id)}
    order = await trade.place((await trade.cart((kettle, 1), **where)).id)
    sent = await trade.place((await trade.cart((kettle, 1), **BUYER)).id)
    picks = (await storework.tasks_of(trade.db, person(), trade.at_malmo)).picks
    assert order.promise is not None
    assert {each.number: (each.since, each.until) for each in picks} == {
        order.number: (order.promise.since, order.promise.until),
        sent.number: (None, None),
    }
