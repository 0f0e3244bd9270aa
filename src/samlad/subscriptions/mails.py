"""What the customer of a subscription is told by mail: an order comes, it will cost more, it could not be paid, it comes
without something, later, or not at all.

Each follows from an event, once, and only while it is so. What must be acted on is mailed whatever a channel says of mails of
orders (setting ``order_mails``); that one comes as agreed is not.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date

from samlad import channels, customers
from samlad.channels import Channel
from samlad.consent import reporting
from samlad.kernel import mail
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.i18n import LOCALES, dated_locale, formatting_locale, negotiate, translator
from samlad.kernel.log import Event
from samlad.kernel.mail import Mail
from samlad.kernel.money import format_money
from samlad.kernel.vault import Vault
from samlad.subscriptions import store
from samlad.subscriptions.dunning import DECLINED, OUT_OF_STOCK
from samlad.subscriptions.events import (
    CycleSkipped,
    PriceRising,
    RenewalDeclined,
    RenewalFailed,
    RenewalOutOfStock,
    RenewalUpcoming,
    SubscriptionRenewed,
)
from samlad.subscriptions.model import Status, Subscription

PATH = "/account/subscriptions"
TYPES = (
    "subscription.payment_failed",
    "subscription.price_rising",
    "subscription.upcoming",
    "subscription.renewed",
    "subscription.out_of_stock",
    "subscription.skipped",
    "subscription.failed",
)


async def follow(tx: Tx, event: Event) -> None:
    """Write to its customer, if their address is known, mails go out, and it is so still."""
    settings = tx.database.settings
    if event.subject is None or not mail.is_set(settings) or event.occurred_at < now() - mail.KEPT:
        return
    found = await store.read(tx, event.subject)
    if found is None:
        return
    channel = await channels.cached(tx, found.channel)
    customer = await customers.current(tx, found.customer)
    to = found.email or (customer.email if customer else None)
    if to is None:
        return
    locale = negotiate((customer.locale if customer else None) or channel.locale, LOCALES)
    said = _said(event, found, channel, locale)
    if said is None:
        return
    subject, paragraphs, page = said
    link = f"{channels.shop_address(settings, channel)}{PATH}/{page}"
    letter = Mail(to=to, sender=channel.name, subject=subject, text="\n\n".join([*paragraphs, link]))
    keys, at = Vault.of(settings), int(now().timestamp())
    letter = await reporting.reported(tx, keys, channel, found.customer, "subscription", letter, at=at)
    await mail.send(tx, keys, letter)


def _said(
    event: Event, found: Subscription, channel: Channel, locale: str
) -> tuple[str, list[str], UUID] | None:
    """Subject, paragraphs, and whose page they lead to; None for what is not so any more."""
    fact, words = event.fact(), _Words(channel, locale)
    if isinstance(fact, RenewalDeclined):
        return (*words.declined(found, fact), found.id) if is_declined(found, fact) else None
    if isinstance(fact, RenewalFailed):
        return (*words.failed(found, fact), found.id) if is_failed(found, fact) else None
    if isinstance(fact, SubscriptionRenewed):
        return (*words.incomplete(found, fact), found.id) if fact.missing else None
    is_next = found.status is Status.ACTIVE
    if isinstance(fact, RenewalOutOfStock) and is_next:
        return (*words.waits(found, fact), found.id) if is_waiting(found, fact) else None
    if isinstance(fact, CycleSkipped) and is_next:
        is_last = fact.reason == OUT_OF_STOCK and fact.next_on == found.next_on
        return (*words.left_out(found, fact), found.id) if is_last else None
    if isinstance(fact, PriceRising) and is_next:
        return (*words.rising(found, fact), found.id)
    if isinstance(fact, RenewalUpcoming) and is_next and bool(channel.setting("order_mails")):
        return (*words.upcoming(found, fact), found.id) if fact.cycle == found.cycle else None
    return None


def is_declined(found: Subscription, fact: RenewalDeclined) -> bool:
    """Whether the last thing that is known of a renewal is that this try was declined."""
    if found.trouble != DECLINED or found.cycle != fact.cycle:
        return False
    return fact.retry_at is None or found.attempts == fact.attempt


def is_failed(found: Subscription, fact: RenewalFailed) -> bool:
    """Whether its customer has to know that a try came to nothing: of the first, and when nothing is tried any more."""
    is_so = found.trouble == fact.problem and found.cycle == fact.cycle
    return is_so and (fact.retry_at is None or fact.attempt == found.attempts == 1)


def is_waiting(found: Subscription, fact: RenewalOutOfStock) -> bool:
    """Whether an order has just begun to wait for goods that are not there."""
    is_so = found.trouble == OUT_OF_STOCK and found.cycle == fact.cycle
    return is_so and fact.attempt == 1 and fact.retry_at is not None


class _Words:
    """How things are said in a language, for a channel."""

    def __init__(self, channel: Channel, locale: str) -> None:
        self._gettext = translator(locale).gettext
        self._channel, self._locale = channel, locale

    def _day(self, day: date) -> str:
        return format_date(day, "long", locale=dated_locale(self._locale, self._channel.country))

    def _money(self, amount: int, currency: str) -> str:
        return format_money(amount, currency, str(formatting_locale(self._locale)))

    def declined(self, found: Subscription, fact: RenewalDeclined) -> tuple[str, list[str]]:
        """It could not be paid: when it is tried again, and where to say how it is paid."""
        _ = self._gettext
        subject = _("Subscription %(number)s could not be paid") % {"number": found.number}
        what = _("The next order of your subscription (%(goods)s) could not be paid.") % {
            "goods": goods_of(found)
        }
        if fact.retry_at is not None:
            day = fact.retry_at.astimezone(ZoneInfo(self._channel.time_zone)).date()
            then = _("We try again on %(day)s; with another way to pay, at once.") % {"day": self._day(day)}
        elif found.status is Status.CANCELLED:
            then = _("So it has ended. You can begin it again.")
        else:
            then = _("So it is paused, and nothing comes until it is paid in another way.")
        return subject, [what, then, _("Say here how it is paid:")]

    def failed(self, found: Subscription, fact: RenewalFailed) -> tuple[str, list[str]]:
        """It could not be ordered: when it is tried again, or that it is paused."""
        _ = self._gettext
        subject = _("Subscription %(number)s could not be ordered") % {"number": found.number}
        what = _("The next order of your subscription (%(goods)s) could not be placed.") % {
            "goods": goods_of(found)
        }
        if fact.retry_at is None:
            then = _("So it is paused, and nothing comes until you let it go on.")
        else:
            day = fact.retry_at.astimezone(ZoneInfo(self._channel.time_zone)).date()
            then = _("We try again on %(day)s.") % {"day": self._day(day)}
        return subject, [what, then, _("Look here whether the address and everything else is right:")]

    def incomplete(self, found: Subscription, fact: SubscriptionRenewed) -> tuple[str, list[str]]:
        """An order came without some of it."""
        _ = self._gettext
        subject = _("Subscription %(number)s: something is missing") % {"number": found.number}
        what = _("Order %(number)s comes without some of what you subscribe to. It is not charged.") % {
            "number": fact.order_number
        }
        short = _some_of(found, fact.missing, is_sold=True)
        gone = _some_of(found, fact.missing, is_sold=False)
        lines = [
            *([_("Not in stock: %(goods)s") % {"goods": short}] if short else []),
            *([_("Not sold any more: %(goods)s") % {"goods": gone}] if gone else []),
        ]
        then = _("You can choose something else here for the orders to come:")
        return subject, [what, *(["\n".join(lines)] if lines else []), then]

    def waits(self, found: Subscription, fact: RenewalOutOfStock) -> tuple[str, list[str]]:
        """An order comes later, because its goods are not there."""
        _ = self._gettext
        subject = _("Subscription %(number)s: your order comes later") % {"number": found.number}
        short = {str(line["variant"]) for line in fact.lines}
        goods = goods_of(found, [line.variant for line in found.lines if str(line.variant) not in short])
        what = _("Not in stock: %(goods)s") % {"goods": goods}
        then = _("We send it as soon as it is, and nothing is charged before.")
        return subject, [what, then, _("You can choose something else, leave it out or end it here:")]

    def left_out(self, found: Subscription, fact: CycleSkipped) -> tuple[str, list[str]]:
        """An order does not come at all, because its goods are not there."""
        _ = self._gettext
        subject = _("Subscription %(number)s: nothing comes this time") % {"number": found.number}
        what = _("What you subscribe to cannot be had at the moment: %(goods)s. Nothing is charged.") % {
            "goods": goods_of(found)
        }
        then = _("The next order comes on %(day)s.") % {"day": self._day(fact.next_on)}
        return subject, [what, then, _("You can choose something else, leave it out or end it here:")]

    def rising(self, found: Subscription, fact: PriceRising) -> tuple[str, list[str]]:
        """It will cost more from a day on; until then it can be ended."""
        _ = self._gettext
        subject = _("Subscription %(number)s will cost more") % {"number": found.number}
        titles = {str(line.variant): line.title for line in found.lines}
        lines = [
            _("%(goods)s: %(after)s instead of %(before)s")
            % {
                "goods": titles[str(line["variant"])],
                "after": self._money(line["after"], fact.currency),
                "before": self._money(line["before"], fact.currency),
            }
            for line in fact.lines
            if str(line["variant"]) in titles
        ]
        what = _("Prices change for orders from %(day)s on.") % {"day": self._day(fact.from_on)}
        return subject, [what, "\n".join(lines), _("You can change, pause or end it here before that:")]

    def upcoming(self, found: Subscription, fact: RenewalUpcoming) -> tuple[str, list[str]]:
        """An order comes on a day."""
        _ = self._gettext
        subject = _("Subscription %(number)s: your next order") % {"number": found.number}
        goods = goods_of(found, fact.missing if fact.total is not None else ())
        what = _("On %(day)s we send: %(goods)s.") % {"day": self._day(fact.on), "goods": goods}
        if fact.total is None:
            costs = _("Some of it is not there now.")
        else:
            costs = _("As things are now it comes to %(amount)s.") % {
                "amount": self._money(fact.total, fact.currency)
            }
        last = fact.changes_until.astimezone(ZoneInfo(self._channel.time_zone)).date()
        until = _("You can change it, leave it out or move it until %(day)s:") % {"day": self._day(last)}
        return subject, [what, costs, until]


def goods_of(found: Subscription, missing: Collection[UUID] = ()) -> str:
    """What comes with each order, in one line."""
    return ", ".join(f"{line.quantity} × {line.title}" for line in found.lines if line.variant not in missing)


def _some_of(found: Subscription, missing: Sequence[dict[str, Any]], *, is_sold: bool) -> str:
    """What an order lacks, in one line: what is still sold, or what is not. Before it was told apart all of it was."""
    titles = {str(line.variant): line.title for line in found.lines}
    return ", ".join(
        f"{line['quantity']} × {titles[line['variant']]}"
        for line in missing
        if line["variant"] in titles and line.get("is_sold", True) is is_sold
    )


FOLLOWERS = [Follower(name="subscription-mails", handle=follow, types=TYPES, batch=20)]
