"""Lots at the till: a GS1 code says which, a select does; what cannot be is said."""

import httpx
from market import Market, text_of

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
    assert "More of the lot" in await choose("A1", quantity="2")
    assert "of lot B2" not in await choose("B2", quantity="0")
