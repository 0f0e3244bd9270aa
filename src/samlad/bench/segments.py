"""``segments``: how many of a million people conditions hold for, as the page asks while somebody builds them."""

import time
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import milliseconds
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import Connection, request
from samlad.channels import Resource
from samlad.kernel.database import Tx

PEOPLE = 1_000_000
AT_ONCE = 50_000
READS = 15
WARM_UP = 3
LAPSING = {
    "kind": "all",
    "of": [
        {"kind": "orders", "at_least": 1, "within": {"days": 365}},
        {"kind": "not", "of": {"kind": "order_date", "which": "last", "within": {"days": 90}}},
    ],
}
CONDITIONS: dict[str, Any] = {
    "country": {"kind": "trait", "field": "country", "values": ["SE"]},
    "lapsing": LAPSING,
}


async def run(people: int = PEOPLE, reads: int = READS) -> Figures:
    """Previews one after the other over HTTP, for conditions over details and over orders; every second person has ordered."""
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        for first in range(0, people, AT_ONCE):
            last = min(first + AT_ONCE, people)
            await runtime.database.transaction(partial(_people, shop=shop, first=first, last=last))
        await runtime.database.transaction(_look_at_statistics)
        waits, errors = [], []
        async with Server(runtime.settings.home, worker=False) as server:
            [connection] = await server.connect(1)
            for definition in CONDITIONS.values():
                taken, error = await _waits(connection, shop, definition, people, reads)
                waits += taken
                errors.append(error)
            connection.close()
    return {**milliseconds(waits, 50, 95), "outside": sum(errors), "people": people}


async def _waits(
    connection: Connection, shop: Shop, definition: dict[str, Any], people: int, reads: int
) -> tuple[list[float], int]:
    """How long previews take, and whether half of the people (for whom both conditions hold) lie outside what is told."""
    body = {"channel": str(shop.channel.id), "definition": definition}
    waits, found = [], {}
    for number in range(reads + WARM_UP):
        began = time.perf_counter()
        answer = await connection.ask(request("POST", "/api/segments/preview", body=body, key=shop.key))
        if answer.status != 200:
            raise RuntimeError(f"refused with {answer.status}: {answer.body.decode()}")
        if number >= WARM_UP:
            waits.append(time.perf_counter() - began)
        found = msgspec.json.decode(answer.body)
    margin = found["high"] - found["low"]
    return waits, int(not found["low"] - margin <= people / 2 <= found["high"] + margin)


async def _people(tx: Tx, shop: Shop, first: int, last: int) -> None:
    """People of whom every second one is Swedish and ordered half a year ago."""
    pool: UUID = shop.channel.pools[Resource.CUSTOMERS]
    await tx.execute(
        """WITH made AS (
               INSERT INTO customer (id, pool, external_id, country)
               SELECT gen_random_uuid(), $1, 'P' || n, CASE WHEN n % 2 = 0 THEN 'SE' ELSE 'NL' END
               FROM generate_series($4::int, $5::int - 1) AS n RETURNING id, external_id, country)
           INSERT INTO orders (id, pool, channel, number, kind, status, payment_status, customer, currency, items,
                               tax, total, placed_at, local_day, actor, counted)
           SELECT gen_random_uuid(), $3, $2, external_id, 'sale', 'fulfilled', 'paid', id, 'SEK', 1, 0, 1000,
                  now() - interval '180 days', current_date - 180, 'bench', true FROM made WHERE country = 'SE'""",
        pool,
        shop.channel.id,
        shop.channel.pools[Resource.ORDERS],
        first,
        last,
    )


async def _look_at_statistics(tx: Tx) -> None:
    await tx.execute("ANALYZE customer, orders")


BENCHMARK = Benchmark(
    "segments",
    "How many of a million people conditions hold for",
    (Bound("p95_ms", most=1_000), Bound("outside", most=0)),
    run,
)
