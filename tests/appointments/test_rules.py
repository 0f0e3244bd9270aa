"""Which times are free, on any calendar, through any change of a clock; and calendar files as calendars read them."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from samlad.appointments import Appointment, Service, Slot, Who, calendar_file, rules
from samlad.appointments.model import Source, State, Taken
from samlad.channels.model import ExceptionalDay, Interval, OpeningHours

WEEK = OpeningHours(weekly=[[Interval("10:00", "18:00")]] * 5 + [[Interval("22:00", "04:00")], []])
ZONES = ("Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "UTC")


def offered(minutes: int = 30, step: int = 30, capacity: int = 1, staff: int = 0) -> Service:
    return Service(
        id=uuid4(), location=uuid4(), code="fitting", name="Fitting", names={"sv": "Provning"}, about="",
        minutes=minutes, step_minutes=step, capacity=capacity, notice_minutes=60, ahead_days=60,
        staff=[Who(id=uuid4(), name="Sam") for _ in range(staff)], is_active=True, version=1,
    )  # fmt: skip


@given(
    day=st.dates(date(2026, 1, 1), date(2027, 1, 1)),
    zone=st.sampled_from(ZONES),
    minutes=st.integers(5, 240),
    step=st.integers(5, 120),
)
def test_every_time_lies_within_the_doors(day: date, zone: str, minutes: int, step: int) -> None:
    service = offered(minutes, step)
    opened = rules.open_periods(WEEK, zone, day, 7)
    for slot in rules.starts(service, opened):
        assert slot.ends_at - slot.starts_at == timedelta(minutes=minutes)
        assert any(opens <= slot.starts_at and slot.ends_at <= closes for opens, closes in opened)


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 1), st.integers(0, 600), st.integers(5, 120)), max_size=12
    ),
    st.integers(0, 2),
)
def test_what_is_free_has_a_seat_and_somebody(rows: list[tuple[int, int, int, int]], people: int) -> None:
    service, begin = offered(capacity=3, staff=people), datetime(2026, 3, 2, 8, tzinfo=UTC)
    taken = [
        Taken(
            service.id, seat, service.staff[who % people].id if people else None,
            begin + timedelta(minutes=at), begin + timedelta(minutes=at + length),
        )
        for seat, who, at, length in rows
    ]  # fmt: skip
    slot = Slot(begin + timedelta(minutes=120), begin + timedelta(minutes=150))
    in_the_way = [t for t in taken if t.starts_at < slot.ends_at and slot.starts_at < t.ends_at]
    seats, busy = {t.seat for t in in_the_way}, {t.staff for t in in_the_way}
    expected = len(seats) < 3 and (not people or len(busy & {who.id for who in service.staff}) < people)
    assert rules.is_free(service, slot, taken) is expected


def test_holidays_evenings_and_changes_of_the_clock() -> None:
    stockholm = ZoneInfo("Europe/Stockholm")
    opened = rules.open_periods(WEEK, "Europe/Stockholm", date(2026, 3, 27), 3, {date(2026, 3, 27)})
    assert [each[0].astimezone(stockholm).date() for each in opened] == [date(2026, 3, 28)], (
        "the Friday is shut"
    )
    evening = rules.starts(offered(60, 60), opened)
    # 22:00 to 04:00 in the night in which an hour is left out: five hours.
    assert len(evening) == 5
    assert [slot.starts_at.astimezone(stockholm).hour for slot in evening] == [22, 23, 0, 1, 3]
    exception = ExceptionalDay(date=date(2026, 3, 27), intervals=[Interval("12:00", "13:00")])
    named = OpeningHours(weekly=WEEK.weekly, exceptions=[exception])
    [(opens, _)] = rules.open_periods(named, "Europe/Stockholm", date(2026, 3, 27), 1, {date(2026, 3, 27)})
    assert opens == datetime(2026, 3, 27, 11, tzinfo=UTC), "hours of their own are longer than a holiday"


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=200)
)
def test_calendar_files_say_what_was_said(title: str) -> None:
    moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    appointment = Appointment(
        id=uuid4(), service=uuid4(), service_name="Fitting", location=uuid4(), location_name="Söder",
        time_zone="Europe/Stockholm", channel=uuid4(), shop=uuid4(), customer=None, name="Kim", email=None, phone=None,
        language="sv", note="", starts_at=moment, ends_at=moment + timedelta(minutes=30), staff=None, staff_name=None,
        state=State.BOOKED, source=Source.SHOP, sequence=2, booked_at=moment, version=1,
    )  # fmt: skip
    file = calendar_file.calendar(
        appointment, title, "Storgatan 1; Malmö", "https://shop.example.org/appointment/x"
    )
    lines = file.split("\r\n")
    assert all(len(line.encode()) <= calendar_file.LINE_OCTETS for line in lines)
    unfolded = file.replace("\r\n ", "").split("\r\n")
    [summary] = [line for line in unfolded if line.startswith("SUMMARY:")]
    read = summary.removeprefix("SUMMARY:")
    plain = (
        read.replace("\\\\", "\0")
        .replace("\\;", ";")
        .replace("\\,", ",")
        .replace("\\n", "\n")
        .replace("\0", "\\")
    )
    assert plain == title
    assert {
        "DTSTART:20260302T093000Z",
        "SEQUENCE:2",
        "METHOD:PUBLISH",
        "LOCATION:Storgatan 1\\; Malmö",
    } <= set(unfolded)
