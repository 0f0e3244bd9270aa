"""OAuth for servers: a client, its tokens, what they may do, and how all of it ends."""

import asyncio
from typing import Any

import pytest
from access_browser import Browser, Browsers, make_staff
from authlib.integrations.httpx_client import AsyncOAuth2Client

from samlad.access import recent


@pytest.fixture
async def kim(browser: Browser) -> Browser:
    await make_staff(browser.database)
    await browser.sign_in("kim@example.com")
    return browser


async def make_client(kim: Browser, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = await kim.post("/api/oauth-clients", json={"name": "Warehouse", "scopes": list(scopes)} | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def grant(made: dict[str, Any], **more: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": made["client"]["id"],
        "client_secret": made["client_secret"],
    } | more


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_client_from_its_making_to_its_end(kim: Browser, browsers: Browsers) -> None:
    refused = await kim.post("/api/oauth-clients", json={"name": "X", "scopes": ["no.such"]})
    assert refused.status_code == 422
    made = await make_client(kim, "staff.read", "audit.read", token_seconds=120)
    client = made["client"]
    assert made["client_secret"].startswith("cs_live_")
    path = f"/api/oauth-clients/{client['id']}"
    seen = await kim.get(path)
    assert made["client_secret"] not in seen.text
    assert [row["name"] for row in (await kim.get("/api/oauth-clients?status=valid")).json()["items"]] == [
        "Warehouse"
    ]
    machine = browsers()

    where = (await machine.get("/.well-known/oauth-authorization-server")).json()
    assert where["token_endpoint"].endswith("/oauth/token")
    assert where["grant_types_supported"] == ["client_credentials"]
    assert "staff.read" in where["scopes_supported"]

    got = await machine.post("/oauth/token", data=grant(made))
    assert (got.status_code, got.headers["cache-control"]) == (200, "no-store")
    token = got.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 120)
    assert set(token["scope"].split()) == {"staff.read", "audit.read"}
    assert (await machine.get("/api/staff", headers=bearer(token["access_token"]))).status_code == 200
    narrow = (await machine.post("/oauth/token", data=grant(made, scope="audit.read"))).json()["access_token"]
    assert (await machine.get("/api/audit", headers=bearer(narrow))).status_code == 200
    assert (await machine.get("/api/staff", headers=bearer(narrow))).status_code == 403
    kept = await kim.database.value(
        "SELECT count(*) FROM oauth_token WHERE token_hash = $1", token["access_token"].encode()
    )
    assert kept == 0, "kept as a hash"

    # Refusals in the words of RFC 6749.
    for fields, status, word in (
        (grant(made, client_secret="cs_live_wrong"), 401, "invalid_client"),
        (grant(made, client_id="nobody"), 401, "invalid_client"),
        (grant(made, scope="audit.read key.write"), 400, "invalid_scope"),
        (grant(made, grant_type="password"), 400, "unsupported_grant_type"),
        (grant(made, resource="https://elsewhere.example/"), 400, "invalid_target"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
    ):
        answer = await machine.post("/oauth/token", data=fields)
        assert (answer.status_code, answer.json()["error"]) == (status, word), fields
        assert ("www-authenticate" in answer.headers) is (status == 401)
    assert (await machine.post("/oauth/token", json=grant(made))).json()["error"] == "invalid_request"

    # Rotated with an overlap: both secrets work, then only the new one.
    second = (await kim.post(f"{path}/secrets", json={"others_end_in_hours": 1})).json()
    both = [grant(made), grant(made, client_secret=second["client_secret"])]
    assert [(await machine.post("/oauth/token", data=each)).status_code for each in both] == [200, 200]
    old = second["client"]["secrets"][1]
    assert old["ends_at"] is not None
    for _ in range(2):
        assert (await kim.delete(f"{path}/secrets/{old['id']}")).status_code == 200
    assert [(await machine.post("/oauth/token", data=each)).status_code for each in both] == [401, 200]
    fresh = both[1]

    # Given back by its owner only; another's token stays.
    other = await make_client(kim, "staff.read")
    theirs = (await machine.post("/oauth/token", data=grant(other))).json()["access_token"]
    for each in (narrow, theirs, "nonsense"):
        answer = await machine.post("/oauth/revoke", data=fresh | {"token": each})
        assert (answer.status_code, answer.content) == (200, b"")
    assert (await machine.get("/api/audit", headers=bearer(narrow))).status_code == 401
    assert (await machine.get("/api/staff", headers=bearer(theirs))).status_code == 200

    # What the client loses its tokens lose; what it never had it does not get.
    outdated = await kim.patch(path, json={"scopes": ["audit.read"]}, headers={"If-Match": '"9"'})
    assert outdated.status_code == 412
    changed = await kim.patch(path, json={"scopes": ["audit.read"]}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await machine.get("/api/staff", headers=bearer(token["access_token"]))).status_code == 403
    assert (await machine.get("/api/audit", headers=bearer(token["access_token"]))).status_code == 200
    await kim.database.rows(
        "UPDATE oauth_token SET expires_at = now() WHERE client <> $1 RETURNING 1", other["client"]["id"]
    )
    recent.forget()
    assert (await machine.get("/api/audit", headers=bearer(token["access_token"]))).status_code == 401

    for _ in range(2):
        assert (await kim.delete(path)).status_code == 200
    assert (await machine.post("/oauth/token", data=fresh)).json()["error"] == "invalid_client"
    assert (await kim.post(f"{path}/secrets", json={})).status_code == 409
    verbs = await kim.database.rows(
        "SELECT verb FROM audit_entry WHERE subject_type = 'oauth_client' AND subject = $1", client["id"]
    )
    assert {row["verb"].partition(".")[2] for row in verbs} == {
        "created",
        "changed",
        "secret_made",
        "secret_ended",
        "revoked",
    }


async def test_another_makers_client_fetches_a_token_and_too_many_are_refused(
    kim: Browser, browsers: Browsers
) -> None:
    """Authlib's client by Basic authentication; then more tries than a client has, at once."""
    made = await make_client(kim, "staff.read")
    machine = browsers()
    transport = machine._transport  # the application itself
    async with AsyncOAuth2Client(
        made["client"]["id"], made["client_secret"], transport=transport, base_url="http://samlad.test"
    ) as theirs:
        token = await theirs.fetch_token("http://samlad.test/oauth/token", grant_type="client_credentials")
        assert token["access_token"].startswith("at_live_")
        assert (await theirs.get("/api/staff")).status_code == 200
        assert (
            await theirs.revoke_token("http://samlad.test/oauth/revoke", token["access_token"])
        ).status_code == 200
    wrong = grant(made, client_secret="cs_live_guess")
    answers = await asyncio.gather(*(machine.post("/oauth/token", data=wrong) for _ in range(70)))
    assert {answer.status_code for answer in answers} == {401, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1


async def test_a_token_sends_events(kim: Browser, browsers: Browsers) -> None:
    """In place of a secret write key: the token says who it is, and the write key or the id of a source which source."""
    from tracked import open_tracked

    tracked = await open_tracked(kim.database)
    made, poor = await make_client(kim, "tracking.write"), await make_client(kim, "staff.read")
    machine = browsers()
    token, weak = [
        bearer((await machine.post("/oauth/token", data=grant(each))).json()["access_token"])
        for each in (made, poor)
    ]
    event = {"type": "track", "event": "Shipped", "userId": "kim"}
    source = str(tracked.server.source.id)
    for number, body in enumerate(({"writeKey": source}, {"writeKey": tracked.browser.key})):
        sent = await machine.post("/v1/track", json=event | body | {"messageId": f"m{number}"}, headers=token)
        assert (sent.status_code, sent.content) == (200, b'{"success":true}'), sent.text
    named = await machine.post("/v1/track", json=event, headers=token | {"X-Write-Key": source})
    assert named.status_code == 200
    assert (await machine.post("/v1/track", json=event | {"writeKey": source}, headers=weak)).json()[
        "code"
    ] == "not-allowed"
    unknown = await machine.post("/v1/track", json=event, headers=token)
    assert (unknown.status_code, unknown.json()["code"]) == (401, "write-key")
    without = await machine.post("/v1/track", json=event | {"writeKey": source})
    assert without.status_code == 401, "the id alone opens nothing"
    assert len(await tracked.events()) == 3
