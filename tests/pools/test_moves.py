"""A channel joins and leaves, resource by resource."""

import time

import pytest
from silo import Silo, contents

from samlad import channels, pools, stock
from samlad.channels import Channel, Resource, cache
from samlad.kernel.database import Tx, open_database
from samlad.kernel.problems import Conflict
from samlad.kernel.snapshots import Snapshot
from samlad.orders import Order
from samlad.pools import store
from samlad.stock import HoldKind, HoldLine
from trade import BUYER

STOCK, ORDERS, CARTS = Resource.STOCK, Resource.ORDERS, Resource.CARTS


async def pool_of(silo: Silo, order: Order) -> object:
    return await silo.trade.db.value("SELECT pool FROM orders WHERE id = $1", order.id)


async def test_joined_stock_is_sold_by_all_and_goes_back_where_it_was(silo: Silo) -> None:
    db, web = silo.trade.db, silo.trade.web
    variant = await silo.kettle(here=3, there=2)
    before = await contents(db)
    plan = await pools.plan(db, silo.market, STOCK)
    assert (plan.kind, plan.to, plan.is_ready, plan.rows) == ("join", ["lund", "malmo", "web"], True, 1)
    assert {each.code: each.count for each in plan.findings} == {"stock-locations": 1, "stock-both": 1}
    assert [each.units for each in plan.findings[0].examples] == [3], "what lies there"
    assert await contents(db) == before, "a plan writes nothing"

    move = await silo.move(STOCK)
    done = await store.get(db, move)
    assert done is not None
    assert (done.status, done.rows, done.problem) == ("done", 1, None)
    assert (await silo.now()).pools[STOCK] == web.pools[STOCK]
    await silo.trade.buy((variant, 5))  # three of them lie in the marketplace's warehouse
    with pytest.raises(Conflict, match="shares"):
        await silo.begin(STOCK)

    await silo.leave(STOCK)
    assert (await silo.now()).pools[STOCK] == silo.market.pools[STOCK]
    assert await db.value("SELECT pool FROM location WHERE code = 'depot'") == silo.market.pools[STOCK]
    await silo.trade.sound()


async def test_orders_and_carts_go_along_and_come_back_with_what_happened_since(silo: Silo) -> None:
    web = silo.trade.web
    variant = await silo.kettle(here=9, there=9)
    before = await silo.sell(variant)
    await silo.join(Resource.CUSTOMERS, ORDERS, CARTS)
    since, of_web = await silo.sell(variant), await silo.trade.buy((variant, 1))
    assert {await pool_of(silo, each) for each in (before, since, of_web)} == {web.pools[ORDERS]}
    await silo.leave(CARTS, ORDERS)
    assert {await pool_of(silo, each) for each in (before, since)} == {silo.market.pools[ORDERS]}
    assert await pool_of(silo, of_web) == web.pools[ORDERS]
    await silo.trade.agree()


async def test_what_hangs_together_is_joined_in_order(silo: Silo) -> None:
    db = silo.trade.db
    await silo.kettle(here=1)
    plan = await pools.plan(db, silo.market, CARTS)
    assert [(each.code, each.level) for each in plan.findings] == [
        ("needs-customers", "blocking"),
        ("carts", "info"),
    ]
    with pytest.raises(Conflict, match="plan"):
        await silo.begin(CARTS)
    await silo.begin(STOCK)
    with pytest.raises(Conflict, match="on its way"):
        await silo.begin(ORDERS)


async def test_a_process_that_remembers_the_old_pool_does_its_work_again(silo: Silo) -> None:
    """Two handles of one database, as two processes have them; the second one's memory is fresh and wrong."""
    trade, web = silo.trade, silo.trade.web
    db, stale = trade.db, silo.market
    other = await open_database(db.dsn, db.settings)
    variant = await silo.kettle(here=6)
    seen: list[Channel] = []

    async def hold(tx: Tx) -> list[stock.Hold]:
        channel = await channels.cached(tx, stale.id)
        seen.append(channel)
        return await stock.take(
            tx, [HoldLine(variant, 3)], channel=channel, kind=HoldKind.CART, owner=channel.id
        )

    def remember(channel: Channel) -> None:
        """As if another process had moved the channel a moment ago."""
        known = {channel.id: channel, web.id: web}
        kept = cache.KEPT
        kept._snapshots[other] = Snapshot(known, 0, kept._generation, time.monotonic())

    try:
        await silo.join(STOCK, ORDERS)
        remember(stale)
        assert sum(each.quantity for each in await other.transaction(hold)) == 3
        assert [each.pools[STOCK] for each in seen] == [stale.pools[STOCK], web.pools[STOCK]]

        trade.db = other
        cart = await trade.cart((variant, 1), channel=stale, **BUYER)
        remember(stale)
        order = await trade.place(cart.id)
        assert await pool_of(silo, order) == web.pools[ORDERS]

    finally:
        trade.db = db
        await other.close()
