"""Goods that are put aside: listed until somebody has decided, and worth what they were when they come back."""

import asyncio
from uuid import UUID

import httpx
import pytest
from stock_shop import Shop, books_are_right

import horizon
from samlad import stock
from samlad.kernel import log
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.stock import Aside, quarantine, suppliers
from samlad.stock.purchase_model import SupplierInput
from samlad.stock.quarantine_model import QuarantineInput, Verdict


async def aside(shop: Shop, kettle: UUID, units: int) -> UUID:
    reference = new_id()
    goods = [Aside(shop.warehouse.id, kettle, units, "scratched")]
    await shop.db.transaction(lambda tx: stock.put_aside(tx, goods, reference=reference))
    found: UUID = await shop.db.value("SELECT id FROM stock_quarantine WHERE reference = $1", reference)
    return found


async def judge(
    shop: Shop, one: UUID, verdict: Verdict, units: int | None = None, **fields: object
) -> object:
    data = QuarantineInput(verdict=verdict, quantity=units, **fields)  # type: ignore[arg-type]
    return await shop.db.transaction(lambda tx: quarantine.judge(tx, one, data))


async def test_released_goods_are_worth_what_they_were(shop: Shop) -> None:
    (kettle,) = await shop.variants(0)
    at = shop.warehouse.id
    await shop.db.transaction(lambda tx: stock.receive(tx, at, [(kettle, 7)], unit_costs_e4=[1_000_003]))
    one = await aside(shop, kettle, 3)
    assert await shop.level(kettle) == (4, 0)
    await judge(shop, one, Verdict.RELEASE, 1)
    await judge(shop, one, Verdict.RELEASE)
    assert await shop.level(kettle) == (7, 0)
    assert await shop.db.value("SELECT value_e4 FROM level WHERE variant = $1", kettle) == 7_000_021
    with pytest.raises(Conflict):
        await judge(shop, one, Verdict.WRITE_OFF)
    await books_are_right(shop.db)
    assert await shop.db.rows("SELECT * FROM stock_ledger_difference") == []


async def test_a_verdict_counts_once_and_two_at_once_share_what_is_left(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    one, act = await aside(shop, kettle, 3), new_id()
    await asyncio.gather(*(judge(shop, one, Verdict.RELEASE, 1, id=act) for _ in range(3)))
    assert await shop.level(kettle) == (3, 0)
    outcomes = await asyncio.gather(
        *(judge(shop, one, Verdict.RELEASE, 2) for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "Conflict", "Quarantine"]
    assert await shop.level(kettle) == (5, 0)
    await horizon.passed(shop.db)
    events, _ = await log.read(shop.db, log.BEGINNING, types=["quarantine.judged"])
    assert [event.payload["quantity"] for event in events] == [1, 2]
    other = await aside(shop, kettle, 1)
    with pytest.raises(Conflict):
        await judge(shop, other, Verdict.RELEASE, 1, id=act)


async def test_back_to_the_supplier_and_written_off(shop: Shop, api: httpx.AsyncClient) -> None:
    (kettle,) = await shop.variants(5)
    maker = SupplierInput(code="bodum", name="Bodum")
    await shop.db.transaction(lambda tx: suppliers.create(tx, maker))
    one = await aside(shop, kettle, 3)
    for verdict, supplier in ((Verdict.RETURN_TO_SUPPLIER, None), (Verdict.WRITE_OFF, "bodum")):
        with pytest.raises(InvalidInput):
            await judge(shop, one, verdict, supplier=supplier)
    listed = (await api.get("/api/stock/quarantine", params={"state": "open", "location": "dc"})).json()[
        "items"
    ]
    assert [(row["sku"], row["units_left"], row["reason"]) for row in listed] == [
        (f"K-{kettle}", 3, "scratched")
    ]
    url = f"/api/stock/quarantine/{one}/verdict"
    body = {"verdict": "return_to_supplier", "supplier": "bodum", "quantity": 2}
    answer = await api.post(url, json=body, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["units_left"]) == (200, 1)
    stale = await api.post(url, json={"verdict": "write_off"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    await judge(shop, one, Verdict.WRITE_OFF)
    assert await shop.level(kettle) == (2, 0)
    listed = (await api.get("/api/stock/quarantine", params={"state": "open"})).json()["items"]
    assert listed == []
