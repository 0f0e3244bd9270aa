"""Lines with their lots: what came in over HTTP or from a form, as the verbs take it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput
from samlad.stock import lots, scanning
from samlad.stock.inputs import LotLine, UnitsLine, variants_of
from samlad.stock.lots_model import Named
from samlad.stock.model import LARGEST


def named(variants: Sequence[UUID], lines: Sequence[LotLine], units: Sequence[int]) -> list[Named]:
    """How lines name their lots; what somebody wrote goes before what was in the barcode."""
    found = []
    for variant, line, quantity in zip(variants, lines, units, strict=True):
        scan = scanning.Scan("") if line.code is None else scanning.read(line.code)
        said = line.lot is not None or line.expires_on is not None
        found.append(
            Named(
                variant,
                quantity,
                line.lot or scan.lot,
                line.expires_on or scan.expires_on,
                line.lot or scan.serial,
                is_scanned=not said,
            )
        )
    return found


class Goods(msgspec.Struct, frozen=True):
    """Units by variant, and beside each its lot."""

    lines: list[tuple[UUID, int]]
    lots: list[UUID | None]


async def goods_of(
    tx: Tx,
    location: UUID,
    lines: Sequence[UnitsLine],
    *,
    may_be_new: bool = True,
    is_needed: bool = True,
) -> Goods:
    """Units by variant and lot, in the order of the lines; the same again adds up.

    Raises:
        InvalidInput: as `variants_of` and `samlad.stock.lots.resolve`, or more units of one than can be counted.
    """
    variants, units = await variants_of(tx, location, lines), [line.quantity for line in lines]
    found = await lots.resolve(tx, named(variants, lines, units), may_be_new=may_be_new, is_needed=is_needed)
    wanted: dict[tuple[UUID, UUID | None], int] = {}
    for variant, lot, quantity in zip(variants, found, units, strict=True):
        wanted[variant, lot] = wanted.get((variant, lot), 0) + quantity
    if any(quantity > LARGEST for quantity in wanted.values()):
        raise InvalidInput.at("lines", f"more than {LARGEST} units of one variant")
    return Goods([(v, quantity) for (v, _), quantity in wanted.items()], [lot for _, lot in wanted])
