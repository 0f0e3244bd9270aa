"""A whole day at a till without network, in a browser: each act is in the journal, and the server agrees in the evening."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from browser import Site
from market import Market
from playwright.async_api import Page, expect

from samlad import carts, credit, customers, orders
from samlad.app import CHECKS
from samlad.carts import CartInput, LineInput
from samlad.channels import Resource
from samlad.credit import ProgrammeInput
from samlad.customers import PersonInput
from samlad.kernel.context import Context
from samlad.payments import PaymentInput
from samlad.promotions import service as promotion_service
from samlad.promotions.model import CodesInput, PromotionInput

TILL = "/pos/soder"
EVICT = """async () => {
    const { open } = await import("/static/pos/offline/database.js");
    (await open("soder")).close();
    await new Promise((resolve, reject) => {
        const gone = indexedDB.deleteDatabase("samlad-till-soder");
        gone.onsuccess = resolve;
        gone.onerror = () => reject(gone.error);
    });
}"""

JOURNAL = """async () => {
    const { open } = await import("/static/pos/offline/database.js");
    const { all } = await import("/static/pos/offline/journal.js");
    return JSON.stringify(await all(await open("soder")));
}"""


async def _act(page: Page, name: str) -> None:
    if await page.locator(f'footer [data-act="{name}"]').count():
        await page.locator(f'[data-act="{name}"]').click()
    else:
        await page.locator(f'[data-act="{name}"]').evaluate("(button) => button.click()")
    await expect(page.locator("#panel")).to_be_visible()


async def _fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        await page.locator(f"#panel-{name}").fill(value)


async def _scan(page: Page, code: str) -> None:
    await page.locator("#code").fill(code)
    await page.locator("#code").press("Enter")


async def _sell(page: Page) -> None:
    await page.locator('[data-pay="cash"]').click()
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#done")).to_be_visible()


async def _member(market: Market, variant: UUID) -> tuple[UUID, str]:
    """Kim, a member who bought here."""
    pool = market.stores[0].pools[Resource.CUSTOMERS]
    club = msgspec.convert({"channel": str(market.web.id), "name": "Club", "rates": []}, ProgrammeInput)

    async def work(tx: Any) -> tuple[UUID, str]:
        await credit.set_programme(tx, club)
        person = PersonInput(email="kim@example.org", name="Kim Berg", phone="+46701234567")
        kim = await customers.find_or_create(tx, pool, person)
        code = (await credit.enrol(tx, kim.id)).code
        lines = [LineInput(variant=variant, quantity=1)]
        cart = await carts.create(tx, CartInput(channel=market.stores[0].id, customer=kim.id, lines=lines))
        await orders.place(tx, orders.PlaceOrder(cart=cart.id, payments=[PaymentInput(provider="cash")]))
        return kim.id, code

    return await market.db.transaction(work, Context())


async def _somebody_new(site: Site, page: Page) -> None:
    """Whom nobody knows is written down, and buys."""
    await page.set_viewport_size({"width": 1440, "height": 900})
    await _scan(page, "KETTLE")
    await _act(page, "customer")
    await _fill(page, q="070-555 44 33")
    await page.locator("#panel-rows button", has_text="New customer").click()
    await expect(page.locator("#panel-phone")).to_have_value("070-555 44 33")
    await page.locator("#panel-act").click()
    await expect(page.locator("#panel-wrong")).to_contain_text("a number needs a name")
    await _fill(page, name="سوار Öst")
    await site.fine(page)
    await site.picture(page, "till-day-somebody-new")
    await page.locator("#panel-act").click()
    await expect(page.locator("#whose")).to_contain_text("سوار Öst")
    await page.locator('[data-pay="card"]').click()
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#done")).to_be_visible()
    await page.locator("#next").click()


async def _report(page: Page) -> list[str]:
    """What a report says, a row each: its text, a tab, its amount."""
    return await page.locator("#panel-rows li").evaluate_all(
        "(rows) => rows.map((row) => [row.firstChild.textContent, row.querySelector('[data-slot=about]')?.textContent].join('\\t'))"
    )


async def _train(site: Site, page: Page, number: str) -> None:
    """In training goods come back and a drawer is opened: afterwards nothing of it has been."""
    switch = "(box) => box.click()"
    await page.locator("#training").evaluate(switch)
    await expect(page.locator("#is-training")).to_be_visible()
    await expect(page.locator("#drawer-name")).to_be_empty()
    await _act(page, "returns")
    await _fill(page, number=number)
    await page.locator("#panel-rows button").first.click()
    await page.locator("#panel-fields input").first.fill("1")
    await page.locator("#panel-act").click()
    await expect(page.locator("#said")).to_contain_text("170")
    await _act(page, "drawer")
    await _fill(page, name="Trial", amount="5")
    await page.locator("#panel-act").click()
    await expect(page.locator("#drawer-name")).to_contain_text("Trial")
    await site.picture(page, "till-day-training")
    await page.locator("#training").evaluate(switch)
    await expect(page.locator("#drawer-name")).to_contain_text("1")


@pytest.mark.browser
@pytest.mark.slow
async def test_a_whole_day_without_network(site: Site, market: Market) -> None:
    product = await market.product(sku="KETTLE", title="Kittel", price=20_000, stock=(30, 0))
    kim, card = await _member(market, product.variants[0].id)
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    data = {"channel": str(market.web.id), "name": "Leaflet", "terms": terms, "is_automatic": False}

    async def leaflet(tx: Any) -> None:
        made = await promotion_service.create(tx, msgspec.convert(data, PromotionInput))
        await promotion_service.add_codes(tx, made.id, CodesInput(codes=["LEAF10"]))

    await market.db.transaction(leaflet)
    page = await site.staff(width=1440, service_workers="allow")
    await page.goto(TILL)
    await expect(page.locator('[data-store="soder"][data-kept="true"][data-goods="true"]')).to_have_count(1)
    await page.context.set_offline(True)  # it goes on by itself
    await expect(page.locator("[data-till][data-ready]")).to_have_count(1)
    # The drawer is opened.
    await _act(page, "drawer")
    await _fill(page, name="1", amount="1000")
    await site.fine(page)
    await page.locator("#panel-act").click()
    await expect(page.locator("#drawer-name")).to_contain_text("1")
    # A member with a code and something off by hand; parked, reloaded, taken up again, and sold.
    await _scan(page, card.lower())
    await expect(page.locator("#whose")).to_contain_text("Kim Berg")
    await _scan(page, "KETTLE")
    await _act(page, "code")
    await _fill(page, code="leaf-10")
    await page.locator("#panel-act").click()
    await expect(page.locator("#total")).to_contain_text("180")
    await _act(page, "discount")
    await _fill(page, value="100", reason="Dented")
    await page.locator("#panel-rows button").first.click()
    await expect(page.locator("#panel-wrong")).not_to_be_empty()  # more than a clerk gives alone
    await _fill(page, value="9.60")  # 170.40: coins pay 170
    await page.locator("#panel-rows button").first.click()
    await expect(page.locator("#total")).to_contain_text("170")
    await _act(page, "parked")
    await _fill(page, label="Back soon")
    await page.locator("#panel-act").click()
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(0)
    await page.reload()
    await expect(page.locator("[data-till][data-ready]")).to_have_count(1)
    await _act(page, "parked")
    await page.locator("#panel-rows button").first.click()
    await expect(page.locator("#total")).to_contain_text("170")
    await expect(page.locator("#whose")).to_contain_text("Kim Berg")
    await _sell(page)
    number = (await page.locator("#receipt-head").text_content() or "").split(" · ")[1]
    await page.locator("#next").click()
    await _train(site, page, number)
    # It comes back, by its number; and so does a sale of before, which the till has taken along.
    await _act(page, "returns")
    await _fill(page, number=number)
    await page.locator("#panel-rows button").first.click()
    await expect(page.locator("#panel-title")).to_contain_text(number)
    await page.locator("#panel-fields input").first.fill("2")
    await page.locator("#panel-act").click()
    await expect(page.locator("#panel-wrong")).not_to_be_empty()
    await page.locator("#panel-fields input").first.fill("1")
    await page.locator("#panel-act").click()
    await expect(page.locator("#said")).to_contain_text("170")
    await _act(page, "returns")
    await _fill(page, number=number)
    await expect(page.locator("#panel-rows button")).to_have_count(0)
    await site.picture(page, "till-day-returns")
    await page.keyboard.press("Escape")
    # A gift card is refused with words, and the drawer is counted.
    await _act(page, "code")
    await _fill(page, code="ABCD-2345-6789-ABCD")
    await page.locator("#panel-act").click()
    await expect(page.locator("#panel-wrong")).to_contain_text("gift card")
    await page.keyboard.press("Escape")
    await _act(page, "drawer")
    await page.locator("#panel-rows button", has_text="X").click()  # looked at, and the drawer stays open
    await expect(page.locator("#panel-title")).to_contain_text("X report")
    said = {row.split("\t")[0]: row for row in await _report(page)}
    assert "170" in said["Given back"]
    assert "0.40" not in said["Given back"]  # as coins went out
    assert said["Number of sales"].endswith("1")
    await site.fine(page)
    await page.keyboard.press("Escape")
    await _act(page, "drawer")
    await page.locator("#panel-rows button", has_text="Count").click()
    await page.locator('[name="100000"]').fill("1")
    await page.set_viewport_size({"width": 390, "height": 900})
    await site.fine(page)
    await site.picture(page, "till-day-count")
    await page.locator("#panel-act").click()
    await expect(page.locator("#panel-title")).to_contain_text("1")
    [difference] = [row for row in await _report(page) if row.startswith("Difference")]
    assert not set(difference) & set("123456789"), difference
    await page.keyboard.press("Escape")
    await _somebody_new(site, page)
    # In the evening.
    await expect(page.locator("#unsent")).to_have_attribute(
        "data-unsent", "7"
    )  # what was there before is 0, too
    await page.context.set_offline(False)
    await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
    rows = await market.db.rows("SELECT kind, state, objections FROM till_sale ORDER BY sequence")
    assert [(row["kind"], row["state"]) for row in rows] == [
        ("drawer-open", "done"),
        ("sale", "ordered"),
        ("return", "training"),
        ("drawer-open", "training"),
        ("return", "done"),
        ("drawer-close", "done"),
        ("sale", "ordered"),
    ]
    assert [row["objections"] for row in rows] == [[]] * 7
    new = await market.db.row(
        "SELECT c.name, c.phone FROM orders o JOIN customer c ON c.id = o.customer WHERE o.total = 20000 AND c.email IS NULL"
    )
    assert new is not None
    assert tuple(new) == ("سوار Öst", "070-555 44 33")
    assert "070-555 44 33" not in await page.evaluate(JOURNAL), (
        "once it is sent the device has forgotten who it was"
    )
    assert await market.db.value("SELECT customer FROM orders WHERE total = 17000") == kim
    # The database is thrown away, with a sale in it that was not sent: the till says so, and the server hears of it.
    await page.context.set_offline(True)
    await _scan(page, "KETTLE")
    await _sell(page)
    await page.evaluate(EVICT)
    await page.goto(f"{TILL}/offline")
    await expect(page.locator("#storage .danger")).to_contain_text("8")
    async with page.expect_response("**/api/till-sales/batch") as told:
        await page.context.set_offline(False)
    assert (await told.value).ok
    gap = await market.db.row("SELECT number, is_lost FROM till_gap")
    assert gap is not None
    assert tuple(gap) == (8, True)
    for check in CHECKS:
        if check.name.startswith(("stock", "order", "till")):
            finding = await check.look(market.db)
            assert finding.status == "ok", f"{check.name}: {finding.message}"
