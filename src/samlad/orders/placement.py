"""Place an order: the hot verb. One transaction, five or six statements for two lines over HTTP.

In its order: the cart is taken (so that of several who try at once the first wins and the others wait for nothing
else), prices are read, payments authorised, stock held, promotions counted, the order written, events appended. The
rows that many want, those of stock and of promotions, are locked late.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad import carts, delivery, payments, stock
from samlad.carts import Cart, CartClosed, Delivery, holding, set_rules
from samlad.carts.closing import ClosedCart
from samlad.carts.rules import held_at
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel import log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.kernel.together import Together
from samlad.orders import (
    deposits,
    events,
    exchange_store,
    fulfilment_plan,
    fulfilment_rules,
    routing,
    rules,
    sets,
    store,
    tips,
)
from samlad.orders.model import (
    AlreadyOrdered,
    LineKind,
    Order,
    OrderKind,
    OrderLine,
    OrderStatus,
    PlaceOrder,
    TotalChanged,
)
from samlad.orders.permissions import PLACE
from samlad.payments import Payment
from samlad.stock import Hold, HoldKind


class Placements(Together):
    """Orders that are placed at the same time, in one transaction: what a crowd that wants one thing waits least for."""


async def place(
    tx: Tx,
    data: PlaceOrder,
    *,
    token: str | None = None,
    version: int | None = None,
    is_last: bool = False,
) -> Order:
    """Turn a cart into an order, of a storefront or of a till alike. What is carried out is handed over at once.

    ``is_last``: the transaction does nothing more with it, so its payments are written with the events.

    Raises:
        AlreadyOrdered: the cart was ordered before; says as what. SoldWithReturn: it waits at a terminal, together with a return.
        TotalChanged, PriceChanged, NotSellable: the buyer saw something else.
        PaymentDeclined: a provider refused; nothing was ordered.
        SoldOut: there is not enough of something. SlotFull, SlotPast: it cannot be brought in the slot that was chosen.
        InvalidInput: something about the buyer is missing, or the payments do not come to the total.
    """
    order_id = new_id()
    closed = await _closed(tx, data, order_id, token=token, version=version)
    channel, is_staff = closed.channel, tx.actor.kind not in ("guest", "customer")
    cart = msgspec.structs.replace(closed.cart, customer=await carts.buyer_of(tx, closed))
    data = deposits.settled(data, channel, cart, closed.totals.total, tx.actor.kind)
    tips.check(data.tip, channel, cart, is_staff=is_staff)
    taken, rounding = await _take_payments(tx, order_id, data, closed)
    lines = rules.with_rounding(rules.order_lines(closed), rounding)
    if _is_its_own_work(closed, data):
        tx.alone()
    held = await _hold(tx, closed, order_id, lines)
    days = await _count(tx, closed, order_id, held)
    cart = await _with_slot(tx, cart, channel, order_id, days)
    await carts.use_promotions(tx, closed, order_id, cart.customer)
    if cart.delivery is Delivery.CARRY_OUT:
        lines = _handed_over(lines)
    order = _order(order_id, closed, cart, lines, taken, is_held=held is not None)
    order = await _write(tx, order, data, closed, cart, held or ())
    await payments.keep(tx, taken, channel=channel.id, profile=cart.customer, later=is_last)
    clerk = tx.actor.id if tx.actor.kind == "staff" else None
    await tips.keep(tx, order, data.tip, clerk=clerk, name=tx.actor.name)
    if cart.delivery is Delivery.CARRY_OUT:
        await stock.ship(tx, order.id, reference=order.id, lines=carts.leaving_lots(cart, held or ()))
        _tell_left(tx, order)
    return order


async def _closed(
    tx: Tx, data: PlaceOrder, order: UUID, *, token: str | None, version: int | None
) -> ClosedCart:
    """The cart, taken for the order, if the actor may place it and it comes to what they saw."""
    try:
        closed = await carts.close(tx, data.cart, order, token=token, version=version)
    except CartClosed as error:
        raise await _already_ordered(tx, data.cart, error) from None
    _authorise_actor(tx, closed, data)
    await _check_alone(tx, closed)
    total = closed.totals.total
    if data.total is not None and data.total != total:
        raise TotalChanged(f"It comes to {total} (minor units) now.", total=total)
    return closed


async def _write(
    tx: Tx, order: Order, data: PlaceOrder, closed: ClosedCart, cart: Cart, held: Sequence[Hold]
) -> Order:
    """Write the order and the fulfilments that it begins with, and tell of them; the order with its number and its deposit."""
    channel = closed.channel
    method = fulfilment_rules.method_of(cart.delivery, None if cart.method is None else cart.method.kind)
    digital = sets.digital(closed.sellables.values())
    parts = await fulfilment_plan.at_placing(
        tx, channel, method, order.lines, held, digital=digital, head=order
    )
    number, waits = await store.insert_sold(tx, order, channel.setting("number_prefix"), parts)
    # What is carried out goes alone, so nothing of it stays (`_is_its_own_work`).
    if waits is not None and cart.delivery is Delivery.CARRY_OUT:
        await exchange_store.check_alone(tx, cart.id)
    order = msgspec.structs.replace(order, number=number, deposit=data.deposit)
    if data.deposit is not None:
        until = deposits.due_day(channel, order.local_day)
        order = msgspec.structs.replace(order, rest_due_on=until)
        await store.set_deposit(tx, order.id, data.deposit, until)
    tell_placed(tx, order)
    fulfilment_plan.tell_opened(tx, order, parts)
    return order


def _handed_over(lines: Sequence[OrderLine]) -> list[OrderLine]:
    return [
        msgspec.structs.replace(line, fulfilled=line.quantity) if line.kind is LineKind.ITEM else line
        for line in lines
    ]


def _tell_left(tx: Tx, order: Order) -> None:
    gone = [{"position": line.position, "quantity": line.fulfilled} for line in order.lines if line.fulfilled]
    fact = events.OrderFulfilled(number=order.number, lines=gone, is_complete=True)
    log.append(tx, fact, subject=order.id, channel=order.channel, profile=order.customer)


def _is_its_own_work(closed: ClosedCart, data: PlaceOrder) -> bool:
    """Whether placing takes statements from here on that orders which are placed together do not share."""
    return bool(
        data.tip
        or data.deposit is not None
        or closed.cart.delivery is Delivery.CARRY_OUT
        or (closed.cart.method is not None and closed.cart.method.slots)
        or closed.channel.setting("routing")
    )


async def _check_alone(tx: Tx, closed: ClosedCart) -> None:
    """What a store's staff put aside or send does not wait to be sold with a return; of what is carried out `store.insert_sold` knows.
    The cart is locked: whoever begins such an exchange waits, or was first."""
    is_staff = tx.actor.kind not in ("guest", "customer")
    if (
        is_staff
        and closed.channel.kind is ChannelKind.STORE
        and closed.cart.delivery is not Delivery.CARRY_OUT
    ):
        await exchange_store.check_alone(tx, closed.cart.id)


def _authorise_actor(tx: Tx, closed: ClosedCart, data: PlaceOrder) -> None:
    """Guests and customers have shown that the cart is theirs; staff need the permission, at a till for its store."""
    if tx.actor.kind in ("guest", "customer"):
        if data.pay_later:
            raise Forbidden("Only staff can place an order that is paid later.")
        if closed.cart.delivery is Delivery.CARRY_OUT:  # they hand the goods over
            raise Forbidden("Only staff can sell at a till or begin a cart for somebody.")
        return
    at = closed.cart.location if closed.cart.delivery is Delivery.CARRY_OUT else None
    tx.actor.require(PLACE, location=at)


async def _take_payments(
    tx: Tx, order: UUID, data: PlaceOrder, closed: ClosedCart
) -> tuple[list[Payment], int]:
    """The payments, and the rounding that cash adds to the total."""
    if data.pay_later:
        return [], 0
    if closed.totals.total == 0 and not data.payments:
        if data.tip:
            raise InvalidInput.at("tip", "say how it is paid")
        return [], 0
    channel = closed.channel
    claimed = await payments.claim(tx, order, closed.cart.id, data.payments, channel)
    inputs = payments.with_amounts(data.payments, claimed)
    amounts, rounding = payments.due_amounts(
        data.deposit or closed.totals.total + data.tip,
        inputs,
        payments.coin_of(channel, channel.currency),
    )
    if data.deposit is not None:
        deposits.check_coins(rounding)
    taken = await payments.authorize(
        tx, order, inputs, amounts, channel.currency, channel=channel, claimed=claimed
    )
    return taken, rounding


async def _hold(tx: Tx, closed: ClosedCart, order: UUID, lines: Sequence[OrderLine]) -> list[Hold] | None:
    """Claim the goods for the order: what checkout held becomes the order's, else they are taken now.

    A channel whose policy is not to hold claims nothing here (None), unless the goods leave the store at once.
    """
    cart, channel = closed.cart, closed.channel
    if channel.setting("hold_policy") == "none" and cart.delivery is not Delivery.CARRY_OUT:
        return None
    place = held_at(cart)
    routed = await routing.live_rules(tx, channel) if place is None else None
    if routed is not None:
        before = await stock.release(tx, cart.id) if closed.may_be_held else []
        return await routing.hold_routed(
            tx, channel, routing.to_route(lines), cart.address, order, routed, before
        )
    wanted = holding.hold_lines(cart)
    if closed.may_be_held:
        held = await stock.convert(tx, cart.id, to_kind=HoldKind.ORDER, to_owner=order)
        units: dict[UUID, int] = {}
        for hold in held:
            units[hold.variant] = units.get(hold.variant, 0) + hold.quantity
        if units == {line.variant: line.quantity for line in wanted}:
            return held
        if held:  # part of it expired and somebody else has it: begin anew
            await stock.release(tx, order)
    with holding.telling_of(cart):
        return await stock.take_together(tx, wanted, channel=channel, kind=HoldKind.ORDER, owner=order)


async def _count(tx: Tx, closed: ClosedCart, order: UUID, held: list[Hold] | None) -> dict[UUID, date]:
    """Let the order count on the day of the places that make it ready, where they have a capacity; those days."""
    cart = closed.cart
    if cart.delivery is Delivery.CARRY_OUT:
        return {}
    parts: dict[UUID, int] = {}
    for hold in held or ():
        parts[hold.location] = parts.get(hold.location, 0) + hold.quantity
    if held is None and cart.location is not None:
        parts[cart.location] = sum(set_rules.demand(cart.lines).values())
    return await delivery.count_order(tx, order, parts, cart.method)


async def _with_slot(tx: Tx, cart: Cart, channel: Channel, order: UUID, days: Mapping[UUID, date]) -> Cart:
    """The cart with the slot that the order takes, where its method has slots: the one that was promised, else the first with
    room. Without slots this is no statement."""
    if cart.method is None or not cart.method.slots or cart.location is None:
        return cart
    promise = await delivery.take_slot(
        tx,
        order,
        cart.method,
        cart.location,
        cart.promised,
        cart=cart.id,
        work_day=days.get(cart.location),
        locale=channel.locale,
        country=channel.country,
    )
    return msgspec.structs.replace(cart, promise=promise)


def _order(
    order_id: UUID,
    closed: ClosedCart,
    cart: Cart,
    lines: list[OrderLine],
    taken: list[Payment],
    *,
    is_held: bool,
) -> Order:
    channel, moment, check = closed.channel, now(), closed.number_check
    total = sum(line.total for line in lines)
    state = rules.payment_state(total, taken)
    status = rules.status_of(lines, state)
    return Order(
        id=order_id,
        pool=channel.pools[Resource.ORDERS],
        channel=channel.id,
        number="",
        kind=OrderKind.SALE,
        status=status,
        payment_status=state,
        customer=cart.customer,
        email=cart.email,
        name=cart.name or (cart.address.name if cart.address else None),
        phone=cart.phone,
        address=cart.address,
        country=cart.address.country if cart.address else channel.country,
        currency=cart.currency,
        delivery=cart.delivery,
        location=cart.location,
        items=rules.goods_of(lines),
        tax=sum(line.tax for line in lines),
        total=total,
        paid=sum(payment.captured for payment in taken),
        cart=cart.id,
        vat_number=cart.vat_number,
        vat_check=None if check is None else check.status,
        vat_checked=None if check is None else check.checked_at,
        vat_consultation=None if check is None else check.consultation,
        delivery_method=None if cart.method is None else cart.method.id,
        promise=cart.promised,
        note=cart.note,
        gift_note=cart.gift_note,
        is_held=is_held and status is not OrderStatus.FULFILLED,
        placed_at=moment,
        local_day=local_day(moment, channel.time_zone),
        lines=lines,
        payments=taken,
    )


async def _already_ordered(tx: Tx, cart: UUID, error: CartClosed) -> Exception:
    """The refusal that says which order the cart became."""
    order = error.extra.get("order")
    if order is None:
        return error
    number = await store.number_of(tx, UUID(order))
    return AlreadyOrdered(f"It is order {number}.", order=order, number=number, cart=str(cart))


def tell_placed(tx: Tx, order: Order, *, occurred_at: datetime | None = None) -> None:
    """Append what was placed, a sale or a return; ``occurred_at`` if that was earlier than now."""
    fact = events.OrderPlaced(
        number=order.number,
        kind=order.kind,
        currency=order.currency,
        total=order.total,
        tax=order.tax,
        items=order.items,
        payment_status=order.payment_status,
        status=order.status,
        local_day=order.local_day,
        lines=[
            {"variant": line.variant, "sku": line.sku, "quantity": line.quantity, "total": line.total}
            for line in order.lines
            if line.kind is LineKind.ITEM and line.variant is not None  # who listens looks goods up
        ],
        delivery=order.delivery,
        location=order.location,
        cart=order.cart,
        customer=order.customer,
        email=order.email,
        name=order.name,
    )
    log.append(
        tx,
        fact,
        subject=order.id,
        channel=order.channel,
        profile=order.customer,
        occurred_at=occurred_at,
    )
