"""For minutes: four processes sell at full speed, a channel joins and leaves with its goods, and whoever moves it is killed."""

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from goods import build_apart, product
from silo import Silo

from samlad.channels import Resource
from samlad.kernel.database import Database
from samlad.kernel.problems import Conflict
from samlad.pools import moving, store
from samlad.promotions import service as promotions_service
from samlad.promotions.model import PromotionInput
from trade import build

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3000)]

R = Resource
SECONDS = float(os.environ.get("SAMLAD_POOL_SOAK_SECONDS", "120"))
ROUND = (R.CATALOGUE, R.CUSTOMERS, R.ORDERS, R.CARTS, R.PROMOTIONS)
PAIRED, ALONE, UNITS = 40, 15, int(os.environ.get("SAMLAD_POOL_SOAK_UNITS", "60"))
KILLED = {R.CATALOGUE, R.ORDERS}
"""Moves whose process is killed: those with more than one turn, and the one that changes what everybody names."""
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
MOVER = (
    START
    + """
from samlad.pools import moving
moving.ROWS = 3

async def main() -> None:
    db = await opened()
    print("now", flush=True)
    await moving.carry_on(db, UUID(sys.argv[3]))

asyncio.run(main())
"""
)


async def start(script: str, *arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *(str(each) for each in arguments),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip


async def killed(silo: Silo, home: Path, move: UUID, dice: random.Random) -> bool:
    """Let a process do a move, and kill it somewhere in the middle; whether it was not over by then."""
    process = await start(MOVER, silo.trade.db.dsn, home, move)
    assert process.stdout is not None
    await process.stdout.readline()
    await asyncio.sleep(dice.uniform(0, 0.4))
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.wait()
    row = await store.get(silo.trade.db, move)
    assert row is not None
    return row.status == "running"


async def furnish(silo: Silo) -> None:
    """Goods of both: most are the same, each in its own warehouse; and a promotion of the marketplace."""
    for number in range(PAIRED):
        digits = f"20{number:05}"
        total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
        code = {"gtin": f"{digits}{-total % 10}"}
        await product(silo, silo.trade.web, {"sku": f"W-{number}", **code}, quantity=UNITS)
        await product(silo, silo.market, {"sku": f"M-{number}", **code}, quantity=UNITS)
    for number in range(ALONE):
        await product(silo, silo.market, {"sku": f"A-{number}"}, quantity=UNITS)
    data = {"channel": silo.market.id, "name": "Mine", "is_automatic": True,
            "terms": {"effect": {"kind": "percent", "percent": 1_000}}}  # fmt: skip
    await silo.trade.db.transaction(
        lambda tx: promotions_service.create(tx, msgspec.convert(data, PromotionInput))
    )


async def test_joining_and_leaving_at_full_speed(db: Database, tmp_path: Path) -> None:
    silo = await build_apart(await build(db))
    trade, market = silo.trade, silo.market
    await furnish(silo)
    seed = int(os.environ.get("SAMLAD_POOL_SOAK_SEED", random.randrange(2**32)))
    print(f"again with SAMLAD_POOL_SOAK_SEED={seed}")  # noqa: T201 - shown when it fails
    dice, stop = random.Random(seed), tmp_path / "stop"
    sellers = [
        await start(SELLER, db.dsn, tmp_path, channel.id, seed + number, stop)
        for number, channel in enumerate((market, market, trade.web, trade.web))
    ]
    outputs = [asyncio.create_task(each.communicate()) for each in sellers]
    kills = moves = refused = 0
    until = time.monotonic() + SECONDS
    try:
        while time.monotonic() < until or (await silo.now()).pools[R.CATALOGUE] != market.pools[R.CATALOGUE]:
            is_in = (await silo.now()).pools[R.CATALOGUE] != market.pools[R.CATALOGUE]
            for resource in reversed(ROUND) if is_in else ROUND:
                try:
                    move = await silo.begin(resource, "leave" if is_in else "join")
                except Conflict:
                    refused += 1
                    break
                if resource in KILLED:
                    kills += await killed(silo, tmp_path, move, dice)
                await moving.carry_on(db, move)
                moves += 1
    finally:
        stop.touch()
        said = await asyncio.gather(*outputs)
    assert [each.returncode for each in sellers] == [0] * 4, [err.decode()[-2000:] for _, err in said]
    lines = [line.split() for out, _ in said for line in out.decode().splitlines()]
    sold = [UUID(line[1]) for line in lines if line[0] == "order"]
    noes = sorted({line[1] for line in lines if line[0] == "no"})
    counts = {
        "moves": moves,
        "killed": kills,
        "refused": refused,
        "orders": len(sold),
        "no": len(lines) - len(sold),
    }
    print({**counts, "noes": noes})  # noqa: T201 - what `make soak` shows
    assert await db.value("SELECT count(*) FROM orders WHERE id = ANY ($1::uuid[])", sold) == len(sold) > 0
    assert await db.value("SELECT count(*) FROM orders") == len(sold)
    # Busy: whoever waited too long for a move (or for the machine) is told to try again.
    assert set(noes) <= {"SoldOut", "NotSellable", "PriceChanged", "Busy"}, noes
    odd = await db.value(
        """SELECT count(*) FROM order_line l JOIN orders o ON o.id = l.order_id JOIN variant v ON v.id = l.variant
           JOIN channel_pool u ON u.channel = o.channel AND u.resource = 'catalogue' WHERE v.pool <> u.pool"""
    )
    assert odd == 0, "each order names goods of its channel's catalogue"
    await trade.agree()
