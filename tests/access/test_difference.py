"""Differences of JSON documents, as a property and as people read them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.access.difference import HIDDEN, apply, diff, readable

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
)
keys = st.sampled_from(["a", "b", "c", "password"])
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def strictly(document: Any) -> Any:
    """A form in which True is not 1."""
    if isinstance(document, bool):
        return ("bool", document)
    if isinstance(document, list):
        return [strictly(value) for value in document]
    if isinstance(document, dict):
        return {key: strictly(value) for key, value in document.items()}
    return document


@given(documents, documents)
def test_applying_the_difference_leads_from_one_to_the_other(before: Any, after: Any) -> None:
    kept = repr(before)
    assert strictly(apply(diff(before, after), before)) == strictly(after)
    assert repr(before) == kept


@given(documents)
def test_nothing_differs_from_itself(document: Any) -> None:
    assert diff(document, document) == []


@given(st.dictionaries(keys, documents, max_size=4), st.dictionaries(keys, documents, max_size=4))
def test_a_change_in_one_field_is_told_of_that_field_only(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    touched = {change.path[0] for change in diff(before, after)}
    for key in before.keys() & after.keys():
        if strictly(before[key]) == strictly(after[key]):
            assert key not in touched
    assert before.keys() ^ after.keys() <= touched


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"name": "Kim"}, {"name": "Kim Berg"}, "name: “Kim” → “Kim Berg”"),
        (
            {"roles": ["store"]},
            {"roles": ["manager", "support"]},
            "roles: + “manager”, + “support”, − “store”",
        ),
        ({"order": [1, 2]}, {"order": [2, 1]}, "order: [1,2] → [2,1]"),
        ({}, {"city": "Malmö"}, "city: “Malmö”"),
        ({"city": "Malmö"}, {}, "city: “Malmö” removed"),
        ({"active": True}, {"active": False}, "active: true → false"),
        ({"limit": None}, {"limit": 5}, "limit: 5"),
        ({"limit": 5}, {"limit": None}, "limit: 5 → nothing"),
        ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": 2}]}}, "a.b.0.c: 1 → 2"),
        ({"lines": [{"n": 1}, {"n": 2}]}, {"lines": [{"n": 1}]}, 'lines.1: {"n":2} removed'),
        ({"text": "x" * 200}, {"text": ""}, f"text: “{'x' * 118}… → “”"),
    ],
)
def test_people_can_read_it(before: Any, after: Any, text: str) -> None:
    assert readable(diff(before, after)) == text


def test_of_hidden_values_only_the_place_is_told() -> None:
    changes = diff({"a": {"password": "one"}, "b": 1}, {"a": {"password": "two"}, "b": 2})
    text = readable(changes, lambda path: "password" in path)
    assert text == f"a.password: changed {HIDDEN}\nb: 1 → 2"
