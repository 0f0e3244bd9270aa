"""The tracking plan: what it reports, parks and drops, by source; what it learns; what it counts."""

from typing import Any

import httpx
import jsonschema_rs
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel.ids import new_id
from samlad.tracking import learning, plan
from samlad.tracking.model import Policy
from tracked import Tracked

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
    | st.sampled_from(["SEK", "EUR", "12", "https://x.example/a\n", "\n", "SEK\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip
DOCUMENTS = st.dictionaries(st.sampled_from(["price", "currency", "products", "sku"]), VALUES, max_size=4)
SCHEMA = {
    "type": "object",
    "required": ["sku"],
    "additionalProperties": False,
    "properties": {
        "sku": {"type": "string", "pattern": "^[A-Z]"},
        "price": {"type": "number", "minimum": 0},
        "currency": {"enum": ["SEK", "EUR"]},
        "products": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    },
}


@given(st.lists(DOCUMENTS, min_size=1, max_size=30))
def test_what_a_schema_was_learned_from_fits_it(samples: list[dict[str, Any]]) -> None:
    expected = plan.compiled(learning.learn(samples), Policy.REPORT)
    for sample in samples:
        assert expected.violations(sample) == []


def test_a_learned_schema_is_narrow() -> None:
    many = [
        {"sku": f"A{n}", "currency": "SEK", "kind": "ab"[n % 2], "price": n / 2, "lines": [{"n": n}]}
        for n in range(20)
    ]
    learned = learning.learn([*many, {"sku": "B"}])
    assert learned["required"] == ["sku"]
    assert learned["properties"]["currency"] == {"type": "string", "pattern": "^[A-Z]{3}$"}
    assert learned["properties"]["kind"] == {"type": "string", "enum": ["a", "b"]}
    assert learned["properties"]["price"] == {"type": "number", "minimum": 0}
    inner = learned["properties"]["lines"]["items"]
    assert inner == {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 0}},
        "required": ["n"],
    }


@given(DOCUMENTS | st.dictionaries(st.sampled_from(["sku", "x", "y"]), VALUES))
def test_what_is_dropped_is_what_did_not_fit(document: dict[str, Any]) -> None:
    expected = plan.compiled(SCHEMA, Policy.DROP)
    before = repr(document)
    kept, told = expected.mended(document)
    assert repr(document) == before, "the original is whole"
    assert {each.rule for each in expected.violations(kept)} <= {"required"}, (
        "only what is missing is still wrong"
    )
    assert (kept == document) is not any(each.dropped for each in told)
    assert set(kept) <= set(document)


async def test_a_plan_by_source(api: httpx.AsyncClient, tracked: Tracked) -> None:
    """All sources report, browsers drop, the tablet parks; each line keeps its versions, and what was wrong is counted."""
    everybody = {"event": "Bought", "schema": SCHEMA, "policy": "report"}
    made = (await api.put("/api/tracking/schemas", json=everybody)).json()
    for door, policy in ((tracked.browser, "drop"), (tracked.tablet, "park")):
        line = everybody | {"policy": policy, "source": str(door.source.id)}
        assert (await api.put("/api/tracking/schemas", json=line)).json()["version"] == 1
        assert (await api.put("/api/tracking/schemas", json=line)).json()["version"] == 1
    lost = await api.put("/api/tracking/schemas", json=everybody | {"source": str(new_id())})
    assert lost.status_code == 404

    said = {"sku": "A-1", "price": -1, "extra": {"deep": 1}, "products": [{"a": 1, "b": 2}, {"a": "no"}, 7]}
    for door in (tracked.server, tracked.browser, tracked.tablet):
        events = [
            {
                "type": "track",
                "event": "Bought",
                "userId": "kim",
                "messageId": f"m{n}",
                "properties": properties,
            }
            for n, properties in enumerate((said, {"sku": "A-2"}, {"price": 1}))
        ]
        assert (await api.post("/v1/batch", json={"batch": events}, headers=door.basic)).status_code == 200

    stored = await tracked.db.rows(
        "SELECT source, message_id, payload -> 'properties' AS said, violations FROM tracked_event"
    )
    by = {(row["source"], row["message_id"]): row for row in stored}
    assert by[tracked.server.source.id, "m0"]["said"] == said, "reported and left as it came"
    dropped = by[tracked.browser.source.id, "m0"]
    assert dropped["said"] == {"sku": "A-1", "products": [{"a": 1, "b": 2}, {}]}
    assert all(each["dropped"] for each in dropped["violations"])
    missing = by[tracked.browser.source.id, "m2"]
    assert missing["said"] == {"price": 1}
    assert [(each["rule"], each.get("dropped")) for each in missing["violations"]] == [("required", None)]
    assert [by[door.source.id, "m1"]["violations"] for door in (tracked.server, tracked.browser)] == [
        None,
        None,
    ]
    assert (tracked.tablet.source.id, "m0") not in by
    assert await tracked.parked() == [("plan", "Bought")] * 2

    rows = (await api.get("/api/tracking/violations?event=Bought")).json()["items"]
    counted = {(row["source"], row["path"], row["rule"], row["outcome"]): row for row in rows}
    server, browser, tablet = (
        str(door.source.id) for door in (tracked.server, tracked.browser, tracked.tablet)
    )
    assert counted[server, "/price", "minimum", "reported"]["events"] == 1
    assert counted[browser, "/price", "minimum", "dropped"]["events"] == 1
    assert counted[browser, "/", "required", "reported"]["message"] == '"sku" is a required property'
    assert counted[tablet, None, "plan", "parked"]["events"] == 2
    example = counted[server, "/price", "minimum", "reported"]["examples"][0]
    assert (await api.get(f"/api/tracking/events/{example}")).json()["message_id"] == "m0"
    assert "is a required property" in (await api.get("/api/tracking/violations?format=csv")).text
    only = (await api.get(f"/api/tracking/violations?outcome=parked&source={tablet}&sort=-last_at")).json()[
        "items"
    ]
    assert [row["outcome"] for row in only] == ["parked"]

    learned = (await api.post("/api/tracking/schemas/learn", json={"event": "Bought", "last": 50})).json()
    assert learned["events"] == 7
    assert set(learned["schema"]["properties"]) == {"sku", "price", "extra", "products"}
    changed = await api.put("/api/tracking/schemas", json=everybody | {"schema": learned["schema"]})
    assert (changed.json()["id"], changed.json()["version"]) == (made["id"], 2)
    assert (await api.delete(f"/api/tracking/schemas/{made['id']}")).status_code == 204
    versions = (await api.get(f"/api/tracking/schemas/{made['id']}/versions")).json()
    assert [each["version"] for each in versions] == [2, 1], "kept when the line is gone"
    assert versions[1]["schema"] == SCHEMA
    assert (await api.get(f"/api/tracking/schemas/{new_id()}/versions")).status_code == 404


async def test_traits_are_dropped_wherever_they_are(api: httpx.AsyncClient, tracked: Tracked) -> None:
    line = {"event": "identify", "schema": {"properties": {"age": {"type": "integer"}}}, "policy": "drop"}
    assert (await api.put("/api/tracking/schemas", json=line)).status_code == 200
    told = {"type": "identify", "userId": "kim", "context": {"traits": {"age": "old", "name": "Kim"}}}
    assert (await api.post("/v1/identify", json=told, headers=tracked.server.basic)).status_code == 200
    (event,) = await tracked.events("traits", "payload")
    assert event["traits"] == {"name": "Kim"}
    assert "old" not in str(event["payload"])


async def test_a_plan_goes_out_and_comes_back(api: httpx.AsyncClient, tracked: Tracked) -> None:
    """Whole or not at all; what goes out checks events in any validator of JSON Schema."""
    path, schema = (
        "/api/tracking/plan",
        {"$defs": {"n": {"type": "integer"}}, "properties": {"n": {"$ref": "#/$defs/n"}}},
    )
    lines = [
        {"event": "Clicked", "schema": SCHEMA, "policy": "park"},
        {"event": "Clicked", "schema": {"type": "object"}, "source": str(tracked.browser.source.id)},
        {"event": "identify", "schema": schema, "policy": "drop"},
    ]
    for line in lines:
        assert (await api.put("/api/tracking/schemas", json=line)).status_code == 200
    document = (await api.get(path)).json()
    validator = jsonschema_rs.validator_for(document)
    event = {"type": "track", "event": "Clicked", "properties": {"sku": "A1"}}
    for good in (
        event,
        {"type": "identify", "traits": {"n": 1}},
        {"type": "track", "event": "Other", "properties": {}},
    ):
        assert validator.is_valid(good), good
    for bad in (event | {"properties": {"sku": "a"}}, {"type": "identify", "traits": {"n": "x"}}):
        assert not validator.is_valid(bad), bad

    same = await api.put(path, json={"document": document, "replaces": True})
    assert same.json() == {"added": [], "changed": [], "removed": [], "same": 3}
    assert await tracked.db.value("SELECT max(version) FROM tracking_schema") == 1
    other = {"$defs": {"Clicked": {"type": "object"}, "Seen": {"x-policy": "park", "required": ["a"]}}}
    trial = {"document": other, "replaces": True, "is_trial": True}
    told = (await api.put(path, json=trial)).json()
    assert (told["added"], told["changed"], len(told["removed"])) == (["Seen"], ["Clicked"], 2)
    assert len((await api.get("/api/tracking/schemas")).json()["items"]) == 3
    for wrong, where in (
        ({"$defs": {"Seen": {"required": ["a"]}, "Bad": {"type": 7}}}, "document/$defs/Bad/schema"),
        ({"$defs": {"Bad": {"x-policy": "perhaps"}}}, "document/$defs/Bad"),
        ({"$defs": {"A": {}, "B": {"x-event": "A"}}}, "document/$defs"),
        ({}, "document/$defs"),
    ):
        refused = await api.put(path, json={"document": wrong, "replaces": True})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, where)
    assert len((await api.get("/api/tracking/schemas")).json()["items"]) == 3, "all of it or nothing"
    assert (await api.put(path, json=trial | {"is_trial": False})).json() == told
    left = (await api.get("/api/tracking/schemas")).json()["items"]
    assert [(each["event"], each["policy"]) for each in left] == [("Clicked", "report"), ("Seen", "park")]
