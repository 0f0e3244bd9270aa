"""Offers in the shop, without a script: a link from an advertisement, codes, gifts, an offer that ends."""

from typing import Any

import httpx
import msgspec
from market import Market, hidden, put_in, text_of

from samlad.promotions import service
from samlad.promotions.model import LinkInput, Promotion, PromotionChange, PromotionInput

PERCENT = {"kind": "percent", "percent": 1_000}


async def promotion(market: Market, effect: dict[str, Any] = PERCENT, **fields: Any) -> Promotion:
    values = {
        "channel": str(market.web.id),
        "name": "Kettle week",
        "is_automatic": False,
        "terms": {"effect": effect},
    }
    data = msgspec.convert(values | fields, PromotionInput)
    return await market.db.transaction(lambda tx: service.create(tx, data))


async def test_a_link_is_followed_and_the_offer_comes_along(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(title="Kettle", handle="kettle", price=9_900, stock=(5,))).variants[0]
    offer = await promotion(market)
    link = await market.db.transaction(
        lambda tx: service.make_link(tx, offer.id, LinkInput(leads_to="/p/kettle"))
    )
    assert (await guest.get("/o/nothing-here")).status_code == 404
    followed = await guest.get(f"/o/{link.token}")
    assert (followed.status_code, followed.headers["location"]) == (303, "/p/kettle")
    assert "“Kettle week” is yours until it ends." in (await guest.get("/p/kettle")).text
    await put_in(guest, kettle.id, 2)
    cart = text_of((await guest.get("/cart")).text)
    assert "Kettle week" in cart
    assert "178.20" in cart

    change = PromotionChange(status="ended")  # type: ignore[arg-type]
    await market.db.transaction(lambda tx: service.change(tx, offer.id, change))
    told = text_of((await guest.get("/cart")).text)
    assert "1 offer takes off less than you saw" in told
    assert "It has ended." in told
    assert (await guest.post("/checkout/start")).headers["location"] == "/cart"
    await guest.post("/cart/prices")
    assert (await guest.post("/checkout/start")).headers["location"] == "/checkout"
    late = await guest.get(f"/o/{link.token}")
    assert late.headers["location"] == "/p/kettle"
    assert "It has ended." in (await guest.get("/p/kettle")).text


async def test_a_code_is_typed_used_and_taken_out(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(title="Kettle", price=9_900, stock=(5,))).variants[0]
    await promotion(market, codes=["WINTER"])
    await put_in(guest, kettle.id)
    wrong = await guest.post("/cart/codes", data={"code": "summer"})
    assert wrong.status_code == 422
    assert "There is no such code." in text_of(wrong.text)
    assert 'value="summer"' in wrong.text
    await guest.post("/cart/codes", data={"code": " winter "})
    assert "Kettle week" in text_of((await guest.get("/cart")).text)
    await guest.post("/cart/codes/remove", data={"code": "WINTER"})
    assert "Kettle week" not in text_of((await guest.get("/cart")).text)
    piece = await guest.post("/cart/codes", data={"code": "WINTER"}, headers={"hx-request": "true"})
    assert '<div id="basket"' in piece.text
    assert (await guest.post("/checkout/start")).headers["location"] == "/checkout"
    page = await guest.get("/checkout")
    assert hidden(page.text, "total") == str(8_910 + 4_900)
    form = {
        "email": "kim@example.com", "name": "Kim Berg", "delivery": "ship", "line1": "Storgatan 1",
        "postal_code": "111 22", "city": "Stockholm", "country": "SE", "token": "ok",
        "cart": hidden(page.text, "cart"), "total": hidden(page.text, "total"),
    }  # fmt: skip
    bought = await guest.post("/checkout", data=form)
    done = text_of((await guest.get(bought.headers["location"])).text)
    assert "Kettle week" in done


async def test_a_gift_is_put_in_with_one_press(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(title="Kettle", sku="KTL", price=9_900, stock=(5,))).variants[0]
    spoon = (await market.product(title="Spoon", sku="SPN", price=900, stock=(5,))).variants[0]
    await promotion(market, {"kind": "gift", "variant": str(spoon.id)}, is_automatic=True, name="A spoon")
    await put_in(guest, kettle.id)
    assert "Spoon is free with what is in your cart." in text_of((await guest.get("/cart")).text)
    await guest.post("/cart/lines", data={"variant": str(spoon.id), "quantity": "1", "back": "cart"})
    cart = text_of((await guest.get("/cart")).text)
    assert "is free with" not in cart
    assert "A spoon" in cart
