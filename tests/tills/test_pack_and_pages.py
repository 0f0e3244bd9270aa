"""What a till carries: everything once, later what has changed; the list of what needs a look."""

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from selling import Till

import horizon
from samlad import tills
from samlad.tills import pack as packing
from trade import Trade


async def _load(api: Any, **params: Any) -> Any:
    answer = await api.get("/api/till-pack/malmo", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_pack_is_whole_once_and_then_what_changed(
    trade: Trade, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "PAGE_ROWS", 2)
    kettles = [await trade.kettle(price=100 * n, quantity=n, at=trade.at_malmo) for n in (1, 2, 3)]
    till = uuid4()
    await api.post(
        "/api/till-leases",
        json={"channel": "malmo", "till": str(till), "lines": [{"variant": str(kettles[2]), "units": 2}]},
    )
    await horizon.passed(trade.db)
    pages, cursor = [], None
    while not pages or cursor:
        pages.append(await _load(api, till=str(till), **({"cursor": cursor} if cursor else {})))
        cursor = pages[-1]["next"]
    rows = {row[0]: row for page in pages for row in page["rows"]}
    assert sorted(rows) == sorted(str(each) for each in kettles)
    assert len(pages) == 2
    assert rows[str(kettles[1])][3:7] == ["Kettle", "", 200, "standard"]
    first, last = pages[0], pages[-1]
    assert first["store"]["tax_rates"]["standard"] == 2500
    assert (first["store"]["currency"], first["store"]["cash"]["step"]) == ("SEK", 100)
    assert dict(last["stock"]) == {str(kettles[0]): 1, str(kettles[1]): 2, str(kettles[2]): 1}
    assert [line["units"] for line in last["lease"]] == [2]
    assert {page["upto"] for page in pages} == {first["upto"]}
    # Nothing has changed: a few bytes, and 304 for who says so.
    answer = await api.get("/api/till-pack/malmo", params={"since": first["upto"], "till": str(till)})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["rows"] == []
    same = await api.get(
        "/api/till-pack/malmo",
        params={"since": first["upto"], "till": str(till)},
        headers={"if-none-match": answer.headers["etag"]},
    )
    assert same.status_code == 304
    await api.patch(f"/api/products/{rows[str(kettles[0])][8]}", json={"title": "Pot"})
    await api.post(f"/api/products/{rows[str(kettles[1])][8]}/archive")
    await horizon.passed(trade.db)
    changed = await _load(api, since=first["upto"])
    assert changed["is_whole"] is False
    assert [row[3] for row in changed["rows"]] == ["Pot"]
    assert changed["gone"] == [str(kettles[1])]
    assert (await _load(api, since=changed["upto"]))["rows"] == []
    # Too much has happened, or something about the store: everything again.
    monkeypatch.setattr(packing, "MOST_EVENTS", 1)
    assert (await _load(api, since=first["upto"]))["is_whole"] is True
    for wrong in ({"since": "x"}, {"cursor": "x~1-1"}, {"cursor": f"{till}~x"}):
        assert (await api.get("/api/till-pack/malmo", params=wrong)).status_code == 422


async def test_sales_over_http(trade: Trade, api: Any) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=1, at=trade.at_malmo)
    entries = [till.sale((kettle, 1), clerk=None), till.sale((kettle, 1), clerk=None), {"odd": True}]
    body = {"channel": "malmo", "entries": entries}
    answers = await asyncio.gather(*(api.post("/api/till-sales/batch", json=body) for _ in range(2)))
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert [each["verdict"] for each in answer.json()["verdicts"]] == ["recorded", "recorded", "kept"]
    assert (await api.post("/api/till-sales/batch", json={**body, "channel": "web"})).status_code == 404
    listed = (await api.get("/api/till-sales", params={"needs_look": "true"})).json()["items"]
    assert [row["state"] for row in listed] == ["kept", "ordered"]
    assert "till-sales.csv" in (await api.get("/api/till-sales?format=csv")).headers["content-disposition"]
    [odd] = [row for row in listed if row["state"] == "kept"]
    read = await api.get(f"/api/till-sales/{odd['id']}")
    assert read.json()["body"] == {"unread": {"odd": True}}
    assert (await api.post(f"/api/till-sales/{odd['id']}/settle")).status_code == 422
    off = {"reason": "Not a sale"}
    stale = await api.post(f"/api/till-sales/{odd['id']}/write-off", json=off, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    done = await api.post(
        f"/api/till-sales/{odd['id']}/write-off", json=off, headers={"if-match": read.headers["etag"]}
    )
    assert done.json()["state"] == "written_off"
    assert await tills.waiting(trade.db, None) == 1
    assert msgspec.convert(done.json(), tills.KeptSale).reason == "Not a sale"
