"""What tips are in the money book: what is owed, what was paid out."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.books.model import Reason
from samlad.kernel.problems import Conflict


class Means(StrEnum):
    """How tips are paid out."""

    DRAWER = "drawer"
    BANK = "bank"
    WAGES = "wages"


class TipPayoutInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """All that is owed to somebody at a location is paid out. ``amount`` is what you saw (minor units): another sum is refused."""

    location: UUID
    clerk: Annotated[
        UUID | None, Meta(description="Whose; without one: of the sales that named only this name")
    ] = None
    name: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")] = ""
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\n)$", max_length=3)]
    amount: Annotated[int, Meta(ge=1, le=2**52)]
    means: Means
    shift: Annotated[UUID | None, Meta(description="The open drawer that it comes out of")] = None
    id: Annotated[UUID | None, Meta(description="Your own id of it: the same again pays once")] = None


class UndoTipsInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a payout is undone, and into which open drawer its cash goes back; without one into the one that it came from."""

    reason: Reason
    shift: UUID | None = None


class TipPayout(msgspec.Struct, frozen=True, kw_only=True):
    """Tips that were paid out (minor units); ``paid`` is what coins could pay of it."""

    id: UUID
    location: UUID
    clerk: UUID | None
    clerk_name: str
    currency: str
    amount: int
    paid: int
    means: Means
    shift: UUID | None
    actor: str
    name: str
    at: datetime
    undone_by: str | None = None
    undone_name: str | None = None
    undone_at: datetime | None = None
    reason: str | None = None


class TipsOwed(msgspec.Struct, frozen=True, kw_only=True):
    """What customers gave for somebody at a location in some days (minor units): less what went back, and what of it is still owed."""

    location: UUID
    location_name: str
    clerk: UUID | None
    name: str
    currency: str
    sales: int
    given: int
    paid: int
    owed: int


class TipSum(msgspec.Struct, frozen=True, kw_only=True):
    """Tips of one day, location or drawer; ``part`` is what it is called."""

    part: str
    currency: str
    sales: int
    given: int
    paid: int
    owed: int


class TipsState(Conflict):
    """Something else is owed than what was to be paid out; ``owed`` says what (minor units)."""

    code, title = "tips-state", "These tips cannot be paid out so"
