"""What follows from what somebody did."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from samlad.profile import rules

moments = st.integers(10**9, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(moments, st.timedeltas(timedelta(-400), timedelta(4000)))
def test_days_since_are_whole_and_never_less_than_none(moment: datetime, passed: timedelta) -> None:
    days = rules.days_since(moment, moment + passed)
    assert days >= 0
    if passed >= timedelta(0):
        assert timedelta(days) <= passed < timedelta(days + 1)


@given(moments, st.integers(1, 400), st.integers(0, 50))
def test_the_interval_times_the_gaps_is_the_time(first: datetime, days: int, orders: int) -> None:
    interval = rules.interval_days(first, first + timedelta(days), orders)
    assert (interval is None) == (orders < 2)
    if interval is not None:
        assert abs(interval * (orders - 1) - days) <= 0.05 * (orders - 1) + 1e-9


@given(st.integers(-5, 500), st.integers(-5, 500))
def test_a_share_is_between_none_and_all(part: int, whole: int) -> None:
    found = rules.share(part, whole)
    assert (found is None) == (whole <= 0)
    assert found is None or (0 <= found <= 1 and (found == 0) >= (part <= 0))
