"""Who is one person: the same in any order, nobody merged who must not be, and every decision can be taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from samlad.identity.evidence import Key, Partition, Pin, Seen
from samlad.identity.model import AuthLevel, DeviceClass, Kind, PinKind, Rules
from samlad.identity.rules import resolve

MORNING = datetime(2026, 11, 26, 9, tzinfo=UTC)
RULES = Rules()


def key(text: str) -> Key:
    kind, _, value = text.partition(":")
    return Key(Kind(kind), value)


def seen(number: int, *keys: str, auth: AuthLevel = AuthLevel.AUTHENTICATED, **more: Any) -> Seen:
    at = more.pop("at", MORNING + timedelta(minutes=number))
    found = tuple(key(text) for text in keys)
    return Seen(id=f"{number:04}", keys=found, ceilings=(None,) * len(found), auth=auth, at=at, **more)


def tablet(number: int, *keys: str, **more: Any) -> Seen:
    """A moment at a tablet in the store, whose anonymous id is always the same."""
    device = more.pop("device", Key(Kind.ANONYMOUS, "tablet"))
    moment = f"sighting:{number}"
    return seen(
        number,
        *keys,
        *(() if keys else (moment,)),
        auth=more.pop("auth", AuthLevel.CLAIMED),
        device_class=DeviceClass.SHARED,
        device=device,
        **more,
    )


def people(found: Partition) -> set[frozenset[str]]:
    return {frozenset(f"{k.kind}:{k.value}" for k in group) for group in found.groups}


def together(found: Partition, *keys: str) -> bool:
    return any(all(key(text) in group for text in keys) for group in found.groups)


def test_a_device_belongs_to_who_is_named_on_it() -> None:
    found = resolve([seen(1, "anonymous:x", "external_id:A", auth=AuthLevel.CLAIMED)], RULES)
    assert people(found) == {frozenset({"anonymous:x", "external_id:A"})}
    assert not found.known, "whoever holds a browser key may claim to be anybody"


def test_two_numbers_never_merge_and_the_weakest_link_goes() -> None:
    found = resolve(
        [
            seen(1, "external_id:A", "email:kim@example.org"),
            seen(2, "external_id:B", "email:lo@example.org"),
            seen(3, "anonymous:x", "external_id:A"),
            seen(4, "anonymous:x", "external_id:B"),
        ],
        RULES,
    )
    assert together(found, "external_id:A", "email:kim@example.org", "anonymous:x")
    assert not together(found, "external_id:A", "external_id:B")
    assert [(r.left.value, r.right.value, r.reason) for r in found.refused] == [("x", "B", "limit")]


def test_what_anybody_can_claim_joins_no_two_that_are_known() -> None:
    mine, yours = (
        seen(1, "login:kim", "email:kim@example.org", auth=AuthLevel.VERIFIED),
        seen(2, "customer:lo", "email:lo@example.org"),
    )
    claimed = seen(3, "login:kim", "email:lo@example.org", auth=AuthLevel.CLAIMED)
    found = resolve([mine, yours, claimed], RULES)
    assert not together(found, "login:kim", "email:lo@example.org")
    assert [r.reason for r in found.refused] == ["weak"]
    proved = seen(3, "login:kim", "email:lo@example.org", auth=AuthLevel.VERIFIED)
    assert together(resolve([mine, yours, proved], RULES), "login:kim", "customer:lo")


def test_a_value_of_too_many_is_quarantined_and_its_links_are_taken_back() -> None:
    sightings = [seen(n, "email:shared@example.org", f"external_id:{n}") for n in range(5)]
    before = resolve(sightings, RULES)
    assert not before.quarantined
    assert together(before, "email:shared@example.org", "external_id:0")
    after = resolve([*sightings, seen(9, "email:shared@example.org", "external_id:9")], RULES)
    assert after.quarantined == {key("email:shared@example.org"): 6}
    assert all(len(group) == 1 for group in after.groups)
    free = Pin(1, PinKind.RELEASE, frozenset({key("email:shared@example.org")}))
    released = resolve([*sightings, seen(9, "email:shared@example.org", "external_id:9")], RULES, [free])
    assert together(released, "email:shared@example.org", "external_id:0")


def test_nobody_quarantines_an_address_by_claiming_it() -> None:
    own = seen(1, "login:kim", "email:kim@example.org", auth=AuthLevel.VERIFIED)
    claims = [seen(n, f"login:l{n}", "email:kim@example.org", auth=AuthLevel.CLAIMED) for n in range(2, 20)]
    found = resolve([own, *claims], RULES)
    assert not found.quarantined
    assert together(found, "login:kim", "email:kim@example.org")


@pytest.mark.parametrize("value", ["email:info@example.org", "email:NoReply@example.org".lower()])
def test_a_mailbox_of_a_role_links_nobody(value: str) -> None:
    found = resolve([seen(1, value, "external_id:A"), seen(2, value, "loyalty:B")], RULES)
    assert found.blocked == {key(value)}
    assert all(len(group) == 1 for group in found.groups)


def test_addresses_of_one_mailbox_are_one_by_policy() -> None:
    sightings = [
        seen(1, "customer:1", "email:kim.berg@gmail.com"),
        seen(2, "customer:2", "email:kimberg+shop@googlemail.com"),
        seen(3, "customer:3", "email:kim.berg@example.org"),
        seen(4, "customer:4", "email:kim.berg+shop@example.org"),
    ]
    found = resolve(sightings, RULES)
    assert together(found, "customer:1", "customer:2")
    assert not together(found, "customer:3", "customer:4")
    strict = resolve(sightings, Rules(plus_domains=[], dot_domains=[]))
    assert not together(strict, "customer:1", "customer:2")
    lax = resolve(sightings, Rules(plus_domains=["*"], dot_domains=["*"]))
    assert together(lax, "customer:3", "customer:4")


# Three clients at a tablet in the store: identify(A), identify(B) without a reset, reset(), identify(C), with a page
# seen after each (event-api-wire.md, 6). What differs is when they change their anonymous id.
CLIENTS = {
    "analytics-next": ("a1", "a2", "a3"),
    "rudder-js": ("a1", "a1", "a1"),
    "jitsu": ("a1", "a1", "a2"),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_tablet_in_the_store_keeps_three_people_apart(client: str) -> None:
    sightings = [
        seen(100 + n, f"external_id:{who}", f"email:{who}@example.org") for n, who in enumerate("ABC")
    ]
    for number, (who, anonymous) in enumerate(zip("ABC", CLIENTS[client], strict=True)):
        device = Key(Kind.ANONYMOUS, anonymous)
        sightings += [
            tablet(10 * number, f"external_id:{who}", device=device),
            tablet(10 * number + 1, device=device),
            tablet(10 * number + 2, f"external_id:{who}", device=device),
        ]
    found = resolve(sightings, RULES)
    for number, who in enumerate("ABC"):
        assert together(
            found, f"external_id:{who}", f"email:{who}@example.org", f"sighting:{10 * number + 1}"
        )
    assert not together(found, "external_id:A", "external_id:B")
    assert not together(found, "external_id:B", "external_id:C")
    assert not found.refused, "nobody has to look at it"


@pytest.mark.parametrize("client", CLIENTS)
def test_on_a_device_of_ones_own_the_same_merges_nobody_either(client: str) -> None:
    found = resolve(
        [
            seen(n, f"external_id:{who}", f"anonymous:{anonymous}", auth=AuthLevel.CLAIMED)
            for n, (who, anonymous) in enumerate(zip("ABC", CLIENTS[client], strict=True))
        ],
        RULES,
    )
    for one, other in ("AB", "BC", "AC"):
        assert not together(found, f"external_id:{one}", f"external_id:{other}")


def test_sessions_at_a_shared_device_end() -> None:
    browsing = tablet(1)
    signed_in = tablet(2, "login:kim", auth=AuthLevel.VERIFIED)
    paid = tablet(3, ends_session=True)
    next_one = tablet(4)
    found = resolve([browsing, signed_in, paid, next_one], RULES)
    assert people(found) == {
        frozenset({"sighting:1", "sighting:3", "login:kim"}),
        frozenset({"sighting:4"}),
    }
    idle = resolve([signed_in, tablet(33)], RULES)
    assert not together(idle, "login:kim", "sighting:33")
    within = resolve([signed_in, tablet(32)], RULES)
    assert together(within, "login:kim", "sighting:32")
    renamed = resolve(
        [tablet(1, "login:kim", auth=AuthLevel.VERIFIED, session="s1"), tablet(2, session="s2")], RULES
    )
    assert not together(renamed, "login:kim", "sighting:2")


def test_nobody_knows_whose_the_moments_before_another_were() -> None:
    found = resolve([tablet(1, "login:kim"), tablet(2), tablet(3, "login:lo"), tablet(4)], RULES)
    assert people(found) == {
        frozenset({"login:kim"}),
        frozenset({"sighting:2"}),
        frozenset({"login:lo", "sighting:4"}),
    }


KEYS = [
    *(f"{kind}:{n}" for kind in ("customer", "login", "external_id", "loyalty") for n in range(3)),
    *(f"email:{n}@example.org" for n in ("kim", "lo", "info", "kim+a")),
    *(f"{kind}:{n}" for kind in ("anonymous", "device") for n in range(3)),
]


@st.composite
def sightings(draw: st.DrawFn) -> list[Seen]:
    found = []
    for number in range(draw(st.integers(1, 14))):
        auth = draw(st.sampled_from(AuthLevel))
        at = MORNING + timedelta(minutes=draw(st.integers(0, 90)))
        if draw(st.integers(0, 3)) == 0:
            named = draw(st.lists(st.sampled_from(KEYS[:16]), max_size=1))
            found.append(tablet(number, *named, auth=auth, at=at, ends_session=draw(st.booleans())))
        else:
            some = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
            found.append(seen(number, *some, auth=auth, at=at))
    return found


RULE_SETS = st.builds(
    Rules,
    fan_out=st.just(dict.fromkeys((Kind.EMAIL, Kind.ANONYMOUS, Kind.DEVICE), 2)) | st.just(RULES.fan_out),
    plus_domains=st.sampled_from([[], ["*"]]),
)


@settings(deadline=None)
@given(sightings(), RULE_SETS, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_people(found: list[Seen], rules: Rules, random: Any) -> None:
    other = list(found)
    random.shuffle(other)
    first, second = resolve(found, rules), resolve(other, rules)
    assert people(first) == people(second)
    assert first.refused == second.refused
    assert first.quarantined == second.quarantined


@settings(deadline=None)
@given(sightings(), RULE_SETS)
def test_limits_hold_and_everybody_is_somewhere_once(found: list[Seen], rules: Rules) -> None:
    result = resolve(found, rules)
    every = [k for group in result.groups for k in group]
    assert len(every) == len(set(every))
    assert set(every) == {k for each in found for k in each.keys}
    for group in result.groups:
        for kind, most in rules.limits.items():
            assert len({k for k in group if k.kind == kind}) <= most
        people = [k for k in group if k.kind != Kind.SIGHTING]
        assert len(people) <= 1 or not any(k in result.quarantined or k in result.blocked for k in people)


@settings(deadline=None)
@given(sightings(), st.data())
def test_a_merge_that_is_taken_back_leaves_nothing(found: list[Seen], data: st.DataObject) -> None:
    keys = sorted({k for each in found for k in each.keys if k.kind != Kind.SIGHTING})
    assume(keys)
    one, other = data.draw(st.sampled_from(keys)), data.draw(st.sampled_from(keys))
    same = Pin(1, PinKind.SAME, frozenset({one}), frozenset({other}))
    merged = resolve(found, RULES, [same])
    assert any(one in group and other in group for group in merged.groups)
    if one != other:
        apart = Pin(2, PinKind.APART, frozenset({one}), frozenset({other}))
        split = resolve(found, RULES, [same, apart])
        assert not any(one in group and other in group for group in split.groups), "the later decision holds"
        again = resolve(found, RULES, [same, apart, Pin(3, PinKind.SAME, same.left, same.right)])
        assert any(one in group and other in group for group in again.groups)
