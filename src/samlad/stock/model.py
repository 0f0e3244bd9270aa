"""What stock is made of."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.channels.model import Code, Name, TimeZone

LARGEST = 1_000_000_000
"""Most units of one variant in one line."""

Units = Annotated[int, Meta(ge=1, le=LARGEST, description="Units", examples=[3])]
Cost = Annotated[
    int,
    Meta(
        ge=0,
        le=10**13,
        description="Cost of one unit in ten-thousandths of a minor unit: 1250000 is 1.25 in a currency with cents",
        examples=[1_250_000],
    ),
]
"""Fine enough for averages and for prices like 0.1234; whole, so that sums are exact."""
Note = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
Reason = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]+$", description="Why", examples=["broken"])
]


class LotStrategy(StrEnum):
    """Which lot leaves a location next: what expires first (`FEFO`), or what it has had longest (`FIFO`)."""

    FEFO = "fefo"
    FIFO = "fifo"


class LocationKind(StrEnum):
    """What a place that holds stock is."""

    STORE = "store"
    WAREHOUSE = "warehouse"
    SUPPLIER = "supplier"
    MARKETPLACE = "marketplace"


class HoldKind(StrEnum):
    """What a hold is for."""

    CART = "cart"
    CHECKOUT = "checkout"
    ORDER = "order"
    PARKED = "parked"
    MARKETPLACE = "marketplace"
    LEASE = "lease"


class Cause(StrEnum):
    """Why stock moved."""

    RECEIPT = "receipt"
    SALE = "sale"
    RETURN = "return"
    COUNT = "count"
    DAMAGE = "damage"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    CORRECTION = "correction"
    REVALUATION = "revaluation"
    SUPPLIER_RETURN = "supplier_return"
    LOSS = "loss"


class CountStatus(StrEnum):
    """Where a count is."""

    OPEN = "open"
    SUBMITTED = "submitted"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class TransferStatus(StrEnum):
    """Where a transfer is. What has arrived in part is ``received`` when nothing is under way any more, ``lost`` if nothing came."""

    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    CANCELLED = "cancelled"
    LOST = "lost"


class Location(msgspec.Struct, frozen=True):
    """A place that holds stock. ``channel`` is the store channel that stands there; lower ``priority`` comes first.

    ``buffer`` units of each variant are kept back here; ``currency`` is that of what its goods cost. A count that
    differs by more than ``variance_units``, or by more than ``variance_value`` minor units, needs an approval.
    """

    id: UUID
    pool: UUID
    code: str
    name: str
    kind: LocationKind
    channel: UUID | None
    address: dict[str, Any]
    latitude: float | None
    longitude: float | None
    time_zone: str
    priority: int
    is_active: bool
    version: int
    buffer: int = 0
    currency: str = "XXX"
    variance_units: int | None = None
    variance_value: int | None = None
    lot_strategy: LotStrategy = LotStrategy.FEFO


_Word = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")]
Address = Annotated[
    dict[_Word, _Word],
    Meta(
        description="lines, city, region, postal_code, country …",
        examples=[{"city": "Malmö", "country": "SE"}],
    ),
]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="WGS 84 degrees")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="WGS 84 degrees")]
Priority = Annotated[int, Meta(ge=0, le=1_000_000, description="Lower is asked first")]
Buffer = Annotated[
    int, Meta(ge=0, le=1_000_000, description="Units of each variant that are kept back here", examples=[2])
]

VarianceUnits = Annotated[
    int,
    Meta(
        ge=0, le=LARGEST, description="A count that differs by more units needs an approval; null: none does"
    ),
]
VarianceValue = Annotated[
    int,
    Meta(
        ge=0, le=10**12, description="A count that differs by a higher value (minor units) needs an approval"
    ),
]


class LocationInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new location. Its stock is in the stock pool of ``channel``, or of ``pool_of`` when no store stands there."""

    code: Code
    name: Name
    kind: LocationKind
    channel: Annotated[Code | None, Meta(description="Code of the store channel that stands there")] = None
    pool_of: Annotated[Code | None, Meta(description="Code of a channel whose stock pool it belongs to")] = (
        None
    )
    address: Address = {}
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: Annotated[TimeZone | None, Meta(description="Null: the channel's")] = None
    priority: Priority = 100
    buffer: Buffer = 0


class LocationChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays."""

    name: Name | UnsetType = UNSET
    kind: LocationKind | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    latitude: Latitude | UnsetType | None = UNSET
    longitude: Longitude | UnsetType | None = UNSET
    time_zone: TimeZone | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    buffer: Buffer | UnsetType = UNSET
    variance_units: VarianceUnits | UnsetType | None = UNSET
    variance_value: VarianceValue | UnsetType | None = UNSET
    lot_strategy: LotStrategy | UnsetType = UNSET


class LocationChannel(msgspec.Struct, frozen=True):
    """Where a location behaves otherwise for one channel. ``buffer`` null: the location's own."""

    channel: str
    buffer: int | None
    is_excluded: bool


class LocationChannelInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a location behaves for one channel; not inherited by the channel's children."""

    buffer: Annotated[
        Buffer | None, Meta(description="Units kept back from it; null: the location's own")
    ] = None
    is_excluded: Annotated[bool, Meta(description="Nothing is promised to this channel from here")] = False


class HoldLine(msgspec.Struct, frozen=True):
    """Units of a variant, from one location or from wherever the routing finds them.

    ``lot`` counts where units leave a location (`ship`): it is this one that somebody has in hand.
    """

    variant: UUID
    quantity: int
    location: UUID | None = None
    lot: UUID | None = None


class Hold(msgspec.Struct, frozen=True):
    """A claim on units at a location for an owner: a cart, an order, a till …"""

    id: UUID
    location: UUID
    variant: UUID
    quantity: int
    kind: HoldKind
    owner: UUID


class Moved(msgspec.Struct, frozen=True):
    """One line of the ledger as it was appended: ``quantity`` is signed, ``on_hand`` what there is after it.

    ``lot`` is whose units they are, where the product asks for it.
    """

    id: UUID
    location: UUID
    variant: UUID
    quantity: int
    on_hand: int
    lot: UUID | None = None


class Incoming(msgspec.Struct, frozen=True):
    """Units that a supplier is to bring (``purchase``), or a ``transfer`` from another location.

    ``expected_on`` null: nobody knows; ``is_late``: it was to be before today.
    """

    purchase: UUID | None
    units: int
    expected_on: date | None
    is_late: bool = False
    transfer: UUID | None = None


class Level(msgspec.Struct, frozen=True):
    """Units of a variant at a location. ``available`` is what can be held now, without backorders.

    Of what is on hand, ``expired`` and ``blocked`` (recalled) units may not be sold; ``expiring`` ones, with fewer days left
    than the product asks for, are promised to nobody any more.

    ``held`` leaves out holds that have expired: nobody has released them yet, but they are in nobody's way.

    As a channel sees it: ``kept`` units are kept back from it here, and ``later`` more can be held before they are
    there: up to ``backorder_limit`` and, where ``sells_incoming``, what suppliers are to bring. ``backorder_on`` is
    when units on backorder come; null when nobody knows, or when that day has gone by.
    """

    location: UUID
    variant: UUID
    on_hand: int
    held: int
    available: int
    backorder_limit: int
    kept: int = 0
    later: int = 0
    sells_incoming: bool = False
    backorder_on: date | None = None
    incoming: list[Incoming] = []
    expired: int = 0
    expiring: int = 0
    blocked: int = 0


class Later(msgspec.Struct, frozen=True):
    """Units that may be sold before they are there, and the day on which they come; null: nobody knows."""

    expected_on: date | None
    units: int


class ExcludedBy(StrEnum):
    """Why nothing is promised from a location."""

    INACTIVE = "inactive"
    CHANNEL = "channel"


class ExcludedLevel(msgspec.Struct, frozen=True):
    """Units that do not count: the location is not active, or the channel leaves it out."""

    location: UUID
    on_hand: int
    held: int
    reason: ExcludedBy


class PromisedPart(msgspec.Struct, frozen=True):
    """A part of a set: ``available`` and ``backorder`` units of it are ``sets`` sets at ``quantity`` in each.

    ``is_limiting``: no other part makes fewer.
    """

    variant: UUID
    sku: str
    quantity: int
    available: int
    backorder: int
    sets: int
    is_limiting: bool


class Promise(msgspec.Struct, frozen=True):
    """What a channel may sell of a variant, and why.

    ``available`` (the ATP) is the sum of what is free at its locations minus the channel's buffer, never below 0;
    ``backorder`` units more may be sold before they are there, and ``later`` says when those come. ``on_hand``,
    ``held``, ``kept`` (by locations), ``expired``, ``expiring``, ``blocked`` and ``incoming`` are sums over ``locations``;
    those in ``excluded`` do not count.

    A set has no stock of its own: it is promised as often as each of its ``parts`` suffices, wherever those are; what its
    ``locations`` say is how many whole sets lie there, and what comes is there when the last of its parts is.
    """

    variant: UUID
    available: int
    backorder: int
    on_hand: int
    held: int
    buffer: int
    locations: list[Level]
    kept: int = 0
    incoming: int = 0
    later: list[Later] = []
    excluded: list[ExcludedLevel] = []
    expired: int = 0
    expiring: int = 0
    blocked: int = 0
    parts: list[PromisedPart] = []


class CountLine(msgspec.Struct, frozen=True):
    """A counted variant, or a lot of it: what was there, and what the books said at that moment; null while a blind count
    is open.
    """

    variant: UUID
    counted: int
    expected: int | None
    lot: UUID | None = None
    lot_code: str | None = None


class Count(msgspec.Struct, frozen=True):
    """A count of a location. Closing it books the differences of its lines.

    One that differs by more than its location allows is ``submitted`` instead, until somebody else approves it.
    """

    id: UUID
    location: UUID
    status: CountStatus
    note: str
    actor: str
    version: int
    created_at: datetime
    closed_at: datetime | None
    is_blind: bool = False
    submitted_by: str | None = None
    approved_by: str | None = None
    lines: list[CountLine] = []


class TransferLine(msgspec.Struct, frozen=True):
    """Units of a variant (of a lot of it) that were sent, how many of them have been received, and how many are lost."""

    variant: UUID
    quantity: int
    received: int
    lot: UUID | None = None
    lot_code: str | None = None
    lost: int = 0

    @property
    def under_way(self) -> int:
        """Units that have neither arrived nor are lost."""
        return self.quantity - self.received - self.lost


class Transfer(msgspec.Struct, frozen=True):
    """Units on their way from one location to another. ``expected_on``: a day of the destination; null: nobody knows."""

    id: UUID
    origin: UUID
    destination: UUID
    status: TransferStatus
    note: str
    version: int
    created_at: datetime
    updated_at: datetime
    expected_on: date | None = None
    lines: list[TransferLine] = []
