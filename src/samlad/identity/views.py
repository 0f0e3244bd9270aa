"""What people see and send: profiles with their evidence, decisions, rules, and the lines of lists."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.identity.model import AuthLevel, DeviceClass, How, Kind, PinKind, Reason, Rules


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody decided. ``retracted_at``: it was taken back, and nothing of it is left but this.

    ``left`` and ``right`` are ids of identifiers: the same person, or not; ``profiles`` are those that they belong to
    now.
    """

    id: UUID
    pool: UUID
    kind: PinKind
    left: list[UUID]
    right: list[UUID]
    reason: str
    actor: str
    made_at: datetime
    retracted_at: datetime | None = None
    retracted_by: str | None = None
    retracted_why: str | None = None
    profiles: list[UUID] = []


class MergeInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which profiles are one person."""

    profiles: Annotated[
        list[UUID], Meta(min_length=2, max_length=50, description="Customers, or any id that a profile had")
    ]
    reason: Reason


class SplitInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What of a profile is somebody else's."""

    profile: Annotated[UUID, Meta(description="A customer, or any id that the profile had")]
    identifiers: Annotated[
        list[UUID],
        Meta(
            min_length=1, max_length=500, description="Ids of identifiers that leave; customers are some too"
        ),
    ]
    takes_along: Annotated[
        bool,
        Meta(
            description="What hangs together with what leaves more than with the customers that stay leaves too; "
            "false: only these leave"
        ),
    ] = True
    reason: Reason


class ApartInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which profiles are two people."""

    profiles: Annotated[
        list[UUID], Meta(min_length=2, max_length=2, description="Customers, or any id that a profile has")
    ]
    reason: Reason


class ReasonInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why."""

    reason: Reason


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Why an identifier is known: a set in which it was seen, by whom, how sure, how long. ``others``: with what."""

    sighting: UUID
    source: str
    channel: UUID | None
    device_class: DeviceClass
    auth: AuthLevel
    others: list[UUID]
    first_seen: datetime
    last_seen: datetime


class KnownIdentifier(msgspec.Struct, frozen=True, kw_only=True):
    """An identifier of a profile. ``state``: live, quarantined (on ``fan_out`` people) or blocked."""

    id: UUID
    kind: Kind
    value: str
    state: str
    fan_out: int | None
    is_known: bool
    evidence: list[Evidence]


class FieldValue(msgspec.Struct, frozen=True, kw_only=True):
    """What a source said of one customer. ``value`` None: it was emptied."""

    customer: UUID
    field: str
    value: str | None
    source: str
    event_id: str
    channel: UUID | None
    observed_at: datetime


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a profile: what it shows, by which rule, and everything that was said."""

    value: str | None
    how: How
    values: list[FieldValue]


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has ordered in a currency. ``spent`` in its minor units."""

    currency: str
    orders: int
    spent: int
    last_order_at: datetime


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A person as we know them. ``customers``: the customer rows that they are, the one that stands for them first;
    ``moments``: how much was seen of them at shared devices."""

    id: UUID
    pool: UUID
    customers: list[UUID]
    identifiers: list[KnownIdentifier]
    moments: int
    fields: dict[str, Field]
    spent: list[Spent]


class RulesInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """New rules for the customers of a channel, as a draft."""

    channel: Annotated[UUID, Meta(description="Id of a channel of the pool")]
    rules: Rules
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class RulesVersion(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of a pool. ``status``: draft, active or retired; version 0 comes with Samlad."""

    id: UUID | None
    pool: UUID
    version: int
    rules: Rules
    note: str
    status: Literal["draft", "active", "retired"]
    actor: str
    created_at: datetime | None
    activated_at: datetime | None


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """Who would be one person, or no longer: the identifiers by profile."""

    profiles: dict[UUID, list[str]]


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What rules would do to everything that was ever seen: how many profiles would merge (into how many), come apart
    (into how many), which identifiers would be cut off or free again, how many links would be left out, and how many
    moments at shared devices would change hands; with examples, twenty at most."""

    profiles: int
    profiles_after: int
    merged: int
    merged_into: int
    split: int
    split_into: int
    quarantined: int
    released: int
    conflicts: int
    moments: int
    merge_examples: list[Example]
    split_examples: list[Example]


class ChangeRow(msgspec.Struct, frozen=True):
    """A line of the history: profiles became one (``merged``), or several (``split``)."""

    id: UUID
    at: datetime
    kind: str
    profile: UUID
    others: list[UUID]
    cause: str
    evidence: list[UUID]
    decision: UUID | None
    actor: str


class DecisionRow(msgspec.Struct, frozen=True):
    """A line of the list of decisions."""

    id: UUID
    kind: str
    left: list[UUID]
    right: list[UUID]
    reason: str
    actor: str
    made_at: datetime
    retracted_at: datetime | None
    retracted_by: str | None
    retracted_why: str | None


class ConflictRow(msgspec.Struct, frozen=True):
    """A link that was left out. ``reason``: limit (two of a kind of which a person has one) or weak (it would join two
    known people, and anybody could have sent it)."""

    id: UUID
    reason: str
    status: str
    left_id: UUID
    left_kind: str
    left_value: str
    left_profile: UUID
    right_id: UUID
    right_kind: str
    right_value: str
    right_profile: UUID
    evidence: UUID | None
    first_at: datetime


class CutRow(msgspec.Struct, frozen=True):
    """An identifier that links nobody."""

    id: UUID
    kind: str
    value: str
    state: str
    fan_out: int | None
    changed_at: datetime
