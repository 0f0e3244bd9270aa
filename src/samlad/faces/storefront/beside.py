"""What stands beside a product: what is bought with it, what was looked at before, and others of the same shelf."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response

from samlad import recommendations
from samlad.catalog import ProductView
from samlad.catalog.search.query import Hit, SearchQuery, search
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import cookies, shelf
from samlad.kernel.http import database_of

MORE = 4
COOKIE, KEPT_SECONDS, MOST = "seen", 30 * 86_400, 8
CATEGORY = "functional"
"""Of cookies: without it nobody needs to remember what was looked at."""
_ID = re.compile("[0-9a-f]{32}")


async def section(request: AnyRequest, channel: Channel, product: ProductView) -> dict[str, Any]:
    """Product cards by shelf, each product once. Five statements, one more where something is reduced."""
    database, _ = database_of(request), face.words(request)
    companions = [c.product for c in await recommendations.together(database, channel, product.id)]
    before = [each for each in seen(request) if each != product.id]
    wanted = list(dict.fromkeys([*companions, *before]))
    known: dict[UUID, Hit] = {hit.id: hit for hit in await _hits(request, channel, wanted)}
    together = [known[each] for each in companions if each in known][:MORE]
    recent = [known[each] for each in before if each in known and known[each] not in together][:MORE]
    taken = {product.id, *(hit.id for hit in together), *(hit.id for hit in recent)}
    more = await _more(request, channel, product, taken)
    cards = await shelf.cards(database, channel, [*together, *recent, *more], _("Sale"))
    by_handle = {card["sku"]: card for card in cards}
    return {
        name: [by_handle[hit.handle] for hit in hits if hit.handle in by_handle]
        for name, hits in (("together", together), ("recent", recent), ("more", more))
    }


async def _hits(request: AnyRequest, channel: Channel, products: Sequence[UUID]) -> list[Hit]:
    if not products:
        return []
    only = ("s.product = ANY({}::uuid[])", [list(products)])
    query = SearchQuery(condition=only, limit=len(products), facets=False)
    return (await search(database_of(request), channel, query)).items


async def _more(request: AnyRequest, channel: Channel, product: ProductView, taken: set[UUID]) -> list[Hit]:
    """Others of the same category."""
    if not product.category_path:
        return []
    query = SearchQuery(
        filters={"category": [product.category_path]},
        limit=MORE + len(taken),
        facets=False,
        sort="newest",
    )
    found = await search(database_of(request), channel, query)
    return [hit for hit in found.items if hit.id not in taken][:MORE]


# -- what this browser has looked at -----------------------------------------------------------------------------------


def seen(request: AnyRequest) -> list[UUID]:
    """The products that this browser looked at, the latest first."""
    parts = request.cookies.get(COOKIE, "").split(".")[:MOST]
    return [UUID(part) for part in dict.fromkeys(parts) if _ID.fullmatch(part)]


def remember(request: AnyRequest, channel: Channel, product: UUID, answer: Response[Any]) -> None:
    """Let the browser remember a product, if the shop asks for cookies and it agreed to those that help."""
    if channel.setting("cookie_banner") and CATEGORY not in cookies.granted(request):
        return
    latest = list(dict.fromkeys([product, *seen(request)]))[:MOST]
    value = ".".join(each.hex for each in latest)
    answer.set_cookie(face.own_cookie(request, COOKIE, value, KEPT_SECONDS))
