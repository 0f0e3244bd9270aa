"""How goods get to customers: methods with their rates and calendars, and how locations work."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.channels import OpeningHours
from samlad.channels.model import Code, Country, Name
from samlad.kernel.problems import Conflict

LARGEST_AMOUNT = 100_000_000_000
"""Minor units."""
LARGEST_WEIGHT = 100_000_000
"""Grams."""

Amount = Annotated[int, Meta(ge=0, le=LARGEST_AMOUNT, description="Minor units of the method's currency")]
Grams = Annotated[int, Meta(ge=0, le=LARGEST_WEIGHT, description="Grams")]
Minutes = Annotated[int, Meta(ge=0, le=60 * 24 * 60, description="Minutes of working time", examples=[30])]
Clock = Annotated[
    str,
    Meta(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d(?!\n)$",
        max_length=5,
        description="HH:MM on the location's own clock",
        examples=["15:00"],
    ),
]
_Line = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Postal = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=12,
        pattern=r"^[A-Za-z0-9 -]*[A-Za-z0-9][A-Za-z0-9 -]*(?!\n)$",
        examples=["11"],
    ),
]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(?!\n)$", max_length=3, examples=["sv"])]
Subdivision = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,20}(?!\n)$",
        max_length=20,
        description="Part of the country with holidays of its own",
    ),
]


class MethodKind(StrEnum):
    """The ways in which goods change hands. ``same_day`` is brought by one store on the day; ``curbside`` is to the car."""

    SHIP = "ship"
    SAME_DAY = "same_day"
    PICKUP = "pickup"
    CURBSIDE = "curbside"
    CARRY_OUT = "carry_out"
    DIGITAL = "digital"


SENT = frozenset({MethodKind.SHIP, MethodKind.SAME_DAY})
"""Kinds that bring the goods to an address."""
COLLECTED = frozenset({MethodKind.PICKUP, MethodKind.CURBSIDE})
"""Kinds that put the goods aside in a store."""


class PostalRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Postal codes from … to, both included; beginnings are enough: 11 to 12 is all codes that begin with 11 or 12."""

    first: _Postal
    last: _Postal


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a method goes and how long that takes. Empty lists do not narrow.

    Transit counts the carrier's working days after the day on which the parcel leaves; 0 is the same day.
    """

    countries: Annotated[list[Country], Meta(max_length=250)] = []
    regions: Annotated[
        list[_Line], Meta(max_length=200, description="States or provinces, as in addresses")
    ] = []
    postal_codes: Annotated[list[PostalRange], Meta(max_length=500)] = []
    transit_min: Annotated[int, Meta(ge=0, le=60, description="Working days at least")] = 1
    transit_max: Annotated[int, Meta(ge=0, le=60, description="Working days at most")] = 2


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the carrier works: its weekdays without the public holidays of a country and dates of its own."""

    weekdays: Annotated[
        list[Annotated[int, Meta(ge=1, le=7)]],
        Meta(min_length=1, max_length=7, description="ISO 8601: 1 is Monday"),
    ] = msgspec.field(default_factory=lambda: [1, 2, 3, 4, 5])
    holidays: Annotated[
        Country | None, Meta(description="Whose public holidays are free; null: works on them")
    ] = None
    subdivision: Subdivision | None = None
    closed: Annotated[list[date], Meta(max_length=400, description="Dates on which it does not work")] = []
    open: Annotated[list[date], Meta(max_length=400, description="Dates on which it works nevertheless")] = []


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From this amount (minor units) or weight (grams) on, it costs this much."""

    start: Annotated[int, Meta(ge=0, le=LARGEST_AMOUNT)]
    price: Amount


class FlatRate(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="flat", tag_field="kind"
):
    """The same for every order. Free when the goods come to ``free_from`` or more."""

    price: Amount = 0
    free_from: Amount | None = None


Steps = Annotated[
    list[Step],
    Meta(min_length=1, max_length=100, description="Rising from 0; the last that is reached holds"),
]


class AmountTable(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="by_amount", tag_field="kind"
):
    """By what the goods come to, with tax."""

    steps: Steps
    free_from: Amount | None = None


class WeightTable(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="by_weight", tag_field="kind"
):
    """By what the goods weigh."""

    steps: Steps
    free_from: Amount | None = None


class WeightSteps(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag="weight_steps",
    tag_field="kind",
):
    """A price for the first grams, and one for each further so many that are begun."""

    price: Amount
    first: Annotated[int, Meta(ge=1, le=LARGEST_WEIGHT, description="Grams that are in the price")]
    each: Annotated[int, Meta(ge=1, le=LARGEST_WEIGHT, description="Grams of a further step")]
    each_price: Amount
    free_from: Amount | None = None


Rate = FlatRate | AmountTable | WeightTable | WeightSteps
Zones = Annotated[list[Zone], Meta(max_length=100, description="The first that fits an address holds")]
Names = Annotated[
    dict[Language, Name],
    Meta(max_length=50, description="The name in other languages", examples=[{"sv": "Hem till dörren"}]),
]
Position = Annotated[
    int, Meta(ge=0, le=100_000, description="Lower is shown first; the first is the default")
]


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A time of the day within which goods are brought, for so many orders of a place and day."""

    start: Clock
    end: Annotated[Clock, Meta(description="HH:MM on the location's own clock, later than start")]
    capacity: Annotated[
        int | None, Meta(description="Most orders of a location and day, at least 1; null: no limit")
    ] = None


Slots = Annotated[
    list[Slot],
    Meta(
        max_length=48,
        description="Of a same-day method: times of the day that buyers choose from; none of them overlap. They stand "
        "in the place of ``until``",
        examples=[[{"start": "17:00", "end": "19:00", "capacity": 8}]],
    ),
]


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A way for goods to get from a channel to its customers.

    It belongs to a channel and holds in every channel below it that has none of the same code and the same currency.
    Working time (``pick_minutes`` + ``pack_minutes``) is spent within the hours of the location. What is ordered after
    ``cut_off`` is begun on the next day. ``until`` is when a same-day tour is over; where there are ``slots`` buyers choose one.
    """

    id: UUID
    channel: UUID
    code: str
    kind: MethodKind
    name: str
    names: dict[str, str]
    currency: str
    zones: list[Zone]
    rate: Rate
    calendar: Calendar
    pick_minutes: int
    pack_minutes: int
    cut_off: str | None
    until: str | None
    max_weight: int | None
    position: int
    is_active: bool
    version: int
    created_at: datetime
    updated_at: datetime
    slots: list[Slot] = []

    def name_in(self, locale: str) -> str:
        """The name in the language of a locale tag, else as it was given first."""
        return self.names.get(locale.replace("_", "-").split("-", 1)[0].lower(), self.name)


class MethodInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new delivery method of a channel, for it and those that inherit from it."""

    channel: Annotated[Code, Meta(description="Code of the channel", examples=["web"])]
    code: Annotated[Code, Meta(examples=["courier"])]
    kind: MethodKind
    name: Annotated[Name, Meta(examples=["Courier"])]
    names: Names = {}
    zones: Zones = []
    rate: Rate = msgspec.field(default_factory=FlatRate)
    calendar: Calendar = msgspec.field(default_factory=Calendar)
    pick_minutes: Minutes = 60
    pack_minutes: Minutes = 15
    cut_off: Annotated[Clock | None, Meta(description="Orders until then are begun the same day")] = None
    until: Annotated[Clock | None, Meta(description="When a same-day tour is over")] = None
    slots: Slots = []
    max_weight: Annotated[Grams | None, Meta(description="What weighs more cannot go this way")] = None
    position: Position = 100


class MethodChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. Code and kind stay for ever: carts and orders name them."""

    name: Name | UnsetType = UNSET
    names: Names | UnsetType = UNSET
    zones: Zones | UnsetType = UNSET
    rate: Rate | UnsetType = UNSET
    calendar: Calendar | UnsetType = UNSET
    pick_minutes: Minutes | UnsetType = UNSET
    pack_minutes: Minutes | UnsetType = UNSET
    cut_off: Clock | UnsetType | None = UNSET
    until: Clock | UnsetType | None = UNSET
    slots: Slots | UnsetType = UNSET
    max_weight: Grams | UnsetType | None = UNSET
    position: Position | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class SlotLoad(msgspec.Struct, frozen=True, kw_only=True):
    """How many ``orders`` a place brings in the slot of a day that begins at ``start`` (HH:MM); days on the place's own clock."""

    code: str
    name: str
    day: date
    today: date
    start: str
    orders: int


class SlotFull(Conflict):
    """Somebody was quicker: the slot has no room any more. ``next``: the next that has, null if there is none."""

    code, title = "slot-full", "This time is full"


class SlotPast(Conflict):
    """It is too late for the slot, or it is not offered (any more). ``next``: the next that can be had, null if there is none."""

    code, title = "slot-past", "This time cannot be had any more"


class CapacityUnit(StrEnum):
    """What a location's day is measured in."""

    ORDERS = "orders"
    UNITS = "units"


class Workday(msgspec.Struct, frozen=True, kw_only=True):
    """How a location makes orders ready. Without one: in the hours of the store that stands there, else at any time.

    ``hours`` null: as the store's doors. ``capacity`` null: no limit. Minutes that are null are the method's.
    """

    location: UUID
    hours: OpeningHours | None = None
    holidays: str | None = None
    pick_minutes: int | None = None
    pack_minutes: int | None = None
    capacity: int | None = None
    capacity_unit: CapacityUnit = CapacityUnit.ORDERS
    version: int = 0


class WorkdayInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a location makes orders ready; all of it anew."""

    hours: Annotated[
        OpeningHours | None, Meta(description="When orders are picked; null: while the store is open")
    ] = None
    holidays: Annotated[Country | None, Meta(description="Country whose public holidays nobody works on")] = (
        None
    )
    pick_minutes: Minutes | None = None
    pack_minutes: Minutes | None = None
    capacity: (
        Annotated[int, Meta(ge=0, le=1_000_000, description="Most orders or units a day; null: no limit")]
        | None
    ) = None
    capacity_unit: CapacityUnit = CapacityUnit.ORDERS


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody is, as far as it is known. Degrees are WGS 84."""

    country: str | None = None
    region: str | None = None
    postal_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None
