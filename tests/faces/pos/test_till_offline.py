"""The till without network, in a browser: it opens, sells, is closed and cut off in the middle, and loses nothing."""

import json
import os
import random
import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from browser import Site
from market import Market
from playwright.async_api import BrowserContext, Page, Route, expect

from samlad.app import CHECKS
from samlad.kernel.clock import local_day, now
from samlad.promotions import service as promotion_service
from samlad.promotions.model import PromotionInput

SALES = 16
"""So many are rung up in the suite; ``pytest -m soak`` rings up thousands."""
SOAK = int(os.environ.get("SAMLAD_SOAK_SALES", "2000"))
TILL = "/pos/soder"

CARRIED = """async (size) => {
    const { ask, meta, open } = await import("/static/pos/offline/database.js");
    const { Goods, refresh, restore } = await import("/static/pos/offline/goods.js");
    const row = (n) => [`id-${n}`, `SKU-${n}`, String(10_000_000_000_000 + n), `Article ${n}`, "Red, 36", 19900, "standard", null, `p-${n}`,
        [[["list", 1, 19900]], [`category:${n % 40}`, "brand:acme"], true, null, null]];
    const page = (from) => ({
        is_whole: true, gone: [], upto: "1-1", at: new Date().toISOString(), stock: [], lease: [], lease_ends: null, store: {}, rules: {},
        rows: Array.from({ length: Math.min(5_000, size - from) }, (_, n) => row(from + n)),
        next: from + 5_000 < size ? String(from + 5_000) : null,
    });
    const db = await open("carried"), took = {};
    const timed = async (name, work) => {
        const began = performance.now(), answer = await work();
        (took[name] ??= []).push(performance.now() - began);
        return answer;
    };
    await timed("load", () => refresh(db, "carried", async ({ cursor }) => page(Number(cursor ?? 0))));
    const goods = new Goods();
    const pack = await timed("open", () => restore(db, goods));
    if (pack.size !== size) throw new Error(`${pack.size} articles`);
    for (let n = 0; n < size; n += Math.ceil(size / 200)) {
        const code = n % 2 ? `sku-${n}` : String(10_000_000_000_000 + n);
        const found = await timed("scan", () => goods.scan(code));
        if (found?.[0] !== `id-${n}`) throw new Error(`${code} was not found`);
    }
    if (await goods.scan("nothing")) throw new Error("something was found");
    await timed("names", () => goods.fill());
    const [found] = await timed("search", () => goods.search(`article ${size - 1}`));
    if (found?.[0] !== `id-${size - 1}`) throw new Error("words were not found");
    goods.put([...row(7).slice(0, 3), "Renamed", ...row(7).slice(4)]);
    goods.remove("id-8");
    if ((await goods.scan("SKU-7"))[3] !== "Renamed" || (await goods.search("renamed")).length !== 1) throw new Error("a change was not found");
    if ((await goods.scan("SKU-8")) || (await goods.search("article 8")).some((each) => each[0] === "id-8")) throw new Error("what is gone was found");
    db.close();
    await ask(indexedDB.deleteDatabase("samlad-till-carried"));
    // Of many scans the one that 19 of 20 are quicker than: others use this machine, too.
    return Object.fromEntries(Object.entries(took).map(([name, all]) => [name, all.sort((a, b) => a - b)[Math.floor((all.length - 1) * 0.95)]]));
}"""


async def _ready(page: Page) -> None:
    await page.goto(TILL)
    await expect(page.locator('[data-store="soder"][data-kept="true"][data-goods="true"]')).to_have_count(1)


async def _open(page: Page) -> None:
    await expect(page.locator("[data-till][data-ready]")).to_have_count(1)


async def _scan(page: Page, code: str) -> None:
    await page.locator("#code").fill(code)
    await page.locator("#code").press("Enter")


async def _journal(page: Page) -> list[dict[str, Any]]:
    text = await page.evaluate(
        """async () => {
            const { open } = await import("/static/pos/offline/database.js");
            const { all } = await import("/static/pos/offline/journal.js");
            return JSON.stringify(await all(await open("soder")));
        }"""
    )
    return json.loads(text)


async def _settled(site: Site, market: Market, sold: set[str]) -> None:
    """Every sale that was acknowledged is one order, none is twice, and the ledger adds up."""
    rows = await market.db.rows(
        "SELECT id::text AS id, state, order_id, order_id IS NULL AS lost FROM till_sale"
    )
    assert {row["id"] for row in rows} >= sold
    assert [row["id"] for row in rows if row["lost"]] == []
    assert len({row["order_id"] for row in rows}) == len(rows)
    assert await market.db.value("SELECT count(*) FROM orders WHERE delivery = 'carry_out'") == len(rows)
    for check in CHECKS:
        if check.name.startswith(("stock", "order-stock", "order-totals", "till")):
            finding = await check.look(market.db)
            assert finding.status == "ok", f"{check.name}: {finding.message}"


class Fuzz:
    """Somebody who sells while everything goes wrong."""

    def __init__(self, context: BrowserContext, chance: random.Random) -> None:
        self.context = context
        self.chance = chance
        self.sold: set[str] = set()
        self.loses = 0
        self.lost = 0

    async def lose_answers(self, route: Route) -> None:
        """The server has done it, and the till never hears of it."""
        if self.loses:
            self.loses -= 1
            self.lost += 1
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    async def page(self) -> Page:
        """A window of the till, whether there is a network or not."""
        page = await self.context.new_page()
        await page.goto(f"{TILL}/offline")
        await _open(page)
        return page

    async def sell(self, page: Page, *, dies: bool = False) -> None:
        """Ring one up; what the screen says is sold is noted. Who dies does so when the button was pressed."""
        for _ in range(self.chance.randint(1, 2)):
            await _scan(page, self.chance.choice(["KETTLE", "POT", "73100706"]))
        await expect(page.locator("#ticket li[data-variant]").first).to_be_visible()
        way = self.chance.choice(["cash", "card"])
        await page.locator(f'[data-pay="{way}"]').click()
        await page.locator("#pay-quick button").first.click()
        if dies:
            await page.close(run_before_unload=False)
            return
        await expect(page.locator("#done")).to_be_visible()
        self.sold.add(await page.locator("#receipt").get_attribute("data-sale") or "")
        await page.locator("#next").click()


async def _fuzz(site: Site, market: Market, sales: int, seed: int) -> None:
    chance = random.Random(seed)
    await market.product(sku="KETTLE", title="Kittel", price=19_900, stock=(sales // 4, 0))
    await market.product(
        title="Gryta", handle="pot", variants=[{"sku": "POT", "gtin": "73100706"}], stock=(3, 0)
    )
    first = await site.staff(service_workers="allow")
    await _ready(first)
    fuzz = Fuzz(first.context, chance)
    await first.context.route("**/api/till-sales/batch", fuzz.lose_answers)
    pages = [first]
    await first.context.set_offline(True)
    await _open(first)  # by itself
    await first.goto(TILL)  # the till's own address opens without network
    await _open(first)
    await first.goto(f"{TILL}/offline")  # stays at it when there is a network
    await _open(first)
    is_off = True
    while len(fuzz.sold) < sales:
        page = chance.choice(pages)
        act = chance.random()
        if act < 0.12:
            is_off = not is_off
            await fuzz.context.set_offline(is_off)
        elif act < 0.2:
            await page.reload()
            await _open(page)
        elif act < 0.26 and len(pages) < 2:
            pages.append(await fuzz.page())
        elif act < 0.38:  # closed in the middle of a ticket, or of a sale
            await fuzz.sell(page, dies=True)
            pages = [each for each in pages if each is not page] or [await fuzz.page()]
        elif act < 0.44:
            fuzz.loses = 1
        else:
            await fuzz.sell(page)
    page = pages[0]
    await fuzz.context.set_offline(True)
    await fuzz.sell(page)
    fuzz.loses = 1
    await expect(page.locator("#unsent")).not_to_have_attribute("data-unsent", "0")
    await fuzz.context.set_offline(False)
    await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
    kept = await _journal(page)
    assert fuzz.sold <= {sale["id"] for sale in kept}
    assert {sale["state"] for sale in kept} == {"sent"}
    assert fuzz.lost
    assert any(sale["verdict"]["is_known"] for sale in kept)  # its answer was lost, and it was sent again
    await _settled(site, market, fuzz.sold)


@pytest.mark.browser
@pytest.mark.slow
async def test_a_day_without_network(site: Site, market: Market) -> None:
    await market.product(
        title="Kittel",
        handle="kettle",
        variants=[{"sku": "KETTLE", "gtin": "7310865004703"}],
        price=19_950,
        stock=(9, 0),
    )
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    data = {"channel": str(market.web.id), "name": "Kettle week", "terms": terms, "is_automatic": True}
    await market.db.transaction(
        lambda tx: promotion_service.create(tx, msgspec.convert(data, PromotionInput))
    )
    page = await site.staff(width=1440, service_workers="allow")
    await _ready(page)
    await expect(page.locator("[data-unsent]")).to_contain_text("0")
    await _scan(page, "KETTLE")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(1)
    await page.wait_for_function("document.querySelector('#ticket').dataset.cart")
    # The network fails: the till goes on by itself, with what was on the ticket.
    await page.context.set_offline(True)
    await _open(page)
    await expect(page.locator("#net")).to_have_attribute("data-state", "network")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(1)
    await site.picture(page, "till-offline")
    await _scan(page, "7310865004703")
    await expect(page.locator("#ticket li input")).to_have_value("2")
    await _scan(page, "kitt")
    await expect(page.locator("#results button")).to_have_count(1)
    await site.fine(page)
    await page.locator('[data-pay="cash"]').click()
    # Ten percent are off without the server, too; and in Sweden there are no öre.
    await expect(page.locator("#pay-due")).to_contain_text("359")
    await site.picture(page, "till-offline-pay")
    await page.locator("#pay-amount").fill("500")
    await page.locator("#pay-form button").click()
    await expect(page.locator("#change")).to_contain_text("141")
    await site.picture(page, "till-offline-receipt")
    await site.fine(page)
    # A window that is closed and opened again has everything.
    await page.goto(TILL)
    await _open(page)
    await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "1")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(0)
    await page.set_viewport_size({"width": 390, "height": 900})
    await page.locator("#unsent-button").click()
    await expect(page.locator("#sales li")).to_have_count(1)
    await site.fine(page)
    async with page.expect_download() as loading:
        await page.locator("#export").click()
    file = await (await loading.value).path()
    assert json.loads(file.read_text())["sales"][0]["entry"]["total"] == 35_910
    # It is back: the sale is sent, once, and the online till is a link away.
    await page.locator("#journal [data-close]").first.click()
    await page.context.set_offline(False)
    await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
    await expect(page.locator("#back")).to_be_visible()
    [order] = await market.db.rows("SELECT id, total, paid, cart, status FROM orders")
    assert (order["total"], order["paid"], order["status"]) == (35_900, 35_900, "fulfilled")
    assert await market.db.value("SELECT amount FROM promotion_use WHERE order_id = $1", order["id"]) == 3_990
    assert order["cart"] is not None
    [sent] = await market.db.rows("SELECT objections, needs_look FROM till_sale")
    assert (sent["objections"], sent["needs_look"]) == ([], False)  # the till reckons as the server does
    took = await page.evaluate(CARRIED, 10_000)
    assert took["scan"] < 50, took
    await page.locator("#unsent-button").click()
    await page.locator("#import").set_input_files(file)  # the same journal again changes nothing
    await expect(page.locator("#said")).to_contain_text("0")
    await page.locator("#back a").click()
    await expect(page.locator("[data-unsent]")).to_contain_text("0")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(0)
    assert await market.db.value("SELECT count(*) FROM orders") == 1


@pytest.mark.browser
@pytest.mark.slow
async def test_nothing_is_lost_and_nothing_twice(site: Site, market: Market) -> None:
    await _fuzz(site, market, SALES, seed=7)


@pytest.mark.browser
@pytest.mark.soak
async def test_nothing_is_lost_in_thousands(site: Site, market: Market) -> None:
    await _fuzz(site, market, SOAK, seed=random.randrange(2**32))


@pytest.mark.browser
@pytest.mark.slow
async def test_a_clock_that_is_wrong_sells_at_the_prices_of_today(site: Site, market: Market) -> None:
    """Two days ahead, and then set right: promotions of today hold, and the sale says when it was."""
    await market.product(sku="KETTLE", title="Kittel", price=20_000, stock=(9, 0))
    right = now()
    today = local_day(right, market.stores[0].time_zone)
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    data = {"channel": str(market.web.id), "name": "Today", "terms": terms, "is_automatic": True}
    data |= {"first_day": str(today - timedelta(days=1)), "last_day": str(today + timedelta(days=1))}
    await market.db.transaction(
        lambda tx: promotion_service.create(tx, msgspec.convert(data, PromotionInput))
    )
    page = await site.staff(service_workers="allow")
    await page.clock.install(time=right + timedelta(days=2))
    await _ready(page)
    await page.goto(f"{TILL}/offline")
    await _open(page)
    await expect(page.locator("#net")).to_have_attribute("data-state", "online")
    for _ in range(2):
        await page.context.set_offline(True)
        await _scan(page, "KETTLE")
        await expect(page.locator("#total")).to_contain_text("180")
        await page.locator('[data-pay="card"]').click()
        await page.locator("#pay-quick button").first.click()
        await expect(page.locator("#done")).to_be_visible()
        await page.locator("#next").click()
        await page.context.set_offline(False)
        await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
        await page.clock.set_system_time(now())  # without a new page
        async with page.expect_response("**/offline/here"):
            await page.evaluate("dispatchEvent(new Event('online'))")
        await expect(page.locator("#net")).to_have_attribute("data-state", "online")
    rows = await market.db.rows("SELECT happened_at, objections FROM till_sale")
    assert [[each for each in row["objections"] if each["code"] != "clock"] for row in rows] == [[], []]
    for row in rows:
        assert abs(row["happened_at"] - right) < timedelta(minutes=30)


FILLED = """async (size) => {
    const { meta, open, read } = await import("/static/pos/offline/database.js");
    const { Goods, refresh, restore } = await import("/static/pos/offline/goods.js");
    const db = await open("soder"), goods = new Goods(), pack = await restore(db, goods), kettle = await goods.scan("KETTLE");
    const row = (n) => [`id-${n}`, `SKU-${n}`, String(10_000_000_000_000 + n), `Article ${n}`, ...kettle.slice(4)];
    await refresh(db, "soder", async ({ cursor }) => {
        const from = Number(cursor ?? 0), { store, rules } = pack;
        return {
            is_whole: true, gone: [], upto: pack.upto ?? "1-1", at: new Date().toISOString(), stock: [], lease: [], lease_ends: null, store, rules,
            rows: Array.from({ length: Math.min(5_000, size - from) }, (_, n) => row(from + n)),
            next: from + 5_000 < size ? String(from + 5_000) : null,
        };
    });
    db.close();
}"""

RUNG_UP = """async (n) => {
    const code = n % 2 ? `sku-${n}` : String(10_000_000_000_000 + n), began = performance.now();
    document.getElementById("code").value = code;
    document.getElementById("scan").requestSubmit();
    const place = document.getElementById("ticket"), isThere = () => place.querySelector(`[data-variant="id-${n}"]`);
    if (!isThere()) await new Promise((done) => {
        const seen = new MutationObserver(() => isThere() && (seen.disconnect(), done()));
        seen.observe(place, { childList: true, subtree: true });
    });
    const there = performance.now() - began;
    await new Promise((frame) => requestAnimationFrame(() => setTimeout(frame)));
    return { there, drawn: performance.now() - began };
}"""


@pytest.mark.browser
@pytest.mark.soak
async def test_a_scan_is_a_line_in_50_ms_among_300_000_articles(site: Site, market: Market) -> None:
    """From Enter, as a scanner presses it, to the priced line on the page: with the ticket on the disk before."""
    await market.product(sku="KETTLE", title="Kittel", price=19_900, stock=(9, 0))
    page = await site.staff(service_workers="allow")
    await _ready(page)
    await page.context.set_offline(True)
    await _open(page)
    await page.evaluate(FILLED, 300_000)
    began = time.perf_counter()
    await page.goto(f"{TILL}/offline")
    await _open(page)
    opened = time.perf_counter() - began
    took = [await page.evaluate(RUNG_UP, n) for n in range(7, 300_000, 9_999)]
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(len(took))
    sorted_ms = sorted(each["there"] for each in took)
    middle, worse = sorted_ms[len(took) // 2], sorted_ms[len(took) * 19 // 20]
    drawn = sorted(each["drawn"] for each in took)[len(took) // 2]
    said = {"opened s": opened, "line ms": middle, "19 of 20 ms": worse, "drawn ms": drawn}
    print({name: round(value, 2) for name, value in said.items()})  # noqa: T201 - what `make soak` shows
    assert opened < 2
    assert middle < 50, took  # in the middle: others use this machine, too


@pytest.mark.browser
@pytest.mark.soak
async def test_a_till_carries_300_000_articles(site: Site, market: Market) -> None:
    page = await site.staff(service_workers="allow")
    await _ready(page)
    took = await page.evaluate(CARRIED, 300_000)
    print({name: round(ms, 1) for name, ms in took.items()})  # noqa: T201 - what `make soak` shows
    assert took["open"] < 2_000, took
    assert took["scan"] < 50, took
    assert market
