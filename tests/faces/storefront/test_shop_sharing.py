"""The cart of the shop between devices: handed over, shared, put together and apart, saved, quoted."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from market import Market, hidden, text_of

from samlad import carts
from samlad.carts import LineInput, QuoteInput, QuoteLine
from samlad.kernel.clock import now
from samlad.kernel.context import GUEST

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


async def goods(market: Market) -> tuple[UUID, UUID]:
    kettle = await market.product(title="Kettle", sku="KTL", handle="kettle", stock=(5, 5))
    mug = await market.product(title="Mug", sku="MUG", handle="mug", stock=(5, 5))
    return kettle.variants[0].id, mug.variants[0].id


def cart_of(browser: httpx.AsyncClient) -> UUID:
    return UUID(browser.cookies["cart"].partition(".")[0])


async def test_a_code_opens_the_cart_elsewhere_and_both_are_in_it(
    guest: httpx.AsyncClient, market: Market, api_as: ApiAs
) -> None:
    kettle, mug = await goods(market)
    await guest.post("/cart/lines", data={"variant": str(kettle), "quantity": "2"})
    shared = await guest.post("/cart/share")
    assert "no-store" in shared.headers["cache-control"]
    assert "<svg" in shared.text
    code = re.search(r"(\d{3} \d{3})</output>", shared.text)
    link = re.search(r"/cart/continue/[A-Za-z0-9_-]{43}", shared.text)
    assert code
    assert link
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as phone:
        await phone.post("/cart/lines", data={"variant": str(mug)})
        own = cart_of(phone)
        assert "Somebody shares their cart" in (await phone.get(link[0])).text, "a look takes nothing"
        wrong = await phone.post("/cart/continue", data={"code": "12 34"})
        assert wrong.status_code == 422
        joined = await phone.post("/cart/continue", data={"code": code[1]})
        assert (joined.status_code, joined.headers["location"]) == (303, "/cart")
        assert cart_of(phone) == cart_of(guest)
        again = await phone.post("/cart/continue", data={"secret": link[0].rsplit("/", 1)[1]})
        assert "not good any more" in text_of(again.text)

        page = text_of((await phone.get("/cart")).text)
        assert "You have another cart here with 1 piece" in page
        added = await phone.post("/cart/before/add")
        assert added.headers["location"] == "/cart"
        both = (await guest.get("/cart")).text
        assert "Mug" in both
        page = (await phone.get("/cart")).text
        undo = re.search(r"/cart/merges/[0-9a-f-]{36}/undo", page)
        assert undo
        await phone.post(undo[0])
        assert "Mug" not in (await guest.get("/cart")).text
        assert "another cart here with 1 piece" in text_of((await phone.get("/cart")).text)
        await phone.post("/cart/before/back")
        assert cart_of(phone) == own
        await phone.post("/cart/before/back")
        assert cart_of(phone) == cart_of(guest)

        devices = (await guest.get("/cart/share")).text
        out = re.findall(r"/cart/devices/[0-9a-f-]{36}/remove", devices)
        assert "Opened by code" in devices
        for path in out:
            await guest.post(path)
        assert "Your cart is empty" in (await phone.get("/cart")).text


async def test_ones_own_code_typed_where_the_cart_is_changes_nothing(
    guest: httpx.AsyncClient, market: Market
) -> None:
    kettle, mug = await goods(market)
    for variant in (kettle, mug):
        await guest.post("/cart/lines", data={"variant": str(variant)})
    save = re.search(r"/cart/lines/[0-9a-f-]{36}/save", (await guest.get("/cart")).text)
    assert save
    await guest.post(save[0])
    before = guest.cookies["cart"]
    code = re.search(r"(\d{3} \d{3})</output>", (await guest.post("/cart/share")).text)
    assert code
    assert (await guest.post("/cart/continue", data={"code": code[1]})).headers["location"] == "/cart"
    assert guest.cookies["cart"] == before
    assert "Saved for later" in (await guest.get("/cart")).text
    assert "Open on other devices" not in (await guest.get("/cart/share")).text


async def test_the_page_listens_by_a_key_that_opens_nothing(guest: httpx.AsyncClient, market: Market) -> None:
    kettle, _ = await goods(market)
    assert "data-cart-live" not in (await guest.get("/")).text
    await guest.post("/cart/lines", data={"variant": str(kettle)})
    for path in ("/", "/cart"):
        page = (await guest.get(path)).text
        assert f"/live?topic=cart:{cart_of(guest)}." in page
        assert guest.cookies["cart"].split(".")[1] not in page
    assert "1 piece" in text_of((await guest.get("/cart/count")).text)


async def test_saved_for_later_notes_and_what_the_store_added(
    guest: httpx.AsyncClient, market: Market
) -> None:
    kettle, mug = await goods(market)
    await guest.post("/cart/lines", data={"variant": str(kettle)})
    cart = cart_of(guest)
    added = await market.db.transaction(lambda tx: carts.add_line(tx, cart, LineInput(variant=mug)))
    await market.db.rows(
        "UPDATE cart_line SET added_by = 'staff' WHERE id = $1 RETURNING 1", added.lines[1].id
    )
    page = (await guest.get("/cart")).text
    assert text_of(page).count("Added by the store") == 1
    line = added.lines[0].id
    noted = await guest.post(
        f"/cart/lines/{line}/note", data={"gift_note": "For <Lo>"}, headers={"hx-request": "true"}
    )
    assert "For &lt;Lo&gt;" in noted.text
    await guest.post("/cart/note", data={"gift_note": "Happy birthday"})
    assert "Happy birthday" in (await guest.get("/cart")).text
    saved = await guest.post(f"/cart/lines/{line}/save", headers={"hx-request": "true"})
    assert "Saved for later" in saved.text
    back = re.search(r"/cart/lines/([0-9a-f-]{36})/save", saved.text.split("Saved for later")[1])
    listed = re.search(r'name="from" value="([0-9a-f-]{36})"', saved.text)
    assert back
    assert listed
    page = (await guest.post(back[0], data={"from": listed[1]}, headers={"hx-request": "true"})).text
    assert "Saved for later" not in page
    assert "For &lt;Lo&gt;" in page
    line = await market.db.value("SELECT id FROM cart_line WHERE cart = $1 AND variant = $2", cart, kettle)
    await guest.post(f"/cart/lines/{line}", data={"quantity": "99"}, headers={"hx-request": "true"})
    many = text_of((await guest.post(f"/cart/lines/{line}/save", headers={"hx-request": "true"})).text)
    assert "Only 10 are left" in many.split("Saved for later")[1], "less than was saved is not nothing"
    assert "Not to be had" not in many


async def test_what_was_saved_is_there_after_the_cart_was_ordered(
    guest: httpx.AsyncClient, market: Market
) -> None:
    for variant in await goods(market):
        await guest.post("/cart/lines", data={"variant": str(variant)})
    ordered = cart_of(guest)
    save = re.search(r"/cart/lines/[0-9a-f-]{36}/save", (await guest.get("/cart")).text)
    assert save
    await guest.post(save[0])
    await market.db.rows("UPDATE cart SET status = 'abandoned' WHERE id = $1 RETURNING 1", ordered)
    page = (await guest.get("/cart")).text
    assert "Your cart is empty" in page
    back = re.search(r"/cart/lines/[0-9a-f-]{36}/save", page)
    assert back
    await guest.post(back[0], data={"from": hidden(page, "from")})
    page = (await guest.get("/cart")).text
    assert "1 piece" in text_of(page)
    assert "Saved for later" not in page
    assert cart_of(guest) != ordered


async def test_codes_that_are_tried_out_are_stopped_at_the_field(
    guest: httpx.AsyncClient, market: Market
) -> None:
    for tried in range(10):
        wrong = await guest.post("/cart/continue", data={"code": f"00 00 0{tried}"})
        assert (wrong.status_code, "not good any more" in text_of(wrong.text)) == (422, True)
    stopped = await guest.post("/cart/continue", data={"code": "123 456"})
    assert stopped.status_code == 429
    assert int(stopped.headers["retry-after"]) > 0
    assert re.search('id="[a-z-]*code-error"', stopped.text)
    assert "That was too often" in text_of(stopped.text)
    assert 'value="123 456"' in stopped.text, "what was typed stays"


async def quote(market: Market, variant: UUID) -> carts.NewCart:
    data = QuoteInput(
        channel=market.web.id,
        lines=[QuoteLine(variant=variant, quantity=3, unit_price=5_000)],
        until=now() + timedelta(days=7),
    )
    return await market.db.transaction(lambda tx: carts.quote(tx, data))


async def test_a_quote_is_looked_at_and_taken(guest: httpx.AsyncClient, market: Market) -> None:
    kettle, mug = await goods(market)
    made = await quote(market, kettle)
    path = f"/quote/{made.id}/{made.token}"
    page = await guest.get(path)
    assert "These prices stand until" in page.text
    assert (await guest.get(f"/quote/{made.id}/{'x' * 43}")).status_code == 404
    await guest.post("/cart/lines", data={"variant": str(mug)})
    await guest.post(path)
    page = text_of((await guest.get("/cart")).text)
    assert "Quoted price" in page
    assert "You have another cart here with 1 piece" in page
    started: Any = await guest.post("/checkout/start")
    assert started.headers["location"] == "/checkout"


async def test_a_cart_that_does_not_fit_into_the_other_is_not_lost(
    guest: httpx.AsyncClient, market: Market
) -> None:
    kettle, mug = await goods(market)
    made = await quote(market, kettle)
    await guest.post("/cart/lines", data={"variant": str(mug)})
    own = cart_of(guest)
    await guest.post(f"/quote/{made.id}/{made.token}")
    await market.db.rows("UPDATE cart SET currency = 'EUR' WHERE id = $1 RETURNING 1", own)
    await guest.post("/cart/before/add")
    page = text_of((await guest.get("/cart")).text)
    assert "That could not be put into this cart." in page
    assert "You have another cart here with 1 piece" in page
    await guest.post("/cart/before/back")
    assert cart_of(guest) == own


async def test_an_expired_quote_says_so(guest: httpx.AsyncClient, market: Market) -> None:
    kettle, _ = await goods(market)
    made = await quote(market, kettle)
    await market.db.rows("UPDATE cart SET quoted_until = now() - interval '1 day' RETURNING 1")
    await market.db.rows("UPDATE cart_line SET price_until = now() - interval '1 day' RETURNING 1")
    path = f"/quote/{made.id}/{made.token}"
    assert "This quote has expired" in (await guest.get(path)).text
    assert (await guest.post(path)).headers["location"] == path


async def test_a_quote_that_was_taken_does_not_say_its_prices_stand_when_they_do_not(
    guest: httpx.AsyncClient, market: Market
) -> None:
    kettle, _ = await goods(market)
    made = await quote(market, kettle)
    path = f"/quote/{made.id}/{made.token}"
    await guest.post(path)
    assert "These prices stand until" in (await guest.get(path)).text
    await market.db.rows("UPDATE cart SET quoted_until = now() - interval '1 day' RETURNING 1")
    await market.db.rows("UPDATE cart_line SET price_until = now() - interval '1 day' RETURNING 1")
    page = (await guest.get(path)).text
    assert "This quote has expired" in page
    assert "Put it into my cart" in page, "it is a cart, and stays one"
    assert (await guest.post(path)).headers["location"] == "/cart"
    assert "1 price has changed" in text_of((await guest.get("/cart")).text)
