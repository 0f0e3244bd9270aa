"""Gift cards that go to somebody by mail, on the day that was chosen.

The value is on the card from its payment on. The code is made when the mail is written, in the same transaction, so it is kept
nowhere meanwhile and goes to one person, once.
"""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import structlog
from babel.dates import format_date

from samlad import channels
from samlad.access import audit
from samlad.channels import Channel
from samlad.credit import codes, events, gift_cards, mail_store, sold_with
from samlad.credit.mail_model import CardMail, CardSent, MailDay
from samlad.credit.mail_planning import fits, moment_of
from samlad.credit.model import CardState, CardStatus, GiftCard
from samlad.credit.permissions import ISSUE
from samlad.kernel import log, mail
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.i18n import LOCALES, dated_locale, formatting_locale, negotiate, translator
from samlad.kernel.mail import Mail
from samlad.kernel.money import format_money
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.kernel.vault import Vault

SWEEP = 200

logger = structlog.get_logger("samlad.credit")


async def change_day(tx: Tx, card_id: UUID, data: MailDay) -> CardMail:
    """Let the mail go on another day. The same day twice is once.

    Raises:
        NotFound: the card goes to nobody by mail. CardSent. CardState: it is worth nothing any more.
        InvalidInput: the day cannot be.
    """
    tx.actor.require(ISSUE)
    card, before = await _hold(tx, card_id)
    channel = await channels.cached(tx, card.channel)
    send_on, send_at = moment_of(data.send_on, now(), channel.time_zone)
    fits(card, send_on)
    if send_on != before.send_on:
        await mail_store.set_day(tx, card_id, send_on, send_at)
        fact = events.GiftCardMailPlanned(
            last_four=card.last_four,
            currency=card.currency,
            balance=card.balance,
            send_on=send_on,
            before=before.send_on,
        )
        log.append(tx, fact, subject=card_id, channel=card.channel)
        change = {"send_on": send_on.isoformat()}
        audit.record(tx, "gift-card.mail-moved", "gift-card", card_id, after=change)
    return await read(tx, card_id)


async def send_now(tx: Tx, card_id: UUID) -> CardMail:
    """Send it at once, whatever its day. Asked twice, the second is told that it was sent.

    Raises:
        NotFound: the card goes to nobody by mail. CardSent.
        CardState: it is not paid yet, it is blocked, or worth nothing any more.
    """
    tx.actor.require(ISSUE)
    card, found = await _hold(tx, card_id)
    if card.status is not CardStatus.ACTIVE or await _is_called_off(tx, found):
        raise CardState("It is sent once it pays.", state=card.status)
    if not mail.is_set(tx.database.settings):
        raise InvalidInput.at("recipient", "this server sends no mails")
    await _send(tx, card, found)
    audit.record(tx, "gift-card.mailed", "gift-card", card_id)
    return await read(tx, card_id)


async def _hold(tx: Tx, card_id: UUID) -> tuple[GiftCard, CardMail]:
    """A card with its mail, which can still go, both locked: the order before the card, the card before the mail."""
    known = await read(tx, card_id)
    if known.order is not None:
        await sold_with.look(tx, known.order)
    card = await gift_cards.lock(tx, card_id)
    found = await mail_store.lock(tx, card_id)
    assert found is not None, "a mail is never deleted without its card"
    if found.sent_at is not None:
        raise CardSent("Whoever got the mail can pay with it. Block the card, or replace it.")
    if not found.is_waiting:
        raise CardState("Nothing can be sent of it any more.", state=card.status)
    return card, found


async def _is_called_off(tx: Tx, found: CardMail) -> bool:
    """Whether its order is cancelled, also if the log has not told yet."""
    order = None if found.order is None else await sold_with.look(tx, found.order)
    return order is not None and order.is_cancelled


async def read(reader: Reader, card_id: UUID) -> CardMail:
    """The mail of a card.

    Raises:
        NotFound: it goes to nobody by mail.
    """
    found = await mail_store.of_card(reader, card_id)
    if found is None:
        raise NotFound("This gift card goes to nobody by mail.")
    return found


async def is_sent(reader: Reader, order: UUID) -> bool:
    """Whether somebody has got a card that this order sold."""
    return any(each.sent_at is not None for each in await mail_store.of_order(reader, order))


async def sweep(database: Database) -> int:
    """Send the mails whose time has come; how many. Several processes may: each mail goes once."""
    if not mail.is_set(database.settings):
        return 0
    sent = 0
    for card in await mail_store.due(database, now(), SWEEP):
        try:
            sent += await database.transaction(partial(_send_due, card_id=card))
        except (Problem, OSError) as problem:  # the others go all the same, this one is tried again
            logger.warning("a gift card was not sent", card=str(card), problem=str(problem))
    return sent


async def _send_due(tx: Tx, card_id: UUID) -> bool:
    try:
        card, found = await _hold(tx, card_id)
    except (CardSent, CardState):
        return False  # by another process, or called off meanwhile
    if found.send_on > local_day(now(), (await channels.cached(tx, card.channel)).time_zone):
        return False  # somebody has just moved it
    if card.status is not CardStatus.ACTIVE or await _is_called_off(tx, found):
        return False
    await _send(tx, card, found)
    return True


async def _send(tx: Tx, card: GiftCard, found: CardMail) -> None:
    """Give the card its code and write it into the mail: both are there after the commit, or neither."""
    code, settings = codes.new_card_code(), tx.database.settings
    channel = await channels.cached(tx, card.channel)
    letter = written(found, card, codes.written(code), channel, channels.shop_address(settings, channel))
    await mail_store.set_sent(tx, card.id, now(), codes.card_hash(code), code[-4:])
    await mail.send(tx, Vault.of(settings), letter)
    fact = events.GiftCardMailed(last_four=code[-4:], currency=card.currency, balance=card.balance)
    log.append(tx, fact, subject=card.id, channel=card.channel)


def written(found: CardMail, card: GiftCard, code: str, channel: Channel, shop: str) -> Mail:
    """The mail, in the channel's language."""
    locale = negotiate(channel.locale, LOCALES)
    _ = translator(locale).gettext
    amount = format_money(card.balance, card.currency, str(formatting_locale(locale)))
    values = {"giver": found.giver, "amount": amount, "shop": channel.name}
    parts = [_("Hello %(name)s,") % {"name": found.name} if found.name else _("Hello,")]
    if found.giver:
        subject = _("A gift card from %(giver)s") % values
        parts.append(_("%(giver)s gives you a gift card of %(amount)s from %(shop)s.") % values)
    else:
        subject = _("A gift card for you from %(shop)s") % values
        parts.append(_("Somebody gives you a gift card of %(amount)s from %(shop)s.") % values)
    if found.message:
        parts.append(found.message)
    parts.append(_("Its code:") + "\n" + code)
    if card.expires_on is not None:
        day = format_date(card.expires_on, "long", locale=dated_locale(locale, channel.country))
        parts.append(_("It pays until %(day)s.") % {"day": day})
    parts.append(
        _("Type the code at the checkout, or show it at a till. Whoever has it can pay with it, so keep it.")
    )
    parts.append(shop)
    return Mail(
        to=found.recipient,
        sender=channel.name,
        subject=subject,
        text="\n\n".join(parts),
        channel=channel.id,
        kind="gift-card",
    )


async def of_order(reader: Reader, order: UUID) -> Sequence[CardMail]:
    """The mails of the cards that an order sold."""
    return await mail_store.of_order(reader, order)
