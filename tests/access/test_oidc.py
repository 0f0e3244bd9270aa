"""Signing in with a company account, against a real provider on loopback."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from access_browser import Browser, Browsers, make_staff
from joserfc.jwk import OctKey
from oidc_provider import CLIENT, SECRET, Provider

import applications
from samlad.access import staff
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.kernel.settings import Settings


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def provider(running: Provider) -> Provider:
    fresh = {"sub": "kim-1", "email": "Kim@Example.com", "email_verified": True}
    running.claims, running.changes, running.by_userinfo = fresh, {}, False
    running.signing_key, running.algorithm = running.key, "RS256"
    return running


@pytest.fixture
async def application(settings: Settings, provider: Provider) -> AsyncIterator[Any]:
    configured = msgspec.structs.replace(
        settings, oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET
    )
    async with applications.running(configured) as made:
        yield made


async def go_and_come_back(browser: Browser, target: str = "/admin/orders") -> str:
    """Through the provider and back; the address of our callback."""
    begun = await browser.get("/api/session/oidc", params={"next": target})
    assert begun.status_code == 302, begun.text
    async with httpx.AsyncClient() as web:
        back = await web.get(begun.headers["location"])
    return back.headers["location"]


async def come_in(browser: Browser, target: str = "/admin/orders") -> httpx.Response:
    return await browser.get(await go_and_come_back(browser, target))


async def kind(browser: Browser) -> str:
    return (await browser.get("/api/session")).json()["kind"]


def reason(answer: httpx.Response) -> str:
    url = urlsplit(answer.headers["location"])
    assert url.path == "/admin/sign-in"
    return parse_qs(url.query)["oidc"][0]


@pytest.mark.parametrize("by_userinfo", [False, True])
async def test_who_works_here_comes_in(browser: Browser, provider: Provider, by_userinfo: bool) -> None:
    await make_staff(browser.database, password=None)
    provider.by_userinfo = by_userinfo
    answer = await come_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (302, "/admin/orders")
    me = (await browser.get("/api/session")).json()
    assert (me["kind"], me["session"]["means"]) == ("staff", "oidc")


async def test_who_was_invited_becomes_active_and_nobody_else_is_made(
    browser: Browser, browsers: Browsers
) -> None:
    assert "Nobody with this address" in reason(await come_in(browser))
    assert await browser.database.value("SELECT count(*) FROM staff") == 0
    given = StaffInput(email="kim@example.com", name="Kim", roles=[Role.STORE])
    invited = await browser.database.transaction(lambda tx: staff.invite(tx, given, "http://samlad.test"))
    assert (await come_in(browser)).headers["location"] == "/admin/orders"
    assert (await staff.get(browser.database, invited.staff.id)).status == "active"
    token = invited.link.url.rsplit("/", 1)[1]
    async with browsers() as other:
        assert (await other.post("/api/links/look", json={"token": token})).status_code == 410


async def test_disabled_people_and_addresses_given_to_others_stay_out(
    browser: Browser, provider: Provider
) -> None:
    kim = await make_staff(browser.database, password=None)
    await come_in(browser)
    provider.claims["sub"] = "somebody-new"
    assert "Nobody with this address" in reason(await come_in(browser))
    provider.claims["sub"] = "kim-1"
    await browser.database.pool.execute("UPDATE staff SET status = 'disabled' WHERE id = $1", kim.id)
    assert "Nobody with this address" in reason(await come_in(browser))


async def test_tokens_that_do_not_fit_open_nothing(browser: Browser, provider: Provider) -> None:
    await make_staff(browser.database, password=None)
    for changes in (
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"iss": "https://evil.test"},
        {"exp": int(time.time()) - 120},
        {"sub": None},
        {"azp": "another-client"},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": 7},
    ):
        provider.changes = changes
        answer = await come_in(browser)
        assert answer.headers["location"].startswith("/admin/sign-in?oidc="), changes
    provider.changes = {}
    provider.signing_key = provider.foreign_key
    assert "cannot be accepted" in reason(await come_in(browser))
    provider.signing_key, provider.algorithm = OctKey.import_key(SECRET * 2), "HS256"
    assert "cannot be accepted" in reason(await come_in(browser))
    assert await kind(browser) == "guest"
    provider.signing_key, provider.algorithm = provider.key, "RS256"
    assert (await come_in(browser)).headers["location"] == "/admin/orders"


async def test_an_answer_belongs_to_the_browser_that_began_and_works_once(
    browser: Browser, browsers: Browsers
) -> None:
    await make_staff(browser.database, password=None)
    url = await go_and_come_back(browser)
    async with browsers() as victim:
        assert reason(await victim.get(url))  # somebody else's answer, without a beginning
        await victim.get("/api/session/oidc")
        assert reason(await victim.get(url))  # or with a beginning of their own
        assert await kind(victim) == "guest"
    assert (await browser.get(url)).headers["location"] == "/admin/orders"
    await browser.delete(
        "/api/session", headers={"X-CSRF-Token": (await browser.get("/api/session")).json()["csrf_token"]}
    )
    assert reason(await browser.get(url))


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "/\\evil.test", "evil", "/a\nb", ""])
async def test_the_way_back_stays_on_our_site(browser: Browser, target: str) -> None:
    await make_staff(browser.database, password=None)
    assert (await come_in(browser, target)).headers["location"] == "/admin"


async def test_a_refusal_and_a_silent_provider_are_told(
    browser: Browser, provider: Provider, settings: Settings
) -> None:
    answer = await browser.get("/api/session/oidc/callback", params={"error": "access_denied"})
    assert "access_denied" in reason(answer)
    gone = msgspec.structs.replace(settings, oidc_issuer="http://127.0.0.1:1", oidc_client_id="x")
    for changed, status in ((gone, 401), (settings, 404)):
        async with applications.running(changed) as made:
            transport = httpx.ASGITransport(app=made, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://samlad.test") as client:
                assert (await client.get("/api/session/oidc")).status_code == status
