"""How subscriptions begin: by themselves, or with an order whose lines were bought by a selling plan."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, customers, orders
from samlad.carts import Delivery
from samlad.carts import store as cart_store
from samlad.channels import Channel, Resource
from samlad.kernel import cards
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.log import Event
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.orders import LineKind, Order, OrderKind, OrderStatus, WrongState
from samlad.payments import Payment, pays_alone
from samlad.subscriptions import entering, plan_store, plans, rules, store
from samlad.subscriptions.events import SubscriptionCancelled, SubscriptionStarted
from samlad.subscriptions.model import (
    FromOrderInput,
    LineInput,
    PaymentMeans,
    Plan,
    StartInput,
    Status,
    Subscription,
    Terms,
)
from samlad.subscriptions.permissions import CHANGE
from samlad.tax import checking
from samlad.tax.numbers import customer_number

WITH_SECRET = frozenset({"gift_card", "stripe"})
"""What was paid with these says nothing that one could be charged by again."""


async def start(tx: Tx, data: StartInput) -> Subscription:
    """Begin a subscription. Its first order comes today, at once, or on the day that is given.

    Raises:
        Forbidden: a customer begins somebody else's. NotFound: no such channel or customer.
        InvalidInput: the plan is not offered there, a line, the address, the method or the payment is not right.
    """
    if tx.actor.kind == "customer":
        if data.customer not in (None, tx.actor.id):
            raise Forbidden("Only staff can begin a subscription for somebody.")
        customer = tx.actor.id
    else:
        tx.actor.require(CHANGE)
        customer = data.customer
    cards.refuse(data.name, "name")
    if customer is None:
        raise InvalidInput.at("customer", "say whose it is")
    channel = await channels.cached(tx, data.channel)
    person = await customers.get(tx, customer)
    if person is None or person.pool != channel.pools[Resource.CUSTOMERS]:
        raise NotFound("There is no such customer in this channel.")
    plan = await plans.check_offered(tx, channel, data.plan, data.lines)
    address = entering.tidy_address(data.address)
    way, method = await entering.way(tx, channel, data.delivery_method, data.location, address)
    today = entering.today(channel)
    first = data.first_on or today
    if first < today:
        raise InvalidInput.at("first_on", "is past")
    anchor, at, next_on = rules.first_day(plan.terms, first), 0, first
    if data.first_on is None:  # the first comes at once, those after it on the days of the plan
        anchor, at, _, _ = _days(plan.terms, today, channel)
    else:
        next_on = anchor
    number = customer_number(data.vat_number) if data.vat_number else None
    if number is not None:
        await checking.note(tx, number)
    values = {
        "customer": customer,
        "email": data.email,
        "name": data.name,
        "phone": data.phone,
        "address": address,
        "delivery": way,
        "delivery_method": method,
        "location": data.location,
        "vat_number": number,
        "anchor_on": anchor,
        "anchor_cycle": at,
        "cycle": 0,
        "next_on": next_on,
        "is_wanted_now": next_on == today,
        **await entering.means_of(tx, channel, data.payment),
    }
    made = await _insert(tx, channel, plan, data.lines, values)
    assert made is not None  # without an order it began with nothing can be there before
    return made


async def _insert(
    tx: Tx, channel: Channel, plan: Plan, lines: Sequence[LineInput], values: dict[str, Any]
) -> Subscription | None:
    """Write it and tell; None when its order has begun one by this plan before."""
    fixed = {
        "id": new_id(),
        "pool": channel.pools[Resource.ORDERS],
        "channel": channel.id,
        "plan": plan.id,
        "terms": msgspec.to_builtins(plan.terms),
        "currency": channel.currency,
        "status": Status.ACTIVE,
    }
    made = await store.insert(tx, fixed | values, lines)
    if made is None:
        return None
    found = await entering.again(tx, made)
    fact = SubscriptionStarted(
        number=found.number,
        plan=plan.id,
        next_on=found.next_on,
        lines=entering.told_lines(lines),
        origin=found.origin,
        needs_payment=found.provider is None,
    )
    entering.tell(tx, found, fact)
    return found


# -- with an order -----------------------------------------------------------------------------------------------------


async def start_from_order(tx: Tx, data: FromOrderInput) -> list[Subscription]:
    """Begin what an order's lines were bought by: one subscription for each plan. Those begun before are answered too.

    Raises:
        NotFound: no such order, or it is another customer's. WrongState: it is not a sale, or was cancelled.
        InvalidInput: none of its lines has a plan, nobody knows whose it is, or it cannot be sent again.
    """
    if tx.actor.kind != "customer":
        tx.actor.require(CHANGE)
    order = await orders.read(tx, data.order)
    if tx.actor.kind == "customer" and not await customers.are_same(tx, order.customer, tx.actor.id):
        raise NotFound("There is no such order.")
    if order.kind is not OrderKind.SALE or order.status is OrderStatus.CANCELLED:
        raise WrongState("Only from a sale that stands.", state=order.status)
    if order.customer is None:
        raise InvalidInput.at("order", "nobody knows whose it is")
    if not _planned(order) or await store.is_renewal(tx, order.id):
        raise InvalidInput.at("order", "none of its lines was bought by a selling plan")
    if order.delivery not in (Delivery.SHIP, Delivery.PICKUP):
        raise InvalidInput.at("order", "it was carried out of a store; say where the next ones go")
    await _begin(tx, order, data.payment)
    found = [await store.read(tx, each) for each in await store.of_origin(tx, order.id)]
    return [each for each in found if each is not None]


async def begin(tx: Tx, event: Event) -> None:
    """The follower: an order was placed, or it is known whose it is. Twice does nothing the second time."""
    if event.subject is None or not await store.has_plan(tx, event.subject):
        return
    order = await orders.read(tx, event.subject)
    if (
        order.customer is not None
        and order.kind is OrderKind.SALE
        and order.status is not OrderStatus.CANCELLED
        and order.delivery in (Delivery.SHIP, Delivery.PICKUP)
        and not await store.is_renewal(tx, order.id)
    ):
        await _begin(tx, order, None)


async def end_with_order(tx: Tx, event: Event) -> None:
    """The follower: the order that a subscription began with was called off; nothing else came of it, so it ends."""
    if event.subject is None:
        return
    for each in await store.of_origin(tx, event.subject):
        found = await store.lock(tx, each)
        assert found is not None
        if found.status is Status.CANCELLED or found.orders > 1:
            continue
        values = await entering.let_go(tx, found)
        await store.update(tx, found.id, values | {"status": Status.CANCELLED, "resume_on": None})
        fact = SubscriptionCancelled(number=found.number, cause="order", reason="", orders=found.orders)
        entering.tell(tx, found, fact)


def _planned(order: Order) -> dict[UUID, list[LineInput]]:
    """What of an order was bought by which plan; sets as sets."""
    found: dict[UUID, list[LineInput]] = {}
    for line in order.lines:
        if line.kind is LineKind.ITEM and line.plan is not None and line.variant is not None:
            if line.set_of is None:
                wanted = LineInput(variant=line.variant, quantity=line.quantity)
            else:
                wanted = LineInput(variant=line.set_of.variant, quantity=line.set_of.quantity)
            if wanted not in found.setdefault(line.plan, []):  # the other parts of the same set
                found[line.plan].append(wanted)
    return found


async def _begin(tx: Tx, order: Order, payment: PaymentMeans | None) -> None:
    channel = await channels.cached(tx, order.channel)
    means = await entering.means_of(tx, channel, payment or _means(order.payments))
    method = await _method_of(tx, order)
    for plan_id, lines in _planned(order).items():
        plan = await plan_store.read(tx, plan_id)
        if plan is None:
            continue
        anchor, at, cycle, following = _days(plan.terms, order.local_day, channel)
        values = {
            "customer": order.customer,
            "email": order.email,
            "name": order.name,
            "phone": order.phone,
            "address": order.address,
            "delivery": order.delivery,
            "delivery_method": method,
            "location": order.location,
            "vat_number": order.vat_number,
            "anchor_on": anchor,
            "anchor_cycle": at,
            "cycle": cycle,
            "next_on": following,
            "orders": 1,
            "last_total": order.total,
            "origin": order.id,
            **means,
        }
        await _insert(tx, channel, plan, lines, values)


def _days(terms: Terms, ordered_on: date, channel: Channel) -> tuple[date, int, int, date]:
    """The anchor, its cycle, the next cycle's number and day for what was ordered on a day as cycle 0.

    With an anchor of the terms the next one is the first such day, unless its cut-off is over.
    """
    if terms.anchor is None:
        return ordered_on, 0, 1, rules.day_of(terms, ordered_on, 1)
    first = rules.first_day(terms, ordered_on + timedelta(days=1))
    placed = rules.moment_of(first, channel.setting("subscription_hour"), channel.time_zone)
    if placed - timedelta(hours=terms.cutoff_hours) <= now():
        first = rules.first_day(terms, first + timedelta(days=1))
    return first, 1, 1, first


def _means(paid: Sequence[Payment]) -> PaymentMeans | None:
    """How an order was paid, if renewals can be paid so without asking: by the largest part of it."""
    usable = [each for each in paid if pays_alone(each.provider) and each.provider not in WITH_SECRET]
    best = max(usable, key=lambda each: each.amount, default=None)
    return None if best is None else PaymentMeans(provider=best.provider)


async def _method_of(reader: Reader, order: Order) -> UUID | None:
    if order.cart is None:
        return None
    cart = await cart_store.read(reader, order.cart, cart_store.Access(any=True))
    return None if cart is None else cart.delivery_method
