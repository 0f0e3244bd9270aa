"""The goods of a change: what comes back is sold again, put aside or thrown away; what will not go is free again."""

from collections.abc import Sequence
from uuid import UUID

from samlad import stock
from samlad.kernel.database import Tx
from samlad.orders import fulfilment_rules as fulfilments
from samlad.orders import fulfilment_store, rules
from samlad.orders.change_model import Disposition
from samlad.orders.change_planned import BackUnit
from samlad.orders.fulfilment_model import UNENDED, FulfilmentState
from samlad.orders.model import OrderHead
from samlad.stock import Cause, HoldLine
from samlad.stock.lots_model import Named

Placed = tuple[UUID, UUID, int]
"""Location, variant, units."""


async def put_back(tx: Tx, head: OrderHead, units: Sequence[BackUnit], reference: UUID) -> None:
    """Book goods in at their place, at what they cost when they were sold; and out again what nobody may buy.

    What is put aside or thrown away leaves a movement in and one out, with the reason: it was here, and is not for sale.
    What is put aside is listed until somebody has decided about it (`samlad.stock.quarantine`).
    """
    here = [
        unit for unit in units if unit.variant is not None and unit.disposition is not Disposition.NOWHERE
    ]
    if not here:
        return
    wanted = [(unit.variant, unit.quantity, unit.lots) for unit in here if unit.variant is not None]
    went = await stock.shipped(tx, head.id, [variant for variant, _, _ in wanted])
    left = [(moved.location, moved.variant, -moved.quantity) for moved in went]
    came: list[Placed] = []
    lots: list[UUID | None] = []
    out: dict[str, list[tuple[Placed, UUID | None]]] = {}
    aside: list[stock.Aside] = []
    find = stock.sold_lots if head.imported is None else _elsewhere
    by_unit = await find(tx, head.id, wanted)
    for unit, shares in zip(here, by_unit, strict=True):
        assert unit.variant is not None
        if unit.location is not None:
            placed = [(unit.location, unit.variant, unit.quantity)]
        else:
            placed = rules.where_from([(unit.variant, unit.quantity)], left)
            left = _less(left, placed)
        by_lot = share(placed, shares)
        came += [each for each, _lot in by_lot]
        lots += [lot for _each, lot in by_lot]
        if unit.disposition is Disposition.QUARANTINE:
            aside += [stock.Aside(*each, unit.why, lot) for each, lot in by_lot]
        elif unit.disposition is not Disposition.SELL:
            out.setdefault(f"{unit.disposition}: {unit.why}", []).extend(by_lot)
    await stock.restock(tx, came, reference=reference, sold_as=head.id, lots=lots)
    if aside:
        await stock.put_aside(tx, aside, reference=reference, order=head.id)
    for reason, gone in out.items():
        await stock.write_off(
            tx,
            [each for each, _lot in gone],
            cause=Cause.DAMAGE,
            reason=reason,
            reference=reference,
            lots=[lot for _each, lot in gone],
        )


async def _elsewhere(
    tx: Tx, order: UUID, wanted: Sequence[tuple[UUID, int, Sequence[str]]]
) -> list[list[stock.Share]]:
    """The lots of goods that were sold elsewhere: as somebody said or scanned, else nobody knows.

    Raises:
        InvalidInput: it is new here, and its product asks until when it is good.
    """
    unsaid = await stock.sold_lots(tx, order, [(variant, units, ()) for variant, units, _lots in wanted])
    found: list[list[stock.Share]] = []
    for (variant, units, lots), shares in zip(wanted, unsaid, strict=True):
        named = [Named(variant, units, lots[0], is_scanned=True)] if lots else []
        known = await stock.resolve_lots(tx, named) if named else [None]
        found.append(shares if known[0] is None else [(known[0], units)])
    return found


def share(placed: Sequence[Placed], shares: Sequence[stock.Share]) -> list[tuple[Placed, UUID | None]]:
    """Units at places, cut up by the lots that they are of; there are as many of both."""
    left = [units for _lot, units in shares]
    found: list[tuple[Placed, UUID | None]] = []
    for place, variant, quantity in placed:
        for index, (lot, _units) in enumerate(shares):
            part = min(quantity, left[index])
            if part:
                found.append(((place, variant, part), lot))
                left[index] -= part
                quantity -= part
    return found


def _less(left: Sequence[Placed], placed: Sequence[Placed]) -> list[Placed]:
    """What had left, without what is placed now: the next units of the same thing come from elsewhere."""
    rest = list(left)
    for place, variant, quantity in placed:
        for index in range(len(rest) - 1, -1, -1):
            at, sold, units = rest[index]
            part = min(quantity, units) if (at, sold) == (place, variant) else 0
            rest[index] = (at, sold, units - part)
            quantity -= part
    return rest


async def free(tx: Tx, head: OrderHead, off: Sequence[tuple[int, int]], reason: str) -> None:
    """End what is held of units (position, quantity) that will not go, and take them out of their fulfilments.

    Those that are least ready first.
    """
    rest = dict(off)
    for found in sorted(
        await fulfilment_store.lock(tx, head.id),
        key=lambda one: (one.location is not None, UNENDED.index(one.state)),
    ):
        chosen = {
            line.position: min(line.quantity, rest[line.position])
            for line in found.lines
            if rest.get(line.position)
        }
        out, left = fulfilments.take_from(fulfilments.units_of(found.lines), chosen)
        if not out:
            continue
        for position, _variant, quantity in out:
            rest[position] -= quantity
        if found.location is not None:
            units = fulfilments.by_variant(out)
            held = [HoldLine(variant=v, quantity=q, location=found.location) for v, q in units.items()]
            await stock.release(tx, head.id, lines=held)
        if left:
            await fulfilment_store.take_off(tx, found.id, [(position, q) for position, _v, q in out])
            await fulfilment_store.note_picked(tx, found.id)
        else:
            values = {"state": FulfilmentState.CANCELLED, "reason": reason[:500] or "changed", "code": None}
            await fulfilment_store.update(tx, found.id, values)
