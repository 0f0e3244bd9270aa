"""The API of promotions, and of codes in carts."""

from typing import Any

import httpx

from samlad.channels import Resource
from samlad.customers import PersonInput, find_or_create
from samlad.kernel.context import GUEST, Actor
from samlad.kernel.ids import new_id
from trade import BUYER, Trade


def body(trade: Trade, **fields: Any) -> dict[str, Any]:
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    return {
        "channel": str(trade.web.id),
        "name": "Kettle week",
        "is_automatic": False,
        "terms": terms,
    } | fields


async def test_from_a_code_to_the_sums(api: httpx.AsyncClient, api_as: Any, trade: Trade) -> None:
    kettle = await trade.kettle(19_900)
    made = await api.post("/api/promotions", json=body(trade, codes=["kettle 10"], limit_total=5))
    assert made.status_code == 201, made.text
    path = f"/api/promotions/{made.json()['id']}"
    page = (await api.get(path)).json()
    assert (page["links"], page["sums"], page["version"]) == ([], {"uses": 0, "spent": 0}, 1)

    async with api_as(GUEST) as guest:
        begun = await guest.post(
            "/api/carts",
            json={"channel": str(trade.web.id), "lines": [{"variant": str(kettle)}]},
        )
        cart, token = begun.json(), {"Cart-Token": begun.json()["token"]}
        codes = f"/api/carts/{cart['id']}/codes"
        assert (await guest.post(codes, json={"code": "kettle10"})).status_code == 404, "without the token"
        refused = await guest.post(codes, json={"code": "nothing"}, headers=token)
        assert (refused.status_code, refused.json()["reason"]) == (409, "unknown")
        typed = await guest.post(codes, json={"code": "Kettle-10"}, headers=token)
        assert typed.json()["codes"][0]["reason"] is None
        (line,) = typed.json()["lines"]
        assert (line["total"], [step["amount"] for step in line["steps"]]) == (17_910, [1_990])
        assert (await guest.delete(f"{codes}/KETTLE10", headers=token)).json()["totals"]["total"] == 19_900
        assert (await guest.delete(f"{codes}/KETTLE10", headers=token)).status_code == 404
        await guest.post(codes, json={"code": "KETTLE10"}, headers=token)
        details = {"email": BUYER["email"], "delivery": "ship", "address": BUYER["address"]}
        await guest.patch(f"/api/carts/{cart['id']}", json=details, headers=token)
        placed = await guest.post(
            "/api/orders",
            json={"cart": cart["id"], "payments": [{"provider": "test"}], "total": 17_910},
            headers=token,
        )
        assert placed.status_code == 201, placed.text
        assert placed.json()["lines"][0]["reductions"][0]["name"] == "Kettle week"
        assert (await guest.get("/api/promotions")).status_code == 401

    assert (await api.get(path)).json()["sums"] == {"uses": 1, "spent": 1_990}
    (row,) = (await api.get("/api/promotions?state=active&q=kettle1")).json()["items"]
    assert (row["uses"], row["spent"], row["codes"], row["kind"]) == (1, 1_990, 1, "percent")
    assert (await api.get("/api/promotions?state=ended")).json()["items"] == []
    csv = (await api.get(f"{path}/codes?format=csv")).text
    assert "KETTLE10" in csv


async def test_changes_need_the_version_and_the_permission(
    api: httpx.AsyncClient, api_as: Any, trade: Trade
) -> None:
    made = (await api.post("/api/promotions", json=body(trade))).json()
    path = f"/api/promotions/{made['id']}"
    assert (await api.patch(path, json={"status": "paused"}, headers={"If-Match": '"9"'})).status_code == 412
    changed = await api.patch(path, json={"status": "paused"}, headers={"If-Match": '"1"'})
    assert (changed.json()["status"], changed.headers["etag"]) == ("paused", '"2"')
    reader = Actor(kind="staff", id=new_id(), name="Mo", permissions=frozenset({"promotions.read"}))
    async with api_as(reader) as other:
        assert (await other.get(path)).status_code == 200
        for verb, sent in (("codes", {"make": 1}), ("links", {}), ("grants", {"customer": str(new_id())})):
            assert (await other.post(f"{path}/{verb}", json=sent)).status_code == 403
        assert (await other.patch(path, json={"name": "Mine"})).status_code == 403
    told = [event["type"] for event in await trade.db.rows("SELECT type FROM event ORDER BY id")]
    assert told[-1] == "promotion.changed"
    audit = await trade.db.value(
        "SELECT count(*) FROM audit_entry WHERE subject = $1::text::uuid", made["id"]
    )
    assert audit == 2


async def test_links_codes_and_grants(api: httpx.AsyncClient, trade: Trade) -> None:
    made = (await api.post("/api/promotions", json=body(trade))).json()
    path = f"/api/promotions/{made['id']}"
    link = await api.post(f"{path}/links", json={"leads_to": "/p/kettle", "note": "Facebook"})
    assert (link.status_code, link.json()["leads_to"]) == (201, "/p/kettle")
    for away in ("//evil.example", "https://evil.example", "/\\evil"):
        assert (await api.post(f"{path}/links", json={"leads_to": away})).status_code in (400, 422)
    codes = await api.post(f"{path}/codes", json={"codes": ["one", "ONE "], "make": 3, "prefix": "x"})
    assert len(codes.json()["codes"]) == 4
    other = (await api.post("/api/promotions", json=body(trade))).json()
    assert (
        await api.post(f"/api/promotions/{other['id']}/codes", json={"codes": ["one"]})
    ).status_code == 409
    again = await api.post(f"{path}/codes", json={"codes": ["one"]})
    assert again.status_code == 201, "the same code again is the same"

    pool = trade.web.pools[Resource.CUSTOMERS]
    kim = await trade.db.transaction(
        lambda tx: find_or_create(tx, pool, PersonInput(email="kim@example.org"))
    )
    for _ in range(2):
        held = await api.post(f"{path}/grants", json={"customer": str(kim.id)})
        assert [(each["name"], each["source"]) for each in held.json()] == [("Kettle week", "staff")]
    assert (await api.get(f"/api/customers/{kim.id}/promotions")).json() == held.json()
    assert (await api.post(f"{path}/grants", json={"customer": str(new_id())})).status_code == 404


async def test_terms_that_make_no_sense(api: httpx.AsyncClient, trade: Trade) -> None:
    part = {"goods": {"products": [str(new_id())]}}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"effect": {"kind": "tiers", "tiers": [{"at_least": 5}]}}, "terms/effect/tiers"),
        ({"effect": {"kind": "bundle", "price": 1, "parts": [{"goods": {}}]}}, "terms/effect/parts"),
        ({"effect": {"kind": "bundle", "price": 1, "parts": [part]}}, "terms/goods/products"),
        ({"effect": {"kind": "gift", "variant": str(new_id())}}, "terms/effect/variant"),
    ]
    for terms, field in wrong:
        answer = await api.post("/api/promotions", json=body(trade, terms=terms))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
    for fields, field in (
        ({"first_day": "2026-12-24", "last_day": "2026-12-01"}, "last_day"),
        ({"channel": str(new_id())}, "channel"),
        ({"channels": [str(new_id())]}, "channels"),
        ({"currency": "XXQ"}, "currency"),
        ({"hours": {"opens": "10:00", "closes": "10:00"}}, "hours"),
    ):
        answer = await api.post("/api/promotions", json=body(trade, **fields))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    percent = {"effect": {"kind": "percent", "percent": 10_001}}
    assert (await api.post("/api/promotions", json=body(trade, terms=percent))).status_code in (400, 422)


async def test_without_amounts_it_may_hold_in_several_currencies(
    api: httpx.AsyncClient, trade: Trade
) -> None:
    (here,) = {(await api.post("/api/promotions", json=body(trade))).json()["currency"]}
    assert here == "SEK", "the only one of the pool"
    join = dict.fromkeys(("promotions", "catalogue"), "web")
    await api.post(
        "/api/channels",
        json={
            "code": "nl",
            "name": "NL",
            "kind": "webshop",
            "parent": "web",
            "currency": "EUR",
            "join": join,
        },
    )
    made = (await api.post("/api/promotions", json=body(trade))).json()
    assert made["currency"] is None
    path = f"/api/promotions/{made['id']}"
    assert (await api.patch(path, json={"budget": 100_000})).status_code == 422
    rows = (await api.get("/api/promotions?sort=created_at")).json()["items"]
    assert [row["spent"] for row in rows] == [0, None]
