"""Windows, faults, rows of the form, and what ad platforms are given: without a database."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from audience import condition
from samlad.audiences import choices, kinds, rules, windows
from samlad.audiences.conditions import Condition, PastWindow, TraitField, TraitOp
from samlad.audiences.leaves import Leaf
from samlad.faces.admin import segment_acts, segment_form, segment_words
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


UNHURRIED = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], max_examples=60, deadline=None
)


def _kept(condition_: Condition) -> bool:
    """Whether the model takes it, as the API would."""
    try:
        rules.check(condition_)
    except InvalidInput:
        return False
    return True


def _sets(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
ids = st.lists(st.uuids().map(str), min_size=1, max_size=3)
amounts = st.integers(0, 2**53 - 1)
parts_of_the_past = st.one_of(
    st.builds(lambda n: {"days": n}, st.integers(1, 3650)),
    st.builds(lambda n: {"hours": n}, st.integers(1, 87_600)),
    _sets(since=st.dates().map(str), until=st.dates().map(str)),
)
within = {"within": parts_of_the_past}
bounds = {"at_least": amounts, "at_most": amounts}
money = st.sampled_from(["SEK", "JPY", "KWD", "EUR"])
goods = _sets(
    categories=ids, products=ids, brands=st.lists(texts, min_size=1), skus=st.lists(texts, min_size=1)
)
properties = st.lists(
    st.fixed_dictionaries(
        {
            "name": texts,
            "op": st.sampled_from(["is", "is_not", "contains", "is_known", "at_least", "at_most"]),
        },
        optional={"value": texts | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)},
    ),
    max_size=3,
)
scores = st.lists(st.integers(1, 5), max_size=3, unique=True)
any_leaf = st.one_of(
    _sets(
        measure=st.sampled_from(["count", "sum", "average"]),
        currency=money,
        channels=ids,
        goods=goods,
        **bounds,
        **within,
    ).map(lambda each: {"kind": "orders", **each}),
    st.fixed_dictionaries(
        {"which": st.sampled_from(["first", "last"]), **within}, optional={"channels": ids, "goods": goods}
    ).map(lambda each: {"kind": "order_date", **each}),
    _sets(measure=st.sampled_from(["count", "sum", "rate"]), currency=money, **bounds, **within).map(
        lambda each: {"kind": "returns", **each}
    ),
    _sets(promotions=ids, at_least=st.integers(0, 9), at_most=st.integers(0, 9), **within).map(
        lambda each: {"kind": "promotion", **each}
    ),
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(list(TraitField)),
            "op": st.sampled_from(list(TraitOp)),
            "values": st.lists(texts, max_size=3),
        }
    ).map(lambda each: {"kind": "trait", **each}),
    st.fixed_dictionaries(within).map(lambda each: {"kind": "customer_since", **each}),
    st.fixed_dictionaries(
        {"name": texts}, optional={"properties": properties, "sum_of": texts, **bounds, **within}
    ).map(lambda each: {"kind": "event", **each}),
    st.fixed_dictionaries({"currency": money, "at_least": amounts, "idle_hours": st.integers(0, 8784)}).map(
        lambda each: {"kind": "cart", **each}
    ),
    st.fixed_dictionaries(
        {"on": st.sampled_from(["anywhere", "wish", "saved", "cart"]), "stock": st.just("in_stock")},
        optional={"at_most": st.integers(1, 9), "goods": goods},
    ).map(lambda each: {"kind": "wanted", **each}),
    _sets(at_least=st.integers(-(2**53) + 1, 9), at_most=st.integers(-9, 2**53 - 1)).map(
        lambda each: {"kind": "points", **each}
    ),
    st.lists(texts, min_size=1).map(lambda each: {"kind": "tier", "tiers": each}),
    st.lists(texts, min_size=1).map(lambda each: {"kind": "tagged", "tags": each}),
    st.fixed_dictionaries(
        {"purpose": st.just("targeting"), "answer": st.sampled_from(["granted", "denied"])},
        optional={"channel": st.uuids().map(str)},
    ).map(lambda each: {"kind": "consent", **each}),
    st.fixed_dictionaries(
        {"states": st.lists(st.sampled_from(["active", "paused"]), min_size=1, max_size=2, unique=True)},
        optional={"plans": ids},
    ).map(lambda each: {"kind": "subscription", **each}),
    _sets(
        groups=st.lists(st.sampled_from(rules.GROUPS_OF_RFM), unique=True),
        recency=scores,
        frequency=scores,
        monetary=scores,
    ).map(lambda each: {"kind": "rfm", **each}),
    st.uuids().map(lambda each: {"kind": "segment", "segment": str(each)}),
)
any_segment = st.recursive(
    any_leaf,
    lambda inner: st.one_of(
        inner.map(lambda of: {"kind": "not", "of": of}),
        st.builds(
            lambda kind, of: {"kind": kind, "of": of},
            st.sampled_from(["all", "any"]),
            st.lists(inner, max_size=3),
        ),
    ),
    max_leaves=6,
)


@UNHURRIED
@given(any_segment)
def test_any_segment_on_the_page_says_the_same_segment(document: dict[str, Any]) -> None:
    wanted = condition(document)
    assume(_kept(wanted))
    form = segment_form.form_of(wanted, "SEK", name="X")
    assert segment_form.read(form, "SEK") == wanted
    assert msgspec.json.decode(form.get("json"), type=Condition) == wanted
    for locale in ("en", "sv", "nl"):
        assert segment_words.sentence(wanted, segment_words.Words(locale, {})).endswith(".")


@UNHURRIED
@given(any_segment)
def test_whatever_is_written_plainly_is_shown_as_rows(document: dict[str, Any]) -> None:
    """JSON is needed only for texts that begin or end with blanks, doubled values, windows and goods without anything, and
    numbers of more digits than a field takes."""
    wanted = condition(document)
    assume(_kept(wanted) and '"goods": {}' not in str(document).replace("'", '"'))
    assume(all(_is_plain(each) for each in _texts(document)) and not re.search(r"\d{16}", str(document)))
    assert segment_form.form_of(wanted, "SEK").get("as") != "json"


def _texts(document: Any) -> Iterator[str | list[Any]]:
    if isinstance(document, dict):
        for each in document.values():
            yield from _texts(each)
    elif isinstance(document, list):
        yield document
        for each in document:
            yield from _texts(each)
    elif isinstance(document, str):
        yield document


def _is_plain(each: str | list[Any]) -> bool:
    if isinstance(each, list):
        return len({str(one) for one in each}) == len(each)
    return each.strip() == each


@UNHURRIED
@given(
    any_segment,
    st.lists(
        st.sampled_from(["add-0", "group-0", "wrap-1", "remove-1", "property-1", "forget-1-0"]), max_size=6
    ),
)
def test_every_step_of_the_builder_can_be_undone(document: dict[str, Any], acts: list[str]) -> None:
    form = segment_form.form_of(condition({"kind": "all", "of": [document]}), "SEK")
    before = {name: values for name, values in form.fields.items() if name.startswith("r/")}
    for act in acts:
        segment_acts.changed(form, act)
        assert segment_form.count_of(form) <= segment_form.MOST_ROWS
    while form.all("was"):
        segment_acts.changed(form, "undo")
    assert {name: values for name, values in form.fields.items() if name.startswith("r/")} == before


def test_faults_are_said_at_the_rows_they_come_from() -> None:
    document = {"kind": "all", "of": [
        {"kind": "points", "at_least": 1},
        {"kind": "not", "of": {"kind": "any", "of": [
            {"kind": "orders"}, {"kind": "not", "of": {"kind": "not", "of": {"kind": "trait", "field": "name"}}},
            {"kind": "event", "name": "A", "at_least": 1, "properties": [{"name": "a", "op": "at_least", "value": "x"}]},
        ]}},
    ]}  # fmt: skip
    with pytest.raises(InvalidInput) as caught:
        rules.check(condition(document))
    form = segment_form.form_of(condition(document), "SEK")
    found = {each.field for each in segment_form.at_rows(caught.value, form).errors}
    assert found == {"r/3/at_least", "r/5/values", "r/6/p/0/value"}


def test_sentences_say_what_holds_in_three_languages() -> None:
    said = condition({"kind": "all", "of": [
        {"kind": "orders", "at_least": 2, "within": {"days": 30}},
        {"kind": "not", "of": {"kind": "order_date", "which": "last", "within": {"days": 7}}},
        {"kind": "any", "of": [{"kind": "tagged", "tags": ["vip", "press"]}, {"kind": "points", "at_least": 5}]},
    ]})  # fmt: skip
    told = {
        locale: segment_words.sentence(said, segment_words.Words(locale, {})) for locale in ("en", "sv", "nl")
    }
    assert told["en"] == (
        "People who have placed orders: at least 2 in the last 30 days, and who have not ordered in the last 7 days, "
        "and who (have the tag “vip” or “press”, or who have at least 5 points)."
    )
    assert len(set(told.values())) == 3


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
        ({"kind": "wanted", "stock": "sold_out", "at_most": 5}, "definition.at_most"),
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


def test_sentences_show_names_and_no_ids() -> None:
    """Of what an id is of, also in events; what is gone has no name, and its id says nothing to anybody."""
    number, other = str(uuid4()), str(uuid4())
    seen = condition(
        {
            "kind": "event",
            "name": "Viewed",
            "properties": [{"name": "product_id", "op": "is", "value": number}],
        }
    )
    assert choices.named_in(seen)["variants"] == {number}
    words = segment_words.Words("en", {("variants", number): "Kettle, K-1"})
    assert "product_id is “Kettle, K-1”" in segment_words.sentence(seen, words)
    used = condition({"kind": "promotion", "promotions": [number, other]})
    said = segment_words.sentence(used, segment_words.Words("sv", {("promotions", number): "Höstrea"}))
    assert "“Höstrea” eller något som inte finns längre" in said
    lives = condition({"kind": "trait", "field": "language", "values": ["sv"]})
    assert "“Zweeds”" in segment_words.sentence(lives, segment_words.Words("nl", {}))
