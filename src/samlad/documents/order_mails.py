"""Mails about an order that its buyer must act on: goods that a store has not got, or that lie ready there, and what is
still to be paid. What only tells of its way is in `letters`.

Each follows from an event, once. Where no mail goes out (nothing is set up, no address is known) the order's page says
the same.
"""

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date

from samlad import channels, credit, orders, stock
from samlad.channels import Channel
from samlad.consent import reporting
from samlad.credit import CardMail
from samlad.credit.events import GiftCardCharged
from samlad.documents import change_letters, letters, snapshot
from samlad.kernel import mail
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.i18n import dated_locale, formatting_locale, translator
from samlad.kernel.log import Event
from samlad.kernel.mail import Mail
from samlad.kernel.money import format_money
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import Vault
from samlad.orders import Order, balance, fulfilment_store, order_address
from samlad.orders.events import OrderRestDue, ReturnCharged
from samlad.orders.fulfilment_events import FulfilmentNeedsCustomer, FulfilmentReady
from samlad.orders.fulfilment_model import FulfilmentState
from samlad.payments.events import PaymentOverdue


async def follow(tx: Tx, event: Event) -> None:
    """Write to the buyer, if their address is known and mails go out."""
    if event.type in letters.TYPES:
        await letters.follow(tx, event)
        return
    if event.type in change_letters.TYPES:
        await change_letters.follow(tx, event)
        return
    settings, fact = tx.database.settings, event.fact()
    if not mail.is_set(settings):
        return
    order_id = fact.order if isinstance(fact, PaymentOverdue | GiftCardCharged) else event.subject
    order = None if order_id is None else await _order(tx, order_id)
    if order is None or order.email is None:
        return
    channel = await channels.cached(tx, order.channel)
    locale = await snapshot.locale_of(tx, order, channel)
    keys = Vault.of(settings)
    link = channels.shop_address(settings, channel) + order_address.path(keys, order.id)
    said = await _said(tx, event, order, channel, (link, locale))
    if said is None:
        return
    letter = Mail(to=order.email, sender=_sender(channel), subject=said[0], text=said[1])
    at = int(now().timestamp())
    letter = await reporting.reported(tx, keys, channel, order.customer, "order", letter, at=at)
    await mail.send(tx, keys, letter)


async def _said(
    tx: Tx, event: Event, order: Order, channel: Channel, words: tuple[str, str]
) -> tuple[str, str] | None:
    """Subject and text; None for what is not so any more. ``words``: the order's link, and the language."""
    fact, (link, locale) = event.fact(), words
    if isinstance(fact, FulfilmentNeedsCustomer):
        place = None if fact.offered is None else await stock.location(tx, fact.offered)
        return needs_answer(order, None if place is None else place.name, link, locale)
    if isinstance(fact, FulfilmentReady):
        work = await fulfilment_store.head(tx, fact.fulfilment)
        if work is None or work.state is not FulfilmentState.READY:  # fetched or put back meanwhile
            return None
        place = await stock.location(tx, fact.location)
        until = fact.pick_up_by.astimezone(ZoneInfo(place.time_zone)).date()
        subject, text = lies_ready(order, place.name, until, link, locale, channel.country)
        due = order.total - order.called_off - order.paid
        if order.deposit is not None and due > 0:
            text += "\n\n" + still_to_pay(due, order.currency, locale)
        return subject, text
    if isinstance(fact, ReturnCharged):
        return charged(order, fact, link, locale, channel.country)
    if isinstance(fact, OrderRestDue):
        due = balance.due_of(order, order.payments)
        return rest_due(order, due, fact, link, locale, channel.country) if due else None  # paid meanwhile
    if isinstance(fact, GiftCardCharged):
        if order.delivery == "carry_out":  # they have it in hand, with a receipt
            return None
        going = None if event.subject is None else await credit.mail_of_card(tx, event.subject)
        if going is not None:
            return card_goes(order, going, link, locale, channel.country)
        card = None if event.subject is None else await credit.get(tx, event.subject)
        last = None if card is None else card.expires_on
        return card_pays(order, fact, last, link, locale, channel.country)
    if isinstance(fact, PaymentOverdue):
        return overdue(order, fact, link, locale, channel.country)
    return None


async def _order(tx: Tx, order: UUID) -> Order | None:
    try:
        return await orders.read(tx, order)
    except NotFound:
        return None


def _sender(channel: Channel) -> str:
    return channel.name


def needs_answer(order: Order, place: str | None, link: str, locale: str) -> tuple[str, str]:
    """A store has not got what was ordered: subject and text, with the next best that can be chosen."""
    _ = translator(locale).gettext
    subject = _("Order %(number)s: please choose") % {"number": order.number}
    sorry = _("We are sorry: the store has not got everything that you ordered as %(number)s.") % {
        "number": order.number
    }
    offer = (
        _("%(place)s has it and keeps it for you until you answer.") % {"place": place}
        if place
        else _("No other store has it now.")
    )
    ways = _("Choose here: fetch it there, wait for it, or take the money back.")
    if place is None:
        ways = _("Choose here: wait for it, or take the money back.")
    return subject, f"{sorry}\n\n{offer}\n\n{ways}\n\n{link}"


def lies_ready(
    order: Order, place: str, until: date, link: str, locale: str, country: str
) -> tuple[str, str]:
    """It can be fetched: subject and text. The code is on the order's page only, where it is gone once it was used."""
    _ = translator(locale).gettext
    subject = _("Order %(number)s is ready for you") % {"number": order.number}
    text = _("%(place)s keeps it for you until %(day)s.") % {
        "place": place,
        "day": _day(until, locale, country),
    }
    code = _("The code that you show there is on this page:")
    return subject, f"{text}\n\n{code}\n\n{link}"


def still_to_pay(due: int, currency: str, locale: str) -> str:
    """What of an order with a deposit is paid when it is fetched (minor units)."""
    text = translator(locale).gettext("%(amount)s is still to be paid; you can pay it there.")
    return text % {"amount": _amount(due, currency, locale)}


def charged(order: Order, fact: ReturnCharged, link: str, locale: str, country: str) -> tuple[str, str]:
    """What was exchanged never came back: it is charged, or there is an invoice."""
    _ = translator(locale).gettext
    amount = _amount(fact.amount, fact.currency, locale)
    subject = _("Order %(number)s: the goods to exchange did not come") % {"number": order.number}
    why = _(
        "You got new goods before the old ones were back (return %(number)s), and these have not come."
    ) % {"number": fact.number}
    if fact.due_on is None:
        what = _("So we have charged %(amount)s, as was agreed.") % {"amount": amount}
    else:
        what = _("So %(amount)s is to be paid by %(day)s. The invoice is here:") % {
            "amount": amount,
            "day": _day(fact.due_on, locale, country),
        }
    still = _("If they come all the same, you get it back.")
    return subject, f"{why}\n\n{what}\n\n{link}\n\n{still}"


def overdue(order: Order, fact: PaymentOverdue, link: str, locale: str, country: str) -> tuple[str, str]:
    """A payment by invoice or bank transfer has not come by its day."""
    _ = translator(locale).gettext
    due = order.total - order.called_off - order.paid
    # A part that was called off or came back is not asked for.
    amount = _amount(min(fact.amount, due) if due > 0 else fact.amount, fact.currency, locale)
    subject = _("Reminder: order %(number)s is not paid yet") % {"number": order.number}
    text = _("%(amount)s was to be paid by %(day)s. If you have paid meanwhile, forget this mail.") % {
        "amount": amount,
        "day": _day(fact.due_on, locale, country),
    }
    name = _("Say this when you pay: %(reference)s") % {"reference": fact.reference} if fact.reference else ""
    return subject, "\n\n".join(part for part in (text, name, link) if part)


def rest_due(
    order: Order, due: int, fact: OrderRestDue, link: str, locale: str, country: str
) -> tuple[str, str]:
    """The rest of an order with a deposit (minor units) is to be paid soon, or was to be."""
    _ = translator(locale).gettext
    values = {
        "amount": format_money(due, order.currency, str(formatting_locale(locale))),
        "day": _day(fact.due_on, locale, country),
    }
    if fact.reminder == 1:
        subject = _("Order %(number)s: the rest is to be paid soon") % {"number": order.number}
        text = _("%(amount)s is still to be paid, by %(day)s. You get the goods once it is paid.") % values
    else:
        subject = _("Reminder: the rest of order %(number)s is not paid yet") % {"number": order.number}
        text = (
            _(
                "%(amount)s was to be paid by %(day)s. You get the goods once it is paid. If you have paid meanwhile, forget this mail."
            )
            % values
        )
    where = _("Pay here, or in any of our stores:")
    return subject, f"{text}\n\n{where}\n\n{link}"


def card_pays(
    order: Order, fact: GiftCardCharged, until: date | None, link: str, locale: str, country: str
) -> tuple[str, str]:
    """A gift card that was bought with an order can pay from now on: subject and text. Its code was told once, and is in no mail."""
    _ = translator(locale).gettext
    amount = format_money(fact.amount, fact.currency, str(formatting_locale(locale)))
    subject = _("Your gift card ···· %(four)s can be used") % {"four": fact.last_four}
    text = _(
        "Order %(number)s is paid, so the gift card ···· %(four)s pays from now on. %(amount)s was put onto it."
    ) % {"number": order.number, "four": fact.last_four, "amount": amount}
    last = _("It pays until %(day)s.") % {"day": _day(until, locale, country)} if until else ""
    code = _(
        "We never send its code by mail: you have it from us already. Whoever has the code can pay with it."
    )
    return subject, "\n\n".join(part for part in (text, last, code, link) if part)


def card_goes(order: Order, going: CardMail, link: str, locale: str, country: str) -> tuple[str, str]:
    """A gift card that was bought for somebody is paid: subject and text, for who bought it."""
    _ = translator(locale).gettext
    values = {"number": order.number, "amount": _amount(going.amount, going.currency, locale)}
    subject = _("Your gift card is paid: order %(number)s") % values
    text = _("The gift card of %(amount)s that you bought with order %(number)s is paid.") % values
    values = {"to": going.recipient, "day": _day(going.send_on, locale, country)}
    when = _("It goes to %(to)s on %(day)s.") % values
    return subject, f"{text}\n\n{when}\n\n{link}"


def _amount(minor: int, currency: str, locale: str) -> str:
    return format_money(minor, currency, str(formatting_locale(locale)))


def _day(day: date, locale: str, country: str) -> str:
    return format_date(day, "long", locale=dated_locale(locale, country))


FOLLOWERS = [
    Follower(
        name="order-mails",
        handle=follow,
        # One follower for all: where it has read to is known, so that nobody is written to about orders of long ago.
        types=(
            "fulfilment.needs_customer",
            "fulfilment.ready",
            "return.charged",
            "payment.overdue",
            "order.rest_due",
            "gift_card.charged",
            *letters.TYPES,
            *change_letters.TYPES,
        ),
        # Of money that goes back the credit note is issued, if it is not yet: an order is locked before the series of numbers.
        batch=1,
    )
]
