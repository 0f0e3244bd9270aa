"""``checkout``: what our code adds to the statements of a purchase."""

import random
import statistics
from collections.abc import Sequence

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import milliseconds
from samlad.bench.recording import Recorder, Statement, replay
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import ReadyCart, Shop
from samlad.bench.turns import take_turns
from samlad.kernel.ids import new_id

PROCESSES = 2
BLOCKS = 5
ORDERS = 200
"""Orders of one block, over HTTP as well as straight."""
VARIANTS = 500


async def run(orders: int = ORDERS, blocks: int = BLOCKS) -> Figures:
    """Orders of two lines over HTTP and the same statements straight through asyncpg, in turns, 8 at a time.

    The straight statements are those of real placements of other, equal carts, recorded and rolled back. The worker
    does not run: following an order is no part of placing it. Afterwards doctor looks at both kinds of orders.
    """
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        variants = await shops.add_goods(shop, VARIANTS, units=1_000_000)
        dice = random.Random(1)  # noqa: S311 - the same goods every time
        pairs = [dice.sample(variants, 2) for _ in range(2 * orders * (blocks + 1))]
        carts = await shops.each(pairs, lambda pair: shops.add_cart(shop, pair, checked_out=True))
        half = len(carts) // 2
        recorded = await record(shop, carts[:half])
        await shops.settle(runtime)
        async with Server(runtime.settings.home, workers=PROCESSES, worker=False) as server:
            requests = [shops.order_request(shop, cart) for cart in carts[half:]]
            turns = await take_turns(server, requests, recorded, replay, blocks=blocks, status=201)
        unsound = await shops.unsound(runtime)
    return {
        **turns.ratios(),
        **milliseconds(turns.http.waits, 50, 99),
        "statements": statistics.median(len(statements) for statements in recorded),
        "orders": len(turns.http.waits),
        "unsound": len(unsound),
    }


async def record(shop: Shop, carts: Sequence[ReadyCart]) -> list[list[Statement]]:
    """The statements with which each of the carts is ordered; rolled back."""
    recorder = Recorder(shop.runtime, shop.key)
    return [
        await recorder.transaction(
            "POST", "/api/orders", shops.order_body(cart), {"idempotency-key": str(new_id())}
        )
        for cart in carts
    ]


BENCHMARK = Benchmark(
    "checkout",
    "Place an order of two lines over HTTP, against the same statements straight through asyncpg",
    (Bound("ratio", least=0.5), Bound("cpu_ratio", most=2.2), Bound("unsound", most=0)),
    run,
)
