"""Tips in the admin: who is owed what, paying it out, undoing that; what one may not do is not there."""

import re
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from browser import WIDTHS, Site
from market import hidden, text_of
from playwright.async_api import expect

from samlad import books, channels, orders
from samlad.access.permissions import Role, permissions_of
from samlad.books import CloseTillInput, OpenTillInput
from samlad.channels import ChannelChange
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.payments import PaymentInput

HERE = "/admin/books/tips"
PEOPLE = {"accept": "text/html", "accept-language": "en"}
SAM = Actor(kind="staff", id=new_id(), name="Sam Säljare", permissions=permissions_of(Role.OWNER))


async def tipped(shop, *amounts: int) -> str:
    """Sam was given tips at an open drawer in Malmö; its shift."""
    trade = shop.trade
    asks = ChannelChange(settings={"tips": True})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.malmo.id, asks))
    drawer = OpenTillInput(location=trade.at_malmo.id, float_amount=100_000)
    opened = await trade.db.transaction(lambda tx: books.open_till(tx, drawer), Context(actor=SAM))
    for amount in amounts:
        cart = await trade.cart((shop.variants["MUG-032"], 1), channel=trade.malmo, delivery="carry_out")
        wanted = orders.PlaceOrder(
            cart=cart.id, payments=[PaymentInput(provider="test", token="ok")], tip=amount
        )
        await trade.db.transaction(lambda tx, wanted=wanted: orders.place(tx, wanted), Context(actor=SAM))
    await trade.follow()
    return str(opened.shift.id)


async def test_tips_are_paid_out_and_owed_again(api: httpx.AsyncClient, shop) -> None:
    assert "No tip was given yet" in text_of((await api.get(HERE, headers=PEOPLE)).text)
    assert "Nothing was paid out yet" in text_of((await api.get(f"{HERE}/payouts", headers=PEOPLE)).text)
    shift = await tipped(shop, 2_000, 1_000)
    listed = (await api.get(HERE, headers=PEOPLE)).text
    page = text_of(listed).replace("\xa0", " ")
    assert "Sam Säljare" in page
    assert "30.00" in page
    [form_at] = re.findall(rf'href="({HERE}/pay\?[^"]+)"', listed)
    html = (await api.get(form_at.replace("&amp;", "&"), headers=PEOPLE)).text
    sent = {name: hidden(html, name) for name in ("id", "location", "clerk", "name", "currency", "amount")}
    assert "Out of drawer 1" in html
    refused = await api.post(f"{HERE}/pay", data=sent | {"means": "drawer 1"}, headers=PEOPLE)
    assert refused.status_code == 422
    stale = await api.post(f"{HERE}/pay", data=sent | {"means": "wages", "amount": "2000"}, headers=PEOPLE)
    assert (stale.status_code, "look once more" in stale.text) == (409, True)
    for _ in range(2):  # pressed twice: paid once
        done = await api.post(f"{HERE}/pay", data=sent | {"means": shift}, headers=PEOPLE)
        assert done.status_code == 303, text_of(done.text)
    at = done.headers["location"]
    page = text_of((await api.get(at, headers=PEOPLE)).text).replace("\xa0", " ")
    assert "Cash, out of a drawer" in page
    assert "30.00" in page
    assert "Pay out to" not in (await api.get(HERE, headers=PEOPLE)).text
    lines = (await api.get("/api/tips/payouts?format=csv")).text.strip().splitlines()
    assert len(lines) == 2
    assert "Sam Säljare" in lines[1]
    assert len((await api.get("/api/tips/each?format=csv&status=paid")).text.strip().splitlines()) == 3
    # The drawer was counted meanwhile: its cash goes into another, once somebody opens one.
    counted = CloseTillInput(counts={"1000": 97})
    await shop.trade.db.transaction(lambda tx: books.close_till(tx, UUID(shift), counted))
    assert "open one at the till first" in (await api.get(at, headers=PEOPLE)).text
    refused = await api.post(f"{at}/undo", data={"reason": "Wrong person", "shift": shift}, headers=PEOPLE)
    assert (refused.status_code, "choose one that is open" in refused.text) == (409, True)
    drawer = OpenTillInput(location=shop.trade.at_malmo.id, float_amount=97_000)
    other = await shop.trade.db.transaction(lambda tx: books.open_till(tx, drawer))
    for _ in range(2):
        back = {"reason": "Wrong person", "shift": str(other.shift.id)}
        assert (await api.post(f"{at}/undo", data=back, headers=PEOPLE)).status_code == 303
    page = text_of((await api.get(at, headers=PEOPLE)).text)
    assert "Wrong person" in page
    [owed] = (await api.get("/api/tips/owed")).json()
    assert (owed["given"], owed["paid"], owed["owed"]) == (3_000, 0, 3_000)


async def test_sums_by_day_location_and_drawer_and_filters_that_cannot_be_read(
    api: httpx.AsyncClient, shop
) -> None:
    shift = await tipped(shop, 2_000)
    await shop.trade.db.transaction(lambda tx: books.x_report(tx, UUID(shift)))
    today = local_day(now(), shop.trade.at_malmo.time_zone)
    before = today - timedelta(days=3)
    for asked, seen in (
        ("by=day", True),
        ("by=location", True),
        ("by=till", True),
        (f"by=till&from={before}&to={today}", True),
        (f"to={before}", False),
        ("from=yesterday&clerk=x&location=nowhere", False),
        ("by=weather&from=2026-99-99", True),
    ):
        answer = await api.get(f"{HERE}?{asked}", headers=PEOPLE)
        assert answer.status_code == 200, asked
        assert ("20.00" in answer.text) == seen, asked
    for lost in ("", f"?location={new_id()}&clerk={SAM.id}&currency=SEK"):
        assert (await api.get(f"{HERE}/pay{lost}", headers=PEOPLE)).status_code == 404
    assert (await api.get(f"{HERE}/payouts/{new_id()}", headers=PEOPLE)).status_code == 404


async def test_who_may_not_see_the_books_sees_no_tips(api_as, shop) -> None:
    await tipped(shop, 2_000)
    store = Actor(kind="staff", id=new_id(), name="Sam", permissions=permissions_of(Role.STORE))
    async with api_as(store, **PEOPLE) as api:
        for path in ("", "/payouts", "/pay"):
            assert (await api.get(f"{HERE}{path}")).status_code == 403
        assert (await api.post(f"{HERE}/pay", data={})).status_code == 403
        assert (await api.get("/api/tips/each")).status_code == 403
    elsewhere = Actor(
        kind="staff",
        id=new_id(),
        name="Mo",
        permissions=permissions_of(Role.MANAGER),
        locations=frozenset([new_id()]),
    )
    async with api_as(elsewhere, **PEOPLE) as api:
        assert "No tip was given yet" in (await api.get(HERE)).text
        asked = {
            "location": str(shop.trade.at_malmo.id),
            "clerk": str(SAM.id),
            "currency": "SEK",
            "amount": 2_000,
            "means": "wages",
        }
        assert (await api.post("/api/tips/payouts", json=asked)).status_code == 403


@pytest.mark.browser
@pytest.mark.slow
async def test_tips_by_keyboard_at_both_widths(site: Site, shop) -> None:
    await tipped(shop, 2_000)
    for name, width in WIDTHS.items():
        page = await site.staff(width=width, scheme="dark" if name == "phone" else "light")
        await page.goto(HERE)
        await site.fine(page)
        await site.picture(page, f"tips-{name}")
        await page.goto(f"{HERE}?by=day")
        await site.fine(page)
    await page.goto(HERE)
    await page.get_by_role("link", name="Pay out to Sam Säljare").press("Enter")
    await expect(page.get_by_label("How it is paid")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "tips-pay")
    await page.get_by_label("How it is paid").select_option("wages")
    await page.get_by_role("button", name="It was paid out").press("Enter")
    await expect(page.locator(".page-head .badge")).to_have_text("Paid out")
    await site.fine(page)
    await site.picture(page, "tips-payout")
    await page.get_by_label("Why").fill("Wrong person")
    await page.keyboard.press("Enter")
    await expect(page.locator(".page-head .badge")).to_have_text("Undone")
    await site.fine(page)
    await page.goto(f"{HERE}/payouts")
    await site.fine(page)
    await site.picture(page, "tips-payouts")
