"""Sales of tills in the admin: what needs a look is found, understood, settled or written off."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from market import Market, hidden, text_of

from samlad.kernel.clock import now


def _sale(variant: Any, **fields: Any) -> dict[str, Any]:
    line = {"variant": str(variant), "sku": "KETTLE", "title": "Kittel", "quantity": 1, "unit_price": 9900}
    return {
        "id": str(uuid4()),
        "till": "11111111-1111-4111-8111-111111110042",
        "sequence": 1,
        "happened_at": (now() - timedelta(hours=1)).isoformat(),
        "lines": [{**line, "tax_rate": 2500, "tax": 1980, "total": 9900}],
        "tenders": [{"kind": "card", "amount": 9900}],
        "total": 9900,
        "currency": "SEK",
        "clerk_name": "Sam",
        **fields,
    }


async def test_what_needs_a_look_is_settled_or_written_off(market: Market, api_as: Any) -> None:
    made = await market.product(sku="KETTLE", title="Kittel", stock=(0, 0))
    async with api_as(accept="text/html", **{"accept-language": "en"}) as admin:
        assert "Nothing needs a look" in (await admin.get("/admin/till-sales")).text
        entries = [_sale(made.variants[0].id), _sale(uuid4(), sequence=2), {"odd": "<b>"}]
        await _send(admin, entries)
        assert "3 sales of tills need a look" in text_of((await admin.get("/admin/overview/hints")).text)
        page = text_of((await admin.get("/admin/till-sales")).text)
        for said in ("0042-000001", "More than the books had", "Unknown article", "It cannot be read"):
            assert said in page, said
        listed = (await admin.get("/api/till-sales", headers={"accept": "application/json"})).json()["items"]
        by = {row["objections"][0]["code"]: row["id"] for row in listed}

        gone = (await admin.get(f"/admin/till-sales/{by['stock']}")).text
        assert "It is an order already" in gone
        seen = {"version": hidden(gone, "version")}
        done = await admin.post(f"/admin/till-sales/{by['stock']}/settle", data=seen)
        assert done.headers["location"] == "/admin/till-sales"
        again = await admin.post(f"/admin/till-sales/{by['stock']}/settle", data=seen)
        assert again.headers["location"].endswith(by["stock"])  # somebody was quicker

        unknown = (await admin.get(f"/admin/till-sales/{by['unknown-goods']}")).text
        assert "Which article was it?" in unknown
        goods = f"/admin/till-sales/{by['unknown-goods']}/goods"
        said = {"version": hidden(unknown, "version"), "line": "1", "code": "NOTHING"}
        refused = await admin.post(goods, data=said)
        assert refused.status_code == 422
        assert "Nothing has this code." in text_of(refused.text)
        named = await admin.post(goods, data=said | {"code": "KETTLE"})
        assert named.headers["location"] == f"/admin/till-sales/{by['unknown-goods']}"
        unknown = (await admin.get(named.headers["location"])).text
        assert "Which article was it?" not in unknown
        assert "KETTLE" in unknown
        await admin.post(
            f"/admin/till-sales/{by['unknown-goods']}/settle", data={"version": hidden(unknown, "version")}
        )
        assert len(await market.orders()) == 2

        unread = (await admin.get(f"/admin/till-sales/{by['unreadable']}")).text
        assert "<b>" not in unread.replace("&lt;b&gt;", "")
        version = hidden(unread, "version")
        refused = await admin.post(f"/admin/till-sales/{by['unreadable']}/settle", data={"version": version})
        assert refused.status_code == 422
        empty = await admin.post(
            f"/admin/till-sales/{by['unreadable']}/write-off", data={"version": version, "reason": " "}
        )
        assert empty.status_code == 422
        await admin.post(
            f"/admin/till-sales/{by['unreadable']}/write-off", data={"version": version, "reason": "A test"}
        )
        assert "Nothing needs a look" in (await admin.get("/admin/till-sales")).text
        everything = text_of((await admin.get("/admin/till-sales?sort=-received_at")).text)
        assert "3 sales" in everything
        assert "Written off" in everything


async def _send(admin: httpx.AsyncClient, entries: list[dict[str, Any]]) -> None:
    answer = await admin.post("/api/till-sales/batch", json={"channel": "soder", "entries": entries})
    assert answer.status_code == 200, answer.text
