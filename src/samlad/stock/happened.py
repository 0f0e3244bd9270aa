"""Stock of what has happened: somebody left with the goods, so nothing is refused; or a phone without network tells it later.

These verbs ask for no permission: they are parts of the verbs of tills, orders and phones, which do.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.channels import Channel
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.stock import counts_late, holds, service, sold_lots, store
from samlad.stock.events import StockMoved, StockReleased, moved_lines, released_lines
from samlad.stock.lots_model import Named, OddLot
from samlad.stock.model import Cause, Hold, HoldKind, HoldLine, Moved
from samlad.stock.problems import SoldOut
from samlad.stock.store import MoveLine
from samlad.stock.together import Together

NAMED = "The till scanned this lot, and the books had another"
"""The reason of corrections that give units the name of the lot that was scanned."""


async def move(
    tx: Tx,
    lines: Sequence[MoveLine],
    *,
    cause: Cause,
    reference: UUID,
    may_drop: bool = False,
    at: datetime | None = None,
) -> list[Moved]:
    """As `service.move`; ``at`` an earlier moment, and of one location: what was counted since has seen it already."""
    if at is None or not lines:
        return await service.move(tx, lines, cause=cause, reference=reference, may_drop=may_drop)
    late = await counts_late.begin(tx, lines[0].location, at, ())
    moved = await service.move(tx, lines, cause=cause, reference=reference, may_drop=may_drop, happened_at=at)
    await counts_late.settle_moved(tx, late, moved)
    return moved


async def write_off(
    tx: Tx,
    lines: Sequence[tuple[UUID, UUID, int]],
    *,
    cause: Cause,
    reason: str,
    reference: UUID,
    lots: Sequence[UUID | None] = (),
    at: datetime | None = None,
) -> list[Moved]:
    """Units that should be there are not, or are broken: (location, variant, units) each, CORRECTION or DAMAGE.

    Reality wins, as in `samlad.stock.service.correct`; no more is taken off than there is. Without ``lots`` the units are
    of those whose turn it is. ``at`` an earlier moment: of one location, as `move`.
    """
    moves = [
        MoveLine(place, variant, -quantity, reason, lot)
        for (place, variant, quantity), lot in zip(lines, service.lots_beside(lots, lines), strict=True)
    ]
    return await move(tx, moves, cause=cause, reference=reference, may_drop=True, at=at)


class Sold(msgspec.Struct, frozen=True):
    """What left, and what had to be found in the books before it could: units that they did not have, or held for others.

    ``odd`` is what is odd about the lots that were named.
    """

    moved: list[Moved]
    found: list[Moved]
    odd: Sequence[OddLot] = ()


async def sell(
    tx: Tx,
    location: UUID,
    lines: Sequence[tuple[UUID, int]],
    *,
    lease: UUID,
    reference: UUID,
    reason: str,
    happened_at: datetime,
    named: Sequence[Named] = (),
) -> Sold:
    """Book (variant, units) out of a location, whatever the books say: the owner's lease first, then what is free.

    What neither has is booked openly as a correction with ``reason`` and sold with the rest. No other hold loses anything.
    What was counted since it ``happened_at`` lacked these units already (`counts_late`). Of ``named`` lots so many units leave; what of
    them is not here is booked under that name all the same, and said (`sold_lots`).
    """
    asked = await sold_lots.asked(tx, lines, named)
    late = await counts_late.begin(tx, location, happened_at, lines, asked.units)
    event, found_event = new_id(), new_id()
    rows = await store.sell(
        tx,
        location,
        lines,
        lease=lease,
        reference=reference,
        reason=reason,
        events=(event, found_event),
        happened_at=happened_at,
        missed=late.missed,
        named={lot: units for (_, lot), units in asked.units.items()},
        named_reason=NAMED,
    )
    sold = Sold(
        moved=[moved for outcome, moved in rows if outcome == "sold"],
        found=[moved for outcome, moved in rows if outcome == "found"],
        odd=await sold_lots.odd_about(
            tx,
            location,
            asked,
            lacked=[moved.lot for outcome, moved in rows if outcome == "lacked" and moved.lot],
            reference=reference,
            happened_at=happened_at,
        ),
    )
    put_right = [moved for outcome, moved in rows if outcome in ("found", "named")]
    for cause, moved, its_event in (
        (Cause.CORRECTION, put_right, found_event),
        (Cause.SALE, sold.moved, event),
    ):
        if moved:
            fact = StockMoved(cause=cause, reference=reference, lines=moved_lines(moved))
            log.append(tx, fact, subject=reference, event_id=its_event)
    await counts_late.settle(tx, late, sold.moved, put_right)
    return sold


async def lease(
    tx: Tx,
    location: UUID,
    lines: Sequence[tuple[UUID, int]],
    *,
    channel: Channel,
    owner: UUID,
    expires_at: datetime,
) -> list[Hold]:
    """Hold (variant, units) for a till, of each as much as is free there: the answer says how much that is."""
    wanted = {variant: units for variant, units in lines if units > 0}
    while wanted:
        asked = [HoldLine(variant, units, location) for variant, units in sorted(wanted.items())]
        try:
            return await holds.take(
                tx, asked, channel=channel, kind=HoldKind.LEASE, owner=owner, expires_at=expires_at
            )
        except SoldOut as short:  # nothing was held; less of these
            wanted |= {line.variant: min(line.available, wanted[line.variant] - 1) for line in short.lines}
            wanted = {variant: units for variant, units in wanted.items() if units > 0}
    return []


async def prolong(tx: Tx, owner: UUID, *, expires_at: datetime) -> list[Hold]:
    """Let a till's lease last until then; what it is. What had expired and was released is not in it any more."""
    return await store.prolong(tx, owner, HoldKind.LEASE, expires_at)


async def end_leases(tx: Tx, location: UUID, lines: Sequence[tuple[UUID, int]]) -> list[Hold]:
    """Free (variant, units) that tills have leased at a location, or as much as there is: somebody has them in hand there."""
    released = await store.end_leases(tx, location, lines)
    if released:
        tx.database.companion(Together).leave_alone(tx)
        log.append(tx, StockReleased(reason="released", lines=released_lines(released)))
    return released
