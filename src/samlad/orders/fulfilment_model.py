"""What fulfilments are: the parts of an order that one location ships, hands over or delivers each."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from samlad.catalog import Tracking
from samlad.orders.model import LineQuantity, LineSelection, Reason

Position = Annotated[int, msgspec.Meta(ge=1, le=32_000, description="The line's position in the order")]
Scanned = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1c\x1e\x1f\x7f]+$",
        description="SKU, GTIN or GS1 code, which also says the lot",
        examples=["K-1"],
    ),
]
PickupCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}(?!\n)$", examples=["204817"])]
CarrierName = Annotated[
    str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+(?!\n)$", examples=["generic"])
]
TrackingNumber = Annotated[
    str, msgspec.Meta(min_length=4, max_length=40, pattern=r"^[A-Za-z0-9-]+(?!\n)$", examples=["SM204817331"])
]
Bin = Annotated[
    str, msgspec.Meta(min_length=1, max_length=20, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["A-03-2"])
]


class Method(StrEnum):
    """How the goods get to the customer."""

    SHIP = "ship"
    PICKUP = "pickup"
    CURBSIDE = "curbside"
    SAME_DAY = "same_day"
    HAND_OVER = "hand_over"
    DIGITAL = "digital"


COLLECTED = (Method.PICKUP, Method.CURBSIDE)
"""The customer comes for it, to one known place, and shows a code."""


class FulfilmentState(StrEnum):
    """How far it is. ``picking`` belongs to one person; ``ready`` waits for the customer with a code.

    ``needs_customer``: the place that should have had it has not; with a location the goods are held there and the
    customer is offered that store, without one nobody has them. ``waiting``: the customer waits until somebody has.
    """

    OPEN = "open"
    PICKING = "picking"
    PICKED = "picked"
    PACKED = "packed"
    READY = "ready"
    NEEDS_CUSTOMER = "needs_customer"
    WAITING = "waiting"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


S = FulfilmentState
WORK = (S.OPEN, S.PICKING, S.PICKED, S.PACKED, S.READY)
"""What a store has to do something about."""
UNENDED = (*WORK, S.NEEDS_CUSTOMER, S.WAITING)
"""Units that are still to go; at a location they are held there."""
LEFT = (S.SHIPPED, S.DELIVERED)


class RejectReason(StrEnum):
    """Why a place cannot give what it should. What is not there, or broken, is booked out of its stock."""

    NOT_FOUND = "not_found"
    DAMAGED = "damaged"
    NO_TIME = "no_time"
    CLOSED = "closed"
    OTHER = "other"
    LOST = "lost"


class Choice(StrEnum):
    """What a customer can say when a place has not got what they ordered."""

    OTHER_STORE = "other_store"
    WAIT = "wait"
    CANCEL = "cancel"


class PickedLot(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a lot that somebody has scanned or, once it has left, that the customer got."""

    lot: UUID
    code: str
    quantity: int


class FulfilmentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an order's line: how many are to go, are in the hand and were scanned into the parcel.

    ``set_title``: the set that it is a part of. Where ``tracking`` says that it is kept by lot: ``lots`` that were scanned, and the lot whose turn it is.
    """

    position: int
    variant: UUID
    sku: str | None
    title: str
    options: str
    quantity: int
    picked: int = 0
    packed: int = 0
    bin: str | None = None
    substitutes: str | None = None
    set_title: str | None = None
    tracking: Tracking = Tracking.NONE
    lots: list[PickedLot] = []
    next_lot: str | None = None
    next_expires_on: date | None = None


class FulfilmentHead(msgspec.Struct, frozen=True, kw_only=True):
    """A fulfilment without its lines. ``due_at``: when it is to be picked; ``number`` is the order's."""

    id: UUID
    order_id: UUID
    number: str
    channel: UUID
    location: UUID | None
    method: Method
    state: FulfilmentState
    due_at: datetime
    taken_by: str | None = None
    taken_name: str | None = None
    batch: UUID | None = None
    slot: int | None = None
    pick_up_by: datetime | None = None
    reason: str | None = None
    note: str = ""
    carrier: str | None = None
    tracking: str | None = None
    came_from: UUID | None = None
    opened_at: datetime
    left_at: datetime | None = None
    version: int = 1


class Fulfilment(FulfilmentHead, frozen=True, kw_only=True):
    """A fulfilment with its lines."""

    lines: list[FulfilmentLine] = []


class FulfilmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of fulfilments. ``since`` and ``until``: the slot within which it is to be with the customer."""

    id: UUID
    order_id: UUID
    number: str
    channel: str
    location: str | None
    method: str
    state: str
    due_at: datetime
    is_late: bool
    taken_name: str | None
    name: str | None
    units: int
    lines: int
    pick_up_by: datetime | None
    reason: str | None
    tracking: str | None
    opened_at: datetime
    since: datetime | None = None
    until: datetime | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A fulfilment that is to be made: where, how, which units (position, variant, quantity)."""

    id: UUID
    location: UUID | None
    method: Method
    state: FulfilmentState
    due_at: datetime
    lines: list[tuple[int, UUID, int]]
    came_from: UUID | None = None
    left_at: datetime | None = None
    reason: str | None = None
    note: str = ""


class TakeInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Begin to pick."""

    take_over: Annotated[bool, msgspec.Meta(description="Also if a colleague has it in hand")] = False


class PickInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One thing in the hand: scanned (``code``, one more of it), or a line by position (``quantity`` in all)."""

    code: Scanned | None = None
    position: Position | None = None
    quantity: Annotated[int, msgspec.Meta(ge=0, le=9_999)] | None = None


class PackInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One thing into the parcel, scanned; or all of it without scanning."""

    code: Scanned | None = None


class RejectInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a place cannot give, and why. Without lines all of it."""

    reason: RejectReason
    note: Reason = ""
    lines: Annotated[list[LineSelection], msgspec.Meta(max_length=500)] | None = None


class SubstituteInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Something else for units of a line; the customer has agreed, and never pays more than for what they ordered."""

    position: Position
    quantity: LineQuantity
    code: Scanned
    reason: RejectReason = RejectReason.NOT_FOUND


class HandOverInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The customer is here: the code that they show, or how else it is known that it is theirs."""

    code: PickupCode | None = None
    note: Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00]*$", examples=["Identity card"])] = ""


class CodeInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A code that a customer shows at a place."""

    location: UUID
    code: PickupCode


class ShipInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The parcel leaves; with whom and under which number if not as labelled."""

    carrier: CarrierName | None = None
    tracking: TrackingNumber | None = None


class LabelInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who carries it."""

    carrier: CarrierName = "generic"


class AnswerInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the customer chose."""

    choice: Choice


class FulfilmentChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays."""

    method: Method | UnsetType = UNSET
    due_at: Annotated[datetime, msgspec.Meta(tz=True)] | UnsetType = UNSET


class BatchInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Fulfilments to pick in one walk: these, or the most urgent open ones."""

    location: UUID
    fulfilments: Annotated[list[UUID], msgspec.Meta(max_length=50)] = []
    most: Annotated[int, msgspec.Meta(ge=1, le=50)] = 12


class BatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """A stop of the walk: so many of one thing, and the boxes (slot, units) that they are sorted into."""

    variant: UUID
    sku: str | None
    title: str
    options: str
    bin: str | None
    quantity: int
    picked: int
    slots: list[tuple[int, int]]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A walk for several orders: stops in the order of bins, and what goes into which box."""

    id: UUID
    location: UUID
    taken_by: str
    taken_name: str
    opened_at: datetime
    fulfilments: list[FulfilmentHead]
    lines: list[BatchLine]


class BinsInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where things lie: bin by SKU."""

    location: UUID
    bins: Annotated[dict[Scanned, Bin], msgspec.Meta(min_length=1, max_length=1000)]


class TrackingStatus(StrEnum):
    """What carriers tell."""

    ACCEPTED = "accepted"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNED = "returned"


class TrackingEventInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Something that happened to a parcel. ``reference`` is the carrier's own id of the message."""

    status: TrackingStatus
    happened_at: Annotated[datetime, msgspec.Meta(tz=True)]
    place: Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00]*$", examples=["Malmö"])] = ""
    note: Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    reference: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")] | None
    ) = None


class TrackingInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a carrier tells about a parcel, in any order, as often as it likes."""

    carrier: CarrierName
    number: TrackingNumber
    events: Annotated[list[TrackingEventInput], msgspec.Meta(min_length=1, max_length=100)]


class TrackingEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a parcel."""

    status: TrackingStatus
    happened_at: datetime
    place: str
    note: str


class Tracked(msgspec.Struct, frozen=True, kw_only=True):
    """Where a parcel is: what was told last (``delivered`` wins over whatever is told after it), and all of it."""

    fulfilment: UUID
    carrier: str
    number: str
    status: TrackingStatus | None
    url: str | None
    events: list[TrackingEvent]


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """How a place is doing: what is to be done there, what of it is late, what nobody came for."""

    location: UUID
    code: str
    name: str
    to_pick: int
    late: int
    ready: int
    uncollected: int
    oldest_due: datetime | None


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the label of a parcel."""

    sender: list[str]
    recipient: list[str]
    number: str
    order_number: str
    units: int
