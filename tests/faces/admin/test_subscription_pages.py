"""The pages of selling plans and subscriptions."""

from typing import Any

import httpx
import msgspec
import pytest
from browser import Site
from playwright.async_api import expect

from samlad import customers, subscriptions
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel.context import SYSTEM
from samlad.kernel.listing import ListQuery
from samlad.subscriptions import PlanInput, StartInput, Subscription
from samlad.subscriptions.sweepers import sweep
from trade import ADDRESS

PLAN = {
    "name": "Every month", "code": "monthly", "channels": ["web"], "goods": "KTL-150 MUG-032", "position": "10",
    "every": "1", "unit": "month", "anchor": "", "cutoff_hours": "24", "minimum_orders": "2",
    "out_of_stock": "rest", "stages": "1: 50 %\n3: 450,00 SEK",
}  # fmt: skip


async def subscribe(shop: Any, *, token: str = "ok") -> Subscription:
    pool = shop.trade.web.pools[Resource.CUSTOMERS]

    async def work(tx: Any) -> Subscription:
        kim = await customers.find_or_create(tx, pool, PersonInput(email="kim@example.org", name="Kim Berg"))
        plan = await subscriptions.create_plan(
            tx,
            msgspec.convert(
                {"code": "weekly", "name": "Weekly", "channels": ["web"], "terms": {"unit": "week"}},
                PlanInput,
            ),
        )
        data = {
            "plan": plan.id, "channel": shop.trade.web.id, "customer": kim.id, "address": ADDRESS,
            "lines": [{"variant": shop.variants["MUG-032"], "quantity": 2}],
            "payment": {"provider": "test", "token": token},
        }  # fmt: skip
        return await subscriptions.start(tx, msgspec.convert(data, StartInput))

    made: Subscription = await shop.db.transaction(work)
    await sweep(shop.db)
    return made


async def again(shop: Any, one: Subscription) -> Subscription:
    found: Subscription = await subscriptions.read(shop.db, SYSTEM, one.id)
    return found


async def test_a_plan_is_made_and_changed(api: httpx.AsyncClient, shop: Any) -> None:
    made = await api.post("/admin/selling-plans/new", data=PLAN)
    assert made.status_code == 303, made.text
    listed = (await api.get("/admin/selling-plans")).text
    assert "every month" in listed
    assert "2 things" in listed
    plan = (await subscriptions.PLAN_LISTING.page(shop.db, ListQuery())).items[0]
    assert [(s.from_order, s.percent_off, s.price) for s in plan.terms.prices] == [
        (1, 5000, None),
        (3, None, {"SEK": 45_000}),
    ]
    here = f"/admin/selling-plans/{plan.id}"
    page = (await api.get(here)).text
    assert "1: 50 %\n3: 450.00 SEK" in page
    saved = await api.post(here, data=PLAN | {"version": "1", "every": "2", "goods": ""})
    assert saved.status_code == 303, saved.text
    plan = await subscriptions.read_plan(shop.db, plan.id)
    assert (plan.terms.every, plan.is_active, plan.variants) == (2, False, [])
    assert (await api.post(here, data=PLAN | {"version": "1", "every": "3"})).status_code == 412


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"stages": "half"}, "stages"),
        ({"stages": "1: 1.234 SEK"}, "stages"),
        ({"goods": "NOTHING"}, "goods"),
        ({"anchor": "40"}, "anchor"),
        ({"cutoff_hours": "900"}, "cutoff_hours"),
        ({"channels": [], "goods": ""}, "channels"),
    ],
)
@pytest.mark.usefixtures("shop")
async def test_a_wrong_plan_is_told_at_its_field(
    api: httpx.AsyncClient, typed: dict[str, Any], field: str
) -> None:
    answer = await api.post("/admin/selling-plans/new", data=PLAN | typed)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text


async def test_everything_that_can_be_done_with_one(api: httpx.AsyncClient, shop: Any) -> None:
    one = await subscribe(shop)
    here = f"/admin/subscriptions/{one.id}"
    page = (await api.get(here)).text
    assert "Kim Berg" in (await api.get("/admin/subscriptions")).text
    assert "290.00" in page
    for act, data in (
        ("skip", {}),
        ("unskip", {}),
        ("move", {"moved_to": "2099-01-01"}),
        ("pause", {"pause_until": "nonsense"}),
    ):
        answer = await api.post(f"{here}/{act}", data=data)
        assert answer.status_code == (303 if act in ("skip", "unskip") else 422), act
    assert (await api.post(f"{here}/pause", data={"reason": "Away"})).status_code == 303
    assert (await again(shop, one)).status == "paused"
    assert (await api.post(f"{here}/skip")).status_code == 409
    assert (await api.post(f"{here}/resume", data={"next_on": ""})).status_code == 303
    lines = {"lines": "1", f"quantity-{shop.variants['MUG-032']}": "0", "add": "KTL-150"}
    assert (await api.post(f"{here}/change", data=lines)).status_code == 303
    assert [line.sku for line in (await again(shop, one)).lines] == ["KTL-150"]
    assert (await api.post(f"{here}/change", data={"provider": "invoice"})).status_code == 422
    paid = {"provider": "test", "token": "ok"}
    assert (await api.post(f"{here}/change", data=paid)).status_code == 303
    where = {"address": "1"} | {f"address/{part}": text for part, text in ADDRESS.items()}
    assert (await api.post(f"{here}/change", data=where | {"address/city": "Lund"})).status_code == 303
    assert (await again(shop, one)).address.city == "Lund"
    assert (await api.post(f"{here}/order-now", data={"restart": "1"})).status_code == 303
    assert (await api.post(f"{here}/cancel", data={"when": "period"})).status_code == 303
    assert (await again(shop, one)).is_ending
    assert (await api.post(f"{here}/reactivate", data={})).status_code == 303
    assert (await api.post(f"{here}/cancel", data={"when": "now"})).status_code == 303
    assert (await again(shop, one)).status == "cancelled"
    assert "Reactivate" in (await api.get(here)).text
    assert (await api.post(f"{here}/nonsense")).status_code == 404


async def test_trouble_is_said(api: httpx.AsyncClient, shop: Any) -> None:
    one = await subscribe(shop, token="decline")
    page = (await api.get(f"/admin/subscriptions/{one.id}")).text
    assert "Payment declined" in page
    assert "Tried 1 times" not in page
    assert one.number in (await api.get("/admin/subscriptions?trouble=any")).text


@pytest.mark.browser
async def test_a_subscription_is_paused_in_a_browser(site: Site, shop: Any) -> None:
    one = await subscribe(shop)
    await subscribe_plan_page(site)
    page = await site.staff(width=390)
    await page.goto("/admin/subscriptions")
    await site.fine(page)
    await site.picture(page, "subscriptions")
    await page.get_by_role("link", name=one.number).click()
    await site.fine(page)
    await site.picture(page, "subscription")
    await page.get_by_role("button", name="Pause").first.click()
    await page.get_by_role("dialog").get_by_label("Why").fill("Away")
    await page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    await expect(page.locator(".page-head .badge").first).to_have_text("Paused")
    await site.fine(page)


async def subscribe_plan_page(site: Site) -> None:
    """The form of a plan, at both widths."""
    page = await site.staff(width=1440)
    await page.goto("/admin/selling-plans/new")
    await site.fine(page)
    await site.picture(page, "selling-plan")
    await page.goto("/admin/selling-plans")
    await site.fine(page)
