"""Goods that go back to their supplier, and the credit that comes for them.

They leave by a movement of their own cause. What each is to be credited is what it came in with (the purchase order's
cost), else the level's average; what the units are worth here is that too, as far as the level has it, so that the
moving average of what stays is not falsified. The difference of the two is a loss or a gain in the money book.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from samlad.access import audit
from samlad.catalog import Tracking
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.money import share
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound
from samlad.stock import lots_store, places, purchases_store, rules, service
from samlad.stock import supplier_returns_store as returns_store
from samlad.stock.events import SupplierReturnChanged, moved_lines
from samlad.stock.model import LARGEST, Cause, Moved
from samlad.stock.permissions import PURCHASE
from samlad.stock.problems import NotInStock
from samlad.stock.purchase_model import Purchase, Supplier
from samlad.stock.store import MoveLine, MoveOutcome
from samlad.stock.supplier_return_model import (
    ReturnedLine,
    SupplierCreditInput,
    SupplierReturn,
    SupplierReturnReason,
    SupplierReturnStatus,
)

_BY_LOT = frozenset(Tracking) - {Tracking.NONE}


async def send(
    tx: Tx,
    supplier: Supplier,
    location: UUID,
    lines: Sequence[ReturnedLine],
    *,
    reason: SupplierReturnReason,
    purchase: UUID | None = None,
    expected: int | None = None,
    reference: str = "",
    note: str = "",
    return_id: UUID | None = None,
) -> SupplierReturn:
    """The goods leave. ``purchase`` says by which order they came; ``expected`` what is to be credited in all.

    ``return_id`` names it: told of twice, it leaves once.

    Raises:
        InvalidInput: no lines, one of them twice, not of the purchase order or of another supplier.
        Conflict: more goes back than came by the purchase order; the id belongs to something else.
        NotInStock: the units are not there, or are held for others.
    """
    tx.actor.require(PURCHASE, location=location)
    _check(lines)
    place = await places.location(tx, location)
    came = None if purchase is None else await _purchase(tx, purchase, supplier, location)
    made = SupplierReturn(
        id=return_id or new_id(),
        number=0,
        supplier=supplier.id,
        purchase=purchase,
        location=location,
        status=SupplierReturnStatus.SENT,
        reason=reason,
        reference=reference,
        note=note,
        currency=place.currency,
        expected=0,
        credited=0,
        actor=tx.actor.label,
        version=1,
        created_at=now(),
    )
    if not await returns_store.insert(tx, made):
        old = await returns_store.get(tx, made.id)
        if (old.supplier, old.location, old.purchase) != (supplier.id, location, purchase):
            raise Conflict.at("id", "this return was about something else")
        return old
    if came is not None:
        await _check_purchase(tx, came, lines)
    levels = await returns_store.worth(tx, location, [line.variant for line in lines])
    costs = _costs(lines, came, levels)
    outcome = await _leave(tx, made, lines, costs, levels)
    rows = [
        (moved.variant, moved.lot, -moved.quantity, costs[moved.variant, _asked(lines, moved)], -value)
        for moved, value in zip(outcome.moved, outcome.values_e4, strict=True)
    ]
    sums = sum(share(quantity * cost, 1, 10_000) for _, _, quantity, cost, _ in rows)
    await returns_store.insert_lines(tx, made.id, rows, sums if expected is None else expected)
    new = await returns_store.get(tx, made.id)
    audit.record(tx, "supplier_return.sent", "supplier_return", new.id, after=new)
    return _tell(tx, new, outcome.moved)


def _check(lines: Sequence[ReturnedLine]) -> None:
    if not lines or len({(line.variant, line.lot) for line in lines}) < len(lines):
        raise InvalidInput.at("lines", "one line for each variant and lot, at least one")
    if any(not 1 <= line.quantity <= LARGEST for line in lines):
        raise InvalidInput.at("lines", "at least one unit each")


async def _purchase(tx: Tx, purchase: UUID, supplier: Supplier, location: UUID) -> Purchase:
    try:
        found = await purchases_store.lock(tx, purchase)
    except NotFound as error:
        raise InvalidInput.at("purchase", error.detail) from None
    if found.supplier != supplier.id:
        raise InvalidInput.at("supplier", "this purchase order went to another supplier")
    if found.location != location:
        raise InvalidInput.at("location", "this purchase order came to another location")
    return found


async def _check_purchase(tx: Tx, purchase: Purchase, lines: Sequence[ReturnedLine]) -> None:
    """No more goes back of a purchase order than came. Its row is locked, so two at once cannot both."""
    before = await returns_store.gone_back(tx, purchase.id)
    came = {line.variant: line.received for line in purchase.lines}
    errors = []
    wanted: dict[UUID, int] = {}
    for line in lines:
        wanted[line.variant] = wanted.get(line.variant, 0) + line.quantity
    for variant, units in wanted.items():
        index = next(index for index, line in enumerate(lines) if line.variant == variant)
        left = came.get(variant, 0) - before.get(variant, 0)
        if variant not in came:
            errors.append(FieldError(f"lines/{index}", "not on this purchase order"))
        elif units > left:
            errors.append(FieldError(f"lines/{index}", f"of this purchase order {left} can go back"))
    if errors:
        raise Conflict("More goes back than came.", errors=tuple(errors))


def _costs(
    lines: Sequence[ReturnedLine], purchase: Purchase | None, levels: Mapping[UUID, tuple[int, int, int]]
) -> dict[tuple[UUID, UUID | None], int]:
    """What each unit of a line is to be credited: as said, as bought, or the average."""
    bought = {} if purchase is None else {line.variant: line.actual_cost_e4 for line in purchase.lines}
    return {
        (line.variant, line.lot): (
            bought.get(line.variant, levels.get(line.variant, (0, 0, 0))[2])
            if line.unit_cost_e4 is None
            else line.unit_cost_e4
        )
        for line in lines
    }


def _asked(lines: Sequence[ReturnedLine], moved: Moved) -> UUID | None:
    """The lot that the line of a movement named: none, where it let us choose."""
    named = {line.lot for line in lines if line.variant == moved.variant}
    return moved.lot if moved.lot in named else None


async def _leave(
    tx: Tx,
    made: SupplierReturn,
    lines: Sequence[ReturnedLine],
    costs: Mapping[tuple[UUID, UUID | None], int],
    levels: Mapping[UUID, tuple[int, int, int]],
) -> MoveOutcome:
    """Book the movements, each with what its units came in with, as far as the level is worth that."""
    tracking = await lots_store.tracking_of(tx, [line.variant for line in lines])
    # What is kept by lot and left to us is divided over several lots: there the average holds.
    is_ours = {line.variant for line in lines if line.lot is None and tracking.get(line.variant) in _BY_LOT}
    left = {variant: (on_hand, value) for variant, (on_hand, value, _) in levels.items()}
    moves = []
    for line in lines:
        on_hand, value = left.get(line.variant, (0, 0))
        if line.quantity > on_hand:
            raise NotInStock("Some units are not there, or are held for others.")
        goes = rules.leaving_value(on_hand, value, line.quantity, costs[line.variant, line.lot])
        left[line.variant] = (on_hand - line.quantity, value - goes)
        worth = None if line.variant in is_ours else -goes
        moves.append(
            MoveLine(made.location, line.variant, -line.quantity, made.reason, line.lot, value_e4=worth)
        )
    return await service.book(tx, moves, cause=Cause.SUPPLIER_RETURN, reference=made.id)


async def credit(
    tx: Tx, return_id: UUID, data: SupplierCreditInput, *, version: int | None = None
) -> SupplierReturn:
    """The supplier credits all of it or a part; more than was expected is fine. The same ``id`` again counts once.

    Raises:
        NotFound. Outdated: somebody changed it since ``version``.
        Conflict: it was closed, or the id belongs to another one.
    """
    old = await returns_store.lock(tx, return_id)
    tx.actor.require(PURCHASE, location=old.location)
    known = await returns_store.insert_credit(tx, data.id or new_id(), return_id, data)
    if known is not None:
        if known != return_id:
            raise Conflict.at("id", "this credit was for another return")
        return old
    check_version(version, old.version)
    if old.status is SupplierReturnStatus.CLOSED:
        raise Conflict("This return is closed: no more was to come for it.")
    await returns_store.add_credit(tx, return_id, data.amount)
    audit.record(tx, "supplier_return.credited", "supplier_return", return_id, after=data)
    return _tell(tx, await returns_store.get(tx, return_id))


async def close(tx: Tx, return_id: UUID, note: str, *, version: int | None = None) -> SupplierReturn:
    """No more is to come: what was expected and did not come is a loss. Closing what is closed does nothing.

    Raises:
        NotFound. Outdated: somebody changed it since ``version``.
        Conflict: all of it was credited.
    """
    old = await returns_store.lock(tx, return_id)
    tx.actor.require(PURCHASE, location=old.location)
    if old.status is SupplierReturnStatus.CLOSED:
        return old
    check_version(version, old.version)
    if old.status is SupplierReturnStatus.CREDITED:
        raise Conflict("All of it was credited: there is nothing to give up.")
    await returns_store.close(tx, return_id, note)
    audit.record(tx, "supplier_return.closed", "supplier_return", return_id, after={"note": note})
    return _tell(tx, await returns_store.get(tx, return_id))


def _tell(tx: Tx, made: SupplierReturn, moved: Sequence[Moved] = ()) -> SupplierReturn:
    fact = SupplierReturnChanged(
        number=made.number,
        status=made.status,
        supplier=made.supplier,
        location=made.location,
        purchase=made.purchase,
        currency=made.currency,
        expected=made.expected,
        credited=made.credited,
        lines=moved_lines(list(moved)),
    )
    log.append(tx, fact, subject=made.id)
    return made
