"""What becomes of questions: published, declined or read once more, one or many together, and taken back together."""

from collections.abc import Sequence
from uuid import UUID

from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.questions import events, store
from samlad.questions.model import MOST_AT_ONCE, Decision, Question, Status
from samlad.questions.permissions import MODERATE
from samlad.questions.service import NO_QUESTION, after

_DECIDABLE = (Status.WAITING, Status.PUBLISHED, Status.DECLINED)


async def decide(
    tx: Tx, question: UUID, data: Decision, *, version: int | None = None, batch: UUID | None = None
) -> Question:
    """Publish a question, decline it, or let it wait once more. Decided the same way again only clears reports.

    ``batch`` is an id of the caller's for several, by which `take_back` lets them stand as before.

    Raises:
        NotFound: there is none, it was taken back, or its address is not confirmed. InvalidInput: declined without a reason.
        Outdated: it was written anew, or somebody else decided, since ``version``.
    """
    tx.actor.require(MODERATE)
    before = await store.lock(tx, question)
    if before is None:
        raise NotFound(NO_QUESTION)
    check_version(version, before.version)
    if before.status is Status.WITHDRAWN:
        raise NotFound("Who asked this took it back.")
    if before.status is Status.UNCONFIRMED:
        raise NotFound("Who asked this has not confirmed the address yet.")
    await _decide(tx, [before], data, batch or new_id())
    return await after(tx, question)


async def decide_many(tx: Tx, questions: Sequence[UUID], data: Decision, *, batch: UUID) -> int:
    """Decide questions together; how many that changed. Those that cannot be decided, or stand so already, stay as they are.

    ``batch`` is an id of the caller's, by which it is taken back; sent twice it is done once.

    Raises:
        InvalidInput: none or too many of them, or declined without a reason.
    """
    tx.actor.require(MODERATE)
    if not 1 <= len(set(questions)) <= MOST_AT_ONCE:
        raise InvalidInput.at("questions", f"between 1 and {MOST_AT_ONCE}")
    held = await store.lock_many(tx, sorted(set(questions)))
    return await _decide(tx, [each for each in held if each.status in _DECIDABLE], data, batch)


async def _decide(tx: Tx, held: Sequence[Question], data: Decision, batch: UUID) -> int:
    status, reason = Status(data.status), data.reason.strip()
    if status is Status.DECLINED and not reason:
        raise InvalidInput.at("reason", "say why: whoever asked reads this")
    reason = reason if status is Status.DECLINED else ""
    is_open = status is Status.WAITING
    changed = [
        each
        for each in held
        if each.status is not status or not (is_open or (each.reason, each.reports) == (reason, 0))
    ]
    if not changed:
        return 0
    at, by = (None, None) if is_open else (now(), tx.actor.label)
    await store.decide(tx, [each.id for each in changed], status, reason, batch, at, by)
    for each in changed:
        fact = _decided(each, status, reason)
        log.append(tx, fact, subject=each.id, channel=each.channel, profile=each.customer)
        note(tx, fact.event_type, each, status)
    return len(changed)


def _decided(question: Question, status: Status, reason: str) -> log.Fact:
    if status is Status.PUBLISHED:
        return events.QuestionPublished(product=question.product)
    if status is Status.DECLINED:
        return events.QuestionDeclined(product=question.product, reason=reason)
    return events.QuestionReopened(product=question.product, status=status)


async def take_back(tx: Tx, batch: UUID) -> int:
    """Let questions that were decided together stand as before, as far as nobody changed them since; how many."""
    tx.actor.require(MODERATE)
    held = await store.lock_batch(tx, batch)
    now_so = await store.take_back(tx, batch) if held else {}
    for each in held:
        fact = events.QuestionReopened(product=each.product, status=now_so[each.id])
        log.append(tx, fact, subject=each.id, channel=each.channel, profile=each.customer)
        note(tx, fact.event_type, each, Status(now_so[each.id]))
    return len(now_so)


def note(tx: Tx, verb: str, before: Question, status: Status | None = None) -> None:
    """Into the audit log; words are personal and stay out of it, because nobody can erase from there."""
    then = {"status": status} if status is not None else None
    audit.record(tx, verb, "question", before.id, before={"status": before.status}, after=then)
