"""What happens to an order after it was placed: paid, handed over or shipped, cancelled, taken back."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

import msgspec

from samlad import channels, customers, delivery, payments, promotions, stock
from samlad.channels import Channel
from samlad.kernel import cards, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import NotFound
from samlad.orders import (
    change_facts,
    change_make,
    change_stock,
    deposits,
    events,
    fulfilment_leave,
    fulfilment_store,
    rules,
    seeing,
    store,
    tip_store,
)
from samlad.orders.change_model import CancelAction, ChangeInput, RefundTo, ReturnAction
from samlad.orders.model import (
    CancelInput,
    FulfilInput,
    LineKind,
    Order,
    OrderHead,
    OrderLine,
    OrderPayment,
    OrderStatus,
    PayInput,
    ReturnInput,
    WrongState,
)
from samlad.orders.permissions import CHANGE
from samlad.orders.settling import return_surplus


async def pay(
    tx: Tx,
    order_id: UUID,
    data: PayInput,
    *,
    version: int | None = None,
    offered_by: Channel | None = None,
) -> Order:
    """Take payments for an order that was placed unpaid, or with a deposit: all that is still due, or a part of it.

    Money may be taken at any place (``location``) where the actor may change orders. Payments that were begun for the order
    before (`samlad.orders.balance`) are claimed. ``offered_by``: whose ways to pay they are, if not the order's channel's.

    Raises:
        WrongState: it is paid, cancelled, or no sale. PaymentDeclined: a provider refused.
        InvalidInput: they come to something else, or a part of it is an amount that coins cannot pay.
    """
    head, lines = await _lock(tx, order_id, version, at=data.location)
    channel = offered_by or await channels.cached(tx, head.channel)
    known = await payments.of_order(tx, order_id)
    due = head.total - head.called_off - sum(p.promised for p in known)
    if due <= 0:
        raise WrongState("Nothing is due.", state=head.status)
    claimed = await payments.claim(tx, order_id, order_id, data.payments, channel)
    inputs = payments.with_amounts(data.payments, claimed)
    now_paid = deposits.part_of(due, inputs) if data.is_part else due
    amounts, rounding = payments.due_amounts(now_paid, inputs, payments.coin_of(channel, head.currency))
    if now_paid < due:
        deposits.check_coins(rounding)
    taken = await payments.authorize(
        tx, order_id, inputs, amounts, head.currency, channel=channel, claimed=claimed
    )
    await payments.keep(tx, taken, channel=head.channel, profile=head.customer)
    if data.location is not None:
        await payments.taken_at(tx, [payment.id for payment in taken], data.location)
    if now_paid < due and head.deposit is None:
        sold_in = await channels.cached(tx, head.channel)
        until = deposits.due_day(sold_in, local_day(now(), sold_in.time_zone))
        await store.set_deposit(tx, head.id, now_paid, until)
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
    left = sum(payment.captured - payment.refunded for payment in known)
    left -= head.credited + await tip_store.kept(tx, order_id)
    # What their bank takes back is not given back a second time.
    refunded = min(left, sum(payment.refundable for payment in known))
    await payments.refund(tx, order_id, refunded, channel=head.channel, reason=data.reason)
    await payments.void(tx, order_id, channel=head.channel)
    await delivery.give_back(tx, order_id)
    channel = await channels.cached(tx, head.channel)
    values = {
        "status": OrderStatus.CANCELLED,
        "cancelled_on": local_day(now(), channel.time_zone),
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
    What was not paid yet is not asked for any more; where their bank takes the money back, nothing goes back here. Returns what went
    back (minor units).
    """
    actions = [CancelAction(position=line.position, quantity=quantity) for line, quantity in chosen]
    is_disputed = any(payment.disputed for payment in await payments.lock_of_order(tx, head.id))
    to = RefundTo.NOTHING if is_disputed else RefundTo.TENDER
    change = ChangeInput(actions=list(actions), note=reason, refund_to=to)
    planned, _done = await change_make.make(tx, head, lines, change, frees=False, is_bound=False)
    return planned.preview.refunded


async def take_back(
    tx: Tx,
    order_id: UUID,
    data: ReturnInput,
    *,
    version: int | None = None,
    lots: Mapping[int, Sequence[tuple[str, int]]] = MappingProxyType({}),
) -> Order:
    """Goods come back: they become an order of kind return, are put back, and their money goes back.

    The plain way into the change engine (`samlad.orders.change_apply`), within the same windows and limits. Returns the
    new order of kind return, whose amounts are negative. Cash rounding stays with the sale; shipping, too, unless a consumer
    withdraws from all of it in time. ``lots`` says by position which lots come back, (code, units) each.

    Raises:
        WrongState: nothing is out. InvalidInput: more than is out of a line.
        NeedsOverride: a window is over or a limit passed.
    """
    cards.refuse(data.reason, "reason")
    found = await store.lock(tx, order_id)
    if found is None:
        tx.actor.require(CHANGE)
        raise NotFound("There is no such order.")
    head, lines = found
    if data.location is None:
        tx.actor.require(CHANGE, location=head.location)
    check_version(version, head.version)
    change_facts.check_state(head)
    chosen = rules.select(lines, data.lines, rules.returnable(lines))
    if not chosen:
        raise WrongState("Nothing of it is out.", state=head.status)
    change = ChangeInput(
        actions=[
            ReturnAction(position=line.position, quantity=units, restock=data.restock, lot=lot)
            for line, quantity in chosen
            for lot, units in rules.by_lot(quantity, lots.get(line.position, ()))
        ],
        location=data.location,
        refund_to=RefundTo.TENDER if data.refund else RefundTo.NOTHING,
        note=data.reason,
        override=data.reason,
    )
    await change_facts.require(tx, tx.actor, head, change)
    _planned, done = await change_make.make(tx, head, lines, change)
    assert done.came_back is not None
    return done.came_back


async def read_again(tx: Tx, order_id: UUID) -> Order:
    """The order as it is now, with lines and payments."""
    order = await store.read(tx, order_id)
    assert order is not None
    return msgspec.structs.replace(
        order,
        payments=await payments.of_order(tx, order_id),
        refunds=await payments.refunds_of(tx, order_id) if order.paid else [],
    )


async def _lock(
    tx: Tx, order_id: UUID, version: int | None, *, at: UUID | None = None
) -> tuple[OrderHead, list[OrderLine]]:
    """A sale that can still be changed, held until the transaction ends. ``at``: where it is done, if not at its own place.

    Raises:
        NotFound, Outdated, Forbidden: no such order, another version, not at this actor's location.
        WrongState: it is cancelled, history, or no sale.
    """
    found = await store.lock(tx, order_id)
    if found is None:
        tx.actor.require(CHANGE)
        raise NotFound("There is no such order.")
    head, lines = found
    tx.actor.require(CHANGE, location=at or head.location)
    if at is None:
        await seeing.check(tx, tx.actor, order_id)
    check_version(version, head.version)
    change_facts.check_state(head)
    change_facts.check_ours(head)
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
            (moved.location, moved.variant, -moved.quantity)
            for moved in await stock.shipped(tx, head.id, [variant for variant, _ in goods])
        ]
        lines = rules.where_from(goods, left)
    else:
        lines = [(place, variant, quantity) for variant, quantity in goods]
    shares = await stock.sold_lots(tx, head.id, [(variant, quantity, ()) for variant, quantity in goods])
    by_lot = [
        each
        for (variant, _quantity), lots in zip(goods, shares, strict=True)
        for each in change_stock.share([line for line in lines if line[1] == variant], lots)
    ]
    await stock.restock(
        tx,
        [each for each, _lot in by_lot],
        reference=reference,
        sold_as=head.id,
        lots=[lot for _each, lot in by_lot],
    )
