"""Whom clerks look after, and what they mean to do."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

PURPOSE = "personal_advice"
"""Of `samlad.consent`: without it nobody is anybody's customer."""


class AssignInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whoever acts looks after a customer in a store. ``agreed``: the customer says yes to that, here and now."""

    location: UUID
    agreed: bool = False


class FollowUpInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A task for whoever acts. ``due_on`` is a day of the store."""

    location: UUID
    text: Annotated[
        str,
        Meta(
            min_length=1, max_length=1000, pattern=r"^[^\x00]*$", examples=["Call when the blue ones are in"]
        ),
    ]
    due_on: Annotated[date, Meta(examples=["2026-03-02"])]


class RecommendInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something for a customer: onto their wish list, or into the cart that they have on their devices.

    ``channel`` is the shop where they would buy it; ``location`` where the clerk stands.
    """

    location: UUID
    channel: UUID
    variant: UUID
    to: Annotated[Literal["wish", "cart"], Meta(examples=["wish"])] = "wish"


class Recommended(msgspec.Struct, frozen=True, kw_only=True):
    """The cart or list that has it now."""

    cart: UUID
    to: str


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A customer whom a clerk of a store looks after. ``due_on``: the next task for them there."""

    customer: UUID
    name: str | None
    email: str | None
    phone: str | None
    location: UUID
    location_name: str
    staff: UUID
    staff_name: str
    since: datetime
    due_on: date | None = None


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """A task for a customer."""

    id: UUID
    customer: UUID
    customer_name: str | None
    location: UUID
    location_name: str
    staff: UUID
    staff_name: str
    text: str
    due_on: date
    made_at: datetime
    done_at: datetime | None
    done_by: str | None
