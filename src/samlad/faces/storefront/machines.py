"""For search engines: what they may read, and the address of everything that is sold."""

from collections.abc import AsyncIterator
from typing import Any
from xml.sax.saxutils import escape

from litestar import Response, get

from samlad.catalog.search.query import SearchQuery, search
from samlad.channels import Channel
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, shelf
from samlad.faces.storefront.place import channel_of
from samlad.kernel.http import database_of

MOST_ADDRESSES = 5_000
"""A sitemap may have 50,000; search goes so deep."""
STEP = 100
HOUR = {"Cache-Control": "public, max-age=3600"}


@get("/robots.txt")
async def robots(request: AnyRequest) -> Response[str]:
    """What machines may read."""
    lines = [
        "User-agent: *",
        *(
            f"Disallow: {path}"
            for path in ("/cart", "/quote/", "/checkout", "/order/", "/search", "/admin", "/pos", "/api/")
        ),
    ]
    lines.append(f"Sitemap: {str(request.base_url).rstrip('/')}/sitemap.xml")
    return Response("\n".join(lines) + "\n", media_type="text/plain; charset=utf-8", headers=HOUR)


@get("/sitemap.xml")
async def sitemap(request: AnyRequest) -> Response[str]:
    """The addresses of the front, the stores, the categories and the newest products."""
    limits.searches.check(limits.who(request))
    channel, root = await channel_of(request), str(request.base_url).rstrip("/")
    paths = ["/", "/stores", *(b.href for b in await shelf.branches(database_of(request), channel))]
    paths += [path async for path in _products(request, channel)]
    body = "".join(f"<url><loc>{escape(root + path)}</loc></url>" for path in paths)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</urlset>\n'
    return Response(text, media_type="application/xml; charset=utf-8", headers=HOUR)


async def _products(request: AnyRequest, channel: Channel) -> AsyncIterator[str]:
    offset: int | None = 0
    while offset is not None and offset < MOST_ADDRESSES:
        query = SearchQuery(sort="newest", limit=STEP, offset=offset, facets=False)
        found = await search(database_of(request), channel, query)
        for hit in found.items:
            yield shelf.product_href(hit.handle)
        offset = found.next_offset


handlers: list[Any] = [robots, sitemap]
