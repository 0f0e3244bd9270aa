"""Transfers that are expected on a day count at their destination, like goods from suppliers."""

from datetime import date, timedelta

import pytest
from stock_shop import Shop, books_are_right

import horizon
from samlad import stock
from samlad.kernel import checks, log
from samlad.kernel.problems import Conflict, Outdated
from samlad.stock import HoldKind, transfers
from samlad.stock.checks import CHECKS
from samlad.stock.model import Transfer

DAY = date(2046, 11, 27)


async def send(shop: Shop, kettle: object, units: int, day: date | None = DAY) -> Transfer:
    return await shop.db.transaction(
        lambda tx: transfers.send(
            tx,
            shop.warehouse.id,
            shop.at_lund.id,
            [(kettle, units)],
            expected_on=day,  # type: ignore[list-item]
        )
    )


async def incoming(shop: Shop, kettle: object) -> int:
    found: int = await shop.db.value(
        "SELECT incoming FROM level WHERE variant = $1 AND location = $2", kettle, shop.at_lund.id
    )
    differences = await shop.db.rows("SELECT * FROM stock_incoming_difference")
    assert differences == []
    await books_are_right(shop.db)
    return found


async def test_it_is_dated_incoming_until_it_has_arrived(shop: Shop) -> None:
    (kettle,) = await shop.variants(9)
    transfer = await send(shop, kettle, 5)
    assert await incoming(shop, kettle) == 5
    (promise,) = await shop.db.transaction(lambda tx: stock.promises(tx, shop.web, [kettle]))
    assert (promise.available, promise.incoming, promise.backorder) == (4, 5, 0)
    told = [line for level in promise.locations for line in level.incoming]
    assert [(line.transfer, line.purchase, line.units, line.expected_on) for line in told] == [
        (transfer.id, None, 5, DAY)
    ]
    await shop.db.transaction(lambda tx: stock.set_level(tx, shop.at_lund.id, kettle, sells_incoming=True))
    (promise,) = await shop.db.transaction(lambda tx: stock.promises(tx, shop.web, [kettle]))
    assert [(later.expected_on, later.units) for later in promise.later] == [(DAY, 5)]
    await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id, [(kettle, 2)]))
    assert await incoming(shop, kettle) == 3
    await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id))
    assert await incoming(shop, kettle) == 0
    assert await shop.level(kettle, shop.at_lund) == (5, 0)


async def test_who_had_counted_on_a_cancelled_transfer_is_told(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    transfer = await send(shop, kettle, 5)
    await shop.db.transaction(lambda tx: stock.set_level(tx, shop.at_lund.id, kettle, sells_incoming=True))
    await shop.take((kettle, 3), kind=HoldKind.ORDER)
    await shop.db.transaction(lambda tx: transfers.cancel(tx, transfer.id))
    assert await incoming(shop, kettle) == 0
    assert await shop.level(kettle, shop.at_lund) == (0, 0)
    await horizon.passed(shop.db)
    events, _ = await log.read(shop.db, log.BEGINNING, types=["stock.lost"])
    assert [event.payload["lines"][0]["quantity"] for event in events] == [3]


async def test_another_day(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    transfer = await send(shop, kettle, 5, None)
    assert await shop.level(kettle, shop.at_lund) == (0, 0)
    later = DAY + timedelta(days=2)
    await shop.db.transaction(lambda tx: transfers.reschedule(tx, transfer.id, later, version=1))
    assert await incoming(shop, kettle) == 5
    with pytest.raises(Outdated):
        await shop.db.transaction(lambda tx: transfers.reschedule(tx, transfer.id, None, version=1))
    await shop.db.transaction(lambda tx: transfers.reschedule(tx, transfer.id, None, version=2))
    assert await incoming(shop, kettle) == 0
    await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id))
    with pytest.raises(Conflict):
        await shop.db.transaction(lambda tx: transfers.reschedule(tx, transfer.id, DAY))


async def test_the_doctor_mends_what_is_expected(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    await send(shop, kettle, 5)
    await shop.db.transaction(lambda tx: tx.execute("UPDATE level SET incoming = 0"))
    found = {r.name: r for r in await checks.run(shop.db, CHECKS)}
    assert found["stock-incoming"].status == "failed"
    await checks.run(shop.db, CHECKS, fix=True)
    assert await incoming(shop, kettle) == 5
