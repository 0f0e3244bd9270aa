"""On which day a gift card goes to somebody by mail; `samlad.credit.card_mails` sends it."""

from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from samlad.channels import Channel
from samlad.credit import events, mail_store
from samlad.credit.mail_model import MailInput
from samlad.credit.model import GiftCard
from samlad.kernel import cards, log, mail
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput

MORNING = time(8)
"""When a mail goes on a later day, by the channel's clock: nobody's present comes in the middle of the night."""


def moment_of(day: date | None, moment: datetime, time_zone: str) -> tuple[date, datetime]:
    """The day on which a mail goes, and from when on. Nothing or today: at once.

    Raises:
        InvalidInput: the day is over, or more than a year ahead.
    """
    today = local_day(moment, time_zone)
    if day is None or day == today:
        return today, moment
    if day < today:
        raise InvalidInput.at("send_on", "this day is over")
    if day > last_day(today):
        raise InvalidInput.at("send_on", "at most a year ahead")
    return day, datetime.combine(day, MORNING, ZoneInfo(time_zone))


def last_day(today: date) -> date:
    """The last day that can be chosen: the same one next year."""
    if (today.month, today.day) == (2, 29):
        return date(today.year + 1, 2, 28)
    return today.replace(year=today.year + 1)


async def plan(tx: Tx, card: GiftCard, channel: Channel, data: MailInput, order: UUID | None) -> None:
    """Note whom a new card goes to, and when. Part of the verbs that make cards.

    Raises:
        InvalidInput: the day cannot be; the server sends no mails. CardNumber: something looks like one.
    """
    for name in ("name", "giver", "message"):
        cards.refuse(getattr(data, name), name)
    if not mail.is_set(tx.database.settings):
        raise InvalidInput.at("recipient", "this server sends no mails")
    send_on, send_at = moment_of(data.send_on, now(), channel.time_zone)
    fits(card, send_on)
    await mail_store.insert(tx, card.id, order, data, send_on, send_at)
    fact = events.GiftCardMailPlanned(
        last_four=card.last_four, currency=card.currency, balance=card.balance, send_on=send_on
    )
    log.append(tx, fact, subject=card.id, channel=card.channel)


def fits(card: GiftCard, day: date) -> None:
    """Refuse a day on which the card does not pay any more.

    Raises:
        InvalidInput: it does not.
    """
    if card.expires_on is not None and day > card.expires_on:
        raise InvalidInput.at("send_on", "the card does not pay any more on this day")


def days(channel: Channel) -> tuple[date, date]:
    """The first and the last day that can be chosen now, for pages."""
    today = local_day(now(), channel.time_zone)
    return today, last_day(today)
