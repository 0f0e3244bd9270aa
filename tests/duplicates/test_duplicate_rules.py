"""Cards, scores and keys are pure; and what is learnt and scored in process is what Splink says."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from doubles import POOL, customers
from hypothesis import given
from hypothesis import strategies as st

from samlad.duplicates import rules, training
from samlad.duplicates.cards import Raw, card_of
from samlad.duplicates.comparing import DEFAULT, FIELDS
from samlad.duplicates.model import Evidence, PoolSettings, Record, Score

TEXT = st.text("abdeö", min_size=1, max_size=6)
RECORDS = st.fixed_dictionaries({field: st.none() | TEXT for field in FIELDS})


def raw(**fields: Any) -> Raw:
    given: dict[str, Any] = dict.fromkeys(("name", "email", "phone", "country", "address"))
    return Raw(id=uuid4(), pool=POOL, **given | fields)


def levels(one: Raw, other: Raw) -> dict[str, str]:
    found = rules.score(DEFAULT, {}, card_of(one), card_of(other))
    return {each.comparison: each.level for each in found.evidence}


def test_a_card_has_what_is_compared_in_its_normal_form() -> None:
    address = {"line1": "Stora Gatan 5", "postal_code": "211 34", "country": "SE"}
    card = card_of(
        raw(
            name="ÖBERG, Åsa",
            email="Asa.Oberg+shop@Gmail.com",
            phone="070-123 45 67",
            country="SE",
            address=address,
        )
    )
    assert card == {
        "given": "asa",
        "family": "oberg",
        "name": "asa oberg",
        "email": "asaoberg@gmail.com",
        "mailbox": "asaoberg",
        "phone": "+46701234567",
        "street": "storag5",
        "postcode": "SE|21134",
        "address": "SE|21134|storag5",
    }
    assert set(card) == set(FIELDS)
    assert card_of(raw(name="Åsa  Maria Öberg"))["family"] == "oberg"
    assert card_of(raw(name="Иван"))["given"] == "ivan"
    assert card_of(raw(email="info@example.org"))["mailbox"] is None, "too short to say who somebody is"
    assert set(card_of(raw(name="!", phone="12", address={"line1": "", "postal_code": ""})).values()) == {
        None
    }


def test_levels() -> None:
    kim = raw(name="Kim Berg", email="kim.berg@example.org", phone="+46701234567")
    assert levels(kim, raw(name="Berg Kim", email="kim.berg@mail.se", phone="+46701234576")) == {
        "given": "swapped",
        "family": "swapped",
        "email": "same-mailbox",
        "phone": "different",
        "address": "unknown",
    }
    assert levels(kim, raw(name="Kim Bergh", email="kim.bergh@example.org", phone="+46701234568")) == {
        "given": "same",
        "family": "similar",
        "email": "similar",
        "phone": "similar",
        "address": "unknown",
    }


@given(RECORDS, RECORDS)
def test_a_score_is_the_same_both_ways_and_adds_up(one: Record, other: Record) -> None:
    there, back = rules.score(DEFAULT, {}, one, other), rules.score(DEFAULT, {}, other, one)
    assert there == back
    assert there.weight == pytest.approx(there.prior + sum(each.bits for each in there.evidence))
    assert 0 <= there.probability <= 1
    assert all((each.bits == 0) == (each.level == rules.UNKNOWN) for each in there.evidence)


@given(RECORDS)
def test_who_is_the_same_is_found_by_every_key(record: Record) -> None:
    keys = rules.keys_of(record)
    assert len(set(keys)) == len(keys)
    assert keys == rules.keys_of(dict(record))
    assert any(key.startswith("email|") for key in keys) == (record["email"] is not None)


def found(given: str, *strong: str, weight: float = 20.0) -> Score:
    evidence = [Evidence("given", given, 1.0), *(Evidence(name, "same", 1.0) for name in strong)]
    return Score(weight, -10, tuple(evidence))


def test_only_what_is_sure_twice_is_merged_without_asking() -> None:
    on = PoolSettings(pool=POOL, automatic=True)
    assert rules.is_automatic(on, found("same", "email", "phone"))
    assert not rules.is_automatic(PoolSettings(pool=POOL), found("same", "email", "phone")), "off as it comes"
    assert not rules.is_automatic(on, found("same", "email")), "one strong field is not enough"
    assert not rules.is_automatic(on, found("different", "phone", "address")), "a household"
    assert not rules.is_automatic(on, found("unknown", "phone", "address"))
    assert not rules.is_automatic(on, found("same", "email", "phone", weight=9.0))
    assert rules.contradict([("external_id", "1")], [("external_id", "2")])
    assert not rules.contradict([("external_id", "1")], [("external_id", "1"), ("external_id", "2")])
    assert not rules.contradict([("external_id", "1")], [("loyalty", "2")])


def test_in_process_is_splink_to_the_last_digit(tmp_path: Path) -> None:
    """What `training.predict` (Splink) says of each pair, a pure function says too; and it finds who is who."""
    rows, same = customers(900)
    records = {str(row.id): card_of(row) for row in rows}
    training.write_people(tmp_path / "people.csv", training.SHAPE.fields, records.items())
    base = training.open_people(tmp_path)
    try:
        assert training.load_people(base, tmp_path / "people.csv") == len(rows)
        learnt = training.learn(base, random_pairs=200_000)
        pairs = [pair for few in training.predict(base, learnt.model, least=1e-9) for pair in few]
        shipped = [pair for few in training.predict(base, DEFAULT, least=1e-9) for pair in few]
    finally:
        base.close()
    assert len(pairs) > 500
    for model, shares, scored in ((learnt.model, learnt.shares, pairs), (DEFAULT, {}, shipped)):
        for one, other, weight in scored:
            ours = rules.score(model, shares, records[one], records[other])
            assert ours.weight == pytest.approx(weight, abs=1e-6)
    blocked = {frozenset((one, other)) for one, other, _ in pairs}
    keys: dict[str, list[str]] = {}
    for key, record in records.items():
        for each in rules.keys_of(record):
            keys.setdefault(each, []).append(key)
    ours_blocked = {
        frozenset((one, other))
        for who in keys.values()
        if len(who) <= 200
        for one in who
        for other in who
        if one < other
    }
    assert blocked <= ours_blocked
    assert all(
        rules.score(learnt.model, learnt.shares, *(records[each] for each in two)).probability < 1e-8
        for two in ours_blocked - blocked
    )
    sure = {
        two
        for two in blocked
        if rules.score(learnt.model, learnt.shares, *(records[e] for e in two)).probability >= 0.9
    }
    truth = {frozenset(str(each) for each in two) for two in same}
    assert len(sure & truth) / len(sure) > 0.95
    assert len(sure & truth) / len(truth) > 0.6, "a fifth has only the name in common, and nobody could tell"
    for comparison in learnt.model.comparisons:
        assert sum(level.m for level in comparison.levels) == pytest.approx(1)
    few = training.FEW / len(rows)
    assert all(share > few for values in learnt.shares.values() for share in values.values()), (
        "rare names are not kept"
    )


@given(st.dictionaries(st.integers(2, 200), st.integers(1, 50), max_size=30), st.integers(0, 100_000))
def test_a_block_makes_no_more_pairs_than_it_may(sizes: dict[int, int], most: int) -> None:
    largest = rules.largest_block(sorted(sizes.items()), most)
    made = {size: size * (size - 1) // 2 * keys for size, keys in sizes.items()}
    assert sum(pairs for size, pairs in made.items() if size <= largest) <= most
    bigger = [size for size in sorted(sizes) if size > largest]
    if bigger:
        assert sum(pairs for size, pairs in made.items() if size <= bigger[0]) > most, "as many as may be"
    else:
        assert largest <= 200
