"""What happens to delivery methods, and what was promised."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("delivery.method_created")
class MethodCreated(Fact, frozen=True, kw_only=True):
    """A channel has a new way to get goods to customers."""

    code: str
    kind: str
    name: str


@declare("delivery.method_changed")
class MethodChanged(Fact, frozen=True, kw_only=True):
    """Something about a method changed: for each field what it was and what it is."""

    code: str
    before: dict[str, Any]
    after: dict[str, Any]


@declare("delivery.workday_set")
class WorkdaySet(Fact, frozen=True, kw_only=True):
    """How a location makes orders ready was set; null before: it had nothing of its own."""

    location: UUID
    before: dict[str, Any] | None
    after: dict[str, Any]


@declare("delivery.capacity_taken")
class CapacityTaken(Fact, frozen=True, kw_only=True):
    """An order counts on a location's day."""

    location: UUID
    day: date
    units: int


@declare("delivery.capacity_returned")
class CapacityReturned(Fact, frozen=True, kw_only=True):
    """An order was called off and does not count on the location's day any more."""

    location: UUID
    day: date
    units: int


@declare("delivery.slot_taken")
class SlotTaken(Fact, frozen=True, kw_only=True):
    """An order is brought within a slot of a location's day; ``start`` is HH:MM on its clock."""

    location: UUID
    day: date
    start: str


@declare("delivery.slot_held")
class SlotHeld(Fact, frozen=True, kw_only=True):
    """A cart whose buyer pays keeps a slot of a location's day until then; ``start`` is HH:MM on its clock."""

    location: UUID
    day: date
    start: str
    until: datetime


@declare("delivery.slot_returned")
class SlotReturned(Fact, frozen=True, kw_only=True):
    """A location does not bring an order in its slot any more: it was called off, or comes from elsewhere. Or a cart's buyer did
    not pay in time, or chose another."""

    location: UUID
    day: date
    start: str
