"""The door for mails that need consent: who did not agree gets none, and whoever gets one can stop the next with one click."""

from urllib.parse import quote
from uuid import UUID

import msgspec

from samlad import channels
from samlad.channels import Channel
from samlad.consent import links, reporting, service
from samlad.kernel import mail
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.i18n import translator
from samlad.kernel.mail import Mail
from samlad.kernel.vault import Vault


async def send(
    tx: Tx, keys: Vault, channel: Channel, node: UUID, purpose: str, letter: Mail, *, language: str
) -> bool:
    """Send a mail for a purpose if its reader has agreed to that in this channel as of now; whether it goes out.

    ``node`` is the identifier that the mail goes to. Under the text stands where preferences are changed, and the header says
    how to withdraw with one click (RFC 8058).

    Raises:
        InvalidInput: an unknown purpose.
    """
    if not await service.allowed(tx, [node], purpose, channel.id):
        return False
    here = channels.shop_address(tx.database.settings, channel) + links.preferences_link(keys, node)
    _ = translator(language).gettext
    foot = _("You get this because you agreed to it. What you want to get, or nothing any more: %(link)s") % {
        "link": here
    }
    letter = msgspec.structs.replace(
        letter,
        text=f"{letter.text}\n\n-- \n{foot}",
        unsubscribe=f"{here}/unsubscribe?purpose={quote(purpose, safe='')}",
    )
    letter = await reporting.reported(tx, keys, channel, node, purpose, letter, at=int(now().timestamp()))
    await mail.send(tx, keys, letter)
    return True
