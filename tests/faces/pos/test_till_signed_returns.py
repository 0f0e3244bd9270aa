"""Goods come back at a till without network with a receipt that another till has signed without network."""

from uuid import UUID

import pytest
from browser import Site
from market import Market
from playwright.async_api import Page, expect
from test_till_day import _act, _fill, _member
from test_till_offline import _open, _ready, _scan
from test_till_signed import _kid, _scanned

import horizon
from samlad.kernel import followers
from samlad.kernel.clock import now
from samlad.tills import code_in, waiting_returns

SIGNED = """async ([text, day]) => {
    const { read, numberOfShop } = await import("/static/pos/offline/signed.js");
    return [await read(text, day), numberOfShop(text)];
}"""
KEYS = """async (kid) => {
    const { meta, open } = await import("/static/pos/offline/database.js");
    for (let tries = 0; tries < 600; tries++) {
        const db = await open("soder"), day = await meta(db, "day");
        db.close();
        if (day?.keys?.some((each) => each[0] === kid)) return day.keys;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("the till does not know the key");
}"""


class Works:
    """What a job is given."""

    def __init__(self, market: Market) -> None:
        self.database = market.db


async def _sold_in_cash(page: Page) -> str:
    """Two kettles for cash; the address in the receipt's code."""
    await _scan(page, "KETTLE")
    await _scan(page, "KETTLE")
    await page.locator('[data-pay="cash"]').click()
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#done")).to_be_visible()
    found = await _scanned(page)
    await page.locator("#next").click()
    return found


async def _look_up(page: Page, text: str) -> None:
    await _act(page, "returns")
    await _fill(page, number=text)
    await page.locator("#panel-act").click()


@pytest.mark.browser
@pytest.mark.slow
async def test_a_receipt_that_another_till_signed_comes_back_before_its_sale(
    site: Site, market: Market
) -> None:
    await market.product(sku="KETTLE", title="Kittel", price=20_000, stock=(9, 0))
    sells = await site.staff(service_workers="allow")
    takes = await site.staff(service_workers="allow")
    await _ready(sells)
    kid = await _kid(sells)
    await sells.context.set_offline(True)
    await _open(sells)
    address = await _sold_in_cash(sells)
    await _ready(takes)
    await _checks(takes, address, await takes.evaluate(KEYS, kid))
    await takes.context.set_offline(True)
    await _open(takes)
    await _look_up(takes, address)
    await expect(takes.locator("#panel-title")).to_contain_text((code_in(address) and "-000001") or "")
    await expect(takes.locator("#panel-note")).to_contain_text("400")
    await site.fine(takes)
    await site.picture(takes, "till-signed-return")
    # What is no goods, no number, or more than the receipt came to is not taken.
    for code, quantity, amount in (
        ("NOTHING", "1", "200"),
        ("KETTLE", "x", "200"),
        ("KETTLE", "1", ""),
        ("KETTLE", "3", "600"),
    ):
        await _fill(takes, code=code, quantity=quantity, amount=amount)
        await takes.locator("#panel-act").click()
        await expect(takes.locator("#panel-wrong")).not_to_be_empty()
    await _fill(takes, code="KETTLE", quantity="1", amount="200")
    await takes.locator("#panel-act").click()
    await expect(takes.locator("#panel-rows button")).to_have_count(2)
    await takes.set_viewport_size({"width": 390, "height": 900})
    await site.fine(takes)
    await site.picture(takes, "till-signed-return-line")
    await takes.locator("#panel-rows button").last.click()
    await expect(takes.locator("#said")).to_contain_text("200")
    # So much of it cannot come back here once more.
    await _look_up(takes, address)
    await _fill(takes, code="KETTLE", quantity="2", amount="400")
    await takes.locator("#panel-act").click()
    await expect(takes.locator("#panel-wrong")).to_contain_text("200")
    await takes.keyboard.press("Escape")
    # The return is sent before the sale: it waits. Then that comes, and both are booked.
    await expect(takes.locator("#unsent")).to_have_attribute("data-unsent", "1")
    await takes.context.set_offline(False)
    await expect(takes.locator("#unsent")).to_have_attribute("data-unsent", "0")
    row = await market.db.row("SELECT id, state, objections FROM till_sale WHERE kind = 'return'")
    assert row is not None
    assert (row["state"], [each["code"] for each in row["objections"]]) == ("kept", ["receipt-waits"])
    await sells.context.set_offline(False)
    await expect(sells.locator("#unsent")).to_have_attribute("data-unsent", "0")
    await followers.register(market.db, waiting_returns.FOLLOWERS)
    await horizon.passed(market.db)
    while await followers.step(market.db, waiting_returns.FOLLOWERS[0]):
        await horizon.passed(market.db)
    assert (
        await market.db.value(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = $1", waiting_returns.JOB
        )
        == 1
    )
    await waiting_returns.book(Works(market), UUID(str(row["id"])))
    found = await market.db.row("SELECT state, objections, needs_look FROM till_sale WHERE kind = 'return'")
    assert found is not None
    assert tuple(found) == ("done", [], False)
    assert await market.db.value("SELECT refunded FROM orders WHERE kind = 'sale'") == 20_000
    assert site.complaints == []


async def _checks(page: Page, address: str, keys: list[list[object]]) -> None:
    """What the till says of texts that are ours, and of others."""

    async def why(text: str, known: list[list[object]]) -> object:
        said, _ = await page.evaluate(SIGNED, [text, known])
        return None if said is None else said.get("why", said.get("total"))

    token = code_in(address) or ""
    head, body, signature = token.split(".")
    mine = [each[:] for each in keys]
    assert await why(address, mine) == 40_000
    assert await why("0042-000001", mine) is None
    assert await why(address, []) == "key"
    forged = "A" if signature[0] != "A" else "B"
    assert await why(f"{head}.{body}.{forged}{signature[1:]}", mine) == "forged"
    assert await why(f"{head}.{'A' * len(body)}.{signature}", mine) == "forged"
    assert await why(address, [[each[0], "FFFF", *each[2:]] for each in mine]) == "forged"
    assert await why(address, [[*each[:2], "AAAA", *each[3:]] for each in mine]) == "forged"
    assert await why(address, [[*each[:3], 1, None] for each in mine]) == "replaced"
    assert await why(address, [[*each[:3], int(now().timestamp()) + 60, None] for each in mine]) == 40_000
    assert await why(address, [[*each[:4], 1] for each in mine]) == "revoked"


@pytest.mark.browser
@pytest.mark.slow
async def test_what_cannot_be_checked_goes_on_without_a_receipt(site: Site, market: Market) -> None:
    product = await market.product(sku="KETTLE", title="Kittel", price=20_000, stock=(9, 0))
    kim, card = await _member(market, product.variants[0].id)
    page = await site.staff(service_workers="allow")
    await _ready(page)
    await _kid(page)
    await page.context.set_offline(True)
    await _open(page)
    await _sold_in_cash(page)
    code = await _sold_in_cash(page)  # it comes back whole
    await _look_up(page, code)
    await _fill(page, **{"0": "2"})
    await page.locator("#panel-act").click()
    await expect(page.locator("#said")).to_contain_text("400")
    for number, rows in (("-000002", 0), ("-000001", 1)):
        await _act(page, "returns")
        await _fill(page, number=number)
        await expect(page.locator("#panel-rows button")).to_have_count(rows)
        await page.keyboard.press("Escape")
    await _look_up(page, code)
    await expect(page.locator("#panel-wrong")).to_contain_text("has come back here")
    await page.keyboard.press("Escape")
    await _look_up(page, f"T1.{'A' * 80}.{'A' * 86}")
    await expect(page.locator("#panel-note")).to_contain_text("No till of ours has signed")
    await site.fine(page)
    await site.picture(page, "till-signed-forged")
    await page.keyboard.press("Escape")
    await _look_up(page, "9999-000009")
    await expect(page.locator("#panel-note")).to_contain_text("does not know this receipt")
    await page.locator("#panel-rows button").click()
    await _fill(page, q=card)
    await page.locator("#panel-rows button").click()
    await expect(page.locator("#panel-title")).to_contain_text("Kim B")
    await _fill(page, code="KETTLE", reason="The receipt was lost")
    await page.locator("#panel-act").click()
    await expect(page.locator("#panel-rows button")).to_have_count(2)
    await site.fine(page)
    await site.picture(page, "till-without-receipt")
    await page.locator("#panel-rows button").last.click()
    await expect(page.locator("#said")).to_contain_text("store credit")
    await page.context.set_offline(False)
    await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
    rows = await market.db.rows("SELECT kind, state, objections FROM till_sale ORDER BY sequence")
    assert [(row["kind"], row["state"], row["objections"]) for row in rows] == [
        ("sale", "ordered", []),
        ("sale", "ordered", []),
        ("return", "done", []),
        ("return-unknown", "done", []),
    ]
    credited = "SELECT sum(balance) FROM credit_account WHERE holder = $1 AND kind = 'store_credit'"
    assert await market.db.value(credited, kim) == 20_000
    assert site.complaints == []
