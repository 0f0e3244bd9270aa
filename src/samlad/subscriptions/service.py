"""The verbs of subscriptions: for staff, and for the customers whose they are."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from samlad.channels import Channel
from samlad.kernel import cards
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.subscriptions import entering, plans, rules, store
from samlad.subscriptions.entering import IN_ORDER, again, check_changeable, enter, next_from, tell
from samlad.subscriptions.events import (
    CycleSkipped,
    CycleUnskipped,
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionEnding,
    SubscriptionMoved,
    SubscriptionPaused,
    SubscriptionResumed,
)
from samlad.subscriptions.model import (
    CancelInput,
    ChangeInput,
    LineInput,
    MinimumNotReached,
    MoveInput,
    OrderNowInput,
    PauseInput,
    ResumeInput,
    Status,
    Subscription,
    SubscriptionHead,
    SwapInput,
    WrongStatus,
)
from samlad.subscriptions.permissions import OVERRIDE

FARTHEST = timedelta(days=2 * 366)


async def change(
    tx: Tx, subscription: UUID, data: ChangeInput, *, version: int | None = None
) -> Subscription:
    """Change what comes, where it goes, or how it is paid, from the next order on. New means of payment try it at once.

    Raises:
        WrongStatus: it is cancelled, or the next order is being paid. TooLate: a customer, after the cut-off.
        InvalidInput: a line that the plan does not sell, an address, method or payment that is not right.
    """
    found, channel = await enter(tx, subscription, version, Status.ACTIVE, Status.PAUSED)
    given = {
        name: value for name in ChangeInput.__struct_fields__ if (value := getattr(data, name)) is not UNSET
    }
    if set(given) - {"payment"}:
        check_changeable(tx, found, channel)
    elif found.charging is not None:
        raise WrongStatus("The next order is being paid at this moment.", state="charging")
    cards.refuse(given.get("name"), "name")
    values: dict[str, Any] = {name: given[name] for name in ("email", "name", "phone") if name in given}
    values |= await _goods(tx, found, channel, given)
    values |= await _way(tx, found, channel, given)
    if "payment" in given:
        values |= await entering.means_of(tx, channel, given["payment"])
        if found.trouble == "declined":
            values["retry_at"] = now()
    if not given:
        return found
    await store.update(tx, found.id, values)
    lines = entering.told_lines(data.lines) if data.lines is not UNSET else None
    tell(tx, found, SubscriptionChanged(number=found.number, fields=sorted(given), lines=lines))
    return await again(tx, found.id)


async def _goods(tx: Tx, found: Subscription, channel: Channel, given: dict[str, Any]) -> dict[str, Any]:
    """The columns of another plan, after its lines were written."""
    if not {"lines", "plan"} & given.keys():
        return {}
    lines: Sequence[LineInput] = given.get("lines") or [
        LineInput(variant=line.variant, quantity=line.quantity) for line in found.lines
    ]
    is_same = given.get("plan", found.plan) == found.plan
    known = [line.variant for line in found.lines] if is_same else []
    plan = await plans.check_offered(tx, channel, given.get("plan", found.plan), lines, known=known)
    if "lines" in given:
        await store.set_lines(tx, found.id, lines)
    if is_same:
        return {}
    terms = plan.terms
    if tx.actor.kind == "customer":  # no way around the orders that they have agreed to
        least = max(terms.minimum_orders, found.terms.minimum_orders)
        terms = msgspec.structs.replace(terms, minimum_orders=least)
    anchor = rules.first_day(terms, found.next_on)
    return {
        "plan": plan.id,
        "terms": msgspec.to_builtins(terms),
        "anchor_on": anchor,
        "anchor_cycle": found.cycle,
        "next_on": anchor,
    }


async def _way(tx: Tx, found: Subscription, channel: Channel, given: dict[str, Any]) -> dict[str, Any]:
    """The columns of another address or another way to get there."""
    if not {"address", "delivery_method", "location"} & given.keys():
        return {}
    address = entering.tidy_address(given.get("address", found.address))
    location = given.get("location", found.location)
    kept = None if {"delivery_method", "location"} & given.keys() else found.delivery_method
    code = given.get("delivery_method")
    chosen, method = await entering.way(tx, channel, code, location, address, kept=kept)
    return {"address": address, "location": location, "delivery": chosen, "delivery_method": method}


async def swap(tx: Tx, subscription: UUID, data: SwapInput, *, version: int | None = None) -> Subscription:
    """One variant in place of another, from the next order on. Is the other one there already, it becomes more.

    Raises:
        InvalidInput: it does not come with this, or the plan does not sell the other one. And as `change`.
    """
    found, channel = await enter(tx, subscription, version, Status.ACTIVE, Status.PAUSED)
    check_changeable(tx, found, channel)
    wanted = {line.variant: line.quantity for line in found.lines}
    if data.variant not in wanted:
        raise InvalidInput.at("variant", "does not come with this subscription")
    quantity = wanted.pop(data.variant)
    wanted[data.to] = wanted.get(data.to, 0) + (data.quantity or quantity)
    lines = msgspec.convert(
        [{"variant": variant, "quantity": count} for variant, count in wanted.items()], list[LineInput]
    )
    given = {"lines": lines}
    await store.update(tx, found.id, await _goods(tx, found, channel, given))
    fact = SubscriptionChanged(number=found.number, fields=["lines"], lines=entering.told_lines(lines))
    tell(tx, found, fact)
    return await again(tx, found.id)


async def pause(tx: Tx, subscription: UUID, data: PauseInput, *, version: int | None = None) -> Subscription:
    """Nothing is ordered until a day, or until somebody says so. Paused before it is paused until the day given now.

    Raises:
        WrongStatus: it is cancelled. InvalidInput: the day is not in the future, or too far.
    """
    found, channel = await enter(tx, subscription, version, Status.ACTIVE, Status.PAUSED)
    cards.refuse(data.reason, "reason")
    if data.until is not None:
        _check_day(data.until, channel, "until")
    values = await entering.let_go(tx, found)
    values |= {
        "status": Status.PAUSED,
        "resume_on": data.until,
        "reason": data.reason,
        "is_wanted_now": False,
    }
    await store.update(tx, found.id, values | IN_ORDER)
    tell(
        tx,
        found,
        SubscriptionPaused(number=found.number, cause="asked", reason=data.reason, until=data.until),
    )
    return await again(tx, found.id)


async def resume(
    tx: Tx, subscription: UUID, data: ResumeInput, *, version: int | None = None
) -> Subscription:
    """It goes on with the next regular day, or the one that is given. Days that passed are not made up.

    Raises:
        WrongStatus: it is not paused. InvalidInput: the day is past, or too far.
    """
    found, channel = await enter(tx, subscription, version, Status.PAUSED)
    return await go_on(tx, found, channel, data.next_on)


async def go_on(tx: Tx, found: Subscription, channel: Channel, next_on: date | None = None) -> Subscription:
    """Make a subscription that the caller holds active, with the day given or the next regular one."""
    if next_on is None:
        values = next_from(found, found.cycle, entering.today(channel))
    else:
        _check_day(next_on, channel, "next_on", from_today=True)
        values = _moved(found, next_on, once=False)
    values |= {"status": Status.ACTIVE, "resume_on": None}
    if found.status is Status.CANCELLED or not found.is_ending:
        values |= {"is_ending": False, "reason": ""}
    await store.update(tx, found.id, values | IN_ORDER)
    fact = SubscriptionResumed(number=found.number, next_on=values["next_on"], was=found.status)
    tell(tx, found, fact)
    return await again(tx, found.id)


async def skip(tx: Tx, subscription: UUID, *, version: int | None = None) -> Subscription:
    """The next order does not come; the one after it is then the next.

    Raises:
        WrongStatus: it is not active, ends now, or the order is being paid. TooLate: a customer, after the cut-off.
    """
    found, channel = await enter(tx, subscription, version, Status.ACTIVE)
    _check_comes(found)
    check_changeable(tx, found, channel)
    await skipped(tx, found, channel, "skipped")
    return await again(tx, found.id)


async def skipped(tx: Tx, found: Subscription, channel: Channel, state: str) -> None:
    """End the cycle of a subscription that the caller holds without an order (``state`` says why)."""
    await store.end_cycle(tx, found.id, found.cycle, found.next_on, state)
    day = max(found.next_on, entering.today(channel) - timedelta(days=1)) + timedelta(days=1)
    values = next_from(found, found.cycle + 1, day)
    await store.update(tx, found.id, values | IN_ORDER)
    fact = CycleSkipped(
        number=found.number,
        cycle=found.cycle,
        due_on=found.next_on,
        next_on=values["next_on"],
        reason=state,
    )
    tell(tx, found, fact)


async def unskip(tx: Tx, subscription: UUID, *, version: int | None = None) -> Subscription:
    """The order that was skipped last comes after all, if its day is still to come.

    Raises:
        WrongStatus: it is not active. Conflict: none was skipped since the last order. TooLate: a customer, after its
            cut-off.
    """
    found, channel = await enter(tx, subscription, version, Status.ACTIVE)
    last = await store.last_skipped(tx, found.id, found.cycle)
    if last is None or last[1] < entering.today(channel):
        raise Conflict("No order that was skipped can still come.")
    before = msgspec.structs.replace(found, cycle=last[0], next_on=last[1])
    check_changeable(tx, before, channel)
    await store.forget_cycle(tx, found.id, last[0])
    values = {"cycle": last[0], "next_on": last[1], "is_wanted_now": False}
    await store.update(tx, found.id, values | IN_ORDER)
    tell(tx, found, CycleUnskipped(number=found.number, cycle=last[0], next_on=last[1]))
    return await again(tx, found.id)


async def move(tx: Tx, subscription: UUID, data: MoveInput, *, version: int | None = None) -> Subscription:
    """Another day for the next order. Those that follow move with it, unless it is ``once`` or the plan has days of its
    own.

    Raises:
        WrongStatus: it is not active, ends now, or the order is being paid. TooLate: a customer, after the cut-off.
        InvalidInput: the day is past, or too far.
    """
    found, channel = await enter(tx, subscription, version, Status.ACTIVE)
    _check_comes(found)
    check_changeable(tx, found, channel)
    _check_day(data.next_on, channel, "next_on", from_today=True)
    once = data.once or found.terms.anchor is not None
    await store.update(tx, found.id, _moved(found, data.next_on, once=once) | IN_ORDER)
    fact = SubscriptionMoved(number=found.number, before=found.next_on, next_on=data.next_on, once=once)
    tell(tx, found, fact)
    return await again(tx, found.id)


async def order_now(
    tx: Tx, subscription: UUID, data: OrderNowInput, *, version: int | None = None
) -> Subscription:
    """The next order is not to wait for its day: it is placed a moment later, as any renewal is. Twice is once.

    Those that follow keep their days; with ``restart`` they are counted from today.

    Raises:
        WrongStatus: it is not active, ends now, or the order is being paid already.
    """
    found, channel = await enter(tx, subscription, version, Status.ACTIVE)
    _check_comes(found)
    if found.charging is not None:
        raise WrongStatus("The next order is being paid at this moment.", state="charging")
    values: dict[str, Any] = {"is_wanted_now": True, "retry_at": None}
    today = entering.today(channel)
    if data.restart and found.next_on != today:
        values |= _moved(found, today, once=False) | {"is_wanted_now": True}
        fact = SubscriptionMoved(number=found.number, before=found.next_on, next_on=today, once=False)
        tell(tx, found, fact)
    await store.update(tx, found.id, values)
    return await again(tx, found.id)


async def cancel(
    tx: Tx, subscription: UUID, data: CancelInput, *, version: int | None = None
) -> Subscription:
    """End it: at once, or with the period, when its customer has had as many orders as were agreed to.

    Raises:
        WrongStatus: it is cancelled. MinimumNotReached: at once, and more were agreed to; staff may override that.
        Forbidden: overriding without `subscriptions.override`.
    """
    found, _ = await enter(tx, subscription, version, Status.ACTIVE, Status.PAUSED)
    cards.refuse(data.reason, "reason")
    if data.override:
        tx.actor.require(OVERRIDE)
    missing = 0 if data.override else max(0, found.terms.minimum_orders - found.orders)
    ends_on = _day_after(found, missing)
    if data.when == "now" and missing:
        raise MinimumNotReached(
            f"{missing} more orders were agreed to. With its period it ends on {ends_on}.",
            orders=found.orders,
            minimum=found.terms.minimum_orders,
            ends_on=ends_on.isoformat(),
        )
    if data.when == "now" or (found.status is Status.PAUSED and not missing):
        values = await entering.let_go(tx, found)
        values |= {"status": Status.CANCELLED, "resume_on": None, "is_ending": False, "reason": data.reason}
        await store.update(tx, found.id, values | {"is_wanted_now": False} | IN_ORDER)
        fact = SubscriptionCancelled(
            number=found.number, cause="asked", reason=data.reason, orders=found.orders
        )
        tell(tx, found, fact)
    else:
        terms = msgspec.structs.replace(found.terms, minimum_orders=0) if data.override else found.terms
        values = {"is_ending": True, "reason": data.reason, "terms": msgspec.to_builtins(terms)}
        await store.update(tx, found.id, values)
        tell(tx, found, SubscriptionEnding(number=found.number, ends_on=ends_on, reason=data.reason))
    return await again(tx, found.id)


async def reactivate(
    tx: Tx, subscription: UUID, data: ResumeInput, *, version: int | None = None
) -> Subscription:
    """It goes on after it was cancelled, or does not end with its period after all.

    Raises:
        WrongStatus: it is neither cancelled nor ending. InvalidInput: the day is past, or too far.
    """
    found, channel = await enter(tx, subscription, version)
    if found.is_ending and found.status is Status.ACTIVE and data.next_on is None:
        await store.update(tx, found.id, {"is_ending": False, "reason": ""})
        tell(tx, found, SubscriptionResumed(number=found.number, next_on=found.next_on, was="ending"))
        return await again(tx, found.id)
    if found.status is not Status.CANCELLED:
        raise WrongStatus(f"It is {found.status}.", state=found.status)
    return await go_on(tx, found, channel, data.next_on)


def _check_day(day: date, channel: Channel, field: str, *, from_today: bool = False) -> None:
    today = entering.today(channel)
    if day < today or (day == today and not from_today):
        raise InvalidInput.at(field, "a day that is still to come")
    if day > today + FARTHEST:
        raise InvalidInput.at(field, "at most two years ahead")


def _check_comes(found: Subscription) -> None:
    """Raises WrongStatus where no order is to come: it ends in place of the next one."""
    if found.is_ending_now:
        raise WrongStatus("It ends in place of the next order; let it go on first.", state="ending")


def _moved(found: SubscriptionHead, day: date, *, once: bool) -> dict[str, Any]:
    """The next order on another day, as columns."""
    values: dict[str, Any] = {"next_on": day, "is_wanted_now": False}
    return values if once else values | {"anchor_on": day, "anchor_cycle": found.cycle}


def ends_on(found: SubscriptionHead) -> date:
    """The day on which it ends if it ends with its period: of the next order, or of the one after those agreed to."""
    return _day_after(found, max(0, found.terms.minimum_orders - found.orders))


def _day_after(found: SubscriptionHead, orders: int) -> date:
    """The day of the next order, or of the one after so many more."""
    if orders == 0:
        return found.next_on
    return rules.day_of(found.terms, found.anchor_on, found.cycle + orders - found.anchor_cycle)
