"""Kiosks: the session of a till's device that was handed to customers, who serve themselves there.

A kiosk opens fewer addresses than a till (`is_of_kiosk`), and its actor is nobody of staff: it may send what was sold at its
place and load what it needs for that. Whoever set it up lends it nothing more. What of that is a sale that a kiosk may make,
`samlad.tills.kiosk` decides.
"""

import re
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.access import audit, recent
from samlad.access.events import HelpCalled, KioskEnded, KioskSetUp
from samlad.access.sessions import KIOSK_ABSOLUTE, KIOSK_IDLE, Session
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound, Unauthenticated

_CODE = r"[a-z0-9-]+"
_PLACES = re.compile(
    rf"^(?:/pos/sw\.js|/pos/{_CODE}/kiosk(?:/[a-z0-9-]+)*|/pos/{_CODE}/offline/here"
    rf"|/api/till-(?:pack|day)/{_CODE}|/api/till-sales/batch|/api/till-leases|/api/till-keys)$"
)


class Kiosk(msgspec.Struct, frozen=True):
    """A device that customers serve themselves at. ``help_at``: since when one of them waits for staff."""

    id: UUID
    name: str
    set_up_by: str
    last_seen: datetime
    help_at: datetime | None


def is_of_kiosk(path: str) -> bool:
    """Whether a kiosk's session counts at an address."""
    return _PLACES.match(path) is not None


async def set_up(tx: Tx, session: Session | None, permission: str, location: UUID, name: str) -> None:
    """The device of a session is a kiosk from now on; whoever was signed in there is not any more. Done twice it is the same.

    Raises:
        Forbidden: without the permission at this location.
        Unauthenticated: nobody has signed this browser in.
    """
    tx.actor.require(permission, location=location)
    if session is None or session.state != "signed-in":
        raise Unauthenticated("Sign this device in first.")
    changed = await tx.execute(
        """UPDATE session SET is_till = true, clerk = NULL, kiosk = $2, kiosk_name = $3,
                              idle_until = now() + $4, ends_at = now() + $5
           WHERE id = $1 AND state = 'signed-in' AND kiosk IS NULL""",
        session.id,
        location,
        name,
        KIOSK_IDLE,
        KIOSK_ABSOLUTE,
    )
    if not changed:
        return
    tx.after_commit(recent.forget)
    log.append(tx, KioskSetUp(location=location, name=name), subject=session.id)
    after = {"location": str(location), "name": name}
    audit.record(tx, "till.kiosk-set-up", "session", session.id, after=after)


async def of_location(reader: Reader, location: UUID) -> list[Kiosk]:
    """The kiosks of a place: who waits for help first, then by name."""
    return await reader.all(
        Kiosk,
        """SELECT s.id, s.kiosk_name AS name, p.name AS set_up_by, s.last_seen, s.help_at
           FROM session s JOIN staff p ON p.id = s.staff
           WHERE s.kiosk = $1 AND s.idle_until > now() AND s.ends_at > now() AND p.status = 'active'
           ORDER BY s.help_at NULLS LAST, s.kiosk_name, s.id""",
        location,
    )


async def waiting(reader: Reader, location: UUID) -> list[str]:
    """The names of the kiosks of a place where somebody waits for staff, who waits longest first."""
    return [each.name for each in await of_location(reader, location) if each.help_at is not None]


async def call_help(tx: Tx, session: UUID) -> None:
    """A customer at a kiosk waits for staff; called again it is the same call."""
    row = await tx.row(
        """UPDATE session SET help_at = now() WHERE id = $1 AND kiosk IS NOT NULL AND help_at IS NULL
           RETURNING kiosk, kiosk_name""",
        session,
    )
    if row is not None:
        log.append(tx, HelpCalled(location=row["kiosk"], name=row["kiosk_name"]), subject=session)


async def helped(tx: Tx, kiosk: UUID, location: UUID) -> None:
    """Nobody waits at a kiosk any more."""
    await tx.execute("UPDATE session SET help_at = NULL WHERE id = $1 AND kiosk = $2", kiosk, location)


async def end(tx: Tx, kiosk: UUID, location: UUID) -> None:
    """A device is no kiosk any more: nobody is signed in there. The caller has looked who may say so.

    Raises:
        NotFound: no kiosk of this place.
    """
    row = await tx.row(
        "DELETE FROM session WHERE id = $1 AND kiosk = $2 RETURNING kiosk_name", kiosk, location
    )
    if row is None:
        raise NotFound("There is no such kiosk here.")
    tx.after_commit(recent.forget)
    log.append(tx, KioskEnded(location=location, name=row["kiosk_name"]), subject=kiosk)
    before = {"location": str(location), "name": row["kiosk_name"]}
    audit.record(tx, "till.kiosk-ended", "session", kiosk, before=before)
