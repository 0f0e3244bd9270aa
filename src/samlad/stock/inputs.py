"""What comes in over HTTP about stock, checked; lines name a variant by id or by SKU."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.kernel.database import Reader
from samlad.kernel.problems import FieldError, InvalidInput, NotFound
from samlad.stock import places, scanning, store
from samlad.stock.lots_model import ExpiresOn, LotCode
from samlad.stock.model import LARGEST, Cost, Note, Reason, Units

Sku = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]+$", examples=["22423"])]
Code = Annotated[str, Meta(min_length=1, max_length=63, pattern=r"^[^\x00]+$", examples=["mall-of-america"])]


class LineInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A variant by its id, by its SKU in the catalogue of the location's channels, or by what a scanner read: one of
    them."""

    variant: UUID | None = None
    sku: Sku | None = None
    code: Annotated[
        Sku | None,
        Meta(
            description="As scanned: a SKU, a GTIN (EAN, UPC), a GS1 element string or Digital Link",
            examples=["4006381333931"],
        ),
    ] = None


class LotLine(LineInput, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A variant, and of which lot where it is kept by lot. A scanned GS1 code says both, and the date."""

    lot: LotCode | None = None
    expires_on: Annotated[ExpiresOn | None, Meta(description="Of a lot that is new here")] = None


class UnitsLine(LotLine, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units of a variant."""

    quantity: Units = 1


class ReceivedLine(UnitsLine, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units of a variant, and what each of them cost."""

    unit_cost_e4: Cost | None = None


class CostLine(LineInput, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What each unit of a variant cost."""

    unit_cost_e4: Cost


class DifferenceLine(LotLine, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units to add (positive) or to take off (negative)."""

    quantity: Annotated[int, Meta(ge=-LARGEST, le=LARGEST, description="± units", examples=[-1])]


class CountedLine(LotLine, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was found of a variant."""

    counted: Annotated[int, Meta(ge=0, le=LARGEST, description="Units found", examples=[4])]


class ReceiptInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods that came in."""

    location: Annotated[Code, Meta(description="Code of the location")]
    lines: Annotated[list[ReceivedLine], Meta(min_length=1, max_length=5000)]
    reference: Annotated[UUID | None, Meta(description="Groups a delivery; null: a new one")] = None
    note: Annotated[Note, Meta(description="For example the delivery note's number")] = ""


class CorrectionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is there and was not known, or is not there and was thought to be."""

    location: Annotated[Code, Meta(description="Code of the location")]
    lines: Annotated[list[DifferenceLine], Meta(min_length=1, max_length=5000)]
    reason: Reason
    is_damage: Annotated[bool, Meta(description="The goods are there but cannot be sold")] = False


class RevaluationInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the units on hand cost."""

    location: Annotated[Code, Meta(description="Code of the location")]
    lines: Annotated[list[CostLine], Meta(min_length=1, max_length=5000)]
    reason: Reason


class CountInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A count to begin."""

    location: Annotated[Code, Meta(description="Code of the location")]
    note: Note = ""
    is_blind: Annotated[bool, Meta(description="While it is open nobody sees what the books say")] = False


class CountLinesInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was found. A variant that was entered before is replaced."""

    lines: Annotated[list[CountedLine], Meta(min_length=1, max_length=5000)]


class ScansInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was scanned, in order; the same again adds up."""

    lines: Annotated[list[UnitsLine], Meta(min_length=1, max_length=5000)]


class TransferInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units to send from one location to another."""

    origin: Annotated[Code, Meta(description="Code of the location that sends")]
    destination: Annotated[Code, Meta(description="Code of the location that receives")]
    lines: Annotated[list[UnitsLine], Meta(min_length=1, max_length=5000)]
    note: Note = ""
    expected_on: Annotated[
        date | None,
        Meta(description="When it is to arrive, by the destination's day; counts as incoming there"),
    ] = None


class TransferDayInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a transfer is to arrive."""

    expected_on: Annotated[date | None, Meta(description="A day of the destination; null: nobody knows")]


class LotUnitsInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of which lot units are of which nobody knew it."""

    location: Annotated[Code, Meta(description="Code of the location")]
    lines: Annotated[list[UnitsLine], Meta(min_length=1, max_length=5000)]


class ArrivalInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What arrived of a transfer."""

    lines: (
        Annotated[list[UnitsLine], Meta(max_length=5000, description="Null: all that is still under way")]
        | None
    ) = None


class LossInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What does not arrive of a transfer, and why."""

    lines: (
        Annotated[list[UnitsLine], Meta(max_length=5000, description="Null: all that is still under way")]
        | None
    ) = None
    reason: Reason


class FoundInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was lost and is under way after all."""

    lines: Annotated[list[UnitsLine], Meta(max_length=5000, description="Null: all that is lost")] | None = (
        None
    )


class LevelInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a level behaves. What is left out stays."""

    backorder_limit: (
        Annotated[int, Meta(ge=0, le=LARGEST, description="Units that may be sold before they are there")]
        | None
    ) = None
    low_at: Annotated[int, Meta(ge=0, le=LARGEST, description="At or below it, stock is low")] | None = None
    sells_incoming: Annotated[
        bool | None, Meta(description="What suppliers are to bring may be sold already (pre-order)")
    ] = None
    backorder_on: Annotated[
        date | UnsetType | None, Meta(description="When units on backorder come; null: nobody knows")
    ] = UNSET
    reorder_point: Annotated[
        Annotated[int, Meta(ge=0, le=LARGEST)] | UnsetType | None,
        Meta(description="With so many left, expected ones counted, buy again; null: never"),
    ] = UNSET
    reorder_quantity: Annotated[
        Annotated[int, Meta(ge=1, le=LARGEST)] | UnsetType | None,
        Meta(description="Buy at least so many; null: as many as are missing"),
    ] = UNSET


async def place_of(reader: Reader, code: str, field: str = "location") -> UUID:
    """The location of that code. Raises InvalidInput at the field."""
    try:
        return (await places.location_by_code(reader, code)).id
    except NotFound as error:
        raise InvalidInput.at(field, error.detail) from None


async def variants_of(reader: Reader, location: UUID, lines: Sequence[LineInput]) -> list[UUID]:
    """The variants that lines name, SKUs and codes looked up in one statement.

    Raises:
        InvalidInput: not exactly one name, an unknown one, or one that is in several catalogues.
    """
    skus = [line.sku for line in lines if line.sku is not None]
    scans = [None if line.code is None else scanning.read(line.code).code for line in lines]
    codes = [code for code in scans if code is not None]
    known: dict[tuple[str, str], list[UUID]] = {}
    for row in await store.variants_by_name(reader, location, skus, codes) if skus or codes else []:
        known.setdefault((row["field"], row["name"]), []).append(row["id"])
    found, errors = [], []
    for index, line in enumerate(lines):
        field, name = ("sku", line.sku) if line.sku is not None else ("code", scans[index])
        matches = [line.variant] if name is None else known.get((field, name), [])
        if sum(given is not None for given in (line.variant, line.sku, line.code)) != 1:
            errors.append(FieldError(f"lines/{index}", "give one of variant, sku and code"))
        elif len(matches) != 1:
            what = "is in several catalogues: give the variant" if matches else "is not known here"
            errors.append(FieldError(f"lines/{index}/{field}", f"“{name}” {what}"))
        elif matches[0] is not None:
            found.append(matches[0])
    if errors:
        raise InvalidInput("Some lines are not right.", errors=tuple(errors))
    return found
