"""Goods that come again and again, as their buyer sees them: on the product page, in the cart, and afterwards."""

import httpx
import msgspec
import pytest
from browser import Site
from market import Market, hidden, put_in, text_of
from playwright.async_api import expect
from test_shop_buying import WHO

from samlad import subscriptions
from samlad.kernel.ids import new_id
from samlad.subscriptions import Plan, PlanInput


async def coffee_club(market: Market) -> Plan:
    """Every month, 20 % off twice, then 10 %."""
    data = msgspec.convert(
        {
            "code": "monthly",
            "name": "Coffee club",
            "channels": [market.web.code],
            "terms": {"prices": [{"percent_off": 2000}, {"from_order": 3, "percent_off": 1000}]},
        },
        PlanInput,
    )
    return await market.db.transaction(lambda tx: subscriptions.create_plan(tx, data))


async def test_a_plan_is_chosen_on_the_product_page_and_a_subscription_begins(
    guest: httpx.AsyncClient, market: Market
) -> None:
    product = await market.product(title="Coffee", sku="COF", price=10_000, stock=(20,))
    before = (await guest.get(f"/p/{product.handle}")).text
    assert "How often" not in before
    plan = await coffee_club(market)
    page = text_of((await guest.get(f"/p/{product.handle}")).text)
    assert "Coffee club" in page
    assert "every month" in page
    form = {"variant": str(product.variants[0].id), "quantity": "2", "plan": str(plan.id)}
    assert (await guest.post("/cart/lines", data=form)).status_code == 303
    cart = text_of((await guest.get("/cart")).text)
    assert "Coffee club" in cart
    assert "80.00" in cart

    assert (await guest.post("/checkout/start")).headers["location"] == "/checkout"
    html = (await guest.get("/checkout")).text
    order = WHO | {"cart": hidden(html, "cart"), "total": hidden(html, "total")}
    assert (await guest.post("/checkout", data=order)).status_code == 303
    rows = await market.db.rows("SELECT plan, quantity, unit_price FROM order_line WHERE kind = 'item'")
    assert [tuple(row) for row in rows] == [(plan.id, 2, 8_000)]


async def test_what_is_put_back_has_its_note_and_comes_as_often(
    guest: httpx.AsyncClient, market: Market
) -> None:
    coffee = (await market.product(title="Coffee", sku="COF", price=10_000, stock=(20,))).variants[0]
    plan = await coffee_club(market)
    await guest.post("/cart/lines", data={"variant": str(coffee.id), "quantity": "2", "plan": str(plan.id)})
    line = (await guest.get("/cart")).text.split('action="/cart/lines/')[1].split('"')[0]
    await guest.post(f"/cart/lines/{line}/note", data={"gift_note": "For Lo"})
    taken = await guest.post(f"/cart/lines/{line}", data={"quantity": "0"}, headers={"hx-request": "true"})
    names = ("variant", "quantity", "plan", "gift_note", "back")
    form = {name: hidden(taken.text, name) for name in names}
    assert (await guest.post("/cart/lines", data=form)).status_code == 303
    rows = await market.db.rows("SELECT quantity, plan, gift_note FROM cart_line")
    assert [tuple(row) for row in rows] == [(2, plan.id, "For Lo")]


async def test_a_plan_that_is_none_is_refused(guest: httpx.AsyncClient, market: Market) -> None:
    product = await market.product(title="Coffee", sku="COF", price=10_000, stock=(20,))
    variant = product.variants[0].id
    await put_in(guest, variant)
    form = {"variant": str(variant), "quantity": "1", "plan": str(new_id())}
    answer = await guest.post("/cart/lines", data=form)
    assert answer.status_code in (303, 404, 409, 422)
    assert await market.db.value("SELECT count(*) FROM cart_line WHERE plan IS NOT NULL") == 0


@pytest.mark.browser
async def test_a_plan_is_chosen_in_a_browser(site: Site, market: Market) -> None:
    product = await market.product(title="Coffee", sku="COF", price=10_000, stock=(20,))
    await coffee_club(market)
    page = await site.visitor(width=390)
    await page.goto(f"/p/{product.handle}")
    await site.fine(page)
    await site.picture(page, "product-plans")
    await page.get_by_label("Coffee club").check()
    await page.get_by_role("button", name="Add to cart").click()
    await expect(page.locator("#cart-count .badge")).to_be_visible()
    await page.goto("/cart")
    await expect(page.locator(".basket .badge")).to_have_text("Coffee club")
    await site.fine(page)
    await site.picture(page, "cart-plans")
