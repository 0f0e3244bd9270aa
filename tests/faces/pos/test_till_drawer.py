"""The drawer at the till: opened, used, counted without seeing what should be in it."""

import re
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest
from browser import WIDTHS, Site
from market import Market, hidden, text_of

from samlad.documents import Paper
from samlad.printers import reports


async def opened(clerk: httpx.AsyncClient, amount: str = "1000") -> str:
    html = (await clerk.get("/pos/soder/drawer")).text
    sent = {"id": hidden(html, "id"), "till": "1", "float_amount": amount}
    done = await clerk.post("/pos/soder/drawer", data=sent)
    assert done.status_code == 303, text_of(done.text)
    again = await clerk.post("/pos/soder/drawer", data=sent)
    assert again.headers["location"] == done.headers["location"], "pressed twice: one drawer"
    return done.headers["location"]


async def test_a_drawer_is_opened_moved_and_counted_blind(clerk: httpx.AsyncClient, market: Market) -> None:
    here = await opened(clerk)
    page = (await clerk.get(here)).text
    assert "Should be in it" not in page
    assert "X report" not in page, "store staff count blind"
    move = {"id": hidden(page, "id"), "way": "out", "amount": "50", "reason": "petty_cash", "note": ""}
    refused = await clerk.post(f"{here}/move", data=move)
    assert (refused.status_code, "Say what for" in refused.text) == (422, True)
    for _ in range(2):
        assert (await clerk.post(f"{here}/move", data=move | {"note": "Milk"})).status_code == 303
    count = {"version": "1", "count-50000": "1", "count-10000": "4", "count-5000": "", "taken": "2000"}
    refused = await clerk.post(f"{here}/close", data=count)
    assert (refused.status_code, "at most what was counted" in refused.text.lower()) == (422, True)
    assert 'value="4"' in refused.text, "what was typed is kept"
    assert (await clerk.post(f"{here}/close", data=count | {"taken": "400"})).status_code == 303
    page = text_of((await clerk.get(here)).text)
    assert "Z report 1" in page
    assert re.search(r"Difference\s+[-−]SEK\s?50\.00", page), page
    late = await clerk.post(f"{here}/close", data=count | {"taken": "0"})
    assert late.status_code == 303
    html = (await clerk.get("/pos/soder/drawer")).text
    assert 'value="500.00"' in html, "what was left in it"


async def test_another_store_s_drawer_is_not_there(
    clerk: httpx.AsyncClient, api: httpx.AsyncClient, market: Market
) -> None:
    html = (await api.get("/pos/haga/drawer", headers={"accept": "text/html"})).text
    sent = {"id": hidden(html, "id"), "till": "1", "float_amount": "0"}
    done = await api.post("/pos/haga/drawer", data=sent, headers={"accept": "text/html"})
    shift = done.headers["location"].rpartition("/")[2]
    assert (await clerk.get("/pos/haga/drawer")).status_code == 403
    assert (await clerk.get(f"/pos/soder/drawer/{shift}")).status_code == 404
    assert (
        await api.get(f"/pos/haga/drawer/{shift}?x=1", headers={"accept": "text/html"})
    ).status_code == 200


@pytest.mark.browser
async def test_the_drawer_in_a_browser(site: Site, market: Market, tmp_path: Path) -> None:
    page = await site.staff()
    await page.goto("/pos/soder/drawer")
    await page.get_by_label("What is in it").fill("1500")
    await page.get_by_role("button", name="Open the drawer").click()
    await page.get_by_role("heading", name="Count it").wait_for()
    here = re.sub(r"^https?://[^/]+", "", page.url)
    await page.get_by_role("link", name="X report").click()
    await page.get_by_text("Should be in it").wait_for()
    for name, width in WIDTHS.items():
        look = await site.staff(width=width, scheme="dark" if name == "phone" else "light")
        for number, path in enumerate(("/pos/soder/drawer", here, f"{here}?x=1")):
            await look.goto(path)
            assert await site.violations(look) == [], path
            assert await look.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, name)
            await look.screenshot(path=tmp_path / f"drawer-{number}-{name}.png", full_page=True)
    await page.goto(here)
    await page.get_by_label("500", exact=False).first.fill("3")
    await page.get_by_role("button", name="Close the drawer").click()
    await page.get_by_text("Z report 1").first.wait_for()
    assert await site.violations(page) == []
    await page.screenshot(path=tmp_path / "drawer-z.png", full_page=True)


async def test_x_and_z_reports_go_to_the_receipt_printer(
    clerk: httpx.AsyncClient, api: httpx.AsyncClient, market: Market
) -> None:
    page = {"accept": "text/html", "accept-language": "en"}
    here = await opened(clerk)
    shift = here.rpartition("/")[2]
    nowhere = await clerk.post(f"{here}/print", data={"id": str(uuid4())})
    assert nowhere.status_code == 303
    printer = {"name": "Till 1", "host": "192.168.1.60", "port": "9100", "columns": "42"}
    chosen = printer | {"code_page": "CP858", "drawer_pin": "0", "has_cutter": "1"}
    assert (await api.post("/pos/soder/printers", data=chosen, headers=page)).status_code == 303
    refused = await clerk.post(f"{here}/print", data={"id": str(uuid4())})
    assert refused.status_code == 403, "an X report is not for whoever counts blind"
    html = (await api.get(f"{here}?x=1", headers=page)).text
    key = hidden(html.partition(f'action="{here}/print"')[2], "id")
    for _ in range(2):
        assert (await api.post(f"{here}/print", data={"id": key}, headers=page)).status_code == 303
    count = {"version": "1", "count-50000": "1", "count-10000": "4", "taken": "0"}
    assert (await clerk.post(f"{here}/close", data=count)).status_code == 303
    assert (await clerk.post(f"{here}/print", data={"id": str(uuid4())})).status_code == 303
    rows = await market.db.rows("SELECT report FROM print_job WHERE kind = 'report' ORDER BY asked_at")
    assert len(rows) == 2, "pressed twice: one paper"
    x, z = (
        reports.page(msgspec.convert(row["report"], reports.PrintedReport), Paper(columns=42)).decode("cp858")
        for row in rows
    )
    assert "X-rapport" in x
    assert "Z-rapport 1" in z
    assert "Räknad" not in x
    assert re.search(r"Skillnad\s+-100,00 kr", z), z
    found = (await market.db.rows("SELECT id FROM printer"))[0]["id"]
    asked = await api.post(f"/api/tills/shifts/{shift}/prints", json={"printer": str(found)})
    assert (asked.status_code, asked.json()["kind"]) == (202, "report")
