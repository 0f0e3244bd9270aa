"""What happens to orders. Amounts in minor units of ``currency``."""

from datetime import date
from typing import Any
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("order.placed", personal=("email", "name"))
class OrderPlaced(Fact, frozen=True, kw_only=True):
    """Somebody bought something. ``lines`` has variant, SKU, quantity and total of each line of goods."""

    number: str
    kind: str
    currency: str
    total: int
    tax: int
    items: int
    payment_status: str
    status: str
    local_day: date
    lines: list[dict[str, Any]]
    delivery: str | None = None
    location: UUID | None = None
    cart: UUID | None = None
    customer: UUID | None = None
    email: str | None = None
    name: str | None = None


@declare("order.arrived")
class OrderArrived(Fact, frozen=True, kw_only=True):
    """An order that was placed elsewhere was taken over; ``external_id`` is its name there."""

    number: str
    external_id: str


@declare("order.routed")
class OrderRouted(Fact, frozen=True, kw_only=True):
    """Why an order leaves from where it does: ``parts`` by the rules (none: stock decided), and the best ``candidates``
    with their rank, or why they were left out. ``considered``: how many there were; ``cost`` in minor units."""

    strategy: str
    reason: str
    parts: list[dict[str, Any]]
    candidates: list[dict[str, Any]]
    considered: int
    km: float | None
    cost: int


@declare("routing.rules_added")
class RoutingRulesAdded(Fact, frozen=True, kw_only=True):
    """A channel has a new version of routing rules; it holds once the channel's setting ``routing`` names it."""

    version: int
    strategy: str


@declare("order.paid")
class OrderPaid(Fact, frozen=True, kw_only=True):
    """An order that had been placed unpaid was paid."""

    number: str
    total: int
    currency: str


@declare("order.fulfilled")
class OrderFulfilled(Fact, frozen=True, kw_only=True):
    """Goods left for the customer: ``lines`` has position and quantity of each."""

    number: str
    lines: list[dict[str, int]]
    is_complete: bool


@declare("order.cancelled")
class OrderCancelled(Fact, frozen=True, kw_only=True):
    """An order was called off. Its stock is free again, its money went back."""

    number: str
    total: int
    currency: str
    refunded: int
    reason: str


@declare("order.returned")
class OrderReturned(Fact, frozen=True, kw_only=True):
    """Goods came back; ``by`` is the order of kind return that says what and for how much."""

    number: str
    by: UUID
    total: int
    currency: str
    refunded: int
    reason: str


@declare("order.customer_linked")
class OrderCustomerLinked(Fact, frozen=True, kw_only=True):
    """The customer of an order was found or made by its e-mail address."""

    number: str
    customer: UUID


@declare("order.imported")
class OrdersImported(Fact, frozen=True, kw_only=True):
    """Orders of the past came in: one event for up to 2,000 of them."""

    source: str
    count: int
    lines: int
    total: int
    currency: str
    first: str
    last: str
    orders: list[UUID]
