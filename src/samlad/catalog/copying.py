"""Copies of goods in another catalogue, for who has sold them while it was one: when a channel leaves."""

from collections.abc import Sequence
from uuid import UUID

from samlad.catalog import events
from samlad.catalog.search import index
from samlad.channels.pooling import Move
from samlad.kernel import log
from samlad.kernel.database import Tx

_PRODUCT = """title, description, status, brand, supplier, tags, options, attributes, tax_class, seo_title, seo_description,
              translations, tracking, min_days_left"""
_VARIANT = """gtin, status, options, option_text, position, weight_g, length_mm, width_mm, height_mm, hs_code, origin_country,
              requires_shipping, attributes, sold_by"""
_MEDIA = "url, storage_key, alt, position, status, problem, attempts, retry_at, translations"


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{each.strip()}" for each in columns.split(","))


async def copy_into(tx: Tx, move: Move, pool: UUID, variants: Sequence[UUID]) -> dict[UUID, UUID]:
    """Copies of variants in a pool, with their products; by what they are copies of. Each is made once for a move.

    A copy has the texts, pictures and codes of what it is a copy of (another SKU or handle where that is taken) and the
    category at the same path, if there is one.
    """
    if not variants:
        return {}
    await tx.execute(
        """INSERT INTO pool_move_row (move, subject, row, twin)
           SELECT DISTINCT ON (v.product) $1, 'product copy', v.product, gen_random_uuid()
           FROM variant v WHERE v.id = ANY ($2::uuid[]) ON CONFLICT DO NOTHING""",
        move.id,
        list(variants),
    )
    made = await tx.rows(
        f"""
        INSERT INTO product (id, pool, handle, category, {_PRODUCT})
        SELECT j.twin, $2, free_handle($2, p.handle, $3), c.id, {_of("p", _PRODUCT)}
        FROM pool_move_row j JOIN product p ON p.id = j.row LEFT JOIN category k ON k.id = p.category
             LEFT JOIN category c ON c.pool = $2 AND c.path = k.path
        WHERE j.move = $1 AND j.subject = 'product copy' AND NOT EXISTS (SELECT FROM product o WHERE o.id = j.twin)
        ORDER BY p.id RETURNING id
        """,
        move.id,
        pool,
        "copy",
    )
    products = [row["id"] for row in made]
    rows = await tx.rows(
        f"""
        WITH source AS (
            SELECT v.*, j.twin AS product_copy, gen_random_uuid() AS copy
            FROM variant v JOIN pool_move_row j ON j.move = $1 AND j.subject = 'product copy' AND j.row = v.product
            WHERE v.id = ANY ($4::uuid[])
        ), kept AS (
            INSERT INTO pool_move_row (move, subject, row, twin) SELECT $1, 'variant copy', id, copy FROM source
        ), put AS (
            INSERT INTO variant (id, product, pool, sku, {_VARIANT})
            SELECT s.copy, s.product_copy, $2, free_sku($2, s.sku, $3), {_of("s", _VARIANT)} FROM source s ORDER BY s.id
        )
        SELECT id, copy FROM source
        """,
        move.id,
        pool,
        "copy",
        list(variants),
    )
    copies: dict[UUID, UUID] = {row["id"]: row["copy"] for row in rows}
    await _copy_what_hangs_on_them(tx, move, products, copies)
    touched = await tx.rows("SELECT DISTINCT product FROM variant WHERE id = ANY ($1)", list(copies.values()))
    await index.refresh(tx, [row["product"] for row in touched])
    for start in range(0, len(products), 1000):
        log.append(tx, events.ProductCreated(pool=pool, products=products[start : start + 1000]))
    return copies


async def _copy_what_hangs_on_them(
    tx: Tx, move: Move, products: Sequence[UUID], copies: dict[UUID, UUID]
) -> None:
    """Pictures of new products and of new variants, and the parts of sets; the parts are those of the other catalogue until
    they are looked at."""
    await tx.execute(
        f"""
        INSERT INTO media (id, product, variant, {_MEDIA})
        SELECT gen_random_uuid(), j.twin, n.copy, {_of("m", _MEDIA)}
        FROM pool_move_row j JOIN media m ON m.product = j.row
             LEFT JOIN unnest($3::uuid[], $4::uuid[]) AS n (id, copy) ON n.id = m.variant
        WHERE j.move = $1 AND j.subject = 'product copy'
          AND (n.copy IS NOT NULL OR (m.variant IS NULL AND j.twin = ANY ($2::uuid[])))
        ON CONFLICT (product, url) DO NOTHING
        """,
        move.id,
        list(products),
        list(copies),
        list(copies.values()),
    )
    await tx.execute(
        """
        INSERT INTO bundle_component (bundle, component, quantity)
        SELECT n.copy, b.component, b.quantity FROM unnest($1::uuid[], $2::uuid[]) AS n (id, copy)
        JOIN bundle_component b ON b.bundle = n.id
        """,
        list(copies),
        list(copies.values()),
    )
