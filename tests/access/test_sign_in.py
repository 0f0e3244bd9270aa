"""Signing in with a password: sessions, lock-out, one-time links."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from samlad import access
from samlad.app import create, serving
from samlad.kernel.settings import Settings

PASSWORD = "four calm green kettles"


@pytest.fixture
async def browser(settings: Settings) -> AsyncIterator[Any]:
    application = create(settings)
    async with serving(application, settings):
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://samlad.test") as client:
            client.database = application.state.runtime.database
            yield client


async def test_first_owner(browser: Any) -> None:
    from samlad.access import welcome
    url = await browser.database.transaction(lambda tx: welcome.first_start(tx, "http://samlad.test"))
    token = url.rsplit("/", 1)[1]
    print((await browser.post("/api/links/look", json={"token": token})).text)
    r = await browser.post("/api/links/accept", json={"token": token, "password": PASSWORD, "email": "Kim@Example.com", "name": "Kim"})
    print(r.status_code, r.text, r.headers)
    r = await browser.get("/api/session")
    print(r.text)
    csrf = r.json()["csrf_token"]
    r = await browser.delete("/api/session")
    print(r.status_code, r.text)
    browser.headers["x-csrf-token"] = csrf
    r = await browser.post("/api/keys", json={"name": "x", "scopes": ["staff.read"]})
    print(r.status_code, r.text)
    sk = r.json()["secret"]
    r = await browser.get("/api/audit")
    print(r.status_code, r.text)
    r = await browser.delete("/api/session")
    print(r.status_code, r.text)
    r = await browser.post("/api/session", json={"email": "kim@example.com", "password": PASSWORD})
    print(r.status_code, r.text)
    r = await browser.get("/api/staff", headers={"Authorization": "Bearer " + sk})
    print(r.status_code, r.text)
    r = await browser.get("/api/staff", headers={"Authorization": "Bearer " + sk+"x"})
    print(r.status_code, r.text)
