"""``oversell``: more buyers than units, all at once, on several server processes."""

import asyncio
import time
from uuid import UUID

import msgspec

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import milliseconds
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import Connection

BUYERS, UNITS, PROCESSES = 200, 50, 4


class Verdict(msgspec.Struct, frozen=True):
    """What a buyer was told, and after how many seconds."""

    outcome: str
    seconds: float


async def run(buyers: int = BUYERS, units: int = UNITS, processes: int = PROCESSES) -> Figures:
    """Every buyer has a cart with one unit of the same variant and orders at the same moment; then doctor looks.

    ``told_ms``: when the last of those who get nothing knows it.
    """
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        [variant] = await shops.add_goods(shop, 1, units=units)
        async with Server(runtime.settings.home, workers=processes) as server:
            verdicts = await rush(shop, server, [variant], buyers)
        unsound = await shops.unsound(runtime)
    outcomes = [verdict.outcome for verdict in verdicts]
    sold, refused = outcomes.count("sold"), outcomes.count("sold-out")
    return {
        "sold": sold,
        "refused": refused,
        "errors": len(outcomes) - sold - refused,
        "unsound": len(unsound),
        "processes": processes,
        **milliseconds([verdict.seconds for verdict in verdicts], 50, 99),
        "told_ms": round(max((v.seconds for v in verdicts if v.outcome == "sold-out"), default=0) * 1000),
    }


async def rush(shop: Shop, server: Server, variants: list[UUID], buyers: int) -> list[Verdict]:
    """So many buyers order one unit of each variant at the same moment, each on a connection of their own."""
    carts = await shops.each(range(buyers), lambda _: shops.add_cart(shop, variants, checked_out=False))
    requests = [shops.order_request(shop, cart) for cart in carts]
    connections = await server.connect(buyers)
    try:
        return await asyncio.gather(*map(_buy, connections, requests))
    finally:
        for connection in connections:
            connection.close()


async def _buy(connection: Connection, data: bytes) -> Verdict:
    began = time.perf_counter()
    answer = await connection.ask(data)
    if answer.status == 201:
        outcome = "sold"
    elif answer.status == 409 and answer.json()["type"].endswith("/sold-out"):
        outcome = "sold-out"
    else:
        outcome = f"{answer.status} {answer.body.decode(errors='replace')}"
    return Verdict(outcome, time.perf_counter() - began)


BENCHMARK = Benchmark(
    "oversell",
    "200 buyers at once on 4 server processes for 50 units",
    (
        Bound("sold", least=UNITS, most=UNITS),
        Bound("refused", least=BUYERS - UNITS, most=BUYERS - UNITS),
        Bound("errors", least=0, most=0),
        Bound("unsound", least=0, most=0),
        Bound("told_ms", most=2_000),
    ),
    run,
)
