"""Orders, decided without a database: what a cart becomes, what a return is worth, which status follows."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad.carts import Delivery, PriceStep
from samlad.carts.closing import ClosedCart
from samlad.carts.quoting import TaxedPart
from samlad.catalog import Sellable
from samlad.kernel.money import allocate, share, worth
from samlad.kernel.problems import FieldError, InvalidInput
from samlad.orders import sets
from samlad.orders.model import (
    LineKind,
    LineSelection,
    Order,
    OrderLine,
    OrderPayment,
    OrderStatus,
)
from samlad.payments import Payment, PaymentStatus
from samlad.tax import Decision


def order_lines(closed: ClosedCart) -> list[OrderLine]:
    """The lines of the order that a cart becomes: copies of what is sold, sets in their parts, then shipping.

    Promotions are steps of the lines that they reduce: what a line comes to is what was paid for it.
    """
    whole: list[tuple[OrderLine, Sellable | None]] = []
    parts: dict[int, list[sets.Part]] = {}
    for position, each in enumerate(closed.lines, 1):
        bought = OrderLine(
            position=position,
            kind=LineKind.ITEM,
            variant=each.line.variant,
            sku=each.sold.sku,
            title=each.sold.title,
            options=each.sold.options,
            quantity=each.line.quantity,
            unit_price=each.unit_price,
            sold_by=each.sold.sold_by,
            tax_included=each.sold.tax_included,
            tax=each.amounts.tax,
            total=each.amounts.total,
            reductions=list(each.steps),
            plan=each.line.plan,
            gift_note=each.line.gift_note,
            **taxed_fields(each.tax),
        )
        whole.append((bought, each.sold))
        parts[position] = [_part(part) for part in each.parts]
    lines = sets.in_parts(whole, lambda line, _sold: parts[line.position])
    for parcel in closed.parcels:
        if parcel.price:
            lines.append(
                OrderLine(
                    position=len(lines) + 1,
                    kind=LineKind.SHIPPING,
                    title="Shipping",
                    quantity=1,
                    unit_price=parcel.price,
                    tax_included=bool(closed.channel.setting("prices_include_tax")),
                    tax=parcel.amounts.tax,
                    total=parcel.amounts.total,
                    reductions=[step for step in parcel.steps if step.amount],
                    **taxed_fields(parcel.decision),
                )
            )
    return lines


def _part(part: TaxedPart) -> sets.Part:
    return sets.Part(
        sold=part.sold,
        units=part.units,
        unit_price=part.unit_price,
        steps=part.steps,
        tax=part.amounts.tax,
        total=part.amounts.total,
        taxed=taxed_fields(part.decision),
    )


def taxed_fields(decision: Decision) -> dict[str, Any]:
    """How a line is taxed, as an order keeps it."""
    return {
        "tax_rate": decision.rate,
        "tax_category": decision.category,
        "tax_treatment": decision.treatment,
        "tax_country": decision.country,
        "tax_note": decision.note,
    }


def with_rounding(lines: list[OrderLine], rounding: int) -> list[OrderLine]:
    """The lines and, where cash is rounded, one that says so. Rounding is no turnover and bears no tax."""
    if rounding == 0:
        return lines
    last = OrderLine(
        position=len(lines) + 1,
        kind=LineKind.ADJUSTMENT,
        title="Cash rounding",
        quantity=1,
        unit_price=rounding,
        total=rounding,
    )
    return [*lines, last]


def payment_state(total: int, payments: Sequence[Payment]) -> OrderPayment:
    """How the money stands for an order of this total."""
    captured = sum(p.captured for p in payments)
    if captured >= total:
        return OrderPayment.PAID
    by_status = {
        status: sum(p.amount - p.captured for p in payments if p.status is status and not p.is_leaving)
        for status in (PaymentStatus.AUTHORIZED, PaymentStatus.PENDING)
    }
    if captured + by_status[PaymentStatus.AUTHORIZED] >= total:
        return OrderPayment.AUTHORIZED
    if captured + by_status[PaymentStatus.AUTHORIZED] + by_status[PaymentStatus.PENDING] >= total:
        return OrderPayment.PENDING
    return OrderPayment.UNPAID


def status_of(lines: Sequence[OrderLine], payment: OrderPayment) -> OrderStatus:
    """The status that follows from what is called off, fulfilled, returned and paid."""
    items = [line for line in lines if line.kind is LineKind.ITEM]
    bought = sum(line.quantity - line.cancelled for line in items)
    out = sum(line.fulfilled for line in items)
    if items and bought == 0:
        return OrderStatus.CALLED_OFF
    if out == 0:
        return (
            OrderStatus.PAID if payment in (OrderPayment.PAID, OrderPayment.REFUNDED) else OrderStatus.PLACED
        )
    if sum(line.returned for line in items) == bought:
        return OrderStatus.RETURNED
    return OrderStatus.FULFILLED if out == bought else OrderStatus.PARTIALLY_FULFILLED


def is_partly_cancelled(order: Order) -> bool:
    """Whether some of an order came back and the rest never left: it was not all returned."""
    return order.status is OrderStatus.RETURNED and any(line.cancelled for line in order.lines)


def select(
    lines: Sequence[OrderLine], wanted: Sequence[LineSelection] | None, left: Mapping[int, int]
) -> list[tuple[OrderLine, int]]:
    """Which lines, and how many of each: what was asked for, or all of what is left by position.

    Raises:
        InvalidInput: a line that there is not, twice the same, or more than is left of it.
    """
    by_position = {line.position: line for line in lines}
    if wanted is None:
        return [(by_position[position], quantity) for position, quantity in left.items() if quantity > 0]
    errors, chosen = [], {}
    for index, part in enumerate(wanted):
        possible = left.get(part.position, 0)
        if part.position in chosen:
            errors.append(FieldError(f"lines/{index}/position", "is named twice"))
        elif part.quantity > possible:
            errors.append(FieldError(f"lines/{index}/quantity", f"at most {possible}"))
        chosen[part.position] = part.quantity
    if errors:
        raise InvalidInput("Some lines are not right.", errors=tuple(errors))
    return [(by_position[position], quantity) for position, quantity in chosen.items()]


def by_lot(quantity: int, lots: Sequence[tuple[str, int]]) -> list[tuple[str | None, int]]:
    """Units of lots, no more than there are, and the rest of which nobody says it."""
    found: list[tuple[str | None, int]] = []
    for code, units in lots:
        part = min(units, quantity)
        quantity -= part
        if part > 0:
            found.append((code, part))
    return [*found, (None, quantity)] if quantity else found


def unfulfilled(lines: Sequence[OrderLine]) -> dict[int, int]:
    """How many of each line of goods have not left yet, by position."""
    return {
        line.position: line.quantity - line.fulfilled - line.cancelled
        for line in lines
        if line.kind is LineKind.ITEM
    }


def returnable(lines: Sequence[OrderLine]) -> dict[int, int]:
    """How many of each line of goods are out and could come back, by position."""
    return {line.position: line.fulfilled - line.returned for line in lines if line.kind is LineKind.ITEM}


def returned_line(line: OrderLine, quantity: int, position: int, sale: UUID) -> OrderLine:
    """The line of a return for some units of a sale's line, that come back or will not come.

    Each part is worth the difference of two rounded shares, so that parts come to exactly the whole.
    """
    before = line.returned + line.cancelled

    def part(whole: int) -> int:
        return share(whole, before + quantity, line.quantity) - share(whole, before, line.quantity)

    return msgspec.structs.replace(
        line,
        position=position,
        quantity=-quantity,
        tax=-part(line.tax),
        total=-part(line.total),
        fulfilled=0,
        returned=0,
        cancelled=0,
        returns=sale,
        reductions=_returned_steps(line, quantity),
        concessions=[],
        gift_note=None,
    )


def _returned_steps(line: OrderLine, quantity: int) -> list[PriceStep]:
    """The steps of a part of a line: they lead from its list price to what is given back, exactly.

    After each part, what the steps come to is spread over them in proportion, and a part has the difference to before.
    """
    if not line.reductions:
        return []
    weights = [step.amount for step in line.reductions]

    def until(pieces: int) -> list[int]:
        paid = share(line.total, pieces, line.quantity)
        if not line.tax_included:
            paid -= share(line.tax, pieces, line.quantity)
        return allocate(worth(line.unit_price, pieces, line.sold_by.per) - paid, weights)

    gone = line.returned + line.cancelled
    before, after = until(gone), until(gone + quantity)
    return [
        msgspec.structs.replace(step, amount=earlier - later)
        for step, earlier, later in zip(line.reductions, before, after, strict=True)
    ]


def goods_of(lines: Sequence[OrderLine]) -> int:
    """Pieces of goods, negative when they came back; what is weighed is one."""
    items = (line for line in lines if line.kind is LineKind.ITEM and not line.stock_correction)
    return sum(line.sold_by.pieces(line.quantity) for line in items)


def needs_place(delivery: Delivery | None) -> bool:
    """Whether the goods are handed over at one known place."""
    return delivery in (Delivery.PICKUP, Delivery.CARRY_OUT)


def where_from(
    goods: Sequence[tuple[UUID, int]], left: Sequence[tuple[UUID, UUID, int]]
) -> list[tuple[UUID, UUID, int]]:
    """Spread goods (variant, quantity) over the places (location, variant, quantity) that they had left from.

    The last to leave come back first. As (location, variant, quantity) again.
    """
    rest = list(left)
    parts: list[tuple[UUID, UUID, int]] = []
    for variant, wanted in goods:
        for index in range(len(rest) - 1, -1, -1):
            place, sold, quantity = rest[index]
            part = min(wanted, quantity) if sold == variant else 0
            if part > 0:
                parts.append((place, variant, part))
                rest[index] = (place, sold, quantity - part)
                wanted -= part
    return parts


def order_complete(lines: Sequence[OrderLine]) -> bool:
    """Whether nothing of an order is still to go."""
    return not any(unfulfilled(lines).values())
