"""What runs low, and the purchase order that is proposed for it."""

import asyncio
from uuid import UUID

import httpx
from stock_shop import Shop

from samlad import stock
from samlad.kernel.problems import Conflict
from samlad.stock import purchases, reorder, suppliers
from samlad.stock.purchase_model import Purchase, SupplierInput, WantedLine


async def test_from_running_low_to_a_draft(shop: Shop, api: httpx.AsyncClient) -> None:
    kettle, filters, scale, cup = await shop.variants(3, 9, 2, 0)
    db, at = shop.db, shop.warehouse.id
    maker = await db.transaction(lambda tx: suppliers.create(tx, SupplierInput(code="bodum", name="Bodum")))
    await db.transaction(lambda tx: suppliers.create(tx, SupplierInput(code="hario", name="Hario")))
    await db.rows(
        "UPDATE product SET supplier = 'Bodum' WHERE id = ANY($1) RETURNING 1", [kettle, filters, cup]
    )
    for variant, point, quantity in ((kettle, 4, 12), (filters, 4, 12), (scale, 2, None), (cup, 5, None)):
        url = f"/api/stock/levels/{at}/{variant}"
        body = {"reorder_point": point, "reorder_quantity": quantity}
        assert (await api.put(url, json=body)).status_code == 204
    assert (await api.put(url, json={"reorder_quantity": 0})).status_code == 422
    await shop.take((scale, 1))
    rows = (await api.get("/api/stock/reorder", params={"location": "dc"})).json()["items"]
    assert [(r["sku"], r["projected"], r["wanted"], r["supplier"]) for r in rows] == [
        (f"K-{cup}", 0, 6, "bodum"),
        (f"K-{scale}", 1, 2, None),
        (f"K-{kettle}", 3, 12, "bodum"),
    ]
    filtered = (await api.get("/api/stock/reorder", params={"supplier": "bodum"})).json()["items"]
    assert len(filtered) == 2
    answer = await api.post("/api/stock/purchases/proposals", json={"supplier": "bodum", "location": "dc"})
    assert (answer.status_code, answer.json()["status"]) == (201, "draft")
    lines = {line["variant"]: line["quantity"] for line in answer.json()["lines"]}
    assert lines == {str(kettle): 12, str(cup): 6}
    for body, status in (
        ({"supplier": "bodum", "location": "dc"}, 409),
        ({"supplier": "hario", "location": "dc"}, 409),
        ({"supplier": "nobody", "location": "dc"}, 422),
    ):
        assert (await api.post("/api/stock/purchases/proposals", json=body)).status_code == status
    await db.transaction(lambda tx: purchases.order(tx, answer_id(answer)))
    listed = (await api.get("/api/stock/reorder")).json()["items"]
    assert [r["sku"] for r in listed] == [f"K-{scale}"], "what is expected is not bought again"
    # Who brought it last is asked again, at what it cost then.
    made = await db.transaction(lambda tx: purchases.draft(tx, maker, at, [WantedLine(scale, 1, 77)]))
    await db.transaction(lambda tx: purchases.order(tx, made.id))
    await db.transaction(lambda tx: stock.set_level(tx, at, scale, reorder_point=9))
    proposed = await db.transaction(lambda tx: reorder.propose(tx, maker, at))
    assert [(x.variant, x.quantity, x.unit_cost_e4) for x in proposed.lines] == [(scale, 8, 77)]


def answer_id(answer: httpx.Response):
    return UUID(answer.json()["id"])


async def test_proposing_twice_at_once_buys_once(shop: Shop) -> None:
    (kettle,) = await shop.variants(0)
    db, at = shop.db, shop.warehouse.id
    maker = await db.transaction(lambda tx: suppliers.create(tx, SupplierInput(code="bodum", name="Bodum")))
    await db.rows("UPDATE product SET supplier = 'bodum' WHERE id = $1 RETURNING 1", kettle)
    await db.transaction(lambda tx: stock.set_level(tx, at, kettle, reorder_point=0, reorder_quantity=5))
    outcomes = await asyncio.gather(
        *(db.transaction(lambda tx: reorder.propose(tx, maker, at)) for _ in range(4)), return_exceptions=True
    )
    assert [type(o) for o in outcomes if not isinstance(o, Purchase)] == [Conflict] * 3
