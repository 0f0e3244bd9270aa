"""A guest buys with the keyboard alone: found, put in, a way chosen by the postal code, paid; the focus is always seen."""

import msgspec
import pytest
from browser import Site
from keyboard import tab_to
from market import Market, offer
from playwright.async_api import expect

from samlad import delivery
from samlad.delivery import MethodInput

pytestmark = pytest.mark.browser


async def test_a_guest_buys_with_the_keyboard_alone(site: Site, market: Market) -> None:
    await offer(market)
    zone = {"countries": ["SE"], "postal_codes": [{"first": "11", "last": "11"}], "transit_max": 1}
    bike = {"channel": "web", "code": "bike", "kind": "ship", "name": "Bike", "position": 0, "zones": [zone],
            "rate": {"kind": "flat", "price": 900}}  # fmt: skip
    data = msgspec.convert(bike, MethodInput)
    await market.db.transaction(lambda tx: delivery.create_method(tx, data))
    await market.product(title="Copper kettle", sku="KTL", handle="kettle", price=10_000, stock=(3, 2))
    page = await site.visitor(width=390, locale="en-GB")
    await page.goto("/")
    await tab_to(page, "#shop-search")
    await page.keyboard.type("kettle")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/search?q=kettle")
    await tab_to(page, "a[href^='/p/kettle']")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/p/kettle*")
    await tab_to(page, "form.buy button[type=submit]")
    await page.keyboard.press("Enter")
    await expect(page.locator("#cart-count")).to_contain_text("1")
    await expect(page.locator("[data-buy-bar]")).to_be_hidden()
    await page.set_viewport_size({"width": 390, "height": 300})
    await page.keyboard.press("End")
    await expect(page.locator("[data-buy-bar]")).to_be_visible()
    await site.fine(page)
    await page.set_viewport_size({"width": 390, "height": 844})

    await page.goto("/cart")
    await tab_to(page, "form[action='/checkout/start'] button")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/checkout")
    for name, text in (("email", "kim@example.com"), ("name", "Kim Berg")):
        await tab_to(page, f"input[name={name}]")
        await page.keyboard.type(text)
    await tab_to(page, "input[name=line1]")
    await page.keyboard.type("Storgatan 1")
    await tab_to(page, "input[name=postal_code]")
    async with page.expect_response("**/checkout/look"):
        await page.keyboard.type("211 34")
        await page.keyboard.press("Tab")  # on, while the ways are looked up: what is typed meanwhile stays
        await page.keyboard.type("Mal")
    await expect(page.locator("#delivery-bike")).to_have_count(0)
    await page.keyboard.type("mo")
    await expect(page.locator("input[name=city]")).to_have_value("Malmo")
    await page.locator("#delivery-courier").focus()
    async with page.expect_response("**/checkout/look"):
        await page.keyboard.press("ArrowDown")
    await expect(page.locator("#delivery-post")).to_be_checked()
    await expect(page.locator("#sum")).to_contain_text("129.00")
    await expect(page.locator("input[name=city]")).to_have_value("Malmo")
    await site.fine(page)
    await page.locator("#delivery-post").focus()
    await tab_to(page, ".aside button[type=submit]")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/order/**")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
