"""Join then leave is nothing, whatever happened to the other channels in between."""

import itertools
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from goods import build_apart, product
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from silo import Silo, build_silo

from samlad import catalog, customers, pools, stock
from samlad.catalog import ProductChange, prices
from samlad.catalog.pairing import DecisionInput, DecisionKind
from samlad.channels import Channel, Resource
from samlad.customers import PersonInput
from samlad.kernel.database import Database, Tx, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import Problem
from samlad.kernel.settings import load
from samlad.promotions import service as promotions_service
from samlad.promotions.model import PromotionInput
from trade import BUYER, build
from warm import Databases, apart

pytestmark = pytest.mark.slow

R = Resource
ORDERLY = (R.CUSTOMERS, R.STOCK, R.ORDERS, R.CARTS)
EMAILS = ("kim@example.org", "Mia@example.org", "bo@example.org")
PHONES = (None, "+46701234567")
COMPUTED = {"version", "updated_at", "is_held", "changed_at"}

person = st.tuples(st.just("person"), st.sampled_from(EMAILS), st.sampled_from(PHONES))
sale = st.tuples(st.just("sale"), st.sampled_from(EMAILS), st.none())
basket = st.tuples(st.just("cart"), st.sampled_from(EMAILS), st.none())
story = st.lists(st.one_of(person, sale, basket), max_size=4)


async def tell(silo: Silo, channel: Channel, variant: UUID, story: list[tuple[str, str, str | None]]) -> None:
    """What happens in a channel, one after the other."""
    trade = silo.trade
    for what, email, phone in story:
        if what == "person":
            data = PersonInput(email=email, phone=phone)

            async def add(tx: Tx, data: PersonInput = data) -> None:
                await customers.find_or_create(tx, channel.pools[R.CUSTOMERS], data, channel=channel.id)

            await trade.db.transaction(add)
            continue
        try:
            cart = await trade.cart((variant, 1), channel=channel, **{**BUYER, "email": email})
            if what == "sale":
                await trade.place(cart.id)
        except Problem:
            continue


numbers = itertools.count()


async def owned(db: Database, pools: list[UUID]) -> dict[str, list[str]]:
    """Every row of the channel's own pools, without what says when it was last touched, and without what followers count of
    its orders whenever they come to it (`samlad.recommendations`)."""
    tables = await db.rows(
        """SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'pool'
           WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
             AND c.relname NOT IN ('channel_pool', 'identity_change', 'identity_conflict', 'product_pair', 'paired_order', 'duplicate_run') ORDER BY 1"""
    )
    found = {}
    for (name,) in tables:
        rows = await db.rows(
            f'SELECT (to_jsonb(t) - $2::text[])::text AS row FROM "{name}" t WHERE pool = ANY ($1::uuid[]) ORDER BY 1',
            pools,
            sorted(COMPUTED),
        )
        found[name] = [row["row"] for row in rows]
    return found


async def with_database(
    databases: Databases, home: Path, work: Callable[[Database], Awaitable[None]]
) -> None:
    """Do something with a clean database: each example of a property has its own."""
    dsn = await databases.clean()
    database = await open_database(dsn, load({}, home=home, database_url=dsn, pool_size=2))
    try:
        await work(database)
    finally:
        await database.close()


def test_join_then_leave_is_nothing(postgres: Embedded, template: str, tmp_path: Path) -> None:
    kim, mia = "kim@example.org", "Mia@example.org"

    @example(
        before=[("sale", kim, None), ("person", mia, PHONES[1])],
        beside=[("person", kim, None), ("sale", mia, None)],
        between=[("sale", kim, None), ("cart", kim, None), ("person", mia, PHONES[1])],
        resources=set(ORDERLY),
        is_followed=True,
    )
    @given(
        before=story,
        beside=story,
        between=story,
        resources=st.sets(st.sampled_from(ORDERLY)),
        is_followed=st.booleans(),
    )
    @settings(
        max_examples=int(os.environ.get("SAMLAD_POOL_EXAMPLES", "3")),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def holds(
        before: list[tuple[str, str, str | None]],
        beside: list[tuple[str, str, str | None]],
        between: list[tuple[str, str, str | None]],
        resources: set[Resource],
        is_followed: bool,
    ) -> None:
        async def work(db: Database) -> None:
            silo = await build_silo(await build(db))
            trade, market = silo.trade, silo.market
            variant = await silo.kettle(here=9, there=9)
            await tell(silo, market, variant, before)
            await tell(silo, trade.web, variant, beside)
            await trade.follow()
            own = [market.pools[r] for r in ORDERLY]
            was = await owned(db, own)
            chosen = [r for r in ORDERLY if r in resources and (r is not R.CARTS or R.CUSTOMERS in resources)]
            await silo.join(*chosen)
            assert await owned(db, [market.pools[r] for r in chosen if r is not R.CUSTOMERS]) == {
                name: [] for name in was
            }
            await tell(silo, trade.web, variant, between)
            if is_followed:
                await trade.follow()
            await silo.leave(*reversed(chosen))
            await trade.follow()
            now = await owned(db, own)
            assert {name: rows for name, rows in now.items() if rows != was[name]} == {
                name: was[name] for name in now if now[name] != was[name]
            }
            await trade.agree()

        loop.run_until_complete(with_database(databases, tmp_path, work))

    with apart(postgres, template) as (loop, databases):
        holds()


GOODS = (R.CATALOGUE, R.PRICES, R.CUSTOMERS, R.STOCK, R.ORDERS, R.CARTS, R.PROMOTIONS)
GTIN = "7310865004703"
acts = st.lists(st.sampled_from(["new", "reprice", "rename", "adopt", "offer", "sell"]), max_size=4)


async def hanging(silo: Silo) -> dict[str, list[str]]:
    """What names variants and is the channel's: what lies there, is held, ordered, in carts and priced."""
    queries = {
        "level": """SELECT l.variant, l.on_hand, l.held, l.backorder_limit, l.low_at, l.value_e4, l.reorder_point FROM level l
                    WHERE l.location = $1 AND (l.on_hand, l.held) <> (0, 0) AND $2::uuid IS NOT NULL""",
        "hold": "SELECT h.id, h.variant, h.quantity, h.owner FROM hold h WHERE h.location = $1 AND $2::uuid IS NOT NULL",
        "order_line": """SELECT l.* FROM order_line l JOIN orders o ON o.id = l.order_id
                         WHERE o.channel = $2 AND $1::uuid IS NOT NULL""",
        "fulfilment_line": """SELECT l.* FROM fulfilment_line l JOIN fulfilment f ON f.id = l.fulfilment
                              JOIN orders o ON o.id = f.order_id WHERE o.channel = $2 AND $1::uuid IS NOT NULL""",
        "cart_line": "SELECT l.* FROM cart_line l JOIN cart c ON c.id = l.cart WHERE c.channel = $2 AND $1::uuid IS NOT NULL",
        "price": """SELECT p.* FROM price p JOIN price_list l ON l.id = p.price_list
                    WHERE l.pool = (SELECT pool FROM channel_pool WHERE channel = $2 AND resource = 'prices')
                      AND $1::uuid IS NOT NULL""",
        "listing": "SELECT l.* FROM listing l WHERE l.channel = $2 AND $1::uuid IS NOT NULL",
    }
    found = {}
    for name, sql in queries.items():
        rows = await silo.trade.db.rows(
            f"SELECT (to_jsonb(t) - $3::text[])::text AS row FROM ({sql}) t ORDER BY 1",
            silo.depot.id,
            silo.market.id,
            ["updated_at", "version"],
        )
        found[name] = [row["row"] for row in rows]
    return found


async def act(silo: Silo, what: str, theirs: UUID, alone: UUID) -> None:
    """What happens among the others while the channel shares their goods."""
    trade, web = silo.trade, silo.trade.web
    match what:
        case "new":
            await product(silo, web, {"sku": f"N-{next(numbers)}"}, quantity=2)
        case "reprice":
            kept = await trade.db.value("SELECT id FROM price_list WHERE code = 'base'")
            said = [prices.PriceSetting(variant=theirs, amount=1_000 + next(numbers))]
            await trade.db.transaction(lambda tx: prices.set_prices(tx, kept, said))
        case "rename":
            found = await catalog.by_ids(trade.db, [theirs])
            change = ProductChange(title=f"Kettle {next(numbers)}")
            await trade.db.transaction(lambda tx: catalog.change(tx, found[theirs].product, change))
        case "adopt":
            kept = await trade.db.value("SELECT id FROM price_list WHERE code = 'base'")
            said = [prices.PriceSetting(variant=alone, amount=7_000)]
            await trade.db.transaction(lambda tx: prices.set_prices(tx, kept, said))
            await trade.db.transaction(lambda tx: stock.receive(tx, trade.warehouse.id, [(alone, 3)]))
            await trade.buy((alone, 1))
        case "offer":
            data = msgspec.convert(
                {"channel": web.id, "name": "All", "is_automatic": True,
                 "terms": {"effect": {"kind": "percent", "percent": 500}, "goods": {"variants": [str(theirs)]}}},
                PromotionInput,
            )  # fmt: skip
            await trade.db.transaction(lambda tx: promotions_service.create(tx, data))
        case "sell":
            await trade.buy((theirs, 1))


def test_join_then_leave_is_nothing_for_goods_and_promotions(
    postgres: Embedded, template: str, tmp_path: Path
) -> None:
    kim = "kim@example.org"

    @example(
        before=[("sale", kim, None), ("cart", kim, None)],
        between=["adopt", "reprice", "offer", "sell", "rename", "new"],
        resources=set(GOODS),
        keeps_own=True,
        is_another=True,
    )
    @given(
        before=story,
        between=acts,
        resources=st.sets(st.sampled_from(GOODS)),
        keeps_own=st.booleans(),
        is_another=st.booleans(),
    )
    @settings(
        max_examples=int(os.environ.get("SAMLAD_POOL_EXAMPLES", "2")),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def holds(
        before: list[tuple[str, str, str | None]],
        between: list[str],
        resources: set[Resource],
        keeps_own: bool,
        is_another: bool,
    ) -> None:
        async def work(db: Database) -> None:
            silo = await build_apart(await build(db))
            trade, market, web = silo.trade, silo.market, silo.trade.web
            (theirs,) = await product(silo, web, {"sku": "A", "gtin": GTIN}, price=9_900, quantity=9)
            await product(silo, web, {"sku": "C"}, quantity=9)
            ours, alone = await product(
                silo, market, {"sku": "X", "gtin": GTIN, "options": {"Colour": "Red"}},
                {"sku": "B", "options": {"Colour": "Blue"}}, quantity=9,
            )  # fmt: skip
            await product(silo, market, {"sku": "C"}, quantity=9)
            if is_another:
                said = [DecisionInput(sku="C", kind=DecisionKind.ANOTHER)]
                await db.transaction(lambda tx: pools.decide(tx, market.id, said))
            data = msgspec.convert(
                {"channel": market.id, "name": "Mine", "is_automatic": True,
                 "terms": {"effect": {"kind": "percent", "percent": 1_000}, "goods": {"variants": [str(ours)]}}},
                PromotionInput,
            )  # fmt: skip
            await db.transaction(lambda tx: promotions_service.create(tx, data))
            await tell(silo, market, ours, before)
            await tell(silo, market, alone, before)
            await trade.follow()
            own = [market.pools[r] for r in GOODS]
            was = {**await owned(db, own), **await hanging(silo)}
            chosen = [
                r for r in GOODS
                if r in resources and R.CATALOGUE in resources
                and (r not in (R.CARTS, R.PROMOTIONS) or R.CUSTOMERS in resources)
            ]  # fmt: skip
            for resource in chosen:
                await silo.move(resource, keeps_own=keeps_own or resource is R.PRICES)
            if R.CATALOGUE in chosen:
                for what in between:
                    await act(silo, what, theirs, alone)
            await silo.leave(*reversed(chosen))
            await trade.follow()
            now = {**await owned(db, own), **await hanging(silo)}
            assert {name: rows for name, rows in now.items() if rows != was[name]} == {
                name: was[name] for name in now if now[name] != was[name]
            }
            await trade.agree()

        loop.run_until_complete(with_database(databases, tmp_path, work))

    with apart(postgres, template) as (loop, databases):
        holds()
