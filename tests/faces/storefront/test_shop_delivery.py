"""Delivery on the pages of the shop: promised days on the product page, methods with prices in the checkout."""

import re
from datetime import timedelta

import httpx
import msgspec
from market import Market, bring_in_slots, hidden, offer, text_of

import horizon
from samlad import delivery, orders, stock
from samlad.delivery import MethodInput
from samlad.kernel import followers
from samlad.orders import expected
from samlad.orders.followers import FOLLOWERS


def form_of(page: str) -> dict[str, str]:
    return {"cart": hidden(page, "cart"), "total": hidden(page, "total")}


BUYER = {
    "email": "kim@example.com", "name": "Kim Berg", "line1": "Storgatan 1", "postal_code": "211 34",
    "city": "Malmö", "country": "SE", "token": "ok",
}  # fmt: skip


async def test_the_product_page_promises_and_the_checkout_charges(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await offer(market)
    made = await market.product(price=10_000, stock=(3, 0))
    kettle = made.variants[0]
    page = (await guest.get(f"/p/{made.handle}?postal_code=41101")).text
    for text in ("by Courier", "by Post"):
        assert text in page
    assert re.search(r"<small>[^<]* at Hemma Soder</small>", page), "when it can be fetched there"
    assert 'value="41101"' in page

    await guest.post("/cart/lines", data={"variant": str(kettle.id), "quantity": "1"})
    await guest.post("/checkout/start")
    page = (await guest.get("/checkout")).text
    for text in (
        'value="courier" checked',
        'value="post"',
        'value="collect"',
        "Courier",
        "Pick up",
        "79.00",
        "29.00",
    ):
        assert text in page, text
    form = form_of(page)
    assert form["total"] == "17900"
    piece = await guest.post("/checkout/look", data=form | {"delivery": "post"})
    assert "129.00" in piece.text
    page = (await guest.get("/checkout")).text
    assert 'value="post" checked' in page

    norway = BUYER | {"country": "NO", "postal_code": "0150", "delivery": "courier", "total": "17900"}
    refused = await guest.post("/checkout", data=form_of(page) | norway)
    assert refused.status_code == 422
    assert "does not go to" in refused.text
    page = (await guest.get("/checkout")).text
    bought = await guest.post(
        "/checkout", data=form_of(page) | BUYER | {"delivery": "post", "total": "12900"}
    )
    assert bought.status_code == 303, bought.text
    [order] = await market.orders()
    assert (order["total"], order["delivery"]) == (12_900, "ship")
    kept = await orders.read(market.db, order["id"])
    assert kept.promise is not None
    assert (kept.promise.method, bool(kept.promise.first_day)) == ("post", True)
    assert kept.promise.text in (await guest.get(bought.headers["location"])).text


async def bring_by_bike(market: Market) -> None:
    """Within Stockholm by bike, before all other ways."""
    zone = {"countries": ["SE"], "postal_codes": [{"first": "11", "last": "11"}], "transit_max": 1}
    bike = {"code": "bike", "kind": "ship", "name": "Bike", "position": 0, "zones": [zone]}
    data = msgspec.convert({"channel": "web", "rate": {"kind": "flat", "price": 900}, **bike}, MethodInput)
    await market.db.transaction(lambda tx: delivery.create_method(tx, data))


async def test_a_postal_code_changes_the_ways_and_what_is_charged(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await offer(market)
    await bring_by_bike(market)
    made = await market.product(price=10_000, stock=(3, 0))
    await guest.post("/cart/lines", data={"variant": str(made.variants[0].id), "quantity": "1"})
    await guest.post("/checkout/start")
    page = (await guest.get("/checkout")).text
    near = await guest.post(
        "/checkout/look", data=form_of(page) | BUYER | {"delivery": "bike", "postal_code": "111 22"}
    )
    assert 'value="bike" checked' in near.text
    assert hidden(near.text, "total") == "10900"
    assert "does not go to this address" not in near.text
    far = await guest.post("/checkout/look", data=form_of(near.text) | BUYER | {"delivery": "bike"})
    assert 'value="bike"' not in far.text
    assert "What you had chosen does not go to this address. It is “Courier” now." in far.text
    assert hidden(far.text, "total") == "17900", "what is shown is what is charged"
    bought = await guest.post("/checkout", data=form_of(far.text) | BUYER | {"delivery": "courier"})
    assert bought.status_code == 303, bought.text


async def test_picking_up_by_a_method_takes_the_stock_of_the_store(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await offer(market)
    kettle = (await market.product(price=10_000, stock=(1, 2))).variants[0]
    await guest.post("/cart/lines", data={"variant": str(kettle.id), "quantity": "1"})
    await guest.post("/checkout/start")
    page = (await guest.get("/checkout")).text
    how = {"delivery": "collect", "location": str(market.places[1].id), "total": "10000"}
    bought = await guest.post("/checkout", data=form_of(page) | BUYER | how)
    assert bought.status_code == 303, bought.text
    held = await market.db.rows("SELECT location FROM hold WHERE kind = 'order'")
    assert [row["location"] for row in held] == [market.places[1].id]


async def test_what_was_bought_before_it_is_there_says_its_day_and_another_one(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await offer(market)
    kettle = (await market.product(price=10_000)).variants[0]
    today = await market.db.value("SELECT (now() AT TIME ZONE 'Europe/Stockholm')::date")
    place = market.places[0].id

    async def comes(days: int) -> str:
        day = today + timedelta(days=days)
        await market.db.transaction(
            lambda tx: stock.set_level(tx, place, kettle.id, backorder_limit=5, backorder_on=day)
        )
        return f"{day.day} {day:%b}"

    first_day = await comes(20)
    await guest.post("/cart/lines", data={"variant": str(kettle.id), "quantity": "1"})
    await guest.post("/checkout/start")
    page = (await guest.get("/checkout")).text
    bought = await guest.post(
        "/checkout", data=form_of(page) | BUYER | {"delivery": "post", "total": "12900"}
    )
    assert bought.status_code == 303, bought.text
    [order] = await market.orders()
    await followers.register(market.db, FOLLOWERS)
    for follower in FOLLOWERS:
        await horizon.passed(market.db)
        while await followers.step(market.db, follower):
            await horizon.passed(market.db)
    page = text_of((await guest.get(bought.headers["location"])).text)
    assert f"We expect it on {first_day}" in page
    assert "Promised" in page
    assert "Waits for goods" in page
    assert "Being packed" not in page
    second_day = await comes(30)
    assert await expected.look_again(market.db) == 1
    page = text_of((await guest.get(bought.headers["location"])).text)
    assert f"We expect it on {second_day}" in page
    assert "Promised" not in page, "that was another day"
    assert order["status"] == "paid"


async def test_a_promise_is_said_as_of_today_and_in_the_readers_language(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await offer(market)
    kettle = (await market.product(price=10_000, stock=(3, 0))).variants[0]
    await guest.post("/cart/lines", data={"variant": str(kettle.id), "quantity": "1"})
    await guest.post("/checkout/start")
    page = (await guest.get("/checkout")).text
    bought = await guest.post(
        "/checkout", data=form_of(page) | BUYER | {"delivery": "post", "total": "12900"}
    )
    [order] = await market.orders()
    await market.db.rows(
        """UPDATE orders SET promise = promise || '{"first_day": "2026-03-02", "last_day": "2026-03-03", "text": "Imorgon"}'
           WHERE id = $1 RETURNING 1""",
        order["id"],
    )
    page = text_of((await guest.get(bought.headers["location"])).text)
    assert "Mon 2 Mar to Tue 3 Mar by" in page
    assert "Imorgon" not in page


def times(page: str) -> list[tuple[str, bool, bool]]:
    """The times to choose from: (key, whether it is chosen, whether it is full)."""
    found = re.findall(r'name="slot-bike" value="([^"]+)"( checked)?( disabled)?>', page)
    return [(key, bool(chosen), bool(full)) for key, chosen, full in found]


async def test_a_time_is_chosen_kept_and_said_and_a_full_one_is_refused_with_the_next(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await offer(market)
    await bring_in_slots(market)
    kettle = (await market.product(price=10_000, stock=(0, 5))).variants[0]

    async def to_checkout() -> str:
        await guest.post("/cart/lines", data={"variant": str(kettle.id), "quantity": "1"})
        await guest.post("/checkout/start")
        return (await guest.get("/checkout")).text

    page = await to_checkout()
    assert "Soonest: " in page
    assert "When should we come?" in page
    found = times(page)
    assert [chosen for _, chosen, _ in found].index(True) == 0, "the soonest, before anybody chose"
    assert [chosen for _, chosen, _ in found].count(True) == 1
    key = found[7][0]
    how = BUYER | {"delivery": "bike", "slot-bike": key}
    look = await guest.post("/checkout/look", data=form_of(page) | how)
    assert [each for each, chosen, _ in times(look.text) if chosen] == [key]
    bought = await guest.post("/checkout", data=form_of(look.text) | how)
    assert bought.status_code == 303, bought.text
    [order] = await market.orders()
    kept = (await orders.read(market.db, order["id"])).promise
    assert kept is not None
    assert (kept.slot, kept.slots) == (key, [])
    hours = f"{key[-5:]}–{key[-5:-2]}45"
    assert hours in text_of((await guest.get(bought.headers["location"])).text)

    page = await to_checkout()
    full = {key: is_full for key, _, is_full in times(page)}
    assert full[key]
    assert "Full" in text_of(page)
    page = (await guest.post("/checkout/look", data=form_of(page) | BUYER | {"delivery": "bike"})).text
    late = await guest.post("/checkout", data=form_of(page) | how)
    assert late.status_code == 409
    assert "full or over" in text_of(late.text)
    following = next(key for key, chosen, _ in times(late.text) if chosen)
    assert following != key
    assert len(await market.orders()) == 1
    again = await guest.post("/checkout", data=form_of(late.text) | how | {"slot-bike": following})
    assert again.status_code == 303, again.text
