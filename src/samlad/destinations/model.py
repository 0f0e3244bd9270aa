"""What destinations are: a segment, where it is sent and for what, and what was sent."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

Name = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]*$", examples=["Meta: lapsing regulars"])
]
Value = Annotated[str, Meta(max_length=4_000, pattern=r"^[^\x00]*$")]
Purpose = Annotated[str, Meta(max_length=50, pattern=r"^[a-z][a-z0-9_]*$", examples=["ads"])]


class State(StrEnum):
    """``ending``: whoever was sent is being taken out; then it is ``ended``."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDING = "ending"
    ENDED = "ended"


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a segment is sent. ``config`` has no secrets. ``waiting``: people who are to be looked at."""

    id: UUID
    segment: UUID
    pool: UUID
    strategy: str
    name: str
    purpose: str
    channel: UUID | None
    config: dict[str, str]
    state: State
    version: int
    failures: int
    last_error: str | None
    last_sync_at: datetime | None
    next_at: datetime | None
    created_at: datetime
    updated_at: datetime
    waiting: int
    people: int


class NewDestination(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A segment and where to send it. ``config`` are the fields of the strategy, secrets too; these are sealed and never shown."""

    segment: UUID
    strategy: Annotated[str, Meta(max_length=50, examples=["webhook"])]
    name: Name
    purpose: Purpose = "ads"
    channel: Annotated[UUID, Meta(description="Only who agreed for this channel or for all")] | None = None
    config: dict[str, Value] = {}


class DestinationChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be different; what is left out stays, also of the config."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    state: State | msgspec.UnsetType = msgspec.UNSET
    config: dict[str, Value] | msgspec.UnsetType = msgspec.UNSET


class Entry(msgspec.Struct, frozen=True):
    """Somebody as a receiver knows them: SHA-256 of addresses and numbers, in hexadecimal digits."""

    person: UUID
    emails: list[str]
    phones: list[str]


class Changes(msgspec.Struct, frozen=True):
    """What would bring a receiver in line. ``held``: to be removed of somebody, but still there for somebody else."""

    adds: list[Entry]
    removes: list[Entry]
    held: list[Entry]
    without_consent: int
    without_contact: int


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent now. Of ``looked_at`` people; nothing left the house. ``examples`` are hashed as they would be."""

    looked_at: int
    adds: int
    removes: int
    without_consent: int
    without_contact: int
    examples: list[Entry]


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A batch: people added and removed, and what the receiver said. ``state``: sending, sent or failed."""

    id: UUID
    at: datetime
    state: str
    added: int
    removed: int
    error: str | None
    reference: str | None


class SentOn(msgspec.Struct, frozen=True, kw_only=True):
    """People added and removed on a day (UTC)."""

    day: date
    added: int
    removed: int
    failed: int
