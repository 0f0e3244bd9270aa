"""What happens to an order after it was placed: paid, handed over or shipped, cancelled, taken back."""

from uuid import UUID

import msgspec

from samlad import channels, customers, delivery, payments, promotions, stock
from samlad.channels import Channel
from samlad.kernel import cards, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import NotFound
from samlad.orders import events, fulfilment_leave, fulfilment_store, rules, store
from samlad.orders.fulfilment_events import OrderPartCalledOff
from samlad.orders.model import (
    CancelInput,
    FulfilInput,
    LineKind,
    Order,
    OrderHead,
    OrderKind,
    OrderLine,
    OrderPayment,
    OrderStatus,
    PayInput,
    ReturnInput,
    WrongState,
)
from samlad.orders.permissions import CHANGE
from samlad.orders.placement import tell_placed
from samlad.orders.settling import return_surplus


async def pay(tx: Tx, order_id: UUID, data: PayInput, *, version: int | None = None) -> Order:
    """Take payments for an order that was placed unpaid. They come to what is still due.

    Raises:
        WrongState: it is paid, cancelled, or no sale. PaymentDeclined: a provider refused.
    """
    head, lines = await _lock(tx, order_id, version)
    channel = await channels.cached(tx, head.channel)
    known = await payments.of_order(tx, order_id)
    due = head.total - head.called_off - sum(p.promised for p in known)
    if due <= 0:
        raise WrongState("Nothing is due.", state=head.status)
    amounts, rounding = payments.due_amounts(due, data.payments, head.currency, channel.country)
    taken = await payments.authorize(tx, order_id, data.payments, amounts, head.currency, channel=channel)
    await payments.keep(tx, taken, channel=head.channel, profile=head.customer)
    if rounding:
        rounded = rules.with_rounding(lines, rounding)[-1]
        if await store.add_line(tx, head.id, rounded) and head.customer is not None:
            await customers.book_spend(tx, [_spend(head, head.customer, rounding)])
        head = msgspec.structs.replace(head, total=head.total + rounding)
    return await _settle(tx, head, lines, [*known, *taken])


async def capture(tx: Tx, order_id: UUID, *, version: int | None = None) -> Order:
    """Take what was authorised for an order."""
    head, lines = await _lock(tx, order_id, version)
    if await payments.capture(tx, order_id, channel=head.channel) == 0:
        raise WrongState("Nothing is authorised, or it is being taken already.", state=head.status)
    head, taken = await return_surplus(tx, head, await payments.of_order(tx, order_id))
    return await _settle(tx, head, lines, taken)


async def fulfil(tx: Tx, order_id: UUID, data: FulfilInput, *, version: int | None = None) -> Order:
    """Goods leave for the customer, handed over or shipped: all that are left, or parts of lines.

    Raises:
        WrongState: nothing is left, or the order is cancelled.
        InvalidInput: more than is left of a line.
        SoldOut: the goods were not held (the channel does not), and they are not there.
    """
    head, lines = await _lock(tx, order_id, version)
    if head.is_held:
        leaving = await fulfilment_leave.choose(tx, head, lines, data.lines)
    else:
        chosen = rules.select(lines, data.lines, rules.unfulfilled(lines))
        channel = await channels.cached(tx, head.channel)
        leaving = await fulfilment_leave.take_now(tx, head, channel, chosen) if chosen else []
    if not leaving:
        raise WrongState("All of it has left already.", state=head.status)
    await fulfilment_leave.depart(tx, head, leaving)
    return await read_again(tx, order_id)


async def cancel(tx: Tx, order_id: UUID, data: CancelInput, *, version: int | None = None) -> Order:
    """Call an order off: its holds and its uses of promotions are released, what had left is put back, its money too.

    Raises:
        WrongState: it is cancelled already, or some of it came back (take the rest back too).
    """
    cards.refuse(data.reason, "reason")
    head, lines = await _lock(tx, order_id, version)
    return await cancel_locked(tx, head, lines, data)


async def cancel_locked(tx: Tx, head: OrderHead, lines: list[OrderLine], data: CancelInput) -> Order:
    """`cancel` for an order that the caller holds and may change."""
    order_id = head.id
    if any(line.returned for line in lines):
        raise WrongState("Some of it was returned; return the rest.", state=head.status)
    if any(line.cancelled for line in lines):
        return await _cancel_rest(tx, head, lines, data)
    if head.is_held:
        await stock.release(tx, order_id)
    await fulfilment_store.end_all(tx, order_id, data.reason)
    out = [(line.variant, line.fulfilled) for line in lines if line.variant and line.fulfilled]
    if out:
        await _restock(tx, head, out, None, order_id)
    await promotions.release(tx, order_id, channel=head.channel)
    known = await payments.lock_of_order(tx, order_id)  # what came in a moment ago may not be in the head yet
    refunded = sum(payment.refundable for payment in known)
    await payments.refund(tx, order_id, refunded, channel=head.channel, reason=data.reason)
    await payments.void(tx, order_id, channel=head.channel)
    await delivery.give_back(tx, order_id)
    values = {
        "status": OrderStatus.CANCELLED,
        "payment_status": OrderPayment.REFUNDED if refunded else head.payment_status,
        "paid": sum(payment.captured for payment in known),
        "refunded": sum(payment.refunded for payment in known) + refunded,
        "is_held": False,
    }
    await store.update(tx, order_id, values)
    fact = events.OrderCancelled(
        number=head.number, total=head.total, currency=head.currency, refunded=refunded, reason=data.reason
    )
    log.append(tx, fact, subject=order_id, channel=head.channel, profile=head.customer)
    return await read_again(tx, order_id)


async def _cancel_rest(tx: Tx, head: OrderHead, lines: list[OrderLine], data: CancelInput) -> Order:
    """Call off what is left of an order of which a part was called off before; that part has its return already."""
    if any(line.fulfilled for line in lines):
        raise WrongState("Some of it was called off; return the rest.", state=head.status)
    rest = [
        (line, line.quantity - line.cancelled)
        for line in lines
        if line.kind is LineKind.ITEM and line.quantity > line.cancelled
    ]
    if not rest:
        raise WrongState("All of it was called off.", state=head.status)
    await stock.release(tx, head.id)
    await fulfilment_store.end_all(tx, head.id, data.reason)
    await call_off(tx, head, lines, rest, data.reason)
    return await read_again(tx, head.id)


async def call_off(
    tx: Tx, head: OrderHead, lines: list[OrderLine], chosen: list[tuple[OrderLine, int]], reason: str
) -> int:
    """Units of a locked order will not come: they become an order of kind return, and their money goes back.

    Holds and fulfilments are the caller's. When nothing of the order will come, what shipping cost goes back too.
    What was not paid yet is not asked for any more. Returns what went back (minor units).
    """
    channel = await channels.cached(tx, head.channel)
    off = {line.position: quantity for line, quantity in chosen}
    nothing_comes = all(
        line.kind is not LineKind.ITEM or line.cancelled + off.get(line.position, 0) == line.quantity
        for line in lines
    )
    worth_of = list(chosen)
    if nothing_comes:
        worth_of += [(line, line.quantity) for line in lines if line.kind is LineKind.SHIPPING]
    return_id = new_id()
    came = [rules.returned_line(line, q, n, head.id) for n, (line, q) in enumerate(worth_of, 1)]
    worth = -sum(line.total for line in came)
    known = await payments.lock_of_order(tx, head.id)
    paid, before = sum(payment.captured for payment in known), sum(payment.refunded for payment in known)
    refund = min(worth, paid - before)
    await payments.refund(tx, head.id, refund, channel=head.channel, reason=reason)
    if nothing_comes:
        await payments.void(tx, head.id, channel=head.channel)
    back = _return_order(return_id, head, channel, came, ReturnInput(reason=reason), refund)
    number = await store.insert(tx, back, channel.setting("number_prefix"))
    tell_placed(tx, msgspec.structs.replace(back, number=number))
    await store.add_to_lines(tx, head.id, "cancelled", sorted(off.items()))
    refunded = before + refund
    state = OrderPayment.REFUNDED if refund and refunded == paid else head.payment_status
    lines = await store.lines_of(tx, head.id)
    values = {
        "status": rules.status_of(lines, state),
        "payment_status": state,
        "paid": paid,
        "refunded": refunded,
        "called_off": head.called_off + worth - refund,
        "is_held": head.is_held and any(rules.unfulfilled(lines).values()),
    }
    await store.update(tx, head.id, values)
    fact = OrderPartCalledOff(
        number=head.number,
        by=return_id,
        total=-worth,
        currency=head.currency,
        refunded=refund,
        reason=reason,
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return refund


async def take_back(tx: Tx, order_id: UUID, data: ReturnInput, *, version: int | None = None) -> Order:
    """Goods come back: they become an order of kind return, are put back, and their money goes back.

    Returns the new order of kind return, whose amounts are negative. What was not paid is not refunded; shipping and
    cash rounding stay with the sale.

    Raises:
        WrongState: nothing is out. InvalidInput: more than is out of a line.
    """
    cards.refuse(data.reason, "reason")
    head, lines = await _lock(tx, order_id, version)
    chosen = rules.select(lines, data.lines, rules.returnable(lines))
    if not chosen:
        raise WrongState("Nothing of it is out.", state=head.status)
    if data.location is not None:
        tx.actor.require(CHANGE, location=data.location)
    channel = await channels.cached(tx, head.channel)
    return_id = new_id()
    came = [rules.returned_line(line, q, n, order_id) for n, (line, q) in enumerate(chosen, 1)]
    worth = -sum(line.total for line in came)
    known = await payments.lock_of_order(tx, order_id)
    paid, before = sum(payment.captured for payment in known), sum(payment.refunded for payment in known)
    refund = min(worth, paid - before) if data.refund else 0
    if data.restock:
        goods = [(line.variant, quantity) for line, quantity in chosen if line.variant]
        await _restock(tx, head, goods, data.location, return_id)
    await payments.refund(tx, order_id, refund, channel=head.channel, reason=data.reason)
    back = _return_order(return_id, head, channel, came, data, refund)
    number = await store.insert(tx, back, channel.setting("number_prefix"))
    back = msgspec.structs.replace(back, number=number)
    tell_placed(tx, back)
    await store.add_to_lines(tx, order_id, "returned", [(line.position, q) for line, q in chosen])
    refunded = before + refund
    state = OrderPayment.REFUNDED if refund and refunded == paid else head.payment_status
    status = rules.status_of(await store.lines_of(tx, order_id), state)
    values = {"status": status, "payment_status": state, "paid": paid, "refunded": refunded}
    await store.update(tx, order_id, values)
    fact = events.OrderReturned(
        number=head.number,
        by=return_id,
        total=-worth,
        currency=head.currency,
        refunded=refund,
        reason=data.reason,
    )
    log.append(tx, fact, subject=order_id, channel=head.channel, profile=head.customer)
    return back


async def read_again(tx: Tx, order_id: UUID) -> Order:
    """The order as it is now, with lines and payments."""
    order = await store.read(tx, order_id)
    assert order is not None
    return msgspec.structs.replace(
        order,
        payments=await payments.of_order(tx, order_id),
        refunds=await payments.refunds_of(tx, order_id) if order.refunded else [],
    )


async def _lock(tx: Tx, order_id: UUID, version: int | None) -> tuple[OrderHead, list[OrderLine]]:
    """A sale that can still be changed, held until the transaction ends.

    Raises:
        NotFound, Outdated, Forbidden: no such order, another version, not at this actor's location.
        WrongState: it is cancelled, history, or no sale.
    """
    found = await store.lock(tx, order_id)
    if found is None:
        tx.actor.require(CHANGE)
        raise NotFound("There is no such order.")
    head, lines = found
    tx.actor.require(CHANGE, location=head.location)
    check_version(version, head.version)
    if head.kind is not OrderKind.SALE:
        raise WrongState(f"It is a {head.kind}, not a sale.", state=head.status)
    if head.imported is not None:
        raise WrongState("It is history that was imported; it cannot be changed here.", state=head.status)
    if head.status is OrderStatus.CANCELLED:
        raise WrongState("It is cancelled.", state=head.status)
    return head, lines


async def _settle(tx: Tx, head: OrderHead, lines: list[OrderLine], taken: list[payments.Payment]) -> Order:
    """Bring paid sum, payment status and status in line with the payments."""
    state = rules.payment_state(head.total - head.called_off, taken)
    paid = sum(p.captured for p in taken)
    values = {
        "payment_status": state,
        "paid": paid,
        "refunded": sum(p.refunded for p in taken),
        "called_off": head.called_off,
        "total": head.total,
        "status": rules.status_of(lines, state),
    }
    await store.update(tx, head.id, values)
    if state is OrderPayment.PAID:
        fact = events.OrderPaid(number=head.number, total=head.total, currency=head.currency)
        log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return await read_again(tx, head.id)


def _spend(head: OrderHead, customer: UUID, amount: int) -> customers.Spend:
    """A change of what an order that is counted already comes to."""
    return customers.Spend(
        customer=customer, currency=head.currency, orders=0, spent=amount, last_order_at=head.placed_at
    )


async def _restock(
    tx: Tx, head: OrderHead, goods: list[tuple[UUID, int]], place: UUID | None, reference: UUID
) -> None:
    """Put goods back: at one place, else where each of them had left from."""
    if place is None:
        left = [
            (moved.location, moved.variant, -moved.quantity) for moved in await stock.shipped(tx, head.id)
        ]
        lines = rules.where_from(goods, left)
    else:
        lines = [(place, variant, quantity) for variant, quantity in goods]
    await stock.restock(tx, lines, reference=reference, sold_as=head.id)


def _return_order(
    return_id: UUID, head: OrderHead, channel: Channel, lines: list[OrderLine], data: ReturnInput, refund: int
) -> Order:
    moment = now()
    return Order(
        id=return_id,
        pool=head.pool,
        channel=head.channel,
        number="",
        kind=OrderKind.RETURN,
        status=OrderStatus.RETURNED,
        payment_status=OrderPayment.REFUNDED if refund else OrderPayment.UNPAID,
        customer=head.customer,
        email=head.email,
        name=head.name,
        phone=head.phone,
        address=head.address,
        country=head.country,
        currency=head.currency,
        delivery=head.delivery,
        location=data.location or head.location,
        items=rules.goods_of(lines),
        tax=sum(line.tax for line in lines),
        total=sum(line.total for line in lines),
        returns=head.id,
        placed_at=moment,
        local_day=local_day(moment, channel.time_zone),
        lines=lines,
    )
