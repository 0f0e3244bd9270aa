"""A screen that faces customers: paired by a code, shows one ticket and opens nothing else, gone at once when taken away."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import WIDTHS, Site
from market import Market, hidden, text_of

from samlad.kernel.database import Database

ApiAs = Any


def code_of(html: str) -> str:
    found = re.search(r'id="code">([0-9]{3}) ([0-9]{3})<', html)
    assert found
    return found[1] + found[2]


async def test_a_tablet_shows_the_ticket_and_nothing_else(
    clerk: httpx.AsyncClient, api_as: ApiAs, market: Market, db: Database
) -> None:
    from samlad.kernel.context import GUEST

    await market.product(sku="KETTLE", stock=[5])
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as tablet:
        first = (await tablet.get("/screen")).text
        code = code_of(first)
        assert code_of((await tablet.get("/screen/now")).text) == code, "the same code until it is over"
        refused = await clerk.post("/pos/soder/screens", data={"code": "000000", "name": "Till 1"})
        if code != "000000":
            assert (refused.status_code, "no screen shows this code" in text_of(refused.text).lower()) == (
                422,
                True,
            )
        paired = await clerk.post("/pos/soder/screens", data={"code": code, "name": "Till 1"})
        assert paired.status_code == 303, text_of(paired.text)
        again = await clerk.post("/pos/soder/screens", data={"code": code, "name": "Till 2"})
        assert again.status_code == 422, "a code is good once"
        idle = (await tablet.get("/screen")).text
        assert 'data-mode="idle"' in idle
        await clerk.post("/pos/soder/scan", data={"code": "KETTLE"})
        await clerk.get("/pos/soder")
        html = (await tablet.get("/screen/now")).text
        shown = text_of(html)
        assert "Kettle" in shown
        assert re.search(r'id="total">SEK\s?99\.00', html), html
        (live,) = re.findall(r'data-live="([^"]+)"', html)
        assert live.count("topic=") == 2
        topics = re.findall(r"topic=([^&]+)", live)
        for topic in topics:
            name, _, key = topic.partition(":")
            wrong = f"{name}:{key[:-1]}{'0' if key[-1] != '0' else '1'}"
            assert (await tablet.get(f"/live?topic={wrong}")).status_code == 404
        for path in ("/pos", "/pos/soder", "/pos/soder/screens", "/admin", "/pos/soder/printers"):
            answer = await tablet.get(path)
            assert answer.status_code in (302, 303), path
            assert "/admin/sign-in" in answer.headers["location"]
        assert (await tablet.get("/api/orders")).status_code == 401
        page = (await clerk.get("/pos/soder/pay?by=cash")).text
        sent = {"cart": hidden(page, "cart"), "total": hidden(page, "total"), "by": "cash", "tendered": "100"}
        await clerk.post("/pos/soder/pay", data=sent)
        thanks = (await tablet.get("/screen/now")).text
        assert 'data-mode="thanks"' in thanks
        assert re.search(r"Your change: SEK\s?1\.00", text_of(thanks))
        await clerk.get("/pos/soder")
        assert 'data-mode="thanks"' in (await tablet.get("/screen/now")).text, "until the next customer"
        await db.rows("UPDATE screen SET shown_at = now() - interval '2 minutes' RETURNING 1")
        assert 'data-mode="idle"' in (await tablet.get("/screen/now")).text
        screen = await db.value("SELECT id FROM screen")
        shows = await db.value("SELECT count(*) FROM event WHERE type = 'screen.shows'")
        assert shows == 2, "the ticket, the thanks"
        assert (await clerk.post(f"/pos/haga/screens/{screen}/revoke")).status_code == 403
        for _ in range(2):
            assert (await clerk.post(f"/pos/soder/screens/{screen}/revoke")).status_code == 303
        gone = (await tablet.get("/screen/now")).text
        assert 'data-mode="pairing"' in gone
        assert (await tablet.get(f"/live?topic={topics[0]}")).status_code == 404
    verbs = await db.rows("SELECT verb FROM audit_entry WHERE verb LIKE 'screen.%' ORDER BY verb")
    assert [row["verb"] for row in verbs] == ["screen.paired", "screen.revoked"]


@pytest.mark.browser
async def test_a_screen_follows_the_till_live(site: Site, market: Market, tmp_path: Path) -> None:
    await market.product(sku="KETTLE", stock=[5])
    tablet = await site.visitor(width=1440)
    await tablet.goto("/screen")
    code = (await tablet.locator("#code").inner_text()).replace(" ", "")
    assert await site.violations(tablet) == []
    till = await site.staff()
    await till.goto(f"/pos/soder/screens?code={code}")
    await till.get_by_label("Name").fill("Till 1")
    await till.get_by_role("button", name="Pair").click()
    await till.get_by_text("Shows the ticket of this till", exact=True).wait_for()
    await site.picture(till, "till-screens")
    await tablet.locator("#screen.is-idle").wait_for()
    await till.goto("/pos/soder")
    await till.get_by_role("searchbox", name="Scan or search").fill("KETTLE")
    await till.keyboard.press("Enter")
    await tablet.locator("#screen.is-ticket").get_by_text("Kettle").wait_for()
    await till.get_by_role("searchbox", name="Scan or search").fill("KETTLE")
    await till.keyboard.press("Enter")
    await tablet.locator("#total").get_by_text("198.00").wait_for()
    for name, width in WIDTHS.items():
        await tablet.set_viewport_size({"width": width, "height": 800})
        assert await site.violations(tablet) == [], name
        assert await tablet.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        await tablet.screenshot(path=tmp_path / f"screen-{name}.png", full_page=True)
    await till.goto("/pos/soder/pay?by=cash")
    await till.locator(".notes button").first.click()
    await tablet.get_by_role("img", name="Picture with a link to the receipt").wait_for()
    assert await site.violations(tablet) == []
    await tablet.screenshot(path=tmp_path / "screen-thanks.png", full_page=True)
