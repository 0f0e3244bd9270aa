"""What segments are: those of conditions or of a list, the people in them, and what is asked and told about them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.audiences.conditions import Condition, Text
from samlad.customers.model import Country


class SegmentKind(StrEnum):
    """By conditions, or by a list."""

    LIVE = "live"
    LIST = "list"


Name = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]*$", examples=["Lapsing regulars"])
]
Note = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A segment. ``size`` is what it has now; ``built_version`` behind ``version``: it is being computed anew.

    ``channel``: whose days are its days, as long as that is in the pool; ``time_zone`` follows it. ``trouble`` says why its members could not be computed the last time.
    """

    id: UUID
    pool: UUID
    kind: SegmentKind
    name: str
    note: str
    channel: UUID | None
    time_zone: str
    definition: Condition
    version: int
    built_version: int
    built_at: datetime | None
    size: int
    trouble: str | None
    deleted_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new segment of the customers of a channel. Without a definition it is a static list."""

    channel: Annotated[UUID, Meta(description="Id of a channel of the pool; its days are the segment's days")]
    name: Name
    note: Note = ""
    definition: Condition | None = None


class SegmentChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be different; what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    note: Note | msgspec.UnsetType = msgspec.UNSET
    definition: Condition | msgspec.UnsetType = msgspec.UNSET


class SegmentVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What a segment meant from some moment on."""

    version: int
    definition: Condition
    actor: str
    created_at: datetime


class PreviewInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Conditions to try on the customers of a channel."""

    channel: UUID
    definition: Condition
    exact: Annotated[bool, Meta(description="Count everybody, however long it takes (30 s at most)")] = False


class ExamplePerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody for whom conditions hold."""

    id: UUID
    name: str | None
    email: str | None
    external_id: str | None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """How many people conditions hold for. If ``is_exact`` is false it is estimated from ``looked_at`` of ``people``, and
    19 times in 20 the truth lies from ``low`` to ``high``. ``examples`` are a few of them."""

    size: int
    people: int
    looked_at: int
    is_exact: bool
    low: int
    high: int
    examples: list[ExamplePerson] = []


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one condition holds for a person. ``found`` is what was compared; ``of`` are the conditions inside."""

    kind: str
    holds: bool
    found: str | None = None
    of: list["Reason"] = []


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a person is in a segment, why, and when that can change without anything happening."""

    segment: UUID
    person: UUID
    is_member: bool
    since: datetime | None
    next_change_at: datetime | None
    why: Reason
    condition: Condition


class SegmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of segments."""

    id: UUID
    pool: UUID
    kind: SegmentKind
    name: str
    note: str
    size: int
    version: int
    built_version: int
    built_at: datetime | None
    trouble: str | None
    updated_at: datetime


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a segment. ``spent`` is by currency, in minor units."""

    id: UUID
    external_id: str | None
    name: str | None
    email: str | None
    phone: str | None
    country: Country | None
    orders: int
    spent: dict[str, int]
    last_order_at: datetime | None
    entered_at: datetime


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody came or went. ``cause``: data, clock, identity, definition, list or rfm."""

    id: UUID
    at: datetime
    person: UUID
    name: str | None
    email: str | None
    entered: bool
    cause: str


class OfPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A segment that a person is in."""

    id: UUID
    name: str
    kind: SegmentKind
    entered_at: datetime
    next_change_at: datetime | None


class SizeOn(msgspec.Struct, frozen=True, kw_only=True):
    """A segment's size at the end of a day (UTC), and how many came and went on it."""

    day: date
    size: int
    entered: int
    left: int


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """People who are in exactly these segments of those that were asked for."""

    segments: list[UUID]
    people: int


class Unmatched(msgspec.Struct, frozen=True, kw_only=True):
    """A row of an import that could not be used, and why."""

    row: int
    value: str
    reason: str


class ListOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an import brought: each of ``rows`` is one of the other four. ``repeated``: it names somebody whom a row before
    it names. ``unmatched`` says which rows were not used, the first 1,000; ``row`` as a spreadsheet shows it. ``reason``:
    empty, unknown or several (more than one person has it)."""

    rows: int
    added: int
    already: int
    repeated: int
    unmatched_rows: int
    unmatched: list[Unmatched]


class ListInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """People by e-mail address, phone number, external id or id; each is looked for as all of them."""

    people: Annotated[list[Text], Meta(min_length=1, max_length=100_000)]


class PickInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Customers to put on a list or to take off it."""

    customers: Annotated[list[UUID], Meta(min_length=1, max_length=1_000)]


class RfmCell(msgspec.Struct, frozen=True, kw_only=True):
    """People with a recency and a frequency score; ``spent`` by currency in minor units."""

    recency: int
    frequency: int
    group: str
    people: int
    spent: dict[str, int]


class RfmPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with their scores. ``spent`` in minor units of ``currency``."""

    id: UUID
    name: str | None
    email: str | None
    external_id: str | None
    recency: int
    frequency: int
    monetary: int
    group: str
    orders: int
    spent: int
    currency: str
    last_at: datetime


class RfmView(msgspec.Struct, frozen=True, kw_only=True):
    """The grid of a pool; ``computed_at`` null: not computed yet."""

    pool: UUID
    computed_at: datetime | None
    people: int
    cells: list[RfmCell]
