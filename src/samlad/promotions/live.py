"""Promotions of this process: read with every cart, changed a few times a day (`samlad.kernel.snapshots`).

What must be exact at the moment of buying (ended, limits, budgets) is asked once more by the statement that counts the use
(`uses_store.use`).
"""

from uuid import UUID

from samlad.kernel.database import Reader
from samlad.kernel.snapshots import Kept
from samlad.promotions import store
from samlad.promotions.model import Promotion


async def of_pool(reader: Reader, pool: UUID) -> list[Promotion]:
    """The promotions of a pool that have not ended, at most two seconds old."""
    return (await KEPT.current(reader)).get(pool, [])


async def _load(reader: Reader) -> dict[UUID, list[Promotion]]:
    promotions: dict[UUID, list[Promotion]] = {}
    for promotion in await store.live(reader):
        promotions.setdefault(promotion.pool, []).append(promotion)
    return promotions


KEPT = Kept(_load, store.fingerprint)
forget = KEPT.forget
