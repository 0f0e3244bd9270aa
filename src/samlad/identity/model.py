"""What identifiers, sightings, pins and profiles are."""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated
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
