"""The four scores of Lighthouse on its mobile profile, for start, list, product and checkout; `make lighthouse`.

It needs Node and Chromium (the one of the tests, or ``CHROME_PATH`` names another), and fetches Lighthouse by npx the first
time (or ``LIGHTHOUSE`` names its command). Performance is what this machine has time for while it is measured: each page is
measured some times in turn, the median is printed, and held to nothing.
"""

import asyncio
import io
import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from browser import Site
from market import Market, open_market
from one_chromium import CHROMIUM
from PIL import Image, ImageDraw
from playwright.async_api import expect

from samlad.catalog import media_files
from samlad.kernel.settings import Settings

pytestmark = [pytest.mark.soak, pytest.mark.browser]

COMMAND = os.environ.get("LIGHTHOUSE", "npx --yes lighthouse@12.8.2")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LEAST = 0.95
TRIES = 3
TIMES = 3
"""How often a page is measured: others load the machine, and the median forgets their worst moment."""


async def test_the_scores(site: Site, settings: Settings, tmp_path: Path) -> None:
    market = await open_market(site.db)
    await _fill(market, settings)
    page = await site.visitor(width=412, locale="en")
    await page.goto("/p/pan-0")
    await (
        page.get_by_role("button", name="Put in cart")
        .or_(page.get_by_role("button", name="Add to cart"))
        .first.click()
    )
    await expect(page.locator("#cart-count")).to_have_text(re.compile("1"))
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in await page.context.cookies())
    paths = {"start": "/", "list": "/c/kok", "product": "/p/pan-0", "checkout": "/checkout"}
    measured: dict[str, list[dict]] = {name: [] for name in paths}
    for _ in range(TIMES):
        for name, path in paths.items():
            measured[name].append(await _measure(site.url + path, cookies, tmp_path / f"{name}.json"))
    found = {name: _middle(reports) for name, reports in measured.items()}
    low = []
    for name, report in found.items():
        scores = {each: report["categories"][each]["score"] or 0 for each in CATEGORIES}
        said = "  ".join(f"{each} {score * 100:.0f}" for each, score in scores.items())
        sys.stdout.write(f"\n{name:>9}  {said}\n")
        for category in CATEGORIES:
            for audit in _failed(report, category):
                value = audit.get("displayValue")
                sys.stdout.write(f"{'':11}{category}: {audit['title']}{f' ({value})' if value else ''}\n")
        for audit in _wasted(report):
            sys.stdout.write(f"{'':11}{audit['title']} ({audit.get('displayValue', '')})\n")
        low += [
            (name, each, score) for each, score in scores.items() if score < LEAST and each != "performance"
        ]
    assert low == []


def _middle(reports: list[dict]) -> dict:
    """The report with the median of the scores for performance; the other scores do not depend on the machine."""
    return sorted(reports, key=lambda report: report["categories"]["performance"]["score"] or 0)[TIMES // 2]


def _failed(report: dict, category: str) -> list[dict]:
    audits = (
        report["audits"][each["id"]] for each in report["categories"][category]["auditRefs"] if each["weight"]
    )
    return [audit for audit in audits if audit["score"] is not None and audit["score"] < 0.9]


OF_PAGES = (
    "unsized-images", "offscreen-images", "modern-image-formats", "uses-optimized-images", "uses-responsive-images",
    "uses-text-compression", "unused-css-rules", "unused-javascript", "uses-long-cache-ttl", "layout-shifts",
    "prioritize-lcp-image", "lcp-lazy-loaded", "dom-size", "font-display",
)  # fmt: skip
"""Audits without weight that speak of our pages and not of the machine."""


def _wasted(report: dict) -> list[dict]:
    found = (report["audits"].get(name) for name in OF_PAGES)
    return [each for each in found if each is not None and each["score"] is not None and each["score"] < 0.9]


async def _measure(url: str, cookies: str, output: Path) -> dict:
    command = [
        *shlex.split(COMMAND), url, "--quiet", "--output=json", f"--output-path={output}",
        f"--only-categories={','.join(CATEGORIES)}", "--max-wait-for-load=90000",
        f"--extra-headers={json.dumps({'Cookie': cookies, 'Accept-Language': 'en'})}",
        "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage",
    ]  # fmt: skip
    environment = {"CHROME_PATH": str(CHROMIUM), **os.environ}
    for _ in range(TRIES):  # on a busy machine Chromium misses the beginning of its own trace now and then
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        if await process.wait() == 0:
            return json.loads(output.read_text())
    pytest.fail(f"{url}: Lighthouse did not end")


async def _fill(market: Market, settings: Settings) -> None:
    """Two dozen products with pictures of a usual size, as a list page has them."""
    for number in range(24):
        made = await market.product(
            title=f"Cast iron pan no. {number}", sku=f"PAN-{number}", handle=f"pan-{number}", category="kok",
            description="<p>For every hob, and for a lifetime.</p>", brand="Gense", price=9900 + number, stock=(3, 2),
        )  # fmt: skip
        key = media_files.store(settings.home, _picture(number), "jpg")
        await market.db.transaction(
            lambda tx, product=made.id, key=key: tx.execute(
                """INSERT INTO media (id, product, url, storage_key, alt, status)
                   VALUES (gen_random_uuid(), $1, $2, $2, 'A pan', 'ready')""",
                product,
                key,
            )
        )


def _picture(number: int) -> bytes:
    image = Image.new("RGB", (900, 900), f"hsl({number * 15}, 40%, 85%)")
    ImageDraw.Draw(image).ellipse((150, 150, 750, 750), fill=f"hsl({number * 15}, 40%, 45%)")
    held = io.BytesIO()
    image.save(held, "JPEG", quality=80)
    return held.getvalue()
