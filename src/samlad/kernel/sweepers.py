"""Sweepers: small repeated cleaning in every worker process, for what must not wait in the queue of jobs."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog

from samlad.kernel.database import Database

logger = structlog.get_logger("samlad.sweepers")


class Sweeper(msgspec.Struct, frozen=True):
    """What to do every so many seconds. Several processes may do it at once: take rows with ``SKIP LOCKED``."""

    name: str
    seconds: float
    sweep: Callable[[Database], Awaitable[Any]]


class Sweepers:
    """Runs sweepers in this process until its task is cancelled."""

    def __init__(self, database: Database, sweepers: Sequence[Sweeper]) -> None:
        self._database = database
        self._sweepers = tuple(sweepers)

    async def run(self) -> None:
        """Sweep until cancelled."""
        async with asyncio.TaskGroup() as group:
            for sweeper in self._sweepers:
                group.create_task(self._repeat(sweeper), name=f"sweeper-{sweeper.name}")

    async def _repeat(self, sweeper: Sweeper) -> None:
        while True:
            try:
                await sweeper.sweep(self._database)
            except Exception as error:  # noqa: BLE001 - the next round may go better
                logger.warning("sweeper failed", sweeper=sweeper.name, error=str(error))
            # Spread, so that processes started together do not sweep together.
            await asyncio.sleep(sweeper.seconds * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
