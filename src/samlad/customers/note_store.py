"""SQL of the tables ``customer_note`` and ``customer_tag``. Read over all customers that are one person."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel import sealing
from samlad.kernel.database import Reader, Tx
from samlad.kernel.sealing import SealedColumn

SEALED = SealedColumn(table="customer_note", owner="customer", purpose="customers.note")
_COLUMNS = "id, customer, text, sealed, for_clerks, author, created_at, changed_at, deleted_at, version"
_MEMBERS = "ANY (customer_members(ARRAY[$1::uuid]))"
MOST_NOTES = 200


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note of staff about a customer. ``for_clerks``: seen at the till; ``deleted_at``: can be brought back.

    In the database its text is sealed with the customer's key.
    """

    id: UUID
    customer: UUID
    text: str
    for_clerks: bool
    author: str
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None
    version: int


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A note as it is stored. ``text``: of before texts were sealed."""

    id: UUID
    customer: UUID
    text: str | None
    sealed: bytes | None
    for_clerks: bool
    author: str
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None
    version: int


async def _opened(reader: Reader, rows: Sequence[_Row]) -> list[Note]:
    texts = await sealing.unseal(reader, SEALED.purpose, [(row.customer, row.sealed) for row in rows])
    return [
        Note(
            id=row.id,
            customer=row.customer,
            text=row.text if row.text is not None else text,
            for_clerks=row.for_clerks,
            author=row.author,
            created_at=row.created_at,
            changed_at=row.changed_at,
            deleted_at=row.deleted_at,
            version=row.version,
        )
        for row, text in zip(rows, texts, strict=True)
    ]


class TagCount(msgspec.Struct, frozen=True):
    """A tag, and how many people have it."""

    tag: str
    people: int


async def notes_of(reader: Reader, customer: UUID, *, all_notes: bool) -> list[Note]:
    """The notes about a person, the latest first; without ``all_notes`` those for clerks."""
    rows = await reader.all(
        _Row,
        f"""SELECT {_COLUMNS} FROM customer_note
            WHERE customer = {_MEMBERS} AND deleted_at IS NULL AND ($2 OR for_clerks)
            ORDER BY created_at DESC, id LIMIT {MOST_NOTES}""",
        customer,
        all_notes,
    )
    return await _opened(reader, rows)


async def lock(tx: Tx, customer: UUID, note: UUID) -> Note | None:
    """A note about a person, held against changes, or None."""
    row = await tx.one(
        _Row,
        f"SELECT {_COLUMNS} FROM customer_note WHERE customer = {_MEMBERS} AND id = $2 FOR UPDATE",
        customer,
        note,
    )
    return None if row is None else (await _opened(tx, [row]))[0]


async def insert(tx: Tx, note: UUID, customer: UUID, text: str, author: str, *, for_clerks: bool) -> Note:
    """Keep a note."""
    added = await tx.one(
        _Row,
        f"""INSERT INTO customer_note (id, customer, sealed, for_clerks, author) VALUES ($1, $2, $3, $4, $5)
            RETURNING {_COLUMNS}""",
        note,
        customer,
        await sealing.seal(tx, customer, SEALED.purpose, text),
        for_clerks,
        author,
    )
    assert added is not None
    return (await _opened(tx, [added]))[0]


async def update(tx: Tx, note: Note, text: str, *, for_clerks: bool, is_deleted: bool) -> Note:
    """Write a note anew, take it away or bring it back; the version counts up."""
    changed = await tx.one(
        _Row,
        f"""UPDATE customer_note
            SET text = NULL, sealed = $2, for_clerks = $3, deleted_at = CASE WHEN $4 THEN coalesce(deleted_at, now()) END,
                changed_at = now(), version = version + 1
            WHERE id = $1 RETURNING {_COLUMNS}""",
        note.id,
        await sealing.seal(tx, note.customer, SEALED.purpose, text),
        for_clerks,
        is_deleted,
    )
    assert changed is not None
    return (await _opened(tx, [changed]))[0]


async def tags_of(reader: Reader, customer: UUID) -> list[str]:
    """The tags of a person, in the order of the alphabet."""
    rows = await reader.rows(
        f"SELECT DISTINCT tag FROM customer_tag WHERE customer = {_MEMBERS} ORDER BY tag", customer
    )
    return [row["tag"] for row in rows]


async def add_tags(tx: Tx, customer: UUID, tags: Sequence[str]) -> list[str]:
    """Tag a customer; the tags that they did not have. One statement, in key order.

    Another customer who is the same person may have it already: taken apart, each has what they were given.
    """
    rows = await tx.rows(
        """INSERT INTO customer_tag (customer, tag) SELECT $1, t FROM unnest($2::text[]) AS t ORDER BY t
           ON CONFLICT DO NOTHING RETURNING tag""",
        customer,
        list(tags),
    )
    return [row["tag"] for row in rows]


async def remove_tag(tx: Tx, customer: UUID, tag: str) -> list[UUID]:
    """Take a tag off all customers that are the person; off which."""
    rows = await tx.rows(
        f"DELETE FROM customer_tag WHERE customer = {_MEMBERS} AND tag = $2 RETURNING customer", customer, tag
    )
    return sorted(row["customer"] for row in rows)


async def tags_in_use(reader: Reader, pools: Sequence[UUID] | None, most: int) -> list[TagCount]:
    """The tags that most people of some pools have; None is all of them."""
    return await reader.all(
        TagCount,
        """SELECT tag, count(DISTINCT coalesce(c.survivor, c.id))::int AS people
           FROM customer_tag t JOIN customer c ON c.id = t.customer WHERE $1::uuid[] IS NULL OR c.pool = ANY ($1)
           GROUP BY tag ORDER BY 2 DESC, 1 LIMIT $2""",
        pools,
        most,
    )
