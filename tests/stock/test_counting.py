"""Blind counts, counts that somebody else approves, and what a scanner reads."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from stock_shop import Shop

from samlad import stock
from samlad.access.permissions import permissions
from samlad.kernel import log
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden
from samlad.stock import Location, LocationChange, LocationKind, counts, rules
from samlad.stock.model import Count, CountLine, CountStatus
from samlad.stock.permissions import ADJUST, APPROVE, READ


def person(*permissions: str) -> Context:
    return Context(actor=Actor(kind="staff", id=new_id(), permissions=frozenset(permissions)))


async def limit(shop: Shop, **values: Any) -> None:
    change = LocationChange(**values)
    await shop.db.transaction(lambda tx: stock.change_location(tx, shop.warehouse.id, change))


async def test_who_counts_much_otherwise_needs_somebody_else(shop: Shop) -> None:
    kettle, filters = await shop.variants(10, 10)
    await limit(shop, variance_units=3)
    kim, sam, boss = person(ADJUST, APPROVE), person(ADJUST, APPROVE), person(ADJUST, APPROVE)
    clerk = person(ADJUST)

    async def do(who: Context, verb: Callable[[Tx], Awaitable[Count]]) -> Count:
        return await shop.db.transaction(verb, who)

    count = (await do(kim, lambda tx: counts.open_count(tx, shop.warehouse.id))).id
    await do(kim, lambda tx: counts.enter(tx, count, [(kettle, 8)]))
    await do(sam, lambda tx: counts.enter(tx, count, [(filters, 12)]))
    submitted = await do(kim, lambda tx: counts.close(tx, count))
    assert submitted.status is CountStatus.SUBMITTED, "two missing and two too many are four"
    assert [await shop.level(v) for v in (kettle, filters)] == [(10, 0), (10, 0)], "nothing is booked yet"
    for who, problem in ((kim, Conflict), (sam, Conflict), (clerk, Forbidden)):
        with pytest.raises(problem):
            await do(who, lambda tx: counts.approve(tx, count))
    with pytest.raises(Conflict):
        await do(kim, lambda tx: counts.enter(tx, count, [(kettle, 10)]))
    await do(sam, lambda tx: counts.reopen(tx, count))
    await do(sam, lambda tx: counts.enter(tx, count, [(kettle, 7)]))
    await do(sam, lambda tx: counts.close(tx, count))
    outcomes = await asyncio.gather(
        *(do(boss, lambda tx: counts.approve(tx, count)) for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "Conflict", "Count"]
    assert [await shop.level(v) for v in (kettle, filters)] == [(7, 0), (12, 0)]
    told = [e.type for e in await log.of_subject(shop.db, count)]
    assert told == ["stock.count-submitted", "stock.count-submitted", "stock.moved", "stock.counted"]


async def test_little_or_cheap_differences_are_booked_at_once(shop: Shop) -> None:
    (kettle,) = await shop.variants(0)
    lines = [(kettle, 10)]
    await shop.db.transaction(lambda tx: stock.receive(tx, shop.warehouse.id, lines, unit_costs_e4=[50_0000]))
    await limit(shop, variance_units=None, variance_value=100)
    for found, expected in ((8, CountStatus.CLOSED), (5, CountStatus.SUBMITTED)):
        count = await shop.db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
        await shop.db.transaction(
            lambda tx, count=count, found=found: counts.enter(tx, count.id, [(kettle, found)])
        )
        closed = await shop.db.transaction(lambda tx, count=count: counts.close(tx, count.id))
        assert closed.status is expected
    await shop.db.transaction(lambda tx: counts.cancel(tx, closed.id))
    assert await shop.level(kettle) == (8, 0)


PLACE = Location(
    new_id(), new_id(), "dc", "DC", LocationKind.WAREHOUSE, None, {}, None, None, "UTC", 1, True, 1
)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 10**6)), max_size=5),
    st.none() | st.integers(0, 20),
    st.none() | st.integers(0, 500),
)
def test_an_approval_is_needed_for_more_than_the_limits(
    found: list[tuple[int, int, int]], units: int | None, value: int | None
) -> None:
    place = structs.replace(PLACE, variance_units=units, variance_value=value)
    lines = [CountLine(new_id(), counted, expected) for counted, expected, _ in found]
    costs = {line.variant: cost for line, (_, _, cost) in zip(lines, found, strict=True)}
    differences = [(abs(counted - expected), cost) for counted, expected, cost in found]
    is_needed = (units is not None and sum(d for d, _ in differences) > units) or (
        value is not None and sum(d * cost for d, cost in differences) > value * 10_000
    )
    assert rules.needs_approval(place, lines, costs) is is_needed


async def test_a_blind_count_does_not_tell_and_a_scanner_adds_up(
    shop: Shop, api: httpx.AsyncClient, api_as
) -> None:
    kettle, filters = await shop.variants(5, 2)
    gtin = "4006381333931"
    await shop.db.rows("UPDATE variant SET gtin = $2 WHERE id = $1 RETURNING 1", kettle, gtin)
    count = (await api.post("/api/stock/counts", json={"location": "dc", "is_blind": True})).json()
    url = f"/api/stock/counts/{count['id']}"
    scans = [{"code": gtin}, {"code": f"K-{filters}"}, {"code": "0" + gtin}, {"code": gtin, "quantity": 2}]
    scanned = (await api.post(f"{url}/scans", json={"lines": scans})).json()
    seen = {line["variant"]: (line["counted"], line["expected"]) for line in scanned["lines"]}
    assert seen == {str(kettle): (4, None), str(filters): (1, None)}
    await asyncio.gather(*(api.post(f"{url}/scans", json={"lines": [{"code": gtin}]}) for _ in range(5)))
    again = {"Idempotency-Key": "scan-1"}
    for _ in range(2):
        await api.post(f"{url}/scans", json={"lines": [{"code": gtin}]}, headers=again)
    read = (await api.get(url)).json()
    assert {line["counted"] for line in read["lines"]} == {10, 1}
    assert {line["expected"] for line in read["lines"]} == {None}
    (row,) = (await api.get("/api/stock/counts", params={"location": "dc"})).json()["items"]
    assert (row["is_blind"], row["difference"]) == (True, None)
    entered = await api.put(f"{url}/lines", json={"lines": [{"sku": f"K-{kettle}", "counted": 6}]})
    assert entered.json()["lines"][-1]["expected"] is None
    closed = (await api.post(f"{url}/close")).json()
    assert {(line["counted"], line["expected"]) for line in closed["lines"]} == {(6, 5), (1, 2)}
    assert [await shop.level(v) for v in (kettle, filters)] == [(6, 0), (1, 0)]
    assert (await api.post(f"{url}/scans", json={"lines": [{"code": gtin}]})).status_code == 409
    for wrong in (
        {"code": "4006381333932"},
        {"code": gtin, "sku": f"K-{kettle}"},
        {},
        {"code": gtin, "quantity": 0},
        {"code": "a\x00"},
    ):
        answer = await api.post(f"{url}/scans", json={"lines": [wrong]})
        assert answer.status_code == 422, wrong
    big = {"location": "dc", "lines": [{"code": gtin, "quantity": 10**9}] * 3}
    assert (await api.post("/api/stock/receipts", json=big)).status_code == 422


async def test_who_counted_blind_is_not_told_by_submitting(shop: Shop, api_as) -> None:
    """Found on a walk: they submitted, saw what the books say, and could count once more what was wanted."""
    (kettle,) = await shop.variants(9)
    everything = frozenset(permissions())
    await limit(shop, variance_units=1)
    sam, lea = (
        Actor(kind="staff", id=new_id(), name=name, permissions=everything) for name in ("Sam", "Lea")
    )
    async with api_as(sam) as counter, api_as(lea) as approver:
        begun = await counter.post("/api/stock/counts", json={"location": "dc", "is_blind": True})
        url = f"/api/stock/counts/{begun.json()['id']}"
        await counter.put(f"{url}/lines", json={"lines": [{"sku": f"K-{kettle}", "counted": 2}]})
        submitted = (await counter.post(f"{url}/close")).json()
        assert submitted["status"] == "submitted"
        for told in (submitted, (await counter.get(url)).json()):
            assert [line["expected"] for line in told["lines"]] == [None]
        (row,) = (await counter.get("/api/stock/counts")).json()["items"]
        assert row["difference"] is None
        page = (await counter.get(f"/admin/stock/counts/{begun.json()['id']}")).text
        assert 'data-open="approve"' not in page, "it would be refused"
        # Whoever decides sees it all.
        assert [line["expected"] for line in (await approver.get(url)).json()["lines"]] == [9]
        page = (await approver.get(f"/admin/stock/counts/{begun.json()['id']}")).text
        assert 'data-open="approve"' in page
        approved = (await approver.post(f"{url}/approve")).json()
        assert [line["expected"] for line in approved["lines"]] == [9]
        assert [line["expected"] for line in (await counter.get(url)).json()["lines"]] == [9]


async def test_scanning_receipts_and_transfers(shop: Shop, api: httpx.AsyncClient) -> None:
    (kettle,) = await shop.variants(0)
    await shop.db.rows("UPDATE variant SET gtin = '00012345678905' WHERE id = $1 RETURNING 1", kettle)
    scans = [{"code": "012345678905"}, {"code": "12345678905"[:8]}]
    assert (await api.post("/api/stock/receipts", json={"location": "dc", "lines": scans})).status_code == 422
    scans = [{"code": "012345678905"}, {"code": "0012345678905"}, {"code": f"K-{kettle}", "quantity": 3}]
    assert (await api.post("/api/stock/receipts", json={"location": "dc", "lines": scans})).status_code == 201
    assert await shop.level(kettle) == (5, 0)
    body = {"origin": "dc", "destination": "lund", "lines": [{"code": "012345678905"}] * 4}
    transfer = (await api.post("/api/stock/transfers", json=body)).json()
    assert [line["quantity"] for line in transfer["lines"]] == [4]
    came = {"lines": [{"code": "012345678905"}] * 3}
    arrived = (await api.post(f"/api/stock/transfers/{transfer['id']}/receive", json=came)).json()
    assert [line["received"] for line in arrived["lines"]] == [3]


async def test_approving_over_http(shop: Shop, api_as) -> None:
    (kettle,) = await shop.variants(5)
    await limit(shop, variance_units=0)
    kim = Actor(kind="staff", id=new_id(), permissions=frozenset({ADJUST, READ, APPROVE}))
    boss = Actor(kind="staff", id=new_id(), permissions=frozenset({ADJUST, READ, APPROVE}))
    async with api_as(kim) as api:
        count = (await api.post("/api/stock/counts", json={"location": "dc"})).json()
        url = f"/api/stock/counts/{count['id']}"
        await api.put(f"{url}/lines", json={"lines": [{"sku": f"K-{kettle}", "counted": 4}]})
        assert (await api.post(f"{url}/close")).json()["status"] == "submitted"
        assert (await api.post(f"{url}/approve")).status_code == 409
        assert (await api.post(f"{url}/reopen")).json()["status"] == "open"
        assert (await api.post(f"{url}/close")).json()["submitted_by"].startswith("staff:")
    async with api_as(boss) as api:
        approved = (await api.post(f"{url}/approve")).json()
        assert (approved["status"], approved["approved_by"]) == ("closed", boss.label)
    assert await shop.level(kettle) == (4, 0)
