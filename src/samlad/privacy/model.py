"""What requests of people about their data are."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

CANCEL_MINUTES = 10
"""How long an erasure can be taken back, unless it is asked for otherwise."""


class RequestKind(StrEnum):
    """What is asked for."""

    ACCESS = "access"
    ERASURE = "erasure"


class RequestState(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    REFUSED = "refused"


class RequestInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to make."""

    kind: RequestKind
    person: Annotated[UUID, Meta(description="Id of a customer or of any identifier of theirs")]
    after_minutes: Annotated[
        int, Meta(ge=0, le=43_200, description="When an erasure begins; till then it can be cancelled")
    ] = CANCEL_MINUTES


class PrivacyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it stands.

    Attributes:
        steps: tables that are done, of ``total``.
        counts: rows by table, that were found or erased; ``kept``: those that the law keeps.
        reason: why it was refused.
        expires_at: until when an export can be downloaded.
    """

    id: UUID
    kind: RequestKind
    person: UUID
    state: RequestState
    due_at: datetime
    steps: int
    total: int
    counts: dict[str, int]
    kept: dict[str, int]
    reason: str
    actor: str
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None


class ExportPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one table holds of a person. ``kept`` says why an erasure would leave it."""

    table: str
    about: str
    kept: str | None
    rows: list[dict[str, Any]]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a person."""

    made_at: datetime
    parts: list[ExportPart]


class ExcerptPart(ExportPart, frozen=True, kw_only=True):
    """The first rows of a part (``number`` from 1), and how many ``more`` an export has."""

    number: int
    more: int = 0


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """Of everything that is known of a person, as much as a page shows."""

    made_at: datetime
    parts: list[ExcerptPart]
