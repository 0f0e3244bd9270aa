"""Fixtures of browsers that sign in; see access_browser."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from access_browser import Browser, Browsers

from applications import running
from samlad.kernel.settings import Settings


@pytest.fixture
async def application(settings: Settings) -> AsyncIterator[Any]:
    async with running(settings) as made:
        yield made


@pytest.fixture
def browsers(application: Any) -> Browsers:
    """``async with browsers() as browser``: as many as a test needs; ``address`` is where it comes from."""

    def open_browser(
        address: str = "127.0.0.1", base_url: str = "http://samlad.test", **headers: str
    ) -> Browser:
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False, client=(address, 1234))
        browser = Browser(transport=transport, base_url=base_url, headers=headers)
        browser.runtime = application.state.runtime
        return browser

    return open_browser


@pytest.fixture
async def browser(browsers: Browsers) -> AsyncIterator[Browser]:
    async with browsers() as opened:
        yield opened
