"""Signing in with a password: sessions, lock-out, one-time links."""

import asyncio
import threading
from typing import Any

import pytest
from access_browser import PASSWORD, Browser, Browsers, make_staff

from samlad.access import attempts, passwords, recent, welcome
from samlad.access.permissions import Role


async def first_link(browser: Browser) -> str:
    url = await browser.database.transaction(lambda tx: welcome.first_start(tx, "http://samlad.test"))
    assert url is not None
    return url.rsplit("/", 1)[1]


async def test_the_first_owner_comes_in_by_a_link_that_works_once(
    browser: Browser, browsers: Browsers
) -> None:
    replaced = await first_link(browser)
    token = await first_link(browser)
    assert (await browser.post("/api/links/look", json={"token": replaced})).status_code == 410
    look = await browser.post("/api/links/look", json={"token": token})
    assert look.json()["purpose"] == "first-owner"

    form = {"token": token, "password": PASSWORD, "email": "Kim@Example.com", "name": "Kim"}
    weak = await browser.post("/api/links/accept", json=form | {"password": "password1234"})
    assert weak.status_code == 422
    assert weak.json()["errors"][0]["field"] == "password"

    done = await browser.post("/api/links/accept", json=form)
    assert (done.status_code, done.json()["state"]) == (201, "signed-in")
    me = (await browser.get("/api/session")).json()
    assert (me["kind"], me["name"]) == ("staff", "Kim")
    assert "staff.write" in me["permissions"]
    async with browsers() as other:
        assert (await other.post("/api/links/accept", json=form)).status_code == 410
        assert (await other.sign_in("kim@EXAMPLE.com")).status_code == 201
    assert await browser.database.transaction(lambda tx: welcome.first_start(tx, "")) is None


async def test_signing_out_ends_the_session_everywhere_at_once(browser: Browser, browsers: Browsers) -> None:
    await make_staff(browser.database)
    await browser.sign_in("kim@example.com")
    stolen = browser.cookies["samlad_session"]
    assert (await browser.get("/api/staff")).status_code == 200
    assert (await browser.delete("/api/session")).status_code == 204
    assert "samlad_session" not in browser.cookies
    async with browsers(Cookie=f"samlad_session={stolen}") as thief:
        assert (await thief.get("/api/staff")).status_code == 401
        assert (await thief.get("/api/session")).json()["kind"] == "guest"


async def test_the_same_answer_for_unknown_wrong_and_disabled(browser: Browser) -> None:
    await make_staff(browser.database)
    await make_staff(browser.database, "sam@example.com", Role.STORE)
    await make_staff(browser.database, "nopassword@example.com", Role.STORE, password=None)
    await browser.database.pool.execute(
        "UPDATE staff SET status = 'disabled' WHERE email = 'sam@example.com'"
    )
    answers = [
        await browser.post("/api/session", json={"email": email, "password": password})
        for email, password in (
            ("kim@example.com", "wrong"),
            ("nobody@example.com", PASSWORD),
            ("sam@example.com", PASSWORD),
            ("nopassword@example.com", PASSWORD),
        )
    ]
    assert {(a.status_code, a.text) for a in answers} == {(401, answers[0].text)}


async def test_fifty_wrong_tries_at_once_look_at_five_passwords(browser: Browser, monkeypatch: Any) -> None:
    await make_staff(browser.database)
    looked = []
    real = passwords.matches

    async def counted(password_hash: str | None, password: str) -> bool:
        looked.append(password)
        return await real(password_hash, password)

    monkeypatch.setattr(passwords, "matches", counted)
    tries = [browser.sign_in("kim@example.com", f"wrong {number}") for number in range(50)]
    answers = await asyncio.gather(*tries)
    statuses = [answer.status_code for answer in answers]
    assert len(looked) == attempts.ACCOUNT.free
    assert (statuses.count(401), statuses.count(429)) == (5, 45)
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["retry-after"]) <= attempts.ACCOUNT.first
    assert (await browser.sign_in("kim@example.com")).status_code == 429
    locked = await browser.database.rows("SELECT payload, personal FROM event WHERE type = 'staff.locked'")
    assert [row["payload"]["failed"] for row in locked] == [5]
    assert locked[0]["personal"]["email"] == "kim@example.com"


async def test_pauses_double_up_to_a_quarter_of_an_hour_and_end_with_success(browser: Browser) -> None:
    await make_staff(browser.database)
    pauses = []
    for _ in range(12):
        await browser.database.pool.execute("UPDATE sign_in_attempt SET locked_until = '-infinity'")
        assert (await browser.sign_in("kim@example.com", "wrong")).status_code == 401
        pauses.append(
            await browser.database.value(
                "SELECT round(extract(epoch FROM locked_until - last_at))::int FROM sign_in_attempt"
                " WHERE kind = 'account' AND isfinite(locked_until)"
            )
        )
    assert pauses == [None] * 4 + [30, 60, 120, 240, 480, 900, 900, 900]
    await browser.database.pool.execute("UPDATE sign_in_attempt SET locked_until = '-infinity'")
    assert (await browser.sign_in("kim@example.com")).status_code == 201
    assert await browser.database.value("SELECT count(*) FROM sign_in_attempt WHERE kind = 'account'") == 0


async def test_an_unknown_account_pauses_like_a_known_one(browser: Browser) -> None:
    statuses = [(await browser.sign_in("nobody@example.com", "x")).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


async def test_an_address_pauses_over_many_accounts_but_not_others(browsers: Browsers) -> None:
    async with browsers(address="192.0.2.1") as attacker, browsers(address="192.0.2.2") as kim:
        await make_staff(kim.database)
        statuses = [
            (await attacker.sign_in(f"someone{number}@example.com", "guess")).status_code
            for number in range(32)
        ]
        assert statuses == [401] * 30 + [429] * 2
        assert (await kim.sign_in("kim@example.com")).status_code == 201


async def test_a_session_cookie_that_was_there_before_is_never_taken_over(browser: Browser) -> None:
    await make_staff(browser.database)
    browser.cookies.set("samlad_session", "A" * 43)
    token = (await browser.get("/api/session")).json()["csrf_token"]
    browser.headers["X-CSRF-Token"] = token
    await browser.sign_in("kim@example.com")
    assert len(browser.cookies.jar) >= 1
    fresh = [cookie.value for cookie in browser.cookies.jar if cookie.name == "samlad_session"]
    assert "A" * 43 not in fresh[-1:]
    assert await browser.database.value("SELECT count(*) FROM session") == 1


async def test_cookies_are_bound_to_the_host_by_https(browsers: Browsers) -> None:
    async with browsers(base_url="https://samlad.test") as browser:
        await make_staff(browser.database)
        answer = await browser.sign_in("kim@example.com")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-samlad_session=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert (await browser.get("/api/session")).json()["kind"] == "staff"
        secret = browser.cookies["__Host-samlad_session"]
    async with browsers(base_url="https://samlad.test", Cookie=f"samlad_session={secret}") as tossed:
        assert (await tossed.get("/api/session")).json()["kind"] == "guest"


async def test_sessions_end_by_idleness_and_by_age(browser: Browser) -> None:
    await make_staff(browser.database)
    for column in ("idle_until", "ends_at"):
        await browser.sign_in("kim@example.com")
        assert (await browser.get("/api/staff")).status_code == 200
        await browser.database.pool.execute(f"UPDATE session SET {column} = now() - interval '1 second'")
        recent.forget()
        assert (await browser.get("/api/staff")).status_code == 401


async def test_one_sees_and_ends_ones_sessions_but_nobody_elses(browsers: Browsers) -> None:
    async with browsers(
        address="192.0.2.9", **{"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"}
    ) as one:
        await make_staff(one.database)
        await make_staff(one.database, "sam@example.com")
        await one.sign_in("kim@example.com")
        async with browsers() as two, browsers() as sam:
            await two.sign_in("kim@example.com")
            await sam.sign_in("sam@example.com")
            found = (await two.get("/api/sessions")).json()
            assert [(s["agent"], s["remote"]) for s in found][1] == ("Firefox on Windows", "192.0.2.9")
            other = found[1]["id"]
            assert (await sam.delete(f"/api/sessions/{other}")).status_code == 404
            assert (await one.get("/api/staff")).status_code == 200
            assert (await two.delete(f"/api/sessions/{other}")).status_code == 204
            assert (await one.get("/api/staff")).status_code == 401
            assert (await two.get("/api/staff")).status_code == 200


async def test_changing_the_password_ends_the_other_sessions(browsers: Browsers) -> None:
    async with browsers() as here, browsers() as there:
        await make_staff(here.database)
        await here.sign_in("kim@example.com")
        await there.sign_in("kim@example.com")
        new = "seven quiet blue harbours"
        wrong = await here.post("/api/account/password", json={"current": "wrong", "new": new})
        assert wrong.status_code == 401
        own = await here.post("/api/account/password", json={"current": PASSWORD, "new": "Kim.Berg.example1"})
        assert own.json()["errors"][0]["field"] == "new"
        done = await here.post("/api/account/password", json={"current": PASSWORD, "new": new})
        assert done.status_code == 204
        assert (await here.get("/api/staff")).status_code == 200
        assert (await there.get("/api/staff")).status_code == 401
        async with browsers() as fresh:
            assert (await fresh.sign_in("kim@example.com")).status_code == 401
            assert (await fresh.sign_in("kim@example.com", new)).status_code == 201


async def test_a_reset_link_sets_the_password_and_ends_sessions(browser: Browser, browsers: Browsers) -> None:
    await make_staff(browser.database)
    sam = await make_staff(browser.database, "sam@example.com", Role.STORE)
    await browser.sign_in("kim@example.com")
    async with browsers() as theirs:
        await theirs.sign_in("sam@example.com")
        link = (await browser.post(f"/api/staff/{sam.id}/link")).json()
        assert link["purpose"] == "password-reset"
        token = link["url"].rsplit("/", 1)[1]
        async with browsers() as one, browsers() as two:
            both = await asyncio.gather(
                *(
                    b.post(
                        "/api/links/accept", json={"token": token, "password": f"{word} and other long words"}
                    )
                    for b, word in ((one, "first"), (two, "second"))
                )
            )
        assert sorted(answer.status_code for answer in both) == [201, 410]
        assert (await theirs.get("/api/session")).json()["kind"] == "guest"


async def test_hashes_of_other_parameters_are_renewed_when_somebody_signs_in(browser: Browser) -> None:
    import argon2

    await make_staff(browser.database)
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await browser.database.pool.execute("UPDATE staff SET password_hash = $1", old)
    assert (await browser.sign_in("kim@example.com")).status_code == 201
    fresh = await browser.database.value("SELECT password_hash FROM staff")
    assert fresh != old
    assert not passwords.is_outdated(fresh)
    assert (await browser.sign_in("kim@example.com")).status_code == 201


async def test_hashing_does_not_hold_up_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = threading.Event()

    class Slow:
        """Takes until the loop has done something else."""

        def hash(self, _password: str) -> str:
            assert may_end.wait(30), "the loop did nothing while this went on"
            return "done"

    monkeypatch.setattr(passwords, "_hasher", Slow())
    hashing = [asyncio.create_task(passwords.hashed("some long password")) for _ in range(20)]
    await asyncio.sleep(0)  # they have begun
    may_end.set()
    assert await asyncio.gather(*hashing) == ["done"] * 20


async def test_signing_in_is_in_the_log_and_the_audit_log(browser: Browser) -> None:
    kim = await make_staff(browser.database)
    await browser.sign_in("kim@example.com")
    event = await browser.database.row("SELECT * FROM event WHERE type = 'staff.signed-in'")
    assert event is not None
    assert (event["subject"], event["actor"]) == (kim.id, f"staff:{kim.id}")
    assert event["payload"]["means"] == "password"
    assert event["personal"] == {"remote": "127.0.0.1"}
    entries = (await browser.get("/api/audit", params={"verb": "staff.signed-in"})).json()["items"]
    assert [(entry["actor_name"], entry["remote"]) for entry in entries] == [("Kim Berg", "127.0.0.1")]
