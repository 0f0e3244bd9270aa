"""What is to be sent, and how long to wait: without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receivers import sha

from samlad.destinations import rules
from samlad.destinations.strategies import STRATEGIES, faults

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
people = st.integers(0, 3).map(lambda number: UUID(int=number))
digests = st.tuples(st.sampled_from(["email", "phone"]), st.sampled_from("abcd"))


@given(
    st.dictionaries(people, st.sets(digests)),
    st.dictionaries(people, st.dictionaries(digests, st.booleans())),
    st.sets(digests),
)
def test_after_what_is_sent_the_receiver_has_what_somebody_needs(
    wanted: dict[UUID, set[tuple[str, str]]],
    sent: dict[UUID, dict[tuple[str, str], bool]],
    elsewhere: set[tuple[str, str]],
) -> None:
    """Also when hashes are shared, and when it is unknown whether the receiver has what was not confirmed."""
    found = rules.changes(wanted, sent, elsewhere)
    removed = {("email", d) for each in found.removes for d in each.emails}
    removed |= {("phone", d) for each in found.removes for d in each.phones}
    added = {("email", d) for each in found.adds for d in each.emails}
    added |= {("phone", d) for each in found.adds for d in each.phones}
    needed = set().union(*wanted.values())
    confirmed = {each for have in sent.values() for each, is_sure in have.items() if is_sure}
    maybe = {each for have in sent.values() for each in have}
    for before in (confirmed, maybe):
        after = ((before | elsewhere) - removed) | added
        assert needed <= after
        assert after <= needed | elsewhere


@given(st.integers(0, 60), st.none() | st.text(max_size=8) | st.integers(0, 10**7).map(str))
def test_pauses_grow_and_end(failures: int, asked: str | None) -> None:
    wait = rules.pause(failures, asked, NOW)
    assert timedelta(seconds=30) <= wait <= timedelta(days=1)
    assert rules.pause(failures + 1, None, NOW) >= rules.pause(failures, None, NOW)
    assert rules.pause(1, "Thu, 26 Nov 2026 14:00:00 GMT", NOW) == timedelta(hours=2)


def test_texts_are_hashed_as_each_receiver_does() -> None:
    """Google strips the dots and suffixes of its own addresses; Meta takes numbers without the plus."""
    by_style = {
        style: rules.digests(" Kim.Lee+x@Gmail.com", "070-123 45 67", "SE", style)
        for style in ("google", "meta", "plain")
    }
    assert by_style["google"] == {("email", sha("kimlee@gmail.com")), ("phone", sha("+46701234567"))}
    assert by_style["meta"] == {("email", sha("kim.lee+x@gmail.com")), ("phone", sha("46701234567"))}
    assert by_style["plain"] == {("email", sha("kim.lee+x@gmail.com")), ("phone", sha("+46701234567"))}


def test_a_signature_is_that_of_standard_webhooks() -> None:
    """The vector of the specification."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert rules.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@pytest.mark.parametrize(
    ("strategy", "config", "fields"),
    [
        ("webhook", {"url": "http://x.example", "secret": "short"}, {"url", "secret"}),
        ("meta", {"audience": "abc", "odd": "1"}, {"audience", "token", "odd"}),
        ("file", {"folder": "../secret"}, {"folder"}),
    ],
)
def test_what_is_wrong_with_a_way_in_is_said(strategy: str, config: dict[str, str], fields: set[str]) -> None:
    assert {name for name, _ in faults(STRATEGIES[strategy], config)} == fields
