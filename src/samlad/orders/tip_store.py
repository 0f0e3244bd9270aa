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
    paid: int = 0
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


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed of one tip (minor units); below zero: it went back to the customer after it was paid out."""

    order_id: UUID
    clerk_name: str
    owed: int


_THEIRS = "location = $1 AND clerk IS NOT DISTINCT FROM $2 AND (clerk IS NOT NULL OR clerk_name = $3) AND currency = $4"


async def lock_owed(tx: Tx, whose: tuple[UUID, UUID | None, str, str], until: datetime) -> list[Owed]:
    """What is owed of each tip of somebody (location, clerk, name where there is no clerk, currency), held in the order of ids."""
    return await tx.all(
        Owed,
        f"""SELECT order_id, clerk_name, amount - returned - paid AS owed FROM order_tip
            WHERE {_THEIRS} AND at <= $5 AND amount - returned <> paid ORDER BY order_id FOR UPDATE""",
        *whose,
        until,
    )


async def add_paid(tx: Tx, orders: Sequence[UUID], amounts: Sequence[int]) -> None:
    """So much more of each was paid out; below zero: less. Rows are taken in the order of ids, as everywhere."""
    await tx.execute(
        "SELECT FROM order_tip WHERE order_id = ANY ($1::uuid[]) ORDER BY order_id FOR UPDATE", list(orders)
    )
    await tx.execute(
        """UPDATE order_tip t SET paid = t.paid + g.amount
           FROM unnest($1::uuid[], $2::bigint[]) AS g (order_id, amount) WHERE t.order_id = g.order_id""",
        list(orders),
        list(amounts),
    )
