"""What comes in over HTTP about stock, checked; lines name a variant by id or by SKU."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.kernel.database import Reader
from samlad.kernel.problems import FieldError, InvalidInput
from samlad.stock import store
from samlad.stock.model import LARGEST, Note, Reason, Units

Sku = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]+$", examples=["22423"])]
Code = Annotated[str, Meta(min_length=1, max_length=63, pattern=r"^[^\x00]+$", examples=["mall-of-america"])]


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A variant by its id or by its SKU in the catalogue of the location's channels: one of the two."""

    variant: UUID | None = None
    sku: Sku | None = None


class UnitsLine(_Line, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units of a variant."""

    quantity: Units


class DifferenceLine(_Line, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units to add (positive) or to take off (negative)."""

    quantity: Annotated[int, Meta(ge=-LARGEST, le=LARGEST, description="± units", examples=[-1])]


class CountedLine(_Line, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was found of a variant."""

    counted: Annotated[int, Meta(ge=0, le=LARGEST, description="Units found", examples=[4])]


class ReceiptInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods that came in."""

    location: Annotated[Code, Meta(description="Code of the location")]
    lines: Annotated[list[UnitsLine], Meta(min_length=1, max_length=5000)]
    reference: Annotated[UUID | None, Meta(description="Groups a delivery; null: a new one")] = None
    note: Annotated[Note, Meta(description="For example the delivery note's number")] = ""


class CorrectionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is there and was not known, or is not there and was thought to be."""

    location: Annotated[Code, Meta(description="Code of the location")]
    lines: Annotated[list[DifferenceLine], Meta(min_length=1, max_length=5000)]
    reason: Reason
    is_damage: Annotated[bool, Meta(description="The goods are there but cannot be sold")] = False


class CountInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A count to begin."""

    location: Annotated[Code, Meta(description="Code of the location")]
    note: Note = ""


class CountLinesInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was found. A variant that was entered before is replaced."""

    lines: Annotated[list[CountedLine], Meta(min_length=1, max_length=5000)]


class TransferInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units to send from one location to another."""

    origin: Annotated[Code, Meta(description="Code of the location that sends")]
    destination: Annotated[Code, Meta(description="Code of the location that receives")]
    lines: Annotated[list[UnitsLine], Meta(min_length=1, max_length=5000)]
    note: Note = ""


class ArrivalInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What arrived of a transfer."""

    lines: (
        Annotated[list[UnitsLine], Meta(max_length=5000, description="Null: all that is still under way")]
        | None
    ) = None


class LevelInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a level behaves. What is null stays."""

    backorder_limit: (
        Annotated[int, Meta(ge=0, le=LARGEST, description="Units that may be sold before they are there")]
        | None
    ) = None
    low_at: Annotated[int, Meta(ge=0, le=LARGEST, description="At or below it, stock is low")] | None = None


async def variants_of(reader: Reader, location: UUID, lines: Sequence[_Line]) -> list[UUID]:
    """The variants that lines name, SKUs looked up in one statement.

    Raises:
        InvalidInput: neither or both are given, an unknown SKU, or one that is in several catalogues.
    """
    skus = [line.sku for line in lines if line.sku is not None]
    known: dict[str, list[UUID]] = {}
    for row in await store.variants_by_sku(reader, location, skus) if skus else []:
        known.setdefault(row["sku"], []).append(row["id"])
    found, errors = [], []
    for index, line in enumerate(lines):
        matches = known.get(line.sku, []) if line.sku is not None else [line.variant]
        if (line.variant is None) is (line.sku is None):
            errors.append(FieldError(f"lines/{index}", "give either variant or sku"))
        elif len(matches) != 1:
            what = "is in several catalogues: give the variant" if matches else "is not known here"
            errors.append(FieldError(f"lines/{index}/sku", f"“{line.sku}” {what}"))
        elif matches[0] is not None:
            found.append(matches[0])
    if errors:
        raise InvalidInput("Some lines are not right.", errors=tuple(errors))
    return found
