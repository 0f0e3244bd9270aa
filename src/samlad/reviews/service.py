"""The verbs of reviews: written by who bought, decided and answered by staff, voted for and reported by anybody.

The numbers of a product change in the transaction that changes a review, by exactly what it changed: the review is locked
first, so whoever changes it next sees what was counted.
"""

from typing import Any
from uuid import UUID

import msgspec

from samlad.access import audit, rate
from samlad.catalog.search import index
from samlad.content import photograph_store
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.reviews import events, rules, store
from samlad.reviews.model import (
    Answer,
    Decision,
    NotBought,
    Purchase,
    Report,
    Review,
    ReviewInput,
    Status,
    Totals,
    Vote,
)
from samlad.reviews.permissions import MODERATE, READ

NO_REVIEW = "There is no such review."
WRITES_AN_HOUR, VOTES_AN_HOUR, REPORTS_AN_HOUR = 20, 60, 10
"""Of one address; of one customer where there is no address."""


async def read(reader: Reader, actor: Any, review: UUID) -> Review:
    """A review, for staff.

    Raises:
        NotFound: there is none.
    """
    actor.require(READ)
    found = await store.get(reader, review)
    if found is None:
        raise NotFound(NO_REVIEW)
    return found


async def totals(reader: Reader, product: UUID) -> Totals:
    """How many approved reviews a product has, and what they say on average."""
    found = await store.by_stars(reader, [product])
    return rules.totals(found[product]) if product in found else Totals()


async def write_as_customer(tx: Tx, data: ReviewInput) -> Review:
    """A signed-in customer reviews something that they bought, in whatever order.

    Raises:
        NotBought: they did not. InvalidInput, TooMany: as `write`.
    """
    bought = (
        await store.purchase(tx, data.product, customer=tx.actor.id) if tx.actor.kind == "customer" else None
    )
    return await _write(tx, data, bought)


async def write_for_order(tx: Tx, order: UUID, data: ReviewInput) -> Review:
    """Who placed an order reviews a product of it. The caller has seen proof: the order's link, or a permission.

    Raises:
        NotBought: the product is not in it, or has not gone out yet. InvalidInput, TooMany: as `write`.
    """
    return await _write(tx, data, await store.purchase(tx, data.product, order=order))


async def write_for_somebody(tx: Tx, data: ReviewInput) -> Review:
    """Staff write down what a customer said, for an order.

    Raises:
        NotBought: as `write_for_order`. InvalidInput: without the order.
    """
    tx.actor.require(MODERATE)
    if data.order is None:
        raise InvalidInput.at("order", "say by which order it was bought")
    return await write_for_order(tx, data.order, data)


async def _write(tx: Tx, data: ReviewInput, bought: Purchase | None) -> Review:
    """Keep a review, or write it anew: it waits for somebody to read it, and until then is not shown."""
    await _not_too_often(tx, "reviews.write", WRITES_AN_HOUR)
    if bought is None:
        raise NotBought("Only who bought this and has got it can review it.", product=str(data.product))
    words = {"title": data.title.strip(), "text": rules.tidy(data.text)}
    for name, value in words.items():
        cards.refuse(value, name)
    said: dict[str, Any] = words | {
        "stars": data.stars,
        "author": data.author.strip() or rules.shown_name(bought.name),
        "language": data.language,
    }
    before = await store.lock_own(tx, data.product, bought)
    is_there = before is not None and before.status in (Status.WAITING, Status.APPROVED)
    if before is not None and is_there and all(getattr(before, n) == value for n, value in said.items()):
        return before  # sent twice
    review = before.id if before else new_id()
    state = {"status": Status.WAITING, "reason": "", "written_at": now(), "helpful": 0, "reports": 0}
    if before is None:
        taken = {"order_id": bought.order, "channel": bought.channel, "customer": bought.customer}
        goods = {"product": data.product, "variant": bought.variant, "options": bought.options}
        fixed = {"id": review, "version": 1}
        await store.insert(tx, fixed | taken | goods | said | state)
    else:
        await store.update(tx, review, said | state | {"decided_at": None, "decided_by": None})
        await store.forget_reactions(tx, review)
        await _count(tx, before, Status.WAITING, data.stars)
    fact = events.ReviewWritten(product=data.product, order=bought.order, is_new=before is None, **said)
    log.append(tx, fact, subject=review, channel=bought.channel, profile=bought.customer)
    return await _after(tx, review)


async def withdraw(tx: Tx, review: UUID, *, order: UUID | None = None) -> Review:
    """Who wrote a review takes it back: the customer, or whoever has the ``order``'s link. Again is no error.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    before = await store.lock(tx, review)
    is_own = before is not None and (
        before.order_id == order
        or (tx.actor.kind == "customer" and await store.is_customer(tx, before.customer, tx.actor.id))
    )
    if before is None or not is_own:
        raise NotFound(NO_REVIEW)
    if before.status is Status.WITHDRAWN:
        return before
    await store.update(tx, review, {"status": Status.WITHDRAWN})
    await photograph_store.remove(tx, review)
    await _count(tx, before, Status.WITHDRAWN)
    fact = events.ReviewWithdrawn(product=before.product)
    log.append(tx, fact, subject=review, channel=before.channel, profile=before.customer)
    return await _after(tx, review)


async def decide(
    tx: Tx, review: UUID, data: Decision, *, version: int | None = None, batch: UUID | None = None
) -> Review:
    """Show a review, refuse it, or let it wait once more. Shown or refused the same way again only clears reports.

    ``batch`` is an id of the caller's for several, by which `take_back` lets them stand as before.

    Raises:
        NotFound: there is none, or it was withdrawn. Outdated: it was written anew, or somebody else decided.
        InvalidInput: a refusal without a reason.
    """
    tx.actor.require(MODERATE)
    before = await _locked(tx, review, version)
    if before.status is Status.WITHDRAWN:
        raise NotFound("Who wrote this review took it back.")
    status, reason = Status(data.status), data.reason.strip()
    if status is Status.REFUSED and not reason:
        raise InvalidInput.at("reason", "say why: whoever wrote it reads this")
    reason = reason if status is Status.REFUSED else ""
    is_open = status is Status.WAITING
    if before.status is status and (is_open or (before.reason, before.reports) == (reason, 0)):
        return before
    decided = (
        {"decided_at": None, "decided_by": None}  # its reports stay: they may be why it is read once more
        if is_open
        else {"decided_at": now(), "decided_by": tx.actor.label, "reports": 0}
    )
    await store.update(
        tx, review, {"status": status, "reason": reason} | decided | _was(before, batch, is_open=is_open)
    )
    await _count(tx, before, status)
    _tell(tx, before, _decided(before, status, reason), status)
    return await _after(tx, review)


def _was(before: Review, batch: UUID | None, *, is_open: bool) -> dict[str, Any]:
    if batch is None:
        return {}
    names = ("status", "reason", "decided_at", "decided_by")
    kept: dict[str, Any] = {f"was_{name}": getattr(before, name) for name in names}
    return kept | {"was_reports": 0 if is_open else before.reports, "batch": batch}


def _decided(before: Review, status: Status, reason: str) -> log.Fact:
    if status is Status.APPROVED:
        return events.ReviewApproved(product=before.product, stars=before.stars)
    if status is Status.REFUSED:
        return events.ReviewRefused(product=before.product, stars=before.stars, reason=reason)
    return _reopened(before, status)


def _tell(tx: Tx, before: Review, fact: log.Fact, status: Status) -> None:
    log.append(tx, fact, subject=before.id, channel=before.channel, profile=before.customer)
    _audit(tx, fact, before, status=status)


async def take_back(tx: Tx, batch: UUID) -> int:
    """Let reviews that were decided together stand as before, as far as nobody changed them since; how many."""
    tx.actor.require(MODERATE)
    held = await store.lock_batch(tx, batch)
    now_so = await store.take_back(tx, batch) if held else {}
    for before in held:
        status = now_so[before.id]
        await _count(tx, before, status)
        _tell(tx, before, _reopened(before, status), status)
    return len(held)


def _reopened(before: Review, status: Status) -> log.Fact:
    return events.ReviewReopened(product=before.product, stars=before.stars, status=status)


async def answer(tx: Tx, review: UUID, data: Answer, *, version: int | None = None) -> Review:
    """Answer a review, for everybody to read; an empty answer takes it away.

    Raises:
        NotFound: there is none. Outdated: somebody changed it since ``version``.
    """
    tx.actor.require(MODERATE)
    before = await _locked(tx, review, version)
    text = rules.tidy(data.text) or None
    if text == before.reply:
        return before
    await store.update(tx, review, {"reply": text, "replied_at": now() if text else None})
    fact = events.ReviewAnswered(product=before.product, text=text or "")
    log.append(tx, fact, subject=review, channel=before.channel, profile=before.customer)
    _audit(tx, fact, before)
    return await _after(tx, review)


async def vote(tx: Tx, review: UUID, voter: UUID, data: Vote) -> int:
    """Somebody found a review helpful, or takes that back; how many do now. Twice counts once.

    ``voter`` is the customer, or the random id of a browser; one address can vote 60 times an hour.

    Raises:
        NotFound: there is none that is shown.
    """
    await _not_too_often(tx, "reviews.vote", VOTES_AN_HOUR)
    counted = await store.vote(tx, review, voter, helpful=data.helpful)
    if counted is None:
        return (await _shown(tx, review)).helpful
    product, helpful = counted
    log.append(tx, events.ReviewVoted(product=product, helpful=helpful), subject=review)
    return helpful


async def report(tx: Tx, review: UUID, voter: UUID, data: Report) -> None:
    """Somebody thinks that a review should not be there: staff look at it. Twice counts once.

    Raises:
        NotFound: there is none that is shown.
    """
    await _not_too_often(tx, "reviews.report", REPORTS_AN_HOUR)
    reason = rules.tidy(data.reason)
    counted = await store.report(tx, review, voter, reason)
    if counted is None:
        await _shown(tx, review)
        return
    product, reports = counted
    log.append(tx, events.ReviewReported(product=product, reports=reports, reason=reason), subject=review)


async def _shown(tx: Tx, review: UUID) -> Review:
    found = await store.get(tx, review)
    if found is None or found.status is not Status.APPROVED:
        raise NotFound(NO_REVIEW)
    return found


async def _locked(tx: Tx, review: UUID, version: int | None) -> Review:
    found = await store.lock(tx, review)
    if found is None:
        raise NotFound(NO_REVIEW)
    check_version(version, found.version)
    return found


async def _after(tx: Tx, review: UUID) -> Review:
    found = await store.get(tx, review)
    assert found is not None
    return found


async def _count(tx: Tx, before: Review, status: Status, stars: int | None = None) -> None:
    """Take account of a review, held, that was as ``before`` and now has another status (and stars)."""
    changes: dict[int, int] = {}
    if before.status is Status.APPROVED:
        changes[before.stars] = -1
    if status is Status.APPROVED:
        now_stars = stars or before.stars
        changes[now_stars] = changes.get(now_stars, 0) + 1
    if not any(changes.values()):
        return
    found = rules.totals(await store.count(tx, before.product, changes))
    await index.put_rating(tx, before.product, found.average, found.count, rules.standing(found))


async def _not_too_often(tx: Tx, bucket: str, most: int) -> None:
    if tx.actor.kind in ("guest", "customer"):
        await rate.limit(tx, bucket, tx.context.remote or tx.actor.label, per=3600, max=most)


def _audit(tx: Tx, fact: log.Fact, before: Review, **after: Any) -> None:
    # Its words are personal and stay out of the audit log, which nobody can erase from.
    changed = msgspec.to_builtins(after) or None
    audit.record(tx, fact.event_type, "review", before.id, before={"status": before.status}, after=changed)
