"""A customer books by the keyboard on a phone; the clerk finds them, and what is recommended is on their phone at once."""

from datetime import timedelta

import pytest
from browser import Site
from market import Market
from playwright.async_api import Page, expect

from account_people import Post
from samlad import appointments, channels, customers
from samlad.appointments import ServiceInput
from samlad.channels import ChannelChange, Resource
from samlad.channels.model import Interval, OpeningHours
from samlad.customers import PersonInput
from samlad.faces.storefront.member import COOKIE
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.settings import Settings

pytestmark = pytest.mark.browser
ALWAYS = OpeningHours(weekly=[[Interval("09:00", "17:00")]] * 7)


async def look(site: Site, page: Page, name: str) -> None:
    """The page is fine on a phone and on a desk, and a picture of it is kept."""
    await site.picture(page, name)
    for width in (1440, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        await site.fine(page)


async def test_an_appointment_and_advice(site: Site, market: Market, settings: Settings) -> None:
    await market.product(title="Kettle", stock=(3,))
    pool = market.web.pools[Resource.CUSTOMERS]

    async def prepare(tx: Tx) -> None:
        await channels.change(tx, market.stores[0].id, ChannelChange(opening_hours=ALWAYS))
        data = ServiceInput(
            location=market.places[0].id, code="fitting", name="Fitting", minutes=60, step_minutes=60
        )
        await appointments.set_service(tx, data)
        await customers.find_or_create(tx, pool, PersonInput(email="kim@example.org", name="نور Berg"))

    await market.db.transaction(prepare)
    phone = await site.visitor(width=390)
    await phone.goto("/appointments")
    await look(site, phone, "appointments")
    await phone.get_by_role("link", name="Fitting").click()
    day = local_day(now(), "Europe/Stockholm") + timedelta(days=2)
    await phone.goto(f"{phone.url}?day={day}")
    await phone.get_by_role("radio").first.focus()
    await phone.keyboard.press("ArrowDown")
    await expect(phone.get_by_role("radio").nth(1)).to_be_checked()
    await phone.get_by_label("Name").fill("نور Berg")
    await phone.get_by_label("E-mail").fill("kim@example.org")
    await look(site, phone, "appointment-new")
    await phone.get_by_label("E-mail").press("Enter")
    await expect(phone.get_by_role("heading", name="Your appointment")).to_be_visible()
    await look(site, phone, "appointment")

    opened = await Post(market.db, settings, market.web).sign_in("kim@example.org")
    await phone.context.add_cookies([{"name": COOKIE, "value": opened.token, "url": site.url}])
    clerk = await site.staff(width=390)
    await clerk.goto(f"/pos/soder/appointments?day={day}")
    await look(site, clerk, "appointments-of-a-day")
    await clerk.get_by_role("link", name="نور Berg").click()
    await clerk.get_by_text("Plan a follow-up").click()
    await clerk.get_by_role("textbox", name="What").fill("Call them")
    await clerk.get_by_label("By when").press("Enter")
    await expect(clerk.get_by_text("Call them")).to_be_visible()
    await clerk.get_by_label("The customer says yes").check()
    await clerk.get_by_role("button", name="Make them my customer").click()
    await expect(clerk.get_by_role("button", name="Not my customer any more")).to_be_visible()
    await look(site, clerk, "client")
    here = clerk.url
    await clerk.goto("/pos/soder/clients")
    await look(site, clerk, "clients")
    await clerk.goto(f"{here}/advise?q=kettle")
    await look(site, clerk, "advise")
    await clerk.get_by_role("button", name="To their cart").click()
    await phone.goto("/cart")
    quantity = phone.get_by_role("spinbutton").first
    await expect(quantity).to_have_value("1")
    await clerk.get_by_role("button", name="To their cart").click()
    await expect(quantity).to_have_value("2")  # without asking for the page again
    await clerk.get_by_role("button", name="To the wish list").click()
    await clerk.goto(f"{here}/share")
    await look(site, clerk, "share")
    picture = await clerk.locator(".qr").bounding_box()
    assert picture
    assert picture["width"] <= 240, (
        picture
    )  # a phone shows the link as well, and its camera is not needed for that
    boss = await site.staff(width=1440, scheme="dark")
    for path in (
        "/admin/appointments",
        f"/admin/appointments/{await market.db.value('SELECT id FROM appointment_service')}",
    ):
        await boss.goto(path)
        await look(site, boss, path.strip("/").replace("/", "-")[:22])
