"""What the person has not agreed to is never stored of them."""

import base64
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import horizon
from samlad import consent
from samlad.consent import stamps, tcf
from samlad.kernel import followers
from samlad.kernel.context import GUEST
from samlad.tracking import events_store, parked, resolving, sources
from samlad.tracking.consenting import SAFE, stripped
from samlad.tracking.known import known
from samlad.tracking.model import SourceChange, SourceKind
from samlad.tracking.resolving import FOLLOWERS
from tracked import Door, Tracked, open_door

# Written by @iabtcf/core 1.5.6: purposes none; 1 to 11 with special features 1 and 2; 1, 8, 9 with legitimate interests 2
# and 7; 1, 3, 4. Created and updated are set to the same day by the encoder. The vendors 1, 3 and 12 were disclosed.
NOTHING = "CQtAQoAQtDjkAAHABBENBjFgAAAAAAAAACQgAAAAAAAA.IAGKAQ.YAAAAAAAAAAA"
ALL = "CQtAQoAQtDjkAAHABBENBjFgAP_gAAAAACQgAAAAAAAA.IAGKAQ.YAAAAAAAAAAA"
SOME = "CQtAQoAQtDjkAAHABBENBjFgAIGAAEIAACQgAAAAAAAA.IAGKAQ.YAAAAAAAAAAA"
PROFILES = "CQtAQoAQtDjkAAHABBENBjFgALAAAQAAACQgAAAAAAAA.IAGKAQ.YAAAAAAAAAAA"
EVERYTHING = frozenset({"functional", "performance", "targeting"})


def test_tc_strings_of_the_reference_encoder() -> None:
    assert tcf.decode(NOTHING).purposes == frozenset()
    assert tcf.decode(ALL).purposes == frozenset(range(1, 12))
    some = tcf.decode(SOME)
    assert (some.purposes, some.legitimate_interests) == ({1, 8, 9}, {2, 7})
    assert tcf.decode(PROFILES).purposes == {1, 3, 4, 24}
    assert (some.cmp, some.language, some.policy) == (7, "EN", 5)
    assert some.created == datetime(2026, 11, 1, tzinfo=UTC)
    for wrong in ("", "hello", "BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA", "C", NOTHING[:20], "C" * 9000):
        with pytest.raises(ValueError):
            tcf.decode(wrong)


def test_a_string_that_disclosed_no_vendor_is_a_no() -> None:
    """TCF 2.3 demands the segment of Disclosed Vendors since March 2026: in bits or in ranges, and anywhere after the core."""
    core, _, publisher = SOME.split(".")
    in_bits, in_ranges = (
        segment("001", f"{12:016b}", "0", "101000000001"),
        segment("001", f"{900:016b}", "1", f"{2:012b}", "0", f"{7:016b}", "1", f"{800:016b}", f"{900:016b}"),
    )
    shown, ranges = frozenset({1, 3, 12}), frozenset({7, *range(800, 901)})
    for segments, disclosed in (
        ((in_bits,), shown), ((in_ranges,), ranges), ((in_bits, publisher), shown), ((publisher, in_ranges), ranges), (("IA",), None),
        ((publisher,), None), ((in_ranges[:-6],), None), ((segment("001", f"{9:016b}", "1", f"{1:012b}", "1", f"{3:016b}", f"{2:016b}"),), None),
        ((segment("001", f"{9:016b}", "1", f"{1:012b}", "0", f"{10:016b}"),), None), ((segment("010", f"{3:016b}", "0", "111"),), None),
        (("!!",), None), ((segment("001", f"{0:016b}", "0"),), frozenset()), ((), None),
    ):  # fmt: skip
        text = ".".join((core, *segments))
        if disclosed:
            assert tcf.decode(text) == msgspec.structs.replace(tcf.decode(SOME), disclosed=disclosed), (
                segments
            )
            assert stamps.read({"tcf": text}).granted == {"performance"}
        else:
            with pytest.raises(ValueError, match="no vendor"):
                tcf.decode(text)
            assert stamps.read({"tcf": text}).granted == set(), segments
        before = ".".join((made_on(core, datetime(2026, 2, 28, 23, 59, tzinfo=UTC)), *segments))
        assert tcf.decode(before).disclosed == disclosed
        assert stamps.read({"tcf": before}).granted == {"performance"}, "it did not have to say"


def made_on(core: str, day: datetime) -> str:
    """The core of a TC string as if it had been created and updated then."""
    bits = "".join(f"{each:08b}" for each in base64.urlsafe_b64decode(core + "=" * (-len(core) % 4)))
    moment = f"{int(day.timestamp() * 10):036b}"
    return segment(bits[:6], moment, moment, bits[78:])


def segment(*fields: str) -> str:
    """A segment of a TC string from the bits of its fields."""
    bits = "".join(fields)
    bits += "0" * (-len(bits) % 8)
    raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    ("context", "granted"),
    [
        ({}, set()),
        ({"consent": {"categoryPreferences": {"Analytics": True, "C0004": False, "weather": True}}}, {"performance"}),
        ({"consentManagement": {"allowedConsentIds": ["C0002", "C0003"], "deniedConsentIds": ["C0004"]}}, {"performance", "functional"}),
        ({"googleConsent": {"ad_storage": "granted", "ad_user_data": "granted", "ad_personalization": "granted", "analytics_storage": "denied"}}, {"targeting"}),
        ({"googleConsent": {"ad_storage": "granted", "ad_user_data": "denied"}}, set()),
        ({"gcd": "13t3t3t3t5l1"}, {"targeting", "performance"}),
        ({"gcd": "13p3t3l3l5"}, {"performance"}),
        ({"gcs": "G101"}, {"performance"}),
        ({"tcf": ALL}, EVERYTHING),
        ({"consent": {"tcf": SOME}}, {"performance"}),
        ({"tcf": PROFILES}, set()),
        ({"tcf": "CPnonsense"}, set()),
        # Two stamps that differ: no.
        ({"tcf": ALL, "consent": {"categoryPreferences": {"analytics": False}}}, {"functional", "targeting"}),
        ({"consent": ["analytics"], "consentManagement": 7, "googleConsent": None, "gcd": 1}, set()),
    ],
)  # fmt: skip
def test_stamps(context: dict[str, Any], granted: set[str]) -> None:
    assert stamps.read(context).granted == granted


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["granted", ALL, "kim@example.com"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*stamps.KEPT, "products", "price", "email"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(value=json_values)
def test_whatever_comes_is_read_and_nothing_else_than_goods_is_left(value: Any) -> None:
    context = value if isinstance(value, dict) else {"consent": value}
    found = stamps.read(context)
    assert not found.granted & found.denied
    left = stripped({"type": "track", "event": "E", "userId": "u", "properties": value, "context": context})
    assert set(left) <= {"type", "event", "properties"}
    properties = left.get("properties", {})
    assert set(properties) <= SAFE | {"products"}
    assert "@" not in msgspec.json.encode(properties).decode()


async def test_an_event_without_consent_loses_its_person(api_as: Any, tracked: Tracked) -> None:
    door = tracked.browser
    person = {
        "userId": "kim-7", "anonymousId": "browser-7", "traits": {"email": "kim@example.com"},
        "properties": {"sku": "KETTLE", "price": 199, "note": "for kim@example.com", "products": [{"sku": "A", "buyer": "Kim"}]},
    }  # fmt: skip
    agreed = {"consent": {"categoryPreferences": {"performance": True}}}

    def event(number: int, **more: Any) -> dict[str, Any]:
        return {"type": "track", "event": "Product Viewed", "messageId": f"kim-7-{number}", **person, **more}

    async def needs(without: str) -> None:
        change = SourceChange(needs=["performance"], without_consent=without)  # type: ignore[arg-type]
        await tracked.db.transaction(lambda tx: sources.change(tx, door.source.id, change))

    async with api_as(GUEST) as wire:

        async def send(*events: dict[str, Any]) -> None:
            answer = await wire.post("/v1/batch", json={"batch": list(events)}, headers=door.basic)
            assert answer.status_code == 200, answer.text

        await needs("anonymise")
        told = {"type": "identify", "messageId": "kim-7-i", **person}
        without = event(
            1, context={"ip": "192.0.2.7", "consent": {"categoryPreferences": {"performance": False}}}
        )
        await send(event(0, context=agreed), without, without, event(2), told)
        rows = await tracked.events(
            "name", "user_id", "anonymous_id", "traits", "consent", "payload", "message_id"
        )
        named = [row for row in rows if row["user_id"]]
        assert [row["message_id"] for row in named] == ["kim-7-0"]
        others = [row for row in rows if not row["user_id"]]
        assert len(others) == 3  # the one that came twice is there once
        text = str(others)
        assert not [word for word in ("kim", "Kim", "browser-7", "192.0.2.7") if word in text]
        assert others[0]["consent"] == {"verdict": "anonymised", "lacking": ["performance"]}
        goods = next(row["payload"] for row in others if row["name"])
        assert goods["properties"] == {"sku": "KETTLE", "price": 199, "products": [{"sku": "A"}]}

        await needs("park")
        broken = {"type": "track", "event": 7, "messageId": "kim-7-b", **person}
        await send(event(3), event(3), event(4, context=agreed), broken)
        found = await tracked.db.rows(
            "SELECT id, reason, detail, name, body FROM tracking_parked ORDER BY id"
        )
        assert [row["reason"] for row in found] == ["consent", "event"]
        assert "kim" not in str([dict(row.items()) for row in found]).lower()
        state = await known(tracked.db)
        answer = await tracked.db.transaction(lambda tx: parked.retry(tx, found[0]["id"], state))
        assert (answer.is_taken, answer.reason) == (False, "consent")


async def test_what_somebody_chose_is_in_the_ledger(api_as: Any, tracked: Tracked) -> None:
    """Also a no, which is all that the event may say; read again it is told once."""
    door = tracked.browser
    change = SourceChange(needs=["performance"], without_consent="park")  # type: ignore[arg-type]
    await tracked.db.transaction(lambda tx: sources.change(tx, door.source.id, change))

    def chose(number: int, *, yes: bool) -> dict[str, Any]:
        stamp = {
            "consent": {"categoryPreferences": {"Analytics": yes, "Advertising": False, "Necessary": True}}
        }
        return {"type": "track", "event": "Segment Consent Preference Updated", "anonymousId": "browser-8", "messageId": f"c{number}",
                "context": stamp | {"ip": "192.0.2.8"}, "properties": {"note": "hemligt"}}  # fmt: skip

    async def holds() -> bool:
        node = await tracked.db.value("SELECT id FROM identity_node WHERE value = 'browser-8'")
        return node in await consent.allowed(tracked.db, [node], "analytics")

    async def follow() -> None:
        await horizon.passed(tracked.db)
        await followers.register(tracked.db, FOLLOWERS)
        while await followers.step(tracked.db, FOLLOWERS[0]):
            await horizon.passed(tracked.db)

    async with api_as(GUEST) as wire:
        for number, yes in enumerate((True, False)):
            sent = await wire.post("/v1/batch", json={"batch": [chose(number, yes=yes)]}, headers=door.basic)
            assert sent.status_code == 200
            await follow()
            assert await holds() is yes
    await tracked.db.transaction(lambda tx: tx.execute("UPDATE tracked_profile SET failure = 'again'"))
    rows = await events_store.of_batches(
        tracked.db, [(row["batch"], row["received_at"], row["received_at"]) for row in await tracked.db.rows("SELECT batch, received_at FROM tracked_event")]
    )  # fmt: skip
    assert len(rows) == 2
    await tracked.db.transaction(lambda tx: resolving.resolve(tx, rows))
    assert await tracked.db.value("SELECT count(*) FROM consent_entry") == 4
    assert await tracked.parked() == []
    assert "hemligt" not in str((await tracked.events("payload"))[1])


async def test_who_unsubscribed_in_another_tool_has_said_no(api_as: Any, tracked: Tracked) -> None:
    """A server is believed, whatever it needs; a browser's key is public, and our own telling of a no is no second one."""
    change = SourceChange(needs=["targeting"])
    await tracked.db.transaction(lambda tx: sources.change(tx, tracked.server.source.id, change))
    own_source = await open_door(tracked.db, tracked.web.id, kind=SourceKind.SERVER)

    def gone(number: int, **properties: str) -> dict[str, Any]:
        return {
            "type": "track",
            "event": "Unsubscribed",
            "userId": "17850",
            "messageId": f"u{number}",
            "properties": properties,
        }

    async with api_as(GUEST) as wire:

        async def tell(door: Door, event: dict[str, Any]) -> list[tuple[str, str]]:
            for _ in range(2):  # told again it is once
                sent = await wire.post("/v1/track", json=event, headers=door.basic)
                assert sent.status_code == 200, sent.text
            await horizon.passed(tracked.db)
            await followers.register(tracked.db, FOLLOWERS)
            while await followers.step(tracked.db, FOLLOWERS[0]):
                await horizon.passed(tracked.db)
            rows = await tracked.db.rows("SELECT purpose, answer FROM consent_entry ORDER BY recorded_at, id")
            return [(row["purpose"], row["answer"]) for row in rows]

        assert await tell(tracked.browser, gone(1)) == []
        mails, texts = ("email_marketing", "denied"), ("sms_marketing", "denied")
        assert await tell(tracked.server, gone(2, list_id="sms_marketing")) == [mails], (
            "its list went with the rest"
        )
        assert await tell(own_source, gone(3, list_id="sms_marketing")) == [mails, texts]
        assert await tell(own_source, gone(4, list_id="weekly-news-7")) == [mails, texts, mails]
    node = await tracked.db.value("SELECT id FROM identity_node WHERE value = '17850'")
    (entry, *_rest) = (await consent.given(tracked.db, node)).entries
    assert entry.level == consent.Level.AUTHENTICATED
