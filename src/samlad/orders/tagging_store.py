"""SQL of the tables ``order_note`` and ``order_tag``."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel import sealing
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.sealing import SealedColumn

SEALED = SealedColumn(table="order_note", owner="order_id", purpose="orders.note")
_NOTE = "id, order_id, text, sealed, author, created_at, changed_at, deleted_at, version"
MOST_NOTES = 200


class OrderNote(msgspec.Struct, frozen=True, kw_only=True):
    """What staff wrote on an order. ``deleted_at``: it can be brought back. In the database its text is sealed."""

    id: UUID
    order_id: UUID
    text: str
    author: str
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None
    version: int


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A note as it is stored. ``text``: of before texts were sealed."""

    id: UUID
    order_id: UUID
    text: str | None
    sealed: bytes | None
    author: str
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None
    version: int


async def _opened(reader: Reader, rows: Sequence[_Row]) -> list[OrderNote]:
    texts = await sealing.unseal(reader, SEALED.purpose, [(row.order_id, row.sealed) for row in rows])
    return [
        OrderNote(
            id=row.id,
            order_id=row.order_id,
            text=row.text if row.text is not None else text,
            author=row.author,
            created_at=row.created_at,
            changed_at=row.changed_at,
            deleted_at=row.deleted_at,
            version=row.version,
        )
        for row, text in zip(rows, texts, strict=True)
    ]


class OrderTagCount(msgspec.Struct, frozen=True):
    """A tag, and how many orders have it."""

    tag: str
    orders: int


async def notes_of(reader: Reader, order: UUID) -> list[OrderNote]:
    """The notes on an order, the latest first."""
    rows = await reader.all(
        _Row,
        f"""SELECT {_NOTE} FROM order_note WHERE order_id = $1 AND deleted_at IS NULL
            ORDER BY created_at DESC, id LIMIT {MOST_NOTES}""",
        order,
    )
    return await _opened(reader, rows)


async def lock_note(tx: Tx, order: UUID, note: UUID) -> OrderNote | None:
    """A note on an order, held against changes, or None."""
    row = await tx.one(
        _Row, f"SELECT {_NOTE} FROM order_note WHERE order_id = $1 AND id = $2 FOR UPDATE", order, note
    )
    return None if row is None else (await _opened(tx, [row]))[0]


async def insert_note(tx: Tx, note: UUID, order: UUID, text: str, author: str) -> OrderNote:
    """Keep a note."""
    added = await tx.one(
        _Row,
        f"INSERT INTO order_note (id, order_id, sealed, author) VALUES ($1, $2, $3, $4) RETURNING {_NOTE}",
        note,
        order,
        await sealing.seal(tx, order, SEALED.purpose, text),
        author,
    )
    assert added is not None
    return (await _opened(tx, [added]))[0]


async def mark_note(tx: Tx, note: UUID, *, is_deleted: bool) -> OrderNote:
    """Take a note away or bring it back; the version counts up."""
    changed = await tx.one(
        _Row,
        f"""UPDATE order_note SET deleted_at = CASE WHEN $2 THEN coalesce(deleted_at, now()) END, changed_at = now(),
                   version = version + 1 WHERE id = $1 RETURNING {_NOTE}""",
        note,
        is_deleted,
    )
    assert changed is not None
    return (await _opened(tx, [changed]))[0]


async def tags_of(reader: Reader, order: UUID) -> list[str]:
    """The tags of an order, in the order of the alphabet."""
    rows = await reader.rows("SELECT tag FROM order_tag WHERE order_id = $1 ORDER BY tag", order)
    return [row["tag"] for row in rows]


async def tags_of_many(reader: Reader, orders: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The tags of some orders; those without are left out. One statement."""
    rows = await reader.rows(
        "SELECT order_id, array_agg(tag ORDER BY tag) AS tags FROM order_tag WHERE order_id = ANY ($1) GROUP BY 1",
        list(orders),
    )
    return {row["order_id"]: row["tags"] for row in rows}


async def add_tags(tx: Tx, order: UUID, tags: Sequence[str]) -> list[str]:
    """Tag an order; the tags that it did not have. One statement, in key order."""
    rows = await tx.rows(
        """INSERT INTO order_tag (order_id, tag) SELECT $1, t FROM unnest($2::text[]) AS t ORDER BY t
           ON CONFLICT DO NOTHING RETURNING tag""",
        order,
        list(tags),
    )
    return [row["tag"] for row in rows]


async def remove_tags(tx: Tx, order: UUID, tags: Sequence[str]) -> list[str]:
    """Take tags off an order; those that it had."""
    rows = await tx.rows(
        "DELETE FROM order_tag WHERE order_id = $1 AND tag = ANY ($2::text[]) RETURNING tag",
        order,
        list(tags),
    )
    return sorted(row["tag"] for row in rows)


async def tags_in_use(reader: Reader, actor: Actor, most: int) -> list[OrderTagCount]:
    """The tags that most orders have, of those that the actor sees (`samlad.orders.seeing`)."""
    return await reader.all(
        OrderTagCount,
        """SELECT t.tag, count(*)::int AS orders FROM order_tag t
           WHERE $1::uuid[] IS NULL OR EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND o.location = ANY ($1))
               OR EXISTS (SELECT FROM fulfilment f WHERE f.order_id = t.order_id AND f.location = ANY ($1))
           GROUP BY t.tag ORDER BY 2 DESC, 1 LIMIT $2""",
        actor.bound_to,
        most,
    )
