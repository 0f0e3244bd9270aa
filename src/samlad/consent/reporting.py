"""Mails that report when they are read: only to whoever agreed to it, and by links that nobody else can make.

The text of such a mail stays as it is; beside it stands the same as HTML, with a picture of one dot and with links of this
shop that come by way of us. A link names where it leads inside what is signed, and it leads into this shop only: it cannot be
made to lead anywhere else. Links that prove who somebody is (preferences, confirmations, signing in) are never changed.
"""

import base64
import binascii
import html
import re
from uuid import UUID

import msgspec

from samlad import channels
from samlad.channels import Channel
from samlad.consent import service
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.mail import Mail
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import BadSignature, Vault

PURPOSE = "analytics"
"""What whoever gets the mail must have agreed to; asked once more when it reports."""
SECONDS = 400 * 86_400
"""How long a link of a mail leads on."""
PREFIX = "/mail/"
_SIGNED = "consent.mail-report"
_ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_NEVER = ("/preferences/", "/confirm/", "/account", "/link/", "/sign-in", "/unsubscribe")
"""Beginnings of paths that are somebody's alone."""
_LONGEST = 1_500


class Report(msgspec.Struct, frozen=True, array_like=True):
    """What a link of a mail says: which mail, to whom (an id of identity), in which channel, about what, when it was sent
    (seconds since 1970) and where the link leads ("" for the picture)."""

    mail: UUID
    node: UUID
    channel: UUID
    kind: str
    sent: int
    target: str = ""


def link(vault: Vault, report: Report) -> str:
    """The path at which something is reported."""
    packed = base64.urlsafe_b64encode(msgspec.msgpack.encode(report)).decode().rstrip("=")
    return f"{PREFIX}{'c' if report.target else 'o'}/{vault.sign(_SIGNED, packed)}"


def read(vault: Vault, text: str) -> Report:
    """What a link says.

    Raises:
        NotFound: it was not signed by us, or is very old, or leads nowhere in this shop.
    """
    try:
        packed = vault.unsign(_SIGNED, text, max_age=SECONDS)
        data = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        found = msgspec.msgpack.decode(data, type=Report)
    except (BadSignature, binascii.Error, msgspec.MsgspecError, ValueError):
        raise NotFound("This link is not complete, or is too old.") from None
    if found.target and not is_here(found.target):
        raise NotFound("This link is not complete, or is too old.")
    return found


def is_here(target: str) -> bool:
    """Whether a path leads into this shop, whatever a browser makes of it."""
    return (
        target.startswith("/")
        and not target.startswith(("//", "/\\"))
        and all("!" <= letter <= "~" and letter != "\\" for letter in target)
    )


def shown(target: str) -> str:
    """Where a link led, without what may be somebody's secret: of anything but products and categories only the beginning."""
    path = target.partition("?")[0].partition("#")[0]
    return path if path.startswith(("/p/", "/c/")) else "/" + path.strip("/").partition("/")[0]


async def reported(
    tx: Tx, keys: Vault, channel: Channel, node: UUID | None, kind: str, letter: Mail, *, at: int
) -> Mail:
    """A mail that reports to us when it is read, if its reader has agreed to that in this channel; else the same mail.

    ``node`` is an id of identity (a customer's, an address's); ``kind`` says what the mail is about, as in ``order``; ``at``
    is when it is sent, in seconds since 1970. Two statements.
    """
    if node is None or letter.html:
        return letter
    letter = msgspec.structs.replace(letter, person=node, channel=channel.id, kind=kind)
    if not await service.allowed(tx, [node], PURPOSE, channel.id):
        return letter
    report = Report(new_id(), node, channel.id, kind, at)
    base = channels.shop_address(tx.database.settings, channel)
    return msgspec.structs.replace(letter, html=as_html(keys, base, report, letter.text))


def as_html(keys: Vault, base: str, report: Report, text: str) -> str:
    """The text as HTML, with links into the shop at ``base`` that report, and the picture that tells of opening."""
    parts, at = [], 0
    for found in _ADDRESS.finditer(text):
        address = found[0]
        parts += [html.escape(text[at : found.start()]), _anchor(keys, base, report, address)]
        at = found.end()
    parts.append(html.escape(text[at:]))
    body = "".join(parts).replace("\n", "<br>\n")
    dot = html.escape(base + link(keys, report))
    return (
        '<!doctype html><html><body style="font-family:sans-serif">'
        f'<p>{body}</p><img src="{dot}" width="1" height="1" alt=""></body></html>'
    )


def _anchor(keys: Vault, base: str, report: Report, address: str) -> str:
    path = address[len(base) :] if address.startswith(base) else ""
    href = address
    if path and is_here(path) and len(path) <= _LONGEST and not path.startswith((*_NEVER, PREFIX)):
        href = base + link(keys, msgspec.structs.replace(report, target=path))
    return f'<a href="{html.escape(href)}">{html.escape(address)}</a>'


# -- programs that open mails ----------------------------------------------------------------------------------------------

SOON_SECONDS = 5
"""Nobody reads a mail so soon after it was sent: a scanner on its way does."""
_MACHINES = (
    ("gmail-proxy", re.compile(r"GoogleImageProxy|ggpht\.com", re.IGNORECASE)),
    ("yahoo-proxy", re.compile(r"YahooMailProxy|YahooCacheSystem", re.IGNORECASE)),
    ("scanner", re.compile(r"barracuda|proofpoint|mimecast|safelinks|symantec|trendmicro|fireeye|forcepoint|sophos|cloudmark"
                           r"|urlscan|virustotal|bitdefender|zscaler|avanan|ironport", re.IGNORECASE)),
    ("program", re.compile(r"bot\b|crawler|spider|preview|curl/|wget/|python-|java/|go-http|okhttp|headless|facebookexternal"
                           r"|slackbot|whatsapp", re.IGNORECASE)),
)  # fmt: skip


def machine(user_agent: str, *, purpose: str = "", method: str = "GET", seconds: float) -> str | None:
    """Which program opened a picture or a link of a mail in a person's place; None: it looks like a person.

    Apple's Mail Privacy Protection fetches every picture, read or not, and says only ``Mozilla/5.0``. Google's and Yahoo's proxies
    fetch when the mail is shown (Google's at the first time only), so an opening by them is one; it is marked all the same.
    """
    agent = user_agent.strip()
    if method == "HEAD" or "prefetch" in purpose.lower() or "preview" in purpose.lower():
        return "prefetch"
    if agent in ("", "Mozilla/5.0"):
        return "apple-mpp" if agent else "program"
    for name, pattern in _MACHINES:
        if pattern.search(agent):
            return name
    return "scanner" if seconds < SOON_SECONDS else None
