"""SQL of the tables ``order_bulk`` and ``order_bulk_row``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx

MOST_SHOWN = 200
_BULK = "id, act, arguments, staff, total, state, created_at, ended_at"
_COUNTS = """(SELECT count(*) FROM order_bulk_row r WHERE r.bulk = b.id AND r.state = 'done')::int AS done,
             (SELECT count(*) FROM order_bulk_row r WHERE r.bulk = b.id AND r.state = 'refused')::int AS refused"""


class Bulk(msgspec.Struct, frozen=True, kw_only=True):
    """One act on many orders, and how far it is: ``total`` orders, of which ``done`` and ``refused`` have their outcome."""

    id: UUID
    act: str
    arguments: dict[str, Any]
    staff: UUID | None
    total: int
    state: str
    created_at: datetime
    ended_at: datetime | None
    done: int = 0
    refused: int = 0


class BulkRow(msgspec.Struct, frozen=True):
    """What became of one order: ``waiting``, ``done`` or ``refused`` with the reason."""

    order_id: UUID
    number: str
    state: str
    reason: str


async def insert(
    tx: Tx,
    bulk: UUID,
    act: str,
    arguments: dict[str, Any],
    staff: UUID | None,
    actor: Any,
    rows: Sequence[UUID],
) -> bool:
    """Keep an act and its orders; False if it is there already."""
    added = await tx.execute(
        """INSERT INTO order_bulk (id, act, arguments, staff, actor, total) VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT DO NOTHING""",
        bulk,
        act,
        arguments,
        staff,
        actor,
        len(rows),
    )
    if added:
        await tx.execute(
            """INSERT INTO order_bulk_row (bulk, position, order_id)
               SELECT $1, n.position, n.id FROM unnest($2::uuid[]) WITH ORDINALITY AS n (id, position)""",
            bulk,
            list(rows),
        )
    return bool(added)


async def known(reader: Reader, rows: Sequence[UUID], locations: Sequence[UUID] | None) -> list[UUID]:
    """Those of some orders that there are, at some locations or (None) anywhere, each once, in the order given."""
    found = await reader.rows(
        """SELECT o.id FROM unnest($1::uuid[]) WITH ORDINALITY AS n (id, at) JOIN orders o ON o.id = n.id
           WHERE $2::uuid[] IS NULL OR o.location = ANY ($2) GROUP BY o.id ORDER BY min(n.at)""",
        list(rows),
        None if locations is None else list(locations),
    )
    return [row["id"] for row in found]


async def get(reader: Reader, bulk: UUID) -> Bulk | None:
    """An act with its counts, or None."""
    return await reader.one(Bulk, f"SELECT {_BULK}, {_COUNTS} FROM order_bulk b WHERE id = $1", bulk)


async def actor_of(reader: Reader, bulk: UUID) -> Any:
    """Who asked for it, as they were then."""
    return await reader.value("SELECT actor FROM order_bulk WHERE id = $1", bulk)


async def rows_of(reader: Reader, bulk: UUID, state: str, most: int = MOST_SHOWN) -> list[BulkRow]:
    """The orders of an act with one outcome, as they were chosen."""
    return await reader.all(
        BulkRow,
        """SELECT r.order_id, o.number, r.state, r.reason FROM order_bulk_row r JOIN orders o ON o.id = r.order_id
           WHERE r.bulk = $1 AND r.state = $2 ORDER BY r.position LIMIT $3""",
        bulk,
        state,
        most,
    )


async def next_rows(reader: Reader, bulk: UUID, most: int) -> list[UUID]:
    """The next orders of an act that runs which have no outcome yet."""
    rows = await reader.rows(
        """SELECT r.order_id FROM order_bulk_row r JOIN order_bulk b ON b.id = r.bulk
           WHERE r.bulk = $1 AND r.state = 'waiting' AND b.state = 'running' ORDER BY r.position LIMIT $2""",
        bulk,
        most,
    )
    return [row["order_id"] for row in rows]


async def claim(tx: Tx, bulk: UUID, order: UUID) -> bool:
    """Take an order of an act that runs, until the transaction ends; False if it has its outcome or another has it."""
    return (
        await tx.row(
            """SELECT FROM order_bulk_row r JOIN order_bulk b ON b.id = r.bulk AND b.state = 'running'
               WHERE r.bulk = $1 AND r.order_id = $2 AND r.state = 'waiting' FOR UPDATE OF r SKIP LOCKED""",
            bulk,
            order,
        )
        is not None
    )


async def mark(
    tx: Tx, bulk: UUID, order: UUID, state: str, reason: str = "", changed: Sequence[str] | None = None
) -> None:
    """Note what became of an order, unless that is known; ``changed`` are the tags that it got or lost."""
    await tx.execute(
        """UPDATE order_bulk_row SET state = $3, reason = $4, changed = $5
           WHERE bulk = $1 AND order_id = $2 AND state = 'waiting'""",
        bulk,
        order,
        state,
        reason[:500],
        None if changed is None else list(changed),
    )


async def changed(reader: Reader, bulk: UUID, order: UUID) -> list[str] | None:
    """The tags that an order got or lost by an act; None where that was not kept."""
    found: list[str] | None = await reader.value(
        "SELECT changed FROM order_bulk_row WHERE bulk = $1 AND order_id = $2", bulk, order
    )
    return found


async def end(tx: Tx, bulk: UUID, state: str) -> bool:
    """End an act that runs; ``done`` only once no order waits. Whether it ended now."""
    return bool(
        await tx.execute(
            """UPDATE order_bulk SET state = $2, ended_at = now() WHERE id = $1 AND state = 'running'
               AND ($2 = 'stopped' OR NOT EXISTS (
                   SELECT FROM order_bulk_row WHERE bulk = $1 AND state = 'waiting'))""",
            bulk,
            state,
        )
    )
