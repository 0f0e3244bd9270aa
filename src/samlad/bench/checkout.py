"""``checkout``: what our code adds to the statements of a purchase."""

import gc
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg
import msgspec

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import Meter, milliseconds
from samlad.bench.recording import Recorder, Statement, replay
from samlad.bench.server import Server, fresh_shop, postgres_pid
from samlad.bench.shop import ReadyCart, Shop
from samlad.bench.wire import Connection
from samlad.kernel.database import connect
from samlad.kernel.ids import new_id
from samlad.kernel.runtime import dsn_of

C = TypeVar("C")

CONNECTIONS = 8
PROCESSES = 2
BLOCKS = 5
ORDERS = 200
"""Orders of one block, over HTTP as well as straight."""
VARIANTS = 500


class Block(msgspec.Struct):
    """Blocks of one kind, added up: seconds, CPU seconds of the client side and of PostgreSQL, the waits."""

    seconds: float = 0
    side: float = 0
    postgres: float = 0
    waits: list[float] = []

    @property
    def rate(self) -> float:
        """Orders a second."""
        return len(self.waits) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds an order."""
        return (self.side + self.postgres) / len(self.waits) * 1000


async def run(orders: int = ORDERS, blocks: int = BLOCKS) -> Figures:
    """Orders of two lines over HTTP and the same statements straight through asyncpg, in turns, 8 at a time.

    The straight statements are those of real placements of other, equal carts, recorded and rolled back. CPU is the
    server's and PostgreSQL's over HTTP, this process's and PostgreSQL's straight; over HTTP this process only makes
    load, which is nobody's cost. The worker does not run: following an order is no part of placing it.
    """
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        variants = await shops.add_goods(shop, VARIANTS, units=1_000_000)
        dice = random.Random(1)  # noqa: S311 - the same goods every time
        pairs = [dice.sample(variants, 2) for _ in range(2 * orders * (blocks + 1))]
        carts = await shops.each(pairs, lambda pair: shops.add_cart(shop, pair, checked_out=True))
        half = len(carts) // 2
        recorded = await _record(shop, carts[:half])
        await shops.settle(runtime)
        async with Server(runtime.settings.home, workers=PROCESSES, worker=False) as server:
            connections = await server.connect(CONNECTIONS)
            straight = [await connect(dsn_of(runtime.settings), runtime.settings) for _ in range(CONNECTIONS)]
            requests = [shops.order_request(shop, cart) for cart in carts[half:]]
            postgres, ours, alone = Meter(postgres_pid(server.home)), Meter(server.pid), Meter(os.getpid())
            ordered, replayed = Block(), Block()
            gc.collect()
            gc.freeze()  # what was prepared is not the straight client's to look through
            for number in range(blocks + 1):
                part = slice(number * orders, (number + 1) * orders)
                if number == 1:  # the first of each was to get warm
                    ordered, replayed = Block(), Block()
                await _http(connections, requests[part], ordered, ours, postgres)
                await _straight(straight, recorded[part], replayed, alone, postgres)
            gc.unfreeze()
            for connection in connections:
                connection.close()
            for plain in straight:
                await plain.close()
        unsound = await shops.unsound(runtime)
    return _figures(ordered, replayed, recorded, unsound)


def _figures(ordered: Block, replayed: Block, recorded: list[list[Statement]], unsound: list[str]) -> Figures:
    return {
        "ratio": round(ordered.rate / replayed.rate, 3),
        "cpu_ratio": round(ordered.cpu_ms / replayed.cpu_ms, 3),
        "orders_per_s": round(ordered.rate),
        "straight_per_s": round(replayed.rate),
        **milliseconds(ordered.waits, 50, 99),
        "server_cpu_ms": round(ordered.side / len(ordered.waits) * 1000, 3),
        "postgres_cpu_ms": round(ordered.postgres / len(ordered.waits) * 1000, 3),
        "straight_client_cpu_ms": round(replayed.side / len(replayed.waits) * 1000, 3),
        "straight_postgres_cpu_ms": round(replayed.postgres / len(replayed.waits) * 1000, 3),
        "statements": statistics.median(len(statements) for statements in recorded),
        "orders": len(ordered.waits),
        "unsound": len(unsound),
    }


async def _record(shop: Shop, carts: Sequence[ReadyCart]) -> list[list[Statement]]:
    recorder = Recorder(shop.runtime, shop.key)
    return [
        await recorder.transaction(
            "POST", "/api/orders", shops.order_body(cart), {"idempotency-key": str(new_id())}
        )
        for cart in carts
    ]


async def _http(
    connections: Sequence[Connection], requests: Sequence[bytes], block: Block, ours: Meter, postgres: Meter
) -> None:
    waiting = iter(requests)

    async def buy(connection: Connection) -> None:
        for data in waiting:
            began = time.perf_counter()
            answer = await connection.ask(data)
            block.waits.append(time.perf_counter() - began)
            if answer.status != 201:
                raise RuntimeError(f"an order was refused with {answer.status}: {answer.body.decode()}")

    await _measured(connections, buy, block, ours, postgres)


async def _straight(
    connections: Sequence[asyncpg.Connection],
    recorded: Sequence[list[Statement]],
    block: Block,
    alone: Meter,
    postgres: Meter,
) -> None:
    waiting = iter(recorded)

    async def send(connection: asyncpg.Connection) -> None:
        for statements in waiting:
            began = time.perf_counter()
            await replay(connection, statements)
            block.waits.append(time.perf_counter() - began)

    await _measured(connections, send, block, alone, postgres)


async def _measured(
    connections: Sequence[C],
    work: Callable[[C], Awaitable[None]],
    block: Block,
    side: Meter,
    postgres: Meter,
) -> None:
    """Let every connection work until nothing waits, and add what it took to the block."""
    began, side_before, postgres_before = time.perf_counter(), side.seconds(), postgres.seconds()
    await shops.each(connections, work, at_once=len(connections))
    block.seconds += time.perf_counter() - began
    block.side += side.seconds() - side_before
    block.postgres += postgres.seconds() - postgres_before


BENCHMARK = Benchmark(
    "checkout",
    "Place an order of two lines over HTTP, against the same statements straight through asyncpg",
    (Bound("ratio", least=0.5), Bound("cpu_ratio", most=2.2), Bound("unsound", most=0)),
    run,
)
