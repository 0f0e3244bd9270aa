"""Sets at a till without network: it knows what is in them, and what it sold is booked as their parts."""

from uuid import uuid4

import pytest
from selling import AT_TILL, Till

from mixed_sets import breakfast, by_rate
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
    parts = {each.variant: (each.tax_class, [price for _, _, price in each.prices]) for each in loaded.parts}
    assert parts == {pot: ("standard", [30_000]), cup: ("standard", [5_000])}
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


MIXED = [
    {"rate": 600, "tax": 849, "total": 15_000},
    {"rate": 2_500, "tax": 2_250, "total": 11_250},
    {"rate": 1_200, "tax": 402, "total": 3_750},
]


async def test_a_mixed_set_is_booked_at_each_rate_as_the_receipt_says(trade: Trade) -> None:
    box, jam, book, bowl = await breakfast(trade, at=trade.at_malmo)
    till = Till(trade)
    sale = till.sale((box, 1), price=30_000)
    sale["lines"][0] |= {"tax_rate": 600, "tax": 3_501, "taxes": MIXED}
    (verdict,) = await till.send(sale)
    assert (verdict.verdict, verdict.objections) == ("recorded", [])
    assert verdict.order is not None
    order = await orders.read(trade.db, verdict.order)
    assert by_rate(order) == {1_200: (3_750, 402), 600: (15_000, 849), 2_500: (11_250, 2_250)}
    assert {line.variant for line in order.lines} == {jam, book, bowl}
    assert (order.total, order.tax) == (30_000, 3_501)
    await trade.follow()
    await trade.sound()


@pytest.mark.parametrize(
    ("taxes", "there", "borne", "wanted"),
    [
        # One rate was told: of a till from before, or whose pack is old. So it was on the receipt.
        ([], "2500", 6_000, {2_500: (30_000, 6_000)}),
        # Rates that the parts do not have (any more): they are taxed as they are, within what was paid.
        (
            [{"rate": 600, "tax": 1_132, "total": 20_000}, {"rate": 2_100, "tax": 1_736, "total": 10_000}],
            "2100 + 600",
            2_868,
            {1_200: (3_750, 402), 600: (15_000, 849), 2_500: (11_250, 2_250)},
        ),
    ],
)
async def test_other_rates_than_ours_are_told_and_nothing_is_lost(
    trade: Trade,
    taxes: list[dict[str, int]],
    there: str,
    borne: int,
    wanted: dict[int, tuple[int, int]],
) -> None:
    box, *_ = await breakfast(trade, at=trade.at_malmo)
    till = Till(trade)
    sale = till.sale((box, 1), price=30_000)
    sale["lines"][0] |= {"tax_rate": 2_500, "tax": borne, "taxes": taxes}
    (verdict,) = await till.send(sale)
    assert verdict.order is not None
    assert [(each.code, each.here, each.there) for each in verdict.objections] == [
        ("tax", "2500 + 1200 + 600", there)
    ]
    order = await orders.read(trade.db, verdict.order)
    assert by_rate(order) == wanted
    assert order.total == 30_000
    await trade.follow()
    await trade.sound()


async def test_sums_of_rates_that_are_not_the_lines_are_told(trade: Trade) -> None:
    box, *_ = await breakfast(trade, at=trade.at_malmo)
    till = Till(trade)
    sale = till.sale((box, 1), price=30_000)
    sale["lines"][0] |= {"tax_rate": 600, "tax": 3_501, "taxes": [*MIXED[:2], MIXED[2] | {"total": 3_749}]}
    (verdict,) = await till.send(sale)
    assert verdict.order is not None
    assert [each.code for each in verdict.objections] == ["sums"]
    order = await orders.read(trade.db, verdict.order)
    assert (order.total, set(by_rate(order))) == (30_000, {600, 1_200, 2_500})
