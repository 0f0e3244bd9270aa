"""The HTTP reference of a running server: in a browser under our policy, and the document it reads."""

import asyncio
import gzip
import os
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from browser import PATIENCE_MS
from one_chromium import Chromium
from playwright.async_api import Browser, Page, Route

from described import DOCUMENT
from samlad.faces.design.security import POLICY
from samlad.faces.reference import document
from samlad.kernel import openapi
from samlad.kernel.settings import Settings


async def open_reference(
    browser: Browser, api: httpx.AsyncClient, width: int, scheme: str
) -> tuple[Page, list[str]]:
    """The page with its own headers, every request answered by the application; and what went wrong."""
    wrong: list[str] = []

    async def answer(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.netloc != "localhost":
            wrong.append(f"asked elsewhere: {route.request.url}")
            await route.abort()
            return
        found = await api.get(f"{address.path}?{address.query}")
        headers = {k: v for k, v in found.headers.items() if k not in ("content-encoding", "content-length")}
        await route.fulfill(status=found.status_code, headers=headers, body=found.content)

    context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = await context.new_page()
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.route("**/*", answer)
    await page.goto("http://localhost/api/docs", wait_until="load")
    return page, wrong


@pytest.mark.browser
async def test_the_viewer_works_under_our_policy(
    chromium: Chromium, api: httpx.AsyncClient, settings: Settings
) -> None:
    kept = document.kept_at(settings)  # how it is built is another test's
    kept.parent.mkdir()
    kept.write_bytes(msgspec.json.encode(DOCUMENT))
    page, wrong = await open_reference(await chromium.browser(), api, 390, "dark")
    # It lays out hundreds of operations, which is slow where much else runs.
    await page.locator("rapi-doc #api-title").wait_for(timeout=4 * PATIENCE_MS)
    assert "Samlad" in await page.locator("rapi-doc #api-title").inner_text()
    assert await page.locator("rapi-doc").get_attribute("theme") == "dark"
    if pictures := os.environ.get("SAMLAD_PICTURES"):
        await page.screenshot(path=f"{pictures}/reference-390-dark.png")
    await page.locator("rapi-doc [id='get-/api/products'] .endpoint-head").click()
    await page.locator("rapi-doc api-request").first.wait_for(timeout=4 * PATIENCE_MS)
    if pictures:
        await page.screenshot(path=f"{pictures}/reference-390-dark-products.png")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await page.locator("main, [role=main]").count() == 1, "one landmark, with what the viewer draws"
    assert wrong == []
    await page.context.close()


async def test_the_page_may_style_inline_and_nothing_else_more(api: httpx.AsyncClient) -> None:
    found = await api.get("/api/docs")
    assert found.headers.get_list("content-security-policy") == [
        "; ".join(
            f"{name} {value} 'unsafe-inline'" if name == "style-src" else f"{name} {value}"
            for name, value in POLICY.items()
        )
    ]
    assert "://" not in found.text.replace("http://www.w3.org", "")
    assert "unsafe" not in (await api.get("/api/docs/none")).headers["content-security-policy"]


async def test_the_document_is_built_once_sent_small_and_outlives_the_process(
    api: httpx.AsyncClient, api_as, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await api.get("/api/docs/openapi.json")
    assert first.headers["content-type"] == "application/vnd.oai.openapi+json"
    assert first.headers["content-encoding"] == "gzip"
    told = first.json()
    assert told["openapi"].startswith("3.1")
    assert told["info"]["title"] == "Samlad"
    assert "Problem" in told["components"]["schemas"]
    assert "/api/products" in told["paths"]
    assert not [path for path in told["paths"] if path.startswith(("/api/docs", "/media", "/static"))]

    monkeypatch.setattr(openapi, "document", None)
    again = await api.get("/api/docs/openapi.json", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in again.headers
    assert again.json() == told
    assert int(first.headers["content-length"]) == len(gzip.compress(again.content, mtime=0)) < 150_000
    same = await api.get("/api/docs/openapi.json", headers={"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")

    kept = document.kept_at(settings)
    assert kept.read_bytes() == again.content
    assert [each.name for each in kept.parent.iterdir()] == [kept.name]
    monkeypatch.setattr(document, "_build_apart", None)
    async with api_as() as other:  # another process, of the same program
        found = await other.get("/api/docs/openapi.json")
    assert found.headers["etag"] == first.headers["etag"]


async def test_a_home_that_cannot_be_written_to(
    api: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.home / document.FOLDER).write_text("no folder")
    monkeypatch.setattr(openapi, "document", lambda _app: {"openapi": "3.1.0"})
    assert (await api.get("/api/docs/openapi.json")).json() == {"openapi": "3.1.0"}


async def test_it_is_made_ready_once_of_several_processes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[int] = []

    async def prints(output: BinaryIO, niceness: int) -> None:
        printed.append(niceness)
        await asyncio.sleep(0)
        output.write(b"{}")

    monkeypatch.setattr(document, "QUIET_SECONDS", 0)
    monkeypatch.setattr(document, "_print_into", prints)
    (settings.home / document.FOLDER).mkdir()
    outdated = settings.home / document.FOLDER / "0.0.1-0123456789abcdef.json"
    outdated.write_text("{}")
    killed = settings.home / document.FOLDER / "0.0.1-0123456789abcdef.4711"
    killed.write_text("{")
    os.utime(killed, (0, 0))
    await asyncio.gather(*(document.keep_ready(settings) for _ in range(3)))
    await document.keep_ready(settings)
    assert printed == [19]
    assert document.kept_at(settings).read_bytes() == b"{}"
    assert not outdated.exists()
    assert not killed.exists()
