"""The worker process: followers of the log, jobs and sweepers, until it is told to stop."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence

import msgspec
import structlog

from samlad.kernel import housekeeping, migrations
from samlad.kernel.clock import now
from samlad.kernel.followers import Follower, Runner
from samlad.kernel.runtime import Runtime, dsn_of, open_runtime
from samlad.kernel.settings import Settings
from samlad.kernel.sweepers import Sweeper, Sweepers
from samlad.kernel.telemetry import tracing

logger = structlog.get_logger("samlad.worker")


class Work(msgspec.Struct, frozen=True):
    """What a worker does besides the declared jobs: the application's lists."""

    packages: Sequence[str]
    followers: Sequence[Follower]
    sweepers: Sequence[Sweeper]


async def run_until_stopped(settings: Settings, work: Work) -> None:
    """Be a worker until SIGTERM or SIGINT; what is under way then gets a few seconds.

    Raises:
        MigrationProblem: the schema is not up to date.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_runtime(settings, with_live=True) as runtime:
        await migrations.require_current(dsn_of(settings), settings, work.packages)
        with tracing(settings, runtime.database):
            async with working(runtime, work):
                logger.info("worker ready", followers=len(work.followers))
                await stop.wait()
                logger.info("worker stops")


@contextlib.asynccontextmanager
async def working(runtime: Runtime, work: Work) -> AsyncIterator[None]:
    """Do a worker's work in the background while the block runs."""
    # Procrastinate brings its own driver: only workers load it.
    from samlad.kernel.job_worker import JobWorker

    await housekeeping.make_partitions(runtime.database, now().date())
    runner = Runner(runtime.database, work.followers)
    await runner.start()
    runtime.live.on_wake(runner.wake)
    tasks = [
        asyncio.create_task(JobWorker(runtime.database).run(), name="jobs"),
        asyncio.create_task(Sweepers(runtime.database, work.sweepers).run(), name="sweepers"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runner.stop()
