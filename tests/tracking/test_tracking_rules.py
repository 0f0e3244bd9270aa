"""Events of every client come into one form; bodies are unpacked whatever their label says."""

import contextlib
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samlad.tracking.bodies import LARGEST_BODY, given_key, inflate, open_envelope
from samlad.tracking.model import BodyTooLarge, WireProblem
from samlad.tracking.rules import LARGEST_EVENT, Normal, Unfit, corrected, normalise

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
moments = st.datetimes(NOW.replace(2020, tzinfo=None), NOW.replace(2030, tzinfo=None), timezones=st.just(UTC))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def normal(event: dict[str, Any], **fields: Any) -> Normal:
    return normalise(msgspec.json.encode(event), **{"received_at": NOW, **fields})


def unfit(event: Any, **fields: Any) -> str:
    raw = event if isinstance(event, bytes) else msgspec.json.encode(event)
    with pytest.raises(Unfit) as caught:
        normalise(raw, **{"received_at": NOW, **fields})
    return caught.value.reason


TRACK = {"type": "track", "event": "Product Added", "userId": "kim", "messageId": "m1"}


@given(
    happened=moments,
    lag=st.timedeltas(timedelta(0), timedelta(days=1)),
    wrong=st.timedeltas(timedelta(-999), timedelta(999)),
)
def test_however_wrong_a_clock_is_the_time_is_right(
    happened: datetime, lag: timedelta, wrong: timedelta
) -> None:
    """The client's clock is wrong by ``wrong``; the request takes no time, so it arrives when it was sent."""
    received = happened + lag
    assert corrected(happened + wrong, received + wrong, received) == happened


@given(happened=moments, sent=moments | st.none(), received=moments)
def test_nothing_happens_after_it_arrived(
    happened: datetime, sent: datetime | None, received: datetime
) -> None:
    assert corrected(happened, sent, received) <= received


def test_each_clients_times() -> None:
    late = {"timestamp": "2026-11-26T11:00:00Z"}
    # segment-*: sentAt of the batch; rudder-*: originalTimestamp and an own sentAt, which goes before
    assert normal(TRACK | late, sent_at="2026-11-26T11:30:00.000Z").occurred_at == NOW - timedelta(minutes=30)
    rudder = {"originalTimestamp": "2026-11-26T11:00:00.000+00:00", "sentAt": "2026-11-26T11:00:05Z"}
    assert normal(TRACK | rudder, sent_at="2026-11-26T18:00:00Z").occurred_at == NOW - timedelta(seconds=5)
    assert normal(TRACK | late).occurred_at == NOW - timedelta(hours=1)
    assert normal(TRACK).occurred_at == NOW
    epoch = int((NOW - timedelta(minutes=1)).timestamp())
    for number in (epoch, epoch * 1000):
        assert normal(TRACK | {"timestamp": number}).occurred_at == NOW - timedelta(minutes=1)
    assert normal(TRACK | {"timestamp": "2026-11-26T10:00:00"}).occurred_at == NOW - timedelta(hours=2)
    assert normal(TRACK | {"timestamp": None, "originalTimestamp": "2026-11-26T10:00:00Z"}).occurred_at < NOW
    for wrong in ("yesterday", True, [], "0000-00-00", 1e300):
        assert unfit(TRACK | {"timestamp": wrong}) == "timestamp"


def test_each_clients_traits() -> None:
    who = {"type": "identify", "userId": "kim", "messageId": "m"}
    assert normal(who | {"traits": {"a": 1}}).traits == {"a": 1}
    assert normal(who | {"context": {"traits": {"a": 1}}}).traits == {"a": 1}
    both = {"traits": {"a": 1}, "context": {"traits": {"a": 0, "b": 2}}}
    assert normal(who | both).traits == {"a": 1, "b": 2}
    assert normal(who).traits == {}
    assert normal(TRACK | {"context": {"traits": {"a": 1}}}).traits == {"a": 1}
    assert normal(TRACK).traits is None
    group = {
        "type": "group",
        "groupId": 7,
        "userId": "kim",
        "traits": {"size": 3},
        "context": {"traits": {"a": 1}},
    }
    assert (normal(group).traits, normal(group).group_id) == ({"size": 3}, "7")


def test_null_is_nobody() -> None:
    found = normal(TRACK | {"anonymousId": None})
    assert (found.anonymous_id, found.user_id) == (None, "kim")
    for nobody in (None, "", "  "):
        assert unfit(TRACK | {"userId": nobody, "anonymousId": nobody}) == "nobody"
    assert unfit(TRACK | {"userId": {"id": 1}}) == "userId"
    assert unfit(TRACK | {"userId": "x" * 256}) == "userId"


def test_alias_page_and_the_type_of_the_address() -> None:
    assert normal({"type": "alias", "previousId": "a", "userId": "b"}).previous_id == "a"
    assert unfit({"type": "alias", "userId": "b"}) == "alias"
    assert normal({"type": "page", "name": "Front", "anonymousId": "a", "category": "c"}).name == "Front"
    assert normal({"event": "X", "userId": "a"}, route_type="t").type == "track"
    assert normal(TRACK, route_type="p").type == "track"
    assert unfit({"userId": "a"}) == "type"
    assert unfit({"userId": "a", "type": "track"}) == "event"
    assert unfit([1]) == "not-an-object"
    assert unfit(b'{"type":') == "not-json"
    assert unfit(b"[" * 20_000) == "not-json"


def test_a_message_id_is_opaque() -> None:
    for text in ("node-next-1764158400000-0198", "å" * 100, "k3j5h2"):
        assert normal(TRACK | {"messageId": text}).message_id == text
    assert unfit(TRACK | {"messageId": "x" * 101}) == "messageId"
    assert unfit(TRACK | {"messageId": 5}) == "messageId"
    assert normal(TRACK | {"messageId": None}).message_id != normal(TRACK | {"messageId": None}).message_id


def test_what_cannot_be_stored_is_refused() -> None:
    assert unfit(TRACK | {"properties": {"a": ["\0"]}}) == "nul"
    assert unfit(b'{"type":"track","event":"E","userId":"k","properties":{"\\u0000":1}}') == "nul"
    assert normal(TRACK | {"properties": {"a": "\\u0000"}}).payload["properties"] == {"a": "\\u0000"}
    big = TRACK | {"properties": {"a": "x" * LARGEST_EVENT}}
    assert unfit(big) == "too-large"


def test_consent_is_kept_as_it_came() -> None:
    stamp = {"categoryPreferences": {"functional": True, "targeting": False}}
    assert normal(TRACK | {"context": {"consent": stamp}}).consent == {"consent": stamp}
    rudder = {"provider": "custom", "allowedConsentIds": [], "deniedConsentIds": ["x"]}
    assert normal(TRACK | {"context": {"consentManagement": rudder}}).consent == {"consentManagement": rudder}
    assert normal(TRACK).consent is None


def test_keys_and_card_numbers_are_not_kept_and_numbers_of_goods_are() -> None:
    event = TRACK | {
        "writeKey": "wk_secret",
        "properties": {"note": "4111 1111 1111 1111 12/27", "gtin": "4006381333931", "at": "1764158400000"},
    }
    kept = normal(event).payload
    assert "writeKey" not in kept
    assert kept["properties"]["note"] == "[card number removed] 12/27"
    assert (kept["properties"]["gtin"], kept["properties"]["at"]) == ("4006381333931", "1764158400000")


SEPARATORS = ["", " ", "-", ".", ",", ":", "/", "_", "\t", "\u00a0", "\u2009", "\u202f", "\u2013", "\u2014"]


@given(
    st.lists(st.tuples(st.sampled_from(SEPARATORS), st.sampled_from(SEPARATORS)), min_size=15, max_size=15),
    st.booleans(),
    st.booleans(),
)
def test_no_way_to_write_a_card_number_gets_past_the_first_look(
    between: list[tuple[str, str]], is_wide: bool, is_ascii: bool
) -> None:
    digits = "4111111111111111"
    number = digits[0] + "".join(a + b + digit for (a, b), digit in zip(between, digits[1:], strict=True))
    if is_wide:
        number = number.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    raw = json.dumps(TRACK | {"properties": {"note": f"it is {number}"}}, ensure_ascii=is_ascii).encode()
    assert "[card number removed]" in normalise(raw, received_at=NOW).payload["properties"]["note"]


def check_told(verdict: Unfit) -> None:
    assert verdict.detail
    assert verdict.reason


@given(event=st.dictionaries(st.sampled_from(
    ["type", "event", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp", "sentAt", "traits",
     "context", "properties", "name", "writeKey"]), json_values | st.sampled_from(["track", "identify", "alias"])),
    sent=json_values)  # fmt: skip
def test_whatever_comes_there_is_a_verdict(event: dict[str, Any], sent: Any) -> None:
    try:
        found = normal(event, sent_at=sent)
    except Unfit as verdict:
        check_told(verdict)
    else:
        assert found.user_id or found.anonymous_id
        assert found.occurred_at <= NOW
        assert 1 <= len(found.message_id) <= 100
        again = normal(found.payload | {"messageId": found.message_id}, sent_at=sent)
        assert msgspec.structs.replace(again, payload={}) == msgspec.structs.replace(found, payload={})


@given(raw=st.binary(max_size=60))
@example(raw=b'"\\ud800"')
def test_any_bytes_get_a_verdict(raw: bytes) -> None:
    with pytest.raises(Unfit):
        normalise(raw, received_at=NOW)


@given(parts=st.lists(st.binary(max_size=200), min_size=1, max_size=4))
def test_gzip_is_unpacked_in_pieces_too(parts: list[bytes]) -> None:
    packed = b"".join(gzip.compress(part) for part in parts)
    assert inflate(packed) == b"".join(parts)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * (200 * 1024 * 1024))
    with pytest.raises(BodyTooLarge):
        inflate(bomb)
    with pytest.raises(BodyTooLarge):
        inflate(gzip.compress(b"x" * LARGEST_BODY) + gzip.compress(b"y"))
    for broken in (gzip.compress(b"{}")[:-4], b"\x1f\x8bnothing"):
        with pytest.raises(WireProblem):
            inflate(broken)


@given(body=st.binary(max_size=100))
def test_any_body_is_an_envelope_or_refused(body: bytes) -> None:
    for is_batch in (True, False):
        with contextlib.suppress(WireProblem):
            assert open_envelope(body, is_batch=is_batch).events


def test_an_envelope() -> None:
    found = open_envelope(
        b' {"batch":[{"a":1},7],"sentAt":"x","writeKey":"k","timestamp":"y"} ', is_batch=True
    )
    assert (found.events, found.sent_at, found.write_key) == ([b'{"a":1}', b"7"], "x", "k")
    assert open_envelope(b'{"batch":[]}', is_batch=True).events == []
    one = open_envelope(b'{"type":"track"}', is_batch=False)
    assert one.events == [b'{"type":"track"}']
    for wrong in (b"", b"[]", b"{}", b'{"batch":{}}', b'{"batch":[{]}', b"a=b&c=d"):
        with pytest.raises(WireProblem):
            open_envelope(wrong, is_batch=True)


def test_where_the_key_is() -> None:
    basic = "Basic d2tfYjo="  # wk_b:
    every = {"authorization": basic, "x-write-key": "wk_x:secret"}
    assert given_key({"authorization": "Bearer wk_a"} | {}, "wk_q", "wk_i") == "wk_a"
    assert given_key(every, "wk_q", "wk_i") == "wk_b"
    assert given_key({"x-write-key": "wk_x:secret"}, "wk_q", "wk_i") == "wk_x"
    assert given_key({}, "wk_q", "wk_i") == "wk_q"
    assert given_key({}, None, "wk_i:***") == "wk_i"
    assert given_key({"authorization": "Basic ###"}, None, None) is None
    assert given_key({}, "", None) is None
