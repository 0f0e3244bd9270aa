"""Cross-site requests: the whole matrix, and tokens in headers and forms."""

import itertools
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from access_browser import Browser, Browsers, make_staff
from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile

from applications import running
from samlad import app as composition
from samlad.access.csrf import csrf_token
from samlad.kernel.http import actor_of
from samlad.kernel.settings import Settings

AnyRequest = Request[Any, Any, Any]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@get("/csrf-page")
async def page(request: AnyRequest) -> Response[str]:
    return Response(csrf_token(request), media_type="text/html")


@post("/csrf-page", status_code=200)
async def send(request: AnyRequest) -> dict[str, Any]:
    form = await request.form()
    sizes = {}
    for name, value in form.multi_items():
        sizes[name] = len(await value.read()) if isinstance(value, UploadFile) else len(str(value))
    return {"kind": actor_of(request).kind, "sizes": sizes}


@post("/webhooks/in/csrf-test", status_code=200)
async def hook(request: AnyRequest) -> dict[str, str]:
    return {"kind": actor_of(request).kind}


@pytest.fixture
async def application(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setattr(composition, "ROUTES", [*composition.ROUTES, page, send, hook])
    async with running(settings) as made:
        yield made


@pytest.fixture
async def kim(browser: Browser) -> Browser:
    await make_staff(browser.database)
    await browser.sign_in("kim@example.com")
    return browser


SITES = [
    ({}, True),
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Origin": "http://samlad.test"}, True),
    ({"Origin": "http://evil.test"}, False),
    ({"Origin": "https://samlad.test"}, False),
    ({"Origin": "http://samlad.test:8080"}, False),
    ({"Origin": "null"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "http://samlad.test"}, False),
]


async def test_with_a_session_site_and_token_must_both_be_right(kim: Browser, browsers: Browsers) -> None:
    right = kim.headers.pop("X-CSRF-Token")
    async with browsers() as other:
        theirs = (await other.get("/csrf-page")).text
    for (site, is_own), given in itertools.product(SITES, [right, "x" * 43, None, theirs]):
        headers = site | ({"X-CSRF-Token": given} if given else {})
        expected = 200 if is_own and given == right else 403
        form = await kim.post("/csrf-page", headers=headers | FORM, content="a=1")
        bare = await kim.post("/csrf-page", headers=headers)
        assert (form.status_code, bare.status_code) == (expected, expected), headers
        if expected == 403:
            assert bare.json()["type"] == "/problems/cross-site"
        assert (await kim.get("/csrf-page", headers=headers)).status_code == 200


async def test_strangers_without_cookies(browser: Browser) -> None:
    """No cookies, no token; but a form of another site could sign somebody in as somebody else."""
    for site, is_own in SITES:
        status = (await browser.post("/csrf-page", headers=site | FORM, content="a=1")).status_code
        assert status == (200 if is_own else 403), site
        # JSON cannot be sent by another site without asking first (CORS), and nobody is told yes.
        body = {"token": "x"}
        assert (await browser.post("/api/links/look", headers=site, json=body)).status_code == 410


async def test_guests_of_the_storefront_have_a_token_too(browser: Browser) -> None:
    first = await browser.get("/csrf-page")
    token = first.text
    assert "HttpOnly" in first.headers["set-cookie"]
    again = await browser.get("/csrf-page")
    assert (again.text, "set-cookie" in again.headers) == (token, False)
    assert (await browser.post("/csrf-page", headers=FORM, content="a=1")).status_code == 403
    assert (await browser.post("/csrf-page", data={"_csrf": token, "a": "1"})).json()["sizes"] == {
        "_csrf": 43,
        "a": 1,
    }
    assert (await browser.post("/csrf-page", headers={"X-CSRF-Token": token})).status_code == 200


async def test_a_cookie_of_another_package_needs_the_token_as_well(browser: Browser) -> None:
    browser.cookies.set("samlad_cart", "x")
    assert (await browser.post("/csrf-page", headers=FORM, content="a=1")).status_code == 403
    token = (await browser.get("/csrf-page")).text
    assert (await browser.post("/csrf-page", headers={"X-CSRF-Token": token})).status_code == 200


async def test_the_token_of_a_guest_does_not_work_after_signing_in(browser: Browser) -> None:
    await make_staff(browser.database)
    old = (await browser.get("/csrf-page")).text
    browser.headers["X-CSRF-Token"] = old
    await browser.sign_in("kim@example.com")
    assert (await browser.post("/csrf-page", headers={"X-CSRF-Token": old})).status_code == 403
    assert (await browser.post("/csrf-page")).status_code == 200


async def test_json_with_a_session_needs_the_header(kim: Browser) -> None:
    token = kim.headers.pop("X-CSRF-Token")
    body = {"name": "x", "scopes": ["staff.read"]}
    assert (await kim.post("/api/keys", json=body)).status_code == 403
    assert (await kim.post("/api/keys", json=body | {"_csrf": token})).status_code == 403
    assert (await kim.post("/api/keys", json=body, headers={"X-CSRF-Token": token})).status_code == 201


async def test_keys_are_exempt_and_their_cookies_are_ignored(kim: Browser) -> None:
    made = (await kim.post("/api/keys", json={"name": "x", "scopes": ["staff.read"]})).json()
    del kim.headers["X-CSRF-Token"]
    headers = {"Authorization": f"Bearer {made['secret']}", "Sec-Fetch-Site": "cross-site"}
    assert (await kim.post("/csrf-page", headers=headers)).json()["kind"] == "key"


async def test_addresses_for_machines_take_posts_from_anywhere_but_no_cookies(kim: Browser) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.test"} | FORM
    answer = await kim.post("/webhooks/in/csrf-test", headers=headers, content="a=1")
    assert (answer.status_code, answer.json()) == (200, {"kind": "guest"})


async def test_a_form_with_a_file_carries_the_token_in_its_first_part(kim: Browser) -> None:
    token = kim.headers.pop("X-CSRF-Token")
    big = b"x" * 200_000
    files = {"_csrf": (None, token), "file": ("a.bin", big)}
    answer = await kim.post("/csrf-page", files=files)
    assert answer.json() == {"kind": "staff", "sizes": {"_csrf": 43, "file": 200_000}}
    late = {"file": ("a.bin", big), "_csrf": (None, token)}
    assert (await kim.post("/csrf-page", files=late)).status_code == 403


async def test_a_body_in_pieces_arrives_whole(kim: Browser) -> None:
    token = kim.headers.pop("X-CSRF-Token")

    async def pieces() -> AsyncIterator[bytes]:
        yield b"_cs"
        yield f"rf={token}&a=".encode()
        for _ in range(100):
            yield b"y" * 2000

    answer = await kim.post("/csrf-page", headers=FORM, content=pieces())
    assert answer.json()["sizes"] == {"_csrf": 43, "a": 200_000}


async def test_the_public_address_counts_as_own_behind_a_proxy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    behind = msgspec.structs.replace(settings, public_url="https://shop.example")
    monkeypatch.setattr(composition, "ROUTES", [*composition.ROUTES, page, send])
    async with running(behind) as made:
        transport = httpx.ASGITransport(app=made, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.5:8000") as client:
            for origin, status in (
                ("https://shop.example", 200),
                ("http://10.0.0.5:8000", 200),
                ("https://x.example", 403),
            ):
                answer = await client.post("/csrf-page", headers=FORM | {"Origin": origin}, content="a=1")
                assert answer.status_code == status
            cookie = (await client.get("/csrf-page")).headers["set-cookie"]
            assert cookie.startswith("__Host-samlad_guest=")
            assert "Secure" in cookie
