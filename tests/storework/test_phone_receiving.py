"""Goods that phones receive: transfers and purchase orders, once, at once, in parts, and refused."""

import asyncio
from datetime import timedelta
from uuid import UUID

from phones import Phone, person

from samlad import storework
from samlad.access.permissions import Role
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.stock import purchases, purchases_store, suppliers, transfers, transfers_store
from samlad.stock.model import TransferStatus
from samlad.stock.purchase_model import PurchaseStatus, SupplierInput, WantedLine
from trade import Trade


async def test_a_transfer_arrives_in_parts_once(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9)
    sent = await trade.db.transaction(
        lambda tx: transfers.send(tx, trade.warehouse.id, trade.at_lund.id, [(kettle, 5)])
    )
    phone = Phone(trade.db, trade.at_lund)
    (coming,) = (await storework.tasks_of(trade.db, phone.who, trade.at_lund)).coming
    assert (coming.id, coming.kind, coming.lines) == (sent.id, "transfer", [(kettle, 5, None)])

    def came(units: int) -> dict[str, object]:
        line = {"variant": str(kettle), "quantity": units}
        return phone.entry("arrival", transfer=sent.id, lines=[line])

    first = came(2)
    said = [each for sent in await asyncio.gather(*(phone.send(first) for _ in range(4))) for each in sent]
    assert {each.verdict for each in said} == {"done"}
    assert await trade.level(kettle, trade.at_lund) == (2, 0)
    too_many, rest = await phone.send(came(4), came(3))
    assert (too_many.verdict, rest.verdict) == ("refused", "done")
    assert await trade.level(kettle, trade.at_lund) == (5, 0)
    assert (await transfers_store.get(trade.db, sent.id)).status is TransferStatus.RECEIVED
    elsewhere = Phone(trade.db, trade.at_malmo)
    (other,) = await elsewhere.send(
        elsewhere.entry("arrival", transfer=sent.id, lines=[{"variant": str(kettle), "quantity": 1}])
    )
    assert (other.verdict, other.code) == ("refused", "not-found")
    await trade.sound()


async def _ordered(trade: Trade, variant: UUID, units: int) -> UUID:
    async def work(tx: Tx) -> UUID:
        maker = await suppliers.create(tx, SupplierInput(code="maker", name="Maker"))
        wanted = [WantedLine(variant, units, 100_0000, now().date() + timedelta(days=3))]
        made = await purchases.draft(tx, maker, trade.warehouse.id, wanted)
        return (await purchases.order(tx, made.id)).id

    return await trade.db.transaction(work)


async def test_two_phones_that_receive_the_same_book_it_in_once(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9)
    sent = await trade.db.transaction(
        lambda tx: transfers.send(tx, trade.warehouse.id, trade.at_lund.id, [(kettle, 5)])
    )
    ann, bo = Phone(trade.db, trade.at_lund), Phone(trade.db, trade.at_lund)
    (coming,) = (await storework.tasks_of(trade.db, ann.who, trade.at_lund)).coming

    def came(phone: Phone, units: int) -> dict[str, object]:
        line = {"variant": str(kettle), "quantity": units}
        return phone.entry("arrival", transfer=sent.id, version=coming.version, lines=[line])

    first, second, same = came(ann, 2), came(ann, 1), came(bo, 1)
    assert [each.verdict for each in await ann.send(first, second)] == ["done", "done"], (
        "its own parts add up"
    )
    (told,) = await bo.send(same)
    assert (told.verdict, told.code) == ("refused", "outdated")
    assert await trade.level(kettle, trade.at_lund) == (3, 0)
    (again,) = await bo.send(same, again=True)
    assert (again.verdict, await trade.level(kettle, trade.at_lund)) == ("done", (4, 0)), "it came besides"
    (late,) = await ann.send(came(ann, 1))
    assert late.verdict == "refused", "she has not seen what he booked in"
    await trade.sound()


async def test_a_delivery_that_two_phones_receive_is_booked_in_once(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=0)
    purchase = await _ordered(trade, kettle, 6)
    ann, bo = Phone(trade.db, trade.warehouse), Phone(trade.db, trade.warehouse)
    (coming,) = (await storework.tasks_of(trade.db, ann.who, trade.warehouse)).coming
    lines = [{"variant": str(kettle), "quantity": 4}]
    said = [
        each.verdict
        for phone in (ann, bo)
        for each in await phone.send(
            phone.entry("delivery", purchase=purchase, version=coming.version, lines=lines)
        )
    ]
    assert (said, await trade.level(kettle, trade.warehouse)) == (["done", "refused"], (4, 0))
    await trade.sound()


async def test_a_purchase_order_is_received_by_scans_once(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=0, gtin="4006381333931")
    purchase, phone = await _ordered(trade, kettle, 6), Phone(trade.db, trade.warehouse)
    (coming,) = (await storework.tasks_of(trade.db, phone.who, trade.warehouse)).coming
    assert (coming.kind, coming.lines) == ("purchase", [(kettle, 6, None)])
    lines = [{"code": "4006381333931", "quantity": 2}, {"variant": str(kettle), "quantity": 1}]
    delivery = phone.entry("delivery", purchase=purchase, lines=lines)
    await asyncio.gather(*(phone.send(delivery) for _ in range(4)))
    assert await trade.level(kettle) == (3, 0)
    unknown = phone.entry("delivery", purchase=purchase, lines=[{"code": "NOBODY", "quantity": 2}])
    more = phone.entry("delivery", purchase=purchase, lines=[{"variant": str(kettle), "quantity": 4}])
    assert [each.verdict for each in await phone.send(unknown, more)] == ["refused", "done"]
    assert await trade.level(kettle) == (7, 0), "more than was ordered is fine"
    assert (await purchases_store.get(trade.db, purchase)).status is PurchaseStatus.RECEIVED
    (late,) = await phone.send(phone.entry("delivery", purchase=purchase, lines=lines))
    assert late.verdict == "refused"
    await trade.sound()


async def test_who_may_only_pick_takes_no_goods_along(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=3)
    await trade.db.transaction(
        lambda tx: transfers.send(tx, trade.warehouse.id, trade.at_lund.id, [(kettle, 1)])
    )
    support = person(Role.SUPPORT)
    tasks = await storework.tasks_of(trade.db, support, trade.at_lund)
    assert (tasks.counts, tasks.coming, tasks.goods) == ([], [], [])
