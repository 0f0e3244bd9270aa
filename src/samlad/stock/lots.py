"""Lots: which units are which, when they may not be sold any more, and their recall.

A lot is known by its variant and code. Units of it at a location are `for_sale`, `expiring`, `expired` or `blocked`; the
database keeps the sums of the last three with the level, so that nobody who takes stock has to look at lots. Whoever
brings units of a lot, or recalls it, has its row locked before any level.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from msgspec import structs

from samlad.access import audit
from samlad.catalog import Tracking
from samlad.kernel import log
from samlad.kernel.database import Database, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, Outdated
from samlad.stock import lots_rules, lots_store, service
from samlad.stock.events import LotChanged, LotRecalled, LotsJudged, StockLost, released_lines
from samlad.stock.lots_model import Lot, LotMove, Named, Recall, RecallInput
from samlad.stock.model import Cause, Hold, Moved
from samlad.stock.permissions import ADJUST, RECALL
from samlad.stock.problems import LotNeeded
from samlad.stock.scanning import Scan
from samlad.stock.store import MoveLine

JUDGE_BATCH = 200
"""Levels that one transaction of `judge` looks at: they are locked until its commit."""


async def resolve(
    tx: Tx, lines: Sequence[Named], *, may_be_new: bool = True, is_needed: bool = True
) -> list[UUID | None]:
    """The lots that lines name, in their order; None where the product asks for none, or nobody says.

    ``may_be_new``: units come, so lots that nobody has seen are made. Not ``is_needed``: units go, and where nobody says
    which the lots go whose turn it is. Lots are locked against recalls, in order of their ids.

    Raises:
        InvalidInput: at each line that does not name its lot as its product asks.
    """
    tracking = await lots_store.tracking_of(tx, [line.variant for line in lines])
    lines = [
        structs.replace(line, code=line.serial or line.code)
        if tracking.get(line.variant) is Tracking.SERIAL
        else line
        for line in lines
    ]
    kept = [line for line in lines if tracking.get(line.variant, Tracking.NONE) is not Tracking.NONE]
    named = [line for line in kept if line.code is not None]
    known = await lots_store.known(tx, named) if named else {}
    errors = lots_rules.check(lines, tracking, known, may_be_new=may_be_new, is_needed=is_needed)
    if errors:
        raise InvalidInput("Some lines do not say which units they are.", errors=tuple(errors))
    if may_be_new and named:
        await lots_store.make(tx, named)
        known = await lots_store.known(tx, named)
    ids = {key: lot.id for key, lot in known.items()}
    return [ids.get((line.variant, line.code)) if line in named and line.code else None for line in lines]


async def name_units(tx: Tx, location: UUID, lines: Sequence[Named]) -> list[Moved]:
    """Say which lot units are of which nobody knew it: those that were there before the product was kept by lot.

    Raises:
        NotInStock: there are fewer such units. InvalidInput: as `resolve`.
    """
    tx.actor.require(ADJUST, location=location)
    lots = await resolve(tx, lines)
    moves = []
    for line, lot in zip(lines, lots, strict=True):
        if lot is None:
            raise InvalidInput.at("lines", "this product is not kept by lot")
        nobody = await lots_store.unknown_lot(tx, line.variant)
        moves += [
            MoveLine(location, line.variant, line.units, "named", lot),
            MoveLine(location, line.variant, -line.units, "named", nobody),
        ]
    moved = await service.move(tx, moves, cause=Cause.CORRECTION, reference=new_id())
    audit.record(tx, "stock.lots-named", "location", location, after={"lines": moved})
    return moved


async def change_date(tx: Tx, lot: UUID, expires_on: date | None, *, version: int | None = None) -> Lot:
    """A lot is good until another day, at every location; what may be sold changes with it at once.

    Raises:
        NotFound. Outdated: somebody changed it since ``version``.
        Conflict: it is the lot of units that nobody knows.
    """
    tx.actor.require(ADJUST)
    old = await lots_store.lock(tx, lot)
    check_version(version, old.version)
    if not old.code:
        raise Conflict("Nobody knows which lot these are: say it first.")
    if old.expires_on == expires_on:
        return old
    new = await lots_store.set_date(tx, lot, old.version, expires_on)
    if new is None:
        raise Outdated("Somebody changed this lot at the same moment.")
    await _judge(tx, [lot])
    log.append(tx, LotChanged(variant=new.variant, code=new.code, expires_on=expires_on), subject=lot)
    before, after = {"expires_on": old.expires_on}, {"expires_on": expires_on}
    audit.record(tx, "lot.changed", "lot", lot, before=before, after=after)
    return new


async def recall(tx: Tx, data: RecallInput) -> Recall:
    """Block a lot at every location: not sold, not picked, also where more of it comes in. Twice is once.

    Holds that have no other units lose theirs, and `StockLost` says whose.

    Raises:
        InvalidInput: no such variant. A lot that nobody has seen is made, so that it is refused when it comes.
    """
    tx.actor.require(RECALL)
    variant = await _variant_of(tx, data)
    named = Named(variant, 1, data.lot)
    tracking = await lots_store.tracking_of(tx, [variant])
    if variant not in tracking:
        raise InvalidInput.at("variant", "there is no such variant")
    if tracking[variant] is Tracking.NONE:
        raise InvalidInput.at("lot", "this product is not kept by lot")
    await lots_store.make(tx, [named])
    lot = await lots_store.lock(tx, (await lots_store.known(tx, [named]))[variant, data.lot].id)
    made = await lots_store.insert_recall(tx, new_id(), lot.id, data.reason)
    if made is None:
        return await lots_store.recall_of(tx, lot.id)
    moves = await _judge(tx, [lot.id])
    _tell_recall(tx, made, sum(move.units for move in moves))
    return made


async def end_recall(tx: Tx, recall_id: UUID) -> Recall:
    """The lot may be sold again, as far as its date allows. Twice is once. Raises NotFound."""
    tx.actor.require(RECALL)
    found = await lots_store.recall_by_id(tx, recall_id)
    await lots_store.lock(tx, found.lot)
    if not await lots_store.end_recall(tx, recall_id):
        return found
    moves = await _judge(tx, [found.lot])
    ended = await lots_store.recall_by_id(tx, recall_id)
    _tell_recall(tx, ended, sum(move.units for move in moves))
    return ended


def _tell_recall(tx: Tx, made: Recall, units: int) -> None:
    fact = LotRecalled(
        recall=made.id,
        variant=made.variant,
        code=made.lot_code,
        reason=made.reason,
        is_ended=made.ended_at is not None,
        units=units,
    )
    log.append(tx, fact, subject=made.lot)
    verb = "lot.recall-ended" if fact.is_ended else "lot.recalled"
    audit.record(tx, verb, "lot", made.lot, after={"reason": made.reason, "units": units})


async def _variant_of(tx: Tx, data: RecallInput) -> UUID:
    if (data.variant is None) == (data.sku is None):
        raise InvalidInput.at("variant", "give one of variant and sku")
    if data.variant is not None:
        return data.variant
    assert data.sku is not None
    found = await lots_store.variants_by_sku(tx, data.sku)
    if len(found) != 1:
        what = "is in several catalogues: give the variant" if found else "is not known"
        raise InvalidInput.at("sku", f"“{data.sku}” {what}")
    return found[0]


async def judge(database: Database) -> int:
    """What expires, or has too few days left, by its location's own day is not for sale any more: the sweeper.

    In batches of a transaction each, told by events; how many lots at locations became something else.
    """
    total = 0
    while True:
        changed, levels = await database.transaction(_judge_batch)
        total += changed
        if levels < JUDGE_BATCH:
            return total


async def _judge_batch(tx: Tx) -> tuple[int, int]:
    moves, dropped, levels = await lots_store.judge(tx, None, JUDGE_BATCH)
    _tell_judged(tx, moves, dropped)
    return len(moves), levels


async def _judge(tx: Tx, lots: Sequence[UUID]) -> list[LotMove]:
    moves, dropped, _levels = await lots_store.judge(tx, lots, 2**31 - 1)
    _tell_judged(tx, moves, dropped)
    return moves


def _tell_judged(tx: Tx, moves: list[LotMove], dropped: list[Hold]) -> None:
    if moves:
        log.append(tx, LotsJudged(lines=moves))
    if dropped:
        log.append(tx, StockLost(lines=released_lines(dropped)))


Share = tuple[UUID | None, int]
"""Units of a lot; None: the product is not kept by lot."""


async def sold_lots(
    tx: Tx, order: UUID, lines: Sequence[tuple[UUID, int, Sequence[str]]]
) -> list[list[Share]]:
    """Which lots come back of an order: (variant, units, codes) each, one of the codes is the lot's. What is clear nobody
    has to say.

    It is clear where the order got one lot of the variant, or where all of it comes back.

    Raises:
        LotNeeded: it got several lots of a variant, or another one than was said.
    """
    tracking = await lots_store.tracking_of(tx, [variant for variant, _, _ in lines])
    kept = {v for v, how in tracking.items() if how is not Tracking.NONE}
    got = await lots_store.sold(tx, order, list(kept)) if kept else {}
    found: list[list[Share]] = []
    for variant, units, codes in lines:
        mine = got.get(variant, [])
        if variant not in kept:
            found.append([(None, units)])
        elif codes:
            named = [lot for lot, _ in mine if lot.code in codes]
            if not named:
                raise LotNeeded(variant, [lot.code for lot, _ in mine])
            found.append([(named[0].id, units)])
        elif not mine:  # it was sold before the product was kept by lot
            found.append([(await lots_store.unknown_lot(tx, variant), units)])
        elif len(mine) == 1:
            found.append([(mine[0][0].id, units)])
        elif sum(sold for _, sold in mine) == units:
            found.append([(lot.id, sold) for lot, sold in mine])
        else:
            raise LotNeeded(variant, [lot.code for lot, _ in mine])
    return found


async def scanned(tx: Tx, variant: UUID, scan: Scan) -> UUID | None:
    """The lot that a scanned piece is of; None where the product is not kept by lot or the code does not say.

    Raises:
        InvalidInput: at the code; nobody has ever seen this lot.
    """
    how = (await lots_store.tracking_of(tx, [variant])).get(variant, Tracking.NONE)
    code = (scan.serial or scan.lot) if how is Tracking.SERIAL else scan.lot
    if how is Tracking.NONE or code is None:
        return None
    known = await lots_store.known(tx, [Named(variant, 1, code)])
    if not known:
        raise InvalidInput.at("code", f"there is no lot “{code}” of this product")
    return known[variant, code].id
