"""Mails to those who work here about money that needs a hand: a provider refused to give it back, a customer disputes a payment.

Of a refund to everybody who may book money by hand, of a dispute to everybody who may see payments, for the places that they are bound to;
each in their language, once for each. A dispute about a payment that nobody knows here is told to those who are bound to none.
"""

from uuid import UUID

from babel.dates import format_date

from samlad.access import staff
from samlad.access.permissions import Role, permissions_of
from samlad.access.staff import Staff
from samlad.kernel import mail
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.i18n import formatting_locale, translator
from samlad.kernel.log import Event
from samlad.kernel.mail import Mail
from samlad.kernel.money import format_money
from samlad.kernel.vault import Vault
from samlad.orders import OrderHead
from samlad.orders import store as order_store
from samlad.payments.dispute_model import OPEN
from samlad.payments.events import PaymentDisputed, RefundFailed
from samlad.payments.permissions import READ, RECEIVE

MOST = 50
"""People who get such a mail; a shop with more has somebody who asks the list."""


async def follow(tx: Tx, event: Event) -> None:
    """Write to them, if mails go out; not about what is long ago."""
    settings, fact = tx.database.settings, event.fact()
    if not isinstance(fact, RefundFailed | PaymentDisputed) or not mail.is_set(settings):
        return
    if event.occurred_at < now() - mail.KEPT:
        return
    if isinstance(fact, PaymentDisputed) and fact.status not in OPEN:
        return
    order = None if fact.order is None else await order_store.head(tx, fact.order)
    if order is None and isinstance(fact, RefundFailed):
        return
    keys, pages = Vault.of(settings), f"{settings.socket_url.rstrip('/')}/admin"
    link = f"{pages}/payments/disputes" if order is None else f"{pages}/orders/{order.id}"
    needed = READ if isinstance(fact, PaymentDisputed) else RECEIVE
    for each in (await _who(tx, None if order is None else order.location, needed))[:MOST]:
        if isinstance(fact, PaymentDisputed):
            subject, text = in_dispute(order, fact, link, each.locale)
        else:
            assert order is not None
            subject, text = not_given_back(order, fact, link, each.locale)
        await mail.send(tx, keys, Mail(to=each.email, sender="Samlad", subject=subject, text=text))


async def _who(tx: Tx, place: UUID | None, needed: str) -> list[Staff]:
    """Those who have a permission, for an order of a place."""
    return [
        each
        for each in await staff.everybody(tx)
        if each.status == "active"
        and any(needed in permissions_of(Role(role)) for role in each.roles)
        and (not each.locations or place in each.locations)
    ]


def in_dispute(order: OrderHead | None, fact: PaymentDisputed, link: str, locale: str) -> tuple[str, str]:
    """Subject and text."""
    _ = translator(locale).gettext
    told = str(formatting_locale(locale))
    amount = format_money(fact.amount, fact.currency, told)
    provider = fact.provider.replace("_", " ").title()
    if order is None:
        subject = _("A payment of %(amount)s is disputed") % {"amount": amount}
        what = _(
            "A customer disputes a payment of %(amount)s at their bank, says %(provider)s (%(reference)s)."
        )
    else:
        subject = _("Order %(number)s: the payment of %(amount)s is disputed") % {
            "number": order.number,
            "amount": amount,
        }
        what = _(
            "The customer of order %(number)s disputes the payment of %(amount)s at their bank, says %(provider)s (%(reference)s)."
        )
    lines = [
        what
        % {
            "amount": amount,
            "provider": provider,
            "reference": fact.reference,
            "number": order.number if order else "",
        }
    ]
    if fact.evidence_due_at is not None:
        day = format_date(fact.evidence_due_at, "long", locale=told)
        lines.append(_("Answer it there until %(day)s.") % {"day": day})
    lines.append(_("Do not give the money back as well: it would be gone twice."))
    return subject, "\n\n".join([*lines, link])


def not_given_back(order: OrderHead, fact: RefundFailed, link: str, locale: str) -> tuple[str, str]:
    """Subject and text."""
    _ = translator(locale).gettext
    amount = format_money(fact.amount, fact.currency, str(formatting_locale(locale)))
    subject = _("Order %(number)s: %(amount)s could not be given back") % {
        "number": order.number,
        "amount": amount,
    }
    what = _(
        "%(provider)s refused to give %(amount)s back to the customer of order %(number)s (%(reason)s)."
    ) % {
        "provider": fact.provider.replace("_", " ").title(),
        "amount": amount,
        "number": order.number,
        "reason": fact.reason or "–",
    }
    then = _("Nobody has told the customer. Ask the provider once more, or give it back in another way:")
    return subject, f"{what}\n\n{then}\n\n{link}"


FOLLOWERS = [Follower(name="staff-mails", handle=follow, types=("payment.refund_failed", "payment.disputed"))]
