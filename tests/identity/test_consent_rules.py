"""What holds is a function of the ledger: the order of arrival and merges leave no trace."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from samlad.consent.model import Answer, Level, Purpose
from samlad.consent.rules import deciding, ends, standing

START = datetime(2026, 11, 1, tzinfo=UTC)
_numbers = itertools.count(1)


class Line(msgspec.Struct, frozen=True):
    id: UUID
    node: UUID
    answer: Answer
    level: Level
    answered_at: datetime
    until: datetime | None


def purpose(least: Level = Level.CLAIMED, days: int | None = None) -> Purpose:
    return Purpose(
        code="ads",
        kind="purpose",
        category="targeting",
        is_always=False,
        least=least,
        days=days,
        names={},
        position=1,
        version=1,
        updated_at=START,
    )


def line(answer: Answer, hour: int, *, node: int = 1, level: int = 0, until: int | None = None) -> Line:
    return Line(
        UUID(int=next(_numbers)),
        UUID(int=node),
        answer,
        Level(level),
        START + timedelta(hours=hour),
        None if until is None else START + timedelta(hours=until),
    )


yes, no = Answer.GRANTED, Answer.DENIED
lines = st.lists(
    st.builds(
        line,
        st.sampled_from(Answer),
        st.integers(0, 6),
        node=st.integers(1, 3),
        level=st.integers(0, 2),
        until=st.none() | st.integers(1, 8),
    ),
    max_size=8,
)
at_hours = st.integers(0, 9).map(lambda hour: START + timedelta(hours=hour))


def allowed(
    entries: list[Line], at: datetime = START + timedelta(days=1), least: Level = Level.CLAIMED
) -> bool:
    return deciding(entries, purpose(least), at) is not None


def test_what_the_words_say() -> None:
    assert not allowed([])
    assert allowed([line(yes, 1)])
    assert not allowed([line(yes, 1), line(no, 1)])  # at the same time: no
    assert allowed([line(no, 1), line(yes, 2)])  # they changed their mind
    assert not allowed([line(no, 1, node=1), line(yes, 2, node=2, level=1)])  # two who are found to be one
    assert allowed([line(no, 1, node=1), line(yes, 2, node=2, level=2)])  # unless the later yes was proved
    assert not allowed([line(yes, 1, node=2, level=2), line(no, 2, node=1)])
    assert not allowed(
        [line(no, 1, level=2), line(yes, 2, level=0)]
    )  # anybody can claim: it overrules no proof
    assert not allowed([line(yes, 1, level=1)], least=Level.VERIFIED)
    assert not allowed([line(yes, 1, until=24)])  # it ends with the moment, not after it
    assert allowed([line(yes, 1, until=25)])
    assert not allowed([line(yes, 48)])


@given(entries=lines, at=at_hours, data=st.data())
def test_no_order_and_no_repetition_changes_it(
    entries: list[Line], at: datetime, data: st.DataObject
) -> None:
    other = data.draw(st.permutations(entries)) + data.draw(st.permutations(entries))[:2]
    assert standing(entries, purpose(), at) == standing(other, purpose(), at)


@given(entries=lines, at=at_hours)
def test_merging_never_allows_what_a_denial_forbids(entries: list[Line], at: datetime) -> None:
    """Whoever is found to be several people has no more than one of them had by a yes that counts against every no."""
    grant = deciding(entries, purpose(), at)
    denials = [each for each in entries if each.answer == no and each.answered_at <= at]
    if grant is not None:
        others = [each for each in denials if each.node != grant.node]
        assert all(each.answered_at < grant.answered_at for each in denials)
        assert not others or grant.level == Level.VERIFIED
        alone = [each for each in entries if each.node == grant.node]
        assert deciding(alone, purpose(), at) is not None
    more = [*entries, line(no, 9, node=9)]
    assert deciding(more, purpose(), START + timedelta(hours=9)) is None


@given(
    answer=st.sampled_from(Answer),
    days=st.none() | st.integers(1, 400),
    until=st.none() | st.integers(1, 400),
)
def test_a_grant_ends_no_later_than_its_purpose_lets_it(
    answer: Answer, days: int | None, until: int | None
) -> None:
    wanted = None if until is None else START + timedelta(days=until)
    found = ends(purpose(days=days), answer, START, wanted)
    given_days = [each for each in (days, until) if each is not None]
    expected = None if answer == no or not given_days else START + timedelta(days=min(given_days))
    assert found == expected
