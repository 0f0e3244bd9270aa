"""Rules of who sends orders, in the admin: ranks are moved by buttons, versions are tried on past orders and go live."""

import pytest
from browser import Site
from market import Market
from playwright.async_api import expect

from samlad import channels, orders
from samlad.orders import FulfilInput

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def test_from_a_new_version_to_past_orders_and_back(api, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    await shop.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    here, web = "/admin/routing", shop.trade.web
    page = (await api.get(f"{here}?channel={web.code}", headers=PEOPLE)).text
    assert "No rules hold here" in page
    form = {
        "channel": web.code, "rank": ["own_store", "priority"], "max_parts": "2", "with_capacity": "1", "cost": "45",
        "places": "dc: 12.50", "note": "Near first",
    }  # fmt: skip
    added = (
        await api.post(f"{here}/new", data={**form, "act": "on", "add": "distance"}, headers=PEOPLE)
    ).text
    assert added.index("2. Priority") < added.index("3. Near the customer")
    moved = {**form, "rank": ["own_store", "priority", "distance"], "act": "up:distance"}
    up = (await api.post(f"{here}/new", data=moved, headers=PEOPLE)).text
    assert up.index("2. Near the customer") < up.index("3. Priority")
    wrong = await api.post(f"{here}/new", data={**form, "act": "save", "places": "dc"}, headers=PEOPLE)
    assert "One place a line" in wrong.text
    good = {**form, "rank": ["distance", "priority"], "step-distance": "25", "act": "save"}
    kept = await api.post(f"{here}/new", data=good, headers=PEOPLE)
    assert kept.status_code == 303, kept.text
    version = kept.headers["location"]
    tried = (await api.get(f"{version}?days=30", headers=PEOPLE)).text
    assert "As they went" in tried
    assert "in steps of 25" in tried
    assert (await channels.get(shop.db, web.id)).setting("routing") == "", "it does nothing yet"
    live = await api.post(f"{version}/live", headers=PEOPLE)
    assert live.status_code == 303
    assert (await channels.get(shop.db, web.id)).setting("routing") == version.split("/")[-1]
    page = (await api.get(f"{here}?channel={web.code}", headers=PEOPLE)).text
    assert "Version 1" in page
    assert "holds" in page
    assert "25" in (await api.get(f"{here}/new?channel={web.code}", headers=PEOPLE)).text
    back = await api.post(f"{here}/off", data={"channel": web.code}, headers=PEOPLE)
    assert back.status_code == 303
    assert (await channels.get(shop.db, web.id)).setting("routing") == ""


@pytest.mark.browser
async def test_ranks_are_moved_by_the_keyboard_and_the_pages_fit(site: Site, shop: Market) -> None:
    page = await site.staff(width=390)
    await page.goto(f"/admin/routing/new?channel={shop.trade.web.code}")
    await page.get_by_role("button", name="Down: The channel's own store").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("ol.rows li").first).to_contain_text("1. Priority of the place")
    await site.fine(page)
    await site.picture(page, "routing-form")
    await page.get_by_role("button", name="Keep this version").click()
    await expect(page.get_by_role("heading", name="What it would have done")).to_be_visible()
    await page.get_by_role("button", name="Try it").click()
    await expect(page.get_by_text("As they went").first).to_be_visible()
    for path in (None, "payments", "payments/stripe", "payments/terminal", "legal-entities/new", "routing"):
        if path is not None:
            await page.goto(f"/admin/{path}")
        await site.fine(page)
        await site.picture(page, "routing-rules" if path is None else path.replace("/", "-"))
