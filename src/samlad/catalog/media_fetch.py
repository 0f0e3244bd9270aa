"""Pictures that are elsewhere become our own copies, by a job, some at a time.

A row of ``media`` is *pending* until its copy is stored (*ready*) or fetching it cannot succeed (*failed*); ``problem``
says why. A worker leases rows before it fetches them, so that several work side by side, and what a killed worker held
comes back by itself. Attempts count when they begin: a picture that kills workers ends, too.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import structlog

from samlad.catalog import media_files
from samlad.catalog.events import ProductChanged
from samlad.kernel import log
from samlad.kernel.database import Database, Tx
from samlad.kernel.jobs import JobContext, job, periodic

if TYPE_CHECKING:
    from samlad.kernel.outside import Gate

BATCH = 24
AT_ONCE = 6
ATTEMPTS = 5
LEASE = timedelta(minutes=5)
"""Longer than a batch can take: 24 pictures, 6 at once, 15 seconds each."""
FIRST_PAUSE = timedelta(minutes=1)
"""Before the second attempt; four times as long before each further one (1, 4, 16, 64 minutes)."""
BUDGET_SECONDS = 50.0
"""A run that is due every minute leaves the rest to the next."""
ACCEPT = ", ".join(media_files.TYPES.values())

logger = structlog.get_logger("samlad.catalog")


class Wanted(msgspec.Struct, frozen=True):
    """A picture to be fetched, with how many attempts there were, this one included."""

    id: UUID
    url: str
    attempts: int


class Outcome(msgspec.Struct, frozen=True):
    """How an attempt ended: with our copy, else with the reason and, if it is worth another, the pause."""

    id: UUID
    storage_key: str | None
    problem: str | None = None
    pause: timedelta | None = None


@job("catalog.fetch-media")
@periodic("* * * * *")
async def fetch_media(ctx: JobContext) -> None:
    """Fetch the pictures that are due."""
    await asyncio.to_thread(media_files.forget_unfinished, ctx.settings.home)
    await fetch_due(ctx.database, ctx.settings.home)


async def fetch_due(database: Database, home: Path, gate: "Gate | None" = None) -> int:
    """Fetch what is due until nothing is or the time of a run is over; how many attempts were made."""
    until = time.monotonic() + BUDGET_SECONDS
    total = 0
    while time.monotonic() < until:
        wanted = await database.transaction(_lease)
        if not wanted:
            break
        outcomes = await _fetch_all(wanted, home, gate)
        await database.transaction(lambda tx, found=outcomes: _settle(tx, found))  # type: ignore[misc]
        total += len(outcomes)
        logger.info(
            "pictures fetched",
            ready=sum(o.storage_key is not None for o in outcomes),
            later=sum(o.pause is not None for o in outcomes),
            failed=sum(o.storage_key is None and o.pause is None for o in outcomes),
        )
    return total


async def _fetch_all(wanted: Sequence[Wanted], home: Path, gate: "Gate | None") -> list[Outcome]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(picture: Wanted) -> Outcome:
        async with turns:
            return await _fetch(picture, home, gate)

    return list(await asyncio.gather(*map(one, wanted)))


async def _fetch(picture: Wanted, home: Path, gate: "Gate | None") -> Outcome:
    # Only workers that have something to fetch load the HTTP client.
    from samlad.kernel import outside

    try:
        found = await outside.read(picture.url, gate or outside.PUBLIC, accept=ACCEPT)
    except outside.OutsideError as error:
        pause = None if error.is_final else pause_after(picture.attempts)
        return Outcome(picture.id, None, error.reason, pause)
    except Exception:  # an answer that nobody foresaw must not cost the others of the batch their attempts
        logger.exception("picture could not be fetched", media=str(picture.id))
        return Outcome(picture.id, None, "something unexpected happened", pause_after(picture.attempts))
    kind = media_files.kind_of(found.content)
    if kind is None:
        return Outcome(picture.id, None, "it is not a JPEG, PNG, GIF, WebP or AVIF picture")
    try:
        return Outcome(picture.id, await asyncio.to_thread(media_files.store, home, found.content, kind))
    except OSError as error:
        return Outcome(
            picture.id, None, f"it could not be stored: {error.strerror}", pause_after(picture.attempts)
        )


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts; None: give up."""
    return FIRST_PAUSE * 4 ** (attempts - 1) if attempts < ATTEMPTS else None


async def _lease(tx: Tx) -> list[Wanted]:
    """Take the pictures that are due; those whose last attempt never ended have failed."""
    await tx.execute(
        """
        UPDATE media SET status = 'failed', retry_at = NULL, problem = coalesce(problem, 'no attempt came to an end')
        WHERE status = 'pending' AND coalesce(retry_at, '-infinity') <= now() AND attempts >= $1
        """,
        ATTEMPTS,
    )
    return await tx.all(
        Wanted,
        """
        UPDATE media SET attempts = attempts + 1, retry_at = now() + $2
        WHERE id IN (SELECT id FROM media WHERE status = 'pending' AND coalesce(retry_at, '-infinity') <= now()
                     ORDER BY coalesce(retry_at, '-infinity'), id LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING id, url, attempts
        """,
        BATCH,
        LEASE,
    )


async def _settle(tx: Tx, outcomes: Sequence[Outcome]) -> None:
    """Write how attempts ended, in one statement. Pictures that were removed meanwhile are nobody's."""
    rows = await tx.rows(
        """
        UPDATE media m SET storage_key = o.key, problem = o.problem, retry_at = now() + o.pause,
               status = CASE WHEN o.key IS NOT NULL THEN 'ready' WHEN o.pause IS NULL THEN 'failed' ELSE 'pending' END
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::interval[]) AS o (id, key, problem, pause), product p
        WHERE m.id = o.id AND m.status = 'pending' AND p.id = m.product
        RETURNING m.product, p.pool, m.status
        """,
        [o.id for o in outcomes],
        [o.storage_key for o in outcomes],
        [o.problem for o in outcomes],
        [o.pause for o in outcomes],
    )
    changed: dict[UUID, set[UUID]] = defaultdict(set)
    for row in rows:
        if row["status"] == "ready":
            changed[row["pool"]].add(row["product"])
    for pool, products in sorted(changed.items()):
        log.append(tx, ProductChanged(pool=pool, products=sorted(products)))
