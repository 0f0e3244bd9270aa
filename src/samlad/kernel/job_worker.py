"""The part of a worker process that does jobs: procrastinate's worker over our declarations.

Apart from `samlad.kernel.jobs`, so that a web process never loads procrastinate and its driver.
"""

import asyncio
import logging
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector, RetryDecision
from procrastinate import JobContext as EngineContext
from procrastinate.jobs import Job as EngineJob
from procrastinate.retry import BaseRetryStrategy

from samlad.kernel import jobs
from samlad.kernel.clock import now
from samlad.kernel.connections import search_path
from samlad.kernel.context import Context
from samlad.kernel.database import Database
from samlad.kernel.jobs import JobContext, JobInfo, Retry

HEARTBEAT_SECONDS = 10.0
POLL_SECONDS = 2.0
GRACE_SECONDS = 10.0
MADE_UP_SECONDS = 8 * 86_400
"""A periodic job whose last time was missed by no more than this runs once when a worker comes."""

logger = structlog.get_logger("samlad.jobs")


class JobWorker:
    """Does jobs until its task is cancelled; then those under way get `GRACE_SECONDS` before they are put back."""

    def __init__(self, database: Database, *, concurrency: int = 8) -> None:
        self._database = database
        self._concurrency = concurrency

    async def run(self) -> None:
        """Work until cancelled. A database that goes away is waited for."""
        _keep_arguments_out_of_the_log()
        while True:
            try:
                await self._run_once()
            except Exception as error:  # noqa: BLE001 - whatever the database does, the worker outlives it
                logger.warning("the job worker stopped, starting it again", error=type(error).__name__)
            await asyncio.sleep(1)

    async def _run_once(self) -> None:
        app = engine(self._database, concurrency=self._concurrency)
        async with app.open_async():
            await app.run_worker_async(
                name="samlad",
                concurrency=self._concurrency,
                install_signal_handlers=False,
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=jobs.STALLED_SECONDS,
                shutdown_graceful_timeout=GRACE_SECONDS,
            )


def engine(database: Database, *, concurrency: int = 8) -> App:
    """A procrastinate app that knows every declared job, on connections with our schema."""
    connector = PsycopgConnector(
        conninfo=database.dsn,
        kwargs={"options": f"-c search_path={search_path(database.settings)}", "application_name": "samlad"},
        min_size=1,
        max_size=2 + concurrency,
    )
    app = App(connector=connector, periodic_defaults={"max_delay": MADE_UP_SECONDS})
    for info in jobs.declared().values():
        task = app.task(name=info.name, queue=info.queue, retry=_Backoff(info.retry), pass_context=True)(
            _task(database, info)
        )
        if info.cron is not None:
            app.periodic(cron=info.cron)(task)
    return app


def _task(database: Database, info: JobInfo) -> Any:
    async def run(context: EngineContext, **arguments: Any) -> None:
        if info.cron is not None:
            arguments.pop("timestamp", None)  # procrastinate says when it was due
        assert context.job.id is not None
        ours = JobContext(
            database=database,
            settings=database.settings,
            id=context.job.id,
            name=info.name,
            attempt=context.job.attempts + 1,
            context=Context(),
        )
        await jobs.run(info, ours, arguments)

    return run


class _Backoff(BaseRetryStrategy):
    """Our `Retry` in the engine's terms. A job that was interrupted by the worker's end is no failure."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry

    def get_retry_decision(self, *, exception: BaseException, job: EngineJob) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_at=now())
        pause = self._retry.pause(job.attempts + 1)
        logger.warning(
            "job failed", job=job.task_name, job_id=job.id, error=type(exception).__name__,
            retry_seconds=None if pause is None else pause.total_seconds(), exc_info=exception,
        )  # fmt: skip
        return None if pause is None else RetryDecision(retry_at=now() + pause)


def _keep_arguments_out_of_the_log() -> None:
    """The engine logs jobs with their arguments, which may be personal; `jobs.run` logs what is needed."""
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
