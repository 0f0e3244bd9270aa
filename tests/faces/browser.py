"""A real server and a real browser for the tests of faces.

``site`` runs the application with granian in a process of its own against the test's database, and opens Chromium::

    @pytest.mark.browser
    async def test_something(site: Site) -> None:
        page = await site.staff()            # signed in as an owner
        await page.goto("/admin/orders")
        assert await site.violations(page) == []
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from samlad.access import sessions
from samlad.access import staff as people
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.kernel.database import Database, Tx
from samlad.kernel.settings import Settings

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
CHROMIUM = Path(os.environ.get("SAMLAD_CHROMIUM", "/usr/bin/chromium"))
CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
START_SECONDS = 60.0
WIDTHS = {"phone": 390, "desk": 1440}


class Site:
    """The running application, and browsers that look at it."""

    def __init__(self, url: str, browser: Browser, db: Database) -> None:
        self.url = url
        self.browser = browser
        self.db = db
        self.complaints: list[str] = []
        self._contexts: list[BrowserContext] = []

    async def visitor(self, width: int = 1440, scheme: str = "light", **options: Any) -> Page:
        """A page of somebody who has not been here before."""
        context = await self.browser.new_context(
            base_url=self.url,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        return page

    def _note(self, kind: str, text: str) -> None:
        # What the server refused on purpose (422, 401) is told by the browser as an error, too.
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)

    async def staff(
        self, *roles: Role, locations: tuple[UUID, ...] = (), name: str = "Olivia Owner", **options: Any
    ) -> Page:
        """A page of somebody who is signed in; without roles as an owner."""
        page = await self.visitor(**options)
        token = await self.db.transaction(
            lambda tx: _session(tx, name, list(roles) or [Role.OWNER], list(locations))
        )
        await page.context.add_cookies([{"name": "samlad_session", "value": token, "url": self.url}])
        return page

    async def violations(self, page: Page) -> list[str]:
        """What axe-core finds on the page, WCAG 2.2 A and AA and its good practices, as readable lines."""
        await page.evaluate(AXE.read_text() + "; 0")
        found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{problem['id']}: {problem['help']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for problem in found["violations"]
            for node in problem["nodes"]
        ]

    async def overflow(self, page: Page) -> int:
        """By how many pixels the page is wider than the window; 0 is right."""
        width = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return max(0, int(width))

    async def close(self) -> None:
        """Close every page."""
        for context in self._contexts:
            await context.close()


async def _session(tx: Tx, name: str, roles: list[Role], locations: list[UUID]) -> str:
    address = f"{name.split()[0].lower()}@example.com"
    known = [person for person in await people.everybody(tx) if person.email == address]
    given = StaffInput(email=address, name=name, roles=roles, locations=locations)
    person = known[0] if known else await people.add(tx, given, "active")
    opened = await sessions.open_session(tx, person.id, "signed-in", "password", "Chromium")
    return opened.token


def require_chromium() -> None:
    """Skip with one clear line where the browser is missing; in CI nothing is skipped."""
    lacking = [str(path) for path in (CHROMIUM, AXE) if not path.exists()]
    if lacking and os.environ.get("CI") != "true":
        pytest.skip(f"{' and '.join(lacking)} missing: apt-get install chromium; npm ci")


@contextlib.asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[str]:
    """The application under granian on a free port, in a process of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "SAMLAD_HOME": str(settings.home),
        "SAMLAD_DATABASE_URL": settings.database_url or "",
        "SAMLAD_POOL_SIZE": "4",
        "SAMLAD_LOG_LEVEL": "warning",
    }
    log = Path(settings.home) / "server.log"
    command = [
        sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--host", "127.0.0.1",
        "--port", str(port), "--no-ws", "--no-access-log", "samlad.app:web",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}"
        try:
            await _until_up(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, 15)
            except subprocess.TimeoutExpired:
                process.kill()


async def _until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient(base_url=url) as client:
        while time.monotonic() < until:
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/health/live")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


@pytest.fixture
async def site(settings: Settings, db: Database) -> AsyncIterator[Site]:
    """The application in a process of its own, and a browser."""
    require_chromium()
    async with serve(settings) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGS)
        made = Site(url, browser, db)
        yield made
        await made.close()
        await browser.close()
