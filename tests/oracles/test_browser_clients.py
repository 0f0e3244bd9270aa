"""Segment's analytics-next in a real browser, by the snippet that its manual gives, loaded from our own server."""

from collections import Counter
from typing import Any

import pytest
from faulty import BUSY, SLOW_DOWN, TWICE, UNANSWERED, faulty
from playwright.async_api import Page, Route

from browser import Site
from samlad.kernel.database import Database
from tracked import Tracked, open_tracked

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOP = "http://shop.example.test"
"""Another origin than the server: the browser asks before it sends (CORS)."""

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
    async with faulty(site.url, TWICE, BUSY, UNANSWERED, SLOW_DOWN) as proxy:
        page = await site.visitor()
        await _shop(page, PAGE % {"url": proxy.url, "key": tracked.browser.key})
        await page.goto(SHOP)
        await page.evaluate(
            """async () => {
                await new Promise((done) => analytics.ready(done));
                await analytics.track("Product Viewed", {product_id: "kettle"});
                await analytics.identify("kim", {email: "kim@example.org"});
                await analytics.track("Product Added", {product_id: "kettle"});
                await analytics.group("acme", {size: 3});
                await analytics.alias("kim-2");
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


async def _shop(page: Page, html: str) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(body=html, content_type="text/html")

    await page.route(f"{SHOP}/**", answer)


async def _until(tracked: Tracked, page: Page, count: int) -> list[dict[str, Any]]:
    """What was stored, once so much is there (it tries again after a few seconds)."""
    for _ in range(300):
        found = await tracked.events("type", "name", "anonymous_id", "user_id", "traits")
        if len(found) >= count:
            return found
        await page.wait_for_timeout(100)
    raise AssertionError(f"after half a minute only {found}")
