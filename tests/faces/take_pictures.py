"""``make pictures``: every page as a reviewer sees it, at three widths, by day and by night, in one folder to leaf through.

It serves the demo (building it first where it is missing), opens every page that `every_page` knows, and writes pictures and an
``index.html`` to ``var/pictures``. What was taken is not taken again: a run that was stopped goes on where it was (``--fresh``
begins anew). Exit code 1 if a page answers with an error, is wider than its window, complains in its console or breaks axe.

    python tests/faces/take_pictures.py --only /admin/stock --widths 390 --themes dark
"""

import argparse
import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
from browser import AXE, ROOT
from every_page import PageAt, pages
from one_chromium import CHROMIUM, CHROMIUM_ARGS
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from playwright.async_api import Error as BrowserError

from account_people import Post
from samlad import app, channels  # noqa: F401 - every package has declared its own
from samlad.access import sessions
from samlad.access import staff as people
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.bench.server import Server, settings_of
from samlad.demo import kim
from samlad.faces.page import LOCALE_COOKIE
from samlad.faces.storefront.member import COOKIE
from samlad.kernel.database import Database, Tx
from samlad.kernel.runtime import open_runtime
from samlad.kernel.settings import Settings
from samlad.packages import PACKAGES

WIDTHS, THEMES = (390, 768, 1440), ("light", "dark")
PATIENCE_MS = 60_000
TALLEST = 12_000
"""Pixels of a picture's height; a list that is longer is cut."""
ADDRESS = "pictures@example.com"
SETTLED = "() => document.fonts.ready.then(() => !document.querySelector('.htmx-request'))"


class Taken(msgspec.Struct, frozen=True):
    """A picture, and what was seen beside it. ``bytes`` are those of the answer and all that it loaded, as sent."""

    template: str
    path: str
    face: str
    width: int
    theme: str
    file: str
    status: int
    bytes: int
    requests: int
    overflow: int
    complaints: list[str]
    violations: list[str]

    @property
    def is_fine(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.status < 400 and not (self.overflow or self.complaints or self.violations)


def name_of(page: PageAt, width: int, theme: str) -> str:
    """The file of a picture: its route and query in letters that every file system takes."""
    query = page.path.partition("?")[2]
    words = re.sub(r"[^a-z0-9]+", "-", f"{page.template} {query}".lower()).strip("-") or "start"
    last = page.path.partition("?")[0].rsplit("/", 1)[-1]
    more = f"-{last}" if page.template.endswith("/{key}") else ""
    return f"{words}{more}-{width}-{theme}"


class Album:
    """The folder: what is in it already, and its index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: dict[str, Taken] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._list = folder / "pictures.jsonl"
        if self._list.exists():
            for line in self._list.read_bytes().splitlines():
                with contextlib.suppress(msgspec.MsgspecError):  # the last line of a run that was killed
                    one = msgspec.json.decode(line, type=Taken)
                    if (folder / one.file).exists():
                        self.taken[one.file] = one

    def has(self, file: str) -> bool:
        """Whether it was taken before, and was fine: what was not is looked at again."""
        return file in self.taken and self.taken[file].is_fine

    def add(self, one: Taken) -> None:
        """Keep one, so that a run that is killed now goes on after it."""
        self.taken[one.file] = one
        with self._list.open("ab") as file:
            file.write(msgspec.json.encode(one) + b"\n")

    def write_index(self) -> Path:
        """One page over all pictures, with filters, that arrow keys leaf through. It needs no server."""
        rows = sorted(self.taken.values(), key=lambda one: (one.face, one.path, one.width, one.theme))
        data = msgspec.json.encode(
            [{**msgspec.to_builtins(one), "fine": one.is_fine} for one in rows]
        ).decode()
        index = self.folder / "index.html"
        index.write_text(_INDEX.replace("__DATA__", data.replace("</", "<\\/")), "utf-8")
        return index


class Photographer:
    """Takes pictures in one browser: a context for who looks, each width and each theme."""

    def __init__(
        self, browser: Browser, url: str, cookies: dict[str, dict[str, str]], locale: str | None = None
    ) -> None:
        self._browser = browser
        self._url = url
        self._cookies = cookies
        self._chosen = {LOCALE_COOKIE: locale} if locale else {}
        self._contexts: dict[tuple[str, int, str], BrowserContext] = {}
        self._lock = asyncio.Lock()

    async def _context(self, who: str, width: int, theme: str) -> BrowserContext:
        async with self._lock:
            key = (who, width, theme)
            if key not in self._contexts:
                context = await self._browser.new_context(
                    base_url=self._url, viewport={"width": width, "height": 900}, color_scheme=theme,  # type: ignore[arg-type]
                    reduced_motion="reduce", service_workers="block", locale="en-GB",
                )  # fmt: skip
                context.set_default_timeout(PATIENCE_MS)
                for name, value in (self._cookies.get(who, {}) | self._chosen).items():
                    await context.add_cookies([{"name": name, "value": value, "url": self._url}])
                self._contexts[key] = context
            return self._contexts[key]

    async def take(self, page: PageAt, width: int, theme: str, folder: Path) -> Taken:
        """Open a page, look at it, keep its picture."""
        tab = await (await self._context(page.who, width, theme)).new_page()
        seen: list[str] = []
        sent = [0, 0]
        tab.on("console", lambda said: seen.append(said.text) if said.type == "error" else None)
        tab.on("pageerror", lambda error: seen.append(str(error)))
        counting: list[asyncio.Task[None]] = []
        tab.on("requestfinished", lambda request: counting.append(asyncio.create_task(_count(request, sent))))
        file = f"{name_of(page, width, theme)}.png"
        try:
            answer = await tab.goto(page.path, wait_until="load")
            with contextlib.suppress(BrowserError):  # a page that listens is never idle
                await tab.wait_for_function(SETTLED, timeout=5_000)
            height = min(TALLEST, await tab.evaluate("document.documentElement.scrollHeight"))
            await tab.screenshot(
                path=folder / file, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": max(900, height)}
            )  # fmt: skip
            overflow = int(await tab.evaluate("document.documentElement.scrollWidth - innerWidth"))
            violations = await _violations(tab)
            await asyncio.gather(*counting, return_exceptions=True)
            status = answer.status if answer else 0
        finally:
            await tab.close()
        return Taken(
            page.template, page.path, page.face, width, theme, file, status, sent[0], sent[1], max(0, overflow),
            [each for each in seen if "Failed to load resource" not in each or "404" in each], violations,
        )  # fmt: skip


async def _count(request: Any, sent: list[int]) -> None:
    with contextlib.suppress(BrowserError):  # one that ended while its page was being closed
        sent[0] += (await request.sizes())["responseBodySize"]
    sent[1] += 1


async def _violations(tab: Page) -> list[str]:
    await tab.evaluate(AXE.read_text() + "; 0")
    found = await tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{each['id']}: {each['help']} ({len(each['nodes'])})" for each in found["violations"]]


# -- a shop to look at -------------------------------------------------------------------------------------------------


def build_demo(home: Path) -> None:
    """Build the demo where there is none."""
    if (home / "demo-sign-in.json").exists() or (home / "postgres").exists():
        return
    sys.stderr.write("There is no demo yet; building it takes some minutes …\n")
    command = [sys.executable, "-m", "samlad.cli", "demo", "--once"]
    subprocess.run(
        command, check=True, env={**os.environ, "SAMLAD_HOME": str(home)}, stdout=subprocess.DEVNULL
    )


async def cookies_of(db: Database, settings: Settings) -> dict[str, dict[str, str]]:
    """Sessions of those who look: an owner, and a customer; in the demo the one who has something of everything."""
    token = await db.transaction(_owner)
    shop = channels.shop_at("", await channels.all_channels(db))
    found = {"staff": {"samlad_session": token}}
    if shop is not None:
        known = await db.value("SELECT count(*) FROM customer WHERE lower(email) = $1", kim.EMAIL)
        opened = await Post(db, settings, shop).sign_in(kim.EMAIL if known else ADDRESS)
        found["customer"] = {COOKIE: opened.token}
    return found


async def _owner(tx: Tx) -> str:
    known = [one for one in await people.everybody(tx) if one.email == ADDRESS]
    given = StaffInput(email=ADDRESS, name="Olivia Owner", roles=[Role.OWNER])
    person = known[0] if known else await people.add(tx, given, "active")
    return (await sessions.open_session(tx, person.id, "signed-in", "password", "Chromium")).token


async def fill_cart(browser: Browser, url: str, db: Database) -> dict[str, str]:
    """The cookies of a visitor who has something in the cart."""
    variant = await db.value(
        "SELECT v.id FROM variant v JOIN level l ON l.variant = v.id WHERE l.on_hand > 5 LIMIT 1"
    )
    context = await browser.new_context(base_url=url)
    if variant is not None:
        await context.request.post("/cart/lines", form={"variant": str(variant), "quantity": "2"})
    kept = {each["name"]: each["value"] for each in await context.cookies()}
    await context.close()
    return kept


@contextlib.asynccontextmanager
async def opened(home: Path) -> AsyncIterator[tuple[str, Database, Settings]]:
    """The shop, served; its address and its database."""
    settings = settings_of(home)
    async with (
        open_runtime(settings, packages=PACKAGES) as runtime,
        Server(home, worker=False, more={"SAMLAD_PSEUDO_LOCALES": "true"}) as server,
    ):
        yield f"http://{server.host}:{server.port}", runtime.database, settings


# -- the run -----------------------------------------------------------------------------------------------------------


async def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Take all that is missing; the exit code."""
    album = Album(arguments.folder)
    if arguments.fresh:
        album.taken.clear()
    async with opened(arguments.home) as (url, db, settings), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGS)
        cookies = await cookies_of(db, settings)
        cookies["visitor"] = await fill_cart(browser, url, db)
        wanted = [
            (page, width, theme)
            for page in await pages(db)
            if _is_wanted(page, arguments.only)
            for width in arguments.widths
            for theme in arguments.themes
        ]
        await take_all(
            Photographer(browser, url, cookies, arguments.locale), album, wanted, arguments.tabs, say
        )
        await browser.close()
    index = album.write_index()
    names = {f"{name_of(page, width, theme)}.png" for page, width, theme in wanted}
    bad = [one for name, one in sorted(album.taken.items()) if name in names and not one.is_fine]
    for one in bad:
        what = [f"status {one.status}"] if one.status >= 400 else []
        what += [f"{one.overflow} px too wide"] if one.overflow else []
        say(
            f"{one.path} at {one.width}, {one.theme}: {'; '.join([*what, *one.complaints, *one.violations])}\n"
        )
    lacking = names - album.taken.keys()
    say(f"{len(names) - len(lacking)} pictures, {len(bad)} with something wrong: {index}\n")
    return 1 if bad or lacking else 0


def _is_wanted(page: PageAt, only: str) -> bool:
    return not only or any(page.template.startswith(one) or page.face == one for one in only.split(","))


async def take_all(
    photographer: Photographer, album: Album, wanted: list[tuple[PageAt, int, str]], tabs: int, say: Callable[[str], None]
) -> None:  # fmt: skip
    """Take what the album has not, so many pages at once."""
    waiting = [each for each in wanted if not album.has(f"{name_of(*each)}.png")]
    total, done, began = len(waiting), 0, time.monotonic()
    say(f"{len(wanted)} pictures of {len({page.template for page, *_ in wanted})} pages, {total} to take\n")

    async def work() -> None:
        nonlocal done
        while waiting:
            page, width, theme = waiting.pop(0)
            try:
                album.add(await photographer.take(page, width, theme, album.folder))
            except BrowserError as error:
                say(f"\n{page.path} at {width}, {theme}: {error.message.splitlines()[0]}\n")
            done += 1
            left = (time.monotonic() - began) / done * (total - done)
            say(f"\r{done} of {total}, {left:.0f} s left  {page.template[:60]:60}")

    await asyncio.gather(*(work() for _ in range(tabs)))
    say("\n" if total else "")


def main() -> int:
    """Read the command line and run."""
    home = Path(os.environ.get("SAMLAD_HOME") or ROOT / "var")
    parser = argparse.ArgumentParser(description="Pictures of every page.")
    parser.add_argument("--home", type=Path, default=home, help="the shop to look at (SAMLAD_HOME; the demo)")
    parser.add_argument("--folder", type=Path, help="where pictures go (HOME/pictures)")
    parser.add_argument(
        "--only",
        default="",
        help="routes that begin so, or faces: admin, till, shop, account; several with commas",
    )
    parser.add_argument(
        "--locale", help="the language of the pages: sv, nl, or ar-XB, which runs from right to left"
    )
    parser.add_argument("--widths", type=lambda text: [int(each) for each in text.split(",")], default=WIDTHS)
    parser.add_argument("--themes", type=lambda text: text.split(","), default=THEMES)
    parser.add_argument("--tabs", type=int, default=max(2, os.cpu_count() or 2), help="pages at once")
    parser.add_argument("--fresh", action="store_true", help="take all of them again")
    arguments = parser.parse_args()
    arguments.home = arguments.home.absolute()
    folder = f"pictures-{arguments.locale}" if arguments.locale else "pictures"
    arguments.folder = (arguments.folder or arguments.home / folder).absolute()
    build_demo(arguments.home)

    def say(text: str) -> None:
        if sys.stderr.isatty() or not text.startswith("\r"):
            sys.stderr.write(text)
            sys.stderr.flush()

    return asyncio.run(run(arguments, say))


_INDEX = (Path(__file__).parent / "pictures_index.html").read_text("utf-8")

if __name__ == "__main__":
    sys.exit(main())
