"""Selling plans and subscriptions over HTTP: for staff and for the customers whose they are."""

from typing import Any

import httpx
from subscribing import Shop

from samlad.kernel.context import GUEST, Actor
from trade import ADDRESS


def asked(shop: Shop, variant: Any, **more: Any) -> dict[str, Any]:
    return {
        "plan": str(shop.plan.id),
        "channel": str(shop.trade.web.id),
        "lines": [{"variant": str(variant), "quantity": 1}],
        "address": ADDRESS,
        "payment": {"provider": "test", "token": "ok"},
        **more,
    }


async def test_a_customer_subscribes_and_does_everything_with_their_own(shop: Shop, api_as: Any) -> None:
    kettle = await shop.trade.kettle(10_000, 20)
    async with api_as(Actor(kind="customer", id=shop.kim)) as api:
        key = {"Idempotency-Key": "one"}
        made = await api.post("/api/subscriptions", json=asked(shop, kettle), headers=key)
        twice = await api.post("/api/subscriptions", json=asked(shop, kettle), headers=key)
        assert (made.status_code, twice.json()["id"]) == (201, made.json()["id"])
        assert "ok" not in made.json().values()  # the token is never told
        await shop.sweep()
        here = f"/api/subscriptions/{made.json()['id']}"
        read = await api.get(here)
        assert (read.json()["orders"], read.headers["etag"]) == (1, '"2"')
        coming = (await api.get(f"{here}/upcoming")).json()
        assert [each["on"] for each in coming["orders"][:2]] == ["2027-02-28", "2027-03-31"]
        assert (coming["total"], coming["last_total"], coming["lines"][0]["unit_price"]) == (
            9_000,
            9_000,
            9_000,
        )
        assert [row["state"] for row in (await api.get(f"{here}/cycles")).json()["items"]] == ["ordered"]
        old = await api.post(f"{here}/skip", headers={"If-Match": '"1"'})
        assert (old.status_code, old.json()["type"]) == (412, "/problems/outdated")
        assert (await api.post(f"{here}/skip", headers={"If-Match": '"2"'})).json()["next_on"] == "2027-03-31"
        for act, body in (
            ("unskip", None),
            ("move", {"next_on": "2027-03-10"}),
            ("pause", {"until": "2027-06-01"}),
            ("resume", {}),
            ("order-now", {"restart": True}),
            ("cancel", {"when": "period", "reason": "Enough"}),
            ("reactivate", {}),
        ):
            answer = await api.post(f"{here}/{act}", json=body)
            assert answer.status_code == 200, (act, answer.text)
        await shop.sweep()
        assert (
            await api.patch(here, json={"lines": [{"variant": str(kettle), "quantity": 3}]})
        ).status_code == 200
        other = await shop.trade.kettle(10_000, 20)
        swapped = await api.post(f"{here}/swap", json={"variant": str(kettle), "to": str(other)})
        assert [line["quantity"] for line in swapped.json()["lines"]] == [3]
        for customer in ("", f"?customer={shop.trade.web.id}"):  # whoever is asked for: one's own
            assert [
                row["id"] for row in (await api.get(f"/api/subscriptions{customer}")).json()["items"]
            ] == [made.json()["id"]]
        strange = await api.post(
            "/api/subscriptions", json=asked(shop, kettle, customer=str(shop.trade.web.id))
        )
        assert strange.status_code == 403
        assert (await api.post("/api/selling-plans", json={})).status_code in (403, 422)
        assert (await api.get("/api/selling-plans")).status_code == 403


async def test_strangers_see_offers_and_nothing_else(shop: Shop, api_as: Any) -> None:
    kettle = await shop.trade.kettle(10_000, 20)
    found = await shop.start((kettle, 1))
    async with api_as(GUEST) as api:
        offers = (await api.get(f"/api/selling-plans/offers?channel=web&variant={kettle}")).json()
        assert [(offer["code"], offer["price"], offer["regular"]) for offer in offers] == [
            ("monthly", 9_000, 10_000)
        ]
        for path in ("", f"/{found.id}", f"/{found.id}/upcoming", f"/{found.id}/cycles"):
            assert (await api.get(f"/api/subscriptions{path}")).status_code == 401
        assert (await api.post(f"/api/subscriptions/{found.id}/skip")).status_code == 401


async def test_what_cannot_be_is_told_with_its_place(shop: Shop, api: httpx.AsyncClient) -> None:
    kettle = await shop.trade.kettle(10_000, 20)
    for more, field in (
        ({"payment": {"provider": "cash"}}, "payment/provider"),
        ({"payment": {"provider": "invoice"}}, "payment/provider"),
        ({"payment": {"provider": "test", "token": "4242 4242 4242 4242"}}, "payment/token"),
        ({"address": ADDRESS | {"postal_code": "1"}}, "address/postal_code"),
        ({"address": None}, "address"),
        ({"delivery_method": "balloon"}, "delivery_method"),
        ({"first_on": "2020-01-01"}, "first_on"),
        ({"lines": [{"variant": str(kettle)}, {"variant": str(kettle)}]}, "lines/1/variant"),
        ({"customer": None}, "customer"),
    ):
        body = asked(shop, kettle, **({"customer": str(shop.kim)} | more))
        answer = await api.post("/api/subscriptions", json=body)
        assert answer.status_code == 422, (more, answer.text)
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    wrong = {"code": "x", "name": "X", "channels": ["nowhere", "malmo"], "products": [str(kettle)]}
    answer = await api.post("/api/selling-plans", json=wrong)
    assert [error["field"] for error in answer.json()["errors"]] == ["channels/0", "channels/1", "products/0"]
    again = {"code": "monthly", "name": "Again", "channels": ["web"]}
    assert (await api.post("/api/selling-plans", json=again)).status_code == 409


async def test_lists_are_filtered_and_exported(shop: Shop, api: httpx.AsyncClient) -> None:
    kettle, cup = [await shop.trade.kettle(10_000, 20) for _ in range(2)]
    first = await shop.start((kettle, 1))
    second = await shop.start((cup, 1), payment={"provider": "test", "token": "decline"})
    await shop.sweep()
    for query, expected in (
        ("", [second, first]),
        ("?trouble=any", [second]),
        ("?trouble=declined", [second]),
        (f"?variant={kettle}", [first]),
        ("?plan=monthly&status=active&channel=web&q=kim", [second, first]),
        ("?before=2027-02-01", [second]),
        ("?sort=next_on", [second, first]),
        (f"?q={first.number}", [first]),
        ("?status=paused", []),
    ):
        items = (await api.get(f"/api/subscriptions{query}")).json()["items"]
        assert [item["id"] for item in items] == [str(each.id) for each in expected], query
    csv = await api.get("/api/subscriptions?format=csv")
    assert csv.headers["content-type"].startswith("text/csv")
    assert first.number in csv.text
    assert "monthly" in (await api.get("/api/selling-plans?format=csv&state=active")).text
    assert (await api.get("/api/subscriptions?before=nonsense")).status_code == 422
