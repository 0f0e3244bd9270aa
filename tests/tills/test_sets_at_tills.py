"""Sets at a till without network: it knows what is in them, and what it sold is booked as their parts."""

from uuid import uuid4

from selling import AT_TILL, Till

from samlad import orders
from samlad.tills import leases, pack
from samlad.tills.model import LeaseInput, LeaseLine
from trade import Trade


async def test_a_till_sells_sets_without_network(trade: Trade) -> None:
    pot = await trade.kettle(30_000, 3, at=trade.at_malmo)
    cup = await trade.kettle(5_000, 4, at=trade.at_malmo)
    tea = await trade.set_of(36_000, (pot, 1), (cup, 2))
    till = Till(trade)
    loaded = await pack.load(trade.db, till.desk, till.id)
    assert loaded.sets == [(tea, sorted([(pot, 1), (cup, 2)]))]
    assert {variant for variant, _ in loaded.stock} == {pot, cup}
    asked = LeaseInput(channel=trade.malmo.code, till=till.id, lines=[LeaseLine(variant=tea, units=1)])
    leased = await trade.db.transaction(lambda tx: leases.take(tx, asked), AT_TILL)
    assert {line.variant: line.units for line in leased.lines} == {pot: 1, cup: 2}
    sale = till.sale((tea, 3), (pot, 1), price=36_000)
    (verdict,) = await till.send(sale)
    assert verdict.order is not None
    order = await orders.read(trade.db, verdict.order)
    assert [(each.variant, each.quantity, each.total, each.fulfilled) for each in order.lines] == [
        (pot, 3, 81_000, 3),
        (cup, 6, 27_000, 6),
        (pot, 1, 36_000, 1),
    ]
    # The books had four of the six cups and three of the four pots: it is said of the lines that were sold.
    lacking = [(each.line, each.here, each.there) for each in verdict.objections if each.code == "stock"]
    assert lacking == [(1, "2", "3"), (2, "0", "1")]
    assert await trade.level(cup, trade.at_malmo) == (0, 0)
    assert (await till.send(sale))[0].order == verdict.order
    assert await trade.level(tea, trade.at_malmo) == (0, 0)
    await trade.follow()
    await trade.sound()

    back = {
        "kind": "return",
        "id": str(uuid4()),
        "till": str(till.id),
        "sequence": 9,
        "happened_at": sale["happened_at"],
        "clock_offset_ms": 0,
        "sale": sale["id"],
        "lines": [{"line": 1, "quantity": 1, "amount": 36_000}],
        "total": 36_000,
        "currency": "SEK",
        "clerk": sale["clerk"],
        "clerk_name": sale["clerk_name"],
    }
    (done,) = await till.send(back)
    assert (done.verdict, [each.code for each in done.objections]) == ("done", [])
    assert await trade.level(cup, trade.at_malmo) == (2, 0)
    assert await trade.level(pot, trade.at_malmo) == (1, 0)
    await trade.follow()
    await trade.sound()
