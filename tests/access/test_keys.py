"""API keys, and what identifying costs."""

import asyncio
import statistics
import time
from typing import Any
from uuid import uuid4

import pytest
from access_browser import Browser, Browsers, make_staff

from samlad.access import clients, identity, keys, recent, sessions
from samlad.access.clients import ClientInput, SecretInput
from samlad.access.keys import KeyInput
from samlad.access.middleware import Identify
from samlad.access.permissions import Role
from samlad.access.tokens import token_hash
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.http import ACTOR_SCOPE
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import NotFound


@pytest.fixture
async def kim(browser: Browser) -> Browser:
    await make_staff(browser.database)
    await browser.sign_in("kim@example.com")
    return browser


async def make_key(kim: Browser, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = await kim.post("/api/keys", json={"name": "Sync", "scopes": list(scopes)} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_key_may_do_what_its_scopes_say(kim: Browser, browsers: Browsers) -> None:
    made = await make_key(kim, "staff.read")
    assert made["secret"].startswith("sk_live_")
    assert made["key"]["hint"] == made["secret"][:12] + "…"
    async with browsers() as machine:
        assert (await machine.get("/api/staff", headers=bearer(made["secret"]))).status_code == 200
        assert (await machine.get("/api/audit", headers=bearer(made["secret"]))).status_code == 403
        me = (await machine.get("/api/session", headers=bearer(made["secret"]))).json()
        assert (me["kind"], me["name"], me["permissions"]) == ("key", "Sync", ["staff.read"])
        # A key is not a person: it cannot change how somebody signs in, nor see a person's sessions.
        assert (await machine.post("/api/account/totp", headers=bearer(made["secret"]))).status_code == 401
        assert (await machine.get("/api/sessions", headers=bearer(made["secret"]))).status_code == 401
    secret = made["secret"].encode()
    rows = await kim.database.rows("SELECT k::text AS text FROM api_key k")
    assert secret not in rows[0]["text"].encode()
    log = await kim.database.rows(
        "SELECT e::text AS text FROM event e UNION ALL SELECT a::text FROM audit_entry a"
    )
    assert all(secret not in row["text"].encode() for row in log)


async def test_wrong_revoked_and_expired_keys_are_401(kim: Browser, browsers: Browsers) -> None:
    made = await make_key(kim, "staff.read", expires_in_days=1)
    async with browsers() as machine:
        for wrong in ("sk_live_x", made["secret"] + "x", made["secret"][:-1]):
            answer = await machine.get("/api/staff", headers=bearer(wrong))
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/wrong-key")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert (await machine.get("/api/staff", headers=bearer(made["secret"]))).status_code == 200
        await kim.database.pool.execute("UPDATE api_key SET expires_at = now()")
        recent.forget()
        assert (await machine.get("/api/staff", headers=bearer(made["secret"]))).status_code == 401
        await kim.database.pool.execute("UPDATE api_key SET expires_at = NULL")
        assert (await machine.get("/api/staff", headers=bearer(made["secret"]))).status_code == 200
        revoked = await kim.delete(f"/api/keys/{made['key']['id']}")
        assert revoked.json()["revoked_at"] is not None
        assert (await machine.get("/api/staff", headers=bearer(made["secret"]))).status_code == 401
    listed = (await kim.get("/api/keys", params={"status": "revoked"})).json()["items"]
    assert [key["id"] for key in listed] == [made["key"]["id"]]
    assert (await kim.get("/api/keys", params={"status": "valid"})).json()["items"] == []


async def test_a_session_next_to_a_wrong_key_does_not_count(kim: Browser) -> None:
    assert (await kim.get("/api/staff", headers=bearer("sk_live_wrong"))).status_code == 401
    assert (await kim.get("/api/staff", headers={"Authorization": "Basic a2ltOng="})).status_code == 401


async def test_nobody_makes_a_key_that_may_do_more_than_they(kim: Browser, browsers: Browsers) -> None:
    await make_staff(kim.database, "dev@example.com", Role.DEVELOPER)
    async with browsers() as dev:
        await dev.sign_in("dev@example.com")
        refused = await dev.post("/api/keys", json={"name": "x", "scopes": ["staff.write", "key.read"]})
        assert (refused.status_code, refused.json()["beyond"]) == (403, ["staff.write"])
        unknown = await dev.post("/api/keys", json={"name": "x", "scopes": ["no.such"]})
        assert unknown.status_code == 422
        own = (await dev.post("/api/keys", json={"name": "x", "scopes": ["key.write", "key.read"]})).json()
    async with browsers() as machine:
        more = await machine.post(
            "/api/keys", json={"name": "y", "scopes": ["staff.read"]}, headers=bearer(own["secret"])
        )
        assert more.status_code == 403


async def test_a_key_is_bound_to_its_makers_locations(db: Database) -> None:
    here = uuid4()
    maker = Actor(kind="staff", permissions=frozenset({"key.write", "key.read"}), locations=frozenset({here}))
    given = KeyInput(name="Till", scopes=["key.read"])
    made = await db.transaction(lambda tx: keys.create(tx, given), Context(actor=maker))
    found = await identity.of_key(db, token_hash(made.secret))
    assert found is not None
    assert found.actor.may("key.read", here)
    assert not found.actor.may("key.read", uuid4())


async def test_the_same_request_twice_gives_the_same_key_and_it_is_stored_sealed(kim: Browser) -> None:
    headers = {"Idempotency-Key": "make-key-1"}
    body = {"name": "Sync", "scopes": ["staff.read"]}
    first, second = [await kim.post("/api/keys", json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["idempotent-replay"] == "true"
    stored = await kim.database.value("SELECT body FROM idempotency")
    assert first.json()["secret"].encode() not in stored
    assert await kim.database.value("SELECT count(*) FROM api_key") == 1


class CountingDatabase:
    """Counts what is asked of the database that it stands for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.asked = 0

    async def row(self, sql: str, *args: Any) -> Any:
        self.asked += 1
        return await self._database.row(sql, *args)


async def identify(kim: Browser, headers: list[tuple[bytes, bytes]], database: Any = None) -> Any:
    """Run the middleware alone; the actor that it leaves."""

    class State:
        runtime = type(
            "Runtime", (), {"database": database or kim.database, "settings": kim.runtime.settings}
        )

    class App:
        state = State

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/api/staff",
        "scheme": "http",
        "headers": headers,
        "litestar_app": App,
    }

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        pass

    await Identify(inner)(scope, None, None)  # type: ignore[arg-type]
    return scope[ACTOR_SCOPE]


@pytest.mark.parametrize("means", ["session", "key"])
async def test_identifying_asks_the_database_once_then_not_for_seconds(kim: Browser, means: str) -> None:
    made = await make_key(kim, "staff.read")
    secret = {"key": made["secret"], "session": kim.cookies["samlad_session"]}[means]
    header = {
        "key": (b"authorization", f"Bearer {secret}".encode()),
        "session": (b"cookie", f"other=1; samlad_session={secret}".encode()),
    }[means]
    recent.forget()
    counting = CountingDatabase(kim.database)
    for _ in range(5):
        actor = await identify(kim, [header], counting)
        assert actor.kind == {"key": "key", "session": "staff"}[means]
    assert counting.asked == 1

    spans = []
    for _ in range(300):
        started = time.perf_counter()
        await identify(kim, [header], counting)
        spans.append(time.perf_counter() - started)
    assert counting.asked == 1
    assert statistics.median(spans) < 0.000_1

    recent._known.update({key: (value, time.monotonic() - 1) for key, (value, _) in recent._known.items()})
    await identify(kim, [header], counting)
    assert counting.asked == 2


async def test_a_guest_costs_no_statement(kim: Browser) -> None:
    counting = CountingDatabase(kim.database)
    assert (await identify(kim, [(b"cookie", b"other=1")], counting)).kind == "guest"
    assert (await identify(kim, [], counting)).kind == "guest"
    assert counting.asked == 0


async def test_what_was_asked_before_a_revocation_is_not_remembered_after_it(kim: Browser) -> None:
    made = await make_key(kim, "staff.read")
    recent.forget()

    class Slow(CountingDatabase):
        async def row(self, sql: str, *args: Any) -> Any:
            found = await super().row(sql, *args)
            await kim.delete(f"/api/keys/{made['key']['id']}")  # revoked while the answer was under way
            return found

    header = (b"authorization", f"Bearer {made['secret']}".encode())
    assert (await identify(kim, [header], Slow(kim.database))).kind == "key"
    assert await identity.of_key(kim.database, token_hash(made["secret"])) is None


async def test_last_use_is_written_at_most_once_a_minute(kim: Browser) -> None:
    made = await make_key(kim, "staff.read")
    secret = token_hash(made["secret"])
    stamps = set()
    for _ in range(3):
        recent.forget()
        assert await identity.of_key(kim.database, secret) is not None
        stamps.add(await kim.database.value("SELECT last_used FROM api_key"))
    assert len(stamps) == 1
    await kim.database.pool.execute("UPDATE api_key SET last_used = now() - interval '61 seconds'")
    recent.forget()
    await identity.of_key(kim.database, secret)
    assert await kim.database.value("SELECT last_used > now() - interval '5 seconds' FROM api_key")

    await kim.database.pool.execute(
        "UPDATE session SET last_seen = now() - interval '61 seconds', idle_until = now() + interval '1 hour'"
    )
    recent.forget()
    await identity.of_session(kim.database, token_hash(kim.cookies["samlad_session"]))
    left = await kim.database.value("SELECT idle_until - now() FROM session")
    assert abs(left - sessions.IDLE).total_seconds() < 60


async def test_hundred_requests_at_once_with_one_key(kim: Browser, browsers: Browsers) -> None:
    made = await make_key(kim, "staff.read")
    recent.forget()
    async with browsers() as machine:
        answers = await asyncio.gather(
            *(machine.get("/api/roles", headers=bearer(made["secret"])) for _ in range(100))
        )
    assert {answer.status_code for answer in answers} == {200}


async def test_who_is_bound_touches_no_key_that_may_act_elsewhere(db: Database) -> None:
    """A new secret for a program that acts everywhere would be a way out of one's own store."""
    here = uuid4()
    everything = frozenset({"key.write", "key.read", "staff.read"})
    office = Context(actor=Actor(kind="staff", id=uuid4(), permissions=everything))
    bound = Context(
        actor=Actor(kind="staff", id=uuid4(), permissions=everything, locations=frozenset({here}))
    )
    given = KeyInput(name="Sync", scopes=["key.read"])
    theirs = await db.transaction(lambda tx: keys.create(tx, given), office)
    own = await db.transaction(lambda tx: keys.create(tx, given), bound)
    program = await db.transaction(
        lambda tx: clients.create(tx, ClientInput(name="Sync", scopes=["key.read"])), office
    )
    client = program.client.id
    for work in (
        lambda tx: keys.revoke(tx, theirs.key.id),
        lambda tx: keys.read(tx, theirs.key.id),
        lambda tx: clients.read(tx, client),
        lambda tx: clients.make_secret(tx, client, SecretInput()),
        lambda tx: clients.revoke(tx, client),
    ):
        with pytest.raises(NotFound):
            await db.transaction(work, bound)
    seen = ListQuery(filters={"within": keys.own(bound.actor)})
    assert [each.id for each in (await keys.KEYS.page(db, seen)).items] == [own.key.id]
    assert (await clients.CLIENTS.page(db, seen)).items == []
    assert keys.own(office.actor) is None
    await db.transaction(lambda tx: keys.revoke(tx, own.key.id), bound)
