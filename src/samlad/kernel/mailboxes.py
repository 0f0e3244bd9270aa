"""Addresses from which mails came back: to where nobody can be reached nothing more is sent, until somebody says otherwise.

A mail comes back at once, when the mail server refuses its recipient, or hours later as a message (`samlad.kernel.bounces`).
Each mail counts once, however often that is told.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from samlad.kernel import log
from samlad.kernel.bounces import LONGEST_ANSWER, Bounce
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.problems import NotFound

KEPT = timedelta(days=30)
"""Servers try for five days; after so many a mail does not come back any more."""


@log.declare("mail.bounced", personal=("recipient", "answer"))
class MailBounced(log.Fact, frozen=True, kw_only=True):
    """A mail server refused a mail for good (5xx), at once or later: the subject is the mail, which is not tried again."""

    kind: str
    status: int
    recipient: str | None = None
    answer: str | None = None


@log.declare("mail.withheld", personal=("recipient",))
class MailWithheld(log.Fact, frozen=True, kw_only=True):
    """A mail (the subject) was not sent, because nobody can be reached at its address."""

    kind: str
    recipient: str | None = None


class BouncedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address from which mails came back.

    Attributes:
        is_permanent: nobody can be reached there; else the last one came back for another reason, such as a full mailbox.
        is_stopped: nothing is sent there.
        status: of RFC 3463, such as 5.1.1.
        answer: what the other server said.
        times: how many mails came back.
    """

    id: UUID
    address: str
    is_permanent: bool
    is_stopped: bool
    status: str
    answer: str
    times: int
    first_at: datetime
    last_at: datetime


_COLUMNS = "id, address, is_permanent, is_stopped, status, answer, times, first_at, last_at"
LISTING = Listing(
    row=BouncedAddress,
    select=_COLUMNS,
    source="mail_bounce",
    key="id",
    sorts={"last_at": Sort("last_at", "timestamptz"), "address": Sort("address", "text")},
    default_sort="-last_at",
    filters={
        "state": Filter("CASE WHEN is_stopped THEN 'stopped' ELSE 'written' END = ANY({}::text[])", texts),
        "q": Filter("strpos(address, lower({})) > 0", str.strip),
    },
)
"""Addresses from which mails came back, the latest first."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that was handed over."""

    recipient: str
    person: UUID | None
    channel: UUID | None
    kind: str


async def is_stopped(tx: Tx, address: str) -> bool:
    """Whether nothing is to be sent to an address."""
    return bool(
        await tx.value("SELECT 1 FROM mail_bounce WHERE address = $1 AND is_stopped", address.lower())
    )


async def remember(tx: Tx, mail: UUID, sent: Sent) -> None:
    """Keep to whom a mail went, in case that it comes back."""
    await tx.execute(
        "INSERT INTO mail_sent (id, recipient, person, channel, kind) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (id) DO NOTHING",
        mail,
        sent.recipient,
        sent.person,
        sent.channel,
        sent.kind,
    )


async def take(tx: Tx, bounces: Sequence[Bounce]) -> list[str]:
    """Mark the addresses of mails that came back; those that are new. What is no mail of ours, or was told before, is nothing."""
    marked = []
    for bounce in bounces:
        # A bounce may be quicker than the commit of what sent it: wait for that.
        await tx.value("SELECT 1 FROM mail_outbox WHERE id = $1 FOR KEY SHARE", bounce.mail)
        sent = await tx.one(
            Sent,
            "UPDATE mail_sent SET bounced_at = $2 WHERE id = $1 AND bounced_at IS NULL RETURNING recipient, person, channel, kind",
            bounce.mail,
            now(),
        )
        if sent is not None:
            await mark(tx, sent, bounce)
            marked.append(sent.recipient)
    return marked


async def mark(tx: Tx, sent: Sent, bounce: Bounce) -> None:
    """Write down that a mail came back from an address, and stop what goes there if nobody can be reached."""
    answer = bounce.answer[:LONGEST_ANSWER]
    await tx.execute(
        """INSERT INTO mail_bounce (id, address, is_permanent, is_stopped, status, answer, first_at, last_at)
           VALUES ($1, lower($2), $3, $3, $4, $5, $6, $6)
           ON CONFLICT (address) DO UPDATE SET is_permanent = excluded.is_permanent,
               is_stopped = mail_bounce.is_stopped OR excluded.is_stopped, status = excluded.status,
               answer = excluded.answer, times = mail_bounce.times + 1, last_at = excluded.last_at""",
        new_id(),
        sent.recipient,
        bounce.is_permanent,
        bounce.status,
        answer,
        now(),
    )
    if bounce.code >= 500:
        fact = MailBounced(kind=sent.kind, status=bounce.code, recipient=sent.recipient, answer=answer)
        log.append(tx, fact, subject=bounce.mail, channel=sent.channel, profile=sent.person)


async def withhold(tx: Tx, mail: UUID, sent: Sent) -> None:
    """Tell that a mail is not sent, because its address is stopped."""
    fact = MailWithheld(kind=sent.kind, recipient=sent.recipient)
    log.append(tx, fact, subject=mail, channel=sent.channel, profile=sent.person)


async def get(reader: Reader, bounce_id: UUID) -> BouncedAddress:
    """An address from which mails came back.

    Raises:
        NotFound: no mail came back from there.
    """
    return await _read(reader, bounce_id, "")


async def lock(tx: Tx, bounce_id: UUID) -> BouncedAddress:
    """As `get`, locked."""
    return await _read(tx, bounce_id, "FOR UPDATE")


async def _read(reader: Reader, bounce_id: UUID, held: str) -> BouncedAddress:
    found = await reader.one(
        BouncedAddress, f"SELECT {_COLUMNS} FROM mail_bounce WHERE id = $1 {held}", bounce_id
    )
    if found is None:
        raise NotFound("There is no such address from which mails came back.")
    return found


async def set_stopped(tx: Tx, bounce_id: UUID, is_stopped: bool) -> None:
    """Say whether nothing is to be sent to an address."""
    await tx.execute("UPDATE mail_bounce SET is_stopped = $2 WHERE id = $1", bounce_id, is_stopped)


async def forget_old(tx: Tx) -> None:
    """Forget to whom mails went that do not come back any more."""
    await tx.execute("DELETE FROM mail_sent WHERE sent_at < $1", now() - KEPT)
