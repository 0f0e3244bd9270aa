"""Putting two conversations of one customer together, and taking them apart again."""

from typing import Any
from uuid import UUID

import msgspec

from samlad.access import audit
from samlad.conversations import events, rules, store, thread
from samlad.conversations.model import BeforeMerge, Conversation, Kept, State
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
    if here.pool != there.pool or not await thread.same_person(tx, here, there):
        raise Conflict("These are conversations of two customers.")
    await store.carry(tx, here.id, there.id, there.messages)
    state, until = rules.together(here, there)
    before = BeforeMerge(here=_kept(here), there=_kept(there), version=there.version + 1)
    gone = {"state": State.CLOSED, "snoozed_until": None, "waiting_since": None, "merged_into": there.id}
    await store.change(tx, here.id, {**gone, "before_merge": msgspec.to_builtins(before)})
    seen = rules.seen_of_both(here, there)
    await store.change(
        tx, there.id, {"state": state, "snoozed_until": until, "seen": seen, "last_at": there.last_at}
    )
    for one in (here.id, there.id):
        await store.count_anew(tx, one)
    thread.tell(tx, events.ConversationMerged(into=there.id), here)
    audit.record(tx, "conversation.merged", "conversation", here.id, after={"into": there.id})
    return await thread.found(tx, there.id)


async def split(tx: Tx, conversation: UUID) -> Conversation:
    """Let a conversation that goes on in another one stand by itself again, with what was said in it and in those that
    went on in it before. Again is no error.

    Both are as they were before; what happened since in the one that it went on in stays.

    Raises:
        NotFound: no such conversation.
    """
    tx.actor.require(WRITE)
    await thread.known(tx, conversation)
    end = await store.lock_end(tx, conversation)
    here = await thread.known(tx, conversation)
    if here.merged_into is None or end is None:
        return here
    into, before = here.merged_into, await store.before_merge(tx, here.id)
    values: dict[str, Any] = {"merged_into": None, "before_merge": None, "state": State.OPEN}
    if before is not None:
        values |= msgspec.structs.asdict(before.here)
    await store.change(tx, here.id, values)
    await store.carry(tx, end.id, here.id, 0, only=await store.leading_to(tx, here.id))
    if before is not None and end.id == into and end.version == before.version:
        await store.change(tx, end.id, msgspec.structs.asdict(before.there))
    for one in (here.id, end.id):
        await store.count_anew(tx, one)
    thread.tell(tx, events.ConversationSplit(out_of=into), here)
    audit.record(tx, "conversation.split", "conversation", here.id, before={"into": into})
    return await thread.found(tx, here.id)


def _kept(of: Conversation) -> Kept:
    return Kept(state=of.state, snoozed_until=of.snoozed_until, seen=of.seen)
