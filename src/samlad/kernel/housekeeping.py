"""What keeps the kernel's own tables in order, by itself: log partitions ahead, old answers and jobs away."""

from datetime import date, timedelta

import asyncpg
import structlog

from samlad.kernel import jobs
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.kernel.sweepers import Sweeper

MONTHS_AHEAD = 3
KEPT = timedelta(days=7)
"""How long answers to idempotent requests and finished jobs are kept."""
FORMS_KEPT = timedelta(days=1)

logger = structlog.get_logger("samlad.housekeeping")


@job("kernel.event-partitions")
@periodic("10 2 * * *")
async def event_partitions(ctx: JobContext) -> None:
    """Make the log's partitions of this month and the next three."""
    await make_partitions(ctx.database, now().date())


@job("kernel.forget-answers")
@periodic("20 * * * *")
async def forget_answers(ctx: JobContext) -> None:
    """Delete stored answers to idempotent requests after seven days, and the hashes of forms after one."""
    await jobs.delete_in_batches(
        ctx.database,
        "DELETE FROM idempotency WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM idempotency WHERE created_at < $1 LIMIT 5000 FOR UPDATE SKIP LOCKED))",
        now() - KEPT,
    )
    await jobs.delete_in_batches(
        ctx.database,
        "DELETE FROM form_sent WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM form_sent WHERE created_at < $1 LIMIT 5000 FOR UPDATE SKIP LOCKED))",
        now() - FORMS_KEPT,
    )


@job("kernel.forget-jobs")
@periodic("40 * * * *")
async def forget_jobs(ctx: JobContext) -> None:
    """Delete finished jobs after seven days."""
    await jobs.forget_finished(ctx.database, KEPT)


def months(first: date, count: int) -> list[date]:
    """The first days of a month and those after it."""
    index = first.year * 12 + first.month - 1
    return [date((index + n) // 12, (index + n) % 12 + 1, 1) for n in range(count)]


async def make_partitions(database: Database, day: date, ahead: int = MONTHS_AHEAD) -> int:
    """Make the missing partitions of the log from the day's month on; how many were made.

    A month whose events went to the default partition already (no worker ran for months) stays there: it is
    logged and does no harm.
    """
    made = 0
    for month in months(day, ahead + 1):

        async def work(tx: Tx, month: date = month) -> bool:
            return bool(await tx.value("SELECT event_partition($1)", month))

        try:
            made += await database.transaction(work)
        except asyncpg.CheckViolationError:
            logger.warning("this month's events are in the default partition", month=month.isoformat())
    return made


SWEEPERS = [Sweeper("kernel.stalled-jobs", 10, jobs.retry_stalled)]
"""A sweeper and not a job: it must work when the queue does not."""
