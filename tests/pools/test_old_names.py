"""What was sold, came in and cost before catalogues were joined is found by the name that its goods have now, and after they part."""

from datetime import timedelta
from uuid import UUID

import pytest
from goods import build_apart, product
from selling import Till
from silo import Silo

from samlad import orders, stock
from samlad.channels import Resource
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.listing import ListQuery
from samlad.orders import Order, ReturnInput, routing_store
from samlad.stock import pace
from samlad.stock.cost_lists import COSTS
from samlad.stock.lists import MOVEMENTS
from samlad.tills import Desk
from trade import build

GOODS = Resource.CATALOGUE
GTIN = "7310865004703"


@pytest.fixture
async def apart(db: Database) -> Silo:
    return await build_apart(await build(db))


async def both(silo: Silo, quantity: int = 10) -> tuple[UUID, UUID]:
    """The same goods in both catalogues: the channel's, of which so many lie in its depot, and the others'."""
    (theirs,) = await product(silo, silo.trade.web, {"sku": "W-1", "gtin": GTIN})
    (ours,) = await product(silo, silo.market, {"sku": "M-1", "gtin": GTIN}, quantity=quantity)
    return ours, theirs


async def came(silo: Silo, variant: UUID, quantity: int, cost: int) -> None:
    """Goods come in at a cost each (ten-thousandths of a minor unit)."""
    await silo.trade.db.transaction(
        lambda tx: stock.receive(tx, silo.depot.id, [(variant, quantity)], unit_costs_e4=[cost])
    )


async def sent(silo: Silo, variant: UUID, quantity: int) -> Order:
    order = await silo.sell(variant, quantity)
    await silo.send(order.id)
    return await orders.read(silo.trade.db, order.id)


async def test_what_was_sold_before_comes_back_to_where_it_left_at_what_it_had_cost(apart: Silo) -> None:
    trade, db = apart.trade, apart.trade.db
    ours, theirs = await both(apart, 0)
    await came(apart, ours, 4, 50_000_000)
    order = await sent(apart, ours, 2)
    await apart.join(GOODS)
    assert order.lines[0].variant == ours
    await came(apart, theirs, 2, 90_000_000)
    assert await stock.sold_costs(db, order.id, [theirs]) == {theirs: 50_000_000}
    left = await stock.shipped(db, order.id, [theirs])
    assert [(each.location, each.variant, each.quantity) for each in left] == [(apart.depot.id, theirs, -2)]
    await db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    assert await trade.level(theirs, apart.depot) == (6, 0)
    cost = await db.value("SELECT unit_cost_e4 FROM movement WHERE cause = 'return' AND variant = $1", theirs)
    assert cost == 50_000_000
    await trade.agree()


async def test_lists_of_movements_and_costs_find_them_by_the_name_of_now(apart: Silo) -> None:
    db = apart.trade.db
    ours, theirs = await both(apart)
    await sent(apart, ours, 2)
    await apart.join(GOODS)
    for listing in (MOVEMENTS, COSTS):
        for filters in ({"variant": str(theirs)}, {"sku": "W-1"}, {"sku": "M-1"}):
            page = await listing.page(db, ListQuery(filters=filters))
            assert {row.quantity for row in page.items} >= {10, -2}, filters
    await apart.leave(GOODS)
    page = await MOVEMENTS.page(db, ListQuery(filters={"sku": "M-1"}))
    assert {row.quantity for row in page.items} >= {10, -2}


async def test_stock_is_as_old_as_it_was_and_lay_where_it_lay(apart: Silo) -> None:
    trade, db = apart.trade, apart.trade.db
    ours, theirs = await both(apart)
    order = await apart.sell(ours, 1)
    for each in (
        "ALTER TABLE movement DISABLE TRIGGER USER",
        "UPDATE movement SET created_at = created_at - interval '40 days'",
        "ALTER TABLE movement ENABLE TRIGGER USER",
    ):
        await db.transaction(lambda tx, sql=each: tx.execute(sql))
    moment = now() - timedelta(days=1)
    await apart.join(GOODS)
    pool = await db.value("SELECT pool FROM location WHERE id = $1", apart.depot.id)
    today = now().date()
    (shelf,) = await routing_store.shelves(db, pool, apart.market.id, [theirs], today, with_age=True)
    assert shelf["age_days"] == pytest.approx(40, abs=0.5)
    then = await routing_store.shelves_then(db, pool, apart.market.id, [theirs], [moment], [order.id])
    assert [(row["variant"], row["id"], row["free"]) for row in then] == [(theirs, apart.depot.id, 10)]
    before = await routing_store.shelves_then(
        db, pool, apart.market.id, [theirs], [now() - timedelta(days=60)], [order.id]
    )
    assert before == []
    after = await routing_store.shelves_then(
        db, pool, apart.market.id, [theirs], [now() + timedelta(days=1)], [order.id]
    )
    assert [row["free"] for row in after] == [10], "once, not under both names"
    await trade.agree()


async def test_how_fast_it_sells_is_said_of_the_name_of_now(apart: Silo) -> None:
    db = apart.trade.db
    ours, theirs = await both(apart)
    await sent(apart, ours, 3)
    await apart.join(GOODS)
    await sent(apart, theirs, 2)
    await pace.refresh(db)
    said = "SELECT variant, sold FROM stock_pace WHERE location = $1"
    assert [tuple(row) for row in await db.rows(said, apart.depot.id)] == [(theirs, 5)]
    assert await pace.refresh(db) == 0
    await apart.leave(GOODS)
    await pace.refresh(db)
    assert [tuple(row) for row in await db.rows(said, apart.depot.id)] == [(ours, 5)]


async def test_a_till_that_has_an_old_pack_sells_what_it_is_called_now(apart: Silo) -> None:
    trade, db = apart.trade, apart.trade.db
    ours, theirs = await both(apart)
    await apart.join(GOODS)
    till = Till(trade)
    till.desk = Desk(await apart.now(), apart.depot)
    sale = till.sale((ours, 2))
    (verdict,) = await till.send(sale)
    assert [each.code for each in verdict.objections] == []
    assert verdict.order is not None
    order = await orders.read(db, verdict.order)
    assert [(line.variant, line.kind) for line in order.lines] == [(theirs, "item")]
    assert await trade.level(theirs, apart.depot) == (8, 0)
    await trade.agree()
