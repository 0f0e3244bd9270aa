"""A gift card for somebody, bought in the shop: by HTTP what each page says, in Chromium how it looks and that it is done by hand."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from browser import Site
from market import Market, hidden, text_of
from playwright.async_api import expect

from samlad import channels, credit
from samlad.channels import ChannelChange
from samlad.credit import card_mails, mail_planning
from samlad.kernel.clock import local_day, now
from samlad.kernel.settings import Settings, load


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    """A server whose mails go out."""
    return load({}, home=tmp_path, database_url=dsn, pool_size=8, mail_to_log=True)


@pytest.fixture
async def selling(market: Market) -> Market:
    """A shop that sells gift cards of up to 2,000 kronor."""
    change = ChannelChange(settings={"gift_card_shop_limit": 200_000})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))
    return market


def wanted(form: str, **fields: str) -> dict[str, str]:
    sent = {"key": hidden(form, "key"), "amount": "500", "recipient": "robin@example.org"}
    return sent | {"name": "Robin", "giver": "Kim", "email": "kim@example.org"} | fields


async def test_it_is_bought_paid_waited_for_and_called_off(
    guest: httpx.AsyncClient, selling: Market, market: Market
) -> None:
    form = (await guest.get("/gift-card")).text
    today = local_day(now(), market.web.time_zone)
    assert f'max="{mail_planning.last_day(today)}"' in form
    wrong = {
        "amount": ["3000", "0", ""],
        "recipient": ["robin"],
        "send_on": [str(today - timedelta(days=1)), str(today + timedelta(days=400)), "soon"],
    }
    for field, values in wrong.items():
        for value in values:
            refused = await guest.post("/gift-card", data=wanted(form, **{field: value}))
            assert refused.status_code == 422, (field, value)
            assert f'id="f-{field}-error"' in refused.text, (field, value)
    day = today + timedelta(days=20)
    sent = wanted(form, send_on=str(day))
    bought = [(await guest.post("/gift-card", data=sent)) for _ in range(2)]
    assert {answer.status_code for answer in bought} == {303}
    (pay,) = {answer.headers["location"].rpartition("/")[2] for answer in bought}
    assert pay == "pay"
    (order,) = await market.orders()
    link = bought[0].headers["location"].removesuffix("/pay")
    page = text_of((await guest.get(link)).text)
    assert "once it is paid" in page
    paid = await guest.post(f"{link}/pay", data={"do": "pay", "token": "ok"})
    assert paid.status_code == 303, text_of(paid.text)
    page = text_of((await guest.get(link)).text)
    assert "Gift card waits for its day" in page
    assert "robin@example.org" in page
    assert "Being packed" not in page
    (going,) = await credit.mails_of_order(market.db, order["id"])
    assert going.send_on == day
    assert (await guest.post(f"{link}/cancel")).status_code == 303
    page = text_of((await guest.get(link)).text)
    assert "It is not sent." in page
    assert await card_mails.sweep(market.db) == 0


async def test_a_shop_that_sells_none_has_no_such_page(guest: httpx.AsyncClient, market: Market) -> None:
    assert (await guest.get("/gift-card")).status_code == 404
    assert "/gift-card" not in (await guest.get("/")).text


@pytest.mark.browser
async def test_it_is_bought_by_hand_and_staff_send_it(site: Site, selling: Market) -> None:
    page = await site.visitor(390, scheme="dark", locale="en-GB")
    await page.goto("/")
    await page.get_by_role("link", name="Gift card").click()
    await expect(page.get_by_role("heading", name="Gift card")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "gift-card")
    await page.get_by_label("Amount").fill("750")
    await page.get_by_label("E-mail address of who gets it").fill("robin@example.org")
    await page.get_by_label("Their name").fill("Robin")
    day = local_day(now(), selling.web.time_zone) + timedelta(days=30)
    await page.get_by_label("The day on which it is sent").fill(day.isoformat())
    await page.get_by_label("Your greeting").fill("Happy birthday!")
    await page.get_by_label("Your e-mail address").fill("kim@example.org")
    await page.get_by_role("button", name="Go on to pay").click()
    await expect(page.get_by_role("heading", name="Pay order")).to_be_visible()
    await site.picture(page, "gift-card-pay")
    await page.get_by_role("button", name="Pay ", exact=False).click()
    await expect(page.get_by_text("Thank you, it is paid.")).to_be_visible()
    await expect(page.get_by_text("robin@example.org")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "gift-card-order")
    card = await selling.db.value("SELECT card FROM gift_card_mail")
    staff = await site.staff(width=1440)
    await staff.goto(f"/admin/gift-cards/{card}")
    await expect(staff.get_by_text("robin@example.org")).to_be_visible()
    await site.fine(staff)
    await site.picture(staff, "admin-gift-card-mail")
    await staff.goto("/admin/gift-cards/new")
    await site.fine(staff)
    await site.picture(staff, "admin-gift-card-new")
