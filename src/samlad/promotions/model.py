"""What promotions are."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.channels.model import Interval
from samlad.kernel.problems import Conflict
from samlad.promotions.terms import LARGEST_AMOUNT, Combination, Terms

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=120,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
        description="As customers read it",
        examples=["Kettle week"],
    ),
]
Note = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", examples=["Facebook, November"])]
CodeText = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=40,
        pattern=r"^[A-Za-z0-9 _-]+(?!\n)$",
        description="As somebody types it: case and blanks do not matter",
        examples=["KETTLE10"],
    ),
]
Group = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["staff"])]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3, description="ISO 4217", examples=["SEK"])]
Count = Annotated[int, Meta(ge=1, le=2_000_000_000)]
Money = Annotated[int, Meta(ge=1, le=LARGEST_AMOUNT, description="Minor units of the promotion's currency")]
Weekdays = Annotated[
    list[Annotated[int, Meta(ge=1, le=7)]], Meta(max_length=7, description="1 is Monday; none: every day")
]
Channels = Annotated[
    list[UUID], Meta(min_length=1, max_length=500, description="Ids of channels; null: all of the pool")
]
Priority = Annotated[int, Meta(ge=-10_000, le=10_000, description="The highest is applied first")]


class PromotionStatus(StrEnum):
    """``paused``: nobody new gets it, who was shown it keeps it. ``ended``: it is over for everybody."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class PromotionState(StrEnum):
    """How a promotion stands today, as its list shows it."""

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    PAUSED = "paused"
    USED_UP = "used_up"
    ENDED = "ended"


class GrantSource(StrEnum):
    """Why somebody may have a promotion."""

    CODE = "code"
    LINK = "link"
    SHOWN = "shown"
    STAFF = "staff"


class HolderKind(StrEnum):
    """Who holds a grant."""

    CART = "cart"
    CUSTOMER = "customer"
    VISITOR = "visitor"


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion as kept. ``uses`` and ``spent`` are counted as long as it has a limit or a budget."""

    id: UUID
    pool: UUID
    name: str
    status: PromotionStatus
    is_automatic: bool
    channels: list[UUID] | None
    customer_group: str | None
    first_order: bool
    currency: str | None
    terms: Terms
    priority: int
    combination: Combination
    first_day: date | None
    last_day: date | None
    weekdays: list[int]
    hours: Interval | None
    limit_total: int | None
    limit_customer: int | None
    budget: int | None
    uses: int
    spent: int
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_counted(self) -> bool:
        """Whether its row counts uses and what was spent, because something limits them."""
        return self.limit_total is not None or self.budget is not None

    @property
    def each_customer(self) -> int | None:
        """How often one customer may use it. A first order there is once."""
        return 1 if self.first_order else self.limit_customer


class PromotionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new promotion. What is null does not limit it."""

    channel: Annotated[
        UUID, Meta(description="Id of a channel: it is made in that channel's pool of promotions")
    ]
    name: Name
    terms: Terms
    is_automatic: Annotated[
        bool, Meta(description="Whoever fits has it; else it takes a code, a link or a grant")
    ]
    status: PromotionStatus = PromotionStatus.ACTIVE
    channels: Channels | None = None
    customer_group: Group | None = None
    first_order: Annotated[bool, Meta(description="Only who has not ordered before, and once")] = False
    currency: Annotated[
        Currency | None,
        Meta(
            description="Where it holds, and of its amounts and budget. Null: the channel's; if it has neither amounts "
            "nor a budget and channels of its pool have several currencies, all of them"
        ),
    ] = None
    priority: Priority = 0
    combination: Combination = Combination.ALL
    first_day: date | None = None
    last_day: Annotated[date | None, Meta(description="The last day on which it holds")] = None
    weekdays: Weekdays = []
    hours: Interval | None = None
    limit_total: Annotated[Count | None, Meta(description="Orders that may use it in all")] = None
    limit_customer: Annotated[Count | None, Meta(description="Orders of one customer that may use it")] = None
    budget: Annotated[Money | None, Meta(description="What it may take off in all")] = None
    codes: Annotated[list[CodeText], Meta(max_length=20, description="Codes to begin with")] = []


class PromotionChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be different; what is left out stays, ``null`` takes a limit away. What has ended stays ended."""

    name: Name | UnsetType = UNSET
    terms: Terms | UnsetType = UNSET
    is_automatic: bool | UnsetType = UNSET
    status: PromotionStatus | UnsetType = UNSET
    channels: Channels | UnsetType | None = UNSET
    customer_group: Group | UnsetType | None = UNSET
    first_order: bool | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    combination: Combination | UnsetType = UNSET
    first_day: date | UnsetType | None = UNSET
    last_day: date | UnsetType | None = UNSET
    weekdays: Weekdays | UnsetType = UNSET
    hours: Interval | UnsetType | None = UNSET
    limit_total: Count | UnsetType | None = UNSET
    limit_customer: Count | UnsetType | None = UNSET
    budget: Money | UnsetType | None = UNSET


class PromotionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list. ``uses`` and ``spent`` (minor units) are of orders that were not cancelled.

    ``spent`` is null where it holds in several currencies.
    """

    id: UUID
    name: str
    state: PromotionState
    kind: str
    is_automatic: bool
    codes: int
    links: int
    customer_group: str | None
    first_day: date | None
    last_day: date | None
    limit_total: int | None
    budget: int | None
    uses: int
    spent: int | None
    currency: str | None
    priority: int
    created_at: datetime


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code. ``limit_total`` null: as often as its promotion may be used."""

    id: UUID
    code: str
    limit_total: int | None
    uses: int
    created_at: datetime


class CodesInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Codes to add: those that are named, and so many that are made up, each for one use."""

    codes: Annotated[list[CodeText], Meta(max_length=1_000)] = []
    limit_total: Annotated[Count | None, Meta(description="Uses of each named code")] = None
    make: Annotated[int, Meta(ge=0, le=20_000, description="How many to make up, for one use each")] = 0
    prefix: Annotated[
        str,
        Meta(
            max_length=12,
            pattern=r"^[A-Za-z0-9]*(?!\n)$",
            description="What they begin with",
            examples=["NOV"],
        ),
    ] = ""


class CodesMade(msgspec.Struct, frozen=True, kw_only=True):
    """The codes that were added."""

    codes: list[str]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link: `/o/{token}` of the storefront gives its promotion and leads on to ``leads_to``."""

    token: str
    promotion: UUID
    leads_to: str
    note: str
    created_at: datetime


class LinkInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new link."""

    leads_to: Annotated[
        str,
        Meta(
            max_length=500,
            pattern=r"^/(?![/\\])[^\x00-\x20\x7f\\]*(?!\n)$",
            description="An address within the shop",
            examples=["/p/kettle"],
        ),
    ] = "/"
    note: Note = ""


class GrantInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom to give it to."""

    customer: UUID


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody may have a promotion, because …; ``code`` is the one they typed."""

    promotion: UUID
    name: str
    source: GrantSource
    code: str | None
    granted_at: datetime


class BadCode(Conflict):
    """The code cannot be used; ``reason`` is ``unknown``, ``not-yet``, ``ended``, ``used-up`` or ``elsewhere``."""

    code, title = "promotion-code", "This code cannot be used"


class PromotionGone(Conflict):
    """Promotions that were counted on cannot be had (any more): used up at this very moment, ended, or once only.

    ``promotions`` has the id, the name and the reason of each.
    """

    code, title = "promotion-gone", "A promotion cannot be had any more"
