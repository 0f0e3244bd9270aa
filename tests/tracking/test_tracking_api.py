"""The API of sources, keys, the plan, events and what was parked."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import horizon
from samlad.identity import DeviceClass, Identifier, Kind, Sighting
from samlad.kernel import followers
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id
from samlad.tracking import events_store, housekeeping, known
from samlad.tracking.resolving import FOLLOWERS
from samlad.tracking.sightings import without_repeats
from tracked import Tracked


async def test_a_source_and_its_keys(api: httpx.AsyncClient, tracked: Tracked) -> None:
    body = {"channel": str(tracked.web.id), "name": "App", "kind": "browser", "device_class": "personal"}
    made = await api.post("/api/tracking/sources", json=body)
    assert made.status_code == 201, made.text
    path = f"/api/tracking/sources/{made.json()['id']}"
    key = {"Idempotency-Key": "k1"}
    first = await api.post(f"{path}/keys", json={}, headers=key)
    again = await api.post(f"{path}/keys", json={}, headers=key)
    assert first.json() == again.json()
    secret = first.json()["secret"]
    assert secret.startswith("wk_")
    assert first.json()["key"]["key"] == secret, "a browser's key is public"

    second = (await api.post(f"{path}/keys", json={"others_end_in_hours": 1})).json()
    keys = (await api.get(path)).json()["keys"]
    assert [key["ends_at"] is None for key in keys] == [True, False]
    event = {"type": "track", "event": "E", "anonymousId": "a"}
    for valid in (secret, second["secret"]):
        assert (await api.post("/v1/t", json=event, params={"writeKey": valid})).status_code == 200
    for _ in range(2):
        ended = await api.delete(f"{path}/keys/{first.json()['key']['id']}")
        assert ended.status_code == 200
    assert (await api.post("/v1/t", json=event, params={"writeKey": secret})).status_code == 401
    assert (await api.delete(f"{path}/keys/{new_id()}")).status_code == 404

    assert (await api.patch(path, json={"is_on": False}, headers={"If-Match": '"9"'})).status_code == 412
    off = await api.patch(path, json={"is_on": False}, headers={"If-Match": '"1"'})
    assert (off.json()["is_on"], off.headers["etag"]) == (False, '"2"')
    assert [row["name"] for row in (await api.get("/api/tracking/sources?state=off")).json()["items"]] == [
        "App"
    ]
    assert (
        await api.post("/api/tracking/sources", json=body | {"channel": str(new_id())})
    ).status_code == 404
    ours = body | {"kind": "ours"}
    assert (await api.post("/api/tracking/sources", json=ours)).status_code == 201
    assert (await api.post("/api/tracking/sources", json=ours)).status_code == 409
    stored = await tracked.db.value(
        "SELECT count(*) FROM tracking_key WHERE key IS NOT NULL AND key LIKE 'ws_%'"
    )
    assert stored == 0, "a server's key is kept as a hash only"


async def test_who_may_do_what(api_as: Any, tracked: Tracked) -> None:
    reader = Actor(kind="staff", id=new_id(), name="Mo", permissions=frozenset({"tracking.read"}))
    path = f"/api/tracking/sources/{tracked.browser.source.id}"
    async with api_as(reader) as other:
        for part in ("sources", "schemas", "events", "parked", "volume"):
            assert (await other.get(f"/api/tracking/{part}")).status_code == 200, part
        assert (await other.patch(path, json={"name": "Mine"})).status_code == 403
        assert (await other.post(f"{path}/keys", json={})).status_code == 403
        assert (
            await other.put("/api/tracking/schemas", json={"event": "E", "schema": {}})
        ).status_code == 403
        assert (await other.post(f"/api/tracking/parked/{new_id()}/retry")).status_code == 403
    async with api_as(Actor(kind="staff", id=new_id(), permissions=frozenset())) as nobody:
        assert (await nobody.get("/api/tracking/events")).status_code == 403


async def test_the_plan(api: httpx.AsyncClient, tracked: Tracked) -> None:
    line = {"event": "Product Added", "schema": {"required": ["product_id"]}, "policy": "report"}
    made = await api.put("/api/tracking/schemas", json=line)
    assert (made.status_code, made.json()["version"]) == (200, 1)
    assert (await api.put("/api/tracking/schemas", json=line)).json()["version"] == 1, (
        "the same again is the same"
    )
    changed = await api.put("/api/tracking/schemas", json=line | {"policy": "park"})
    assert changed.json()["version"] == 2
    for wrong in ({"type": "nonsense"}, {"$ref": "http://elsewhere.example/schema"}, {"pattern": "("}):
        refused = await api.put("/api/tracking/schemas", json=line | {"schema": wrong})
        assert refused.status_code == 422, wrong
        assert refused.json()["errors"][0]["field"] == "schema"
    assert [row["event"] for row in (await api.get("/api/tracking/schemas?q=product")).json()["items"]] == [
        "Product Added"
    ]
    path = f"/api/tracking/schemas/{made.json()['id']}"
    assert (await api.delete(path)).status_code == 204
    assert (await api.delete(path)).status_code == 404


async def test_events_and_their_export(api: httpx.AsyncClient, tracked: Tracked) -> None:
    batch = [{"type": "track", "event": f"E{n}", "userId": "kim", "messageId": f"m{n}"} for n in range(3)]
    await api.post(
        "/v1/batch",
        json={"batch": [*batch, {"type": "track", "event": "Lost"}]},
        headers=tracked.browser.basic,
    )
    rows = (await api.get("/api/tracking/events?limit=2")).json()
    assert len(rows["items"]) == 2
    rest = (await api.get(f"/api/tracking/events?limit=2&cursor={rows['next_cursor']}")).json()
    assert {row["name"] for row in rows["items"] + rest["items"]} == {"E0", "E1", "E2"}
    one = rows["items"][0]
    assert (await api.get(f"/api/tracking/events/{one['id']}")).json() == one
    assert (await api.get(f"/api/tracking/events/{new_id()}")).status_code == 404
    assert (await api.get("/api/tracking/events?name=E1&user_id=kim&type=track")).json()["items"][0][
        "name"
    ] == "E1"
    assert "Lost" in (await api.get("/api/tracking/parked?format=csv")).text
    assert "E2" in (await api.get("/api/tracking/events?format=csv")).text


async def test_what_is_old_is_swept(api: httpx.AsyncClient, tracked: Tracked) -> None:
    batch = {"batch": [{"type": "track", "event": "E", "userId": "k", "messageId": "m"}, {"type": "track"}]}
    await api.post("/v1/batch", json=batch, headers=tracked.browser.basic)
    assert await housekeeping.sweep(tracked.db) == 0
    for table, age in (("tracked_message", "25 hours"), ("tracking_parked", "29 days")):
        await tracked.db.rows(f"UPDATE {table} SET received_at = now() - interval '{age}' RETURNING 1")
    assert await housekeeping.sweep(tracked.db) == 0, "a message is known for more than a day"
    for table in ("tracked_message", "tracking_parked"):
        await tracked.db.rows(f"UPDATE {table} SET received_at = now() - interval '31 days' RETURNING 1")
    assert await housekeeping.sweep(tracked.db) == 2
    assert await housekeeping.make_partitions(tracked.db) == 0, "the migration made them"
    names = await tracked.db.value(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'tracked_event'::regclass"
    )
    assert names == 5


async def test_events_are_never_rewritten(api: httpx.AsyncClient, tracked: Tracked) -> None:
    await api.post("/v1/t", json={"event": "E", "userId": "k"}, headers=tracked.browser.basic)
    with pytest.raises(asyncpg.RestrictViolationError):
        await tracked.db.rows("UPDATE tracked_event SET payload = '{}' RETURNING 1")
    assert (await known.known(tracked.db)).sources[tracked.browser.source.id].is_on
    assert len(await events_store.volume(tracked.db, since=now() - timedelta(hours=1), minutes=5)) == 0


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(list(DeviceClass))), max_size=12))
def test_repeats_are_told_by_their_first_and_last(seen_at: list[tuple[str, DeviceClass]]) -> None:
    start = now()
    seen = [
        Sighting(
            pool=new_id(), source="s", event_id=str(n), observed_at=start + timedelta(seconds=n), received_at=start,
            identifiers=[Identifier(Kind.ANONYMOUS, name)], device_class=device,
        )
        for n, (name, device) in enumerate(seen_at)
    ]  # fmt: skip
    told, places = without_repeats(seen)
    assert len(places) == len(seen)
    for each, place in zip(seen, places, strict=True):
        assert told[place].identifiers == each.identifiers
        assert told[place].device_class == each.device_class
        same = [
            one
            for one in told
            if one.identifiers == each.identifiers and one.device_class == each.device_class
        ]
        assert (
            min(one.observed_at for one in same) <= each.observed_at <= max(one.observed_at for one in same)
        )
    shared = [each for each in seen if each.device_class is not DeviceClass.PERSONAL]
    assert all(each in told for each in shared)
    personal = {each.identifiers[0].value for each in seen if each.device_class is DeviceClass.PERSONAL}
    assert len(told) - len(shared) <= 2 * len(personal)


async def test_parked_events_are_tried_again_together(api: httpx.AsyncClient, tracked: Tracked) -> None:
    """Under a plan that was mended, by name and reason, in parts; others at the same moment take none of them twice."""
    path = "/api/tracking/schemas"
    line = {"event": "Clicked", "schema": {"required": ["where"]}, "policy": "park"}
    assert (await api.put(path, json=line)).status_code == 200
    events = [
        {
            "type": "track",
            "event": name,
            "anonymousId": "a",
            "messageId": f"{name}{n}",
            "properties": {"n": n},
        }
        for name in ("Clicked", "Seen")
        for n in range(4)
    ]
    await api.put(path, json=line | {"event": "Seen"})
    await api.post("/v1/batch", json={"batch": events}, headers=tracked.browser.basic)
    found = (await api.get("/api/tracking/parked?name=Seen&reason=plan")).json()["items"]
    assert len(found) == 4
    one = (await api.get(f"/api/tracking/parked/{found[0]['id']}")).json()
    assert '"event":"Seen"' in one["body"].replace(" ", "")
    schemas = {each["event"]: each["id"] for each in (await api.get(path)).json()["items"]}
    assert one["schema"] == schemas["Seen"]
    faults = (await api.get("/api/tracking/faults")).json()
    assert [(each["reason"], each["events"]) for each in faults] == [("plan", 8)]

    still = await api.post("/api/tracking/parked/retry", json={"name": "Seen"})
    assert still.json() == {"taken": 0, "still_parked": 4, "next": None}
    await api.put(path, json=line | {"event": "Seen", "schema": {"required": ["n"]}})
    answers = await asyncio.gather(
        *(api.post("/api/tracking/parked/retry", json={"name": "Seen", "reason": "plan"}) for _ in range(3))
    )
    assert sum(answer.json()["taken"] for answer in answers) == 4
    assert {event["name"] for event in await tracked.events("name")} == {"Seen"}
    assert len(await tracked.events("id")) == 4
    left = (await api.get("/api/tracking/parked")).json()["items"]
    assert {each["name"] for each in left} == {"Clicked"}
    for status in (204, 404):
        gone = await api.delete(f"/api/tracking/parked/{left[0]['id']}")
        assert gone.status_code == status
    assert (
        await tracked.db.value("SELECT count(*) FROM audit_entry WHERE verb = 'tracking_parked.discarded'")
        == 1
    )


async def test_a_long_list_of_parked_events_is_tried_in_parts(
    api: httpx.AsyncClient, tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samlad.tracking.parked.MANY", 3)
    batch = [{"type": "track", "event": "E", "n": n} for n in range(7)]  # of nobody
    await api.post("/v1/batch", json={"batch": batch}, headers=tracked.browser.basic)
    after, seen, turns = None, 0, 0
    while turns == 0 or after is not None:
        answer = (await api.post("/api/tracking/parked/retry", json={"after": after})).json()
        after, seen, turns = answer["next"], seen + answer["still_parked"], turns + 1
    assert (seen, turns) == (7, 3)


async def test_a_source_blocks_events(api: httpx.AsyncClient, tracked: Tracked) -> None:
    path = f"/api/tracking/sources/{tracked.browser.source.id}"
    changed = await api.patch(path, json={"blocks": ["Moved", "page"]}, headers={"If-Match": '"1"'})
    assert changed.json()["blocks"] == ["Moved", "page"]
    who = {"anonymousId": "a"}
    batch = [
        {"type": "track", "event": "Moved", **who},
        {"type": "page", **who},
        {"type": "track", "event": "page", **who},
        {"type": "track", "event": "Kept", **who},
    ]
    for events in (batch, batch[:1]):  # a request of nothing else is counted, too
        sent = await api.post("/v1/batch", json={"batch": events}, headers=tracked.browser.basic)
        assert sent.content == b'{"success":true}'
    assert [event["name"] for event in await tracked.events("name")] == ["Kept"]
    assert await tracked.parked() == []
    await horizon.passed(tracked.db)
    await followers.register(tracked.db, FOLLOWERS)
    for _ in range(2):
        while await followers.step(tracked.db, FOLLOWERS[0]):
            pass
    volume = (await api.get("/api/tracking/volume")).json()
    assert [sum(each[name] for each in volume) for name in ("accepted", "blocked")] == [1, 4]
    other = await api.post("/v1/batch", json={"batch": batch}, headers=tracked.server.basic)
    assert other.status_code == 200
    assert len(await tracked.events("id")) == 5, "another source takes them"


async def test_events_are_found_by_person(api: httpx.AsyncClient, tracked: Tracked) -> None:
    batch = [
        {"type": "identify", "userId": "c-1", "anonymousId": "dev-1", "traits": {"email": "Kim@Example.com"}},
        {"type": "track", "event": "Seen", "userId": "c-1"},
        {"type": "track", "event": "Other", "userId": "c-2"},
    ]
    await api.post("/v1/batch", json={"batch": batch}, headers=tracked.server.basic)
    await horizon.passed(tracked.db)
    await followers.register(tracked.db, FOLLOWERS)
    while await followers.step(tracked.db, FOLLOWERS[0]):
        pass
    for who, count in (("c-1", 2), (" KIM@example.com", 2), ("dev-1", 2), ("c-2", 1), ("nobody", 0)):
        found = (await api.get("/api/tracking/events", params={"who": who})).json()["items"]
        assert len(found) == count, who
    profile = (await api.get("/api/tracking/events", params={"who": "c-2"})).json()["items"][0]["identity"]
    assert len((await api.get("/api/tracking/events", params={"who": profile})).json()["items"]) == 1
