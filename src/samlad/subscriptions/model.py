"""What repeat orders are. Days are those of the channel's own calendar; amounts are minor units of its currency."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.carts import Address, Delivery
from samlad.carts.model import Quantity
from samlad.channels.model import Code, Name
from samlad.customers.model import Email, Text
from samlad.kernel.problems import Conflict
from samlad.payments.model import ProviderName, Token
from samlad.tax.model import VatNumber

MOST_LINES = 50

Reason = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$", examples=["Has enough for now"])]
Names = Annotated[
    dict[str, Name], Meta(max_length=40, description="The name in other languages, by language")
]
Ids = Annotated[list[UUID], Meta(max_length=1000)]
LargestPrice = Annotated[int, Meta(ge=0, le=10**12)]


class Unit(StrEnum):
    """What an interval is counted in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class OutOfStock(StrEnum):
    """What happens when the goods of a renewal are not there: ``wait`` and look again, ``skip`` it, or send the ``rest``."""

    WAIT = "wait"
    SKIP = "skip"
    REST = "rest"


class PriceStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What goods cost from an order on (the first is 1): so many basis points off their price, or a price of its own.

    With neither they cost what they always cost.
    """

    from_order: Annotated[int, Meta(ge=1, le=1000, examples=[1])] = 1
    percent_off: (
        Annotated[int, Meta(ge=1, le=10_000, description="Basis points: 1000 is 10 %", examples=[1000])]
        | None
    ) = None
    price: Annotated[
        dict[Annotated[str, Meta(pattern=r"^[A-Z]{3}$")], LargestPrice] | None,
        Meta(description="By currency, minor units, as prices are kept", examples=[{"SEK": 9900}]),
    ] = None


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a customer agrees to. A subscription keeps the terms it began with when its plan changes."""

    every: Annotated[int, Meta(ge=1, le=366, description="So many days, weeks or months", examples=[1])] = 1
    unit: Unit = Unit.MONTH
    anchor: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=31,
                description="Day of the month (in shorter ones their last), or of the week (1 is Monday); without it "
                "the day on which it begins",
            ),
        ]
        | None
    ) = None
    prices: Annotated[
        list[PriceStage], Meta(max_length=10, description="In their order; the last that has begun holds")
    ] = []
    minimum_orders: Annotated[
        int, Meta(ge=0, le=1000, description="Orders before it can be cancelled, the first one among them")
    ] = 0
    cutoff_hours: Annotated[
        int, Meta(ge=0, le=24 * 30, description="Until so long before it customers can change the next order")
    ] = 0
    out_of_stock: OutOfStock = OutOfStock.WAIT


class PlanInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new selling plan. Without products and variants it is for all that its channels sell."""

    code: Code
    name: Annotated[Name, Meta(examples=["Every month, 10 % off"])]
    names: Names = {}
    channels: Annotated[list[Code], Meta(min_length=1, max_length=1000, description="Codes of channels")]
    products: Ids = []
    variants: Ids = []
    terms: Terms = msgspec.field(default_factory=Terms)
    position: Annotated[int, Meta(ge=0, le=10_000, description="Order in which plans are shown")] = 100


class PlanChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. Subscriptions keep the terms that they began with."""

    name: Name | UnsetType = UNSET
    names: Names | UnsetType = UNSET
    channels: Annotated[list[Code], Meta(min_length=1, max_length=1000)] | UnsetType = UNSET
    products: Ids | UnsetType = UNSET
    variants: Ids | UnsetType = UNSET
    terms: Terms | UnsetType = UNSET
    position: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A selling plan as stored; ``channels`` are codes."""

    id: UUID
    code: str
    name: str
    names: dict[str, str]
    channels: list[str]
    products: list[UUID]
    variants: list[UUID]
    terms: Terms
    position: int
    is_active: bool
    version: int
    created_at: datetime
    updated_at: datetime


class PlanOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A plan by which a variant can be bought. ``price`` is of one in the first order, ``later`` of those after the
    plan's last stage has begun; ``regular`` is what it costs once. Minor units as prices are kept."""

    plan: UUID
    code: str
    name: str
    terms: Terms
    price: int
    later: int
    regular: int
    currency: str


class Status(StrEnum):
    """``paused``: nothing is ordered until it goes on. ``cancelled`` is the end unless somebody reactivates it."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class LineInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """So many of a variant with each order."""

    variant: UUID
    quantity: Quantity = 1


Lines = Annotated[list[LineInput], Meta(min_length=1, max_length=MOST_LINES)]


class PaymentMeans(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How renewals are paid while the customer is not there.

    The token is what the provider keeps: for Stripe ``cus_…:pm_…``, for a gift card its code. Store credit is the
    customer's own, invoices need none. It is kept sealed and never told again.
    """

    provider: ProviderName
    token: Token | None = None


class StartInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new subscription. The first order is placed on ``first_on``: today or later, without it today."""

    plan: UUID
    channel: UUID
    customer: Annotated[UUID | None, Meta(description="Whose; customers can only begin their own")] = None
    lines: Lines
    email: Email | None = None
    name: Text | None = None
    phone: Text | None = None
    address: Address | None = None
    delivery_method: Annotated[Code | None, Meta(description="Code of one of the channel's methods")] = None
    location: Annotated[UUID | None, Meta(description="The location to pick up at")] = None
    vat_number: VatNumber | None = None
    payment: PaymentMeans | None = None
    first_on: date | None = None


class FromOrderInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Subscriptions from an order whose lines were bought by a plan; how renewals are paid unless that is known."""

    order: UUID
    payment: PaymentMeans | None = None


class ChangeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. It holds from the next order on. Another plan brings its terms of now."""

    lines: Lines | UnsetType = UNSET
    plan: UUID | UnsetType = UNSET
    email: Email | UnsetType | None = UNSET
    name: Text | UnsetType | None = UNSET
    phone: Text | UnsetType | None = UNSET
    address: Address | UnsetType = UNSET
    delivery_method: Code | UnsetType | None = UNSET
    location: UUID | UnsetType | None = UNSET
    payment: PaymentMeans | UnsetType = UNSET


class SwapInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One variant in place of another, in the same quantity unless said otherwise."""

    variant: UUID
    to: UUID
    quantity: Quantity | None = None


class PauseInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nothing is ordered until a day, on which it goes on by itself; without one until somebody says so."""

    until: date | None = None
    reason: Reason = ""


class ResumeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """It goes on with the next regular day, or the one that is given."""

    next_on: date | None = None


class MoveInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another day for the next order. All that follow move with it, unless only this ``once``."""

    next_on: date
    once: bool = False


class OrderNowInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The next order comes now. Those that follow keep their days, or are counted from today with ``restart``."""

    restart: bool = False


class CancelInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The end: at once (``now``), or with the ``period``: on the day of the next order, when the minimum is reached."""

    when: Literal["now", "period"] = "period"
    reason: Reason = ""
    override: Annotated[bool, Meta(description="Though the minimum is not reached")] = False


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What comes with each order. ``list_price`` is before the plan's rule, as of the last order with it.

    ``told_price``: what that rises to, and ``told_on`` since when the customer knows.
    """

    variant: UUID
    sku: str
    title: str
    quantity: int
    list_price: int | None = None
    told_price: int | None = None
    told_on: date | None = None


class SubscriptionHead(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription without its lines. ``cycle`` and ``next_on`` are of the next order; ``orders`` were placed.

    ``attempts`` of it have failed for ``trouble`` (``declined``, ``out_of_stock``, or a problem's code), and
    ``retry_at`` is the next. ``charging``: a payment that its provider has not answered for yet. ``is_wanted_now``: it
    is not to wait for its day. ``is_ending``: it ends with the period. ``provider`` null: nobody has said how it is paid.
    """

    id: UUID
    number: str
    pool: UUID
    channel: UUID
    customer: UUID
    plan: UUID
    terms: Terms
    currency: str
    status: Status
    is_ending: bool
    email: str | None
    name: str | None
    phone: str | None
    address: Address | None
    delivery: Delivery
    delivery_method: UUID | None
    location: UUID | None
    vat_number: str | None
    provider: str | None
    anchor_on: date
    anchor_cycle: int
    cycle: int
    next_on: date
    resume_on: date | None
    orders: int
    last_total: int | None
    attempts: int
    failed_at: datetime | None
    retry_at: datetime | None
    trouble: str | None
    charging: UUID | None
    charging_cart: UUID | None
    is_wanted_now: bool
    origin: UUID | None
    reason: str
    version: int
    created_at: datetime
    updated_at: datetime


class Subscription(SubscriptionHead, frozen=True, kw_only=True):
    """A subscription with its lines."""

    lines: list[Line] = []

    @property
    def is_ending_now(self) -> bool:
        """Whether it ends on the day of the next order, in place of it."""
        return self.is_ending and self.orders >= self.terms.minimum_orders


class SubscriptionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of subscriptions."""

    id: UUID
    number: str
    channel: str
    plan: str
    status: Status
    is_ending: bool
    customer: UUID
    name: str | None
    email: str | None
    next_on: date
    resume_on: date | None
    orders: int
    last_total: int | None
    currency: str
    trouble: str | None
    created_at: datetime


class CycleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle that is done with: ordered, skipped, or not to be had (``out_of_stock``)."""

    cycle: int
    due_on: date
    state: str
    order_id: UUID | None
    order_number: str | None
    total: int | None
    actor: str
    at: datetime


class NextOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to come. ``changes_until``: till then its customer can still change it."""

    cycle: int
    on: date
    changes_until: datetime


class NextLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the next order at what it would cost now."""

    variant: UUID
    sku: str
    title: str
    quantity: int
    unit_price: int
    total: int


class Upcoming(msgspec.Struct, frozen=True, kw_only=True):
    """The days to come, and what the next order would come to now: with delivery, promotions and tax.

    ``missing`` is what is not sold now and is left out; ``total`` is null when that is all of it.
    """

    orders: list[NextOrder]
    lines: list[NextLine]
    missing: list[UUID]
    shipping: int | None
    tax: int | None
    total: int | None
    last_total: int | None
    currency: str


class MinimumNotReached(Conflict):
    """The customer agreed to more orders. ``orders`` were placed, ``minimum`` were agreed to; ``ends_on`` is when it
    would end if it is cancelled with the period."""

    code, title = "subscription-minimum", "More orders were agreed to"


class TooLate(Conflict):
    """The next order (``next_on``) could be changed until ``until``. Change what comes after it, or ask the shop."""

    code, title = "subscription-too-late", "It is too late to change the next order"


class WrongStatus(Conflict):
    """What is asked for cannot be done to a subscription as it is; ``state`` says how that is."""

    code, title = "subscription-status", "The subscription does not allow this now"
