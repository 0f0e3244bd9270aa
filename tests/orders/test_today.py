"""Today against a week ago: exact while the sums lag, by the clock of each channel, and sums that are those of the orders."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from samlad import orders
from samlad.kernel.clock import day_bounds, local_day, now
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.orders import CancelInput, today
from samlad.stock import pace
from trade import Trade

ZONES = (
    "Europe/Stockholm",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "UTC",
)


@given(
    st.integers(946_684_800, 2_114_380_800).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.sampled_from(ZONES),
)
def test_the_same_weekday_until_the_same_time(moment: datetime, name: str) -> None:
    zone, day = ZoneInfo(name), today.day_of(new_id(), name, moment)
    assert day.begins <= moment < day.ends
    assert day.then_begins <= day.cut <= day.then_ends
    assert local_day(day.then_begins, name) == local_day(moment, name) - timedelta(days=7)
    clocks = [one.astimezone(zone).replace(tzinfo=None) for one in (day.cut, moment)]
    # Only where a changed clock has left the hour out does it lie elsewhere.
    assert abs(clocks[1] - timedelta(days=7) - clocks[0]) <= timedelta(hours=1)
    for edge in (day.begins, day.ends, day.then_begins, day.then_ends):
        assert (edge.minute % 15, edge.second) == (0, 0)  # a quarter lies in one day


async def _sums(trade: Trade, moment: datetime | None = None) -> dict[str, list[int]]:
    """Orders, revenue and items by part, of the webshop, in one statement."""
    day = today.day_of(trade.web.id, trade.web.time_zone, moment or now())

    async def work(tx):
        found = await today.sold(tx, [day])
        assert tx.statements == 1
        return found

    sums = {"today": [0, 0, 0], "then": [0, 0, 0], "cut": [0, 0, 0]}
    for row in await trade.db.transaction(work):
        assert (row.channel, row.currency) == (trade.web.id, "SEK")
        sums[row.part] = [
            a + b for a, b in zip(sums[row.part], (row.orders, row.revenue, row.items), strict=True)
        ]
    return sums


async def _move(trade: Trade, order, to: datetime) -> None:
    """As if it had been placed at another time, before it was counted."""
    await trade.db.rows(
        "UPDATE orders SET placed_at = $2, local_day = $3 WHERE id = $1 RETURNING 1",
        order.id,
        to,
        local_day(to, trade.web.time_zone),
    )


async def test_what_was_sold_is_exact_before_and_after_it_is_summed(trade: Trade) -> None:
    kettle = await trade.kettle(10_000)
    begins, _ = day_bounds(local_day(now(), trade.web.time_zone), trade.web.time_zone)
    noon = begins + timedelta(hours=12, minutes=7)
    placed = [await trade.buy((kettle, 1)) for _ in range(4)]
    for order, at in zip(
        placed,
        (
            noon,
            noon - timedelta(days=7),
            noon - timedelta(days=7, minutes=3),
            noon + timedelta(days=-7, hours=2),
        ),
        strict=True,
    ):
        await _move(trade, order, at)
    one = placed[0].total
    for _ in range(2):  # not counted yet, and counted
        found = await _sums(trade, noon)
        assert found["today"] == [1, one, 1]
        assert found["then"] == [3, 3 * one, 3]
        assert found["cut"] == [1, one, 1]  # 12:04 is before the cut, 12:07 is not
        await trade.follow()
    await trade.sound()
    await trade.db.transaction(lambda tx: orders.cancel(tx, placed[0].id, CancelInput()))
    for _ in range(2):  # still counted, and taken out
        assert (await _sums(trade, noon))["today"] == [0, 0, 0]
        await trade.follow()
    await trade.sound()
    assert await today.sold(trade.db, []) == []


async def test_what_needs_a_hand_is_counted_in_one_statement(trade: Trade) -> None:
    kettle = await trade.kettle(10_000)
    await trade.buy((kettle, 1))
    late = await trade.buy((kettle, 1), pay_later=True)
    await trade.db.rows(
        "UPDATE fulfilment SET due_at = now() - interval '1 hour' WHERE order_id = $1 RETURNING 1", late.id
    )

    async def work(tx):
        found = await today.waiting(tx, None)
        assert tx.statements == 1
        return found

    found = await trade.db.transaction(work)
    assert (found.to_give, found.unpaid, found.late, found.returns) == (2, 1, 1, 0)
    elsewhere = await today.waiting(trade.db, [trade.at_lund.id])
    assert (elsewhere.to_give, elsewhere.unpaid, elsewhere.late) == (0, 0, 0)
    assert set(await today.last_sales(trade.db, [trade.web.id, trade.lund.id])) == {trade.web.id}


async def test_stock_lasts_as_long_as_it_sold(trade: Trade) -> None:
    kettle, still = await trade.kettle(10_000, 10), await trade.kettle(10_000, 10)
    order = await trade.buy((kettle, 4))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    assert await pace.refresh(trade.db) == 1
    assert await pace.refresh(trade.db) == 0  # twice is once
    rows = (await pace.RUNNING_OUT.page(trade.db, ListQuery(filters={"days": "60"}))).items
    assert [(row.variant, row.sold, row.available, row.days) for row in rows] == [(kettle, 4, 6, 42)]
    assert (await pace.RUNNING_OUT.page(trade.db, ListQuery(filters={"days": "14"}))).items == []
    again = await trade.buy((kettle, 5))  # what is held is not free any more, at once
    rows = (await pace.RUNNING_OUT.page(trade.db, ListQuery())).items
    assert [(row.available, row.days) for row in rows] == [(1, 7)]
    assert still not in {row.variant for row in rows}
    await trade.db.transaction(
        lambda tx: orders.take_back(tx, order.id, orders.ReturnInput(location=trade.warehouse.id))
    )
    assert await pace.refresh(trade.db) == 1  # all of it came back: nothing sells
    assert (await pace.RUNNING_OUT.page(trade.db, ListQuery())).items == []
    assert again.number
