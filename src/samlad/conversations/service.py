"""The verbs of conversations: begin, write, see and read."""

from uuid import UUID

from samlad import channels, customers
from samlad.access import rate, tokens
from samlad.channels import Channel, Resource
from samlad.conversations import events, rules, store, thread
from samlad.conversations.model import BeginInput, Conversation, Crossed, MessageInput, State, Thread, Way
from samlad.conversations.permissions import READ, WRITE
from samlad.customers import Contact, PersonInput
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound
from samlad.stock import reach

BEGUN_AN_HOUR, BEGUN_A_DAY, WRITTEN_AN_HOUR = 10, 6, 40
"""So many may begin from one network address in an hour and for one e-mail address in a day, and write in an hour."""


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
    if is_staff:
        await reach.require(tx, Resource.CONVERSATIONS, channel.pools[Resource.CONVERSATIONS])
    body, subject = thread.said(data.body), data.subject.strip()
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
            tx,
            "conversations.email",
            tokens.token_hash(who.email or str(who.customer)).hex(),
            per=86_400,
            max=BEGUN_A_DAY,
        )
    made, at, way = data.id or new_id(), now(), Way(data.way)
    order = await _order(tx, data, channel, who, is_staff=is_staff)
    values = {
        "id": made,
        "pool": channel.pools[Resource.CONVERSATIONS],
        "channel": channel.id,
        "language": data.language,
        "subject": subject,
        "topic": data.topic,
        "order_id": order,
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
        "customer": who.customer,
        "name": who.name,
        "email": who.email,
        "phone": who.phone,
    }
    if not await store.insert(tx, values):
        return await _again(tx, made, subject, who)
    word = thread.Word(way=way, medium=data.medium, body=body, name=who.name)
    message = thread.row(tx, word, made, 1, channel.id, at)
    await store.insert_message(tx, message)
    fact = events.ConversationBegun(
        topic=data.topic, way=way, medium=data.medium, order=order, message=message["id"]
    )
    log.append(tx, fact, subject=made, profile=who.customer, channel=channel.id)
    return await thread.found(tx, made)


async def write(tx: Tx, conversation: UUID, data: MessageInput, *, link: str | None = None) -> Conversation:
    """Say the next word, or note something for staff. The same ``id`` again is the same message.

    Raises:
        NotFound: no such conversation, or not this actor's. InvalidInput: nothing said. TooMany.
        Crossed: somebody wrote after what staff say they have ``seen``; nothing was sent.
    """
    before, is_staff = await thread.mine(tx, conversation, link)
    body = thread.said(data.body)
    way = _way(data, is_staff=is_staff)
    if data.id is not None and (sent := await store.message(tx, data.id)) is not None:
        if sent.body != body or not await _is_of_the_same(tx, before, sent.conversation):
            raise Conflict("This id is another message's.")
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
    word = thread.Word(
        id=data.id,
        way=way,
        medium=data.medium if is_staff else "web",
        body=body,
        name=before.name or before.email or "",
        channel=channel.id if channel else None,
        then=State(data.then),
    )
    return await thread.add(tx, before, word)


async def see(tx: Tx, conversation: UUID, number: int, *, link: str | None = None) -> None:
    """The customer has seen what was said up to a number. Again is no error; a number to come is none, either.

    Raises:
        NotFound: no such conversation, or not theirs.
    """
    found = await thread.end(tx, conversation)
    if not await thread.is_theirs(tx, found, link, of=conversation):
        raise NotFound(thread.NO_CONVERSATION)
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
            raise NotFound(thread.NO_CONVERSATION)
        return await shown(reader, found)
    actor.require(READ)
    if found is None:
        raise NotFound(thread.NO_CONVERSATION)
    return Thread(conversation=found, messages=await store.messages(reader, found.id, notes=True))


async def shown(reader: Reader, found: Conversation) -> Thread:
    """What the customer sees of a conversation; whoever calls knows that they may. It may go on in another one."""
    if found.merged_into is not None:
        found = await thread.end(reader, found.merged_into)
    return Thread(conversation=found, messages=await store.messages(reader, found.id, notes=False))


async def by_link(reader: Reader, conversation: UUID) -> Thread:
    """The conversation that a link is of; whoever calls has read the link.

    Raises:
        NotFound: there is none.
    """
    return await shown(reader, await thread.known(reader, conversation))


def _way(data: MessageInput, *, is_staff: bool) -> Way:
    if not is_staff:
        if data.note or data.way == "out" or data.channel is not None:
            raise Forbidden("Only staff note something, or write for somebody else.")
        return Way.IN
    return Way.NOTE if data.note else Way(data.way or "out")


async def _again(tx: Tx, made: UUID, subject: str, who: Contact) -> Conversation:
    first = await thread.found(tx, made)
    reached = first.email or first.phone
    is_same = reached is not None and reached == (who.email or who.phone)
    is_same = is_same or await customers.are_same(tx, first.customer, who.customer)
    if first.subject != subject or not is_same:
        raise Conflict("This id is another conversation's.")
    return first


async def _is_of_the_same(tx: Tx, one: Conversation, other: UUID) -> bool:
    """Conversations are put together and taken apart: what was sent may lie in another one of that customer by now."""
    return one.id == other or await thread.same_person(tx, one, await thread.known(tx, other))


def _by_staff(tx: Tx, data: BeginInput) -> bool:
    is_staff = tx.actor.kind not in ("guest", "customer")
    if not is_staff and (data.customer is not None or data.way != "in" or data.medium != "web"):
        raise Forbidden("Only staff write for somebody else.")
    return is_staff


async def _person(tx: Tx, data: BeginInput, channel: Channel, *, is_staff: bool) -> Contact:
    """Who talks with us. Nobody is linked by it with anybody."""
    known = data.customer if is_staff else tx.actor.id if tx.actor.kind == "customer" else None
    given = PersonInput(email=data.email, name=data.name, phone=data.phone)
    found = await customers.contact(tx, channel.pools[Resource.CUSTOMERS], known, given)
    if found.email is None and known is None and not (is_staff and found.phone):
        raise InvalidInput.at("email", "say where the answer can go")
    return found


async def _order(tx: Tx, data: BeginInput, channel: Channel, who: Contact, *, is_staff: bool) -> UUID | None:
    """The order that it is about, if it is this person's. One that is not is left out, and nobody is told whether it is there."""
    if not data.order or not data.order.strip():
        return None
    found = await store.order_named(tx, channel.id, data.order.strip().lstrip("#"))
    if found is None:
        return None
    order, customer, email = found
    if is_staff or (email is not None and email == who.email):
        return order
    return order if await customers.are_same(tx, customer, who.customer) else None
