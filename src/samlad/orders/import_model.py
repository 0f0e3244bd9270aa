"""What an import of orders takes and tells."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import msgspec
from msgspec import Meta

from samlad.kernel.money import currencies, exponent
from samlad.orders.model import LineKind, OrderKind

_Number = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
_Text = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
_Minor = Annotated[int, Meta(ge=-(2**52), le=2**52)]
MOST_LINES = 32_000


class OrderLineInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One line. What comes back or is credited is negative.

    ``sku`` is set exactly for kind *item*. ``unit_price`` is a decimal text such as ``"2.55"`` and may be finer than
    the currency; ``total_minor`` is what the line came to, in minor units. ``stock_correction`` marks goods that were
    found or lost rather than sold. ``returns`` is the number of the sale that the line takes back.
    """

    sku: _Number | None = None
    title: _Text
    kind: LineKind = LineKind.ITEM
    quantity: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
    unit_price: Annotated[str, Meta(max_length=30)]
    total_minor: _Minor
    stock_correction: bool = False
    returns: _Number | None = None


class OrderInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One order of the past. ``total_minor`` is the sum of its lines' totals, in minor units of ``currency``.

    ``customer`` is the source's own number for the buyer, null if unknown; ``country`` is ISO 3166-1 alpha-2.
    ``returns`` is the number of the one sale that a return takes back, if it is one.
    """

    number: _Number
    placed_at: datetime
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3)]
    customer: _Number | None = None
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$", max_length=2)]
    kind: OrderKind = OrderKind.SALE
    total_minor: _Minor
    lines: Annotated[tuple[OrderLineInput, ...], Meta(min_length=1, max_length=MOST_LINES)]
    returns: _Number | None = None


class Fault(msgspec.Struct, frozen=True):
    """What is wrong in a file: the line (from 1; 0 for the whole), the order's number if known, and what."""

    line: int
    number: str | None
    message: str


class Report(msgspec.Struct, kw_only=True):
    """What an import did, or with ``dry_run`` would do. Amounts in minor units by currency.

    ``skipped`` orders were in the channel already. ``unknown_skus`` are on lines but not in the catalogue: such lines
    keep their text and belong to no variant.
    """

    dry_run: bool = False
    orders: int = 0
    lines: int = 0
    skipped: int = 0
    customers: int = 0
    totals: dict[str, int] = {}
    unknown_skus: list[str] = []
    faults: list[Fault] = []
    seconds: float = 0.0


def faults_of(order: OrderInput) -> list[str]:
    """What cannot be right about an order, where its types are."""
    found = []
    if order.placed_at.tzinfo is None:
        found.append("placed_at needs its offset, as in 2010-12-01T08:26:00Z")
    if order.currency not in currencies():
        found.append(f"“{order.currency}” is no currency")
    total = sum(line.total_minor for line in order.lines)
    if total != order.total_minor:
        found.append(f"the lines come to {total}, but the order says {order.total_minor} (minor units)")
    for position, line in enumerate(order.lines, 1):
        if (line.sku is not None) != (line.kind is LineKind.ITEM):
            found.append(f"line {position}: an sku belongs to lines of kind item, and to no others")
        if not _is_price(line.unit_price):
            found.append(f"line {position}: “{line.unit_price}” is no price; write for example 2.55")
    return found


def _is_price(text: str) -> bool:
    try:
        price = Decimal(text)
    except InvalidOperation:
        return False
    return price.is_finite() and abs(price) < 10**12


def minor(text: str, currency: str) -> int:
    """A decimal price in minor units; one that is finer than the currency is rounded, half to even."""
    return int(Decimal(text).scaleb(exponent(currency)).to_integral_value())
