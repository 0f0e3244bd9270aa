"""Buying from suppliers: draft an order, send it, book what comes, perhaps in parts, perhaps more than was ordered.

What is ordered and has not come is expected at its level (``level.incoming``); channels may sell it already where the
level says so. Whoever changes a purchase order has its row locked, and then touches levels in key order.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import UNSET, UnsetType

from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, FieldError, InvalidInput
from samlad.stock import happened, places, purchases_store, service
from samlad.stock.events import PurchaseChanged, moved_lines
from samlad.stock.model import LARGEST, Cause, Moved
from samlad.stock.permissions import ADJUST, PURCHASE
from samlad.stock.purchase_model import OPEN, Purchase, PurchaseStatus, Supplier, WantedLine
from samlad.stock.store import MoveLine


async def draft(
    tx: Tx,
    supplier: Supplier,
    location: UUID,
    lines: Sequence[WantedLine],
    *,
    reference: str = "",
    note: str = "",
) -> Purchase:
    """Write a purchase order down. Nothing is expected yet.

    Raises:
        InvalidInput: no lines, a variant twice or unknown.
        Conflict: the supplier is not active.
    """
    tx.actor.require(PURCHASE, location=location)
    if not supplier.is_active:
        raise Conflict.at("supplier", "nothing is bought from this supplier any more")
    purchase = new_id()
    await places.location(tx, location)
    await purchases_store.insert(tx, purchase, supplier.id, location, reference, note)
    await _put_lines(tx, purchase, lines)
    return _tell(tx, await purchases_store.get(tx, purchase))


async def change(
    tx: Tx,
    purchase: UUID,
    *,
    reference: str | UnsetType = UNSET,
    note: str | UnsetType = UNSET,
    lines: Sequence[WantedLine] | UnsetType = UNSET,
    version: int | None = None,
) -> Purchase:
    """Change what is given; lines only of a draft, all of them.

    Raises:
        Conflict: lines of what is ordered already (set new days, or cancel it and order anew).
        Outdated: somebody changed it since ``version``.
        InvalidInput: as `draft`.
    """
    old = await _lock(tx, purchase, version)
    if lines is not UNSET:
        if old.status is not PurchaseStatus.DRAFT:
            raise Conflict.at("lines", f"this purchase order is {old.status}: its lines stand")
        await _put_lines(tx, purchase, lines)
    values: dict[str, Any] = {
        name: value for name, value in (("reference", reference), ("note", note)) if value is not UNSET
    }
    return _tell(tx, await purchases_store.update(tx, purchase, values))


async def order(tx: Tx, purchase: UUID, *, version: int | None = None) -> Purchase:
    """Send it to the supplier: from now on its goods are expected, on their days or after the supplier's lead time.

    Raises:
        Conflict: it is no draft any more.
        Outdated: somebody changed it since ``version``.
    """
    old = await _lock(tx, purchase, version)
    if old.status is not PurchaseStatus.DRAFT:
        raise Conflict(f"This purchase order is {old.status}.")
    supplier = await purchases_store.supplier(tx, old.supplier)
    await purchases_store.note_ordered(tx, purchase, supplier.lead_days)
    wanted = [MoveLine(old.location, line.variant, line.quantity) for line in old.lines]
    await service.expect(tx, wanted, reference=purchase)
    new = await purchases_store.set_status(tx, purchase, PurchaseStatus.ORDERED)
    audit.record(tx, "purchase.ordered", "purchase", purchase, after={"number": new.number})
    return _tell(tx, new)


async def reschedule(
    tx: Tx, purchase: UUID, days: Sequence[tuple[UUID, date | None]], *, version: int | None = None
) -> Purchase:
    """The supplier names other days: (variant, day) each; None: nobody knows. What was promised before stands.

    Raises:
        Conflict: it has ended.
        InvalidInput: a variant that is not on it.
        Outdated: somebody changed it since ``version``.
    """
    old = await _lock(tx, purchase, version)
    if old.status is not PurchaseStatus.DRAFT and old.status not in OPEN:
        raise Conflict(f"This purchase order is {old.status}.")
    _check_known(old, [(variant, None) for variant, _ in days])
    await purchases_store.reschedule(tx, purchase, days)
    return _tell(tx, await purchases_store.update(tx, purchase, {}))


async def receive(
    tx: Tx,
    purchase: UUID,
    lines: Sequence[tuple[UUID, int]] | None = None,
    *,
    receipt: UUID | None = None,
    note: str = "",
    lots: Sequence[UUID | None] = (),
    costs: Mapping[UUID, int] | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Purchase:
    """Goods come: these, (variant, units) each, or all that are still expected; more than was ordered is fine.

    Perhaps they came ``at`` an earlier moment, and a phone without network tells it now.

    ``receipt`` names the delivery: told of twice, it is booked once. ``lots`` says of which lot each line is; ``costs``,
    by variant, what one of them cost in ten-thousandths of a minor unit, where that is not what was ordered.

    Raises:
        Conflict: it is not on order, or the receipt belongs to another one.
        InvalidInput: a variant that is not on it or (of the same lot) twice, a quantity below 1, a cost of what does not come.
        LotNeeded: the product is kept by lot, and a line has none.
        Outdated: somebody booked another delivery, or changed it, since ``version``.
    """
    old = await purchases_store.lock(tx, purchase)
    tx.actor.require(ADJUST, location=old.location)
    receipt = receipt or new_id()
    if old.status in OPEN or old.status is PurchaseStatus.RECEIVED:
        known = await purchases_store.insert_receipt(tx, receipt, purchase, note)
        if known is not None:
            if known != purchase:
                raise Conflict.at("receipt", "this delivery was booked to another purchase order")
            return old
    check_version(version, old.version)
    if old.status not in OPEN:
        raise Conflict(f"This purchase order is {old.status}.")
    open_units = {line.variant: max(0, line.quantity - line.received) for line in old.lines}
    listed = [(v, q) for v, q in open_units.items() if q] if lines is None else list(lines)
    by_lot = [(v, lot, q) for (v, q), lot in zip(listed, service.lots_beside(lots, listed), strict=True)]
    _check_known(old, [(variant, lot) for variant, lot, _ in by_lot])
    if any(not 1 <= quantity <= LARGEST for _, _, quantity in by_lot):
        raise InvalidInput.at("lines", "at least one unit each")
    arrived: dict[UUID, int] = {}
    for variant, _lot, quantity in by_lot:
        arrived[variant] = arrived.get(variant, 0) + quantity
    cost_of = _costs(tx, old, arrived, costs or {})
    moves = [MoveLine(old.location, v, quantity, note, lot, cost_of[v]) for v, lot, quantity in by_lot]
    moment = None if at is None else max(at, old.ordered_at or old.created_at)
    moved = await happened.move(tx, moves, cause=Cause.RECEIPT, reference=receipt, at=moment)
    with service.moving():
        came_at = [(variant, quantity, cost_of[variant]) for variant, quantity in arrived.items()]
        await purchases_store.note_received(tx, purchase, came_at)
    came = [MoveLine(old.location, v, -min(q, open_units[v])) for v, q in arrived.items()]
    await service.expect(tx, came, reference=purchase)
    left = sum(open_units.values()) + sum(line.quantity for line in came)
    status = PurchaseStatus.PARTIALLY_RECEIVED if left else PurchaseStatus.RECEIVED
    return _tell(tx, await purchases_store.set_status(tx, purchase, status), receipt, moved)


def _costs(
    tx: Tx, purchase: Purchase, arrived: Collection[UUID], said: Mapping[UUID, int]
) -> dict[UUID, int]:
    """What one of each variant cost: as ordered, or as is said now by somebody who may know costs."""
    ordered = {line.variant: line.unit_cost_e4 for line in purchase.lines}
    if not said:
        return ordered
    tx.actor.require(PURCHASE, location=purchase.location)
    if not said.keys() <= set(arrived):
        raise InvalidInput.at("costs", "of something that does not come now")
    other = {variant: cost for variant, cost in said.items() if cost != ordered[variant]}
    if other:
        before = {str(variant): ordered[variant] for variant in other}
        after = {str(variant): cost for variant, cost in other.items()}
        audit.record(tx, "purchase.costs", "purchase", purchase.id, before=before, after=after)
    return ordered | dict(said)


async def cancel(tx: Tx, purchase: UUID, *, version: int | None = None) -> Purchase:
    """What has not come does not come any more. Holds that had counted on it are dropped, and `StockLost` says whose.

    Raises:
        Conflict: it has ended.
        Outdated: somebody changed it since ``version``.
    """
    old = await _lock(tx, purchase, version)
    if old.status not in OPEN and old.status is not PurchaseStatus.DRAFT:
        raise Conflict(f"This purchase order is {old.status}.")
    if old.status in OPEN:
        gone = [
            MoveLine(old.location, line.variant, -max(0, line.quantity - line.received)) for line in old.lines
        ]
        await service.expect(tx, gone, reference=purchase)
    new = await purchases_store.set_status(tx, purchase, PurchaseStatus.CANCELLED)
    audit.record(tx, "purchase.cancelled", "purchase", purchase, after={"number": new.number})
    return _tell(tx, new)


async def _lock(tx: Tx, purchase: UUID, version: int | None) -> Purchase:
    found = await purchases_store.lock(tx, purchase)
    tx.actor.require(PURCHASE, location=found.location)
    check_version(version, found.version)
    return found


async def _put_lines(tx: Tx, purchase: UUID, lines: Sequence[WantedLine]) -> None:
    if not lines or len({line.variant for line in lines}) < len(lines):
        raise InvalidInput.at("lines", "one line for each variant, at least one")
    try:
        await purchases_store.put_lines(tx, purchase, lines)
    except asyncpg.ForeignKeyViolationError as error:
        raise InvalidInput.at("lines", "there is no such variant") from error


def _check_known(purchase: Purchase, lines: Sequence[tuple[UUID, UUID | None]]) -> None:
    known = {line.variant for line in purchase.lines}
    errors = [
        FieldError(f"lines/{index}", "not on this purchase order: receive it as goods of its own")
        for index, (variant, _lot) in enumerate(lines)
        if variant not in known
    ]
    if len(set(lines)) < len(lines):
        errors.append(FieldError("lines", "a variant is there twice"))
    if errors:
        raise InvalidInput("Some lines are not right.", errors=tuple(errors))


def _tell(tx: Tx, purchase: Purchase, receipt: UUID | None = None, moved: Sequence[Moved] = ()) -> Purchase:
    fact = PurchaseChanged(
        purchase=purchase.id,
        number=purchase.number,
        status=purchase.status,
        supplier=purchase.supplier,
        location=purchase.location,
        receipt=receipt,
        lines=moved_lines(list(moved)),
    )
    log.append(tx, fact, subject=purchase.id)
    return purchase
