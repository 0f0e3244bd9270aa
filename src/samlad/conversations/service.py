"""The verbs of conversations: begin, write, answer, note, assign, snooze, close."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, customers
from samlad.access import rate
from samlad.access import staff as people
from samlad.channels import Channel, Resource
from samlad.conversations import events, links, rules, store
from samlad.conversations.model import (
    BeginInput,
    ChangeInput,
    Conversation,
    Crossed,
    MessageInput,
    State,
    Thread,
    Way,
)
from samlad.conversations.permissions import READ, WRITE
from samlad.customers import PersonInput
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Actor, Context
from samlad.kernel.database import Database, Reader, Stale, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, Outdated
from samlad.kernel.sweepers import Sweeper

NO_CONVERSATION = "There is no such conversation."
ANOTHERS = "This id is another message's."
BEGUN_AN_HOUR, BEGUN_A_DAY, WRITTEN_AN_HOUR = 10, 6, 40
"""So many may begin from one network address in an hour and for one e-mail address in a day, and write in an hour."""
LONGEST_SNOOZE = timedelta(days=366)
WOKEN, SECONDS = 100, 30


async def begin(tx: Tx, data: BeginInput) -> Conversation:
    """Say the first word. The same ``id`` again is the same conversation.

    Raises:
        NotFound: no such channel or customer. InvalidInput: nobody who can be answered, or nothing said.
        TooMany: from this address, or for this e-mail address. Conflict: the id is another conversation's.
    """
    is_staff = _by_staff(tx, data)
    if is_staff:
        tx.actor.require(WRITE)
    channel = await channels.get(tx, data.channel)
    body, subject = _said(data.body), data.subject.strip()
    cards.refuse(subject, "subject")
    if not subject:
        raise InvalidInput.at("subject", "say in a few words what it is about")
    who = await _person(tx, data, channel, is_staff=is_staff)
    if data.id is not None and await store.one(tx, data.id) is not None:
        return await _again(tx, data.id, subject, who)  # before it is counted: sent twice is begun once
    if not is_staff:
        key = tx.context.remote or tx.actor.label
        await rate.limit(tx, "conversations.begin", key, per=3600, max=BEGUN_AN_HOUR)
        await rate.limit(
            tx, "conversations.email", who["email"] or str(who["customer"]), per=86_400, max=BEGUN_A_DAY
        )
    made, at, way = data.id or new_id(), now(), Way(data.way)
    values = {
        "id": made,
        "pool": channel.pools[Resource.CONVERSATIONS],
        "channel": channel.id,
        "language": data.language,
        "subject": subject,
        "topic": data.topic,
        "order_id": await _order(tx, data, channel, who, is_staff=is_staff),
        "state": State.OPEN if way is Way.IN else State.PENDING,
        "waiting_since": at if way is Way.IN else None,
        "last_at": at,
        "messages": 1,
        "words": 1,
        "answers": 0 if way is Way.IN else 1,
        "seen": 1 if way is Way.IN else 0,
        "begun_at": at,
        "begun_by": tx.actor.label,
        "version": 1,
        **who,
    }
    if not await store.insert(tx, values):
        return await _again(tx, made, subject, who)
    message = _message(tx, made, 1, channel.id, way, data.medium, body, who["name"], new_id(), at)
    await store.insert_message(tx, message)
    fact = events.ConversationBegun(
        topic=data.topic, way=way, medium=data.medium, order=values["order_id"], message=message["id"]
    )
    log.append(tx, fact, subject=made, profile=who["customer"], channel=channel.id)
    return await found_now(tx, made)


async def write(tx: Tx, conversation: UUID, data: MessageInput, *, link: str | None = None) -> Conversation:
    """Say the next word, or note something for staff. The same ``id`` again is the same message.

    Raises:
        NotFound: no such conversation, or not this actor's. InvalidInput: nothing said. TooMany.
        Crossed: somebody wrote after what staff say they have ``seen``; nothing was sent.
    """
    before, is_staff = await _mine(tx, conversation, link)
    body = _said(data.body)
    way = _way(data, is_staff=is_staff)
    if data.id is not None and (sent := await store.message(tx, data.id)) is not None:
        if sent.body != body or not await _is_of_the_same(tx, before, sent.conversation):
            raise Conflict(ANOTHERS)
        return before
    if not is_staff:
        await rate.limit(
            tx,
            "conversations.write",
            tx.context.remote or str(before.id),
            per=3600,
            max=WRITTEN_AN_HOUR,
        )
    elif way is Way.OUT and rules.is_crossed(before, data.seen):
        raise Crossed(
            "Somebody wrote while you did. Read it, then send your answer again.", words=before.words
        )
    channel = await channels.get(tx, data.channel) if data.channel and is_staff else None
    at = now()
    values = rules.after(before, way, at, State(data.then))
    medium = data.medium if is_staff else "web"
    name = before.name or before.email or ""
    message = _message(
        tx,
        before.id,
        values["messages"],
        channel.id if channel else before.channel,
        way,
        medium,
        body,
        name,
        data.id or new_id(),
        at,
    )
    if not await store.insert_message(tx, message):
        raise Stale  # said at the same moment in another conversation: look again which one that is
    if way is Way.OUT and before.assignee is None and tx.actor.kind == "staff":
        values |= {"assignee": tx.actor.id, "assignee_name": tx.actor.name}  # who answers looks after it
    await store.change(tx, before.id, values)
    _tell(tx, before, way, values, message)
    return await found_now(tx, before.id)


def _tell(
    tx: Tx,
    before: Conversation,
    way: Way,
    values: dict[str, Any],
    message: dict[str, Any],
) -> None:
    number, medium = message["number"], message["medium"]
    fact: log.Fact
    if way is Way.NOTE:
        fact = events.ConversationNoted(number=number)
    elif way is Way.IN:
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
    log_of(tx, fact, before, message["channel"])
    if "assignee" in values:
        log_of(tx, events.ConversationAssigned(staff=values["assignee"]), before)
    if values.get("state") is State.CLOSED and before.state is not State.CLOSED:
        log_of(tx, events.ConversationClosed(), before)


async def change(
    tx: Tx, conversation: UUID, data: ChangeInput, *, version: int | None = None
) -> Conversation:
    """Assign it, snooze it, close it or open it again, or say better what it is about. As it is already: no error.

    Raises:
        NotFound: no such conversation. Outdated: not the version that was seen.
        InvalidInput: nobody of the staff, or no time to come.
    """
    tx.actor.require(WRITE)
    before, _ = await _mine(tx, conversation, None)
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
    return await found_now(tx, before.id)


def _tell_changes(tx: Tx, before: Conversation, changed: dict[str, Any]) -> None:
    if "assignee" in changed:
        log_of(tx, events.ConversationAssigned(staff=changed["assignee"]), before)
    state = changed.get("state")
    if state is State.CLOSED:
        log_of(tx, events.ConversationClosed(), before)
    elif "snoozed_until" in changed and changed["snoozed_until"] is not None:
        log_of(tx, events.ConversationSnoozed(until=changed["snoozed_until"]), before)
    elif state is State.OPEN:
        log_of(tx, events.ConversationReopened(), before)
    if state is State.PENDING or {"topic", "subject"} & changed.keys():
        log_of(tx, events.ConversationChanged(), before)


async def see(tx: Tx, conversation: UUID, number: int, *, link: str | None = None) -> None:
    """The customer has seen what was said up to a number. Again is no error; a number to come is none, either.

    Raises:
        NotFound: no such conversation, or not theirs.
    """
    found = await _end(tx, conversation)
    if not await _is_theirs(tx, found, link, of=conversation):
        raise NotFound(NO_CONVERSATION)
    await store.see(tx, found.id, number)


async def read(reader: Reader, actor: Actor, conversation: UUID) -> Thread:
    """A conversation with its messages: for staff whole, for the customer whose it is without notes.

    Raises:
        NotFound: there is none that they may see.
    """
    found = await store.one(reader, conversation)
    if actor.kind in ("customer", "guest"):
        if found is None or not await customers.are_same(
            reader, found.customer, actor.id if actor.kind == "customer" else None
        ):
            raise NotFound(NO_CONVERSATION)
        return await shown(reader, found)
    actor.require(READ)
    if found is None:
        raise NotFound(NO_CONVERSATION)
    return Thread(conversation=found, messages=await store.messages(reader, found.id, notes=True))


async def shown(reader: Reader, found: Conversation) -> Thread:
    """What the customer sees of a conversation; whoever calls knows that they may. It may go on in another one."""
    if found.merged_into is not None:
        found = await _end(reader, found.merged_into)
    return Thread(conversation=found, messages=await store.messages(reader, found.id, notes=False))


async def by_link(reader: Reader, conversation: UUID) -> Thread:
    """The conversation that a link is of; whoever calls has read the link.

    Raises:
        NotFound: there is none.
    """
    return await shown(reader, await known(reader, conversation))


async def wake(database: Database) -> int:
    """Open what was snoozed until now; how many."""
    return await database.transaction(_wake, Context(actor=SYSTEM))


async def _wake(tx: Tx) -> int:
    found = await store.wake(tx, WOKEN)
    for one in found:
        await store.count_anew(tx, one.id)
        log_of(tx, events.ConversationReopened(woken=True), one)
    return len(found)


SWEEPERS = [Sweeper("conversations-wake", SECONDS, wake)]


def log_of(tx: Tx, fact: log.Fact, of: Conversation, channel: UUID | None = None) -> None:
    """Say what happened to a conversation; ``channel`` if it was not in its own."""
    log.append(tx, fact, subject=of.id, profile=of.customer, channel=channel or of.channel)


def _said(text: str) -> str:
    body = rules.tidy(text)
    if not body:
        raise InvalidInput.at("body", "write something")
    cards.refuse(body, "body")
    return body


def _way(data: MessageInput, *, is_staff: bool) -> Way:
    if not is_staff:
        if data.note or data.way == "out" or data.channel is not None:
            raise Forbidden("Only staff note something, or write for somebody else.")
        return Way.IN
    return Way.NOTE if data.note else Way(data.way or "out")


def _message(
    tx: Tx,
    conversation: UUID,
    number: int,
    channel: UUID,
    way: Way,
    medium: str,
    body: str,
    customer_name: str,
    message: UUID,
    at: Any,
) -> dict[str, Any]:
    is_customers = way is Way.IN
    return {
        "id": message,
        "conversation": conversation,
        "number": number,
        "origin": conversation,
        "channel": channel,
        "way": way,
        "medium": medium,
        "author": None if is_customers or tx.actor.kind != "staff" else tx.actor.id,
        "author_name": customer_name if is_customers else tx.actor.name,
        "body": body,
        "at": at,
    }


async def _again(tx: Tx, made: UUID, subject: str, who: dict[str, Any]) -> Conversation:
    first = await found_now(tx, made)
    reached = (first.email, first.phone) if first.email is None else first.email
    same = await customers.are_same(tx, first.customer, who["customer"]) or reached == (
        (who["email"], who["phone"]) if who["email"] is None else who["email"]
    )
    if first.subject != subject or not same:
        raise Conflict("This id is another conversation's.")
    return first


async def _mine(tx: Tx, conversation: UUID, link: str | None) -> tuple[Conversation, bool]:
    """A conversation that this actor may write in, held against changes, and whether they are staff.

    What goes on in another conversation goes on there.
    """
    found = await store.lock_end(tx, conversation)
    if found is not None and tx.actor.kind not in ("customer", "guest"):
        tx.actor.require(WRITE)
        return found, True
    if found is None or not await _is_theirs(tx, found, link, of=conversation):
        raise NotFound(NO_CONVERSATION)
    return found, False


async def _is_theirs(tx: Tx, found: Conversation, link: str | None, *, of: UUID) -> bool:
    if link is not None:
        return links.read(tx.database.settings, link) in (found.id, of)
    return tx.actor.kind == "customer" and await customers.are_same(tx, found.customer, tx.actor.id)


async def known(reader: Reader, conversation: UUID) -> Conversation:
    """A conversation.

    Raises:
        NotFound: there is none.
    """
    found = await store.one(reader, conversation)
    if found is None:
        raise NotFound(NO_CONVERSATION)
    return found


async def _end(reader: Reader, conversation: UUID) -> Conversation:
    """Where a conversation goes on, if anywhere; what it goes on in may itself go on in another one."""
    found = await known(reader, conversation)
    while found.merged_into is not None:
        found = await known(reader, found.merged_into)
    return found


async def found_now(reader: Reader, conversation: UUID) -> Conversation:
    """A conversation that is there, as it is by now."""
    found = await store.one(reader, conversation)
    assert found is not None
    return found


async def same_person(reader: Reader, one: Conversation, other: Conversation) -> bool:
    """Whether two conversations are of one customer."""
    if one.id == other.id or (one.email is not None and one.email == other.email):
        return True
    return await customers.are_same(reader, one.customer, other.customer)


async def _is_of_the_same(tx: Tx, one: Conversation, other: UUID) -> bool:
    """Conversations are put together and taken apart: what was sent may lie in another one of that customer by now."""
    return one.id == other or await same_person(tx, one, await known(tx, other))


async def _name_of(tx: Tx, staff: UUID) -> str:
    try:
        found = await people.get(tx, staff)
    except NotFound:
        raise InvalidInput.at("assignee", "is nobody of the staff") from None
    if found.status != "active":
        raise InvalidInput.at("assignee", "does not work here now")
    return found.name


def _by_staff(tx: Tx, data: BeginInput) -> bool:
    is_staff = tx.actor.kind not in ("guest", "customer")
    if not is_staff and (data.customer is not None or data.way != "in" or data.medium != "web"):
        raise Forbidden("Only staff write for somebody else.")
    return is_staff


async def _person(tx: Tx, data: BeginInput, channel: Channel, *, is_staff: bool) -> dict[str, Any]:
    """Who talks with us: customer, name, e-mail address, phone. Nobody is linked by it with anybody."""
    known = data.customer if is_staff else tx.actor.id if tx.actor.kind == "customer" else None
    pool = channel.pools[Resource.CUSTOMERS]
    email = data.email.strip().lower() if data.email else None
    found = None
    if known is not None:
        found = await customers.current(tx, known)
        if found is None or found.pool != pool:
            raise NotFound("There is no such customer in this channel.")
        email = email or (found.email.lower() if found.email else None)
    elif email is not None:
        person = PersonInput(email=email, name=data.name, phone=data.phone)
        found = await customers.find_or_create(tx, pool, person)
    own = found if known is not None else None  # what is on file is not told to who only says an address
    name = data.name or (own.name if own else None) or ""
    phone = data.phone or (own.phone if own else None)
    if email is None and known is None and not (is_staff and phone):
        raise InvalidInput.at("email", "say where the answer can go")
    return {"customer": found.id if found else None, "name": name, "email": email, "phone": phone}


async def _order(
    tx: Tx, data: BeginInput, channel: Channel, who: dict[str, Any], *, is_staff: bool
) -> UUID | None:
    """The order that it is about, if it is this person's. One that is not is left out, and nobody is told whether it is there."""
    if not data.order or not data.order.strip():
        return None
    found = await store.order_named(tx, channel.id, data.order.strip().lstrip("#"))
    if found is None:
        return None
    order, customer, email = found
    if is_staff or (email is not None and email == who["email"]):
        return order
    return order if await customers.are_same(tx, customer, who["customer"]) else None
