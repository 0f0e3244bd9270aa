"""What goods that are put aside are."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.stock.inputs import Code
from samlad.stock.model import Note, Reason, Units


class Verdict(StrEnum):
    """What becomes of goods that were put aside: sold again, thrown away, or sent back to who made them."""

    RELEASE = "release"
    WRITE_OFF = "write_off"
    RETURN_TO_SUPPLIER = "return_to_supplier"


class Quarantine(msgspec.Struct, frozen=True):
    """Units that were put aside at a location, and how many of them still wait for a verdict.

    ``value_e4`` is what those are worth (ten-thousandths of a minor unit). ``reference`` is that of their movements, the
    return for example, ``order_id`` the order that had sold them.
    """

    id: UUID
    location: UUID
    location_code: str
    variant: UUID
    sku: str
    title: str
    lot: UUID | None
    lot_code: str | None
    quantity: int
    units_left: int
    value_e4: int
    reason: str
    reference: UUID | None
    order_id: UUID | None
    actor: str
    version: int
    created_at: datetime


class QuarantineInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What of it becomes what."""

    verdict: Verdict
    quantity: Annotated[Units | None, Meta(description="Null: all that is left")] = None
    supplier: Annotated[Code | None, Meta(description="Code of the supplier it goes back to")] = None
    note: Note = ""
    id: Annotated[UUID | None, Meta(description="Names the verdict: told of twice, it counts once")] = None


class Aside(msgspec.Struct, frozen=True):
    """Units to put aside, and why."""

    location: UUID
    variant: UUID
    quantity: int
    reason: Reason
    lot: UUID | None = None
