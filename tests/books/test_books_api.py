"""The money book over HTTP: who may do what, twice is once, files that others read."""

from typing import Any

import httpx
from sie_reader import read

from samlad.access.permissions import Role, permissions_of
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id
from samlad.payments import PaymentInput
from trade import Trade


async def ring_up(trade: Trade, tender: str = "cash") -> None:
    kettle = await trade.kettle(price=20_000, at=trade.at_malmo)
    cart = await trade.cart((kettle, 1), channel=trade.malmo, delivery="carry_out")
    await trade.place(cart.id, PaymentInput(provider=tender))


def clerk(trade: Trade) -> Actor:
    return Actor(
        kind="staff",
        id=new_id(),
        name="Sam",
        permissions=permissions_of(Role.STORE),
        locations=frozenset({trade.at_malmo.id}),
    )


async def test_a_drawer_over_http(trade: Trade, api_as: Any) -> None:
    shifts = "/api/tills/shifts"
    async with api_as(clerk(trade)) as api:
        body = {"location": str(trade.at_malmo.id), "float_amount": 50_000}
        opened = await api.post(shifts, json=body, headers={"Idempotency-Key": "open"})
        again = await api.post(shifts, json=body, headers={"Idempotency-Key": "open"})
        assert (opened.status_code, again.content) == (201, opened.content)
        refused = await api.post(shifts, json=body)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/till-state")
        elsewhere = await api.post(shifts, json=body | {"location": str(trade.at_lund.id)})
        assert elsewhere.status_code == 403
        here = f"{shifts}/{opened.json()['shift']['id']}"
        await ring_up(trade)
        assert (await api.get(f"{here}/report")).status_code == 403
        assert (await api.get(here)).json()["report"] is None
        count = {"counts": {"10000": 7}, "taken": 20_000}
        stale = await api.post(f"{here}/close", json=count, headers={"If-Match": '"9"'})
        assert stale.status_code == 412
        closed = await api.post(f"{here}/close", json=count, headers={"If-Match": opened.headers["etag"]})
        assert (closed.status_code, closed.json()["difference"]) == (200, 0)
        assert closed.json()["report"]["expected"] == 70_000
        assert (await api.get(shifts)).status_code == 403
        assert (await api.get("/api/books/vouchers")).status_code == 403
    async with api_as() as owner:
        listed = await owner.get(shifts, params={"status": "closed", "location": "malmo"})
        assert listed.status_code == 200, listed.text
        (row,) = listed.json()["items"]
        assert (row["number"], row["difference"]) == (1, 0)
        assert (await owner.get(f"{here}/report")).json()["expected"] == 70_000


async def test_a_day_and_its_vouchers_over_http(trade: Trade, api: httpx.AsyncClient) -> None:
    await ring_up(trade, "test")
    await trade.follow()
    today = local_day(now(), "Europe/Stockholm").isoformat()
    report = await api.get("/api/books/days/report", params={"place": str(trade.at_malmo.id), "day": today})
    assert report.json()["sold"] == 20_000
    body = {"place": str(trade.at_malmo.id), "day": today, "provider_totals": {"test": 20_000}}
    closed = await api.post("/api/books/days", json=body, headers={"Idempotency-Key": "day"})
    again = await api.post("/api/books/days", json=body, headers={"Idempotency-Key": "day"})
    assert (closed.status_code, again.content) == (201, closed.content)
    refused = await api.post("/api/books/days", json=body)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/day-state")
    (sale,) = (await api.get("/api/books/vouchers", params={"kind": "order", "from": today})).json()["items"]
    assert (sale["name"], sale["debit"], sale["reversed"]) == ("S1", 20_000, False)
    assert (await api.get("/api/books/vouchers", params={"to": "2020-01-01"})).json()["items"] == []
    wrong = await api.get("/api/books/vouchers", params={"from": "yesterday"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "from")
    voucher = (await api.get(f"/api/books/vouchers/{sale['id']}")).json()
    assert sum(line["amount"] for line in voucher["lines"]) == 0
    (book,) = (await api.get("/api/books")).json()
    here = f"/api/books/{book['id']}"
    balances = {row["account"]: row["closing"] for row in (await api.get(f"{here}/balances")).json()}
    assert balances["1580"] == 20_000
    points = (await api.get(f"{here}/balances/1580", params={"from": today, "to": today})).json()
    assert points == [{"day": today, "balance": 20_000}]
    sie = await api.get(f"{here}/export", params={"format": "sie", "from": today, "to": today})
    assert {ver.series for ver in read(sie.content).vouchers} == {"P", "S"}
    split = {"format": "sie", "from": "2024-12-31", "to": "2025-01-01"}
    assert (await api.get(f"{here}/export", params=split)).status_code == 422
    csv = await api.get(f"{here}/export", params={"from": today, "to": today})
    assert csv.headers["content-type"].startswith("text/csv")
    assert len(csv.text.splitlines()) == 6
    changed = await api.patch(here, json={"name": "Hemma AB"}, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.headers["etag"]) == ("Hemma AB", '"2"')
    moved = await api.patch(here, json={"fiscal_month": 7})
    assert moved.status_code == 409
