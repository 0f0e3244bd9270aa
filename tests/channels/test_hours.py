"""Opening hours on the local clock, through every change of that clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from samlad.channels import ExceptionalDay, Interval, OpeningHours
from samlad.channels.hours import _moment, first_open, is_within

# ruff: noqa: DTZ001 - wall-clock times are what this is about

ZONES = st.sampled_from(sorted(available_timezones()))
WALL = st.datetimes(datetime(1975, 1, 1), datetime(2037, 12, 31)).map(
    lambda d: d.replace(second=0, microsecond=0)
)
MOMENTS = WALL.map(lambda d: d.replace(tzinfo=UTC))
CLOCKS = st.integers(0, 24 * 60 - 1).map(lambda m: f"{m // 60:02}:{m % 60:02}")
DAYS = st.lists(st.builds(Interval, CLOCKS, CLOCKS), max_size=3)
WEEKS = st.lists(DAYS, min_size=7, max_size=7).map(OpeningHours)

STORE = OpeningHours(
    [[Interval("10:00", "13:00"), Interval("14:00", "18:00")]] * 5 + [[Interval("18:00", "02:00")], []],
    [
        ExceptionalDay(date(2026, 12, 24), [Interval("10:00", "12:00")], "Christmas Eve"),
        ExceptionalDay(date(2026, 12, 25)),
        ExceptionalDay(date(2026, 12, 28)),
    ],
)


def at(text: str, zone: str = "Europe/Stockholm") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23T09:59:59", False),
        ("2026-11-23T10:00", True),
        ("2026-11-23T13:00", False),  # lunch; the closing moment is closed
        ("2026-11-23T14:00", True),
        ("2026-11-28T23:30", True),  # Saturday evening
        ("2026-11-29T01:59", True),  # goes on past midnight into a closed Sunday
        ("2026-11-29T02:00", False),
        ("2026-12-24T11:59", True),
        ("2026-12-24T14:30", False),  # the exception, not the Thursday
        ("2026-12-25T11:00", False),
    ],
)
def test_days_lunch_past_midnight_and_exceptions(moment: str, expected: bool) -> None:
    assert is_within(STORE, "Europe/Stockholm", at(moment)) is expected


def test_next_opening_jumps_over_closed_days() -> None:
    zone = "Europe/Stockholm"
    assert first_open(STORE, zone, at("2026-12-24T12:00")) == at("2026-12-26T18:00")
    assert first_open(STORE, zone, at("2026-12-27T02:00")) == at("2026-12-29T10:00")
    inside = at("2026-12-24T11:00")
    assert first_open(STORE, zone, inside) == inside


def test_never_open_has_no_next_opening() -> None:
    closed = OpeningHours([[] for _ in range(7)])
    assert first_open(closed, "UTC", at("2026-01-01T00:00", "UTC")) is None


def test_round_the_clock_and_until_midnight() -> None:
    always = OpeningHours([[Interval("00:00", "00:00")]] * 7)
    evening = OpeningHours([[Interval("12:00", "24:00")]] * 7)
    for hour in range(24):
        moment = datetime(2026, 3, 29, hour, 59, tzinfo=UTC)
        assert is_within(always, "Europe/Stockholm", moment)
        assert is_within(evening, "UTC", moment) is (hour >= 12)


def test_spring_and_autumn_in_stockholm() -> None:
    night = OpeningHours([[Interval("02:30", "03:30")]] * 7)
    # 2026-03-29 02:00 jumps to 03:00: 02:30 does not exist, the doors open when the gap ends.
    assert first_open(night, "Europe/Stockholm", datetime(2026, 3, 28, 23, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, 0, tzinfo=UTC
    )
    # 2026-10-25 03:00 falls back to 02:00: 02:30 comes twice, the doors open at the first.
    assert first_open(night, "Europe/Stockholm", datetime(2026, 10, 24, 23, tzinfo=UTC)) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )
    assert not is_within(night, "Europe/Stockholm", datetime(2026, 10, 25, 2, 30, tzinfo=UTC))


@given(WALL, ZONES)
@example(datetime(2011, 12, 30, 12), "Pacific/Apia")  # the day that Samoa skipped
@example(datetime(2026, 4, 5, 1, 45), "Australia/Lord_Howe")  # a change of half an hour
@example(datetime(2026, 3, 29, 2, 30), "Europe/Stockholm")
def test_a_wall_time_is_the_first_moment_at_which_the_clock_shows_it_or_later(
    wall: datetime, zone: str
) -> None:
    moment = _moment(wall, ZoneInfo(zone))

    def clock(instant: datetime) -> datetime:
        return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    assert clock(moment) >= wall
    assert clock(moment - timedelta(seconds=1)) < wall


@given(WALL, st.integers(0, 3000), ZONES)
def test_later_wall_times_are_never_earlier_moments(wall: datetime, minutes: int, zone: str) -> None:
    zone_info = ZoneInfo(zone)
    assert _moment(wall, zone_info) <= _moment(wall + timedelta(minutes=minutes), zone_info)


@given(WEEKS, MOMENTS, ZONES)
def test_without_a_change_of_the_clock_it_is_plain_arithmetic_of_the_week(
    hours: OpeningHours, moment: datetime, zone: str
) -> None:
    zone_info = ZoneInfo(zone)
    offsets = {(moment + timedelta(hours=h)).astimezone(zone_info).utcoffset() for h in range(-60, 61, 6)}
    assume(len(offsets) == 1)
    local = moment.astimezone(zone_info)
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute

    def covers(weekday: int, interval: Interval) -> bool:
        opens, closes = (int(t[:2]) * 60 + int(t[3:]) for t in (interval.opens, interval.closes))
        length = (closes - opens) % 1440 or 1440
        return (minute - weekday * 1440 - opens) % (7 * 1440) < length

    expected = any(covers(weekday, each) for weekday, day in enumerate(hours.weekly) for each in day)
    assert is_within(hours, zone, moment) is expected


@given(WEEKS, MOMENTS, ZONES, st.floats(0, 1, exclude_max=True))
def test_the_next_opening_is_open_and_nothing_before_it_is(
    hours: OpeningHours, moment: datetime, zone: str, between: float
) -> None:
    found = first_open(hours, zone, moment)
    if found is None:
        assert not any(hours.weekly) or not any(
            is_within(hours, zone, moment + timedelta(minutes=m)) for m in range(0, 8 * 1440, 7)
        )
        return
    assert found >= moment
    assert is_within(hours, zone, found)
    if found > moment:
        just_before = found - timedelta(microseconds=1)  # a product may round up to the opening itself
        assert not is_within(hours, zone, min(moment + (found - moment) * between, just_before))
        assert not is_within(hours, zone, found - timedelta(seconds=1))
