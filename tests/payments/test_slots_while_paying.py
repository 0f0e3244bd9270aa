"""A delivery slot is kept for a cart while its buyer confirms a card, and goes to nobody else meanwhile."""

import asyncio
from typing import Any

import msgspec
import pytest
from desk import Desk

from fake_bank import FakeBank
from samlad import carts, delivery
from samlad.carts import CartView, delivery_options
from samlad.delivery import MethodInput, SlotFull
from samlad.delivery.slot_holds import free_due
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Tx
from samlad.payments import PaymentInput
from trade import BUYER, Trade

BIKE = {
    "channel": "web",
    "code": "bike",
    "kind": "same_day",
    "name": "Bike",
    "zones": [{}],
    "calendar": {"weekdays": [1, 2, 3, 4, 5, 6, 7]},
    "slots": [
        {"start": f"{hour:02d}:00", "end": f"{hour:02d}:30", "capacity": 1} for hour in range(0, 24, 2)
    ],
}


@pytest.fixture
async def desk(trade: Trade, bank: FakeBank) -> Desk:
    data = msgspec.convert(BIKE, MethodInput)
    await trade.db.transaction(lambda tx: delivery.create_method(tx, data))
    return Desk(trade, bank)


async def choose(desk: Desk, cart: CartView, slot: str | None = None) -> str:
    """Begin a checkout in a slot, else in the first with room; which it is."""
    promise = await delivery_options.promise_of(desk.db, SYSTEM, cart.id, slot=slot)
    assert promise is not None
    await desk.db.transaction(lambda tx: carts.checkout(tx, cart.id, promise=promise))
    assert promise.slot is not None
    return promise.slot


async def waiting(desk: Desk, count: int) -> tuple[list[CartView], str]:
    """Carts in checkout that all want the same slot, in which there is room for one; and that slot, the last one offered."""
    kettle = await desk.trade.kettle(19_900, quantity=count, at=desk.trade.at_malmo)
    details = BUYER | {"delivery_method": "bike", "location": str(desk.trade.at_malmo.id)}
    made = [await desk.trade.cart((kettle, 1), **details) for _ in range(count)]
    offered = await delivery_options.options(desk.db, SYSTEM, made[0].id)
    [promise] = [each.promise for each in offered if each.code == "bike"]
    assert promise is not None
    slot = promise.slots[-1].key
    assert {await choose(desk, cart, slot) for cart in made} == {slot}
    return made, slot


async def held(desk: Desk) -> list[tuple[Any, ...]]:
    rows = await desk.db.rows(
        "SELECT owner, day || 'T' || start AS slot, until IS NULL AS stays FROM delivery_slot_share"
    )
    return [(row["owner"], row["slot"], row["stays"]) for row in rows]


async def test_whoever_is_challenged_first_has_the_slot_and_others_are_told_before_they_pay(
    desk: Desk,
) -> None:
    (first, second), slot = await waiting(desk, 2)
    begun = await desk.begin(first.id, amount=10_000)
    assert await held(desk) == [(first.id, slot, False)]
    with pytest.raises(SlotFull) as full:
        await desk.begin(second.id)
    assert full.value.extra["next"] not in (None, slot)
    assert await desk.db.value("SELECT count(*) FROM payment WHERE cart = $1", second.id) == 0, (
        "nobody was asked"
    )
    assert await choose(desk, first, slot) == slot, "their own slot is not full for them"
    again = await desk.begin(first.id, amount=1_000)
    assert again.id != begun.id
    assert await held(desk) == [(first.id, slot, False)], "another card, the same slot"
    order = await desk.place(first.id, begun, again, more=[PaymentInput(provider="test")])
    assert order.promise is not None
    assert order.promise.slot == slot
    assert await held(desk) == [(order.id, slot, True)]
    await desk.settle()
    await desk.cancel(order.id)
    assert await held(desk) == []
    await desk.settle()
    await desk.sound()


async def test_of_many_at_once_one_may_pay(desk: Desk) -> None:
    made, slot = await waiting(desk, 5)

    async def attempt(cart: CartView) -> str:
        try:
            return (await desk.begin(cart.id)).status
        except SlotFull:
            return "full"

    said = sorted(await asyncio.gather(*map(attempt, made)))
    assert said == ["authorized", *["full"] * 4]
    assert [each[1] for each in await held(desk)] == [slot]
    await desk.sound()


async def test_another_slot_or_a_changed_cart_or_time_frees_it(desk: Desk) -> None:
    (first, second), slot = await waiting(desk, 2)
    await desk.begin(first.id)
    with pytest.raises(SlotFull):
        await choose(desk, second, slot)
    other = (await delivery_options.promise_of(desk.db, SYSTEM, second.id)).slot
    assert await choose(desk, second, other) == other != slot
    await desk.begin(second.id, amount=500)
    assert {each[:2] for each in await held(desk)} == {(first.id, slot), (second.id, other)}
    # Back to shopping: what was chosen is free, and the other takes it instead of theirs.
    await desk.db.transaction(lambda tx: carts.reopen(tx, first.id))
    assert await held(desk) == [(second.id, other, False)]
    await choose(desk, second, slot)
    await desk.begin(second.id, amount=500)
    assert await held(desk) == [(second.id, slot, False)]
    assert await free_due(desk.db) == 0, "its time is not over"

    async def over(tx: Tx) -> None:
        await tx.execute("UPDATE delivery_slot_share SET until = now() - interval '1 second'")

    await desk.db.transaction(over)
    assert (await free_due(desk.db), await free_due(desk.db)) == (1, 0)
    assert await held(desk) == []
    assert await desk.db.value("SELECT sum(orders) FROM delivery_slot") == 0
    await desk.sound()
