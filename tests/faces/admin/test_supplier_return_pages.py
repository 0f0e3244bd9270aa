"""Goods go back to their supplier on pages, without and with a browser."""

import re

import httpx
import pytest
from browser import Site
from playwright.async_api import expect

from samlad import stock
from samlad.kernel.database import Tx
from samlad.stock import suppliers
from samlad.stock.purchase_model import SupplierInput


async def ready(shop) -> str:
    """A supplier, and four kettles that cost 50.00 each; their SKU."""
    kettle = await shop.trade.kettle(quantity=0)

    async def work(tx: Tx) -> None:
        await suppliers.create(tx, SupplierInput(code="bodum", name="Bodum"))
        await stock.receive(tx, shop.trade.warehouse.id, [(kettle, 4)], unit_costs_e4=[50_000_000])

    await shop.db.transaction(work)
    return await shop.db.value("SELECT sku FROM variant WHERE id = $1", kettle)


async def test_what_is_wrong_is_said_and_twice_is_once(api: httpx.AsyncClient, shop) -> None:
    sku = await ready(shop)
    page = (await api.get("/admin/stock/supplier-returns/new")).text
    own = re.search(r'name="id" value="([^"]+)"', page)[1]
    form = {"id": own, "supplier": "bodum", "location": "dc", "reason": "faulty", "lines": f"{sku} 9"}
    refused = await api.post("/admin/stock/supplier-returns/new", data=form)
    assert (refused.status_code, "are not there" in refused.text) == (409, True)
    for wrong in ({"reason": ""}, {"supplier": "nobody"}, {"lines": ""}):
        assert (await api.post("/admin/stock/supplier-returns/new", data=form | wrong)).status_code == 422
    sent = form | {"lines": f"{sku} 3", "expected": "120"}
    first, again = [await api.post("/admin/stock/supplier-returns/new", data=sent) for _ in range(2)]
    assert first.headers["location"] == again.headers["location"]
    assert await shop.db.value("SELECT sum(quantity) FROM movement WHERE cause = 'supplier_return'") == -3
    assert "Bodum" in (await api.get("/admin/stock/supplier-returns")).text


@pytest.mark.browser
async def test_goods_are_sent_back_and_credited(site: Site, shop) -> None:
    sku = await ready(shop)
    page = await site.staff(width=390)
    await page.goto("/admin/stock/supplier-returns")
    await page.get_by_role("link", name="Send goods back").first.click()
    await page.get_by_label("Supplier", exact=True).select_option("bodum")
    await page.get_by_label("From", exact=True).select_option("dc")
    await page.get_by_label("What goes back").fill(f"{sku} 2")
    await site.picture(page, "supplier-return-new")
    await page.get_by_role("button", name="Send back").click()
    await expect(page.locator(".page-head .badge")).to_have_text("Credit awaited")
    await page.get_by_label("Amount, without tax").fill("60")
    await page.get_by_role("button", name="Book it").click()
    await expect(page.get_by_role("heading", name="Credits")).to_be_visible()
    await site.picture(page, "supplier-return")
    await site.fine(page)
    await page.goto("/admin/tax/schemes")
    await site.picture(page, "tax-schemes")
    await page.goto("/admin/tax/schemes/new")
    await site.picture(page, "tax-scheme")
    await site.fine(page)
