"""The verbs of answers: by the shop, by who bought the product, decided, voted for, taken away.

Whoever changes an answer holds its question first, so nothing happens to both at once.
"""

from uuid import UUID

from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.questions import answer_store, events, rules, store
from samlad.questions.deciding import note
from samlad.questions.model import (
    Answer,
    AnswerDecision,
    AnswerInput,
    BuyerAnswer,
    NotBought,
    Question,
    Status,
    Vote,
)
from samlad.questions.permissions import ANSWER, MODERATE
from samlad.questions.service import NO_QUESTION, after, fit, fit_name, not_too_often

NO_ANSWER = "There is no such answer."
ANSWERS_AN_HOUR, VOTES_AN_HOUR = 20, 60
"""Of one address of the network; of one customer where there is none."""


async def answer(tx: Tx, question: UUID, data: AnswerInput, *, version: int | None = None) -> Question:
    """Answer for the shop; an empty answer takes it away. Who asked is told of the first, also where the question is not shown.

    Raises:
        NotFound: there is none, it was taken back, or its address is not confirmed. Outdated: changed since ``version``.
    """
    tx.actor.require(ANSWER)
    asked = await _open(tx, question)
    check_version(version, asked.version)
    text = rules.tidy(data.text)
    before = next((each for each in await store.answers_of(tx, question) if each.kind == "shop"), None)
    is_there = before is not None and before.status is Status.PUBLISHED
    if (before.text if before is not None and is_there else "") == text:
        return asked
    which, at = before.id if before else new_id(), now()
    if not text:
        await answer_store.update(tx, which, {"status": Status.WITHDRAWN, "helpful": 0})
        await answer_store.forget_votes(tx, which)
        fact: log.Fact = events.AnswerRemoved(product=asked.product, answer=which, by="shop")
    else:
        fixed = {"question": question, "kind": "shop", "channel": asked.channel}
        said = {"text": fit(tx, text, "text"), "language": asked.language, "status": Status.PUBLISHED}
        await _keep(tx, before, which, fixed | said | {"author": "", "decided_at": at})
        fact = events.QuestionAnswered(product=asked.product, answer=which, by="shop", text=text)
    await answer_store.set_answered(tx, question, at)
    log.append(tx, fact, subject=question, channel=asked.channel, profile=asked.customer)
    note(tx, fact.event_type, asked)
    return await after(tx, question)


async def answer_as_buyer(tx: Tx, question: UUID, data: BuyerAnswer) -> Answer:
    """A customer who has got the product answers; it waits to be read. Written again it replaces what they said.

    Raises:
        NotBought: they have not. NotFound: no such question is shown. Conflict: it is their own. TooMany, InvalidInput.
    """
    await not_too_often(tx, "questions.answer", ANSWERS_AN_HOUR)
    who = tx.actor.id if tx.actor.kind == "customer" else None
    asked = await _open(tx, question)
    if asked.status is not Status.PUBLISHED:
        raise NotFound(NO_QUESTION)
    name = None if who is None else await store.bought(tx, who, asked.product)
    if who is None or name is None:
        raise NotBought("Only who bought this and has got it can answer.", product=str(asked.product))
    if asked.customer is not None and asked.customer == who:
        raise Conflict("This is your own question.")
    text, author = fit(tx, data.text, "text"), fit_name(tx, data.author) or rules.shown_name(name)
    before = await store.own_answer(tx, question, who)
    is_there = before is not None and before.status in (Status.WAITING, Status.PUBLISHED)
    if before is not None and is_there and (before.text, before.author) == (text, author):
        return before  # sent twice
    which = before.id if before else new_id()
    fixed = {"question": question, "kind": "buyer", "channel": tx.context.channel or asked.channel}
    said = {"text": text, "author": author, "language": data.language, "status": Status.WAITING}
    await _keep(tx, before, which, fixed | said | {"customer": who, "decided_at": None, "decided_by": None})
    if before is not None and before.status is Status.PUBLISHED:
        await answer_store.set_answered(tx, question, now())
    fact = events.AnswerOffered(product=asked.product, answer=which, text=text, author=author)
    log.append(tx, fact, subject=question, channel=asked.channel, profile=who)
    return await _found(tx, which)


async def _keep(tx: Tx, before: Answer | None, which: UUID, values: dict[str, object]) -> None:
    """Keep an answer, or write it anew: votes were for what it said before."""
    state = {"reason": "", "helpful": 0, "written_at": now()}
    if before is None:
        await answer_store.insert(tx, {"id": which, "version": 1} | values | state)
    else:
        await answer_store.update(tx, which, values | state)
        await answer_store.forget_votes(tx, which)


async def decide_answer(tx: Tx, which: UUID, data: AnswerDecision, *, version: int | None = None) -> Answer:
    """Publish what a buyer answered, or decline it; who asked is told of the first that is published.

    Raises:
        NotFound: there is none, or it was taken away. InvalidInput: declined without a reason. Outdated: written anew.
    """
    tx.actor.require(MODERATE)
    asked, before = await _both(tx, which)
    check_version(version, before.version)
    if before.kind != "buyer" or before.status is Status.WITHDRAWN:
        raise NotFound(NO_ANSWER)
    status, reason = Status(data.status), data.reason.strip()
    if status is Status.DECLINED and not reason:
        raise InvalidInput.at("reason", "say why: whoever answered reads this")
    reason = reason if status is Status.DECLINED else ""
    if (before.status, before.reason) == (status, reason):
        return before
    at = now()
    decided = {"status": status, "reason": reason, "decided_at": at, "decided_by": tx.actor.label}
    await answer_store.update(tx, which, decided)
    await answer_store.set_answered(tx, asked.id, at)
    fact: log.Fact
    if status is Status.PUBLISHED:
        fact = events.QuestionAnswered(product=asked.product, answer=which, by="buyer", text=before.text)
    else:
        fact = events.AnswerDeclined(product=asked.product, answer=which, reason=reason)
    whose = asked.customer if status is Status.PUBLISHED else before.customer
    log.append(tx, fact, subject=asked.id, channel=asked.channel, profile=whose)
    note(tx, fact.event_type, asked)
    return await _found(tx, which)


async def withdraw_answer(tx: Tx, which: UUID) -> Answer:
    """The customer who answered takes it away. Again is no error.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    asked, before = await _both(tx, which)
    who = tx.actor.id if tx.actor.kind == "customer" else None
    own = None if who is None else await store.own_answer(tx, asked.id, who)
    if own is None or own.id != which:
        raise NotFound(NO_ANSWER)
    if before.status is Status.WITHDRAWN:
        return before
    await answer_store.update(tx, which, {"status": Status.WITHDRAWN})
    await answer_store.set_answered(tx, asked.id, now())
    fact = events.AnswerRemoved(product=asked.product, answer=which, by="buyer")
    log.append(tx, fact, subject=asked.id, channel=asked.channel, profile=before.customer)
    return await _found(tx, which)


async def vote(tx: Tx, which: UUID, voter: UUID, data: Vote) -> int:
    """Somebody found an answer helpful, or takes that back; how many do now. Twice counts once.

    ``voter`` is the customer, or the random id of a browser; one address can vote 60 times an hour.

    Raises:
        NotFound: there is none that is shown.
    """
    await not_too_often(tx, "questions.vote", VOTES_AN_HOUR)
    counted = await answer_store.vote(tx, which, voter, helpful=data.helpful)
    if counted is None:
        found = await store.get_answer(tx, which)
        if found is None or found.status is not Status.PUBLISHED:
            raise NotFound(NO_ANSWER)
        return found.helpful
    question, product, helpful = counted
    log.append(tx, events.AnswerVoted(product=product, answer=which, helpful=helpful), subject=question)
    return helpful


async def _open(tx: Tx, question: UUID) -> Question:
    found = await store.lock(tx, question)
    if found is None:
        raise NotFound(NO_QUESTION)
    if found.status is Status.WITHDRAWN:
        raise NotFound("Who asked this took it back.")
    if found.status is Status.UNCONFIRMED:
        raise NotFound("Who asked this has not confirmed the address yet.")
    return found


async def _both(tx: Tx, which: UUID) -> tuple[Question, Answer]:
    known = await store.get_answer(tx, which)
    asked = None if known is None else await store.lock(tx, known.question)
    before = await store.get_answer(tx, which)  # as it is now that its question is held
    if asked is None or before is None:
        raise NotFound(NO_ANSWER)
    return asked, before


async def _found(tx: Tx, which: UUID) -> Answer:
    found = await store.get_answer(tx, which)
    assert found is not None
    return found
