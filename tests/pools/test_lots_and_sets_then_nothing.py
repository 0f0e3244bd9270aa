"""Join then leave is nothing, and joining while selling loses nothing, of goods kept by lot, of serial numbers and of sets."""

import asyncio
import itertools
import os
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from goods import build_apart, product
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from silo import Silo
from test_join_then_leave import hanging, owned, with_database
from test_lots_along import bring

from samlad.catalog import Tracking
from samlad.channels import Channel, Resource
from samlad.kernel.database import Database, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import Problem
from trade import BUYER, Trade, build
from warm import apart

pytestmark = pytest.mark.slow

R = Resource
SHARED = (R.CATALOGUE, R.PRICES, R.CUSTOMERS, R.STOCK, R.ORDERS, R.CARTS)
NAMES = ("lot", "serial", "pot", "set", "alone")
GTINS = {"lot": "7310865004703", "serial": "4006381333931", "pot": "5901234123457"}
numbers = itertools.count()
acts = st.lists(
    st.tuples(st.sampled_from(["sell", "send", "cart", "bring"]), st.sampled_from(NAMES)), max_size=5
)


class Goods(msgspec.Struct):
    """The same goods of both, by what they are; a set of a pot and two cups. ``alone``: a set that only the channel has."""

    ours: dict[str, UUID]
    theirs: dict[str, UUID]


async def furnish(silo: Silo) -> Goods:
    """Goods of both sides with units that are named differently."""
    sides: list[dict[str, UUID]] = []
    for channel, place, mark in ((silo.trade.web, silo.trade.warehouse, "W"), (silo.market, silo.depot, "M")):
        found: dict[str, UUID] = {}
        for name, how in (("lot", Tracking.EXPIRY), ("serial", Tracking.SERIAL)):
            (found[name],) = await product(
                silo, channel, {"sku": f"{mark}-{name}", "gtin": GTINS[name]}, tracking=how
            )
        (found["pot"],) = await product(
            silo, channel, {"sku": f"{mark}-POT", "gtin": GTINS["pot"]}, quantity=12
        )
        (found["cup"],) = await product(silo, channel, {"sku": "CUP"}, quantity=24)
        parts = [{"sku": f"{mark}-POT", "quantity": 1}, {"sku": "CUP", "quantity": 2}]
        (found["set"],) = await product(silo, channel, {"sku": f"{mark}-TEA", "components": parts})
        if mark == "M":
            only = [{"sku": "M-POT", "quantity": 2}]
            (found["alone"],) = await product(silo, channel, {"sku": "M-TWO", "components": only})
        await bring(silo, place, found["lot"], (f"{mark}1", 6, 30), ("BOTH", 4, 60))
        await bring(silo, place, found["serial"], *((f"{mark}{n}", 1, None) for n in range(6)))
        sides.append(found)
    return Goods(ours=sides[1], theirs=sides[0])


async def tell(silo: Silo, goods: Goods, channel: Channel, story: list[tuple[str, str]]) -> None:
    """What happens in a channel with its goods, one after the other; what cannot be done is not done."""
    is_market = channel.id == silo.market.id
    mine, place = (goods.ours, silo.depot) if is_market else (goods.theirs, silo.trade.warehouse)
    for what, name in story:
        variant = mine.get(name, mine["set"])
        try:
            if what == "bring":
                code = f"{'m' if is_market else 'w'}{next(numbers)}"
                if name == "lot":
                    await bring(silo, place, variant, (code, 3, 90))
                elif name == "serial":
                    await bring(silo, place, variant, (code, 1, None))
                continue
            cart = await silo.trade.cart((variant, 1), channel=channel, **BUYER)
            if what != "cart":
                order = await silo.trade.place(cart.id)
                if what == "send":
                    await silo.send(order.id)
        except Problem:
            continue


LOTS = {
    "lot": "SELECT l.* FROM lot l JOIN variant v ON v.id = l.variant WHERE v.pool = $1 AND $2::uuid IS NOT NULL",
    "stock_lot": "SELECT s.* FROM stock_lot s WHERE s.location = $2 AND s.on_hand <> 0 AND $1::uuid IS NOT NULL",
    "fulfilment_lot": """SELECT t.* FROM fulfilment_lot t JOIN fulfilment f ON f.id = t.fulfilment
                         WHERE f.location = $2 AND $1::uuid IS NOT NULL""",
    "bundle_component": """SELECT b.* FROM bundle_component b JOIN variant v ON v.id = b.bundle
                           WHERE v.pool = $1 AND $2::uuid IS NOT NULL""",
}


async def kept(silo: Silo) -> dict[str, list[str]]:
    """All of the channel's: what is in its pools, what names its goods, and the lots and parts of those."""
    db, market = silo.trade.db, silo.market
    found = {**await owned(db, [market.pools[r] for r in SHARED]), **await hanging(silo)}
    for name, sql in LOTS.items():
        rows = await db.rows(
            f"SELECT (to_jsonb(t) - $3::text[])::text AS row FROM ({sql}) t ORDER BY 1",
            market.pools[R.CATALOGUE],
            silo.depot.id,
            ["updated_at", "version", "look_on"],  # when its state is looked at again is the clock's
        )
        found[name] = [row["row"] for row in rows]
    return found


def test_join_then_leave_is_nothing_for_lots_serial_numbers_and_sets(
    postgres: Embedded, template: str, tmp_path: Path
) -> None:
    everything = [(what, name) for name in NAMES for what in ("send", "cart", "bring")]

    @example(before=everything, between=everything, resources=set(SHARED))
    @given(before=acts, between=acts, resources=st.sets(st.sampled_from(SHARED)))
    @settings(
        max_examples=int(os.environ.get("SAMLAD_POOL_EXAMPLES", "2")),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def holds(
        before: list[tuple[str, str]], between: list[tuple[str, str]], resources: set[Resource]
    ) -> None:
        async def work(db: Database) -> None:
            silo = await build_apart(await build(db))
            goods = await furnish(silo)
            await tell(silo, goods, silo.market, before)
            await tell(silo, goods, silo.trade.web, before)
            await silo.trade.follow()
            was = await kept(silo)
            chosen = [
                r for r in SHARED
                if r in resources and R.CATALOGUE in resources and (r is not R.CARTS or R.CUSTOMERS in resources)
            ]  # fmt: skip
            for resource in chosen:
                await silo.move(resource, keeps_own=resource is R.PRICES)
            await tell(silo, goods, silo.trade.web, between)
            await silo.trade.agree()
            await silo.leave(*reversed(chosen))
            now = await kept(silo)
            assert {name: set(was[name]) ^ set(now[name]) for name in now if now[name] != was[name]} == {}
            await silo.trade.agree()

        loop.run_until_complete(with_database(databases, tmp_path, work))

    with apart(postgres, template) as (loop, databases):
        holds()


_STRAY = """SELECT v.sku FROM order_line l JOIN orders o ON o.id = l.order_id JOIN variant v ON v.id = l.variant
            JOIN channel_pool u ON u.channel = o.channel AND u.resource = 'catalogue' WHERE v.pool <> u.pool"""


async def test_joining_while_selling_lots_serial_numbers_and_sets_loses_nothing(db: Database) -> None:
    """Two processes, each of which remembers the pools for itself, sell out while the marketplace joins and leaves again."""
    silo = await build_apart(await build(db))
    trade = silo.trade
    goods = await furnish(silo)
    other = await open_database(db.dsn, db.settings)
    sold: list[UUID] = []

    async def buyer(database: Database, channel: Channel, name: str) -> None:
        mine = Trade(database, *(getattr(trade, each) for each in Trade.__struct_fields__[1:]))
        for turn in range(4):
            # Whose goods these are by now is what a shopper's page would say: those that the channel has.
            for variant in (goods.ours[name], goods.theirs[name])[:: 1 if turn % 2 else -1]:
                try:
                    cart = await mine.cart((variant, 1), channel=channel, **BUYER)
                    sold.append((await mine.place(cart.id)).id)
                except Problem:
                    continue

    async def mover() -> None:
        await silo.join(R.CATALOGUE, R.STOCK)
        await silo.leave(R.STOCK)

    try:
        await asyncio.gather(
            mover(),
            *(
                buyer(database, channel, name)
                for database, channel in ((db, silo.market), (other, trade.web))
                for name in ("lot", "serial", "set")
            ),
        )
    finally:
        await other.close()
    assert sold
    assert await db.value("SELECT count(*) FROM orders") == len(sold)
    assert await db.value("SELECT count(*) FROM level WHERE held > on_hand") == 0
    assert await db.rows(_STRAY) == [], "each order names goods of its channel's own catalogue"
    await trade.agree()
    # What is to be sent from a place of the others is handed over before their goods are others.
    for order in sold:
        await silo.send(order)
    await silo.leave(R.CATALOGUE)
    assert await db.rows(_STRAY) == []
    await trade.agree()
