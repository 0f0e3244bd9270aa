"""Browser clients of three makers, unmodified, on a page of another origin than the server's: what each is loaded by."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from browser import ROOT, Site
from playwright.async_api import Page

from skipping import is_ci
from tracked import Door, Tracked

RUDDER = ROOT / "node_modules/@rudderstack/analytics-js/dist/npm/legacy/bundled/umd/index.js"

_HEAD = '<!doctype html><meta charset="utf-8"><title>Shop</title>'

SEGMENT = (
    _HEAD
    + """<script>
  var i = "analytics", analytics = window[i] = window[i] || [];
  analytics.methods = ["identify", "track", "page", "group", "alias", "screen", "ready", "reset"];
  analytics.factory = (name) => (...given) => { analytics.push([name, ...given]); return analytics; };
  for (const name of analytics.methods) analytics[name] = analytics.factory(name);
  analytics._cdn = "%(url)s"; analytics._writeKey = "%(key)s"; analytics._loadOptions = %(options)s;
  analytics.page("Front");
  const script = document.createElement("script");
  script.src = "%(url)s/analytics.js/v1/%(key)s/analytics.min.js"; script.async = true;
  document.head.append(script);
</script>"""
)
"""By the snippet of Segment's manual, from our own server."""

JITSU = (
    _HEAD + '<script async src="%(url)s/p.js" data-write-key="%(key)s:secret" data-host="%(url)s"></script>'
)
"""By the snippet of Jitsu's manual, from our own server. It sends a page by itself."""

PLAIN = _HEAD
"""RudderStack's is loaded from npm's package."""

_READY = {
    "segment": "window.analytics && analytics.initialized",
    "rudder": "window.client",
    "jitsu": "window.jitsu && jitsu.track && !Array.isArray(jitsu)",
}
_NAMES = {"segment": "analytics", "rudder": "client", "jitsu": "jitsu"}
_BATCHING = {"deliveryStrategy": {"strategy": "batching", "config": {"size": 3, "timeout": 300}}}
OPTIONS: dict[str, dict[str, Any]] = {
    "segment-batches": {"integrations": {"Segment.io": _BATCHING}},
    "rudder-batches": {"queueOptions": {"batch": {"enabled": True, "maxItems": 3, "flushInterval": 300}}},
    "rudder-beacon": {"useBeacon": True, "beaconQueueOptions": {"maxItems": 3, "flushQueueInterval": 300}},
}
"""Other ways to send that clients offer: each is a client with options."""


class Client:
    """One client in a page of its own."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self._global = page, _NAMES[name]

    async def call(self, method: str, *arguments: Any) -> None:
        """Call what the client offers; it sends in the background."""
        await self.page.evaluate(
            f"([method, given]) => {{ void {self._global}[method](...given); }}", [method, list(arguments)]
        )


async def open_client(
    stack: contextlib.AsyncExitStack, site: Site, name: str, url: str, door: Door
) -> Client:
    """A page with this client, ready to send to a server at this address. ``name`` may say a way to send, too (`OPTIONS`)."""
    options = OPTIONS.get(name, {})
    name = name.partition("-")[0]
    if not RUDDER.exists():
        said = "no clients for browsers: npm ci"
        pytest.fail(said) if is_ci() else pytest.skip(said)
    values = {"url": url, "key": door.key, "options": json.dumps(options)}
    html = {"segment": SEGMENT, "jitsu": JITSU, "rudder": PLAIN}[name] % values
    page = await site.visitor()
    await page.goto(await stack.enter_async_context(other_origin(html)))
    if name == "rudder":
        await page.add_script_tag(path=Path(RUDDER))
        await page.evaluate(
            """([key, url, options]) => {
                window.client = new rudderanalytics.RudderAnalytics();
                client.load(key, url, {configUrl: url, ...options});
            }""",
            [door.key, url, options],
        )
    await page.wait_for_function(_READY[name])
    return Client(page, name)


@contextlib.asynccontextmanager
async def other_origin(html: str) -> AsyncIterator[str]:
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


async def until(tracked: Tracked, door: Door, count: int) -> list[dict[str, Any]]:
    """What a source brought, once so much is there (clients try again after a few seconds)."""
    found: list[dict[str, Any]] = []
    for _ in range(600):
        rows = await tracked.events(
            "source", "type", "name", "anonymous_id", "user_id", "traits", "message_id"
        )
        found = [row for row in rows if row["source"] == door.source.id]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"after a minute only {found}")
