"""SQL of how levels behave, for who changes many of them."""

from datetime import date
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """When a level counts as low, and when how many are bought again (None: never, and as many as are missing); units."""

    low_at: int
    reorder_point: int | None
    reorder_quantity: int | None


async def lock_thresholds(tx: Tx, location: UUID, variant: UUID) -> Thresholds:
    """The thresholds of a level, held against changes.

    Raises:
        NotFound: nothing of the variant was ever there.
    """
    found = await tx.one(
        Thresholds,
        """SELECT low_at, reorder_point, reorder_quantity FROM level
           WHERE location = $1 AND variant = $2 FOR NO KEY UPDATE""",
        location,
        variant,
    )
    if found is None:
        raise NotFound("There is no such level.")
    return found


class Behaviour(Thresholds, frozen=True, kw_only=True):
    """How a level behaves: its thresholds, and what may be sold of it before it is there (units, day)."""

    backorder_limit: int
    sells_incoming: bool
    backorder_on: date | None


async def behaviour(reader: Reader, location: UUID, variant: UUID) -> Behaviour | None:
    """How a level behaves; None when nothing of the variant was ever there."""
    return await reader.one(
        Behaviour,
        """SELECT low_at, reorder_point, reorder_quantity, backorder_limit, sells_incoming, backorder_on
           FROM level WHERE location = $1 AND variant = $2""",
        location,
        variant,
    )


async def called(reader: Reader, location: UUID, variant: UUID) -> str:
    """What a level is called for people: SKU and location.

    Raises:
        NotFound: no such variant or location.
    """
    found = await reader.value(
        "SELECT v.sku || ' (' || p.name || ')' FROM variant v, location p WHERE v.id = $2 AND p.id = $1",
        location,
        variant,
    )
    if found is None:
        raise NotFound("There is no such level.")
    return str(found)
