"""The reconciler: brings every open payment to what its provider says, in every worker, for ever."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from samlad.kernel.database import Database
from samlad.kernel.sweepers import Sweeper
from samlad.payments import attempts, kept, operations
from samlad.payments.providers import is_network, registered
from samlad.payments.pursuit import pursue, refresh

BATCH, AT_ONCE = 24, 8
LOOK_AGAIN = timedelta(hours=1)
"""What is authorised may run out at the provider: it is looked at once an hour until it is captured or let go."""


async def reconcile(database: Database) -> int:
    """Let go of what nobody claimed in time, then ask for everything that is due; how many were asked for.

    Several processes may do it at once: rows are leased one by one.
    """
    while await database.transaction(attempts.expire):
        pass
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(ask: Awaitable[object]) -> None:
        async with turns:
            await ask

    found = await operations.due(database, BATCH)
    await asyncio.gather(*(one(pursue(database, operation)) for operation in found))
    names = [name for name, each in registered().items() if is_network(each)]
    old = await database.transaction(lambda tx: operations.to_look_at(tx, names, LOOK_AGAIN, BATCH))
    await asyncio.gather(*(one(refresh(database, payment)) for payment in old))
    await kept.forget_removed(database)
    return len(found) + len(old)


SWEEPERS = [Sweeper("payments", 2, reconcile)]
