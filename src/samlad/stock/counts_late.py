"""What the books hear of after a count has looked: goods that were sold were gone from the shelf, those that came lay there, so
the count has found that already.

The other way round, a count that the books hear of after such a sale, is `samlad.stock.counts_store.enter`: what happened before
somebody looked is in what they saw, whenever it was booked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import msgspec

from samlad.kernel.database import Tx
from samlad.stock import counts_store, lots_store, service
from samlad.stock.model import Cause, Moved
from samlad.stock.store import MoveLine

REASON = "Sold before it was counted, booked after"
"""The reason of movements that take back what a count has booked as lost; their reference is the count."""
MOVED = "Moved before it was counted, booked after"
"""The same of what came, or was not found."""

Key = tuple[UUID, UUID | None]
"""A variant, and the lot where it is kept by lot."""


class LateSale(msgspec.Struct, frozen=True):
    """A sale (or another movement) of a location that happened at a moment, and the counts that may have looked since: locked until the commit.

    Units by lot that these have ``missed`` are what was sold, and go first; what was booked as lost of them is ``taken_back``.
    """

    location: UUID
    happened_at: datetime
    going_on: Sequence[UUID]
    booked: Sequence[UUID]
    missed: Mapping[UUID, int]
    taken_back: Sequence[Moved]


async def begin(
    tx: Tx,
    location: UUID,
    happened_at: datetime,
    lines: Sequence[tuple[UUID, int]],
    named: Mapping[tuple[UUID, UUID], int] = MappingProxyType({}),
) -> LateSale:
    """Lock those counts. Before (variant, units) are sold: who books a count locks counts, then levels, too.

    Units of ``named`` lots are those and no others; what of them is not here is, if counts have not missed it, under another name.
    """
    going_on, booked = await counts_store.lock_ended_after(tx, location, happened_at)
    missed, lost = Counter[UUID](), list[tuple[UUID, MoveLine]]()
    if going_on or booked:
        left, lacking = Counter[UUID](), Counter[UUID]()
        for variant, units in lines:
            left[variant] += units
        here = await lots_store.on_hand(tx, location, [lot for _, lot in named]) if named else {}
        for (variant, lot), units in named.items():
            lacking[lot] = max(0, units - here.get(lot, 0))
            left[variant] -= units - lacking[lot]
        counts = [*going_on, *booked]
        rows = await counts_store.missed_lots(tx, counts, sorted(left), happened_at, REASON)
        for row in sorted(rows, key=lambda row: (row["variant"], row["lot"]) not in named):
            is_named = (row["variant"], row["lot"]) in named
            wanted = lacking[row["lot"]] if is_named else left[row["variant"]]
            units = min(row["units"], wanted, left[row["variant"]])
            if not units or (is_named and not row["is_booked"]):
                continue
            left[row["variant"]] -= units
            if is_named:
                lacking[row["lot"]] -= units
            else:
                missed[row["lot"]] += units
            if row["is_booked"]:
                lost.append((row["count"], MoveLine(location, row["variant"], units, REASON, row["lot"])))
    taken_back = await _take_back(tx, lost)
    return LateSale(location, happened_at, going_on, booked, missed, taken_back)


async def settle(tx: Tx, sale: LateSale, sold: Sequence[Moved], found: Sequence[Moved]) -> None:
    """What has left with the sale is no difference of what was counted after it; counted at the same moment is after.

    A count that goes on expects so much less. What is booked is taken back; others that go on have heard of that difference
    (`counts_store.tell_others`). What had to be ``found`` in the books for it was there when others looked before.
    """
    if not (sale.going_on or sale.booked):
        return
    went, put_right = _units(sold), _units([*found, *sale.taken_back])
    net = {key: went[key] + put_right[key] for key in went}
    variants = sorted({variant for variant, _ in went})
    looks = await counts_store.last_looks(tx, sale.booked, variants, sale.happened_at) if sale.booked else {}
    again = await _take_back(
        tx,
        [
            (count, MoveLine(sale.location, variant, -net[variant, lot], REASON, lot))
            for (variant, lot), count in looks.items()
            if net.get((variant, lot), 0) < 0
        ],
    )
    put_right.update(_units(again))
    if sale.going_on:
        await counts_store.change_expected(tx, sale.going_on, went, put_right, sale.happened_at)


async def settle_moved(tx: Tx, late: LateSale, moved: Sequence[Moved]) -> None:
    """As `settle`, of units that came, or were not found, before somebody counted: that is no difference of the count."""
    if not (late.going_on or late.booked):
        return
    units = _units(moved)
    variants = sorted({variant for variant, _ in units})
    looks = await counts_store.last_looks(tx, late.booked, variants, late.happened_at) if late.booked else {}
    lines = [
        (count, MoveLine(late.location, key[0], -units[key], MOVED, key[1]))
        for key, count in looks.items()
        if key in units
    ]
    put_right = _units(await _take_back(tx, lines))
    if late.going_on:
        await counts_store.change_expected(tx, late.going_on, units, put_right, late.happened_at)


async def _take_back(tx: Tx, lines: Sequence[tuple[UUID, MoveLine]]) -> list[Moved]:
    """Book lines by the count that had booked them as lost: its difference was less."""
    moved = []
    for count in sorted({count for count, _ in lines}):
        mine = [line for by, line in lines if by == count and line.quantity]
        moved += await service.move(tx, mine, cause=Cause.COUNT, reference=count)
    return moved


def _units(moved: Iterable[Moved]) -> Counter[Key]:
    units = Counter[Key]()
    for each in moved:
        units[each.variant, each.lot] += each.quantity
    return units
