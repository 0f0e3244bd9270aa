"""Windows, faults, rows of the form, and what ad platforms are given: without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from audience import condition
from hypothesis import given
from hypothesis import strategies as st
from test_any_segments import definitions

from samlad.audiences import kinds, rules, windows
from samlad.audiences.leaves import Leaf
from samlad.audiences.model import PastWindow
from samlad.faces.admin import segment_form
from samlad.faces.admin.segment_names import TEMPLATES
from samlad.kernel.problems import InvalidInput

moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
spans = st.one_of(
    st.builds(PastWindow, days=st.integers(1, 400)), st.builds(PastWindow, hours=st.integers(1, 9000))
)
zones = st.sampled_from(["UTC", "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe"])


@given(spans, moments, st.timedeltas(timedelta(), timedelta(days=420)), zones)
def test_a_window_holds_until_the_very_moment_at_which_things_fall_out(
    window: PastWindow, happened: datetime, later: timedelta, zone: str
) -> None:
    out = windows.falls_out(window, happened, zone)
    assert out is not None
    assert windows.contains(window, happened, happened + later, zone) == (happened + later < out)


@given(definitions)
def test_what_rows_can_say_they_say_again(document: dict[str, Any]) -> None:
    """A form that shows conditions says the same when it is sent back, or shows them as JSON."""
    wanted = condition({"kind": "all", "of": [document]})
    form = segment_form.form_of(wanted, "SEK", name="X")
    assert segment_form.read(form, "SEK") == wanted or document["kind"] == "any"
    again = segment_form.form_of(segment_form.read(form, "SEK"), "SEK")
    assert segment_form.read(again, "SEK") == segment_form.read(form, "SEK")


@given(st.integers(0, 500), st.integers(1, 500), st.integers(500, 10**7))
def test_the_range_of_an_estimate_holds_the_estimate(hits: int, looked_at: int, people: int) -> None:
    hits = min(hits, looked_at)
    size, low, high = rules.margin(hits, looked_at, people)
    assert 0 <= low <= size <= high <= people


def test_templates_can_be_used_and_be_shown_as_rows() -> None:
    for _, _, _, document in TEMPLATES:
        rules.check(condition(document))
        assert segment_form.form_of(condition(document), "SEK").get("as") != "json"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"kind": "orders"}, "definition.at_least"),
        ({"kind": "orders", "at_least": 1, "within": {}}, "definition.within"),
        ({"kind": "orders", "at_least": 1, "within": {"days": 1, "hours": 2}}, "definition.within"),
        (
            {"kind": "orders", "at_least": 1, "within": {"since": "2026-02-01", "until": "2026-01-01"}},
            "definition.within.until",
        ),
        ({"kind": "trait", "field": "country"}, "definition.values"),
        ({"kind": "trait", "field": "email", "op": "is_known", "values": ["x"]}, "definition.values"),
        ({"kind": "cart", "at_least": 5}, "definition.currency"),
        ({"kind": "rfm"}, "definition"),
        ({"kind": "rfm", "groups": ["kings"]}, "definition.groups"),
        ({"kind": "other", "name": "weather"}, "definition.name"),
        (
            {"kind": "event", "name": "A", "at_least": 1, "properties": [{"name": "a..b", "value": 1}]},
            "definition.properties.0.name",
        ),
        (
            {
                "kind": "event",
                "name": "A",
                "at_least": 1,
                "properties": [{"name": "a", "op": "at_least", "value": "x"}],
            },
            "definition.properties.0.value",
        ),
    ],
)
def test_what_is_wrong_is_said_where_it_is(document: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        rules.check(condition(document))
    assert field in [each.field for each in caught.value.errors]


def test_too_many_and_too_deep_are_refused() -> None:
    deep: dict[str, Any] = {"kind": "points", "at_least": 1}
    for _ in range(10):
        deep = {"kind": "not", "of": deep}
    with pytest.raises(InvalidInput, match="as they are"):
        rules.check(condition(deep))
    many = {"kind": "all", "of": [{"kind": "all", "of": [{"kind": "points", "at_least": 1}] * 31}] * 2}
    with pytest.raises(InvalidInput):
        rules.check(condition(many))


def test_addresses_and_numbers_as_platforms_hash_them() -> None:
    """The examples of Google's and Meta's documentation."""
    assert (
        rules.email_for_ads(" Jane.Doe+Shopping@googlemail.com ", is_google=True) == "janedoe@googlemail.com"
    )
    assert rules.email_for_ads("John.Smith@Example.com", is_google=True) == "john.smith@example.com"
    assert rules.email_for_ads(" John_Smith@gmail.com ", is_google=False) == "john_smith@gmail.com"
    assert (
        rules.hashed("john_smith@gmail.com")
        == "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
    )
    assert rules.phone_for_ads("+16505551212", is_google=False) == "16505551212"
    assert rules.phone_for_ads("+16505551212", is_google=True) == "+16505551212"


def test_a_kind_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_KINDS", {})

    def fault(data: dict[str, Any]) -> str | None:
        return None if data else "say which"

    kind = kinds.Kind(
        name="weather", sources=frozenset({"sky"}), fault=fault, leaf=lambda data, sql: Leaf(holds="true")
    )
    kinds.register(kind)
    kinds.register(kind)
    with pytest.raises(TypeError):
        kinds.register(msgspec.structs.replace(kind, sources=frozenset()))
    rules.check(condition({"kind": "other", "name": "weather", "data": {"is": "rain"}}))
    with pytest.raises(InvalidInput) as caught:
        rules.check(condition({"kind": "other", "name": "weather"}))
    assert caught.value.errors[0].field == "definition.data"
    assert rules.sources(condition({"kind": "other", "name": "weather"})) == {"sky"}
