"""By what a customer is known, merging and taking apart, on the customer's page."""

import re
from uuid import UUID

import httpx
import pytest
from browser import Site
from market import text_of
from playwright.async_api import expect

from samlad import customers, identity
from samlad.access.permissions import Role, permissions_of
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def go_on(api: httpx.AsyncClient, path: str, **sent: str) -> str:
    """What the page says that a form leads to."""
    answer = await api.post(path, data=sent, headers=PEOPLE)
    assert answer.status_code == 303, answer.text
    return (await api.get(answer.headers["location"], headers=PEOPLE)).text


async def two(shop) -> tuple[UUID, UUID]:
    """Kim, who bought, and an older address of theirs."""
    await shop.buy("MUG-032")
    pool = shop.trade.web.pools[Resource.CUSTOMERS]
    await shop.trade.follow()
    person = PersonInput(email="old@example.org", name="K. Berg", external_id="17850")
    old = await shop.db.transaction(lambda tx: customers.find_or_create(tx, pool, person))
    await shop.trade.follow()
    kim = await shop.db.value("SELECT id FROM customer WHERE email = 'kim@example.org'")
    return kim, old.id


async def test_two_customers_are_merged_taken_apart_and_taken_back(api, shop) -> None:
    kim, old = await two(shop)
    here = f"/admin/customers/{kim}"
    page = text_of((await api.get(here, headers=PEOPLE)).text)
    assert "Known by" in page
    assert "from a server or from staff" in page
    refused = await go_on(api, f"{here}/merge", other="nobody@example.org", reason="x")
    assert "No other customer has this" in refused
    assert await customers.resolve(shop.db, old) == old
    merged = await go_on(api, f"{here}/merge", other="17850", reason="Showed both cards")
    assert "They are one person from now on." in merged
    assert "old@example.org" in text_of(merged)
    assert await customers.resolve(shop.db, old) == kim
    answer = await api.get(f"/admin/customers/{old}", headers=PEOPLE)
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    listed = text_of((await api.get("/admin/customers", headers=PEOPLE)).text)
    assert "K. Berg" not in listed
    decision = re.search(r"/admin/identity/decisions/([0-9a-f-]{36})/undo", merged)[1]
    taken_back = await go_on(api, f"/admin/identity/decisions/{decision}/undo", customer=str(kim))
    assert "as if it had never been" in taken_back
    assert await customers.resolve(shop.db, old) == old
    again = await go_on(api, f"/admin/identity/decisions/{decision}/undo", customer=str(kim))
    assert "taken back already" in again
    await go_on(api, f"{here}/merge", other=str(old), reason="They are the same")
    apart = await go_on(api, f"{here}/split", identifier=str(old), reason="A brother")
    assert "They are two people from now on." in apart
    assert await customers.resolve(shop.db, old) == old
    undo = re.search(r"(/admin/undo/[^\"&]+)", apart)[1]
    await api.post(undo, headers=PEOPLE)
    assert await customers.resolve(shop.db, old) == kim
    nothing = await go_on(api, f"{here}/split", reason="x")
    assert await customers.resolve(shop.db, old) == kim, nothing


async def test_who_may_not_decide_sees_no_forms(api_as, shop) -> None:
    kim, old = await two(shop)
    reader = Actor(kind="staff", id=new_id(), name="Mo", permissions=permissions_of(Role.MARKETING))
    async with api_as(reader) as api:
        page = (await api.get(f"/admin/customers/{kim}", headers=PEOPLE)).text
        assert "Known by" in page
        assert f"/admin/customers/{kim}/merge" not in page
        sent = {"other": str(old), "reason": "x"}
        assert (await api.post(f"/admin/customers/{kim}/merge", data=sent, headers=PEOPLE)).status_code == 403
    clerk = Actor(kind="staff", id=new_id(), name="Cy", permissions=permissions_of(Role.STORE))
    async with api_as(clerk) as api:
        assert "Known by" not in (await api.get(f"/admin/customers/{kim}", headers=PEOPLE)).text
    assert identity.DECIDE not in reader.permissions


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1440])
async def test_merging_by_keyboard(site: Site, shop, width: int) -> None:
    kim, old = await two(shop)
    page = await site.staff(width=width, scheme="dark" if width == 390 else "light")
    await page.goto(f"/admin/customers/{kim}")
    await page.get_by_text("Merge with another customer").focus()
    await page.keyboard.press("Enter")
    await page.locator("#merge-other").fill("old@example.org")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Showed both cards")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("They are one person from now on.")).to_be_visible()
    for each in await page.locator("details.unfolds > summary").all():
        await each.click()
    await site.fine(page)
    await site.picture(page, f"identity-{width}")
    await page.get_by_role("button", name="Take back: Showed both cards").click()
    await expect(page.get_by_text("it is as if it had never been")).to_be_visible()
    assert await customers.resolve(shop.db, old) == old
