"""The four faces read from right to left: the pseudo-locale ar-XB, with names in other scripts than the page's."""

from pathlib import Path

import pytest
from browser import Site
from market import Market, offer
from playwright.async_api import Page

from account_people import Post
from samlad.faces.page import LOCALE_COOKIE
from samlad.faces.storefront.member import COOKIE
from samlad.kernel.i18n import PSEUDO, PSEUDO_RTL
from samlad.kernel.settings import Settings, load

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ARABIC = "إبريق نحاسي (1.5 لتر)"
STAFF = ("/admin", "/admin/orders", "/admin/products", "/admin/start", "/admin/channels", "/admin/style",
         "/pos/soder", "/pos/soder/day")  # fmt: skip
SHOP = ("/", "/p/kettle", "/search", "/cart", "/stores")
ACCOUNT = ("/account", "/account/orders")
NOT_MARKED = "button, label > span:first-child, th, summary, h1"
_PLAIN = """(selector) => [...document.querySelectorAll(selector)]
    .filter((each) => each.offsetParent && !each.closest("bdi, [lang], [data-plain]"))
    .map((each) => each.innerText.trim()).filter((text) => /[A-Za-z]{3}/.test(text) && !text.includes("["))"""


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    """A developer's, whose pages can be read in the pseudo-locales."""
    return load({}, home=tmp_path, database_url=dsn, pool_size=8, pseudo_locales=True)


async def _read_in(site: Site, page: Page, locale: str) -> None:
    await page.context.add_cookies([{"name": LOCALE_COOKIE, "value": locale, "url": site.url}])


async def test_main_pages_read_from_the_right(site: Site, market: Market, settings: Settings) -> None:
    await market.product(title=ARABIC, sku="KETTLE", handle="kettle", stock=(3, 3))
    await offer(market)
    opened = await Post(market.db, settings, market.web).sign_in("kim@example.org")
    staff, shop = await site.staff(width=390), await site.visitor(width=390)
    await shop.context.add_cookies([{"name": COOKIE, "value": opened.token, "url": site.url}])
    for page, paths in ((staff, STAFF), (shop, SHOP + ACCOUNT)):
        await _read_in(site, page, PSEUDO_RTL)
        for path in paths:
            answer = await page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            assert await page.evaluate("document.documentElement.dir") == "rtl", path
            assert await site.overflow(page) == 0, path
            await _stands_at_the_right(page, path)
            await site.picture(page, f"rtl{path.replace('/', '-')}")
    # What was never marked for translation stays plain in the other pseudo-locale.
    plain: dict[str, list[str]] = {}
    await _read_in(site, staff, PSEUDO)
    for path in STAFF:
        if path != "/admin/style":  # whose examples are data
            await staff.goto(path)
            found = await staff.evaluate(_PLAIN, NOT_MARKED)
            plain |= {path: [text for text in found if text not in _NAMES]} if found else {}
    assert {path: texts for path, texts in plain.items() if texts} == {}


_NAMES = {"Hemma Soder", "Hemma Haga", "Sam Clerk", "Olivia Owner", "OO"}
"""Names are nobody's to translate."""


async def _stands_at_the_right(page: Page, path: str) -> None:
    """The heading begins at the right side of its block, and a name in Arabic does not turn its neighbours around."""
    gap = await page.evaluate(
        """() => {
            const heading = document.querySelector("main h1, main h2"), range = document.createRange();
            if (!heading) return 0;
            range.selectNodeContents(heading);
            const text = range.getBoundingClientRect(), box = heading.getBoundingClientRect();
            return box.right - text.right;
        }"""
    )
    assert gap < 2, (path, gap)
