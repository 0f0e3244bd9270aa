"""``search``: what customers type, in a catalogue of 300,000 variants."""

import random
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import milliseconds, percentile
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import request
from samlad.catalog import synthetic
from samlad.kernel.connections import connect
from samlad.kernel.runtime import dsn_of

VARIANTS = 300_000
QUERIES = 600
WARM_UP = 60

Parameters = list[tuple[str, str]]


async def run(variants: int = VARIANTS, queries: int = QUERIES) -> Figures:
    """A mix of queries one after the other over HTTP, with counts of what one can filter by, as a shop page asks."""
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        products = await synthetic.fill(runtime.database, shop.channel, variants, price_list=shops.PRICE_LIST)
        await shops.settle(runtime)
        asked = list(mix(await _words(shop), queries + WARM_UP))
        waits: dict[str, list[float]] = {}
        found = 0
        async with Server(runtime.settings.home, worker=False) as server:
            [connection] = await server.connect(1)
            for number, (kind, parameters) in enumerate(asked):
                data = request(
                    "GET", f"/api/search?{urlencode([('channel', shop.channel.code), *parameters])}"
                )
                began = time.perf_counter()
                answer = await connection.ask(data)
                seconds = time.perf_counter() - began
                if answer.status != 200:
                    raise RuntimeError(f"refused with {answer.status}: {answer.body.decode()}")
                if number >= WARM_UP:
                    waits.setdefault(kind, []).append(seconds)
                    found += bool(answer.json()["items"])
            connection.close()
        key_read = await _key_read_seconds(shop)
    everything = [wait for kind in waits.values() for wait in kind]
    return {
        **milliseconds(everything, 50, 95, 99),
        **{f"{kind}_p95_ms": round(percentile(each, 95) * 1000, 2) for kind, each in sorted(waits.items())},
        "key_read_ms": round(key_read * 1000, 3),
        "times_key_read": round(percentile(everything, 50) / key_read, 1),
        "found": round(found / len(everything), 3),
        "products": products,
        "variants": variants,
    }


async def _words(shop: Shop) -> list[tuple[str, str, str]]:
    """Title, brand and SKU of some goods that are there."""
    rows = await shop.runtime.database.rows(
        """SELECT p.title, p.brand, v.sku FROM product p JOIN variant v ON v.product = p.id
           ORDER BY md5(v.sku) LIMIT 2000"""
    )
    return [(row["title"], row["brand"], row["sku"]) for row in rows]


def mix(goods: list[tuple[str, str, str]], count: int) -> Iterator[tuple[str, Parameters]]:
    """What customers ask for, each with its kind: words, half-typed and misspelled ones, codes, filters, browsing."""
    dice = random.Random(7)  # noqa: S311 - the same queries every time
    kinds = {"words": 30, "prefix": 20, "typo": 15, "facet": 15, "browse": 10, "code": 10}
    for kind in dice.choices(list(kinds), list(kinds.values()), k=count):
        title, brand, sku = dice.choice(goods)
        words = title.split()
        two = " ".join(dice.sample(words, 2))
        if kind == "words":
            yield kind, [("q", dice.choice([dice.choice(words), two, " ".join(words[1:])]))]
        elif kind == "prefix":
            yield kind, [("q", two[: max(3, len(two) - dice.randint(1, 4))])]
        elif kind == "typo":
            yield kind, [("q", misspelled(dice.choice(words[1:]), dice))]
        elif kind == "code":
            yield kind, [("q", sku)]
        elif kind == "facet":
            chosen = dice.choice([("option.Colour", "Red"), ("option.Size", "M"), ("brand", brand)])
            yield kind, [("q", dice.choice(words[1:3])), ("filter", ":".join(chosen))]
        else:
            yield kind, [("sort", dice.choice(["newest", "price", "-price", "name"]))]


def misspelled(word: str, dice: random.Random) -> str:
    """A word with two neighbouring letters swapped, one left out, or one doubled."""
    place = dice.randrange(1, max(2, len(word) - 1))
    return dice.choice(
        [
            word[:place] + word[place : place + 2][::-1] + word[place + 2 :],
            word[:place] + word[place + 1 :],
            word[:place] + word[place] + word[place:],
        ]
    )


async def _key_read_seconds(shop: Shop) -> float:
    """The median time of reading one product by its key, straight through asyncpg."""
    settings = shop.runtime.settings
    ids = await shop.runtime.database.rows("SELECT id FROM product ORDER BY md5(handle) LIMIT 500")
    connection = await connect(dsn_of(settings), settings)
    waits = []
    for row in ids:
        began = time.perf_counter()
        await connection.fetchrow("SELECT * FROM product WHERE id = $1", row["id"])
        waits.append(time.perf_counter() - began)
    await connection.close()
    return percentile(waits, 50)


BENCHMARK = Benchmark(
    "search",
    "Searching 300,000 variants as customers do: words, half-typed, misspelled, filtered",
    (Bound("p95_ms", most=60), Bound("found", least=0.9)),
    run,
)
