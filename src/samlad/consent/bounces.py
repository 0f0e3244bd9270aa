"""The verb for addresses from which mails came back: say whether they are written to again."""

from uuid import UUID

import msgspec

from samlad.access import audit
from samlad.consent.events import BounceDecided
from samlad.consent.permissions import MAIL_CHANGE
from samlad.kernel import log, mailboxes
from samlad.kernel.database import Tx
from samlad.kernel.mailboxes import BouncedAddress


class BounceChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether nothing is sent to the address."""

    is_stopped: bool


async def decide(tx: Tx, bounce_id: UUID, data: BounceChange) -> BouncedAddress:
    """Write to an address again, or stop that. A mail that comes back for good stops it anew.

    Raises:
        NotFound: no mail came back from there.
    """
    tx.actor.require(MAIL_CHANGE)
    before = await mailboxes.lock(tx, bounce_id)
    if before.is_stopped == data.is_stopped:
        return before
    await mailboxes.set_stopped(tx, bounce_id, data.is_stopped)
    after = msgspec.structs.replace(before, is_stopped=data.is_stopped)
    log.append(tx, BounceDecided(is_stopped=data.is_stopped), subject=bounce_id)
    verb = "mail.address_stopped" if data.is_stopped else "mail.address_opened"
    audit.record(
        tx,
        verb,
        "mail_bounce",
        bounce_id,
        before={"is_stopped": before.is_stopped},
        after={"is_stopped": after.is_stopped},
    )
    return after
