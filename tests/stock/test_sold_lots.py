"""Sales that have happened say of which lots they were: those leave, whatever the books say, and what is odd is said."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from stock_shop import Shop
from test_lots import bring, lots_are_right, there, today, tracked

from samlad import stock
from samlad.catalog import Tracking
from samlad.kernel.clock import now
from samlad.kernel.ids import new_id
from samlad.stock import HoldKind, Location, counts, lots
from samlad.stock.lots_model import Named, RecallInput


async def sell(
    shop: Shop,
    variant: UUID,
    units: int,
    *named: Named,
    at: Location | None = None,
    lease: UUID | None = None,
    ago: timedelta = timedelta(hours=1),
) -> stock.Sold:
    """A till tells of a sale an hour late."""
    return await shop.db.transaction(
        lambda tx: stock.sell(
            tx,
            (at or shop.warehouse).id,
            [(variant, units)],
            lease=lease or new_id(),
            reference=new_id(),
            reason="Sold at a till",
            happened_at=now() - ago,
            named=named,
        )
    )


async def codes(shop: Shop, sold: stock.Sold) -> dict[str, int]:
    names = await shop.db.rows("SELECT id, code FROM lot")
    of = {row["id"]: row["code"] for row in names}
    return {of[each.lot]: -each.quantity for each in sold.moved if each.lot}


def odd(sold: stock.Sold) -> list[tuple[str, str]]:
    return [(each.code, each.why) for each in sold.odd]


async def test_what_was_scanned_leaves_and_the_rest_in_its_turn(shop: Shop) -> None:
    milk = await tracked(shop)
    await bring(shop, milk, "SOON", 5, days=2)
    await bring(shop, milk, "LATE", 5, days=20)
    sold = await sell(shop, milk, 4, Named(milk, 2, "LATE"), Named(milk, 1, "LATE"))
    assert await codes(shop, sold) == {"LATE": 3, "SOON": 1}
    assert odd(sold) == []
    assert sold.found == []
    await lots_are_right(shop)


async def test_a_lot_that_the_books_have_under_another_name_is_sold_by_its_own(shop: Shop) -> None:
    milk = await tracked(shop, Tracking.LOT)
    await bring(shop, milk, "B", 3)
    sold = await sell(shop, milk, 2, Named(milk, 1, "A"), Named(milk, 1, "B"))
    assert await codes(shop, sold) == {"A": 1, "B": 1}
    assert odd(sold) == [("A", "unknown")]
    assert sold.found == [], "there were enough of them"
    assert await there(shop, milk) == {"B": (1, "for_sale")}
    again = await sell(shop, milk, 1, Named(milk, 1, "A"))
    assert odd(again) == [("A", "lacking")]
    beyond = await sell(shop, milk, 2, Named(milk, 2, "A"))
    assert await codes(shop, beyond) == {"A": 2}
    assert sum(each.quantity for each in beyond.found) == 2
    assert await shop.level(milk) == (0, 0)
    values = await shop.db.rows("SELECT value_e4 FROM level WHERE variant = $1", milk)
    assert [row["value_e4"] for row in values] == [0]
    await lots_are_right(shop)


async def test_a_lease_and_what_others_hold_stay_right(shop: Shop) -> None:
    milk, till = await tracked(shop, Tracking.LOT), new_id()
    await bring(shop, milk, "B", 3)
    await shop.take((milk, 1), owner=new_id(), kind=HoldKind.ORDER)
    await shop.take((milk, 2), owner=till, kind=HoldKind.LEASE)
    sold = await sell(shop, milk, 2, Named(milk, 2, "A"), lease=till)
    assert await codes(shop, sold) == {"A": 2}
    assert sold.found == []
    assert await shop.level(milk) == (1, 1)
    await lots_are_right(shop)


async def test_what_nobody_may_sell_leaves_all_the_same(shop: Shop) -> None:
    milk = await tracked(shop)
    day = await today(shop, shop.warehouse)
    await bring(shop, milk, "OLD", 2, days=-1)
    await bring(shop, milk, "GOOD", 1, days=9)
    await bring(shop, milk, "BACK", 1, days=9)
    recalled = RecallInput(variant=milk, lot="BACK", reason="glass")
    await shop.db.transaction(lambda tx: lots.recall(tx, recalled))
    await shop.take((milk, 1), owner=new_id(), kind=HoldKind.ORDER)  # the good one
    sold = await sell(shop, milk, 2, Named(milk, 1, "OLD"), Named(milk, 1, "BACK"), ago=timedelta())
    assert await codes(shop, sold) == {"OLD": 1, "BACK": 1}
    assert odd(sold) == [("OLD", "expired"), ("BACK", "recalled")]
    assert sold.odd[0].says == (day - timedelta(days=1)).isoformat()
    assert sold.found == []
    assert await there(shop, milk) == {"OLD": (1, "expired"), "GOOD": (1, "for_sale")}
    on_its_day = await sell(shop, milk, 1, Named(milk, 1, "OLD"), ago=timedelta(days=2))
    assert odd(on_its_day) == [], "it was good when it was sold"
    await lots_are_right(shop)


async def test_a_piece_is_sold_once_and_the_second_sale_is_said(shop: Shop) -> None:
    drill = await tracked(shop, Tracking.SERIAL)
    await bring(shop, drill, "S1", 1)
    await bring(shop, drill, "S2", 1)
    piece = Named(drill, 1, "BATCH", serial="S1")
    first, second = await asyncio.gather(sell(shop, drill, 1, piece), sell(shop, drill, 1, piece))
    both = sorted((first, second), key=lambda each: len(each.odd))
    assert [odd(each) for each in both] == [[], [("S1", "sold")]]
    assert both[1].odd[0].under is not None
    assert [await codes(shop, each) for each in both] == [{"S1": 1}, {"S1": 1}]
    assert await there(shop, drill) == {"S2": (1, "for_sale")}, "nobody has sold this one"
    assert await shop.level(drill) == (1, 0)
    new = await sell(shop, drill, 2, Named(drill, 5, serial="S9"), Named(drill, 1, serial="S9"))
    assert odd(new) == [("S9", "sold"), ("S9", "unknown")], "twice in one sale it is one piece"
    assert await codes(shop, new) == {"S9": 1, "S2": 1}
    await lots_are_right(shop)


async def test_a_piece_that_stands_elsewhere_stays_there_in_the_books(shop: Shop) -> None:
    drill = await tracked(shop, Tracking.SERIAL)
    await bring(shop, drill, "S1", 1, at=shop.at_lund)
    await bring(shop, drill, "S2", 1)
    sold = await sell(shop, drill, 1, Named(drill, 1, serial="S1"))
    assert odd(sold) == [("S1", "elsewhere")]
    assert sold.odd[0].says == shop.at_lund.name
    assert await codes(shop, sold) == {"": 1}
    assert await there(shop, drill, shop.at_lund) == {"S1": (1, "for_sale")}
    assert await there(shop, drill) == {"S2": (1, "for_sale")}
    await lots_are_right(shop)


async def test_goods_that_are_not_kept_by_lot_do_not_mind(shop: Shop) -> None:
    (kettle,) = await shop.variants(3)
    milk = await tracked(shop, Tracking.LOT)
    sold = await sell(shop, kettle, 1, Named(kettle, 1, "L1", serial="S1"))
    assert odd(sold) == []
    assert await shop.level(kettle) == (2, 0)
    strange = await sell(shop, milk, 1, Named(milk, 1, "X" * 41), Named(milk, 1, " "))
    assert [each.why for each in strange.odd] == ["unknown"]
    await lots_are_right(shop)


@pytest.mark.parametrize("ends_first", [False, True])
async def test_a_count_between_has_its_difference_once(shop: Shop, ends_first: bool) -> None:
    """A lot was sold, then somebody has counted both; the till tells of it after."""
    milk = await tracked(shop, Tracking.LOT)
    first, second = await bring(shop, milk, "A", 1), await bring(shop, milk, "B", 5)
    count = await shop.db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
    seen = [(milk, 0), (milk, 5)]
    await shop.db.transaction(lambda tx: counts.enter(tx, count.id, seen, lots=[first, second]))
    if ends_first:
        await shop.db.transaction(lambda tx: counts.close(tx, count.id))
    sold = await sell(shop, milk, 1, Named(milk, 1, "A"))
    assert odd(sold) == []
    if not ends_first:
        await shop.db.transaction(lambda tx: counts.close(tx, count.id))
    assert await there(shop, milk) == {"B": (5, "for_sale")}
    await lots_are_right(shop)


@pytest.mark.parametrize("ends_first", [False, True])
async def test_a_count_that_missed_another_lot_has_missed_what_was_scanned(
    shop: Shop, ends_first: bool
) -> None:
    """The books say B, the till scanned A, and somebody has found one B less: that one was sold, by its own name."""
    milk = await tracked(shop, Tracking.LOT)
    lot = await bring(shop, milk, "B", 5)
    count = await shop.db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
    await shop.db.transaction(lambda tx: counts.enter(tx, count.id, [(milk, 4)], lots=[lot]))
    if ends_first:
        await shop.db.transaction(lambda tx: counts.close(tx, count.id))
    sold = await sell(shop, milk, 1, Named(milk, 1, "A"))
    assert await codes(shop, sold) == {"A": 1}
    if not ends_first:
        await shop.db.transaction(lambda tx: counts.close(tx, count.id))
    assert await there(shop, milk) == {"B": (4, "for_sale")}
    await lots_are_right(shop)
