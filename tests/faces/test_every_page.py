"""No page is forgotten, and each is small: bytes and requests of everything that `make pictures` knows, without a browser."""

import gzip
import re
from collections.abc import Callable, Iterable
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import httpx
import pytest
from every_page import FILLED, NO_PAGES, QUERIES, PageAt, pages, templates
from litestar.routes import HTTPRoute
from litestar.types.internal_types import PathParameterDefinition
from market import Market, offer, put_in

from account_people import Post
from applications import running
from samlad.faces.storefront.member import COOKIE
from samlad.kernel.context import GUEST

MOST_BYTES = 100_000
"""Of the answer itself, as it is sent."""
MOST_FIRST_BYTES = 190_000
"""With scripts and style sheets on the first visit, compressed as they are sent; later visits have them."""
MOST_REQUESTS = 12
NOT_MEASURED = {
    "/admin/profile": "the owner of these tests is not in the database",
    "/api/docs": "RapiDoc alone is 200 kB; a page for developers",
}
_FILES = re.compile(r'(?:<script[^>]*\bsrc|<link rel="stylesheet" href)="([^"]+)"')
_HREF = re.compile(r'<a\b[^>]*\shref="([^"]*)"')
_HOLES: dict[Any, str] = {UUID: "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", int: "[0-9]+"}
"""What may be in the hole of an address, by its type."""


def test_every_route_is_a_page_or_says_why_not() -> None:
    known = templates()
    holes = {template for template in known if "{" in template}
    lacking = sorted(holes - FILLED.keys() - NO_PAGES.keys())
    assert lacking == [], "new routes: fill their addresses in every_page.py, or say why they are no pages"
    gone = sorted((FILLED.keys() | NO_PAGES.keys() | QUERIES.keys()) - known.keys())
    assert gone == [], "routes that are no longer there"
    assert not FILLED.keys() & NO_PAGES.keys()
    for template in sorted(known.keys() - NO_PAGES.keys()):
        returns = str(known[template].fn.__annotations__.get("return"))
        assert not re.search(r"bytes|\[str\]", returns), f"{template} is no page: say so in NO_PAGES"


@pytest.mark.slow
async def test_every_page_is_small_and_leads_on(api_as, market: Market, settings) -> None:
    await market.product(title="Mug", sku="MUG", handle="mug", category="kok", stock=(9, 9))
    await offer(market)
    post = Post(market.db, settings, market.web)
    signed_in = await post.sign_in("kim@example.com")
    sizes: dict[str, int] = {}
    async with api_as(accept="text/html") as staff, api_as(GUEST, accept="text/html") as guest:
        variant = await market.db.value("SELECT id FROM variant")
        await put_in(guest, variant)
        async with api_as(GUEST, accept="text/html", cookie=f"{COOKIE}={signed_in.token}") as customer:
            people = {"staff": staff, "visitor": guest, "customer": customer}
            found = [page for page in await pages(market.db) if page.template not in NOT_MEASURED]
            answers = {
                page: await people[page.who].get(page.path, follow_redirects=page.template == "/pos")
                for page in found
            }
            large = [
                text
                for page, answer in answers.items()
                for text in await _too_large(page, answer, sizes, staff)
            ]
    assert len({page.template for page in found}) > 100
    assert large == [], "\n".join(large)
    async with running(settings) as application:
        leads = _addresses(application.routes)
    dead = {
        f"{page.path}: {path}"
        for page, answer in answers.items()
        for path in _links(answer)
        if not leads(path)
    }
    assert not dead, "links to where nothing is:\n" + "\n".join(sorted(dead))


def _links(answer: httpx.Response) -> set[str]:
    """Paths on our own site that a page leads to."""
    page = str(answer.url)
    found = [urlsplit(urljoin(page, unescape(href))) for href in _HREF.findall(answer.text)]
    return {
        each.path or "/"
        for each in found
        if each.scheme in ("http", "https") and each.netloc == urlsplit(page).netloc
    }


def _addresses(routes: Iterable[Any]) -> Callable[[str], bool]:
    """Whether something may be at a path: some GET route has its form, with an id where one is asked for."""
    forms = [
        "".join(f"/{_form(part)}" for part in route.path_components) or "/"
        for route in routes
        if isinstance(route, HTTPRoute) and "GET" in route.methods
    ]
    known = re.compile("|".join(forms))
    return lambda path: known.fullmatch(path.rstrip("/") or "/") is not None


def _form(part: str | PathParameterDefinition) -> str:
    return re.escape(part) if isinstance(part, str) else _HOLES.get(part.type, "[^/]+")


async def _too_large(
    page: PageAt, answer: httpx.Response, sizes: dict[str, int], files: httpx.AsyncClient
) -> list[str]:
    """What of a page breaks the budget."""
    if answer.status_code != 200:
        return [f"{page.path}: {answer.status_code} {answer.headers.get('location', '')}"]
    needed = set(_FILES.findall(answer.text))
    for path in needed - sizes.keys():
        file = await files.get(path)
        assert file.status_code == 200, path
        sizes[path] = len(gzip.compress(file.content, 9))
    first = len(answer.content) + sum(sizes[path] for path in needed)
    said = f"{page.path}: {len(answer.content):,} bytes, {first:,} at first, {1 + len(needed)} requests"
    fits = len(answer.content) <= MOST_BYTES and first <= MOST_FIRST_BYTES
    return [] if fits and 1 + len(needed) <= MOST_REQUESTS else [said]
