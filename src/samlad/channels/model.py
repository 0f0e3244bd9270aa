"""What channels and pools are."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.channels.settings import default_of

Code = Annotated[
    str,
    Meta(
        # The look-ahead, because $ alone lets a line break at the end pass.
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?!\n)$",
        min_length=1,
        max_length=63,
        description="Short name for addresses and files: lower-case letters, digits, hyphens",
        examples=["mall-of-america"],
    ),
]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]+$",
        min_length=1,
        max_length=200,
        description="Name as people read it",
        examples=["Mall of America"],
    ),
]
Country = Annotated[str, Meta(min_length=2, max_length=2, description="ISO 3166-1 alpha-2", examples=["SE"])]
Currency = Annotated[str, Meta(min_length=3, max_length=3, description="ISO 4217", examples=["EUR"])]
LocaleTag = Annotated[
    str, Meta(min_length=2, max_length=35, description="Language tag (BCP 47)", examples=["sv", "en-GB"])
]
TimeZone = Annotated[
    str, Meta(min_length=1, max_length=64, description="IANA time zone", examples=["Europe/Stockholm"])
]
SettingValues = Annotated[
    dict[str, Any],
    Meta(description="Settings of this channel by name; see the table of channel settings"),
]


class Resource(StrEnum):
    """What channels can share. Two channels in one pool of a resource share it."""

    CATALOGUE = "catalogue"
    PRICES = "prices"
    STOCK = "stock"
    CUSTOMERS = "customers"
    CARTS = "carts"
    PROMOTIONS = "promotions"
    ORDERS = "orders"
    CONVERSATIONS = "conversations"


class ChannelKind(StrEnum):
    """How customers are met there."""

    STORE = "store"
    WEBSHOP = "webshop"
    APP = "app"
    MARKETPLACE = "marketplace"
    SOCIAL = "social"
    PHONE = "phone"
    MAIL_ORDER = "mail_order"
    CHAT = "chat"
    AGENT = "agent"


class ChannelStatus(StrEnum):
    """``paused`` sells nothing for now; ``closed`` is over and stays for its history."""

    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A span of a day on the channel's own clock.

    ``closes`` at or before ``opens`` is on the next day: 18:00–02:00 is an evening, 00:00–00:00 round the clock.
    """

    opens: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM", examples=["10:00"])]
    closes: Annotated[
        str, Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", description="HH:MM", examples=["21:30"])
    ]


Intervals = Annotated[list[Interval], Meta(max_length=12)]


class ExceptionalDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A date with hours of its own. No intervals: closed."""

    date: date
    intervals: Intervals = []
    note: Annotated[
        str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="Why, for customers to read")
    ] = ""


class OpeningHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a channel is open: seven days, Monday first, and dates that differ."""

    weekly: Annotated[list[Intervals], Meta(min_length=7, max_length=7, description="Monday first")]
    exceptions: Annotated[list[ExceptionalDay], Meta(max_length=1000)] = []


class OwnValues(msgspec.Struct, frozen=True):
    """What a channel sets itself; what is null (or missing in ``settings``) comes from its parent."""

    country: str | None = None
    locale: str | None = None
    currency: str | None = None
    time_zone: str | None = None
    opening_hours: OpeningHours | None = None
    settings: dict[str, Any] = {}


class Channel(msgspec.Struct, frozen=True):
    """A channel as it works: what it does not set itself is its parent's (``own`` is what it sets).

    ``opening_hours`` None is always open. ``pools`` has one pool of each resource.
    """

    id: UUID
    code: str
    name: str
    kind: ChannelKind
    parent: UUID | None
    status: ChannelStatus
    country: str
    locale: str
    currency: str
    time_zone: str
    opening_hours: OpeningHours | None
    settings: dict[str, Any]
    own: OwnValues
    pools: dict[Resource, UUID]
    version: int
    created_at: datetime
    updated_at: datetime

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting's value here; else ``default``, else the declared default.

        Raises:
            KeyError: no such setting is declared.
        """
        declared = default_of(name)
        if name in self.settings:
            return self.settings[name]
        return declared if default is None else default

    def pool(self, resource: Resource) -> UUID:
        """The pool of a resource that this channel uses."""
        return self.pools[resource]


class ChannelInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new channel. What is null is inherited; a channel without a parent sets the first four itself."""

    code: Code
    name: Name
    kind: ChannelKind
    parent: Annotated[Code | None, Meta(description="Code of the channel to inherit from")] = None
    country: Country | None = None
    locale: LocaleTag | None = None
    currency: Currency | None = None
    time_zone: TimeZone | None = None
    opening_hours: OpeningHours | None = None
    settings: SettingValues = {}
    join: Annotated[
        dict[Resource, Code],
        Meta(
            description="Share these resources with the named channels; of every other resource "
            "the channel gets a pool of its own",
            examples=[{"stock": "webshop", "customers": "webshop"}],
        ),
    ] = {}


class ChannelChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. Null: inherit it again. A setting that is null is inherited again."""

    name: Name | UnsetType = UNSET
    status: ChannelStatus | UnsetType = UNSET
    parent: Code | UnsetType | None = UNSET
    country: Country | UnsetType | None = UNSET
    locale: LocaleTag | UnsetType | None = UNSET
    currency: Currency | UnsetType | None = UNSET
    time_zone: TimeZone | UnsetType | None = UNSET
    opening_hours: OpeningHours | UnsetType | None = UNSET
    settings: SettingValues | UnsetType = UNSET


class PoolUse(msgspec.Struct, frozen=True):
    """A pool and the codes of the channels in it: ``isolated`` with one, ``joined`` with more."""

    id: UUID
    resource: Resource
    name: str
    channels: list[str]
    is_joined: bool
