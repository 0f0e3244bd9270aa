"""What is compared: the same in every spelling, and nothing that is nobody's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samlad.identity import normalising
from samlad.identity.model import How, Kind, Rules
from samlad.identity.reconciling import reconcile
from samlad.identity.views import FieldValue
from samlad.kernel.clock import now
from samlad.kernel.ids import new_id


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (" Kim@Example.ORG ", "kim@example.org"),
        ("ｋｉｍ@example.org", "kim@example.org"),
        ("kim@Åland.fi", "kim@xn--land-poa.fi"),
        ("kim@xn--land-poa.fi", "kim@xn--land-poa.fi"),
        ("kim", None),
        ("kim@", None),
        ("kim@exa mple.org", None),
        ("a@b..c", None),
    ],
)
def test_addresses(text: str, normal: str | None) -> None:
    assert normalising.email(text) == normal


@pytest.mark.parametrize(
    ("text", "country", "normal"),
    [
        ("070-123 45 67", "SE", "+46701234567"),
        ("+46 (0)70 123 45 67", None, "+46701234567"),
        ("06 12345678", "NL", "+31612345678"),
        ("070-123 45 67", None, None),
        ("12", "SE", None),
        ("call me", "SE", None),
    ],
)
def test_phones(text: str, country: str | None, normal: str | None) -> None:
    assert normalising.phone(text, country) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Åsa Öberg", "OBERG, Asa"),
        ("Иван Петров", "Ivan Petrov"),
        ("Ｋｉｍ", "kim"),
        ("Jürgen Groß", "jurgen GROSS"),
        ("王小明", "王小明 "),
    ],
)
def test_names_in_every_script(one: str, other: str) -> None:
    assert normalising.name(one) == normalising.name(other) != ""


def test_streets_by_country() -> None:
    same = normalising.address("Stora gatan 5 B", "111 22", "SE")
    assert same == normalising.address("STORA G. 5B", "11122", "SE")
    assert same != normalising.address("Stora gatan 5 B", "111 22", "NO")
    assert normalising.address("Lange Straße 1", "10115", "DE") == normalising.address(
        "Lange Str. 1", "10115", "DE"
    )
    assert normalising.address("10 High Street", "sw1a 1aa", "GB") == normalising.address(
        "10 High St.", "SW1A1AA", "GB"
    )


@settings(deadline=None)
@given(st.sampled_from(Kind), st.text())
def test_any_text_has_one_normal_form_or_none(kind: Kind, text: str) -> None:
    normal = normalising.identifier(kind, text)
    if normal is not None:
        assert normalising.identifier(kind, normal) == normal
        assert "\0" not in normal
        assert normal.strip()


def said(customer: str, name: str | None, minute: int, source: str = "web") -> FieldValue:
    return FieldValue(
        customer=IDS[customer],
        field="name",
        value=name,
        source=source,
        event_id=str(minute),
        channel=None,
        observed_at=now().replace(hour=9, minute=minute),
    )


IDS = {name: new_id() for name in ("one", "other")}
SAID = [
    said("one", "Kim Berg", 1, "till"),
    said("one", "KIM BERG", 2, "web"),
    said("other", "Kimmie", 3, "app"),
    said("other", None, 4, "mail"),
]


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        (How.MOST_RECENT, "Kimmie"),
        (How.MOST_FREQUENT, "KIM BERG"),
        (How.SOURCE_ORDER, "Kim Berg"),
        (How.NEVER, None),
    ],
)
def test_a_field_shows_what_the_rule_says_and_keeps_all(how: How, shown: str | None) -> None:
    rules = Rules(fields={"name": how}, source_order=["till"])
    field = reconcile(SAID, "name", rules)
    assert field.value == shown
    assert len(field.values) == 4
    assert reconcile(list(reversed(SAID)), "name", rules) == field
    assert reconcile(SAID[:2], "name", Rules(fields={"name": How.NEVER})).value == "KIM BERG", (
        "they do not differ"
    )
