"""The verbs of who asks: asked, confirmed, changed until it is answered, taken back and restored; and of who reports.

A guest's question waits for the link in our mail (double opt-in): a person is at that address, and wants the answer. Where no
mails go out it waits for staff at once, and nobody is written to.
"""

from uuid import UUID

from samlad import catalog, channels
from samlad.access import rate
from samlad.customers import are_same, resolve
from samlad.kernel import cards, log, mail
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.questions import events, rules, store
from samlad.questions.model import OwnQuestion, Question, QuestionInput, Report, Status, TextInput
from samlad.questions.permissions import MODERATE, READ

NO_QUESTION = "There is no such question."
LEAST = 3
"""Characters of a question."""
ASKS_AN_HOUR, REPORTS_AN_HOUR = 10, 10
"""Of one address of the network; of one customer where there is none."""


async def read(reader: Reader, actor: Actor, question: UUID) -> Question:
    """A question, for staff.

    Raises:
        NotFound: there is none.
    """
    actor.require(READ)
    found = await store.get(reader, question)
    if found is None:
        raise NotFound(NO_QUESTION)
    return found


async def asked_by(reader: Reader, actor: Actor, customer: UUID, most: int) -> list[OwnQuestion]:
    """The latest questions of a customer, for whoever serves them; none where the role may not see them."""
    if not actor.may(READ):
        return []
    return (await store.OWN.page(reader, ListQuery(limit=most), customer)).items


async def ask(tx: Tx, data: QuestionInput) -> Question:
    """Somebody asks about a product that a channel sells. The same words again are the same question.

    Raises:
        NotFound: no such product here, or no such customer. InvalidInput: nobody to be answered, or advertising. TooMany: from this address.
    """
    await not_too_often(tx, "questions.ask", ASKS_AN_HOUR)
    customer = await _asking(tx, data)
    email = data.email.strip().lower() if data.email and customer is None else None
    if customer is None and email is None:
        raise InvalidInput.at("email", "Write the address that the answer goes to.")
    text = fit(tx, data.text, "text", LEAST)
    channel = await channels.cached(tx, data.channel)
    anchor = await store.anchor(tx, data.product, data.variant)
    if anchor is None or not await _is_sold(tx, channel, data.product):
        raise NotFound("There is no such product in this channel.")
    same = await store.lock_same(tx, data.product, customer, email, text)
    if same is not None:
        return same
    is_confirmed = email is None or not mail.is_set(tx.database.settings)
    question, author = new_id(), fit_name(tx, data.author)
    values = {
        "id": question,
        "version": 1,
        "product": data.product,
        "variant": anchor.variant,
        "options": anchor.options,
        "channel": channel.id,
        "customer": customer,
        "email": email,
        "language": data.language,
        "text": text,
        "author": author,
        "status": Status.WAITING if is_confirmed else Status.UNCONFIRMED,
        "reason": "",
        "was_reason": "",
        "reports": 0,
        "asked_at": now(),
    }
    await store.insert(tx, values)
    said = {"text": text, "author": author} if is_confirmed else {}
    fact = events.QuestionAsked(
        product=data.product, language=data.language, is_confirmed=is_confirmed, **said
    )
    log.append(tx, fact, subject=question, channel=channel.id, profile=customer)
    return await after(tx, question)


async def _asking(tx: Tx, data: QuestionInput) -> UUID | None:
    """The customer who asks, or for whom staff write it down; None for a guest."""
    if data.customer is None:
        return tx.actor.id if tx.actor.kind == "customer" else None
    tx.actor.require(MODERATE)
    found = await resolve(tx, data.customer)
    if found is None:
        raise NotFound("There is no such customer.")
    return found


async def _is_sold(tx: Tx, channel: channels.Channel, product: UUID) -> bool:
    variants = await catalog.variants_of_products(tx, [product])
    sold = await catalog.sellables(tx, channel, variants)
    return any(each.is_available for each in sold.values())


async def confirm(tx: Tx, question: UUID) -> Question:
    """Who asked has followed the link in our mail; the caller has seen it. Again is no error.

    Raises:
        NotFound: there is none (any more).
    """
    before = await _locked(tx, question)
    if before.status is not Status.UNCONFIRMED:
        return before
    await store.update(tx, question, {"status": Status.WAITING})
    fact = events.QuestionConfirmed(
        product=before.product, language=before.language, text=before.text, author=before.author
    )
    log.append(tx, fact, subject=question, channel=before.channel)
    return await after(tx, question)


async def change(tx: Tx, question: UUID, data: TextInput, *, version: int | None = None) -> Question:
    """The customer who asked writes it anew; it waits to be read again. The same words change nothing.

    Raises:
        NotFound: there is none, or it is somebody else's. Conflict: it is answered. Outdated: it was changed meanwhile.
    """
    before = await _own(tx, question, is_proven=False)
    check_version(version, before.version)
    text = fit(tx, data.text, "text", LEAST)
    if text == before.text:
        return before
    if before.answered_at is not None or before.status is Status.WITHDRAWN:
        raise Conflict("It is answered already; ask another question.")
    status = Status.UNCONFIRMED if before.status is Status.UNCONFIRMED else Status.WAITING
    await store.update(tx, question, {"text": text, "status": status, "reason": "", "reports": 0})
    fact = events.QuestionChanged(product=before.product, text=text)
    log.append(tx, fact, subject=question, channel=before.channel, profile=before.customer)
    return await after(tx, question)


async def withdraw(tx: Tx, question: UUID, *, is_proven: bool = False) -> Question:
    """Who asked takes it back: the customer, or whoever has the link in our mail (``is_proven``). Again is no error.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    before = await _own(tx, question, is_proven=is_proven)
    if before.status is Status.WITHDRAWN:
        return before
    await store.update(tx, question, {"status": Status.WITHDRAWN})
    fact = events.QuestionWithdrawn(product=before.product)
    log.append(tx, fact, subject=question, channel=before.channel, profile=before.customer)
    return await after(tx, question)


async def restore(tx: Tx, question: UUID, *, is_proven: bool = False) -> Question:
    """Who took a question back wants it after all; somebody reads it again. One that was not taken back stays as it is.

    Raises:
        NotFound: there is none, or it is somebody else's, or its words are gone.
    """
    before = await _own(tx, question, is_proven=is_proven)
    if before.status is not Status.WITHDRAWN:
        return before
    if not before.text:
        raise NotFound(NO_QUESTION)
    await store.update(tx, question, {"status": Status.WAITING, "reason": ""})
    fact = events.QuestionRestored(product=before.product)
    log.append(tx, fact, subject=question, channel=before.channel, profile=before.customer)
    return await after(tx, question)


async def report(tx: Tx, question: UUID, voter: UUID, data: Report) -> None:
    """Somebody thinks that a question or its answers should not be there: staff look at it. Twice counts once.

    Raises:
        NotFound: there is none that is shown.
    """
    await not_too_often(tx, "questions.report", REPORTS_AN_HOUR)
    reason = rules.tidy(data.reason)
    counted = await store.report(tx, question, voter, reason)
    if counted is None:
        found = await store.get(tx, question)
        if found is None or found.status is not Status.PUBLISHED:
            raise NotFound(NO_QUESTION)
        return
    product, reports = counted
    log.append(tx, events.QuestionReported(product=product, reports=reports, reason=reason), subject=question)


# -- for the modules beside this one ---------------------------------------------------------------------------------------


async def after(tx: Tx, question: UUID) -> Question:
    """A question that is there, as it is now."""
    found = await store.get(tx, question)
    assert found is not None
    return found


async def not_too_often(tx: Tx, bucket: str, most: int) -> None:
    """Count what somebody does who is no staff.

    Raises:
        TooMany: from this address within an hour.
    """
    if tx.actor.kind in ("guest", "customer"):
        await rate.limit(tx, bucket, tx.context.remote or tx.actor.label, per=3600, max=most)


def fit(tx: Tx, text: str, field: str, least: int = 1) -> str:
    """A text as it is kept. Whoever is no staff may not name pages elsewhere.

    Raises:
        InvalidInput: at the field.
    """
    kept = rules.tidy(text)
    if len(kept) < least:
        raise InvalidInput.at(field, "write what you want to say")
    if tx.actor.kind in ("guest", "customer") and rules.advertises(kept):
        raise InvalidInput.at(field, "write it without addresses of web pages")
    cards.refuse(kept, field)
    return kept


def fit_name(tx: Tx, author: str) -> str:
    """A name as it is kept; nothing is one too.

    Raises:
        InvalidInput: it advertises.
    """
    return fit(tx, author, "author") if author.strip() else ""


async def _locked(tx: Tx, question: UUID) -> Question:
    found = await store.lock(tx, question)
    if found is None:
        raise NotFound(NO_QUESTION)
    return found


async def _own(tx: Tx, question: UUID, *, is_proven: bool) -> Question:
    found = await _locked(tx, question)
    is_own = is_proven or (tx.actor.kind == "customer" and await are_same(tx, found.customer, tx.actor.id))
    if not is_own:
        raise NotFound(NO_QUESTION)
    return found
