"""Renewals: one order for each cycle, by the same cart and the same placement as any other order.

What is due is found again and again (`samlad.subscriptions.sweepers`), so that nothing has to be remembered for a day:
a machine that was off places what is due when it is on again, one order and not one for each day that it missed. Each
try is one transaction over the subscription's row. It begins by comparing the row with what was decided on (its
version), and ends by writing the row of its cycle, which there can be only once. So of two workers one does it, and one
that dies has done nothing.

Providers on the network are asked between two transactions: the first holds the goods and begins the payment, the
second, when the log tells that it is authorised, places the order with it (docs/decisions/subscriptions.md).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import structlog

from samlad import carts, catalog, channels, orders, payments
from samlad.carts import Cart, Repeat, RepeatLine
from samlad.carts.opening import group_of
from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.log import Event
from samlad.kernel.problems import Busy, Conflict, InvalidInput, OutcomeUnknown, Problem
from samlad.orders import Order, PlaceOrder
from samlad.payments import Payment, PaymentDeclined, PaymentInput, PaymentStatus, StartInput
from samlad.stock import SoldOut
from samlad.stock.problems import ShortLine
from samlad.subscriptions import dunning, entering, rules, store
from samlad.subscriptions.entering import IN_ORDER, UNCHARGED, next_from, tell
from samlad.subscriptions.events import (
    CyclesMissed,
    RenewalCharging,
    SubscriptionCancelled,
    SubscriptionRenewed,
)
from samlad.subscriptions.model import OutOfStock, Status, Subscription

MOST_TRIES = 4
"""How often in a row what is there may turn out to be less before the order goes."""
NO_MEANS = "no-payment-means"
logger = structlog.get_logger("samlad.subscriptions")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the next order is made of: list prices that count, by variant, and what is missing of it."""

    repeat: Repeat
    prices: dict[UUID, int]
    short: list[dict[str, Any]]


def is_due(found: Subscription, channel: Channel, moment: datetime) -> bool:
    """Whether its next order is to be placed by a moment."""
    if found.status is not Status.ACTIVE or found.charging is not None:
        return False
    if found.retry_at is not None and found.retry_at > moment:
        return False
    day = rules.due_day(moment, channel.setting("subscription_hour"), channel.time_zone)
    return found.is_wanted_now or found.next_on <= day


async def renew(database: Database, subscription: UUID) -> None:
    """Place the order that is due, or say why not. Does nothing when nothing is due, or somebody else is at it.

    Raises:
        Busy, OutcomeUnknown: of the database; it is still due, or was done.
    """
    found = await store.read(database, subscription)
    if found is None:
        return
    channel = await channels.cached(database, found.channel)
    context = Context(actor=SYSTEM, channel=channel.id)
    there: Mapping[UUID, int] | None = None
    for _ in range(MOST_TRIES):
        try:
            await database.transaction(partial(_renew, seen=found, channel=channel, there=there), context)
            return
        except SoldOut as error:
            rest = _rest(found, there, error.lines)
            if found.terms.out_of_stock is OutOfStock.REST and any(rest.values()):
                there = rest
                continue
            problem: Problem = error
        except (Busy, OutcomeUnknown):
            raise
        except Problem as error:
            problem = error
        await database.transaction(
            partial(dunning.record, seen=found, channel=channel, problem=problem), context
        )
        return


def _rest(
    found: Subscription, there: Mapping[UUID, int] | None, short: Sequence[ShortLine]
) -> dict[UUID, int]:
    """What there is of each variant, as far as it is known after some turned out to be short."""
    rest = dict(there or {line.variant: line.quantity for line in found.lines})
    for line in short:
        rest[line.variant] = min(rest.get(line.variant, 0), max(0, line.available))
    return rest


async def _renew(tx: Tx, seen: Subscription, channel: Channel, there: Mapping[UUID, int] | None) -> None:
    """One try. What was ``seen`` must still hold, else whoever changed it has decided."""
    found = await store.lock(tx, seen.id, if_free=True)
    if found is None or found.version != seen.version or not is_due(found, channel, now()):
        return
    if found.is_ending_now:
        await store.update(tx, found.id, {"status": Status.CANCELLED, "is_wanted_now": False} | IN_ORDER)
        fact = SubscriptionCancelled(
            number=found.number, cause="period", reason=found.reason, orders=found.orders
        )
        tell(tx, found, fact)
        return
    if found.provider is None:
        raise PaymentDeclined("Nobody has said how it is paid.", reason=NO_MEANS)
    wanted = await want(tx, found, channel, there)
    waits = payments.is_network(payments.provider(found.provider))
    cart = await carts.repeat(tx, channel, wanted.repeat, waits=waits)
    shown = await carts.checkout(tx, cart.id)
    if waits and shown.totals.total:
        await _charge(tx, found, channel, wanted, cart, shown.totals.total, shown.checkout_until)
        return
    await carts.hand_to(tx, cart.id, found.customer)
    paid = [PaymentInput(provider=found.provider, token=await entering.token_of(tx, found))]
    order = await orders.place(tx, PlaceOrder(cart=cart.id, payments=paid if shown.totals.total else []))
    await _ordered(tx, found, channel, order, wanted.prices, wanted.short)


async def list_prices(tx: Tx, found: Subscription, channel: Channel) -> dict[UUID, int]:
    """What its variants cost now without the plan, for its customer and quantities; without those that are not sold."""
    quantities = {line.variant: line.quantity for line in found.lines}
    group = await group_of(tx, found.customer, channel)
    sold = await catalog.sellables(tx, channel, list(quantities), customer_group=group, quantities=quantities)
    return {v: each.price for v, each in sold.items() if each.price is not None and each.is_available}


async def want(
    tx: Tx,
    found: Subscription,
    channel: Channel,
    there: Mapping[UUID, int] | None = None,
    *,
    as_if_told: bool = False,
) -> Wanted:
    """The next order at prices of now, by the terms; a rise of which the customer was not told in time waits.

    What is not sold (any more) is left out, whatever the terms say of goods that are not there: waiting brings none.

    Args:
        there: what there is of each variant; None: all that is wanted. as_if_told: no rise waits.

    Raises:
        SoldOut: nothing of it is sold.
    """
    found_prices = await list_prices(tx, found, channel)
    days, day = int(channel.setting("subscription_price_notice_days")), entering.today(channel)
    lines, prices, short = [], {}, []
    for line in found.lines:
        price_now = found_prices.get(line.variant)
        quantity = line.quantity if there is None else there.get(line.variant, 0)
        if price_now is None or quantity < line.quantity:
            is_sold = price_now is not None
            missing = line.quantity - quantity if is_sold else line.quantity
            short.append({"variant": str(line.variant), "quantity": missing, "is_sold": is_sold})
        if price_now is None or quantity == 0:
            continue
        counts = rules.honoured(
            price_now, line.list_price, line.told_price, line.told_on, day, 0 if as_if_told else days
        )
        prices[line.variant] = counts
        price = rules.price_of(found.terms, found.orders + 1, counts, found.currency)
        lines.append(RepeatLine(line.variant, quantity, price, found.plan))
    if not lines:
        raise SoldOut([ShortLine(line.variant, line.quantity, 0) for line in found.lines])
    repeat = Repeat(
        customer=found.customer,
        lines=lines,
        label=found.number,
        email=found.email,
        name=found.name,
        phone=found.phone,
        address=found.address,
        delivery=found.delivery,
        delivery_method=await _method(tx, found, channel),
        location=found.location,
        vat_number=found.vat_number,
    )
    return Wanted(repeat=repeat, prices=prices, short=short)


async def _method(tx: Tx, found: Subscription, channel: Channel) -> UUID | None:
    """The method that it goes by. One that is not offered any more, or does not go there, gives way to another of the kind."""
    if found.delivery_method is None:
        return None
    try:
        way, method = await entering.way(
            tx, channel, None, found.location, found.address, kept=found.delivery_method
        )
    except InvalidInput:
        return found.delivery_method  # placing the order says why it cannot go
    return method if way == found.delivery else found.delivery_method


async def _ordered(
    tx: Tx,
    found: Subscription,
    channel: Channel,
    order: Order,
    prices: Mapping[UUID, int],
    short: Sequence[dict[str, Any]],
) -> None:
    """The order of the cycle is there: its row is written, and the next cycle is the one after today.

    Raises:
        Conflict: the cycle has one already; nothing of this one happens.
    """
    is_first = await store.end_cycle(
        tx, found.id, found.cycle, found.next_on, "ordered", order=order.id, total=order.total
    )
    if not is_first:
        raise Conflict(f"Cycle {found.cycle} of {found.number} has been ordered.")
    today, notice = entering.today(channel), int(channel.setting("subscription_price_notice_days"))
    following = next_from(found, found.cycle + 1, today + timedelta(days=1))
    values = {"orders": found.orders + 1, "last_total": order.total}
    await store.update(tx, found.id, values | following | IN_ORDER | UNCHARGED)
    await store.keep_prices(tx, found.id, prices, today - timedelta(days=notice))
    fact = SubscriptionRenewed(
        number=found.number,
        cycle=found.cycle,
        order=order.id,
        order_number=order.number,
        total=order.total,
        currency=order.currency,
        next_on=following["next_on"],
        missing=list(short),
    )
    tell(tx, found, fact)
    if following["cycle"] > found.cycle + 1:
        tell(
            tx,
            found,
            CyclesMissed(number=found.number, first=found.cycle + 1, last=following["cycle"] - 1),
        )


# -- providers on the network ------------------------------------------------------------------------------------------


async def _charge(
    tx: Tx,
    found: Subscription,
    channel: Channel,
    wanted: Wanted,
    cart: Cart,
    total: int,
    until: datetime | None,
) -> None:
    """Begin the payment; its provider is asked after the commit, and the goods are held meanwhile."""
    assert found.provider is not None
    asked = StartInput(provider=found.provider, token=await entering.token_of(tx, found))
    payment = await payments.begin(tx, cart.id, channel, total, asked, until=until)
    values = {
        "charging": payment.id,
        "charging_cart": cart.id,
        "charging_prices": {str(variant): price for variant, price in wanted.prices.items()},
        "charging_short": wanted.short,
    }
    await store.update(tx, found.id, values)
    fact = RenewalCharging(
        number=found.number,
        cycle=found.cycle,
        payment=payment.id,
        amount=total,
        currency=channel.currency,
    )
    tell(tx, found, fact)


async def on_payment(tx: Tx, event: Event) -> None:
    """The follower: a payment moved. Is it a renewal's, its order is placed, or it is tried again later.

    In transactions of their own, so that a refusal leaves nothing; the follower's has locked nothing yet (``batch=1``).
    """
    payment_id = UUID(event.payload["payment"])
    subscription = await store.charged_by(tx, payment_id)
    if subscription is None:
        return
    context = Context(actor=SYSTEM, channel=event.channel)
    try:
        await tx.database.transaction(lambda inner: _finish(inner, subscription, payment_id), context)
    except (Busy, OutcomeUnknown):
        raise
    except Problem as problem:
        logger.warning("a paid renewal could not be ordered", payment=str(payment_id), problem=problem.code)
        await tx.database.transaction(
            partial(_give_up, subscription=subscription, payment_id=payment_id, problem=problem), context
        )


async def _finish(tx: Tx, subscription: UUID, payment_id: UUID) -> None:
    found = await store.lock(tx, subscription)
    if found is None or found.charging != payment_id or found.charging_cart is None:
        return
    payment = await payments.read_payment(tx, payment_id)
    channel = await channels.cached(tx, found.channel)
    if payment is None or payment.status is PaymentStatus.PENDING:
        return
    if payment.is_leaving or payment.status not in (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED):
        await _uncharge(tx, found, channel, payment)
        return
    charge = await store.charge_of(tx, found.id)
    await carts.hand_to(tx, found.charging_cart, found.customer)
    paid = [PaymentInput(provider=payment.provider, payment=payment.id)]
    order = await orders.place(tx, PlaceOrder(cart=found.charging_cart, payments=paid))
    await _ordered(tx, found, channel, order, charge.charging_prices, charge.charging_short)


async def _uncharge(tx: Tx, found: Subscription, channel: Channel, payment: Payment) -> None:
    """It was declined, or nobody answered in time: the goods are free again, and it is tried again later."""
    assert found.charging_cart is not None
    await carts.reopen(tx, found.charging_cart)
    await store.note(tx, found.id, UNCHARGED)
    reason = payment.reason or str(payment.status)
    problem = PaymentDeclined(f"{payment.provider} declined: {reason}.", reason=reason)
    await dunning.record(tx, found, channel, problem)


async def _give_up(tx: Tx, subscription: UUID, payment_id: UUID, problem: Problem) -> None:
    """What was reserved for an order that cannot be placed is let go; why is recorded as of any other try."""
    found = await store.lock(tx, subscription)
    if found is None or found.charging != payment_id or found.charging_cart is None:
        return
    channel = await channels.cached(tx, found.channel)
    await payments.leave_begun(tx, found.charging_cart, payment_id)
    await store.note(tx, found.id, UNCHARGED)
    await dunning.record(tx, found, channel, problem)
