"""What is sold and what is counted reaches the books in any order: they end as the shelf does."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from stock_shop import Shop, books_are_right, build_shop

from samlad import stock
from samlad.kernel.clock import now
from samlad.kernel.database import open_database
from samlad.kernel.ids import new_id
from samlad.kernel.settings import load
from samlad.stock import counts

OPENING = 6


class Sale(msgspec.Struct, frozen=True):
    """So many units went over a counter."""

    units: int


class Look(msgspec.Struct, frozen=True):
    """Somebody looked at the shelf and found so many."""

    found: int


class Story(msgspec.Struct, frozen=True):
    """What happened, in its order; and in which order it is told: a look twice, when it is entered and when it is booked."""

    happened: list[Sale | Look]
    told: list[int]


def on_the_shelf(happened: list[Sale | Look]) -> int:
    """What the last who looked has found, without what was sold after; nothing is less than nothing."""
    units = OPENING
    for each in happened:
        units = each.found if isinstance(each, Look) else max(0, units - each.units)
    return units


@st.composite
def stories(draw: st.DrawFn) -> Story:
    one = st.builds(Sale, st.integers(1, 9)) | st.builds(Look, st.integers(0, 9))
    happened = draw(st.lists(one, min_size=2, max_size=5))
    each = [n for n, what in enumerate(happened) for _ in range(2 if isinstance(what, Look) else 1)]
    return Story(happened, draw(st.permutations(each)))


async def tell(shop: Shop, story: Story) -> int:
    (kettle,) = await shop.variants(OPENING)
    began, entered = now(), dict[int, UUID]()
    for number in story.told:
        what, at = story.happened[number], began + timedelta(microseconds=number)
        if isinstance(what, Sale):
            await sell(shop, kettle, what.units, at)
        elif number not in entered:
            entered[number] = await look(shop, kettle, what.found, at)
        else:
            await close(shop, entered[number])
    return (await shop.level(kettle))[0]


async def sell(shop: Shop, variant: UUID, units: int, at: datetime) -> None:
    await shop.db.transaction(
        lambda tx: stock.sell(
            tx,
            shop.warehouse.id,
            [(variant, units)],
            lease=new_id(),
            reference=new_id(),
            reason="Sold at a till",
            happened_at=at,
        )
    )


async def look(shop: Shop, variant: UUID, found: int, at: datetime) -> UUID:
    count = (await shop.db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id, at=at))).id
    await shop.db.transaction(lambda tx: counts.enter(tx, count, [(variant, found)], at=at))
    return count


async def close(shop: Shop, count: UUID) -> None:
    await shop.db.transaction(lambda tx: counts.close(tx, count))


@pytest.mark.timeout(600)  # when it fails, Hypothesis looks for the shortest story
def test_counts_and_sales_end_alike_in_any_order(dsn: str, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        db = runner.run(open_database(dsn, load({}, home=tmp_path, database_url=dsn, pool_size=2)))
        shop = runner.run(build_shop(db))

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
        @given(stories())
        @example(Story([Sale(2), Look(4)], [0, 1, 1]))  # the till sends before the phone
        @example(Story([Sale(2), Look(4)], [1, 0, 1]))
        @example(Story([Sale(2), Look(4)], [1, 1, 0]))
        @example(Story([Look(9), Sale(9)], [1, 0, 0]))  # more than the books had, and it was seen before
        @example(Story([Look(9), Sale(9)], [0, 1, 0]))
        @example(Story([Look(5), Look(4)], [1, 1, 0, 0]))  # who looked earlier says nothing any more
        @example(Story([Look(0), Sale(3), Look(0)], [1, 0, 2, 0, 2]))  # no more is missing than there is
        def any_order(story: Story) -> None:
            assert runner.run(tell(shop, story)) == on_the_shelf(story.happened)

        try:
            any_order()
            runner.run(books_are_right(db))
        finally:
            runner.run(db.close())
