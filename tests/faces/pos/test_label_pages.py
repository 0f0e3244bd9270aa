"""Price tags, asked for at the till and in the admin."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from browser import WIDTHS, Site
from market import Market, hidden, text_of

from samlad.kernel.context import Context
from samlad.kernel.database import Database
from samlad.kernel.jobs import JobContext
from samlad.labels import making


async def test_a_clerk_scans_and_prints_tags(
    clerk: httpx.AsyncClient, api: httpx.AsyncClient, market: Market, db: Database
) -> None:
    await market.product(sku="KETTLE", stock=[5])
    page = (await clerk.get("/pos/soder/labels")).text
    sent = {"id": hidden(page, "id"), "picks": "KETTLE\nKETTLE\nNONE;2", "template": "a4-3x7", "form": "pdf"}
    for wrong, text in (
        ({"picks": ""}, "say which goods"),
        ({"picks": "KETTLE;x"}, "line 1"),
        ({"form": "zpl"}, "roll-58x40"),
        ({"changed_since": "soon", "picks": ""}, "write a day"),
    ):
        refused = await clerk.post("/pos/soder/labels", data=sent | wrong)
        assert (refused.status_code, text in text_of(refused.text)) == (422, True), text_of(refused.text)
    for _ in range(2):
        assert (await clerk.post("/pos/soder/labels", data=sent)).status_code == 303
    run = await db.value("SELECT id FROM label_run")
    here = f"/pos/soder/labels/{run}"
    assert (await clerk.get(here)).status_code == 409, "not made yet"
    await making.make(JobContext(db, db.settings, 1, "labels.make", 1, Context()), run)
    shown = text_of((await clerk.get("/pos/soder/labels")).text)
    assert "2 labels" in shown
    assert "Not sold here: NONE" in shown
    answer = await clerk.get(here)
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["content-type"] == "application/pdf"
    admin = (await api.get("/admin/labels?channel=soder", headers={"accept": "text/html"})).text
    assert f"/admin/labels/{run}" in admin
    today = datetime.now(UTC).date().isoformat()
    wanted = {"shop": "soder", "changed_since": today, "template": "a4-3x8", "form": "pdf", "copies": "1"}
    assert (await api.post("/admin/labels", data=wanted, headers={"accept": "text/html"})).status_code == 303
    assert await db.value("SELECT count(*) FROM label_run") == 2


@pytest.mark.browser
async def test_labels_in_a_browser(site: Site, market: Market, tmp_path: Path) -> None:
    await market.product(sku="KETTLE", stock=[5])
    page = await site.staff(width=390)
    await page.goto("/pos/soder/labels")
    await page.get_by_label("SKUs or barcodes").press_sequentially("KETTLE\nKETTLE\n")
    await page.get_by_role("button", name="Make the labels").click()
    await page.locator("#runs").get_by_text("Being made").wait_for()
    for name, width in WIDTHS.items():
        look = await site.staff(width=width, scheme="dark" if name == "phone" else "light")
        for number, path in enumerate(("/pos/soder/labels", "/admin/labels")):
            await look.goto(path)
            assert await site.violations(look) == [], path
            assert await look.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, name)
            await look.screenshot(path=tmp_path / f"labels-{number}-{name}.png", full_page=True)
