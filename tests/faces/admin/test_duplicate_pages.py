"""Pairs side by side, decided one after the other by the keyboard alone."""

import re

import pytest
from browser import Site
from market import text_of
from playwright.async_api import expect

from samlad import customers
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.duplicates.model import Evidence
from samlad.faces.admin.duplicates import waterfall

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def twice(shop, count: int) -> None:
    pool = shop.trade.web.pools[Resource.CUSTOMERS]
    for number in range(count):
        for domain in ("example.org", "mail.se"):
            person = PersonInput(
                name=f"Kim{number} Berg", email=f"kimberg{number}@{domain}", phone=f"+4670123{number:04d}"
            )
            await shop.db.transaction(lambda tx, one=person: customers.find_or_create(tx, pool, one))
    await shop.trade.follow()


def test_steps_of_a_waterfall_begin_where_the_one_before_ended() -> None:
    bars = waterfall(-10, [Evidence("email", "same", 16.0), Evidence("phone", "different", -2.0)])
    assert [(bar.key, bar.bits) for bar in bars] == [
        ("prior", -10),
        ("email", 16),
        ("phone", -2),
        ("weight", 4),
    ]
    assert [bar.left for bar in bars] == [0, 0, 87.5, 62.5]
    assert [bar.width for bar in bars] == [62.5, 100, 12.5, 25]


async def test_settings_training_and_the_list(api, shop) -> None:
    assert "Nobody is there twice" in (await api.get("/admin/duplicates", headers=PEOPLE)).text
    await twice(shop, 1)
    page = (await api.get("/admin/duplicates", headers=PEOPLE)).text
    assert "Kim0 Berg" in page
    started = await api.post("/admin/duplicates/training", headers=PEOPLE)
    assert started.status_code == 303
    assert "It begins in a moment" in text_of((await api.get("/admin/duplicates", headers=PEOPLE)).text)
    given = {"suggest_from": "0.95", "automatic_from": "0.5", "automatic": "1", "version": "0"}
    refused = await api.post("/admin/duplicates/settings", data=given, headers=PEOPLE)
    assert refused.status_code == 422
    saved = await api.post(
        "/admin/duplicates/settings", data={**given, "automatic_from": "0.9999"}, headers=PEOPLE
    )
    assert saved.status_code == 303
    row = await shop.db.row("SELECT suggest_from, automatic, automatic_from FROM duplicate_settings")
    assert tuple(row) == (0.95, True, 0.9999)
    pair = re.search(r"/admin/duplicates/([0-9a-f-]{36})", page)[1]
    shown = text_of((await api.get(f"/admin/duplicates/{pair}", headers=PEOPLE)).text)
    assert "the same before the @" in shown
    wrong = await api.post(f"/admin/duplicates/{pair}/decide", data={"verdict": "x"}, headers=PEOPLE)
    assert wrong.status_code == 422


@pytest.mark.browser
async def test_decided_by_the_keyboard_alone(site: Site, shop) -> None:
    await twice(shop, 3)
    page = await site.staff(width=390)

    async def press(key: str, says: str) -> None:
        await page.keyboard.press(key)
        await expect(page.get_by_text(says)).to_be_visible()
        await page.wait_for_load_state()  # a page hears keys when its script has come, not when it is seen

    await page.goto("/admin/duplicates/next")
    await site.fine(page)
    await site.picture(page, "duplicate")
    await press("m", "One person.")
    assert await shop.db.value("SELECT count(*) FROM duplicate_pair WHERE status = 'merged'") == 1
    await press("u", "as if it had never been")
    assert await shop.db.value("SELECT count(*) FROM duplicate_pair WHERE status = 'open'") == 3
    await press("n", "Two people.")
    await press("s", "Skipped")
    await press("m", "Nothing waits")
    await page.get_by_role("button", name="Show what I skipped").click()
    await expect(page.get_by_role("button", name="Merge")).to_be_visible()
    await page.goto("/admin/duplicates")
    await site.fine(page)
    await site.picture(page, "duplicates")
