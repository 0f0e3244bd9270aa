"""Counts and transfers."""

import asyncio

import pytest
from stock_shop import Shop, books_are_right

from samlad import stock
from samlad.kernel import log
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.stock import HoldKind, NotInStock, counts, counts_store, transfers
from samlad.stock.model import CountStatus, Transfer, TransferStatus


async def test_sales_during_a_count_stay_sales(shop: Shop) -> None:
    kettle, filters, scale = await shop.variants(10, 4, 2)
    db, order = shop.db, new_id()
    await shop.take((kettle, 3), owner=order, kind=HoldKind.ORDER)
    count = await db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id, note="yearly"))
    await db.transaction(lambda tx: counts.enter(tx, count.id, [(kettle, 9), (filters, 4)]))
    await db.transaction(lambda tx: stock.ship(tx, order))  # three leave after they were counted
    await db.transaction(lambda tx: counts.enter(tx, count.id, [(scale, 1)]))
    await db.transaction(lambda tx: counts.enter(tx, count.id, [(scale, 3)]))  # looked again
    closed = await db.transaction(lambda tx: counts.close(tx, count.id))
    assert closed.status is CountStatus.CLOSED
    assert {(x.variant, x.counted - x.expected) for x in closed.lines} == {
        (kettle, -1),
        (filters, 0),
        (scale, 1),
    }
    assert [(await shop.level(v))[0] for v in (kettle, filters, scale)] == [6, 4, 3]
    moved = await db.rows(
        "SELECT variant, quantity FROM movement WHERE reference = $1 AND cause = 'count'", count.id
    )
    assert {(m["variant"], m["quantity"]) for m in moved} == {(kettle, -1), (scale, 1)}
    assert [e.type for e in await log.of_subject(db, count.id)] == ["stock.moved", "stock.counted"]
    await books_are_right(db)


async def test_a_closed_count_takes_no_more(shop: Shop) -> None:
    (kettle,) = await shop.variants(10)
    db = shop.db
    count = await db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
    await db.transaction(lambda tx: counts.enter(tx, count.id, [(kettle, 1)]))
    cancelled = await db.transaction(lambda tx: counts.cancel(tx, count.id))
    assert cancelled.status is CountStatus.CANCELLED
    for verb in (counts.close, counts.cancel):
        with pytest.raises(Conflict):
            await db.transaction(lambda tx, verb=verb: verb(tx, count.id))
    with pytest.raises(Conflict):
        await db.transaction(lambda tx: counts.enter(tx, count.id, [(kettle, 1)]))
    with pytest.raises(NotFound):
        await db.transaction(lambda tx: counts.close(tx, new_id()))
    assert await shop.level(kettle) == (10, 0)


async def test_closing_twice_at_once_books_once(shop: Shop) -> None:
    (kettle,) = await shop.variants(10)
    db = shop.db
    count = await db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
    await db.transaction(lambda tx: counts.enter(tx, count.id, [(kettle, 7)]))
    outcomes = await asyncio.gather(
        *(db.transaction(lambda tx: counts.close(tx, count.id)) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "Conflict", "Conflict", "Count"]
    assert await shop.level(kettle) == (7, 0)


@pytest.mark.parametrize("is_first_counted_first_booked", [True, False])
async def test_two_counts_of_the_same_goods_book_their_loss_once(
    shop: Shop, is_first_counted_first_booked: bool
) -> None:
    """Of ten kettles eight are there, and two counts find that out; what each was counted with, the other has booked."""
    kettle, filters = await shop.variants(10, 5)
    db = shop.db
    first, second = [
        (await db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))).id for _ in range(2)
    ]
    await db.transaction(lambda tx: counts.enter(tx, first, [(kettle, 8), (filters, 5)]))
    order = new_id()
    await shop.take((kettle, 3), owner=order, kind=HoldKind.ORDER)
    await db.transaction(lambda tx: stock.ship(tx, order))
    await db.transaction(lambda tx: counts.enter(tx, second, [(kettle, 5)]))
    for count in (first, second) if is_first_counted_first_booked else (second, first):
        await db.transaction(lambda tx, count=count: counts.close(tx, count))
    assert await shop.level(kettle) == (5, 0)
    assert await shop.level(filters) == (5, 0)
    late = [(x.variant, x.counted - x.expected) for x in (await counts_store.get(db, first)).lines]
    assert dict(late) == {kettle: -2 if is_first_counted_first_booked else 0, filters: 0}
    await books_are_right(db)


async def test_an_earlier_count_does_not_bring_back_what_was_lost_after_it(shop: Shop) -> None:
    """All ten were there, then two were stolen, and a later count that is booked first says so."""
    (kettle,) = await shop.variants(10)
    db = shop.db
    early, late = [
        (await db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))).id for _ in range(2)
    ]
    await db.transaction(lambda tx: counts.enter(tx, early, [(kettle, 10)]))
    await db.transaction(lambda tx: counts.enter(tx, late, [(kettle, 8)]))
    await db.transaction(lambda tx: counts.close(tx, late))
    await db.transaction(lambda tx: counts.close(tx, early))
    assert await shop.level(kettle) == (8, 0)


async def test_two_counts_that_are_booked_at_once_book_their_loss_once(shop: Shop) -> None:
    (kettle,) = await shop.variants(10)
    db = shop.db
    begun = [(await db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))).id for _ in range(4)]
    for count in begun:
        await db.transaction(lambda tx, count=count: counts.enter(tx, count, [(kettle, 8)]))
    await asyncio.gather(
        *(db.transaction(lambda tx, count=count: counts.close(tx, count)) for count in begun)
    )
    assert await shop.level(kettle) == (8, 0)


async def test_a_phone_that_counted_before_another_count_was_booked_books_no_more(shop: Shop) -> None:
    """The phone had no network: what it found is entered when the other count has booked the same loss."""
    (kettle,) = await shop.variants(10)
    db = shop.db
    phone, desk = [
        (await db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))).id for _ in range(2)
    ]
    found_at = await db.value("SELECT clock_timestamp()")
    await db.transaction(lambda tx: counts.enter(tx, desk, [(kettle, 8)]))
    await db.transaction(lambda tx: counts.close(tx, desk))
    await db.transaction(lambda tx: counts.enter(tx, phone, [(kettle, 8)], at=found_at))
    await db.transaction(lambda tx: counts.close(tx, phone))
    assert await shop.level(kettle) == (8, 0)


@pytest.mark.parametrize("found", [0, 1, 3, 4])
async def test_counting_less_than_is_held_drops_holds(shop: Shop, found: int) -> None:
    (kettle,) = await shop.variants(5)
    db = shop.db
    await shop.take((kettle, 4), kind=HoldKind.CHECKOUT)
    count = await db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
    await db.transaction(lambda tx: counts.enter(tx, count.id, [(kettle, found)]))
    await db.transaction(lambda tx: counts.close(tx, count.id))
    assert await shop.level(kettle) == (found, found)
    await books_are_right(db)


async def send(shop: Shop, *lines: tuple[object, int]) -> Transfer:
    return await shop.db.transaction(
        lambda tx: transfers.send(tx, shop.warehouse.id, shop.at_lund.id, list(lines))  # type: ignore[arg-type]
    )


async def test_a_transfer_leaves_and_arrives_in_parts(shop: Shop) -> None:
    kettle, filters = await shop.variants(5, 5)
    transfer = await send(shop, (kettle, 4), (filters, 2))
    assert (await shop.level(kettle), await shop.level(kettle, shop.at_lund)) == ((1, 0), (0, 0))
    part = await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id, [(kettle, 3)]))
    assert (part.status, part.version) == (TransferStatus.IN_TRANSIT, 2)
    with pytest.raises(Conflict):
        await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id, [(kettle, 2)]))
    rest = await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id))
    assert rest.status is TransferStatus.RECEIVED
    assert [(line.quantity, line.received) for line in rest.lines] in ([(4, 4), (2, 2)], [(2, 2), (4, 4)])
    assert await shop.level(kettle, shop.at_lund) == (4, 0)
    assert await shop.level(filters, shop.at_lund) == (2, 0)
    with pytest.raises(Conflict):
        await shop.db.transaction(lambda tx: transfers.cancel(tx, transfer.id))
    await books_are_right(shop.db)


async def test_a_cancelled_transfer_goes_back(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    transfer = await send(shop, (kettle, 4))
    await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id, [(kettle, 1)]))
    await shop.db.transaction(lambda tx: transfers.cancel(tx, transfer.id))
    assert (await shop.level(kettle), await shop.level(kettle, shop.at_lund)) == ((4, 0), (1, 0))
    await books_are_right(shop.db)


async def test_what_is_held_or_not_there_cannot_be_sent(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    await shop.take((kettle, 2))
    with pytest.raises(NotInStock):
        await send(shop, (kettle, 4))
    assert await shop.db.value("SELECT count(*) FROM stock_transfer") == 0
    for lines in ([], [(kettle, 1), (kettle, 1)], [(new_id(), 1)]):
        with pytest.raises(InvalidInput):
            await send(shop, *lines)
    with pytest.raises(InvalidInput):
        await shop.db.transaction(
            lambda tx: transfers.send(tx, shop.warehouse.id, shop.warehouse.id, [(kettle, 1)])
        )
