"""Who is in: the truth from the tables, written where it differs from what is kept, and told.

One statement computes the truth for the people that are looked at, brings members and clocks in line, counts, and answers
who came and went. The segment is locked before it, so nobody else's older truth is written after a newer one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import structlog

from samlad.audiences import compiling, rules
from samlad.audiences.conditions import Condition
from samlad.audiences.events import SegmentEntered, SegmentLeft
from samlad.audiences.model import Segment
from samlad.kernel import log
from samlad.kernel.database import RETRIED, Tx
from samlad.kernel.problems import InvalidInput

Cause = Literal["data", "clock", "identity", "definition", "list", "rfm"]

TOGETHER = 1_000
"""People that share an event when a segment is computed as a whole."""
ITS_OWN_FAULT = (asyncpg.PostgresError, InvalidInput)
NOT_ITS_FAULT = (*RETRIED, asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError)

logger = structlog.get_logger("samlad.audiences")


async def settle(
    tx: Tx,
    segment: Segment,
    definitions: rules.Definitions,
    *,
    people: Sequence[UUID] | None,
    at: datetime,
    cause: Cause,
) -> None:
    """Bring the members of a locked segment in line with the truth: these people's, or (None) everybody's.

    Should that be impossible for this segment, it is noted on it and holds up no other.
    """
    try:
        expanded = rules.expand(segment.definition, definitions, (segment.id,))
        async with tx.savepoint():
            came, gone = await _write(tx, segment, expanded, people, at, cause)
    except NOT_ITS_FAULT:
        raise
    except ITS_OWN_FAULT as error:
        if tx.connection.is_closed():
            raise
        logger.warning("a segment cannot be computed", segment=str(segment.id), error=str(error))
        trouble = f"{type(error).__name__}: {error}"[:500]
        await tx.execute("UPDATE segment SET trouble = $2 WHERE id = $1", segment.id, trouble)
        return
    _tell(tx, segment, came, gone, cause, together=people is None)


async def _write(
    tx: Tx,
    segment: Segment,
    expanded: Condition,
    people: Sequence[UUID] | None,
    at: datetime,
    cause: Cause,
) -> tuple[list[UUID], list[UUID]]:
    compiled = compiling.compiled(expanded, segment.pool, at, segment.time_zone, people=people)
    args = list(compiled.args)

    def arg(value: object, kind: str) -> str:
        args.append(value)
        return f"${len(args)}::{kind}"

    this, moment, why = arg(segment.id, "uuid"), arg(at, "timestamptz"), arg(cause, "text")
    scope, resized, built = "", "c.entered + c.gone > 0", ""
    if people is None:
        resized = "true"
        built = f", built_version = {arg(segment.version, 'int')}, built_at = {moment}, trouble = NULL"
    else:
        scope = f" AND person = ANY ({arg(list(people), 'uuid[]')})"
    rows = await tx.rows(
        f"""
        WITH {compiled.with_},
        gone AS (DELETE FROM segment_member m WHERE m.segment = {this}{scope}
                 AND NOT EXISTS (SELECT FROM truth t WHERE t.person = m.person AND t.is_in) RETURNING m.person),
        came AS (INSERT INTO segment_member (segment, person, entered_at)
                 SELECT {this}, person, {moment} FROM truth WHERE is_in
                 ON CONFLICT DO NOTHING RETURNING person),
        stopped AS (DELETE FROM segment_clock k WHERE k.segment = {this}{scope}
                    AND NOT EXISTS (SELECT FROM truth t WHERE t.person = k.person AND t.until IS NOT NULL)),
        wound AS (INSERT INTO segment_clock AS k (segment, person, at)
                  SELECT {this}, person, until FROM truth WHERE until IS NOT NULL
                  ON CONFLICT (segment, person) DO UPDATE SET at = excluded.at WHERE k.at <> excluded.at),
        moved AS (SELECT person, true AS entered FROM came UNION ALL SELECT person, false FROM gone),
        told AS (INSERT INTO segment_change (segment, person, at, entered, cause)
                 SELECT {this}, person, {moment}, entered, {why} FROM moved),
        counted AS (SELECT count(*) FILTER (WHERE entered)::int AS entered,
                           count(*) FILTER (WHERE NOT entered)::int AS gone FROM moved),
        resized AS (UPDATE segment s SET size = s.size + c.entered - c.gone{built} FROM counted c
                    WHERE s.id = {this} AND {resized} RETURNING s.size),
        dayed AS (INSERT INTO segment_day AS d (segment, day, size, entered, "left")
                  SELECT {this}, ({moment} AT TIME ZONE 'UTC')::date, r.size, c.entered, c.gone
                  FROM resized r, counted c
                  ON CONFLICT (segment, day) DO UPDATE SET size = excluded.size,
                      entered = d.entered + excluded.entered, "left" = d."left" + excluded."left")
        SELECT person, entered FROM moved ORDER BY person
        """,
        *args,
    )
    came = [row["person"] for row in rows if row["entered"]]
    return came, [row["person"] for row in rows if not row["entered"]]


def _tell(
    tx: Tx, segment: Segment, came: Sequence[UUID], gone: Sequence[UUID], cause: Cause, *, together: bool
) -> None:
    for people, fact in ((came, SegmentEntered), (gone, SegmentLeft)):
        step = TOGETHER if together else 1
        for start in range(0, len(people), step):
            group = list(people[start : start + step])
            told = fact(pool=segment.pool, people=group, cause=cause, version=segment.version)
            log.append(tx, told, subject=segment.id, profile=group[0] if len(group) == 1 else None)


async def forget_clock(tx: Tx, segment: UUID) -> None:
    """Nobody of a segment is looked at by the clock any more."""
    await tx.execute("DELETE FROM segment_clock WHERE segment = $1", segment)


async def due_segments(tx: Tx, at: datetime) -> list[UUID]:
    """The segments in which somebody is to be looked at."""
    rows = await tx.rows("SELECT DISTINCT segment FROM segment_clock WHERE at <= $1 ORDER BY segment", at)
    return [row["segment"] for row in rows]


async def due_people(tx: Tx, segment: UUID, at: datetime, limit: int) -> list[UUID]:
    """Who of a segment is to be looked at, the most overdue first."""
    rows = await tx.rows(
        "SELECT person FROM segment_clock WHERE segment = $1 AND at <= $2 ORDER BY at, person LIMIT $3",
        segment,
        at,
        limit,
    )
    return [row["person"] for row in rows]


async def delay(tx: Tx, segment: UUID, people: Sequence[UUID], at: datetime) -> None:
    """Whoever could not be computed, so that the clock still stands, is looked at again in an hour."""
    await tx.execute(
        """UPDATE segment_clock SET at = $3::timestamptz + interval '1 hour'
           WHERE segment = $1 AND person = ANY ($2) AND at <= $3""",
        segment,
        list(people),
        at,
    )


async def forget_changes(tx: Tx, before: datetime, limit: int) -> int:
    """Forget who came and went before some time; how many rows."""
    return await tx.execute(
        """DELETE FROM segment_change WHERE id = ANY (ARRAY(
               SELECT id FROM segment_change WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))""",
        before,
        limit,
    )


async def forget_deleted(tx: Tx, before: datetime) -> int:
    """Remove what was deleted before some time, with all that hangs on it; how many."""
    rows = await tx.rows(
        "SELECT id FROM segment WHERE deleted_at < $1 ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED", before
    )
    ids = [row["id"] for row in rows]
    for table in ("member", "clock", "change", "day", "listed", "version"):
        await tx.execute(f"DELETE FROM segment_{table} WHERE segment = ANY ($1)", ids)
    return await tx.execute("DELETE FROM segment WHERE id = ANY ($1)", ids)
