"""The conditions of segments, as data. What segments are made of them is in `samlad.audiences.model`."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

MOST_CONDITIONS = 60
"""Of one segment, those of the segments that it names counted in."""
DEEPEST = 8
"""How deep conditions may lie in each other."""
LARGEST = 2**53 - 1
MOST_DAYS = 3_650

Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Texts = Annotated[list[Text], Meta(min_length=1, max_length=200)]
Ids = Annotated[list[UUID], Meta(min_length=1, max_length=200)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Amount = Annotated[int, Meta(ge=0, le=LARGEST, description="Minor units of the currency, or plain units")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3, examples=["SEK"])]
Days = Annotated[int, Meta(ge=1, le=MOST_DAYS)]
Hours = Annotated[int, Meta(ge=1, le=MOST_DAYS * 24)]


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What all conditions share: the field ``kind`` says which one it is."""


class PastWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the past. Exactly one of days, hours, and since (with or without until).

    ``days`` are whole days where the shop is: 30 is today and the 30 days before it, and what was 31 days ago falls out at
    midnight. ``hours`` roll. ``since`` and ``until`` are days, both included.
    """

    days: Days | None = None
    hours: Hours | None = None
    since: date | None = None
    until: date | None = None


class WhichGoods(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which goods are meant: those that fit every field that is given. Categories include those below them."""

    categories: Ids | None = None
    products: Ids | None = None
    brands: Texts | None = None
    skus: Texts | None = None


class TraitField(StrEnum):
    """A field of a customer."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    EXTERNAL_ID = "external_id"
    GROUP = "group"
    COUNTRY = "country"
    LANGUAGE = "language"


class TraitOp(StrEnum):
    """How a field is compared, without regard to case."""

    IS = "is"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    IS_KNOWN = "is_known"


class All(Base, frozen=True, kw_only=True, tag="all"):
    """Every one of these holds. None: everybody."""

    of: Annotated[list["Condition"], Meta(max_length=MOST_CONDITIONS)]


class AnyOf(Base, frozen=True, kw_only=True, tag="any"):
    """At least one of these holds. None: nobody."""

    of: Annotated[list["Condition"], Meta(max_length=MOST_CONDITIONS)]


class Not(Base, frozen=True, kw_only=True, tag="not"):
    """This does not hold."""

    of: "Condition"


class Trait(Base, frozen=True, kw_only=True, tag="trait"):
    """A field is (contains, begins with, ends with) one of these texts; ``is_known`` needs none.

    What any of the customers has that are one person counts. A language is compared by its first part: ``sv`` holds for
    ``sv-FI``.
    """

    field: TraitField
    op: TraitOp = TraitOp.IS
    values: Annotated[list[Text], Meta(max_length=200)] = []


class CustomerSince(Base, frozen=True, kw_only=True, tag="customer_since"):
    """They have been known since a day in this window."""

    within: PastWindow


class HasOrders(Base, frozen=True, kw_only=True, tag="orders"):
    """How much they have ordered. ``count``: orders; ``sum``: spent, returns taken off; ``average``: of an order.

    Cancelled orders do not count. Sums need a currency, and are in its minor units. With ``goods`` only orders with such
    goods count, and sums are those of such lines. Whoever never ordered has 0, and no average.
    """

    measure: Literal["count", "sum", "average"] = "count"
    at_least: Amount | None = None
    at_most: Amount | None = None
    currency: Currency | None = None
    within: PastWindow | None = None
    channels: Ids | None = None
    goods: WhichGoods | None = None


class OrderDate(Base, frozen=True, kw_only=True, tag="order_date"):
    """When they ordered first or last: in this window. ``not`` of it also holds for whoever never ordered."""

    which: Literal["first", "last"]
    within: PastWindow
    channels: Ids | None = None
    goods: WhichGoods | None = None


class HasReturns(Base, frozen=True, kw_only=True, tag="returns"):
    """What they sent or brought back. ``count``: returns; ``sum``: their worth in minor units of the currency; ``rate``:
    units that came back in percent of units bought."""

    measure: Literal["count", "sum", "rate"] = "count"
    at_least: Amount | None = None
    at_most: Amount | None = None
    currency: Currency | None = None
    within: PastWindow | None = None


class UsedPromotion(Base, frozen=True, kw_only=True, tag="promotion"):
    """How many of their orders had one of these promotions, or any. What a cancelled order had does not count."""

    promotions: Ids | None = None
    at_least: Count | None = None
    at_most: Count | None = None
    within: PastWindow | None = None


class PropertyOp(StrEnum):
    """How a property of an event is compared."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    IS_KNOWN = "is_known"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class EventProperty(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A property of an event; ``name`` may go into it with dots (``address.city``). ``is_not`` and the like hold only for
    events that have the property; texts are compared without regard to case, and only numbers with at_least and at_most."""

    name: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$", examples=["category"])]
    op: PropertyOp = PropertyOp.IS
    value: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] | bool | float | None = None


class Tracked(Base, frozen=True, kw_only=True, tag="event"):
    """How often something was tracked of them (`tracking`): a name, with what all of these properties say.

    With ``sum_of`` it is what the numbers of that property come to: who has no such event has 0.
    """

    name: Annotated[Text, Meta(examples=["Product Viewed"])]
    properties: Annotated[list[EventProperty], Meta(max_length=20)] = []
    sum_of: Annotated[Text, Meta(examples=["revenue"])] | None = None
    at_least: Amount | None = None
    at_most: Amount | None = None
    within: PastWindow | None = None


class HasPoints(Base, frozen=True, kw_only=True, tag="points"):
    """How many points they can spend."""

    at_least: Annotated[int, Meta(ge=-LARGEST, le=LARGEST)] | None = None
    at_most: Annotated[int, Meta(ge=-LARGEST, le=LARGEST)] | None = None


class InTier(Base, frozen=True, kw_only=True, tag="tier"):
    """They are in one of these tiers of the loyalty programme."""

    tiers: Texts


class Tagged(Base, frozen=True, kw_only=True, tag="tagged"):
    """They have one of these tags."""

    tags: Texts


class Consented(Base, frozen=True, kw_only=True, tag="consent"):
    """They have agreed to a purpose, or said no to it: as it holds now, on one channel or wherever it is not said.

    Who never answered is in neither; a grant that has ended is none (`samlad.consent.rules`).
    """

    purpose: Annotated[str, Meta(max_length=50, pattern=r"^[a-z][a-z0-9_]*$", examples=["email_marketing"])]
    answer: Literal["granted", "denied"] = "granted"
    channel: Annotated[UUID, Meta(description="What was said for this channel counts too")] | None = None


class OpenCart(Base, frozen=True, kw_only=True, tag="cart"):
    """They have an open cart with goods for at least so much that nobody has touched for so many hours."""

    at_least: Amount = 0
    currency: Currency | None = None
    idle_hours: Annotated[int, Meta(ge=0, le=8_784)] = 0


class Wanted(Base, frozen=True, kw_only=True, tag="wanted"):
    """They have goods on a wish list, saved for later or in their cart that are in stock now, or sold out.

    ``at_most``: in stock, but no more than so many. Units are those that the list's or cart's channel shares and that nobody
    holds, without what its locations keep back; of a set as many as its parts make.
    """

    on: Literal["anywhere", "wish", "saved", "cart"] = "anywhere"
    stock: Literal["in_stock", "sold_out"] = "in_stock"
    at_most: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    goods: WhichGoods | None = None


class Subscribed(Base, frozen=True, kw_only=True, tag="subscription"):
    """They have a repeat order in one of these states."""

    states: Annotated[list[Literal["active", "paused", "cancelled"]], Meta(min_length=1, max_length=3)]
    plans: Ids | None = None


class InRfm(Base, frozen=True, kw_only=True, tag="rfm"):
    """They are in one of these groups, and their scores (1 to 5, 5 is best) are among these."""

    groups: Annotated[list[Text], Meta(max_length=20)] = []
    recency: Annotated[list[Annotated[int, Meta(ge=1, le=5)]], Meta(max_length=5)] = []
    frequency: Annotated[list[Annotated[int, Meta(ge=1, le=5)]], Meta(max_length=5)] = []
    monetary: Annotated[list[Annotated[int, Meta(ge=1, le=5)]], Meta(max_length=5)] = []


class InSegment(Base, frozen=True, kw_only=True, tag="segment"):
    """They are in another segment of the same pool."""

    segment: UUID


class Listed(Base, frozen=True, kw_only=True, tag="listed"):
    """They were put on the list of this segment, by import or by hand. What a static list is made of."""

    segment: UUID


class Other(Base, frozen=True, kw_only=True, tag="other"):
    """A condition of another package, by its registered name (`kinds.register`)."""

    name: Annotated[Text, Meta(examples=["consent"])]
    data: dict[str, Any] = {}


Condition: TypeAlias = (
    All
    | AnyOf
    | Not
    | Trait
    | CustomerSince
    | HasOrders
    | OrderDate
    | HasReturns
    | UsedPromotion
    | Tracked
    | HasPoints
    | InTier
    | Tagged
    | Consented
    | OpenCart
    | Wanted
    | Subscribed
    | InRfm
    | InSegment
    | Listed
    | Other
)
GROUPS = (All, AnyOf)


def of(condition: Condition) -> list[Condition]:
    """The conditions directly inside one."""
    if isinstance(condition, GROUPS):
        return list(condition.of)
    if isinstance(condition, Not):
        return [condition.of]
    return []
