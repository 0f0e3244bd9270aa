"""What phones did without a network before somebody counted: it is in the count, in whatever order the two are booked."""

from typing import Any
from uuid import UUID

import pytest
from phones import Phone

from samlad import catalog
from samlad.kernel.clock import now
from samlad.orders import fulfilment_store
from samlad.stock import counts, transfers
from trade import Trade

ORDERS = ("moved first", "counted first", "booked first")


async def both(
    trade: Trade, phone: Phone, order: str, moved: dict[str, Any], variant: UUID, found: int
) -> None:
    """Something moved, then somebody counted; what the server hears first differs."""
    sku = (await catalog.by_ids(trade.db, [variant]))[variant].sku
    counter = Phone(trade.db, phone.place, phone.who)
    count = (await trade.db.transaction(lambda tx: counts.open_count(tx, phone.place.id))).id
    moved["happened_at"] = now().isoformat()
    looked = counter.entry("count", count=count, code=sku, quantity=found, at=now())
    if order == "moved first":
        said = [*await phone.send(moved), *await counter.send(looked)]
    else:
        said = await counter.send(looked)
        if order == "booked first":
            await trade.db.transaction(lambda tx: counts.close(tx, count))
        said += await phone.send(moved)
    if order != "booked first":
        await trade.db.transaction(lambda tx: counts.close(tx, count))
    assert [each.verdict for each in said] == ["done", "done"], said


@pytest.mark.parametrize("order", ORDERS)
async def test_goods_that_came_before_a_count_came_once(trade: Trade, order: str) -> None:
    kettle = await trade.kettle(quantity=9)
    sent = await trade.db.transaction(
        lambda tx: transfers.send(tx, trade.warehouse.id, trade.at_lund.id, [(kettle, 5)])
    )
    phone = Phone(trade.db, trade.at_lund)
    line = {"variant": str(kettle), "quantity": 5}
    came = phone.entry("arrival", transfer=sent.id, version=sent.version, lines=[line])
    await both(trade, phone, order, came, kettle, 5)
    assert await trade.level(kettle, trade.at_lund) == (5, 0)
    await trade.sound()


@pytest.mark.parametrize("order", ORDERS)
async def test_what_was_not_found_before_a_count_is_lost_once(trade: Trade, order: str) -> None:
    kettle = await trade.kettle(quantity=10)
    bought = await trade.buy((kettle, 2))
    (work,) = await fulfilment_store.of_order(trade.db, bought.id)
    phone = Phone(trade.db, trade.warehouse)
    lines = [{"position": 1, "quantity": 2}]
    gone = phone.entry("reject", fulfilment=work.id, reason="not_found", lines=lines)
    await both(trade, phone, order, gone, kettle, 8)
    assert (await trade.level(kettle, trade.warehouse))[0] == 8
    await trade.sound()
