"""What questions and answers are."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.catalog.model import NO_CONTROL, ONE_LINE
from samlad.kernel.problems import Forbidden

MOST_AT_ONCE = 200
"""Questions that are decided together."""

Asked = Annotated[
    str,
    Meta(min_length=3, max_length=1000, pattern=NO_CONTROL, examples=["Does the lid fit the 2 litre one?"]),
]
Said = Annotated[
    str,
    Meta(min_length=1, max_length=4000, pattern=NO_CONTROL, examples=["It does, and the 3 litre one too."]),
]
Name = Annotated[str, Meta(max_length=60, pattern=ONE_LINE, examples=["Kim B."])]
Language = Annotated[str, Meta(pattern="^[a-z]{2}$", examples=["sv"])]
Email = Annotated[
    str, Meta(max_length=254, pattern=r"^[^\s@\x00]+@[^\s@\x00]+$", examples=["kim@example.org"])
]
Reason = Annotated[str, Meta(max_length=500, pattern=NO_CONTROL, examples=["It names a person."])]


class NotBought(Forbidden):
    """Only who bought a product and has received it may answer questions about it; ``product`` says which one was meant."""

    code, title = "not-bought-to-answer", "You have not bought this here"


class Status(StrEnum):
    """``unconfirmed``: a guest has not followed the link in our mail yet; ``waiting`` for somebody to read it;
    ``published`` is shown; ``declined``; ``withdrawn`` by who wrote it."""

    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    PUBLISHED = "published"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question as staff see it. ``answers`` are published ones, ``offered`` those of buyers that wait to be read;
    ``helpful`` is how often its answers helped; ``reports`` how often it was reported since somebody decided."""

    id: UUID
    product: UUID
    product_title: str
    handle: str
    variant: UUID
    options: str
    channel: UUID
    customer: UUID | None
    language: str
    text: str
    author: str
    status: Status
    reason: str
    answers: int
    offered: int
    helpful: int
    reports: int
    asked_at: datetime
    answered_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    version: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as staff see it: the ``shop``'s own, or of a ``buyer``, whom we know to have got the product."""

    id: UUID
    question: UUID
    kind: Literal["shop", "buyer"]
    channel: UUID
    customer: UUID | None
    author: str
    language: str
    text: str
    status: Status
    reason: str
    helpful: int
    written_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    version: int


class ShownAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as everybody sees it."""

    id: UUID
    kind: Literal["shop", "buyer"]
    author: str
    language: str
    text: str
    helpful: int
    written_at: datetime


class ShownQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question as everybody sees it, with its most helpful answers (three at most); ``answers`` is how many there are."""

    id: UUID
    options: str
    language: str
    text: str
    author: str
    asked_at: datetime
    helpful: int
    answers: int
    best: list[ShownAnswer]


class OwnQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question as who asked it sees it. It can be changed until ``answered_at``."""

    id: UUID
    product_title: str
    handle: str
    options: str
    language: str
    text: str
    status: Status
    reason: str
    answers: int
    asked_at: datetime
    answered_at: datetime | None
    version: int


class QuestionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What somebody wants to know of a product. Who is not signed in says where the answer goes: ``email``."""

    channel: UUID
    product: UUID
    variant: Annotated[UUID | None, Meta(description="What they look at; without it the product's first")] = (
        None
    )
    text: Asked
    author: Name = ""
    email: Email | None = None
    language: Language
    customer: Annotated[
        UUID | None,
        Meta(description="For staff: who asked, at a counter or by telephone; customers need not say"),
    ] = None


class TextInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked instead."""

    text: Asked


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of a question; ``waiting``: somebody reads it once more. Declining says why: who asked reads the reason."""

    status: Literal["published", "declined", "waiting"]
    reason: Reason = ""


class AnswerDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of a buyer's answer."""

    status: Literal["published", "declined"]
    reason: Reason = ""


class AnswerInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the shop answers; empty takes the answer away."""

    text: Annotated[str, Meta(max_length=4000, pattern=NO_CONTROL, examples=["It does."])]


class BuyerAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What somebody who bought the product answers. Without ``author`` the first name and an initial of the order is shown."""

    text: Said
    author: Name = ""
    language: Language


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a question or its answers should not be there."""

    reason: Reason = ""


class Vote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an answer helped; false takes a vote back."""

    helpful: bool = True


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody who asked is written to, and about what. ``status`` is the question's, ``reason`` why it was declined."""

    id: UUID
    channel: UUID
    customer: UUID | None
    email: str | None
    language: str
    text: str
    status: Status
    reason: str
    product_title: str
    handle: str
    told_at: datetime | None


class AnsweredQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question that everybody may read, with an answer: its page is for search engines."""

    id: UUID
    product: UUID
    handle: str
    answered_at: datetime


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """How many questions somebody has to read, and how many with answers of buyers to read; since when the first waits."""

    questions: int
    asked_at: datetime | None
    answered: int
    answered_at: datetime | None
