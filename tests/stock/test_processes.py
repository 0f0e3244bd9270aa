"""Never sold twice: real processes that race, and processes that are killed in the middle."""

import asyncio
import json
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path
from uuid import UUID

from stock_shop import Shop, books_are_right, build_shop

from samlad.kernel.database import Database


async def start(mode: str, shop: Shop, dsn: str, variants: list[UUID]) -> Process:
    script = Path(__file__).parent / "buyers.py"
    arguments = [mode, dsn, str(shop.web.id), *map(str, variants)]
    return await asyncio.create_subprocess_exec(
        sys.executable, str(script), *arguments, stdin=PIPE, stdout=PIPE, limit=2**20
    )


async def race(shop: Shop, dsn: str, variants: list[UUID]) -> Counter[str]:
    """200 buyers on 4 processes, each of whom wants one unit of each variant."""
    processes = [await start("race", shop, dsn, variants) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
    outputs = await asyncio.wait_for(asyncio.gather(*(p.communicate(b"go\n") for p in processes)), 60)
    total: Counter[str] = Counter()
    for stdout, _ in outputs:
        total.update(json.loads(stdout))
    return total


async def test_200_buyers_on_4_processes_for_50_units(db: Database, dsn: str) -> None:
    shop = await build_shop(db)
    (kettle,) = await shop.variants(50)
    assert await race(shop, dsn, [kettle]) == {"sold": 50, "refused": 150}
    assert await shop.level(kettle) == (50, 50)
    assert await db.value("SELECT count(*) FROM hold") == 50
    await books_are_right(db)


async def test_a_race_over_two_variants_and_three_locations(db: Database, dsn: str) -> None:
    shop = await build_shop(db)
    kettle, filters = await shop.variants(20, 10)
    for at in (shop.at_malmo, shop.at_lund):
        await shop.receive(kettle, 20, at)
        await shop.receive(filters, 20, at)
    assert await race(shop, dsn, [kettle, filters]) == {"sold": 50, "refused": 150}
    await books_are_right(db)
    assert await db.value("SELECT sum(held) FROM level WHERE variant = $1", filters) == 50
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await db.value(deadlocks) == 0


async def test_killed_in_the_middle_nothing_is_lost_and_nothing_half_done(db: Database, dsn: str) -> None:
    shop = await build_shop(db)
    variants = await shop.variants(*[5_000] * 6)
    said: Counter[str] = Counter()
    for _ in range(3):
        process = await start("forever", shop, dsn, variants)
        assert process.stdout is not None
        async with asyncio.timeout(60):
            begin = [(await process.stdout.readline()).decode() for _ in range(random.randint(100, 400))]
        process.send_signal(signal.SIGKILL)
        rest = (await process.stdout.read()).decode().splitlines()
        await process.wait()
        lines = [*map(str.strip, begin), *rest]
        last = {line.split()[1]: line.split()[0] for line in lines if len(line) > 40}
        said.update(last.values())
        await until_alone(db)
        await books_are_right(db, variants)
        await acknowledged_is_there(db, last)
    assert min(said["held"], said["shipped"], said["released"]) > 5, said


async def until_alone(db: Database) -> None:
    """Wait until the server has noticed that the killed process is gone, and has rolled back."""
    for _ in range(200):
        others = await db.value(
            """SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"""
        )
        if not others:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("transactions of the killed process are still open")


async def acknowledged_is_there(db: Database, said: dict[str, str]) -> None:
    """What a buyer was told is true, or one step further when the kill came between doing and telling."""
    owners = [UUID(owner) for owner in said]
    held = {r["owner"] for r in await db.rows("SELECT owner FROM hold WHERE owner = ANY($1)", owners)}
    sold = {
        r["reference"]
        for r in await db.rows("SELECT reference FROM movement WHERE reference = ANY($1)", owners)
    }
    released = {
        r["subject"]
        for r in await db.rows(
            "SELECT subject FROM event WHERE type = 'stock.released' AND subject = ANY($1)", owners
        )
    }
    assert not held & sold
    for owner, state in said.items():
        where = {"held": held | sold | released, "shipped": sold, "released": released}[state]
        assert UUID(owner) in where, (owner, state)
