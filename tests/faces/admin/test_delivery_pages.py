"""The pages of delivery methods and of how locations work."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from market import text_of

from samlad import delivery
from samlad.delivery import store
from samlad.delivery.model import AmountTable, PostalRange, Slot, Step
from samlad.delivery.texts import day_words
from trade import BUYER

COURIER = {
    "channel": "web", "kind": "ship", "name": "Courier", "code": "courier", "name-sv": "Bud", "position": "5",
    "rate": "by_amount", "steps": "0: 99.00\n500: 49,50", "free_from": "1000",
    "zones": "SE, NO | 11-12, 30 | 1-2\n* | * | 3", "pick_minutes": "30", "pack_minutes": "5", "cut_off": "15:00",
    "weekdays": ["1", "2", "3", "4", "5", "6"], "holidays": "SE", "closed": "2026-12-24, 2026-12-31",
}  # fmt: skip


def undo_of(page: str) -> str:
    return re.search(r'action="(/admin/undo/[^"]+)"', page)[1]


async def test_a_method_is_made_changed_and_the_change_taken_back(api: httpx.AsyncClient, shop) -> None:
    made = await api.post("/admin/delivery/new", data=COURIER)
    assert made.status_code == 303, made.text
    [method] = await store.all_methods(shop.db)
    assert method.rate == AmountTable(steps=[Step(0, 9900), Step(50_000, 4950)], free_from=100_000)
    assert method.zones[0].countries == ["SE", "NO"]
    assert method.zones[0].postal_codes == [PostalRange("11", "12"), PostalRange("30", "30")]
    assert (method.zones[1].transit_min, method.zones[1].transit_max) == (3, 3)
    assert (method.names, method.calendar.weekdays, method.calendar.holidays) == (
        {"sv": "Bud"},
        [1, 2, 3, 4, 5, 6],
        "SE",
    )

    here = f"/admin/delivery/{method.id}"
    page = (await api.get(here)).text
    assert "SE, NO | 11-12, 30 | 1-2" in page
    assert "500.00: 49.50" in page
    form = COURIER | {"version": "1", "is_active": "1", "rate": "flat", "price": "59", "steps": ""}
    saved = await api.post(here, data=form)
    assert saved.status_code == 303, saved.text
    [changed] = await store.all_methods(shop.db)
    assert (changed.rate.price, changed.version, changed.is_active) == (5900, 2, True)
    listed = (await api.get("/admin/delivery")).text
    assert "59.00" in listed
    stale = await api.post(here, data=form | {"price": "58"})
    assert stale.status_code == 412
    await api.post(undo_of(listed))
    [back] = await store.all_methods(shop.db)
    assert (back.rate, back.version) == (method.rate, 3)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"steps": "a lot"}, "steps"),
        ({"steps": "5: 10"}, "steps"),
        ({"zones": "everywhere"}, "zones"),
        ({"zones": "QQ | * | 1"}, "zones"),
        ({"zones": ""}, "zones"),
        ({"holidays": "QQ"}, "holidays"),
        ({"closed": "Christmas"}, "calendar/closed/0"),
        ({"pick_minutes": "soon"}, "pick_minutes"),
        ({"cut_off": "25:00"}, "cut_off"),
        ({"kind": "same_day", "slots": "in the evening"}, "slots"),
        ({"kind": "same_day", "slots": "17:00-25:00: 3"}, "slots"),
        ({"kind": "same_day", "slots": "19:00-17:00"}, "slots"),
        ({"kind": "same_day", "slots": "17:00-19:00: 0"}, "slots"),
        ({"kind": "same_day", "slots": "17:00-19:00\n18:59-21:00"}, "slots"),
        ({"slots": "17:00-19:00"}, "slots"),
        ({"channel": "nowhere"}, "channel"),
    ],
)
async def test_what_cannot_be_read_is_said_at_its_field(
    api: httpx.AsyncClient, shop, typed, field: str
) -> None:
    answer = await api.post("/admin/delivery/new", data=COURIER | typed)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert "Courier" in answer.text, "what was typed is still there"
    assert await store.all_methods(shop.db) == []


async def test_the_times_of_a_same_day_method_are_typed_a_line_each(api: httpx.AsyncClient, shop) -> None:
    bike = COURIER | {"kind": "same_day", "code": "bike", "slots": "9.00 – 11.00: 5\n\n17:00-19:00"}
    made = await api.post("/admin/delivery/new", data=bike)
    assert made.status_code == 303, made.text
    [method] = await store.all_methods(shop.db)
    assert method.slots == [
        Slot(start="09:00", end="11:00", capacity=5),
        Slot(start="17:00", end="19:00"),
    ]
    page = (await api.get(f"/admin/delivery/{method.id}")).text
    assert "09:00-11:00: 5\n17:00-19:00" in page
    saved = await api.post(
        f"/admin/delivery/{method.id}", data=bike | {"version": "1", "is_active": "1", "slots": ""}
    )
    assert saved.status_code == 303
    await api.post(undo_of((await api.get("/admin/delivery")).text))
    [back] = await store.all_methods(shop.db)
    assert back.slots == method.slots


async def test_staff_read_when_an_order_is_to_be_with_the_customer(api: httpx.AsyncClient, shop) -> None:
    trade = shop.trade
    slots = "\n".join(f"{hour:02d}:00-{hour:02d}:45: 2" for hour in range(0, 24, 3))
    week = [str(day) for day in range(1, 8)]
    await api.post(
        "/admin/delivery/new",
        data=COURIER
        | {"kind": "same_day", "code": "bike", "zones": "* | * | 0", "slots": slots}
        | {"weekdays": week, "holidays": "", "cut_off": ""},
    )
    await trade.db.transaction(
        lambda tx: delivery.set_workday(tx, trade.at_malmo.id, delivery.WorkdayInput(capacity=9))
    )
    kettle = await trade.kettle(quantity=3, at=trade.at_malmo)
    where = BUYER | {"delivery_method": "bike", "location": str(trade.at_malmo.id)}
    order = await trade.place((await trade.cart((kettle, 1), **where)).id)
    assert order.promise is not None
    start = order.promise.slot[-5:]
    said = f"{start} to {start[:2]}:45"
    work = f"/pos/work/{trade.at_malmo.code}"
    [row] = await trade.db.rows("SELECT id FROM fulfilment")
    for path in ("/admin/fulfilments", work, f"{work}/{row['id']}", f"{work}/{row['id']}/slip"):
        assert said in text_of((await api.get(path)).text), path
    for path in (f"/admin/orders/{order.id}", f"/admin/orders/{order.id}/panel"):
        page = text_of((await api.get(path)).text)
        assert f"{start}–{start[:2]}:45" in page, path
        assert "The delivery time is theirs" in page
        assert "delivery." not in page, "what happened has a name"


async def test_staff_see_how_full_each_time_is(api: httpx.AsyncClient, shop) -> None:
    slots = "09:00-11:00: 3\n17:00-19:00"
    await api.post(
        "/admin/delivery/new",
        data=COURIER | {"kind": "same_day", "code": "bike", "zones": "* | * | 0", "slots": slots},
    )
    [method] = await store.all_methods(shop.db)
    here = f"/admin/delivery/{method.id}"
    assert "Every time is free" in text_of((await api.get(here)).text)
    places = [shop.trade.at_malmo, shop.trade.at_lund]
    today = datetime.now(ZoneInfo(places[0].time_zone)).date()
    wanted = [
        (places[0].id, 0, "17:00", 2), (places[0].id, 1, "09:00", 3), (places[1].id, 2, "09:00", 1),
        (places[0].id, 2, "12:00", 4), (places[0].id, -1, "09:00", 7), (places[0].id, 5, "09:00", 8),
        (places[1].id, 1, "17:00", 0),
    ]  # fmt: skip
    for place, more, start, taken in wanted:
        await shop.db.rows(
            "INSERT INTO delivery_slot (method, day, location, start, orders) VALUES ($1, $2, $3, $4, $5) RETURNING 1",
            method.id, today + timedelta(days=more), place, start, taken,
        )  # fmt: skip
    page = (await api.get(here)).text
    card = page[page.index('id="taken"') :]
    rows = [" ".join(text_of(row).split()) for row in re.findall(r"<tr><td.*?</tr>", card, re.DOTALL)]
    third = day_words(today + timedelta(days=2), None, "en", shop.trade.web.country)
    assert [row.removeprefix(places[0].name).removeprefix(places[1].name).strip() for row in rows] == [
        "Today 17:00–19:00 2",
        "Tomorrow 09:00–11:00 Full 3 of 3",
        f"{third} 09:00–11:00 1 of 3",
        f"{third} 12:00 Not offered any more 4",
    ]
    assert rows[2].startswith(places[1].name)
    href = re.search(r'href="(/admin/fulfilments\?location=[^"]+)"', card)[1].replace("&amp;", "&")
    assert (await api.get(href)).status_code == 200
    found = await store.slot_loads(
        shop.db, method.id, datetime.now(UTC), days=3, most=2, locations={places[1].id, places[0].id}
    )
    assert len(found) == 2
    found = await store.slot_loads(
        shop.db, method.id, datetime.now(UTC), days=3, most=9, locations={places[1].id}
    )
    assert [each.orders for each in found] == [1], "who deals with one store sees that one"


async def test_how_a_location_works(api: httpx.AsyncClient, shop) -> None:
    place = shop.trade.at_malmo
    here = f"/admin/delivery/locations/{place.id}"
    saved = await api.post(
        here, data={"version": "0", "capacity": "40", "capacity_unit": "units", "pick_minutes": "20"}
    )
    assert saved.status_code == 303, saved.text
    workday = await store.workday(shop.db, place.id)
    assert (workday.capacity, workday.capacity_unit, workday.pick_minutes, workday.pack_minutes) == (
        40,
        "units",
        20,
        None,
    )
    assert "40 units" in (await api.get("/admin/delivery")).text
    assert (await api.post(here, data={"version": "0", "capacity": "5"})).status_code == 412
    assert (await api.post(here, data={"version": "1", "capacity": "many"})).status_code == 422


async def test_methods_are_searched_by_name_and_code(api: httpx.AsyncClient, shop) -> None:
    for code, name in (("courier", "Bike courier"), ("post", "By post")):
        body = {
            "channel": "web", "code": code, "kind": "ship", "name": name, "names": {"sv": f"{name} på svenska"},
            "rate": {"kind": "flat", "price": 4_900}, "zones": [{"countries": ["SE"]}],
        }  # fmt: skip
        made = await api.post("/api/delivery-methods", json=body)
        assert made.status_code == 201, made.text
    for words, wanted in (
        ("BIKE", {"courier"}),
        ("ost", {"post"}),
        ("på svenska", {"courier", "post"}),
        ("none", set()),
    ):
        found = (await api.get("/api/delivery-methods", params={"q": words})).json()["items"]
        assert {each["code"] for each in found} == wanted
        page = (await api.get("/admin/delivery", params={"q": words})).text
        assert {code for code in ("courier", "post") if f'class="sub">{code}<' in page} == wanted
    assert "Nothing fits" in page
    file = (await api.get("/api/delivery-methods", params={"q": "bike", "format": "csv"})).text
    assert "courier" in file
    assert "By post" not in file
