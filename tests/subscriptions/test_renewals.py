"""Orders that repeat: one for each cycle, whatever happens to the machine, the goods and the money."""

import asyncio
from datetime import date
from typing import Any

import msgspec
import pytest
from subscribing import COURIER, POST, Shop, offer

from samlad import channels, credit, delivery, subscriptions
from samlad.delivery import MethodChange
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput
from samlad.subscriptions import (
    CancelInput,
    ChangeInput,
    MoveInput,
    OrderNowInput,
    Status,
    WrongStatus,
    renewals,
    sweepers,
)
from trade import ADDRESS


async def test_the_first_order_comes_at_once_and_the_next_on_its_day(shop: Shop) -> None:
    kettle = await shop.trade.kettle(20_000, 10)
    found = await shop.start((kettle, 2))
    assert (found.next_on.isoformat(), found.orders) == ("2027-01-31", 0)
    await shop.sweep()
    await shop.sweep()
    assert await shop.orders(found) == [(0, 36_000)]
    found = await shop.read(found)
    assert (found.next_on.isoformat(), found.orders, found.last_total) == ("2027-02-28", 1, 36_000)
    assert await shop.trade.level(kettle) == (10, 2)

    shop.clock.to(2027, 2, 28, 4, 59)  # six o'clock in Stockholm is five in UTC
    await shop.sweep()
    assert len(await shop.orders(found)) == 1
    shop.clock.to(2027, 2, 28, 5)
    await shop.sweep()
    assert await shop.orders(found) == [(0, 36_000), (1, 36_000)]
    assert (await shop.read(found)).next_on.isoformat() == "2027-03-31"
    order = await shop.db.row(
        "SELECT customer, status, payment_status, delivery FROM orders ORDER BY id DESC LIMIT 1"
    )
    assert dict(order or {}) == {
        "customer": shop.kim,
        "status": "paid",
        "payment_status": "paid",
        "delivery": "ship",
    }
    await shop.agree()


async def test_a_machine_that_was_off_makes_one_order_and_not_seven(shop: Shop) -> None:
    daily = await shop.make_plan("daily", unit="day")
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1), plan=daily)
    await shop.sweep()
    shop.clock.on(days=7)
    for _ in range(3):
        await shop.sweep()
    assert await shop.orders(found) == [(0, 10_000), (1, 10_000)]
    missed = await shop.told(found, "missed")
    assert [(event.payload["first"], event.payload["last"]) for event in missed] == [(2, 7)]
    assert (await shop.read(found)).next_on.isoformat() == "2027-02-08"
    shop.clock.on(days=-3)  # the clock goes back
    await shop.sweep()
    shop.clock.on(days=4)
    await shop.sweep()
    assert [cycle for cycle, _ in await shop.orders(found)] == [0, 1, 8]
    await shop.agree()


async def test_two_workers_at_once_make_one_order(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    made = [await shop.start((kettle, 1)) for _ in range(3)]
    await asyncio.gather(
        *(shop.sweep() for _ in range(4)), *(renewals.renew(shop.db, one.id) for one in made)
    )
    assert [await shop.orders(one) for one in made] == [[(0, 9_000)]] * 3
    await shop.agree()


class Killed(Exception):
    """The process died here."""


async def test_killed_between_the_order_and_its_cycle_nothing_was_done(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))

    async def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(renewals, "_ordered", die)
        with pytest.raises(Killed):
            await renewals.renew(shop.db, found.id)
    assert await shop.db.value("SELECT count(*) FROM orders") == 0
    assert await shop.trade.level(kettle) == (50, 0)
    await shop.sweep()
    assert await shop.orders(found) == [(0, 9_000)]
    await shop.agree()


async def test_a_cycle_that_has_an_order_gets_no_other(shop: Shop) -> None:
    """The last line of defence: whatever the row of the subscription says."""
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    await shop.db.rows(
        "UPDATE subscription SET cycle = 0, next_on = '2027-01-31', orders = 1 WHERE id = $1 RETURNING 1",
        found.id,
    )
    await shop.sweep()
    assert await shop.db.value("SELECT count(*) FROM orders") == 1
    assert (await shop.told(found, "failed"))[0].payload["problem"] == "conflict"


async def test_declined_and_paid_two_tries_later(shop: Shop) -> None:
    kettle = await shop.trade.kettle(20_000, 10)
    found = await shop.start((kettle, 1), payment={"provider": "test", "token": "decline:no-money"})
    await shop.sweep()
    await shop.sweep()
    found = await shop.read(found)
    assert (found.trouble, found.attempts, found.orders) == ("declined", 1, 0)
    assert await shop.trade.level(kettle) == (10, 0)
    shop.clock.on(days=1)
    await shop.sweep()
    declined = await shop.told(found, "payment_failed")
    assert [(e.payload["attempt"], e.payload["reason"]) for e in declined] == [
        (1, "no-money"),
        (2, "no-money"),
    ]
    change = msgspec.convert({"payment": {"provider": "test", "token": "ok"}}, ChangeInput)
    await shop.do(subscriptions.change, found, change, as_customer=True)
    await shop.sweep()  # new means are tried at once
    assert await shop.orders(found) == [(0, 18_000)]
    found = await shop.read(found)
    assert (found.trouble, found.attempts, found.retry_at) == (None, 0, None)
    await shop.agree()


@pytest.mark.parametrize(("policy", "status"), [("pause", Status.PAUSED), ("cancel", Status.CANCELLED)])
async def test_after_the_last_try_it_is_over_by_policy(shop: Shop, policy: str, status: Status) -> None:
    await shop.settle(subscription_exhausted=policy, subscription_retry_days=[1, 3])
    kettle = await shop.trade.kettle(20_000, 10)
    found = await shop.start((kettle, 1), payment={"provider": "test", "token": "decline"})
    for days in (0, 1, 1, 1):
        shop.clock.on(days=days)
        await shop.sweep()
    assert (await shop.read(found)).status is status
    kinds = [event.type.removeprefix("subscription.") for event in await shop.told(found)]
    assert kinds == ["started", *["payment_failed"] * 3, "paused" if policy == "pause" else "cancelled"]
    shop.clock.on(days=60)
    await shop.sweep()
    assert await shop.orders(found) == []


async def test_nobody_has_said_how_it_is_paid(shop: Shop) -> None:
    kettle = await shop.trade.kettle(20_000, 10)
    found = await shop.start((kettle, 1), payment=None)
    await shop.sweep()
    assert (await shop.told(found, "payment_failed"))[0].payload["reason"] == "no-payment-means"


async def test_out_of_stock_it_waits_and_then_comes(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 1)
    found = await shop.start((kettle, 2))
    await shop.sweep()
    found = await shop.read(found)
    assert (found.trouble, found.attempts) == ("out_of_stock", 1)
    await shop.receive(kettle, 5)
    await shop.sweep()
    assert await shop.orders(found) == []  # not yet time to look again
    shop.clock.on(hours=6)
    await shop.sweep()
    assert await shop.orders(found) == [(0, 18_000)]
    await shop.agree()


async def test_out_of_stock_for_too_long_it_is_skipped(shop: Shop) -> None:
    await shop.settle(subscription_stock_days=1)
    kettle = await shop.trade.kettle(10_000, 0)
    found = await shop.start((kettle, 1))
    for _ in range(6):
        await shop.sweep()
        shop.clock.on(hours=6)
    found = await shop.read(found)
    assert (found.trouble, found.cycle, found.next_on.isoformat()) == (None, 1, "2027-02-28")
    assert [event.payload["reason"] for event in await shop.told(found, "skipped")] == ["out_of_stock"]


async def test_out_of_stock_by_plan_it_is_skipped_at_once(shop: Shop) -> None:
    plan = await shop.make_plan("skipping", out_of_stock="skip")
    kettle = await shop.trade.kettle(10_000, 0)
    found = await shop.start((kettle, 1), plan=plan)
    await shop.sweep()
    assert (await shop.read(found)).cycle == 1
    assert await shop.db.value("SELECT state FROM subscription_cycle") == "out_of_stock"


async def test_out_of_stock_by_plan_the_rest_comes(shop: Shop) -> None:
    plan = await shop.make_plan("rest", out_of_stock="rest")
    kettle, cup, lid = [await shop.trade.kettle(10_000, n) for n in (1, 5, 0)]
    found = await shop.start((kettle, 3), (cup, 2), (lid, 1), plan=plan)
    await shop.sweep()
    assert await shop.orders(found) == [(0, 30_000)]
    missing = (await shop.told(found, "renewed"))[0].payload["missing"]
    assert {line["variant"]: line["quantity"] for line in missing} == {str(kettle): 2, str(lid): 1}
    assert {line.variant: line.quantity for line in (await shop.read(found)).lines}[kettle] == 3
    await shop.agree()


@pytest.mark.parametrize("policy", ["wait", "skip", "rest"])
async def test_what_is_not_sold_any_more_is_left_out_and_the_rest_comes(shop: Shop, policy: str) -> None:
    """Waiting brings none of it; its customer is told, and it comes again if it is sold again."""
    plan = await shop.make_plan(policy, out_of_stock=policy)
    kettle, cup = [await shop.trade.kettle(10_000, 9) for _ in range(2)]
    found = await shop.start((kettle, 1), (cup, 2), plan=plan)
    await shop.withdraw(cup)
    await shop.sweep()
    assert await shop.orders(found) == [(0, 10_000)]
    missing = (await shop.told(found, "renewed"))[0].payload["missing"]
    assert missing == [{"variant": str(cup), "quantity": 2, "is_sold": False}]
    now = await shop.read(found)
    told = await shop.db.transaction(lambda tx: subscriptions.upcoming(tx, now, shop.trade.web))
    assert (told.total, told.missing, [line.variant for line in told.lines]) == (10_000, [cup], [kettle])
    await shop.withdraw(cup, back=True)
    shop.clock.to(2027, 2, 28, 9)
    await shop.sweep()
    assert (await shop.orders(found))[1:] == [(1, 30_000)]
    await shop.agree()


async def test_nothing_of_it_is_sold_any_more(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 9)
    found = await shop.start((kettle, 1))
    await shop.withdraw(kettle)
    await shop.sweep()
    found = await shop.read(found)
    assert (found.trouble, found.attempts, found.orders) == ("out_of_stock", 1, 0)
    told = await shop.db.transaction(lambda tx: subscriptions.upcoming(tx, found, shop.trade.web))
    assert (told.total, told.missing) == (None, [kettle])


async def test_a_delivery_method_that_is_given_up_gives_way_to_another(shop: Shop) -> None:
    """It was a reason to fail, five times, and then to pause."""
    first, _ = await offer(shop.trade, POST, COURIER)
    kettle = await shop.trade.kettle(10_000, 9)
    found = await shop.start((kettle, 1), delivery_method="post")
    change = msgspec.convert({"is_active": False}, MethodChange)
    await shop.db.transaction(lambda tx: delivery.change_method(tx, first.id, change))
    await shop.sweep()
    assert await shop.orders(found) == [(0, 9_000 + 4_900)]


async def test_an_address_that_nothing_goes_to_is_refused(shop: Shop) -> None:
    await offer(shop.trade, COURIER)
    kettle = await shop.trade.kettle(10_000, 9)
    found = await shop.start((kettle, 1))
    far = msgspec.convert({"address": ADDRESS | {"country": "DE", "postal_code": "10115"}}, ChangeInput)
    with pytest.raises(InvalidInput) as refused:
        await shop.do(subscriptions.change, found, far)
    assert [error.field for error in refused.value.errors] == ["address"]
    await offer(shop.trade, POST)
    found = await shop.do(subscriptions.change, found, far)
    await shop.sweep()
    assert await shop.orders(found) == [(0, 9_000 + 1_900)]


async def test_what_ends_in_place_of_its_next_order_has_none_to_bring_forward(shop: Shop) -> None:
    """“Order now” ended it at once."""
    kettle = await shop.trade.kettle(10_000, 9)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    await shop.do(subscriptions.cancel, found, CancelInput())
    move = MoveInput(next_on=date(2027, 3, 5))
    for verb, data in (
        (subscriptions.order_now, [OrderNowInput()]),
        (subscriptions.skip, []),
        (subscriptions.move, [move]),
    ):
        with pytest.raises(WrongStatus):
            await shop.do(verb, found, *data)
    await shop.sweep()
    assert (await shop.read(found)).status is Status.ACTIVE


async def test_those_that_end_do_not_keep_others_from_being_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    ending, other = [await shop.start((kettle, 1)) for _ in range(2)]
    await shop.sweep()
    await shop.do(subscriptions.cancel, ending, CancelInput())
    await shop.trade.set_price(kettle, 12_000)
    monkeypatch.setattr(sweepers, "BATCH", 1)
    shop.clock.to(2027, 2, 26, 9)
    for _ in range(2):
        await shop.sweep()
    kinds = [event.type for event in await shop.told(other, "price_rising", "upcoming")]
    assert sorted(kinds) == ["subscription.price_rising", "subscription.upcoming"]
    assert await shop.told(ending, "price_rising", "upcoming") == []


async def test_a_rise_that_did_not_come_is_told_again_when_it_does(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    await shop.trade.set_price(kettle, 12_000)
    shop.clock.to(2027, 2, 20, 9)
    await shop.sweep()  # told
    await shop.trade.set_price(kettle, 10_000)
    for month, day in ((2, 28), (3, 31)):
        shop.clock.to(2027, month, day, 9)
        await shop.sweep()
    await shop.trade.set_price(kettle, 12_000)  # months later, and nobody has said so since
    shop.clock.to(2027, 4, 30, 9)
    await shop.sweep()
    assert [total for _, total in await shop.orders(found)] == [9_000] * 4
    assert len(await shop.told(found, "price_rising")) == 1
    shop.clock.to(2027, 5, 5, 9)
    await shop.sweep()
    assert len(await shop.told(found, "price_rising")) == 2
    shop.clock.to(2027, 5, 31, 9)
    await shop.sweep()
    assert (await shop.orders(found))[-1] == (4, 10_800)


async def test_a_price_that_rises_waits_until_it_was_told(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    await shop.trade.set_price(kettle, 12_000)
    shop.clock.to(2027, 2, 20, 9)  # eight days before: too late for this one
    await shop.sweep()
    await shop.sweep()
    rising = await shop.told(found, "price_rising")
    assert [(e.payload["lines"][0]["before"], e.payload["lines"][0]["after"]) for e in rising] == [
        (9_000, 10_800)
    ]
    assert (rising[0].payload["from_on"], rising[0].payload["total"]) == ("2027-03-06", 10_800)
    for month, day in ((2, 28), (3, 31)):
        shop.clock.to(2027, month, day, 9)
        await shop.sweep()
    assert [total for _, total in await shop.orders(found)] == [9_000, 9_000, 10_800]
    await shop.trade.set_price(kettle, 8_000)  # one that falls holds at once
    shop.clock.to(2027, 4, 30, 9)
    await shop.sweep()
    assert (await shop.orders(found))[-1] == (3, 7_200)
    await shop.agree()


async def test_customers_are_told_what_comes_and_what_it_costs(shop: Shop) -> None:
    await shop.settle(shipping_flat=4_900)
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    shop.clock.to(2027, 2, 24, 23, 30)  # the 25th in Stockholm: three days before
    await shop.sweep()
    await shop.sweep()
    told = [event.payload for event in await shop.told(found, "upcoming") if event.payload["cycle"] == 1]
    assert [(each["on"], each["total"], each["last_total"]) for each in told] == [
        ("2027-02-28", 13_900, 13_900)
    ]


async def test_the_first_orders_cost_less(shop: Shop) -> None:
    plan = await shop.make_plan(
        "intro", unit="week", prices=[{"percent_off": 5000}, {"from_order": 3, "price": {"SEK": 9_500}}]
    )
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1), plan=plan)
    for _ in range(4):
        await shop.sweep()
        shop.clock.on(days=7)
    assert [total for _, total in await shop.orders(found)] == [5_000, 5_000, 9_500, 9_500]


async def test_order_now_keeps_the_days_that_follow(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    await shop.sweep()
    shop.clock.to(2027, 2, 10, 2)
    for _ in range(2):  # pressed twice is once
        await shop.do(subscriptions.order_now, found, OrderNowInput(), as_customer=True)
    await shop.sweep()
    await shop.sweep()
    assert [cycle for cycle, _ in await shop.orders(found)] == [0, 1]
    assert (await shop.read(found)).next_on.isoformat() == "2027-03-31"
    await shop.do(subscriptions.order_now, found, OrderNowInput(restart=True))
    await shop.sweep()
    assert [cycle for cycle, _ in await shop.orders(found)] == [0, 1, 2]
    assert (await shop.read(found)).next_on.isoformat() == "2027-03-10"
    await shop.agree()


async def test_a_channel_that_is_paused_orders_nothing(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 50)
    found = await shop.start((kettle, 1))
    web = shop.trade.web

    async def set_status(status: str) -> None:
        change = msgspec.convert({"status": status}, channels.ChannelChange)
        await shop.db.transaction(lambda tx: channels.change(tx, web.id, change))

    await set_status("paused")
    await shop.sweep()
    assert await shop.orders(found) == []
    await set_status("active")
    await shop.sweep()
    assert len(await shop.orders(found)) == 1


async def test_one_that_fails_holds_up_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sweepers, "BATCH", 1
    )  # so that the one that fails would always be all that is looked at
    kettle = await shop.trade.kettle(10_000, 50)
    first, second = [await shop.start((kettle, 1)) for _ in range(2)]
    want, broken = renewals.want, {min(first.id, second.id)}

    async def break_one(tx: Tx, found: Any, *rest: Any, **more: Any) -> Any:
        if found.id in broken:
            raise RuntimeError("a fault that nobody foresaw")
        return await want(tx, found, *rest, **more)

    monkeypatch.setattr(renewals, "want", break_one)
    for _ in range(2):
        await shop.sweep()
    orders = {each.id: await shop.orders(each) for each in (first, second)}
    assert [made for each, made in orders.items() if each not in broken] == [[(0, 9_000)]]
    assert [made for each, made in orders.items() if each in broken] == [[]]
    broken.clear()
    shop.clock.on(hours=7)
    await shop.sweep()
    assert [len(await shop.orders(each)) for each in (first, second)] == [1, 1]


async def test_every_means_that_needs_nobody_there(shop: Shop) -> None:
    await shop.settle(payment_providers=["test", "gift_card", "store_credit", "invoice"])
    kettle = await shop.trade.kettle(10_000, 50)

    async def work(tx: Tx) -> str:
        wanted = credit.GrantInput(amount=9_000, currency="SEK", reason="Sorry")
        await credit.grant(tx, shop.kim, wanted)
        card = credit.IssueInput(channel=shop.trade.web.id, amount=9_000, note="Welcome")
        return (await credit.issue(tx, card)).code

    code = await shop.db.transaction(work)
    means = (("gift_card", code), ("store_credit", None), ("invoice", None))
    made = [
        await shop.start((kettle, 1), payment={"provider": name, **({"token": token} if token else {})})
        for name, token in means
    ]
    await shop.sweep()
    rows = await shop.db.rows(
        "SELECT p.provider, o.payment_status FROM orders o JOIN payment p ON p.order_id = o.id ORDER BY o.placed_at, o.id"
    )
    assert {tuple(row) for row in rows} == {
        ("gift_card", "paid"),
        ("store_credit", "paid"),
        ("invoice", "pending"),
    }
    assert code not in str(await shop.db.rows("SELECT * FROM subscription"))
    shop.clock.to(2027, 2, 28, 9)
    await shop.sweep()  # both are empty now; the invoice goes on
    assert [len(await shop.orders(each)) for each in made] == [1, 1, 2]
    assert [(await shop.read(each)).trouble for each in made] == ["declined", "declined", None]
    await shop.agree()
