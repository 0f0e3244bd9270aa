"""Plans and moves over HTTP, on the command line's and the page's side."""

from typing import Any

import pytest
from browser import Site
from playwright.async_api import expect
from silo import Silo

from samlad.access.permissions import Role, permissions_of
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id
from samlad.pools import moving, store


async def test_plan_join_and_leave_over_http(silo: Silo, api_as: Any) -> None:
    await silo.kettle(here=3, there=2)
    base = f"/api/channels/{silo.market.id}/pools"
    async with api_as() as api:
        plan = (await api.get(f"{base}/stock/plan")).json()
        assert (plan["kind"], plan["to"], plan["is_ready"]) == ("join", ["lund", "malmo", "web"], True)
        assert plan["findings"][0]["examples"] == [
            {"label": "Depot", "here": "depot", "there": "", "why": "", "currency": "", "units": 3}
        ]
        assert (await api.get(f"{base}/stock/plan?to=market")).status_code == 422
        assert (await api.get(f"{base}/nonsense/plan")).status_code in (404, 422)
        refused = await api.post(f"{base}/carts/join", json={})
        assert (refused.status_code, refused.json()["findings"][0]["code"]) == (409, "needs-customers")

        begun = await api.post(f"{base}/stock/join", json={"to": "web"}, headers={"Idempotency-Key": "one"})
        again = await api.post(f"{base}/stock/join", json={"to": "web"}, headers={"Idempotency-Key": "one"})
        assert (begun.status_code, begun.json()) == (202, again.json())
        assert (await api.post(f"{base}/stock/join", json={})).status_code == 409
        page = await api.get(f"/admin/channels/{silo.market.id}/pools/stock")
        assert "On its way" in page.text
        await moving.carry_on(silo.trade.db, begun.json()["id"])
        done = (await api.get(f"/api/pool-moves/{begun.json()['id']}")).json()
        assert (done["status"], done["rows"], done["channel_code"]) == ("done", 1, "market")
        assert [
            each["kind"] for each in (await api.get("/api/pool-moves?channel=market")).json()["items"]
        ] == ["join"]
        assert (await api.post(f"{base}/stock/leave")).status_code == 202
    clerk = Actor(kind="staff", id=new_id(), name="Sam", permissions=permissions_of(Role.STORE))
    async with api_as(clerk) as api:
        assert (await api.post(f"{base}/orders/join", json={})).status_code == 403


@pytest.mark.browser
async def test_a_channel_is_joined_on_a_phone_by_the_keyboard(site: Site, silo: Silo) -> None:
    db = silo.trade.db
    await silo.kettle(here=3, there=2)
    page = await site.staff(width=390)
    await page.goto("/admin/channels?view=sharing")
    await page.locator(f"a[href='/admin/channels/{silo.market.id}/pools/stock']").press("Enter")
    await expect(page.locator("tr[data-finding=stock-locations]")).to_contain_text("(3 units)")
    await page.goto("/language/sv")
    await page.goto(f"/admin/channels/{silo.market.id}/pools/stock")
    await expect(page.locator("tr[data-finding=stock-locations]")).to_contain_text("(3 enheter)")
    await page.goto("/language/en")
    await page.goto(f"/admin/channels/{silo.market.id}/pools/stock")
    await site.fine(page)
    await site.picture(page, "pool-plan")
    await page.get_by_role("button", name="Join now").press("Enter")
    await expect(page.get_by_role("progressbar")).to_be_visible()
    (move,) = await store.running(db)
    await moving.carry_on(db, move.id)
    await expect(page.get_by_role("button", name="Leave now")).to_be_visible()
    await expect(page.get_by_role("table", name="What was done")).to_contain_text("Joined")
    await site.fine(page)
    await site.picture(page, "pool-joined")
    await page.goto(f"/admin/channels/{silo.market.id}/pools/carts")
    await expect(page.locator("tr[data-finding=needs-customers]")).to_contain_text("Customers")
    await site.fine(page)
    await site.picture(page, "pool-blocked")
