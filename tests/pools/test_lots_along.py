"""Lots, last good days and serial numbers join with their goods, and come apart with what happened since."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from goods import build_apart, product
from silo import Silo

from samlad import pools, stock
from samlad.catalog import Tracking
from samlad.catalog.pairing import DecisionInput, DecisionKind
from samlad.channels import Resource
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import Conflict
from samlad.stock import Location, lots, lots_store
from samlad.stock.lots_model import Named, RecallInput
from trade import build

GOODS = Resource.CATALOGUE
GTIN = "7310865004703"


@pytest.fixture
async def apart(db: Database) -> Silo:
    return await build_apart(await build(db))


def day(days: int) -> date:
    return now().date() + timedelta(days=days)


async def bring(silo: Silo, at: Location, variant: UUID, *brought: tuple[str, int, int | None]) -> None:
    """Units of lots come in: number, units, and in how many days the last good one is."""

    async def work(tx: Tx) -> None:
        named = [
            Named(variant, units, code, None if days is None else day(days)) for code, units, days in brought
        ]
        of = await stock.resolve_lots(tx, named)
        await stock.receive(tx, at.id, [(variant, units) for _, units, _ in brought], lots=of)

    await silo.trade.db.transaction(work)


async def both(silo: Silo, how: Tracking = Tracking.EXPIRY) -> tuple[UUID, UUID]:
    """The same goods in both catalogues, kept in one way: the channel's and the others'."""
    (theirs,) = await product(silo, silo.trade.web, {"sku": "W-1", "gtin": GTIN}, tracking=how)
    (ours,) = await product(silo, silo.market, {"sku": "M-1", "gtin": GTIN}, tracking=how)
    return ours, theirs


async def lying(silo: Silo, variant: UUID, at: Location) -> dict[str, tuple[int, date | None, bool]]:
    """What lies somewhere, by lot: units, last good day, and whether it is recalled."""
    rows = await silo.trade.db.rows(
        """SELECT l.code, s.on_hand, l.expires_on, l.recall IS NOT NULL AS is_recalled FROM stock_lot s
           JOIN lot l ON l.id = s.lot WHERE s.variant = $1 AND s.location = $2 AND s.on_hand > 0 AND l.variant = $1""",
        variant,
        at.id,
    )
    return {row["code"]: (row["on_hand"], row["expires_on"], row["is_recalled"]) for row in rows}


async def lot_of(silo: Silo, variant: UUID, code: str) -> UUID:
    found: UUID = await silo.trade.db.value(
        "SELECT id FROM lot WHERE variant = $1 AND code = $2", variant, code
    )
    return found


async def test_a_lot_of_one_number_is_one_lot_and_two_again(apart: Silo) -> None:
    trade, db = apart.trade, apart.trade.db
    ours, theirs = await both(apart)
    await bring(apart, trade.warehouse, theirs, ("L1", 4, 30), ("L9", 2, 60))
    await bring(apart, apart.depot, ours, ("L1", 5, 30), ("L2", 3, 90))
    was = await lying(apart, ours, apart.depot)
    order = await apart.sell(ours, 2)
    plan = await pools.plan(db, apart.market, GOODS)
    counts = {each.code: each.count for each in plan.findings}
    assert (plan.is_ready, counts["stock-lots-same"], counts["catalogue-gtin"]) == (True, 1, 1)

    await apart.join(GOODS, Resource.STOCK)
    assert await lying(apart, theirs, apart.depot) == was
    assert await lying(apart, ours, apart.depot) == {}
    places = {
        row.location: row.on_hand for row in await lots_store.where(db, await lot_of(apart, theirs, "L1"))
    }
    assert places == {trade.warehouse.id: 4, apart.depot.id: 5}, "one lot, at both places"
    await trade.agree()

    # What happens to the one lot since: it is recalled at both places, and another's day is corrected.
    recall = RecallInput(variant=theirs, lot="L1", reason="glass")
    await db.transaction(lambda tx: lots.recall(tx, recall))
    second = await lot_of(apart, theirs, "L2")
    await db.transaction(lambda tx: lots.change_date(tx, second, day(80)))
    await bring(apart, apart.depot, theirs, ("L3", 6, 120))
    await apart.leave(Resource.STOCK, GOODS)
    assert await lying(apart, ours, apart.depot) == {
        "L1": (5, day(30), True),
        "L2": (3, day(80), False),
        "L3": (6, day(120), False),
    }
    assert await lying(apart, theirs, trade.warehouse) == {
        "L1": (4, day(30), True),
        "L9": (2, day(60), False),
    }
    assert await lying(apart, theirs, apart.depot) == {}
    assert await trade.level(ours, apart.depot) == (14, 2)
    assert order.id
    await trade.agree()


@pytest.mark.parametrize(
    ("code", "here", "there"),
    [
        ("stock-lot-dates", ("L1", 5, 40), ("L1", 4, 30)),
        ("stock-serials", ("S1", 1, None), ("S1", 1, None)),
    ],
)
async def test_what_lots_contradict_a_person_decides(apart: Silo, code: str, here: Any, there: Any) -> None:
    db = apart.trade.db
    ours, theirs = await both(apart, Tracking.SERIAL if code == "stock-serials" else Tracking.EXPIRY)
    await bring(apart, apart.trade.warehouse, theirs, there)
    await bring(apart, apart.depot, ours, here)
    first = (await pools.plan(db, apart.market, GOODS)).findings[0]
    assert (first.code, first.level, first.count, first.examples[0].label) == (code, "blocking", 1, "M-1")
    with pytest.raises(Conflict, match="plan"):
        await apart.begin(GOODS)
    if code == "stock-lot-dates":
        lot = await lot_of(apart, ours, "L1")
        await db.transaction(lambda tx: lots.change_date(tx, lot, day(30)))
    else:
        lot = await lot_of(apart, ours, "S1")
        await db.transaction(
            lambda tx: stock.correct(tx, apart.depot.id, [(ours, -1)], reason="miscounted", lots=[lot])
        )
    await apart.join(GOODS)
    units = {"stock-lot-dates": {"L1": (5, day(30), False)}, "stock-serials": {}}[code]
    assert await lying(apart, theirs, apart.depot) == units
    await apart.leave(GOODS)
    assert await lying(apart, ours, apart.depot) == units
    await apart.trade.agree()


async def test_a_recall_of_one_side_is_settled_first_and_one_of_a_lot_alone_comes_along(apart: Silo) -> None:
    db = apart.trade.db
    ours, theirs = await both(apart)
    await bring(apart, apart.trade.warehouse, theirs, ("L1", 4, 30))
    await bring(apart, apart.depot, ours, ("L1", 5, 30), ("L2", 3, 90))
    for lot in ("L1", "L2"):
        data = RecallInput(variant=ours, lot=lot, reason="glass")
        await db.transaction(lambda tx, data=data: lots.recall(tx, data))
    first = (await pools.plan(db, apart.market, GOODS)).findings[0]
    assert (first.code, first.level, first.count) == ("stock-lot-recalls", "blocking", 1)
    data = RecallInput(variant=theirs, lot="L1", reason="glass")
    made = await db.transaction(lambda tx: lots.recall(tx, data))
    await apart.join(GOODS, Resource.STOCK)
    assert await lying(apart, theirs, apart.depot) == {"L1": (5, day(30), True), "L2": (3, day(90), True)}
    await db.transaction(lambda tx: lots.end_recall(tx, made.id))
    await apart.leave(Resource.STOCK, GOODS)
    assert await lying(apart, ours, apart.depot) == {"L1": (5, day(30), False), "L2": (3, day(90), True)}
    await apart.trade.agree()


async def test_serial_numbers_that_were_sold_are_found_by_their_own_goods_again(apart: Silo) -> None:
    trade, db = apart.trade, apart.trade.db
    ours, theirs = await both(apart, Tracking.SERIAL)
    await bring(apart, apart.depot, ours, ("S1", 1, None), ("S2", 1, None), ("S3", 1, None))
    before = await apart.sell(ours)
    await apart.send(before.id)
    await apart.join(GOODS, Resource.STOCK, Resource.CUSTOMERS, Resource.ORDERS, Resource.CARTS)
    since = await apart.sell(theirs)
    await apart.send(since.id)
    sent = {row["id"]: row["code"] for row in await _sent(db, theirs)}
    assert len(sent) == 2
    await trade.agree()
    await apart.leave(Resource.CARTS, Resource.ORDERS, Resource.CUSTOMERS, Resource.STOCK, GOODS)
    assert {row["id"]: row["code"] for row in await _sent(db, ours)} == sent
    assert await _sent(db, theirs) == []
    assert len(await lying(apart, ours, apart.depot)) == 1
    with pytest.raises(Exception, match=r"(?i)serial|number|here"):
        await bring(apart, apart.depot, ours, (next(iter(await lying(apart, ours, apart.depot))), 1, None))
    await trade.agree()


async def _sent(db: Database, variant: UUID) -> list[Any]:
    return await db.rows(
        """SELECT f.order_id AS id, l.code FROM fulfilment_lot t JOIN fulfilment f ON f.id = t.fulfilment
           JOIN lot l ON l.id = t.lot AND l.variant = t.variant WHERE t.variant = $1 ORDER BY 1""",
        variant,
    )


async def test_sets_are_the_same_where_their_parts_are(apart: Silo) -> None:
    db, trade, market = apart.trade.db, apart.trade, apart.market
    (pot_there,) = await product(apart, trade.web, {"sku": "POT", "gtin": GTIN}, quantity=9)
    await product(apart, trade.web, {"sku": "CUP"}, quantity=9)
    (tea_there,) = await product(apart, trade.web, {"sku": "TEA", "components": [{"sku": "POT", "quantity": 1}, {"sku": "CUP", "quantity": 2}]})  # fmt: skip
    await product(apart, trade.web, {"sku": "TWO", "components": [{"sku": "POT", "quantity": 2}]})
    (pot,) = await product(apart, market, {"sku": "M-POT", "gtin": GTIN}, quantity=9)
    await product(apart, market, {"sku": "CUP"}, quantity=9)
    (tea,) = await product(apart, market, {"sku": "M-TEA", "components": [{"sku": "CUP", "quantity": 2}, {"sku": "M-POT", "quantity": 1}]}, price=30_000)  # fmt: skip
    (two,) = await product(apart, market, {"sku": "TWO", "components": [{"sku": "M-POT", "quantity": 3}]})
    rows = await db.rows("SELECT sku, state, why, twin FROM catalogue_pairs($1, $2)", market.pools[GOODS], trade.web.pools[GOODS])  # fmt: skip
    found = {row["sku"]: (row["state"], row["why"], row["twin"]) for row in rows}
    assert found["M-TEA"] == ("parts", None, tea_there)
    assert found["TWO"][:2] == ("contrary", "parts")
    said = [DecisionInput(sku="TWO", kind=DecisionKind.ANOTHER)]
    await db.transaction(lambda tx: pools.decide(tx, market.id, said))
    before = await apart.sell(tea)
    await apart.join(GOODS)
    parts = await db.rows("SELECT component FROM bundle_component WHERE bundle = $1", two)
    assert [row["component"] for row in parts] == [pot_there], (
        "a set that comes along is made of what is there"
    )
    since = await apart.sell(tea_there)
    await trade.agree()
    await apart.leave(GOODS)
    for order in (before, since):
        lines = await db.rows("SELECT variant, set_of ->> 'variant' AS of FROM order_line WHERE order_id = $1 AND set_of IS NOT NULL", order.id)  # fmt: skip
        assert {row["of"] for row in lines} == {str(tea)}
        assert pot in {row["variant"] for row in lines}
    assert await trade.level(pot, apart.depot) == (9, 2)
    await trade.agree()
