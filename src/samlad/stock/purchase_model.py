"""What buying from suppliers is made of."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.channels.model import Code, Name
from samlad.stock import rules
from samlad.stock.inputs import Code as KnownCode
from samlad.stock.inputs import CostLine, LineInput, UnitsLine
from samlad.stock.model import Cost, Note, Units

Email = Annotated[str, Meta(max_length=254, pattern=r"^[^\x00-\x20\x7f]*$", examples=["orders@example.com"])]
Days = Annotated[int, Meta(ge=0, le=1000, description="Days from order to arrival", examples=[14])]
Theirs = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00]*$", description="The supplier's number")]
ExpectedOn = Annotated[date | None, Meta(description="When it is to come; null: nobody knows")]


class PurchaseStatus(StrEnum):
    """Where a purchase order is."""

    DRAFT = "draft"
    ORDERED = "ordered"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CANCELLED = "cancelled"


OPEN = frozenset({PurchaseStatus.ORDERED, PurchaseStatus.PARTIALLY_RECEIVED})
"""Goods are on their way."""


class Supplier(msgspec.Struct, frozen=True):
    """Who we buy from. ``lead_days`` is how long goods take from order to arrival."""

    id: UUID
    code: str
    name: str
    email: str
    lead_days: int
    is_active: bool
    version: int


class SupplierInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new supplier."""

    code: Code
    name: Name
    email: Email = ""
    lead_days: Days = 7


class SupplierChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays."""

    name: Name | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    lead_days: Days | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class PurchaseLine(msgspec.Struct, frozen=True):
    """Units of a variant, how many of them have come (perhaps more), at which cost each, and when they are to come.

    ``received_e4`` is what those that have come cost together: as ordered, or as was said when they came.
    """

    variant: UUID
    quantity: int
    received: int
    unit_cost_e4: int
    expected_on: date | None
    received_e4: int = 0

    @property
    def actual_cost_e4(self) -> int:
        """What one cost: the average of those that came, else as ordered."""
        return rules.share(self.received_e4, 1, self.received) if self.received else self.unit_cost_e4


class Purchase(msgspec.Struct, frozen=True):
    """A purchase order: goods from a supplier to a location. ``reference`` is the supplier's number of it."""

    id: UUID
    number: int
    supplier: UUID
    location: UUID
    status: PurchaseStatus
    reference: str
    note: str
    currency: str
    actor: str
    version: int
    created_at: datetime
    updated_at: datetime
    ordered_at: datetime | None
    lines: list[PurchaseLine] = []


class PurchaseReceipt(msgspec.Struct, frozen=True):
    """One delivery against a purchase order; the movements that it booked have its id as their reference."""

    id: UUID
    note: str
    actor: str
    created_at: datetime
    units: int


class WantedLine(msgspec.Struct, frozen=True):
    """What is to be ordered of a variant."""

    variant: UUID
    quantity: int
    unit_cost_e4: int
    expected_on: date | None = None


class WantedLineInput(LineInput, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be ordered of a variant."""

    quantity: Units
    unit_cost_e4: Cost = 0
    expected_on: ExpectedOn = None


class PurchaseInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A purchase order to draft."""

    supplier: Annotated[KnownCode, Meta(description="Code of the supplier", examples=["bodum"])]
    location: Annotated[KnownCode, Meta(description="Code of the location that it is for")]
    lines: Annotated[list[WantedLineInput], Meta(min_length=1, max_length=1000)]
    reference: Theirs = ""
    note: Note = ""


class ProposalInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose goods are to be bought again, and for where."""

    supplier: Annotated[KnownCode, Meta(description="Code of the supplier", examples=["bodum"])]
    location: Annotated[KnownCode, Meta(description="Code of the location that runs low")]


class PurchaseChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. Lines are replaced, while it is a draft."""

    reference: Theirs | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    lines: Annotated[list[WantedLineInput], Meta(min_length=1, max_length=1000)] | UnsetType = UNSET


class ExpectedLine(LineInput, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the rest of a line is to come."""

    expected_on: ExpectedOn


class ScheduleInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """New days, as the supplier says."""

    lines: Annotated[list[ExpectedLine], Meta(min_length=1, max_length=1000)]


class DeliveryInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What came of a purchase order."""

    lines: (
        Annotated[list[UnitsLine], Meta(max_length=5000, description="Null: all that is still to come")]
        | None
    ) = None
    receipt: Annotated[
        UUID | None, Meta(description="Id of this delivery: sent twice it counts once; null: a new one")
    ] = None
    note: Annotated[Note, Meta(description="For example the delivery note's number")] = ""
    costs: Annotated[
        list[CostLine],
        Meta(max_length=1000, description="What one of them cost, where that is not as ordered"),
    ] = []
