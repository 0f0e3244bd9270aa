"""The HTTP of the catalogue: what a client of it can do, and what it is told when it cannot."""

from typing import Any

import httpx
import pytest

from samlad.kernel.context import Actor

from .conftest import Shop

KETTLE: dict[str, Any] = {
    "title": "Enamel kettle",
    "status": "active",
    "brand": "Acme",
    "translations": {"sv": {"title": "Emaljerad kittel"}},
    "variants": [
        {"sku": "K-RED", "options": {"Colour": "Red"}, "prices": [{"price_list": "base", "amount": 19900}]},
        {"sku": "K-BLUE", "options": {"Colour": "Blue"}, "prices": [{"price_list": "base", "amount": 17900}]},
    ],
}


async def test_a_product_from_making_to_archive(shop: Shop, api: httpx.AsyncClient) -> None:
    made = await api.post("/api/products", json=KETTLE, headers={"Idempotency-Key": "1"})
    assert made.status_code == 201, made.text
    product = made.json()
    assert product["handle"] == "enamel-kettle"
    read = await api.get(f"/api/products/{product['id']}")
    assert (read.json(), read.headers["etag"]) == (product, '"1"')
    changed = await api.patch(
        f"/api/products/{product['id']}", json={"brand": None}, headers={"If-Match": '"1"'}
    )
    assert (changed.json()["brand"], changed.headers["etag"]) == (None, '"2"')
    late = await api.patch(f"/api/products/{product['id']}", json={"brand": "B"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    variant = product["variants"][0]
    renamed = await api.patch(f"/api/variants/{variant['id']}", json={"sku": "K-RUBY"})
    assert renamed.json()["sku"] == "K-RUBY"
    found = await api.get("/api/variants/by-code", params={"code": "K-RUBY"})
    assert found.json()["id"] == variant["id"]
    listed = await api.get("/api/products", params={"sku": "K-BLUE", "status": "active"})
    assert [p["handle"] for p in listed.json()["items"]] == ["enamel-kettle"]
    as_csv = await api.get("/api/variants", params={"format": "csv"})
    assert as_csv.text.splitlines()[0].startswith("id,product,sku")
    archived = await api.post(f"/api/products/{product['id']}/archive")
    assert archived.json()["status"] == "archived"
    assert (await api.get("/api/search")).json()["total"] == 0


async def test_customers_find_it_by_words_and_filters(shop: Shop, api: httpx.AsyncClient) -> None:
    await api.post("/api/categories", json={"name": "Kitchen", "slug": "kitchen"})
    await api.post("/api/products", json=KETTLE | {"category": "kitchen"})
    answer = (await api.get("/api/search", params={"q": "emaljerade", "channel": "web"})).json()
    [hit] = answer["items"]
    assert (hit["title"], hit["price"], hit["price_to"], hit["variants"]) == (
        "Emaljerad kittel",
        17900,
        19900,
        2,
    )
    names = {facet["name"]: {v["value"]: v["count"] for v in facet["values"]} for facet in answer["facets"]}
    assert names == {"category": {"kitchen": 1}, "brand": {"Acme": 1}, "option.Colour": {"Blue": 1, "Red": 1}}
    none = await api.get("/api/search", params=[("filter", "option.Colour:Green")])
    assert none.json()["total"] == 0
    bad = await api.get("/api/search", params={"filter": "nonsense"})
    assert bad.status_code == 422


async def test_prices_and_lists(shop: Shop, api: httpx.AsyncClient) -> None:
    product = (await api.post("/api/products", json=KETTLE)).json()
    sale = {"code": "sale", "name": "Sale", "currency": "SEK", "kind": "sale", "priority": 5}
    made = (await api.post("/api/price-lists", json=sale)).json()
    variant = product["variants"][0]["id"]
    prices = {"prices": [{"variant": variant, "amount": 15000}]}
    answer = await api.put(f"/api/price-lists/{made['id']}/prices", json=prices)
    assert answer.json() == {"changed": 1}
    assert (await api.put(f"/api/price-lists/{made['id']}/prices", json=prices)).json() == {"changed": 0}
    listed = (await api.get("/api/prices", params={"sku": "K-RED"})).json()["items"]
    assert [(p["code"], p["amount"]) for p in listed] == [("base", 19900), ("sale", 15000)]
    history = (await api.get(f"/api/variants/{variant}/price-history")).json()
    assert [h["amount"] for h in history] == [15000, 19900]
    assert (await api.get("/api/search")).json()["items"][0]["price"] == 15000
    assert (await api.post("/api/price-lists", json=sale)).status_code == 409
    odd = await api.post("/api/price-lists", json=sale | {"code": "x", "currency": "XXX1"})
    assert odd.status_code == 422


async def test_tax_rates_do_not_overlap(api: httpx.AsyncClient) -> None:
    holds = (await api.get("/api/tax-rates", params={"country": "SE", "on": "2027-01-01"})).json()["items"]
    assert {r["tax_class"]: r["rate_bp"] for r in holds} == {"books": 600, "food": 600, "standard": 2500}
    [food] = [r for r in holds if r["tax_class"] == "food"]
    new = {
        "country": "SE",
        "tax_class": "food",
        "rate_bp": 900,
        "valid_from": "2027-06-01",
        "name": "Moms 9 %",
    }
    assert (await api.post("/api/tax-rates", json=new)).status_code == 409
    ended = await api.patch(f"/api/tax-rates/{food['id']}", json={"valid_to": "2027-06-01"})
    assert ended.status_code == 200
    assert (await api.post("/api/tax-rates", json=new | {"valid_to": "2028-01-01"})).status_code == 201


async def test_categories_move_with_all_below_and_make_no_circle(shop: Shop, api: httpx.AsyncClient) -> None:
    async def make(name: str, parent: str | None = None) -> dict[str, Any]:
        answer = await api.post("/api/categories", json={"name": name, "parent": parent})
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    home = await make("Home")
    kitchen = await make("Kitchen", home["id"])
    kettles = await make("Kettles", kitchen["id"])
    await api.post("/api/products", json=KETTLE | {"category": "home/kitchen/kettles"})
    circle = await api.patch(f"/api/categories/{home['id']}", json={"parent": kettles["id"]})
    assert circle.status_code == 422
    moved = await api.patch(f"/api/categories/{kitchen['id']}", json={"parent": None, "slug": "cook_ing"})
    assert moved.json()["path"] == "cook_ing"
    paths = [c["path"] for c in (await api.get("/api/categories")).json()["items"]]
    assert paths == ["cook_ing", "cook_ing/kettles", "home"]
    found = await api.get("/api/search", params={"filter": "category:cook_ing"})
    assert found.json()["total"] == 1
    assert (await api.get("/api/search", params={"filter": "category:home"})).json()["total"] == 0
    assert (await api.delete(f"/api/categories/{kettles['id']}")).status_code == 409
    assert (await api.delete(f"/api/categories/{home['id']}")).status_code == 204


async def test_listings_hide_rename_and_price(shop: Shop, api: httpx.AsyncClient) -> None:
    product = (await api.post("/api/products", json=KETTLE)).json()
    base = {"products": [product["id"]], "channel": str(shop.channel.id)}
    answer = await api.put("/api/listings", json=base | {"title": "Kittel i emalj", "price": 9900})
    assert answer.status_code == 200, answer.text
    assert (answer.json()[0]["title"], answer.json()[0]["price"]) == ("Kittel i emalj", 9900)
    [hit] = (await api.get("/api/search")).json()["items"]
    assert (hit["title"], hit["price"]) == ("Kittel i emalj", 9900)
    await api.put("/api/listings", json=base | {"published_at": None})
    assert (await api.get("/api/search")).json()["total"] == 0
    problems = [{"code": "missing-gtin", "message": "needs a GTIN"}]
    await api.put("/api/listings", json=base | {"problems": problems})
    listed = (await api.get("/api/listings", params={"has_problems": "true"})).json()["items"]
    assert [entry["problems"] for entry in listed] == [problems]
    gone = await api.delete(f"/api/listings/{product['id']}/{shop.channel.id}")
    assert gone.status_code == 204
    [hit] = (await api.get("/api/search")).json()["items"]
    assert (hit["title"], hit["price"]) == ("Emaljerad kittel", 17900)


async def test_size_charts_by_the_nearest(shop: Shop, api: httpx.AsyncClient) -> None:
    category = (await api.post("/api/categories", json={"name": "Kitchen"})).json()
    product = (await api.post("/api/products", json=KETTLE | {"category": "kitchen"})).json()
    chart = {"name": "By brand", "measures": ["width"], "rows": [{"size": "M", "values": [[2.54, 5.08]]}]}
    assert (await api.get(f"/api/products/{product['id']}/size-chart")).status_code == 404
    for name, target in (
        ("By brand", {"brands": ["Acme"]}),
        ("By category", {"categories": [category["id"]]}),
        ("By product", {"products": [product["id"]]}),
    ):
        assert (await api.post("/api/size-charts", json=chart | {"name": name} | target)).status_code == 201
        found = (await api.get(f"/api/products/{product['id']}/size-chart", params={"unit": "in"})).json()
        assert (found["name"], found["rows"][0]["values"]) == (name, [[1.0, 2.0]])
    wrong = chart | {"name": "Wrong", "rows": [{"size": "M", "values": []}]}
    assert (await api.post("/api/size-charts", json=wrong)).status_code == 422


@pytest.mark.parametrize(
    ("condition", "is_in"),
    [
        ({"field": "brand", "op": "is", "value": "Acme"}, True),
        ({"field": "brand", "op": "is_not", "value": "Acme"}, False),
        ({"field": "title", "op": "contains", "value": "KETTLE"}, True),
        ({"field": "category", "op": "is", "value": "kitchen"}, True),
        ({"field": "category", "op": "is", "value": "kit"}, False),
        ({"field": "tag", "op": "is", "value": "gift"}, True),
        ({"field": "tag", "op": "contains", "value": "if"}, True),
        ({"field": "price", "op": "at_most", "value": "17900"}, True),
        ({"field": "price", "op": "at_least", "value": "17901"}, False),
        ({"field": "created", "op": "at_most", "value": "3"}, True),
        ({"field": "attribute.material", "op": "is", "value": "{steel}"}, True),
        ({"field": "attribute.material", "op": "contains", "value": "TEEL"}, True),
        ({"field": "attribute.litres", "op": "at_least", "value": "1.5"}, True),
        ({"field": "attribute.litres", "op": "at_most", "value": "1.4"}, False),
    ],
)
async def test_collections_by_rule(
    shop: Shop, api: httpx.AsyncClient, condition: dict[str, str], is_in: bool
) -> None:
    await api.post("/api/categories", json={"name": "Kitchen"})
    material = {"code": "material", "name": "Material", "type": "choice", "choices": ["{steel}"]}
    assert (await api.post("/api/attributes", json=material)).status_code == 201
    await api.post(
        "/api/attributes", json={"code": "litres", "name": "Volume", "type": "number", "unit": "l"}
    )
    product = KETTLE | {
        "category": "kitchen",
        "tags": ["gift"],
        "attributes": {"material": "{steel}", "litres": "1.5"},
    }
    assert (await api.post("/api/products", json=product)).status_code == 201
    rule = {"match": "all", "conditions": [condition]}
    made = await api.post("/api/collections", json={"name": "Rule", "rule": rule})
    assert made.status_code == 201, made.text
    found = (await api.get("/api/search", params={"collection": "rule"})).json()
    assert found["total"] == int(is_in)


async def test_collections_by_hand_keep_their_order(shop: Shop, api: httpx.AsyncClient) -> None:
    ids = []
    for n in range(3):
        variant = {"sku": f"P{n}", "prices": [{"price_list": "base", "amount": n}]}
        body = {"title": f"P{n}", "status": "active", "variants": [variant]}
        ids.append((await api.post("/api/products", json=body)).json()["id"])
    order = [ids[1], ids[2], ids[0]]
    made = await api.post("/api/collections", json={"name": "Mine", "products": order})
    found = (await api.get("/api/search", params={"collection": "mine"})).json()
    assert [hit["id"] for hit in found["items"]] == order
    patched = await api.patch(f"/api/collections/{made.json()['id']}", json={"products": order[:2]})
    assert patched.json()["version"] == 2
    assert (await api.get(f"/api/collections/{made.json()['id']}/products")).json() == order[:2]
    none = await api.get("/api/search", params={"collection": "unheard"})
    assert none.status_code == 404


async def test_who_may_not_is_told(shop: Shop, api_as: Any) -> None:
    async with api_as(Actor(kind="guest")) as api:
        assert (await api.get("/api/search")).status_code == 200
        for path in ("products", "variants", "categories", "collections", "attributes", "size-charts"):
            assert (await api.get(f"/api/{path}")).status_code in (401, 403)
        for path in ("price-lists", "prices", "listings", "tax-rates", "tax-classes"):
            assert (await api.get(f"/api/{path}")).status_code in (401, 403)
    reader = Actor(kind="key", id=shop.channel.id, permissions=frozenset({"catalog.read", "catalog.change"}))
    async with api_as(reader) as api:
        refused = await api.post("/api/products", json=KETTLE)
        assert (refused.status_code, refused.json()["permission"]) == (403, "prices.change")


async def test_nul_and_giants_are_input_faults(shop: Shop, api: httpx.AsyncClient) -> None:
    for field, value in (
        ("title", "a\x00b"),
        ("brand", "a\x00"),
        ("seo_description", "\x00"),
        ("tags", ["\x00"]),
    ):
        answer = await api.post("/api/products", json=KETTLE | {field: value})
        assert answer.status_code == 422, field
    big = KETTLE | {"variants": [{"sku": "K", "weight_g": 10**40}]}
    assert (await api.post("/api/products", json=big)).status_code == 422
    text = KETTLE | {"translations": {"sv": {"options": {"Red\x00": "Röd"}}}}
    assert (await api.post("/api/products", json=text)).status_code == 422
    odd = KETTLE | {"variants": [{"sku": "K", "options": {"Colour\x00": "Red"}}]}
    assert (await api.post("/api/products", json=odd)).status_code == 422
    assert (await api.get("/api/search", params={"q": "\x00"})).status_code == 422
