"""The pure rules: check digits, slugs, paths, HTML, attribute values, size charts."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.catalog.categories import is_path, is_under, moved_path
from samlad.catalog.imports.cells import read_words, write_words
from samlad.catalog.model import Option
from samlad.catalog.rules import attribute_value, clean_html, grown_options, is_gtin, option_text, slug
from samlad.catalog.size_charts import SizeChart, SizeRow, in_unit
from samlad.kernel.clock import now

digits = st.text("0123456789", min_size=7, max_size=13).filter(lambda t: len(t) in (7, 11, 12, 13))


def check_digit(body: str) -> str:
    """GS1 General Specifications 7.9: weights 3 and 1 from the right."""
    total = sum(int(d) * (3 if n % 2 == 0 else 1) for n, d in enumerate(reversed(body)))
    return str(-total % 10)


@given(digits, st.integers(1, 9))
def test_a_gtin_has_the_right_check_digit_and_no_other(body: str, off: int) -> None:
    right = check_digit(body)
    assert is_gtin(body + right)
    assert not is_gtin(body + str((int(right) + off) % 10))


@pytest.mark.parametrize("text", ["", "1234567", "123456789", "٩٦٣٨٥٠٧٤", " 96385074", "9638507x", "9" * 15])
def test_what_is_no_gtin(text: str) -> None:
    assert not is_gtin(text)


@given(st.text(max_size=300))
def test_slugs_are_good_for_addresses_and_stay_as_they_are(text: str) -> None:
    made = slug(text)
    assert not set(made) & set(" /?#%\n\t")
    assert made == made.strip("-")
    assert slug(made) == made
    assert not made or is_path(made)


def test_slugs_of_words() -> None:
    assert slug("Blå kittel, 1,5 l") == "bla-kittel-1-5-l"
    assert slug("Crème & Brûlée") == "creme-brulee"
    assert slug("غلاية شاي") == "غلاية-شاي"
    assert slug("!!!") == ""


slugs = st.text("abc_%", min_size=1, max_size=3)
paths = st.lists(slugs, min_size=1, max_size=4).map("/".join)


@given(paths, paths, paths)
def test_moving_moves_exactly_what_is_below(path: str, old: str, new: str) -> None:
    moved = moved_path(path, old, new)
    if is_under(path, old):
        assert is_under(moved, new)
        assert moved[len(new) :] == path[len(old) :]
        assert moved_path(moved, new, old) == path
    else:
        assert moved == path


@given(paths, paths)
def test_being_under_is_about_whole_slugs(path: str, other: str) -> None:
    assert is_under(path, other) == (path.split("/")[: other.count("/") + 1] == other.split("/"))


@given(st.text(st.sampled_from(list("<>&;\"'= abpscriptonx/")), max_size=60))
def test_cleaning_html_twice_is_cleaning_it_once(text: str) -> None:
    once = clean_html(text)
    assert clean_html(once) == once
    assert "<script" not in once.lower()


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["Size", "Colour"]), st.text("SML", min_size=1, max_size=2)),
        max_size=5,
    )
)
def test_options_know_every_value_once(chosen: list[dict[str, str]]) -> None:
    grown = grown_options([Option("Size", ["S", "S"])], chosen)
    for option in grown:
        assert len(set(option.values)) == len(option.values)
    known = {option.name: set(option.values) for option in grown}
    assert all(value in known[name] for each in chosen for name, value in each.items())
    for each in chosen:
        assert (
            option_text(grown, each).split(" / ") == [each[o.name] for o in grown if o.name in each]
            or not each
        )


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", "1.50", 1.5),
        ("number", 3, 3),
        ("boolean", "yes", True),
        ("boolean", "0", False),
        ("choice", "steel", "steel"),
        ("date", "2026-02-28", "2026-02-28"),
        ("text", "anything", "anything"),
        ("number", "1e400", None),
        ("number", "nan", None),
        ("number", True, None),
        ("number", "x", None),
        ("number", [], None),
        ("boolean", "perhaps", None),
        ("choice", "gold", None),
        ("date", "2026-02-30", None),
        ("text", "", None),
        ("text", 5, None),
        ("text", "a\x00", None),
    ],
)
def test_attribute_values_fit_their_type(kind: str, value: Any, expected: Any) -> None:
    if expected is None:
        with pytest.raises(ValueError):
            attribute_value(kind, ["steel"], value)
    else:
        assert attribute_value(kind, ["steel"], value) == expected


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=10)
        .map(str.strip)
        .filter(bool),
        unique=True,
    )
)
def test_words_in_a_cell_come_back(words: list[str]) -> None:
    assert read_words(write_words(words)) == words


def test_a_chart_in_inches() -> None:
    chart = SizeChart(
        UUID(int=1), UUID(int=2), "Shirts", "cm", ["chest", "arm"], [SizeRow("M", [[96.5, 101.6], None])], "",
        [], [], [], {}, 1, now(), now(),
    )  # fmt: skip
    assert in_unit(chart, "in").rows[0].values == [[38.0, 40.0], None]
    assert in_unit(chart, "cm") is chart
