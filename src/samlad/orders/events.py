"""What happens to orders. Amounts in minor units of ``currency``."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from msgspec import field

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


class ExpectedLine(msgspec.Struct, frozen=True):
    """Goods that are not there yet: the day on which they were expected and the one on which they are now; null: nobody knows."""

    variant: UUID
    before: date | None
    now: date | None


@declare("order.expected_moved")
class OrderExpectedMoved(Fact, frozen=True, kw_only=True):
    """Goods that an order waits for come on another day than its buyer was told."""

    number: str
    lines: list[ExpectedLine]


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


@declare("order.tipped")
class OrderTipped(Fact, frozen=True, kw_only=True):
    """A customer gave something for the staff with what they paid for an order; minor units, no part of its total."""

    amount: int
    currency: str
    location: UUID
    clerk: UUID | None = None


@declare("order.tip_returned")
class TipReturned(Fact, frozen=True, kw_only=True):
    """A tip went back to the customer."""

    amount: int
    currency: str
    location: UUID
    clerk: UUID | None = None


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


@declare("order.goods_named")
class OrderGoodsNamed(Fact, frozen=True, kw_only=True):
    """Line ``position`` was goods that nobody knew; somebody has said which variant it was, and it is out of stock now."""

    number: str
    position: int
    variant: UUID
    sku: str
    quantity: int


@declare("order.rest_due")
class OrderRestDue(Fact, frozen=True, kw_only=True):
    """The rest of an order with a deposit (``due``, minor units) is to be paid by a day that is near, or over. ``reminder`` counts
    from 1."""

    number: str
    due: int
    currency: str
    due_on: date
    reminder: int


@declare("order.cancelled", personal=("reason",))
class OrderCancelled(Fact, frozen=True, kw_only=True):
    """An order was called off. Its stock is free again, its money went back."""

    number: str
    total: int
    currency: str
    refunded: int
    reason: str = ""


@declare("order.returned", personal=("reason",))
class OrderReturned(Fact, frozen=True, kw_only=True):
    """Goods came back; ``by`` is the order of kind return that says what and for how much.

    ``credited`` went back as store credit, ``transferred`` paid for new goods. ``lines`` has variant, SKU, quantity,
    tax and total of each line of ``by`` (negative), with what its goods were (``condition`` and what became of them).
    """

    number: str
    by: UUID
    total: int
    currency: str
    refunded: int
    reason: str = ""
    tax: int = 0
    credited: int = 0
    transferred: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)


@declare("order.changed", personal=("note",))
class OrderChanged(Fact, frozen=True, kw_only=True):
    """An order was edited, or something of it came back, was called off, exchanged or made good.

    What came back or was called off is in the orders ``came_back`` and ``called_off`` (of kind return or adjustment),
    what was given instead in the sale ``placed``; each has an ``order.placed`` of its own. ``added`` are lines that
    this order has more, with their amounts and tax; ``is_paid``: nothing is left to pay. ``worth`` is what came back and was called off, of which
    ``forgiven`` had not been paid, ``transferred`` paid for new goods, ``refunded`` and ``credited`` went back.
    """

    number: str
    change: UUID
    currency: str
    actions: list[str]
    reasons: list[str]
    worth: int
    tax: int
    forgiven: int
    transferred: int
    refunded: int
    credited: int
    added: list[dict[str, Any]] = field(default_factory=list)
    added_total: int = 0
    added_tax: int = 0
    is_paid: bool = False
    came_back: UUID | None = None
    called_off: UUID | None = None
    placed: UUID | None = None
    location: UUID | None = None
    note: str = ""
    has_new_address: bool = False


@declare("order.returned_without_receipt", personal=("reason",))
class ReturnedWithoutReceipt(Fact, frozen=True, kw_only=True):
    """Goods came back of an order that nobody knows: the subject is the order of kind return (amounts negative).
    ``credited`` became store credit."""

    number: str
    currency: str
    total: int
    tax: int
    credited: int
    location: UUID
    reason: str = ""
    lines: list[dict[str, Any]]


@declare("return.requested")
class ReturnRequested(Fact, frozen=True, kw_only=True):
    """A return was announced; ``exchange`` is the sale whose goods have gone to the customer already."""

    number: str
    request: UUID
    order_number: str
    due_on: date
    lines: list[dict[str, Any]]
    exchange: UUID | None = None


@declare("return.received")
class ReturnReceived(Fact, frozen=True, kw_only=True):
    """Goods of an announced return are here."""

    number: str
    request: UUID
    location: UUID
    lines: list[dict[str, Any]]


@declare("return.inspected")
class ReturnInspected(Fact, frozen=True, kw_only=True):
    """Somebody has looked at what came."""

    number: str
    request: UUID
    lines: list[dict[str, Any]]


@declare("return.settled")
class ReturnSettled(Fact, frozen=True, kw_only=True):
    """An announced return is done; ``change`` says what it came to."""

    number: str
    request: UUID
    change: UUID
    worth: int
    refunded: int
    credited: int
    transferred: int
    currency: str


@declare("return.cancelled", personal=("reason",))
class ReturnCancelled(Fact, frozen=True, kw_only=True):
    """An announced return will not come."""

    number: str
    request: UUID
    reason: str = ""


@declare("return.overdue")
class ReturnOverdue(Fact, frozen=True, kw_only=True):
    """An announced return has not come in time. ``exchange`` is then to be paid: ``due`` minor units are open."""

    number: str
    request: UUID
    due_on: date
    exchange: UUID | None = None
    due: int = 0


@declare("return.charged")
class ReturnCharged(Fact, frozen=True, kw_only=True):
    """Goods that were exchanged before they were back never came: what went out was charged (minor units), or is an
    invoice to be paid by ``due_on``. The subject is the sale of what went out; ``order`` is the first one."""

    number: str
    request: UUID
    order: UUID
    payment: UUID
    provider: str
    amount: int
    currency: str
    due_on: date | None = None


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


@declare("order.tagged", personal=("tags",))
class OrderTagged(Fact, frozen=True, kw_only=True):
    """Staff tagged an order; ``tags`` are the new ones."""

    number: str
    tags: list[str] = field(default_factory=list)


@declare("order.untagged", personal=("tags",))
class OrderUntagged(Fact, frozen=True, kw_only=True):
    """Tags were taken off an order."""

    number: str
    tags: list[str] = field(default_factory=list)


@declare("order.note_added", personal=("text",))
class OrderNoteAdded(Fact, frozen=True, kw_only=True):
    """Staff wrote something on an order. ``text``: of before notes were sealed; now only the note has it."""

    number: str
    note: UUID
    text: str | None = None


@declare("order.note_deleted")
class OrderNoteDeleted(Fact, frozen=True, kw_only=True):
    """A note on an order was taken away."""

    number: str
    note: UUID


@declare("order.note_restored")
class OrderNoteRestored(Fact, frozen=True, kw_only=True):
    """A note on an order that had been taken away is back."""

    number: str
    note: UUID


@declare("orders.bulk_begun")
class BulkBegun(Fact, frozen=True, kw_only=True):
    """One act on many orders begins; each order tells its own events."""

    act: str
    total: int


@declare("orders.bulk_ended")
class BulkEnded(Fact, frozen=True, kw_only=True):
    """All orders of a bulk act have their outcome, or (``stopped``) the rest was left as it is."""

    act: str
    done: int
    refused: int
    stopped: bool = False
