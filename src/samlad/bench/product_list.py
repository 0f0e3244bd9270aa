"""``list``: what our code adds to the query of a list."""

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import milliseconds
from samlad.bench.recording import Recorder, fetch
from samlad.bench.server import Server, fresh_shop
from samlad.bench.turns import take_turns
from samlad.bench.wire import request
from samlad.catalog import synthetic

PROCESSES = 2
VARIANTS = 3_000
PAGE = 50
BLOCKS = 5
LISTS = 300
"""Lists of one block."""


async def run(lists: int = LISTS, blocks: int = BLOCKS) -> Figures:
    """A page of 50 products as JSON over HTTP, and its bare statements straight through asyncpg, in turns."""
    path = f"/api/products?limit={PAGE}"
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        await synthetic.fill(runtime.database, shop.channel, VARIANTS, price_list=shops.PRICE_LIST)
        await shops.settle(runtime)
        statements, body = await Recorder(runtime, shop.key).read(path)
        count = lists * (blocks + 1)
        async with Server(runtime.settings.home, workers=PROCESSES, worker=False) as server:
            requests = [request("GET", path, key=shop.key)] * count
            turns = await take_turns(server, requests, [statements] * count, fetch, blocks=blocks, status=200)
    return {
        **turns.ratios(),
        **milliseconds(turns.http.waits, 50, 99),
        "statements": len(statements),
        "bytes": len(body),
    }


BENCHMARK = Benchmark(
    "list",
    "A page of 50 products over HTTP, against its bare query",
    (Bound("ratio", least=0.4),),
    run,
)
