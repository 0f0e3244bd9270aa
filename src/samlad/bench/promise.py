"""``promise``: when one product can be had in each of 500 stores, in a retailer with 300,000 variants."""

import random
import time
from uuid import UUID

import msgspec

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import Meter, milliseconds
from samlad.bench.server import Server, fresh_shop, postgres_pid
from samlad.bench.shop import Shop
from samlad.bench.wire import request
from samlad.catalog import synthetic
from samlad.channels import ChannelInput, ChannelKind, Resource
from samlad.channels import create as create_channel
from samlad.delivery import FlatRate, MethodInput, MethodKind, WorkdayInput, Zone, create_method, set_workday
from samlad.kernel.database import Tx
from samlad.stock import LocationInput, LocationKind, create_location

VARIANTS = 300_000
STORES = 500
ASKED = 200
"""Variants that lie in all stores and are asked for."""
ELSEWHERE = 1_500_000
"""Levels of other variants, so that those of one lie far apart."""
QUESTIONS = 300
WARM_UP = 30


async def run(
    variants: int = VARIANTS,
    stores: int = STORES,
    asked: int = ASKED,
    elsewhere: int = ELSEWHERE,
    questions: int = QUESTIONS,
) -> Figures:
    """Questions one after the other over HTTP, each for another product, with all stores in the answer."""
    async with fresh_shop() as runtime:
        shop = await shops.open_shop(runtime)
        await synthetic.fill_fast(runtime.database, shop.channel, variants, price_list=shops.PRICE_LIST)
        places = await runtime.database.transaction(lambda tx: _open_stores(tx, stores))
        wanted = await _fill_shelves(shop, places, asked, elsewhere)
        await shops.settle(runtime)
        dice, waits, promised = random.Random(5), [], 0  # noqa: S311 - the same questions every time
        async with Server(runtime.settings.home, worker=False) as server:
            [connection] = await server.connect(1)
            ours, postgres = Meter(server.pid), Meter(postgres_pid(server.home))
            spent = (0.0, 0.0)
            for number in range(questions + WARM_UP):
                if number == WARM_UP:
                    spent = (ours.seconds(), postgres.seconds())
                where = f"lat={dice.uniform(55.5, 66):.4f}&lon={dice.uniform(12, 20):.4f}"
                address = f"/api/promise?channel=web&variant={dice.choice(wanted)}&stores={stores}&{where}"
                began = time.perf_counter()
                answer = await connection.ask(request("GET", address))
                seconds = time.perf_counter() - began
                if answer.status != 200:
                    raise RuntimeError(f"refused with {answer.status}: {answer.body.decode()}")
                if number >= WARM_UP:
                    waits.append(seconds)
                    promised += sum(store["promise"] is not None for store in answer.json()["stores"])
            server_cpu, postgres_cpu = ours.seconds() - spent[0], postgres.seconds() - spent[1]
            connection.close()
        plan = await _plan(shop, wanted[0])
        levels = int(await runtime.database.value("SELECT count(*) FROM level"))
    return {
        **milliseconds(waits, 50, 95, 99),
        "server_cpu_ms": round(server_cpu / len(waits) * 1000, 2),
        "postgres_cpu_ms": round(postgres_cpu / len(waits) * 1000, 2),
        "stores": stores,
        "promised": round(promised / len(waits), 1),
        "levels": levels,
        "variants": variants,
        "by_index": int("level_variant" in plan and "Seq Scan on level" not in plan),
    }


async def _open_stores(tx: Tx, count: int) -> list[UUID]:
    """Stores over the country, each with hours of its own, every fifth with a capacity; and ways to get goods."""
    dice, places = random.Random(4), []  # noqa: S311 - the same shop every time
    for number in range(count):
        code = f"store-{number}"
        opens = f"{dice.randrange(7, 11):02}:{dice.choice((0, 30)):02}"
        week = [[{"opens": opens, "closes": f"{dice.randrange(17, 23):02}:00"}]] * 6 + [[]]
        data = {
            "code": code,
            "name": f"Store {number}",
            "kind": ChannelKind.STORE,
            "parent": "web",
            "opening_hours": {"weekly": week},
            "join": dict.fromkeys(Resource, "web"),
        }
        await create_channel(tx, msgspec.convert(data, ChannelInput))
        made = await create_location(
            tx,
            LocationInput(
                code=code,
                name=f"Store {number}",
                kind=LocationKind.STORE,
                channel=code,
                address={
                    "city": f"Town {number}",
                    "postal_code": str(10_000 + number * 170),
                    "country": "SE",
                },
                latitude=dice.uniform(55.5, 66),
                longitude=dice.uniform(12, 20),
            ),
        )
        places.append(made.id)
        if number % 5 == 0:
            await set_workday(tx, made.id, WorkdayInput(capacity=40))
    everywhere = [Zone(transit_min=1, transit_max=2)]
    for method in (
        MethodInput(
            channel="web",
            code="courier",
            kind=MethodKind.SHIP,
            name="Courier",
            zones=everywhere,
            rate=FlatRate(),
        ),
        MethodInput(channel="web", code="pickup", kind=MethodKind.PICKUP, name="Pick up"),
        MethodInput(
            channel="web", code="curbside", kind=MethodKind.CURBSIDE, name="To the car", pick_minutes=90
        ),
    ):
        await create_method(tx, method)
    return places


async def _fill_shelves(shop: Shop, places: list[UUID], asked: int, elsewhere: int) -> list[UUID]:
    """The asked variants in every store, and a large table of levels of others around them.

    One statement, as a receipt of each level by the verb would take longer than all questions: these have no ledger.
    """
    database = shop.runtime.database
    rows = await database.rows("SELECT id FROM variant ORDER BY md5(sku) LIMIT $1", asked)
    wanted = [row["id"] for row in rows]
    others = max(1, int(await database.value("SELECT count(*) FROM variant")) - asked)
    each = min(-(-elsewhere // others), len(places))
    async with database.pool.acquire() as connection, connection.transaction():
        # Levels change by movements only, and no statement takes so long, except here.
        await connection.execute(
            "SET LOCAL session_replication_role = replica; SET LOCAL statement_timeout = 0"
        )
        async with synthetic.without_indexes(connection, "level"):
            await connection.execute(_SHELVES, wanted, [*places, shop.location], places, each, timeout=600)
    return wanted


_SHELVES = """
    INSERT INTO level (location, variant, on_hand)
    SELECT location, variant, units FROM (
        SELECT p.id AS location, w.id AS variant, 3 AS units FROM unnest($1::uuid[]) AS w (id), unnest($2::uuid[]) AS p (id)
        UNION ALL
        SELECT ($3::uuid[])[1 + (abs(hashtext(v.sku)) + n * 37) % cardinality($3::uuid[])], v.id, 5
        FROM variant v, generate_series(1, $4::int) AS n WHERE v.id <> ALL ($1::uuid[])
    ) AS shelves GROUP BY 1, 2, 3 ORDER BY md5(location::text || variant)
"""
"""Levels in no order, so that those of one variant lie far apart."""


async def _plan(shop: Shop, variant: UUID) -> str:
    """How PostgreSQL finds the levels of one variant."""
    rows = await shop.runtime.database.rows(
        "EXPLAIN SELECT l.on_hand FROM level l JOIN location p ON p.id = l.location WHERE l.variant = ANY($1::uuid[])",
        [variant],
    )
    return "\n".join(row[0] for row in rows)


BENCHMARK = Benchmark(
    "promise",
    "When one product can be had in each of 500 stores, beside 300,000 variants",
    (Bound("p95_ms", most=30), Bound("promised", least=1), Bound("by_index", least=1)),
    run,
)
