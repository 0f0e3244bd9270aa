"""What mails about accounts say, in the reader's language."""

from samlad.accounts.model import LINK_MINUTES, MAIL_CHANGE_HOURS
from samlad.channels import Channel
from samlad.kernel.i18n import translator
from samlad.kernel.mail import Mail


def sign_in(channel: Channel, to: str, href: str, locale: str) -> Mail:
    """The link that signs in. The same words whether there is an account or not."""
    _ = translator(locale).gettext
    text = _(
        "Here is your link to sign in at %(shop)s:\n\n%(link)s\n\nIt is good once, for %(minutes)s minutes. If you did not ask "
        "for it, do nothing: without the link nobody can sign in."
    ) % {"shop": channel.name, "link": href, "minutes": LINK_MINUTES}
    return Mail(
        to=to, sender=channel.name, subject=_("Sign in at %(shop)s") % {"shop": channel.name}, text=text
    )


def confirm_address(channel: Channel, to: str, href: str, locale: str, *, is_new: bool) -> Mail:
    """Both addresses are asked: the one that it is and the one that it will be."""
    _ = translator(locale).gettext
    asked = (
        _("You want to use this address for your account at %(shop)s. Confirm it here:")
        if is_new
        else _("Your account at %(shop)s is to use another address. If that is right, confirm it here:")
    )
    ends = _(
        "The link is good for %(hours)s hours. If you did not ask for this, do nothing: nothing changes."
    )
    text = f"{asked % {'shop': channel.name}}\n\n{href}\n\n{ends % {'hours': MAIL_CHANGE_HOURS}}"
    subject = _("Confirm your e-mail address") + f" · {channel.name}"
    return Mail(to=to, sender=channel.name, subject=subject, text=text)
