"""Orders and carts over HTTP, as a stranger, a seller and a machine meet them."""

from typing import Any

import httpx
import pytest

from samlad.kernel import listing
from samlad.kernel.context import Actor
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery, Page
from samlad.orders import OrderRow
from samlad.orders.lists import LISTING
from trade import BUYER, Trade


async def test_a_stranger_buys_with_nothing_but_a_token(trade: Trade, api_as: Any) -> None:
    kettle = await trade.kettle(19_900)
    async with api_as(Actor(kind="guest")) as api:
        made = await api.post("/api/carts", json={"channel": str(trade.web.id)})
        assert made.status_code == 201, made.text
        cart, token = made.json()["id"], {"Cart-Token": made.json()["token"]}
        assert (await api.get(f"/api/carts/{cart}")).status_code == 404
        line = {"variant": str(kettle), "quantity": 2}
        added = await api.post(f"/api/carts/{cart}/lines", json=line, headers=token)
        assert added.status_code == 201, added.text
        stale = await api.post(
            f"/api/carts/{cart}/lines", json=line, headers=token | {"If-Match": made.headers["etag"]}
        )
        assert stale.status_code == 412
        line_id = added.json()["lines"][0]["id"]
        one = await api.patch(f"/api/carts/{cart}/lines/{line_id}", json={"quantity": 1}, headers=token)
        assert one.json()["totals"]["total"] == 19_900
        assert (await api.patch(f"/api/carts/{cart}", json=BUYER, headers=token)).status_code == 200
        held = await api.post(f"/api/carts/{cart}/checkout", headers=token)
        assert (held.status_code, held.json()["status"]) == (200, "checkout")
        body = {"cart": cart, "payments": [{"provider": "test"}], "total": 19_900}
        assert (await api.post("/api/orders", json=body)).status_code == 404
        placed = await api.post("/api/orders", json=body, headers=token | {"Idempotency-Key": "k"})
        assert (placed.status_code, placed.json()["status"]) == (201, "paid")
        again = await api.post("/api/orders", json=body, headers=token | {"Idempotency-Key": "k"})
        assert again.content == placed.content
        assert again.headers["idempotent-replay"] == "true"
        refused = await api.post("/api/orders", json=body, headers=token)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/cart-already-ordered")
        assert refused.json()["number"] == placed.json()["number"]
        assert (await api.get("/api/orders")).status_code in (401, 403)
        closed = await api.post(f"/api/carts/{cart}/lines", json=line, headers=token)
        assert closed.json()["type"] == "/problems/cart-closed"
    assert await trade.db.value("SELECT count(*) FROM orders") == 1


@pytest.mark.parametrize("few", [0, 1, 10_000])
async def test_a_search_finds_the_same_whichever_way_it_is_made(
    trade: Trade, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    kettle, cup = await trade.kettle(19_900), await trade.kettle(9_900)
    one, both = await trade.buy((kettle, 1)), await trade.buy((kettle, 2), (cup, 1))

    async def found(**params: Any) -> list[str]:
        answer = await api.get("/api/orders", params=params)
        assert answer.status_code == 200, answer.text
        return [row["number"] for row in answer.json()["items"]]

    [sku] = {line.sku for line in both.lines if line.variant == cup}
    assert await found(q=sku) == [both.number]
    assert await found(q=one.number) == [one.number]
    assert await found(q="Kim@") == [both.number, one.number]
    assert await found(q="kim@", status="cancelled") == []
    assert await found(q="kim@", sort="number", limit=1) == [one.number]
    assert await found(q="100%") == []
    assert len((await api.get("/api/orders", params={"q": "kim@", "format": "csv"})).text.splitlines()) == 3


async def test_a_page_and_its_count_look_up_a_search_once(trade: Trade) -> None:
    await trade.buy((await trade.kettle(19_900), 1))
    query = ListQuery(filters={"q": "kim@"})

    async def counted(tx: Tx) -> tuple[Page[OrderRow], int, int]:
        return *(await LISTING.counted(tx, query)), tx.statements

    page, count, statements = await trade.db.transaction(counted)
    assert (len(page.items), count, statements) == (1, 1, 3)
    assert (await LISTING.page(trade.db, query), await LISTING.count(trade.db, query)) == (page, count)


async def test_the_order_desk(trade: Trade, api: httpx.AsyncClient) -> None:
    kettle = await trade.kettle(19_900)
    web, paid_later = await trade.buy((kettle, 2)), await trade.buy((kettle, 1), pay_later=True)
    await trade.follow()

    async def numbers(**filters: Any) -> list[str]:
        answer = await api.get("/api/orders", params=filters)
        assert answer.status_code == 200, answer.text
        return [row["number"] for row in answer.json()["items"]]

    assert await numbers() == [paid_later.number, web.number]
    assert await numbers(q=web.number[:5], payment="paid") == [web.number]
    assert await numbers(q="KIM@") == [paid_later.number, web.number]
    assert await numbers(q=web.lines[0].sku) == [paid_later.number, web.number]
    assert await numbers(status="placed", channel="web,lund") == [paid_later.number]
    assert await numbers(channel="malmo") == []
    today = web.local_day.isoformat()
    assert len(await numbers(**{"from": today, "to": today, "time_zone": "Europe/Stockholm"})) == 2
    assert await numbers(**{"from": "2001-01-01", "to": "2001-01-02"}) == []
    for odd in (
        {"time_zone": "Mars/Olympus", "from": today},
        {"status": "a\x00b"},
        {"customer": "x"},
        {"sort": "odd"},
    ):
        assert (await api.get("/api/orders", params=odd)).status_code in (400, 422), odd
    file = (await api.get("/api/orders", params={"format": "csv"})).text.splitlines()
    assert len(file) == 3

    path = f"/api/orders/{web.id}"
    shown = await api.get(path)
    assert shown.headers["etag"] == '"1"'
    assert [entry["type"] for entry in shown.json()["history"]][:2] == ["stock.held", "order.placed"]
    part = await api.post(f"{path}/fulfil", json={"lines": [{"position": 1, "quantity": 1}]})
    assert part.json()["status"] == "partially_fulfilled"
    back = await api.post(f"{path}/return", json={"reason": "too loud"})
    assert (back.status_code, back.json()["total"]) == (201, -19_900)
    paid = await api.post(f"/api/orders/{paid_later.id}/payments", json={"payments": [{"provider": "test"}]})
    assert paid.json()["payment_status"] == "paid"
    gone = await api.post(
        f"/api/orders/{paid_later.id}/cancel", json={}, headers={"If-Match": paid.headers["etag"]}
    )
    assert gone.json()["status"] == "cancelled"
    twice = await api.post(f"/api/orders/{paid_later.id}/cancel", json={})
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/order-state")
    assert (await api.get(f"/api/orders/{new_id()}")).status_code == 404
    await trade.follow()
    await trade.sound()


async def test_sales_by_hour_and_day(trade: Trade, api: httpx.AsyncClient) -> None:
    kettle = await trade.kettle(10_000)
    order = await trade.buy((kettle, 3))
    till = await trade.kettle(5_000, at=trade.at_malmo)
    await trade.buy((till, 1), channel=trade.malmo)
    await trade.follow()
    day = order.local_day.isoformat()
    hours = (await api.get("/api/sales/hours", params={"day": day, "time_zone": "Europe/Stockholm"})).json()
    days = (await api.get("/api/sales/days", params={"from": day, "to": day})).json()
    expected = {(str(trade.web.id), 1, 30_000, 3), (str(trade.malmo.id), 1, 5_000, 1)}
    for found in (hours, days):
        assert {(row["channel"], row["orders"], row["revenue"], row["items"]) for row in found} == expected
    one = await api.get("/api/sales/days", params={"from": day, "to": day, "channel": str(trade.malmo.id)})
    assert len(one.json()) == 1
    assert (await api.get("/api/sales/days", params={"from": day, "to": "2001-01-01"})).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"cart": "00000000-0000-0000-0000-000000000000"}, 404),
        ({"cart": "x"}, 422),
        ({}, 422),
        ({"cart": "00000000-0000-0000-0000-000000000000", "total": 2**70}, 422),
        ({"cart": "00000000-0000-0000-0000-000000000000", "payments": [{"provider": "a\x00"}]}, 422),
        ({"cart": "00000000-0000-0000-0000-000000000000", "colour": "red"}, 422),
    ],
)
async def test_odd_requests_are_told_of(api: httpx.AsyncClient, body: dict[str, Any], status: int) -> None:
    answer = await api.post("/api/orders", json=body)
    assert (answer.status_code, answer.headers["content-type"]) in (
        (status, "application/problem+json"),
        (400, "application/problem+json"),
    )
