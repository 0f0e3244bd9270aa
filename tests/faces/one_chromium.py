"""One Playwright and one Chromium for all browser tests of a worker: starting both costs a second of the processor.

What Playwright gives lives in the event loop that it was started in, so those tests share a loop, too; every other test keeps one
of its own. Each test has contexts of its own, which are closed at its end, and what else it left running is cancelled.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright, async_playwright

CHROMIUM = Path(
    os.environ.get("SAMLAD_CHROMIUM")
    or shutil.which("chromium-headless-shell")  # the same without a window: pages cost half the processor
    or shutil.which("chromium")
    or "/usr/bin/chromium"
)
CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync"]  # fmt: skip


class Chromium:
    """The browser of this worker."""

    def __init__(self, playwright: Playwright) -> None:
        self.playwright = playwright
        self._browser: Browser | None = None

    async def browser(self) -> Browser:
        """The running browser; a new one if it has crashed, so that one test's crash is not every test's."""
        if self._browser is None or not self._browser.is_connected():
            self._browser = await self.playwright.chromium.launch(
                executable_path=str(CHROMIUM), args=CHROMIUM_ARGS
            )
        return self._browser

    async def close(self) -> None:
        """End it."""
        if self._browser is not None and self._browser.is_connected():
            await self._browser.close()


@pytest.fixture(scope="session")
def lasting_runner() -> Iterator[asyncio.Runner]:
    """The event loop of all browser tests of this worker."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def chromium(lasting_runner: asyncio.Runner) -> Iterator[Chromium]:
    """Playwright, and Chromium when it is first asked for."""
    playwright = lasting_runner.run(async_playwright().start())
    made = Chromium(playwright)
    yield made
    with contextlib.suppress(Exception):  # the run is over: whatever a crashed browser says helps nobody
        lasting_runner.run(made.close())
        lasting_runner.run(playwright.stop())


@pytest.fixture
def _function_scoped_runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    """Where pytest-asyncio runs a test and its fixtures: a browser test in the lasting loop, if it uses the browser."""
    if not {"chromium", "dsn"} & set(request.fixturenames):
        yield request.getfixturevalue("_function_scoped_runner")
        return
    if "chromium" in request.fixturenames:
        request.getfixturevalue("chromium")  # what it runs itself is there before, and stays
    runner: asyncio.Runner = request.getfixturevalue("lasting_runner")
    before = asyncio.all_tasks(runner.get_loop())
    yield runner
    runner.run(_cancel_all_but(before))


async def _cancel_all_but(kept: set[asyncio.Task[object]]) -> None:
    """As the end of a loop of one's own would do."""
    left = asyncio.all_tasks() - kept - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
