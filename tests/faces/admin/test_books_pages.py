"""The money book in the admin: vouchers, accounts, days, drawers; what one may not do is not there."""

import re

import httpx
import pytest
from browser import WIDTHS, Site
from market import hidden, text_of

from samlad import books, orders
from samlad.access.permissions import Role, permissions_of
from samlad.books import CloseTillInput, OpenTillInput
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id
from samlad.orders import ReturnInput
from samlad.payments import PaymentInput

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def traded(shop) -> str:
    """A day of the store in Malmö; its drawer was counted, and the book has it. The order that was sold."""
    trade, place = shop.trade, shop.trade.at_malmo.id
    drawer = await trade.db.transaction(
        lambda tx: books.open_till(tx, OpenTillInput(location=place, float_amount=100_000))
    )
    sold = ""
    for tender in ("cash", "test", "test"):
        cart = await trade.cart((shop.variants["MUG-032"], 2), channel=trade.malmo, delivery="carry_out")
        order = await trade.place(cart.id, PaymentInput(provider=tender))
        sold = str(order.id)
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    counted = CloseTillInput(counts={"10000": 12, "1000": 8}, taken=28_000)
    await trade.db.transaction(lambda tx: books.close_till(tx, drawer.shift.id, counted))
    await trade.follow()
    return sold


async def test_a_voucher_is_found_and_taken_back_once(api: httpx.AsyncClient, shop) -> None:
    assert "Nothing is booked yet" in (await api.get("/admin/books", headers=PEOPLE)).text
    await traded(shop)
    listed = (await api.get("/admin/books?kind=order&q=Sale", headers=PEOPLE)).text
    names = re.findall(r'href="(/admin/books/vouchers/[0-9a-f-]+)">(S\d+)<', listed)
    assert len(names) == 3
    here = names[0][0]
    page = text_of((await api.get(here, headers=PEOPLE)).text)
    assert "3001 Försäljning inom Sverige, 25 % moms" in page
    assert "290.00" in page
    refused = await api.post(f"{here}/reverse", data={"reason": "x"}, headers=PEOPLE)
    assert refused.status_code == 422
    done = await api.post(f"{here}/reverse", data={"reason": "Wrong store"}, headers=PEOPLE)
    assert done.status_code == 303
    assert "Reverses S" in (await api.get(done.headers["location"], headers=PEOPLE)).text
    again = await api.post(f"{here}/reverse", data={"reason": "Wrong store"}, headers=PEOPLE)
    assert again.status_code == 409


async def test_a_day_is_closed_and_reopened(api: httpx.AsyncClient, shop) -> None:
    await traded(shop)
    place, day = shop.trade.at_malmo.id, local_day(now(), "Europe/Stockholm")
    report = f"/admin/books/days/report?place={place}&day={day}"
    page = text_of((await api.get(report, headers=PEOPLE)).text)
    assert "Not closed yet" in page
    sent = {"place": str(place), "day": day.isoformat(), "total-test": "290.50"}
    closed = await api.post("/admin/books/days/close", data=sent, headers=PEOPLE)
    assert closed.status_code == 303, text_of(closed.text)
    here = closed.headers["location"]
    page = text_of((await api.get(here, headers=PEOPLE)).text)
    assert "Closed" in page
    assert "SEK 0.50" in page.replace("\xa0", " ") or "0.50" in page
    again = await api.post("/admin/books/days/close", data=sent, headers=PEOPLE)
    assert (again.status_code, "It is closed already." in again.text) == (409, True)
    reopened = await api.post(f"{here}/reopen", data={"reason": "Forgot a receipt"}, headers=PEOPLE)
    assert reopened.status_code == 303
    assert "Not closed yet" in (await api.get(report, headers=PEOPLE)).text
    assert "Forgot a receipt" in (await api.get(here, headers=PEOPLE)).text
    lost = await api.get("/admin/books/days/report?place=nowhere&day=today", headers=PEOPLE)
    assert lost.status_code == 404


async def test_accounts_and_settings(api: httpx.AsyncClient, shop) -> None:
    await traded(shop)
    page = text_of((await api.get("/admin/books/accounts?account=1910", headers=PEOPLE)).text)
    assert "1910 Kassa: " in page
    settings = "/admin/books/settings"
    html = (await api.get(settings, headers=PEOPLE)).text
    sent = {
        "version": hidden(html, "version"),
        "name": "Hemma AB",
        "org_number": "556000-0000",
        "fiscal_month": "1",
        "recognition": "handed_over",
    }
    assert (await api.post(settings, data=sent, headers=PEOPLE)).status_code == 303
    stale = await api.post(settings, data=sent, headers=PEOPLE)
    assert stale.status_code == 412
    account = {"purpose": "sales:2500", "number": "3051", "account_name": "Mugs", "valid_from": "2026-01-01"}
    assert (await api.post(f"{settings}/accounts", data=account, headers=PEOPLE)).status_code == 303
    assert "3051 Mugs" in text_of((await api.get(settings, headers=PEOPLE)).text)
    wrong = await api.post(f"{settings}/accounts", data=account | {"purpose": "wages"}, headers=PEOPLE)
    assert wrong.status_code == 422
    assert "Unknown; there are sales" in wrong.text


async def test_drawers_are_listed_with_their_reports(api: httpx.AsyncClient, shop) -> None:
    await traded(shop)
    listed = (await api.get("/admin/books/shifts?location=malmo&status=closed", headers=PEOPLE)).text
    (here,) = re.findall(r'href="(/admin/books/shifts/[0-9a-f-]+)"', listed)
    page = text_of((await api.get(here, headers=PEOPLE)).text)
    assert "Z report 1" in page
    assert "Should be in it" in page


async def test_who_may_not_see_the_books_does_not(api_as, shop) -> None:
    await traded(shop)
    store = Actor(kind="staff", id=new_id(), name="Sam", permissions=permissions_of(Role.STORE))
    async with api_as(store, **PEOPLE) as api:
        for path in ("", "/accounts", "/days", "/shifts", "/settings"):
            assert (await api.get(f"/admin/books{path}")).status_code == 403
        assert "/admin/books" not in (await api.get("/admin")).text


@pytest.mark.browser
async def test_the_books_in_a_browser(site: Site, shop) -> None:
    await traded(shop)
    place, day = shop.trade.at_malmo.id, local_day(now(), "Europe/Stockholm")
    page = await site.staff()
    await page.goto("/admin/books")
    await page.get_by_role("link", name="S1", exact=True).click()
    await page.get_by_role("heading", name="Voucher S1").wait_for()
    await page.goto(f"/admin/books/days/report?place={place}&day={day}")
    await page.get_by_label("Test payment").fill("290")
    await page.get_by_role("button", name="Close the day").click()
    await page.get_by_text("The day is closed.").first.wait_for()
    shift = await shop.db.value("SELECT id FROM till_shift")
    voucher = await shop.db.value("SELECT id FROM voucher WHERE kind = 'order' ORDER BY number LIMIT 1")
    closing = await shop.db.value("SELECT id FROM day_closing")
    paths = (
        "",
        f"/vouchers/{voucher}",
        "/accounts?account=1910",
        "/days",
        f"/days/{closing}",
        "/shifts",
        f"/shifts/{shift}",
        "/settings",
    )
    here = await site.staff(width=WIDTHS["phone"], scheme="dark")
    for number, path in enumerate(paths):
        await here.set_viewport_size({"width": WIDTHS["phone"], "height": 900})
        await here.goto(f"/admin/books{path}")
        await site.fine(here)
        await here.set_viewport_size({"width": WIDTHS["desk"], "height": 900})
        assert await site.overflow(here) == 0, path
        await site.picture(here, f"books-{number}")
