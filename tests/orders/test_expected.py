"""Goods that were bought before they are there: when they are expected, and that buyers hear when it is another day."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from samlad import delivery, orders, stock
from samlad.delivery.model import WorkdayInput
from samlad.kernel import log, mail
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.vault import Vault
from samlad.orders import Order, expected
from samlad.orders.model import CancelInput
from samlad.stock import purchases, rules, suppliers, transfers
from samlad.stock.purchase_model import Purchase, SupplierInput, WantedLine
from trade import Trade, build

TODAY = now().date()
SOON, LATER, LATEST = [TODAY + timedelta(days=days) for days in (5, 20, 40)]


@pytest.fixture
async def shop(db: Database, monkeypatch: pytest.MonkeyPatch) -> Trade:
    """A shop that has a mail server."""
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    return await build(db)


async def run(shop: Trade, verb: Any, *args: Any, **fields: Any) -> Any:
    return await shop.db.transaction(lambda tx: verb(tx, *args, **fields))


async def ordered(shop: Trade, kettle: UUID, *parts: tuple[int, date | None]) -> list[Purchase]:
    """Purchase orders of a kettle, each of so many for a day, which the level sells already."""
    supplier = await run(shop, suppliers.create, SupplierInput(code="acme", name="Acme"))
    await run(shop, stock.set_level, shop.warehouse.id, kettle, sells_incoming=True)
    found = []
    for units, day in parts:
        lines = [WantedLine(kettle, units, 1000, day)]
        drafted = await run(shop, purchases.draft, supplier, shop.warehouse.id, lines)
        found.append(await run(shop, purchases.order, drafted.id))
    return found


async def told(shop: Trade) -> list[mail.Mail]:
    """Look again as the worker does, let the followers catch up, and read the mails about other days."""
    await expected.look_again(shop.db)
    await shop.follow()
    rows = await shop.db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    mails = [mail.open_mail(Vault.of(shop.db.settings), row["id"], bytes(row["sealed"])) for row in rows]
    return [each for each in mails if "annan dag" in each.subject]


async def days(shop: Trade, order: Order) -> list[date | None]:
    return [each.expected_on for each in (await orders.page(shop.db, order.id)).waits]


async def due(shop: Trade, order: Order) -> date | None:
    """The day of the warehouse on which its part of an order should have been picked."""
    day: date | None = await shop.db.value(
        "SELECT (due_at AT TIME ZONE 'Europe/Stockholm')::date FROM fulfilment WHERE order_id = $1", order.id
    )
    return day


async def test_who_pre_ordered_hears_when_it_comes_on_another_day(shop: Trade) -> None:
    kettle = await shop.kettle(quantity=1)
    purchase, _other = await ordered(shop, kettle, (2, SOON), (3, LATER))
    at_once = await shop.buy((kettle, 1))
    first, second = await shop.buy((kettle, 2)), await shop.buy((kettle, 1))
    await shop.follow()
    assert [await days(shop, each) for each in (at_once, first, second)] == [[], [SOON], [LATER]]
    assert await told(shop) == [], "the day that was promised is no news"
    assert [await due(shop, each) for each in (first, second)] == [SOON, LATER], (
        "nobody is late before it is there"
    )

    await run(shop, purchases.reschedule, purchase.id, [(kettle, LATEST)])
    sent = await told(shop)
    assert [each.subject for each in sent] == [f"Order {first.number}: en annan dag"], (
        "what comes next is for who bought first: its day is the other one's now"
    )
    assert "Kettle" in sent[0].text
    assert f"{LATER.day} " in sent[0].text
    assert f"{SOON.day} " in sent[0].text
    assert "/order/" in sent[0].text
    assert await days(shop, first) == [LATER]
    assert await due(shop, first) == LATER
    assert await days(shop, second) == [LATER], (
        "of three on that day two are the first one's, and one is left"
    )
    await told(shop)
    assert len(await told(shop)) == 1, "nobody is told twice"
    await shop.agree()


async def counted(shop: Trade) -> dict[date, int]:
    """How many orders the warehouse is to make ready, by day."""
    rows = await shop.db.rows("SELECT day, orders FROM delivery_load WHERE orders > 0")
    return {row["day"]: row["orders"] for row in rows}


async def test_it_is_work_of_the_day_on_which_it_comes(shop: Trade) -> None:
    kettle, mug = await shop.kettle(quantity=0), await shop.kettle(quantity=5)
    limit = WorkdayInput(capacity=2)
    await run(shop, delivery.set_workday, shop.warehouse.id, limit)
    [purchase] = await ordered(shop, kettle, (3, SOON))
    orders_of = [await shop.buy((kettle, 1), (mug, 1)) for _ in range(3)]
    await shop.follow()
    next_day = SOON + timedelta(days=1)
    assert await counted(shop) == {SOON: 2, next_day: 1}, "a third one is too many for that day"
    await told(shop)
    assert await counted(shop) == {SOON: 2, next_day: 1}, "looking again moves nothing"
    await run(shop, purchases.reschedule, purchase.id, [(kettle, LATER)])
    await told(shop)
    assert await counted(shop) == {LATER: 2, LATER + timedelta(days=1): 1}
    await run(shop, purchases.reschedule, purchase.id, [(kettle, None)])
    await told(shop)
    assert set(await counted(shop)) == {LATER, LATER + timedelta(days=1)}, "hope takes no room of tomorrow"
    await run(shop, stock.receive, shop.warehouse.id, [(kettle, 3)])
    await told(shop)
    assert sum((await counted(shop)).values()) == 3
    assert max(await counted(shop)) < SOON, "it is there: it can be made ready from today on"
    await run(shop, orders.cancel, orders_of[0].id, CancelInput(reason="changed their mind"))
    assert sum((await counted(shop)).values()) == 2
    await shop.agree()


async def test_a_part_that_waits_for_two_things_waits_for_the_last(shop: Trade) -> None:
    kettle, mug = await shop.kettle(quantity=0), await shop.kettle(quantity=0)
    for variant, day in ((kettle, LATER), (mug, SOON)):
        await run(shop, stock.set_level, shop.warehouse.id, variant, sells_incoming=True)
        supplier = await run(shop, suppliers.create, SupplierInput(code=f"of-{day}", name="Acme"))
        drafted = await run(
            shop, purchases.draft, supplier, shop.warehouse.id, [WantedLine(variant, 2, 1000, day)]
        )
        await run(shop, purchases.order, drafted.id)
    await run(shop, delivery.set_workday, shop.warehouse.id, WorkdayInput(capacity=5))
    one, other = await shop.buy((kettle, 1), (mug, 1)), await shop.buy((mug, 1), (kettle, 1))
    await shop.follow()
    assert await counted(shop) == {LATER: 2}
    told_of = [each.type for each in await log.of_subject(shop.db, one.id) if "capacity" in each.type]
    assert len(told_of) == 3, "taken when it was placed, then moved once: not over the day of the other thing"
    assert [await due(shop, each) for each in (one, other)] == [LATER, LATER]
    await run(shop, stock.receive, shop.warehouse.id, [(mug, 2)])
    await told(shop)
    assert [await due(shop, each) for each in (one, other)] == [LATER, LATER], "one of them is there"


async def test_who_was_before_them_calls_it_off_and_what_is_not_known_is_said(shop: Trade) -> None:
    kettle = await shop.kettle(quantity=0)
    soon, later = await ordered(shop, kettle, (1, SOON), (1, LATER))
    first, second = await shop.buy((kettle, 1)), await shop.buy((kettle, 1))
    await shop.follow()
    await run(shop, orders.cancel, first.id, CancelInput(reason="changed their mind"))
    [sent] = await told(shop)
    assert second.number in sent.subject
    assert "tidigare" in sent.text
    assert await days(shop, second) == [SOON]
    assert await days(shop, first) == []

    await run(shop, purchases.cancel, later.id)
    await run(shop, purchases.reschedule, soon.id, [(kettle, None)])
    sent = await told(shop)
    assert len(sent) == 2
    assert await days(shop, second) == [None]
    await run(shop, purchases.reschedule, soon.id, [(kettle, LATER)])
    assert len(await told(shop)) == 3
    await run(shop, purchases.receive, soon.id)
    assert len(await told(shop)) == 3, "that it is there is said by what is ready or on its way"
    assert await days(shop, second) == []
    assert await due(shop, second) in (TODAY, TODAY + timedelta(days=1), TODAY + timedelta(days=2))
    assert await shop.db.value("SELECT count(*) FROM order_expected") == 0
    await shop.agree()


async def test_a_day_that_goes_by_has_a_day_of_grace(shop: Trade) -> None:
    kettle = await shop.kettle(quantity=0)
    day = await shop.db.value("SELECT (now() AT TIME ZONE 'Europe/Stockholm')::date")
    await run(shop, stock.set_level, shop.warehouse.id, kettle, backorder_limit=1, backorder_on=day)
    order = await shop.buy((kettle, 1))
    await shop.follow()
    assert await days(shop, order) == [day]
    past = "UPDATE {} = $1::date - 1 RETURNING 1"
    for ago, mails in ((1, 0), (2, 1)):
        gone = day - timedelta(days=ago - 1)
        await shop.db.rows(past.format("level SET backorder_on"), gone)
        await shop.db.rows(past.format("order_expected SET expected_on"), gone)
        assert len(await told(shop)) == mails
    assert await days(shop, order) == [None]
    assert await due(shop, order) > day - timedelta(days=1), "hoped for tomorrow: nobody is late"


async def test_a_transfer_that_is_late_and_two_workers_at_once(shop: Trade) -> None:
    kettle = await shop.kettle(quantity=4, at=shop.at_malmo)
    await run(shop, stock.set_level, shop.warehouse.id, kettle, sells_incoming=True)
    transfer = await run(
        shop, transfers.send, shop.at_malmo.id, shop.warehouse.id, [(kettle, 4)], expected_on=SOON
    )
    bought = [await shop.buy((kettle, 1)) for _ in range(3)]
    await shop.follow()
    assert [await days(shop, each) for each in bought] == [[SOON]] * 3
    await run(shop, transfers.reschedule, transfer.id, LATER)
    counts = await asyncio.gather(*(expected.look_again(shop.db) for _ in range(3)))
    assert sum(counts) == 3
    assert len(await told(shop)) == 3


def test_the_queue_is_served_in_its_order() -> None:
    a, b, c = UUID(int=1), UUID(int=2), UUID(int=3)
    queue = [(a, 2), (b, 2), (c, 3)]
    assert rules.days_of(2, queue, [(SOON, 2), (None, 5)]) == {b: SOON, c: None}
    assert rules.days_of(3, queue, [(SOON, 1)]) == {b: SOON, c: None}
    assert rules.days_of(-1, [(a, 1)], [(SOON, 1)]) == {a: SOON}
    assert rules.days_of(7, queue, []) == {}
