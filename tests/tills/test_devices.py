"""Tills and kiosks as devices: what each said of itself, who is told of it, and putting away."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from selling import CLERK, Till

from samlad import tills
from samlad.access.permissions import Role, permissions_of
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from trade import Trade

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def http(trade: Trade, api_as: ApiAs) -> AsyncIterator[httpx.AsyncClient]:
    async with api_as(CLERK) as client:
        yield client


async def say(
    http: httpx.AsyncClient, trade: Trade, till: UUID, unsent: int = 0, **fields: Any
) -> httpx.Response:
    said = json.dumps({"till": str(till), "unsent": unsent, **fields})
    return await http.get(f"/pos/{trade.malmo.code}/offline/here", headers={"x-till": said})


async def long_ago(trade: Trade, till: UUID, *columns: str) -> None:
    moved = ", ".join(f"{column} = {column} - interval '20 minutes'" for column in columns)
    await trade.db.rows(f"UPDATE till_device SET {moved} WHERE id = $1 RETURNING 1", till)


async def test_a_heartbeat_is_remembered_and_unsent_sales_are_told(
    trade: Trade, http: httpx.AsyncClient
) -> None:
    till, at = uuid4(), now()
    assert (await say(http, trade, till, 2, cards=1, pack_at=at.isoformat())).status_code == 200
    device = await tills.get_device(trade.db, till)
    assert (device.unsent, device.cards, device.pack_at, device.is_kiosk) == (2, 1, at, False)
    assert device.state == "heard"  # it may be sending them right now
    assert await tills.holding(trade.db, None) == 0
    # It goes on speaking, and does not send.
    await long_ago(trade, till, "unsent_since", "seen_at")
    await say(http, trade, till, 2, cards=1)
    device = await tills.get_device(trade.db, till)
    assert (device.state, device.pack_at) == ("stuck", at)
    # It says nothing more.
    await long_ago(trade, till, "seen_at")
    assert (await tills.get_device(trade.db, till)).state == "silent"
    assert await tills.holding(trade.db, None) == 1
    assert await tills.holding(trade.db, [trade.at_malmo.id]) == 1
    assert await tills.holding(trade.db, [trade.at_lund.id]) == 0
    # It is back, and has sent everything.
    await say(http, trade, till)
    device = await tills.get_device(trade.db, till)
    assert (device.state, device.unsent, device.unsent_since) == ("heard", 0, None)
    assert await tills.holding(trade.db, None) == 0


async def test_what_its_journal_says_counts_as_well(trade: Trade, http: httpx.AsyncClient) -> None:
    till = Till(trade)
    await say(http, trade, till.id, 1)
    body = {
        "channel": trade.malmo.code,
        "entries": [],
        "journal": {"till": str(till.id), "last": 0, "unsent": 0},
    }
    assert (await http.post("/api/till-sales/batch", json=body)).status_code == 200
    device = await tills.get_device(trade.db, till.id)
    assert (device.unsent, device.unsent_since) == (0, None)


async def test_what_cannot_be_read_is_said_and_changes_nothing(trade: Trade, http: httpx.AsyncClient) -> None:
    address = f"/pos/{trade.malmo.code}/offline/here"
    for said in (
        "x",
        "{}",
        '{"till": "1", "unsent": 0}',
        json.dumps({"till": str(uuid4()), "unsent": -1}),
        json.dumps({"till": str(uuid4()), "unsent": 0, "pack_at": "2026-11-27T10:00:00"}),
    ):
        answer = await http.get(address, headers={"x-till": said})
        assert answer.status_code == 422, said
    assert (await http.get(address)).status_code == 200
    assert await trade.db.value("SELECT count(*) FROM till_device") == 0


async def test_an_id_of_another_store_is_left_to_it(trade: Trade, http: httpx.AsyncClient) -> None:
    till = uuid4()
    await say(http, trade, till, 3)
    said = json.dumps({"till": str(till), "unsent": 0})
    other = await http.get(f"/pos/{trade.lund.code}/offline/here", headers={"x-till": said})
    assert other.status_code == 200
    device = await tills.get_device(trade.db, till)
    assert (device.unsent, device.location) == (3, trade.at_malmo.id)


async def test_a_device_is_put_away_and_speaks_again(trade: Trade, http: httpx.AsyncClient) -> None:
    till = uuid4()
    await say(http, trade, till, 1)
    await long_ago(trade, till, "unsent_since", "seen_at")
    path = f"/api/till-devices/{till}"
    assert (await http.post(f"{path}/put-away", json={"reason": " "})).status_code == 422
    for _ in range(2):
        away = await http.post(f"{path}/put-away", json={"reason": "Fell into the sea"})
        assert (away.status_code, away.json()["state"]) == (200, "put-away")
    assert await tills.holding(trade.db, None) == 0
    facts = await trade.db.rows("SELECT payload FROM event WHERE type = 'till.put_away'")
    assert [row["payload"]["unsent"] for row in facts] == [1]
    for _ in range(2):
        assert (await http.post(f"{path}/bring-back", json={})).json()["state"] == "silent"
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'till.brought_back'") == 1
    await http.post(f"{path}/put-away", json={"reason": "Fell into the sea"})
    await say(http, trade, till, 1)  # within the minute, and nothing else has changed
    back = (await http.get(path)).json()
    assert (back["state"], back["reason"]) == ("stuck", "")
    missing = f"/api/till-devices/{uuid4()}"
    assert (await http.post(f"{missing}/put-away", json={"reason": "x"})).status_code == 404
    assert (await http.get(missing)).status_code == 404


async def test_a_till_has_a_name_that_a_kiosk_does_not_lose(trade: Trade, http: httpx.AsyncClient) -> None:
    till = uuid4()
    await say(http, trade, till)
    path = f"/api/till-devices/{till}"
    for _ in range(2):
        assert (await http.post(f"{path}/name", json={"name": " By the door "})).json()[
            "name"
        ] == "By the door"
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'till.named'") == 1
    await say(http, trade, till, 1)
    found = await http.get("/api/till-devices", params={"q": "door", "channel": trade.malmo.code})
    assert [each["id"] for each in found.json()["items"]] == [str(till)]
    assert (await http.get("/api/till-devices", params={"state": "silent"})).json()["items"] == []
    await trade.db.rows("UPDATE till_device SET is_kiosk = true RETURNING 1")
    assert (await http.post(f"{path}/name", json={"name": "Mine"})).status_code == 409
    listed = await http.get("/api/till-devices", params={"format": "csv"})
    assert listed.text.count(str(till)) == 1


async def test_devices_are_sorted_page_by_page(trade: Trade, http: httpx.AsyncClient) -> None:
    """By what is unsent, and by how old the goods are, also where one has not said so."""
    first, second = uuid4(), uuid4()
    await say(http, trade, first, 3)
    await say(http, trade, second, 1, pack_at=now().isoformat())
    for sort, ids in (
        ("pack_at", [first, second]),
        ("-unsent", [first, second]),
        ("unsent", [second, first]),
    ):
        found, cursor = [], None
        while len(found) < len(ids):
            asked = {"sort": sort, "limit": 1} | ({"cursor": cursor} if cursor else {})
            page = (await http.get("/api/till-devices", params=asked)).json()
            found += [each["id"] for each in page["items"]]
            cursor = page["next_cursor"]
        assert found == [str(each) for each in ids], sort


async def test_managers_see_those_of_their_stores(
    trade: Trade, http: httpx.AsyncClient, api_as: ApiAs
) -> None:
    till = uuid4()
    await say(http, trade, till, 1)
    of_lund = Actor(
        kind="staff",
        id=uuid4(),
        name="Lo",
        permissions=permissions_of(Role.MANAGER),
        locations=frozenset({trade.at_lund.id}),
    )
    async with api_as(of_lund) as away:
        assert (await away.get("/api/till-devices")).json()["items"] == []
        assert (await away.get(f"/api/till-devices/{till}")).status_code == 403
        for act, body in (("name", {"name": "x"}), ("put-away", {"reason": "x"}), ("bring-back", {})):
            answer = await away.post(f"/api/till-devices/{till}/{act}", json=body)
            assert answer.status_code == 403, act
        assert (await say(away, trade, uuid4())).status_code == 403
    clerk = Actor(kind="staff", id=uuid4(), name="Sam", permissions=permissions_of(Role.STORE))
    async with api_as(clerk) as at_till:
        assert (await say(at_till, trade, till)).status_code == 200  # a clerk's till speaks
        assert (await at_till.get("/api/till-devices")).status_code == 403  # and is looked at by managers
