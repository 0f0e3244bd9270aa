"""A process of buyers, started by the race and the crash test: ``python buyers.py MODE DSN CHANNEL VARIANT… ``.

``race``: 50 buyers at once want one unit each; the last line says how many got one. ``forever``: buyers take, convert,
ship and release without end, and every hold that is sure is written out.
"""

# ruff: noqa: T201 - its output is what the tests read
import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID

from samlad import channels, stock
from samlad.channels import Channel
from samlad.kernel.database import Database, open_database
from samlad.kernel.ids import new_id
from samlad.kernel.settings import load
from samlad.stock import HoldKind, HoldLine, SoldOut

BUYERS = 50


async def buy(db: Database, channel: Channel, variants: list[UUID]) -> UUID:
    owner = new_id()
    lines = [HoldLine(variant, 1) for variant in variants]
    await db.transaction(
        lambda tx: stock.take(tx, lines, channel=channel, kind=HoldKind.CHECKOUT, owner=owner)
    )
    return owner


async def race(db: Database, channel: Channel, variants: list[UUID]) -> None:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    outcomes = await asyncio.gather(
        *(buy(db, channel, variants) for _ in range(BUYERS)), return_exceptions=True
    )
    kinds = Counter(
        "sold" if isinstance(o, UUID) else "refused" if isinstance(o, SoldOut) else repr(o) for o in outcomes
    )
    print(json.dumps(kinds), flush=True)


async def forever(db: Database, channel: Channel, variants: list[UUID]) -> None:
    async def customer() -> None:
        while True:
            owner = await buy(db, channel, random.sample(variants, 2))
            print(f"held {owner}", flush=True)
            chance = random.random()
            if chance < 0.3:
                await db.transaction(lambda tx, owner=owner: stock.ship(tx, owner))
                print(f"shipped {owner}", flush=True)
            elif chance < 0.6:
                await db.transaction(lambda tx, owner=owner: stock.release(tx, owner))
                print(f"released {owner}", flush=True)

    await asyncio.gather(*(customer() for _ in range(8)))


async def main() -> None:
    mode, dsn, channel_id, *variants = sys.argv[1:]
    db = await open_database(dsn, load({}, home=Path.cwd(), database_url=dsn, pool_size=10))
    channel = await channels.get(db, UUID(channel_id))
    await {"race": race, "forever": forever}[mode](db, channel, [UUID(v) for v in variants])
    await db.close()


if __name__ == "__main__":
    asyncio.run(main())
