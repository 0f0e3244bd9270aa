"""Promotions in the admin: made by a form of each kind, changed, paused, ended; codes and links; right in a browser."""

import html as markup
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from browser import Site

BASE = {"how": "automatic", "combination": "all", "name": "Kettle week"}
KINDS: dict[str, dict[str, str]] = {
    "percent": {"percent": "12.50", "brands": "Fika", "minimum_amount": "500.00", "opens": "17:00", "closes": "20:00"},
    "amount": {"amount": "50.00", "each": "1", "limit_total": "100", "budget": "10000.00"},
    "fixed_price": {"price": "99.50", "skus": "KTL-150, MUG-032"},
    "buy_get": {"buy": "2", "get": "1", "get_percent": "50.00", "get_skus": "LIN-TT2", "times": "2"},
    "tiers": {"tiers_by": "amount", "tier-0": "500.00", "tier-0-percent": "5.00", "tier-1": "1000.00", "tier-1-amount": "75.00"},
    "bundle": {"price": "999.00", "part-0": "KTL-150", "part-1": "MUG-032, LIN-TT2", "part-1-quantity": "2"},
    "free_shipping": {"minimum_quantity": "3", "first_day": "2026-12-01", "last_day": "2026-12-24"},
    "gift": {"gift": "LIN-TT2", "first_order": "1", "customer_group": "staff", "channels": "web, malmo"},
}  # fmt: skip


@pytest.fixture
async def web(api_as: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of an owner who reads English, without a script."""
    async with api_as(accept="text/html", **{"accept-language": "en"}) as client:
        yield client


def typed(page: str) -> dict[str, str]:
    """What the fields of a page hold: inputs with their values, ticked boxes, chosen options."""
    found = {}
    for tag in re.findall(r"<input [^>]*>", page):
        name, value = re.search(r' name="([^"]+)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and value and value[1] and (" checked" in tag or 'type="checkbox"' not in tag):
            found[name[1]] = markup.unescape(value[1])
    for select in re.findall(r"<select.*?</select>", page, re.DOTALL):
        name, value = re.search(r' name="([^"]+)"', select), re.search(r'value="([^"]*)" selected', select)
        if name and value:
            found[name[1]] = value[1]
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_made_shown_again_as_typed_and_saved(
    web: httpx.AsyncClient, shop: object, kind: str
) -> None:
    sent = BASE | KINDS[kind]
    assert "Create promotion" in (await web.get(f"/admin/promotions/new?kind={kind}")).text
    made = await web.post("/admin/promotions/new", data={**sent, "kind": kind})
    assert made.status_code == 303, re.findall(r'class="faults">.*?</ul>', made.text, re.DOTALL)
    page = (await web.get(made.headers["location"])).text
    shown = typed(page)
    assert {name: shown.get(name) for name in sent} == sent
    saved = await web.post(made.headers["location"], data={**shown, "name": "Another name"})
    assert saved.status_code == 303, saved.text
    again = typed((await web.get(made.headers["location"])).text)
    assert {name: again.get(name) for name in sent} == sent | {"name": "Another name"}
    assert "Another name" in (await web.get("/admin/promotions")).text


async def test_what_is_wrong_is_said_at_its_field(web: httpx.AsyncClient, shop: object) -> None:
    sent = {**BASE, "kind": "percent", "percent": "much", "skus": "NOPE", "last_day": "soon"}
    answer = await web.post("/admin/promotions/new", data=sent)
    assert answer.status_code == 422
    for field in ("percent", "skus", "last_day"):
        assert f'id="f-{field}-error"' in answer.text, field
    free = {**KINDS["buy_get"], "kind": "buy_get", "get_percent": "0"}
    for wrong in ({"kind": "percent", "percent": "120"}, {"kind": "percent", "percent": "12.345"}, free):
        answer = await web.post("/admin/promotions/new", data={**BASE, **wrong})
        assert "A percentage is from 0.01 to 100" in answer.text, wrong
    answer = await web.post("/admin/promotions/new", data={**BASE, "kind": "percent"})
    assert 'id="f-percent-error"' in answer.text


async def test_codes_links_pause_and_end(web: httpx.AsyncClient, shop: object) -> None:
    sent = {**BASE, "kind": "percent", "percent": "10", "how": "asked", "codes": "winter, snow"}
    path = (await web.post("/admin/promotions/new", data=sent)).headers["location"]
    await web.post(f"{path}/codes", data={"new_codes": "ice", "make": "120", "prefix": "W"})
    page = (await web.get(path)).text
    assert "10 of 123" in page
    await web.post(f"{path}/links", data={"leads_to": "/p/kettle", "note": "Facebook"})
    assert re.search(r'data-copy="http://samlad\.test/o/[\w-]{12}"', (await web.get(path)).text)
    assert (await web.post(f"{path}/links", data={"leads_to": "https://evil.example"})).status_code == 422
    for status, said in (("paused", "Paused"), ("active", "Running"), ("ended", "Ended")):
        await web.post(f"{path}/status", data={"status": status})
        assert said in (await web.get(path)).text
    assert '<fieldset class="plain form" disabled>' in (await web.get(path)).text
    assert (await web.post(path, data={**BASE, "percent": "20"})).status_code == 409


@pytest.mark.browser
async def test_the_pages_in_a_browser(site: Site, shop: object) -> None:
    desk = await site.staff(locale="en-GB")
    for path in (
        "/admin/promotions",
        "/admin/promotions/new",
        *(f"/admin/promotions/new?kind={kind}" for kind in KINDS),
    ):
        await desk.goto(path)
        assert await site.violations(desk) == [], path
        assert await site.overflow(desk) == 0, path
    await desk.goto("/admin/promotions/new?kind=percent")
    await desk.get_by_label("Name", exact=True).fill("Kettle week")
    await desk.get_by_label("Percent off").fill("10")
    await desk.get_by_role("button", name="Create promotion").click()
    await desk.wait_for_url(re.compile(r"/admin/promotions/[0-9a-f-]{36}$"))
    for width in (1440, 390):
        await desk.set_viewport_size({"width": width, "height": 900})
        assert await site.violations(desk) == [], width
        assert await site.overflow(desk) == 0, width
    await desk.get_by_role("button", name="End it").click()
    await desk.get_by_role("dialog").get_by_role("button", name="End it").click()
    await desk.get_by_text("It is over.").wait_for()
    assert site.complaints == []
