"""Stock over HTTP."""

import asyncio

import httpx
from stock_shop import Shop, books_are_right

from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id
from samlad.stock.permissions import ADJUST, READ


async def test_locations(shop: Shop, api: httpx.AsyncClient) -> None:
    body = {
        "code": "depot",
        "name": "Depot",
        "kind": "warehouse",
        "pool_of": "web",
        "address": {"city": "Lund"},
    }
    made = await api.post("/api/locations", json=body)
    assert (made.status_code, made.headers["etag"], made.json()["time_zone"]) == (
        201,
        '"1"',
        "Europe/Stockholm",
    )
    assert (await api.post("/api/locations", json=body)).status_code == 409
    url = f"/api/locations/{made.json()['id']}"
    changed = await api.patch(url, json={"is_active": False}, headers={"If-Match": '"1"'})
    assert changed.json()["is_active"] is False
    assert (await api.patch(url, json={"name": "x"}, headers={"If-Match": '"1"'})).status_code == 412
    assert (await api.get(url)).headers["etag"] == '"2"'
    listed = (await api.get("/api/locations", params={"channel": "malmo,lund"})).json()["items"]
    assert [(p["code"], p["channel"]) for p in listed] == [("malmo", "malmo"), ("lund", "lund")]
    for wrong in (
        {"pool_of": None},
        {"pool_of": "nobody"},
        {"time_zone": "Mars"},
        {"latitude": 91},
        {"address": {"city": "\x00"}},
        {"address": {"\x00": "Lund"}},
        {"name": "\x00"},
        {"code": "other\n"},
    ):
        answer = await api.post("/api/locations", json={**body, "code": "other", **wrong})
        assert answer.status_code == 422, wrong


async def test_receiving_and_correcting_by_sku(shop: Shop, api: httpx.AsyncClient) -> None:
    kettle, filters = await shop.variants(0, 0)
    lines = [{"sku": f"K-{kettle}", "quantity": 5}, {"variant": str(filters), "quantity": 2}]
    body = {"location": "dc", "lines": lines, "note": "delivery 7"}
    first, again = [
        await api.post("/api/stock/receipts", json=body, headers={"Idempotency-Key": "d7"}) for _ in range(2)
    ]
    assert first.status_code == 201
    assert first.json() == again.json()
    assert await shop.level(kettle) == (5, 0)
    change = {
        "location": "dc",
        "reason": "dropped",
        "is_damage": True,
        "lines": [{"sku": f"K-{kettle}", "quantity": -1}],
    }
    assert (await api.post("/api/stock/corrections", json=change)).status_code == 201
    listed = (await api.get("/api/stock/movements", params={"sku": f"K-{kettle}"})).json()["items"]
    assert [(m["cause"], m["quantity"], m["on_hand_after"], m["reason"]) for m in listed] == [
        ("damage", -1, 4, "dropped"),
        ("receipt", 5, 5, "delivery 7"),
    ]
    assert listed[0]["actor"].startswith("staff:")
    text = (await api.get("/api/stock/movements", params={"format": "csv", "cause": "damage"})).text
    assert text.splitlines()[1].count("damage") == 1
    for wrong in (
        {"sku": "none", "quantity": 1},
        {"quantity": 1},
        {"sku": "a", "variant": str(kettle), "quantity": 1},
        {"sku": f"K-{kettle}", "quantity": 0},
        {"variant": str(new_id()), "quantity": 1},
        {"sku": f"K-{kettle}", "quantity": 10**20},
    ):
        answer = await api.post("/api/stock/receipts", json={"location": "dc", "lines": [wrong]})
        assert answer.status_code == 422, (wrong, answer.text)
    gone = {"location": "dc", "reason": "x", "lines": [{"sku": f"K-{kettle}", "quantity": -9}]}
    refused = await api.post("/api/stock/corrections", json=gone)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/not-in-stock")
    await books_are_right(shop.db)


async def test_levels_holds_and_what_may_be_sold(shop: Shop, api: httpx.AsyncClient) -> None:
    kettle, filters, scale = await shop.variants(9, 2, 1)
    await shop.receive(kettle, 4, shop.at_malmo)
    await shop.take((scale, 1), (kettle, 1))
    states = {}
    for state in ("in", "low", "out"):
        rows = (await api.get("/api/stock/levels", params={"state": state, "location": "dc"})).json()["items"]
        states[state] = [row["variant"] for row in rows]
    assert states == {"in": [str(kettle)], "low": [str(filters)], "out": [str(scale)]}
    holds = (await api.get("/api/stock/holds", params={"kind": "checkout"})).json()["items"]
    assert {(h["sku"], h["location_code"], h["channel"]) for h in holds} == {
        (f"K-{scale}", "dc", "web"),
        (f"K-{kettle}", "dc", "web"),
    }
    params = {"channel": "malmo", "variant": [str(kettle), str(scale)]}
    by_variant = {p["variant"]: p for p in (await api.get("/api/atp", params=params)).json()}
    assert by_variant[str(kettle)]["available"] == 12
    assert [level["available"] for level in by_variant[str(kettle)]["locations"]] == [4, 8]
    assert by_variant[str(scale)]["available"] == 0
    carry = await api.get("/api/atp", params={**params, "carry_out": "true"})
    assert [p["available"] for p in carry.json()] == [4]
    assert (await api.get("/api/atp", params={**params, "channel": "nobody"})).status_code == 404
    url = f"/api/stock/levels/{shop.warehouse.id}/{scale}"
    assert (await api.put(url, json={"backorder_limit": 3})).status_code == 204
    promise = (await api.get("/api/atp", params={"channel": "web", "variant": str(scale)})).json()[0]
    assert (promise["available"], promise["backorder"]) == (0, 3)


async def test_filters_that_cannot_be_read(shop: Shop, api: httpx.AsyncClient) -> None:
    for path, name, value in (
        ("stock/movements", "since", "0001-01-01T00:00+14:00"),
        ("stock/movements", "since", "yesterday"),
        ("stock/levels", "variant", "none"),
        ("stock/levels", "state", "full"),
        ("stock/levels", "sort", "colour"),
        ("stock/levels", "cursor", "abc"),
        ("atp", "variant", "none"),
    ):
        answer = await api.get(f"/api/{path}", params={name: value, "channel": "web"})
        assert answer.status_code in (400, 422), (path, name, answer.text)
    answer = await api.get("/api/stock/levels", params={"sku": "a\x00b"})
    assert answer.status_code in (400, 422)


async def test_every_page_of_levels_is_read_once(shop: Shop, api: httpx.AsyncClient) -> None:
    variants = await shop.variants(*range(1, 24))
    for sort in ("sku", "-available", "on_hand"):
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            params = {"limit": "5", "sort": sort, **({"cursor": cursor} if cursor else {})}
            page = (await api.get("/api/stock/levels", params=params)).json()
            seen += [row["variant"] for row in page["items"]]
            cursor = page["next_cursor"]
        assert sorted(seen) == sorted(map(str, variants)), sort


async def test_counting_and_transferring(shop: Shop, api: httpx.AsyncClient) -> None:
    (kettle,) = await shop.variants(9)
    sku = f"K-{kettle}"
    count = (await api.post("/api/stock/counts", json={"location": "dc"})).json()
    url = f"/api/stock/counts/{count['id']}"
    entered = await api.put(f"{url}/lines", json={"lines": [{"sku": sku, "counted": 8}]})
    assert entered.json()["lines"] == [
        {"variant": str(kettle), "counted": 8, "expected": 9, "lot": None, "lot_code": None}
    ]
    assert (await api.post(f"{url}/close")).json()["status"] == "closed"
    assert (await api.post(f"{url}/close")).status_code == 409
    assert (await api.get("/api/stock/counts", params={"status": "closed"})).json()["items"][0][
        "difference"
    ] == -1
    body = {"origin": "dc", "destination": "lund", "lines": [{"sku": sku, "quantity": 3}]}
    transfer = (await api.post("/api/stock/transfers", json=body)).json()
    url = f"/api/stock/transfers/{transfer['id']}"
    assert (await api.post(f"{url}/receive", json={"lines": [{"sku": sku, "quantity": 1}]})).json()[
        "status"
    ] == "in_transit"
    assert (await api.post(f"{url}/receive", json={})).json()["status"] == "received"
    listed = (await api.get("/api/stock/transfers", params={"destination": "lund"})).json()["items"]
    assert [(t["units"], t["received"]) for t in listed] == [(3, 3)]
    assert (await api.get(url)).json()["lines"][0]["received"] == 3
    assert await shop.level(kettle, shop.at_lund) == (3, 0)
    unknown = f"/api/stock/transfers/{new_id()}/receive"
    assert (await api.post(unknown, json={})).status_code == 404


async def test_a_clerk_of_malmo(shop: Shop, api_as) -> None:
    (kettle,) = await shop.variants(9)
    clerk = Actor(
        kind="staff",
        id=new_id(),
        permissions=frozenset({ADJUST, READ}),
        locations=frozenset({shop.at_malmo.id}),
    )
    line = {"sku": f"K-{kettle}", "quantity": 1}
    async with api_as(clerk) as api:
        for code, expected in (("malmo", 201), ("lund", 403)):
            answer = await api.post("/api/stock/receipts", json={"location": code, "lines": [line]})
            assert answer.status_code == expected
        body = {"origin": "dc", "destination": "malmo", "lines": [line]}
        assert (await api.post("/api/stock/transfers", json=body)).status_code == 403
        assert (await api.get("/api/stock/levels")).status_code == 200
    async with api_as(Actor(kind="guest")) as api:
        answers = await asyncio.gather(
            *(api.get(f"/api/{path}") for path in ("locations", "stock/levels", "stock/holds"))
        )
        assert {a.status_code for a in answers} <= {401, 403}
