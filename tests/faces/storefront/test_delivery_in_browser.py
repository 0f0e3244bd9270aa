"""Delivery in a browser: promised days on the product page and in the checkout, and the pages that set them up."""

from contextlib import AbstractAsyncContextManager

import pytest
from browser import Site
from market import Market, bring_in_slots, offer
from playwright.async_api import Page, expect

from samlad.access.permissions import Role

pytestmark = pytest.mark.browser


def looked(page: Page) -> AbstractAsyncContextManager[object]:
    """The page looks once more at what was chosen, and has the answer: a choice before that would call the request off."""
    return page.expect_response("**/checkout/look")


@pytest.mark.parametrize("width", [390, 1440])
async def test_promises_and_methods(site: Site, market: Market, width: int) -> None:
    await offer(market)
    bike = await bring_in_slots(market)
    await market.product(title="Copper kettle", sku="KTL", handle="kettle", category="kok", stock=(1, 2))
    page = await site.visitor(width, locale="en-GB")
    await page.goto("/p/kettle")
    await expect(page.locator(".brought li")).to_have_count(3)
    await site.fine(page)
    await page.get_by_role("button", name="Add to cart").click()
    await expect(page.locator("#cart-count")).to_contain_text("1")
    await page.goto("/cart")
    await page.get_by_role("button", name="Check out").click()
    await page.wait_for_url("**/checkout")
    await site.fine(page)
    async with looked(page):
        await page.locator("#delivery-post").check()
    await expect(page.locator("#sum")).to_contain_text("29.00")
    async with looked(page):
        await page.locator("#delivery-collect").check()
    await expect(page.locator("select[name=location]")).to_be_visible()
    await expect(page.locator("input[name=line1]")).to_be_hidden()

    async with looked(page):
        await page.locator("#delivery-bike").check()
    times = page.locator(".slots:visible input[type=radio]:enabled")
    await expect(times.first).to_be_checked()
    full = page.locator(".slots:visible input[type=radio]:disabled")
    await expect(full).to_have_count(1)
    await expect(page.locator(".time:has(:disabled)").first).to_contain_text("Full")
    await times.first.focus()
    for step in range(1, 4):
        async with looked(page):
            await page.keyboard.press("ArrowDown")
        await expect(times.nth(step)).to_be_checked()
        await expect(times.nth(step)).to_be_focused()
    await site.fine(page)
    async with looked(page):
        await page.locator("#delivery-post").check()
    await expect(page.locator(".slots:visible")).to_have_count(0)

    owner = await site.staff(Role.OWNER, name="Olivia Owner", locale="en-GB")
    await owner.set_viewport_size({"width": width, "height": 900})
    for path in (
        "/admin/delivery",
        "/admin/delivery/new",
        f"/admin/delivery/{bike.id}",
        f"/admin/delivery/locations/{market.places[0].id}",
    ):
        await owner.goto(path)
        await site.fine(owner)
