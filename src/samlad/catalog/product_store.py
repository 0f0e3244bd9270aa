"""SQL of products, variants, media and bundles: everything by sets, never a query in a loop."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from samlad.catalog.model import Component, Measure, Media, Product, Variant
from samlad.catalog.planning import AttributeRule, Known
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, anywhere_lowered, texts, uuids

T = TypeVar("T", bound=msgspec.Struct)

PRODUCT_COLUMNS = ", ".join(Product.__struct_fields__)
VARIANT_COLUMNS = ", ".join(Variant.__struct_fields__)
MEDIA_COLUMNS = ", ".join(Media.__struct_fields__)


class ProductSummary(msgspec.Struct, frozen=True):
    """A product in a list."""

    id: UUID
    pool: UUID
    handle: str
    title: str
    status: str
    brand: str | None
    supplier: str | None
    category: str | None
    tags: list[str]
    variants: int
    image: str | None
    version: int
    created_at: Any
    updated_at: Any


PRODUCTS = Listing(
    row=ProductSummary,
    select="""p.id, p.pool, p.handle, p.title, p.status, p.brand, p.supplier, c.path AS category, p.tags,
        (SELECT count(*) FROM variant v WHERE v.product = p.id AND v.status = 'active') AS variants,
        (SELECT coalesce('/media/' || m.storage_key, m.url) FROM media m WHERE m.product = p.id AND m.status = 'ready'
         ORDER BY m.position LIMIT 1) AS image,
        p.version, p.created_at, p.updated_at""",
    source="product p LEFT JOIN category c ON c.id = p.category WHERE p.pool = ANY($1)",
    key="p.id",
    sorts={
        "created_at": Sort("p.created_at", "timestamptz"),
        "updated_at": Sort("p.updated_at", "timestamptz"),
        "title": Sort("lower(p.title)"),
        "handle": Sort("p.handle"),
    },
    default_sort="-created_at",
    filters={
        "id": Filter("p.id = ANY({})", uuids),
        "title": Filter("lower(p.title) LIKE {}", anywhere_lowered),
        "status": Filter("p.status = ANY({})", texts),
        "brand": Filter("p.brand = ANY({})", texts),
        "supplier": Filter("p.supplier = ANY({})", texts),
        "tag": Filter("p.tags && {}", texts),
        "category": Filter(
            "p.category IN (SELECT k.id FROM category k WHERE (k.path || '/') LIKE ({} || '/%'))"
        ),
        "handle": Filter("p.handle = ANY({})", texts),
        "sku": Filter("EXISTS (SELECT 1 FROM variant s WHERE s.product = p.id AND s.sku = ANY({}))", texts),
        "pool": Filter("p.pool = ANY({})", uuids),
    },
)

VARIANTS = Listing(
    row=Variant,
    select=", ".join(f"v.{name}" for name in Variant.__struct_fields__),
    source="variant v WHERE v.pool = ANY($1)",
    key="v.id",
    sorts={
        "sku": Sort("v.sku"),
        "created_at": Sort("v.created_at", "timestamptz"),
        "updated_at": Sort("v.updated_at", "timestamptz"),
    },
    default_sort="sku",
    filters={
        "status": Filter("v.status = ANY({})", texts),
        "product": Filter("v.product = ANY({})", uuids),
        "sku": Filter("v.sku = ANY({})", texts),
        "gtin": Filter("v.gtin14 = lpad({}, 14, '0')"),
        "pool": Filter("v.pool = ANY({})", uuids),
    },
)


async def product(reader: Reader, product_id: UUID) -> Product | None:
    """One product, or None."""
    return await reader.one(Product, f"SELECT {PRODUCT_COLUMNS} FROM product WHERE id = $1", product_id)


async def product_by_handle(reader: Reader, pool: UUID, handle: str) -> Product | None:
    """One product, or None."""
    sql = f"SELECT {PRODUCT_COLUMNS} FROM product WHERE pool = $1 AND handle = $2"
    return await reader.one(Product, sql, pool, handle)


async def products_after(reader: Reader, pool: UUID, after: UUID, limit: int) -> list[Product]:
    """The next products of a pool by id."""
    sql = f"SELECT {PRODUCT_COLUMNS} FROM product WHERE pool = $1 AND id > $2 ORDER BY id LIMIT $3"
    return await reader.all(Product, sql, pool, after, limit)


async def products_by_id(reader: Reader, product_ids: Sequence[UUID]) -> list[Product]:
    """Products by id, in that order; unknown ones are left out."""
    sql = f"SELECT {PRODUCT_COLUMNS} FROM product WHERE id = ANY($1) ORDER BY id"
    return await reader.all(Product, sql, list(product_ids))


async def option_names(reader: Reader, pool: UUID) -> list[str]:
    """Every name of an option that a product of a pool has."""
    sql = """
        SELECT DISTINCT o ->> 'name' AS name FROM product, jsonb_array_elements(options) AS o WHERE pool = $1 ORDER BY 1
        """
    return [row["name"] for row in await reader.rows(sql, pool)]


async def variants_of(reader: Reader, product_ids: Sequence[UUID]) -> list[Variant]:
    """The variants of products, in their order."""
    sql = f"SELECT {VARIANT_COLUMNS} FROM variant WHERE product = ANY($1) ORDER BY product, position, id"
    return await reader.all(Variant, sql, list(product_ids))


async def variants_by_id(reader: Reader, variant_ids: Sequence[UUID]) -> list[Variant]:
    """Variants by id."""
    sql = f"SELECT {VARIANT_COLUMNS} FROM variant WHERE id = ANY($1)"
    return await reader.all(Variant, sql, list(variant_ids))


async def media_of(reader: Reader, product_ids: Sequence[UUID]) -> list[Media]:
    """Pictures and films of products, in their order."""
    sql = f"SELECT {MEDIA_COLUMNS} FROM media WHERE product = ANY($1) ORDER BY product, position, id"
    return await reader.all(Media, sql, list(product_ids))


async def components_of(reader: Reader, variant_ids: Sequence[UUID]) -> list[Component]:
    """The parts of those variants that are bundles."""
    return await reader.all(
        Component,
        """
        SELECT b.bundle, b.component, v.sku, b.quantity FROM bundle_component b JOIN variant v ON v.id = b.component
        WHERE b.bundle = ANY($1) ORDER BY b.bundle, v.sku
        """,
        list(variant_ids),
    )


async def category_path(reader: Reader, category_id: UUID | None) -> str | None:
    """Path of a category."""
    path: str | None = await reader.value("SELECT path FROM category WHERE id = $1", category_id)
    return path


async def load_known(
    reader: Reader, pool: UUID, handles: Sequence[str], skus: Sequence[str], *, lock: bool = False
) -> Known:
    """What is needed to plan the change of the products that rows mean; with ``lock`` locked, in order of id."""
    products = await reader.all(
        Product,
        f"""
        SELECT {PRODUCT_COLUMNS} FROM product
        WHERE id IN (SELECT id FROM product WHERE pool = $1 AND handle = ANY($2)
                     UNION SELECT product FROM variant WHERE pool = $1 AND sku = ANY($3))
        ORDER BY id {"FOR UPDATE" if lock else ""}
        """,
        pool,
        list(handles),
        list(skus),
    )
    found = [p.id for p in products]
    variants = await variants_of(reader, found) if found else []
    components = await components_of(reader, [v.id for v in variants]) if variants else []
    return Known(
        pool=pool,
        products={p.id: p for p in products},
        by_handle={p.handle: p.id for p in products},
        variants=grouped(variants, "product"),
        by_sku={v.sku: v for v in variants},
        media=grouped(await media_of(reader, found), "product") if found else {},
        components=grouped(components, "bundle"),
    )


def grouped(rows: Sequence[T], field: str) -> dict[UUID, list[T]]:
    """Rows by the id in one of their fields, in their order."""
    groups: dict[UUID, list[T]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, field)].append(row)
    return dict(groups)


async def load_names(
    reader: Reader, known: Known, paths: Sequence[str], price_pool: UUID | None, lists: Sequence[str]
) -> None:
    """Fill in what rows refer to by name: categories, attributes, price lists, tax classes. One statement."""
    row = await reader.row(
        """
        SELECT (SELECT jsonb_object_agg(path, id) FROM category WHERE pool = $1 AND path = ANY($2)) AS categories,
               (SELECT jsonb_object_agg(code, jsonb_build_object('type', type, 'choices', choices))
                FROM attribute WHERE pool = $1) AS attributes,
               (SELECT jsonb_object_agg(code, id) FROM price_list
                WHERE pool = $3 AND code = ANY($4) AND status = 'active') AS lists,
               (SELECT array_agg(code) FROM tax_product_class) AS tax_classes
        """,
        known.pool,
        list(paths),
        price_pool,
        list(lists),
    )
    assert row is not None
    known.categories = {path: UUID(each) for path, each in (row["categories"] or {}).items()}
    known.attributes = msgspec.convert(row["attributes"] or {}, dict[str, AttributeRule])
    known.price_lists = {code: UUID(each) for code, each in (row["lists"] or {}).items()}
    known.tax_classes = set(row["tax_classes"] or [])
    await load_prices(reader, known)


async def load_prices(reader: Reader, known: Known) -> None:
    """Fill in the prices that the known variants have in the known lists."""
    if not known.price_lists or not known.by_sku:
        return
    rows = await reader.rows(
        """
        SELECT variant, price_list, min_quantity, amount, compare_at FROM price
        WHERE variant = ANY($1) AND price_list = ANY($2)
        """,
        [v.id for v in known.by_sku.values()],
        list(known.price_lists.values()),
    )
    known.prices = {
        (r["variant"], r["price_list"], r["min_quantity"]): (r["amount"], r["compare_at"]) for r in rows
    }


async def taken_handles(reader: Reader, pool: UUID, bases: Sequence[str]) -> set[str]:
    """Handles that are taken among those that begin with one of the bases: ``kettle``, ``kettle-2`` …"""
    rows = await reader.rows(
        """
        SELECT p.handle FROM unnest($2::text[]) AS base (handle)
        JOIN product p ON p.pool = $1 AND (p.handle = base.handle OR p.handle ~ ('^' || base.handle || '-[0-9]+$'))
        """,
        pool,
        list(bases),
    )
    return {row["handle"] for row in rows}


_PRODUCT_WRITTEN = [name for name in Product.__struct_fields__ if name not in ("id", "pool", "created_at")]
_VARIANT_WRITTEN = [name for name in Variant.__struct_fields__ if name not in ("id", "product", "created_at")]


def _upsert(table: str, columns: Sequence[str], written: Sequence[str], *, pool: bool = False) -> str:
    names = ", ".join(columns)
    return f"""
        INSERT INTO {table} ({names}{", pool" if pool else ""})
        SELECT {names}{", $2::uuid" if pool else ""} FROM jsonb_populate_recordset(NULL::{table}, $1::jsonb)
        ON CONFLICT (id) DO UPDATE SET ({", ".join(written)}) = ({", ".join("EXCLUDED." + n for n in written)})
        """


_PUT_PRODUCTS = _upsert("product", Product.__struct_fields__, _PRODUCT_WRITTEN)
_PUT_VARIANTS = _upsert("variant", Variant.__struct_fields__, _VARIANT_WRITTEN, pool=True)
# How far the fetching of a picture is belongs to `media_fetch`, which works beside this.
_PUT_MEDIA = _upsert("media", Media.__struct_fields__, ["variant", "alt", "position"])


async def put_products(tx: Tx, products: Sequence[Product]) -> None:
    """Insert or overwrite."""
    if products:
        await tx.execute(_PUT_PRODUCTS, products)


async def put_variants(tx: Tx, pool: UUID, variants: Sequence[Variant]) -> None:
    """Insert or overwrite."""
    if variants:
        await tx.execute(_PUT_VARIANTS, variants, pool)


async def put_media(tx: Tx, media: Sequence[Media], product_ids: Sequence[UUID]) -> None:
    """Make these all the media that the products have."""
    if product_ids:
        await tx.execute(
            "DELETE FROM media WHERE product = ANY($1) AND id <> ALL($2)",
            list(product_ids),
            [m.id for m in media],
        )
        await tx.execute(_PUT_MEDIA, media)


async def put_components(tx: Tx, pool: UUID, bundles: dict[UUID, list[tuple[str, int]]]) -> list[str]:
    """Make these the parts of the bundles; SKUs that are unknown, themselves bundles, or not sold by the piece (nothing is
    right then).

    Raises:
        asyncpg.PostgresError: ``SSETS``, one that is to be a bundle has something of its own still.
    """
    if not bundles:
        return []
    lines = [(bundle, sku, quantity) for bundle, parts in bundles.items() for sku, quantity in parts]
    await tx.execute("DELETE FROM bundle_component WHERE bundle = ANY($1)", list(bundles))
    columns = [list(column) for column in zip(*lines, strict=True)] or [[], [], []]
    await tx.execute(
        """
        INSERT INTO bundle_component (bundle, component, quantity)
        SELECT w.bundle, v.id, w.quantity FROM unnest($1::uuid[], $2::text[], $3::int[]) AS w (bundle, sku, quantity)
        JOIN variant v ON v.pool = $4 AND v.sku = w.sku
        """,
        *columns,
        pool,
    )
    rows = await tx.rows(
        """
        SELECT DISTINCT w.sku FROM unnest($1::text[]) AS w (sku) LEFT JOIN variant v ON v.pool = $2 AND v.sku = w.sku
        WHERE v.id IS NULL OR v.sold_by <> 'piece' OR EXISTS (SELECT 1 FROM bundle_component b WHERE b.bundle = v.id)
        UNION
        SELECT v.sku FROM bundle_component b JOIN variant v ON v.id = b.component WHERE b.component = ANY($3)
        UNION
        SELECT v.sku FROM bundle_component b JOIN variant v ON v.id = b.bundle
        WHERE b.bundle = ANY($3) AND v.sold_by <> 'piece'
        """,
        columns[1],
        pool,
        list(bundles),
    )
    return [row["sku"] for row in rows]


async def titles_of(reader: Reader, products: Sequence[UUID]) -> dict[UUID, str]:
    """What products are called in their own language, by id; unknown ones are left out."""
    rows = await reader.rows("SELECT id, title FROM product WHERE id = ANY($1)", list(products))
    return {row["id"]: row["title"] for row in rows}


async def option_words(reader: Reader, products: Sequence[UUID], language: str) -> dict[str, str]:
    """What names and values of options are called in a language, by these products; of several words the first by alphabet."""
    rows = await reader.rows(
        """SELECT w.key, min(w.value) AS word FROM product p, jsonb_each_text(p.translations -> $2 -> 'options') AS w
           WHERE p.id = ANY($1) GROUP BY w.key""",
        list(products),
        language,
    )
    return {row["key"]: row["word"] for row in rows}


async def variants_like(
    reader: Reader,
    pool: UUID,
    *,
    category: str = "",
    brand: str = "",
    tag: str = "",
    among: Sequence[UUID] | None = None,
    limit: int,
) -> list[UUID]:
    """Variants that are sold, in a category (its path) and below, of a brand, with a tag: by category, title and position."""
    rows = await reader.rows(
        """SELECT v.id FROM variant v JOIN product p ON p.id = v.product LEFT JOIN category c ON c.id = p.category
           WHERE v.pool = $1 AND v.status = 'active' AND p.status = 'active'
                 AND ($2 = '' OR (c.path || '/') LIKE ($2 || '/%')) AND ($3 = '' OR p.brand = $3)
                 AND ($4 = '' OR $4 = ANY(p.tags)) AND ($5::uuid[] IS NULL OR v.id = ANY($5))
           ORDER BY c.path NULLS LAST, p.title, p.id, v.position, v.id LIMIT $6""",
        pool,
        category,
        brand,
        tag,
        None if among is None else list(among),
        limit,
    )
    return [row["id"] for row in rows]


async def variants_by_codes(reader: Reader, pool: UUID, codes: Sequence[str]) -> dict[str, UUID]:
    """Variants by SKU, else by GTIN, as somebody wrote them; unknown ones are left out. Active ones first, then the oldest."""
    rows = await reader.rows(
        """SELECT DISTINCT ON (w.code) w.code, v.id FROM unnest($2::text[]) AS w (code)
           JOIN variant v ON v.pool = $1 AND (v.sku = w.code OR
                v.gtin14 = CASE WHEN w.code ~ '^([0-9]{8}|[0-9]{12,14})$' THEN lpad(w.code, 14, '0') END)
           ORDER BY w.code, (v.sku = w.code) DESC, (v.status = 'active') DESC, v.created_at, v.id""",
        pool,
        list(codes),
    )
    return {row["code"]: row["id"] for row in rows}


async def measured(reader: Reader, variant_ids: Sequence[UUID]) -> dict[UUID, Measure]:
    """Which of these variants are sold by weight, length or volume, and by which; pieces are left out."""
    rows = await reader.rows(
        "SELECT id, sold_by FROM variant WHERE id = ANY($1) AND sold_by <> 'piece'", list(variant_ids)
    )
    return {row["id"]: Measure(row["sold_by"]) for row in rows}


async def contents_of(reader: Reader, variant_ids: Sequence[UUID], attribute: str) -> dict[UUID, str]:
    """What an attribute says of variants, their own or their product's; those without it are left out."""
    rows = await reader.rows(
        """SELECT v.id, coalesce(v.attributes ->> $2, p.attributes ->> $2) AS content
           FROM variant v JOIN product p ON p.id = v.product WHERE v.id = ANY($1)""",
        list(variant_ids),
        attribute,
    )
    return {row["id"]: row["content"] for row in rows if row["content"]}
