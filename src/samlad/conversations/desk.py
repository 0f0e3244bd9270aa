"""The verbs of the desk: assign, snooze, close and open again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad.access import staff as people
from samlad.conversations import events, store, thread
from samlad.conversations.model import ChangeInput, Conversation, State
from samlad.conversations.permissions import WRITE
from samlad.kernel import cards
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import InvalidInput, NotFound, Outdated
from samlad.kernel.sweepers import Sweeper

LONGEST_SNOOZE = timedelta(days=366)
WOKEN, SECONDS = 100, 30


async def change(
    tx: Tx, conversation: UUID, data: ChangeInput, *, version: int | None = None
) -> Conversation:
    """Assign it, snooze it, close it or open it again, or say better what it is about. As it is already: no error.

    Raises:
        NotFound: no such conversation. Outdated: not the version that was seen.
        InvalidInput: nobody of the staff, or no time to come.
    """
    tx.actor.require(WRITE)
    before, _ = await thread.mine(tx, conversation, None)
    if version is not None and version != before.version:
        raise Outdated("Somebody changed it meanwhile.", current=before.version)
    values: dict[str, Any] = {}
    if data.state is not msgspec.UNSET and data.snoozed_until is not msgspec.UNSET:
        raise InvalidInput.at("snoozed_until", "either a state or a time, not both")
    if data.snoozed_until is not msgspec.UNSET:
        if not now() < data.snoozed_until < now() + LONGEST_SNOOZE:
            raise InvalidInput.at("snoozed_until", "a moment within the next year")
        values |= {"state": State.SNOOZED, "snoozed_until": data.snoozed_until}
    elif data.state is not msgspec.UNSET:
        values |= {"state": State(data.state), "snoozed_until": None}
    if data.assignee is not msgspec.UNSET:
        name = None if data.assignee is None else await _name_of(tx, data.assignee)
        values |= {"assignee": data.assignee, "assignee_name": name}
    if data.topic is not msgspec.UNSET:
        values["topic"] = data.topic
    if data.subject is not msgspec.UNSET:
        cards.refuse(data.subject, "subject")
        values["subject"] = data.subject.strip() or before.subject
    changed = {name: value for name, value in values.items() if getattr(before, name) != value}
    if not changed:
        return before
    await store.change(tx, before.id, values)
    if "state" in changed:
        await store.count_anew(tx, before.id)  # since when the customer waits, if it is open again
    _tell_changes(tx, before, changed)
    return await thread.found(tx, before.id)


def _tell_changes(tx: Tx, before: Conversation, changed: dict[str, Any]) -> None:
    if "assignee" in changed:
        thread.tell(tx, events.ConversationAssigned(staff=changed["assignee"]), before)
    state = changed.get("state")
    if state is State.CLOSED:
        thread.tell(tx, events.ConversationClosed(), before)
    elif "snoozed_until" in changed and changed["snoozed_until"] is not None:
        thread.tell(tx, events.ConversationSnoozed(until=changed["snoozed_until"]), before)
    elif state is State.OPEN:
        thread.tell(tx, events.ConversationReopened(), before)
    if state is State.PENDING or {"topic", "subject"} & changed.keys():
        thread.tell(tx, events.ConversationChanged(), before)


async def _name_of(tx: Tx, staff: UUID) -> str:
    try:
        found = await people.get(tx, staff)
    except NotFound:
        raise InvalidInput.at("assignee", "is nobody of the staff") from None
    if found.status != "active":
        raise InvalidInput.at("assignee", "does not work here now")
    return found.name


async def wake(database: Database) -> int:
    """Open what was snoozed until now; how many."""
    return await database.transaction(_wake, Context(actor=SYSTEM))


async def _wake(tx: Tx) -> int:
    found = await store.wake(tx, WOKEN)
    for one in found:
        await store.count_anew(tx, one.id)
        thread.tell(tx, events.ConversationReopened(woken=True), one)
    return len(found)


SWEEPERS = [Sweeper("conversations-wake", SECONDS, wake)]
