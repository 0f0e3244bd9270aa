"""Sales that the books hear of after a count has looked: the goods were gone from the shelf, so the count has found that already."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Tx
from samlad.stock import counts_store, service
from samlad.stock.model import Cause, Moved
from samlad.stock.store import MoveLine

REASON = "Sold before it was counted, booked after"
"""The reason of corrections that take back what a count has booked as lost; their reference is the count."""


class LateSale(msgspec.Struct, frozen=True):
    """A sale of a location that happened at a moment, and the counts that may have looked since: locked until the commit."""

    location: UUID
    happened_at: datetime
    going_on: Sequence[UUID]
    booked: Sequence[UUID]


async def begin(tx: Tx, location: UUID, happened_at: datetime) -> LateSale:
    """Lock those counts. Before anything is sold: who books a count locks counts, then levels, too."""
    going_on, booked = await counts_store.lock_ended_after(tx, location, happened_at)
    return LateSale(location, happened_at, going_on, booked)


async def settle(tx: Tx, sale: LateSale, moved: Sequence[Moved]) -> None:
    """What the sale has ``moved`` is no difference of what was counted after it; counted at the same moment is after.

    A count that goes on expects so much less. What is booked is taken back by a correction; others that go on have heard of
    that difference (`counts_store.tell_others`), and they and the books do not change.
    """
    if not (sale.going_on or sale.booked):
        return
    units: Counter[tuple[UUID, UUID | None]] = Counter()
    for each in moved:
        units[each.variant, each.lot] += each.quantity
    variants = sorted({variant for variant, _ in units})
    looks = await counts_store.last_looks(tx, sale.booked, variants, sale.happened_at) if sale.booked else {}
    for count in sorted(set(looks.values())):
        lines = [
            MoveLine(sale.location, variant, -units[variant, lot], REASON, lot)
            for (variant, lot), by in looks.items()
            if by == count and units[variant, lot] < 0
        ]
        if lines:
            await service.move(tx, lines, cause=Cause.CORRECTION, reference=count)
    rest = {key: change for key, change in units.items() if change and key not in looks}
    if sale.going_on and rest:
        await counts_store.change_expected(tx, sale.going_on, rest, sale.happened_at)
