"""``hot``: everybody wants the same variant. What taking holds together gains over one after the other."""

import random
import statistics

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.checkout import record
from samlad.bench.meter import milliseconds
from samlad.bench.recording import replay
from samlad.bench.server import Server, fresh_shop
from samlad.bench.turns import take_turns

PROCESSES = 2
BLOCKS = 4
ORDERS = 200
"""Orders of one block, over HTTP as well as straight."""
AT_ONCE = 32
VARIANTS = 500


async def run(orders: int = ORDERS, blocks: int = BLOCKS) -> Figures:
    """Orders of one unit of the hot variant and one of another, over HTTP and the same statements straight, in turns.

    Nothing is held when the order comes: it takes what it wants itself. Straight, each order's statements wait for
    the hot row one after the other.
    """
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        [hot] = await shops.add_goods(shop, 1, units=1_000_000, prefix="hot")
        others = await shops.add_goods(shop, VARIANTS, units=1_000_000)
        dice = random.Random(1)  # noqa: S311 - the same goods every time
        pairs = [[hot, dice.choice(others)] for _ in range(2 * orders * (blocks + 1))]
        carts = await shops.each(pairs, lambda pair: shops.add_cart(shop, pair, checked_out=False))
        half = len(carts) // 2
        recorded = await record(shop, carts[:half])
        await shops.settle(runtime)
        async with Server(runtime.settings.home, workers=PROCESSES, worker=False) as server:
            requests = [shops.order_request(shop, cart) for cart in carts[half:]]
            turns = await take_turns(
                server, requests, recorded, replay, blocks=blocks, status=201, at_once=AT_ONCE
            )
        together = await runtime.database.value("SELECT count(*) FROM event WHERE type = 'stock.converted'")
        unsound = await shops.unsound(runtime)
    return {
        **turns.ratios(),
        **milliseconds(turns.http.waits, 50, 99),
        "statements": statistics.median(len(statements) for statements in recorded),
        "orders": len(turns.http.waits),
        "together": together,
        "unsound": len(unsound),
    }


BENCHMARK = Benchmark(
    "hot",
    "Orders of one hot variant over HTTP, against the same statements straight, one after the other",
    (Bound("ratio", least=1.5), Bound("unsound", most=0)),
    run,
)
