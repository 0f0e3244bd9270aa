"""Returns that are announced before the goods come: requested, received, inspected, settled."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from samlad.orders.change_model import Condition, Photos, Position, ReasonCode, RefundTo
from samlad.orders.model import LineQuantity, Reason
from samlad.stock.lots_model import ExpiresOn, LotCode


class ReturnState(StrEnum):
    """Where an announced return is. ``settled`` and ``cancelled`` are the end."""

    REQUESTED = "requested"
    RECEIVED = "received"
    INSPECTED = "inspected"
    SETTLED = "settled"
    CANCELLED = "cancelled"


OPEN = (ReturnState.REQUESTED, ReturnState.RECEIVED, ReturnState.INSPECTED)


class AnnouncedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to come back of a line."""

    position: Position
    quantity: LineQuantity
    reason: ReasonCode = "other"


class AnnounceInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A return of an order, before the goods come."""

    order: UUID
    lines: Annotated[list[AnnouncedLine], msgspec.Meta(min_length=1, max_length=200)]
    note: Reason = ""
    photos: Photos = []


class ReceivedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is here of a line, and how it is if somebody has looked."""

    position: Position
    quantity: Annotated[int, msgspec.Meta(ge=0, le=9_999)]
    condition: Condition | None = None


class ReceiveInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods are here, at any place of the shop. Without lines all that were announced."""

    location: UUID
    lines: Annotated[list[ReceivedLine], msgspec.Meta(max_length=200)] | None = None


class InspectInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the goods are."""

    lines: Annotated[list[ReceivedLine], msgspec.Meta(min_length=1, max_length=200)]


class CameLot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units of a line that came, and of which lot they are or which piece: where the order got several, somebody has to say."""

    position: Position
    lot: LotCode
    quantity: LineQuantity = 1


class SettleInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What came is booked in, and money goes back, or pays for what was given instead."""

    refund_to: RefundTo = RefundTo.TENDER
    sent_in: bool = False
    waive_fees: bool = False
    note: Reason = ""
    override: Reason = ""
    lots: Annotated[list[CameLot], msgspec.Meta(max_length=200)] = []


class EndInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why it will not come."""

    reason: Reason = ""


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an announced return; ``condition`` once somebody has looked."""

    position: int
    title: str
    sku: str | None
    quantity: int
    reason: str
    condition: Condition | None
    received: int


class RequestHead(msgspec.Struct, frozen=True, kw_only=True):
    """An announced return without its lines. ``exchange``: the sale whose goods went out before these came back;
    ``agreed`` is the provider by which it is paid if they never come, ``charging`` the payment that is under way for
    that, ``claimed_at`` when it was charged or became an invoice."""

    id: UUID
    order_id: UUID
    order_number: str
    number: str
    state: ReturnState
    exchange: UUID | None
    due_on: date
    is_overdue: bool
    location: UUID | None
    settled_by: UUID | None
    note: str
    photos: list[str]
    actor: str
    agreed: str | None
    charging: UUID | None
    claimed_at: datetime | None
    received_at: datetime | None
    created_at: datetime
    version: int


class Request(RequestHead, frozen=True, kw_only=True):
    """An announced return."""

    lines: list[RequestLine] = []


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of announced returns. ``open_amount``: what is open of goods that went out before."""

    id: UUID
    number: str
    order_id: UUID
    order_number: str
    state: str
    due_on: date
    is_overdue: bool
    units: int
    name: str | None
    email: str | None
    location: str | None
    exchange: UUID | None
    exchange_number: str | None
    open_amount: int
    currency: str
    claimed_at: datetime | None
    created_at: datetime


class UnknownLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods that came without a receipt."""

    variant: UUID
    quantity: LineQuantity
    reason: ReasonCode = "other"
    condition: Condition | None = None
    lot: Annotated[LotCode | None, msgspec.Meta(description="Which lot, where it is kept by lot")] = None
    expires_on: Annotated[ExpiresOn | None, msgspec.Meta(description="Of a lot that is new here")] = None


class UnknownInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods come back and nobody knows of which order: at the lowest price of some days, as store credit.

    The same ``id`` twice is done once.
    """

    location: UUID
    lines: Annotated[list[UnknownLine], msgspec.Meta(min_length=1, max_length=50)]
    customer: UUID
    override: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
    note: Reason = ""
    id: UUID | None = None


class UnknownPrice(msgspec.Struct, frozen=True, kw_only=True):
    """The lowest price of a variant within some days, minor units, and what it is taxed with."""

    variant: UUID
    amount: int
    tax_included: bool
