"""The verbs for mails that come in: what customers answer lands in its conversation, and what is in doubt waits for staff.

First evidence is the address that a mail came to, signed for one conversation (`links.mail_address`); second is which mail of
ours it answers, and that counts only from the customer's own address. Neither subject nor sender alone are evidence of anything.
Where our mail server checks senders (`proof`), an answer of which it does not say that it is from whom it says waits for staff.
Nothing here answers, so nothing can go round in a circle.
"""

from uuid import UUID

from samlad import customers
from samlad.access import audit, rate, tokens
from samlad.conversations import (
    events,
    files,
    letter,
    links,
    mail_store,
    proof,
    rules,
    service,
    store,
    thread,
)
from samlad.conversations.letter import Letter
from samlad.conversations.model import (
    LONGEST,
    Attached,
    BeginInput,
    Conversation,
    InboundMail,
    Mark,
    Medium,
    Received,
    Way,
    Why,
)
from samlad.conversations.permissions import RECEIVE, WRITE
from samlad.conversations.thread import Word
from samlad.kernel import bounces, cards, log, mailboxes
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, NotFound
from samlad.kernel.settings import Settings

IN_AN_HOUR, WAITING_A_DAY = 40, 20
"""So many mails of a conversation are taken in an hour, and so many of a sender wait for staff in a day; more are asked to come later."""


async def receive(tx: Tx, raw: bytes) -> Received:
    """Take a mail as it came, bounce or answer. The same mail again is nothing.

    Raises:
        TooMany: the conversation, or the sender, had too many lately; it may come again later.
    """
    tx.actor.require(RECEIVE)
    if told := bounces.read(raw):
        return Received(what="bounced", addresses=await mailboxes.take(tx, told))
    found, settings = letter.read(raw), tx.database.settings
    if found.is_report or not found.sender or _is_ours(settings, found):
        return Received(what="passed")
    where, reason = await _where(tx, settings, found)
    if where is None and found.is_automatic:
        return Received(what="passed")  # nobody asked for it, and nobody can be answered
    # Held from here on, so that two that bring the same mail at once do not both say it.
    here = None if where is None else await store.lock_end(tx, where)
    if reason is None and here is not None:
        reason = await _doubt(tx, here, found)
    if reason is None and not _is_proved(settings, found):
        reason = Why.UNPROVED
    if reason is None and here is not None:
        return await _take(tx, here, found)
    return await _wait(tx, here, found, reason or Why.NO_THREAD)


def _is_ours(settings: Settings, found: Letter) -> bool:
    """Whether we sent it ourselves: it came round."""
    return (
        found.sender in {(settings.mail_from or "").lower(), settings.mail_replies.lower()}
        or (links.of_mail_address(settings, found.sender)[0])
    )


def _is_proved(settings: Settings, found: Letter) -> bool:
    """Whether our mail server vouches for the sender; without one whose word counts nobody does, and the address has to do."""
    ours = settings.mail_authserv_id
    return not ours or proof.is_proved(found.results, ours, found.sender)


async def _where(tx: Tx, settings: Settings, found: Letter) -> tuple[UUID | None, Why | None]:
    """Which conversation a mail says that it is of, and why that cannot be believed."""
    named = [links.of_mail_address(settings, address) for address in found.to]
    signed = await _roots(tx, [each for is_one, each in named if is_one and each is not None])
    answered = await _roots(tx, await mail_store.of_mails(tx, found.answers) if found.answers else [])
    if any(is_one and each is None for is_one, each in named):
        return next(iter(answered), None), Why.FORGED
    if len(signed | answered) > 1:
        return next(iter(signed or answered), None), Why.TWO_THREADS
    if signed:
        return next(iter(signed)), None
    if not answered:
        return None, Why.NO_THREAD
    where = next(iter(answered))
    here = await thread.known(tx, where)
    return where, None if await _is_customer(tx, here, found.sender) else Why.OTHER_SENDER


async def _roots(tx: Tx, conversations: list[UUID]) -> set[UUID]:
    """Where conversations go on; those that are there."""
    roots = set()
    for each in conversations:
        here = await store.one(tx, each)
        while here is not None and here.merged_into is not None:
            here = await store.one(tx, here.merged_into)
        if here is not None:
            roots.add(here.id)
    return roots


async def _doubt(tx: Tx, here: Conversation, found: Letter) -> Why | None:
    """Why a mail with the right address is not put into its conversation all the same."""
    if here.customer is None and here.email is None and not here.name:
        return Why.ERASED
    if await _is_customer(tx, here, found.sender):
        return None
    return Why.OTHER_CUSTOMER if await customers.with_emails(tx, [found.sender]) else None


async def _is_customer(tx: Tx, here: Conversation, sender: str) -> bool:
    """Whether an address is the customer's: the one of the conversation, or one of who they are known to be."""
    if sender == here.email:
        return True
    known = await customers.with_emails(tx, [sender])
    return any([await customers.are_same(tx, here.customer, each) for each in known])


def _kept(found: Letter) -> tuple[list[Mark], str]:
    """What is kept of what it says, and what staff should know of it."""
    marks = [Mark.AUTOMATIC] if found.is_automatic else []
    body = rules.tidy(found.text)
    clean = cards.redact(body)
    if clean != body:
        marks.append(Mark.CARD)
    if len(clean) > LONGEST:
        marks.append(Mark.SHORTENED)
        clean = clean[: LONGEST - 2].rstrip() + " …"
    return marks, clean


async def _take(tx: Tx, here: Conversation, found: Letter) -> Received:
    """Say it in its conversation. What a program wrote is a note: nobody waits for an answer to it."""
    marks, body = _kept(found)
    if not await _is_customer(tx, here, found.sender):
        marks.append(Mark.OTHER_ADDRESS)
    told, kept = await files.chosen(tx, found.attachments, here.id)
    word = _word(here, found.sender, found.name, body, marks, told)
    values = {
        "id": new_id(),
        "message_id": found.message_id,
        "state": "taken",
        "conversation": here.id,
        "message": word.id,
    }
    if not await mail_store.insert(tx, found.key, values):
        return Received(what="again")
    await rate.limit(tx, "conversations.mail", str(here.id), per=3600, max=IN_AN_HOUR)
    await thread.add(tx, here, word)
    await files.keep(tx, kept, message=word.id)
    return Received(what="taken", conversation=here.id)


def _word(
    here: Conversation, sender: str, name: str, body: str, marks: list[Mark], attachments: list[Attached]
) -> Word:
    """What is said by a mail; who sent it from another address is named with that."""
    own = here.name or here.email or sender
    return Word(
        id=new_id(),
        way=Way.NOTE if Mark.AUTOMATIC in marks else Way.IN,
        medium=Medium.MAIL,
        body=body,
        name=f"{name} <{sender}>".strip() if Mark.OTHER_ADDRESS in marks else own,
        marks=marks,
        attachments=attachments,
    )


async def _wait(tx: Tx, here: Conversation | None, found: Letter, reason: Why) -> Received:
    """Keep it for staff."""
    marks, body = _kept(found)
    made = new_id()
    told, kept = await files.chosen(tx, found.attachments, None)
    values = {
        "id": made,
        "message_id": found.message_id,
        "state": "waiting",
        "reason": reason,
        "conversation": here.id if here else None,
        "sender": found.sender,
        "name": found.name,
        "subject": cards.redact(found.subject),
        "body": body,
        "marks": marks,
        "attachments": told,
    }
    if not await mail_store.insert(tx, found.key, values):
        return Received(what="again")
    await files.keep(tx, kept, mail=made)
    key = tokens.token_hash(found.sender).hex()  # whose it is cannot be read from what is counted
    await rate.limit(tx, "conversations.waiting-mail", key, per=86_400, max=WAITING_A_DAY)
    log.append(tx, events.InboundMailWaiting(reason=reason), subject=made)
    return Received(what="waiting")


async def place(tx: Tx, mail: UUID, conversation: UUID) -> Conversation:
    """Put a mail that waits into a conversation. The same again is nothing.

    Raises:
        NotFound: no such mail or conversation. Conflict: it is in another conversation already.
    """
    tx.actor.require(WRITE, shop_wide=True)
    found = await _held(tx, mail)
    here = await store.lock_end(tx, conversation)
    if here is None:
        raise NotFound(thread.NO_CONVERSATION)
    if found.state == "taken":
        return await _same(tx, here, found)
    marks = list(found.marks)
    if not await _is_customer(tx, here, found.sender):
        marks.append(Mark.OTHER_ADDRESS)
    word = _word(here, found.sender, found.name, found.body, marks, found.attachments)
    after = await thread.add(tx, here, word)
    assert word.id is not None
    await files.move(tx, mail, word.id)
    await mail_store.take(tx, mail, here.id, word.id)
    _tell(tx, mail, "taken", here.id)
    return after


async def _same(tx: Tx, here: Conversation, found: InboundMail) -> Conversation:
    """The conversation that a mail is in already; it may have gone on in another one since."""
    assert found.conversation is not None
    if (await thread.end(tx, found.conversation)).id != here.id:
        raise Conflict("This mail is in another conversation already.")
    return here


async def begin(tx: Tx, mail: UUID, channel: UUID, *, language: str) -> Conversation:
    """Begin a conversation with a mail that waits. The same again is the conversation that began.

    Raises:
        NotFound: no such mail or channel. InvalidInput: it says nothing.
    """
    tx.actor.require(WRITE, shop_wide=True)
    found = await _held(tx, mail)
    if found.state == "taken":
        assert found.conversation is not None
        return await thread.known(tx, found.conversation)
    names = " · ".join(each.name for each in found.attachments)
    made = await service.begin(
        tx,
        BeginInput(
            channel=channel,
            subject=found.subject or found.sender[:150],
            body=found.body or names or found.subject or found.sender,
            email=found.sender,
            name=found.name or None,
            language=language,
            way="in",
            medium="mail",
        ),
    )
    said = await store.numbered(tx, made.id, 1)
    assert said is not None
    await store.came_with(tx, said.id, found.marks, found.attachments)
    await files.move(tx, mail, said.id)
    await mail_store.take(tx, mail, made.id, said.id)
    _tell(tx, mail, "taken", made.id)
    return made


async def dismiss(tx: Tx, mail: UUID, *, is_dismissed: bool = True) -> InboundMail:
    """Put a mail aside, or (False) let it wait again. As it is already: no error.

    Raises:
        NotFound: no such mail. Conflict: it is in a conversation.
    """
    tx.actor.require(WRITE, shop_wide=True)
    found = await _held(tx, mail)
    state = "dismissed" if is_dismissed else "waiting"
    if found.state == state:
        return found
    if found.state == "taken":
        raise Conflict("This mail is in a conversation already.")
    await mail_store.set_state(tx, mail, state)
    _tell(tx, mail, state, None)
    return await _held(tx, mail)


async def _held(tx: Tx, mail: UUID) -> InboundMail:
    found = await mail_store.lock(tx, mail)
    if found is None:
        raise NotFound("There is no such mail.")
    return found


def _tell(tx: Tx, mail: UUID, state: str, conversation: UUID | None) -> None:
    log.append(tx, events.InboundMailDecided(state=state, conversation=conversation), subject=mail)
    audit.record(tx, f"inbound_mail.{state}", "inbound_mail", mail, after={"conversation": conversation})
