"""Exchanges that have begun (passkey, OpenID Connect): what their answer must fit, to be taken once."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from samlad.access.tokens import new_token, token_hash
from samlad.kernel.clock import now
from samlad.kernel.database import Tx

Kind = Literal[
    "passkey-registration", "passkey-sign-in", "oidc", "customer-passkey", "customer-passkey-sign-in"
]
LIFETIME = timedelta(minutes=10)


class Ceremony(msgspec.Struct, frozen=True):
    """One that was taken."""

    staff: UUID | None
    data: dict[str, Any]


async def begin(tx: Tx, kind: Kind, data: dict[str, Any], staff: UUID | None = None) -> str:
    """Keep the data for ten minutes; the secret by which the answer refers to it."""
    token = new_token()
    await tx.execute(
        "INSERT INTO ceremony (token_hash, kind, staff, data, expires_at) VALUES ($1, $2, $3, $4, $5)",
        token_hash(token),
        kind,
        staff,
        data,
        now() + LIFETIME,
    )
    return token


async def take(tx: Tx, kind: Kind, token: str) -> Ceremony | None:
    """The data, this one time; None when it is unknown, taken, or too old. Commit it before the answer is judged."""
    return await tx.one(
        Ceremony,
        "DELETE FROM ceremony WHERE token_hash = $1 AND kind = $2 AND expires_at > now() RETURNING staff, data",
        token_hash(token),
        kind,
    )
