"""What comes back is worth what was paid for it, whatever came before and in whatever parts."""

from datetime import date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.channels import Channel, ChannelKind
from samlad.kernel.ids import new_id
from samlad.orders import LineKind, OrderLine, return_windows
from samlad.orders import change_rules as rules
from samlad.orders.change_model import Past, Preview, Terms, Window
from samlad.orders.return_reasons import days_of

SALE = new_id()


@st.composite
def lines(draw: st.DrawFn) -> OrderLine:
    quantity, total = draw(st.integers(1, 40)), draw(st.integers(0, 10**7))
    return OrderLine(
        position=1, kind=LineKind.ITEM, title="Kettle", quantity=quantity, unit_price=0,
        tax=draw(st.integers(0, total)), total=total, fulfilled=quantity,
    )  # fmt: skip


def come_back(line: OrderLine, quantity: int) -> tuple[int, int, OrderLine]:
    found = rules.back(line, quantity, SALE)
    after = msgspec.structs.replace(line, returned=line.returned + quantity)
    return -sum(each.total for each in found), -sum(each.tax for each in found), after


def concede(line: OrderLine, amount: int) -> OrderLine:
    _found, remembered = rules.goodwill([line], amount, None, SALE, field="a")
    return msgspec.structs.replace(line, concessions=[*line.concessions, *remembered.values()])


@given(lines(), st.data())
def test_any_parts_come_to_the_same_as_at_once(line: OrderLine, data: st.DataObject) -> None:
    """Also after some of it came back and something was given back on it; for any number of units, not only all."""
    for _ in range(data.draw(st.integers(0, 3))):
        left = rules.left_of(line)[0]
        if left > 0 and line.returned < line.quantity:
            line = concede(line, data.draw(st.integers(1, left)))
        if line.returned < line.quantity - 1:
            _w, _t, line = come_back(line, data.draw(st.integers(1, line.quantity - line.returned - 1)))
    units = data.draw(st.integers(0, line.quantity - line.returned))
    if units == 0:
        return
    whole, taxed, _ = come_back(line, units)
    worth, tax, part = 0, 0, line
    while part.returned < line.returned + units:
        step = data.draw(st.integers(1, line.returned + units - part.returned))
        w, t, part = come_back(part, step)
        worth, tax = worth + w, tax + t
    assert (worth, tax) == (whole, taxed)


@given(lines(), st.data())
def test_never_more_than_was_paid_and_in_the_end_all_of_it(line: OrderLine, data: st.DataObject) -> None:
    given_back, tax, start = 0, 0, line
    while line.returned < line.quantity:
        left = rules.left_of(line)
        assert left == (start.total - given_back, start.tax - tax), "what is left is what was not given back"
        if left[0] > 0 and data.draw(st.booleans()):
            before = line
            line = concede(line, data.draw(st.integers(1, left[0])))
            given_back += line.concessions[-1].amount
            tax += line.concessions[-1].tax
            assert len(line.concessions) == len(before.concessions) + 1
        else:
            w, t, line = come_back(line, data.draw(st.integers(1, line.quantity - line.returned)))
            given_back, tax = given_back + w, tax + t
        assert 0 <= given_back <= start.total
    assert (given_back, tax) == (start.total, start.tax)


@given(*(st.integers(0, 10**6) for _ in range(4)))
def test_what_comes_back_is_spread_without_rest(worth: int, due: int, available: int, new: int) -> None:
    spread = rules.settle(worth, due=due, available=available, new=new)
    parts = (spread.forgiven, spread.transferred, spread.gives_back)
    assert min(parts) >= 0
    assert sum(parts) == min(worth, spread.forgiven + available)
    assert spread.transferred + spread.gives_back <= available
    assert spread.forgiven + spread.due == due
    assert spread.transferred <= new


@given(st.lists(lines(), min_size=1, max_size=5), st.data())
def test_goodwill_over_several_lines_adds_up(found: list[OrderLine], data: st.DataObject) -> None:
    found = [msgspec.structs.replace(line, position=n) for n, line in enumerate(found, 1)]
    most = sum(line.total for line in found)
    if most == 0:
        return
    amount = data.draw(st.integers(1, most))
    given_lines, remembered = rules.goodwill(found, amount, None, SALE, field="a")
    assert -sum(line.total for line in given_lines) == amount
    for line in found:
        each = remembered.get(line.position)
        assert each is None or (each.amount <= line.total and 0 <= each.tax <= line.tax)


def test_windows() -> None:
    line = OrderLine(position=1, kind=LineKind.ITEM, title="Kettle", quantity=1, unit_price=1, total=1)
    terms = Terms(days=14, last_day=date(2026, 5, 15))
    assert rules.window_notice(line, terms, date(2026, 5, 15)) is None
    late = rules.window_notice(line, terms, date(2026, 5, 16))
    assert late is not None
    assert late.needs_override
    assert rules.window_notice(line, Terms(days=14, last_day=None), date(2030, 1, 1)) is None, (
        "it has not left"
    )


def test_the_most_specific_window_holds_and_withdrawal_at_a_distance_is_kept() -> None:
    kettle, other = new_id(), new_id()
    windows = [
        Window(country=None, product=kettle, days=0),
        Window(country="DE", product=None, days=60),
        Window(country="DE", product=kettle, days=5),
    ]
    web = _channel(ChannelKind.WEBSHOP, 3)
    assert days_of(windows, web, "DE", kettle) == 5
    assert days_of(windows, web, "SE", kettle) == 0, "article 16: some products cannot be returned"
    assert days_of(windows, web, "DE", other) == 60
    assert days_of(windows, web, "SE", other) == 14, "at a distance in the EU never less"
    assert days_of(windows, web, "US", other) == 3
    assert days_of(windows, _channel(ChannelKind.STORE, 3), "SE", other) == 3


def _channel(kind: ChannelKind, days: int) -> Channel:
    known = {
        "kind": kind,
        "country": "SE",
        "settings": {"return_days": days},
        "time_zone": "Europe/Stockholm",
    }
    return Channel(**{name: known.get(name) for name in Channel.__struct_fields__})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("received", "country", "last"),
    [
        ("2026-11-10T10:00:00Z", "SE", date(2026, 11, 24)),  # a Tuesday: the day of hand-over is not counted
        ("2026-11-14T10:00:00Z", "SE", date(2026, 11, 30)),  # would end on a Saturday
        ("2026-11-15T10:00:00Z", "SE", date(2026, 11, 30)),  # … on a Sunday
        ("2026-03-20T10:00:00Z", "SE", date(2026, 4, 7)),  # … on Good Friday: Easter Monday is over then, too
        ("2025-12-18T10:00:00Z", "DE", date(2026, 1, 2)),  # … on New Year's Day
        ("2026-11-10T22:30:00Z", "FI", date(2026, 11, 25)),  # it was the 11th in Helsinki already
        ("2026-11-14T10:00:00Z", None, date(2026, 11, 28)),  # not at a distance
    ],
)
def test_a_window_ends_as_the_law_counts_it(received: str, country: str | None, last: date) -> None:
    zones = return_windows.zones_of(country, _channel(ChannelKind.WEBSHOP, 14))
    moment = datetime.fromisoformat(received)
    assert return_windows.last_day(moment, 14, zones, withdrawal_in=country) == last


def test_a_day_has_not_ended_before_it_ended_where_the_customer_is() -> None:
    web = _channel(ChannelKind.WEBSHOP, 14)
    late = datetime.fromisoformat("2026-11-24T23:30:00Z")
    days = {
        land: return_windows.today(late, return_windows.zones_of(land, web))
        for land in (None, "SE", "ZZ", "PT", "FI")
    }
    assert days == {
        None: date(2026, 11, 25),
        "SE": date(2026, 11, 25),
        "ZZ": date(2026, 11, 25),
        "PT": date(2026, 11, 24),
        "FI": date(2026, 11, 25),
    }


def test_signals_say_why() -> None:
    quiet = rules.signals(Past(), 100, most=5, share_percent=60, days=90)
    assert quiet == []
    loud = rules.signals(
        Past(returns=5, returned_worth=500, bought=1000), 200, most=5, share_percent=60, days=90,
        no_receipt=True, other=[(2, "X-1")],
    )  # fmt: skip
    assert [notice.code for notice in loud] == ["many-returns", "high-share", "no-receipt", "other-item"]
    assert "70 %" in loud[1].text
    assert not any(notice.needs_override for notice in loud)
    assert rules.score(loud) == rules.score([*loud, loud[-1]]) == 120, "each kind once"
    assert rules.score_notice(loud, 0) == rules.score_notice(loud, 121) == []
    [held] = rules.score_notice(loud, 120)
    assert (held.code, held.needs_override, held.values) == (
        "signal-score",
        True,
        {"score": 120, "limit": 120},
    )
    often = rules.signals(Past(no_receipt=2, bought=1), 0, most=5, share_percent=60, days=90)
    assert [notice.code for notice in often] == ["no-receipt-often"]


def test_a_fingerprint_says_what_differs() -> None:
    said = Preview(order=SALE, number="W1", version=3, currency="SEK", worth=100, refunded=100)
    said = msgspec.structs.replace(said, fingerprint=rules.fingerprint(said))
    assert rules.differences(said.fingerprint, said) == []
    other = msgspec.structs.replace(said, version=4, refunded=90)
    other = msgspec.structs.replace(other, fingerprint=rules.fingerprint(other))
    assert {each["what"] for each in rules.differences(said.fingerprint, other)} == {"version", "refunded"}
    assert rules.differences("nonsense", said)
