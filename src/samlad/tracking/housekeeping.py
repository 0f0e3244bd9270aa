"""What the worker does for the tables of events from time to time."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import asyncpg
import structlog

from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.housekeeping import MONTHS_AHEAD, months
from samlad.kernel.problems import Busy
from samlad.kernel.sweepers import Sweeper
from samlad.tracking import events_store, parked_store

MESSAGES_KEPT = timedelta(hours=48)
"""How long a message that comes again is known: clients try for at most twelve hours, and 24 are promised."""
PARKED_KEPT = timedelta(days=30)
BATCH = 5_000

Forget = Callable[[Tx, datetime, int], Awaitable[int]]

logger = structlog.get_logger("samlad.tracking")


async def sweep(database: Database) -> int:
    """Forget old messages and old parked events; how many."""
    total = 0
    for forget, kept in (
        (events_store.forget_messages, MESSAGES_KEPT),
        (parked_store.forget_parked, PARKED_KEPT),
    ):

        async def work(tx: Tx, forget: Forget = forget, kept: timedelta = kept) -> int:
            return await forget(tx, now() - kept, BATCH)

        while True:
            gone = await database.transaction(work)
            total += gone
            if gone < BATCH:
                break
    return total


async def make_partitions(database: Database) -> int:
    """Make the missing partitions of this month and the next three; how many."""
    made = 0
    for month in months(now().date(), MONTHS_AHEAD + 1):

        async def work(tx: Tx, month: object = month) -> bool:
            return await events_store.make_partition(tx, month)

        try:
            made += await database.transaction(work)
        except Busy:
            logger.info("a partition waits for its moment", month=str(month))
        except asyncpg.CheckViolationError:
            logger.warning("this month's events are in the default partition", month=str(month))
    return made


SWEEPERS = [Sweeper("tracking", 600, sweep), Sweeper("tracking.partitions", 3_600, make_partitions)]
