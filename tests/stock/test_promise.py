"""What a channel may sell, explained: buffers, locations left out, what is sold before it is there, and when it comes."""

from datetime import date, timedelta
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stock_shop import Shop, books_are_right

from samlad import channels, stock
from samlad.channels import Channel, ChannelChange
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden
from samlad.stock import HoldLine, Incoming, Level, Location, LocationChange, SoldOut, rules, sharing
from samlad.stock.model import ExcludedBy, Later, LocationChannelInput
from samlad.stock.permissions import READ

TODAY = now().date()
SOON, LATER = TODAY + timedelta(days=3), TODAY + timedelta(days=30)


async def keep_back(shop: Shop, at: Location, units: int) -> None:
    change = LocationChange(buffer=units)
    await shop.db.transaction(lambda tx: stock.change_location(tx, at.id, change))


async def serve(
    shop: Shop, at: Location, channel: Channel, buffer: int | None = None, *, is_excluded: bool = False
) -> None:
    data = LocationChannelInput(buffer=buffer, is_excluded=is_excluded)
    await shop.db.transaction(lambda tx: sharing.set_channel(tx, at.id, channel, data))


async def test_a_location_keeps_units_back_and_more_or_fewer_for_one_channel(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    await shop.receive(kettle, 4, shop.at_malmo)
    await keep_back(shop, shop.at_malmo, 3)
    await serve(shop, shop.at_malmo, shop.lund, 1)
    assert await stock.atp(shop.db, shop.web, [kettle]) == {kettle: 5 + 1}
    assert await stock.atp(shop.db, shop.lund, [kettle]) == {kettle: 5 + 3}
    (promise,) = await stock.promises(shop.db, shop.web, [kettle])
    assert [(level.on_hand, level.kept, level.available) for level in promise.locations] == [
        (5, 0, 5),
        (4, 3, 1),
    ]
    assert (promise.on_hand, promise.kept, promise.available) == (9, 3, 6)
    with pytest.raises(SoldOut) as refused:
        await shop.take((kettle, 7))
    assert refused.value.lines[0].available == 6
    await shop.take((kettle, 6))
    assert await stock.atp(shop.db, shop.web, [kettle]) == {kettle: 0}
    assert await stock.atp(shop.db, shop.lund, [kettle]) == {kettle: 2}
    # In its own store the customer has them in hand.
    assert await stock.atp(shop.db, shop.malmo, [kettle], carry_out=True) == {kettle: 3}
    await shop.take((kettle, 3, shop.at_malmo.id), channel=shop.malmo)


async def test_who_names_another_store_leaves_it_its_buffer_but_a_standing_order_gets_its_goods(
    shop: Shop,
) -> None:
    (kettle,) = await shop.variants(4, at=shop.at_malmo)
    await keep_back(shop, shop.at_malmo, 3)
    await shop.take((kettle, 1, shop.at_malmo.id))
    (seen,) = await stock.levels_of(shop.db, [kettle], channel=shop.web)
    (real,) = await stock.levels_of(shop.db, [kettle])
    assert (seen.available, real.available) == (0, 3)
    with pytest.raises(SoldOut):
        await shop.take((kettle, 1, shop.at_malmo.id))
    await serve(shop, shop.at_malmo, shop.web, is_excluded=True)
    assert await stock.levels_of(shop.db, [kettle], channel=shop.web) == []
    line = [HoldLine(kettle, 2, shop.at_malmo.id)]
    await shop.db.transaction(
        lambda tx: stock.take(
            tx, line, channel=shop.web, kind=stock.HoldKind.ORDER, owner=new_id(), keep_back=False
        )
    )
    assert await shop.level(kettle, shop.at_malmo) == (4, 3)


async def test_locations_that_do_not_count_are_named_with_the_reason(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    await shop.receive(kettle, 4, shop.at_malmo)
    await shop.receive(kettle, 2, shop.at_lund)
    await serve(shop, shop.at_malmo, shop.web, is_excluded=True)
    await shop.db.transaction(
        lambda tx: stock.change_location(tx, shop.at_lund.id, LocationChange(is_active=False))
    )
    (promise,) = await stock.promises(shop.db, shop.web, [kettle])
    assert promise.available == promise.on_hand == 5
    assert {(e.location, e.on_hand, e.reason) for e in promise.excluded} == {
        (shop.at_malmo.id, 4, ExcludedBy.CHANNEL),
        (shop.at_lund.id, 2, ExcludedBy.INACTIVE),
    }
    with pytest.raises(SoldOut):
        await shop.take((kettle, 6))
    with pytest.raises(SoldOut):
        await shop.take((kettle, 1, shop.at_malmo.id))
    # A rule for one channel is none for the others, its children included; its own store always serves it.
    assert await stock.atp(shop.db, shop.malmo, [kettle]) == {kettle: 9}
    await serve(shop, shop.at_malmo, shop.malmo, is_excluded=True)
    assert await stock.atp(shop.db, shop.malmo, [kettle], carry_out=True) == {kettle: 4}
    await shop.take((kettle, 4, shop.at_malmo.id), channel=shop.malmo)
    # Only there: nothing to sell, and it is said why.
    (scale,) = await shop.variants(3, at=shop.at_malmo)
    (promise,) = await stock.promises(shop.db, shop.web, [scale])
    assert (promise.available, promise.on_hand, len(promise.excluded)) == (0, 0, 1)


async def test_backorders_have_a_day_until_it_has_gone_by(shop: Shop) -> None:
    (kettle,) = await shop.variants(1)
    where = (shop.warehouse.id, kettle)
    await shop.db.transaction(lambda tx: stock.set_level(tx, *where, backorder_limit=3, backorder_on=LATER))
    (promise,) = await stock.promises(shop.db, shop.web, [kettle])
    assert (promise.available, promise.backorder, promise.later) == (1, 3, [Later(LATER, 3)])
    await shop.take((kettle, 2))
    await shop.db.transaction(lambda tx: stock.set_level(tx, *where, backorder_on=date(2020, 1, 1)))
    (promise,) = await stock.promises(shop.db, shop.web, [kettle])
    assert (promise.available, promise.later) == (0, [Later(None, 2)])
    await shop.db.transaction(lambda tx: stock.set_level(tx, *where, backorder_on=None))
    with pytest.raises(Conflict):
        await shop.db.transaction(lambda tx: stock.set_level(tx, *where, backorder_limit=0))
    await books_are_right(shop.db)


async def test_expired_holds_count_neither_for_what_is_there_nor_for_what_comes(shop: Shop) -> None:
    (kettle,) = await shop.variants(1)
    await shop.backorder(kettle, 3, shop.warehouse)
    past = now() - timedelta(hours=1)
    await shop.take((kettle, 3), expires_at=past)
    (promise,) = await stock.promises(shop.db, shop.web, [kettle])
    assert (promise.available, promise.backorder) == (1, 3)
    await shop.take((kettle, 4))


async def test_who_may_say_what_a_location_does(shop: Shop, api: httpx.AsyncClient, api_as) -> None:
    (kettle,) = await shop.variants(5)
    url = f"/api/locations/{shop.warehouse.id}"
    assert (await api.patch(url, json={"buffer": 1})).json()["buffer"] == 1
    rule = {"buffer": 4, "is_excluded": False}
    answer = await api.put(f"{url}/channels/{shop.malmo.id}", json=rule)
    assert (answer.status_code, answer.json()) == (200, {"channel": "malmo", **rule})
    assert (await api.get(f"{url}/channels")).json() == [{"channel": "malmo", **rule}]
    promised = {}
    for code in ("web", "malmo"):
        params = {"channel": code, "variant": str(kettle)}
        promised[code] = (await api.get("/api/atp", params=params)).json()[0]
    assert [promised[code]["available"] for code in ("web", "malmo")] == [4, 1]
    assert promised["malmo"]["locations"][0]["kept"] == 4
    assert promised["malmo"]["excluded"] == []
    assert (await api.put(f"{url}/channels/{new_id()}", json=rule)).status_code == 404
    assert (await api.put(f"{url}/channels/{shop.malmo.id}", json={"buffer": -1})).status_code == 422
    async with api_as(channels_reader()) as stranger:
        assert (await stranger.put(f"{url}/channels/{shop.malmo.id}", json=rule)).status_code == 403
    audited = await shop.db.value("SELECT count(*) FROM audit_entry WHERE verb = 'location.channel-set'")
    assert audited == 1


def channels_reader():
    return Actor(kind="staff", id=new_id(), permissions=frozenset({READ}))


# -- the rule -------------------------------------------------------------------------------------------------------------

days = st.none() | st.dates(TODAY, TODAY + timedelta(days=9))


@st.composite
def levels(draw: st.DrawFn) -> Level:
    """A level as the database answers it: what is taken before it is there is at most what may be."""
    incoming = [
        Incoming(new_id(), units, day, is_late)
        for units, day, is_late in draw(
            st.lists(st.tuples(st.integers(1, 5), days, st.booleans()), max_size=3)
        )
    ]
    limit, sells = draw(st.integers(0, 6)), draw(st.booleans())
    most = limit + (sum(line.units for line in incoming) if sells else 0)
    on_hand, kept = draw(st.integers(0, 6)), draw(st.integers(0, 3))
    held = draw(st.integers(0, on_hand + most))
    free = on_hand - held - kept
    return Level(
        location=new_id(),
        variant=KETTLE,
        on_hand=on_hand,
        held=held,
        available=max(free, 0),
        backorder_limit=limit,
        kept=kept,
        later=max(free + most, 0) - max(free, 0),
        sells_incoming=sells,
        backorder_on=draw(days),
        incoming=incoming,
    )


KETTLE: UUID = new_id()


@given(st.lists(levels(), min_size=1, max_size=4), st.integers(0, 12))
@settings(max_examples=150)
def test_the_parts_add_up(many: list[Level], buffer: int) -> None:
    (promise,) = rules.promise(many, buffer)
    room = sum(level.available + level.later for level in many)
    assert promise.available + promise.backorder == max(0, room - buffer)
    assert promise.available == max(0, sum(level.available for level in many) - buffer)
    assert sum(part.units for part in promise.later) == promise.backorder
    known = [part.expected_on for part in promise.later]
    assert len(set(known)) == len(known)
    assert known == sorted(known, key=lambda day: day or date.max), "by day, unknown days last"
    assert all(part.units > 0 for part in promise.later)
    for level in many:
        assert sum(units for _, units in rules.dated(level)) == level.later
        arrivals = {line.expected_on for line in level.incoming if not line.is_late}
        assert {day for day, _ in rules.dated(level)} <= arrivals | {level.backorder_on, None}


def test_who_waits_already_is_served_first() -> None:
    first, second = Incoming(new_id(), 5, SOON), Incoming(new_id(), 5, LATER)
    level = Level(new_id(), KETTLE, 1, 4, 0, 0, 0, 7, True, None, [second, first])
    assert rules.dated(level) == [(SOON, 2), (LATER, 5)]
    (promise,) = rules.promise([level], 3)
    assert promise.later == [Later(LATER, 4)], "the channel's buffer takes the earliest"
    late = Level(new_id(), KETTLE, 0, 0, 0, 0, 0, 5, True, None, [Incoming(new_id(), 5, SOON, is_late=True)])
    assert rules.dated(late) == [(None, 5)]


async def test_changing_locations_needs_the_permission(shop: Shop) -> None:
    data = LocationChannelInput(buffer=1)
    with pytest.raises(Forbidden):
        await shop.db.transaction(
            lambda tx: sharing.set_channel(tx, shop.warehouse.id, shop.web, data),
            Context(actor=channels_reader()),
        )


async def test_the_channels_buffer_comes_off_what_is_there_before_what_comes(shop: Shop) -> None:
    (kettle,) = await shop.variants(2)
    await shop.backorder(kettle, 3, shop.warehouse)
    web = await shop.db.transaction(
        lambda tx: channels.change(tx, shop.web.id, ChannelChange(settings={"buffer": 3}))
    )
    (promise,) = await stock.promises(shop.db, web, [kettle])
    assert (promise.available, promise.backorder, promise.buffer) == (0, 2, 3)
    with pytest.raises(SoldOut):
        await shop.take((kettle, 3), channel=web)
    await shop.take((kettle, 2), channel=web)
