"""``pages``: how long the main page of each face takes on the server, with 300,000 variants and millions of past orders."""

import asyncio
import time
from collections.abc import Mapping

from samlad.access import sessions, staff
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.bench import purchase
from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import Meter, percentile
from samlad.bench.server import Server, fresh_shop, postgres_pid
from samlad.bench.shop import Shop
from samlad.bench.wire import Connection, request
from samlad.catalog import synthetic
from samlad.channels import Resource
from samlad.kernel.database import Tx

VARIANTS, ORDERS, CUSTOMERS = 300_000, 5_000_000, 500_000
ORDERS_OF_ONE = 300
ROUNDS, WARM_UP = 100, 10
LONGEST = 20.0
"""Seconds after which a slow page is not asked for again: the benchmark shall end."""
STORE = "store"

PAGES: Mapping[str, str] = {
    "shop_start": "/",
    "shop_search": "/search?q=blue",
    "shop_product": "/p/{handle}",
    "shop_cart": "/cart",
    "account_sign_in": "/account/sign-in",
    "till": f"/pos/{STORE}",
    "till_find": f"/pos/{STORE}/find?q=blue",
    "admin_overview": "/admin",
    "admin_overview_hints": "/admin/overview/hints",
    "admin_orders": "/admin/orders",
    "admin_orders_found": "/admin/orders?q=H1234",
    "admin_orders_filtered": "/admin/orders?status=placed,paid&day=month&sort=-total",
    "admin_order": "/admin/orders/{order}",
    "admin_products": "/admin/products",
    "admin_product": "/admin/products/{product}",
    "admin_products_found": "/admin/products?q=blue",
    "admin_stock": "/admin/stock",
    "admin_customers": "/admin/customers",
    "admin_customers_found": "/admin/customers?q=berg",
    "admin_customer": "/admin/customers/{customer}",
    "admin_search": "/admin/search?q=blue",
    "admin_search_order": "/admin/search?q=H1234",
    "admin_search_person": "/admin/search?q=berg",
    "admin_fulfilments": "/admin/fulfilments",
    "admin_returns": "/admin/returns",
    "admin_segments": "/admin/segments",
    "admin_tax": "/admin/tax",
    "admin_books": "/admin/books",
    "admin_events": "/admin/system/events",
}
"""The main pages of each face. Shop and account are asked for as a visitor, the others as an owner."""


async def run(
    variants: int = VARIANTS,
    orders: int = ORDERS,
    customers: int = CUSTOMERS,
    rounds: int = ROUNDS,
    warm_up: int = WARM_UP,
) -> Figures:
    """Every page again and again over HTTP, one after the other; CPU is that of the server and of PostgreSQL together."""
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        await synthetic.fill_fast(runtime.database, shop.channel, variants, price_list=shops.PRICE_LIST)
        await purchase.add_history(shop, orders)
        await _add_customers(shop, customers)
        await shops.open_store(shop, STORE)
        cookie = await runtime.database.transaction(_somebody)
        paths = await _paths(shop)
        await shops.settle(runtime)
        waits: dict[str, list[float]] = {}
        cpu: dict[str, float] = {}
        async with Server(runtime.settings.home, worker=False) as server:
            [connection] = await server.connect(1)
            for name, path in paths.items():
                headers = {"accept": "text/html", "accept-language": "en"}
                if not name.startswith(("shop", "account")):
                    headers["cookie"] = f"samlad_session={cookie}"
                data = request("GET", path, headers=headers)
                await _ask(connection, data, warm_up, path)
                meter = Meter(server.pid, postgres_pid(runtime.settings.home))
                before = meter.seconds()
                waits[name] = await _ask(connection, data, rounds, path)
                cpu[name] = (meter.seconds() - before) / len(waits[name])
            connection.close()
    worst = max(percentile(each, 95) for each in waits.values())
    return {
        "worst_p95_ms": round(worst * 1000, 1),
        **{f"{name}_p50_ms": round(percentile(each, 50) * 1000, 1) for name, each in waits.items()},
        **{f"{name}_p95_ms": round(percentile(each, 95) * 1000, 1) for name, each in waits.items()},
        **{f"{name}_cpu_ms": round(seconds * 1000, 1) for name, seconds in cpu.items()},
        "variants": variants,
        "orders": orders,
        "customers": customers,
    }


async def _ask(connection: Connection, data: bytes, times: int, path: str) -> list[float]:
    """Seconds of each answer. Whoever asks as fast as it is answered is slowed down now and then; that is no answer."""
    waits: list[float] = []
    while len(waits) < times and sum(waits) < LONGEST:
        began = time.perf_counter()
        answer = await connection.ask(data)
        if answer.status == 429:
            await asyncio.sleep(1)
            continue
        waits.append(time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
    return waits


async def _add_customers(shop: Shop, count: int) -> None:
    """So many customers, of whom one has bought the latest orders."""
    async with shop.runtime.database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(
            """INSERT INTO customer (id, pool, email, name, created_at)
               SELECT md5('customer' || n)::uuid, $1, 'kim' || n || '@example.org',
                      'Kim ' || (ARRAY['Berg', 'Lund', 'Holm', 'Ek', 'Dahl'])[1 + n % 5] || ' ' || n,
                      now() - n * interval '1 minute'
               FROM generate_series(1, $2::int) AS n""",
            shop.channel.pools[Resource.CUSTOMERS],
            count,
            timeout=600,
        )
        await connection.execute(
            """UPDATE orders SET customer = md5('customer1')::uuid
               WHERE id IN (SELECT id FROM orders ORDER BY placed_at DESC LIMIT $1)""",
            ORDERS_OF_ONE,
        )


async def _somebody(tx: Tx) -> str:
    """Somebody who is signed in."""
    owner = StaffInput(email="bench@example.com", name="Olivia Owner", roles=[Role.OWNER])
    person = await staff.add(tx, owner, "active")
    return (await sessions.open_session(tx, person.id, "signed-in", "password", "bench")).token


async def _paths(shop: Shop) -> dict[str, str]:
    """The pages with something real in them."""
    row = await shop.runtime.database.row(
        """SELECT p.id AS product, p.handle, (SELECT id FROM orders ORDER BY placed_at DESC LIMIT 1) AS order,
                  md5('customer1')::uuid AS customer
           FROM product p WHERE p.status = 'active' LIMIT 1"""
    )
    assert row is not None
    return {name: path.format(**dict(row)) for name, path in PAGES.items()}


BENCHMARK = Benchmark(
    "pages",
    "The main pages of each face over HTTP, with 300,000 variants and 5 million past orders",
    (Bound("worst_p95_ms", most=50),),
    run,
)
