"""From the cart to the order, without a script: every door that somebody could slip through is tried."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from market import Market, hidden, put_in, text_of

import horizon
from samlad import carts, channels, orders, stock
from samlad.carts import CartInput, LineInput
from samlad.channels import ChannelChange
from samlad.kernel import followers
from samlad.kernel.ids import new_id
from samlad.orders import PlaceOrder
from samlad.payments import PaymentInput
from samlad.tracking import own

WHO = {
    "email": "kim@example.com", "name": "Kim Berg", "delivery": "ship", "line1": "Storgatan 1",
    "postal_code": "111 22", "city": "Stockholm", "country": "SE", "token": "ok",
}  # fmt: skip


async def at_checkout(guest: httpx.AsyncClient) -> dict[str, str]:
    """Go from the cart to the checkout; the form as it is sent."""
    started = await guest.post("/checkout/start")
    assert started.headers["location"] == "/checkout", text_of((await guest.get("/cart")).text)
    html = (await guest.get("/checkout")).text
    return WHO | {"cart": hidden(html, "cart"), "total": hidden(html, "total")}


async def test_the_whole_way_without_a_script(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(title="Kettle", sku="KTL", price=9900, stock=(2,))).variants[0]
    added = await put_in(guest, kettle.id, 2)
    assert (added.status_code, added.headers["location"]) == (303, "/cart")
    cart = text_of((await guest.get("/cart")).text)
    assert "Kettle is in the cart." in cart
    assert "2 pieces" in cart
    form = await at_checkout(guest)
    assert await market.available(kettle.id) == 0  # held from here on
    page = text_of((await guest.get("/checkout")).text)
    assert "Reserved for you for" in page
    assert "Test mode: no money moves" in page
    assert int(form["total"]) == 2 * 9900 + 4900
    bought = await guest.post("/checkout", data=form)
    assert bought.status_code == 303, text_of(bought.text)
    done = await guest.get(bought.headers["location"])
    text = text_of(done.text)
    assert "Thank you, the order is placed" in text
    assert "Kim Berg" in text
    assert "Storgatan 1" in text
    (order,) = await market.orders()
    assert (order["status"], order["total"]) == ("paid", 24700)
    assert (await guest.get("/cart")).text.count("Your cart is empty") == 1


async def test_cart_and_checkout_name_goods_in_the_language_of_the_page(
    guest: httpx.AsyncClient, market: Market
) -> None:
    """The shop speaks Swedish, this reader English: a product page and the cart say the same name."""
    made = await market.product(
        title="Förkläde",
        stock=(5,),
        options=[{"name": "Storlek", "values": ["Liten"]}],
        variants=[{"sku": "F-L", "options": {"Storlek": "Liten"}}],
        translations={"en": {"title": "Apron", "options": {"Liten": "Small"}}},
    )
    await put_in(guest, made.variants[0].id)
    cart = text_of((await guest.get("/cart")).text)
    assert "Apron is in the cart." in cart
    assert "Apron Small" in cart
    assert "What delivery costs is said in the checkout." in cart
    form = await at_checkout(guest)
    assert "Apron Small" in text_of((await guest.get("/checkout")).text)
    assert "Förkläde" not in cart
    bought = await guest.post("/checkout", data=form)
    assert bought.status_code == 303, bought.text
    page = text_of((await guest.get(bought.headers["location"])).text)
    assert "Apron" in page
    assert "Förkläde" not in page, "so does the page of the order"


async def test_the_whole_way_is_told_in_segments_words_and_a_search_is_not(
    guest: httpx.AsyncClient, market: Market
) -> None:
    """What pages tell as they are looked at, and what the log has: through one door, of one visitor."""
    kettle = (
        await market.product(title="Kettle", sku="KTL", handle="ktl", category="kok", stock=(2,))
    ).variants[0]
    await guest.get("/c/kok")  # of who has no cart nothing is told
    await put_in(guest, kettle.id, 1)
    for path in ("/c/kok", "/c/kok?brand=Gense", "/search?q=kettle", "/p/ktl", "/cart"):
        assert (await guest.get(path)).status_code == 200, path
    bought = await guest.post("/checkout", data=await at_checkout(guest))
    assert bought.status_code == 303, text_of(bought.text)
    (placed,) = await market.orders()
    await market.db.transaction(lambda tx: orders.cancel(tx, placed["id"], orders.CancelInput(reason="x")))
    await followers.register(market.db, own.FOLLOWERS)
    await horizon.passed(market.db)
    while await followers.step(market.db, own.FOLLOWERS[0]):
        pass
    expected = {
        "Product Added", "Product List Viewed", "Product List Filtered", "Product Viewed", "Cart Viewed", "Checkout Started",
        "Checkout Step Viewed", "Checkout Step Completed", "Order Completed", "Order Cancelled",
    }  # fmt: skip
    told: set[str] = set()
    for _ in range(600):
        rows = await market.db.rows(
            "SELECT name, anonymous_id, payload -> 'properties' AS said FROM tracked_event"
        )
        told = {row["name"] for row in rows}
        if told >= expected:
            break
        await asyncio.sleep(0.1)
    assert told == expected
    assert len({row["anonymous_id"] for row in rows} - {None}) == 1
    said = {row["name"]: row["said"] for row in rows}
    assert said["Product List Filtered"]["filters"] == [{"type": "brand", "value": "Gense"}]
    assert said["Product List Viewed"]["products"][0]["position"] == 1
    assert said["Cart Viewed"]["products"] == [
        {"product_id": str(kettle.id), "sku": "KTL", "quantity": 1, "price": 99}
    ]
    assert said["Order Completed"]["order_id"] == said["Order Cancelled"]["order_id"] == placed["number"]


async def test_what_is_weighed_is_priced_by_the_kilogram_and_chosen_in_grams(
    guest: httpx.AsyncClient, market: Market
) -> None:
    product = await market.product(
        title="Cheese", price=19_900, stock=(2_000,), variants=[{"sku": "CHS", "sold_by": "weight"}]
    )
    cheese = product.variants[0]
    html = (await guest.get(f"/p/{product.handle}")).text
    assert "/kg" in text_of(html)
    assert "In stock" in text_of(html)
    assert 'value="100" min="1" max="2000" step="1" data-by="100"' in html
    await put_in(guest, cheese.id, 250)
    page = (await guest.get("/cart")).text
    assert "/kg · 0.250 kg" in text_of(page)
    assert "49.75" in text_of(page)
    assert 'aria-label="Pieces of Cheese (g)"' in page
    form = await at_checkout(guest)
    assert "× 0.250 kg" in text_of((await guest.get("/checkout")).text)
    bought = await guest.post("/checkout", data=form)
    assert "× 0.250 kg" in text_of((await guest.get(bought.headers["location"])).text)


async def test_pressing_twice_or_at_once_makes_one_order(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(stock=(9,))).variants[0]
    await put_in(guest, kettle.id)
    form = await at_checkout(guest)
    answers = await asyncio.gather(*(guest.post("/checkout", data=form) for _ in range(4)))
    answers.append(await guest.post("/checkout", data=form))
    assert [a.status_code for a in answers] == [303] * 5
    (order,) = await market.orders()
    for answer in answers:
        assert f"Its number is {order['number']}." in (await guest.get(answer.headers["location"])).text
    assert await market.available(kettle.id) == 8


async def test_the_form_of_an_old_cart_buys_nothing(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(stock=(9,))).variants[0]
    await put_in(guest, kettle.id)
    form = await at_checkout(guest)
    stale = await guest.post("/checkout", data=form | {"cart": str(uuid4())})
    assert stale.headers["location"] == "/cart"
    assert "older than your cart" in text_of((await guest.get("/cart")).text)
    assert await market.orders() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": "kim"}, "f-email-error"),
        ({"email": ""}, "f-email-error"),
        ({"name": " "}, "f-name-error"),
        ({"line1": ""}, "f-line1-error"),
        ({"city": ""}, "f-city-error"),
        ({"postal_code": "1"}, "f-postal_code-error"),
        ({"country": "XX"}, "f-country-error"),
        ({"country": "US", "postal_code": "90210"}, "f-region-error"),
        ({"delivery": "pickup"}, "f-location-error"),
        ({"delivery": "pickup", "location": "nonsense"}, "f-location-error"),
        ({"delivery": "pickup", "location": "01a20189-6f9a-7000-88b6-9b5c7d637995"}, "f-location-error"),
        ({"name": "x" * 5000}, "f-name-error"),
        ({"phone": "y" * 5000}, "f-phone-error"),
    ],
)
async def test_a_fault_is_told_at_its_field_and_nothing_typed_is_lost(
    guest: httpx.AsyncClient, market: Market, wrong: dict[str, str], said: str
) -> None:
    kettle = (await market.product(stock=(9,))).variants[0]
    await put_in(guest, kettle.id)
    answer = await guest.post("/checkout", data=await at_checkout(guest) | wrong)
    assert answer.status_code == 422, text_of(answer.text)
    assert f'id="{said}"' in answer.text, text_of(answer.text)
    kept = wrong.get("name", "Kim Berg")
    assert f'value="{kept}"' in answer.text
    assert await market.orders() == []


async def test_a_declined_card_keeps_the_goods_and_the_form(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(stock=(1,))).variants[0]
    await put_in(guest, kettle.id)
    form = await at_checkout(guest)
    form |= {"token": "decline"}
    answer = await guest.post("/checkout", data=form)
    assert answer.status_code == 422
    assert "The card was declined" in text_of(answer.text)
    assert await market.available(kettle.id) == 0
    paid = await guest.post("/checkout", data=form | {"token": "ok"})
    assert paid.status_code == 303
    assert len(await market.orders()) == 1


async def test_pick_up_takes_the_goods_in_that_store(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(price=10_000, stock=(3, 1))).variants[0]
    await put_in(guest, kettle.id)
    haga = market.places[1]
    pickup = {"delivery": "pickup", "location": str(haga.id), "line1": "", "city": "", "postal_code": ""}
    form = await at_checkout(guest) | pickup
    sent = await guest.post("/checkout", data=form)
    # Without delivery the sum is another one than the page showed: nobody pays what they did not see.
    assert sent.status_code == 409
    assert "The total has changed" in text_of(sent.text)
    bought = await guest.post("/checkout", data=form | {"total": hidden(sent.text, "total")})
    assert bought.status_code == 303, text_of(bought.text)
    assert (await market.orders())[0]["total"] == 10_000
    text = text_of((await guest.get(bought.headers["location"])).text)
    assert "put it aside for you in Hemma Haga" in text
    levels = {level.location: level.available for level in await stock.levels_of(market.db, [kettle.id])}
    assert levels == {market.places[0].id: 3, haga.id: 0}


async def test_a_store_that_has_it_no_more_is_told_at_the_store(
    guest: httpx.AsyncClient, market: Market
) -> None:
    kettle = (await market.product(price=10_000, stock=(3, 0))).variants[0]
    await put_in(guest, kettle.id)
    form = await at_checkout(guest)
    assert "Hemma Haga, Göteborg (does not have everything)" in text_of((await guest.get("/checkout")).text)
    pickup = {"delivery": "pickup", "location": str(market.places[1].id)}
    answer = await guest.post("/checkout", data=form | pickup)
    assert answer.status_code in (409, 422)
    assert 'id="f-location-error"' in answer.text
    assert await market.orders() == []


async def test_sold_out_on_the_way_is_told_and_can_be_put_right(
    guest: httpx.AsyncClient, market: Market
) -> None:
    kettle = (await market.product(title="Kettle", stock=(3,))).variants[0]
    await put_in(guest, kettle.id, 3)
    await _somebody_else_buys(market, kettle.id, 2)
    page = (await guest.get("/cart")).text
    assert "Only 1 is left" in text_of(page)
    started = await guest.post("/checkout/start")
    assert started.headers["location"] == "/cart"
    line = page.split('action="/cart/lines/')[1].split('"')[0]
    await guest.post(f"/cart/lines/{line}", data={"quantity": "1"})
    form = await at_checkout(guest)
    await _expire(market, form["cart"])
    await _somebody_else_buys(market, kettle.id, 1)
    late = await guest.post("/checkout", data=form)
    assert late.headers["location"] == "/cart"
    text = text_of((await guest.get("/cart")).text)
    assert "Somebody was quicker" in text
    assert "Sold out" in text
    assert [o["total"] for o in await market.orders()] == [2 * 9900, 9900]


async def test_a_price_that_moved_is_shown_before_anybody_pays_it(
    guest: httpx.AsyncClient, market: Market
) -> None:
    kettle = (await market.product(sku="KTL", price=9900, stock=(3,))).variants[0]
    await put_in(guest, kettle.id)
    await market.reprice("KTL", 12_900)
    page = text_of((await guest.get("/cart")).text)
    assert "1 price has changed since you put this in" in page
    assert (await guest.post("/checkout/start")).headers["location"] == "/cart"
    assert (await guest.post("/cart/prices")).status_code == 303
    form = await at_checkout(guest)
    assert form["total"] == str(12_900 + 4900)
    await market.reprice("KTL", 19_900)  # while the checkout runs, its prices stand
    bought = await guest.post("/checkout", data=form)
    assert bought.status_code == 303
    assert (await market.orders())[0]["total"] == 17_800


async def test_taken_out_can_be_put_back(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(title="Kettle", stock=(3,))).variants[0]
    await put_in(guest, kettle.id, 2)
    line = (await guest.get("/cart")).text.split('action="/cart/lines/')[1].split('"')[0]
    taken = await guest.post(f"/cart/lines/{line}", data={"quantity": "0"})
    assert taken.status_code == 303
    html = (await guest.get("/cart")).text
    assert "Kettle is out of the cart" in text_of(html)
    back = await guest.post(
        "/cart/lines",
        data={"variant": hidden(html, "variant"), "quantity": hidden(html, "quantity"), "back": "cart"},
    )
    assert back.status_code == 303
    assert "2 pieces" in text_of((await guest.get("/cart")).text)
    assert "is out of the cart" not in (await guest.get("/cart")).text


async def test_what_a_till_has_open_is_not_bought_by_the_page_that_was_open_before(
    guest: httpx.AsyncClient, market: Market
) -> None:
    kettle = (await market.product(title="Kettle", stock=(3, 3))).variants[0]
    await put_in(guest, kettle.id)
    form = await at_checkout(guest)
    await market.db.transaction(lambda tx: carts.bring(tx, UUID(form["cart"]), market.stores[0].id))
    assert (await guest.get("/checkout")).headers["location"] == "/cart"
    for path in ("/checkout/look", "/checkout"):
        assert (await guest.post(path, data=form)).headers["location"] == "/cart", path
    assert await market.orders() == []
    (ticket,) = await market.db.rows("SELECT channel, delivery, email FROM cart")
    assert tuple(ticket) == (market.stores[0].id, "carry_out", None), "the clerk's ticket is as it was"
    assert "Hemma Soder has your cart open" in text_of((await guest.get("/cart")).text)
    assert await at_checkout(guest) == form, "and the buyer goes on with it here"


async def test_more_than_can_be_put_aside_is_refused_in_words_and_an_empty_field_says_nothing(
    guest: httpx.AsyncClient, market: Market
) -> None:
    kettle = (await market.product(title="Kettle", stock=(3,))).variants[0]
    holds = ChannelChange(settings={"hold_policy": "cart"})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, holds))
    await put_in(guest, kettle.id, 2)
    line = (await guest.get("/cart")).text.split('action="/cart/lines/')[1].split('"')[0]
    script = {"hx-request": "true"}
    more = await guest.post(f"/cart/lines/{line}", data={"quantity": "4"}, headers=script)
    assert "not so many left" in more.headers["hx-trigger"]
    assert "2 pieces" in text_of(more.text)
    await guest.post(f"/cart/lines/{line}", data={"quantity": "4"})
    assert "There are not so many left" in text_of((await guest.get("/cart")).text)
    empty = await guest.post(f"/cart/lines/{line}", data={"quantity": ""}, headers=script)
    assert "2 pieces" in text_of(empty.text)


@pytest.mark.parametrize(
    "sent",
    [
        {}, {"variant": "x"}, {"variant": str(new_id())}, {"variant": "\x00"}, {"variant": str(new_id()), "quantity": "1e9"},
        {"quantity": "1"}, {"variant": str(new_id()), "quantity": "-1"}, {"variant": str(new_id()), "quantity": "9" * 30},
    ],
)  # fmt: skip
async def test_nonsense_in_forms_is_answered_and_not_an_error(
    guest: httpx.AsyncClient, market: Market, sent: dict[str, str]
) -> None:
    for path in (
        "/cart/lines",
        f"/cart/lines/{new_id()}",
        "/checkout",
        "/checkout/look",
        "/checkout/start",
        "/cart/prices",
    ):
        answer = await guest.post(path, data=sent)
        assert answer.status_code < 500, (path, sent)
    assert await market.orders() == []


async def test_nobody_gets_at_another_s_cart_or_order(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(title="Kettle", stock=(3,))).variants[0]
    await put_in(guest, kettle.id)
    cookie = guest.cookies["cart"]
    for forged in (
        "",
        "x",
        cookie[:-50] + "A" * 43 + ".1",
        cookie.split(".")[0],
        "0" * 32 + cookie[32:],
        cookie + "9" * 40,
    ):
        guest.cookies.set("cart", forged)
        assert "Your cart is empty" in (await guest.get("/cart")).text, forged
    for link in ("x", str(new_id()), "a.b", "AAAA.AAAA", "%00", "é"):
        assert (await guest.get(f"/order/{link}")).status_code == 404, link


async def test_a_signed_in_clerk_is_a_guest_in_the_shop(api_as: Any, market: Market) -> None:
    kettle = (await market.product(title="Kettle", stock=(3,))).variants[0]
    async with api_as(accept="text/html") as owner:
        await put_in(owner, kettle.id)
        assert "cart" in owner.cookies
        assert "Kettle" in (await owner.get("/cart")).text


async def test_too_many_tries_to_pay_are_stopped(guest: httpx.AsyncClient, market: Market) -> None:
    statuses = [(await guest.post("/checkout", data={})).status_code for _ in range(42)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:40]


async def _somebody_else_buys(market: Market, variant: Any, quantity: int) -> None:
    async def verb(tx: Any) -> None:
        lines = [LineInput(variant=variant, quantity=quantity)]
        cart = await carts.create(tx, CartInput(channel=market.stores[0].id, lines=lines))
        await orders.place(
            tx, PlaceOrder(cart=cart.id, payments=[PaymentInput(provider="cash", tendered=9_999_900)])
        )

    await market.db.transaction(verb)


async def _expire(market: Market, cart: str) -> None:
    """Let the time of a checkout run out."""
    await market.db.rows(
        "UPDATE cart SET checkout_until = now() - interval '1 minute' WHERE id = $1 RETURNING 1", cart
    )
    await market.db.rows(
        "UPDATE hold SET expires_at = now() - interval '1 minute' WHERE owner = $1 RETURNING 1", cart
    )
