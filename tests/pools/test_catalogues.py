"""Two catalogues become one, and come apart."""

from typing import Any
from uuid import UUID

import pytest
from goods import build_apart, product
from silo import Silo, contents

from samlad import catalog, pools, stock
from samlad.catalog import pairing, prices
from samlad.catalog.pairing import DecisionInput, DecisionKind
from samlad.channels import Resource
from samlad.kernel.database import Database
from samlad.kernel.problems import Conflict, InvalidInput
from trade import BUYER, build

GOODS = Resource.CATALOGUE
GTIN = ("7310865004703", "4006381333931", "5901234123457")


@pytest.fixture
async def apart(db: Database) -> Silo:
    return await build_apart(await build(db))


async def of(silo: Silo, variant: UUID) -> tuple[str, UUID, str]:
    row = await silo.trade.db.row("SELECT sku, pool, status FROM variant WHERE id = $1", variant)
    assert row is not None
    return row["sku"], row["pool"], row["status"]


async def test_goods_are_one_by_gtin_and_sku_and_come_apart_as_they_were(apart: Silo) -> None:
    db, trade, market, web = apart.trade.db, apart.trade, apart.market, apart.trade.web
    theirs, gift = await product(
        apart, web, {"sku": "W-1", "gtin": GTIN[0], "options": {"Colour": "Red"}}, {"sku": "S-2", "options": {"Colour": "Blue"}}, quantity=5
    )  # fmt: skip
    ours, same, alone = await product(
        apart, market, {"sku": "M-1", "gtin": GTIN[0], "options": {"Colour": "Red"}}, {"sku": "S-2", "options": {"Colour": "Blue"}},
        {"sku": "M-3", "options": {"Colour": "Green"}}, price=18_900, quantity=7,
    )  # fmt: skip
    before = await apart.sell(ours)
    held = await trade.cart((ours, 2), (alone, 1), channel=market, **BUYER)
    await trade.follow()
    was = await contents(db)

    plan = await pools.plan(db, market, GOODS)
    counts = {each.code: each.count for each in plan.findings}
    assert counts["catalogue-gtin"] == counts["catalogue-sku"] == counts["catalogue-alone"] == 1
    assert (plan.kind, plan.is_ready, plan.rows) == ("join", True, 3)
    assert await contents(db) == was, "a plan writes nothing"

    await apart.join(GOODS)
    shared = web.pools[GOODS]
    assert [await of(apart, each) for each in (ours, same, alone)] == [
        ("M-1", market.pools[GOODS], "archived"),
        ("S-2", market.pools[GOODS], "archived"),
        ("M-3", shared, "active"),
    ]
    assert await trade.level(theirs, apart.depot) == (7, 1)
    assert await trade.level(ours, apart.depot) == (0, 0)
    assert await trade.level(theirs) == (5, 0), "stock is not shared yet"
    lines = await db.rows("SELECT variant FROM cart_line WHERE cart = $1 ORDER BY 1", held.id)
    assert {row["variant"] for row in lines} == {theirs, alone}
    line = await db.value("SELECT variant FROM order_line WHERE order_id = $1 AND position = 1", before.id)
    assert line == theirs
    sold = await apart.sell(theirs)
    assert sold.total == 18_900, "prices are the channel's own until it shares them"
    order = await trade.place(held.id)
    await trade.agree()

    await apart.leave(GOODS)
    assert [await of(apart, each) for each in (ours, same, alone)] == [
        (sku, market.pools[GOODS], "active") for sku in ("M-1", "S-2", "M-3")
    ]
    assert await trade.level(ours, apart.depot) == (7, 4), (
        "held by the order before, by that since, and by the cart's"
    )
    assert await trade.level(theirs, apart.depot) == (0, 0)
    for each in (before, sold, order):
        rows = await db.rows(
            "SELECT variant FROM order_line WHERE order_id = $1 AND variant IS NOT NULL", each.id
        )
        assert {row["variant"] for row in rows} <= {ours, alone}
    again = await apart.sell(ours)
    assert again.total == 18_900
    assert gift
    await trade.agree()


async def test_what_nobody_sold_is_as_it_was(apart: Silo) -> None:
    db, trade = apart.trade.db, apart.trade
    await product(apart, trade.web, {"sku": "A", "gtin": GTIN[0]}, quantity=3)
    (ours,) = await product(apart, apart.market, {"sku": "B", "gtin": GTIN[0]}, quantity=4)
    await product(apart, apart.market, {"sku": "C"}, quantity=2)
    await apart.sell(ours)
    await trade.follow()
    was = await contents(db)
    await apart.join(GOODS, Resource.STOCK)
    await apart.leave(Resource.STOCK, GOODS)
    await trade.follow()
    now = await contents(db)
    told = {
        "identity_value",
        "movement",
        "level",
        "product_search",
        "search_price",
        "facet",
        "search_word",
        "price_context",
    }
    assert {name for name in was if now[name] != was[name]} <= told
    rows = await db.rows("SELECT 1 FROM level WHERE (on_hand, held) <> (0, 0)")
    assert len(rows) == 3
    await trade.agree()


async def test_what_contradicts_itself_is_settled_by_hand(apart: Silo, api_as: Any) -> None:
    web, market = apart.trade.web, apart.market
    await product(apart, web, {"sku": "A", "gtin": GTIN[0]})
    (ours,) = await product(apart, market, {"sku": "A", "gtin": GTIN[1]}, title="Kettle, old", quantity=2)
    await product(apart, web, {"sku": "ROPE", "sold_by": "length"})
    await product(apart, market, {"sku": "M-ROPE"}, title="Rope")
    plan = await pools.plan(apart.trade.db, apart.market, GOODS)
    first = plan.findings[0]
    assert (first.code, first.level, first.examples[0].why) == (
        "catalogue-contrary",
        "blocking",
        "the same SKU, different GTINs",
    )
    with pytest.raises(Conflict, match="plan"):
        await apart.begin(GOODS)

    base = f"/api/channels/{market.id}/catalogue-pairs"
    async with api_as() as api:
        rows = (await api.get(base)).json()["items"]
        assert [(row["sku"], row["state"], row["why"], row["twin_sku"]) for row in rows] == [
            ("A", "contrary", "sku-gtin", "A"),
            ("M-ROPE", "new", None, None),
        ]
        wrong = await api.post(base, json={"decisions": [{"sku": "M-ROPE", "kind": "same", "twin": "ROPE"}]})
        assert (wrong.status_code, "another measure" in wrong.text) == (422, True)
        for said, place in (
            ({"sku": "X", "kind": "out"}, "X.sku"),
            ({"sku": "A", "kind": "same", "twin": "nope"}, "A.twin"),
        ):
            refused = await api.post(base, json={"decisions": [said]})
            assert (refused.status_code, place in refused.text) == (422, True)
        same = {"decisions": [{"sku": "A", "kind": "same", "twin": GTIN[0]}]}
        assert (await api.post(base, json=same)).json() == {
            "count": 1,
            "before": [{"sku": "A", "kind": None, "twin": None}],
        }
        before = (await api.post(base, json={"decisions": [{"sku": "A", "kind": "out"}]})).json()["before"]
        assert before == [{"sku": "A", "kind": "same", "twin": "A"}]
        assert (await api.get(f"{base}?state=out&q=kettle")).json()["items"][0]["decision"] == "out"
        table = (await api.get(f"{base}?format=csv")).text
        assert pairing.read_csv(table)[0] == DecisionInput(sku="M-ROPE")
        assert pairing.read_csv(table)[1] == DecisionInput(sku="A", kind=DecisionKind.OUT)
        with pytest.raises(InvalidInput, match="read"):
            pairing.read_csv("sku;decision;twin_sku\nA;perhaps;\n")
        page = await api.get(f"/admin/channels/{market.id}/pairs")
        assert (page.status_code, "Left out" in page.text, "M-ROPE" in page.text) == (200, True, True)
        another = await api.post(base, json={"decisions": [{"sku": "A", "kind": "another"}]})
        assert another.status_code == 200
        await apart.join(GOODS)
        assert (await api.get(base)).status_code == 409, "there is nothing to say any more"
    assert await of(apart, ours) == ("A-market", web.pools[GOODS], "active"), "under a SKU that is free there"
    assert await apart.trade.level(ours, apart.depot) == (2, 0)
    await apart.leave(GOODS)
    assert await of(apart, ours) == ("A", market.pools[GOODS], "active")
    await apart.trade.agree()


async def test_what_others_sold_meanwhile_stays_with_them_as_a_copy(apart: Silo) -> None:
    trade, market, web = apart.trade, apart.market, apart.trade.web
    (ours,) = await product(apart, market, {"sku": "M"}, quantity=5)
    (theirs,) = await product(apart, web, {"sku": "W"}, quantity=5)
    await apart.join(GOODS, Resource.PRICES, keeps_own=True)
    await trade.db.transaction(lambda tx: stock.receive(tx, trade.warehouse.id, [(ours, 3)]))
    await trade.db.transaction(lambda tx: stock.receive(tx, apart.depot.id, [(theirs, 4)]))
    kept = await trade.db.value("SELECT id FROM price_list WHERE code LIKE 'kept:market:%'")
    await trade.db.transaction(
        lambda tx: prices.set_prices(tx, kept, [prices.PriceSetting(variant=ours, amount=5_000)])
    )
    assert (await apart.sell(ours)).total == 5_000
    sold = await trade.db.transaction(lambda tx: catalog.by_ids(tx, [ours]))
    assert sold[ours].sku == "M"
    await apart.leave(Resource.PRICES, GOODS)
    assert await of(apart, ours) == ("M", market.pools[GOODS], "active")
    copy = await trade.db.value("SELECT id FROM variant WHERE pool = $1 AND sku = 'M'", web.pools[GOODS])
    assert await trade.level(copy) == (3, 0)
    assert await trade.level(ours) == (0, 0)
    assert await trade.level(ours, apart.depot) == (5, 1)
    mine = await trade.db.value("SELECT id FROM variant WHERE pool = $1 AND sku = 'W'", market.pools[GOODS])
    assert await trade.level(mine, apart.depot) == (4, 0)
    assert await trade.level(theirs) == (5, 0)
    assert (await apart.sell(ours)).total == 5_000, "what it has cost since, it costs on"
    await trade.agree()
