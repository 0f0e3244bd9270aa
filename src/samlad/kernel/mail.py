"""Mails to people: written into an outbox in the transaction that wants them sent, and sent by a job.

What a mail says (it may hold a link that signs somebody in) is sealed in the outbox and never logged; the job only knows the
mail's id. The server gets each mail at least once: killed between its yes and our commit it is sent again, under the same
Message-ID, by which mail programs show it once.

Without a mail server nothing is sent, and pages offer nothing that needs it (`is_set`). A developer may have mails written to
the log instead, with ``SAMLAD_MAIL_TO_LOG``; nobody else should.
"""

import ssl
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from uuid import UUID

import msgspec
import structlog

from samlad.kernel import bounces, jobs, mailboxes, vault
from samlad.kernel.bounces import Bounce
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext, Retry, job
from samlad.kernel.mailboxes import Sent
from samlad.kernel.problems import NotFound
from samlad.kernel.settings import Settings
from samlad.kernel.sweepers import Sweeper
from samlad.kernel.vault import Vault

JOB = "kernel.send-mail"
PASSWORD = "smtp"  # noqa: S105 - the name under which the vault has it
"""``samlad secret set smtp`` keeps the password of the mail server under this name."""
SEND_SECONDS = 30
FOR_GOOD = 500
"""From this status of SMTP on a refusal is for good; below it is for now."""
KEPT = timedelta(days=2)
"""A mail that could not be sent for so long is worth nothing any more: links in it are over."""

logger = structlog.get_logger("samlad.mail")


class NoMailServer(Exception):
    """There is no mail server in the settings, and mails do not go to the log either."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A text that comes with a mail: its file name, its media type below ``text/``, what else is said of the type."""

    name: str
    subtype: str
    text: str
    parameters: dict[str, str] = {}


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail in plain text. ``sender`` is the name that is shown; the address is the setting ``mail_from``.

    ``html`` is the same as the text, for programs that show it. ``reply_to``: where answers go, if not to the sender; ``references``:
    Message-IDs of what it goes on from, earliest first, without angle brackets. ``person`` (an id that others know them by), ``channel`` and
    ``kind`` (what it is about) are told when it comes back. ``unsubscribe``: the address to which a mail program posts when its reader wants no more (RFC 8058); none: it is no
    mail that one can have enough of.
    """

    to: str
    subject: str
    text: str
    sender: str = ""
    unsubscribe: str = ""
    attachments: list[Attachment] = []
    html: str = ""
    reply_to: str = ""
    references: list[str] = []
    person: UUID | None = None
    channel: UUID | None = None
    kind: str = ""


class Refused(Exception):
    """The mail server refused the recipient for good."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(f"{status} {answer}")
        self.status, self.answer = status, answer


def is_set(settings: Settings) -> bool:
    """Whether mails get anywhere."""
    return bool(settings.smtp_host and settings.mail_from) or settings.mail_to_log


async def send(tx: Tx, keys: Vault, mail: Mail) -> UUID:
    """Send a mail after this transaction commits; its id. Two statements."""
    made = new_id()
    await tx.execute(
        "INSERT INTO mail_outbox (id, recipient, sealed) VALUES ($1, $2, $3)",
        made,
        mail.to,
        keys.seal(_purpose(made), msgspec.json.encode(mail)),
    )
    await jobs.defer(tx, JOB, {"mail": made})
    return made


@job(JOB, retry=Retry(attempts=12, first_seconds=5, longest_seconds=3600))
async def deliver(ctx: JobContext, mail: UUID) -> None:
    """Hand a mail to the server. Done or forgotten before, nothing happens."""
    keys = Vault.of(ctx.settings)

    async def work(tx: Tx) -> None:
        # Held while it is sent: of two workers with the same job only one sends it.
        sealed = await tx.value("SELECT sealed FROM mail_outbox WHERE id = $1 FOR UPDATE SKIP LOCKED", mail)
        if sealed is None:
            return
        await _send_once(tx, ctx.settings, keys, mail, open_mail(keys, mail, sealed))
        await tx.execute("DELETE FROM mail_outbox WHERE id = $1", mail)

    await ctx.database.transaction(work)


async def _send_once(tx: Tx, settings: Settings, keys: Vault, mail: UUID, letter: Mail) -> None:
    """Hand a mail over, unless mails to its address come back; what is refused for good is marked and not tried again."""
    sent = Sent(recipient=letter.to, person=letter.person, channel=letter.channel, kind=letter.kind)
    if await mailboxes.is_stopped(tx, letter.to):
        await mailboxes.withhold(tx, mail, sent)
        return
    try:
        await _hand_over(tx, settings, keys, mail, letter)
    except Refused as refused:  # nobody is there: sent again it would come back again
        logger.warning("a mail was refused", mail=str(mail), status=refused.status)
        is_permanent, status = bounces.judged(refused.answer, refused.status)
        answer = Bounce(
            mail=mail,
            is_permanent=is_permanent,
            status=status,
            code=refused.status,
            answer=refused.answer,
        )
        await mailboxes.mark(tx, sent, answer)
    else:
        await mailboxes.remember(tx, mail, sent)


def open_mail(keys: Vault, mail: UUID, sealed: bytes) -> Mail:
    """What a row of the outbox says."""
    return msgspec.json.decode(keys.open(_purpose(mail), sealed), type=Mail)


def _purpose(mail: UUID) -> str:
    return f"mail:{mail}"


async def _hand_over(tx: Tx, settings: Settings, keys: Vault, mail_id: UUID, mail: Mail) -> None:
    if settings.mail_to_log:
        logger.warning("mail", to=mail.to, subject=mail.subject, text=mail.text)
        return
    if not settings.smtp_host or not settings.mail_from:
        raise NoMailServer("Set SAMLAD_SMTP_HOST and SAMLAD_MAIL_FROM.")
    import aiosmtplib  # late, most processes send none

    password = None
    if settings.smtp_user:
        try:
            password = (await vault.get(tx, keys, PASSWORD)).decode()
        except NotFound:
            raise NoMailServer("The mail server's password is missing: samlad secret set smtp") from None
    try:
        await aiosmtplib.send(
            message_of(settings.mail_from, mail_id, mail),
            sender=comes_back_to(settings, mail_id),
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=password,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            tls_context=ssl.create_default_context() if settings.smtp_tls != "none" else None,
            timeout=SEND_SECONDS,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        (refused,) = error.recipients  # a mail has one reader
        if refused.code < FOR_GOOD:
            raise
        raise Refused(refused.code, refused.message) from None


def comes_back_to(settings: Settings, mail_id: UUID) -> str | None:
    """The address that a mail which does not arrive is sent back to: one for each mail, so that it is known which it was."""
    if not settings.mail_bounces:
        return settings.mail_from
    name, _, domain = settings.mail_bounces.rpartition("@")
    return f"{name}+{mail_id.hex}@{domain}"


def message_of(address: str, mail_id: UUID, mail: Mail) -> EmailMessage:
    """The message as it goes over the wire (RFC 5322). Line breaks in a header are refused by the library."""
    message = EmailMessage()
    message["From"] = formataddr((mail.sender, address))
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(now().timestamp())
    message["Message-ID"] = f"<{mail_id}@{address.rpartition('@')[2]}>"
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to
    if mail.references:
        message["In-Reply-To"] = f"<{mail.references[-1]}>"
        message["References"] = " ".join(f"<{each}>" for each in mail.references)
    message["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    for each in mail.attachments:
        message.add_attachment(each.text, subtype=each.subtype, filename=each.name, params=each.parameters)
    return message


async def forget_old(database: Database) -> None:
    """Forget mails that could not be sent in time, and to whom those went that do not come back any more."""

    async def work(tx: Tx) -> None:
        await tx.execute("DELETE FROM mail_outbox WHERE created_at < $1", now() - KEPT)
        await mailboxes.forget_old(tx)

    await database.transaction(work)


SWEEPERS = [Sweeper("kernel.forget-mails", 3600, forget_old)]
