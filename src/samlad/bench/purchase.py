"""``purchase``: everything that a customer's client asks for until they own something, in CPU; and after years of trade."""

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

import msgspec
from asyncpg.pool import PoolConnectionProxy

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.checkout import record
from samlad.bench.meter import Meter, milliseconds
from samlad.bench.server import Server, fresh_shop, postgres_pid
from samlad.bench.shop import Shop
from samlad.bench.wire import Answer, Connection, request
from samlad.channels import Resource
from samlad.kernel.ids import new_id
from samlad.kernel.runtime import Runtime

FEW, MANY = 10_000, 5_000_000
"""Past orders before the first and before the second measurement."""
PURCHASES = 600
WARM_UP = 100
AT_ONCE = 8
PROCESSES = 2
VARIANTS = 500


_Ask = Callable[..., Awaitable[Answer]]


class Cost(msgspec.Struct, frozen=True):
    """CPU milliseconds of one whole purchase, and how long each took (seconds)."""

    server_ms: float
    postgres_ms: float
    waits: Sequence[float]

    @property
    def cpu_ms(self) -> float:
        """In all."""
        return self.server_ms + self.postgres_ms


async def run(purchases: int = PURCHASES, few: int = FEW, many: int = MANY) -> Figures:
    """Purchases over HTTP, 8 at a time, with few past orders in the database and again with many.

    A purchase is all of it: a cart, a thing in it, who buys and where to, how it gets there, paying, the order. Whoever
    knows all that says it in two requests (``cpu_ms``); whoever asks step by step, as a client of forms does, in five
    (``stepwise_cpu_ms``).
    """
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        variants = await shops.add_goods(shop, VARIANTS, units=1_000_000)
        carts = [await shops.add_cart(shop, variants[:2], checked_out=True) for _ in range(2)]
        _, statements = await record(shop, carts)  # the first fills what is kept of channels
        await add_history(shop, few)
        async with Server(runtime.settings.home, workers=PROCESSES, worker=False) as server:
            measure = partial(_measure, runtime, shop, server, variants, purchases)
            steps, early = await measure(_buy), await measure(_buy_at_once)
            await add_history(shop, many - few)
            late_steps, late = await measure(_buy), await measure(_buy_at_once)
        past = int(await runtime.database.value("SELECT count(*) FROM orders"))
        unsound = await shops.unsound(runtime)
    return {
        "cpu_ms": round(max(early.cpu_ms, late.cpu_ms), 2),
        "growth": round((late.cpu_ms + late_steps.cpu_ms) / (early.cpu_ms + steps.cpu_ms), 3),
        "stepwise_cpu_ms": round(max(steps.cpu_ms, late_steps.cpu_ms), 2),
        "statements": len(statements),
        "few_server_cpu_ms": round(early.server_ms, 2),
        "few_postgres_cpu_ms": round(early.postgres_ms, 2),
        "many_server_cpu_ms": round(late.server_ms, 2),
        "many_postgres_cpu_ms": round(late.postgres_ms, 2),
        **milliseconds(late.waits, 50, 99),
        "orders": past,
        "unsound": len(unsound),
    }


async def _measure(
    runtime: Runtime,
    shop: Shop,
    server: Server,
    variants: Sequence[UUID],
    purchases: int,
    buy: Callable[[_Ask, Shop, UUID], Awaitable[None]],
) -> Cost:
    await shops.settle(runtime)
    dice = random.Random(7)  # noqa: S311 - the same goods every time
    connections = await server.connect(AT_ONCE)
    ours, postgres = Meter(server.pid), Meter(postgres_pid(server.home))
    waits: list[float] = []

    async def go(connection: Connection) -> None:
        for _ in waiting:
            began = time.perf_counter()
            await buy(partial(_ask, shop, connection), shop, dice.choice(variants))
            waits.append(time.perf_counter() - began)

    waiting = iter(range(WARM_UP))
    await shops.each(connections, go, at_once=AT_ONCE)
    waits.clear()
    before = ours.seconds(), postgres.seconds()
    waiting = iter(range(purchases))
    await shops.each(connections, go, at_once=AT_ONCE)
    after = ours.seconds(), postgres.seconds()
    for connection in connections:
        connection.close()
    server_ms, postgres_ms = ((b - a) / purchases * 1000 for a, b in zip(before, after, strict=True))
    return Cost(server_ms, postgres_ms, waits)


async def _ask(shop: Shop, connection: Connection, method: str, path: str, body: object = None) -> Answer:
    headers = {"idempotency-key": str(new_id())}
    answer = await connection.ask(request(method, path, key=shop.key, body=body, headers=headers))
    if answer.status >= 400:
        raise RuntimeError(f"refused with {answer.status}: {answer.body.decode(errors='replace')}")
    return answer


async def _buy(ask: _Ask, shop: Shop, variant: UUID) -> None:
    cart = (await ask("POST", "/api/carts", {"channel": str(shop.channel.id)})).json()["id"]
    await ask("POST", f"/api/carts/{cart}/lines", {"variant": str(variant)})
    await ask("PATCH", f"/api/carts/{cart}", msgspec.to_builtins(shops.BUYER))
    held = await ask("POST", f"/api/carts/{cart}/checkout")
    await _order(ask, held)


async def _buy_at_once(ask: _Ask, shop: Shop, variant: UUID) -> None:
    lines, details = [{"variant": str(variant)}], msgspec.to_builtins(shops.BUYER)
    await _order(
        ask,
        await ask(
            "POST", "/api/carts", {"channel": str(shop.channel.id), "lines": lines, "details": details}
        ),
    )


async def _order(ask: _Ask, shown: Answer) -> None:
    cart = shown.json()
    paid = {"cart": cart["id"], "payments": [{"provider": "test"}], "total": cart["totals"]["total"]}
    await ask("POST", "/api/orders", paid)


_HISTORY = """
    WITH made AS (
        INSERT INTO orders (id, pool, channel, number, kind, status, payment_status, country, currency, items, tax,
                            total, paid, imported, placed_at, local_day, counted, actor)
        SELECT gen_random_uuid(), $1, $2, 'H' || n, 'sale', 'fulfilled', 'paid', 'SE', 'SEK', 1, 0, 900, 900, 'bench',
               day, day::date, true, 'system'
        FROM generate_series($3::bigint, $4::bigint) AS n,
             LATERAL (SELECT now() - n % 1500 * interval '1 day' - n % 86400 * interval '1 second') AS t (day)
        RETURNING id
    )
    INSERT INTO order_line (order_id, position, kind, title, sku, quantity, unit_price, total, fulfilled)
    SELECT id, 1, 'item', 'Thing', 'PAST-1', 1, 900, 900, 1 FROM made
"""


_DAYS = """
    INSERT INTO order_day (channel, day, currency, orders, revenue, items)
    SELECT channel, local_day, currency, count(*), sum(total), sum(items) FROM orders WHERE imported = 'bench'
    GROUP BY channel, local_day, currency
    ON CONFLICT (channel, day, currency) DO UPDATE
    SET orders = excluded.orders, revenue = excluded.revenue, items = excluded.items
"""


_QUARTERS = """
    INSERT INTO order_quarter (channel, starts_at, currency, orders, revenue, items)
    SELECT channel, date_bin('15 minutes', placed_at, 'epoch'), currency, count(*), sum(total), sum(items)
    FROM orders WHERE imported = 'bench' GROUP BY 1, 2, 3
    ON CONFLICT (channel, starts_at, currency) DO UPDATE
    SET orders = excluded.orders, revenue = excluded.revenue, items = excluded.items
"""


async def add_history(shop: Shop, count: int, *, batch: int = 250_000) -> None:
    """Orders of the past of one line each, as an import leaves them."""
    async with shop.runtime.database.pool.acquire() as connection:
        known = await connection.fetchval("SELECT count(*) FROM orders")
        for first in range(known, known + count, batch):
            last = min(first + batch, known + count) - 1
            await _at_length(
                connection, _HISTORY, shop.channel.pools[Resource.ORDERS], shop.channel.id, first, last
            )
        await _at_length(connection, _DAYS)
        await _at_length(connection, _QUARTERS)


async def _at_length(connection: PoolConnectionProxy, sql: str, *args: object) -> None:
    """A statement for which the limit of the pool's connections is too short."""
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(sql, *args, timeout=600)


BENCHMARK = Benchmark(
    "purchase",
    "A whole purchase over HTTP, in CPU of server and PostgreSQL, with 10 thousand and 5 million past orders",
    (
        Bound("cpu_ms", most=8),
        Bound("statements", most=15),
        Bound("growth", most=1.2),
        Bound("unsound", most=0),
    ),
    run,
)
