"""Whether a line names its lot as its product asks: no database needed."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from samlad.catalog import Tracking
from samlad.kernel.problems import FieldError
from samlad.stock.lots_model import Known, Lot, Named

Key = tuple[UUID, str]
"""Variant, code."""


def check(
    lines: Sequence[Named],
    tracking: Mapping[UUID, Tracking],
    known: Mapping[Key, Lot],
    *,
    may_be_new: bool,
    is_needed: bool,
) -> list[FieldError]:
    """What is wrong with how lines name their lots, each at its field.

    ``may_be_new``: units come, so a lot may be one that nobody has seen. Not ``is_needed``: who does not say gets the lots
    whose turn it is.
    """
    errors: list[FieldError] = []
    dates: dict[Key, date | None] = {key: lot.expires_on for key, lot in known.items()}
    for index, line in enumerate(lines):
        how = tracking.get(line.variant, Tracking.NONE)
        if how is Tracking.NONE:
            if (line.code or line.expires_on) and not line.is_scanned:
                errors.append(FieldError(f"lines/{index}/lot", "this product is not kept by lot"))
            continue
        problem = _problem(line, Known(how, _lot(known, line)), dates, may_be_new, is_needed)
        if problem is not None:
            field, text = problem
            errors.append(FieldError(f"lines/{index}/{field}", text))
        elif line.code is not None and (line.expires_on or may_be_new):
            key = (line.variant, line.code)
            dates[key] = dates.get(key) or line.expires_on
    return errors


def _lot(known: Mapping[Key, Lot], line: Named) -> Lot | None:
    return None if line.code is None else known.get((line.variant, line.code))


def _problem(
    line: Named, known: Known, dates: Mapping[Key, date | None], may_be_new: bool, is_needed: bool
) -> tuple[str, str] | None:
    is_serial = known.tracking is Tracking.SERIAL
    thing = "serial number" if is_serial else "lot"
    if line.code is None:
        return ("lot", f"this product is kept by {thing}: say which one") if is_needed else None
    if known.lot is None and not may_be_new:
        return "lot", f"there is no {thing} “{line.code}” of this product"
    if is_serial and abs(line.units) > 1:
        return "quantity", "a serial number is one piece: a line for each"
    of_lot = dates.get((line.variant, line.code))
    if line.expires_on is not None and of_lot is not None and line.expires_on != of_lot:
        return "expires_on", f"lot “{line.code}” is good until {of_lot}: change the lot if that is wrong"
    if known.tracking is Tracking.EXPIRY and line.expires_on is None and of_lot is None and may_be_new:
        return "expires_on", f"lot “{line.code}” is new here: say until when it is good"
    return None
