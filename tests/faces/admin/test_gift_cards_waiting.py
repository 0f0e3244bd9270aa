"""The page of gift cards that wait."""

import re

import httpx
import pytest
from browser import WIDTHS, Site
from market import text_of
from playwright.async_api import expect

from samlad.access.permissions import Role, permissions_of
from samlad.credit.at_till import PrepareInput, prepare
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id

HERE = "/admin/gift-cards/waiting"
PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def printed(shop, count: int = 3) -> None:
    data = PrepareInput(channel=shop.trade.malmo.id, count=count, note="Box 7")
    await shop.trade.db.transaction(lambda tx: prepare(tx, data))


async def test_waiting_cards_are_taken_back_with_a_reason(api: httpx.AsyncClient, shop) -> None:
    assert "No card waits" in (await api.get(HERE, headers=PEOPLE)).text
    await printed(shop)
    html = (await api.get(f"{HERE}?q=box&for=sale", headers=PEOPLE)).text
    cards = re.findall(r'name="cards" value="([0-9a-f-]+)"', html)
    assert len(cards) == 3
    for wrong in ({"reason": "Torn"}, {"cards": cards[:1]}, {"cards": ["x"], "reason": "Torn"}):
        refused = await api.post(HERE, data=wrong, headers=PEOPLE)
        assert refused.status_code == 422, wrong
    kept = (await api.post(HERE, data={"cards": cards[:1], "reason": "x"}, headers=PEOPLE)).text
    assert re.search(rf'value="{cards[0]}"[^>]* checked', kept)  # what was chosen still is
    for _ in range(2):
        done = await api.post(HERE, data={"cards": cards[:2], "reason": "Torn"}, headers=PEOPLE)
        assert done.status_code == 303
    assert "1 card" in text_of((await api.get(HERE, headers=PEOPLE)).text)
    card = (await api.get(f"/admin/gift-cards/{cards[0]}", headers=PEOPLE)).text
    assert "Cancelled" in card
    [line] = (await api.get("/api/gift-cards/waiting?format=csv")).text.strip().splitlines()[1:]
    assert "Box 7" in line
    gone = await api.post(
        "/api/gift-cards/waiting/take-back", json={"cards": [str(new_id())], "reason": "Torn"}
    )
    assert gone.status_code == 404


async def test_who_may_not_sell_cards_only_sees_them(api_as, shop) -> None:
    await printed(shop)
    reader = Actor(kind="staff", id=new_id(), name="Mo", permissions=permissions_of(Role.MARKETING))
    async with api_as(reader, **PEOPLE) as api:
        page = await api.get(HERE)
        assert page.status_code == 200
        assert 'name="cards"' not in page.text
        assert (await api.post(HERE, data={"reason": "Torn"})).status_code == 403


@pytest.mark.browser
@pytest.mark.slow
async def test_waiting_cards_at_both_widths(site: Site, shop) -> None:
    await printed(shop)
    for name, width in WIDTHS.items():
        page = await site.staff(width=width, scheme="dark" if name == "phone" else "light")
        await page.goto(HERE)
        await site.fine(page)
        await site.picture(page, f"waiting-{name}")
    await page.get_by_role("checkbox").first.press("Space")
    await page.get_by_label("Why they are taken back").fill("Torn")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("2 cards")).to_be_visible()
