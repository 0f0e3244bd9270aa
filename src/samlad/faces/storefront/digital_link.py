"""GS1 Digital Link: the code on a packet leads to its page here.

GS1 Digital Link Standard: URI Syntax 1.4 and Resolver 1.2 (RFC 9264 link sets). A code may carry qualifiers (22 variant,
10 lot, 21 serial number) and attributes in its query; the page is that of the GTIN.
"""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from samlad import catalog
from samlad.channels import Channel, Resource
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, shelf
from samlad.faces.storefront.place import channel_of, root_of
from samlad.faces.storefront.typed import typed
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound

PRODUCT_PAGE = "https://gs1.org/voc/pip"
DEFAULT_LINK = "https://gs1.org/voc/defaultLink"
LINKSET = "application/linkset+json"
NO_GTIN = marked("This is no GTIN: its check digit is not right.")


@get("/01/{gtin:str}")
async def gtin_page(request: AnyRequest, gtin: FromPath[str]) -> Response[Any]:
    """The product with this GTIN: its page (307), or the set of its links for who asks for that."""
    return await _answer(request, gtin)


@get("/01/{gtin:str}/{qualifiers:path}")
async def qualified_page(
    request: AnyRequest, gtin: FromPath[str], qualifiers: FromPath[str]
) -> Response[Any]:
    """The same for a code that names a variant, a lot or a serial number, which lead to the same page."""
    parts = qualifiers.strip("/").split("/")
    if len(parts) % 2 or [key for key in ("22", "10", "21") if key in parts[::2]] != parts[::2]:
        raise NotFound(face.words(request)("There is nothing at this address."))
    return await _answer(request, gtin)


async def _answer(request: AnyRequest, text: str) -> Response[Any]:
    limits.searches.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    number = digits(text)
    if number is None:
        raise InvalidInput.at("gtin", _(NO_GTIN))
    found = await catalog.variant_by_code(database_of(request), channel.pools[Resource.CATALOGUE], number)
    if found is None:
        raise NotFound(_("We do not sell this (any more)."))
    sold = (await catalog.sellables(database_of(request), channel, [found.id])).get(found.id)
    if sold is None or not sold.is_available:
        raise NotFound(_("We do not sell this (any more)."))
    href = f"{root_of(request)}{shelf.product_href(sold.handle, sold.sku)}"
    if _wants_links(request):
        return _links(request, channel, number, href, sold.title)
    link_type = request.query_params.get("linkType", "")
    if link_type and link_type not in ("gs1:pip", "gs1:defaultLink", PRODUCT_PAGE, DEFAULT_LINK):
        raise NotFound(_("There is no such link for this product."))
    headers = {"Location": href, "Vary": "Accept", "Link": f'<{href}>; rel="{PRODUCT_PAGE}"'}
    return Response(b"", status_code=307, headers=headers, media_type="text/plain")


def digits(text: str) -> str | None:
    """A GTIN of 8, 12, 13 or 14 digits as 14, if its check digit is right."""
    text = typed(text)
    if not (text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14)):
        return None
    from biip import ParseError  # a tenth of every start, as in `samlad.stock.scanning`
    from biip.gtin import Gtin

    try:
        return Gtin.parse(text).as_gtin_14()
    except ParseError:
        return None


def _wants_links(request: AnyRequest) -> bool:
    wanted = request.query_params.get("linkType", "")
    return wanted in ("all", "linkset") or LINKSET in request.headers.get("accept", "")


def _links(request: AnyRequest, channel: Channel, number: str, href: str, title: str) -> Response[bytes]:
    target = {"href": href, "title": title, "type": "text/html", "hreflang": [channel.locale]}
    anchor = f"{root_of(request)}/01/{quote(number)}"
    document = {"linkset": [{"anchor": anchor, PRODUCT_PAGE: [target], DEFAULT_LINK: [target]}]}
    headers = {"Vary": "Accept, Accept-Language", "Cache-Control": "public, max-age=300"}
    return Response(msgspec.json.encode(document), media_type=LINKSET, headers=headers)


@get("/.well-known/gs1resolver")
async def resolver(request: AnyRequest) -> dict[str, Any]:
    """What this resolver is (GS1-Conformant resolver standard, section "Resolver description file")."""
    channel = await channel_of(request)
    return {
        "name": channel.name,
        "resolverRoot": root_of(request),
        "supportedPrimaryKeys": ["01"],
        "linkTypeDefaultCanBeLinkset": False,
        "supportedLinkType": [{"namespace": "https://gs1.org/voc/", "prefix": "gs1:"}],
    }


handlers: list[Any] = [gtin_page, qualified_page, resolver]
