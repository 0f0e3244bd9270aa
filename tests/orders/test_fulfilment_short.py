"""When a place cannot give it: the next best place at once, or the customer is asked, and everything still agrees."""

import asyncio

import msgspec
import pytest
from changing import make
from fulfilling import Desk, clerk

from samlad import delivery, orders, stock
from samlad.delivery import WorkdayInput
from samlad.kernel import log
from samlad.kernel.problems import InvalidInput
from samlad.orders import CancelInput, Order, WrongState, fulfilment_assign, fulfilment_short, routing
from samlad.orders import fulfilment_batches as batches
from samlad.orders.fulfilment_model import (
    BatchInput,
    BinsInput,
    Choice,
    FulfilmentState,
    RejectReason,
    SubstituteInput,
)
from samlad.orders.fulfilment_substitute import substitute
from samlad.orders.routing_model import RoutingInput
from samlad.payments import PaymentInput
from samlad.promotions import service as promotions
from samlad.promotions.model import PromotionInput
from samlad.stock import LocationChange, LocationInput, LocationKind, SoldOut
from trade import Trade

S = FulfilmentState


@pytest.fixture
def desk(trade: Trade) -> Desk:
    return Desk(trade)


async def everywhere(trade: Trade, desk: Desk, price: int = 10_000, **units: int) -> object:
    """A kettle with so many at the warehouse, in Malmö and in Lund."""
    kettle = await trade.kettle(price, quantity=0)
    for name, place in (("dc", trade.warehouse), ("malmo", trade.at_malmo), ("lund", trade.at_lund)):
        if units.get(name):
            await desk.put(kettle, units[name], place.id)
    return kettle


async def test_a_rejected_parcel_goes_on_from_the_next_place_at_once(trade: Trade, desk: Desk) -> None:
    kettle = await everywhere(trade, desk, dc=2, malmo=2, lund=5)
    order = await trade.buy((kettle, 2))
    first = await desk.only(order)
    assert first.location == trade.warehouse.id
    rejected, second = await desk.reject(first, RejectReason.NO_TIME)
    assert (rejected.state, second.state) == (S.REJECTED, S.OPEN)
    assert second.location == trade.at_malmo.id
    assert second.came_from == first.id
    assert await trade.level(kettle, trade.warehouse) == (2, 0), "on sale there again"
    _, third = await desk.reject(second, RejectReason.NOT_FOUND)
    assert third.location == trade.at_lund.id, "never again where it was rejected"
    assert await trade.level(kettle, trade.at_malmo) == (0, 0), "what was not found is booked out"
    await trade.sound()
    _, nobody = await desk.reject(third, RejectReason.DAMAGED)
    assert (nobody.state, nobody.location) == (S.NEEDS_CUSTOMER, None)
    assert await trade.level(kettle, trade.at_lund) == (3, 0)
    causes = await trade.db.rows(
        "SELECT cause, sum(quantity) AS units FROM movement WHERE quantity < 0 GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in causes] == [("correction", -2), ("damage", -2)]
    types = [event.type for event in await log.of_subject(trade.db, order.id)]
    assert types.count("fulfilment.rejected") == 3
    assert types.count("fulfilment.needs_customer") == 1
    with pytest.raises(WrongState):
        await desk.reject(third)
    await trade.sound()


async def test_a_short_pick_sends_the_rest_from_elsewhere(trade: Trade, desk: Desk) -> None:
    kettle, cup = await everywhere(trade, desk, dc=3, lund=1), await trade.kettle()
    order = await trade.buy((kettle, 3), (cup, 1))
    first = await desk.take(await desk.only(order))
    await desk.pick(first, position=1, quantity=1)
    await desk.pick(first, position=2, quantity=1)
    with pytest.raises(InvalidInput):
        await desk.reject(first, RejectReason.NOT_FOUND, (1, 4))
    rejected, kept, elsewhere, nobody = await desk.reject(first, RejectReason.NOT_FOUND, (1, 2))
    assert (kept.id, kept.state) == (first.id, S.PICKED), "nothing more to pick"
    assert {line.position: line.quantity for line in kept.lines} == {1: 1, 2: 1}
    assert (rejected.lines[0].quantity, elsewhere.location) == (2, trade.at_lund.id)
    assert (nobody.state, nobody.lines[0].quantity) == (S.NEEDS_CUSTOMER, 1)
    await trade.sound()
    await desk.ship(kept)
    await desk.ship(await desk.picked(elsewhere))
    refunded = await desk.answer(nobody, Choice.CANCEL)
    assert refunded.state is S.CANCELLED
    done = await desk.order(order)
    assert (done.status, done.refunded, done.is_held) == ("fulfilled", 10_000, False)
    await trade.follow()
    await trade.sound()


async def test_who_picks_up_is_offered_the_next_store_which_keeps_it_for_them(
    trade: Trade, desk: Desk
) -> None:
    kettle = await everywhere(trade, desk, dc=9, malmo=1, lund=1)
    order = await desk.for_pickup((kettle, 1))
    _, offer = await desk.reject(await desk.only(order), RejectReason.NOT_FOUND)
    assert (offer.state, offer.location) == (S.NEEDS_CUSTOMER, trade.at_lund.id), "a warehouse is no shop"
    assert await trade.level(kettle, trade.at_lund) == (1, 1)
    await trade.sound()
    answers = await asyncio.gather(
        *(desk.answer(offer, choice, by_customer=True) for choice in (Choice.OTHER_STORE, Choice.CANCEL)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, WrongState) for answer in answers) == 1, "the first answer counts"
    await trade.sound()


async def test_the_other_store_hands_it_over_and_the_order_is_its_own(trade: Trade, desk: Desk) -> None:
    kettle = await everywhere(trade, desk, malmo=1, lund=1)
    order = await desk.for_pickup((kettle, 1))
    _, offer = await desk.reject(await desk.only(order), RejectReason.NOT_FOUND)
    accepted = await desk.answer(offer, Choice.OTHER_STORE, by_customer=True)
    assert accepted.state is S.OPEN
    assert (await desk.order(order)).location == trade.at_lund.id
    lund = Desk(trade, clerk(trade.at_lund.id))
    await lund.picked(accepted)
    await lund.ready(accepted)
    await lund.hand_over(accepted, await lund.code(accepted))
    assert (await desk.order(order)).status == "fulfilled"
    await trade.sound()


async def test_who_waits_gets_it_when_it_comes_the_longest_first(trade: Trade, desk: Desk) -> None:
    kettle = await everywhere(trade, desk, dc=2)
    waiting = []
    for _ in range(2):
        order = await trade.buy((kettle, 1))
        _, nobody = await desk.reject(await desk.only(order), RejectReason.NOT_FOUND)
        waiting.append((order, await desk.answer(nobody, Choice.WAIT)))
    with pytest.raises(WrongState):
        await desk.answer(waiting[0][1], Choice.OTHER_STORE)
    assert await fulfilment_short.retry_waiting(trade.db) == 0
    await trade.sound()
    await desk.put(kettle, 1, trade.at_malmo.id)
    assert await fulfilment_short.retry_waiting(trade.db) == 1
    first = [f for f in await desk.of(waiting[0][0]) if f.state is S.OPEN]
    assert [f.location for f in first] == [trade.at_malmo.id]
    assert not [f for f in await desk.of(waiting[1][0]) if f.state is S.OPEN]
    await trade.sound()
    gone = await desk.answer(waiting[1][1], Choice.CANCEL)
    assert gone.state is S.CANCELLED
    assert (await desk.order(waiting[1][0])).status == "cancelled"
    await trade.follow()
    await trade.sound()


async def test_a_count_that_finds_less_sends_the_order_elsewhere(trade: Trade, desk: Desk) -> None:
    kettle = await everywhere(trade, desk, dc=3, lund=3)
    order = await trade.buy((kettle, 3))
    await trade.db.transaction(
        lambda tx: stock.correct(tx, trade.warehouse.id, [(kettle, -2)], reason="counted")
    )
    await trade.follow()
    places = {(f.location, f.state): f.lines[0].quantity for f in await desk.of(order)}
    assert places == {
        (trade.warehouse.id, S.OPEN): 1,
        (trade.warehouse.id, S.REJECTED): 2,
        (trade.at_lund.id, S.OPEN): 2,
    }
    await trade.sound()


async def called_off(trade: Trade, desk: Desk, *payments: PaymentInput, **fields: object) -> Order:
    """An order of two things of which the first will not come. The first costs 100, the second 50."""
    kettle, cup = await everywhere(trade, desk, dc=1), await trade.kettle(5_000)
    order = await trade.place((await trade.cart((kettle, 1), (cup, 1))).id, *payments, **fields)
    nobody = (await desk.reject(await desk.only(order), RejectReason.NOT_FOUND, (1, 1)))[-1]
    await desk.answer(nobody, Choice.CANCEL)
    await trade.sound()
    return await desk.order(order)


async def test_what_will_not_come_is_given_back_and_the_rest_can_still_be_cancelled(
    trade: Trade, desk: Desk
) -> None:
    order = await called_off(trade, desk)
    assert (order.status, order.refunded, [line.cancelled for line in order.lines]) == (
        "paid",
        10_000,
        [1, 0],
    )
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput(reason="no")))
    gone = await desk.order(order)
    assert (gone.refunded, gone.payment_status, gone.is_held) == (15_000, "refunded", False)
    with pytest.raises(WrongState):
        await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    await trade.follow()
    assert await trade.db.value("SELECT sum(revenue) FROM order_day") == 0
    await trade.sound()


async def test_what_will_not_come_is_not_asked_for(trade: Trade, desk: Desk) -> None:
    order = await called_off(trade, desk, pay_later=True)
    assert (order.refunded, order.called_off) == (0, 10_000)
    paid = orders.PayInput(payments=[PaymentInput(provider="test")])
    settled = await trade.db.transaction(lambda tx: orders.pay(tx, order.id, paid))
    assert (settled.paid, settled.payment_status) == (5_000, "paid")
    await trade.follow()
    await trade.sound()


async def test_what_was_authorised_for_it_goes_back_when_it_is_taken(trade: Trade, desk: Desk) -> None:
    order = await called_off(trade, desk, PaymentInput(provider="test", token="authorize"))
    assert order.called_off == 10_000
    taken = await trade.db.transaction(lambda tx: orders.capture(tx, order.id))
    assert (taken.paid, taken.refunded, taken.payment_status) == (15_000, 10_000, "paid")
    await trade.follow()
    await trade.sound()


@pytest.mark.parametrize(("price", "refunded"), [(4_000, 6_000), (25_000, 0)])
async def test_a_substitute_never_costs_more(trade: Trade, desk: Desk, price: int, refunded: int) -> None:
    kettle = await everywhere(trade, desk, dc=3)
    other = await trade.kettle(price)
    order = await trade.buy((kettle, 3))
    await trade.follow()
    found = await desk.take(await desk.only(order))
    sku = await trade.db.value("SELECT sku FROM variant WHERE id = $1", other)
    given = SubstituteInput(position=1, quantity=1, code=sku)
    now = await desk.run(substitute, found.id, given)
    assert {(line.position, line.variant, line.quantity, line.picked) for line in now.lines} == {
        (1, kettle, 2, 0),
        (2, other, 1, 1),
    }
    sold = await desk.order(order)
    assert (sold.total, sold.refunded, sold.lines[1].substitutes) == (
        30_000 - refunded,
        refunded,
        sold.lines[0].sku,
    )
    assert await trade.level(kettle) == (2, 2), "the one that was not found is booked out"
    assert await trade.level(other) == (10, 1)
    assert await trade.db.value("SELECT sum(revenue) FROM order_day") == 30_000 - refunded
    await trade.sound()
    await desk.pick(found, position=1, quantity=2)
    await desk.ship(found)
    await trade.sound()
    back = await trade.db.transaction(
        lambda tx: orders.take_back(
            tx, order.id, orders.ReturnInput(lines=[orders.LineSelection(position=2, quantity=1)])
        )
    )
    assert -back.total == 10_000 - refunded, "what was paid for it comes back"
    await trade.sound()


async def test_substitutes_that_are_none(trade: Trade, desk: Desk) -> None:
    kettle = await everywhere(trade, desk, dc=1)
    order = await trade.buy((kettle, 1))
    found = await desk.take(await desk.only(order))
    empty = await trade.kettle(quantity=0)
    skus = {
        name: await trade.db.value("SELECT sku FROM variant WHERE id = $1", variant)
        for name, variant in (("same", kettle), ("empty", empty))
    }
    for code, expected in ((skus["same"], InvalidInput), ("NOTHING", InvalidInput), (skus["empty"], SoldOut)):
        with pytest.raises(expected):
            await desk.run(substitute, found.id, SubstituteInput(position=1, quantity=1, code=code))
    with pytest.raises(InvalidInput):
        await desk.run(substitute, found.id, SubstituteInput(position=1, quantity=2, code=skus["empty"]))
    await desk.put(empty, 1, trade.warehouse.id)
    whole = await desk.run(substitute, found.id, SubstituteInput(position=1, quantity=1, code=skus["empty"]))
    assert (whole.state, [line.position for line in whole.lines]) == (S.PICKED, [1])
    await trade.sound()


@pytest.mark.parametrize(("price", "units"), [(4_000, 1), (4_000, 3), (25_000, 1), (25_000, 3), (3_333, 2)])
async def test_a_substitute_for_what_was_reduced_has_its_promotions(
    trade: Trade, desk: Desk, price: int, units: int
) -> None:
    terms = {"effect": {"kind": "percent", "percent": 1_250}}
    values = {"channel": str(trade.web.id), "name": "Week", "terms": terms, "is_automatic": True}
    week = msgspec.convert(values, PromotionInput)
    await trade.db.transaction(lambda tx: promotions.create(tx, week))
    kettle = await everywhere(trade, desk, 9_999, dc=3)
    other = await trade.kettle(price)
    order = await trade.buy((kettle, 3))
    assert order.lines[0].reductions
    found = await desk.take(await desk.only(order))
    sku = await trade.db.value("SELECT sku FROM variant WHERE id = $1", other)
    await desk.run(substitute, found.id, SubstituteInput(position=1, quantity=units, code=sku))
    await trade.agree()
    now = await desk.order(order)
    paid = sum(line.total for line in now.lines if line.variant == other)
    assert paid == min(price * units, order.total - sum(x.total for x in now.lines if x.variant == kettle))
    assert now.refunded == order.total - now.total
    for _ in range(1 if units == 3 else 2):
        found = await desk.only(order)
        left = [line for line in found.lines if line.quantity > line.picked]
        if left:
            await desk.pick(found, position=left[0].position, quantity=left[0].quantity)
    await desk.ship(found)
    back = await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, orders.ReturnInput()))
    assert -back.total == now.total
    await trade.agree()


async def test_money_that_was_given_back_before_is_not_given_twice_by_a_substitute(
    trade: Trade, desk: Desk
) -> None:
    kettle = await everywhere(trade, desk, dc=3)
    cup, other = await everywhere(trade, desk, dc=3), await trade.kettle(4_000)
    order = await trade.buy((kettle, 1), (cup, 1))
    found = await desk.take(await desk.only(order))
    await trade.follow()
    kind = {"kind": "goodwill", "amount": 9_000, "position": 2}
    await make(trade, order, kind, refund_to="credit", override="sorry")
    sku = await trade.db.value("SELECT sku FROM variant WHERE id = $1", other)
    with pytest.raises(WrongState):  # of this line nothing is left that a cheaper one could give back
        await desk.run(substitute, found.id, SubstituteInput(position=2, quantity=1, code=sku))
    await desk.run(substitute, found.id, SubstituteInput(position=1, quantity=1, code=sku))
    now = await desk.order(order)
    assert (now.total, now.refunded, now.credited) == (14_000, 6_000, 9_000)
    await trade.agree()


async def test_one_walk_for_several_orders_sorted_into_boxes(trade: Trade) -> None:
    desk = Desk(trade, clerk(trade.warehouse.id))
    kettle, cup = await trade.kettle(), await trade.kettle()
    skus = [await trade.db.value("SELECT sku FROM variant WHERE id = $1", one) for one in (kettle, cup)]
    bins = BinsInput(location=trade.warehouse.id, bins={skus[0]: "B-02", skus[1]: "A-01"})
    await Desk(trade).run(batches.set_bins, bins)
    for lines in (((kettle, 2),), ((kettle, 1), (cup, 1)), ((cup, 1),)):
        await trade.buy(*lines)
    wanted = BatchInput(location=trade.warehouse.id, most=2)
    walks = await asyncio.gather(*(desk.run(batches.begin, wanted) for _ in range(2)))
    assert sorted(len(walk.fulfilments) for walk in walks) == [1, 2], "nobody picks what a colleague picks"
    walk = max(walks, key=lambda one: len(one.fulfilments))
    assert [line.bin for line in walk.lines] == sorted(line.bin for line in walk.lines)
    boxes = []
    for line in walk.lines:
        assert sum(units for _slot, units in line.slots) == line.quantity
        for _ in range(line.quantity):
            walk, box = await desk.run(batches.pick, walk.id, line.sku)
            boxes.append(box)
    assert {f.state for f in walk.fulfilments} == {S.PICKED}
    assert set(boxes) == {1, 2}
    with pytest.raises(InvalidInput):
        await desk.run(batches.pick, walk.id, "NOTHING")


async def test_what_is_weighed_is_substituted_as_a_whole_by_what_is_weighed(trade: Trade, desk: Desk) -> None:
    cheese, other = [await trade.kettle(19_900, 2_000, sold_by="weight") for _ in range(2)]
    piece = await trade.kettle()
    order = await trade.buy((cheese, 800))
    found = await desk.take(await desk.only(order))
    skus = [await trade.db.value("SELECT sku FROM variant WHERE id = $1", each) for each in (other, piece)]
    for quantity, sku, field in ((500, skus[0], "quantity"), (800, skus[1], "code")):
        with pytest.raises(InvalidInput) as refused:
            await desk.run(substitute, found.id, SubstituteInput(position=1, quantity=quantity, code=sku))
        assert refused.value.errors[0].field == field
    now = await desk.run(substitute, found.id, SubstituteInput(position=1, quantity=800, code=skus[0]))
    assert [(line.variant, line.quantity) for line in now.lines] == [(other, 800)]
    await trade.sound()


async def test_a_rejected_parcel_goes_where_the_rules_of_the_channel_send_it(
    trade: Trade, desk: Desk
) -> None:
    kettle = await everywhere(trade, desk, dc=2, malmo=2, lund=5)
    rules = {"filters": {"without": ["malmo"]}, "ranks": [{"by": "priority"}]}
    data = msgspec.convert({"channel": "web", "rules": rules}, RoutingInput)
    made = await trade.db.transaction(lambda tx: routing.add_rules(tx, data))
    await trade.db.transaction(lambda tx: routing.go_live(tx, made.id))
    first = await desk.only(await trade.buy((kettle, 2)))
    assert first.location == trade.warehouse.id
    _, second = await desk.reject(first, RejectReason.NO_TIME)
    assert second.location == trade.at_lund.id, "not where the rules never send anything"
    _, third = await desk.reject(second, RejectReason.NO_TIME)
    assert third.location == trade.at_malmo.id, (
        "nobody else has it: as when nothing of the rules fits at placing"
    )
    await trade.sound()


async def test_who_picks_up_is_offered_the_nearest_store_and_none_without_capacity(
    trade: Trade, desk: Desk
) -> None:
    kettle = await everywhere(trade, desk, malmo=1, lund=1)
    where = {"malmo": (55.60, 13.00), "lund": (55.70, 13.19)}
    for place in (trade.at_malmo, trade.at_lund):
        latitude, longitude = where[place.code]
        change = LocationChange(latitude=latitude, longitude=longitude)
        await desk.run(stock.change_location, place.id, change)
    far, near = [
        await desk.run(
            stock.create_location,
            LocationInput(
                code=code, name=code, kind=LocationKind.STORE, pool_of="web", priority=priority,
                latitude=latitude, longitude=longitude,
            ),
        )
        for code, priority, latitude, longitude in (("umea", 2, 63.83, 20.26), ("limhamn", 90, 55.58, 12.93))
    ]  # fmt: skip
    for place in (far, near):
        await desk.put(kettle, 1, place.id)
    order = await desk.for_pickup((kettle, 1))
    _, offered = await desk.reject(await desk.only(order))
    assert offered.location == near.id, "four kilometres away, though others come first by priority"
    await desk.run(delivery.set_workday, trade.at_lund.id, WorkdayInput(capacity=0))
    await desk.answer(offered, Choice.OTHER_STORE)
    _, next_one = await desk.reject(await desk.only(order, S.OPEN))
    assert next_one.location == far.id, "the store in between makes nothing ready"
    await trade.sound()


async def test_the_day_of_a_place_has_room_again_and_that_of_the_next_one_less(
    trade: Trade, desk: Desk
) -> None:
    kettle = await everywhere(trade, desk, dc=3, malmo=2, lund=3)
    for place in (trade.warehouse, trade.at_malmo, trade.at_lund):
        await desk.run(delivery.set_workday, place.id, WorkdayInput(capacity=9))

    async def counted() -> dict[str, tuple[int, int]]:
        rows = await trade.db.rows(
            """SELECT p.code, sum(d.orders)::int AS orders, sum(d.units)::int AS units FROM delivery_load d
               JOIN location p ON p.id = d.location GROUP BY 1 HAVING sum(d.units) > 0"""
        )
        shares = await trade.db.rows(
            "SELECT sum(units)::int AS units, count(*)::int AS orders FROM delivery_share"
        )
        assert sum(row["units"] for row in rows) == (shares[0]["units"] or 0)
        assert sum(row["orders"] for row in rows) == shares[0]["orders"]
        return {row["code"]: (row["orders"], row["units"]) for row in rows}

    order = await trade.buy((kettle, 3))
    assert await counted() == {"dc": (1, 3)}
    first = await desk.only(order)
    _, kept, second = await desk.reject(first, RejectReason.NOT_FOUND, (1, 1))
    assert (kept.id, second.location) == (first.id, trade.at_malmo.id)
    assert await counted() == {"dc": (1, 2), "malmo": (1, 1)}
    rejected = await desk.reject(kept, RejectReason.NO_TIME)
    assert {one.location for one in rejected[1:]} == {trade.at_lund.id}
    assert await counted() == {"malmo": (1, 1), "lund": (1, 2)}
    _, third = await desk.reject(second, RejectReason.NO_TIME)
    assert third.location == trade.at_lund.id
    assert await counted() == {"lund": (1, 3)}, "once, and on the day on which it counted there"
    await desk.run(fulfilment_assign.assign, third.id, trade.at_malmo.id)
    assert await counted() == {"lund": (1, 2), "malmo": (1, 1)}
    await desk.run(orders.cancel, order.id, CancelInput(reason="changed their mind"))
    assert await counted() == {}
    await trade.sound()
