"""When goods can be had, without a database: by the clock of the place, never in the past, never earlier for later orders."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from methods import OFFICE, hours, method, site

from samlad.channels import OpeningHours
from samlad.channels.hours import is_within
from samlad.delivery.calendar import public_holidays, working_day
from samlad.delivery.model import Calendar, Destination, MethodKind, Zone
from samlad.delivery.promise import (
    Incoming,
    Site,
    Supply,
    Window,
    between_km,
    bring,
    collect,
    latest,
    nearness,
    sources,
    there,
)
from samlad.delivery.texts import promise_words
from samlad.delivery.worktime import Hours, closing, finish

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def at(text: str, zone: ZoneInfo = STOCKHOLM) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def words(kind: str, window: Window | None, moment: datetime, locale: str = "en", country: str = "SE") -> str:
    assert window is not None
    return promise_words(
        MethodKind(kind), kind.title(), window, place="Södermalm", time_zone="Europe/Stockholm", moment=moment,
        locale=locale, country=country,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ordered", "promised"),
    [
        ("2026-11-25T12:00", "Today before 18:00 at Södermalm"),
        ("2026-11-25T16:59", "Today before 18:00 at Södermalm"),
        (
            "2026-11-25T17:01",
            "Tomorrow before 18:00 at Södermalm",
        ),  # an hour's work goes on in the morning
        ("2026-11-28T14:30", "Mon 30 Nov before 18:00 at Södermalm"),  # Saturday, closed on Sunday
        ("2026-12-23T17:30", "Fri 25 Dec before 18:00 at Södermalm"),  # Christmas Eve is an exception
    ],
)
def test_pick_up_is_ready_within_hours(ordered: str, promised: str) -> None:
    store, moment = site(open_hours=hours()), at(ordered)
    window = collect(store, method("pickup"), moment)
    assert words("pickup", window, moment) == promised


def test_pick_up_after_the_cut_off_is_begun_tomorrow() -> None:
    store, early = site(open_hours=hours()), method("pickup", cut_off="15:00")
    before, after = at("2026-11-25T14:59"), at("2026-11-25T15:00")
    assert collect(store, early, before) == Window(
        date(2026, 11, 25), date(2026, 11, 25), at("2026-11-25T15:59"), at("2026-11-25T18:00")
    )
    later = collect(store, early, after)
    assert later is not None
    assert later.ready_at == at("2026-11-26T11:00")


def test_a_full_day_is_left_out_and_a_place_without_capacity_promises_nothing() -> None:
    store, moment = site(open_hours=hours(), capacity=3), at("2026-11-25T12:00")
    full = frozenset({date(2026, 11, 25), date(2026, 11, 26)})
    window = collect(store, method("pickup"), moment, full)
    assert window is not None
    assert window.first_day == date(2026, 11, 27)
    assert collect(site(open_hours=hours(), capacity=0), method("pickup"), moment) is None


def test_shipping_counts_working_days_of_the_carrier() -> None:
    place = site(open_hours=hours())
    holidays = {"holidays": "SE"}
    sent = method(calendar=holidays, cut_off="16:00")
    fast = Zone(transit_min=1, transit_max=1)
    moment = at("2026-11-25T12:00")  # a Wednesday
    assert words("ship", bring(place, sent, fast, moment), moment) == "Tomorrow by Ship"
    late = bring(place, sent, fast, at("2026-11-25T16:30"))
    assert late is not None
    assert late.first_day == date(2026, 11, 27)
    weekend = bring(place, sent, Zone(transit_min=1, transit_max=2), at("2026-11-27T12:00"))
    assert weekend is not None
    assert (weekend.first_day, weekend.last_day) == (
        date(2026, 11, 30),
        date(2026, 12, 1),
    )
    christmas = bring(place, sent, fast, at("2026-12-24T12:00"))
    assert christmas is not None
    assert {date(2026, 12, 25), date(2026, 12, 26)} <= public_holidays("SE", None, 2026)
    assert christmas.first_day == date(2026, 12, 29), "packed on Friday, a holiday; it leaves on Monday"


def test_same_day_ends_with_the_tour() -> None:
    place, tour = site(open_hours=hours()), method("same_day", until="21:00", pick_minutes=15)
    noon, night = at("2026-11-25T12:00"), at("2026-11-25T22:00")
    zone = tour.zones[0]
    assert words("same_day", bring(place, tour, zone, noon), noon) == "Today before 21:00 by Same_Day"
    later = bring(place, tour, zone, night)
    assert later is not None
    assert later.first_day == date(2026, 11, 26)


def test_words_in_other_languages() -> None:
    store, moment = site(open_hours=hours()), at("2026-11-25T12:00")
    window = collect(store, method("pickup"), moment)
    assert words("pickup", window, moment, "sv-SE") == "I dag före 18:00 i Södermalm"
    assert words("pickup", window, moment, "en", "US") == "Today before 6:00\u202fPM at Södermalm"
    assert words("pickup", window, moment, "nl") == "Vandaag vóór 18:00 bij Södermalm"
    assert words("pickup", window, moment, "de") == "Today before 18:00 at Södermalm", "the clock is theirs"


def test_incoming_goods_are_promised_from_the_day_they_are_expected() -> None:
    moment, zone = at("2026-11-25T12:00"), "Europe/Stockholm"
    coming = (Incoming(5, date(2026, 12, 1)), Incoming(5, date(2026, 11, 27)))
    assert there(Supply(3), 3, moment, zone) == moment
    assert there(Supply(3, 10, coming), 8, moment, zone) == at("2026-11-27T00:00")
    assert there(Supply(3, 10, coming), 9, moment, zone) == at("2026-12-01T00:00")
    assert there(Supply(3, 10), 4, moment, zone) is None
    assert there(Supply(3, 0, coming), 4, moment, zone) is None  # it may not be sold before it is there
    overdue = (Incoming(5, date(2026, 11, 20)),)
    assert there(Supply(0, 5, overdue), 1, moment, zone) == at("2026-11-26T00:00")


def test_sources_are_those_of_placement() -> None:
    kettle, moment = UUID(int=9), at("2026-11-25T12:00")
    near, far = site(), site(id=UUID(int=3), code="far")
    wanted = {kettle: 3}
    both = {near.id: {kettle: Supply(2)}, far.id: {kettle: Supply(5)}}
    assert sources([near, far], both, wanted, moment) == [(far, moment)]
    split = {near.id: {kettle: Supply(2)}, far.id: {kettle: Supply(1)}}
    assert sources([near, far], split, wanted, moment) == [(near, moment), (far, moment)]
    ahead = {near.id: {kettle: Supply(2, 5)}, far.id: {kettle: Supply(1)}}
    assert (
        sources([near, far], ahead, wanted, moment) is None
    )  # placement takes it there, and no day is known
    assert sources([near, far], {}, wanted, moment) is None


def test_what_comes_in_parts_is_there_with_the_last() -> None:
    one = Window(date(2026, 11, 26), date(2026, 11, 27), at("2026-11-25T12:00"))
    two = Window(date(2026, 11, 27), date(2026, 11, 30), at("2026-11-25T11:00"))
    assert latest([one, two]) == Window(date(2026, 11, 27), date(2026, 11, 30), at("2026-11-25T12:00"))
    assert latest([one, None]) is None


def test_nearest_by_coordinates_else_by_postal_code() -> None:
    malmo = site(code="malmo", postal_code="211 34", latitude=55.6, longitude=13.0)
    lund = site(code="lund", postal_code="222 22", latitude=55.7, longitude=13.19)
    kiruna = site(code="kiruna", postal_code="981 31", latitude=None, longitude=None)
    stores = [kiruna, lund, malmo]

    def order(to: Destination) -> list[str]:
        return [store.code for store in sorted(stores, key=lambda store: nearness(store, to))]

    assert order(Destination(latitude=55.71, longitude=13.2)) == ["lund", "malmo", "kiruna"]
    assert order(Destination(country="SE", postal_code="21120")) == ["malmo", "lund", "kiruna"]
    assert order(Destination(country="SE", postal_code="98000")) == ["kiruna", "lund", "malmo"]
    assert between_km((55.6, 13.0), (59.33, 18.06)) == pytest.approx(513, abs=5)
    assert between_km((0, 0), (0, 180)) == pytest.approx(20015, abs=1)


def test_work_goes_on_over_the_hour_that_comes_twice() -> None:
    nights = hours({"weekly": [[{"opens": "22:00", "closes": "06:00"}]] * 7, "exceptions": []})
    place = Hours("Europe/Stockholm", nights)
    autumn = at("2026-10-24T22:00")  # the night of 25 October has nine hours
    assert finish(place, autumn, 8 * 60) == at("2026-10-25T05:00")
    assert closing(place, autumn) == at("2026-10-25T06:00")
    spring = at("2026-03-28T22:00")  # the night of 29 March has seven
    assert finish(place, spring, 7 * 60) == at("2026-03-29T06:00")
    assert finish(place, spring, 7 * 60 + 1) == at("2026-03-29T22:01")


def test_always_open_and_never_open() -> None:
    moment = at("2026-11-25T12:00")
    round_the_clock = hours({"weekly": [[{"opens": "00:00", "closes": "24:00"}]] * 7, "exceptions": []})
    assert finish(Hours("UTC", round_the_clock), moment, 60 * 48) == moment + timedelta(hours=48)
    assert closing(Hours("UTC", round_the_clock), moment) is None
    never = hours({"weekly": [[]] * 7, "exceptions": []})
    assert finish(Hours("UTC", never), moment) is None
    assert collect(site(open_hours=never), method("pickup"), moment) is None
    holiday = finish(Hours("Europe/Stockholm", None, "SE"), at("2026-12-25T08:00"))
    assert holiday == at("2026-12-27T00:00")


# -- what always holds ----------------------------------------------------------------------------------------------------

CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30]))
SPANS = st.lists(st.builds(lambda a, b: {"opens": a, "closes": b}, CLOCKS, CLOCKS), max_size=2)
HOURS = st.builds(
    lambda weekly, closed: {
        "weekly": weekly,
        "exceptions": [{"date": day.isoformat(), "intervals": []} for day in sorted(closed)],
    },
    st.lists(SPANS, min_size=7, max_size=7),
    st.sets(st.dates(date(2026, 3, 20), date(2026, 4, 10)), max_size=3),
)
ZONES = st.sampled_from(
    [
        "Europe/Stockholm",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "America/St_Johns",
        "UTC",
    ]
)
MOMENTS = st.one_of(
    [
        st.integers(int(at(first).timestamp()), int(at(last).timestamp()))
        for first, last in (
            ("2026-03-06T00:00", "2026-04-08T00:00"),
            ("2026-10-20T00:00", "2026-11-05T00:00"),
        )
    ]
).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""Clocks change in these weeks, in both hemispheres."""


@st.composite
def questions(draw: st.DrawFn) -> tuple[Site, Any, Zone, frozenset[date], dict[str, Any]]:
    """A place and a method of any kind, with days that are full."""
    document = draw(HOURS)
    zone, kind = draw(ZONES), draw(st.sampled_from(["pickup", "curbside", "ship", "same_day"]))
    place = site(
        zone,
        hours(document),
        pick_minutes=draw(st.none() | st.integers(0, 600)),
        work=Hours(
            zone,
            hours(draw(HOURS)) if draw(st.booleans()) else hours(document),
            draw(st.none() | st.just("SE")),
        ),
    )
    chosen = method(
        kind,
        cut_off=draw(st.none() | CLOCKS),
        until=draw(st.none() | CLOCKS) if kind == "same_day" else None,
        calendar={
            "weekdays": sorted(draw(st.sets(st.integers(1, 7), min_size=1))),
            "holidays": draw(st.none() | st.just("SE")),
        },
    )
    first = draw(st.integers(0, 3))
    transit = Zone(transit_min=first, transit_max=first + draw(st.integers(0, 3)))
    full = frozenset(draw(st.sets(st.dates(date(2026, 3, 6), date(2026, 4, 8)), max_size=4)))
    return place, chosen, transit, full, document


def ask(question: tuple[Site, Any, Zone, frozenset[date], dict[str, Any]], moment: datetime) -> Window | None:
    place, chosen, zone, full, _ = question
    if chosen.kind in (MethodKind.PICKUP, MethodKind.CURBSIDE):
        return collect(place, chosen, moment, full)
    return bring(place, chosen, zone, moment, full)


@settings(max_examples=150, deadline=None)
@given(questions(), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=9)))
def test_ordering_later_never_promises_earlier(question: Any, moment: datetime, later: timedelta) -> None:
    first, second = ask(question, moment), ask(question, moment + later)
    if first is None or second is None:
        assert second is None or first is not None, "what a later order can have, an earlier one can too"
        return
    assert first.ready_at <= second.ready_at
    assert (first.first_day, first.last_day) <= (second.first_day, second.last_day)


@settings(max_examples=150, deadline=None)
@given(questions(), MOMENTS)
def test_never_in_the_past_and_never_when_closed(question: Any, moment: datetime) -> None:
    place, chosen, zone, full, document = question
    window = ask(question, moment)
    if window is None:
        return
    assert window.ready_at >= moment
    assert window.first_day >= moment.astimezone(ZoneInfo(place.time_zone)).date()
    assert window.first_day <= window.last_day
    assert window.until is None or window.until > window.ready_at
    if chosen.kind in (MethodKind.PICKUP, MethodKind.CURBSIDE):
        assert is_within(msgspec.convert(document, OpeningHours), place.time_zone, window.ready_at)
        assert window.ready_at.astimezone(ZoneInfo(place.time_zone)).date() == window.first_day
    else:
        assert all(working_day(chosen.calendar, day) == day for day in (window.first_day, window.last_day))
    if not full:
        return
    free = (
        collect(place, chosen, moment)
        if chosen.kind in (MethodKind.PICKUP, MethodKind.CURBSIDE)
        else bring(place, chosen, zone, moment)
    )
    assert free is not None
    assert free.ready_at <= window.ready_at, "less room never makes it quicker"


@settings(max_examples=60, deadline=None)
@given(HOURS, ZONES, MOMENTS, st.integers(0, 900), st.integers(0, 900))
def test_work_can_be_done_in_parts(document: Any, zone: str, moment: datetime, some: int, more: int) -> None:
    place = Hours(zone, hours(document))
    half = finish(place, moment, some)
    assert (
        finish(place, moment, some + more) == (None if half is None else finish(place, half, more))
        or more == 0
    )


def test_calendars_of_carriers() -> None:
    saturday = Calendar(weekdays=[6], closed=[date(2026, 11, 28)], open=[date(2026, 11, 29)])
    assert working_day(saturday, date(2026, 11, 26)) == date(2026, 11, 29)
    assert working_day(saturday, date(2026, 11, 26), 1) == date(2026, 12, 5)
    assert OFFICE["exceptions"]
