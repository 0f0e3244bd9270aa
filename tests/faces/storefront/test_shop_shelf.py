"""Lists and product pages as a good shop has them: what helps to find, to choose a size, and to come back."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from market import Market, hidden, put_in, text_of

from samlad import stock
from samlad.catalog import attributes, prices, size_charts, unit_prices
from samlad.catalog.attributes import AttributeInput, AttributeType
from samlad.catalog.size_charts import SizeChartInput, SizeRow
from samlad.channels import Resource
from samlad.faces.storefront import nearby
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.recommendations import store as pairs
from samlad.stock import LocationChange

SIZES = [{"name": "Size", "values": ["S", "M"]}]


async def test_what_was_mistyped_is_mended_and_can_be_searched_exactly(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await market.product(title="Copper kettle", sku="KTL", handle="kettle")
    mended = await guest.get("/search?q=kettel")
    assert 'href="/search?q=kettel&amp;exact=1"' in mended.text
    exact = text_of((await guest.get("/search?q=kettel&exact=1")).text)
    assert "Copper kettle" not in exact
    assert "Did you mean “kettle”?" in exact
    piece = await guest.get("/search/suggest?q=copper+ket", headers={"hx-request": "true"})
    assert 'role="listbox"' in piece.text
    assert 'href="/search?q=copper+kettle"' in piece.text
    assert piece.text.count('role="option"') == 3  # a search, the product, everything
    for text in ("%27%22%3Cb%3E", "%00a", "a" * 4000, "kettle%20%26%20!", "%F0%9F%92%A9%F0%9F%92%A9"):
        assert (await guest.get(f"/search/suggest?q={text}")).status_code == 200


async def test_a_list_can_be_narrowed_to_what_a_store_has_now(
    guest: httpx.AsyncClient, market: Market
) -> None:
    await market.product(title="Pan here", sku="A", handle="a", stock=(3, 0))
    part = await market.product(title="Pan there", sku="B", handle="b", stock=(0, 2))
    await market.product(
        title="Set there",
        handle="set",
        variants=[{"sku": "SET", "components": [{"sku": part.variants[0].sku, "quantity": 2}]}],
    )
    found = text_of((await guest.get("/search?store=haga")).text)
    assert "Pan there" in found
    assert "Set there" in found, "a set is there when its parts are"
    assert "Pan here" not in found
    chips = (await guest.get("/search?store=haga&price_from=10&price_to=500")).text
    assert 'aria-label="Remove There now: Hemma Haga"' in chips
    assert 'aria-label="Remove SEK\xa010.00–SEK\xa0500.00"' in chips
    assert '<option value="newest" selected>' in chips, "without words nothing fits best"
    assert "Pan here" in (await guest.get("/search?store=nowhere")).text


async def test_a_size_is_found_by_the_chart(guest: httpx.AsyncClient, market: Market) -> None:
    made = await market.product(
        title="Shirt",
        handle="shirt",
        options=SIZES,
        variants=[{"sku": f"SH-{size}", "options": {"Size": size}} for size in ("S", "M")],
        stock=(4,),
    )
    chart = SizeChartInput(
        name="Shirts",
        measures=["chest"],
        rows=[SizeRow("S", [[88, 95]]), SizeRow("M", [[96, 103]])],
        products=[made.id],
    )
    pool = market.web.pools[Resource.CATALOGUE]
    await market.db.transaction(lambda tx: size_charts.create(tx, pool, chart))
    page = text_of((await guest.get("/p/shirt")).text)
    assert "Which size is mine?" in page
    assert "88–95" in page
    fits = text_of((await guest.get("/p/shirt?m.chest=97,5")).text)
    assert "Take M: by “chest” you are in it." in fits
    assert "between two sizes" in text_of((await guest.get("/p/shirt?m.chest=95.5")).text)
    assert "No size of the chart is large enough" in text_of((await guest.get("/p/shirt?m.chest=180")).text)
    for text in ("-3", "1e9", "%00", "nan", "9" * 50, "²"):
        assert (await guest.get(f"/p/shirt?m.chest={text}")).status_code == 200


async def test_a_set_says_what_is_in_it_and_a_content_what_it_costs_a_litre(
    guest: httpx.AsyncClient, market: Market
) -> None:
    pool = market.web.pools[Resource.CATALOGUE]
    content = AttributeInput(code="net_content", name="Content", type=AttributeType.NUMBER, unit="ml")
    await market.db.transaction(lambda tx: attributes.create(tx, pool, content))
    await market.product(
        title="Oil", sku="OIL", handle="oil", price=4500, stock=(5,), attributes={"net_content": 750}
    )
    await market.product(
        title="Kitchen set",
        handle="set",
        price=8000,
        variants=[{"sku": "SET", "components": [{"sku": "OIL", "quantity": 2}]}],
    )
    page = text_of((await guest.get("/p/set")).text).replace("\xa0", " ")
    assert "In this set Oil 2 ×" in page
    assert re.search(r"You save SEK ?10.00: apart it is SEK ?90.00", page), page
    assert re.search(r"SEK ?60.00 / l", text_of((await guest.get("/p/oil")).text).replace("\xa0", " "))
    # The same in lists, while one types, in feeds and on a wish list; what is weighed says so everywhere.
    await market.product(
        title="Olive cheese", sku="CHEESE", handle="cheese", price=19_900,
        variants=[{"sku": "CHEESE", "sold_by": "weight"}], attributes={"net_content": 1},
    )  # fmt: skip
    found = text_of((await guest.get("/search")).text).replace("\xa0", " ")
    assert re.search(r"Oil SEK ?45.00 SEK ?60.00 / l", found), found
    assert re.search(r"SEK ?199.00 /kg", found), found
    assert re.search(
        r"SEK ?199.00/kg", (await guest.get("/search/suggest?q=olive")).text.replace("\xa0", " ")
    )
    rows = (await guest.get("/feeds/google.tsv")).text.splitlines()
    head = rows[0].split("\t")
    by_sku = {row.split("\t")[0]: dict(zip(head, row.split("\t"), strict=True)) for row in rows[1:]}
    per = ("unit_pricing_measure", "unit_pricing_base_measure")
    assert [by_sku["OIL"][name] for name in per] == ["0.75 l", "1 l"]
    assert [by_sku["CHEESE"][name] for name in per] == ["1 kg", "1 kg"]
    assert [by_sku["SET"][name] for name in per] == ["", ""]
    assert unit_prices.in_base(333, "g") == (Decimal("0.333"), "kg")
    assert unit_prices.in_base(1, "pieces") is None
    assert unit_prices.of(999, 333, "g") == unit_prices.UnitPrice(3000, "kg")
    assert unit_prices.of(999, 0, "g") is None
    assert unit_prices.of(999, 3, "pieces") is None


async def test_what_is_sold_out_can_be_waited_for(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Kettle", sku="KTL", handle="kettle")
    html = (await guest.get("/p/kettle")).text
    assert "Tell me when it is back" in text_of(html)
    form = {"_csrf": hidden(html, "_csrf"), "variant": "KTL", "email": "kim@example.org"}
    await guest.post("/p/kettle/tell-me", data=form)
    assert await market.db.value("SELECT count(*) FROM stock_alert") == 0, "nobody agreed"
    for _ in range(2):
        told = await guest.post("/p/kettle/tell-me", data={**form, "agreed": "1"})
        assert told.headers["location"] == "/p/kettle?variant=KTL"
    row = await market.db.row("SELECT email, language, consent FROM stock_alert")
    assert row is not None
    assert (row["email"], row["language"], "once" in row["consent"]) == ("kim@example.org", "en", True)


async def test_what_goes_together_and_what_was_seen_stand_beside(
    guest: httpx.AsyncClient, market: Market
) -> None:
    made = [
        await market.product(title=f"Thing {n}", sku=f"T{n}", handle=f"t{n}", stock=(9,)) for n in range(4)
    ]
    pool, month = market.web.pools[Resource.ORDERS], now().date().replace(day=1)
    a, b = made[0].id, made[1].id
    rows = [(a, a), (b, b), (a, b), (b, a)]
    await market.db.transaction(
        lambda tx: tx.execute(
            """INSERT INTO product_pair (pool, product, other, month, orders)
               SELECT $1, p, o, $2, 3 FROM unnest($3::uuid[], $4::uuid[]) AS w (p, o)""",
            pool,
            month,
            [one for one, _ in rows],
            [other for _, other in rows],
        )
    )
    assert (await pairs.together(market.db, pool, a, 4))[0].score == pytest.approx(1)
    await guest.get("/p/t2")
    page = text_of((await guest.get("/p/t0")).text)
    together, seen = page.index("Bought together with this"), page.index("You looked at")
    assert together < page.index("Thing 1", together) < seen < page.index("Thing 2", seen)
    guest.cookies.set("seen", "x.<script>." + "f" * 32)
    assert (await guest.get("/p/t3")).status_code == 200


async def test_stores_are_on_a_map_and_the_nearest_first(guest: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Pan", handle="pan", sku="PAN", stock=(3, 3))
    for place, (latitude, longitude) in zip(market.places, ((59.31, 18.07), (57.70, 11.96)), strict=True):
        change = LocationChange(latitude=latitude, longitude=longitude)
        await market.db.transaction(lambda tx, p=place, c=change: stock.change_location(tx, p.id, c))  # type: ignore[misc]
    page = await guest.get("/p/pan")
    assert len(re.findall(r'<g class="\w+"><circle', page.text)) == 2
    for query in ("lat=99&lon=0", "lat=nan&lon=1", "lat=&lon=", "lat=x&lon=y", "postal_code=%00"):
        assert (await guest.get(f"/p/pan?{query}")).status_code == 200, query
    assert 'class="here"' in (await guest.get("/p/pan?lat=57.7&lon=11.9")).text
    points = [
        {"at": (59.31, 18.07), "number": 1, "kind": "good"},
        {"at": (57.70, 11.96), "number": 2, "kind": "none"},
        {"at": (None, None), "number": 3, "kind": "none"},
    ]
    found = nearby.drawn(points)
    assert found
    (north, west) = (found["points"][0]["at"], found["points"][1]["at"])
    assert north[1] < west[1], "what is north is up"
    assert west[0] < north[0], "what is west is left"
    for x, y in (north, west):
        assert nearby.EDGE - 1 <= x <= nearby.WIDTH - nearby.EDGE + 1
        assert nearby.EDGE - 1 <= y <= nearby.HEIGHT - nearby.EDGE + 1
    assert nearby.drawn(points[:1]) is None


async def test_pages_are_light_and_take_few_statements(
    guest: httpx.AsyncClient, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = now() + timedelta(days=9)
    sale = prices.PriceListInput(
        code="sale", name="Sale", currency="SEK", kind="sale", priority=9, valid_to=until
    )  # type: ignore[arg-type]
    pool = market.web.pools[Resource.PRICES]
    await market.db.transaction(lambda tx: prices.create_list(tx, pool, sale))
    for number in range(30):
        lists = [{"price_list": "base", "amount": 9900}, {"price_list": "sale", "amount": 7900}]
        await market.product(
            title=f"Mug number {number}",
            handle=f"mug-{number}",
            category="kok",
            variants=[{"sku": f"MUG{number}", "prices": lists}],
            stock=(3, 3),
        )
    counted: list[str] = []
    for kind, names in ((Database, ("rows", "row", "value")), (Tx, ("rows", "row", "value", "execute"))):
        for name in names:
            _count(monkeypatch, kind, name, counted)
    addresses = {
        "/search?q=mug": 6, "/c/kok": 5, "/p/mug-3": 17, "/p/mug-3/reviews": 9, "/": 8, "/search/suggest?q=mug": 8,
        "/stores": 8,
    }  # fmt: skip
    with_a_cart = {"/cart": 20, "/checkout": 36}
    for address, most in (addresses | with_a_cart).items():
        if address == "/cart":
            await put_in(guest, await market.db.value("SELECT id FROM variant WHERE sku = 'MUG3'"))
            await guest.post("/checkout/start")
        asked = []
        for _ in range(
            3
        ):  # what a process keeps is kept then; on a busy machine it may be read again in between
            counted.clear()
            page = await guest.get(address)
            assert page.status_code == 200
            asked.append([" ".join(sql.split())[:90] for sql in counted])
        least = min(asked, key=len)
        assert len(least) <= most, (address, len(least), least)
        assert len(page.content) < 100_000, address
    html = (await guest.get("/p/mug-3")).text
    told = json.loads(
        re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, flags=re.DOTALL)[0]
    )
    assert told["offers"][0]["priceValidUntil"] == until.date().isoformat()


def _count(monkeypatch: pytest.MonkeyPatch, kind: Any, name: str, counted: list[str]) -> None:
    before = getattr(kind, name)

    async def counting(self: Any, sql: str, *args: Any) -> Any:
        counted.append(sql)
        return await before(self, sql, *args)

    monkeypatch.setattr(kind, name, counting)
