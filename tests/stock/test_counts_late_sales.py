"""Sales that tills send after somebody has counted what they left."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from stock_shop import Shop, books_are_right

from samlad import stock
from samlad.kernel.clock import now
from samlad.kernel.ids import new_id
from samlad.stock import counts, counts_late
from samlad.stock.model import Count, CountStatus

EARLIER = timedelta(hours=1)


async def begin(shop: Shop) -> UUID:
    return (await shop.db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))).id


async def count_of(shop: Shop, *lines: tuple[UUID, int]) -> UUID:
    count = await begin(shop)
    await shop.db.transaction(lambda tx: counts.enter(tx, count, lines))
    return count


async def close(shop: Shop, count: UUID) -> Count:
    return await shop.db.transaction(lambda tx: counts.close(tx, count))


async def sell(shop: Shop, *lines: tuple[UUID, int], at: datetime | None = None) -> stock.Sold:
    """Units that a till without network sold, an hour ago."""
    return await shop.db.transaction(
        lambda tx: stock.sell(
            tx,
            shop.warehouse.id,
            lines,
            lease=new_id(),
            reference=new_id(),
            reason="Sold at a till",
            happened_at=at or now() - EARLIER,
        )
    )


@pytest.mark.parametrize("ends_first", [False, True])
async def test_a_sale_before_a_count_is_taken_off_once(shop: Shop, ends_first: bool) -> None:
    kettle, filters = await shop.variants(10, 5)
    count = await count_of(shop, (kettle, 8), (filters, 5))
    if ends_first:
        await close(shop, count)
    await sell(shop, (kettle, 2))
    if not ends_first:
        closed = await close(shop, count)
        assert {line.variant: line.expected for line in closed.lines} == {kettle: 8, filters: 5}
    assert await shop.level(kettle) == (8, 0)
    assert await shop.level(filters) == (5, 0)
    told = await shop.db.rows(
        "SELECT quantity, reason FROM movement WHERE reference = $1 ORDER BY seq", count
    )
    assert [(row["quantity"], row["reason"]) for row in told] == (
        [(-2, ""), (2, counts_late.REASON)] if ends_first else []
    )
    await books_are_right(shop.db)


async def test_a_submitted_count_expects_less_as_well(shop: Shop) -> None:
    (kettle,) = await shop.variants(10)
    await shop.db.rows("UPDATE location SET variance_units = 1 WHERE id = $1 RETURNING 1", shop.warehouse.id)
    count = await count_of(shop, (kettle, 8))
    assert (await close(shop, count)).status is CountStatus.SUBMITTED
    await sell(shop, (kettle, 2))
    await shop.db.transaction(lambda tx: counts.reopen(tx, count))
    assert (await close(shop, count)).status is CountStatus.CLOSED  # there is nothing to approve any more
    assert await shop.level(kettle) == (8, 0)


@pytest.mark.parametrize("ends_first", [False, True])
async def test_a_sale_after_it_was_counted_is_taken_off_the_count(shop: Shop, ends_first: bool) -> None:
    (kettle,) = await shop.variants(10)
    count = await count_of(shop, (kettle, 9))
    happened_at = now()
    if ends_first:
        await close(shop, count)
    await sell(shop, (kettle, 2), at=happened_at)
    if not ends_first:
        await close(shop, count)
    assert await shop.level(kettle) == (7, 0)


async def test_of_the_same_moment_the_count_came_after(shop: Shop) -> None:
    (kettle,) = await shop.variants(10)
    count = await count_of(shop, (kettle, 8))
    moment = await shop.db.value("SELECT counted_at FROM stock_count_line WHERE count = $1", count)
    await sell(shop, (kettle, 2), at=moment)
    await close(shop, count)
    assert await shop.level(kettle) == (8, 0)


@pytest.mark.parametrize("ends_first", [False, True])
async def test_units_that_the_books_never_had_are_no_difference(shop: Shop, ends_first: bool) -> None:
    """Ten on the books, twelve were there and were sold: nothing is left, whatever is booked first."""
    (kettle,) = await shop.variants(10)
    count = await count_of(shop, (kettle, 0))
    if ends_first:
        await close(shop, count)
    sold = await sell(shop, (kettle, 12))
    assert [found.quantity for found in sold.found] == [12 if ends_first else 2]
    if not ends_first:
        await close(shop, count)
    assert await shop.level(kettle) == (0, 0)
    await books_are_right(shop.db)


async def test_of_two_counts_one_of_which_is_booked_neither_takes_it_off_again(shop: Shop) -> None:
    (kettle,) = await shop.variants(10)
    first, second = await count_of(shop, (kettle, 8)), await count_of(shop, (kettle, 8))
    await close(shop, first)
    await sell(shop, (kettle, 2))
    await close(shop, second)
    assert await shop.level(kettle) == (8, 0)
    await books_are_right(shop.db)


async def test_tills_that_send_while_a_count_is_closed_hinder_nobody(shop: Shop) -> None:
    goods = await shop.variants(20, 20, 20)
    count = await count_of(shop, *((variant, 14) for variant in goods))
    other = await count_of(shop, *((variant, 14) for variant in goods))
    both = [(variant, 1) for variant in goods]
    await asyncio.gather(
        *(sell(shop, *(both if number % 2 else reversed(both))) for number in range(3)),
        close(shop, count),
        *(sell(shop, *(both if number % 2 else reversed(both))) for number in range(3)),
        close(shop, other),
    )
    assert [await shop.level(variant) for variant in goods] == [(14, 0)] * 3
    await books_are_right(shop.db)
