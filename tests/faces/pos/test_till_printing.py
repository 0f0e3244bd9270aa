"""The receipt at the till: on paper, by mail, as a picture; the page of printers."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import WIDTHS, Site
from market import Market, hidden, text_of

from samlad.kernel.database import Database
from samlad.kernel.settings import Settings, load

PRINTER = {
    "name": "Till 1",
    "host": "192.168.1.60",
    "port": "9100",
    "columns": "48",
    "code_page": "CP858",
    "drawer_pin": "2",
    "has_cutter": "1",
}


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    """Mails go to the log."""
    return load({}, home=tmp_path, database_url=dsn, pool_size=8, mail_to_log="true")


async def rung_up(clerk: httpx.AsyncClient, market: Market) -> str:
    await market.product(sku="KETTLE", stock=[5])
    await clerk.post("/pos/soder/scan", data={"code": "KETTLE"})
    page = (await clerk.get("/pos/soder/pay?by=cash")).text
    sent = {"cart": hidden(page, "cart"), "total": hidden(page, "total"), "by": "cash", "tendered": "100"}
    done = await clerk.post("/pos/soder/pay", data=sent)
    assert done.status_code == 303, text_of(done.text)
    return done.headers["location"].partition("?")[0]


async def jobs(db: Database) -> list[Any]:
    return await db.rows(
        "SELECT kind, is_copy, opens_drawer, why, state FROM print_job ORDER BY asked_at, kind DESC"
    )


async def test_a_sale_is_printed_mailed_and_shown_as_a_picture(
    clerk: httpx.AsyncClient, api: httpx.AsyncClient, market: Market, db: Database
) -> None:
    page = {"accept": "text/html"}
    refused = await clerk.post("/pos/soder/printers", data=PRINTER)
    assert refused.status_code == 403, "store staff do not say where printers are"
    wrong = await api.post("/pos/soder/printers", data=PRINTER | {"host": "127.0.0.1"}, headers=page)
    assert (wrong.status_code, "printer_networks" in wrong.text) == (422, True)
    assert (await api.post("/pos/soder/printers", data=PRINTER, headers=page)).status_code == 303
    here = await rung_up(clerk, market)
    assert [(row["kind"], row["opens_drawer"]) for row in await jobs(db)] == [("drawer", True)]
    done = (await clerk.get(here + "?new=1")).text
    assert "Print a copy" not in done
    link = (await clerk.get(here)).text
    assert 'aria-label="Picture with a link to the receipt"' in link
    sent = {"id": hidden(done, "id"), "new": "1"}
    for _ in range(2):
        assert (await clerk.post(here + "/print", data=sent)).status_code == 303
    copied = (await clerk.get(here)).text
    assert "Print a copy" in copied
    for _ in range(2):
        await clerk.post(here + "/print", data={"id": hidden(copied, "id"), "copy": "1"})
    found = [(row["kind"], row["is_copy"], row["opens_drawer"]) for row in await jobs(db)]
    assert sorted(found) == [("drawer", False, True), ("receipt", False, False), ("receipt", True, False)]
    mailed = {"id": hidden(copied, "id"), "email": "kim@example.org"}
    for _ in range(2):
        assert (await clerk.post(here + "/mail", data=mailed)).status_code == 303
    assert await db.value("SELECT count(*) FROM mail_outbox WHERE recipient = 'kim@example.org'") == 1
    assert await db.value("SELECT count(*) FROM event WHERE type = 'receipt.mailed'") == 1
    assert await db.value("SELECT email FROM orders") is None, "a till never says who somebody is"
    await clerk.post(here + "/mail", data=mailed | {"email": "nobody", "id": ""})
    assert await db.value("SELECT count(*) FROM receipt_mail") == 1


async def test_a_drawer_without_a_sale_needs_a_reason(
    clerk: httpx.AsyncClient, api: httpx.AsyncClient, market: Market, db: Database
) -> None:
    await api.post("/pos/soder/printers", data=PRINTER, headers={"accept": "text/html"})
    page = (await clerk.get("/pos/soder/printers")).text
    (opens,) = re.findall(r'action="(/pos/soder/printers/[^"]+/drawer)"', page)
    key = hidden(page, "id")
    await clerk.post(opens, data={"id": key, "why": ""})
    assert await jobs(db) == []
    for _ in range(2):
        await clerk.post(opens, data={"id": key, "why": "Change for 500"})
    (job,) = await jobs(db)
    assert (job["kind"], job["why"]) == ("drawer", "Change for 500")
    await db.rows("UPDATE print_job SET state = 'unsure', ended_at = now() RETURNING 1")
    shown = text_of((await clerk.get("/pos/soder/printers")).text)
    assert "Perhaps printed" in shown
    assert "Try again" not in shown, "a drawer is opened anew"
    use = opens.replace("/drawer", "/use")
    answer = await clerk.post(use)
    assert "printer-soder" in answer.headers["set-cookie"]
    assert (await clerk.post(use.replace("soder", "haga"))).status_code == 403


@pytest.mark.browser
async def test_printers_in_a_browser(site: Site, market: Market, tmp_path: Path) -> None:
    await market.product(sku="KETTLE", stock=[5])
    page = await site.staff(width=390)
    await page.goto("/pos/soder/printers")
    await page.get_by_label("Name").fill("Till 1")
    await page.get_by_label("Address").fill("192.168.1.60")
    await page.get_by_label("Cash drawer").select_option("2")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("This till prints here").wait_for()
    await page.get_by_role("button", name="Test page").click()
    await page.locator("#prints").get_by_text("Waiting").wait_for()
    await site.picture(page, "till-printers")
    await page.goto("/pos/soder")
    await page.get_by_role("searchbox", name="Scan or search").fill("KETTLE")
    await page.keyboard.press("Enter")
    await page.locator("#ticket").get_by_text("KETTLE").first.wait_for()
    await page.goto("/pos/soder/pay?by=cash")
    await page.locator(".notes button").first.click()
    await page.get_by_role("button", name="Print the receipt").click()
    await page.get_by_role("button", name="Print a copy").wait_for()
    await page.get_by_text("Receipt on the customer's phone").click()
    await page.get_by_role("img", name="Picture with a link to the receipt").wait_for()
    here = re.sub(r"^https?://[^/]+", "", page.url)
    for name, width in WIDTHS.items():
        look = await site.staff(width=width, scheme="dark" if name == "phone" else "light")
        for number, path in enumerate(("/pos/soder/printers", here)):
            await look.goto(path)
            assert await site.violations(look) == [], path
            assert await look.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, name)
            await look.screenshot(path=tmp_path / f"printing-{number}-{name}.png", full_page=True)
