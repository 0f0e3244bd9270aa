"""Fulfilments over HTTP, and those of orders that were there before there were any."""

from pathlib import Path

import httpx
from fulfilling import Desk

import samlad.orders
from samlad import orders
from samlad.orders import FulfilInput, LineSelection
from trade import Trade


async def test_from_the_list_to_the_customer_over_http(api: httpx.AsyncClient, trade: Trade) -> None:
    kettle = await trade.kettle()
    order = await trade.buy((kettle, 2))
    listed = (
        await api.get("/api/fulfilments", params={"location": "dc", "state": "open", "late": "false"})
    ).json()
    (row,) = listed["items"]
    assert (row["number"], row["units"], row["is_late"]) == (order.number, 2, False)
    assert (await api.get("/api/fulfilments?late=true")).json()["items"] == []
    assert order.number in (await api.get("/api/fulfilments?format=csv")).text
    here = f"/api/fulfilments/{row['id']}"
    (late,) = (await api.get("/api/fulfilments/late")).json()
    assert (late["code"], late["to_pick"], late["late"]) == ("dc", 1, 0)
    assert (await api.post(f"{here}/take", json={})).json()["state"] == "picking"
    sku = (await api.get(here)).json()["lines"][0]["sku"]
    scan = {"json": {"code": sku}, "headers": {"Idempotency-Key": "scan-1"}}
    for _ in range(3):
        answer = await api.post(f"{here}/pick", **scan)
    assert answer.json()["lines"][0]["picked"] == 1, "one scan, sent three times"
    wrong = await api.post(f"{here}/pick", json={"code": "OTHER"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0] == {"field": "code", "message": "this is not in the order"}
    assert (await api.post(f"{here}/pick", json={"position": 1, "quantity": 2})).json()["state"] == "picked"
    assert (await api.get(f"{here}/label.pdf")).status_code == 404
    number = (await api.post(f"{here}/label", json={})).json()["tracking"]
    assert (await api.get(f"{here}/label.pdf")).content.startswith(b"%PDF")
    assert number in (await api.get(f"{here}/label.zpl")).text
    etag = (await api.get(here)).headers["etag"]
    assert (await api.post(f"{here}/ship", json={}, headers={"If-Match": '"1"'})).status_code == 412
    shipped = await api.post(f"{here}/ship", json={}, headers={"If-Match": etag})
    assert shipped.json()["state"] == "shipped"
    event = {"status": "delivered", "happened_at": "2030-01-01T12:00:00Z", "reference": "7"}
    told = {"carrier": "generic", "number": number, "events": [event]}
    for _ in range(2):
        assert (await api.post("/api/tracking", json=told)).json()["status"] == "delivered"
    assert len((await api.get(f"{here}/tracking")).json()["events"]) == 1
    late_act = await api.post(f"{here}/reject", json={"reason": "not_found"})
    assert (late_act.status_code, late_act.json()["state"]) == (409, "delivered")


async def test_codes_and_walks_over_http(api: httpx.AsyncClient, trade: Trade) -> None:
    desk = Desk(trade)
    kettle = await trade.kettle(at=trade.at_malmo)
    only = await desk.only(await desk.for_pickup((kettle, 1)))
    place = str(trade.at_malmo.id)
    sku = only.lines[0].sku or ""
    bins = await api.put("/api/pick-bins", json={"location": place, "bins": {sku: "A-1"}})
    assert bins.status_code == 204
    unknown = await api.put("/api/pick-bins", json={"location": place, "bins": {"NOTHING": "A-1"}})
    assert unknown.status_code == 422
    walk = (await api.post("/api/pick-batches", json={"location": place})).json()
    assert [line["bin"] for line in walk["lines"]] == ["A-1"]
    assert (await api.post("/api/pick-batches", json={"location": place})).status_code == 409
    await api.post(f"/api/fulfilments/{only.id}/pick", json={"code": sku})
    ready = (await api.post(f"/api/fulfilments/{only.id}/ready")).json()
    code = await desk.code(only) or ""
    assert code not in str(ready), "only the customer's page has the code"
    assert (await api.get(f"/api/pick-batches/{walk['id']}")).json()["fulfilments"][0]["state"] == "ready"
    wrong = {"location": place, "code": f"{(int(code) + 1) % 10**6:06d}"}
    tries = [await api.post("/api/fulfilments/hand-over", json=wrong) for _ in range(30)]
    assert {answer.status_code for answer in tries} == {404}
    blocked = await api.post("/api/fulfilments/hand-over", json={"location": place, "code": code})
    assert blocked.status_code == 429
    assert int(blocked.headers["retry-after"]) > 0
    await trade.db.rows("UPDATE rate_window SET ends_at = now() RETURNING 1")
    given = await api.post("/api/fulfilments/hand-over", json={"location": place, "code": code})
    assert given.json()["state"] == "delivered"
    assert (
        await api.post("/api/fulfilments/hand-over", json={"location": place, "code": code})
    ).status_code == 404


async def test_orders_from_before_get_theirs_by_the_migration(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=2)
    desk = Desk(trade)
    await desk.put(kettle, 3, trade.at_malmo.id)
    started = await trade.buy((kettle, 4), (await trade.kettle(), 2))
    part = FulfilInput(lines=[LineSelection(position=1, quantity=3), LineSelection(position=2, quantity=1)])
    await trade.db.transaction(lambda tx: orders.fulfil(tx, started.id, part))
    await trade.buy((kettle, 1))
    before = [(f.location, f.state, len(f.lines)) for f in await desk.of(started)]
    text = (Path(samlad.orders.__file__).parent / "sql/0003_fulfilment.sql").read_text()
    filling = text[text.index("-- Orders that wait for their goods") :]

    async def again(tx: object) -> None:
        await tx.execute("DELETE FROM fulfilment_line")  # type: ignore[attr-defined]
        await tx.execute("DELETE FROM fulfilment")  # type: ignore[attr-defined]
        for statement in filling.split(";\n"):
            if statement.strip():
                await tx.execute(statement)  # type: ignore[attr-defined]

    await trade.db.transaction(again)
    assert len(before) > 1
    await trade.sound()
    await trade.db.transaction(lambda tx: orders.fulfil(tx, started.id, FulfilInput()))
    await trade.sound()
