"""Segment's analytics-next in a real browser, by the snippet that its manual gives, loaded from our own server."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from browser import Site
from faulty import BUSY, SLOW_DOWN, TWICE, UNANSWERED, faulty
from playwright.async_api import Page

from samlad.kernel.database import Database
from tracked import Tracked, open_tracked

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE = """<!doctype html><meta charset="utf-8"><title>Shop</title><script>
  var i = "analytics", analytics = window[i] = window[i] || [];
  analytics.methods = ["identify", "track", "page", "group", "alias", "screen", "ready", "reset"];
  analytics.factory = (name) => (...given) => { analytics.push([name, ...given]); return analytics; };
  for (const name of analytics.methods) analytics[name] = analytics.factory(name);
  analytics._cdn = "%(url)s"; analytics._writeKey = "%(key)s";
  analytics.page("Front");
  const script = document.createElement("script");
  script.src = "%(url)s/analytics.js/v1/%(key)s/analytics.min.js"; script.async = true;
  document.head.append(script);
</script>"""


async def test_segments_browser_client(site: Site, db: Database) -> None:
    tracked = await open_tracked(db)
    faults = (TWICE, BUSY, UNANSWERED, SLOW_DOWN)
    async with faulty(site.url, *faults) as proxy, contextlib.AsyncExitStack() as stack:
        page = await site.visitor()
        html = PAGE % {"url": proxy.url, "key": tracked.browser.key}
        shop = await stack.enter_async_context(_other_origin(html))
        await page.goto(shop)
        await page.wait_for_function("analytics.initialized")
        await page.evaluate(
            """() => {
                analytics.track("Product Viewed", {product_id: "kettle"});
                analytics.identify("kim", {email: "kim@example.org"});
                analytics.track("Product Added", {product_id: "kettle"});
                analytics.group("acme", {size: 3});
                analytics.alias("kim-2");
            }"""
        )
        found = await _until(tracked, page, 6)
    assert Counter(event["type"] for event in found) == Counter(page=1, track=2, identify=1, group=1, alias=1)
    assert await tracked.parked() == []
    assert len({event["anonymous_id"] for event in found if event["anonymous_id"]}) == 1
    identified = next(event for event in found if event["type"] == "identify")
    assert (identified["user_id"], identified["traits"]) == ("kim", {"email": "kim@example.org"})
    paths = {path.partition("?")[0] for path, _ in proxy.seen}
    assert {"/v1/p", "/v1/t", "/v1/i", "/v1/g", "/v1/a"} <= paths


@contextlib.asynccontextmanager
async def _other_origin(html: str) -> AsyncIterator[str]:
    """A page of another origin than the server's: the browser asks before it sends (CORS). On this machine too, because a
    browser lets no page from elsewhere in."""
    body = html.encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


async def _until(tracked: Tracked, page: Page, count: int) -> list[dict[str, Any]]:
    """What was stored, once so much is there (it tries again after a few seconds)."""
    for _ in range(300):
        found = await tracked.events("type", "name", "anonymous_id", "user_id", "traits")
        if len(found) >= count:
            return found
        await page.wait_for_timeout(100)
    raise AssertionError(f"after half a minute only {found}")
