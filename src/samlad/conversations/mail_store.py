"""SQL of the mails of conversations: those that we sent, and those that came in."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from samlad.conversations.model import InboundMail
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts

_COLUMNS = """i.id, i.state, i.reason, i.conversation, c.subject AS conversation_subject, c.name AS conversation_name, i.sender, i.name,
              i.subject, i.body, i.marks, i.attachments, i.received_at, i.decided_at"""
_JOINED = "inbound_mail i LEFT JOIN conversation c ON c.id = i.conversation"
INBOUND = Listing(
    row=InboundMail,
    select=_COLUMNS,
    source=f"{_JOINED} WHERE i.state <> 'taken'",
    key="i.id",
    sorts={"received_at": Sort("i.received_at", "timestamptz"), "sender": Sort("i.sender")},
    default_sort="-received_at",
    filters={
        "state": Filter("i.state = ANY({}::text[])", texts),
        "q": Filter("strpos(lower(concat_ws(' ', i.sender, i.name, i.subject)), lower({})) > 0", str.strip),
    },
)
"""Mails that are in no conversation, the latest first."""
_OUR_LATEST, _THEIR_LATEST = 8, 4


async def sent(tx: Tx, mail: UUID, conversation: UUID) -> None:
    """Keep that a mail of ours is of a conversation."""
    await tx.execute(
        "INSERT INTO conversation_mail (mail, conversation) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        mail,
        conversation,
    )


async def of_mails(reader: Reader, mails: Sequence[UUID]) -> list[UUID]:
    """The conversations that mails of ours are of."""
    rows = await reader.rows(
        "SELECT DISTINCT conversation FROM conversation_mail WHERE mail = ANY ($1) ORDER BY 1", list(mails)
    )
    return [row["conversation"] for row in rows]


async def earlier(reader: Reader, conversation: UUID, domain: str) -> list[str]:
    """Message-IDs of the latest mails of a conversation, ours and theirs, earliest first."""
    rows = await reader.rows(
        f"""SELECT id FROM (
                (SELECT mail::text || '@' || $2::text AS id, sent_at AS at FROM conversation_mail WHERE conversation = $1
                 ORDER BY sent_at DESC LIMIT {_OUR_LATEST})
                UNION ALL
                (SELECT message_id, received_at FROM inbound_mail
                 WHERE conversation = $1 AND state = 'taken' AND message_id IS NOT NULL
                 ORDER BY received_at DESC LIMIT {_THEIR_LATEST})) AS each ORDER BY at""",
        conversation,
        domain,
    )
    return [row["id"] for row in rows]


async def insert(tx: Tx, key: bytes, values: Mapping[str, Any]) -> bool:
    """Keep a mail that came in; False if it came before."""
    names = ", ".join(values)
    return bool(
        await tx.execute(
            f"""INSERT INTO inbound_mail (key, {names})
                SELECT $2, {names} FROM jsonb_populate_record(NULL::inbound_mail, $1) ON CONFLICT (key) DO NOTHING""",
            dict(values),
            key,
        )
    )


async def get(reader: Reader, mail: UUID) -> InboundMail | None:
    """A mail that came in, or None."""
    return await reader.one(InboundMail, f"SELECT {_COLUMNS} FROM {_JOINED} WHERE i.id = $1", mail)


async def lock(tx: Tx, mail: UUID) -> InboundMail | None:
    """A mail that came in, held against changes, or None."""
    return await tx.one(
        InboundMail, f"SELECT {_COLUMNS} FROM {_JOINED} WHERE i.id = $1 FOR NO KEY UPDATE OF i", mail
    )


async def take(tx: Tx, mail: UUID, conversation: UUID, message: UUID) -> None:
    """It is in a conversation now, and kept only there."""
    await tx.execute(
        """UPDATE inbound_mail SET state = 'taken', conversation = $2, message = $3, decided_at = $4, sender = '', name = '',
                  subject = '', body = '', attachments = '[]', marks = '{}' WHERE id = $1""",
        mail,
        conversation,
        message,
        now(),
    )


async def set_state(tx: Tx, mail: UUID, state: str) -> None:
    """Let it wait for staff, or no longer."""
    await tx.execute(
        "UPDATE inbound_mail SET state = $2, decided_at = CASE WHEN $2 = 'waiting' THEN NULL ELSE $3::timestamptz END WHERE id = $1",
        mail,
        state,
        now(),
    )


async def forget(tx: Tx, *, dismissed: timedelta, keys: timedelta) -> None:
    """Forget what was put aside, and of what is in conversations that it came, when its mail server does not repeat it any more."""
    await tx.execute(
        """DELETE FROM inbound_mail WHERE (state = 'dismissed' AND decided_at < $1) OR (state = 'taken' AND received_at < $2)""",
        now() - dismissed,
        now() - keys,
    )
    await tx.execute("DELETE FROM conversation_mail WHERE sent_at < $1", now() - keys)
