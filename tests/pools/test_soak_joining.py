"""For minutes: four processes sell at full speed, a channel joins and leaves with its goods, and whoever moves it is killed."""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec
import pytest
from goods import build_apart, product
from silo import Silo

from samlad import stock
from samlad.channels import Resource
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import Busy, Conflict
from samlad.pools import moving, store
from samlad.promotions import service as promotions_service
from samlad.promotions.model import PromotionInput
from trade import build

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3000)]

T = TypeVar("T")
R = Resource
SECONDS = float(os.environ.get("SAMLAD_POOL_SOAK_SECONDS", "120"))
ROUND = (R.CATALOGUE, R.PRICES, R.STOCK, R.CUSTOMERS, R.ORDERS, R.CARTS, R.PROMOTIONS)
PAIRED, ALONE, UNITS = 40, 15, int(os.environ.get("SAMLAD_POOL_SOAK_UNITS", "30"))
"""Goods of both, goods of the channel alone, and units of each that come in whenever it is alone."""
KILLED = {R.CATALOGUE, R.ORDERS}
"""Moves whose process is killed: those with more than one turn, and the one that changes what everybody names."""
HOW = {(R.PRICES, "join"): {"keeps_own": True}}
"""The others have no price for the goods that came along: the channel keeps its own."""
ODD = {
    "an order names goods of another catalogue than its channel's":
        """SELECT count(*) FROM order_line l JOIN orders o ON o.id = l.order_id JOIN variant v ON v.id = l.variant
           JOIN channel_pool u ON u.channel = o.channel AND u.resource = 'catalogue' WHERE v.pool <> u.pool""",
    "goods lie at a place of others":
        """SELECT count(*) FROM level l JOIN location p ON p.id = l.location JOIN variant v ON v.id = l.variant
           WHERE (l.on_hand, l.held) <> (0, 0) AND NOT EXISTS (
               SELECT FROM channel_pool s JOIN channel_pool c ON c.channel = s.channel AND c.resource = 'catalogue'
               WHERE s.resource = 'stock' AND s.pool = p.pool AND c.pool = v.pool)""",
    "more is sold than lies there": "SELECT count(*) FROM level WHERE held > on_hand",
}  # fmt: skip
TRIES = 20
"""How often something is tried that sellers keep from being done: somebody waits too long for them, orders cross once more."""
START = """
import asyncio, random, sys
from pathlib import Path
from uuid import UUID
import samlad.app
from samlad.kernel.database import open_database
from samlad.kernel.settings import load

async def opened():
    return await open_database(sys.argv[1], load({}, home=Path(sys.argv[2]), database_url=sys.argv[1], pool_size=4))
"""
SELLER = (
    START
    + """
from samlad import carts, channels
from samlad import stock
from samlad.channels import Resource
from samlad.kernel.problems import Problem
from trade import BUYER, Trade

async def main() -> None:
    db, dice = await opened(), random.Random(int(sys.argv[4]))
    trade = Trade(db, *[None] * 6)
    async def buyer(number):
        while not Path(sys.argv[5]).exists():
            channel = await channels.cached(db, UUID(sys.argv[3]))
            rows = await db.rows("SELECT id FROM variant WHERE pool = $1 AND status = 'active'", channel.pools[Resource.CATALOGUE])
            chosen = dice.sample([row["id"] for row in rows], 2)
            try:
                cart = await trade.cart(*[(each, 1) for each in chosen], channel=channel,
                                        **{**BUYER, "email": f"{dice.randrange(50)}@example.org"})
                order = await trade.place(cart.id)
            except Problem as problem:
                print("no", type(problem).__name__, flush=True)
            else:
                print("order", order.id, flush=True)
    await asyncio.gather(*(buyer(n) for n in range(3)))
    await db.close()

asyncio.run(main())
"""
)
MOVERS = (
    START
    + """
import os
from samlad.pools import moving
moving.ROWS = 3

async def main(move: str) -> None:
    db = await opened()
    print("now", flush=True)
    await moving.carry_on(db, UUID(move))

print("ready", flush=True)
for line in sys.stdin:
    if (child := os.fork()) == 0:
        print(os.getpid(), flush=True)
        asyncio.run(main(line.strip()))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or status == 0
    print("over", flush=True)
"""
)
"""Forks a process for each move that it is told: everything is loaded already, and only the child is killed."""


class Movers(msgspec.Struct):
    """Processes that move, one at a time, each of which is killed."""

    process: asyncio.subprocess.Process
    dice: random.Random

    async def says(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    async def killed(self, db: Database, move: UUID) -> bool:
        """Let a process do a move, and kill it somewhere in the middle; whether it was not over by then."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{move}\n".encode())
        child = int(await self.says())
        assert await self.says() == "now"
        await asyncio.sleep(self.dice.uniform(0, 0.4))
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        assert await self.says() == "over"
        row = await store.get(db, move)
        assert row is not None
        return row.status == "running"


async def start(script: str, *arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *(str(each) for each in arguments),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Do it again if it waited too long for sellers, as a worker and a person would."""
    for _ in range(TRIES):
        with contextlib.suppress(Busy):
            return await work()
    return await work()


async def begun(silo: Silo, resource: Resource, kind: str, counts: dict[str, int]) -> UUID:
    """Begin a move. Goods are not left while the others are to send some of them: those are sent first.

    Sellers have their own stock again by then, so that only orders that were being made meanwhile cross once more.
    """
    for _ in range(TRIES):
        try:
            return await patiently(lambda: silo.begin(resource, kind, **HOW.get((resource, kind), {})))
        except Conflict as refused:
            found = {each["code"] for each in refused.extra.get("findings", [])}
            if (resource, kind, found) != (R.CATALOGUE, "leave", {"stock-crossed"}):
                raise
        for order in await crossed(silo):
            await patiently(lambda each=order: silo.send(each))
            counts["sent"] += 1
    raise AssertionError(f"orders still cross after they were sent {TRIES} times")


async def crossed(silo: Silo) -> list[UUID]:
    """Orders that somebody else's place is to send."""
    rows = await silo.trade.db.rows(
        """SELECT DISTINCT o.id FROM orders o JOIN fulfilment f ON f.order_id = o.id JOIN location p ON p.id = f.location
           JOIN channel_pool u ON u.channel = o.channel AND u.resource = 'stock'
           WHERE u.pool <> p.pool AND f.state IN ('open', 'picking') ORDER BY 1"""
    )
    return [row["id"] for row in rows]


async def furnish(silo: Silo) -> dict[UUID, list[UUID]]:
    """Goods of both, by the place where they lie: most are the same, each in its own warehouse; and a promotion of the marketplace."""
    places: dict[UUID, list[UUID]] = {silo.trade.warehouse.id: [], silo.depot.id: []}
    for number in range(PAIRED):
        digits = f"20{number:05}"
        total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
        code = {"gtin": f"{digits}{-total % 10}"}
        places[silo.trade.warehouse.id] += await product(silo, silo.trade.web, {"sku": f"W-{number}", **code})
        places[silo.depot.id] += await product(silo, silo.market, {"sku": f"M-{number}", **code})
    for number in range(ALONE):
        places[silo.depot.id] += await product(silo, silo.market, {"sku": f"A-{number}"})
    data = {"channel": silo.market.id, "name": "Mine", "is_automatic": True,
            "terms": {"effect": {"kind": "percent", "percent": 1_000}}}  # fmt: skip
    await silo.trade.db.transaction(
        lambda tx: promotions_service.create(tx, msgspec.convert(data, PromotionInput))
    )
    return places


async def bring(silo: Silo, places: dict[UUID, list[UUID]]) -> int:
    """Units of all goods come in; how many."""
    for place, goods in places.items():
        units = [(variant, UNITS) for variant in goods]

        async def come(tx: Tx, at: UUID = place, each: list[tuple[UUID, int]] = units) -> None:
            await stock.receive(tx, at, each)

        await patiently(lambda work=come: silo.trade.db.transaction(work))
    return UNITS * sum(map(len, places.values()))


async def test_joining_and_leaving_at_full_speed(db: Database, tmp_path: Path) -> None:
    silo = await build_apart(await build(db))
    trade, market = silo.trade, silo.market
    places = await furnish(silo)
    seed = int(os.environ.get("SAMLAD_POOL_SOAK_SEED", random.randrange(2**32)))
    print(f"again with SAMLAD_POOL_SOAK_SEED={seed}")  # noqa: T201 - shown when it fails
    stop = tmp_path / "stop"
    movers = Movers(await start(MOVERS, db.dsn, tmp_path), random.Random(seed))
    sellers = [
        await start(SELLER, db.dsn, tmp_path, channel.id, seed + number, stop)
        for number, channel in enumerate((market, market, trade.web, trade.web))
    ]
    outputs = [asyncio.create_task(each.communicate()) for each in sellers]
    counts = dict.fromkeys(("moves", "killed", "sent", "brought"), 0)
    try:
        counts["brought"] += await bring(silo, places)
        assert await movers.says() == "ready"
        while await db.value("SELECT count(DISTINCT channel) FROM orders") < 2:
            await asyncio.sleep(0.1)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            for kind in ("join", "leave"):
                for resource in ROUND if kind == "join" else reversed(ROUND):
                    move = await begun(silo, resource, kind, counts)
                    if resource in KILLED:
                        counts["killed"] += await movers.killed(db, move)
                    await patiently(lambda each=move: moving.carry_on(db, each))
                    counts["moves"] += 1
            counts["brought"] += await bring(silo, places)
    finally:
        stop.touch()
        said = await asyncio.gather(*outputs)
        await movers.process.communicate(b"")
    assert [each.returncode for each in [*sellers, movers.process]] == [0] * 5
    lines = [line.split() for out, _ in said for line in out.decode().splitlines()]
    sold = [UUID(line[1]) for line in lines if line[0] == "order"]
    noes = sorted({line[1] for line in lines if line[0] == "no"})
    print({**counts, "orders": len(sold), "no": len(lines) - len(sold), "noes": noes})  # noqa: T201 - what `make soak` shows
    assert await db.value("SELECT count(*) FROM orders WHERE id = ANY ($1::uuid[])", sold) == len(sold) > 0
    assert await db.value("SELECT count(*) FROM orders") == len(sold)
    # Busy: whoever waited too long for a move (or for the machine) is told to try again.
    assert set(noes) <= {"SoldOut", "NotSellable", "PriceChanged", "Busy"}, noes
    for what, sql in ODD.items():
        assert await db.value(sql) == 0, what
    left = await db.value(
        """SELECT sum(l.quantity) FROM fulfilment f JOIN fulfilment_line l ON l.fulfilment = f.id
           WHERE f.state = 'shipped'"""
    )
    assert await db.value("SELECT sum(on_hand) FROM level") == counts["brought"] - (left or 0)
    await trade.agree()
