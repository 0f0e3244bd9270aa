"""Lots at the till: a GS1 code says which, a select does; what cannot be is said."""

import json
from html import unescape

import httpx
import pytest
from browser import Site
from market import Market, text_of
from playwright.async_api import Page, expect
from test_till_rules import Case, reckoned

from samlad import stock
from samlad.catalog import ProductChange, Tracking, change
from samlad.kernel.database import Tx
from samlad.stock.lots_model import Named

HTMX = {"hx-request": "true"}
GTIN = "07310865004703"


async def test_a_lot_is_scanned_or_chosen(clerk: httpx.AsyncClient, market: Market) -> None:
    made = await market.product(title="Milk", variants=[{"sku": "MILK", "gtin": GTIN[1:]}])
    variant = made.variants[0].id

    async def work(tx: Tx) -> None:
        await change(tx, made.id, ProductChange(tracking=Tracking.LOT))
        for code in ("A1", "B2"):
            of = await stock.resolve_lots(tx, [Named(variant, 2, code)])
            await stock.receive(tx, market.places[0].id, [(variant, 2)], lots=of)

    await market.db.transaction(work)

    async def scan(code: str) -> str:
        return (await clerk.post("/pos/soder/scan", data={"code": code}, headers=HTMX)).text

    assert "nobody knows it" in text_of(await scan(f"01{GTIN}10NEVER"))
    assert "1 of lot B2" in text_of(await scan(f"01{GTIN}10B2"))
    html = await scan("MILK")
    line = html.split("/pos/soder/lines/")[1].split("/")[0].split('"')[0]
    lots = {each.code: each.lot for each in await stock.lots_here(market.db, market.places[0].id, [variant])}

    async def choose(code: str, **sent: str) -> str:
        data = {"lot": str(lots[code]), **sent}
        answer = await clerk.post(f"/pos/soder/lines/{line}/lots", data=data, headers=HTMX)
        return text_of(answer.text)

    chosen = await choose("A1")
    assert "1 of lot A1" in chosen
    assert "1 of lot B2" in chosen
    page = (await clerk.get("/pos/soder")).text
    carried = json.loads(unescape(page.split('data-lots="')[1].split('"')[0]))
    assert [(each["lot"], each["serial"], each["units"]) for each in carried] == [
        ("B2", None, 1),
        ("A1", None, 1),
    ]
    assert "More of the lot" in await choose("A1", quantity="2")
    assert "of lot B2" not in await choose("B2", quantity="0")


def test_a_line_without_network_keeps_what_was_scanned() -> None:
    """Each code once with its units, a piece once; what was scanned last is off first, and comes back by itself."""

    def code(*rest: str) -> str:
        return f"(01){GTIN}{''.join(rest)}"

    s1, s2 = code("(21)S1"), code("(10)B(21)S2")
    said: list[tuple[Case, Case]] = [
        (
            {"texts": [s1, s2, s1, f"https://x.example/01/{GTIN}/21/S1"], "quantity": 2},
            {"twice": 2, "names": "S1, S2", "serials": "S1, S2"},
        ),
        ({"texts": [s1, s2], "quantity": 1}, {"twice": 0, "names": "S1", "serials": "S1"}),
        (
            {
                "texts": [code("(10)A"), code("(10)B", "(17)280229"), code("(10)A"), GTIN, code()],
                "quantity": 5,
            },
            {"twice": 0, "names": "A × 2, B × 1", "serials": ""},
        ),
        ({"texts": [code("(10)A"), code("(10)A")], "quantity": 2}, {"twice": 0, "names": "A", "serials": ""}),
        ({"texts": [code("(10)" + "X" * 41), code("(10) ")], "quantity": 2}, {"names": "", "twice": 0}),
    ]
    answers = reckoned({"kind": "scanned", **given} for given, _ in said)
    for answer, (_, expected) in zip(answers, said, strict=True):
        assert {name: answer[name] for name in expected} == expected
    assert answers[0]["lots"] == [
        {"lot": None, "serial": "S1", "units": 1},
        {"lot": "B", "serial": "S2", "units": 1},
    ]
    assert answers[2]["lots"][1] == {"lot": "B", "serial": None, "expires_on": "2028-02-29", "units": 1}
    pieces = [{"serial": "S1", "units": 1}, {"serial": "S2", "units": 1}]
    parts: list[tuple[Case, list[list[object]]]] = [
        ({"quantity": 3, "gone": 0, "lots": pieces}, [["S1", 1], ["S2", 1], ["", 1]]),
        ({"quantity": 2, "gone": 1, "lots": pieces, "back": [{"serial": "S1"}]}, [["S2", 1]]),
        ({"quantity": 2, "gone": 1, "lots": pieces}, [["S1", 1], ["S2", 1]]),
        ({"quantity": 4, "gone": 2, "lots": [{"lot": "A", "units": 1}]}, [["A", 1], ["", 1]]),
        ({"quantity": 2, "gone": 0}, [["", 2]]),
    ]
    assert reckoned({"kind": "parts", "line": line} for line, _ in parts) == [told for _, told in parts]


@pytest.mark.browser
async def test_pieces_are_sold_and_come_back_without_network(site: Site, market: Market) -> None:
    """What was scanned online is carried along, a piece is on the ticket once, its number on the receipt, and it comes back by it."""
    made = await market.product(title="Drill", variants=[{"sku": "DRILL", "gtin": GTIN[1:]}])
    variant = made.variants[0].id

    async def work(tx: Tx) -> None:
        await change(tx, made.id, ProductChange(tracking=Tracking.SERIAL))
        for code in ("S1", "S2", "S3"):
            of = await stock.resolve_lots(tx, [Named(variant, 1, code)])
            await stock.receive(tx, market.places[0].id, [(variant, 1)], lots=of)

    await market.db.transaction(work)
    page = await site.staff(width=390, service_workers="allow")
    await page.goto("/pos/soder")
    await expect(page.locator('[data-store="soder"][data-kept="true"][data-goods="true"]')).to_have_count(1)

    async def scan(serial: str) -> None:
        await page.locator("#code").fill(f"01{GTIN}21{serial}")
        await page.locator("#code").press("Enter")

    await scan("S2")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(1)
    await page.context.set_offline(True)
    await expect(page.locator("[data-till][data-ready]")).to_have_count(1)
    ticket = page.locator("#ticket li[data-variant]")
    await expect(ticket).to_contain_text("Lot or serial number: S2")
    await scan("S2")
    await expect(page.locator("#said")).to_contain_text("Piece S2 is on the ticket already")
    await scan("S9")
    await expect(ticket).to_contain_text("S2, S9")
    await expect(ticket.locator("input")).to_have_value("2")
    await site.fine(page)
    await page.locator('[data-pay="cash"]').click()
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#receipt-lines")).to_contain_text("Serial number S2, S9")
    number = (await page.locator("#receipt-head").inner_text()).split(" · ")[1]
    await page.locator("#next").click()
    await _takes_back(page, number)
    await site.fine(page)
    await page.context.set_offline(False)
    await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
    told = await market.db.rows("SELECT kind, objections, order_id FROM till_sale ORDER BY sequence")
    assert [row["kind"] for row in told] == ["sale", "return"]
    odd = [(each["code"], each["there"]) for each in told[0]["objections"]]
    assert odd == [("stock", "2"), ("lot-unknown", "S9")]
    assert told[1]["objections"] == []
    here = await stock.lots_here(market.db, market.places[0].id, [variant])
    assert sorted(each.code for each in here) == ["S1", "S2", "S3"]
    await page.goto(f"/pos/soder/sales/{told[0]['order_id']}")
    await expect(page.locator(".receipt")).to_contain_text("Serial number S2, S9")


async def _takes_back(page: Page, number: str) -> None:
    """The first piece of a receipt, by its number."""
    await page.locator('[data-act="returns"]').evaluate("(button) => button.click()")
    await page.locator("#panel-number").fill(number)
    await page.locator("#panel-rows button").first.click()
    await expect(page.locator("#panel-fields label")).to_have_text(
        ["Drill · S2 (at most 1)", "Drill · S9 (at most 1)"]
    )
    await page.locator("#panel-0").fill("1")
    await page.locator("#panel-act").click()
    await expect(page.locator("#said")).to_contain_text("in cash")
