"""Codes, expiry, points: decided without a database."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.credit import Rate, Tier, codes, rules

TIERS = [
    Tier(code="silver", name="Silver", threshold=100, multiplier_percent=150),
    Tier(code="gold", name="Gold", threshold=1_000, multiplier_percent=200),
]


@given(st.integers(0, 16), st.sampled_from(codes.SYMBOLS))
def test_every_single_wrong_symbol_of_a_card_is_found(place: int, symbol: str) -> None:
    code = codes.new_card_code()
    wrong = code[:place] + symbol + code[place + 1 :]
    assert codes.read_card_code(wrong) == (code if wrong == code else None)


@given(st.integers(0, 10), st.sampled_from(codes.SYMBOLS))
def test_every_single_wrong_symbol_of_a_member_is_found(place: int, symbol: str) -> None:
    code = codes.new_member_code()
    wrong = code[: place + 1] + symbol + code[place + 2 :]
    assert codes.read_member_code(wrong) == (code if wrong == code else None)


def test_a_code_may_be_written_as_people_write() -> None:
    code = codes.new_card_code()
    assert codes.read_card_code(f"  {codes.written(code).lower()} ") == code
    assert codes.read_card_code(code.replace("0", "o").replace("1", "l")) == code
    assert codes.card_hash(code) != codes.card_hash(codes.new_card_code())


@given(st.text(max_size=60))
def test_anything_may_be_typed(text: str) -> None:
    assert codes.read_card_code(text) is None
    assert codes.read_member_code(text) is None


def test_no_card_looks_like_the_number_of_a_bank_card() -> None:
    assert not any(codes.new_card_code()[:16].isdigit() for _ in range(1_000))


@pytest.mark.parametrize(
    ("months", "country", "last"),
    [
        (0, "SE", None),
        (24, "SE", date(2028, 2, 28)),
        (12, "US", date(2031, 2, 28)),
        (120, "US", date(2036, 2, 28)),
        (12, "IE", date(2031, 2, 28)),
        (12, "AU", date(2029, 2, 28)),
        (12, "DE", date(2029, 12, 31)),
        (60, "DE", date(2031, 2, 28)),
        (24, "CA", None),
    ],
)
def test_the_law_of_the_country_holds_where_it_is_longer(
    months: int, country: str, last: date | None
) -> None:
    assert rules.last_day(date(2026, 2, 28), months, country) == last


def test_a_month_after_the_31st_is_the_last_of_the_month() -> None:
    assert rules.add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert rules.add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
    assert rules.add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert rules.add_months(date(2026, 11, 25), -12) == date(2025, 11, 25)


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.lists(st.integers(1, 10**6), max_size=8))
def test_points_of_returned_parts_come_to_exactly_the_whole(
    points: int, goods: int, parts: list[int]
) -> None:
    back, before, taken = 0, points, []
    for part in [*parts, goods]:
        back = min(goods, back + part)
        after = rules.kept(points, goods, back)
        assert 0 <= after <= before
        assert abs(after * goods - points * (goods - back)) < goods, "in proportion, to the whole point"
        taken.append(before - after)
        before = after
    assert before == 0
    assert sum(taken) == points


@given(st.integers(0, 10**10))
def test_points_follow_the_rate_and_never_exceed_it(goods: int) -> None:
    rates = [Rate(currency="EUR", spend=100, points=3), Rate(currency="SEK", spend=1_000, points=1)]
    base = rules.base_points(goods, "SEK", rates)
    assert base * 1_000 <= goods < (base + 1) * 1_000
    assert rules.base_points(goods, "USD", rates) == 0
    assert rules.multiplied(base, TIERS[0]) == base * 3 // 2


def test_tiers_are_reached_at_their_threshold() -> None:
    assert [rules.tier_of(points, TIERS) for points in (0, 99)] == [None, None]
    assert rules.tier_of(100, TIERS) == TIERS[0]
    assert rules.tier_of(5_000, TIERS) == TIERS[1]
    assert rules.next_tier(100, TIERS) == TIERS[1]
    assert rules.next_tier(1_000, TIERS) is None
