"""The account with the keyboard alone, on a phone: in, an exchange with its payment, an appointment, choices, one's data, out."""

import re
from datetime import timedelta
from typing import Any

import pytest
from browser import Site
from keyboard import tab_to
from playwright.async_api import Page, expect

from account_people import Post
from samlad import appointments, channels, orders
from samlad.access.permissions import Role, permissions_of
from samlad.appointments import BookInput, ServiceInput
from samlad.channels import ChannelChange
from samlad.channels.model import Interval, OpeningHours
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import GUEST, Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
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
    return await build(db, instant_exchange=True)


async def booked(trade: Trade) -> None:
    """Kim comes to the store the day after tomorrow."""
    hours = OpeningHours(weekly=[[Interval("09:00", "17:00")]] * 7)
    owner = Context(actor=Actor(kind="staff", id=new_id(), permissions=permissions_of(Role.OWNER)))
    await trade.db.transaction(
        lambda tx: channels.change(tx, trade.malmo.id, ChannelChange(opening_hours=hours))
    )
    offer = ServiceInput(location=trade.at_malmo.id, code="fitting", name="Fitting", minutes=30)
    service = await trade.db.transaction(lambda tx: appointments.set_service(tx, offer), owner)
    day = local_day(now(), trade.at_malmo.time_zone) + timedelta(days=2)
    at = (await appointments.slots(trade.db, service.id, day, 1)).slots[0].starts_at
    wish = BookInput(service=service.id, starts_at=at, name="Kim", email=KIM)
    await trade.db.transaction(lambda tx: appointments.book(tx, wish), Context(actor=GUEST))


async def press(page: Page, selector: str, address: str | re.Pattern[str]) -> None:
    """Go there with Tab, press Enter, and wait for where it leads."""
    await tab_to(page, selector)
    await page.keyboard.press("Enter")
    await page.wait_for_url(address)


async def test_the_account_with_the_keyboard_alone(site: Site, settings: Settings, trade: Trade) -> None:
    post = Post(site.db, settings, trade.web)
    short, long = await trade.shirts()
    order = await trade.buy((short, 2))
    await site.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await trade.follow()
    await booked(trade)
    page = await site.visitor(width=390, locale="en-GB")
    await page.goto("/account/orders")
    await tab_to(page, "#link-email")
    await page.keyboard.type(KIM)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    await page.goto(f"/account/link/{(await post.tokens(KIM))[0]}")
    await page.wait_for_url("**/account/orders")

    # An order is looked at and one piece of it exchanged for a dearer one, which is paid.
    await press(page, f"a[href='/account/orders/{order.id}']", f"**/account/orders/{order.id}")
    await press(page, f"a[href='/account/orders/{order.id}/return']", "**/return")
    await tab_to(page, "input[name=back-1]")
    await page.keyboard.type("1")
    await tab_to(page, "select[name=instead-1]")
    await page.keyboard.type("Exchange for")
    await expect(page.locator("select[name=instead-1]")).to_have_value(str(long))
    await tab_to(page, ".form-foot button[type=submit]")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("You pay", exact=True)).to_be_visible()
    await site.picture(page, "exchange-shown")
    await site.fine(page)
    await press(page, "button[value=exchange]", "**/account/exchanges/*")
    await site.picture(page, "exchange-to-pay")
    await site.fine(page)
    await tab_to(page, "input[name=token]")
    await page.keyboard.press("ArrowDown")
    await tab_to(page, "button[value=pay]")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").or_(page.locator(".notice.danger")).first).to_contain_text(
        "declined"
    )
    await tab_to(page, "input[name=token]")
    await page.keyboard.press("ArrowUp")
    await press(page, "button[value=pay]", "**/account/returns/*")
    assert await site.db.value("SELECT total FROM orders WHERE changes = $1", order.id) == 15_000

    # An appointment: the question is closed by Escape, which gives the focus back, and answered.
    await page.goto("/account/appointments")
    await site.picture(page, "account-appointments")
    await site.fine(page)
    asks = "button[data-open^='cancel-']"
    await tab_to(page, asks)
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog[open]")).to_be_visible()
    await site.fine(page)
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog[open]")).to_have_count(0)
    await expect(page.locator(asks)).to_be_focused()
    await page.keyboard.press("Enter")
    await tab_to(page, "dialog[open] button.danger")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("No appointment")).to_be_visible()

    # Choices, one's data, and out.
    await press(page, "a[href='/account/preferences']", "**/account/preferences")
    await tab_to(page, "select[name=language]")
    await page.keyboard.type("Svenska")
    await tab_to(page, "form[action='/account/preferences'] button[type=submit]")
    await page.keyboard.press("Enter")
    await expect(page.locator("select[name=language]")).to_have_value("sv")
    await press(page, "a[href='/account/data']", "**/account/data")
    async with page.expect_navigation():
        await tab_to(page, "form[action='/account/data/export'] button")
        await page.keyboard.press("Enter")
    assert await site.db.value("SELECT count(*) FROM privacy_request") == 1
    await page.goto("/account")
    await press(page, "form[action='/account/sign-out'] button", re.compile(r"/$|sign-in"))
    await page.goto("/account")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Logga in eller skapa ett konto")
