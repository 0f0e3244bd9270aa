"""``tracking``: events of clients, from the request to the profile, beside people who check out."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import milliseconds
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import request
from samlad.kernel.clock import now
from samlad.kernel.ids import new_id
from samlad.kernel.runtime import Runtime
from samlad.tracking import sources
from samlad.tracking.model import KeyInput, SourceInput, SourceKind

EVENTS = 100_000
BATCH = 100
PEOPLE = 10_000
"""Each event is of one of so many, whom their number and their device name."""
CONNECTIONS = 8
SAMPLES = 300
ORDERS = 200
"""Checkouts before the burst, and as many during it."""
LANDED_SECONDS = 300.0
LOOK_SECONDS = 0.003


async def run(
    events: int = EVENTS, samples: int = SAMPLES, orders: int = ORDERS, people: int = PEOPLE
) -> Figures:
    """A burst of events in batches, with identity resolved by the worker; then single events, each until its profile.

    One web process, one worker and PostgreSQL share the machine with this client, which also checks out all the while.
    """
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        key = await _open_source(runtime, shop)
        goods = await shops.add_goods(shop, 20, units=1_000_000)
        pairs = [goods[n % 18 : n % 18 + 2] for n in range(2 * orders)]
        carts = await shops.each(pairs, lambda pair: shops.add_cart(shop, pair, checked_out=True))
        checkouts = [shops.order_request(shop, cart) for cart in carts]
        burst = _burst_requests(key, events, people)
        async with Server(runtime.settings.home) as server:
            quiet = await _check_out(server, checkouts[:orders])
            await _samples(runtime, server, key, 1)  # the worker is there, too
            before = await _landed(runtime)
            meters = server.meters()
            spent = {name: meter.seconds() for name, meter in meters.items()}
            began = time.perf_counter()
            taking = asyncio.create_task(_burst(server, burst))
            busy = await _check_out(server, checkouts[orders:])
            taken = await taking - began
            landed = await _until_landed(runtime, before + events) - began
            spent = {name: meter.seconds() - spent[name] for name, meter in meters.items()}
            waits = await _samples(runtime, server, key, samples)
            stored = await runtime.database.value(
                "SELECT count(*) FROM tracked_event WHERE message_id LIKE 'burst-%'"
            )
    return {
        **milliseconds(waits, 50, 99),
        "taken_per_second": round(events / taken),
        "landed_per_second": round(events / landed),
        **{f"{name}_cpu_us": round(seconds / events * 1_000_000) for name, seconds in spent.items()},
        "lost": events - stored,
        "checkout_ms": round(statistics.median(quiet) * 1000, 1),
        "checkout_in_burst_ms": round(statistics.median(busy) * 1000, 1),
        "checkout_p95_ms": round(_p95(quiet) * 1000, 1),
        "checkout_in_burst_p95_ms": round(_p95(busy) * 1000, 1),
        "checkout_ratio": round(statistics.median(busy) / statistics.median(quiet), 2),
        "events": events,
    }


async def _open_source(runtime: Runtime, shop: Shop) -> str:
    data = SourceInput(channel=shop.channel.id, name="Bench", kind=SourceKind.SERVER, per_second=100_000)
    source = await runtime.database.transaction(lambda tx: sources.create(tx, data))
    made = await runtime.database.transaction(lambda tx: sources.make_key(tx, source.id, KeyInput()))
    return made.secret


def _event(number: int, people: int, **fields: Any) -> dict[str, Any]:
    person = number * 7_919 % people
    return {
        "type": "track",
        "event": "Product Viewed",
        "userId": f"user-{person}",
        "anonymousId": f"device-{person}",
        "timestamp": (now() - timedelta(seconds=5)).isoformat(),
        "properties": {"product_id": str(number % 500), "price": 19.9, "currency": "SEK", "list": "Kettles"},
        "context": {
            "library": {"name": "bench", "version": "1"},
            "userAgent": "Mozilla/5.0",
            "locale": "sv-SE",
        },
        **fields,
    }


def _batch(key: str, events: Sequence[dict[str, Any]]) -> bytes:
    body = {"batch": events, "sentAt": now().isoformat()}
    return request("POST", "/v1/batch", body=body, headers={"x-write-key": key})


def _burst_requests(key: str, events: int, people: int) -> list[bytes]:
    """The requests of the burst, made ready before it: what making them costs is not what the checkouts beside it wait for."""
    return [
        _batch(
            key,
            [_event(n, people, messageId=f"burst-{n}") for n in range(start, min(start + BATCH, events))],
        )
        for start in range(0, events, BATCH)
    ]


async def _burst(server: Server, requests: list[bytes]) -> float:
    """Send it, as fast as it is answered; when the last was. What is refused (503) is sent again."""

    async def send() -> None:
        (connection,) = await server.connect(1)
        while requests:
            data = requests.pop()
            while (await connection.ask(data)).status != 200:  # noqa: ASYNC110 - it is the server that is waited for
                await asyncio.sleep(0.5)
        connection.close()

    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return time.perf_counter()


async def _check_out(server: Server, checkouts: Sequence[bytes]) -> list[float]:
    """Check out one after the other; seconds of each."""
    (connection,) = await server.connect(1)
    waits = []
    for data in checkouts:
        began = time.perf_counter()
        answer = await connection.ask(data)
        if answer.status != 201:
            raise RuntimeError(f"a checkout was answered by {answer.status}: {answer.body[:300]!r}")
        waits.append(time.perf_counter() - began)
    connection.close()
    return waits


def _p95(waits: Sequence[float]) -> float:
    return statistics.quantiles(waits, n=20)[-1]


async def _landed(runtime: Runtime) -> int:
    """Not by a join: what is measured shares the machine with it."""
    return int(await runtime.database.value("SELECT count(*) FROM tracked_profile"))


async def _until_landed(runtime: Runtime, count: int) -> float:
    async with asyncio.timeout(LANDED_SECONDS):
        while await _landed(runtime) < count:  # noqa: ASYNC110 - the worker is another process
            await asyncio.sleep(0.25)
    return time.perf_counter()


async def _samples(runtime: Runtime, server: Server, key: str, count: int) -> list[float]:
    """From the answer to a single event until its profile can be read; seconds of each."""
    (connection,) = await server.connect(1)
    waits = []
    for number in range(count):
        message = f"sample-{new_id()}"
        answer = await connection.ask(_batch(key, [_event(number, count, messageId=message)]))
        if answer.status != 200:
            raise RuntimeError(f"an event was answered by {answer.status}")
        began = time.perf_counter()
        while not await runtime.database.value(  # noqa: ASYNC110 - the worker is another process
            "SELECT 1 FROM tracked_event e JOIN tracked_profile p ON p.received_at = e.received_at AND p.event = e.id"
            " WHERE e.message_id = $1 AND e.received_at > now() - interval '1 minute' AND p.identity IS NOT NULL",
            message,
        ):
            await asyncio.sleep(LOOK_SECONDS)
        waits.append(time.perf_counter() - began)
    connection.close()
    return waits


BENCHMARK = Benchmark(
    "tracking",
    "Events of clients until they are on a profile, in a burst of 100,000 beside checkouts",
    (
        Bound("landed_per_second", least=5_000),
        Bound("p99_ms", most=500),
        Bound("lost", most=0),
        Bound("checkout_ratio", most=2),
    ),
    run,
)
