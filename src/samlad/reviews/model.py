"""What reviews are."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.catalog.model import NO_CONTROL, ONE_LINE
from samlad.kernel.problems import Forbidden

Stars = Annotated[int, Meta(ge=1, le=5, examples=[4])]
Prose = Annotated[str, Meta(max_length=4000, pattern=NO_CONTROL, examples=["Boils fast and stays quiet."])]
Line = Annotated[str, Meta(max_length=120, pattern=ONE_LINE, examples=["A good kettle"])]
Name = Annotated[str, Meta(max_length=60, pattern=ONE_LINE, examples=["Kim B."])]


class NotBought(Forbidden):
    """Only who bought a product and has received it may review it; ``product`` says which one was meant."""

    code, title = "not-bought", "You have not bought this here"


class Status(StrEnum):
    """``waiting`` for somebody to read it; ``approved`` is shown; ``refused``; ``withdrawn`` by who wrote it."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A review as staff see it. ``reports``: how often it was reported since somebody decided."""

    id: UUID
    product: UUID
    product_title: str
    handle: str
    variant: UUID
    options: str
    order_id: UUID
    channel: UUID
    customer: UUID | None
    language: str
    stars: int
    title: str
    text: str
    author: str
    status: Status
    reason: str
    reply: str | None
    replied_at: datetime | None
    helpful: int
    reports: int
    written_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    version: int


class ShownReview(msgspec.Struct, frozen=True, kw_only=True):
    """A review as everybody sees it. Each is of somebody who bought the product, in the variant ``options``."""

    id: UUID
    options: str
    language: str
    stars: int
    title: str
    text: str
    author: str
    reply: str | None
    replied_at: datetime | None
    helpful: int
    written_at: datetime


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Approved reviews of a product. ``average`` in hundredths of stars, 0 without; ``by_stars`` begins with one star."""

    count: int = 0
    average: int = 0
    by_stars: Annotated[list[int], Meta(min_length=5, max_length=5)] = msgspec.field(
        default_factory=lambda: [0] * 5
    )


class ReviewInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What somebody thinks of a product. Without ``author`` the first name and an initial of the order is shown."""

    product: UUID
    stars: Stars
    title: Line = ""
    text: Prose = ""
    author: Name = ""
    language: Annotated[str, Meta(pattern="^[a-z]{2}$", examples=["sv"])]
    order: Annotated[
        UUID | None, Meta(description="For staff: the order by which it was bought; customers need not say")
    ] = None


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of a review; ``waiting``: somebody reads it once more. A refusal says why: its writer reads the reason."""

    status: Literal["approved", "refused", "waiting"]
    reason: Annotated[str, Meta(max_length=500, pattern=NO_CONTROL, examples=["It names a person."])] = ""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the shop answers, for everybody to read; empty takes it away."""

    text: Prose


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a review should not be there."""

    reason: Annotated[str, Meta(max_length=500, pattern=NO_CONTROL, examples=["This is advertising."])] = ""


class Vote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether it helped; false takes a vote back."""

    helpful: bool = True


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """By which line of which order somebody got a product."""

    order: UUID
    channel: UUID
    customer: UUID | None
    name: str
    variant: UUID
    options: str


class ToReview(msgspec.Struct, frozen=True, kw_only=True):
    """A product of an order that may be reviewed, with the review if there is one (``stars`` None: not yet)."""

    product: UUID
    handle: str
    title: str
    variant: UUID
    review: UUID | None
    stars: int | None
    status: Status | None
    reason: str
