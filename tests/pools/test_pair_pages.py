"""The work list before catalogues become one, on a page."""

from typing import Any

import pytest
from browser import Site
from goods import build_apart, product
from playwright.async_api import expect
from silo import Silo

from samlad.kernel.database import Database
from trade import build

GTIN = ("7310865004703", "4006381333931")


@pytest.fixture
async def apart(db: Database) -> Silo:
    silo = await build_apart(await build(db))
    await product(silo, silo.trade.web, {"sku": "W-1", "gtin": GTIN[0]}, price=9_900, title="Kettle")
    await product(silo, silo.trade.web, {"sku": "C-3", "gtin": GTIN[1]}, title="Lamp, tall")
    await product(silo, silo.trade.web, {"sku": "W-4"}, title="Rug")
    await product(silo, silo.market, {"sku": "M-1", "gtin": GTIN[0]}, title="Kettle of the market")
    await product(silo, silo.market, {"sku": "C-3", "gtin": "5901234123457"}, title="Lamp")
    await product(silo, silo.market, {"sku": "M-4"}, title="Woven rug")
    return silo


async def test_one_form_for_all_lines(apart: Silo, api_as: Any) -> None:
    path = f"/admin/channels/{apart.market.id}/pairs"
    async with api_as(accept="text/html") as api:
        page = (await api.get(path)).text
        assert page.count(f'action="{path}" method="post"') == 2, (
            "that of one line and that of all picked ones"
        )
        unsaid = await api.post(path, data={"line": ""})
        assert unsaid.status_code == 422
        assert "Press the button of the line that you mean" in unsaid.text
        sent = {"line": "same M-4", "twin M-4": "nothing", "twin M-1": "typed"}
        wrong = await api.post(path, data=sent)
        assert wrong.status_code == 422
        assert 'value="typed"' in wrong.text, "what was typed in other lines is not lost"
        sent["twin M-4"] = "W-4"
        assert (await api.post(path, data=sent)).status_code == 303
    rows = await apart.trade.db.rows("SELECT kind FROM catalogue_decision")
    assert [row["kind"] for row in rows] == ["same"], "of one line and no other"


@pytest.mark.browser
async def test_goods_are_paired_on_a_phone_by_the_keyboard(site: Site, apart: Silo) -> None:
    db, path = apart.trade.db, f"/admin/channels/{apart.market.id}"
    page = await site.staff(width=390)
    await page.goto(f"{path}/pools/catalogue")
    await expect(page.locator("tr[data-finding=catalogue-contrary]")).to_contain_text("C-3")
    await site.fine(page)
    await site.picture(page, "pool-catalogue")
    await page.get_by_role("link", name="Open the work list").press("Enter")
    await expect(page.locator("tr[data-pair]").first).to_contain_text("Lamp")
    await site.fine(page)
    await site.picture(page, "pool-pairs")

    await page.wait_for_load_state()
    field = page.get_by_label("SKU or GTIN there of M-4")
    await field.fill("nothing")
    await field.press("Enter")
    await expect(page.get_by_text("there is no “nothing”")).to_be_visible()
    await site.fine(page)
    field = page.get_by_label("SKU or GTIN there of M-4")
    await field.fill("W-4")
    await field.press("Enter")
    await expect(page.locator("tr[data-pair=M-4]")).to_contain_text("Paired by hand")
    await page.get_by_role("button", name="Undo").press("Enter")
    await expect(page.locator("tr[data-pair=M-4]")).to_contain_text("Comes along")
    assert await db.value("SELECT count(*) FROM catalogue_decision") == 0

    await page.get_by_label("Select C-3").check()
    await page.locator("[data-bulk]").get_by_role("button", name="Same as shown").press("Enter")
    await expect(page.locator("tr[data-pair=C-3]")).to_contain_text("Paired by hand")
    text = b"sku,decision,twin_sku\nM-4,same,W-4\nM-1,out,\n"
    await page.get_by_label("CSV file").set_input_files(
        {"name": "pairs.csv", "mimeType": "text/csv", "buffer": text}
    )
    await page.get_by_role("button", name="Read it in").press("Enter")
    await expect(page.locator("tr[data-pair=M-1]")).to_contain_text("Left out")
    rows = await db.rows("SELECT kind FROM catalogue_decision ORDER BY kind")
    assert [row["kind"] for row in rows] == ["out", "same", "same"]
    await page.goto(f"{path}/pools/catalogue?keep=own")
    await expect(page.get_by_role("button", name="Join now")).to_be_visible()
