"""``oversell`` and ``rush``: more buyers than units, through every door at once, on several server processes."""

import asyncio
import collections
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from uuid import UUID

import msgspec

from samlad.bench import doors
from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.doors import Doors, Wish
from samlad.bench.meter import milliseconds
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import Connection

BUYERS, MANY, UNITS, PROCESSES = 200, 2_000, 50, 4
LEASED = 5
"""So many of the units a till of the store holds for itself in the second race of a kind."""
TOLD_MS = 2_000


class Verdict(msgspec.Struct, frozen=True):
    """What a buyer was told at which door, and after how many seconds."""

    door: str
    outcome: str
    seconds: float


async def run(buyers: int = BUYERS, units: int = UNITS, processes: int = PROCESSES) -> Figures:
    """A third of the buyers at each door (`samlad.bench.doors`) wants one unit of the same variant; then doctor looks.

    The shop has been open before: some orders of other goods went through each door; and there is a campaign, as there mostly is when
    everybody comes. Twice: ``barrier``, all ask at one moment on connections that stand; ``race``, each
    comes on a connection of their own and asks as soon as it stands, and a till has leased some units. ``told_ms``: when the
    last of those who get nothing knows it.
    """
    figures: Figures = {}
    async with fresh_shop() as runtime:
        open_at = await doors.open_doors(await shops.open_shop(runtime))
        await shops.begin_campaign(open_at.shop)
        async with Server(runtime.settings.home, workers=processes) as server:
            await _trade(open_at, server, processes)
            for name, way in WAYS.items():
                [variant] = await shops.add_goods(
                    open_at.shop, 1, units=units, prefix=name, at=open_at.location
                )
                if name == "race":
                    await doors.lease(open_at, variant, min(LEASED, units))
                wanted = await doors.wishes(open_at, variant, f"{name.upper()}-0", buyers)
                verdicts = await way(server, wanted)
                figures |= {f"{name}_{key}": each for key, each in _figures(verdicts).items()}
                figures[f"{name}_gone"] = await gone(open_at.shop, variant)
        unsound = await shops.unsound(runtime)
    return {**figures, "unsound": len(unsound), "processes": processes}


async def _trade(open_at: Doors, server: Server, processes: int) -> None:
    """A few orders through each door at each process, as on any day before the one on which everybody comes."""
    buyers = len(doors.DOORS) * processes * 2
    [variant] = await shops.add_goods(open_at.shop, 1, units=2 * buyers, prefix="calm", at=open_at.location)
    for _ in range(2):
        verdicts = await as_they_come(server, await doors.wishes(open_at, variant, "CALM-0", buyers))
        others = [verdict.outcome for verdict in verdicts if verdict.outcome != "sold"]
        if others:
            raise RuntimeError(f"refused: {others[0]}")


def _figures(verdicts: Sequence[Verdict]) -> Figures:
    said = collections.Counter(verdict.outcome for verdict in verdicts)
    told = [verdict.seconds for verdict in verdicts if verdict.outcome == "sold-out"]
    return {
        "sold": said["sold"],
        "refused": said["sold-out"],
        "errors": len(verdicts) - said["sold"] - said["sold-out"],
        **milliseconds([verdict.seconds for verdict in verdicts], 50, 99),
        "told_ms": round(max(told, default=0) * 1000),
    }


async def gone(shop: Shop, variant: UUID) -> int:
    """How many units of a variant are ordered, whether they have left or are held until they do."""
    units: int = await shop.runtime.database.value(
        "SELECT coalesce(sum(quantity), 0)::int FROM order_line WHERE variant = $1", variant
    )
    return units


async def at_once(server: Server, wanted: Sequence[Wish]) -> list[Verdict]:
    """All ask at the same moment, each on a connection that stands."""
    connections = await server.connect(len(wanted))
    try:
        return await asyncio.gather(*map(_buy, connections, wanted))
    finally:
        for connection in connections:
            connection.close()


async def as_they_come(server: Server, wanted: Sequence[Wish]) -> list[Verdict]:
    """Each comes on a connection of their own and asks as soon as it stands; nobody waits for the others."""

    async def come(wish: Wish) -> Verdict:
        connection = await Connection.open(server.host, server.port)
        try:
            return await _buy(connection, wish)
        finally:
            connection.close()

    return await asyncio.gather(*map(come, wanted))


WAYS: Mapping[str, Callable[[Server, Sequence[Wish]], Awaitable[list[Verdict]]]] = {
    "barrier": at_once,
    "race": as_they_come,
}


async def rush(shop: Shop, server: Server, variants: list[UUID], buyers: int) -> list[Verdict]:
    """So many buyers order one unit of each variant over the API at the same moment."""
    carts = await shops.each(range(buyers), lambda _: shops.add_cart(shop, variants, checked_out=False))
    return await at_once(server, [Wish("api", shops.order_request(shop, cart)) for cart in carts])


async def _buy(connection: Connection, wish: Wish) -> Verdict:
    began = time.perf_counter()
    answer = await connection.ask(wish.data)
    seconds = time.perf_counter() - began
    return Verdict(wish.door, doors.outcome(wish, answer), seconds)


def _benchmark(name: str, buyers: int) -> Benchmark:
    bounds = [
        bound
        for way in WAYS
        for bound in (
            Bound(f"{way}_sold", least=UNITS, most=UNITS),
            Bound(f"{way}_refused", least=buyers - UNITS, most=buyers - UNITS),
            Bound(f"{way}_errors", least=0, most=0),
            Bound(f"{way}_gone", least=UNITS, most=UNITS),
            Bound(f"{way}_told_ms", most=TOLD_MS),
        )
    ]
    summary = f"{buyers:,} buyers at once over the API, at the till and on a marketplace for 50 units, on 4 processes"
    return Benchmark(name, summary, (*bounds, Bound("unsound", least=0, most=0)), partial(run, buyers))


BENCHMARK = _benchmark("oversell", BUYERS)
RUSH = _benchmark("rush", MANY)
