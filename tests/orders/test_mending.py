"""``samlad doctor --fix`` on what is held for orders: it says which order, gives back what is too much, finds what is missing."""

from fulfilling import Desk

from samlad.kernel import checks
from samlad.orders.checks import CHECKS
from samlad.orders.fulfilment_model import FulfilmentState
from trade import Trade


async def test_the_doctor_mends_what_is_held_for_orders(trade: Trade) -> None:
    desk = Desk(trade)
    kettle, cup = await trade.kettle(quantity=5), await trade.kettle(quantity=5)
    await desk.put(kettle, 2, trade.at_lund.id)
    short, much = await trade.buy((kettle, 2)), await trade.buy((cup, 1))
    await trade.db.rows("DELETE FROM hold WHERE owner = $1 RETURNING 1", short.id)
    await trade.db.rows("UPDATE hold SET quantity = 3 WHERE owner = $1 RETURNING 1", much.id)
    await trade.db.rows("UPDATE level SET held = CASE variant WHEN $1 THEN 0 ELSE 3 END RETURNING 1", kettle)
    found = {each.name: each for each in await checks.run(trade.db, CHECKS) if each.status != "ok"}
    assert set(found) == {"order-stock", "order-allocations"}
    told = found["order-allocations"].message
    assert f"order {short.number}" in told
    assert "to give 2, held 0" in told
    assert f"order {much.number}" in told
    assert "to give 1, held 3" in told
    assert "--fix" in found["order-allocations"].advice

    mended = await checks.run(trade.db, CHECKS, fix=True)
    assert [each.name for each in mended if each.status != "ok"] == []
    assert [each.fixed for each in mended if each.fixed] == [2]
    assert await trade.level(cup) == (5, 1)
    parts = await desk.of(short)
    assert [(one.state, one.location) for one in parts if one.state is not FulfilmentState.REJECTED] == [
        (FulfilmentState.OPEN, trade.at_lund.id)
    ], "it goes on from where it can be held, as after a count that found less"
    await trade.agree()


async def test_what_is_held_for_an_order_that_is_none_is_free_again(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    await trade.db.rows(
        """INSERT INTO hold (location, variant, quantity, kind, owner) VALUES ($1, $2, 2, 'order', gen_random_uuid())
           RETURNING 1""",
        trade.warehouse.id,
        kettle,
    )
    await trade.db.rows("UPDATE level SET held = 2 RETURNING 1")
    failed = [each.name for each in await checks.run(trade.db, CHECKS) if each.status != "ok"]
    assert failed == ["order-allocations", "order-holds"]
    await checks.run(trade.db, CHECKS, fix=True)
    assert await trade.level(kettle) == (5, 0)
    await trade.agree()
