"""Methods, promises and capacity with a database: what carts cost, when goods are promised, what days are full."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from samlad import carts, channels, delivery, stock
from samlad.carts import DetailsInput
from samlad.channels import Channel, ChannelChange
from samlad.delivery import Answer, Destination, Method, MethodChange, MethodInput, WorkdayInput, store
from samlad.kernel.context import GUEST as NOBODY
from samlad.kernel.database import Tx
from samlad.kernel.problems import Forbidden, InvalidInput, Outdated
from samlad.orders import CancelInput, cancel
from samlad.stock import LocationChange, transfers
from trade import BUYER, GUEST, Trade

WEEK = {"weekly": [[{"opens": "10:00", "closes": "18:00"}]] * 7, "exceptions": []}
NOON = datetime(2026, 11, 25, 11, tzinfo=UTC)
COURIER: dict[str, Any] = {
    "code": "courier",
    "kind": "ship",
    "name": "Courier",
    "names": {"sv": "Bud"},
    "zones": [{"countries": ["SE"], "transit_min": 1, "transit_max": 1}],
    "rate": {"kind": "by_amount", "steps": [{"start": 0, "price": 4900}, {"start": 40_000, "price": 2900}]},
    "position": 2,
}
POST: dict[str, Any] = {
    "code": "post",
    "kind": "ship",
    "name": "Post",
    "zones": [{}],
    "rate": {"kind": "flat", "price": 1900, "free_from": 60_000},
    "position": 1,
}
PICKUP: dict[str, Any] = {
    "code": "pickup",
    "kind": "pickup",
    "name": "Pick up",
    "pick_minutes": 60,
    "pack_minutes": 0,
}


async def offer(trade: Trade, *methods: dict[str, Any], channel: str = "web") -> list[Method]:
    """Make methods of a channel."""

    async def work(tx: Tx) -> list[Method]:
        wanted = [msgspec.convert({"channel": channel, **each}, MethodInput) for each in methods]
        return [await delivery.create_method(tx, each) for each in wanted]

    return await trade.db.transaction(work)


async def opens(trade: Trade) -> None:
    """Stores open from ten to six, and stand where they stand."""

    async def work(tx: Tx) -> None:
        for channel in (trade.malmo, trade.lund):
            await channels.change(tx, channel.id, msgspec.convert({"opening_hours": WEEK}, ChannelChange))
        for place, lat, lon, code in (
            (trade.at_malmo, 55.6, 13.0, "211 34"),
            (trade.at_lund, 55.7, 13.19, "222 22"),
        ):
            where = {"city": place.name, "postal_code": code, "country": "SE"}
            await stock.change_location(
                tx, place.id, LocationChange(latitude=lat, longitude=lon, address=where)
            )

    await trade.db.transaction(work)


async def ask(trade: Trade, wanted: dict[UUID, int], channel: Channel | None = None, **values: Any) -> Answer:
    to = values.pop("to", Destination(country="SE", latitude=55.7, longitude=13.2))
    return await delivery.answer(
        trade.db, channel or trade.web, wanted, to, locale="en", moment=NOON, **values
    )


async def details(trade: Trade, cart: UUID, **values: Any) -> carts.CartView:
    wanted = msgspec.convert(values, DetailsInput)
    return await trade.db.transaction(lambda tx: carts.set_details(tx, cart, wanted))


async def test_the_cart_costs_what_its_method_costs_and_so_does_the_order(trade: Trade) -> None:
    await offer(trade, COURIER, POST)
    kettle = await trade.kettle(19_900)
    cart = await trade.cart((kettle, 1))
    assert (cart.delivery_method, cart.totals.shipping) == ("post", 1900), (
        "the first that fits, when nobody chose"
    )
    cart = await details(trade, cart.id, delivery_method="courier")
    assert (cart.delivery, cart.totals.shipping, cart.totals.total) == ("ship", 4900, 24_800)
    cart = await trade.db.transaction(
        lambda tx: carts.add_line(tx, cart.id, carts.LineInput(variant=kettle, quantity=2))
    )
    assert cart.totals.shipping == 2900, "59 700 reaches the next step"
    cart = await details(trade, cart.id, email="other@example.org")
    assert cart.delivery_method == "courier"
    order = await trade.place(cart.id, total=cart.totals.total)
    assert (order.total, [line.total for line in order.lines]) == (62_600, [59_700, 2900])
    assert order.lines[1].tax == 580, "taxed as the goods are: 25 % in it"
    await trade.sound()


async def test_without_methods_the_flat_rate_of_the_channel_holds(trade: Trade) -> None:
    async def charge(tx: Tx) -> None:
        await channels.change(tx, trade.web.id, ChannelChange(settings={"shipping_flat": 3900}))

    await trade.db.transaction(charge)
    cart = await trade.cart((await trade.kettle(), 1))
    assert (cart.delivery_method, cart.totals.shipping) == (None, 3900)


async def test_the_wrong_method_is_refused_where_it_is_wrong(trade: Trade) -> None:
    bought = await offer(
        trade, COURIER, PICKUP, {"code": "today", "kind": "same_day", "name": "Today", "zones": [{}]},
        {"code": "mail", "kind": "digital", "name": "E-mail"},
    )  # fmt: skip
    cart = await trade.cart((await trade.kettle(), 1))
    for wanted, field in (({"delivery_method": "rocket"}, "delivery_method"),
                          ({"delivery_method": "pickup", "delivery": "ship"}, "delivery_method")):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            await details(trade, cart.id, **wanted)
        assert refused.value.errors[0].field == field
    await details(trade, cart.id, address={**BUYER["address"], "country": "NO", "postal_code": "0150"})
    await refuses(trade, cart.id, "delivery_method")
    await details(trade, cart.id, address=BUYER["address"], delivery_method="today")
    await refuses(trade, cart.id, "location")
    await details(trade, cart.id, delivery_method="mail")
    await refuses(trade, cart.id, "delivery_method")
    await details(trade, cart.id, delivery_method="courier")
    light = MethodChange(is_active=False)
    await trade.db.transaction(lambda tx: delivery.change_method(tx, bought[0].id, light))
    await refuses(trade, cart.id, "delivery_method")


async def refuses(trade: Trade, cart: UUID, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await trade.place(cart)
    assert [fault.field for fault in refused.value.errors] == [field]


async def test_same_day_takes_the_goods_of_the_store_that_brings_them(trade: Trade) -> None:
    await opens(trade)
    await offer(
        trade, {"code": "today", "kind": "same_day", "name": "Today", "zones": [{}], "until": "21:00"}
    )
    kettle = await trade.kettle(quantity=5)
    await trade.db.transaction(lambda tx: stock.receive(tx, trade.at_lund.id, [(kettle, 5)]))
    [promised] = (await ask(trade, {kettle: 2})).delivered
    assert (promised.location, promised.text) == (trade.at_lund.id, "Today before 21:00 by Today")
    cart = await trade.cart((kettle, 2))
    await details(trade, cart.id, delivery_method="today", location=str(promised.location))
    await trade.place(cart.id)
    assert await trade.level(kettle, trade.at_lund) == (5, 2)


async def test_same_day_is_left_to_the_next_store_where_the_nearest_takes_no_orders(trade: Trade) -> None:
    await opens(trade)
    await offer(
        trade, {"code": "today", "kind": "same_day", "name": "Today", "zones": [{}], "until": "21:00"}
    )
    kettle = await trade.kettle(quantity=5)
    for place in (trade.at_lund, trade.at_malmo):
        await trade.db.transaction(lambda tx, place=place: stock.receive(tx, place.id, [(kettle, 5)]))
    none = WorkdayInput(capacity=0)
    await trade.db.transaction(lambda tx: delivery.set_workday(tx, trade.at_lund.id, none))
    [promised] = (await ask(trade, {kettle: 2})).delivered
    assert promised.location == trade.at_malmo.id


async def test_promises_of_stores_and_of_parcels(trade: Trade) -> None:
    await opens(trade)
    await offer(trade, COURIER, PICKUP)
    kettle = await trade.kettle(quantity=10)
    await trade.db.transaction(lambda tx: stock.receive(tx, trade.at_malmo.id, [(kettle, 1)]))
    found = await ask(trade, {kettle: 1})
    assert [(each.method, each.text) for each in found.delivered] == [("courier", "Tomorrow by Courier")]
    assert [(each.code, each.promise and each.promise.text) for each in found.stores] == [
        ("lund", None),
        ("malmo", "Today before 18:00 at Malmo"),
    ]
    assert found.stores[0].distance_km == 0.6
    assert (await ask(trade, {kettle: 12})).delivered == []
    both = await ask(trade, {kettle: 1}, to=Destination(country="NO"))
    assert both.delivered == [], "the courier does not go there"
    at_the_till = await ask(trade, {kettle: 1}, channel=trade.malmo)
    assert [each.text for each in at_the_till.delivered] == ["Tomorrow by Courier"]
    assert at_the_till.stores == found.stores, "the till says what the product page says"


async def test_what_a_checkout_holds_is_promised_to_it(trade: Trade) -> None:
    await offer(trade, POST)
    kettle = await trade.kettle(quantity=2)
    cart = await trade.cart((kettle, 2))
    await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    assert (await ask(trade, {kettle: 2})).delivered == []
    assert len((await ask(trade, {kettle: 2}, holder=cart.id)).delivered) == 1


async def test_backorders_have_no_day_until_somebody_knows_it(trade: Trade) -> None:
    await offer(trade, POST)
    kettle = await trade.kettle(quantity=0)
    await trade.db.transaction(lambda tx: stock.set_level(tx, trade.warehouse.id, kettle, backorder_limit=5))
    [promised] = (await ask(trade, {kettle: 2})).delivered
    assert (promised.first_day, promised.text) == (None, "On order; the day is not known yet")
    day = date(2046, 11, 27)  # a Tuesday
    await trade.db.transaction(lambda tx: stock.set_level(tx, trade.warehouse.id, kettle, backorder_on=day))
    [promised] = (await ask(trade, {kettle: 2})).delivered
    assert promised.first_day == date(2046, 11, 28)
    assert (await ask(trade, {kettle: 6})).delivered == []


async def test_a_transfer_under_way_is_promised_from_the_day_it_arrives(trade: Trade) -> None:
    await offer(trade, POST)
    kettle = await trade.kettle(quantity=4, at=trade.at_lund)
    change = stock.LocationChange(is_active=False)
    await trade.db.transaction(lambda tx: stock.change_location(tx, trade.at_lund.id, change))
    assert (await ask(trade, {kettle: 2})).delivered == []
    day = date(2046, 11, 27)
    sent = await trade.db.transaction(
        lambda tx: transfers.send(tx, trade.at_lund.id, trade.warehouse.id, [(kettle, 3)], expected_on=day)
    )
    assert (await ask(trade, {kettle: 2})).delivered == [], "it may not be sold before it is there"
    await trade.db.transaction(
        lambda tx: stock.set_level(tx, trade.warehouse.id, kettle, sells_incoming=True)
    )
    [promised] = (await ask(trade, {kettle: 2})).delivered
    assert promised.first_day == date(2046, 11, 28)
    assert (await ask(trade, {kettle: 4})).delivered == []
    await trade.db.transaction(lambda tx: transfers.reschedule(tx, sent.id, None))
    assert (await ask(trade, {kettle: 2})).delivered == []
    await trade.db.transaction(lambda tx: transfers.receive(tx, sent.id, [(kettle, 2)]))
    [promised] = (await ask(trade, {kettle: 2})).delivered
    assert promised.first_day < day
    await trade.sound()


async def test_capacity_holds_when_many_order_at_once(trade: Trade) -> None:
    await opens(trade)
    await offer(trade, PICKUP)
    kettle = await trade.kettle(quantity=20, at=trade.at_malmo)
    place = trade.at_malmo.id
    await trade.db.transaction(lambda tx: delivery.set_workday(tx, place, WorkdayInput(capacity=3)))
    ways = {"email": "kim@example.org", "delivery": "pickup", "location": str(place)}
    bought = [await trade.cart((kettle, 1), **ways) for _ in range(8)]
    orders = await asyncio.gather(*(trade.place(cart.id) for cart in bought))
    days = await trade.db.rows("SELECT day, orders FROM delivery_load WHERE orders > 0 ORDER BY day")
    assert [row["orders"] for row in days] == [3, 3, 2]
    full = await store.full_days(
        trade.db, [(place, 3, delivery.model.CapacityUnit.ORDERS)], 1, days[0]["day"]
    )
    assert full == {place: frozenset(row["day"] for row in days[:2])}
    first = "SELECT owner FROM delivery_share WHERE day = $1 LIMIT 1"
    away = await trade.db.value(first, days[0]["day"])
    assert away in {order.id for order in orders}
    for _twice in range(2):
        await trade.db.transaction(lambda tx: delivery.give_back(tx, away))
    await trade.db.transaction(lambda tx: cancel(tx, away, CancelInput(reason="changed my mind")))
    left = await trade.db.rows("SELECT orders FROM delivery_load WHERE orders > 0 ORDER BY day")
    assert [row["orders"] for row in left] == [2, 3, 2]
    await trade.sound()


async def test_orders_are_moved_to_other_days_while_others_are_placed(trade: Trade) -> None:
    """The worker locks days in the order in which it moves, buyers in that of the days: no buyer is told of it, and each day
    counts what is made ready on it."""
    await opens(trade)
    await offer(trade, PICKUP)
    kettle = await trade.kettle(quantity=20, at=trade.at_malmo)
    place = trade.at_malmo.id
    await trade.db.transaction(lambda tx: delivery.set_workday(tx, place, WorkdayInput(capacity=2)))
    ways = {"email": "kim@example.org", "delivery": "pickup", "location": str(place)}
    bought = [await trade.cart((kettle, 1), **ways) for _ in range(10)]
    early = [(await trade.place(cart.id)).id for cart in bought[:5]]
    now = datetime.now(UTC)

    async def moves(number: int, order: UUID) -> None:
        for turn in range(6):  # half of them go forth while the others come back
            at = now + timedelta(days=2 * ((number + turn) % 2))
            await trade.db.transaction(lambda tx, at=at: delivery.count_from(tx, order, place, at))

    late = [trade.place(cart.id) for cart in bought[5:]]
    await asyncio.gather(*(moves(number, order) for number, order in enumerate(early)), *late)
    counted = await trade.db.rows(
        "SELECT day, orders, units FROM delivery_load WHERE orders > 0 ORDER BY day"
    )
    shares = await trade.db.rows(
        """SELECT day, count(*)::int AS orders, sum(units)::int AS units FROM delivery_share GROUP BY day ORDER BY day"""
    )
    assert [tuple(row) for row in counted] == [tuple(row) for row in shares]
    assert sum(row["orders"] for row in shares) == 10
    await trade.sound()


async def test_a_full_day_moves_the_promise(trade: Trade) -> None:
    await opens(trade)
    await offer(trade, PICKUP)
    kettle = await trade.kettle(quantity=9, at=trade.at_malmo)
    limit = WorkdayInput(capacity=4, capacity_unit=delivery.model.CapacityUnit.UNITS)
    await trade.db.transaction(lambda tx: delivery.set_workday(tx, trade.at_malmo.id, limit))
    await trade.db.rows(
        "INSERT INTO delivery_load (location, day, orders, units) VALUES ($1, '2026-11-25', 1, 3) RETURNING 1",
        trade.at_malmo.id,
    )
    one, two = [(await ask(trade, {kettle: count})).stores[1].promise for count in (1, 2)]
    assert one is not None
    assert one.first_day == date(2026, 11, 25)
    assert two is not None
    assert two.first_day == date(2026, 11, 26), "five units are too many for four"


async def test_only_managers_change_and_versions_count(trade: Trade, db: Any) -> None:
    [method] = await offer(trade, POST)
    with pytest.raises(Forbidden):
        await db.transaction(
            lambda tx: delivery.change_method(tx, method.id, MethodChange(position=5)), GUEST
        )
    changed = await db.transaction(
        lambda tx: delivery.change_method(tx, method.id, MethodChange(position=5), version=1)
    )
    assert (changed.position, changed.version) == (5, 2)
    with pytest.raises(Outdated):
        await db.transaction(
            lambda tx: delivery.change_method(tx, method.id, MethodChange(position=6), version=1)
        )
    same = await db.transaction(lambda tx: delivery.change_method(tx, method.id, MethodChange(position=5)))
    assert same.version == 2, "a change that changes nothing is none"
    told = await db.rows("SELECT verb, difference FROM audit_entry WHERE subject = $1 ORDER BY at", method.id)
    assert [row["verb"] for row in told] == ["delivery.method-created", "delivery.method-changed"]
    first = await db.transaction(
        lambda tx: delivery.set_workday(tx, trade.warehouse.id, WorkdayInput(capacity=9), version=0)
    )
    assert first.version == 1
    with pytest.raises(Outdated):
        await db.transaction(
            lambda tx: delivery.set_workday(tx, trade.warehouse.id, WorkdayInput(), version=0)
        )


async def test_over_http(trade: Trade, api: httpx.AsyncClient, api_as: Any) -> None:
    await opens(trade)
    made = await api.post(
        "/api/delivery-methods", json={"channel": "web", **COURIER}, headers={"Idempotency-Key": "one"}
    )
    assert made.status_code == 201, made.text
    again = await api.post(
        "/api/delivery-methods", json={"channel": "web", **COURIER}, headers={"Idempotency-Key": "one"}
    )
    assert again.json()["id"] == made.json()["id"]
    taken = await api.post("/api/delivery-methods", json={"channel": "web", **COURIER})
    assert taken.status_code == 409
    here = f"/api/delivery-methods/{made.json()['id']}"
    changed = await api.patch(here, json={"max_weight": 2000}, headers={"If-Match": made.headers["etag"]})
    assert changed.json()["max_weight"] == 2000
    assert (
        await api.patch(here, json={"position": 1}, headers={"If-Match": made.headers["etag"]})
    ).status_code == 412
    wrong = await api.patch(here, json={"zones": []})
    assert [fault["field"] for fault in wrong.json()["errors"]] == ["zones"]
    workday = await api.put(f"/api/locations/{trade.at_lund.id}/workday", json={"capacity": 5, "hours": WEEK})
    assert workday.status_code == 200
    assert workday.json()["version"] == 1
    await api.post("/api/delivery-methods", json={"channel": "web", **PICKUP})

    kettle = await trade.kettle()
    cart = await trade.cart((kettle, 1))
    options = (await api.get(f"/api/carts/{cart.id}/delivery-options")).json()
    assert [(each["code"], each["price"], each["is_chosen"]) for each in options] == [
        ("courier", 4900, True),
        ("pickup", 0, False),
    ]
    assert options[0]["name"] == "Bud"
    assert options[0]["promise"]["method"] == "courier"
    async with api_as(NOBODY) as guest:
        url = f"/api/promise?channel=web&variant={kettle}"
        answer = (await guest.get(f"{url}&postal_code=22222&locale=en")).json()
        assert [store["code"] for store in answer["stores"]] == ["lund", "malmo"]
        assert answer["delivered"][0]["text"].endswith("by Courier")
        assert (await guest.get(f"{url}&lat=1")).json()["errors"][0]["field"] == "lon"
        assert (await guest.get(f"{url}&country=QQ")).status_code == 422
        assert (await guest.get(url.replace("=web", "=nope"))).status_code == 404
        assert (await guest.get("/api/delivery-methods")).status_code == 401
