"""Joining while everybody sells: nothing is oversold, nothing is lost; and when the process dies, another goes on."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import UUID

from silo import Silo

from samlad.carts.model import NotSellable
from samlad.channels import Channel, Resource
from samlad.kernel.database import Database, open_database
from samlad.pools import moving, store
from samlad.stock import SoldOut
from trade import BUYER, Trade

UNITS = 12
KILLED_AT = """
import asyncio, sys
import samlad.app
from samlad.kernel.database import open_database
from samlad.kernel.settings import load
from samlad.pools import moving
from uuid import UUID
from pathlib import Path
moving.ROWS = 2

async def main() -> None:
    database = await open_database(sys.argv[1], load({}, home=Path(sys.argv[3]), database_url=sys.argv[1]))
    await moving.carry_on(database, UUID(sys.argv[2]), lambda rows: print(rows, flush=True) or sys.stdin.readline())

asyncio.run(main())
"""
"""A process that tells how far it is after each turn, and goes on only when it is told to."""


async def test_nothing_is_oversold_and_nothing_is_lost(silo: Silo) -> None:
    """Two processes sell (each remembers the pools for itself) while the marketplace joins with its stock and orders."""
    trade, db = silo.trade, silo.trade.db
    variant = await silo.kettle(here=UNITS, there=UNITS)
    other = await open_database(db.dsn, db.settings)
    begun = asyncio.Event()
    sold: list[UUID] = []

    async def buyer(database: Database, channel: Channel) -> None:
        mine = Trade(database, *(getattr(trade, name) for name in Trade.__struct_fields__[1:]))
        begun.set()
        for _ in range(5):
            try:
                cart = await mine.cart((variant, 1), channel=channel, **BUYER)
                sold.append((await mine.place(cart.id)).id)
            except (SoldOut, NotSellable):
                return

    async def mover() -> None:
        await begun.wait()
        await silo.join(Resource.STOCK, Resource.ORDERS, Resource.CUSTOMERS, Resource.CARTS)

    sellers = [buyer(database, channel) for database in (db, other) for channel in (silo.market, trade.web)]
    try:
        await asyncio.gather(mover(), *sellers, *[buyer(db, silo.market) for _ in range(2)])
        for channel in (silo.market, trade.web):  # what is left is everybody's
            await buyer(other, channel)
            await buyer(other, channel)
    finally:
        await other.close()
    assert len(sold) == 2 * UNITS
    counted = await db.rows("SELECT pool, count(*) AS orders FROM orders GROUP BY 1")
    assert [(row["pool"], row["orders"]) for row in counted] == [
        (trade.web.pools[Resource.ORDERS], 2 * UNITS)
    ]
    assert await db.value("SELECT count(*) FROM cart WHERE pool <> $1", trade.web.pools[Resource.CARTS]) == 0
    await trade.agree()


async def test_another_process_goes_on_where_one_was_killed(silo: Silo, tmp_path: Path) -> None:
    trade, db = silo.trade, silo.trade.db
    variant = await silo.kettle(here=20)
    made = [await silo.sell(variant) for _ in range(7)]
    move = await silo.begin(Resource.ORDERS)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED_AT, db.dsn, str(move), str(tmp_path),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"0\n", "the switch"
    process.stdin.write(b"\n")
    assert await process.stdout.readline() == b"2\n", "the first two orders"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    half = await store.get(db, move)
    assert half is not None
    assert (half.status, half.rows) == ("running", 2)
    since = await silo.sell(variant)
    # Two go on at once, as when a worker is taken for dead and is not.
    await asyncio.gather(moving.carry_on(db, move), moving.carry_on(db, move))
    done = await store.get(db, move)
    assert done is not None
    assert (done.status, done.rows) == ("done", 7)
    pools = await db.rows(
        "SELECT DISTINCT pool FROM orders WHERE id = ANY ($1::uuid[])", [o.id for o in [*made, since]]
    )
    assert [row["pool"] for row in pools] == [trade.web.pools[Resource.ORDERS]]
    assert await db.value("SELECT count(*) FROM pool_move_row WHERE move = $1", move) == 7
    await trade.agree()
