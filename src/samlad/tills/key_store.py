"""SQL of the table ``till_key``, and of the sale that a number of a till became."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.tills.model import TillKey

_KEY = """SELECT k.kid, k.till, k.channel AS channel_id, c.code AS channel, k.location, k.public, k.created_at, k.replaced_at,
                 k.revoked_at, k.reason
          FROM till_key k JOIN channel c ON c.id = k.channel"""


async def of_locations(reader: Reader, locations: Sequence[UUID] | None, most: int) -> list[TillKey]:
    """The keys of some places or of all, the newest first."""
    return await reader.all(
        TillKey,
        f"{_KEY} WHERE ($1::uuid[] IS NULL OR k.location = ANY ($1)) ORDER BY k.created_at DESC, k.kid LIMIT $2",
        None if locations is None else list(locations),
        most,
    )


async def read(reader: Reader, kid: str) -> TillKey | None:
    """A key by its id."""
    return await reader.one(TillKey, f"{_KEY} WHERE k.kid = $1", kid)


async def lock_till(tx: Tx, till: UUID) -> None:
    """Who else names a key of this till waits."""
    await tx.execute("SELECT FROM till_device WHERE id = $1 FOR UPDATE", till)


async def insert(
    tx: Tx, kid: str, till: UUID, channel: UUID, location: UUID, public: bytes, session: UUID | None
) -> None:
    """The till's key from now on; what it had before is replaced."""
    await tx.execute(
        "UPDATE till_key SET replaced_at = $2 WHERE till = $1 AND replaced_at IS NULL AND revoked_at IS NULL",
        till,
        now(),
    )
    await tx.execute(
        """INSERT INTO till_key (kid, till, channel, location, public, session, created_at, created_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        kid,
        till,
        channel,
        location,
        public,
        session,
        now(),
        tx.actor.label,
    )


async def named_by(tx: Tx, kid: str, session: UUID | None) -> None:
    """A sign-in has named the key once more."""
    if session is not None:
        await tx.execute(
            "UPDATE till_key SET session = $2 WHERE kid = $1 AND session IS DISTINCT FROM $2", kid, session
        )


async def of_session(reader: Reader, session: UUID) -> list[str]:
    """Keys that a sign-in named last and that still count."""
    rows = await reader.rows(
        "SELECT kid FROM till_key WHERE session = $1 AND revoked_at IS NULL ORDER BY kid", session
    )
    return [row["kid"] for row in rows]


async def revoke(tx: Tx, kid: str, reason: str) -> bool:
    """The key counts no more; False if it was so."""
    return bool(
        await tx.execute(
            """UPDATE till_key SET revoked_at = $2, revoked_by = $3, reason = $4
               WHERE kid = $1 AND revoked_at IS NULL""",
            kid,
            now(),
            tx.actor.label,
            reason,
        )
    )


class Came(msgspec.Struct, frozen=True):
    """What a number of a till became: an order, or nothing yet; ``total`` in minor units, null where it cannot be read."""

    state: str
    order: UUID | None
    total: int | None
    currency: str


async def came(reader: Reader, till: UUID, sequence: int) -> Came | None:
    """The sale of a till with a number; one that is an order before what else had the number."""
    return await reader.one(
        Came,
        """SELECT state, order_id AS "order", currency,
                  total + CASE WHEN jsonb_typeof(body -> 'rounding') = 'number' THEN (body ->> 'rounding')::numeric::bigint
                               ELSE 0 END AS total
           FROM till_sale WHERE till_id = $1 AND sequence = $2
           ORDER BY order_id IS NULL, conflicts_with IS NOT NULL, received_at LIMIT 1""",
        till,
        sequence,
    )
