"""Goods by weight: scanned from a scale's code, typed with tare, sold, on the receipt, taken back in part; without network, too."""

import re
from uuid import UUID

import httpx
import pytest
from browser import Site
from market import Market, hidden, text_of
from playwright.async_api import expect

from samlad import channels, orders
from samlad.app import CHECKS
from samlad.catalog import ProductChange, products
from samlad.catalog.model import VariantInput
from samlad.channels.model import ChannelChange
from samlad.kernel.problems import InvalidInput
from samlad.stock import scale_codes

HTMX = {"hx-request": "true"}


async def cheese(market: Market) -> UUID:
    """Cheese at 199.00 a kilogram, five kilograms of it; the store's scales print as GS1 Sweden says. The variant."""
    change = ChannelChange(settings={**market.stores[0].own.settings, "scale_codes": ["se"]})
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, change))
    made = await market.product(
        title="Cheese", variants=[{"sku": "100123", "sold_by": "weight"}], price=19_900, stock=(5_000,)
    )
    return made.variants[0].id


async def post(clerk: httpx.AsyncClient, path: str, **data: str) -> httpx.Response:
    return await clerk.post(f"/pos/soder/{path}", data=data, headers=HTMX)


async def test_cheese_by_the_gram(clerk: httpx.AsyncClient, market: Market) -> None:
    variant = await cheese(market)
    shown = text_of((await post(clerk, "scan", code=scale_codes.made("23IIIIIIWWWWC.3", "100123", 770))).text)
    assert "0.770 kg" in shown
    assert "153.23" in shown
    # A price of 45.50 is 228 g: a gram more would cost more than the label says.
    shown = text_of(
        (await post(clerk, "scan", code=scale_codes.made("20IIIIIIPPPPC.2", "100123", 4_550))).text
    )
    assert "0.998 kg" in shown
    first = await post(clerk, "scan", code="100123")
    assert first.headers["hx-redirect"] == f"/pos/soder/weigh?variant={variant}"
    assert "/kg" in text_of((await clerk.get(first.headers["hx-redirect"])).text)
    wrong = await clerk.post(
        "/pos/soder/weigh", data={"variant": str(variant), "gross": "0,5", "tare": "0,5"}
    )
    assert wrong.status_code == 422
    assert "packaging weighs less" in text_of(wrong.text)
    taken = {"variant": str(variant), "gross": "0,522", "tare": "0.020"}
    assert (await clerk.post("/pos/soder/weigh", data=taken)).status_code == 303
    page = (await clerk.get("/pos/soder")).text
    assert "1.500 kg" in text_of(page)
    line = re.search(r"weigh\?variant=[0-9a-f-]{36}(?:&amp;|&)line=([0-9a-f-]{36})", page)
    assert line is not None
    again = {"variant": str(variant), "line": line[1], "gross": "1.478"}
    assert (await clerk.post("/pos/soder/weigh", data=again)).status_code == 303

    html = (await clerk.get("/pos/soder/pay?by=card")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "card", "token": "ok"}
    assert form["total"] == "29412"  # 1.478 × 199.00, rounded once
    sold = await clerk.post("/pos/soder/pay", data=form)
    order_id = UUID(re.search(r"/sales/([0-9a-f-]{36})", sold.headers["location"])[1])  # type: ignore[index]
    order = await orders.read(market.db, order_id)
    bought = order.lines[0]
    assert (bought.quantity, bought.unit_price, bought.sold_by, order.items) == (1_478, 19_900, "weight", 1)
    assert "1.478 kg × SEK 199.00/kg" in text_of((await clerk.get(sold.headers["location"])).text).replace(
        "\xa0", " "
    )
    left = "SELECT on_hand FROM level WHERE variant = $1 AND location = $2"
    assert await market.db.value(left, variant, market.places[0].id) == 3_522

    here = f"/pos/soder/returns/{order_id}"
    chosen = {"id": hidden((await clerk.get(here)).text, "id"), "return-1": "478", "way": "card"}
    piece = (await clerk.post(f"{here}/preview", data=chosen, headers=HTMX)).text
    agreed = {**chosen, "fingerprint": hidden(piece, "fingerprint"), "act": "apply"}
    assert (await clerk.post(here, data=agreed)).status_code == 303
    assert (await orders.read(market.db, order_id)).refunded == 29_412 - 19_900
    for check in CHECKS:
        if check.name.startswith(("stock", "order", "payment")):
            finding = await check.look(market.db)
            assert finding.status == "ok", f"{check.name}: {finding.message}"

    change = ProductChange(variants=[VariantInput(sku="100123", sold_by="piece")])  # type: ignore[arg-type]
    product = await market.db.value("SELECT product FROM variant WHERE id = $1", variant)
    with pytest.raises(InvalidInput) as refused:
        await market.db.transaction(lambda tx: products.change(tx, product, change))
    assert refused.value.errors[0].field == "variants/0/sold_by"


@pytest.mark.browser
async def test_cheese_without_network(site: Site, market: Market) -> None:
    await cheese(market)
    page = await site.staff(width=1440, service_workers="allow")
    await page.goto("/pos/soder")
    await expect(page.locator('[data-store="soder"][data-kept="true"][data-goods="true"]')).to_have_count(1)
    await page.goto("/pos/soder/weigh?variant=" + str(await market.db.value("SELECT id FROM variant")))
    await site.picture(page, "till-weigh")
    await site.fine(page)
    await expect(page.locator('[data-store="soder"][data-kept="true"]')).to_have_count(1)
    await page.context.set_offline(True)  # it goes on by itself
    await expect(page.locator("[data-till][data-ready]")).to_have_count(1)
    await page.locator("#code").fill(scale_codes.made("23IIIIIIWWWWC.3", "100123", 770))
    await page.keyboard.press("Enter")
    await expect(page.locator("#ticket li")).to_contain_text("0.770 kg")
    await page.locator("#code").fill("100123")
    await page.keyboard.press("Enter")
    await page.locator("#panel-gross").fill("0.25")
    await page.locator("#panel-tare").fill("0.02")
    await site.picture(page, "till-offline-weigh")
    await page.locator("#panel-act").click()
    await expect(page.locator("#ticket li")).to_contain_text("1.000 kg")
    await site.picture(page, "till-offline-weighed")
    await site.fine(page)
    await page.locator('[data-pay="card"]').click()
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#receipt-lines")).to_contain_text("1.000 kg")
    await expect(page.locator("#unsent")).to_have_attribute(
        "data-unsent", "1"
    )  # what was there before is 0, too
    await page.context.set_offline(False)
    await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
    [line] = await market.db.rows("SELECT quantity, sold_by, total FROM order_line WHERE kind = 'item'")
    assert dict(line) == {"quantity": 1_000, "sold_by": "weight", "total": 19_900}
    [sent] = await market.db.rows("SELECT objections FROM till_sale")
    assert sent["objections"] == []
