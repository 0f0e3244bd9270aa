"""Slots with a database: offered, chosen, taken with the order by as many as there is room for, given back."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from samlad import carts, delivery, orders, stock
from samlad.carts import CartView, delivery_options
from samlad.delivery import (
    Destination,
    Method,
    MethodChange,
    MethodInput,
    Promised,
    SlotFull,
    SlotPast,
    WorkdayInput,
)
from samlad.kernel.context import BACKGROUND
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput
from samlad.orders import CancelInput, ChangeInput, Order, cancel, fulfilment_assign, fulfilment_store
from samlad.orders.change_model import AddAction, CancelAction, QuantityAction
from samlad.orders.model import PlaceOrder, WrongState
from samlad.payments import PaymentInput
from trade import BUYER, Trade

HERE = Destination(country="SE", latitude=55.6, longitude=13.0)
TWO_HOURS = [f"{hour:02d}:00" for hour in range(0, 24, 2)]


def bike(*capacities: int | None, **values: Any) -> dict[str, Any]:
    """A same-day method with a slot every two hours of every day, of these capacities in turn."""
    most = capacities or (None,)
    slots = [
        {"start": start, "end": f"{start[:2]}:30", "capacity": most[number % len(most)]}
        for number, start in enumerate(TWO_HOURS)
    ]
    return {
        "channel": "web",
        "code": "bike",
        "kind": "same_day",
        "name": "Bike",
        "zones": [{}],
        "calendar": {"weekdays": [1, 2, 3, 4, 5, 6, 7]},
        "pick_minutes": 10,
        "pack_minutes": 5,
        "slots": slots,
        **values,
    }


async def offer(trade: Trade, *capacities: int | None, **values: Any) -> Method:
    data = msgspec.convert(bike(*capacities, **values), MethodInput)
    return await trade.db.transaction(lambda tx: delivery.create_method(tx, data))


async def promised(trade: Trade, kettle: UUID, moment: datetime | None = None) -> Promised:
    found = await delivery.answer(trade.db, trade.web, {kettle: 1}, HERE, locale="en", moment=moment)
    [promise] = [each for each in found.delivered if each.kind == "same_day"]
    return promise


async def chosen(trade: Trade, kettle: UUID, slot: str | None, *, at: UUID | None = None) -> CartView:
    """A cart in checkout that is to be brought in a slot (None: nobody chose)."""
    place = str(at or trade.at_malmo.id)
    details = BUYER | {"delivery_method": "bike", "location": place}
    cart = await trade.cart((kettle, 1), **details)
    promise = await delivery_options.promise_of(trade.db, BACKGROUND.actor, cart.id, slot=slot)
    return await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id, promise=promise))


async def taken(trade: Trade) -> list[tuple[UUID, str, int]]:
    rows = await trade.db.rows(
        "SELECT location, day, start, orders FROM delivery_slot WHERE orders > 0 ORDER BY day, start"
    )
    return [(row["location"], f"{row['day']}T{row['start']}", row["orders"]) for row in rows]


async def test_slots_are_offered_soonest_first_and_a_full_one_says_so(trade: Trade) -> None:
    method = await offer(trade, 1)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    noon = datetime(2026, 11, 25, 11, tzinfo=UTC)
    promise = await promised(trade, kettle, noon)
    assert (promise.slot, promise.first_day, promise.text) == (
        "2026-11-25T14:00",
        date(2026, 11, 25),
        "Today 14:00–14:30 by Bike",
    )
    assert promise.since == datetime(2026, 11, 25, 13, tzinfo=UTC)
    days = {each.day for each in promise.slots}
    assert (len(promise.slots), len(days)) == (5 + 12 + 12, 3)
    assert (promise.slots[0].day_text, promise.slots[0].text) == ("Today", "14:00–14:30")
    assert not any(each.is_full for each in promise.slots)
    await trade.db.rows(
        "INSERT INTO delivery_slot (method, day, location, start, orders) VALUES ($1, $2, $3, '14:00', 1) RETURNING 1",
        method.id, date(2026, 11, 25), trade.at_malmo.id,
    )  # fmt: skip
    promise = await promised(trade, kettle, noon)
    assert (promise.slot, promise.slots[0].is_full) == ("2026-11-25T16:00", True)
    await trade.db.transaction(
        lambda tx: delivery.change_method(tx, method.id, MethodChange(slots=method.slots[7:8]))
    )
    promise = await promised(trade, kettle, noon)
    assert (promise.slot, len(promise.slots)) == ("2026-11-26T14:00", 3)
    await trade.db.rows(
        """INSERT INTO delivery_slot (method, day, location, start, orders)
           SELECT method, day + more, location, start, orders FROM delivery_slot, generate_series(1, 3) more RETURNING 1"""
    )
    promise = await promised(trade, kettle, noon)
    assert (promise.slot, len(promise.slots)) == ("2026-11-29T14:00", 5), "days are shown until one has room"


async def test_an_order_has_its_slot_and_its_work_is_due_before_it(trade: Trade) -> None:
    await offer(trade, 3)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    slot = (await promised(trade, kettle)).slots[4]
    cart = await chosen(trade, kettle, slot.key)
    assert cart.promise is not None
    assert (cart.promise.slot, cart.promise.slots) == (slot.key, [])
    order = await trade.place(cart.id)
    kept = (await orders.read(trade.db, order.id)).promise
    assert kept is not None
    assert (kept.slot, kept.since, kept.until, kept.location) == (
        slot.key, slot.since, slot.until, trade.at_malmo.id,
    )  # fmt: skip
    assert slot.text in kept.text
    [part] = await trade.db.transaction(lambda tx: fulfilment_store.of_order(tx, order.id))
    assert (part.method, part.due_at) == ("same_day", slot.since - timedelta(minutes=5))
    assert await taken(trade) == [(trade.at_malmo.id, slot.key, 1)]
    await trade.sound()


async def test_never_more_orders_than_a_slot_has_room_for(trade: Trade) -> None:
    method = await offer(trade, 3)
    kettle = await trade.kettle(quantity=30, at=trade.at_malmo)
    slot = (await promised(trade, kettle)).slots[6]
    bought = [await chosen(trade, kettle, slot.key) for _ in range(20)]
    together = trade.db.companion(orders.Placements)
    paid = [PaymentInput(provider="test")]
    answers = await asyncio.gather(
        *(trade.place(cart.id) for cart in bought[:10]),
        *(
            together.transaction(
                lambda tx, each=cart.id: orders.place(tx, PlaceOrder(cart=each, payments=paid), is_last=True)
            )
            for cart in bought[10:]
        ),
        return_exceptions=True,
    )
    won = [each for each in answers if isinstance(each, Order)]
    lost = [each for each in answers if isinstance(each, SlotFull)]
    assert (len(won), len(lost)) == (3, 17), answers
    offered = (await promised(trade, kettle)).slot
    assert {each.extra["next"] for each in lost} == {offered}
    assert {each.extra["slot"] for each in lost} == {slot.key}
    assert await taken(trade) == [(trade.at_malmo.id, slot.key, 3)]
    held = await trade.db.value("SELECT coalesce(sum(quantity), 0)::int FROM hold WHERE kind = 'order'")
    assert held == 3, "who has no slot has no goods either"
    with pytest.raises(SlotFull) as refused:
        await chosen(trade, kettle, slot.key)
    assert refused.value.extra["next"] == offered
    for _twice in range(2):
        await trade.db.transaction(lambda tx: delivery.give_back(tx, won[0].id))
    await trade.db.transaction(lambda tx: cancel(tx, won[0].id, CancelInput(reason="changed my mind")))
    assert await taken(trade) == [(trade.at_malmo.id, slot.key, 2)]
    again = await trade.place((await chosen(trade, kettle, slot.key)).id)
    assert again.promise is not None
    assert again.promise.slot == slot.key
    assert method.slots[0].capacity == 3
    await trade.sound()


async def test_who_does_not_choose_gets_the_first_with_room(trade: Trade) -> None:
    await offer(trade, 2)
    kettle = await trade.kettle(quantity=30, at=trade.at_malmo)
    keys = [each.key for each in (await promised(trade, kettle)).slots]
    bought = [
        await trade.cart((kettle, 1), **BUYER, delivery_method="bike", location=str(trade.at_malmo.id))
        for _ in range(5)
    ]
    made = await asyncio.gather(*(trade.place(cart.id) for cart in bought))
    found = sorted(order.promise.slot for order in made if order.promise and order.promise.slot)
    begun = keys.index(found[0])  # a slot may have passed since
    assert set(found) == set(keys[begun : begun + 3])
    assert max(Counter(found).values()) == 2
    assert all("med Bike" in order.promise.text for order in made if order.promise)
    await trade.sound()


async def test_a_slot_that_is_over_is_refused_with_the_next(trade: Trade) -> None:
    method = await offer(trade, 1)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    soon = (await promised(trade, kettle)).slots[1].key
    cart = await chosen(trade, kettle, soon)
    slower = MethodChange(pick_minutes=60 * 30)
    await trade.db.transaction(lambda tx: delivery.change_method(tx, method.id, slower))
    with pytest.raises(SlotPast) as refused:
        await trade.place(cart.id)
    assert refused.value.extra == {"slot": soon, "next": (await promised(trade, kettle)).slot}
    await trade.db.transaction(lambda tx: delivery.change_method(tx, method.id, MethodChange(slots=[])))
    order = await trade.place(cart.id)
    assert order.promise is not None, "a method without slots asks for none"
    assert await taken(trade) == []


async def test_an_order_that_comes_from_elsewhere_takes_its_slot_along(trade: Trade) -> None:
    await offer(trade, 1)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    await trade.db.transaction(lambda tx: _more(tx, trade, kettle))
    slot = (await promised(trade, kettle)).slots[5]
    order = await trade.place((await chosen(trade, kettle, slot.key)).id)
    lund = trade.at_lund.id
    for _twice in range(2):
        [part] = await trade.db.transaction(lambda tx: fulfilment_store.of_order(tx, order.id))
        part = await trade.db.transaction(lambda tx, one=part.id: fulfilment_assign.assign(tx, one, lund))  # type: ignore[misc]
    assert part.due_at == slot.since - timedelta(minutes=5)
    assert await taken(trade) == [(lund, slot.key, 1)]
    await trade.sound()
    await trade.place((await chosen(trade, kettle, slot.key)).id)
    assert sorted(await taken(trade)) == sorted([(lund, slot.key, 1), (trade.at_malmo.id, slot.key, 1)])
    await trade.sound()


async def _more(tx: Tx, trade: Trade, kettle: UUID) -> None:
    await stock.receive(tx, trade.at_lund.id, [(kettle, 9)])


async def test_called_off_line_by_line_it_gives_its_day_and_slot_back(trade: Trade) -> None:
    """Found on the way: the day's capacity came back with an order that is cancelled at once, not with one called off in parts."""
    await offer(trade, 1)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    place = trade.at_malmo.id
    await trade.db.transaction(lambda tx: delivery.set_workday(tx, place, WorkdayInput(capacity=9)))
    order = await trade.place((await chosen(trade, kettle, None)).id)
    off = ChangeInput(actions=[CancelAction(position=1, quantity=1)])
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, off))
    assert await taken(trade) == []
    assert await trade.db.value("SELECT sum(orders)::int FROM delivery_load") == 0
    await trade.sound()


async def test_a_day_that_is_full_moves_the_slots(trade: Trade) -> None:
    await offer(trade, None)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    await trade.db.transaction(
        lambda tx: delivery.set_workday(tx, trade.at_malmo.id, WorkdayInput(capacity=1))
    )
    await trade.place((await chosen(trade, kettle, None)).id)
    today = await trade.db.value("SELECT day FROM delivery_load WHERE orders > 0")
    blind = await trade.cart((kettle, 1), **BUYER, delivery_method="bike", location=str(trade.at_malmo.id))
    order = await trade.place(blind.id)
    assert order.promise is not None
    assert order.promise.first_day is not None
    assert order.promise.first_day > today, "it is made ready on another day"


async def test_methods_with_wrong_slots_are_refused_where_they_are_wrong(trade: Trade) -> None:
    for values, field in (
        ({"slots": [{"start": "12:00", "end": "10:00"}]}, "slots/0/end"),
        ({"slots": [{"start": "10:00", "end": "12:00", "capacity": 0}]}, "slots/0/capacity"),
        (
            {"slots": [{"start": "10:00", "end": "12:00"}, {"start": "11:59", "end": "13:00"}]},
            "slots/1/start",
        ),
        ({"kind": "ship"}, "slots"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await offer(trade, **values)
        assert [error.field for error in refused.value.errors] == [field]


async def test_over_http(trade: Trade, api: httpx.AsyncClient) -> None:
    await offer(trade, 1)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)

    async def cart() -> str:
        details = BUYER | {"delivery": "ship", "delivery_method": "bike", "location": str(trade.at_malmo.id)}
        made = await api.post(
            "/api/carts",
            json={"channel": str(trade.web.id), "lines": [{"variant": str(kettle)}], "details": details},
        )
        return str(made.json()["id"])

    one, two, three = [await cart() for _ in range(3)]
    [option] = (await api.get(f"/api/carts/{one}/delivery-options")).json()
    slots = option["promise"]["slots"]
    assert slots[0]["is_full"] is False
    key = slots[5]["key"]
    for each in (one, two):
        begun = await api.post(f"/api/carts/{each}/checkout", json={"slot": key})
        assert (begun.status_code, begun.json()["promise"]["slot"]) == (200, key), begun.text
    anew = await api.post(f"/api/carts/{one}/checkout")
    assert anew.json()["promise"]["slot"] == key, "what was chosen before stays chosen"
    plain = await api.post(f"/api/carts/{three}/checkout")
    assert (plain.status_code, bool(plain.json()["promise"]["slot"])) == (200, True)
    pay = {"payments": [{"provider": "test"}]}
    bought = await api.post("/api/orders", json={"cart": one, **pay}, headers={"Idempotency-Key": "one"})
    assert (bought.status_code, bought.json()["promise"]["slot"]) == (201, key)
    again = await api.post("/api/orders", json={"cart": one, **pay}, headers={"Idempotency-Key": "one"})
    assert again.json()["id"] == bought.json()["id"]
    late = await api.post("/api/orders", json={"cart": two, **pay})
    assert (late.status_code, late.json()["type"].rsplit("/", 1)[1]) == (409, "slot-full")
    following = late.json()["next"]
    assert following in {each["key"] for each in slots if each["key"] != key}
    for slot, problem in ((key, "slot-full"), ("2020-01-01T10:00", "slot-past")):
        refused = await api.post(f"/api/carts/{two}/checkout", json={"slot": slot})
        assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (409, problem)
        assert refused.json()["next"]
    assert (await api.post(f"/api/carts/{two}/checkout", json={"slot": "at noon"})).status_code == 422
    await api.patch(f"/api/carts/{two}", json={"delivery": "pickup", "location": str(trade.at_malmo.id)})
    nothing = await api.post(f"/api/carts/{two}/checkout", json={"slot": key})
    assert [fault["field"] for fault in nothing.json()["errors"]] == ["slot"]
    await trade.sound()


async def test_goods_that_are_added_come_in_the_slot_too(trade: Trade) -> None:
    await offer(trade, 3)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    slot = (await promised(trade, kettle)).slots[4]
    order = await trade.place((await chosen(trade, kettle, slot.key)).id)
    more = ChangeInput(actions=[AddAction(variant=kettle, quantity=1)], pay_later=True)
    await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, more))
    parts = await trade.db.transaction(lambda tx: fulfilment_store.of_order(tx, order.id))
    due = slot.since - timedelta(minutes=5)
    assert [(part.method, part.due_at) for part in parts] == [("same_day", due), ("same_day", due)]
    assert await taken(trade) == [(trade.at_malmo.id, slot.key, 1)], "it is one order all the same"
    await trade.sound()


async def test_what_does_not_come_in_the_slot_is_said_before_it_is_added(trade: Trade) -> None:
    await offer(trade, 3)
    kettle = await trade.kettle(quantity=3, at=trade.at_malmo)
    elsewhere = await trade.kettle(quantity=9, at=trade.warehouse)
    slot = (await promised(trade, kettle)).slots[4]
    order = await trade.place((await chosen(trade, kettle, slot.key)).id)

    async def codes(variant: UUID, quantity: int) -> tuple[list[str], set[str]]:
        """What the preview says, and how what was added then goes."""
        before = {part.id for part in await fulfilment_store.of_order(trade.db, order.id)}
        more = ChangeInput(actions=[AddAction(variant=variant, quantity=quantity)], pay_later=True)
        said = await orders.preview_change(trade.db, BACKGROUND.actor, order.id, more)
        await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, more))
        parts = await fulfilment_store.of_order(trade.db, order.id)
        return [n.code for n in said.notices], {part.method for part in parts if part.id not in before}

    assert await codes(kettle, 1) == ([], {"same_day"})
    assert await codes(elsewhere, 1) == (["not-in-slot"], {"ship"})
    await trade.db.transaction(lambda tx: stock.receive(tx, trade.warehouse.id, [(kettle, 2)]))
    assert await codes(kettle, 3) == (["some-not-in-slot"], {"same_day", "ship"})
    await trade.sound()


async def test_an_order_that_was_emptied_is_not_filled_again(trade: Trade) -> None:
    """It has given its slot back, which somebody else may have by now."""
    await offer(trade, 1)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    where = BUYER | {"delivery_method": "bike", "location": str(trade.at_malmo.id)}
    order = await trade.place((await trade.cart((kettle, 2), **where)).id)

    async def change(action: Any) -> None:
        wanted = ChangeInput(actions=[action], pay_later=True)
        await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, wanted))

    for left in (1, 0):
        await change(QuantityAction(position=1, quantity=left))
    assert await taken(trade) == []
    for more in (AddAction(variant=kettle, quantity=1), QuantityAction(position=1, quantity=1)):
        with pytest.raises(WrongState):
            await change(more)
    assert await taken(trade) == []
    await trade.sound()
