"""A channel that keeps its own when it moves: shoppers see the same prices and collections before and after."""

import itertools
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from goods import build_apart, product
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from silo import Silo
from test_join_then_leave import GTIN, with_database

from samlad import catalog, pools
from samlad.catalog import collections, listings, prices
from samlad.catalog.collections import CollectionInput, Rule
from samlad.catalog.listings import ListingInput
from samlad.channels import Resource
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.embedded import Embedded
from samlad.pools import moving
from trade import build
from warm import apart as databases_apart

R = Resource
GROUPS, QUANTITIES, DAYS = (None, "vip"), (1, 5, 20), (0, 2, 20)
numbers = itertools.count()


@pytest.fixture
async def apart(db: Database) -> Silo:
    return await build_apart(await build(db))


async def seen(silo: Silo, variants: Sequence[UUID], moment: datetime) -> dict[Any, Any]:
    """What shoppers of the channel pay: anybody and a group, some and many, now and later."""
    channel = await silo.now()
    found = {}
    for group, quantity, days in itertools.product(GROUPS, QUANTITIES, DAYS):
        sold = await catalog.sellables(
            silo.trade.db,
            channel,
            variants,
            customer_group=group,
            at=moment + timedelta(days=days),
            quantities=dict.fromkeys(variants, quantity),
        )
        for variant in variants:
            each = sold[variant]
            found[variant, group, quantity, days] = (each.price, each.compare_at, each.tax_included)
    return found


async def price_list(
    silo: Silo, pool: UUID, said: Sequence[tuple[UUID, int, int]], *, group: str | None = None, **fields: Any
) -> UUID:
    """A list with prices (variant, from how many, amount)."""
    data = prices.PriceListInput(
        code=f"l-{next(numbers)}", name="Some", currency="SEK", customer_group=group, **fields
    )
    made = await silo.trade.db.transaction(lambda tx: prices.create_list(tx, pool, data))
    settings = [prices.PriceSetting(variant=v, min_quantity=q, amount=a) for v, q, a in said]
    await silo.trade.db.transaction(lambda tx: prices.set_prices(tx, made.id, settings))
    return made.id


async def shared(silo: Silo) -> tuple[UUID, UUID, UUID]:
    """A kettle of both that are one by now, one that only the others have, and one that only the channel has."""
    (theirs,) = await product(silo, silo.trade.web, {"sku": "A", "gtin": GTIN}, price=9_900, quantity=9)
    (other,) = await product(silo, silo.trade.web, {"sku": "B"}, price=9_900, quantity=9)
    await product(silo, silo.market, {"sku": "X", "gtin": GTIN}, price=12_000, quantity=9)
    (alone,) = await product(silo, silo.market, {"sku": "Y"}, price=5_000, quantity=9)
    await silo.join(R.CATALOGUE)
    return theirs, other, alone


async def test_leaving_keeps_scales_groups_and_days_and_what_was_paid_before(apart: Silo) -> None:
    db, web, market = apart.trade.db, apart.trade.web, apart.market
    theirs, other, alone = await shared(apart)
    base = await db.value("SELECT id FROM price_list WHERE code = 'base'")
    moment = now()
    await db.transaction(
        lambda tx: prices.set_prices(tx, base, [
            prices.PriceSetting(variant=theirs, amount=8_000, min_quantity=10),
            prices.PriceSetting(variant=other, amount=6_000, min_quantity=10),
            prices.PriceSetting(variant=alone, amount=4_500),
        ])
    )  # fmt: skip
    shelf = web.pools[R.PRICES]
    await price_list(apart, shelf, [(theirs, 1, 7_000)], group="vip", priority=1)
    later = moment + timedelta(days=1)
    await price_list(apart, shelf, [(theirs, 1, 5_500)], valid_from=later, priority=3)
    # A reduction is compared with what was paid in the 30 days before, which was less than it is now for some days.
    at = moment - timedelta(days=20)
    for amount, when in ((9_000, at), (9_900, at + timedelta(days=5))):
        said = [prices.PriceSetting(variant=theirs, amount=amount)]
        await db.transaction(lambda tx, said=said, when=when: prices.set_prices(tx, base, said, at=when))
    await db.transaction(
        lambda tx: prices.set_prices(
            tx, base, [prices.PriceSetting(variant=theirs, amount=8_900, compare_at=9_900)]
        )
    )
    await apart.join(R.PRICES)
    was = await seen(apart, [theirs, other, alone], moment)
    assert was[theirs, "vip", 1, 0][0] == 7_000
    assert was[theirs, None, 20, 2][0] == 5_500
    before = (await catalog.sellables(db, await apart.now(), [theirs]))[theirs].reference_price
    assert before == 9_000

    plan = await pools.plan(db, market, R.PRICES, keeps_own=True)
    counts = {each.code: (each.count, each.level) for each in plan.findings}
    assert counts == {
        "prices-change": (2, "info"),
        "prices-gone": (1, "info"),
        "prices-scales": (2, "info"),
        "prices-groups": (1, "info"),
        "prices-dated": (1, "info"),
    }
    plan = await pools.plan(db, market, R.PRICES)
    assert {each.level for each in plan.findings} == {"warning"}

    await apart.move(R.PRICES, "leave", keeps_own=True)
    assert await seen(apart, [theirs, other, alone], moment) == was
    assert (await catalog.sellables(db, await apart.now(), [theirs]))[theirs].reference_price == 9_000
    assert [each.code for each in (await pools.plan(db, market, R.PRICES)).findings] == [], "as there"
    # What a channel changes is its own by now.
    kept = await db.value("SELECT id FROM price_list WHERE pool = $1 AND code LIKE 'kept:market:base:%'", market.pools[R.PRICES])  # fmt: skip
    said = [prices.PriceSetting(variant=other, amount=1_000)]
    await db.transaction(lambda tx: prices.set_prices(tx, kept, said))
    there = await catalog.sellables(db, web, [other])
    assert there[other].price == 9_900

    # Of goods that the channel has not sold only the price was its own; a price alone makes no copy.
    await apart.leave(R.CATALOGUE)
    ours = await db.value("SELECT id FROM variant WHERE sku = 'X'")
    found = await seen(apart, [ours, alone], moment)
    assert {key[1:]: value for key, value in found.items() if key[0] == ours} == {
        key[1:]: value for key, value in was.items() if key[0] == theirs
    }
    assert await db.value("SELECT count(*) FROM variant WHERE pool = $1", market.pools[R.CATALOGUE]) == 2
    assert await db.rows("SELECT 1 FROM price p JOIN price_list l ON l.id = p.price_list WHERE l.pool = $1 AND p.variant = $2", market.pools[R.PRICES], other) == []  # fmt: skip
    await apart.trade.agree()


async def test_goods_of_the_others_that_the_channel_sold_have_their_kept_price_as_a_copy(apart: Silo) -> None:
    db, market = apart.trade.db, apart.market
    _, other, _ = await shared(apart)
    await apart.join(R.PRICES, R.STOCK, keeps_own=True)
    order = await apart.sell(other)
    assert order.total == 9_900
    await apart.send(order.id)
    await apart.leave(R.STOCK)
    await apart.move(R.PRICES, "leave", keeps_own=True)
    await apart.leave(R.CATALOGUE)
    copy = await db.value("SELECT id FROM variant WHERE pool = $1 AND sku = 'B'", market.pools[R.CATALOGUE])
    assert (await catalog.sellables(db, await apart.now(), [copy]))[copy].price == 9_900
    low = await db.value(
        """SELECT s.low FROM search_price s JOIN price_context c ON c.id = s.context JOIN variant v ON v.product = s.product
           WHERE v.id = $1 AND c.channel = $2 AND c.pool = $3""",
        copy, market.id, market.pools[R.PRICES],
    )  # fmt: skip
    assert low == 9_900
    await apart.trade.agree()


async def test_a_price_of_a_listing_is_kept_in_the_list_of_listings(apart: Silo) -> None:
    db, market = apart.trade.db, apart.market
    theirs, other, alone = await shared(apart)

    async def listed(variant: UUID, amount: int) -> None:
        found = (await catalog.by_ids(db, [variant]))[variant]
        data = ListingInput(products=[found.product], channel=market.id, price=amount)
        await db.transaction(lambda tx: listings.put(tx, data))

    await listed(theirs, 11_000)
    await listed(alone, 10_500)
    await apart.join(R.PRICES, keeps_own=True)
    assert (await seen(apart, [theirs], now()))[theirs, None, 1, 0][0] == 11_000
    await listed(other, 10_000)
    was = await seen(apart, [theirs, other, alone], now())
    for _ in range(2):  # once more, and the copies of the first time do not come before those of now
        await apart.move(R.PRICES, "leave", keeps_own=True)
        assert await seen(apart, [theirs, other, alone], now()) == was
        await apart.join(R.PRICES, keeps_own=True)
        assert await seen(apart, [theirs, other, alone], now()) == was
        await listed(other, 9_500)
        was = await seen(apart, [theirs, other, alone], now())
    await apart.move(R.PRICES, "leave", keeps_own=True)
    await listed(other, 9_000)
    assert (await seen(apart, [other], now()))[other, None, 1, 0][0] == 9_000
    lists = await db.rows(
        "SELECT code, priority FROM price_list WHERE pool = $1 ORDER BY 2 DESC", market.pools[R.PRICES]
    )
    assert (lists[0]["code"], lists[0]["priority"]) == ("listing:market", 10_000)


async def test_leaving_keeps_the_collections_that_shoppers_see(apart: Silo) -> None:
    db, web, market = apart.trade.db, apart.trade.web, apart.market
    (ours,) = await product(apart, market, {"sku": "X", "gtin": GTIN}, quantity=9)
    theirs, sold, unsold = [
        (await product(apart, web, each, quantity=9))[0]
        for each in ({"sku": "A", "gtin": GTIN}, {"sku": "B"}, {"sku": "C"})
    ]

    async def goods(variants: Sequence[UUID]) -> list[UUID]:
        found = await catalog.by_ids(db, variants)
        return [found[each].product for each in variants]

    async def collection(
        pool: UUID, name: str, variants: Sequence[UUID] = (), rule: Rule | None = None
    ) -> UUID:
        data = CollectionInput(name=name, products=await goods(variants), rule=rule)
        return (await db.transaction(lambda tx: collections.create(tx, pool, data))).id

    pool, home = web.pools[R.CATALOGUE], market.pools[R.CATALOGUE]
    rule = msgspec.convert(
        {"match": "all", "conditions": [{"field": "title", "op": "contains", "value": "k"}]}, Rule
    )
    await collection(pool, "Summer", [sold, unsold, theirs])
    await collection(pool, "All", rule=rule)
    same = await collection(home, "All", rule=rule)
    waiting = await collection(home, "Summer", [ours])
    await apart.join(R.CATALOGUE, R.PRICES, R.STOCK)
    order = await apart.sell(sold)
    await apart.send(order.id)
    await apart.leave(R.STOCK, R.PRICES)
    plan = await pools.plan(db, market, R.CATALOGUE, keeps_own=True)
    assert {each.code: each.count for each in plan.findings}["catalogue-collections"] == 2
    await apart.move(R.CATALOGUE, "leave", keeps_own=True)
    copy = await db.value("SELECT id FROM variant WHERE pool = $1 AND sku = 'B'", home)
    kept = await collections.by_handle(db, home, "summer")
    assert await collections.members(db, kept.id) == await goods([copy, ours])
    assert (await collections.by_handle(db, home, "all")).id == same, "just so already"
    aside = await collections.get(db, waiting)
    assert (aside.handle, str(aside.status)) == ("summer-2", "archived")
    assert await collections.members(db, waiting) == await goods([ours])


async def test_the_page_and_the_api_say_what_is_kept(apart: Silo, api_as: Any) -> None:
    db, market = apart.trade.db, apart.market
    theirs, _, _ = await shared(apart)
    await apart.join(R.PRICES, keeps_own=True)
    base = await db.value("SELECT id FROM price_list WHERE code = 'base'")
    said = [prices.PriceSetting(variant=theirs, amount=7_000, min_quantity=10)]
    await db.transaction(lambda tx: prices.set_prices(tx, base, said))
    page, api_base = f"/admin/channels/{market.id}/pools/prices", f"/api/channels/{market.id}/pools/prices"
    async with api_as() as api:
        shown = (await api.get(page)).text
        assert "from before hold again" in shown
        assert "Goods that would have no price" in shown
        shown = (await api.get(f"{page}?keep=own")).text
        assert "it keeps what they cost now" in shown
        assert "99.00" in shown, "money, not minor units"
        assert '<input type="hidden" name="keep" value="own">' in shown
        plan = (await api.get(f"{api_base}/plan?keeps_own=true")).json()
        assert {each["level"] for each in plan["findings"]} == {"info"}
        begun = await api.post(f"{api_base}/leave?keeps_own=true")
        assert (begun.status_code, begun.json()["keeps_own"]) == (202, True)
        await moving.carry_on(db, UUID(begun.json()["id"]))
        shown = (await api.get(page)).text
        assert ("Left" in shown, "staff:" in shown) == (True, False), (
            "who did it has a name, or is of the staff"
        )
    assert (
        await db.value("SELECT after ->> 'keeps_own' FROM audit_entry WHERE verb = 'pools.leave'") == "true"
    )


lists = st.lists(
    st.tuples(
        st.sampled_from(GROUPS),
        st.sampled_from([(None, None), (1, None), (None, 1), (1, 10)]),
        st.integers(-1, 1),
        st.booleans(),
        st.dictionaries(
            st.tuples(st.integers(0, 2), st.sampled_from((1, 5, 10))), st.integers(1, 5), max_size=4
        ),
    ),
    max_size=3,
)
"""For whom, from and until which day, how high, whether for the channel alone; of which goods, from how many on, how much."""


@pytest.mark.slow
def test_whoever_keeps_their_own_leaves_shoppers_nothing_to_notice(
    postgres: Embedded, template: str, tmp_path: Path
) -> None:
    """Joining and leaving, both with prices kept: what anybody pays at any time stays, where there was a price."""

    @example(
        mine=[("vip", (None, None), 1, False, {(0, 5): 2})],
        others=[(None, (1, 10), 0, True, {(0, 1): 3, (2, 5): 4}), ("vip", (None, 1), 1, False, {(1, 1): 1})],
    )
    @given(mine=lists, others=lists)
    @settings(
        max_examples=int(os.environ.get("SAMLAD_POOL_EXAMPLES", "2")),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def holds(mine: list[Any], others: list[Any]) -> None:
        async def work(db: Database) -> None:
            silo = await build_apart(await build(db))
            variants = await shared(silo)
            moment = now()

            def day(days: int | None) -> datetime | None:
                return None if days is None else moment + timedelta(days=days)

            async def put(pool: UUID, told: list[Any], channel: UUID) -> None:
                for group, (begins, ends), priority, is_alone, said in told:
                    amounts = [
                        (variants[which], many, 100 * amount) for (which, many), amount in said.items()
                    ]
                    # Of two lists of one priority, one for the channel and one for a group, the copies cannot be so.
                    await price_list(
                        silo, pool, amounts, group=group, valid_from=day(begins), valid_to=day(ends),
                        priority=priority, channel=channel if is_alone and group is None and priority == 0 else None,
                    )  # fmt: skip

            await put(silo.market.pools[R.PRICES], mine, silo.market.id)
            await put(silo.trade.web.pools[R.PRICES], others, silo.market.id)
            for kind in ("join", "leave"):
                was = await seen(silo, variants, moment)
                await silo.move(R.PRICES, kind, keeps_own=True)
                now_ = await seen(silo, variants, moment)
                priced = {key: value for key, value in was.items() if value[0] is not None}
                assert {key: now_[key] for key in priced} == priced
            await silo.trade.agree()

        loop.run_until_complete(with_database(databases, tmp_path, work))

    with databases_apart(postgres, template) as (loop, databases):
        holds()
