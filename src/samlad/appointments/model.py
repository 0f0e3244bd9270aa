"""What can be booked, when, and by whom."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.catalog.model import NO_CONTROL
from samlad.kernel.problems import Problem

Language = Annotated[str, Meta(pattern="^[a-z]{2}$", max_length=2, examples=["sv"])]
Email = Annotated[
    str, Meta(max_length=254, pattern=r"^[^\s@\x00]+@[^\s@\x00]+$", examples=["kim@example.org"])
]
Phone = Annotated[
    str, Meta(min_length=3, max_length=40, pattern=r"^[+0-9 ()/.-]+$", examples=["+46701234567"])
]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=NO_CONTROL, examples=["Kim Berg"])]
Note = Annotated[str, Meta(max_length=500, pattern=NO_CONTROL, examples=["It is about a wedding dress"])]


class SlotTaken(Problem):
    """Somebody was faster, or nothing is offered at this time. Choose another time."""

    code, status, title = "slot-taken", 409, "This time is not free (any more)"


class State(StrEnum):
    """``no_show``: they did not come and said nothing."""

    BOOKED = "booked"
    DONE = "done"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


class Source(StrEnum):
    """Where it was booked."""

    SHOP = "shop"
    TILL = "till"
    PHONE = "phone"


class Who(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of the staff who can do it."""

    id: UUID
    name: Name


class ServiceInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one can come to a store for.

    ``minutes`` it takes; one can begin every ``step_minutes`` after the store opens; ``capacity`` at the same time;
    ``notice_minutes`` before at least and ``ahead_days`` at most. ``staff``: who can do it, none: anybody.
    """

    location: UUID
    code: Annotated[
        str, Meta(min_length=1, max_length=50, pattern=r"^[a-z0-9][a-z0-9-]*(?!\n)$", examples=["fitting"])
    ]
    name: Name
    names: Annotated[dict[Language, Name], Meta(max_length=20, description="By language")] = {}
    about: Note = ""
    minutes: Annotated[int, Meta(ge=5, le=480, examples=[30])]
    step_minutes: Annotated[int, Meta(ge=5, le=480)] = 30
    capacity: Annotated[int, Meta(ge=1, le=50)] = 1
    notice_minutes: Annotated[int, Meta(ge=0, le=20_160)] = 60
    ahead_days: Annotated[int, Meta(ge=1, le=365)] = 60
    staff: Annotated[list[Who], Meta(max_length=50)] = []
    is_active: bool = True


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """As `ServiceInput`."""

    id: UUID
    location: UUID
    code: str
    name: str
    names: dict[str, str]
    about: str
    minutes: int
    step_minutes: int
    capacity: int
    notice_minutes: int
    ahead_days: int
    staff: list[Who]
    is_active: bool
    version: int

    def named(self, language: str) -> str:
        """Its name in a language, else its own."""
        return self.names.get(language, self.name)


class Slot(msgspec.Struct, frozen=True):
    """A time that can be booked, UTC."""

    starts_at: datetime
    ends_at: datetime


class Slots(msgspec.Struct, frozen=True, kw_only=True):
    """The free times of some days, in the store's time zone, which is named."""

    time_zone: str
    slots: list[Slot]


class Taken(msgspec.Struct, frozen=True):
    """Time that an appointment takes: of a seat of its service, perhaps of one of the staff."""

    service: UUID
    seat: int
    staff: UUID | None
    starts_at: datetime
    ends_at: datetime


class BookInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody wants to come. ``id`` sent twice is booked once.

    Guests give an e-mail address, so that they are reminded and can change it; staff at least a phone number.
    ``staff``: who they want, if anybody in particular. ``customer``, ``source``: only staff say these.
    """

    id: UUID | None = None
    service: UUID
    starts_at: Annotated[datetime, Meta(tz=True)]
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    language: Language = "en"
    note: Note = ""
    staff: UUID | None = None
    customer: UUID | None = None
    shop: Annotated[UUID | None, Meta(description="The web shop whose mails and pages they get")] = None
    source: Literal["shop", "till", "phone"] = "shop"


class MoveInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another time."""

    starts_at: Annotated[datetime, Meta(tz=True)]


class OutcomeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who came: ``done``, ``no_show``, or ``booked`` to take that back."""

    state: Literal["done", "no_show", "booked"]


class Appointment(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody comes to a store. Times are UTC; ``time_zone`` is the store's."""

    id: UUID
    service: UUID
    service_name: str
    location: UUID
    location_name: str
    time_zone: str
    channel: UUID
    shop: UUID
    customer: UUID | None
    name: str
    email: str | None
    phone: str | None
    language: str
    note: str
    starts_at: datetime
    ends_at: datetime
    staff: UUID | None
    staff_name: str | None
    state: State
    source: Source
    sequence: int
    booked_at: datetime
    version: int
