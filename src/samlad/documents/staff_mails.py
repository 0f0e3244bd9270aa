"""Mails to those who work here about money that needs a hand: a provider refused to give it back.

To everybody who may book money by hand, for the places that they are bound to; each in their language, once for each refund.
"""

from uuid import UUID

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
from samlad.payments.events import RefundFailed
from samlad.payments.permissions import RECEIVE

MOST = 50
"""People who get such a mail; a shop with more has somebody who asks the list."""


async def follow(tx: Tx, event: Event) -> None:
    """Write to them, if mails go out; not about what is long ago."""
    settings, fact = tx.database.settings, event.fact()
    if not isinstance(fact, RefundFailed) or not mail.is_set(settings):
        return
    if fact.order is None or event.occurred_at < now() - mail.KEPT:
        return
    order = await order_store.head(tx, fact.order)
    if order is None:
        return
    keys = Vault.of(settings)
    link = f"{settings.socket_url.rstrip('/')}/admin/orders/{order.id}"
    for each in (await _who(tx, order.location))[:MOST]:
        subject, text = not_given_back(order, fact, link, each.locale)
        await mail.send(tx, keys, Mail(to=each.email, sender="Samlad", subject=subject, text=text))


async def _who(tx: Tx, place: UUID | None) -> list[Staff]:
    """Those who may book money by hand for an order of a place."""
    return [
        each
        for each in await staff.everybody(tx)
        if each.status == "active"
        and any(RECEIVE in permissions_of(Role(role)) for role in each.roles)
        and (not each.locations or place in each.locations)
    ]


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


FOLLOWERS = [Follower(name="staff-mails", handle=follow, types=("payment.refund_failed",))]
