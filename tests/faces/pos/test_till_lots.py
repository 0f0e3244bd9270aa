"""Lots at the till: a GS1 code says which, a select does; what cannot be is said."""

import json
from html import unescape

import httpx
from market import Market, text_of
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
