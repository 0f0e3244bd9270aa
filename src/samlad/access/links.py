"""One-time links: the first owner, invitations, password resets. Only their hash is kept."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from samlad.access.problems import LinkNotValid
from samlad.access.tokens import new_token, token_hash
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx

Purpose = Literal["first-owner", "invitation", "password-reset"]

LIFETIMES: dict[Purpose, timedelta] = {
    "first-owner": timedelta(days=7),
    "invitation": timedelta(days=7),
    "password-reset": timedelta(hours=2),
}


class NewLink(msgspec.Struct, frozen=True):
    """A link that was just made. ``url`` holds the secret: it is shown once and kept nowhere."""

    purpose: Purpose
    url: str
    expires_at: datetime


class LinkInfo(msgspec.Struct, frozen=True):
    """What a valid link is for. E-mail and name are null for the first owner, who says them."""

    purpose: Purpose
    staff: UUID | None
    email: str | None
    name: str | None
    expires_at: datetime


async def make(tx: Tx, purpose: Purpose, staff: UUID | None, base_url: str) -> NewLink:
    """Make a link; older ones of the same purpose for the same person stop to work."""
    token, expires_at = new_token(), now() + LIFETIMES[purpose]
    await tx.execute(
        """
        WITH older AS (DELETE FROM one_time_link WHERE purpose = $2 AND staff IS NOT DISTINCT FROM $3)
        INSERT INTO one_time_link (token_hash, purpose, staff, expires_at) VALUES ($1, $2, $3, $4)
        """,
        token_hash(token),
        purpose,
        staff,
        expires_at,
    )
    return NewLink(purpose, f"{base_url.rstrip('/')}/admin/link/{token}", expires_at)


_SELECT = """
SELECT l.purpose, l.staff, s.email, s.name, l.expires_at
FROM one_time_link l LEFT JOIN staff s ON s.id = l.staff
WHERE l.token_hash = $1 AND l.used_at IS NULL AND l.expires_at > now() AND s.status IS DISTINCT FROM 'disabled'
"""


async def look(reader: Reader, token: str) -> LinkInfo:
    """What the link is for, without using it.

    Raises:
        LinkNotValid: used, replaced, expired, or never made.
    """
    found = await reader.one(LinkInfo, _SELECT, token_hash(token))
    if found is None:
        raise LinkNotValid("Ask for a new one.")
    return found


async def use(tx: Tx, token: str) -> LinkInfo:
    """Use the link up, in the caller's transaction; of two at once only one gets it.

    Raises:
        LinkNotValid: as `look`.
    """
    found = await look(tx, token)
    used = await tx.execute(
        "UPDATE one_time_link SET used_at = now() WHERE token_hash = $1 AND used_at IS NULL",
        token_hash(token),
    )
    if not used:
        raise LinkNotValid("Ask for a new one.")
    return found
