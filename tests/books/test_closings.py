"""Days: closed once, locked, reopened with a reason."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest
from bookkeeping import held, settled
from test_tills import closed, opened, ring_up

from samlad import books, orders
from samlad.books import CloseDayInput, DayClosing, DayState, ReopenInput
from samlad.books.model import RateDay, TenderDay
from samlad.kernel.clock import local_day, now
from samlad.kernel.problems import InvalidInput
from samlad.orders import ReturnInput
from trade import Trade


async def close(trade: Trade, place: UUID, day: date | None = None, **totals: int) -> DayClosing:
    data = CloseDayInput(place=place, day=day or local_day(now(), "Europe/Stockholm"), provider_totals=totals)
    return await trade.db.transaction(lambda tx: books.close_day(tx, data))


async def test_a_store_closes_its_day(trade: Trade) -> None:
    kettle = await trade.kettle(price=20_000, at=trade.at_malmo)
    shift = await opened(trade, 0)
    await ring_up(trade, kettle)
    await ring_up(trade, kettle, "test")
    sold = await ring_up(trade, kettle, "test")
    await trade.db.transaction(lambda tx: orders.take_back(tx, sold.id, ReturnInput()))
    with pytest.raises(DayState, match="Count these drawers first: 1"):
        await close(trade, trade.at_malmo.id)
    await closed(trade, shift, 19_900)
    with pytest.raises(DayState, match="still to be booked"):
        await close(trade, trade.at_malmo.id)
    await trade.follow()
    done = await close(trade, trade.at_malmo.id, test=20_500)
    report = done.report
    assert (report.sold, report.returned, report.cash_difference) == (60_000, 20_000, -100)
    assert report.tenders == [
        TenderDay(tender="cash", taken=20_000, given_back=0),
        TenderDay(tender="test", taken=40_000, given_back=20_000, counted=20_500, difference=500),
    ]
    assert report.rates == [RateDay(tax_rate=2500, net=32_000, tax=8_000)]
    assert report.shifts == [shift.shift.id]
    found = await held(trade.db)
    assert (found["clearing:test"], found["till_difference"]) == (20_500, 100 - 500)


async def test_what_comes_after_is_booked_on_the_next_open_day_until_it_is_reopened(trade: Trade) -> None:
    kettle = await trade.kettle(price=20_000)
    await trade.buy((kettle, 1))
    await trade.follow()
    today = local_day(now(), "Europe/Stockholm")
    done = await close(trade, trade.web.id, test=20_000)
    await trade.buy((kettle, 1))
    await settled(trade)
    rows = await trade.db.rows("SELECT day, fact_day FROM voucher WHERE kind = 'order' ORDER BY number")
    assert [(row["day"] - row["fact_day"]).days for row in rows] == [0, 1]
    await trade.db.transaction(lambda tx: books.reopen_day(tx, done.id, ReopenInput(reason="Too early")))
    await trade.buy((kettle, 1))
    await settled(trade)
    days = [
        row["day"]
        for row in await trade.db.rows("SELECT day FROM voucher WHERE kind = 'order' ORDER BY number")
    ]
    assert days[2] == days[0] == today
    assert (await close(trade, trade.web.id)).status == "closed"


async def test_a_day_is_closed_and_reopened_once(trade: Trade) -> None:
    kettle = await trade.kettle(price=20_000)
    await trade.buy((kettle, 1))
    await trade.follow()
    tries = await asyncio.gather(
        *(close(trade, trade.web.id, test=20_100) for _ in range(4)), return_exceptions=True
    )
    (done,) = [one for one in tries if isinstance(one, DayClosing)]
    assert sum(isinstance(one, DayState) for one in tries) == 3
    assert (await held(trade.db))["till_difference"] == -100
    why = ReopenInput(reason="Forgot one")
    tries = await asyncio.gather(
        *(trade.db.transaction(lambda tx: books.reopen_day(tx, done.id, why)) for _ in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, DayState) for one in tries) == 2
    assert "till_difference" not in await held(trade.db)
    audited = await trade.db.value("SELECT count(*) FROM audit_entry WHERE verb = 'day.reopened'")
    assert audited == 1


async def test_what_is_wrong_is_said(trade: Trade) -> None:
    with pytest.raises(DayState, match="not come yet"):
        await close(trade, trade.web.id, local_day(now(), "Europe/Stockholm") + timedelta(days=2))
    with pytest.raises(InvalidInput, match="only of providers"):
        await close(trade, trade.web.id, cash=1)
    with pytest.raises(InvalidInput, match="neither"):
        await close(trade, trade.web.pools["stock"])  # type: ignore[index]
