"""The mail that asks somebody to confirm what they want (double opt-in). Only its link says yes."""

from samlad import channels, identity
from samlad.access import rate
from samlad.consent import links, store
from samlad.consent.links import Confirmation
from samlad.identity import Kind
from samlad.kernel import mail
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.i18n import negotiate, translator
from samlad.kernel.log import Event
from samlad.kernel.mail import Mail
from samlad.kernel.problems import TooMany
from samlad.kernel.vault import Vault

MAIL_SECONDS, MOST_MAILS = 3600, 2
"""To one address, in so many seconds."""


async def follow(tx: Tx, event: Event) -> None:
    """Ask by mail, if it is an address that is to confirm, and mails go out."""
    settings = tx.database.settings
    if event.subject is None or event.channel is None or not mail.is_set(settings):
        return
    known = await identity.identifiers(tx, [event.subject])
    to = next((value for kind, value, _ in known if kind == Kind.EMAIL), None)
    if to is None or identity.is_erased(event.subject, to):
        return
    try:  # anybody can type somebody's address: they hear of it, but not again and again
        await rate.limit(tx, "consent.mail.to", str(event.subject), per=MAIL_SECONDS, max=MOST_MAILS)
    except TooMany:
        return
    channel, keys = await channels.cached(tx, event.channel), Vault.of(settings)
    asked, language = event.fact(), negotiate(event.payload["language"])
    purpose = {each.code: each for each in await store.purposes(tx)}[event.payload["purpose"]]
    confirmation = Confirmation(event.subject, purpose.code, getattr(asked, "text", None))
    _ = translator(language).gettext
    text = _(
        "You asked for this at %(shop)s: %(what)s.\n\nIf that is right, confirm it here:\n\n%(link)s\n\nIf you did not ask for it, "
        "do nothing: without the link you get nothing from us."
    ) % {
        "shop": channel.name,
        "what": purpose.names.get(language) or purpose.names.get("en") or purpose.code,
        "link": channels.shop_address(settings, channel) + links.confirm_link(keys, confirmation),
    }
    subject = _("Is it right that you want this? %(shop)s") % {"shop": channel.name}
    await mail.send(tx, keys, Mail(to=to, sender=channel.name, subject=subject, text=text))


FOLLOWERS = [Follower(name="consent-mails", handle=follow, types=("consent.asked",))]
