"""What sources, events and the tracking plan are."""

import enum
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from samlad.kernel.problems import Problem

PER_SECOND = 200
"""Requests a second that a source may send unless it says otherwise."""

Name = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$", examples=["Webshop, browsers"]),
]
EventName = Annotated[
    str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$", examples=["Product Added"])
]
MOST_BLOCKS = 200
Blocks = Annotated[
    list[EventName],
    msgspec.Meta(
        max_length=MOST_BLOCKS,
        description="Names of events that are not taken (`identify`, `page` … for those types): they are counted, and nothing of"
        " them is kept",
        examples=[["Mouse Moved"]],
    ),
]
PerSecond = Annotated[
    int, msgspec.Meta(ge=1, le=100_000, description="Requests a second and process before 429 is answered")
]


class SourceKind(enum.StrEnum):
    """Who writes: scripts in browsers and apps (their key is public), servers (theirs is secret), this program."""

    BROWSER = "browser"
    SERVER = "server"
    OURS = "ours"


class DeviceClass(enum.StrEnum):
    """Whose devices these are. Identifiers of shared and staff devices do not tie people together."""

    PERSONAL = "personal"
    SHARED = "shared"
    STAFF = "staff"


class Policy(enum.StrEnum):
    """What becomes of an event that does not fit the plan: taken and reported, parked, or taken without what does not fit."""

    REPORT = "report"
    PARK = "park"
    DROP = "drop"


class Without(enum.StrEnum):
    """What becomes of an event whose person has not agreed: its person is taken out, or it is parked without them."""

    ANONYMISE = "anonymise"
    PARK = "park"


Needs = Annotated[
    list[Literal["functional", "performance", "targeting"]],
    msgspec.Meta(
        max_length=3,
        description="Cookie categories that the stamp of each event must grant; none: everything is taken as it comes",
        examples=[["performance"]],
    ),
]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A source as stored. ``needs`` are the categories of consent without which ``without_consent`` happens."""

    id: UUID
    channel: UUID
    name: str
    kind: SourceKind
    device_class: DeviceClass
    is_on: bool
    per_second: int
    needs: list[str]
    without_consent: Without
    blocks: list[str]
    version: int
    created_at: datetime
    updated_at: datetime


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of sources; the counts are of the last 24 hours."""

    id: UUID
    channel: UUID
    name: str
    kind: SourceKind
    device_class: DeviceClass
    is_on: bool
    accepted: int
    duplicates: int
    parked: int
    violating: int
    last_minute: datetime | None
    created_at: datetime


class WriteKey(msgspec.Struct, frozen=True, kw_only=True):
    """A write key. ``key`` is null for secret ones, of which only a hash is kept."""

    id: UUID
    source: UUID
    key: str | None
    hint: str
    created_at: datetime
    ends_at: datetime | None


class NewWriteKey(msgspec.Struct, frozen=True, kw_only=True):
    """A write key that was just made; a server's is shown this once."""

    key: WriteKey
    secret: str


class SourceView(Source, frozen=True, kw_only=True):
    """A source with its keys, the latest first."""

    keys: list[WriteKey]


class SourceInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source to make. It has no key yet: make one afterwards."""

    channel: Annotated[UUID, msgspec.Meta(description="Id of the channel that its events belong to")]
    name: Name
    kind: SourceKind = SourceKind.BROWSER
    device_class: DeviceClass = DeviceClass.PERSONAL
    per_second: PerSecond = PER_SECOND
    needs: Needs = []
    without_consent: Without = Without.ANONYMISE
    blocks: Blocks = []


class SourceChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. Kind and device class stay as they are: make a new source."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    is_on: Annotated[bool, msgspec.Meta(description="Off: its keys are refused")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    per_second: PerSecond | msgspec.UnsetType = msgspec.UNSET
    needs: Needs | msgspec.UnsetType = msgspec.UNSET
    without_consent: Without | msgspec.UnsetType = msgspec.UNSET
    blocks: Blocks | msgspec.UnsetType = msgspec.UNSET


class KeyInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A write key to make."""

    others_end_in_hours: (
        Annotated[int, msgspec.Meta(ge=0, le=8_760, description="When older keys end; null: they stay")]
        | None
    ) = None


class SchemaInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is expected of events of one name."""

    event: Annotated[
        EventName,
        msgspec.Meta(
            description="Name of what is tracked; `identify`, `group`, `page`, `screen` for those types"
        ),
    ]
    schema: Annotated[
        dict[str, Any],
        msgspec.Meta(
            description="JSON Schema (2020-12) of `properties`; of `traits` for identify and group",
            examples=[{"type": "object", "required": ["product_id"]}],
        ),
    ]
    policy: Policy = Policy.REPORT
    source: (
        Annotated[UUID, msgspec.Meta(description="Only of the events of this source; null: of all others")]
        | None
    ) = None


class EventSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the tracking plan."""

    id: UUID
    event: str
    source: UUID | None
    schema: dict[str, Any]
    policy: Policy
    version: int
    created_at: datetime
    updated_at: datetime


class PlanInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tracking plan to take over."""

    document: Annotated[
        dict[str, Any],
        msgspec.Meta(
            description="A JSON Schema as `GET /api/tracking/plan` writes it: one schema for each event in `$defs`",
            examples=[{"$defs": {"Product Added": {"type": "object", "required": ["product_id"]}}}],
        ),
    ]
    replaces: Annotated[bool, msgspec.Meta(description="What the document does not have is removed")] = False
    is_trial: Annotated[bool, msgspec.Meta(description="Only say what would change")] = False


class SchemaVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of the tracking plan said from ``at`` on."""

    version: int
    schema: dict[str, Any]
    policy: Policy
    actor: str
    at: datetime


class LearnInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which events a schema is to be learned: the latest of a name."""

    event: EventName
    source: UUID | None = None
    last: Annotated[int, msgspec.Meta(ge=1, le=5_000, description="So many of the latest, of 30 days")] = 500


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """A schema that all ``events`` fit from which it was learned. It is not in the plan yet."""

    event: str
    source: UUID | None
    events: int
    schema: dict[str, Any]


class ViolationRow(msgspec.Struct, frozen=True, kw_only=True):
    """What events of one name and source had wrong in one place, in the last 30 days.

    ``path`` is a JSON pointer (null for parked events, whose reason names several); ``examples`` are ids of the latest
    events, or of parked ones.
    """

    event: str
    source: UUID
    path: str | None
    rule: str
    message: str
    outcome: Literal["reported", "dropped", "parked"]
    events: int
    last_at: datetime
    examples: list[UUID]


EventType = Literal["track", "identify", "page", "screen", "group", "alias"]


class RetentionInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long some events are kept. Without a type: all that no other rule names."""

    type: EventType | None = None
    name: Annotated[EventName, msgspec.Meta(description="Of what is tracked; only with a type")] | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=3_650, examples=[400])]

    def __post_init__(self) -> None:
        if self.name is not None and self.type is None:
            raise ValueError("a name needs a type")


class RetentionRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long events of a type and name are kept (days after they came)."""

    id: UUID
    type: str | None
    name: str | None
    days: int
    version: int
    created_at: datetime
    updated_at: datetime


class RetentionRules(msgspec.Struct, frozen=True, kw_only=True):
    """All rules; the one that names most holds. What none names is kept for ever."""

    rules: list[RetentionRule]


class TrackedRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event with where it came from and on whom it landed.

    ``identity`` is an id of `samlad.identity`, which goes where that person goes; ``resolved_at`` null: not looked at yet.
    """

    id: UUID
    received_at: datetime
    occurred_at: datetime
    source: UUID
    message_id: str
    type: str
    name: str | None
    anonymous_id: str | None
    user_id: str | None
    previous_id: str | None
    group_id: str | None
    traits: dict[str, Any] | None
    consent: Any
    violations: list[Any] | None
    payload: dict[str, Any]
    identity: UUID | None
    failure: str | None
    resolved_at: datetime | None


class ParkedRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event that could not be taken. ``body`` is its beginning as text."""

    id: UUID
    source: UUID
    received_at: datetime
    type: str | None
    name: str | None
    reason: str
    detail: str
    size: int
    body: str


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """How a retry went: taken, or still parked for this reason."""

    is_taken: bool
    reason: str | None = None
    detail: str | None = None


class ParkedEvent(ParkedRow, frozen=True, kw_only=True):
    """A parked event with all of its ``body``, and the line of the plan that speaks of it (null: none)."""

    schema: UUID | None


class RetryInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which parked events to try again; what is left out is not asked for."""

    source: UUID | None = None
    reason: Annotated[str, msgspec.Meta(max_length=40, examples=["plan"])] | None = None
    name: Annotated[EventName, msgspec.Meta(description="Of what was tracked")] | None = None
    after: (
        Annotated[UUID, msgspec.Meta(description="``next`` of the answer before: goes on from there")] | None
    ) = None


class RetriedMany(msgspec.Struct, frozen=True, kw_only=True):
    """How many were taken and how many stay parked; ``next`` null: all have been tried."""

    taken: int
    still_parked: int
    next: UUID | None


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """What came in a span of time that begins at ``at``; ``blocked``: what the source does not take."""

    at: datetime
    accepted: int
    duplicates: int
    parked: int
    violating: int
    blocked: int = 0


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the events that came in a span from ``at`` are parked for a reason."""

    at: datetime
    reason: str
    events: int


class WireProblem(Problem):
    """The event API refused a whole request; clients of Segment's kind read ``code`` and ``message``."""

    code, status, title = "event-request", 400, "The request cannot be taken"


class UnknownWriteKey(WireProblem):
    """The write key does not exist, has ended, or its source is switched off."""

    code, status, title = "write-key", 401, "This write key is not valid"


class NotAllowed(WireProblem):
    """The token or API key may not send events."""

    code, status, title = "not-allowed", 403, "Events may not be sent with this"


class BodyTooLarge(WireProblem):
    """The body, or what it unpacks to, is larger than 4 MB, or it has too many events."""

    code, status, title = "body-too-large", 413, "The body is too large"


class SlowDown(WireProblem):
    """The source sends more requests a second than it may; ``Retry-After`` says when to come back (seconds)."""

    code, status, title = "slow-down", 429, "Too many requests"


class Full(WireProblem):
    """Events come faster than they can be stored; nothing of this request was taken, send it again."""

    code, status, title = "full", 503, "Too much at once"
