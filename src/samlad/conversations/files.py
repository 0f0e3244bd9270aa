"""Files that customers send with mails: kept with the message, handed out to whoever may read it, gone with it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.conversations import enclosed
from samlad.conversations.enclosed import Enclosed, KeptFile
from samlad.conversations.model import Attached, Thread
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound

NONE = "There is no such file."


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it is handed out."""

    name: str
    type: str
    content: bytes


async def chosen(
    tx: Tx, files: Sequence[Enclosed], conversation: UUID | None
) -> tuple[list[Attached], list[KeptFile]]:
    """What is told of files, and which are kept: what there is room for in their conversation, or among mails that wait."""
    if not files:
        return [], []
    if conversation is None:
        used = await tx.value(
            "SELECT coalesce(sum(size), 0)::bigint FROM conversation_file WHERE mail IS NOT NULL"
        )
        return enclosed.choose(files, enclosed.MOST_WAITING - used)
    used = await tx.value(
        """SELECT coalesce(sum(f.size), 0)::bigint FROM conversation_message m JOIN conversation_file f ON f.message = m.id
           WHERE m.conversation = $1""",
        conversation,
    )
    return enclosed.choose(files, enclosed.MOST_OF_THREAD - used)


async def keep(
    tx: Tx, kept: Sequence[KeptFile], *, message: UUID | None = None, mail: UUID | None = None
) -> None:
    """Keep files with what they came with."""
    for each in kept:
        await tx.execute(
            """INSERT INTO conversation_file (id, message, mail, name, type, stored_as, content, size)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
            each.told.id,
            message,
            mail,
            each.told.name,
            each.told.type,
            each.stored_as,
            each.content,
            each.told.size,
        )


async def move(tx: Tx, mail: UUID, message: UUID) -> None:
    """The files of a mail that waited are those of a message now."""
    await tx.execute("UPDATE conversation_file SET mail = NULL, message = $2 WHERE mail = $1", mail, message)


async def of_thread(reader: Reader, thread: Thread, file: UUID) -> File:
    """A file of what somebody may read: the thread as they read it says which there are.

    Raises:
        NotFound: it names no such file, or it was erased.
    """
    if file not in {each.id for message in thread.messages for each in message.attachments}:
        raise NotFound(NONE)
    return await _one(reader, "SELECT name, type, content FROM conversation_file WHERE id = $1", file)


async def of_mail(reader: Reader, mail: UUID, file: UUID) -> File:
    """A file of a mail that waits for staff.

    Raises:
        NotFound: there is none, or the mail is in a conversation.
    """
    sql = "SELECT name, type, content FROM conversation_file WHERE id = $1 AND mail = $2"
    return await _one(reader, sql, file, mail)


async def _one(reader: Reader, sql: str, *values: UUID) -> File:
    found = await reader.one(File, sql, *values)
    if found is None:
        raise NotFound(NONE)
    return found
