"""What customers and staff do with subscriptions: pause, skip, move, change, cancel; and how they begin."""

from datetime import date
from typing import Any

import msgspec
import pytest
from subscribing import Shop

from samlad import carts, orders, subscriptions
from samlad.carts import CartInput, DetailsInput
from samlad.carts import LineInput as CartLineInput
from samlad.channels import Resource
from samlad.customers import PersonInput, find_or_create
from samlad.kernel.context import Actor, Context
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, Outdated
from samlad.orders import CancelInput as CancelOrder
from samlad.orders import PlaceOrder
from samlad.payments import PaymentInput
from samlad.subscriptions import (
    CancelInput,
    ChangeInput,
    FromOrderInput,
    MinimumNotReached,
    MoveInput,
    PauseInput,
    ResumeInput,
    Status,
    SwapInput,
    TooLate,
    WrongStatus,
)
from trade import BUYER


async def test_paused_until_a_day_it_goes_on_by_itself(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    found = await shop.do(subscriptions.pause, found, PauseInput(until=date(2027, 4, 10)), as_customer=True)
    assert found.status is Status.PAUSED
    for month, day in ((2, 28), (3, 31)):
        shop.clock.to(2027, month, day, 9)
        await shop.sweep()
    assert len(await shop.orders(found)) == 1
    shop.clock.to(2027, 4, 10, 9)
    await shop.sweep()
    found = await shop.read(found)
    assert (found.status, found.next_on.isoformat(), found.resume_on) == (Status.ACTIVE, "2027-04-30", None)
    shop.clock.to(2027, 4, 30, 9)
    await shop.sweep()
    assert [cycle for cycle, _ in await shop.orders(found)] == [0, 3]
    with pytest.raises(WrongStatus):
        await shop.do(subscriptions.resume, found, ResumeInput())


async def test_paused_for_ever_until_somebody_says_so(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    await shop.do(subscriptions.pause, found, PauseInput(reason="Away"))
    shop.clock.to(2028, 1, 1, 9)
    await shop.sweep()
    assert await shop.orders(found) == []
    found = await shop.do(subscriptions.resume, found, ResumeInput(next_on=date(2028, 1, 5)))
    assert found.next_on == date(2028, 1, 5)
    shop.clock.to(2028, 1, 5, 9)
    await shop.sweep()
    assert (await shop.read(found)).next_on == date(2028, 2, 5)


async def test_skipped_and_taken_back(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    with pytest.raises(Conflict):
        await shop.do(subscriptions.unskip, found)  # the last one came
    for _ in range(2):
        found = await shop.do(subscriptions.skip, found, as_customer=True)
    assert (found.cycle, found.next_on.isoformat()) == (3, "2027-04-30")
    found = await shop.do(subscriptions.unskip, found, as_customer=True)
    assert (found.cycle, found.next_on.isoformat()) == (2, "2027-03-31")
    shop.clock.to(2027, 3, 1, 9)
    await shop.sweep()
    found = await shop.do(subscriptions.skip, found)
    shop.clock.to(2027, 4, 2, 9)
    with pytest.raises(Conflict):
        await shop.do(subscriptions.unskip, found)  # its day is over
    shop.clock.to(2027, 4, 30, 9)
    await shop.sweep()
    assert [cycle for cycle, _ in await shop.orders(found)] == [0, 3]
    await shop.agree()


async def test_a_pause_does_not_take_a_cancellation_back(shop: Shop) -> None:
    plan = await shop.make_plan("two", minimum_orders=2)
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1), plan=plan)
    await shop.sweep()
    await shop.do(subscriptions.cancel, found, CancelInput(reason="Enough"), as_customer=True)
    await shop.do(subscriptions.pause, found, PauseInput(), as_customer=True)
    found = await shop.do(subscriptions.resume, found, ResumeInput(), as_customer=True)
    assert (found.is_ending, found.reason) == (True, "")
    for month, day in ((2, 28), (3, 31)):
        shop.clock.to(2027, month, day, 9)
        await shop.sweep()
    found = await shop.read(found)
    assert (found.status, found.orders) == (Status.CANCELLED, 2)


async def test_begun_between_its_days_the_next_is_the_first_of_them(shop: Shop) -> None:
    firsts = await shop.make_plan("firsts", anchor=10, cutoff_hours=24)
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1), plan=firsts)
    later = await shop.start((kettle, 1), plan=firsts, first_on="2027-02-03")
    assert (found.next_on.isoformat(), later.next_on.isoformat()) == ("2027-01-31", "2027-02-10")
    await shop.sweep()
    assert [len(await shop.orders(each)) for each in (found, later)] == [1, 0]
    assert (await shop.read(found)).next_on.isoformat() == "2027-02-10"
    shop.clock.to(2027, 2, 10, 9)
    await shop.sweep()
    assert [cycle for cycle, _ in await shop.orders(found)] == [0, 1]
    assert [(await shop.read(each)).next_on.isoformat() for each in (found, later)] == ["2027-03-10"] * 2


async def test_moved_once_and_for_good(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    await shop.do(subscriptions.move, found, MoveInput(next_on=date(2027, 3, 5), once=True))
    shop.clock.to(2027, 3, 5, 9)
    await shop.sweep()
    found = await shop.read(found)
    assert found.next_on == date(2027, 3, 31)
    found = await shop.do(subscriptions.move, found, MoveInput(next_on=date(2027, 4, 15)))
    shop.clock.to(2027, 4, 15, 9)
    await shop.sweep()
    assert (await shop.read(found)).next_on == date(2027, 5, 15)
    with pytest.raises(InvalidInput):
        await shop.do(subscriptions.move, found, MoveInput(next_on=date(2027, 4, 14)))


async def test_after_the_cut_off_only_staff_change_the_next_order(shop: Shop) -> None:
    plan = await shop.make_plan("early", cutoff_hours=48)
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1), plan=plan)
    await shop.sweep()
    shop.clock.to(2027, 2, 26, 6)  # 47 hours before
    with pytest.raises(TooLate) as refused:
        await shop.do(subscriptions.skip, found, as_customer=True)
    assert refused.value.extra["until"] == "2027-02-26T05:00:00+00:00"
    change = ChangeInput(lines=[subscriptions.LineInput(variant=kettle, quantity=2)])
    with pytest.raises(TooLate):
        await shop.do(subscriptions.change, found, change, as_customer=True)
    assert (await shop.do(subscriptions.change, found, change)).lines[0].quantity == 2
    assert (await shop.do(subscriptions.skip, found)).cycle == 2


async def test_what_could_not_be_placed_waits_for_its_customer_too(shop: Shop) -> None:
    kettle, cup = await shop.trade.kettle(10_000, 0), await shop.trade.kettle(5_000, 9)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    assert (await shop.read(found)).trouble == "out_of_stock"
    await shop.do(subscriptions.swap, found, SwapInput(variant=kettle, to=cup), as_customer=True)
    shop.clock.on(hours=6)
    await shop.sweep()
    assert await shop.orders(found) == [(0, 4_500)]


async def test_lines_address_plan_and_variants_change(shop: Shop) -> None:
    kettle, cup, other = [await shop.trade.kettle(10_000, 50) for _ in range(3)]
    weekly = await shop.make_plan("weekly", unit="week", anchor=1)
    found = await shop.start((kettle, 1), (cup, 2))
    await shop.sweep()
    address = {"name": "Lo", "line1": "Ågatan 2", "postal_code": "223 50", "city": "Lund", "country": "SE"}
    change = msgspec.convert({"address": address, "phone": "+46 40 1", "plan": str(weekly.id)}, ChangeInput)
    found = await shop.do(subscriptions.change, found, change, as_customer=True)
    assert (found.address and found.address.city, found.terms.anchor) == ("Lund", 1)
    assert found.next_on == date(2027, 3, 1)  # the first Monday after the day that it had
    found = await shop.do(subscriptions.swap, found, SwapInput(variant=kettle, to=other), as_customer=True)
    assert {line.variant: line.quantity for line in found.lines} == {other: 1, cup: 2}
    found = await shop.do(subscriptions.swap, found, SwapInput(variant=other, to=cup))
    assert {line.variant: line.quantity for line in found.lines} == {cup: 3}
    wrong = msgspec.structs.replace(change, address=msgspec.structs.replace(change.address, postal_code="1"))
    with pytest.raises(InvalidInput):
        await shop.do(subscriptions.change, found, wrong)
    with pytest.raises(InvalidInput):
        await shop.do(subscriptions.swap, found, SwapInput(variant=kettle, to=other))


async def test_a_plan_sells_only_what_it_names(shop: Shop) -> None:
    kettle, cup = [await shop.trade.kettle(10_000, 50) for _ in range(2)]
    plan = await shop.make_plan("some")
    change = subscriptions.PlanChange(variants=[kettle])
    plan = await shop.db.transaction(lambda tx: subscriptions.change_plan(tx, plan.id, change))
    with pytest.raises(InvalidInput) as refused:
        await shop.start((kettle, 1), (cup, 1), plan=plan)
    assert [error.field for error in refused.value.errors] == ["lines/1/variant"]
    offers = await subscriptions.offers(shop.db, shop.trade.web, [kettle, cup])
    assert [offer.code for offer in offers[cup]] == ["monthly"]
    assert [(offer.code, offer.price, offer.regular) for offer in offers[kettle]] == [
        ("monthly", 9_000, 10_000),
        ("some", 10_000, 10_000),
    ]
    with pytest.raises(Outdated):
        await shop.db.transaction(lambda tx: subscriptions.change_plan(tx, plan.id, change, version=1))


async def test_who_began_keeps_the_terms(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    dearer = msgspec.convert({"terms": {"prices": []}, "is_active": False}, subscriptions.PlanChange)
    await shop.db.transaction(lambda tx: subscriptions.change_plan(tx, shop.plan.id, dearer))
    await shop.sweep()
    assert await shop.orders(found) == [(0, 9_000)]
    with pytest.raises(InvalidInput):
        await shop.start((kettle, 1))
    change = ChangeInput(lines=[subscriptions.LineInput(variant=kettle, quantity=2)])
    assert (await shop.do(subscriptions.change, found, change)).lines[0].quantity == 2


async def test_a_minimum_is_kept_and_then_it_ends_with_its_period(shop: Shop) -> None:
    plan = await shop.make_plan("three", minimum_orders=3)
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1), plan=plan)
    await shop.sweep()
    with pytest.raises(MinimumNotReached) as refused:
        await shop.do(subscriptions.cancel, found, CancelInput(when="now"), as_customer=True)
    assert refused.value.extra == {"orders": 1, "minimum": 3, "ends_on": "2027-04-30"}
    with pytest.raises(Forbidden):
        await shop.do(subscriptions.cancel, found, CancelInput(when="now", override=True), as_customer=True)
    found = await shop.do(subscriptions.cancel, found, CancelInput(reason="Too many"), as_customer=True)
    assert (found.status, found.is_ending) == (Status.ACTIVE, True)
    for month, day in ((2, 28), (3, 31), (4, 30), (5, 31)):
        shop.clock.to(2027, month, day, 9)
        await shop.sweep()
    found = await shop.read(found)
    assert (found.status, found.orders) == (Status.CANCELLED, 3)
    assert (await shop.told(found, "cancelled"))[0].payload["cause"] == "period"


async def test_another_plan_is_no_way_around_a_minimum(shop: Shop) -> None:
    plan = await shop.make_plan("three", minimum_orders=3, prices=[{"percent_off": 5000}])
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1), plan=plan)
    await shop.sweep()
    shop.clock.to(2027, 2, 5, 9)
    change = ChangeInput(plan=shop.plan.id)
    found = await shop.do(subscriptions.change, found, change, as_customer=True)
    assert (found.plan, found.terms.minimum_orders) == (shop.plan.id, 3)
    with pytest.raises(MinimumNotReached):
        await shop.do(subscriptions.cancel, found, CancelInput(when="now"), as_customer=True)
    other = await shop.do(subscriptions.change, found, ChangeInput(plan=plan.id))
    free = await shop.do(subscriptions.change, other, change)  # staff may
    assert free.terms.minimum_orders == 0


async def test_cancelled_at_once_and_brought_back(shop: Shop) -> None:
    plan = await shop.make_plan("three", minimum_orders=3)
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1), plan=plan)
    found = await shop.do(subscriptions.cancel, found, CancelInput(when="now", override=True))
    assert found.status is Status.CANCELLED
    for verb, data in ((subscriptions.pause, PauseInput()), (subscriptions.cancel, CancelInput())):
        with pytest.raises(WrongStatus):
            await shop.do(verb, found, data)
    await shop.sweep()
    assert await shop.orders(found) == []
    shop.clock.to(2027, 3, 10, 9)
    found = await shop.do(subscriptions.reactivate, found, ResumeInput(), as_customer=True)
    assert (found.status, found.next_on.isoformat()) == (Status.ACTIVE, "2027-03-31")
    found = await shop.do(subscriptions.cancel, found, CancelInput())
    assert found.is_ending
    found = await shop.do(subscriptions.reactivate, found, ResumeInput())
    assert (found.is_ending, found.next_on.isoformat()) == (False, "2027-03-31")


async def test_nobody_touches_what_is_somebody_elses(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    pool = shop.trade.web.pools[Resource.CUSTOMERS]
    lo = await shop.db.transaction(lambda tx: find_or_create(tx, pool, PersonInput(email="lo@example.org")))
    as_lo = Context(actor=Actor(kind="customer", id=lo.id))
    for verb, data in (
        (subscriptions.skip, ()),
        (subscriptions.cancel, (CancelInput(),)),
        (subscriptions.pause, (PauseInput(),)),
    ):
        with pytest.raises(NotFound):
            await shop.db.transaction(lambda tx, v=verb, d=data: v(tx, found.id, *d), as_lo)
    with pytest.raises(NotFound):
        await subscriptions.read(shop.db, as_lo.actor, found.id)
    with pytest.raises(Forbidden):
        await shop.db.transaction(
            lambda tx: subscriptions.skip(tx, found.id), Context(actor=Actor(kind="guest"))
        )


# -- with an order -----------------------------------------------------------------------------------------------------


async def buy_by_plan(shop: Shop, *lines: tuple[Any, Any], provider: str = "test") -> orders.Order:
    """An order whose lines (variant, plan or None) were bought in a cart."""
    wanted = CartInput(
        channel=shop.trade.web.id, lines=[CartLineInput(variant=v, plan=p and p.id) for v, p in lines]
    )

    async def work(tx: Any) -> orders.Order:
        made = await carts.create(tx, wanted)
        await carts.set_details(tx, made.id, msgspec.convert(BUYER, DetailsInput))
        return await orders.place(tx, PlaceOrder(cart=made.id, payments=[PaymentInput(provider=provider)]))

    return await shop.db.transaction(work)


async def test_a_subscription_begins_with_an_order(shop: Shop) -> None:
    kettle, cup, filt = [await shop.trade.kettle(10_000, 50) for _ in range(3)]
    firsts = await shop.make_plan("firsts", anchor=1, cutoff_hours=72)
    order = await buy_by_plan(shop, (kettle, shop.plan), (filt, firsts), (cup, None))
    assert order.total == 9_000 + 10_000 + 10_000
    await shop.trade.follow()
    await shop.trade.follow()
    found = await shop.db.transaction(
        lambda tx: subscriptions.start_from_order(tx, FromOrderInput(order=order.id))
    )
    assert [(s.plan, s.origin, s.orders, s.provider, s.email) for s in found] == [
        (shop.plan.id, order.id, 1, "test", "kim@example.org"),
        (firsts.id, order.id, 1, "test", "kim@example.org"),
    ]
    # Bought on 31 January: the next first of a month is too near.
    assert [s.next_on.isoformat() for s in found] == ["2027-02-28", "2027-03-01"]
    shop.clock.to(2027, 2, 28, 9)
    await shop.sweep()
    await shop.trade.follow()
    assert await shop.orders(found[0]) == [(1, 9_000)]
    assert await shop.db.value("SELECT count(*) FROM subscription") == 2  # a renewal begins nothing
    await shop.agree()


async def test_it_ends_with_an_order_that_is_called_off(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    order = await buy_by_plan(shop, (kettle, shop.plan))
    await shop.trade.follow()
    await shop.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelOrder()))
    await shop.trade.follow()
    assert await shop.db.value("SELECT status FROM subscription") == "cancelled"
    await shop.agree()


async def test_a_cart_says_what_a_plan_makes_of_its_price(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    wanted = CartInput(
        channel=shop.trade.web.id, lines=[CartLineInput(variant=kettle, quantity=2, plan=shop.plan.id)]
    )
    cart = await shop.db.transaction(lambda tx: carts.create(tx, wanted))
    assert [(line.unit_price, line.plan, line.problem) for line in cart.lines] == [
        (9_000, shop.plan.id, None)
    ]
    once = CartLineInput(variant=kettle)
    cart = await shop.db.transaction(lambda tx: carts.add_line(tx, cart.id, once))
    assert [(line.unit_price, line.quantity, line.plan) for line in cart.lines] == [(10_000, 3, None)]
    gone = subscriptions.PlanChange(is_active=False)
    again = CartLineInput(variant=kettle, plan=shop.plan.id)
    await shop.db.transaction(lambda tx: carts.add_line(tx, cart.id, again))
    await shop.db.transaction(lambda tx: subscriptions.change_plan(tx, shop.plan.id, gone))
    seen = await carts.view(shop.db, Actor(kind="system"), cart.id)
    assert [line.problem for line in seen.lines] == ["not-available"]
    with pytest.raises(carts.NotSellable):
        await shop.db.transaction(lambda tx: carts.add_line(tx, cart.id, again))
