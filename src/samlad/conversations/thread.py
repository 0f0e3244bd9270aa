"""What the verbs of conversations share: whose a thread is, the next word of it, and what is told of that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad import customers
from samlad.conversations import events, links, rules, store
from samlad.conversations.model import Attached, Conversation, Mark, State, Way
from samlad.conversations.permissions import WRITE
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Stale, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound

NO_CONVERSATION = "There is no such conversation."


async def known(reader: Reader, conversation: UUID) -> Conversation:
    """A conversation.

    Raises:
        NotFound: there is none.
    """
    found = await store.one(reader, conversation)
    if found is None:
        raise NotFound(NO_CONVERSATION)
    return found


async def found(reader: Reader, conversation: UUID) -> Conversation:
    """A conversation that is there."""
    found = await store.one(reader, conversation)
    assert found is not None
    return found


async def end(reader: Reader, conversation: UUID) -> Conversation:
    """Where a conversation goes on, if anywhere; what it goes on in may itself go on in another one.

    Raises:
        NotFound: there is none.
    """
    found = await known(reader, conversation)
    while found.merged_into is not None:
        found = await known(reader, found.merged_into)
    return found


async def same_person(reader: Reader, one: Conversation, other: Conversation) -> bool:
    """Whether two conversations are of one customer."""
    if one.id == other.id or (one.email is not None and one.email == other.email):
        return True
    return await customers.are_same(reader, one.customer, other.customer)


async def mine(tx: Tx, conversation: UUID, link: str | None) -> tuple[Conversation, bool]:
    """A conversation that this actor may write in, held against changes, and whether they are staff.

    What goes on in another conversation goes on there.
    """
    is_staff = tx.actor.kind not in ("customer", "guest")
    if is_staff:
        tx.actor.require(WRITE)
    found = await store.lock_end(tx, conversation)
    if found is not None and is_staff:
        return found, True
    if found is None or not await is_theirs(tx, found, link, of=conversation):
        raise NotFound(NO_CONVERSATION)
    return found, False


async def is_theirs(tx: Tx, found: Conversation, link: str | None, *, of: UUID) -> bool:
    """Whether the actor, or who has the link, is the customer whose conversation it is; ``of``: the one that they name."""
    if link is not None:
        return links.read(tx.database.settings, link) in (found.id, of)
    return tx.actor.kind == "customer" and await customers.are_same(tx, found.customer, tx.actor.id)


def said(text: str) -> str:
    """A message as it is kept.

    Raises:
        InvalidInput: nothing is said. CardNumber.
    """
    body = rules.tidy(text)
    if not body:
        raise InvalidInput.at("body", "write something")
    cards.refuse(body, "body")
    return body


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What is said next. ``name``: the customer's; ``channel`` none: that of the conversation; ``then`` is for an answer."""

    way: Way
    medium: str
    body: str
    name: str = ""
    id: UUID | None = None
    channel: UUID | None = None
    then: State = State.PENDING
    marks: Sequence[Mark] = ()
    attachments: Sequence[Attached] = ()


def row(tx: Tx, word: Word, conversation: UUID, number: int, channel: UUID, at: datetime) -> dict[str, Any]:
    """A word as it is stored."""
    is_customers = word.way is Way.IN or Mark.AUTOMATIC in word.marks
    return {
        "id": word.id or new_id(),
        "conversation": conversation,
        "number": number,
        "origin": conversation,
        "channel": channel,
        "way": word.way,
        "medium": word.medium,
        "author": None if is_customers or tx.actor.kind != "staff" else tx.actor.id,
        "author_name": word.name if is_customers else tx.actor.name,
        "body": word.body,
        "marks": list(word.marks),
        "attachments": list(word.attachments),
        "at": at,
    }


async def add(tx: Tx, before: Conversation, word: Word) -> Conversation:
    """Say the next word in a conversation that is locked, and tell it; the conversation after it."""
    at = now()
    values = rules.after(before, word.way, at, word.then)
    message = row(tx, word, before.id, values["messages"], word.channel or before.channel, at)
    if not await store.insert_message(tx, message):
        raise Stale  # said at the same moment in another conversation: look again which one that is
    if word.way is Way.OUT and before.assignee is None and tx.actor.kind == "staff":
        values |= {"assignee": tx.actor.id, "assignee_name": tx.actor.name}  # who answers looks after it
    await store.change(tx, before.id, values)
    _tell_word(tx, before, word, values, message)
    return msgspec.structs.replace(before, **values, version=before.version + 1)


def _tell_word(
    tx: Tx, before: Conversation, word: Word, values: dict[str, Any], message: dict[str, Any]
) -> None:
    number, medium = message["number"], word.medium
    fact: log.Fact
    if word.way is Way.NOTE:
        fact = events.ConversationNoted(number=number)
    elif word.way is Way.IN:
        fact = events.ConversationWritten(
            number=number,
            medium=medium,
            reopened=before.state in (State.CLOSED, State.SNOOZED),
        )
    else:
        waited = None if before.waiting_since is None else message["at"] - before.waiting_since
        fact = events.ConversationAnswered(
            number=number,
            medium=medium,
            message=message["id"],
            staff=message["author"],
            waited_seconds=None if waited is None else max(0, int(waited.total_seconds())),
        )
    tell(tx, fact, before, message["channel"])
    if "assignee" in values:
        tell(tx, events.ConversationAssigned(staff=values["assignee"]), before)
    if values.get("state") is State.CLOSED and before.state is not State.CLOSED:
        tell(tx, events.ConversationClosed(), before)


def tell(tx: Tx, fact: log.Fact, of: Conversation, channel: UUID | None = None) -> None:
    """Append a fact about a conversation."""
    log.append(tx, fact, subject=of.id, profile=of.customer, channel=channel or of.channel)
