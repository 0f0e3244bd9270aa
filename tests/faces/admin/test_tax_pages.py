"""The pages of tax: registrations, rates, the threshold and the report."""

import os
import re
from datetime import date

import httpx
import pytest
from browser import Site
from playwright.async_api import expect

from samlad import channels
from samlad.channels import ChannelChange
from samlad.tax import store

GERMAN = {"channel": "web", "country": "de", "number": "136 695 976", "valid_from": "2020-01-01"}
RATE = {
    "country": "SE", "region": "", "tax_class": "books", "channel": "web", "rate": "7,5", "category": "",
    "name": "Egen 7,5 %", "valid_from": "2026-01-01", "valid_to": "",
}  # fmt: skip
ABROAD = {
    "name": "Kim Berg", "line1": "Straße 1", "postal_code": "10115", "city": "Berlin", "country": "DE",
}  # fmt: skip


def undo_of(page: str) -> str:
    return re.search(r'action="(/admin/undo/[^"]+)"', page)[1]


async def test_a_registration_is_added_ended_and_that_taken_back(api: httpx.AsyncClient, shop) -> None:
    assert "No registrations yet" in (await api.get("/admin/tax")).text
    made = await api.post("/admin/tax/registrations/new", data=GERMAN)
    assert made.status_code == 303, made.text
    [one] = await store.all_registrations(shop.db)
    assert (one.country, one.number, one.valid_to) == ("DE", "DE136695976", None)
    here = f"/admin/tax/registrations/{one.id}"
    assert "DE136695976" in (await api.get(here)).text
    ended = await api.post(
        here,
        data={"version": "1", "number": one.number, "valid_from": "2020-01-01", "valid_to": "2026-02-01"},
    )
    assert ended.status_code == 303, ended.text
    [one] = await store.all_registrations(shop.db)
    assert one.valid_to == date(2026, 2, 1)
    await api.post(undo_of((await api.get("/admin/tax")).text))
    [one] = await store.all_registrations(shop.db)
    assert (one.valid_to, one.version) == (None, 3)


async def test_a_rate_is_made_and_changed(api: httpx.AsyncClient, shop) -> None:
    made = await api.post("/admin/tax/rates/new", data=RATE)
    assert made.status_code == 303, made.text
    listed = (await api.get("/admin/tax/rates", params={"country": "SE"})).text
    assert "Egen 7,5 %" in listed
    assert "The law" in listed
    [own] = [rate for rate in await store.all_rates(shop.db) if rate.pool is not None]
    assert (own.rate_bp, own.category) == (750, "S")
    here = f"/admin/tax/rates/{own.id}"
    assert 'value="7.5"' in (await api.get(here)).text
    changed = {
        "version": "1",
        "rate": "0",
        "category": "E",
        "name": own.name,
        "valid_from": "2026-01-01",
        "valid_to": "",
    }
    assert (await api.post(here, data=changed)).status_code == 303
    assert (await store.rate(shop.db, own.id)).category == "E"
    assert (await api.post(here, data=changed)).status_code == 412


async def test_a_scheme_is_begun_ended_and_that_taken_back(api: httpx.AsyncClient, shop) -> None:
    assert "No scheme is used" in (await api.get("/admin/tax/schemes")).text
    given = {
        "channel": "web", "scheme": "margin_second_hand", "tax_class": "second_hand", "valid_from": "2026-01-01",
    }  # fmt: skip
    made = await api.post("/admin/tax/schemes/new", data=given)
    assert made.status_code == 303, made.text
    [one] = await store.all_schemes(shop.db)
    listed = (await api.get("/admin/tax/schemes")).text
    assert "Margin scheme: second-hand goods" in listed
    assert "In use" in listed
    twice = await api.post("/admin/tax/schemes/new", data=given)
    assert (twice.status_code, "end that one first" in twice.text) == (409, True)
    here = f"/admin/tax/schemes/{one.id}"
    assert "Second-hand" in (await api.get(here)).text
    ended = {"version": "1", "valid_from": "2026-01-01", "valid_to": "2026-02-01"}
    assert (await api.post(here, data=ended)).status_code == 303
    page = (await api.get("/admin/tax/schemes")).text
    assert "Ended" in page
    await api.post(undo_of(page))
    [one] = await store.all_schemes(shop.db)
    assert (one.valid_to, one.version) == (None, 3)
    assert (await api.post(here, data=ended)).status_code == 412
    for wrong, field in (
        ({"scheme": "ioss", "number": "12"}, "IM and ten digits"),
        ({"tax_class": ""}, "The margin scheme is for one class of goods"),
        ({"valid_to": "2025-01-01"}, "The end must be after the beginning"),
        ({"channel": "nowhere"}, "Please choose one of these"),
    ):
        refused = await api.post("/admin/tax/schemes/new", data=given | wrong)
        assert (refused.status_code, field in refused.text) == (422, True), field


@pytest.mark.parametrize(
    ("where", "data", "field"),
    [
        ("registrations/new", GERMAN | {"number": "123"}, "number"),
        ("registrations/new", GERMAN | {"country": "Germany"}, "country"),
        ("registrations/new", GERMAN | {"valid_to": "2019-01-01"}, "valid_to"),
        ("rates/new", RATE | {"rate": "a quarter"}, "rate"),
        ("rates/new", RATE | {"rate": "101"}, "rate"),
        ("rates/new", RATE | {"rate": "5.555"}, "rate"),
        ("rates/new", RATE | {"channel": "", "country": "SE"}, "valid_from"),
        ("rates/new", RATE | {"category": "Z"}, "category"),
        ("rates/new", RATE | {"tax_class": "unheard"}, "tax_class"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(api: httpx.AsyncClient, shop, where, data, field) -> None:
    answer = await api.post(f"/admin/tax/{where}", data=data)
    assert answer.status_code in (409, 422), answer.text
    assert f'href="#f-{field}"' in answer.text


async def test_the_report_shows_what_was_sold_and_the_meter_how_far_it_is(
    api: httpx.AsyncClient, shop
) -> None:
    change = ChannelChange(
        settings={**shop.trade.web.own.settings, "tax_oss": True, "tax_distance_threshold": 50_000}
    )
    await shop.db.transaction(lambda tx: channels.change(tx, shop.trade.web.id, change))
    cart = await shop.cart("KTL-150", address=ABROAD)
    order = await shop.trade.place(cart.id)
    day = order.local_day.isoformat()
    page = (await api.get("/admin/tax", params={"start": day, "end": day})).text
    assert "The threshold is passed" in page
    assert "One-stop shop" in page
    assert "143.54" in page, "19 % of the kettle"
    assert f"/api/tax-report?start={day}&amp;end={day}" in page
    # What nobody asked for yet is summed up after the page, by a request of its own; the form's answer has it in it.
    assert "hx-get" not in page
    opened = (await api.get("/admin/tax")).text
    assert 'hx-get="/admin/tax/report?start=' in opened
    piece = await api.get("/admin/tax/report", params={"start": day, "end": day})
    assert piece.status_code == 200
    assert piece.text.strip() in page
    assert (await api.get("/admin/tax/report", params={"start": "soon"})).status_code == 422
    wrong = await api.get("/admin/tax", params={"start": "2026-02-01", "end": "2026-01-01"})
    assert (wrong.status_code, 'href="#f-end"' in wrong.text or "f-end" in wrong.text) == (422, True)
    shown = (await api.get(f"/admin/orders/{order.id}")).text
    assert "One-stop shop" in shown


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
async def test_the_pages_in_a_browser(site: Site, shop, width: int, scheme: str) -> None:
    change = ChannelChange(settings={**shop.trade.web.own.settings, "tax_oss": True})
    await shop.db.transaction(lambda tx: channels.change(tx, shop.trade.web.id, change))
    order = await shop.trade.place((await shop.cart("KTL-150", address=ABROAD)).id)
    page = await site.staff(width=width, scheme=scheme)
    await page.goto("/admin/tax")
    await page.get_by_role("link", name="Add registration").first.click()
    await page.get_by_label("Country").fill("SE")
    await page.get_by_label("VAT number").fill("SE556012579001")
    await page.get_by_label("From", exact=True).fill("2020-01-01")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("What goes to SE is taxed there from 2020-01-01 on.")).to_be_visible()
    await page.get_by_label("To", exact=True).fill(order.local_day.isoformat())
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("cell", name="One-stop shop").first).to_be_visible()
    for address in ("/admin/tax", "/admin/tax/rates", "/admin/tax/rates/new", "/admin/tax/registrations/new"):
        await page.goto(address)
        assert await site.violations(page) == [], address
        assert await site.overflow(page) == 0, address
        if folder := os.environ.get("SAMLAD_PICTURES"):
            await page.screenshot(
                path=f"{folder}/{address.strip('/').replace('/', '-')}-{width}.png", full_page=True
            )
    assert site.complaints == []
