"""Slots without a database: which of which day are still possible, and what a method may say of them."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from methods import hours, method, site

from samlad.delivery import Method
from samlad.delivery.calendar import works
from samlad.delivery.model import MethodKind, Slot
from samlad.delivery.promise import SLOT_DAYS, OpenSlot, Site, bring, pick_by, ready, slots
from samlad.delivery.rules import slot_errors
from samlad.delivery.texts import promise_words
from samlad.delivery.worktime import Hours, local_day

STOCKHOLM = "Europe/Stockholm"


def at(text: str, zone: str = STOCKHOLM) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def bike(*times: str, **values: Any) -> Method:
    """A same-day method with slots, as "16:00-18:00", all days."""
    given = [dict(zip(("start", "end"), span.split("-"), strict=True)) for span in times]
    calendar = {"weekdays": [1, 2, 3, 4, 5, 6, 7]}
    return method("same_day", **{"slots": given, "calendar": calendar, "pick_minutes": 60, **values})


def first(place: Site, by: Method, moment: datetime) -> OpenSlot | None:
    ready_at = ready(place, by, moment)
    return None if ready_at is None else next(slots(place, by, ready_at), None)


@pytest.mark.parametrize(
    ("ordered", "slot"),
    [
        ("2026-11-25T12:00", "2026-11-25T16:00"),
        ("2026-11-25T15:00", "2026-11-25T16:00"),  # picked just in time
        ("2026-11-25T15:01", "2026-11-25T18:30"),
        ("2026-11-25T17:30", "2026-11-26T16:00"),  # half an hour's work is left for the morning
        ("2026-11-28T12:00", "2026-11-30T16:00"),  # nobody is there at four on a Saturday, nor on Sunday
        ("2026-12-23T17:30", "2026-12-25T16:00"),  # Christmas Eve is an exception
    ],
)
def test_the_first_slot_is_the_one_that_goods_are_ready_for(ordered: str, slot: str) -> None:
    place = site(open_hours=hours())
    by = bike("18:30-20:30", "16:00-18:00", calendar={"weekdays": [1, 2, 3, 4, 5]})
    found = first(place, by, at(ordered))
    assert found is not None
    assert found.key == slot


def test_the_cut_off_the_carrier_and_the_holidays_of_the_place_end_a_day() -> None:
    place, by = site(open_hours=hours()), bike("16:00-18:00", cut_off="12:00")
    late = first(place, by, at("2026-11-25T12:00"))
    assert late is not None
    assert late.day == date(2026, 11, 26)
    free = site(work=Hours(STOCKHOLM, hours(), "SE"))
    christmas = first(free, bike("16:00-18:00"), at("2026-12-24T12:00"))
    assert christmas is not None
    assert christmas.day == date(2026, 12, 28), "Friday is a holiday; at the weekend nobody is there at four"
    shut = first(place, bike("16:00-18:00", calendar={"closed": ["2026-11-25"]}), at("2026-11-25T10:00"))
    assert shut is not None
    assert shut.day == date(2026, 11, 26)
    assert first(place, bike("08:00-09:00"), at("2026-11-25T10:00")) is None, "before anybody is there"


def test_clocks_that_change_make_slots_shorter_longer_or_none() -> None:
    place, by = site(), bike("01:30-02:30", "02:30-03:30", pick_minutes=0)
    spring = [each for each in slots(place, by, at("2026-03-29T00:00")) if each.day == date(2026, 3, 29)]
    assert [(each.slot.start, each.until - each.since) for each in spring] == [
        ("01:30", timedelta(minutes=30)),
        ("02:30", timedelta(minutes=30)),
    ]
    none = bike("02:10-02:50", pick_minutes=0)
    found = first(place, none, at("2026-03-29T00:00"))
    assert found is not None
    assert found.day == date(2026, 3, 30), "there is no such time that night"
    autumn = next(slots(place, by, at("2026-10-25T00:00")))
    assert autumn.until - autumn.since == timedelta(hours=1)


def test_a_slot_is_said_with_its_hours_and_picked_before_it_is_packed() -> None:
    place, moment = site(open_hours=hours()), at("2026-11-25T12:00")
    by = bike("16:00-18:00", pack_minutes=20)
    window = bring(place, by, by.zones[0], moment)
    assert window is not None

    def words(locale: str, country: str = "SE", now: datetime | None = moment) -> str:
        return promise_words(
            MethodKind.SAME_DAY, "Bike", window, place="Södermalm", time_zone=STOCKHOLM, moment=now,
            locale=locale, country=country,
        )  # fmt: skip

    assert words("en") == "Today 16:00–18:00 by Bike"
    assert words("en", "US", None) == "Wed 25 Nov 4:00\u202fPM–6:00\u202fPM by Bike"
    assert words("sv-SE") == "I dag 16:00–18:00 med Bike"
    assert words("nl") == "Vandaag 16:00–18:00 per Bike"
    assert window.since is not None
    assert pick_by(place, by, window.since) == at("2026-11-25T15:40")
    assert pick_by(site(pack_minutes=5), by, window.since) == at("2026-11-25T15:55")


ZONES = st.sampled_from(
    ["Europe/Stockholm", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
)
MOMENTS = st.integers(0, 60 * 24 * 365 * 20).map(
    lambda n: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
)
CLOCKS = st.integers(0, 24 * 4 - 1).map(lambda n: f"{n // 4:02d}:{n % 4 * 15:02d}")


@st.composite
def ways(draw: Any) -> Method:
    """A method whose slots do not overlap."""
    times = sorted(draw(st.sets(CLOCKS, min_size=2, max_size=8)))
    spans = [f"{a}-{b}" for a, b in zip(times[::2], times[1::2], strict=False)]
    return bike(
        *draw(st.permutations(spans)),
        cut_off=draw(st.none() | CLOCKS),
        pick_minutes=draw(st.integers(0, 600)),
        pack_minutes=draw(st.integers(0, 120)),
        calendar={"weekdays": sorted(draw(st.sets(st.integers(1, 7), min_size=1)))},
    )


@settings(max_examples=150)
@given(ways(), ZONES, MOMENTS, st.integers(0, 5_000), st.booleans())
def test_a_slot_is_never_past_never_where_nobody_is_and_never_earlier_for_who_orders_later(
    by: Method, zone: str, moment: datetime, later: int, always: bool
) -> None:
    place = site(zone, None if always else hours())
    assert slot_errors(by.kind, by.slots) == []
    ready_at = ready(place, by, moment)
    assert ready_at is not None
    found = list(slots(place, by, ready_at))
    for each in found:
        assert moment <= ready_at <= each.since < each.until
        assert each.day == local_day(each.since, zone)
        assert each.since.astimezone(ZoneInfo(zone)).strftime("%H:%M") >= each.slot.start
        assert works(by.calendar, each.day)
        assert each.day < local_day(ready_at, zone) + timedelta(days=SLOT_DAYS)
    assert all(one.until <= other.since for one, other in pairwise(found))
    assert len({each.key for each in found}) == len(found)
    then = ready(place, by, moment + timedelta(minutes=later))
    assert then is not None
    assert then >= ready_at
    last = local_day(ready_at, zone) + timedelta(days=SLOT_DAYS)
    again = [each for each in slots(place, by, then) if each.day < last]
    assert again == [each for each in found if each.since >= then], "nothing comes back, nothing else goes"


def test_what_slots_cannot_say_is_told_at_the_slot() -> None:
    def told(*spans: tuple[str, str, int | None], kind: MethodKind = MethodKind.SAME_DAY) -> dict[str, str]:
        wanted = [Slot(start=start, end=end, capacity=most) for start, end, most in spans]
        return {error.field: error.message for error in slot_errors(kind, wanted)}

    assert told(("10:00", "12:00", 3), ("12:00", "14:00", None)) == {}
    assert told(("12:00", "12:00", None)) == {"slots/0/end": "12:00 is not after 12:00"}
    assert told(("10:00", "12:00", 0)) == {"slots/0/capacity": "between 1 and 100000 orders"}
    assert told(("11:00", "13:00", 1), ("10:00", "11:30", 1)) == {
        "slots/0/start": "11:00 is before 10:00-11:30 is over"
    }
    assert list(told(("10:00", "12:00", 3), kind=MethodKind.SHIP)) == ["slots"]
