"""Delivery on the pages of the shop: promised days on the product page, methods with prices in the checkout."""

import re

import httpx
from market import Market, hidden, offer


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
    piece = await guest.post("/checkout/sum", data=form | {"delivery": "post"})
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
