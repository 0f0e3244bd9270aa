"""Averages, standing and names."""

from hypothesis import given
from hypothesis import strategies as st

from samlad.reviews import rules

counts = st.lists(st.integers(0, 10_000), min_size=5, max_size=5)


@given(counts)
def test_an_average_is_that_of_the_stars_to_a_hundredth(by_stars: list[int]) -> None:
    found = rules.totals(by_stars)
    assert found.count == sum(by_stars)
    if found.count:
        exact = 100 * sum(s * n for s, n in enumerate(by_stars, 1)) / found.count
        assert abs(found.average - exact) <= 0.5
        assert 100 <= found.average <= 500
    else:
        assert found.average == 0
    assert [number for _, number, _ in rules.shares(found)] == by_stars[::-1]


@given(counts, st.integers(1, 5))
def test_a_better_review_never_lowers_the_standing_and_a_worse_one_never_lifts_it(
    by_stars: list[int], stars: int
) -> None:
    before = rules.totals(by_stars)
    more = list(by_stars)
    more[stars - 1] += 1
    after = rules.standing(rules.totals(more))
    start = rules.standing(before) or 10 * rules.PRIOR_STARS
    if stars * 1000 >= start + 1:
        assert after >= start
    if stars * 1000 <= start:
        assert after <= start


def test_one_perfect_review_does_not_stand_above_a_hundred_good_ones() -> None:
    one, many = rules.totals([0, 0, 0, 0, 1]), rules.totals([0, 0, 0, 20, 80])
    assert one.average > many.average
    assert rules.standing(one) < rules.standing(many)


@given(st.text(max_size=200))
def test_a_shown_name_tells_the_first_name_and_at_most_an_initial(name: str) -> None:
    shown = rules.shown_name(name)
    assert len(shown.split()) <= 2
    assert bool(shown) == bool(name.split())
    if len(name.split()) > 1:
        assert shown.endswith(".")


def test_texts_are_tidied() -> None:
    assert rules.tidy("  one \r\n\n\n\n two\n ") == "one\n\ntwo"
    assert rules.shown_name("kim maria berg") == "kim B."
