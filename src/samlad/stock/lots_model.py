"""What lots are made of."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.catalog import Tracking
from samlad.stock.model import Reason

LotCode = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?(?!\n)$",
        description="Batch or lot (GS1 AI 10), or serial number (AI 21)",
        examples=["L2417"],
    ),
]
ExpiresOn = Annotated[
    date, Meta(description="The last good day (GS1 AI 17, else 15)", examples=["2027-03-31"])
]


class LotState(StrEnum):
    """What units of a lot are good for at a location: ``expiring`` ones have fewer days left than the product asks for."""

    FOR_SALE = "for_sale"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    BLOCKED = "blocked"


class Lot(msgspec.Struct, frozen=True):
    """Units of a variant that belong together. An empty ``code``: nobody knows which. ``recall``: the one that blocks it."""

    id: UUID
    variant: UUID
    code: str
    expires_on: date | None
    recall: UUID | None
    version: int


class Named(msgspec.Struct, frozen=True):
    """How a line names a lot. ``serial`` is its code where each piece has a number. ``is_scanned``: it was in the barcode,
    whether the product asks for it or not.
    """

    variant: UUID
    units: int
    code: str | None = None
    expires_on: date | None = None
    serial: str | None = None
    is_scanned: bool = False


class OddLot(msgspec.Struct, frozen=True):
    """What is odd about a lot, or piece by its number, that a sale which has happened says it was of.

    ``unknown``: nobody has ever seen it; ``sold``: the piece was sold before, ``under`` that reference; ``elsewhere``: the piece stands in the
    books of another place (``says``); ``lacking``: not so much of it was here; ``expired``: its last day (``says``) was over; ``recalled``.
    """

    variant: UUID
    code: str
    why: Literal["unknown", "sold", "elsewhere", "lacking", "expired", "recalled"]
    says: str | None = None
    under: UUID | None = None


class Known(msgspec.Struct, frozen=True):
    """A lot as rules see it."""

    tracking: Tracking
    lot: Lot | None


class LotChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another date of a lot, as it was mistyped."""

    expires_on: Annotated[ExpiresOn | None, Meta(description="Null: it has none")]


class RecallInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The lot to block, and why. The variant by its id or by its SKU."""

    variant: UUID | None = None
    sku: Annotated[str, Meta(max_length=100, pattern=r"^[^\x00]*$")] | None = None
    lot: LotCode
    reason: Reason


class Recall(msgspec.Struct, frozen=True):
    """A lot that is blocked at every location, until the recall is ended."""

    id: UUID
    lot: UUID
    lot_code: str
    variant: UUID
    sku: str
    reason: str
    actor: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None


class LotAt(msgspec.Struct, frozen=True):
    """Units of a lot at a location."""

    location: UUID
    name: str
    on_hand: int
    state: LotState


class LotHere(msgspec.Struct, frozen=True):
    """Units of a lot at one location that customers may get. ``is_serial``: it is a piece, and the code its number."""

    variant: UUID
    lot: UUID
    code: str
    expires_on: date | None
    on_hand: int
    is_serial: bool = False


class LotMove(msgspec.Struct, frozen=True):
    """Units of a lot at a location that became something else."""

    location: UUID
    variant: UUID
    lot: UUID
    units: int
    before: LotState
    after: LotState
