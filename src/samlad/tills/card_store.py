"""SQL of gift cards that stores have seen."""

from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx


class SeenCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card that can pay: the hash of its code (hex) and what is on it, minor units."""

    code_hash: str
    available: int


async def note(tx: Tx, card: UUID, location: UUID) -> None:
    """It was seen just now."""
    await tx.execute(
        """INSERT INTO till_card_seen (card, location) VALUES ($1, $2)
           ON CONFLICT (card, location) DO UPDATE SET seen_at = now()""",
        card,
        location,
    )


async def seen(
    reader: Reader, location: UUID, pool: UUID, currency: str, since: datetime, most: int
) -> list[SeenCard]:
    """Cards with something on them that were looked up at a place, the latest first."""
    return await reader.all(
        SeenCard,
        """SELECT encode(g.code_hash, 'hex') AS code_hash, a.balance - a.held AS available
           FROM till_card_seen s JOIN gift_card g ON g.id = s.card JOIN credit_account a ON a.id = g.account
           WHERE s.location = $1 AND s.seen_at >= $4 AND g.pool = $2 AND g.currency = $3 AND g.status = 'active'
                 AND (g.expires_at IS NULL OR g.expires_at > now() + interval '1 day') AND a.balance > a.held
           ORDER BY s.seen_at DESC, g.id LIMIT $5""",
        location,
        pool,
        currency,
        since,
        most,
    )
