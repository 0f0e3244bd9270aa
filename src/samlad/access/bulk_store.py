"""SQL of the tables ``bulk_act`` and ``bulk_act_row``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx

_ACT = "id, kind, is_back, arguments, staff, total, state, created_at, ended_at"
_COUNTS = """(SELECT count(*) FILTER (WHERE r.state = 'done')::int AS done,
                     count(*) FILTER (WHERE r.state = 'done' AND r.before IS NOT NULL)::int AS changed,
                     count(*) FILTER (WHERE r.state = 'refused')::int AS refused
              FROM bulk_act_row r WHERE r.bulk = b.id)"""


class BulkAct(msgspec.Struct, frozen=True, kw_only=True):
    """One act on many rows, and how far it is: of ``total`` rows ``done`` (``changed`` were not so before) and ``refused``."""

    id: UUID
    kind: str
    is_back: bool
    arguments: dict[str, Any]
    staff: UUID | None
    total: int
    state: str
    created_at: datetime
    ended_at: datetime | None
    done: int = 0
    changed: int = 0
    refused: int = 0


class BulkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an act: what it was ``before``, in a word, and why it refused."""

    position: int
    subject: UUID
    before: str | None = None
    reason: str = ""


async def insert(
    tx: Tx,
    bulk: UUID,
    kind: str,
    arguments: dict[str, Any],
    staff: UUID | None,
    actor: Any,
    rows: Sequence[UUID],
) -> None:
    """Keep an act and its rows."""
    await tx.execute(
        "INSERT INTO bulk_act (id, kind, arguments, staff, actor, total) VALUES ($1, $2, $3, $4, $5, $6)",
        bulk,
        kind,
        arguments,
        staff,
        actor,
        len(rows),
    )
    await tx.execute(
        """INSERT INTO bulk_act_row (bulk, position, subject)
           SELECT $1, n.position, n.id FROM unnest($2::uuid[]) WITH ORDINALITY AS n (id, position)""",
        bulk,
        list(rows),
    )


async def insert_back(tx: Tx, bulk: UUID, of: UUID, staff: UUID | None, actor: Any) -> None:
    """Keep the act that takes another back, with the rows that it changed and what they were."""
    await tx.execute(
        """WITH changed AS (SELECT * FROM bulk_act_row WHERE bulk = $2 AND state = 'done' AND before IS NOT NULL),
           made AS (INSERT INTO bulk_act (id, kind, is_back, arguments, staff, actor, total)
                    SELECT $1, kind, true, arguments, $3, $4, (SELECT count(*) FROM changed) FROM bulk_act WHERE id = $2
                    RETURNING id)
           INSERT INTO bulk_act_row (bulk, position, subject, before)
           SELECT made.id, c.position, c.subject, c.before FROM made, changed c""",
        bulk,
        of,
        staff,
        actor,
    )


async def get(reader: Reader, bulk: UUID) -> BulkAct | None:
    """An act with its counts, or None."""
    return await reader.one(
        BulkAct, f"SELECT {_ACT}, n.* FROM bulk_act b, LATERAL {_COUNTS} n WHERE id = $1", bulk
    )


async def actor_of(reader: Reader, bulk: UUID) -> Any:
    """Who asked for it, as they were then."""
    return await reader.value("SELECT actor FROM bulk_act WHERE id = $1", bulk)


async def refused(reader: Reader, bulk: UUID, most: int) -> list[BulkRow]:
    """The rows of an act that refused, as they were chosen."""
    return await reader.all(
        BulkRow,
        """SELECT position, subject, before, reason FROM bulk_act_row WHERE bulk = $1 AND state = 'refused'
           ORDER BY position LIMIT $2""",
        bulk,
        most,
    )


async def next_rows(reader: Reader, bulk: UUID, most: int) -> list[BulkRow]:
    """The next rows of an act that runs which have no outcome yet."""
    return await reader.all(
        BulkRow,
        """SELECT r.position, r.subject, r.before FROM bulk_act_row r JOIN bulk_act b ON b.id = r.bulk
           WHERE r.bulk = $1 AND r.state = 'waiting' AND b.state = 'running' ORDER BY r.position LIMIT $2""",
        bulk,
        most,
    )


async def claim(tx: Tx, bulk: UUID, position: int) -> bool:
    """Take a row of an act that runs, until the transaction ends; False if it has its outcome or another has it."""
    return (
        await tx.row(
            """SELECT FROM bulk_act_row r JOIN bulk_act b ON b.id = r.bulk AND b.state = 'running'
               WHERE r.bulk = $1 AND r.position = $2 AND r.state = 'waiting' FOR UPDATE OF r SKIP LOCKED""",
            bulk,
            position,
        )
        is not None
    )


async def mark(
    tx: Tx, bulk: UUID, position: int, state: str, *, before: str | None, reason: str = ""
) -> None:
    """Note what became of a row, unless that is known."""
    await tx.execute(
        """UPDATE bulk_act_row SET state = $3, before = $4, reason = $5
           WHERE bulk = $1 AND position = $2 AND state = 'waiting'""",
        bulk,
        position,
        state,
        before,
        reason[:500],
    )


async def end(tx: Tx, bulk: UUID, state: str) -> None:
    """End an act that runs; ``done`` only once no row waits."""
    await tx.execute(
        """UPDATE bulk_act SET state = $2, ended_at = now() WHERE id = $1 AND state = 'running'
           AND ($2 = 'stopped' OR NOT EXISTS (SELECT FROM bulk_act_row WHERE bulk = $1 AND state = 'waiting'))""",
        bulk,
        state,
    )
