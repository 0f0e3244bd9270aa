"""Mails to who asked: the link that confirms a guest's address, and once that there is an answer, or that
the question is not shown and why. They asked for it, so none needs a consent; whether the answer's mail reports when it is read does."""

from urllib.parse import quote

from samlad import channels, customers
from samlad.access import rate, tokens
from samlad.channels import Channel
from samlad.consent import reporting
from samlad.kernel import mail
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.i18n import negotiate, translator
from samlad.kernel.log import Event
from samlad.kernel.mail import Mail
from samlad.kernel.problems import TooMany
from samlad.kernel.vault import Vault
from samlad.questions import links, store
from samlad.questions.events import QuestionAnswered, QuestionAsked, QuestionDeclined
from samlad.questions.model import Asker, Status

MAIL_SECONDS, MOST_MAILS = 3600, 3
"""That ask to confirm, to one address in so many seconds."""
DECLINED_SECONDS = 365 * 86_400


async def follow(tx: Tx, event: Event) -> None:
    """Ask who is no customer to confirm; tell who asked, once, that there is an answer."""
    settings, fact = tx.database.settings, event.fact()
    if event.subject is None or not mail.is_set(settings):
        return
    asker = await store.asker(tx, event.subject)
    if asker is None or asker.status is Status.WITHDRAWN:
        return
    channel = await channels.cached(tx, asker.channel)
    if isinstance(fact, QuestionAsked) and asker.status is Status.UNCONFIRMED and asker.email:
        await _ask_to_confirm(tx, channel, asker, asker.email)
    elif isinstance(fact, QuestionAnswered) and asker.status is not Status.UNCONFIRMED:
        await _tell(tx, channel, asker, fact)
    elif isinstance(fact, QuestionDeclined) and asker.status is Status.DECLINED:  # not taken back meanwhile
        await _tell_declined(tx, channel, asker)


async def _ask_to_confirm(tx: Tx, channel: Channel, asker: Asker, to: str) -> None:
    try:  # anybody can type somebody's address: they hear of it, but not again and again
        await rate.limit(
            tx, "questions.mail.to", tokens.token_hash(to).hex(), per=MAIL_SECONDS, max=MOST_MAILS
        )
    except TooMany:
        return
    keys, _ = Vault.of(tx.database.settings), translator(negotiate(asker.language)).gettext
    # What was typed is not in it: nobody shall write to others through us. The page behind the link shows it.
    text = _(
        "Somebody asked about %(what)s at %(shop)s and gave this address for the answer.\n\nIf that was you, please confirm it, and we read "
        "your question:\n\n%(link)s\n\nIf it was not you, do nothing: without the link nobody reads it, and it is gone in two weeks."
    ) % {
        "what": asker.product_title,
        "shop": channel.name,
        "link": channels.shop_address(tx.database.settings, channel) + links.path(keys, asker.id),
    }
    subject = _("Did you ask this? %(shop)s") % {"shop": channel.name}
    await mail.send(
        tx, keys, Mail(to=to, sender=channel.name, subject=subject, text=text, kind="question-confirm")
    )


async def _address(tx: Tx, asker: Asker) -> str | None:
    if asker.email is not None or asker.customer is None:
        return asker.email
    customer = await customers.current(tx, asker.customer)
    return customer.email if customer else None


async def _tell_declined(tx: Tx, channel: Channel, asker: Asker) -> None:
    """Say why a question is not shown: once, however often it is decided anew, and not after an answer."""
    to = await _address(tx, asker)
    if to is None or asker.told_at is not None:
        return
    try:
        await rate.limit(tx, "questions.mail.declined", str(asker.id), per=DECLINED_SECONDS, max=1)
    except TooMany:
        return
    keys, _ = Vault.of(tx.database.settings), translator(negotiate(asker.language)).gettext
    own = "/account/questions" if asker.customer is not None else links.path(keys, asker.id)
    text = _(
        "You asked about %(what)s:\n\n%(question)s\n\nWe do not show this question:\n\n%(reason)s\n\nHere you can change or delete it:\n\n%(link)s"
    ) % {
        "what": asker.product_title,
        "question": asker.text,
        "reason": asker.reason,
        "link": channels.shop_address(tx.database.settings, channel) + own,
    }
    subject = _("About your question: %(what)s") % {"what": asker.product_title}
    letter = Mail(to=to, sender=channel.name, subject=subject, text=text, kind="question-declined")
    await mail.send(tx, keys, letter)


async def _tell(tx: Tx, channel: Channel, asker: Asker, fact: QuestionAnswered) -> None:
    to = await _address(tx, asker)
    answer = await store.get_answer(tx, fact.answer)  # taken away again meanwhile, or written anew
    if to is None or answer is None or answer.status is not Status.PUBLISHED:
        return
    if not await store.claim_telling(tx, asker.id, now()):
        return
    keys, _ = Vault.of(tx.database.settings), translator(negotiate(asker.language)).gettext
    told = {
        "what": asker.product_title,
        "question": asker.text,
        "answer": answer.text,
        "link": channels.shop_address(tx.database.settings, channel) + _where(keys, asker),
    }
    text = (
        _(
            "You asked about %(what)s:\n\n%(question)s\n\nOur answer:\n\n%(answer)s\n\nHere it is once more:\n\n%(link)s"
        )
        if answer.kind == "shop"
        else _(
            "You asked about %(what)s:\n\n%(question)s\n\nSomebody who bought it here answers:\n\n%(answer)s\n\nHere it is once more:\n\n%(link)s"
        )
    ) % told
    subject = _("Answered: %(what)s") % {"what": asker.product_title}
    letter = Mail(to=to, sender=channel.name, subject=subject, text=text, kind="question-answered")
    at = int(now().timestamp())
    letter = await reporting.reported(tx, keys, channel, asker.customer, "question-answered", letter, at=at)
    await mail.send(tx, keys, letter)


def _where(keys: Vault, asker: Asker) -> str:
    if asker.status is Status.PUBLISHED:
        return f"/p/{quote(asker.handle, safe='')}/questions/{asker.id}"
    return "/account/questions" if asker.customer is not None else links.path(keys, asker.id)


FOLLOWERS = [
    Follower(
        name="question-mails",
        handle=follow,
        types=("question.asked", "question.answered", "question.declined"),
    ),
]
