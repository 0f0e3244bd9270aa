"""What is bought together: a projection of the log, exact after replays, cancellations and imports."""

import asyncio
from uuid import UUID

from samlad import orders, recommendations
from samlad.kernel import followers
from samlad.kernel.database import Database
from samlad.recommendations import store
from samlad.recommendations.followers import FOLLOWERS
from trade import Trade, build


async def products(trade: Trade, *variants: UUID) -> list[UUID]:
    rows = await trade.db.rows("SELECT id, product FROM variant WHERE id = ANY($1)", list(variants))
    known = {row["id"]: row["product"] for row in rows}
    return [known[each] for each in variants]


async def pairs(db: Database) -> dict[tuple[UUID, UUID], int]:
    rows = await db.rows(
        "SELECT product, other, sum(orders)::int AS n FROM product_pair WHERE orders > 0 GROUP BY 1, 2"
    )
    return {(row["product"], row["other"]): row["n"] for row in rows}


async def test_orders_tell_what_goes_together(db: Database) -> None:
    trade = await build(db)
    kettle, tea, mug = [await trade.kettle(quantity=50) for _ in range(3)]
    a, b, c = await products(trade, kettle, tea, mug)
    both = [await trade.buy((kettle, 1), (tea, 2)) for _ in range(3)]
    for _ in range(2):
        await trade.buy((kettle, 1), (mug, 1))
    for _ in range(4):
        await trade.buy((mug, 1))
    await trade.follow()
    assert (await pairs(db))[a, b] == 3
    found = await recommendations.together(db, trade.malmo, a)
    assert [each.product for each in found] == [b, c], "a mug is bought with everything, so it says less"
    assert found[0].orders == 3
    assert 0 < found[1].score < found[0].score <= 1
    assert await recommendations.together(db, trade.web, b) == [
        recommendations.Companion(a, 3, found[0].score)
    ]

    await followers.replay(db, FOLLOWERS[0].name)
    await trade.follow()
    before = await pairs(db)
    assert before[a, b] == 3, "a replay counts nothing twice"
    ids = [order.id for order in both]
    counted = await asyncio.gather(*(db.transaction(lambda tx: store.add(tx, ids)) for _ in range(3)))
    assert sum(counted) == 0
    await db.transaction(lambda tx: orders.cancel(tx, both[0].id, orders.CancelInput()))
    await trade.follow()
    after = await pairs(db)
    assert (after[a, b], after[b, a], after[a, a], after[b, b]) == (2, 2, 4, 2)
    assert not await db.transaction(lambda tx: store.remove(tx, both[0].id)), "cancelled twice it is out once"
    assert await db.transaction(store.forget) == 0

    # What is over is forgotten, and does not come back with a replay.
    await db.transaction(lambda tx: tx.execute("UPDATE product_pair SET month = month - interval '2 years'"))
    await db.transaction(lambda tx: tx.execute("UPDATE paired_order SET month = month - interval '2 years'"))
    await db.transaction(
        lambda tx: tx.execute("UPDATE orders SET local_day = local_day - interval '2 years'")
    )
    assert await db.transaction(store.forget) > 0
    await followers.replay(db, FOLLOWERS[0].name)
    await trade.follow()
    assert await pairs(db) == {}


async def test_companions_of_a_product_are_bounded(db: Database, monkeypatch) -> None:
    trade = await build(db)
    variants = [await trade.kettle(quantity=9) for _ in range(4)]
    first, second, *_rest = await products(trade, *variants)
    await trade.buy(*((each, 1) for each in variants))
    await trade.buy((variants[0], 1), (variants[1], 1))
    await trade.follow()
    monkeypatch.setattr(store, "MOST_COMPANIONS", 1)
    await db.transaction(store.forget)
    assert [other for product, other in await pairs(db) if product == first and other != first] == [second]
