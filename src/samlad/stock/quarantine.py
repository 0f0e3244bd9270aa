"""Goods that are put aside until somebody has looked at them: back for sale, written off, or back to the supplier.

They leave their level when they are put aside, as damage, and come back with what they were worth when they are released.
"""

from collections.abc import Sequence
from uuid import UUID

from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.stock import lots_store, purchases_store, quarantine_store, rules, service
from samlad.stock.events import QuarantineJudged, StockQuarantined, moved_lines
from samlad.stock.model import Cause, Moved
from samlad.stock.permissions import ADJUST
from samlad.stock.quarantine_model import Aside, Quarantine, QuarantineInput, Verdict
from samlad.stock.store import MoveLine


async def put_aside(
    tx: Tx, goods: Sequence[Aside], *, reference: UUID, order: UUID | None = None
) -> list[Moved]:
    """Units that are on hand are put aside. Part of the verbs of returns, so without a permission.

    Reality wins, as in `samlad.stock.service.correct`: what is held for others of a level that has no more is dropped.
    """
    moves = [
        MoveLine(one.location, one.variant, -one.quantity, f"quarantine: {one.reason}", one.lot)
        for one in goods
    ]
    booked = await service.book(tx, moves, cause=Cause.DAMAGE, reference=reference, may_drop=True)
    why = {(one.location, one.variant): one.reason for one in goods}
    rows = [
        (new_id(), moved, -value, why[moved.location, moved.variant])
        for moved, value in zip(booked.moved, booked.values_e4, strict=True)
    ]
    await quarantine_store.insert(tx, rows, reference, order)
    if booked.moved:
        fact = StockQuarantined(reference=reference, lines=moved_lines(booked.moved))
        log.append(tx, fact, subject=reference)
    return booked.moved


async def judge(tx: Tx, quarantine: UUID, data: QuarantineInput, *, version: int | None = None) -> Quarantine:
    """Decide about goods that were put aside, all that is left or a part. The same ``id`` again is done once.

    Released units come back to their level, of the same lot, with what they were worth.

    Raises:
        NotFound. Outdated: somebody decided since ``version``.
        InvalidInput: no supplier to send it back to, or one where none is needed.
        Conflict: fewer units are left, or the id belongs to something else.
    """
    old = await quarantine_store.lock(tx, quarantine)
    tx.actor.require(ADJUST, location=old.location)
    act = data.id or new_id()
    known = await quarantine_store.act(tx, act)
    if known is not None:
        if known != quarantine:
            raise Conflict.at("id", "this verdict was about something else")
        return old
    check_version(version, old.version)
    units = old.units_left if data.quantity is None else data.quantity
    if not 1 <= units <= old.units_left:
        raise Conflict.at("quantity", f"only {old.units_left} are left")
    supplier = await _supplier(tx, data)
    value = rules.share(old.value_e4, units, old.units_left)
    await quarantine_store.take(tx, quarantine, units, value)
    await quarantine_store.note(tx, act, quarantine, data.verdict, units, supplier, data.note)
    moved: list[Moved] = []
    if data.verdict is Verdict.RELEASE:
        moved = await _release(tx, old, units, value, data.note)
    fact = QuarantineJudged(
        location=old.location,
        variant=old.variant,
        lot=old.lot,
        verdict=data.verdict,
        quantity=units,
        supplier=supplier,
        lines=moved_lines(moved),
    )
    log.append(tx, fact, subject=quarantine)
    audit.record(tx, "quarantine.judged", "quarantine", quarantine, after=data)
    return await quarantine_store.get(tx, quarantine)


async def _release(tx: Tx, old: Quarantine, units: int, value: int, note: str) -> list[Moved]:
    key = (old.variant, old.lot)
    lots = await lots_store.arriving(tx, [key])
    line = MoveLine(old.location, old.variant, units, note or "released", lots[key], value_e4=value)
    return await service.move(tx, [line], cause=Cause.DAMAGE, reference=old.reference or old.id)


async def _supplier(tx: Tx, data: QuarantineInput) -> UUID | None:
    is_needed = data.verdict is Verdict.RETURN_TO_SUPPLIER
    if is_needed != (data.supplier is not None):
        text = "say to which supplier" if is_needed else "only what goes back to a supplier has one"
        raise InvalidInput.at("supplier", text)
    if data.supplier is None:
        return None
    try:
        return (await purchases_store.supplier_by_code(tx, data.supplier)).id
    except NotFound as error:
        raise InvalidInput.at("supplier", error.detail) from None
