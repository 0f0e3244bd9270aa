"""Sales of tills, judged: whatever was sent has one name, no time to come, and sums that say what is wrong."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel import cards
from samlad.tills import rules
from samlad.tills.model import Sale, SoldLine, SoldReduction, SoldTender

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ENTRIES = st.dictionaries(st.text(max_size=10), JSON, max_size=6)


def sale(**fields: Any) -> Sale:
    line = SoldLine(variant=uuid4(), quantity=2, unit_price=500, tax_rate=2500, tax=200, total=1000)
    return Sale(
        **{
            "id": uuid4(),
            "till": uuid4(),
            "sequence": 7,
            "happened_at": NOW - timedelta(hours=1),
            "lines": [line],
            "tenders": [SoldTender(kind="cash", amount=1000)],
            "total": 1000,
            "currency": "SEK",
            **fields,
        }
    )


@given(ENTRIES, st.randoms())
def test_an_entry_is_known_by_its_content_however_it_is_written(entry: dict[str, Any], chance: Any) -> None:
    mixed = list(entry.items())
    chance.shuffle(mixed)
    content = rules.digest(entry)
    assert rules.digest(dict(mixed)) == content
    assert rules.digest(json.loads(json.dumps(entry))) == content
    assert rules.digest({**entry, "more": 1}) != content
    name = rules.name_of(entry, content)
    assert name == rules.name_of(dict(mixed), content)
    assert rules.beside(name, content) != name
    assert isinstance(rules.read(entry), str)  # and never an error
    kept = rules.to_keep(entry)
    assert "\x00" not in msgspec.json.encode(kept).decode()
    assert rules.to_keep(kept) == kept
    total = rules.total_of(entry)
    assert total is None or -(2**62) < total < 2**62


def test_a_number_that_is_kept_as_text_is_no_card_number_either() -> None:
    kept = rules.to_keep({"": 9783342413549070336})
    assert kept == {"": cards.REDACTED}
    assert rules.to_keep(kept) == kept


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-(2**53), 2**53))
def test_no_sale_is_in_the_future(told: datetime, offset: int) -> None:
    at, objections = rules.when(sale(happened_at=told, clock_offset_ms=offset), NOW)
    assert at <= NOW
    if not objections:
        assert at == min(NOW, told + timedelta(milliseconds=offset))
        assert abs(timedelta(milliseconds=offset)) <= rules.WRONG_CLOCK
        assert NOW - at <= rules.OLD


def test_a_clock_is_set_right_by_what_it_was_off() -> None:
    slow = sale(happened_at=NOW - timedelta(hours=3), clock_offset_ms=3_600_000)
    assert rules.when(slow, NOW) == (NOW - timedelta(hours=2), [])
    assert rules.when(sale(happened_at=NOW + timedelta(minutes=2)), NOW) == (NOW, [])
    assert rules.when(slow, NOW)[0].tzinfo is not None


@given(st.integers(-500, 500), st.integers(-40, 40), st.booleans())
def test_what_was_paid_more_or_less_is_told(more: int, rounding: int, included: bool) -> None:
    line = SoldLine(
        variant=uuid4(),
        quantity=3,
        unit_price=400,
        reductions=[SoldReduction(amount=200)],
        tax_rate=2500,
        tax=200 if included else 250,
        total=1000 if included else 1250,
    )
    due = line.total + rounding
    rung = sale(
        lines=[line],
        total=line.total,
        rounding=rounding,
        tenders=[SoldTender(kind="card", amount=due + more)],
    )
    difference, objections = rules.sums(rung, tax_included=included)
    assert difference == more
    assert [each.code for each in objections] == (["paid"] if more else [])
    wrong = msgspec.structs.replace(rung, total=line.total + 1)
    assert "sums" in [each.code for each in rules.sums(wrong, tax_included=included)[1]]


def test_what_a_receipt_says() -> None:
    rung = sale(till=UUID("11111111-1111-4111-8111-11111111c0de"), sequence=42)
    assert rung.reference == "C0DE-000042"
