"""Join then leave is nothing, whatever happened to the other channels in between."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from silo import Silo, build_silo

from samlad import customers
from samlad.channels import Channel, Resource
from samlad.customers import PersonInput
from samlad.kernel.database import Database, Tx, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import Problem
from samlad.kernel.settings import load
from trade import BUYER, build

pytestmark = pytest.mark.slow

R = Resource
ORDERLY = (R.CUSTOMERS, R.STOCK, R.ORDERS, R.CARTS)
EMAILS = ("kim@example.org", "Mia@example.org", "bo@example.org")
PHONES = (None, "+46701234567")
COMPUTED = {"version", "updated_at", "is_held", "changed_at"}
numbers = itertools.count()

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


def test_join_then_leave_is_nothing(postgres: Embedded, template: str, tmp_path: Path) -> None:
    async def with_database(work: Callable[[Database], Awaitable[None]]) -> None:
        name = f"silo_{os.getpid()}_{next(numbers)}"
        admin = await asyncpg.connect(postgres.dsn)
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        dsn = postgres.dsn.replace("/samlad?", f"/{name}?")
        database = await open_database(dsn, load({}, home=tmp_path, database_url=dsn, pool_size=2))
        try:
            await work(database)
        finally:
            await database.close()
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            await admin.close()

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

        asyncio.run(with_database(work))

    holds()
