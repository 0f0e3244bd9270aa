"""The mail that tells somebody, once, that what they wait for is there again."""

from urllib.parse import quote

from samlad import catalog, channels, customers
from samlad.alerts.events import AlertDue
from samlad.consent import reporting
from samlad.kernel import mail
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.i18n import negotiate, translator
from samlad.kernel.log import Event
from samlad.kernel.mail import Mail
from samlad.kernel.vault import Vault


async def follow(tx: Tx, event: Event) -> None:
    """Tell them by mail, if they have an address, it is still sold, and mails go out."""
    settings, fact = tx.database.settings, event.fact()
    if event.channel is None or not isinstance(fact, AlertDue) or not mail.is_set(settings):
        return
    to = fact.email
    if to is None and event.profile is not None:
        customer = await customers.current(tx, event.profile)
        to = customer.email if customer else None
    channel = await channels.cached(tx, event.channel)
    sold = (await catalog.sellables(tx, channel, [fact.variant])).get(fact.variant)
    if to is None or sold is None:
        return
    _ = translator(negotiate(fact.language)).gettext
    what = f"{sold.title}, {sold.options}" if sold.options else sold.title
    path = f"/p/{quote(sold.handle, safe='')}?variant={quote(sold.sku, safe='')}"
    text = _(
        "%(what)s is there again:\n\n%(link)s\n\nYou asked us to tell you. This is the only mail about it, and nothing is set aside for "
        "you."
    ) % {"what": what, "link": channels.shop_address(settings, channel) + path}
    subject = _("Back again: %(what)s") % {"what": what}
    letter, keys = Mail(to=to, sender=channel.name, subject=subject, text=text), Vault.of(settings)
    at = int(now().timestamp())
    letter = await reporting.reported(tx, keys, channel, event.profile, "back-again", letter, at=at)
    await mail.send(tx, keys, letter)


FOLLOWERS = [Follower(name="stock-alert-mails", handle=follow, types=("stock_alert.due",))]
