"""Two windows and a till in one cart, in real browsers: what one does the others see within a moment."""

from uuid import UUID

import pytest
from browser import Site
from market import Market
from playwright.async_api import expect

from samlad import carts, customers
from samlad.access.permissions import Role
from samlad.carts import CartInput, LineInput
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel.context import Actor, Context

pytestmark = pytest.mark.browser


async def test_who_hears_that_carts_became_one_hears_what_happens_to_that_one(
    site: Site, market: Market
) -> None:
    for title, handle in (("Kettle", "kettle"), ("Mug", "mug"), ("Spoon", "spoon")):
        await market.product(title=title, sku=handle, handle=handle, category="kok", stock=(5, 5))
    goods = {row["sku"]: row["id"] for row in await market.db.rows("SELECT sku, id FROM variant")}
    pool, person = market.web.pools[Resource.CUSTOMERS], PersonInput(email="kim@example.org")
    kim = await market.db.transaction(lambda tx: customers.find_or_create(tx, pool, person))
    acting = Context(actor=Actor(kind="customer", id=kim.id))
    mug = CartInput(channel=market.web.id, lines=[LineInput(variant=goods["mug"])])
    own = await market.db.transaction(lambda tx: carts.create(tx, mug), acting)
    page = await site.visitor(locale="en-GB")
    await page.goto("/p/kettle")
    await page.get_by_role("button", name="Add to cart").click()
    await expect(page.locator("#cart-count")).to_contain_text("1")
    await page.goto("/cart")
    cookie = next(each for each in await page.context.cookies() if each["name"] == "cart")
    guest, token, _count = cookie["value"].split(".")
    await market.db.transaction(lambda tx: carts.attach(tx, UUID(guest), token=token), acting)
    await expect(page.locator("#basket")).to_contain_text("Mug")
    spoon = LineInput(variant=goods["spoon"])
    await market.db.transaction(lambda tx: carts.add_line(tx, own.id, spoon), acting)
    await expect(page.locator("#basket")).to_contain_text("Spoon")


async def test_phone_computer_and_till_are_in_one_cart(site: Site, market: Market) -> None:
    await market.product(title="Kettle", sku="KTL", handle="kettle", category="kok", stock=(5, 5))
    await market.product(title="Mug", sku="MUG", handle="mug", category="kok", stock=(5, 5))
    phone, desk = await site.visitor(390, locale="en-GB"), await site.visitor(locale="en-GB")
    clerk = await site.staff(Role.STORE, locations=(market.places[0].id,), name="Sam Clerk", locale="en-GB")

    await phone.goto("/p/kettle")
    await phone.get_by_role("button", name="Add to cart").click()
    await expect(phone.locator("#cart-count")).to_contain_text("1")
    await phone.goto("/cart")
    await phone.get_by_role("link", name="Continue on another device").click()
    await phone.get_by_role("button", name="Show a code").click()
    code = await phone.locator(".handover-code output").inner_text()
    await site.fine(phone)

    await desk.goto("/cart/continue")
    await desk.get_by_label("Code").fill(code)
    assert await site.violations(desk) == []
    await desk.get_by_role("button", name="Open the cart here").click()
    await expect(desk.locator("#basket li .said")).to_have_count(1)

    async with site.before_it_listens(phone, "/cart"):
        await desk.locator("#basket input[name=quantity]").first.fill("3")
        await desk.locator("#basket input[name=quantity]").first.blur()
        await expect(desk.locator("#cart-count")).to_contain_text("3")
    await expect(phone.locator("#basket input[name=quantity]").first).to_have_value("3")
    await expect(phone.locator("#cart-count")).to_contain_text("3")

    await phone.goto("/cart/share")
    await phone.get_by_role("button", name="Show a code").click()
    code = await phone.locator(".handover-code output").inner_text()
    await phone.goto("/cart")
    await clerk.goto("/pos/soder")
    await clerk.locator("#code").fill(code.replace(" ", ""))
    await clerk.keyboard.press("Enter")
    await expect(clerk.locator("#ticket li[data-variant]")).to_have_count(1)
    await expect(desk.locator("#basket")).to_contain_text("has your cart open")
    await clerk.locator("#code").fill("MUG")
    await clerk.keyboard.press("Enter")
    for window in (phone, desk):
        await expect(window.locator("#basket")).to_contain_text("Added by the store")
        await site.fine(window)
    await desk.locator("#basket").get_by_role("button", name="Remove Mug").click()
    await expect(clerk.locator("#ticket li[data-variant]")).to_have_count(1)
    await site.fine(clerk)
