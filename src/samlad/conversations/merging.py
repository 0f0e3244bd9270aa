"""The verbs that put two conversations of one customer together, and take them apart again."""

from uuid import UUID

from samlad import customers
from samlad.access import audit
from samlad.conversations import events, store, thread
from samlad.conversations.model import Conversation, State
from samlad.conversations.permissions import WRITE
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict


async def merge(tx: Tx, conversation: UUID, into: UUID) -> Conversation:
    """Let a conversation go on in another one of the same pool. Again is no error; `split` takes it back.

    Raises:
        NotFound: no such conversation. Conflict: it is the same one, or they are of different pools or customers.
    """
    tx.actor.require(WRITE)
    if conversation == into:
        raise Conflict("A conversation cannot go on in itself.")
    for one in sorted(
        (conversation, into)
    ):  # always in the same order, so that two at once do not wait for each other
        await store.lock(tx, one)
    here, there = await thread.known(tx, conversation), await thread.known(tx, into)
    if here.merged_into == there.id:
        return there
    if here.merged_into is not None or there.merged_into is not None:
        raise Conflict("One of them goes on in another conversation already.")
    if here.pool != there.pool or not await _same_person(tx, here, there):
        raise Conflict("These are conversations of two customers.")
    await store.carry(tx, here.id, there.id, there.messages)
    is_open = State.OPEN in (here.state, there.state)
    await store.change(
        tx,
        here.id,
        {"state": State.CLOSED, "snoozed_until": None, "waiting_since": None, "merged_into": there.id},
    )
    await store.change(
        tx, there.id, {"state": State.OPEN, "snoozed_until": None} if is_open else {"last_at": there.last_at}
    )
    for one in (here.id, there.id):
        await store.count_anew(tx, one)
    thread.tell(tx, events.ConversationMerged(into=there.id), here)
    audit.record(tx, "conversation.merged", "conversation", here.id, after={"into": there.id})
    return await thread.found(tx, there.id)


async def split(tx: Tx, conversation: UUID) -> Conversation:
    """Let a conversation that goes on in another one stand by itself again, with what was said in it. Again is no error.

    Raises:
        NotFound: no such conversation.
    """
    tx.actor.require(WRITE)
    here = await thread.known(tx, conversation)
    if here.merged_into is None:
        return here
    for one in sorted((here.id, here.merged_into)):
        await store.lock(tx, one)
    here = await thread.known(tx, conversation)
    if here.merged_into is None:
        return here
    held = await thread.held(tx, here.merged_into)
    assert held is not None
    there = held.id
    await store.change(tx, here.id, {"merged_into": None, "state": State.OPEN})
    # What went on in it before comes along: it goes on in this one still.
    await store.carry(tx, there, here.id, 0, only=await store.gone_into(tx, here.id))
    for one in (here.id, there):
        await store.count_anew(tx, one)
    thread.tell(tx, events.ConversationSplit(out_of=there), here)
    audit.record(tx, "conversation.split", "conversation", here.id, before={"into": there})
    return await thread.found(tx, here.id)


async def _same_person(tx: Tx, one: Conversation, other: Conversation) -> bool:
    if one.email is not None and one.email == other.email:
        return True
    return await customers.are_same(tx, one.customer, other.customer)
