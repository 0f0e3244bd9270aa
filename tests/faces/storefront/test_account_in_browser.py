"""The account in Chromium: in by a link and something sent back; a passkey, out, and in again by it."""

import re
from typing import Any

import pytest
from browser import Site
from playwright.async_api import expect

from account_people import Post
from samlad import orders
from samlad.kernel.database import Database
from samlad.kernel.settings import Settings, load
from samlad.orders import FulfilInput
from trade import Trade, build

pytestmark = pytest.mark.browser
KIM = "kim@example.org"


@pytest.fixture
def settings(dsn: str, tmp_path: Any) -> Settings:
    """A developer's: mails can be asked for. Nobody works here, so they stay in the outbox."""
    return load({}, home=tmp_path, database_url=dsn, pool_size=8, mail_to_log=True)


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(db)


async def test_in_by_a_link_and_something_goes_back(site: Site, settings: Settings, trade: Trade) -> None:
    post = Post(site.db, settings, trade.web)
    order = await trade.buy((await trade.kettle(), 2))
    await site.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await trade.follow()
    page = await site.visitor(width=390, locale="en-GB")
    await page.goto("/account/orders")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in or create an account")
    await site.fine(page)
    await site.picture(page, "account-sign-in")
    await page.locator("#link-email").fill(KIM)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    await site.fine(page)
    token = (await post.tokens(KIM))[0]
    other = await site.visitor(locale="en-GB")
    await other.goto(f"/account/link/{token}")
    await expect(other.get_by_role("button", name="Sign in here")).to_be_visible()
    await site.fine(other)
    await page.goto(f"/account/link/{token}")
    await expect(page).to_have_url(re.compile("/account/orders$"))
    await site.picture(page, "account-orders")
    await page.get_by_role("link", name=order.number).click()
    await site.picture(page, "account-order")
    await site.fine(page)
    await page.get_by_role("link", name="Send back or exchange").click()
    await site.fine(page)
    await page.get_by_label("How many go back").fill("1")
    await page.get_by_role("button", name="Look what comes back").click()
    await expect(page.get_by_text("You get back")).to_be_visible()
    await site.picture(page, "account-return")
    await site.fine(page)
    await page.get_by_role("button", name="Announce the return").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Return")
    await site.picture(page, "account-returned")
    await site.fine(page)
    for name in ("", "/points", "/lists", "/addresses", "/preferences", "/data", "/subscriptions"):
        await page.goto(f"/account{name}")
        await site.picture(page, f"account{name.replace('/', '-') or '-home'}")
        await site.fine(page)


async def test_a_passkey_is_added_and_signs_in(site: Site, settings: Settings, trade: Trade) -> None:
    post = Post(site.db, settings, trade.web)
    page = await site.visitor(locale="en-GB")
    home = site.url.replace("127.0.0.1", "localhost")  # a passkey belongs to a name, not to a number
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    phone = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
             "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": phone})
    await page.goto(f"{home}/account/sign-in")
    await page.locator("#link-email").fill(KIM)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    await page.goto(f"{home}/account/link/{(await post.tokens(KIM))[0]}")
    await page.goto(f"{home}/account/security")
    await page.get_by_label("Name of this device").fill("Kim’s phone")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_text("Kim’s phone")).to_be_visible()
    await site.picture(page, "account-security")
    await site.fine(page)
    await page.goto(f"{home}/account")
    await page.get_by_role("button", name="Sign out").click()
    await page.goto(f"{home}/account/sign-in?next=/account/points")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(page).to_have_url(f"{home}/account/points")
    assert await site.db.value("SELECT count(*) FROM account_session WHERE means = 'passkey'") == 1
    assert await site.db.value("SELECT count(*) FROM account_session") == 1
