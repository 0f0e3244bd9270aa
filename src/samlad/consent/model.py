"""What purposes, texts and entries of the ledger are."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Code = Annotated[
    str, Meta(min_length=1, max_length=50, pattern=r"^[a-z][a-z0-9_]*$", examples=["email_marketing"])
]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}$", examples=["sv"])]
Wording = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4_000,
        pattern=r"^[^\x00]*$",
        examples=["Send me news and offers by e-mail. I can stop it at any time."],
    ),
]

CATEGORIES = ("necessary", "functional", "performance", "targeting")
"""Of cookies, as banners ask for them."""


class Answer(StrEnum):
    """Yes or no. Who never answered has not agreed."""

    GRANTED = "granted"
    DENIED = "denied"


class Level(IntEnum):
    """Who says so: anybody (a form, a browser), the shop (a server, staff, an import), the person, by proof."""

    CLAIMED = 0
    AUTHENTICATED = 1
    VERIFIED = 2


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """What people are asked for.

    Attributes:
        category: the cookie category under which it falls: an answer to that is one to this.
        is_always: needs no consent.
        least: a grant that fewer than this stand behind does not count; 2 is double opt-in.
        days: how long a grant holds unless it says otherwise; None: until it is withdrawn.
        names: by language (ISO 639-1).
    """

    code: str
    kind: Literal["purpose", "category"]
    category: str | None
    is_always: bool
    least: Level
    days: int | None
    names: dict[str, str]
    position: int
    version: int
    updated_at: datetime

    @property
    def codes(self) -> list[str]:
        """To which codes an answer is one to this purpose."""
        return [self.code] if self.category is None else [self.code, self.category]


class PurposeChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays."""

    least: (
        Annotated[
            int,
            Meta(ge=0, le=2, description="0: anybody may grant it, 1: the shop's word, 2: double opt-in"),
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    days: (
        Annotated[int, Meta(ge=1, le=3650, description="How long a grant holds; null: until it is withdrawn")]
        | msgspec.UnsetType
        | None
    ) = msgspec.UNSET


class TextInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wording to add: the next version in its language, or a translation of a version."""

    language: Language
    text: Wording
    version: (
        Annotated[
            int, Meta(ge=1, le=100_000, description="Which version it says in this language; null: the next")
        ]
        | None
    ) = None


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A wording as it was or is shown."""

    id: UUID
    purpose: str
    version: int
    language: str
    text: str
    created_at: datetime


class AnswerInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer to record. What is told twice with the same ``event_id`` is recorded once."""

    purpose: Code
    answer: Answer
    scope: Annotated[UUID, Meta(description="The one channel it is for; null: all")] | None = None
    text: Annotated[UUID, Meta(description="Id of the text that was shown")] | None = None
    answered_at: Annotated[datetime, Meta(tz=True, description="Null: now")] | None = None
    until: (
        Annotated[datetime, Meta(tz=True, description="When a grant ends; null: as the purpose says")] | None
    ) = None
    channel: Annotated[UUID, Meta(description="Where it was answered")] | None = None
    event_id: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the ledger; ``node`` is an id of `samlad.identity`."""

    id: UUID
    node: UUID
    purpose: str
    scope: UUID | None
    answer: Answer
    level: Level
    text: UUID | None
    answered_at: datetime
    until: datetime | None
    channel: UUID | None
    source: str
    event_id: str
    evidence: Any
    actor: str
    recorded_at: datetime


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a person: whether a purpose is allowed now, since which answer, until when."""

    purpose: str
    is_allowed: bool
    entry: UUID | None
    answered_at: datetime | None
    until: datetime | None


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """A person's consent: what holds now, and the whole ledger, the latest first."""

    standing: list[Standing]
    entries: list[Entry]
