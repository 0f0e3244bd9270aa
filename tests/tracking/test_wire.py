"""The addresses of the event API: what clients of Segment, RudderStack and Jitsu are answered."""

import asyncio
import gzip
from typing import Any

import httpx
import msgspec
import pytest

from applications import running
from samlad.kernel.context import GUEST
from samlad.kernel.database import Database
from samlad.kernel.problems import Busy
from samlad.kernel.settings import Settings
from samlad.tracking import intake, known, planning, sources
from samlad.tracking.model import Policy, SchemaInput, SourceChange
from tracked import Tracked, open_door

ORIGIN = {"Origin": "https://shop.example"}


def track(number: int, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Clicked", "anonymousId": "a", "messageId": f"m{number}", **fields}


@pytest.fixture
async def wire(api_as: Any) -> Any:
    async with api_as(GUEST) as client:
        yield client


async def send(wire: httpx.AsyncClient, door: Any, *events: dict[str, Any], **fields: Any) -> httpx.Response:
    return await wire.post("/v1/batch", json={"batch": list(events), **fields}, headers=door.basic)


async def test_every_address_takes_events(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    door, number = tracked.browser, 0
    for path in ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch", "/api/s/batch"):
        number += 1
        answer = await wire.post(path, json={"batch": [track(number)]}, headers=door.basic | ORIGIN)
        assert (answer.status_code, answer.content) == (200, b'{"success":true}'), path
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    long = ("identify", "track", "page", "screen", "group", "alias")
    more = {"event": "E", "userId": "u", "anonymousId": "a", "previousId": "p", "groupId": "g"}
    for kind in long:
        for path in (f"/v1/{kind}", f"/v1/{kind[0]}", f"/api/s/{kind}", f"/api/s/s2s/{kind}"):
            number += 1
            answer = await wire.post(path, json=more | {"messageId": f"m{number}"}, headers=door.basic)
            assert (answer.status_code, answer.content) == (200, b'{"success":true}'), path
    types = [event["type"] for event in await tracked.events("type")]
    assert len(types) == number
    assert {kind: types.count(kind) for kind in long} == {kind: 4 if kind != "track" else 9 for kind in long}
    assert (await wire.post("/v1/m", content=b"{}")).content == b'{"success":true}'


SINGLE_TYPES = ("identify", "track", "page", "screen", "group", "alias")
POSTED = (
    *(f"/v1/{each}" for each in ("batch", "b", "import", "m")),
    *(f"/v1/{kind}" for kind in SINGLE_TYPES),
    *(f"/v1/{kind[0]}" for kind in SINGLE_TYPES),
    *(f"/api/s/{kind}" for kind in SINGLE_TYPES),
    *(f"/api/s/s2s/{kind}" for kind in SINGLE_TYPES),
    "/beacon/v1/batch",
)
"""Every address that clients post to (`event-api-wire.md` §4.5)."""


async def test_a_page_of_another_origin_reads_every_answer(
    wire: httpx.AsyncClient, tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every address: what it is asked before, what it takes and what it refuses, all with ``code`` and ``message``."""
    full = {"event": "E", "userId": "u", "anonymousId": "a", "previousId": "p", "groupId": "g"}
    slow = await open_door(tracked.db, tracked.web.id, per_second=1)

    def is_readable(answer: httpx.Response, status: int) -> None:
        said = (str(answer.request.url), answer.status_code, answer.text, dict(answer.headers))
        assert answer.status_code == status, said
        assert answer.headers["access-control-allow-origin"] == ORIGIN["Origin"], said
        assert answer.headers["vary"] == "Origin", said
        if status == 204:
            assert answer.content == b"", said
            assert "POST" in answer.headers["access-control-allow-methods"], said
            assert "access-control-allow-credentials" not in answer.headers, said
            return
        assert answer.headers["content-type"].startswith("application/json"), said
        assert answer.headers["access-control-expose-headers"] == "Retry-After", said
        if status == 200:
            assert answer.content == b'{"success":true}', said
        else:
            assert all(answer.json()[name] for name in ("code", "message")), said

    for number, path in enumerate(POSTED):
        is_batch = path.endswith(("batch", "/b", "/import"))
        body = {"batch": [track(number)]} if is_batch else full | {"messageId": f"s{number}"}
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        is_readable(await wire.options(path, headers=ORIGIN | asked), 204)
        sent = tracked.browser.basic | ORIGIN
        is_readable(await wire.post(path, json=body, headers=sent), 200)
        if path == "/v1/m":
            continue  # taken from anybody, whatever it is: nothing is done with it
        is_readable(await wire.post(path, json=body, headers=ORIGIN), 401)
        is_readable(await wire.post(path, content=b"nonsense", headers=sent), 400)
        is_readable(await wire.post(path, content=b"\x1f\x8bnonsense", headers=sent), 400)
        is_readable(await wire.post(path, content=b"{" + b" " * 5_000_000, headers=sent), 413)
    for _ in range(8):
        answer = await wire.post("/v1/t", json=full, headers=slow.basic | ORIGIN)
    is_readable(answer, 429)
    assert answer.headers["retry-after"].isdecimal()
    is_readable(await wire.post("/v1/none", json=full, headers=tracked.browser.basic | ORIGIN), 404)

    async def broken(*_: Any) -> None:
        raise Busy("no")

    monkeypatch.setattr(intake, "write", broken)
    answer = await wire.post("/v1/t", json=full, headers=tracked.browser.basic | ORIGIN)
    is_readable(answer, 503)
    assert answer.headers["retry-after"].isdecimal()

    async def unforeseen(*_: Any) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(intake, "write", unforeseen)
    is_readable(await wire.post("/v1/t", json=full, headers=tracked.browser.basic | ORIGIN), 500)


@pytest.mark.parametrize(
    "label",
    ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "text/plain",
     "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""],
)  # fmt: skip
async def test_every_label_with_and_without_compression(
    label: str, wire: httpx.AsyncClient, tracked: Tracked
) -> None:
    """What is said of the body counts for nothing: neither its type nor whether it is packed."""
    headers = tracked.server.basic | ({"Content-Type": label} if label else {})
    number = 0
    for path, many in (
        ("/v1/batch", True),
        ("/v1/t", False),
        ("/api/s/track", False),
        ("/beacon/v1/batch", True),
    ):
        for packs, says in ((True, True), (True, False), (False, False), (False, True)):
            number += 1
            body = msgspec.json.encode({"batch": [track(number)]} if many else track(number))
            encoding = {"Content-Encoding": "gzip"} if says else {}
            content = gzip.compress(body) if packs else body
            answer = await wire.post(path, content=content, headers=headers | encoding)
            assert (answer.status_code, answer.content) == (200, b'{"success":true}'), (path, packs, says)
    assert len(await tracked.events("id")) == number
    assert await tracked.parked() == []


async def test_browsers_are_sent_to_the_public_address(settings: Settings, tracked: Tracked) -> None:
    """A proxy with TLS that nobody told us of asks by http and by its own name: a page by https may not send there."""
    public = msgspec.structs.replace(settings, public_url="https://shop.example")
    async with running(public) as application:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            found = await client.get(f"/v1/projects/{tracked.browser.key}/settings", headers=ORIGIN)
    told = found.json()["integrations"]["Segment.io"]
    assert (told["protocol"], told["apiHost"]) == ("https", "shop.example/v1")


async def test_whatever_the_label_says(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    packed = gzip.compress(msgspec.json.encode({"batch": [track(1)]}))
    form = {"Content-Type": "application/x-www-form-urlencoded", **tracked.server.basic}
    assert (await wire.post("/v1/batch", content=packed, headers=form)).status_code == 200
    encoded = {"Content-Encoding": "gzip", **tracked.server.basic}
    body = gzip.compress(msgspec.json.encode({"batch": [track(2)]}))
    assert (await wire.post("/v1/batch", content=body, headers=encoded)).status_code == 200
    text = {"Content-Type": "text/plain", **tracked.server.basic}
    assert (await wire.post("/v1/t", content=msgspec.json.encode(track(3)), headers=text)).status_code == 200
    assert len(await tracked.events()) == 3
    bomb = gzip.compress(b'{"batch":["' + b"0" * 60_000_000 + b'"]}')
    answer = await wire.post("/v1/batch", content=bomb, headers=encoded)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    large = await wire.post("/v1/batch", content=b"{" + b" " * 5_000_000, headers=text)
    assert (large.status_code, large.json()["code"]) == (413, "body-too-large")


async def test_where_the_key_may_be(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    key = tracked.browser.key
    ways: list[dict[str, Any]] = [
        {"headers": {"Authorization": f"Bearer {key}"}},
        {"headers": tracked.browser.basic},
        {"headers": {"X-Write-Key": key}},
        {"params": {"writeKey": key}},
        {"json": {"writeKey": key, "batch": [track(9)]}},
    ]
    for number, way in enumerate(ways):
        answer = await wire.post("/v1/batch", **{"json": {"batch": [track(number)]}, **way})
        assert answer.status_code == 200, way
    assert len(await tracked.events()) == len(ways)
    for headers in ({}, {"X-Write-Key": "wk_none"}, {"Authorization": "Bearer sk_live_no"}):
        answer = await wire.post("/v1/batch", json={"batch": [track(1)]}, headers=headers | ORIGIN)
        assert answer.status_code == 401, headers
        assert set(answer.json()) >= {"code", "message"}
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "writeKey" not in (await tracked.events("payload"))[-1]["payload"]


async def test_a_write_key_reads_nothing(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    for path in ("/api/tracking/events", "/api/tracking/sources", "/api/customers"):
        for headers in (tracked.server.basic, {"Authorization": f"Bearer {tracked.server.key}"}):
            assert (await wire.get(path, headers=headers)).status_code == 401


async def test_requests_that_are_refused(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    for body in (b"", b"nonsense", b"[]", b'{"batch":1}'):
        answer = await wire.post("/v1/batch", content=body, headers=tracked.browser.basic)
        assert answer.status_code == 400
        assert set(answer.json()) >= {"code", "message"}
    for path in ("/v1/unknown", "/v1/deeper/down"):
        answer = await wire.post(path, json={}, headers=tracked.browser.basic)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    many = {"batch": [{}] * 5_001}
    assert (await wire.post("/v1/batch", json=many, headers=tracked.browser.basic)).status_code == 413


async def test_a_preflight(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    for path in ("/v1/t", "/v1/batch", "/api/s/track", "/beacon/v1/batch", "/v1/m"):
        answer = await wire.options(path, headers=ORIGIN | {"Access-Control-Request-Method": "POST"})
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
        assert allowed == {"authorization", "content-type", "x-retry-count", "anonymousid", "x-write-key"}
        assert int(answer.headers["access-control-max-age"]) > 0
        assert answer.headers["access-control-expose-headers"] == "Retry-After"
    # RudderStack's client has headers of its own, and asks for its settings with its key in a header.
    asked = {
        "Access-Control-Request-Headers": "anonymousid,authorization,content-type,sentat,rsa-retry-attempt"
    }
    for path in ("/v1/t", "/sourceConfig/", "/sourceConfig", f"/v1/projects/{tracked.browser.key}/settings"):
        answer = await wire.options(path, headers=ORIGIN | asked)
        assert answer.status_code == 204, path
        allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
        assert {"sentat", "rsa-retry-attempt"} <= allowed


async def test_each_event_has_its_own_verdict(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    schema = SchemaInput(event="Clicked", schema={"required": ["where"]})
    await tracked.db.transaction(lambda tx: planning.set_schema(tx, schema))
    strict = msgspec.structs.replace(schema, event="Strict", policy=Policy.PARK)
    await tracked.db.transaction(lambda tx: planning.set_schema(tx, strict))
    batch = [
        track(1, properties={"where": "here"}),
        track(2),
        track(3, event="Strict", properties={}),
        track(4, properties={"a": "x" * 40_000}),
        {"type": "track", "event": "Nobody"},
        track(5, properties={"where": "\0"}),
        "no event",
    ]
    for _ in range(2):  # what is parked is parked once, too
        assert (await send(wire, tracked.browser, *batch)).content == b'{"success":true}'
    stored = await tracked.events("message_id", "violations")
    assert [event["message_id"] for event in stored] == ["m1", "m2"]
    assert stored[0]["violations"] is None
    assert stored[1]["violations"] == [
        {"path": "/", "message": '"where" is a required property', "rule": "required"}
    ]
    assert await tracked.parked() == [
        ("plan", "Strict"),
        ("too-large", None),
        ("nobody", "Nobody"),
        ("nul", None),
        ("not-an-object", None),
    ]
    told = await tracked.db.rows("SELECT payload FROM event WHERE type = 'tracking.received' ORDER BY seq")
    counts = [
        [row["payload"][name] for name in ("accepted", "duplicates", "parked", "violating")] for row in told
    ]
    assert counts == [[2, 0, 5, 1], [0, 2, 0, 0]]


async def test_what_only_the_database_finds_impossible_is_parked(
    wire: httpx.AsyncClient, tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules know what PostgreSQL cannot keep; should they miss something, it holds up nothing else."""
    monkeypatch.setattr("samlad.tracking.rules._refuse_unstorable", lambda _event: None)
    batch = [track(number, properties={"a": "\0" if number in (3, 8) else "fine"}) for number in range(20)]
    assert (await send(wire, tracked.browser, *batch)).status_code == 200
    assert len(await tracked.events()) == 18
    assert await tracked.parked() == [("unstorable", None)] * 2


async def test_a_message_comes_once(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    """Retries regroup: messages are compared, never batches. Another source's message of the same name is another."""
    await send(wire, tracked.browser, track(1), track(2), track(1))
    await send(wire, tracked.browser, track(2), track(3))
    await asyncio.gather(*(send(wire, tracked.browser, track(4), track(5)) for _ in range(8)))
    await send(wire, tracked.server, track(1))
    found = [(event["source"], event["message_id"]) for event in await tracked.events("source", "message_id")]
    own = [(tracked.browser.source.id, f"m{number}") for number in range(1, 6)]
    assert sorted(found) == sorted([*own, (tracked.server.source.id, "m1")])


async def test_many_requests_at_once_share_commits(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    answers = await asyncio.gather(*(send(wire, tracked.browser, track(n)) for n in range(150)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await tracked.events("id")) == 150
    told = await tracked.db.rows("SELECT payload FROM event WHERE type = 'tracking.received'")
    assert sum(row["payload"]["accepted"] for row in told) == 150
    assert len(told) < 100


async def test_a_parked_event_is_taken_once(api: httpx.AsyncClient, tracked: Tracked) -> None:
    plan = SchemaInput(event="Clicked", schema={"required": ["where"]}, policy=Policy.PARK)
    line = await tracked.db.transaction(lambda tx: planning.set_schema(tx, plan))
    await api.post("/v1/batch", json={"batch": [track(1)]}, headers=tracked.browser.basic)
    await tracked.db.transaction(lambda tx: planning.remove_schema(tx, line.id))
    parked = await tracked.db.value("SELECT id FROM tracking_parked")
    answers = await asyncio.gather(*(api.post(f"/api/tracking/parked/{parked}/retry") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]
    assert len(await tracked.events("id")) == 1


async def test_twins_on_two_processes(tracked: Tracked, settings: Any) -> None:
    """The same messages at once, in different order, over two pools: each is there once and nobody is locked out."""
    from samlad.kernel.clock import now
    from samlad.kernel.database import open_database
    from samlad.tracking.bodies import Envelope

    async def writes(database: Database, numbers: range) -> None:
        envelope = Envelope(events=[msgspec.json.encode(track(number)) for number in numbers])
        here = await known.known(database)
        for _ in range(5):
            found = intake.sort_out(here, tracked.browser.source, envelope, received_at=now())
            await database.companion(intake.Intake).take(tracked.browser.source, found)

    other = await open_database(settings.database_url or "", settings)
    await asyncio.gather(
        writes(tracked.db, range(200)), writes(other, range(199, -1, -1)), writes(tracked.db, range(100, 300))
    )
    await other.close()
    ids = [event["message_id"] for event in await tracked.events("message_id")]
    assert (len(ids), len(set(ids))) == (300, 300)


async def test_too_many_requests_are_slowed_down(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    slow = await open_door(tracked.db, tracked.web.id, per_second=1)
    answers = [await send(wire, slow, track(number)) for number in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[0].headers["retry-after"]) >= 1
    assert set(refused[0].json()) >= {"code", "message"}
    assert len(await tracked.events()) == 8 - len(refused)


async def test_when_too_much_waits_it_is_said(
    wire: httpx.AsyncClient, tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_WAITING", 3)
    answers = await asyncio.gather(
        *(send(wire, tracked.browser, track(2 * n), track(2 * n + 1)) for n in range(6))
    )
    refused = [answer for answer in answers if answer.status_code == 503]
    taken = [answer for answer in answers if answer.status_code == 200]
    assert refused
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["code"] == "full"
    assert len(await tracked.events()) == 2 * len(taken)
    assert (await send(wire, tracked.browser, track(99))).status_code == 200, "it goes on afterwards"


async def test_a_database_that_does_not_answer_is_no_loss(
    wire: httpx.AsyncClient, tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: Any) -> None:
        raise Busy("no")

    with monkeypatch.context() as broken:
        broken.setattr(intake, "write", busy)
        answer = await send(wire, tracked.browser, track(1))
        assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (
            503,
            "1",
            "busy",
        )
    assert (await send(wire, tracked.browser, track(1))).status_code == 200
    assert len(await tracked.events()) == 1


async def test_a_source_that_is_off_is_shut(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    source = tracked.browser.source.id
    for is_on, status in ((False, 401), (True, 200)):
        await tracked.db.transaction(
            lambda tx, is_on=is_on: sources.change(tx, source, SourceChange(is_on=is_on))
        )
        assert (await send(wire, tracked.browser, track(1))).status_code == status


async def test_browser_clients_are_served(wire: httpx.AsyncClient, tracked: Tracked) -> None:
    key = tracked.browser.key
    settings = await wire.get(f"/v1/projects/{key}/settings", headers=ORIGIN)
    assert settings.json()["integrations"]["Segment.io"] == {
        "apiKey": key,
        "apiHost": "samlad.test/v1",
        "protocol": "http",
    }
    assert settings.headers["access-control-allow-origin"] == "https://shop.example"
    assert (await wire.get("/v1/projects/wk_none/settings")).status_code == 401
    config = await wire.get("/sourceConfig/", params={"p": "npm", "writeKey": key})
    assert config.json()["source"]["enabled"] is True
    assert (await wire.get("/sourceConfig/", headers=tracked.browser.basic)).status_code == 200
    for path in (
        f"/analytics.js/v1/{key}/analytics.min.js",
        "/p.js",
        "/analytics-next/bundles/schemaFilter.bundle.a6a77355d52c20e3a83d.js",
    ):
        script = await wire.get(path, headers=ORIGIN)
        assert script.status_code == 200, path
        assert script.headers["content-type"].startswith("text/javascript")
        assert script.headers["content-encoding"] == "gzip"
        plain = await wire.get(path, headers={"Accept-Encoding": "identity"})
        assert plain.content == script.content
    for name in ("..%2f..%2fstandalone.js", "none.bundle.00000000000000000000.js"):
        assert (await wire.get(f"/analytics-next/bundles/{name}")).status_code == 404
