"""Lots: what is kept by lot adds up, leaves in its turn, expires by its place's own day, and can be called back."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from stock_shop import Shop, books_are_right

import horizon
from samlad import catalog, stock
from samlad.catalog import ProductChange, Tracking
from samlad.kernel import checks, log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.stock import (
    HoldKind,
    HoldLine,
    Location,
    NotInStock,
    SoldOut,
    counts,
    lots,
    lots_store,
    purchases,
    suppliers,
    transfers,
)
from samlad.stock.checks import CHECKS
from samlad.stock.lots_model import Named, RecallInput
from samlad.stock.problems import LotNeeded
from samlad.stock.purchase_model import SupplierInput, WantedLine

TODAY = "SELECT (now() AT TIME ZONE time_zone)::date FROM location WHERE id = $1"


async def tracked(shop: Shop, how: Tracking = Tracking.EXPIRY, *, min_days: int = 0) -> UUID:
    """A new variant that is kept so."""
    (variant,) = await shop.variants(0)
    await keep(shop, variant, how, min_days)
    return variant


async def keep(shop: Shop, variant: UUID, how: Tracking, min_days: int = 0) -> None:
    # The product of a test's variant has the same id.
    change = ProductChange(tracking=how, min_days_left=min_days)
    await shop.db.transaction(lambda tx: catalog.change(tx, variant, change))


async def today(shop: Shop, at: Location) -> date:
    day: date = await shop.db.value(TODAY, at.id)
    return day


async def bring(
    shop: Shop,
    variant: UUID,
    code: str,
    units: int,
    *,
    days: int | None = None,
    at: Location | None = None,
) -> UUID:
    """Units of a lot that is good for so many days come in."""
    place = at or shop.warehouse
    good_until = None if days is None else await today(shop, place) + timedelta(days=days)

    async def work(tx: Tx) -> UUID:
        (lot,) = await lots.resolve(tx, [Named(variant, units, code, good_until)])
        await stock.receive(tx, place.id, [(variant, units)], lots=[lot])
        assert lot is not None
        return lot

    return await shop.db.transaction(work)


async def there(shop: Shop, variant: UUID, at: Location | None = None) -> dict[str, tuple[int, str]]:
    """Units and state by lot at a location."""
    rows = await shop.db.rows(
        """SELECT t.code, s.on_hand, s.state FROM stock_lot s JOIN lot t ON t.id = s.lot
           WHERE s.variant = $1 AND s.location = $2 AND s.on_hand > 0""",
        variant,
        (at or shop.warehouse).id,
    )
    return {row["code"]: (row["on_hand"], row["state"]) for row in rows}


async def lots_are_right(shop: Shop) -> None:
    """The lots of each level add up to it, and each is the sum of its movements."""
    await books_are_right(shop.db)
    for view in ("stock_lot_difference", "stock_lot_ledger_difference", "stock_ledger_difference"):
        assert await shop.db.rows(f"SELECT * FROM {view}") == []


async def sold(shop: Shop, variant: UUID, units: int, lot: UUID | None = None) -> list[stock.Moved]:
    """Units are held for an order and leave, of this lot if one is named."""
    order = new_id()
    await shop.take((variant, units), owner=order, kind=HoldKind.ORDER)
    lines = None if lot is None else [HoldLine(variant, units, shop.warehouse.id, lot)]
    return await shop.db.transaction(lambda tx: stock.ship(tx, order, lines=lines))


async def test_what_comes_must_say_which_lot_and_until_when(shop: Shop) -> None:
    milk = await tracked(shop)
    for named, field in (
        (Named(milk, 3), "lines/0/lot"),
        (Named(milk, 3, "L1"), "lines/0/expires_on"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await shop.db.transaction(lambda tx, n=named: lots.resolve(tx, [n]))
        assert [error.field for error in refused.value.errors] == [field]
    await bring(shop, milk, "L1", 3, days=9)
    await bring(shop, milk, "L1", 2)  # its date is known by now
    with pytest.raises(InvalidInput):
        await bring(shop, milk, "L1", 2, days=10)
    assert await there(shop, milk) == {"L1": (5, "for_sale")}
    (kettle,) = await shop.variants(1)
    with pytest.raises(InvalidInput):
        await bring(shop, kettle, "L1", 1)
    await lots_are_right(shop)


async def test_nothing_goes_round_the_lots(shop: Shop) -> None:
    milk = await tracked(shop)
    await bring(shop, milk, "L1", 5, days=9)
    at, maker = shop.warehouse.id, SupplierInput(code="arla", name="Arla")

    async def purchase(tx: Tx) -> Any:
        supplier = await suppliers.create(tx, maker)
        made = await purchases.draft(tx, supplier, at, [WantedLine(milk, 4, 100)])
        await purchases.order(tx, made.id)
        return await purchases.receive(tx, made.id)

    async def count(tx: Tx) -> Any:
        made = await counts.open_count(tx, at)
        return await counts.enter(tx, made.id, [(milk, 5)])

    verbs = [
        lambda tx: stock.receive(tx, at, [(milk, 1)]),
        lambda tx: stock.correct(tx, at, [(milk, 1)], reason="found"),
        lambda tx: stock.restock(tx, [(at, milk, 1)], reference=new_id()),
        lambda tx: stock.opening(tx, [(at, milk, 1)]),
        purchase,
        count,
    ]
    for verb in verbs:
        with pytest.raises(LotNeeded):
            await shop.db.transaction(verb)
    for sql in (
        "UPDATE stock_lot SET on_hand = 9",
        "DELETE FROM stock_lot",
        "INSERT INTO stock_lot SELECT location, variant, lot, 1, state, look_on, false FROM stock_lot",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await shop.db.transaction(lambda tx, sql=sql: tx.execute(sql))
    assert await there(shop, milk) == {"L1": (5, "for_sale")}
    await lots_are_right(shop)


async def test_first_expired_first_out_and_who_scans_another_gets_it(shop: Shop) -> None:
    milk = await tracked(shop)
    late = await bring(shop, milk, "LATE", 4, days=30)
    soon = await bring(shop, milk, "SOON", 3, days=5)
    moved = await sold(shop, milk, 5)
    assert [(m.lot, m.quantity) for m in moved] == [(soon, -3), (late, -2)]
    await bring(shop, milk, "SOON", 3)
    assert [(m.lot, m.quantity) for m in await sold(shop, milk, 1, lot=late)] == [(late, -1)]
    with pytest.raises(NotInStock):
        await sold(shop, milk, 2, lot=late)
    assert await there(shop, milk) == {"SOON": (3, "for_sale"), "LATE": (1, "for_sale")}
    place = stock.LocationChange(lot_strategy="fifo")  # type: ignore[arg-type]
    await shop.db.transaction(lambda tx: stock.change_location(tx, shop.warehouse.id, place))
    assert [m.lot for m in await sold(shop, milk, 1)] == [late]
    await lots_are_right(shop)


async def test_no_more_of_a_lot_leaves_than_is_held(shop: Shop) -> None:
    milk = await tracked(shop, Tracking.LOT)
    lot = await bring(shop, milk, "L1", 9)
    order = new_id()
    await shop.take((milk, 1), owner=order, kind=HoldKind.ORDER)
    await shop.take((milk, 5), kind=HoldKind.ORDER)
    lines = [HoldLine(milk, 3, shop.warehouse.id, lot)]
    with pytest.raises(NotInStock):
        await shop.db.transaction(lambda tx: stock.ship(tx, order, lines=lines))
    assert await shop.level(milk) == (9, 6)
    await lots_are_right(shop)


async def test_two_who_take_the_last_of_a_lot_at_once(shop: Shop) -> None:
    milk = await tracked(shop, Tracking.LOT)
    last = await bring(shop, milk, "LAST", 1)
    await bring(shop, milk, "MORE", 9)
    outcomes = await asyncio.gather(
        *(sold(shop, milk, 1, lot=last) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["NotInStock"] * 3 + ["list"]
    shipped = await asyncio.gather(*(sold(shop, milk, 2) for _ in range(3)))
    assert sum(m.quantity for moved in shipped for m in moved) == -6
    await lots_are_right(shop)


async def test_what_expires_is_not_sold_by_the_own_day_of_each_place(shop: Shop) -> None:
    milk = await tracked(shop)
    # In Kiritimati it is always another day than in Pago Pago: 25 hours lie between them.
    for place, zone in ((shop.at_malmo, "Pacific/Kiritimati"), (shop.at_lund, "Pacific/Pago_Pago")):
        change = stock.LocationChange(time_zone=zone)
        await shop.db.transaction(lambda tx, p=place, c=change: stock.change_location(tx, p.id, c))
    await bring(shop, milk, "L1", 4, days=0, at=shop.at_lund)
    await bring(shop, milk, "L1", 2, at=shop.at_malmo)
    assert await there(shop, milk, shop.at_malmo) == {"L1": (2, "expired")}
    assert await there(shop, milk, shop.at_lund) == {"L1": (4, "for_sale")}
    (promise,) = await shop.db.transaction(lambda tx: stock.promises(tx, shop.web, [milk]))
    assert (promise.available, promise.on_hand, promise.expired) == (4, 6, 2)
    with pytest.raises(SoldOut):
        await shop.take((milk, 5))
    await lots_are_right(shop)


async def test_a_day_that_comes_is_told_once_and_whose_holds_it_ends(shop: Shop) -> None:
    milk = await tracked(shop, min_days=3)
    lot = await bring(shop, milk, "L1", 5, days=9)
    old, cart = new_id(), new_id()
    await shop.take((milk, 2), owner=old, kind=HoldKind.ORDER)
    await shop.take((milk, 1), owner=cart, kind=HoldKind.CART)

    async def passes(days: int) -> int:
        """As if so many days had gone by: the lot's date comes nearer, and nobody has looked."""
        await shop.db.transaction(
            lambda tx: tx.execute("UPDATE lot SET expires_on = expires_on - $2::int WHERE id = $1", lot, days)
        )
        await shop.db.transaction(
            lambda tx: tx.execute(
                "UPDATE stock_lot SET look_on = look_on - $2::int WHERE lot = $1", lot, days
            )
        )
        return sum(await asyncio.gather(*(lots.judge(shop.db) for _ in range(3))))

    assert await passes(6) == 0, "three days are left"
    assert await passes(1) == 1
    (promise,) = await shop.db.transaction(lambda tx: stock.promises(tx, shop.web, [milk]))
    assert (promise.available, promise.expiring, promise.expired, promise.held) == (0, 5, 0, 3)
    with pytest.raises(SoldOut):
        await shop.take((milk, 1))
    moved = await shop.db.transaction(
        lambda tx: stock.ship(tx, old, lines=[HoldLine(milk, 1, shop.warehouse.id)])
    )
    assert [(m.lot, m.quantity) for m in moved] == [(lot, -1)], "who had it promised still gets it"
    assert await passes(3) == 1
    assert await passes(1) == 0
    assert await shop.level(milk) == (4, 0)
    await horizon.passed(shop.db)
    events, _ = await log.read(shop.db, log.BEGINNING, types=["stock.lots-judged", "stock.lost"])
    judged = [event.payload["lines"][0] for event in events if event.type == "stock.lots-judged"]
    assert [(line["units"], line["before"], line["after"]) for line in judged] == [
        (5, "for_sale", "expiring"),
        (4, "expiring", "expired"),
    ]
    lost = [line for event in events if event.type == "stock.lost" for line in event.payload["lines"]]
    assert {(line["owner"], line["quantity"]) for line in lost} == {(str(old), 1), (str(cart), 1)}
    await lots_are_right(shop)


async def test_other_days_to_keep_and_another_date(shop: Shop) -> None:
    milk = await tracked(shop)
    lot = await bring(shop, milk, "L1", 5, days=9)
    await keep(shop, milk, Tracking.EXPIRY, 10)
    assert await lots.judge(shop.db) == 1
    assert await there(shop, milk) == {"L1": (5, "expiring")}
    await keep(shop, milk, Tracking.EXPIRY, 2)
    assert await lots.judge(shop.db) == 1
    yesterday = await today(shop, shop.warehouse) - timedelta(days=1)
    await shop.db.transaction(lambda tx: lots.change_date(tx, lot, yesterday))
    assert await there(shop, milk) == {"L1": (5, "expired")}
    await lots_are_right(shop)


async def test_a_recall_blocks_everywhere_and_also_what_comes_later(shop: Shop) -> None:
    milk = await tracked(shop)
    lot = await bring(shop, milk, "BAD", 3, days=9)
    await bring(shop, milk, "BAD", 2, at=shop.at_lund)
    await bring(shop, milk, "GOOD", 4, days=9)
    order = new_id()
    await shop.take((milk, 6), owner=order, kind=HoldKind.ORDER)
    data = RecallInput(variant=milk, lot="BAD", reason="Glass in it")
    first, again = [await shop.db.transaction(lambda tx: lots.recall(tx, data)) for _ in range(2)]
    assert first == again
    assert await there(shop, milk) == {"BAD": (3, "blocked"), "GOOD": (4, "for_sale")}
    assert await there(shop, milk, shop.at_lund) == {"BAD": (2, "blocked")}
    assert await shop.level(milk) == (7, 4), "of six held units four can still be had"
    await bring(shop, milk, "BAD", 1, at=shop.at_malmo)
    assert await there(shop, milk, shop.at_malmo) == {"BAD": (1, "blocked")}
    lines = [HoldLine(milk, 1, shop.warehouse.id, lot)]
    with pytest.raises(NotInStock):
        await shop.db.transaction(lambda tx: stock.ship(tx, order, lines=lines))
    moved = await shop.db.transaction(lambda tx: stock.ship(tx, order))
    assert {(m.quantity, m.lot == lot) for m in moved} == {(-4, False)}
    (promise,) = await shop.db.transaction(lambda tx: stock.promises(tx, shop.web, [milk]))
    assert (promise.available, promise.blocked) == (0, 6)
    ended = [await shop.db.transaction(lambda tx: lots.end_recall(tx, first.id)) for _ in range(2)]
    assert ended[0] == ended[1]
    assert await there(shop, milk, shop.at_lund) == {"BAD": (2, "for_sale")}
    await lots_are_right(shop)


async def test_a_recall_while_units_come_in(shop: Shop) -> None:
    milk = await tracked(shop, Tracking.LOT)
    data = RecallInput(variant=milk, lot="BAD", reason="Glass in it")
    await asyncio.gather(
        *(bring(shop, milk, "BAD", 1, at=at) for at in (shop.warehouse, shop.at_malmo, shop.at_lund)),
        shop.db.transaction(lambda tx: lots.recall(tx, data)),
    )
    for at in (shop.warehouse, shop.at_malmo, shop.at_lund):
        assert await there(shop, milk, at) == {"BAD": (1, "blocked")}
    await lots_are_right(shop)


async def test_a_serial_number_is_one_piece_at_one_place(shop: Shop) -> None:
    phone = await tracked(shop, Tracking.SERIAL)
    await bring(shop, phone, "S1", 1)
    for at in (shop.warehouse, shop.at_lund):
        with pytest.raises(Conflict):
            await bring(shop, phone, "S1", 1, at=at)
    with pytest.raises(InvalidInput):
        await bring(shop, phone, "S2", 2)
    sent = await shop.db.transaction(
        lambda tx: transfers.send(tx, shop.warehouse.id, shop.at_lund.id, [(phone, 1)])
    )
    await shop.db.transaction(lambda tx: transfers.receive(tx, sent.id))
    assert await there(shop, phone, shop.at_lund) == {"S1": (1, "for_sale")}
    await lots_are_right(shop)


async def test_a_product_begins_and_ends_to_be_kept_by_lot(shop: Shop) -> None:
    (tea,) = await shop.variants(6)
    await shop.take((tea, 2), owner=(order := new_id()), kind=HoldKind.ORDER)
    before = await shop.db.value("SELECT value_e4 FROM level WHERE variant = $1", tea)
    await keep(shop, tea, Tracking.LOT)
    assert await there(shop, tea) == {"": (6, "for_sale")}
    await lots_are_right(shop)
    at = shop.warehouse.id
    await shop.db.transaction(lambda tx: lots.name_units(tx, at, [Named(tea, 4, "L1")]))
    assert await there(shop, tea) == {"": (2, "for_sale"), "L1": (4, "for_sale")}
    with pytest.raises(NotInStock):
        await shop.db.transaction(lambda tx: lots.name_units(tx, at, [Named(tea, 3, "L1")]))
    await lots_are_right(shop)
    assert await shop.db.value("SELECT value_e4 FROM level WHERE variant = $1", tea) == before
    await keep(shop, tea, Tracking.NONE)
    assert await there(shop, tea) == {}
    await shop.db.transaction(lambda tx: stock.ship(tx, order))
    assert await shop.level(tea) == (4, 0)
    await lots_are_right(shop)


async def test_levels_that_come_while_tracking_begins(shop: Shop) -> None:
    variants = await shop.variants(*[1] * 6)

    async def come(variant: UUID) -> None:
        try:
            await shop.receive(variant, 1, shop.at_lund)
        except LotNeeded:
            await bring(shop, variant, "L1", 1, at=shop.at_lund)

    await asyncio.gather(*(keep(shop, v, Tracking.LOT) for v in variants), *(come(v) for v in variants))
    for variant in variants:
        assert (await shop.level(variant, shop.at_lund))[0] == 1
        assert sum(units for units, _ in (await there(shop, variant, shop.at_lund)).values()) == 1
    await lots_are_right(shop)


async def test_counts_and_transfers_by_lot(shop: Shop) -> None:
    milk = await tracked(shop)
    first = await bring(shop, milk, "L1", 4, days=9)
    second = await bring(shop, milk, "L2", 4, days=19)
    at = shop.warehouse.id
    count = await shop.db.transaction(lambda tx: counts.open_count(tx, at))
    entered = await shop.db.transaction(
        lambda tx: counts.enter(tx, count.id, [(milk, 3), (milk, 6)], lots=[first, second])
    )
    assert {(x.lot_code, x.counted, x.expected) for x in entered.lines} == {("L1", 3, 4), ("L2", 6, 4)}
    await shop.db.transaction(lambda tx: counts.close(tx, count.id))
    assert await there(shop, milk) == {"L1": (3, "for_sale"), "L2": (6, "for_sale")}
    sent = await shop.db.transaction(lambda tx: transfers.send(tx, at, shop.at_lund.id, [(milk, 5)]))
    assert {(line.lot_code, line.quantity) for line in sent.lines} == {("L1", 3), ("L2", 2)}
    with pytest.raises(LotNeeded) as needed:
        await shop.db.transaction(lambda tx: transfers.receive(tx, sent.id, [(milk, 2)]))
    assert needed.value.extra["lots"] == ["L1", "L2"]
    await shop.db.transaction(lambda tx: transfers.receive(tx, sent.id, [(milk, 2)], lots=[first]))
    await shop.db.transaction(lambda tx: transfers.receive(tx, sent.id, [(milk, 2)], lots=[second]))
    await shop.db.transaction(lambda tx: transfers.cancel(tx, sent.id))
    assert await there(shop, milk, shop.at_lund) == {"L1": (2, "for_sale"), "L2": (2, "for_sale")}
    assert await there(shop, milk) == {"L1": (1, "for_sale"), "L2": (4, "for_sale")}
    await lots_are_right(shop)


async def test_what_comes_back_is_the_lot_that_was_sold(shop: Shop) -> None:
    milk = await tracked(shop)
    await bring(shop, milk, "L1", 1, days=5)
    await bring(shop, milk, "L2", 9, days=9)
    order, other = new_id(), new_id()
    for owner, units in ((order, 3), (other, 2)):
        await shop.take((milk, units), owner=owner, kind=HoldKind.ORDER)
        await shop.db.transaction(lambda tx, o=owner: stock.ship(tx, o))
    with pytest.raises(LotNeeded) as needed:
        await shop.db.transaction(lambda tx: lots.sold_lots(tx, order, [(milk, 2, ())]))
    assert needed.value.extra["lots"] == ["L1", "L2"]
    with pytest.raises(LotNeeded):
        await shop.db.transaction(lambda tx: lots.sold_lots(tx, other, [(milk, 1, ["L1"])]))
    said, clear, whole = [
        (await shop.db.transaction(lambda tx, o=of, c=code, n=units: lots.sold_lots(tx, o, [(milk, n, c)])))[
            0
        ]
        for of, units, code in ((other, 1, ["L2"]), (other, 1, ()), (order, 3, ()))
    ]
    assert said == clear
    assert [units for _, units in whole] == [1, 2]
    known = [await lots_store.get(shop.db, lot) for lot, _ in [*said, *whole] if lot]
    assert [lot.code for lot in known] == ["L2", "L1", "L2"]


async def test_stock_by_lot_is_opened_at_once(shop: Shop) -> None:
    milk, (tea,) = await tracked(shop), await shop.variants(0)
    one = await bring(shop, milk, "L1", 1, days=9)
    rows = [(shop.at_lund.id, milk, 5), (shop.at_lund.id, tea, 7), (shop.at_lund.id, milk, 2)]
    count = await shop.db.transaction(lambda tx: stock.opening(tx, rows, lots=[one, None, one]))
    assert count == 2
    assert await there(shop, milk, shop.at_lund) == {"L1": (7, "for_sale")}
    assert await shop.level(tea, shop.at_lund) == (7, 0)
    await lots_are_right(shop)


async def test_the_doctor_finds_and_mends_lots(shop: Shop) -> None:
    milk, oil, tea = [await tracked(shop, Tracking.LOT) for _ in range(3)]
    for variant in (milk, oil, tea):
        await bring(shop, variant, "L1", 5)
    order = new_id()
    await shop.take((tea, 4), owner=order, kind=HoldKind.ORDER)

    async def damage(tx: Tx) -> None:
        # Only who turns the triggers off can bring the books into disorder.
        await tx.execute("ALTER TABLE stock_lot DISABLE TRIGGER USER")
        await tx.execute("UPDATE stock_lot SET on_hand = 3 WHERE variant = $1", milk)
        await tx.execute("UPDATE stock_lot SET on_hand = 8 WHERE variant = $1", oil)
        await tx.execute("UPDATE stock_lot SET state = 'blocked' WHERE variant = $1", tea)
        await tx.execute("ALTER TABLE stock_lot ENABLE TRIGGER USER")

    await shop.db.transaction(damage)
    found = {r.name: r for r in await checks.run(shop.db, CHECKS)}
    assert found["stock-lots"].status == "failed"
    assert f"K-{milk} at dc: lot “L1” has 3, but its movements add up to 5" in found["stock-lots"].message
    mended = {r.name: r for r in await checks.run(shop.db, CHECKS, fix=True)}
    assert mended["stock-lots"].status == "ok"
    assert {r.status for r in mended.values()} == {"ok"}
    assert await there(shop, milk) == {"L1": (3, "for_sale"), "": (2, "for_sale")}
    assert await there(shop, oil) == {"L1": (5, "for_sale")}
    assert await there(shop, tea) == {"L1": (5, "for_sale")}, "nobody had recalled it"
    assert await shop.level(tea) == (5, 4)
    reasons = await shop.db.rows("SELECT DISTINCT reason FROM movement WHERE reason LIKE 'samlad doctor%'")
    assert len(reasons) == 1
    await lots_are_right(shop)


async def test_a_piece_that_is_scanned_twice_is_counted_once(shop: Shop) -> None:
    """Two people come past it: the count is still closed, and there is one of it."""
    drill = await tracked(shop, Tracking.SERIAL)
    piece, other = await bring(shop, drill, "S1", 1), await bring(shop, drill, "S2", 1)
    count = await shop.db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
    for lot in (piece, piece, other):
        await shop.db.transaction(
            lambda tx, lot=lot: counts.enter(tx, count.id, [(drill, 1)], adds_up=True, lots=[lot])
        )
    closed = await shop.db.transaction(lambda tx: counts.close(tx, count.id))
    assert [line.counted for line in closed.lines] == [1, 1]
    assert await there(shop, drill) == {"S1": (1, "for_sale"), "S2": (1, "for_sale")}
    await lots_are_right(shop)


@pytest.mark.parametrize("ends_first", [False, True])
async def test_a_lot_that_was_counted_after_a_late_sale_loses_it_once(shop: Shop, ends_first: bool) -> None:
    """Two of the first lot were sold at a till without network; they are counted, and then the till sends them."""
    milk = await tracked(shop)
    soon, late = await bring(shop, milk, "L1", 5, days=9), await bring(shop, milk, "L2", 5, days=30)
    count = await shop.db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
    lines = [(milk, 3), (milk, 5)]
    await shop.db.transaction(lambda tx: counts.enter(tx, count.id, lines, lots=[soon, late]))

    async def sell(tx: Tx) -> None:
        await stock.sell(
            tx,
            shop.warehouse.id,
            [(milk, 2)],
            lease=new_id(),
            reference=new_id(),
            reason="Sold at a till",
            happened_at=now() - timedelta(hours=1),
        )

    async def close(tx: Tx) -> None:
        await counts.close(tx, count.id)

    for work in (close, sell) if ends_first else (sell, close):
        await shop.db.transaction(work)
    on_hand = await shop.db.rows("SELECT lot, on_hand FROM stock_lot WHERE variant = $1", milk)
    assert {row["lot"]: row["on_hand"] for row in on_hand} == {soon: 3, late: 5}
    await lots_are_right(shop)


@pytest.mark.parametrize("ends_first", [False, True])
async def test_a_lot_that_a_count_missed_is_the_one_that_was_sold(shop: Shop, ends_first: bool) -> None:
    """Of two lots somebody has counted the later one only, and two of it were gone: the till had sold these two."""
    milk = await tracked(shop)
    first, second = await bring(shop, milk, "FIRST", 5, days=3), await bring(shop, milk, "SECOND", 5, days=9)
    count = await shop.db.transaction(lambda tx: counts.open_count(tx, shop.warehouse.id))
    await shop.db.transaction(lambda tx: counts.enter(tx, count.id, [(milk, 3)], lots=[second]))
    if ends_first:
        await shop.db.transaction(lambda tx: counts.close(tx, count.id))
    moved = await sold_earlier(shop, milk, 3)
    assert {(each.lot, each.quantity) for each in moved} == {(second, -2), (first, -1)}
    if not ends_first:
        await shop.db.transaction(lambda tx: counts.close(tx, count.id))
    assert {code: units for code, (units, _) in (await there(shop, milk)).items()} == {
        "FIRST": 4,
        "SECOND": 3,
    }
    again = await sold_earlier(shop, milk, 1)
    assert [(each.lot, each.quantity) for each in again] == [(first, -1)], "what it has missed is sold once"
    await lots_are_right(shop)


async def sold_earlier(shop: Shop, variant: UUID, units: int) -> list[stock.Moved]:
    """A till tells of a sale an hour late."""

    async def work(tx: Tx) -> list[stock.Moved]:
        sale = await stock.sell(
            tx,
            shop.warehouse.id,
            [(variant, units)],
            lease=new_id(),
            reference=new_id(),
            reason="Sold at a till",
            happened_at=now() - timedelta(hours=1),
        )
        return sale.moved

    return await shop.db.transaction(work)
