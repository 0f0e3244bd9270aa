"""Passkeys with a software authenticator."""

from typing import Any

import pytest
from access_browser import Browser, Browsers, make_staff
from authenticator import Authenticator, text


async def register(browser: Browser, phone: Authenticator, name: str = "Telephone") -> Any:
    challenge = (await browser.post("/api/account/passkeys/options")).json()
    credential = phone.create(challenge["options"])
    body = {"ceremony": challenge["ceremony"], "credential": credential, "name": name}
    return await browser.post("/api/account/passkeys", json=body)


async def sign_in(browser: Browser, phone: Authenticator, **changes: Any) -> Any:
    challenge = (await browser.post("/api/session/passkey/options")).json()
    body = {"ceremony": challenge["ceremony"], "credential": phone.get(challenge["options"])} | changes
    answer = await browser.post("/api/session/passkey", json=body)
    browser.take_token(answer)
    return answer


@pytest.fixture
async def kim(browser: Browser) -> Browser:
    await make_staff(browser.database)
    await browser.sign_in("kim@example.com")
    return browser


@pytest.mark.parametrize("counts", [True, False])
async def test_register_then_sign_in_without_a_password(
    kim: Browser, browsers: Browsers, counts: bool
) -> None:
    phone = Authenticator(counts=counts)
    made = await register(kim, phone)
    assert (made.status_code, made.json()["name"]) == (201, "Telephone")
    async with browsers() as fresh:
        for _ in range(2):
            answer = await sign_in(fresh, phone)
            assert (answer.status_code, answer.json()["session"]["means"]) == (201, "passkey")
            assert (await fresh.get("/api/staff")).status_code == 200
            await fresh.delete("/api/session")
    assert (await kim.get("/api/account/passkeys")).json()[0]["last_used"] is not None


async def test_an_answer_works_once(kim: Browser, browsers: Browsers) -> None:
    phone = Authenticator()
    await register(kim, phone)
    async with browsers() as fresh, browsers() as thief:
        challenge = (await fresh.post("/api/session/passkey/options")).json()
        body = {"ceremony": challenge["ceremony"], "credential": phone.get(challenge["options"])}
        assert (await fresh.post("/api/session/passkey", json=body)).status_code == 201
        assert (await thief.post("/api/session/passkey", json=body)).status_code == 401


async def test_what_does_not_fit_is_refused(kim: Browser, browsers: Browsers) -> None:
    phone = Authenticator()
    await register(kim, phone)
    async with browsers() as fresh:
        challenge = (await fresh.post("/api/session/passkey/options")).json()["options"]
        other_challenge = phone.get(challenge)
        assert (await sign_in(fresh, phone, credential=other_challenge)).status_code == 401
        assert (await sign_in(fresh, Authenticator())).status_code == 401  # never registered
        assert (await sign_in(fresh, phone, ceremony="x")).status_code == 401
        for broken in ({}, {"rawId": "!"}, {"rawId": text(phone.credential_id), "response": {}, "type": "x"}):
            assert (await sign_in(fresh, phone, credential=broken)).status_code == 401
        phone.origin = "https://evil.test"
        assert (await sign_in(fresh, phone)).status_code == 401
        phone.origin, phone.verifies = "http://samlad.test", False
        assert (await sign_in(fresh, phone)).status_code == 401
        phone.verifies, right = True, phone.user_handle
        phone.user_handle = b"somebody else...."
        assert (await sign_in(fresh, phone)).status_code == 401
        phone.user_handle = right
        assert (await sign_in(fresh, phone)).status_code == 201


async def test_a_copied_authenticator_shows_by_its_counter(kim: Browser, browsers: Browsers) -> None:
    phone = Authenticator()
    await register(kim, phone)
    async with browsers() as fresh:
        assert (await sign_in(fresh, phone)).status_code == 201
    phone.count -= 1
    async with browsers() as copy:
        assert (await sign_in(copy, phone)).status_code == 401


async def test_disabled_people_cannot_come_in_by_passkey(kim: Browser, browsers: Browsers) -> None:
    phone = Authenticator()
    await register(kim, phone)
    await kim.database.pool.execute("UPDATE staff SET status = 'disabled'")
    async with browsers() as fresh:
        assert (await sign_in(fresh, phone)).status_code == 401


async def test_registration_belongs_to_who_began_it(kim: Browser, browsers: Browsers) -> None:
    await make_staff(kim.database, "sam@example.com")
    phone = Authenticator()
    challenge = (await kim.post("/api/account/passkeys/options")).json()
    body = {"ceremony": challenge["ceremony"], "credential": phone.create(challenge["options"])}
    async with browsers() as sam:
        await sam.sign_in("sam@example.com")
        assert (await sam.post("/api/account/passkeys", json=body)).status_code == 422
    assert (await kim.post("/api/account/passkeys", json=body)).status_code == 201
    assert (await register(kim, phone)).status_code == 409
    assert (await register(kim, Authenticator("https://evil.test"))).status_code == 422


async def test_the_only_way_in_cannot_be_removed(kim: Browser) -> None:
    first = (await register(kim, Authenticator(), "first")).json()
    second = (await register(kim, Authenticator(), "second")).json()
    assert (await kim.delete(f"/api/account/passkeys/{first['id']}")).status_code == 204
    await kim.database.pool.execute("UPDATE staff SET password_hash = NULL")
    assert (await kim.delete(f"/api/account/passkeys/{second['id']}")).status_code == 409
    assert [key["name"] for key in (await kim.get("/api/account/passkeys")).json()] == ["second"]
