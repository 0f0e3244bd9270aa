"""What happens to fulfilments. All have the order as their subject, so that its history has them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import field

from samlad.kernel.log import Fact, declare


@declare("fulfilment.opened")
class FulfilmentOpened(Fact, frozen=True, kw_only=True):
    """A place is to ship or hand over a part of an order. ``came_from``: the one that another place rejected."""

    number: str
    fulfilment: UUID
    location: UUID
    method: str
    due_at: datetime
    units: int
    came_from: UUID | None = None


@declare("fulfilment.taken")
class FulfilmentTaken(Fact, frozen=True, kw_only=True):
    """Somebody began to pick."""

    number: str
    fulfilment: UUID
    location: UUID
    by: str


@declare("fulfilment.picked")
class FulfilmentPicked(Fact, frozen=True, kw_only=True):
    """All that there is of it is in the hand."""

    number: str
    fulfilment: UUID
    location: UUID


@declare("fulfilment.packed")
class FulfilmentPacked(Fact, frozen=True, kw_only=True):
    """It is packed; ``is_verified``: each piece was scanned into the parcel."""

    number: str
    fulfilment: UUID
    location: UUID
    is_verified: bool


@declare("fulfilment.ready")
class FulfilmentReady(Fact, frozen=True, kw_only=True):
    """It waits for the customer in a store, until ``pick_up_by``. The code is on the order's page, not here."""

    number: str
    fulfilment: UUID
    location: UUID
    pick_up_by: datetime


@declare("fulfilment.labelled")
class FulfilmentLabelled(Fact, frozen=True, kw_only=True):
    """A carrier knows of the parcel."""

    number: str
    fulfilment: UUID
    carrier: str
    tracking: str


@declare("fulfilment.left")
class FulfilmentLeft(Fact, frozen=True, kw_only=True):
    """The goods left the place: shipped or handed over (``state``). ``proof``: by code, or what was checked."""

    number: str
    fulfilment: UUID
    location: UUID
    state: str
    units: int
    carrier: str | None = None
    tracking: str | None = None
    proof: str = ""


@declare("fulfilment.delivered")
class FulfilmentDelivered(Fact, frozen=True, kw_only=True):
    """The carrier says that the customer has it."""

    number: str
    fulfilment: UUID
    at: datetime


@declare("fulfilment.rejected", personal=("reason", "note"))
class FulfilmentRejected(Fact, frozen=True, kw_only=True):
    """A place has not got what it should give. What becomes of it is told by the events after this."""

    number: str
    fulfilment: UUID
    location: UUID
    reason: str = ""
    note: str = ""
    units: int


@declare("fulfilment.needs_customer")
class FulfilmentNeedsCustomer(Fact, frozen=True, kw_only=True):
    """The customer is to choose: the store that has it (``offered``) if there is one, to wait, or the money back."""

    number: str
    fulfilment: UUID
    offered: UUID | None
    units: int


@declare("fulfilment.answered")
class FulfilmentAnswered(Fact, frozen=True, kw_only=True):
    """The customer chose."""

    number: str
    fulfilment: UUID
    choice: str


@declare("fulfilment.substituted")
class FulfilmentSubstituted(Fact, frozen=True, kw_only=True):
    """Something else is given, at no more than what was ordered; ``refunded`` minor units went back."""

    number: str
    fulfilment: UUID
    sku: str
    by_sku: str
    units: int
    refunded: int
    currency: str


@declare("fulfilment.uncollected")
class FulfilmentUncollected(Fact, frozen=True, kw_only=True):
    """Nobody came for it: it went back to the shelf, and the money went back."""

    number: str
    fulfilment: UUID
    location: UUID
    units: int


@declare("order.part_called_off", personal=("reason",))
class OrderPartCalledOff(Fact, frozen=True, kw_only=True):
    """Some units will not come; ``by`` is the order of kind return that says what they were worth.

    ``lines`` has what `order.returned` has of each line of ``by`` (negative).
    """

    number: str
    by: UUID
    total: int
    currency: str
    refunded: int
    reason: str = ""
    lines: list[dict[str, Any]] = field(default_factory=list)
