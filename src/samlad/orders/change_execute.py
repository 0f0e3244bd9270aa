"""Do what a plan says: goods, money and the orders that say so, in the caller's transaction on a locked order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, credit, customers, delivery, payments, promotions
from samlad.kernel import log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.orders import change_sale, change_stock, events, rules, store
from samlad.orders import change_store as rows
from samlad.orders.change_model import ChangeInput, ChangeRow, Preview
from samlad.orders.change_planned import Facts, Planned
from samlad.orders.fulfilment_events import OrderPartCalledOff
from samlad.orders.model import (
    LineKind,
    Order,
    OrderHead,
    OrderKind,
    OrderLine,
    OrderPayment,
    OrderStatus,
)
from samlad.orders.placement import tell_placed


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a change made."""

    id: UUID
    came_back: Order | None = None
    called_off: Order | None = None
    placed: UUID | None = None


async def execute(
    tx: Tx,
    head: OrderHead,
    facts: Facts,
    planned: Planned,
    data: ChangeInput,
    *,
    frees: bool = True,
    toward: UUID | None = None,
) -> Done:
    """Make a planned change. The caller holds the order and has locked its payments.

    ``frees`` False: the holds and fulfilments of what is called off are the caller's business. ``toward``: the sale,
    already placed, that is paid by what comes back.
    """
    preview, done = planned.preview, Done(id=data.id or new_id())
    if planned.off and frees:
        await change_stock.free(tx, head, list(planned.off.items()), data.note)
    off = await _book(tx, head, preview.called_off, data, preview, is_off=True)
    back = await _book(tx, head, preview.came_back, data, preview, is_off=False)
    if back is not None:
        await change_stock.put_back(tx, head, planned.back_units, back.id)
    if planned.concessions:
        await rows.concede(tx, head.id, planned.concessions)
    await _count(tx, head, planned)
    is_counted = bool(preview.added) and await change_sale.add_goods(tx, head, facts.channel, preview.added)
    rounding = await _move_money(tx, head, facts, preview, data, done.id)
    placed = await change_sale.sell(tx, head, facts, planned, data, toward=toward)
    await _update(tx, head, planned, rounding, is_counted=is_counted)
    done = msgspec.structs.replace(done, came_back=back, called_off=off, placed=placed)
    _tell(tx, head, planned, data, done)
    await keep(tx, head, preview, data, done)
    return done


async def keep(tx: Tx, head: OrderHead, preview: Preview, data: ChangeInput, done: Done) -> None:
    """Keep a change that was made, so that the same id again does nothing."""
    row = ChangeRow(
        id=done.id,
        order_id=head.id,
        version=head.version,
        came_back=done.came_back.id if done.came_back else None,
        called_off=done.called_off.id if done.called_off else None,
        placed=done.placed,
        worth=preview.worth,
        refunded=preview.refunded,
        credited=preview.credited,
        transferred=preview.transferred,
        location=data.location,
        note=data.note,
        photos=data.photos,
        notices=[notice.code for notice in preview.notices],
        preview=preview,
        override=data.override or None,
        actor=tx.actor.label,
        created_at=now(),
    )
    await rows.insert(tx, row, data.actions)


async def _count(tx: Tx, head: OrderHead, planned: Planned) -> None:
    """Say on the sale's lines how many units came back and were called off."""
    returned: dict[int, int] = {}
    for unit in planned.back_units:
        returned[unit.position] = returned.get(unit.position, 0) + unit.quantity
    for column, counts in (("returned", returned), ("cancelled", planned.off)):
        if counts:
            await store.add_to_lines(tx, head.id, column, sorted(counts.items()))


async def _book(
    tx: Tx, head: OrderHead, lines: Sequence[OrderLine], data: ChangeInput, preview: Preview, *, is_off: bool
) -> Order | None:
    """The order of kind return (or, where no goods move, adjustment) that says what is given back."""
    if not lines:
        return None
    channel = await channels.cached(tx, head.channel)
    goods = any(line.kind is LineKind.ITEM for line in lines)
    moment = now()
    gave = preview.refunded or preview.credited or preview.transferred
    order = Order(
        id=new_id(),
        pool=head.pool,
        channel=head.channel,
        number="",
        kind=OrderKind.RETURN if goods else OrderKind.ADJUSTMENT,
        status=OrderStatus.RETURNED,
        payment_status=OrderPayment.REFUNDED if gave else OrderPayment.UNPAID,
        customer=head.customer,
        email=head.email,
        name=head.name,
        phone=head.phone,
        address=head.address,
        country=head.country,
        currency=head.currency,
        delivery=head.delivery,
        location=head.location if is_off else _place(data) or head.location,
        items=rules.goods_of(lines),
        tax=sum(line.tax for line in lines),
        total=sum(line.total for line in lines),
        returns=head.id,
        placed_at=moment,
        local_day=local_day(moment, channel.time_zone),
        lines=list(lines),
    )
    number = await store.insert(tx, order, channel.setting("number_prefix"))
    order = msgspec.structs.replace(order, number=number)
    tell_placed(tx, order)
    return order


def _place(data: ChangeInput) -> UUID | None:
    """Where it happens: said for the change, else the first place that an action names."""
    named = (getattr(action, "location", None) for action in data.actions)
    return data.location or next((place for place in named if place), None)


async def _move_money(
    tx: Tx, head: OrderHead, facts: Facts, preview: Preview, data: ChangeInput, change: UUID
) -> int:
    """Money goes back, or comes in for what was added to the order; by how much cash that came in was rounded."""
    reason = data.note or ", ".join(_reasons(data))
    await payments.refund(tx, head.id, preview.refunded, channel=head.channel, reason=reason)
    if preview.credited:
        assert head.customer is not None
        await credit.refund_to_credit(
            tx, head.customer, preview.credited, head.currency, refund=change, order=head.id, reason=reason
        )
    if not preview.added or preview.sold_total or not data.payments:
        return 0
    _taken, rounding = await change_sale.pay_more(tx, head, facts.channel, preview.to_pay, data)
    return rounding


async def _update(tx: Tx, head: OrderHead, planned: Planned, rounding: int, *, is_counted: bool) -> None:
    """Bring the sums and the status of the sale in line with what was done."""
    preview = planned.preview
    lines = await store.lines_of(tx, head.id)
    known = await payments.of_order(tx, head.id)
    paid = sum(payment.captured for payment in known)
    added = sum(line.total for line in preview.added) + rounding
    credited = head.credited + preview.credited + preview.transferred
    refunded = sum(payment.refunded for payment in known)
    called_off = head.called_off + preview.forgiven
    gave = preview.refunded or preview.credited or preview.transferred
    state = head.payment_status
    if gave and refunded + credited == paid:
        state = OrderPayment.REFUNDED
    elif (paid and (added or preview.forgiven) and state is not OrderPayment.REFUNDED) or added:
        state = rules.payment_state(head.total + added - called_off, known)
    values: dict[str, Any] = {
        "status": rules.status_of(lines, state),
        "payment_status": state,
        "paid": paid,
        "refunded": refunded,
        "called_off": called_off,
        "credited": credited,
        "total": head.total + added,
        "tax": head.tax + sum(line.tax for line in preview.added),
        "items": head.items + rules.goods_of(preview.added),
        "is_held": head.is_held and not rules.order_complete(lines),
    }
    if preview.address is not None:
        values["address"] = msgspec.to_builtins(preview.address)
    await store.update(tx, head.id, values)
    is_empty = not any(line.quantity - line.cancelled for line in lines if line.kind is LineKind.ITEM)
    if is_empty:
        await payments.void(tx, head.id, channel=head.channel)
        # Called off in parts until nothing was left is called off: codes, limits and budgets have room again, and so have days and slots.
        await promotions.release(tx, head.id, channel=head.channel)
        await delivery.give_back(tx, head.id)
    elif preview.forgiven and paid >= head.total + added - called_off:
        await payments.forget_rest(tx, head.id)
    is_other = await store.set_empty(tx, head.id, is_empty=is_empty)
    if (is_counted or is_other) and head.customer is not None:
        spend = customers.Spend(
            customer=head.customer,
            currency=head.currency,
            orders=(-1 if is_empty else 1) if is_other else 0,
            spent=added if is_counted else 0,
            last_order_at=head.placed_at,
        )
        await customers.book_spend(tx, [spend])
    if state is OrderPayment.PAID and head.payment_status not in (OrderPayment.PAID, OrderPayment.REFUNDED):
        fact = events.OrderPaid(number=head.number, total=head.total + added, currency=head.currency)
        log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)


def _reasons(data: ChangeInput) -> list[str]:
    codes = (getattr(action, "reason", None) for action in data.actions)
    return sorted({code for code in codes if code})


def _tell(tx: Tx, head: OrderHead, planned: Planned, data: ChangeInput, done: Done) -> None:
    """Say what happened: what was called off, what came back, and the change as a whole."""
    preview, reason = planned.preview, data.note or ", ".join(_reasons(data))
    off, back = done.called_off, done.came_back

    def say(fact: log.Fact) -> None:
        log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)

    if off is not None:
        share_of = preview.refunded if back is None else min(preview.refunded, -off.total)
        say(
            OrderPartCalledOff(
                number=head.number,
                by=off.id,
                total=off.total,
                currency=head.currency,
                refunded=share_of,
                reason=reason,
                lines=[_line_told(line) for line in off.lines],
            )
        )
    if back is not None and back.kind is OrderKind.RETURN:
        share_of = preview.refunded if off is None else max(0, preview.refunded + off.total)
        say(
            events.OrderReturned(
                number=head.number,
                by=back.id,
                total=back.total,
                currency=head.currency,
                refunded=share_of,
                reason=reason,
                tax=back.tax,
                credited=preview.credited,
                transferred=preview.transferred,
                lines=[_line_told(line) for line in back.lines],
            )
        )
    say(
        events.OrderChanged(
            number=head.number,
            change=done.id,
            currency=head.currency,
            actions=[str(action.__struct_config__.tag) for action in data.actions],
            reasons=_reasons(data),
            worth=preview.worth,
            tax=preview.tax,
            forgiven=preview.forgiven,
            transferred=preview.transferred,
            refunded=preview.refunded,
            credited=preview.credited,
            added=[_line_told(line) for line in preview.added],
            added_total=sum(line.total for line in preview.added),
            added_tax=sum(line.tax for line in preview.added),
            is_paid=preview.to_pay == 0,
            came_back=back.id if back else None,
            called_off=off.id if off else None,
            placed=done.placed,
            location=data.location,
            note=data.note,
            has_new_address=preview.address is not None,
        )
    )


def _line_told(line: OrderLine) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "variant": line.variant,
        "sku": line.sku,
        "title": line.title,
        "quantity": line.quantity,
        "tax_rate": line.tax_rate,
        "tax": line.tax,
        "total": line.total,
    }
