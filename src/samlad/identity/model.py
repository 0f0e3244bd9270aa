"""What identifiers, sightings, pins and profiles are."""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta


class Kind(StrEnum):
    """What an identifier is, from the one that stands for a person best to the one that does least."""

    CUSTOMER = "customer"
    """Our own customer row; the value is its id."""
    LOGIN = "login"
    """An account of ours."""
    EXTERNAL_ID = "external_id"
    """The shop's or a foreign system's own number: ``userId`` of the event API."""
    LOYALTY = "loyalty"
    EMAIL = "email"
    PHONE = "phone"
    HANDLE = "handle"
    """A name in an outside network: ``messenger:1234``."""
    DEVICE = "device"
    """An installation: an app's device id, a push token."""
    ANONYMOUS = "anonymous"
    """``anonymousId`` of the event API."""
    SIGHTING = "sighting"
    """One moment at a shared device: made here, not for callers."""
    TERMINAL = "terminal"
    """A till or a kiosk. Links nothing."""
    STAFF = "staff"
    """A login of staff. Links nothing."""

    __hash__ = str.__hash__  # that of enums is written in Python, and identifiers are looked up all the time


RANK = {kind: rank for rank, kind in enumerate(Kind)}
"""Which identifier stands for a person first."""
DEVICES = frozenset({Kind.DEVICE, Kind.ANONYMOUS})
NOBODY = frozenset({Kind.SIGHTING, Kind.TERMINAL, Kind.STAFF})
"""Kinds that callers may tell, but that link nothing."""


class Trust(IntEnum):
    """How much it says that an identifier was seen. Only what rules make of a kind and a level, never stored."""

    NEVER = 0
    """Links nothing."""
    WEAK = 1
    """Attaches to one person at most, and never joins two."""
    STRONG = 2
    UNIQUE = 3
    """A person has one of its kind: two values never merge by themselves."""


class DeviceClass(StrEnum):
    """Whose device it is."""

    PERSONAL = "personal"
    SHARED = "shared"
    """A tablet or kiosk in a store: its ids link only within a session."""
    STAFF = "staff"
    """A till or a desk: as shared."""


class AuthLevel(StrEnum):
    """Who says so."""

    CLAIMED = "claimed"
    """Anybody might have sent it: a browser key, a form."""
    AUTHENTICATED = "authenticated"
    """A server of the shop's, staff or an import say so."""
    VERIFIED = "verified"
    """The person has proved it: a login, a code, a confirmed link."""

    __hash__ = str.__hash__  # as of `Kind`


class Identifier(msgspec.Struct, frozen=True, order=True):
    """One identifier, in whatever spelling it came: `observe` normalises it.

    Attributes:
        trust: no more than this, whatever the rules give its kind; None: what the rules give.
    """

    kind: Kind
    value: str
    trust: Trust | None = None


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A set of identifiers that were seen together.

    Attributes:
        pool: the pool of customers.
        source: who reports: a stable short name, like a source's id. With ``event_id`` it makes the sighting one,
            however often it is told.
        observed_at: when it was, by a corrected clock; UTC. What arrives late comes where it belongs.
        received_at: when it came in.
        country: ISO 3166-1 alpha-2, for phone numbers written without their country.
        session: the device's own name of its session, if it tells one. Only looked at where the device is shared.
        ends_session: a sale or a sign-out at a shared device: what comes after it is somebody else's.
    """

    pool: UUID
    source: str
    event_id: str
    observed_at: datetime
    received_at: datetime
    identifiers: Sequence[Identifier]
    channel: UUID | None = None
    device_class: DeviceClass = DeviceClass.PERSONAL
    auth: AuthLevel = AuthLevel.CLAIMED
    country: str | None = None
    session: str | None = None
    ends_session: bool = False


Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        pattern=r"^[^\x00]*$",
        description="Why; kept in the history",
        examples=["Same person: showed both cards at the till"],
    ),
]


class PinKind(StrEnum):
    """What people can decide."""

    SAME = "same"
    APART = "apart"
    BLOCK = "block"
    """Links nothing."""
    RELEASE = "release"
    """May link though it is blocked or on many profiles."""


class How(StrEnum):
    """Which of several values of a field a profile shows."""

    MOST_RECENT = "most_recent"
    MOST_FREQUENT = "most_frequent"
    SOURCE_ORDER = "source_order"
    NEVER = "never"
    """None, if they differ: a person is to look."""


TrustName = Literal["never", "weak", "strong", "unique"]

_TRUST: dict[str, Trust] = {trust.name.lower(): trust for trust in Trust}
_NUMBER = {"claimed": "weak", "authenticated": "unique", "verified": "unique"}
_DEVICE = {"claimed": "weak", "authenticated": "weak", "verified": "weak"}
_TRUST_DEFAULTS: dict[str, dict[str, str]] = {
    "customer": {"claimed": "never", "authenticated": "strong", "verified": "strong"},
    "login": _NUMBER,
    "external_id": _NUMBER,
    "loyalty": _NUMBER,
    "email": {"claimed": "weak", "authenticated": "strong", "verified": "strong"},
    # Households share a phone, and nobody checks the one in an order form.
    "phone": {"claimed": "weak", "authenticated": "weak", "verified": "strong"},
    "handle": {"claimed": "weak", "authenticated": "strong", "verified": "strong"},
    "device": _DEVICE,
    "anonymous": _DEVICE,
}
ROLE_MAILBOXES = (
    "abuse",
    "accounts",
    "admin",
    "billing",
    "contact",
    "hello",
    "help",
    "hostmaster",
    "info",
    "mail",
    "marketing",
    "no-reply",
    "noreply",
    "office",
    "orders",
    "postmaster",
    "sales",
    "service",
    "shop",
    "support",
    "webmaster",
)
FIELDS = ("name", "email", "phone", "country", "locale", "group_name")
"""What a profile shows of its customers, field by field."""

Count = Annotated[int, Meta(ge=1, le=1000)]
Domain = Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[^\x00\s]+$")]
Plain = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How identifiers become people, as data. What is left out is as it comes with Samlad.

    Attributes:
        trust: by kind and by who says so.
        limits: how many values of a kind one profile has at most; links beyond are left out.
        fan_out: with how many people (by number, login, card, customer or e-mail) a value may have been seen; one
            that was seen with more is quarantined and links nothing.
        idle_minutes: after so long without a sign of life a session at a shared device is over.
        blocked: values that are nobody's, as they are kept: the shop's own phone numbers and addresses.
        role_mailboxes: what stands before the @ of addresses that are nobody's own.
        plus_domains, dot_domains: at which providers what follows a plus, and dots, make no other mailbox; ``*`` for
            all.
        fields: which value of a field a profile shows; ``source_order``: of which source first.
    """

    trust: dict[Kind, dict[AuthLevel, TrustName]] = {}
    limits: dict[Kind, Count] = msgspec.field(
        default_factory=lambda: {
            Kind.LOGIN: 1,
            Kind.EXTERNAL_ID: 1,
            Kind.LOYALTY: 1,
            Kind.EMAIL: 5,
            Kind.PHONE: 5,
        }
    )
    fan_out: dict[Kind, Count] = msgspec.field(
        default_factory=lambda: {
            Kind.EMAIL: 5,
            Kind.PHONE: 5,
            Kind.HANDLE: 3,
            Kind.DEVICE: 5,
            Kind.ANONYMOUS: 5,
        }
    )
    idle_minutes: Annotated[int, Meta(ge=1, le=1440)] = 30
    blocked: Annotated[list[Plain], Meta(max_length=1000)] = []
    role_mailboxes: Annotated[list[Plain], Meta(max_length=200)] = msgspec.field(
        default_factory=lambda: list(ROLE_MAILBOXES)
    )
    plus_domains: Annotated[list[Domain], Meta(max_length=200)] = msgspec.field(
        default_factory=lambda: ["gmail.com", "googlemail.com"]
    )
    dot_domains: Annotated[list[Domain], Meta(max_length=200)] = msgspec.field(
        default_factory=lambda: ["gmail.com", "googlemail.com"]
    )
    fields: dict[str, How] = {}
    source_order: Annotated[list[Plain], Meta(max_length=200)] = []

    def trusts(self) -> dict[tuple[Kind, AuthLevel], Trust]:
        """What it says that a kind was seen, by who says so."""
        names = {
            (kind, auth): self.trust.get(kind, {}).get(auth)
            or _TRUST_DEFAULTS.get(kind, {}).get(auth, "never")
            for kind in Kind
            for auth in AuthLevel
        }
        moments = {(Kind.SIGHTING, auth): Trust.WEAK for auth in AuthLevel}
        return {place: _TRUST[name] for place, name in names.items()} | moments

    def how(self, field: str) -> How:
        """Which value of a field is shown."""
        return self.fields.get(field, How.MOST_RECENT)


ERASED = "erased-"
"""What stands in the place of an identifier's value once its person was erased begins so; its id follows."""


def is_erased(node: UUID, value: str) -> bool:
    """Whether this is what was left of an identifier of somebody who was erased: it leads to nobody."""
    return value.startswith(f"{ERASED}{node}")
