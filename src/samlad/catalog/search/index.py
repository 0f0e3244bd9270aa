"""Keeps what search reads in step with products and prices: set-based, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.i18n import collation_key

KEY_LENGTH = 120


def sort_key(text: str, language: str) -> str:
    """A text that sorts by code point as readers of the language expect."""
    return "\x01".join(collation_key(text[:KEY_LENGTH], language))


async def refresh(tx: Tx, product_ids: Sequence[UUID]) -> None:
    """Bring the search rows of products up to date with the products. Four statements, however many."""
    ids = sorted(set(product_ids))
    if not ids:
        return
    await tx.execute(
        """
        INSERT INTO facet (pool, kind, name, value)
        SELECT DISTINCT f.pool, f.kind, f.name, f.value FROM product_facet f
        WHERE f.product = ANY($1) AND NOT EXISTS (
            SELECT 1 FROM facet k WHERE (k.pool, k.kind, k.name, k.value) = (f.pool, f.kind, f.name, f.value))
        ORDER BY 1, 2, 3, 4 ON CONFLICT DO NOTHING
        """,
        ids,
    )
    await refresh_prices(tx, ids)
    await _put_rows(tx, ids)


# Each text is indexed under the stems of all three languages where it has no translation into them: the retailer's own
# language is whichever it is. "simple" keeps every word as it is: other languages, SKUs, prefixes while typing.
_WORDS = """
    WITH text AS MATERIALIZED (
        SELECT p.id, p.pool, p.status = 'active' AS is_active, p.created_at,
            plain_text(p.title) AS title,
            plain_text(p.translations -> 'en' ->> 'title') AS title_en,
            plain_text(p.translations -> 'sv' ->> 'title') AS title_sv,
            plain_text(p.translations -> 'nl' ->> 'title') AS title_nl,
            plain_text(concat_ws(' ', p.brand, array_to_string(p.tags, ' '), c.name, v.options)) AS about,
            v.codes,
            plain_text(html_text(p.description)) AS more,
            plain_text(html_text(p.translations -> 'en' ->> 'description')) AS more_en,
            plain_text(html_text(p.translations -> 'sv' ->> 'description')) AS more_sv,
            plain_text(html_text(p.translations -> 'nl' ->> 'description')) AS more_nl
        FROM product p
        LEFT JOIN category c ON c.id = p.category
        LEFT JOIN LATERAL (
            SELECT string_agg(DISTINCT replace(v.option_text, ' / ', ' '), ' ') AS options,
                   plain_text(string_agg(v.sku || coalesce(' ' || v.gtin, ''), ' ')) AS codes
            FROM variant v WHERE v.product = p.id AND v.status = 'active'
        ) AS v ON true
        WHERE p.id = ANY($1)
    )
"""


async def _put_rows(tx: Tx, ids: list[UUID]) -> None:
    titles = await tx.rows(
        """
        SELECT id, title, translations -> 'en' ->> 'title' AS en, translations -> 'sv' ->> 'title' AS sv,
               translations -> 'nl' ->> 'title' AS nl
        FROM product WHERE id = ANY($1)
        """,
        ids,
    )
    await tx.execute(
        f"""
        {_WORDS},
        dictionary AS (
            INSERT INTO search_word (pool, word)
            SELECT DISTINCT t.pool, left(w.lexeme, 60) FROM text t,
                unnest(to_tsvector('simple', concat_ws(' ', t.title, t.title_en, t.title_sv, t.title_nl, t.about))) AS w
            WHERE length(w.lexeme) > 2 AND w.lexeme !~ '^[0-9.,-]+$'
              AND NOT EXISTS (SELECT 1 FROM search_word k WHERE k.pool = t.pool AND k.word = left(w.lexeme, 60))
            ORDER BY 1, 2 ON CONFLICT DO NOTHING
        )
        INSERT INTO product_search AS s (product, pool, is_active, created_at, facets, contexts, lows, highs,
                                         name_en, name_sv, name_nl, words)
        SELECT t.id, t.pool, t.is_active, t.created_at, coalesce(f.ids, '{{}}'), coalesce(o.contexts, '{{}}'),
            coalesce(o.lows, '{{}}'), coalesce(o.highs, '{{}}'), k.en, k.sv, k.nl,
            setweight(to_tsvector('simple', concat_ws(' ', t.title, t.title_en, t.title_sv, t.title_nl))
                || to_tsvector('english', coalesce(t.title_en, t.title))
                || to_tsvector('swedish', coalesce(t.title_sv, t.title))
                || to_tsvector('dutch', coalesce(t.title_nl, t.title))
                || to_tsvector('simple', coalesce(t.codes, '')), 'A')
            || setweight(to_tsvector('simple', t.about) || to_tsvector('english', t.about)
                || to_tsvector('swedish', t.about) || to_tsvector('dutch', t.about), 'B')
            || setweight(to_tsvector('english', coalesce(t.more_en, t.more))
                || to_tsvector('swedish', coalesce(t.more_sv, t.more))
                || to_tsvector('dutch', coalesce(t.more_nl, t.more)), 'D')
        FROM text t JOIN unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS k (id, en, sv, nl) ON k.id = t.id
        LEFT JOIN (
            SELECT pf.product, array_agg(DISTINCT facet.id) AS ids FROM product_facet pf
            JOIN facet USING (pool, kind, name, value) WHERE pf.product = ANY($1) GROUP BY pf.product
        ) AS f ON f.product = t.id
        LEFT JOIN ({_PRICE_ARRAYS}) AS o ON o.product = t.id
        ON CONFLICT (product) DO UPDATE SET (is_active, facets, contexts, lows, highs, name_en, name_sv, name_nl, words)
            = (EXCLUDED.is_active, EXCLUDED.facets, EXCLUDED.contexts, EXCLUDED.lows, EXCLUDED.highs,
               EXCLUDED.name_en, EXCLUDED.name_sv, EXCLUDED.name_nl,
               CASE WHEN s.words = EXCLUDED.words THEN s.words ELSE EXCLUDED.words END)
        """,
        ids,
        [row["id"] for row in titles],
        *([sort_key(row[lang] or row["title"], lang) for row in titles] for lang in ("en", "sv", "nl")),
    )


_PRICE_ARRAYS = """
    SELECT product, array_agg(context ORDER BY context) AS contexts, array_agg(low ORDER BY context) AS lows,
           array_agg(high ORDER BY context) AS highs
    FROM search_price WHERE product = ANY($1) GROUP BY product"""


async def refresh_prices(tx: Tx, product_ids: Sequence[UUID], at: datetime | None = None) -> None:
    """Bring the prices that search sorts and filters by up to date for products. One statement.

    ``OFFSET 0`` makes the planner go from the variants to their prices: while a table grows by an import, its
    statistics are so far behind that it would rather read all prices of the list.
    """
    if not product_ids:
        return
    await tx.execute(
        """
        WITH fit AS (
            SELECT c.id AS context, v.product, pr.variant, pr.amount, pr.compare_at, pl.kind, pl.priority, pl.id AS list,
                   pl.channel
            FROM variant v CROSS JOIN LATERAL (
                SELECT * FROM price WHERE price.variant = v.id AND price.min_quantity = 1 OFFSET 0) AS pr
            JOIN price_list pl ON pl.id = pr.price_list
            JOIN price_context c ON c.pool = pl.pool AND c.currency = pl.currency
                AND (pl.channel IS NULL OR pl.channel = c.channel)
            WHERE v.product = ANY($1) AND v.status = 'active' AND pl.status = 'active' AND pl.customer_group IS NULL
              AND (pl.valid_from IS NULL OR pl.valid_from <= $2) AND (pl.valid_to IS NULL OR $2 < pl.valid_to)
        ), best AS (
            SELECT DISTINCT ON (context, variant) * FROM fit
            ORDER BY context, variant, priority DESC, (channel IS NULL), amount, list
        ), made AS MATERIALIZED (
            SELECT context, product, min(amount) AS low, max(amount) AS high,
                   bool_or(kind = 'sale' OR coalesce(compare_at > amount, false)) AS is_reduced
            FROM best GROUP BY context, product
        ), gone AS (
            DELETE FROM search_price s WHERE s.product = ANY($1)
                AND NOT EXISTS (SELECT 1 FROM made WHERE (made.context, made.product) = (s.context, s.product))
        )
        INSERT INTO search_price AS s (context, product, low, high, is_reduced) SELECT * FROM made ORDER BY 1, 2
        ON CONFLICT (context, product) DO UPDATE
            SET (low, high, is_reduced) = (EXCLUDED.low, EXCLUDED.high, EXCLUDED.is_reduced)
            WHERE (s.low, s.high, s.is_reduced) IS DISTINCT FROM (EXCLUDED.low, EXCLUDED.high, EXCLUDED.is_reduced)
        """,
        list(product_ids),
        at or now(),
    )


async def change_prices(tx: Tx, product_ids: Sequence[UUID], at: datetime | None = None) -> None:
    """The same for products that themselves did not change, with their search rows."""
    if not product_ids:
        return
    await refresh_prices(tx, product_ids, at)
    await tx.execute(
        f"""
        UPDATE product_search s SET (contexts, lows, highs)
            = (coalesce(o.contexts, '{{}}'), coalesce(o.lows, '{{}}'), coalesce(o.highs, '{{}}'))
        FROM unnest($1::uuid[]) AS w (id) LEFT JOIN ({_PRICE_ARRAYS}) AS o ON o.product = w.id
        WHERE s.product = w.id AND (s.contexts, s.lows, s.highs) IS DISTINCT FROM
              (coalesce(o.contexts, '{{}}'), coalesce(o.lows, '{{}}'), coalesce(o.highs, '{{}}'))
        """,
        list(product_ids),
    )


async def put_rating(tx: Tx, product_id: UUID, rating: int, ratings: int, standing: int) -> None:
    """What customers think of a product: average in hundredths of stars, how many, and what lists are sorted by."""
    await tx.execute(
        "UPDATE product_search SET rating = $2, ratings = $3, standing = $4 WHERE product = $1",
        product_id,
        rating,
        ratings,
        standing,
    )


async def refresh_variant_prices(tx: Tx, variant_ids: Sequence[UUID]) -> None:
    """The same, for the products of variants."""
    if not variant_ids:
        return
    rows = await tx.rows("SELECT DISTINCT product FROM variant WHERE id = ANY($1)", list(variant_ids))
    await change_prices(tx, [row["product"] for row in rows])


async def ensure_context(tx: Tx, pool: UUID, currency: str, channel: UUID | None) -> bool:
    """Make sure that prices are kept for this pool, currency and channel; whether that is new."""
    made = await tx.execute(
        """
        INSERT INTO price_context (pool, currency, channel)
        SELECT $1, $2, c FROM unnest(ARRAY[NULL, $3]::uuid[]) AS c GROUP BY c ON CONFLICT DO NOTHING
        """,
        pool,
        currency,
        channel,
    )
    return made > 0


async def refresh_all_prices(tx: Tx, pool: UUID) -> None:
    """Every product that has a price in a pool: when a channel gets its first list of its own."""
    rows = await tx.rows(
        """
        SELECT DISTINCT v.product FROM price_list pl JOIN price pr ON pr.price_list = pl.id
        JOIN variant v ON v.id = pr.variant WHERE pl.pool = $1
        """,
        pool,
    )
    await change_prices(tx, [row["product"] for row in rows])


async def refresh_due(database: Database, *, at: datetime | None = None) -> int:
    """Take account of price lists that began or ended since the last time; how many products that touched.

    A sweeper calls it every few seconds; several processes may.
    """
    moment = at or now()

    async def work(tx: Tx) -> int:
        told = await tx.value("SELECT told_until FROM price_clock FOR UPDATE SKIP LOCKED")
        if told is None:
            return 0
        rows = await tx.rows(
            """
            SELECT DISTINCT v.product FROM price_list pl JOIN price pr ON pr.price_list = pl.id
            JOIN variant v ON v.id = pr.variant
            WHERE (pl.valid_from > $1 AND pl.valid_from <= $2) OR (pl.valid_to > $1 AND pl.valid_to <= $2)
            """,
            told,
            moment,
        )
        if rows:
            await change_prices(tx, [row["product"] for row in rows], moment)
        if rows or (moment - told).total_seconds() > 3600:
            await tx.execute("UPDATE price_clock SET told_until = $1", moment)
        return len(rows)

    return await database.transaction(work)


async def rebuild(database: Database, *, chunk: int = 1000) -> int:
    """Make every search row anew, a thousand products at a time; how many products there are."""
    rows = await database.rows("SELECT id FROM product ORDER BY id")
    ids = [row["id"] for row in rows]
    for start in range(0, len(ids), chunk):
        part = ids[start : start + chunk]
        await database.transaction(lambda tx, part=part: refresh(tx, part))  # type: ignore[misc]
    return len(ids)
