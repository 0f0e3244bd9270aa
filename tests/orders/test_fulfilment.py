"""Fulfilments: made with the order, taken by one, picked, packed, sent or handed over with a code."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from fulfilling import Desk, clerk

from samlad import channels, orders
from samlad.kernel import log
from samlad.kernel.context import Context
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, TooMany
from samlad.orders import CancelInput, FulfilInput, LineSelection, WrongState, fulfilment, fulfilment_short
from samlad.orders.fulfilment_model import (
    FulfilmentChange,
    FulfilmentState,
    LabelInput,
    Method,
    TrackingEventInput,
    TrackingInput,
    TrackingStatus,
)
from samlad.orders.fulfilment_tracking import tell, tracked
from trade import Trade

S = FulfilmentState


@pytest.fixture
def desk(trade: Trade) -> Desk:
    return Desk(trade)


async def test_an_order_is_given_to_the_places_that_hold_it(trade: Trade, desk: Desk) -> None:
    kettle, cup = await trade.kettle(quantity=1), await trade.kettle(quantity=5, at=trade.at_malmo)
    order = await trade.buy((kettle, 1), (cup, 2))
    found = {f.location: f for f in await desk.of(order)}
    assert set(found) == {trade.warehouse.id, trade.at_malmo.id}
    assert [(line.position, line.quantity) for line in found[trade.at_malmo.id].lines] == [(2, 2)]
    assert {f.method for f in found.values()} == {Method.SHIP}
    assert {f.state for f in found.values()} == {S.OPEN}
    minutes = [(f.due_at - order.placed_at) / timedelta(minutes=1) for f in found.values()]
    assert minutes == pytest.approx([120, 120], abs=1)
    types = [event.type for event in await log.of_subject(trade.db, order.id)]
    assert types.count("fulfilment.opened") == 2
    await trade.sound()


async def test_what_is_carried_out_has_left_at_once(trade: Trade, desk: Desk) -> None:
    kettle = await trade.kettle(quantity=3, at=trade.at_malmo)
    order = await trade.buy((kettle, 2), channel=trade.malmo)
    only = await desk.only(order)
    assert (only.method, only.state, only.location) == (Method.HAND_OVER, S.DELIVERED, trade.at_malmo.id)
    await trade.sound()


async def test_of_two_clerks_one_gets_it_and_the_other_is_told_who(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(), 1))
    desks = [Desk(trade, clerk(name=name)) for name in ("Anna", "Bo", "Cleo", "Dag")]
    only = await desks[0].only(order)
    answers = await asyncio.gather(*(desk.take(only) for desk in desks), return_exceptions=True)
    won = [desk for desk, answer in zip(desks, answers, strict=True) if not isinstance(answer, Exception)]
    assert len(won) == 1
    told = [answer for answer in answers if isinstance(answer, WrongState)]
    assert [problem.extra["taken_by"] for problem in told] == [won[0].actor.name] * 3
    assert (await won[0].take(only)).taken_name == won[0].actor.name, "asked again it stays theirs"
    other = next(desk for desk in desks if desk is not won[0])
    with pytest.raises(WrongState):
        await other.pick(only, position=1, quantity=1)
    assert (await other.take(only, take_over=True)).taken_name == other.actor.name
    with pytest.raises(WrongState):
        await won[0].pick(only, position=1, quantity=1)
    types = [event.type for event in await log.of_subject(trade.db, order.id)]
    assert types.count("fulfilment.taken") == 2


async def test_picked_and_packed_by_scanning_and_sent_with_a_label(trade: Trade) -> None:
    desk = Desk(trade, clerk())
    kettle, cup = await trade.kettle(), await trade.kettle()
    order = await trade.buy((kettle, 2), (cup, 1))
    only = await desk.only(order)
    skus = {line.variant: line.sku for line in only.lines}
    with pytest.raises(WrongState):
        await desk.pick(only, code=skus[kettle])
    await desk.take(only)
    for variant in (kettle, cup, kettle):
        now = await desk.pick(only, code=skus[variant])
    assert now.state is S.PICKED
    with pytest.raises(Conflict):
        await desk.pick(only, code=skus[kettle])
    with pytest.raises(InvalidInput):
        await desk.pick(only, code="SOMETHING-ELSE")
    with pytest.raises(InvalidInput):
        await desk.pack(only, "SOMETHING-ELSE")
    assert (await desk.pack(only, skus[cup])).state is S.PICKED
    with pytest.raises(Conflict):
        await desk.pack(only, skus[cup])
    await desk.pack(only, skus[kettle])
    assert (await desk.pack(only, skus[kettle])).state is S.PACKED
    labelled = await desk.run(fulfilment.label, only.id, LabelInput())
    again = await desk.run(fulfilment.label, only.id, LabelInput())
    assert labelled.tracking == again.tracking
    with pytest.raises(InvalidInput):
        await desk.run(fulfilment.label, only.id, LabelInput(carrier="pigeon"))
    gone = await desk.ship(only)
    assert (gone.state, gone.tracking) == (S.SHIPPED, labelled.tracking)
    sent = await desk.order(order)
    assert (sent.status, sent.is_held, [line.fulfilled for line in sent.lines]) == (
        "fulfilled",
        False,
        [2, 1],
    )
    assert await trade.level(kettle) == (8, 0)
    with pytest.raises(WrongState):
        await desk.ship(only)
    await trade.sound()


async def test_a_line_counted_down_again_is_picking_again(trade: Trade, desk: Desk) -> None:
    only = await desk.only(await trade.buy((await trade.kettle(), 2)))
    assert (await desk.picked(only)).state is S.PICKED
    assert (await desk.pick(only, position=1, quantity=1)).state is S.PICKING
    with pytest.raises(InvalidInput):
        await desk.pick(only, position=9, quantity=1)
    with pytest.raises(InvalidInput):
        await desk.pick(only)
    assert (await desk.run(fulfilment.give_back, only.id)).state is S.OPEN


async def test_handed_over_with_a_code_once(trade: Trade) -> None:
    desk = Desk(trade, clerk(trade.at_malmo.id))
    order = await desk.for_pickup((await trade.kettle(at=trade.at_malmo), 1))
    only = await desk.only(order)
    assert (only.location, only.method) == (trade.at_malmo.id, Method.PICKUP)
    with pytest.raises(WrongState):
        await desk.ready(only)
    await desk.picked(only)
    with pytest.raises(WrongState):
        await desk.ship(only)
    ready = await desk.ready(only)
    code = await desk.code(only)
    assert code is not None
    assert ready.pick_up_by is not None
    assert timedelta(days=6.9) < ready.pick_up_by - datetime.now(UTC) < timedelta(days=7.1)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    with pytest.raises(InvalidInput):
        await desk.hand_over(only, wrong)
    with pytest.raises(InvalidInput):
        await desk.hand_over(only)
    lund = Desk(trade, clerk(trade.at_lund.id))
    with pytest.raises(Forbidden):
        await lund.hand_over(only, code)
    with pytest.raises(NotFound):
        await lund.run(fulfilment.by_code, trade.at_lund.id, code)
    assert (await desk.run(fulfilment.by_code, trade.at_malmo.id, code)).id == only.id
    answers = await asyncio.gather(*(desk.hand_over(only, code) for _ in range(3)), return_exceptions=True)
    assert [type(answer).__name__ for answer in answers].count("WrongState") == 2, "single use"
    assert await desk.code(only) is None
    assert (await desk.order(order)).status == "fulfilled"
    with pytest.raises(NotFound):
        await desk.run(fulfilment.by_code, trade.at_malmo.id, code)
    await trade.sound()


async def test_without_the_code_something_else_is_checked_and_kept(trade: Trade) -> None:
    desk = Desk(trade, clerk())
    only = await desk.only(await desk.for_pickup((await trade.kettle(at=trade.at_malmo), 1)))
    await desk.picked(only)
    await desk.ready(only)
    await desk.hand_over(only, note="Identity card")
    kept = await trade.db.value("SELECT after FROM audit_entry WHERE verb = 'fulfilment.handed-over'")
    assert kept == {"without_code": "Identity card"}


async def test_codes_cannot_be_tried_out(trade: Trade) -> None:
    actor = Context(actor=clerk(trade.at_malmo.id))
    for _ in range(fulfilment.CODE_TRIES):
        await fulfilment.count_try(trade.db, actor, trade.at_malmo.id)
    with pytest.raises(TooMany):
        await fulfilment.count_try(trade.db, actor, trade.at_malmo.id)
    with pytest.raises(Forbidden):
        await fulfilment.count_try(trade.db, actor, trade.at_lund.id)


async def test_nobody_comes_and_it_goes_back_to_the_shelf(trade: Trade) -> None:
    desk = Desk(trade, clerk())
    kettle, cup = await trade.kettle(10_000, at=trade.at_malmo), await trade.kettle(5_000, at=trade.at_malmo)
    order = await desk.for_pickup((kettle, 1), (cup, 1))
    only = await desk.only(order)
    await desk.picked(only)
    await desk.ready(only)
    with pytest.raises(WrongState):
        await desk.run(fulfilment_short.put_back, only.id)
    await trade.db.rows(
        "UPDATE fulfilment SET pick_up_by = now() - interval '1 hour' WHERE id = $1 RETURNING 1", only.id
    )
    gone = await desk.run(fulfilment_short.put_back, only.id)
    assert gone.state is S.CANCELLED
    assert await desk.code(only) is None
    closed = await desk.order(order)
    assert (closed.status, closed.refunded) == ("cancelled", 15_000)
    assert await trade.level(kettle, trade.at_malmo) == (10, 0)
    await trade.follow()
    await trade.sound()


async def test_the_quick_way_of_the_order_page_ends_the_readiest_fulfilments(
    trade: Trade, desk: Desk
) -> None:
    kettle = await trade.kettle(quantity=2)
    await desk.put(kettle, 3, trade.at_malmo.id)
    order = await trade.buy((kettle, 5))
    here = next(f for f in await desk.of(order) if f.location == trade.at_malmo.id)
    await desk.picked(here)
    part = FulfilInput(lines=[LineSelection(position=1, quantity=4)])
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, part))
    left = {(f.location, f.state): f.lines[0].quantity for f in await desk.of(order)}
    assert left == {
        (trade.at_malmo.id, S.SHIPPED): 3,
        (trade.warehouse.id, S.SHIPPED): 1,
        (trade.warehouse.id, S.OPEN): 1,
    }
    await trade.sound()
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    assert (await desk.order(order)).status == "fulfilled"
    await trade.sound()


async def test_cancelling_the_order_ends_its_work(trade: Trade, desk: Desk) -> None:
    order = await trade.buy((await trade.kettle(), 2))
    only = await desk.picked(await desk.only(order))
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput(reason="changed")))
    assert (await desk.only(order)).state is S.CANCELLED
    for verb in (desk.ship, desk.take, desk.reject):
        with pytest.raises(WrongState):
            await verb(only)
    await trade.sound()


async def test_changed_to_the_kerb_and_to_another_time(trade: Trade, desk: Desk) -> None:
    only = await desk.only(await desk.for_pickup((await trade.kettle(at=trade.at_malmo), 1)))
    moment = datetime(2030, 1, 1, 12, tzinfo=UTC)
    change = FulfilmentChange(method=Method.CURBSIDE, due_at=moment)
    changed = await desk.run(fulfilment.change, only.id, change)
    assert (changed.method, changed.due_at) == (Method.CURBSIDE, moment)
    with pytest.raises(InvalidInput):
        await desk.run(fulfilment.change, only.id, FulfilmentChange(method=Method.SAME_DAY))
    await desk.picked(only)
    await desk.ready(only)
    await desk.hand_over(only, await desk.code(only))


async def test_the_target_is_the_stores_own_in_its_opening_hours(trade: Trade, desk: Desk) -> None:
    hours = {"weekly": [[{"opens": "00:00", "closes": "00:00"}]] * 7}
    change = msgspec.convert(
        {"settings": {"pick_minutes": 30}, "opening_hours": hours}, channels.ChannelChange
    )
    await trade.db.transaction(lambda tx: channels.change(tx, trade.malmo.id, change))
    order = await desk.for_pickup((await trade.kettle(at=trade.at_malmo), 1))
    only = await desk.only(order)
    assert (only.due_at - order.placed_at) / timedelta(minutes=1) == pytest.approx(30, abs=1)


async def test_carriers_tell_in_any_order_and_as_often_as_they_like(trade: Trade, desk: Desk) -> None:
    order = await trade.buy((await trade.kettle(), 1))
    only = await desk.only(order)
    await desk.picked(only)
    labelled = await desk.run(fulfilment.label, only.id, LabelInput())
    await desk.ship(only)
    assert labelled.tracking is not None

    async def say(*events: tuple[str, int]) -> str:
        told = [
            TrackingEventInput(
                status=TrackingStatus(status),
                happened_at=datetime(2030, 1, 1, hour, tzinfo=UTC),
            )
            for status, hour in events
        ]
        data = TrackingInput(carrier="generic", number=labelled.tracking, events=told)
        return str((await desk.run(tell, data)).status)

    assert await say(("in_transit", 8)) == "in_transit"
    assert await say(("accepted", 6), ("in_transit", 8)) == "in_transit"
    assert await say(("delivered", 12)) == "delivered"
    assert await say(("out_for_delivery", 13), ("delivered", 12)) == "delivered"
    where = await tracked(trade.db, only.id)
    assert where is not None
    assert [event.happened_at.hour for event in where.events] == [6, 8, 12, 13]
    assert (await desk.only(order)).state is S.DELIVERED
    types = [event.type for event in await log.of_subject(trade.db, order.id)]
    assert types.count("fulfilment.delivered") == 1
    lost = TrackingEventInput(status=TrackingStatus.FAILED, happened_at=datetime.now(UTC))
    with pytest.raises(NotFound):
        await desk.run(tell, TrackingInput(carrier="generic", number="SM00000", events=[lost]))


async def test_staff_work_only_where_they_are_bound_to(trade: Trade) -> None:
    only = await Desk(trade).only(await trade.buy((await trade.kettle(), 1)))
    lund = Desk(trade, clerk(trade.at_lund.id))
    for verb in (lund.take, lund.ship, lund.reject, lund.pack):
        with pytest.raises(Forbidden):
            await verb(only)
