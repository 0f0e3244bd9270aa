"""The order desk and the command palette by keyboard alone, and beside each other on a phone."""

import re

import pytest
from browser import Site
from playwright.async_api import expect

pytestmark = pytest.mark.browser


async def test_a_morning_at_the_desk_by_keyboard(site: Site, shop) -> None:
    older = await shop.buy("MUG-032", 1)
    newer = await shop.buy("KTL-150", 1)
    page = await site.staff()
    await page.goto("/admin/orders")
    await page.keyboard.press("j")
    await expect(page.locator("tr[data-current]")).to_have_attribute("data-order", newer.number)
    await page.keyboard.press("x")
    await page.keyboard.press("Shift+J")
    await expect(page.locator("[data-picked]")).to_have_text("2")
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel h2")).to_have_text(older.number)
    await expect(page).to_have_url(re.compile(f"open={older.id}"))
    await page.keyboard.press("k")
    await expect(page.locator("#panel h2")).to_have_text(newer.number)
    await page.locator("#panel [name=tags]").fill("gift")
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel .badge", has_text="gift")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "order-desk")
    await page.go_back()
    await expect(page.locator("#panel h2")).to_have_text(older.number)
    await page.locator("tr[data-current] a").focus()
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel section")).to_have_count(0)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Next order")
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("h")
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    await expect(page.locator("#ticker")).to_contain_text(newer.number)
    await expect(page.get_by_role("heading", name="How the channels are")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "overview-today")

    phone = await site.staff(width=390, name="Malin Berg")
    await phone.goto("/admin/orders")
    await phone.locator("tr[data-row] a").first.click()
    await expect(phone).to_have_url(re.compile(f"/admin/orders/{newer.id}$"))
    await expect(phone.get_by_role("heading", name="Tags and notes")).to_be_visible()
