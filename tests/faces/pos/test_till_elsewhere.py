"""What a clerk says of a thing that is not here: when it comes by post, and which store has it; as the webshop says it."""

import httpx
import pytest
from browser import Site
from market import Market, offer, text_of
from playwright.async_api import expect

from samlad.access.permissions import Role


async def kettle(market: Market) -> str:
    await offer(market)
    await market.product(title="Kettle", price=19_900, stock=(0, 3), variants=[{"sku": "KTL"}])
    return str(await market.db.value("SELECT id FROM variant WHERE sku = 'KTL'"))


async def test_the_till_promises_what_the_api_promises(clerk: httpx.AsyncClient, market: Market) -> None:
    variant = await kettle(market)
    keys = text_of((await clerk.get("/pos/soder/find?code=kettle")).text)
    assert "none here" in keys
    assert "When and where else" in keys
    page = text_of((await clerk.get(f"/pos/soder/elsewhere/{variant}?postal_code=111%2022")).text)
    told = (
        await clerk.get(
            "/api/promise",
            params={"channel": "soder", "variant": variant, "postal_code": "111 22", "locale": "en"},
            headers={"accept": "application/json"},
        )
    ).json()
    assert told["delivered"]
    assert [way["text"] in page for way in told["delivered"]] == [True] * len(told["delivered"])
    assert [store["name"] for store in told["stores"] if store["promise"]] == ["Hemma Haga"]
    assert "at Hemma Haga" in page, "from a minute on that may be the next one by now"
    assert "Not there, and not on its way" in page, "the store that has none says so"


async def test_a_thing_that_is_not_sold_here_is_not_found(clerk: httpx.AsyncClient) -> None:
    answer = await clerk.get("/pos/soder/elsewhere/018f0000-0000-7000-8000-000000000000")
    assert answer.status_code == 404


@pytest.mark.browser
async def test_the_page(site: Site, market: Market) -> None:
    await kettle(market)
    page = await site.staff(Role.STORE, locations=(market.places[0].id,), name="Sam Clerk")
    await page.goto("/pos/soder")
    await site.fine(page)
    await site.picture(page, "till-keys")
    await page.get_by_role("link", name="When and where else: Kettle").click()
    await expect(page.get_by_role("heading", name="In stores")).to_be_visible()
    await page.get_by_label("Postal code").fill("111 22")
    await page.get_by_role("button", name="Look").click()
    await expect(page.get_by_label("Postal code")).to_have_value("111 22")
    await site.fine(page)
    await site.picture(page, "till-elsewhere")
