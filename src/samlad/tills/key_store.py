"""SQL of the table ``till_key``, and of the sale that a number of a till became."""

from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.tills.model import TillKey

_STATE = "CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked' WHEN k.replaced_at IS NOT NULL THEN 'replaced' ELSE 'good' END"
_TILL = "upper(right(k.till::text, 4))"
_ROW = f"""k.kid, k.till, {_TILL} AS till_code, c.code AS channel, k.channel AS channel_id, k.location, p.code AS location_code,
           coalesce(d.kiosk_name, '') AS kiosk, {_STATE} AS state, k.created_at, k.used_at, k.replaced_at, k.revoked_at, k.reason,
           k.public"""
_FROM = """till_key k JOIN channel c ON c.id = k.channel JOIN location p ON p.id = k.location LEFT JOIN session d ON d.id = k.session"""

KEYS = Listing(
    row=TillKey,
    select=_ROW,
    source=f"{_FROM} WHERE ($1::uuid[] IS NULL OR k.location = ANY ($1))",
    key="rpad(k.kid, 32, '0')::uuid",
    sorts={"created_at": Sort("k.created_at", "timestamptz"), "used_at": Sort("k.used_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "q": Filter(
            f"starts_with({_TILL}, upper({{0}})) OR starts_with(k.kid, lower({{0}})) OR strpos(lower(d.kiosk_name), lower({{0}})) > 0",
            str.strip,
        ),
        "channel": Filter("c.code = ANY({}::text[])", texts),
        "till": Filter("k.till = ANY({}::uuid[])", uuids),
        "state": Filter(f"{_STATE} = ANY({{}}::text[])", texts),
    },
)
"""Keys of tills, the newest first; within some locations if they are given."""


async def read(reader: Reader, kid: str) -> TillKey | None:
    """A key by its id."""
    return await reader.one(TillKey, f"SELECT {_ROW} FROM {_FROM} WHERE k.kid = $1", kid)


class SignerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a till without network needs to check what another has signed."""

    kid: str
    till_code: str
    public: bytes
    replaced_at: datetime | None
    revoked_at: datetime | None


async def signers(reader: Reader, location: UUID, most: int) -> list[SignerRow]:
    """The keys of a place, those that were used last first."""
    return await reader.all(
        SignerRow,
        f"""SELECT k.kid, {_TILL} AS till_code, k.public, k.replaced_at, k.revoked_at FROM till_key k
            WHERE k.location = $1 ORDER BY k.used_at DESC, k.kid LIMIT $2""",
        location,
        most,
    )


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
        """INSERT INTO till_key (kid, till, channel, location, public, session, created_at, used_at, created_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)""",
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
    """A till has named its key once more: it signs with it still."""
    await tx.execute(
        "UPDATE till_key SET session = coalesce($2, session), used_at = $3 WHERE kid = $1",
        kid,
        session,
        now(),
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


async def restore(tx: Tx, kid: str) -> bool:
    """The key was taken back by mistake; False if it was not taken back. One that came after it has replaced it. The till is locked."""
    return bool(
        await tx.execute(
            """UPDATE till_key k SET revoked_at = NULL, revoked_by = NULL, reason = '', replaced_at = coalesce(k.replaced_at,
                   (SELECT min(o.created_at) FROM till_key o
                    WHERE o.till = k.till AND o.kid <> k.kid AND o.created_at >= k.created_at))
               WHERE k.kid = $1 AND k.revoked_at IS NOT NULL""",
            kid,
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
