"""What is known of a person. Every part over all customers that they are; a part that may not be seen is null."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad import (
    appointments,
    carts,
    clienteling,
    consent,
    conversations,
    credit,
    customers,
    documents,
    identity,
    orders,
    promotions,
    questions,
    subscriptions,
)
from samlad.consent import Standing
from samlad.credit import MemberView
from samlad.customers import Note
from samlad.tracking import permissions as tracking

BROWSING = "browsing"

KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "orders": (orders.READ, ("order", "fulfilment", "return")),
    "payments": (orders.READ, ("payment",)),
    "carts": (carts.WRITE, ("cart",)),
    "promotions": (promotions.READ, ("promotion",)),
    "credit": (credit.READ, ("gift_card", "store_credit", "loyalty", "credit")),
    "subscriptions": (subscriptions.READ, ("subscription",)),
    "documents": (documents.READ, ("document",)),
    "customer": (customers.READ, ("customer", "household")),
    "appointments": (appointments.READ, ("appointment",)),
    "conversations": (conversations.READ, ("conversation",)),
    "questions": (questions.READ, ("question",)),
    "service": (clienteling.SERVE, ("client", "follow_up")),
    "identity": (identity.READ, ("identity", "profile")),
    BROWSING: (tracking.READ, ()),
}
"""The kinds of a timeline: the permission to see each, and how the types of its events on the log begin.

``browsing`` is what clients report by the event API.
"""

PARTS: dict[str, str] = {
    "identities": identity.READ,
    "devices": identity.READ,
    "carts": carts.WRITE,
    "orders": orders.READ,
    "returns": orders.READ,
    "stores": orders.READ,
    "traits": orders.READ,
    "promotions": promotions.READ,
    "loyalty": credit.READ,
    "store_credit": credit.READ,
    "gift_cards": credit.READ,
    "subscriptions": subscriptions.READ,
    "conversations": conversations.READ,
    "consent": consent.READ,
    "preferences": customers.READ,
    "sizes": customers.READ,
    "household": customers.READ,
    "notes": customers.READ,
    "tags": customers.READ,
    "timeline": customers.READ,
}
"""The parts of a person, and the permission to see each."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Where an identifier was seen: by which source, in which channel, on what kind of device, how sure, from when to
    when."""

    source: str
    channel: UUID | None
    device_class: str
    auth: str
    first_seen: datetime
    last_seen: datetime


class KnownBy(msgspec.Struct, frozen=True, kw_only=True):
    """An identifier of the person. ``state``: live, quarantined or blocked; ``evidence`` the newest of ``sightings``."""

    id: UUID
    kind: str
    value: str
    state: str
    is_known: bool
    sightings: int
    first_seen: datetime | None
    last_seen: datetime | None
    evidence: list[Proof]


class HeldCart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart, list or quote that is not over. ``value`` in minor units."""

    id: UUID
    channel: str
    kind: str
    status: str
    label: str | None
    is_current: bool
    currency: str
    items: int
    value: int
    updated_at: datetime


class Bought(msgspec.Struct, frozen=True, kw_only=True):
    """An order. ``total`` in minor units, with tax."""

    id: UUID
    number: str
    channel: str
    status: str
    payment_status: str
    currency: str
    total: int
    items: int
    titles: list[str]
    placed_at: datetime


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """A return: announced (``state`` says how far it is) or brought in (then ``total``, minor units, below zero)."""

    id: UUID
    number: str
    order: UUID | None
    order_number: str | None
    state: str
    total: int | None
    currency: str
    at: datetime


class HeldPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion that the person was granted, and by what."""

    promotion: UUID
    name: str
    status: str
    source: str
    code: str | None
    granted_at: datetime


class HeldCredit(msgspec.Struct, frozen=True, kw_only=True):
    """Store credit in a currency, minor units."""

    currency: str
    balance: int
    held: int


class HeldCard(msgspec.Struct, frozen=True, kw_only=True):
    """A gift card, without its code."""

    id: UUID
    last_four: str
    currency: str
    balance: int
    held: int
    status: str
    expires_on: date | None


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription."""

    id: UUID
    number: str
    channel: str
    plan: str
    status: str
    is_ending: bool
    next_on: date
    trouble: str | None


class Talked(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation: where it began, how far it is, how many messages it has. ``waiting_since``: nobody has answered yet."""

    id: UUID
    channel: str
    subject: str
    topic: str
    state: str
    order: UUID | None
    assignee: UUID | None
    messages: int
    waiting_since: datetime | None
    begun_at: datetime
    last_at: datetime


class Visited(msgspec.Struct, frozen=True, kw_only=True):
    """A store where the person bought, picked up or brought something back; on how many days, and when last."""

    location: UUID
    code: str
    name: str
    visits: int
    last_at: datetime


class Housemate(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else of the household. ``why``: ``said``, or ``address`` if something was sent to the same one."""

    customer: UUID
    name: str | None
    email: str | None
    why: str


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """What was bought in a currency, minor units with tax; ``spent`` with returns taken off."""

    currency: str
    orders: int
    spent: int
    average_basket: int | None


class Favourite(msgspec.Struct, frozen=True, kw_only=True):
    """What came most often: its id, code or path, and its name."""

    id: str
    name: str
    times: int


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What behaviour says, worked out when it is read.

    Attributes:
        recency_days: whole days since the last order; ``interval_days``: between orders, on the average.
        orders: how often (frequency); ``money``: how much (monetary value), by currency.
        favourite_hour: of the day where the order was placed, 0 to 23.
        return_rate: units that came back of those that were bought, 0 to 1.
    """

    first_seen: datetime
    last_seen: datetime
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    recency_days: int | None = None
    interval_days: float | None = None
    orders: int = 0
    money: list[Money] = []
    favourite_category: Favourite | None = None
    favourite_channel: Favourite | None = None
    favourite_store: Favourite | None = None
    favourite_hour: int | None = None
    return_rate: float | None = None


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What the person chose in their account: the language they read, and the id of the store they like best."""

    language: str | None
    favourite_store: UUID | None


class KnownSize(msgspec.Struct, frozen=True, kw_only=True):
    """What the person wears of a size chart: its id and name, and the size's name on it."""

    chart: UUID
    name: str
    size: str


class TimelineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of a person: of which kind, in which channel, by whom. Personal fields are left out of ``facts``."""

    id: UUID
    at: datetime
    kind: str
    type: str
    name: str | None
    channel: UUID | None
    subject: UUID | None
    actor: str | None
    facts: dict[str, Any] | None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A customer, and everything that is known of the person; lists have the newest 20.

    ``customers``: all that are this person, the one that stands for them first. ``withheld``: the parts that the role
    may not see, or that were not asked for.
    """

    id: UUID
    pool: UUID
    external_id: str | None
    email: str | None
    name: str | None
    phone: str | None
    country: str | None
    locale: str | None
    group_name: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    customers: list[UUID]
    withheld: list[str]
    identities: list[KnownBy] | None = None
    devices: list[KnownBy] | None = None
    carts: list[HeldCart] | None = None
    orders: list[Bought] | None = None
    returns: list[Returned] | None = None
    stores: list[Visited] | None = None
    traits: Traits | None = None
    promotions: list[HeldPromotion] | None = None
    loyalty: MemberView | None = None
    store_credit: list[HeldCredit] | None = None
    gift_cards: list[HeldCard] | None = None
    subscriptions: list[Subscribed] | None = None
    conversations: list[Talked] | None = None
    consent: list[Standing] | None = None
    preferences: Preferences | None = None
    sizes: list[KnownSize] | None = None
    household: list[Housemate] | None = None
    notes: list[Note] | None = None
    tags: list[str] | None = None
    timeline: list[TimelineRow] | None = None
