"""New goods of a change: more in the same order, or a sale of their own that what came back pays for."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad import delivery, payments, stock
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.orders import change_store as rows
from samlad.orders import (
    change_tender,
    events,
    exchange_store,
    fulfilment_plan,
    fulfilment_rules,
    placement,
    rules,
    settling,
    store,
)
from samlad.orders.change_model import ChangeInput, Notice
from samlad.orders.change_planned import Facts, Planned
from samlad.orders.change_taxing import where_to
from samlad.orders.fulfilment_model import FulfilmentState, Method, Part
from samlad.orders.model import (
    LineKind,
    Order,
    OrderHead,
    OrderKind,
    OrderLine,
    OrderStatus,
    PlaceOrder,
    WrongState,
)
from samlad.payments import Payment, PaymentInput
from samlad.stock import HoldKind, HoldLine


async def add_goods(tx: Tx, head: OrderHead, channel: Channel, lines: Sequence[OrderLine]) -> bool:
    """More lines of an order that has not left: held like the others, and given to the places that have them. What the place
    has that brings the order in a slot comes in it, while that is possible; all else as what is chosen without a method.

    Whether the sums of the order's day had it already, and the customer's spend is to follow.

    Raises:
        SoldOut: there are not so many.
    """
    is_counted = await rows.grow(tx, head.id, lines)
    place = head.location if rules.needs_place(head.delivery) else None
    units = [(line.position, line.variant, line.quantity) for line in lines if line.variant is not None]
    if not units or not head.is_held:
        return is_counted
    wanted = [HoldLine(variant=variant, quantity=q, location=place) for _position, variant, q in units]
    held = await stock.take(tx, wanted, channel=channel, kind=HoldKind.ORDER, owner=head.id)
    places = [(hold.location, hold.variant, hold.quantity) for hold in held]
    spread = fulfilment_rules.spread(units, places)
    brings = None if head.promise is None else head.promise.location
    if brings in spread and not await delivery.reaches_slot(tx, head.id, head.delivery_method, head.promise):
        brings = None
    moment = now()
    parts = [
        Part(
            id=new_id(),
            location=location,
            method=Method.SAME_DAY if location == brings else fulfilment_rules.method_of(head.delivery),
            state=FulfilmentState.OPEN,
            due_at=await fulfilment_plan.due_at(
                tx, location, channel, moment, head if location == brings else None
            ),
            lines=there,
        )
        for location, there in spread.items()
    ]
    await fulfilment_plan.make(tx, head, parts)
    return is_counted


async def slot_notices(
    reader: Reader, head: OrderHead, channel: Channel, lines: Sequence[OrderLine]
) -> list[Notice]:
    """Which of the lines that `add_goods` would add now do not come in the order's slot, but as a parcel."""
    place = head.location if rules.needs_place(head.delivery) else None
    wanted = [
        HoldLine(variant=line.variant, quantity=line.quantity, location=place)
        for line in lines
        if line.variant is not None
    ]
    if not wanted or not head.is_held or head.promise is None or head.promise.slot is None:
        return []
    brings, along = head.promise.location, Counter[UUID]()
    if await delivery.reaches_slot(reader, head.id, head.delivery_method, head.promise):
        places = await stock.planned(reader, wanted, channel=channel)
        along.update({variant: units for (place, variant), units in places.items() if place == brings})
    found = []
    for line in lines:
        if line.variant is None:
            continue
        comes = min(line.quantity, along[line.variant])
        along[line.variant] -= comes
        if comes < line.quantity:
            code = "some-not-in-slot" if comes else "not-in-slot"
            what = f"Some of “{line.title}” does" if comes else f"“{line.title}” does"
            text = f"{what} not come in the delivery slot, but as a parcel."
            found.append(Notice(code=code, text=text, values={"title": line.title}))
    return found


async def pay_more(
    tx: Tx, head: OrderHead, channel: Channel, due: int, data: ChangeInput
) -> tuple[list[Payment], int]:
    """Payments for what was added to an order, and by how much cash was rounded: the order gets a line that says so."""
    amounts, rounding = payments.due_amounts(due, data.payments, payments.coin_of(channel, head.currency))
    taken = await payments.authorize(tx, head.id, data.payments, amounts, head.currency, channel=channel)
    await payments.keep(tx, taken, channel=head.channel, profile=head.customer)
    if rounding:
        await store.add_line(
            tx, head.id, rules.with_rounding(await store.lines_of(tx, head.id), rounding)[-1]
        )
    return taken, rounding


async def sell(
    tx: Tx, head: OrderHead, facts: Facts, planned: Planned, data: ChangeInput, *, toward: UUID | None = None
) -> UUID | None:
    """The sale of what is given instead, or of the cart in the same ticket; what came back pays for it.

    Raises:
        SoldOut, PriceChanged, TotalChanged: it cannot be had (so) any more. InvalidInput: it is not paid.
    """
    preview = planned.preview
    if toward is None and data.cart is None and not preview.sold:
        return None
    paid = []
    if preview.transferred:
        token = new_id()
        await rows.add_credit(tx, token, head.id, preview.transferred)
        paid.append(PaymentInput(provider=change_tender.NAME, token=str(token), amount=preview.transferred))
    if toward is not None:
        await _pay_toward(tx, toward, paid)
        return toward
    if preview.to_pay and not data.payments and not data.pay_later:
        raise InvalidInput.at("payments", f"{preview.to_pay} (minor units) is to be paid; say how, or later")
    if data.cart is None:
        placed = await _place(tx, head, facts, planned, data, paid)
    else:
        placed = await _place_cart(tx, facts, planned, data, paid)
    await rows.set_changes(tx, placed, head.id)
    return placed


async def _pay_toward(tx: Tx, sale: UUID, paid: Sequence[PaymentInput]) -> None:
    """What came back pays for a sale that was placed before (an exchange before the goods were here)."""
    if not paid:
        return
    found = await store.lock(tx, sale)
    assert found is not None
    head = found[0]
    if head.status is OrderStatus.CANCELLED:
        raise WrongState(
            "What was given instead was called off just now; settle it again.", state=head.status
        )
    taken = await payments.authorize(tx, sale, paid, [each.amount or 0 for each in paid], head.currency)
    await payments.keep(tx, taken, channel=head.channel, profile=head.customer)
    await settling.let_go_of_rest(tx, head)
    await settling.settle_order(tx, sale)


async def _place_cart(
    tx: Tx, facts: Facts, planned: Planned, data: ChangeInput, paid: list[PaymentInput]
) -> UUID:
    assert data.cart is not None
    later = data.pay_later and not paid and not data.payments
    if data.pay_later and not later:
        raise InvalidInput.at("pay_later", "a ticket that is paid in part is paid now")
    wanted = PlaceOrder(
        cart=data.cart,
        payments=[*paid, *data.payments] if planned.preview.sold_total else [],
        total=facts.cart_total,
        pay_later=later,
    )
    return (await placement.place(tx, wanted)).id


async def _place(
    tx: Tx, head: OrderHead, facts: Facts, planned: Planned, data: ChangeInput, paid: list[PaymentInput]
) -> UUID:
    """Place a sale without a cart: its prices are those of the preview."""
    preview, channel, sale = planned.preview, facts.sold_in, new_id()
    due = preview.transferred + (preview.to_pay if data.payments else 0)
    claimed = await _claimed(tx, sale, data, channel)
    inputs = [*paid, *payments.with_amounts(data.payments if preview.to_pay else [], claimed)]
    amounts, rounding = (
        payments.due_amounts(due, inputs, payments.coin_of(channel, head.currency)) if inputs else ([], 0)
    )
    taken = (
        await payments.authorize(tx, sale, inputs, amounts, head.currency, channel=channel, claimed=claimed)
        if inputs
        else []
    )
    place = data.location if data.hand_over else None
    wanted = [
        HoldLine(variant=line.variant, quantity=line.quantity, location=place)
        for line in preview.sold
        if line.variant is not None
    ]
    held = await stock.take(tx, wanted, channel=channel, kind=HoldKind.ORDER, owner=sale)
    lines = rules.with_rounding(list(preview.sold), rounding)
    if data.hand_over:
        lines = [
            msgspec.structs.replace(line, fulfilled=line.quantity) if line.kind is LineKind.ITEM else line
            for line in lines
        ]
    order = _order(sale, head, channel, lines, taken, data)
    method = fulfilment_rules.method_of(order.delivery)
    parts = await fulfilment_plan.at_placing(tx, channel, method, lines, held)
    number = await store.insert(tx, order, channel.setting("number_prefix"), parts)
    order = msgspec.structs.replace(order, number=number)
    placement.tell_placed(tx, order)
    fulfilment_plan.tell_opened(tx, order, parts)
    await payments.keep(tx, taken, channel=channel.id, profile=order.customer)
    if data.hand_over:
        await stock.ship(tx, sale, reference=sale)
        gone = [{"position": line.position, "quantity": line.fulfilled} for line in lines if line.fulfilled]
        fact = events.OrderFulfilled(number=number, lines=gone, is_complete=True)
        log.append(tx, fact, subject=sale, channel=channel.id, profile=order.customer)
    return sale


async def _claimed(tx: Tx, sale: UUID, data: ChangeInput, channel: Channel) -> dict[UUID, Payment]:
    """What was begun for this change before, by a customer who pays it online."""
    if data.id is None or not any(given.payment for given in data.payments):
        return {}
    if await exchange_store.order_of(tx, data.id) is None:
        raise InvalidInput.at("payments", "nothing was begun for this change")
    return await payments.claim(tx, sale, data.id, data.payments, channel)


def _order(
    sale: UUID,
    head: OrderHead,
    channel: Channel,
    lines: list[OrderLine],
    taken: Sequence[Payment],
    data: ChangeInput,
) -> Order:
    """The sale of what is given instead: handed over here, else sent or picked up as the first order was."""
    moment, total = now(), sum(line.total for line in lines)
    state = rules.payment_state(total, taken)
    delivery, place, _address = where_to(head, data)
    return Order(
        id=sale,
        pool=channel.pools[Resource.ORDERS],
        channel=channel.id,
        number="",
        kind=OrderKind.SALE,
        status=rules.status_of(lines, state),
        payment_status=state,
        customer=head.customer,
        email=head.email,
        name=head.name,
        phone=head.phone,
        address=head.address,
        country=head.country,
        currency=head.currency,
        delivery=delivery,
        location=place,
        items=rules.goods_of(lines),
        tax=sum(line.tax for line in lines),
        total=total,
        paid=sum(payment.captured for payment in taken),
        changes=head.id,
        is_held=not data.hand_over,
        placed_at=moment,
        local_day=local_day(moment, channel.time_zone),
        lines=lines,
        payments=list(taken),
    )
