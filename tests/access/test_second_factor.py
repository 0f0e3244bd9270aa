"""Codes of an app: switching on, signing in, no replay, recovery codes."""

import asyncio
import time
from typing import Any

import pyotp
import pytest
from access_browser import PASSWORD, Browser, Browsers, make_staff

from samlad.access import second_factor
from samlad.access.second_factor import STEP_SECONDS


class Phone:
    """An authenticator app whose clock the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment = time.time()
        self.secret = ""
        monkeypatch.setattr(second_factor.time, "time", lambda: self.moment)

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(int(self.moment) + steps * STEP_SECONDS)

    def wait(self) -> None:
        self.moment += STEP_SECONDS


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    return Phone(monkeypatch)


async def switch_on(browser: Browser, phone: Phone) -> list[str]:
    await make_staff(browser.database)
    await browser.sign_in("kim@example.com")
    enrolment = (await browser.post("/api/account/totp")).json()
    phone.secret = enrolment["secret"]
    assert enrolment["svg"].startswith("<svg")
    assert "kim%40example.com" in enrolment["uri"]
    wrong = await browser.post("/api/account/totp/activate", json={"code": "000000"})
    assert wrong.status_code == 422
    done = await browser.post("/api/account/totp/activate", json={"code": phone.code()})
    assert done.status_code == 200
    phone.wait()
    return done.json()["recovery_codes"]


async def code(browser: Browser, text: str) -> Any:
    answer = await browser.post("/api/session/code", json={"code": text})
    browser.take_token(answer)
    return answer


async def test_a_password_alone_opens_nothing(browser: Browser, browsers: Browsers, phone: Phone) -> None:
    await switch_on(browser, phone)
    async with browsers() as fresh:
        answer = await fresh.sign_in("kim@example.com")
        assert answer.json()["state"] == "code-needed"
        assert answer.json()["permissions"] == []
        half = fresh.cookies["samlad_session"]
        assert (await fresh.get("/api/staff")).status_code == 401
        assert (await fresh.post("/api/account/totp")).status_code == 401
        assert (await fresh.delete("/api/account/totp")).status_code == 401
        assert (await fresh.get("/api/sessions")).status_code == 401
        assert (await code(fresh, "12345x")).status_code == 401
        whole = await code(fresh, phone.code())
        assert (whole.status_code, whole.json()["session"]["means"]) == (201, "password+code")
        assert (await fresh.get("/api/staff")).status_code == 200
        assert fresh.cookies["samlad_session"] != half
    async with browsers(Cookie=f"samlad_session={half}") as thief:
        assert (await thief.get("/api/session")).json()["state"] == "guest"


async def test_a_code_works_once_also_when_it_comes_twice_at_once(
    browser: Browser, browsers: Browsers, phone: Phone
) -> None:
    await switch_on(browser, phone)
    async with browsers() as one, browsers() as two:
        await one.sign_in("kim@example.com")
        await two.sign_in("kim@example.com")
        both = await asyncio.gather(code(one, phone.code()), code(two, phone.code()))
        assert sorted(answer.status_code for answer in both) == [201, 401]
    async with browsers() as later:
        await later.sign_in("kim@example.com")
        assert (await code(later, phone.code())).status_code == 401
        assert (await code(later, phone.code(-1))).status_code == 401
        phone.wait()
        assert (await code(later, phone.code())).status_code == 201


async def test_clocks_may_differ_by_one_step(browser: Browser, browsers: Browsers, phone: Phone) -> None:
    await switch_on(browser, phone)
    phone.wait()
    async with browsers() as fresh:
        await fresh.sign_in("kim@example.com")
        for steps, status in ((-2, 401), (2, 401), (1, 201)):
            assert (await code(fresh, phone.code(steps))).status_code == status


async def test_a_wrong_code_counts_as_a_failed_try(
    browser: Browser, browsers: Browsers, phone: Phone
) -> None:
    await switch_on(browser, phone)
    async with browsers() as fresh:
        await fresh.sign_in("kim@example.com")
        tries = await asyncio.gather(*(code(fresh, f"{number:06}") for number in range(20)))
        statuses = [answer.status_code for answer in tries]
        # The password was the first try of five.
        assert (statuses.count(401), statuses.count(429)) == (4, 16)
        assert (await code(fresh, phone.code())).status_code == 429


async def test_recovery_codes_work_once_each(browser: Browser, browsers: Browsers, phone: Phone) -> None:
    codes = await switch_on(browser, phone)
    assert len(set(codes)) == 10
    for text, status in ((codes[0], 201), (codes[0], 401), (codes[1].upper().replace("-", " "), 201)):
        async with browsers() as fresh:
            await fresh.sign_in("kim@example.com")
            assert (await code(fresh, text)).status_code == status
    renewed = (await browser.post("/api/account/recovery-codes")).json()["recovery_codes"]
    for text, status in ((codes[2], 401), (renewed[0], 201)):
        async with browsers() as fresh:
            await fresh.sign_in("kim@example.com")
            assert (await code(fresh, text)).status_code == status


async def test_switching_off_needs_a_fresh_confirmation(
    browser: Browser, browsers: Browsers, phone: Phone
) -> None:
    await switch_on(browser, phone)
    await browser.database.pool.execute("UPDATE session SET confirmed_at = now() - interval '16 minutes'")
    second_factor.recent.forget()
    refused = await browser.delete("/api/account/totp")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/confirm-first")
    assert (await browser.post("/api/session/confirm", json={"password": "wrong"})).status_code == 401
    assert (await browser.post("/api/session/confirm", json={"password": PASSWORD})).status_code == 204
    assert (await browser.delete("/api/account/totp")).status_code == 204
    async with browsers() as fresh:
        assert (await fresh.sign_in("kim@example.com")).json()["state"] == "signed-in"


async def test_the_secret_is_sealed_at_rest_and_bound_to_the_person(browser: Browser, phone: Phone) -> None:
    await switch_on(browser, phone)
    sealed = await browser.database.value("SELECT totp_secret FROM staff")
    assert phone.secret.encode() not in sealed
    kim = await browser.database.value("SELECT id FROM staff")
    assert browser.runtime.vault.open(f"access.totp/{kim}", sealed).decode() == phone.secret


async def test_an_owner_removes_a_lost_second_factor(
    browser: Browser, browsers: Browsers, phone: Phone
) -> None:
    await switch_on(browser, phone)
    await make_staff(browser.database, "sam@example.com")
    kim = await browser.database.value("SELECT id FROM staff WHERE email = 'kim@example.com'")
    async with browsers() as sam:
        await sam.sign_in("sam@example.com")
        answer = await sam.post(f"/api/staff/{kim}/reset-second-factor")
        assert answer.json()["has_totp"] is False
    assert (await browser.get("/api/staff")).status_code == 401
    assert (await browser.sign_in("kim@example.com")).json()["state"] == "signed-in"
