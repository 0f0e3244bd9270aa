"""Goods as a clerk or a kiosk finds them: scanned or searched, with what they cost and what lies here."""

from typing import Any
from uuid import UUID

from samlad import catalog, stock
from samlad.catalog.product_store import variants_of
from samlad.catalog.search.query import SearchQuery, search
from samlad.channels import Resource
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till
from samlad.kernel.http import database_of
from samlad.stock.scanning import read

KEYS = 12
"""So many products can be tapped at once, …"""
MOST_KEYS = 40
"""… each of their variants by a key of its own."""


async def goods(request: AnyRequest, till: Till, text: str) -> list[dict[str, Any]]:
    """What a number is of, else what a search finds."""
    pool = till.channel.pools[Resource.CATALOGUE]
    scanned = await catalog.variant_by_code(database_of(request), pool, read(text).code)
    return await keys_of(request, till, [scanned.id]) if scanned else await products(request, till, text)


async def products(request: AnyRequest, till: Till, text: str) -> list[dict[str, Any]]:
    """What can be tapped: what a search finds, or the newest."""
    database = database_of(request)
    query = SearchQuery(text=text, limit=KEYS, facets=False, sort=None if text else "newest")
    hits = (await search(database, till.channel, query)).items
    several = [hit.id for hit in hits if hit.variant is None]
    found = {hit.id: [hit.variant] for hit in hits if hit.variant is not None}
    for each in await variants_of(database, several) if several else []:
        if each.status == "active":
            found.setdefault(each.product, []).append(each.id)
    variants = [variant for hit in hits for variant in found.get(hit.id, [])][: MOST_KEYS if text else KEYS]
    return await keys_of(request, till, variants)


async def keys_of(request: AnyRequest, till: Till, variants: list[UUID]) -> list[dict[str, Any]]:
    """Variants as they can be tapped; only what is sold here now."""
    database = database_of(request)
    sold = await catalog.sellables(database, till.channel, variants)
    here = await stock.atp(database, till.channel, variants, carry_out=True)
    return [
        {
            "variant": str(each.variant),
            "title": each.title,
            "options": each.options,
            "sku": each.handle,
            "image": each.image,
            "price": each.price,
            "currency": each.currency,
            "available": here.get(each.variant, 0),
            "sold_by": str(each.sold_by),
        }
        for each in (sold[variant] for variant in variants if variant in sold)
        if each.price is not None and each.is_available
    ]
