"""SQL of conversations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import Resource
from samlad.conversations.model import (
    Attached,
    BeforeMerge,
    Conversation,
    Counts,
    Mark,
    Message,
    SavedReply,
)
from samlad.kernel import inserts
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, anywhere_lowered, texts, uuids
from samlad.stock.reach import belongs

_ONE = """c.id, c.pool, c.channel, h.name AS channel_name, c.customer, c.name, c.email, c.phone, c.language, c.subject, c.topic,
          c.order_id AS "order", o.number AS order_number, c.state, c.assignee, c.assignee_name, c.snoozed_until,
          c.waiting_since, c.last_at, c.messages, c.answers, c.words, c.seen, c.merged_into, c.begun_at, c.version"""
_JOINED = "conversation c JOIN channel h ON h.id = c.channel LEFT JOIN orders o ON o.id = c.order_id"
_MESSAGE = """m.id, m.conversation, m.number, m.origin, m.channel, h.name AS channel_name, m.way, m.medium, m.author,
              m.author_name, m.body, m.marks, m.attachments, m.at"""


_SAID = """SELECT m.conversation FROM conversation_message m
           WHERE to_tsvector('simple', m.body) @@ websearch_to_tsquery('simple', trim({0}, '%'))"""
_OF_ORDER = "SELECT id FROM orders WHERE number LIKE upper(trim({0}, '%')) || '%'"

CONVERSATIONS = Listing(
    row=Conversation,
    select=_ONE,
    source=f"{_JOINED} WHERE c.merged_into IS NULL AND ($1::uuid[] IS NULL OR c.pool = ANY ($1))",
    key="c.id",
    sorts={
        "waiting_since": Sort("coalesce(c.waiting_since, 'infinity')", "timestamptz"),
        "last_at": Sort("c.last_at", "timestamptz"),
        "begun_at": Sort("c.begun_at", "timestamptz"),
        "subject": Sort("lower(c.subject)"),
    },
    default_sort="-last_at",
    filters={
        "state": Filter("c.state = ANY({}::text[])", texts),
        "topic": Filter("c.topic = ANY({}::text[])", texts),
        "channel": Filter("h.code = ANY({}::text[])", texts),
        "customer": Filter("c.customer = ANY(customer_members({}::uuid[]))", uuids),
        "order": Filter("c.order_id = ANY({}::uuid[])", uuids),
        "assignee": Filter("c.assignee = ANY({}::uuid[])", uuids),
        "email": Filter("c.email = lower({})", str.strip),
        "assigned": Filter("(c.assignee IS NOT NULL) = ({} = 'true')"),
        "q": Filter(
            f"(c.search LIKE {{0}} OR c.order_id IN ({_OF_ORDER}) OR c.id IN ({_SAID}))",
            anywhere_lowered,
            few=f"""SELECT id FROM conversation WHERE search LIKE {{0}}
                    UNION ALL SELECT id FROM conversation WHERE order_id IN ({_OF_ORDER}) UNION ALL {_SAID}""",
        ),
    },
)
"""Conversations, what happened last first; scoped to pools (null: all). Those that go on in another one are left out."""


async def one(reader: Reader, conversation: UUID) -> Conversation | None:
    """A conversation, or None."""
    return await reader.one(Conversation, f"SELECT {_ONE} FROM {_JOINED} WHERE c.id = $1", conversation)


async def lock(tx: Tx, conversation: UUID) -> Conversation | None:
    """A conversation, held against changes, or None."""
    return await tx.one(
        Conversation, f"SELECT {_ONE} FROM {_JOINED} WHERE c.id = $1 FOR NO KEY UPDATE OF c", conversation
    )


async def lock_end(tx: Tx, conversation: UUID) -> Conversation | None:
    """Where a conversation goes on, held against changes with all that lead there from it; itself, if it goes on nowhere; or None."""
    found = await lock(tx, conversation)
    while found is not None and found.merged_into is not None:
        found = await lock(tx, found.merged_into)
    return found


async def messages(reader: Reader, conversation: UUID, *, notes: bool) -> list[Message]:
    """What was said, earliest first; with or without what is for staff only."""
    return await reader.all(
        Message,
        f"""SELECT {_MESSAGE} FROM conversation_message m JOIN channel h ON h.id = m.channel
            WHERE m.conversation = $1 AND ($2 OR m.way <> 'note') ORDER BY m.at, m.number""",
        conversation,
        notes,
    )


async def message(reader: Reader, message_id: UUID) -> Message | None:
    """A message, or None."""
    return await reader.one(
        Message,
        f"SELECT {_MESSAGE} FROM conversation_message m JOIN channel h ON h.id = m.channel WHERE m.id = $1",
        message_id,
    )


async def numbered(reader: Reader, conversation: UUID, number: int) -> Message | None:
    """The message with a number, or None."""
    return await reader.one(
        Message,
        f"""SELECT {_MESSAGE} FROM conversation_message m JOIN channel h ON h.id = m.channel
            WHERE m.conversation = $1 AND m.number = $2""",
        conversation,
        number,
    )


async def before(reader: Reader, said: Message, only: Sequence[UUID], most: int) -> list[Message]:
    """The last messages before one that were no notes, the latest first; ``only``: said first in these conversations."""
    return await reader.all(
        Message,
        f"""SELECT {_MESSAGE} FROM conversation_message m JOIN channel h ON h.id = m.channel
            WHERE m.conversation = $1 AND m.number < $2 AND m.origin = ANY ($3) AND m.way <> 'note'
            ORDER BY m.number DESC LIMIT $4""",
        said.conversation,
        said.number,
        list(only),
        most,
    )


async def insert(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Keep a conversation; False if its id is known."""
    return await inserts.insert(tx, "conversation", values, unless="(id)")


async def insert_message(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Keep a message; False if its id is known."""
    return await inserts.insert(tx, "conversation_message", values, unless="(id)")


async def came_with(tx: Tx, message_id: UUID, marks: Sequence[Mark], attachments: Sequence[Attached]) -> None:
    """What a message that is kept in this transaction came with."""
    await tx.execute(
        "UPDATE conversation_message SET marks = $2, attachments = $3 WHERE id = $1",
        message_id,
        list(marks),
        list(attachments),
    )


async def change(tx: Tx, conversation: UUID, values: Mapping[str, Any]) -> None:
    """Set the named fields and count the version up."""
    names = list(values)
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 2))
    await tx.execute(
        f"UPDATE conversation SET {sets}, version = version + 1 WHERE id = $1",
        conversation,
        *(values[name] for name in names),
    )


async def see(tx: Tx, conversation: UUID, number: int) -> bool:
    """The customer has seen what has this number and lower ones; False if they had already."""
    return bool(
        await tx.execute(
            "UPDATE conversation SET seen = $2 WHERE id = $1 AND seen < $2 AND messages >= $2",
            conversation,
            number,
        )
    )


async def wake(tx: Tx, most: int) -> list[Conversation]:
    """Open what was snoozed until now; which. Each once."""
    rows = await tx.rows(
        """UPDATE conversation c SET state = 'open', snoozed_until = NULL, version = version + 1 FROM (
               SELECT id FROM conversation WHERE state = 'snoozed' AND snoozed_until <= now()
               ORDER BY snoozed_until LIMIT $1 FOR UPDATE SKIP LOCKED) AS w
           WHERE c.id = w.id RETURNING c.id""",
        most,
    )
    return await tx.all(
        Conversation,
        f"SELECT {_ONE} FROM {_JOINED} WHERE c.id = ANY ($1) ORDER BY c.id",
        [row["id"] for row in rows],
    )


async def carry(tx: Tx, old: UUID, new: UUID, after: int, *, only: Sequence[UUID] | None = None) -> int:
    """Let messages go on in another conversation, with numbers after its last one; how many.

    ``only``: those that were said first in these conversations.
    """
    return await tx.execute(
        """UPDATE conversation_message m SET conversation = $2, number = n.number FROM (
               SELECT id, $3 + row_number() OVER (ORDER BY at, number) AS number FROM conversation_message
               WHERE conversation = $1 AND ($4::uuid[] IS NULL OR origin = ANY ($4))) AS n
           WHERE m.id = n.id""",
        old,
        new,
        after,
        None if only is None else list(only),
    )


async def leading_to(reader: Reader, conversation: UUID) -> list[UUID]:
    """A conversation and all that go on in it, directly or by others."""
    rows = await reader.rows(
        """WITH RECURSIVE led AS (
               SELECT $1::uuid AS id UNION SELECT c.id FROM conversation c JOIN led ON c.merged_into = led.id)
           SELECT id FROM led""",
        conversation,
    )
    return [row["id"] for row in rows]


async def before_merge(tx: Tx, conversation: UUID) -> BeforeMerge | None:
    """How a conversation and the one that it goes on in were before; None if that is not known."""
    kept = await tx.value("SELECT before_merge FROM conversation WHERE id = $1", conversation)
    return None if kept is None else msgspec.convert(kept, BeforeMerge)


async def count_anew(tx: Tx, conversation: UUID) -> None:
    """Set the numbers of a conversation, and since when the customer waits, from its messages."""
    await tx.execute(
        """UPDATE conversation c SET messages = m.messages, words = m.words, answers = m.answers,
                  seen = least(c.seen, m.messages), last_at = coalesce(m.last_at, c.last_at),
                  waiting_since = CASE WHEN c.state = 'closed' OR c.state = 'pending' THEN NULL ELSE m.waiting_since END
           FROM (SELECT coalesce(max(number), 0) AS messages,
                        coalesce(max(number) FILTER (WHERE way <> 'note'), 0) AS words,
                        coalesce(max(number) FILTER (WHERE way = 'out'), 0) AS answers,
                        max(at) AS last_at,
                        min(at) FILTER (WHERE way = 'in' AND at > coalesce(
                            (SELECT max(at) FROM conversation_message WHERE conversation = $1 AND way = 'out'), '-infinity'))
                            AS waiting_since
                 FROM conversation_message WHERE conversation = $1) AS m
           WHERE c.id = $1""",
        conversation,
    )


async def counts(
    reader: Reader, staff: UUID | None, before: Mapping[UUID, datetime], pools: Sequence[UUID] | None = None
) -> Counts:
    """How many conversations of pools (None: of all) are where; ``before``: who waits since then or longer, by channel, is overdue."""
    found = await reader.one(
        Counts,
        """SELECT count(*) FILTER (WHERE state = 'open')::int AS open,
                  count(*) FILTER (WHERE state = 'open' AND assignee = $1)::int AS mine,
                  count(*) FILTER (WHERE state = 'open' AND assignee IS NULL)::int AS unassigned,
                  count(*) FILTER (WHERE state = 'pending')::int AS pending,
                  count(*) FILTER (WHERE state = 'snoozed')::int AS snoozed,
                  min(waiting_since) FILTER (WHERE state = 'open') AS oldest,
                  count(*) FILTER (WHERE state = 'open' AND waiting_since <= t.since)::int AS overdue,
                  (SELECT count(*) FROM inbound_mail WHERE state = 'waiting' AND $4::uuid[] IS NULL)::int AS mails
           FROM conversation c LEFT JOIN unnest($2::uuid[], $3::timestamptz[]) AS t (channel, since) ON t.channel = c.channel
           WHERE c.merged_into IS NULL AND c.state <> 'closed' AND ($4::uuid[] IS NULL OR c.pool = ANY ($4))""",
        staff,
        list(before),
        list(before.values()),
        pools,
    )
    assert found is not None
    return found


async def order_named(
    reader: Reader, channel: UUID, number: str
) -> tuple[UUID, UUID | None, str | None] | None:
    """The order with a number in the pool of a channel: its id, customer and e-mail address; or None."""
    row = await reader.row(
        """SELECT o.id, o.customer, lower(o.email) AS email FROM orders o
           WHERE upper(o.number) = upper($2) AND o.pool = (
               SELECT pool FROM channel_pool WHERE channel = $1 AND resource = 'orders')
           ORDER BY o.channel = $1 DESC, o.placed_at DESC LIMIT 1""",
        channel,
        number,
    )
    return None if row is None else (row["id"], row["customer"], row["email"])


_REPLY = ", ".join(SavedReply.__struct_fields__)


async def replies(reader: Reader) -> list[SavedReply]:
    """The saved replies, by name."""
    return await reader.all(
        SavedReply,
        f"SELECT {_REPLY} FROM saved_reply WHERE deleted_at IS NULL ORDER BY lower(name), language, id",
    )


async def reply(reader: Reader, reply_id: UUID, *, deleted: bool = False) -> SavedReply | None:
    """A saved reply, or None; with ``deleted`` one that was deleted."""
    return await reader.one(
        SavedReply,
        f"SELECT {_REPLY} FROM saved_reply WHERE id = $1 AND (deleted_at IS NOT NULL) = $2",
        reply_id,
        deleted,
    )


async def insert_reply(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Keep a saved reply; False if its name is taken in that language."""
    names_it = "(lower(name), language) WHERE deleted_at IS NULL"
    return await inserts.insert(tx, "saved_reply", values, unless=names_it)


async def update_reply(tx: Tx, reply_id: UUID, version: int | None, values: Sequence[Any]) -> bool:
    """Change a saved reply (name, language, body), if it is at that version."""
    return bool(
        await tx.execute(
            """UPDATE saved_reply SET name = $3, language = $4, body = $5, version = version + 1
               WHERE id = $1 AND deleted_at IS NULL AND ($2::int IS NULL OR version = $2)""",
            reply_id,
            version,
            *values,
        )
    )


async def name_taken(reader: Reader, name: str, language: str, but: UUID) -> bool:
    """Whether another saved reply has this name."""
    return bool(
        await reader.value(
            """SELECT EXISTS (SELECT FROM saved_reply WHERE lower(name) = lower($1) AND language = $2
                              AND deleted_at IS NULL AND id <> $3)""",
            name,
            language,
            but,
        )
    )


async def delete_reply(tx: Tx, reply_id: UUID, at: datetime | None) -> bool:
    """Delete a saved reply, or (None) take that back; False if it is so already."""
    return bool(
        await tx.execute(
            """UPDATE saved_reply SET deleted_at = $2, version = version + 1
               WHERE id = $1 AND (deleted_at IS NULL) = ($2::timestamptz IS NOT NULL)""",
            reply_id,
            at,
        )
    )


belongs(("conversation_id",), Resource.CONVERSATIONS, "SELECT pool FROM conversation WHERE id = $1")
