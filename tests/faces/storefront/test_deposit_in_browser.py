"""A deposit, seen: put aside at a till, chosen in the checkout, the rest paid on the order's page."""

import pytest
from browser import Site
from market import Market
from playwright.async_api import expect

from samlad import channels
from samlad.access.permissions import Role
from samlad.channels import ChannelChange
from samlad.kernel.vault import Vault
from samlad.orders import order_address

pytestmark = pytest.mark.browser


async def offer(market: Market) -> None:
    settings = {"deposit_offered": True, "deposit_percent": 20, "deposit_days": 30}
    for channel in (market.web, market.stores[0]):
        change = ChannelChange(settings=settings)
        await market.db.transaction(lambda tx, at=channel.id, change=change: channels.change(tx, at, change))


async def test_put_aside_at_the_till_and_paid_on_the_web(site: Site, market: Market) -> None:
    await offer(market)
    await market.product(title="Copper kettle", sku="KTL", handle="kettle", stock=(3, 3))
    clerk = await site.staff(Role.STORE, locations=(market.places[0].id,), name="Sam Clerk", locale="en-GB")
    await clerk.goto("/pos/soder")
    await clerk.keyboard.type("KTL")
    await clerk.keyboard.press("Enter")
    await clerk.get_by_role("link", name="Put aside with a deposit").click()
    await expect(clerk.get_by_role("heading", name="Put aside with a deposit")).to_be_visible()
    await site.fine(clerk)
    await site.picture(clerk, "till-deposit")
    await clerk.get_by_label("E-mail").fill("kim@example.org")
    await clerk.get_by_label("Paid now").fill("1")
    await clerk.get_by_role("button", name="Take the deposit").click()
    await expect(clerk.get_by_text("Nothing was put aside")).to_be_visible()
    await clerk.get_by_label("Paid now").fill("50")
    await clerk.get_by_role("button", name="Take the deposit").click()
    await expect(clerk.get_by_text("It is put aside")).to_be_visible()
    await site.fine(clerk)
    await site.picture(clerk, "till-balance")
    order = await market.db.value("SELECT id FROM orders")
    link = order_address.path(Vault.of(market.db.settings), order)
    buyer = await site.visitor(390, scheme="dark", locale="en-GB")
    await buyer.goto(link)
    await site.fine(buyer)
    await site.picture(buyer, "order-with-rest")
    await buyer.get_by_role("link", name="Pay ", exact=False).first.click()
    await expect(buyer.get_by_role("heading", name="Pay order")).to_be_visible()
    await site.fine(buyer)
    await site.picture(buyer, "pay-rest")
    await buyer.get_by_role("button", name="Pay ", exact=False).click()
    await expect(buyer.get_by_text("Thank you, it is paid.")).to_be_visible()
    assert await market.db.value("SELECT payment_status FROM orders") == "paid"


async def test_chosen_in_the_checkout_by_keyboard(site: Site, market: Market) -> None:
    await offer(market)
    await market.product(title="Copper kettle", sku="KTL", handle="kettle", stock=(3, 0))
    page = await site.visitor(390, locale="en-GB")
    await page.goto("/p/kettle")
    await page.get_by_role("button", name="Add to cart").click()
    await expect(page.locator("#cart-count")).to_contain_text("1")
    await page.goto("/cart")
    await page.get_by_role("button", name="Check out").click()
    await page.wait_for_url("**/checkout")
    await page.get_by_role("radio", name="All of it now").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_text("You pay now")).to_be_visible()
    await expect(page.get_by_role("radio", name="A deposit now")).to_be_checked()
    await site.fine(page)
    await site.picture(page, "checkout-deposit")
