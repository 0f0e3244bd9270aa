"""A real server and a real browser for the tests of pages; its fixtures are everybody's by ``tests/conftest.py``.

``site`` is the application under granian in a process of its own, over the test's database, and Chromium::

    pytestmark = pytest.mark.browser

    async def test_an_order_is_found(site: Site, shop: Shop) -> None:
        order = await shop.buy("MUG-032")
        page = await site.staff()            # signed in as an owner
        await page.goto(f"/admin/orders/{order.id}")
        await site.fine(page)                # accessible, not too wide, no complaint in the console

The server process is one for each worker and goes from database to database (`site_server`).
"""

import asyncio
import contextlib
import functools
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from one_chromium import CHROMIUM, Chromium
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, expect
from site_server import SWITCH, TESTS

from samlad.access import sessions
from samlad.access import staff as people
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.kernel.database import Database, Tx
from samlad.kernel.settings import Settings
from skipping import is_ci

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
START_SECONDS = 60.0
PATIENCE_MS = 30_000.0
"""How long a page may take on a busy machine. Only a test that fails waits so long."""
WIDTHS = {"phone": 390, "desk": 1440}


expect.set_options(timeout=PATIENCE_MS)

ACTS = ("check", "click", "dblclick", "fill", "hover", "press", "press_sequentially", "select_option", "set_checked",
        "set_input_files", "tap", "uncheck")  # fmt: skip


def _act_when_loaded(actor: Any, names: tuple[str, ...], page: Page | None = None) -> None:
    """What is looked for can be seen before the document has its scripts, and what is done to it then is lost.

    Args:
        actor: a class of Playwright's, whose objects know their page, or something that acts on ``page``.
    """

    def late(act: Any) -> Any:
        @functools.wraps(act)
        async def act_when_loaded(*given: Any, **options: Any) -> Any:
            await (page or _page_of(given[0])).wait_for_load_state()
            return await act(*given, **options)

        return act_when_loaded

    for name in names:
        setattr(actor, name, late(getattr(actor, name)))


def _page_of(acted_on: Locator | Page) -> Page:
    return acted_on if isinstance(acted_on, Page) else acted_on.page


_act_when_loaded(Locator, ACTS)
_act_when_loaded(Page, tuple(name for name in ACTS if name != "press_sequentially"))


class Site:
    """The running application, and browsers that look at it."""

    def __init__(self, url: str, browser: Browser, db: Database) -> None:
        self.url = url
        self.browser = browser
        self.db = db
        self.complaints: list[str] = []
        self._contexts: list[BrowserContext] = []

    async def visitor(self, width: int = 1440, scheme: str = "light", **options: Any) -> Page:
        """A page of somebody who has not been here before. Without service workers, unless ``service_workers="allow"``."""
        options.setdefault("service_workers", "block")
        context = await self.browser.new_context(
            base_url=self.url,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        _act_when_loaded(page.keyboard, ("press", "type", "insert_text"), page)
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
        token = await session_of(self.db, *roles, locations=locations, name=name)
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

    async def fine(self, page: Page) -> None:
        """The page is accessible, as wide as the window, and nothing was complained about in any console."""
        violations = await self.violations(page)
        assert violations == [], (page.url, violations)
        assert await self.overflow(page) == 0, page.url
        assert self.complaints == [], (page.url, self.complaints)

    @contextlib.asynccontextmanager
    async def before_it_listens(self, page: Page, path: str) -> AsyncIterator[None]:
        """The page is there, but its request for live events comes to the server only after what is done in here."""
        may_listen = asyncio.Event()

        async def wait(route: Route) -> None:
            await may_listen.wait()
            await route.continue_()

        await page.route("**/live?*", wait)
        async with page.expect_request("**/live?*"):
            await page.goto(path)
        yield
        may_listen.set()

    async def picture(self, page: Page, name: str) -> None:
        """Pictures for whoever looks at pages, at both widths, if ``SAMLAD_PICTURES`` says in which folder."""
        folder = os.environ.get("SAMLAD_PICTURES")
        if folder:
            for width in WIDTHS.values():
                await page.set_viewport_size({"width": width, "height": 900})
                await page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)

    async def close(self) -> None:
        """Close every page."""
        for context in self._contexts:
            await context.close()


async def session_of(
    db: Database, *roles: Role, locations: tuple[UUID, ...] = (), name: str = "Olivia Owner"
) -> str:
    """What the cookie of somebody who is signed in says; without roles of an owner."""
    return await db.transaction(lambda tx: _session(tx, name, list(roles) or [Role.OWNER], list(locations)))


async def _session(tx: Tx, name: str, roles: list[Role], locations: list[UUID]) -> str:
    address = f"{name.split()[0].lower()}@example.com"
    known = [person for person in await people.everybody(tx) if person.email == address]
    given = StaffInput(email=address, name=name, roles=roles, locations=locations)
    person = known[0] if known else await people.add(tx, given, "active")
    opened = await sessions.open_session(tx, person.id, "signed-in", "password", "Chromium")
    return opened.token


async def comes_true(page: Page, script: str, arg: Any = None) -> None:
    """Wait until an asynchronous function of the page says yes. `Page.wait_for_function` takes its promise for a yes."""
    async with asyncio.timeout(60):
        while not await page.evaluate(script, arg):
            pass


def require_chromium() -> None:
    """Skip with one clear line where the browser is missing; in CI that is an error."""
    lacking = [str(path) for path in (CHROMIUM, AXE) if not path.exists()]
    if lacking:
        said = f"no browser tests without {' and '.join(lacking)}: apt-get install chromium; npm ci"
        if is_ci():
            pytest.fail(said, pytrace=False)
        pytest.skip(said)


class Server:
    """Granian in a process of its own, which serves one database after another."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = url
        self._process = process
        self._log = log

    async def switch(self, settings: Settings | None) -> None:
        """Let go of the database that it serves, and serve this one. At first also: wait until the server is up."""
        body = b"" if settings is None else msgspec.json.encode(settings, enc_hook=str)
        until = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(base_url=self.url, timeout=START_SECONDS) as client:
            while True:
                assert self._process.poll() is None, self.said()
                with contextlib.suppress(httpx.ConnectError):
                    answer = await client.post(SWITCH, content=body)
                    assert answer.status_code == 204, self.said()
                    return
                assert time.monotonic() < until, self.said()
                await asyncio.sleep(0.1)

    def said(self) -> str:
        """Its log."""
        return self._log.read_text()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of this worker; it serves nothing yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "server.log"
    command = [
        sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--host", "127.0.0.1",
        "--port", str(port), "--no-ws", "--no-access-log", "site_server:switchable",
    ]  # fmt: skip
    found_at = os.pathsep.join(str(ROOT / each) for each in ("src", "tests", "tests/faces"))
    environment = {**os.environ, "PYTHONPATH": found_at, TESTS: str(os.getpid())}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    yield Server(f"http://127.0.0.1:{port}", process, log)
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
async def site(chromium: Chromium, server: Server, settings: Settings, db: Database) -> AsyncIterator[Site]:
    """The application over this test's database, and a browser."""
    served = msgspec.structs.replace(settings, pool_size=4, log_level="warning")
    _, browser = await asyncio.gather(server.switch(served), chromium.browser())
    made = Site(server.url, browser, db)
    yield made
    await made.close()
    await server.switch(None)
