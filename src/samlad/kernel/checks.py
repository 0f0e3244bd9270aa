"""Checks: what ``samlad doctor`` looks at. Each package exports ``CHECKS``; these are the kernel's own."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec

from samlad.kernel import followers, jobs, migrations
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.followers import Follower
from samlad.kernel.housekeeping import months

LARGEST_LAG_SECONDS = 60.0

Status = Literal["ok", "warning", "failed"]


class Finding(msgspec.Struct, frozen=True):
    """What a check found. ``advice`` says what to do about it."""

    status: Status
    message: str
    advice: str = ""


class Check(msgspec.Struct, frozen=True):
    """One thing that must be true of a sound database; ``look`` only reads.

    ``fix``, where there is one, mends what it found and answers how many things it mended.
    """

    name: str
    description: str
    look: Callable[[Database], Awaitable[Finding]]
    fix: Callable[[Database], Awaitable[int]] | None = None


class Result(msgspec.Struct, frozen=True):
    """A check with what it found; ``mended`` says what was wrong before it was fixed."""

    name: str
    status: Status
    message: str
    advice: str = ""
    fixed: int = 0
    mended: str = ""


async def run(database: Database, checks: Sequence[Check], *, fix: bool = False) -> list[Result]:
    """Run checks one after the other; one that itself fails is a failed check, not the end.

    With ``fix`` what can be mended is mended, and looked at again.
    """
    results = []
    for check in checks:
        fixed, mended = 0, ""
        try:
            finding = await check.look(database)
            if fix and check.fix is not None and finding.status != "ok":
                fixed, mended = await check.fix(database), finding.message
                finding = await check.look(database)
        except Exception as error:  # noqa: BLE001 - the other checks still tell something
            finding = Finding("failed", f"could not be checked: {error}")
        results.append(Result(check.name, finding.status, finding.message, finding.advice, fixed, mended))
    return results


def kernel_checks(packages: Sequence[str], known: Sequence[Follower]) -> list[Check]:
    """The kernel's own checks for an application of these packages and followers."""
    return [
        Check("migrations", "The schema is up to date", lambda db: _migrations(db, packages)),
        Check("followers", "Every follower keeps up with the log", lambda db: _followers(db, known)),
        Check("parked-events", "No event is put aside", _parked),
        Check("partitions", "The log has partitions for this month and the next", _partitions),
        Check("jobs", "No job is left by a dead worker or given up", _jobs),
    ]


async def _migrations(database: Database, packages: Sequence[str]) -> Finding:
    try:
        pending = await migrations.plan(database.dsn, database.settings, packages)
    except migrations.MigrationProblem as problem:
        return Finding("failed", problem.detail)
    if pending:
        return Finding("failed", f"{len(pending)} to run, from {pending[0].label} on", "samlad migrate")
    return Finding("ok", "up to date")


async def _followers(database: Database, known: Sequence[Follower]) -> Finding:
    lags = await followers.lags(database, known)
    missing = {f.name for f in known} - {lag.name for lag in lags}
    if missing:
        return Finding("warning", f"not registered yet: {', '.join(sorted(missing))}", "samlad worker")
    late = [lag for lag in lags if lag.seconds > LARGEST_LAG_SECONDS]
    if late:
        told = ", ".join(f"{lag.name} ({lag.events:,} events, {lag.seconds:.0f} s)" for lag in late)
        return Finding("failed", f"behind: {told}", "Is a worker running? See: samlad followers list")
    return Finding("ok", f"{len(lags)} keep up")


async def _parked(database: Database) -> Finding:
    rows = await database.rows("SELECT follower, count(*) AS events FROM parked_event GROUP BY 1 ORDER BY 1")
    if not rows:
        return Finding("ok", "none")
    told = ", ".join(f"{row['follower']}: {row['events']}" for row in rows)
    return Finding("failed", told, "samlad followers retry-parked NAME")


async def _partitions(database: Database) -> Finding:
    names = [f"event_{month:%Y_%m}" for month in months(now().date(), 2)]
    rows = await database.rows(
        "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL", names
    )
    if rows:
        missing = ", ".join(row["name"] for row in rows)
        return Finding("warning", f"missing: {missing}", "A worker makes them: samlad worker")
    return Finding("ok", ", ".join(names))


async def _jobs(database: Database) -> Finding:
    stalled = await jobs.stalled_count(database)
    counts = await jobs.counts(database)
    told = f"{counts['todo']} wait, {counts['doing']} run, {counts['failed']} failed, {stalled} stalled"
    if stalled:
        return Finding("failed", told, "A worker puts them back: samlad worker")
    if counts["failed"]:
        return Finding("warning", told, "The log of the worker says why they failed")
    return Finding("ok", told)
