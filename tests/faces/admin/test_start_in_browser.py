"""A shopkeeper without a mouse and without a manual: from an empty database to the first order in the shop."""

import pytest
from browser import Site
from playwright.async_api import Page, expect

from samlad.access import welcome
from samlad.kernel.database import Database

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FEW_FORMS = 14
"""Forms to send until the first order is there, the account of the owner and the checkout counted."""
FEW_FIELDS, FEW_KEYS = 10, 33
"""Fields to fill in until the shop can sell, and presses of Tab and Enter until then: what is guessed is neither filled in nor visited."""
_HERE = "(document.activeElement?.labels?.[0]?.innerText || document.activeElement?.innerText || '').trim()"


class Keyboard:
    """Nothing but keys; it counts what was pressed, what was filled in and how often something was sent."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sent = self.filled = self.pressed = 0

    async def press(self, key: str) -> None:
        """Press a key."""
        self.pressed += 1
        await self.page.keyboard.press(key)

    async def write(self, text: str) -> None:
        """Fill in the field that has the focus."""
        self.filled += 1
        await self.page.keyboard.type(text)

    async def to(self, name: str) -> None:
        """Press Tab until what is called so has the focus."""
        for _ in range(90):
            if (await self.page.evaluate(_HERE)).startswith(name):
                return
            await self.press("Tab")
        raise AssertionError(f"no key leads to {name!r} on {self.page.url}")

    async def type(self, name: str, text: str) -> None:
        """Write into a field in place of what is in it."""
        await self.to(name)
        await self.page.keyboard.press("Control+A")
        await self.write(text)

    async def enter(self, arrives: str, *, sends: bool = True) -> None:
        """Press Enter, and wait until the next page is there."""
        self.sent += sends
        await self.press("Enter")
        await self.page.wait_for_url(f"**{arrives}")
        await self.page.wait_for_load_state()


async def test_from_an_empty_database_to_the_first_order_by_keyboard(site: Site, db: Database) -> None:
    link = await db.transaction(lambda tx: welcome.first_start(tx, site.url))
    assert link is not None
    page = await site.visitor(390, locale="en-GB")
    keys = Keyboard(page)
    await page.goto(link)
    await keys.type("E-mail", "olivia@example.com")
    await keys.type("Your name", "Olivia Owner")
    await keys.type("Password", "a long and quiet river 7")
    await keys.type("The same password again", "a long and quiet river 7")
    await keys.enter("/admin/start")
    await site.fine(page)
    await site.picture(page, "start")
    await keys.to("Go on")
    await keys.enter("/admin/start/shop", sends=False)
    await site.fine(page)
    await site.picture(page, "start-shop")
    await keys.write("Hearth")  # the first field has the focus, here and on every step
    await keys.enter("/admin/start/place")
    await site.fine(page)
    await site.picture(page, "start-place")
    await keys.type("Street and number", "12 High Street")
    await keys.type("Postal code", "YO1 7HH")
    await keys.type("Town", "York")
    await keys.enter("/admin/start/product")
    await site.fine(page)
    await site.picture(page, "start-product")
    await keys.write("Copper kettle")
    await keys.type("Price", "49.50")
    await keys.enter("/admin/start/payment")
    await site.fine(page)
    await site.picture(page, "start-payment")
    for following in ("delivery", "seller", "tax", "brand", "till"):  # each is guessed already
        await keys.enter(f"/admin/start/{following}")
        await site.picture(page, f"start-{following}")
        await site.fine(page)
    await keys.to("Later")
    await keys.enter("/admin/start/staff")
    await site.picture(page, "start-staff")
    await site.fine(page)
    await keys.to("Later")
    await keys.enter("/admin/start/sale")
    await site.fine(page)
    await site.picture(page, "start-sale")
    assert keys.filled <= FEW_FIELDS, keys.filled
    assert keys.pressed <= FEW_KEYS, keys.pressed
    await keys.enter("/", sends=False)
    await expect(page.locator(".shop-bar")).to_contain_text("Visitors do not see this yet")
    await site.fine(page)
    await _buy(keys)
    assert keys.sent <= FEW_FORMS, keys.sent
    assert await db.value("SELECT count(*) FROM orders") == 1

    stranger = await site.visitor(390, "dark", locale="en-GB")
    await stranger.goto("/")
    await expect(stranger.get_by_role("heading", level=1)).to_have_text("Hearth opens soon")
    await site.fine(stranger)
    await site.picture(stranger, "opening")
    await page.goto("/admin")
    await site.fine(page)
    await site.picture(page, "start-card")
    await keys.to("Go on")
    await keys.enter("/admin/start/open", sends=False)
    await site.fine(page)
    await keys.enter("/admin/start")
    await stranger.goto("/opening")  # which leads on, now
    await expect(stranger.get_by_role("link", name="Copper kettle").first).to_be_visible()


async def _buy(keys: Keyboard) -> None:
    page = keys.page
    await keys.to("Copper kettle")
    await keys.enter("/p/copper-kettle", sends=False)
    await keys.to("Add to cart")
    await page.keyboard.press("Enter")
    keys.sent += 1
    await expect(page.locator("#cart-count")).to_contain_text("1")
    await page.goto("/cart")
    await keys.to("Check out")
    await keys.enter("/checkout")
    for label, text in (
        ("E-mail", "kim@example.com"), ("Name", "Kim Berg"), ("Street and number", "1 Mill Lane"),
        ("Postal code", "YO1 9SR"), ("Town", "York"),
    ):  # fmt: skip
        await keys.type(label, text)
    await keys.to("Place order and pay")
    await keys.enter("/order/**")
