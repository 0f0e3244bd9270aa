"""Where products belong: their brand, their categories up to the root, their collections. For promotions."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader


class Belonging(msgspec.Struct, frozen=True):
    """Where a product belongs. ``categories`` has its own and those above it."""

    product: UUID
    brand: str | None
    categories: list[UUID]
    collections: list[UUID]


async def belonging(reader: Reader, products: Sequence[UUID]) -> dict[UUID, Belonging]:
    """Where products belong; one statement. Unknown ones are left out."""
    return await reader.with_others(_belonging_each, products)


async def _belonging_each(reader: Reader, wanted: Sequence[Sequence[UUID]]) -> list[dict[UUID, Belonging]]:
    found = await reader.all(
        Belonging,
        """
        SELECT p.id AS product, p.brand,
               ARRAY(SELECT above.id FROM category own JOIN category above
                         ON above.pool = own.pool AND (above.path = own.path OR starts_with(own.path, above.path || '/'))
                     WHERE own.id = p.category) AS categories,
               ARRAY(SELECT cp.collection FROM collection_product cp JOIN collection c ON c.id = cp.collection
                     WHERE cp.product = p.id AND c.status = 'active') AS collections
        FROM product p WHERE p.id = ANY($1)
        """,
        list({product: None for products in wanted for product in products}),
    )
    belongs = {each.product: each for each in found}
    return [{product: belongs[product] for product in products if product in belongs} for products in wanted]


class Unknown(msgspec.Struct, frozen=True):
    """Of some named things, those that are not of a pool (or, of collections, that a rule fills)."""

    kind: str
    id: UUID


async def unknown(
    reader: Reader,
    pool: UUID,
    *,
    products: Sequence[UUID] = (),
    variants: Sequence[UUID] = (),
    categories: Sequence[UUID] = (),
    collections: Sequence[UUID] = (),
) -> list[Unknown]:
    """What of these there is not in a pool, as far as goods can belong to it; one statement."""
    return await reader.all(
        Unknown,
        """
        SELECT 'products' AS kind, id FROM unnest($2::uuid[]) AS n (id)
        WHERE NOT EXISTS (SELECT 1 FROM product t WHERE t.id = n.id AND t.pool = $1)
        UNION ALL SELECT 'variants', id FROM unnest($3::uuid[]) AS n (id)
        WHERE NOT EXISTS (SELECT 1 FROM variant t WHERE t.id = n.id AND t.pool = $1)
        UNION ALL SELECT 'categories', id FROM unnest($4::uuid[]) AS n (id)
        WHERE NOT EXISTS (SELECT 1 FROM category t WHERE t.id = n.id AND t.pool = $1)
        UNION ALL SELECT 'collections', id FROM unnest($5::uuid[]) AS n (id)
        WHERE NOT EXISTS (SELECT 1 FROM collection t WHERE t.id = n.id AND t.pool = $1 AND t.kind = 'manual')
        """,
        pool,
        list(products),
        list(variants),
        list(categories),
        list(collections),
    )
