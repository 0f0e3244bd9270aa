"""The whole browser is killed (SIGKILL) in the middle of sales, again and again, on one profile: nothing is lost, nothing is twice."""

import contextlib
import os
import random
import signal
from pathlib import Path

import pytest
from browser import PATIENCE_MS, Site, session_of
from market import Market
from one_chromium import CHROMIUM, CHROMIUM_ARGS
from playwright.async_api import BrowserContext, Error, Page, Playwright, async_playwright, expect
from test_till_offline import TILL, _journal, _open, _ready, _scan, _settled

LIVES, SEED = 3, 20_261_126
SOAK_LIVES = int(os.environ.get("SAMLAD_SOAK_LIVES", "60"))


async def _alive(playwright: Playwright, profile: Path, site: Site, token: str) -> BrowserContext:
    """The browser with what its profile has kept. A cookie of the session is not kept by it: who signs in again has one."""
    context = await playwright.chromium.launch_persistent_context(
        profile,
        executable_path=CHROMIUM,
        args=CHROMIUM_ARGS,
        base_url=site.url,
        service_workers="allow",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    await context.add_cookies([{"name": "samlad_session", "value": token, "url": site.url}])
    return context


def _kill(profile: Path) -> None:
    """Every process of this profile, at once; none is asked."""
    killed = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if str(profile).encode() in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
    assert killed, "no browser was there to be killed"


async def _sell(page: Page, chance: random.Random) -> str:
    """Ring one up until the screen says that it is sold; its id."""
    await _begin(page, chance)
    await expect(page.locator("#done")).to_be_visible()
    sold = await page.locator("#receipt").get_attribute("data-sale")
    await page.locator("#next").click()
    return sold or ""


async def _begin(page: Page, chance: random.Random) -> None:
    await _scan(page, chance.choice(["KETTLE", "POT"]))
    await expect(page.locator("#ticket li[data-variant]").first).to_be_visible()
    await page.locator(f'[data-pay="{chance.choice(["cash", "card"])}"]').click()
    await page.locator("#pay-quick button").first.click()


async def _lives(site: Site, market: Market, profile: Path, lives: int, seed: int) -> int:
    """How many sales the screen had said were sold."""
    chance, sold = random.Random(seed), set[str]()
    await market.product(sku="KETTLE", title="Kittel", price=19_900, stock=(lives, 0))
    await market.product(title="Gryta", handle="pot", variants=[{"sku": "POT"}], stock=(3, 0))
    token = await session_of(site.db)
    async with async_playwright() as playwright:
        for life in range(lives):
            context = await _alive(playwright, profile, site, token)
            page = await context.new_page()
            if life == 0:
                await _ready(page)
            if chance.random() < 0.7 or life == 0:
                await context.set_offline(True)
                if life == 0:
                    await _open(page)  # by itself
            await page.goto(f"{TILL}/offline")
            await _open(page)
            kept = {sale["id"] for sale in await _journal(page)}
            assert sold <= kept, f"seed {seed}, life {life}: {sold - kept}"
            for _ in range(chance.randint(1, 3)):
                sold.add(await _sell(page, chance))
            await _begin(page, chance)
            await page.wait_for_timeout(chance.choice([0, 0, 2, 5, 20, 60]))  # somewhere in the middle of it
            _kill(profile)
            with contextlib.suppress(Error):
                await context.close()
        context = await _alive(playwright, profile, site, token)
        page = await context.new_page()
        await page.goto(f"{TILL}/offline")
        await _open(page)
        await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
        kept = {sale["id"] for sale in await _journal(page)}
        assert sold <= kept
        await context.close()
    await _settled(site, market, sold)
    assert await market.db.value("SELECT count(*) FROM till_sale") == len(kept), (
        "what was cut off is there whole, or not"
    )
    assert not await market.db.value("SELECT count(*) FROM till_gap WHERE came_at IS NULL")
    return len(sold)


@pytest.mark.browser
@pytest.mark.slow
async def test_the_whole_browser_is_killed(site: Site, market: Market, tmp_path: Path) -> None:
    assert await _lives(site, market, tmp_path / "profile", LIVES, SEED) >= LIVES


@pytest.mark.browser
@pytest.mark.soak
async def test_the_whole_browser_is_killed_often(site: Site, market: Market, tmp_path: Path) -> None:
    sold = await _lives(site, market, tmp_path / "profile", SOAK_LIVES, random.randrange(2**32))
    print({"sold": sold, "killed": SOAK_LIVES})  # noqa: T201 - what `make soak` shows
