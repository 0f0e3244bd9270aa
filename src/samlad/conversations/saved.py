"""The verbs of saved replies: what is answered often, written once."""

from typing import Any
from uuid import UUID

from samlad.access import audit
from samlad.conversations import events, rules, store
from samlad.conversations.model import ReplyInput, SavedReply
from samlad.conversations.permissions import READ, SETUP
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Outdated

NO_REPLY = "There is no such saved reply."


async def all_of(reader: Reader, actor: Actor) -> list[SavedReply]:
    """The saved replies, by name."""
    actor.require(READ)
    return await store.replies(reader)


async def is_kept(reader: Reader, reply: UUID) -> bool:
    """Whether there is such a saved reply, and it is not deleted."""
    return await store.reply(reader, reply) is not None


async def name_of(reader: Reader, reply: UUID) -> str:
    """What a saved reply is called, deleted or not.

    Raises:
        NotFound: no such reply.
    """
    found = await store.reply(reader, reply) or await store.reply(reader, reply, deleted=True)
    if found is None:
        raise NotFound(NO_REPLY)
    return found.name


async def put(
    tx: Tx, data: ReplyInput, *, reply: UUID | None = None, version: int | None = None
) -> SavedReply:
    """Save a reply, or change one (``reply``).

    Raises:
        NotFound: no such reply. Conflict: another one has this name in this language. Outdated. InvalidInput: it is empty.
    """
    tx.actor.require(SETUP)
    name, body = data.name.strip(), rules.tidy(data.body)
    for field, value in (("name", name), ("body", body)):
        if not value:
            raise InvalidInput.at(field, "write something")
        cards.refuse(value, field)
    before = None
    if reply is None:
        made = new_id()
        is_kept = await store.insert_reply(
            tx, {"id": made, "name": name, "language": data.language, "body": body, "version": 1}
        )
    else:
        made, before = reply, await store.reply(tx, reply)
        if before is None:
            raise NotFound(NO_REPLY)
        is_kept = not await store.name_taken(tx, name, data.language, reply)
        if is_kept and not await store.update_reply(tx, reply, version, (name, data.language, body)):
            raise Outdated("Somebody changed it meanwhile.", current=before.version)
    if not is_kept:
        raise Conflict(f"There is a saved reply “{name}” in this language.")
    after = await store.reply(tx, made)
    assert after is not None
    log.append(tx, events.SavedReplySet(), subject=made)
    audit.record(tx, "saved_reply.set", "saved_reply", made, before=before, after=after)
    return after


async def delete(tx: Tx, reply: UUID) -> None:
    """Delete a saved reply. Again is no error; `restore` takes it back.

    Raises:
        NotFound: no such reply.
    """
    await _delete(tx, reply, is_back=False)


async def restore(tx: Tx, reply: UUID) -> None:
    """Take a deletion back. Again is no error.

    Raises:
        NotFound: no such reply. Conflict: another one has its name now.
    """
    await _delete(tx, reply, is_back=True)


async def _delete(tx: Tx, reply: UUID, *, is_back: bool) -> None:
    tx.actor.require(SETUP)
    here: Any = await store.reply(tx, reply, deleted=is_back)
    if here is None:
        if await store.reply(tx, reply, deleted=not is_back) is None:
            raise NotFound(NO_REPLY)
        return
    if is_back and await store.name_taken(tx, here.name, here.language, reply):
        raise Conflict(f"There is a saved reply “{here.name}” in this language.")
    if await store.delete_reply(tx, reply, None if is_back else now()):
        log.append(tx, events.SavedReplyDeleted(restored=is_back), subject=reply)
        verb = "saved_reply.restored" if is_back else "saved_reply.deleted"
        audit.record(tx, verb, "saved_reply", reply, before=here)
