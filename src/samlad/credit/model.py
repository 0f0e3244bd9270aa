"""What accounts, gift cards and loyalty are. Amounts in minor units of a currency; points are whole."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.kernel.problems import Conflict, NotFound, Problem

LARGEST = 10**12

Amount = Annotated[int, Meta(ge=1, le=LARGEST, description="Minor units of the currency", examples=[50000])]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3, description="ISO 4217", examples=["SEK"])]
Reason = Annotated[
    str,
    Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$", description="Why", examples=["Late delivery"]),
]
Note = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Slug = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?(?!\n)$",
        min_length=1,
        max_length=40,
        description="Short name: lower-case letters, digits, hyphens",
        examples=["gold"],
    ),
]
CardCode = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern=r"^[^\x00]*$",
        description="The code of a gift card as it is printed; blanks and hyphens do not matter",
        examples=["KX4T-9PZC-M2HE-77QA-41"],
    ),
]
Key = Annotated[
    UUID | None,
    Meta(
        description="An id that you choose, so that what is sent twice is done once; or use Idempotency-Key"
    ),
]


class AccountKind(StrEnum):
    """Whose account it is. The first four are of a holder; the others are the house's side of the book."""

    GIFT_CARD = "gift_card"
    STORE_CREDIT = "store_credit"
    POINTS = "points"
    PENDING = "pending"
    SOLD = "sold"
    GIVEN = "given"
    REDEEMED = "redeemed"
    REFUNDED = "refunded"
    EXPIRED = "expired"
    EARNED = "earned"
    REWARDED = "rewarded"


POINTS_UNIT = "points"


class CardStatus(StrEnum):
    """``waiting`` for its order to be paid; only ``active`` cards that have not expired pay."""

    WAITING = "waiting"
    ACTIVE = "active"
    BLOCKED = "blocked"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


class Origin(StrEnum):
    """Where a card comes from."""

    SOLD = "sold"
    GIVEN = "given"
    REWARD = "reward"
    REPLACEMENT = "replacement"


class GiftCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card without its code. ``available`` is what it can pay now, minor units."""

    id: UUID
    pool: UUID
    account: UUID
    last_four: str
    currency: str
    status: CardStatus
    origin: Origin
    channel: UUID
    customer: UUID | None
    replaces: UUID | None
    expires_on: date | None
    is_expired: bool
    note: str
    balance: int
    held: int
    available: int
    version: int
    created_at: datetime


class IssuedCard(msgspec.Struct, frozen=True, kw_only=True):
    """A new card with its code, which is told this once and kept nowhere. It is empty where the card goes to somebody by mail."""

    card: GiftCard
    code: str


class CardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of gift cards."""

    id: UUID
    last_four: str
    status: str
    origin: str
    currency: str
    balance: int
    held: int
    channel: str
    customer: UUID | None
    expires_on: date | None
    is_expired: bool
    note: str
    created_at: datetime


class CardBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever holds a card's code may know: what it can pay now."""

    last_four: str
    currency: str
    available: int
    expires_on: date | None


Line = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00\r\n]*$")]


class MailInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who gets a gift card by mail, and when. Without a day at once (once it is paid)."""

    recipient: Annotated[
        str,
        Meta(
            max_length=254,
            pattern=r"^[^@\s\x00]{1,64}@[^@\s\x00]+\.[^@\s\x00.]+$",
            description="The e-mail address that the card goes to",
            examples=["robin@example.org"],
        ),
    ]
    name: Annotated[Line, Meta(description="Who that is, as the mail greets them")] = ""
    giver: Annotated[Line, Meta(description="Who gives it, as the mail says")] = ""
    message: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    send_on: Annotated[
        date | None,
        Meta(
            description="The day in the channel's time zone: today at once, later ones in the morning, at most a year ahead"
        ),
    ] = None


class IssueInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new card: sold with an ``order`` (it pays once that is paid), or given at once, with a note why."""

    channel: Annotated[UUID, Meta(description="Id of the issuing channel: its currency, its country's rules")]
    amount: Amount
    order: Annotated[UUID | None, Meta(description="The order that it is sold with")] = None
    origin: Annotated[Origin, Meta(description="`given`, or `sold`; with an order always sold")] = (
        Origin.GIVEN
    )
    customer: Annotated[UUID | None, Meta(description="Whose it is, if that is known")] = None
    mail: Annotated[
        MailInput | None, Meta(description="Who gets it by mail, and when; its code is told nobody else")
    ] = None
    note: Note = ""
    key: Key = None


class TopUpInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """More onto a card: with an ``order`` once that is paid, else at once."""

    amount: Amount
    order: Annotated[UUID | None, Meta(description="The order that it is sold with")] = None
    reason: Note = ""
    key: Key = None


class CardStatusInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a card is blocked, freed again or replaced."""

    reason: Note = ""


class BalanceInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The code of a card; a channel, so that cards of other shops are not told of."""

    code: CardCode
    channel: Annotated[UUID, Meta(description="Id of the channel where it is to pay")]


class LookUpInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The code of a card, for staff."""

    code: CardCode


class GrantInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Store credit for a customer, and why."""

    amount: Amount
    currency: Currency
    reason: Reason
    order: Annotated[
        UUID | None, Meta(description="The order whose refund it is; without it it is a gift")
    ] = None
    key: Key = None


class PointsInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Points given by hand (negative: taken), and why."""

    points: Annotated[int, Meta(ge=-(10**9), le=10**9, examples=[100])]
    reason: Reason
    key: Key = None


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer has of a unit; ``held`` of it is authorised for payments."""

    unit: str
    balance: int
    held: int
    available: int


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an account's history: ``amount`` with its sign, and what was there afterwards."""

    id: UUID
    at: datetime
    account_kind: str
    kind: str
    unit: str
    amount: int
    balance_after: int | None
    reason: str
    reference: UUID | None
    actor: str


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``points`` for every ``spend`` (minor units) of goods: 1 for every 1000 is a point for each 10 kronor."""

    currency: Currency
    spend: Annotated[int, Meta(ge=1, le=10**9, examples=[1000])]
    points: Annotated[int, Meta(ge=1, le=10**6, examples=[1])]


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reached with ``threshold`` points earned in the period, without multipliers. 150 percent earns half as much again."""

    code: Slug
    name: Text
    threshold: Annotated[int, Meta(ge=0, le=10**9, examples=[1000])]
    multiplier_percent: Annotated[int, Meta(ge=100, le=10_000, examples=[150])] = 100
    benefits: Note = ""


class RewardKind(StrEnum):
    """What points are turned into."""

    STORE_CREDIT = "store_credit"
    GIFT_CARD = "gift_card"


class Reward(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What so many points can be turned into."""

    code: Slug
    name: Text
    points: Annotated[int, Meta(ge=1, le=10**9, examples=[500])]
    kind: RewardKind = RewardKind.STORE_CREDIT
    amount: Amount
    currency: Currency


class ProgrammeInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A loyalty programme as it is to be."""

    channel: Annotated[UUID, Meta(description="Id of any channel of the customers' pool that it is for")]
    name: Text
    is_active: bool = True
    is_automatic: Annotated[
        bool, Meta(description="Whoever buys and is known is a member; else members are enrolled")
    ] = False
    rates: Annotated[list[Rate], Meta(max_length=50)] = []
    tiers: Annotated[list[Tier], Meta(max_length=20)] = []
    rewards: Annotated[list[Reward], Meta(max_length=50)] = []
    period_months: Annotated[
        int, Meta(ge=1, le=120, description="Rolling period that tiers look back on")
    ] = 12
    pending_days: Annotated[
        int, Meta(ge=0, le=366, description="Days until points can be spent: the time for returns")
    ] = 0
    expire_months: (
        Annotated[int, Meta(ge=1, le=120, description="Points not used by then expire; null: never")] | None
    ) = None


class Programme(msgspec.Struct, frozen=True, kw_only=True):
    """A loyalty programme as stored."""

    id: UUID
    pool: UUID
    name: str
    is_active: bool
    is_automatic: bool
    rates: list[Rate]
    tiers: list[Tier]
    rewards: list[Reward]
    period_months: int
    pending_days: int
    expire_months: int | None
    version: int


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member as stored."""

    customer: UUID
    pool: UUID
    code: str
    joined_at: datetime


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A member with points and tier, the same on every channel. ``points`` may be below zero.

    ``qualifying`` is what was earned in the rolling period; ``expiring`` is what expires next and when.
    """

    customer: UUID
    name: str | None
    code: str
    joined_at: datetime
    points: int
    pending: int
    qualifying: int
    tier: Tier | None
    next_tier: Tier | None
    expiring: int
    expires_at: datetime | None
    rewards: list[Reward]


class BookedPoints(msgspec.Struct, frozen=True):
    """What is in the book of the points of one order: earned by it, taken back of it, expired unused."""

    earned: int
    taken: int
    expired: int


class MemberInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who joins."""

    customer: UUID


class MemberCodeInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a scanner read, and where."""

    code: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$", examples=["M4T9PZC2HE7Q"])]
    channel: Annotated[UUID, Meta(description="Id of the channel of the till")]


class RedeemInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which reward points are turned into."""

    reward: Slug
    channel: Annotated[UUID, Meta(description="Id of the channel where it is asked for")]
    key: Key = None


class Rewarded(msgspec.Struct, frozen=True, kw_only=True):
    """What points were turned into; ``code`` is the new gift card's, told this once."""

    reward: str
    points: int
    amount: int
    currency: str
    code: str | None = None


class CardUnusable(NotFound):
    """No such card pays here: unknown, blocked, expired, not paid yet, or of another shop. The answer is the same."""

    code, title = "gift-card-unusable", "This gift card cannot be used here"


class CardState(Conflict):
    """What is asked for cannot be done to a card in this state; ``state`` says which."""

    code, title = "gift-card-state", "The gift card does not allow this now"


class NotEnoughPoints(Conflict):
    """There are fewer points than the reward needs; ``points`` says how many there are."""

    code, title = "not-enough-points", "There are not enough points"


class NoProgramme(Problem):
    """There is no loyalty programme for these customers, or it is not active."""

    code, status, title = "no-programme", 409, "There is no loyalty programme here"
