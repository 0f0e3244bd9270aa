"""SQL of tips."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx

T = TypeVar("T", bound=msgspec.Struct)


class Tip(msgspec.Struct, frozen=True, kw_only=True):
    """A tip as stored; minor units."""

    order_id: UUID
    amount: int
    returned: int = 0
    currency: str
    channel: UUID
    location: UUID
    clerk: UUID | None
    clerk_name: str
    tender: str
    at: datetime


_COLUMNS = ", ".join(Tip.__struct_fields__)


async def insert(tx: Tx, tip: Tip) -> None:
    """Keep one."""
    places = ", ".join(f"${place}" for place in range(1, len(Tip.__struct_fields__) + 1))
    await tx.execute(f"INSERT INTO order_tip ({_COLUMNS}) VALUES ({places})", *msgspec.structs.astuple(tip))


async def of_order(reader: Reader, order: UUID) -> Tip | None:
    """The tip of an order."""
    return await reader.one(Tip, f"SELECT {_COLUMNS} FROM order_tip WHERE order_id = $1", order)


async def kept(reader: Reader, order: UUID) -> int:
    """What of an order's money is the staff's."""
    found = await reader.value("SELECT amount - returned FROM order_tip WHERE order_id = $1", order)
    return int(found or 0)


async def returned(tx: Tx, order: UUID, amount: int) -> None:
    """So much of it went back in all."""
    await tx.execute("UPDATE order_tip SET returned = $2 WHERE order_id = $1", order, amount)


async def by_clerk(
    reader: Reader, kind: type[T], since: datetime, until: datetime, locations: Sequence[UUID] | None
) -> list[T]:
    """Sums for each clerk, the largest first."""
    return await reader.all(
        kind,
        """SELECT clerk, max(clerk_name) AS name, currency, count(*)::int AS sales, sum(amount - returned)::bigint AS amount
           FROM order_tip WHERE at >= $1 AND at < $2 AND ($3::uuid[] IS NULL OR location = ANY ($3))
           GROUP BY clerk, CASE WHEN clerk IS NULL THEN clerk_name END, currency ORDER BY amount DESC, name""",
        since,
        until,
        None if locations is None else list(locations),
    )
