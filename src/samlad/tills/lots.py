"""Lots and serial numbers that a till has scanned: as stock and orders take them, and what is odd about them in a manager's words."""

from collections.abc import Sequence
from uuid import UUID

from samlad import orders
from samlad.catalog import Tracking
from samlad.kernel.database import Tx
from samlad.orders import Order
from samlad.orders.return_model import UnknownLine
from samlad.stock import lots_store
from samlad.stock.lots_model import Named, OddLot
from samlad.tills.entries import UnknownBack
from samlad.tills.lot_model import ScannedLot
from samlad.tills.model import Objection, SoldLine

_CODES = {
    "unknown": "lot-unknown",
    "sold": "serial-sold",
    "elsewhere": "lot-elsewhere",
    "lacking": "lot-lacking",
    "expired": "lot-expired",
    "recalled": "lot-recalled",
}


def named(variant: UUID, lots: Sequence[ScannedLot]) -> list[Named]:
    """As stock takes them."""
    return [
        Named(variant, each.units, each.lot, each.expires_on, each.serial, is_scanned=True) for each in lots
    ]


async def of_unknown(tx: Tx, backs: Sequence[UnknownBack]) -> list[UnknownLine]:
    """Goods without a receipt as the verb takes them: a line for each lot that was scanned, and one for the rest."""
    scanned = [each.variant for each in backs if each.lots]
    tracking = await lots_store.tracking_of(tx, scanned) if scanned else {}
    found = []
    for back in backs:
        how, left = tracking.get(back.variant, Tracking.NONE), back.quantity
        for each in back.lots if how is not Tracking.NONE else ():
            code = ((each.serial or each.lot) if how is Tracking.SERIAL else each.lot) or ""
            units = min(left, each.units)
            if units and code.strip():
                found.append(
                    UnknownLine(
                        variant=back.variant, quantity=units, lot=code.strip(), expires_on=each.expires_on
                    )
                )
                left -= units
        if left:
            found.append(UnknownLine(variant=back.variant, quantity=left))
    return found


async def objections(tx: Tx, odd: Sequence[OddLot], lines: Sequence[SoldLine]) -> list[Objection]:
    """What is odd, at the line that says it; of a piece that was sold before, by which order."""
    found = []
    for each in odd:
        here = each.says if each.under is None else await orders.number_of(tx, each.under)
        found.append(Objection(code=_CODES[each.why], line=_line_of(each, lines), here=here, there=each.code))
    return found


def _line_of(odd: OddLot, lines: Sequence[SoldLine]) -> int | None:
    mine = [(place, line) for place, line in enumerate(lines, 1) if line.variant == odd.variant]
    saying = [
        place
        for place, line in mine
        if any(odd.code in ((lot.lot or "").strip(), (lot.serial or "").strip()) for lot in line.lots)
    ]
    return next(iter([*saying, *(place for place, _ in mine)]), None)


async def coming_back(
    tx: Tx, order: Order, backs: Sequence[tuple[int, int, Sequence[ScannedLot]]]
) -> tuple[dict[int, list[tuple[str, int]]], list[Objection]]:
    """Which units come back by position in the order, of (place in the entry, position, lots) each: those that it got.

    Of what it did not get nobody can be asked: where it got one lot, it is that, and the other is said.
    """
    variants = {line.position: line.variant for line in order.lines}
    wanted = [(place, position, lot) for place, position, lots in backs for lot in lots]
    if not wanted:
        return {}, []
    asked = {variant for _, position, _ in wanted if (variant := variants.get(position)) is not None}
    got = await lots_store.sold(tx, order.id, sorted(asked))
    found: dict[int, list[tuple[str, int]]] = {}
    odd: list[Objection] = []
    for place, position, lot in wanted:
        variant = variants.get(position)
        theirs = [] if variant is None else [each.code for each, _ in got.get(variant, [])]
        said = [code.strip() for code in (lot.serial, lot.lot) if code and code.strip()]
        mine = next((code for code in said if code in theirs), None)
        if mine is not None:
            found.setdefault(position, []).append((mine, lot.units))
        elif theirs and said:
            odd.append(
                Objection(code="lot-other", line=place, here=", ".join(filter(None, theirs)), there=said[0])
            )
    return found, odd
