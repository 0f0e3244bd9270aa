"""Which lots a sale that has happened was of, as a till scanned them: the piece was in somebody's hand, so nothing is refused.

Those leave, whatever the books say of them. A lot that nobody has seen is made, so that a recall or a return finds who got it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.catalog import Tracking
from samlad.kernel.clock import local_day
from samlad.kernel.database import Tx
from samlad.stock import lots_store, places
from samlad.stock.lots_model import Lot, Named, OddLot

_CODE = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,38}[^\s\x00-\x1f\x7f])?")

Key = tuple[UUID, UUID]
"""Variant, lot."""


class Asked(msgspec.Struct, frozen=True):
    """The lots that a sale names: so many ``units`` of each, and what is ``odd`` before anybody has looked into the books."""

    units: Mapping[Key, int]
    lots: Mapping[UUID, Lot]
    new: frozenset[UUID]
    pieces: frozenset[UUID]
    said: Mapping[UUID, Named]
    odd: Sequence[OddLot]


NOTHING = Asked({}, {}, frozenset(), frozenset(), {}, ())


async def asked(tx: Tx, lines: Sequence[tuple[UUID, int]], named: Sequence[Named]) -> Asked:
    """What is named of goods that are kept by lot, no more than was sold of each; of a serial number one piece. Nobody recalls
    these lots until the commit."""
    if not named:
        return NOTHING
    tracking = await lots_store.tracking_of(tx, [each.variant for each in named])
    kept: dict[tuple[UUID, str], Named] = {}
    odd: list[OddLot] = []
    left = Counter[UUID]()
    for variant, units in lines:
        left[variant] += units
    for each in named:
        how = tracking.get(each.variant, Tracking.NONE)
        code = ((each.serial or each.code) if how is Tracking.SERIAL else each.code) or ""
        code = code.strip()
        if how is Tracking.NONE or not code:
            continue
        if not _CODE.fullmatch(code):
            odd.append(OddLot(each.variant, code, "unknown"))
            continue
        before = kept.get((each.variant, code))
        units = min(each.units if how is not Tracking.SERIAL else 1, left[each.variant])
        if before is not None and how is Tracking.SERIAL:
            odd.append(OddLot(each.variant, code, "sold"))
            continue
        if units > 0:
            left[each.variant] -= units
            more = units + (before.units if before else 0)
            kept[each.variant, code] = Named(each.variant, more, code, each.expires_on)
    found = await lots_store.known(tx, list(kept.values())) if kept else {}
    missing = [each for key, each in kept.items() if key not in found]
    if missing:
        await lots_store.make(tx, missing)
        found |= await lots_store.known(tx, missing)
    ids = {key: found[key].id for key in kept}
    return Asked(
        units={(key[0], ids[key]): each.units for key, each in kept.items()},
        lots={lot.id: lot for lot in found.values()},
        new=frozenset(ids[each.variant, each.code or ""] for each in missing),
        pieces=frozenset(ids[key] for key in kept if tracking[key[0]] is Tracking.SERIAL),
        said={ids[key]: each for key, each in kept.items()},
        odd=odd,
    )


async def odd_about(
    tx: Tx,
    location: UUID,
    asked: Asked,
    *,
    lacked: Sequence[UUID],
    reference: UUID,
    happened_at: datetime,
) -> list[OddLot]:
    """What is odd about lots that were sold: those that were ``lacked`` here, and those that nobody should have sold then."""
    if not asked.units:
        return list(asked.odd)
    place = await places.location(tx, location)
    day = local_day(happened_at, place.time_zone)
    recalled = await lots_store.recalled_by(
        tx, [lot.id for lot in asked.lots.values() if lot.recall], happened_at
    )
    pieces = [lot for lot in lacked if lot in asked.pieces and lot not in asked.new]
    sold = await lots_store.sold_before(tx, pieces, reference) if pieces else {}
    odd = list(asked.odd)
    for lot_id in asked.said:
        lot, told = asked.lots[lot_id], asked.said[lot_id]
        if lot_id in asked.new:
            odd.append(OddLot(lot.variant, lot.code, "unknown"))
        elif lot_id in lacked:
            at = await lots_store.where(tx, lot_id) if lot_id in asked.pieces else []
            if at:
                odd.append(OddLot(lot.variant, lot.code, "elsewhere", at[0].name))
            elif lot_id in sold:
                odd.append(OddLot(lot.variant, lot.code, "sold", under=sold[lot_id]))
            else:
                odd.append(OddLot(lot.variant, lot.code, "lacking"))
        good_until = lot.expires_on or told.expires_on
        if good_until is not None and good_until < day:
            odd.append(OddLot(lot.variant, lot.code, "expired", good_until.isoformat()))
        if lot_id in recalled:
            odd.append(OddLot(lot.variant, lot.code, "recalled"))
    return odd
