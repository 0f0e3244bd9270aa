"""What stock is made of."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.channels.model import Code, Name, TimeZone

LARGEST = 1_000_000_000
"""Most units of one variant in one line."""

Units = Annotated[int, Meta(ge=1, le=LARGEST, description="Units", examples=[3])]
Note = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
Reason = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]+$", description="Why", examples=["broken"])
]


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


class CountStatus(StrEnum):
    """Where a count is."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class TransferStatus(StrEnum):
    """Where a transfer is."""

    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    CANCELLED = "cancelled"


class Location(msgspec.Struct, frozen=True):
    """A place that holds stock. ``channel`` is the store channel that stands there; lower ``priority`` comes first."""

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


class HoldLine(msgspec.Struct, frozen=True):
    """Units of a variant, from one location or from wherever the routing finds them."""

    variant: UUID
    quantity: int
    location: UUID | None = None


class Hold(msgspec.Struct, frozen=True):
    """A claim on units at a location for an owner: a cart, an order, a till …"""

    id: UUID
    location: UUID
    variant: UUID
    quantity: int
    kind: HoldKind
    owner: UUID


class Moved(msgspec.Struct, frozen=True):
    """One line of the ledger as it was appended: ``quantity`` is signed, ``on_hand`` what there is after it."""

    id: UUID
    location: UUID
    variant: UUID
    quantity: int
    on_hand: int


class Level(msgspec.Struct, frozen=True):
    """Units of a variant at a location. ``available`` is what can be held now, without backorders.

    ``held`` leaves out holds that have expired: nobody has released them yet, but they are in nobody's way.
    """

    location: UUID
    variant: UUID
    on_hand: int
    held: int
    available: int
    backorder_limit: int


class Promise(msgspec.Struct, frozen=True):
    """What a channel may sell of a variant, and why.

    ``available`` (the ATP) is the sum of what is free at its locations minus the channel's buffer, never below 0;
    ``backorder`` units more may be sold before they are there.
    """

    variant: UUID
    available: int
    backorder: int
    on_hand: int
    held: int
    buffer: int
    locations: list[Level]


class CountLine(msgspec.Struct, frozen=True):
    """A counted variant: what was there, and what the books said at that moment."""

    variant: UUID
    counted: int
    expected: int


class Count(msgspec.Struct, frozen=True):
    """A count of a location. Closing it books the differences of its lines."""

    id: UUID
    location: UUID
    status: CountStatus
    note: str
    actor: str
    version: int
    created_at: datetime
    closed_at: datetime | None
    lines: list[CountLine] = []


class TransferLine(msgspec.Struct, frozen=True):
    """Units of a variant under way, and how many of them have been received."""

    variant: UUID
    quantity: int
    received: int


class Transfer(msgspec.Struct, frozen=True):
    """Units on their way from one location to another."""

    id: UUID
    origin: UUID
    destination: UUID
    status: TransferStatus
    note: str
    version: int
    created_at: datetime
    updated_at: datetime
    lines: list[TransferLine] = []
