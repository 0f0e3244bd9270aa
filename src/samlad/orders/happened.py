"""Sales that have happened: a till rang them up without us, the customer has left with the goods, the money is in the drawer.

Nothing is priced, authorised or refused here: the order says what was sold, for how much, and how it was paid. Whether the
server would have agreed is for `samlad.tills` to note beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad import catalog, payments, stock
from samlad.carts import Delivery, PriceStep
from samlad.catalog import Measure, Sellable
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.clock import local_day
from samlad.kernel.database import Tx
from samlad.orders import events, rules, sets, store, tips
from samlad.orders.model import LineKind, Order, OrderKind, OrderLine
from samlad.orders.placement import tell_placed
from samlad.payments import Payment
from samlad.payments.at_till import Tendered
from samlad.stock import Sold
from samlad.stock.lots_model import Named
from samlad.tax import Treatment, plain_category

FOUND = "Sold at a till beyond what the books had"
"""The reason of corrections that make room for such a sale."""


class HappenedTax(msgspec.Struct, frozen=True):
    """What of a line was taxed at a rate (basis points): its tax, and its total with tax, in minor units."""

    rate: int
    tax: int
    total: int


class HappenedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it was sold. Amounts in minor units; ``total`` is with tax. Without a variant it is goods
    that nobody knows here, unless it ``is_gift_card``. ``taxes``: a set was taxed at more than one rate. ``lots`` were scanned.
    """

    variant: UUID | None
    sku: str | None
    title: str
    options: str = ""
    quantity: int
    unit_price: int
    reductions: Sequence[PriceStep] = ()
    tax_rate: int
    tax: int
    total: int
    taxes: Sequence[HappenedTax] = ()
    sold_by: Measure = Measure.PIECE
    is_gift_card: bool = False
    lots: Sequence[Named] = ()


class HappenedSale(msgspec.Struct, frozen=True, kw_only=True):
    """A sale of a store's till. ``id`` is the order's to be; ``lease`` owns the holds that it sells first, ``reference`` is what the receipt says.

    ``tip`` was given for the staff, to ``clerk``; the tenders bring it, too.
    ``claimed`` was reserved before and is the order's already (`payments.claim_sold`).
    ``difference`` is what was paid more (less, negative) than the lines and the ``rounding`` come to, minor units.
    """

    id: UUID
    lease: UUID
    location: UUID
    happened_at: datetime
    reference: str
    lines: Sequence[HappenedLine]
    tenders: Sequence[Tendered]
    claimed: Sequence[Payment] = ()
    rounding: int = 0
    difference: int = 0
    tip: int = 0
    clerk: UUID | None = None
    clerk_name: str = ""
    customer: UUID | None = None
    cart: UUID | None = None


async def record(tx: Tx, channel: Channel, sale: HappenedSale) -> tuple[Order, Sold]:
    """Make the order of a sale that has happened, with its movements and payments, and what the books lacked for it.

    Part of the verbs of tills, whose permissions guard it, and which see to it that it happens once.
    """
    order_id = sale.id
    lines = _lines(channel, sale, await _sets(tx, channel, sale))
    taken = [
        *payments.taken_at_till(order_id, sale.tenders, channel.currency, reference=sale.reference),
        *sale.claimed,
    ]
    total = sum(line.total for line in lines)
    state = rules.payment_state(total, taken)
    order = Order(
        id=order_id,
        pool=channel.pools[Resource.ORDERS],
        channel=channel.id,
        number="",
        kind=OrderKind.SALE,
        status=rules.status_of(lines, state),
        payment_status=state,
        customer=sale.customer,
        country=channel.country,
        currency=channel.currency,
        delivery=Delivery.CARRY_OUT,
        location=sale.location,
        items=rules.goods_of(lines),
        tax=sum(line.tax for line in lines),
        total=total,
        paid=sum(payment.captured for payment in taken),
        cart=sale.cart,
        placed_at=sale.happened_at,
        local_day=local_day(sale.happened_at, channel.time_zone),
        lines=lines,
        payments=taken,
    )
    number = await store.insert(tx, order, channel.setting("number_prefix"))
    order = msgspec.structs.replace(order, number=number)
    tell_placed(tx, order, occurred_at=sale.happened_at)
    await payments.keep(tx, taken, channel=channel.id, profile=order.customer, occurred_at=sale.happened_at)
    await tips.keep(tx, order, sale.tip, clerk=sale.clerk, name=sale.clerk_name, at=sale.happened_at)
    return order, await _hand_over(tx, channel, sale, order)


async def _hand_over(tx: Tx, channel: Channel, sale: HappenedSale, order: Order) -> Sold:
    gone = [{"position": line.position, "quantity": line.fulfilled} for line in order.lines if line.fulfilled]
    if not gone:
        return Sold([], [])
    goods = [(line.variant, line.quantity) for line in order.lines if line.variant is not None]
    reason = f"{FOUND}: {sale.reference}"
    sold = (
        await stock.sell(
            tx,
            sale.location,
            goods,
            lease=sale.lease,
            reference=order.id,
            reason=reason,
            happened_at=sale.happened_at,
            named=[each for line in sale.lines if line.variant is not None for each in line.lots],
        )
        if goods
        else Sold([], [])
    )
    fact = events.OrderFulfilled(number=order.number, lines=gone, is_complete=True)
    log.append(
        tx,
        fact,
        subject=order.id,
        channel=channel.id,
        profile=order.customer,
        occurred_at=sale.happened_at,
    )
    return sold


async def _sets(tx: Tx, channel: Channel, sale: HappenedSale) -> dict[UUID, Sellable]:
    """Those of what was sold that are sets; what they are made of now is what left."""
    sold = [line.variant for line in sale.lines if line.variant is not None]
    found = await stock.parts_of(tx, sold)
    return await catalog.sellables(tx, channel, list(found), at=sale.happened_at) if found else {}


def _lines(channel: Channel, sale: HappenedSale, parted: Mapping[UUID, Sellable]) -> list[OrderLine]:
    included = bool(channel.setting("prices_include_tax"))
    lines = [
        OrderLine(
            position=position,
            kind=LineKind.GIFT_CARD if line.is_gift_card else LineKind.ITEM,
            variant=line.variant,
            sku=line.sku,
            title=line.title,
            options=line.options,
            quantity=line.quantity,
            unit_price=line.unit_price,
            sold_by=line.sold_by,
            tax_included=included,
            tax=line.tax,
            total=line.total,
            fulfilled=0 if line.is_gift_card else line.quantity,
            reductions=list(line.reductions),
            **_taxed(channel, line.tax_rate),
        )
        for position, line in enumerate(sale.lines, 1)
    ]
    lines = sets.in_parts(
        ((line, parted.get(line.variant) if line.variant else None) for line in lines),
        lambda line, sold: _parts(channel, line, sold, sale.lines[line.position - 1].taxes),
    )
    lines = rules.with_rounding(lines, sale.rounding)
    if sale.difference:
        lines.append(
            OrderLine(
                position=len(lines) + 1,
                kind=LineKind.ADJUSTMENT,
                title="Difference at the till",
                quantity=1,
                unit_price=sale.difference,
                total=sale.difference,
            )
        )
    return lines


def _taxed(channel: Channel, rate: int) -> dict[str, Any]:
    return {
        "tax_rate": rate,
        "tax_category": plain_category(rate),
        "tax_treatment": Treatment.DOMESTIC,
        "tax_country": channel.country,
    }


def _parts(
    channel: Channel, line: OrderLine, sold: Sellable, told: Sequence[HappenedTax]
) -> Sequence[sets.Part]:
    """The parts of a set that was sold, taxed as the receipt says; a till that knew one rate of it has told the customer so."""
    if not told:
        return sets.as_told(line, sold)
    sums: dict[int, tuple[int, int]] = {}
    for each in told:
        tax, total = sums.get(each.rate, (0, 0))
        sums[each.rate] = tax + each.tax, total + each.total
    return sets.as_told_by_rate(sums, lambda part: _taxed(channel, part.tax_rate))(line, sold)
