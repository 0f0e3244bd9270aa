"""What customers are told before: that an order comes, and that it costs more than the last one."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from samlad import carts, channels
from samlad.carts import CartView
from samlad.channels import Channel
from samlad.kernel.database import Tx
from samlad.kernel.problems import Problem
from samlad.stock import SoldOut
from samlad.subscriptions import entering, renewals, rules, store
from samlad.subscriptions.events import PriceRising, RenewalUpcoming
from samlad.subscriptions.model import NextLine, NextOrder, Status, Subscription, Upcoming

SHOWN = 6
"""Orders to come that are listed."""


async def upcoming(tx: Tx, found: Subscription, channel: Channel) -> Upcoming:
    """The days to come, and what the next order would come to now. Nothing is written."""
    view, missing = await _estimate(tx, found, channel)
    titles = {line.variant: line for line in found.lines}
    lines = [
        NextLine(
            variant=line.variant,
            sku=line.sku,
            title=titles[line.variant].title,
            quantity=line.quantity,
            unit_price=line.unit_price,
            total=line.total,
        )
        for line in (view.lines if view else [])
    ]
    return Upcoming(
        orders=_to_come(found, channel),
        lines=lines,
        missing=missing,
        shipping=view.totals.shipping if view else None,
        tax=view.totals.tax if view else None,
        total=view.totals.total if view else None,
        last_total=found.last_total,
        currency=found.currency,
    )


def _to_come(found: Subscription, channel: Channel) -> list[NextOrder]:
    """The next orders as things are: none while it is not active, the last one of those that were agreed to if it ends."""
    if found.status is not Status.ACTIVE:
        return []
    left = SHOWN
    if found.is_ending:
        left = min(SHOWN, max(0, found.terms.minimum_orders - found.orders))
    days = [(found.cycle, found.next_on)]
    while len(days) < left:
        cycle, day = days[-1]
        days.append(
            rules.next_cycle(
                found.terms, found.anchor_on, found.anchor_cycle, cycle + 1, day + timedelta(days=1)
            )
        )
    return [
        NextOrder(cycle=cycle, on=day, changes_until=entering.changes_until(found, channel, day))
        for cycle, day in days[:left]
    ]


async def _estimate(tx: Tx, found: Subscription, channel: Channel) -> tuple[CartView | None, list[UUID]]:
    """What the next order would come to (None if nothing of it is sold now), and what of it is not."""
    try:
        wanted = await renewals.want(tx, found, channel)
    except SoldOut as error:
        return None, [line.variant for line in error.lines]
    missing = [UUID(line["variant"]) for line in wanted.short]
    return await carts.estimate(tx, channel, wanted.repeat), missing


async def tell_upcoming(tx: Tx, subscription: UUID) -> None:
    """Tell once of the next order that it comes, with its amounts."""
    found = await store.lock(tx, subscription, if_free=True)
    if found is None or found.status is not Status.ACTIVE or found.is_ending_now:
        return
    channel = await channels.cached(tx, found.channel)
    if await store.mark_told(tx, found.id, found.cycle):
        view, missing = await _estimate(tx, found, channel)
        fact = RenewalUpcoming(
            number=found.number,
            cycle=found.cycle,
            on=found.next_on,
            changes_until=entering.changes_until(found, channel, found.next_on),
            total=view.totals.total if view else None,
            last_total=found.last_total,
            currency=found.currency,
            missing=missing,
        )
        entering.tell(tx, found, fact)


async def compare_prices(tx: Tx, subscription: UUID) -> None:
    """Look once a day whether the next order costs more than the last did, and tell of each rise once."""
    found = await store.lock(tx, subscription, if_free=True)
    if found is None or found.status is not Status.ACTIVE or found.is_ending_now:
        return
    channel = await channels.cached(tx, found.channel)
    today = entering.today(channel)
    await store.note(tx, found.id, {"looked_on": today})
    days = int(channel.setting("subscription_price_notice_days"))
    prices = await renewals.list_prices(tx, found, channel)
    risen = {
        line.variant: price
        for line in found.lines
        if (price := prices.get(line.variant)) is not None
        and line.list_price is not None
        and price > max(line.list_price, line.told_price or 0)
    }
    if not risen:
        return
    number = found.orders + 1
    told: list[dict[str, Any]] = []
    for line in found.lines:
        if line.variant in risen and line.list_price is not None:
            before = rules.price_of(found.terms, number, line.list_price, found.currency)
            after = rules.price_of(found.terms, number, risen[line.variant], found.currency)
            if after > before:
                told.append(
                    {
                        "variant": str(line.variant),
                        "quantity": line.quantity,
                        "before": before,
                        "after": after,
                    }
                )
    await store.tell_prices(tx, found.id, risen, today)
    if not told:
        return  # the plan's own price does not follow
    fact = PriceRising(
        number=found.number,
        from_on=today + timedelta(days=days),
        lines=told,
        total=await _risen_total(tx, found, channel),
        last_total=found.last_total,
        currency=found.currency,
    )
    entering.tell(tx, found, fact)


async def _risen_total(tx: Tx, found: Subscription, channel: Channel) -> int | None:
    """What an order comes to when the rise counts; None if something of it cannot be priced now."""
    try:
        wanted = await renewals.want(tx, found, channel, as_if_told=True)
        return (await carts.estimate(tx, channel, wanted.repeat)).totals.total
    except Problem:
        return None
