"""What returns to suppliers are made of. Amounts are minor units of the location's currency, without input tax."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.stock.inputs import Code, UnitsLine
from samlad.stock.model import Cost, Note
from samlad.stock.purchase_model import Theirs

Amount = Annotated[int, Meta(ge=0, le=2**52, description="Minor units, without input tax", examples=[120000])]


class SupplierReturnStatus(StrEnum):
    """The goods have left and the credit is awaited; all of it came; or no more of it is to come."""

    SENT = "sent"
    CREDITED = "credited"
    CLOSED = "closed"


class SupplierReturnReason(StrEnum):
    """Why goods go back."""

    FAULTY = "faulty"
    WRONG = "wrong"
    TOO_MANY = "too_many"
    UNSOLD = "unsold"
    RECALL = "recall"
    OTHER = "other"


class SupplierReturnLine(msgspec.Struct, frozen=True):
    """Units that left, what the supplier is to credit for each, and what all were worth here (ten-thousandths)."""

    variant: UUID
    lot: UUID | None
    quantity: int
    unit_cost_e4: int
    value_e4: int


class SupplierCredit(msgspec.Struct, frozen=True):
    """A credit note that came."""

    id: UUID
    amount: int
    reference: str
    actor: str
    created_at: datetime


class SupplierReturn(msgspec.Struct, frozen=True):
    """Goods that went back to a supplier, what is expected for them, and what was credited."""

    id: UUID
    number: int
    supplier: UUID
    purchase: UUID | None
    location: UUID
    status: SupplierReturnStatus
    reason: SupplierReturnReason
    reference: str
    note: str
    currency: str
    expected: int
    credited: int
    actor: str
    version: int
    created_at: datetime
    lines: list[SupplierReturnLine] = []
    credits: list[SupplierCredit] = []


class ReturnedLine(msgspec.Struct, frozen=True):
    """Units to send back. Without a cost they go at what they came in with: the purchase order's, else the average."""

    variant: UUID
    quantity: int
    lot: UUID | None = None
    unit_cost_e4: int | None = None


class ReturnedLineInput(UnitsLine, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units to send back; of which lot where goods are kept by lot, else of those whose turn it is."""

    unit_cost_e4: Annotated[
        Cost | None, Meta(description="What the supplier credits for each; null: what they came in with")
    ] = None


class SupplierReturnInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods that go back, of a purchase order or loose."""

    supplier: Annotated[
        Code | None, Meta(description="Code of the supplier; null: that of the purchase order")
    ] = None
    location: Annotated[
        Code | None, Meta(description="Code of the location; null: that of the purchase order")
    ] = None
    purchase: Annotated[
        UUID | None, Meta(description="The purchase order that they came by; null: loose")
    ] = None
    reason: SupplierReturnReason
    lines: Annotated[list[ReturnedLineInput], Meta(min_length=1, max_length=1000)]
    expected: Annotated[
        Amount | None,
        Meta(description="What the supplier agreed to credit in all; null: the sum of the lines"),
    ] = None
    reference: Theirs = ""
    note: Note = ""
    id: Annotated[UUID | None, Meta(description="Your own id of it: the same again leaves once")] = None


class SupplierCreditInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A credit note of the supplier, for all of it or a part."""

    amount: Annotated[
        int, Meta(ge=1, le=2**52, description="Minor units, without input tax", examples=[90000])
    ]
    reference: Theirs = ""
    id: Annotated[UUID | None, Meta(description="Your own id of it: the same again counts once")] = None


class SupplierReturnClose(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why no more is to come."""

    note: Annotated[Note, Meta(min_length=3, examples=["They credit only half of what was unsold"])]
