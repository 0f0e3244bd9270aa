"""For search engines: what they may read, and the address of everything that is sold."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from samlad import content, questions
from samlad.catalog import addresses
from samlad.channels import Channel, Resource
from samlad.content import store
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, shelf
from samlad.faces.storefront.place import alternates, channel_of, root_of
from samlad.kernel.database import Database
from samlad.kernel.http import database_of
from samlad.kernel.problems import Busy

PART = 50_000
"""Addresses of one sitemap, by the protocol (sitemaps.org)."""
STEP = 1_000
KEPT_SECONDS = 3600.0
HOUR = {"Cache-Control": "public, max-age=3600"}
XML = "application/xml; charset=utf-8"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
AT_ONCE = 2
"""Long answers that one process gives at a time: they cost what a hundred pages do."""
_turns = asyncio.Semaphore(AT_ONCE)
_parts: dict[tuple[int, UUID], tuple[float, list[UUID]]] = {}
MOST_KEPT = 200


def one_at_a_time() -> asyncio.Semaphore:
    """The turn of a long answer.

    Raises:
        Busy: as many are given as this process can bear; try again in a moment.
    """
    if _turns.locked():
        raise Busy("Other long lists are being read. Try again in a minute.")
    return _turns


@get("/robots.txt")
async def robots(request: AnyRequest) -> Response[str]:
    """What machines may read. The checkout sends whoever has no cart away by itself."""
    lines = [
        "User-agent: *",
        *(
            f"Disallow: {path}"
            for path in (
                "/cart", "/quote/", "/checkout/", "/order/", "/search", "/last-seen", "/admin", "/pos", "/api/",
            )
        ),
    ]  # fmt: skip
    lines.append(f"Sitemap: {root_of(request)}/sitemap.xml")
    return Response("\n".join(lines) + "\n", media_type="text/plain", headers=HOUR)


@get("/sitemap.xml")
async def sitemap(request: AnyRequest) -> Response[str]:
    """The sitemaps of this shop: one of pages, and as many of products as it takes."""
    limits.searches.check(limits.who(request))
    channel, root = await channel_of(request), root_of(request)
    parts = await _beginnings(database_of(request), channel)
    paths = ["/sitemaps/pages.xml", *(f"/sitemaps/products/{part}.xml" for part in parts)]
    if await questions.answered(database_of(request), channel.pools[Resource.CATALOGUE], 1):
        paths.append("/sitemaps/questions.xml")
    body = "".join(f"<sitemap><loc>{escape(root + path)}</loc></sitemap>" for path in paths)
    text = f'{HEAD}<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</sitemapindex>\n'
    return Response(text, media_type=XML, headers=HOUR)


async def _beginnings(database: Database, channel: Channel) -> list[UUID]:
    """After which product each sitemap begins; at most an hour old, because it reads the whole catalogue's keys."""
    key, moment = (id(database), channel.id), time.monotonic()
    kept = _parts.get(key)
    if kept is None or moment - kept[0] > KEPT_SECONDS:
        kept = (moment, await addresses.beginnings(database, channel, PART))
        if len(_parts) >= MOST_KEPT:
            _parts.clear()
        _parts[key] = kept
    return kept[1]


@get("/sitemaps/pages.xml")
async def sitemap_of_pages(request: AnyRequest) -> Response[str]:
    """The start page, the stores, the categories, and the pages that the shop wrote."""
    limits.searches.check(limits.who(request))
    channel, database, root = await channel_of(request), database_of(request), root_of(request)
    look = await content.look_of(database, channel)
    written = await store.live_handles(database, look.line)
    paths = ["/", "/stores", *(b.href for b in await shelf.branches(database, channel))]
    shops = await _shops(request, channel)
    entries = [_url(root, path, shops) for path in paths]
    entries += [_url(root, f"/page/{handle}", [], at) for handle, at in written]
    return Response(f"{HEAD}<urlset {NAMES}>{''.join(entries)}</urlset>\n", media_type=XML, headers=HOUR)


@get("/sitemaps/products/{part:str}")
async def sitemap_of_products(request: AnyRequest, part: FromPath[str]) -> Stream:
    """Up to 50,000 products, from the one after ``part`` on, as they are read: none is held but those of the moment."""
    limits.searches.check(limits.who(request))
    channel = await channel_of(request)
    last, turns = _uuid(part.removesuffix(".xml")), one_at_a_time()
    shops, root, database = await _shops(request, channel), root_of(request), database_of(request)

    async def parts() -> AsyncIterator[bytes]:
        async with turns:
            yield f"{HEAD}<urlset {NAMES}>".encode()
            at, left = last, PART
            while left and (found := await addresses.after(database, channel, at, min(STEP, left))):
                at, left = found[-1].id, left - len(found)
                yield "".join(
                    _url(root, shelf.product_href(each.handle), shops, each.updated_at) for each in found
                ).encode()
            yield b"</urlset>\n"

    return Stream(parts(), media_type=XML, headers=HOUR)


@get("/sitemaps/questions.xml")
async def sitemap_of_questions(request: AnyRequest) -> Response[str]:
    """The pages of questions that have an answer, of products that are sold here; the latest 50,000."""
    limits.searches.check(limits.who(request))
    channel, root, database = await channel_of(request), root_of(request), database_of(request)
    async with one_at_a_time():
        found = await questions.answered(database, channel.pools[Resource.CATALOGUE], PART)
        sold = await addresses.among(database, channel, {each.product for each in found})
    entries = (
        _url(root, f"{shelf.product_href(each.handle)}/questions/{each.id}", [], each.answered_at)
        for each in found
        if each.product in sold
    )
    return Response(f"{HEAD}<urlset {NAMES}>{''.join(entries)}</urlset>\n", media_type=XML, headers=HOUR)


async def _shops(request: AnyRequest, channel: Channel) -> list[tuple[str, str]]:
    """Language and root of each shop that has the same pages."""
    return [(tag, href.removesuffix("/")) for tag, href in await alternates(request, channel, "/")]


def _url(root: str, path: str, shops: Iterable[tuple[str, str]], at: datetime | None = None) -> str:
    links = "".join(
        f'<xhtml:link rel="alternate" hreflang={quoteattr(tag)} href={quoteattr(other + path)}/>'
        for tag, other in shops
    )
    changed = f"<lastmod>{at.date().isoformat()}</lastmod>" if at else ""
    return f"<url><loc>{escape(root + path)}</loc>{changed}{links}</url>"


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return addresses.FIRST


handlers: list[Any] = [robots, sitemap, sitemap_of_pages, sitemap_of_products, sitemap_of_questions]
