"""The days and prices of repeat orders, for any dates there are."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.subscriptions import rules
from samlad.subscriptions.model import PriceStage, Terms, Unit

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
ZONES = st.sampled_from(["Europe/Stockholm", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "UTC"])


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    unit = draw(st.sampled_from(Unit))
    largest = {Unit.DAY: None, Unit.WEEK: 7, Unit.MONTH: 31}[unit]
    anchor = None if largest is None else draw(st.none() | st.integers(1, largest))
    return Terms(every=draw(st.integers(1, 12)), unit=unit, anchor=anchor)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (date(2026, 1, 31), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        (date(2028, 1, 30), ["2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30", "2028-05-30"]),
        (date(2026, 11, 30), ["2026-11-30", "2026-12-30", "2027-01-30", "2027-02-28", "2027-03-30"]),
    ],
)
def test_the_end_of_a_month_comes_back(start: date, expected: list[str]) -> None:
    monthly = Terms()
    assert [rules.day_of(monthly, start, n).isoformat() for n in range(5)] == expected


@given(plan=terms(), start=DAYS, cycles=st.integers(0, 200))
def test_days_rise_and_keep_their_day(plan: Terms, start: date, cycles: int) -> None:
    first = rules.first_day(plan, start)
    day, following = (rules.day_of(plan, first, n) for n in (cycles, cycles + 1))
    assert start <= first <= day < following
    if plan.unit is Unit.MONTH:
        wanted = plan.anchor or first.day
        assert day.day == min(wanted, monthrange(day.year, day.month)[1])
        assert (day.year * 12 + day.month) - (first.year * 12 + first.month) == cycles * plan.every
    elif plan.unit is Unit.WEEK:
        assert day.isoweekday() == (plan.anchor or first.isoweekday())
        assert (following - day).days == 7 * plan.every
    else:
        assert (following - day).days == plan.every


@given(plan=terms(), start=DAYS)
def test_the_first_day_is_the_earliest_that_fits(plan: Terms, start: date) -> None:
    first = rules.first_day(plan, start)
    if plan.anchor is None:
        assert first == start
    else:
        assert (first - start).days <= (6 if plan.unit is Unit.WEEK else 31)
        assert rules.first_day(plan, first) == first


@given(
    plan=terms(),
    start=DAYS,
    anchor_cycle=st.integers(0, 50),
    ahead=st.integers(0, 30),
    wait=st.integers(0, 4000),
)
def test_the_next_cycle_is_the_first_at_or_after_a_day(
    plan: Terms, start: date, anchor_cycle: int, ahead: int, wait: int
) -> None:
    anchor, from_day = rules.first_day(plan, start), start + timedelta(days=wait)
    cycle, day = rules.next_cycle(plan, anchor, anchor_cycle, anchor_cycle + ahead, from_day)
    assert day == rules.day_of(plan, anchor, cycle - anchor_cycle)
    assert cycle >= anchor_cycle + ahead
    assert day >= from_day
    if cycle > anchor_cycle + ahead:  # the one before would have been too early
        assert rules.day_of(plan, anchor, cycle - 1 - anchor_cycle) < from_day


@given(day=DAYS, hour=st.integers(0, 23), zone=ZONES)
def test_a_day_is_due_from_its_hour_on_until_the_next(day: date, hour: int, zone: str) -> None:
    moment = rules.moment_of(day, hour, zone)
    assert rules.due_day(moment, hour, zone) == day
    assert rules.due_day(moment - timedelta(seconds=1), hour, zone) == day - timedelta(days=1)
    assert (
        rules.due_day(rules.moment_of(day + timedelta(days=1), hour, zone) - timedelta(seconds=1), hour, zone)
        == day
    )
    assert moment.tzinfo is UTC
    local = moment.astimezone(ZoneInfo(zone))
    assert local.date() == day
    assert local.hour in (hour, (hour + 1) % 24)  # the hour that spring leaves out


def test_an_hour_that_does_not_exist_is_the_one_after() -> None:
    moment = rules.moment_of(date(2026, 3, 29), 2, "Europe/Stockholm")
    assert moment == datetime(2026, 3, 29, 1, tzinfo=UTC)


STAGES = st.lists(
    st.builds(PriceStage, from_order=st.integers(1, 20), percent_off=st.none() | st.integers(1, 10_000)),
    max_size=4,
    unique_by=lambda stage: stage.from_order,
)


@given(stages=STAGES, order=st.integers(1, 30), price=st.integers(0, 10**9))
def test_prices_are_never_below_nothing_or_above_the_list(
    stages: list[PriceStage], order: int, price: int
) -> None:
    stages = sorted(stages, key=lambda stage: stage.from_order)
    stage = rules.stage_of(stages, order)
    assert stage is None or stage.from_order <= order
    assert 0 <= rules.price_of(Terms(prices=stages), order, price, "SEK") <= price


def test_stages_of_prices_follow_each_other() -> None:
    plan = Terms(
        prices=[
            PriceStage(percent_off=5000),
            PriceStage(from_order=3, price={"SEK": 9900}),
            PriceStage(from_order=5),
        ]
    )
    assert [rules.price_of(plan, n, 19_900, "SEK") for n in range(1, 7)] == [
        9950,
        9950,
        9900,
        9900,
        19_900,
        19_900,
    ]
    assert rules.price_of(plan, 3, 1_990, "EUR") == 1_990


@given(
    price=st.integers(0, 10**6),
    last=st.none() | st.integers(0, 10**6),
    told=st.none() | st.integers(0, 10**6),
    since=st.integers(-40, 40),
    days=st.integers(0, 30),
)
def test_a_rise_counts_only_when_it_was_told_in_time(
    price: int, last: int | None, told: int | None, since: int, days: int
) -> None:
    today = date(2026, 5, 1)
    told_on = today - timedelta(days=since)
    counts = rules.honoured(price, last, told, told_on, today, days)
    assert counts <= price
    if last is not None and price > last and days:
        in_time = told is not None and since >= days
        assert counts == (min(price, max(told or 0, last)) if in_time else last)
    else:
        assert counts == price


@given(days=st.lists(st.integers(1, 60), max_size=6), attempts=st.integers(1, 8))
def test_tries_come_on_their_days_and_end(days: list[int], attempts: int) -> None:
    failed = datetime(2026, 5, 1, tzinfo=UTC)
    found = rules.retry_after(failed, attempts, days)
    assert found == (failed + timedelta(days=days[attempts - 1]) if attempts <= len(days) else None)


def test_terms_that_cannot_be_are_told_with_their_place() -> None:
    wrong = Terms(
        unit=Unit.WEEK,
        anchor=9,
        cutoff_hours=200,
        prices=[PriceStage(from_order=2, percent_off=1, price={}), PriceStage(from_order=1)],
    )
    assert [error.field for error in rules.terms_errors(wrong)] == [
        "terms/anchor",
        "terms/prices/0/from_order",
        "terms/prices/0",
        "terms/prices/1/from_order",
        "terms/cutoff_hours",
    ]
    assert rules.terms_errors(Terms(unit=Unit.DAY, anchor=1))[0].field == "terms/anchor"
    assert rules.terms_errors(Terms()) == []
