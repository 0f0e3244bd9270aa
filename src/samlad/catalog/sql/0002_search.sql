-- What search reads: kept in step with products and prices by catalog/search/index.py, in the same transactions.

-- Words in small letters without accents, and nothing between them but spaces: product and query are cut alike.
-- unaccent() is only STABLE, because its dictionary could be changed; ours is not.
CREATE FUNCTION plain_text(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN trim(regexp_replace(lower(unaccent('unaccent'::regdictionary, $1)), '[^[:alnum:]]+', ' ', 'g'));

-- A text without its HTML, short enough to index.
CREATE FUNCTION html_text(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN left(regexp_replace(regexp_replace(left($1, 4000), '<[^>]*>', ' ', 'g'), '&[a-z#0-9]+;', ' ', 'g'), 800);

-- "a/b/c" → {a, a/b, a/b/c}: a category and all above it.
CREATE FUNCTION path_line(path text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT array_agg(array_to_string((string_to_array(path, '/'))[1:n], '/'))
            FROM generate_series(1, array_length(string_to_array(path, '/'), 1)) AS n);

-- Everything that one can filter by, once; products refer to it by number, which is small and quick to count.
CREATE TABLE facet (
    id    int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pool  uuid NOT NULL REFERENCES pool,
    kind  text NOT NULL CHECK (kind IN ('category', 'brand', 'option', 'attribute', 'tag')),
    name  text NOT NULL,   -- of the option or attribute; else empty
    value text NOT NULL,   -- of a category its id
    UNIQUE (pool, kind, name, value)
);

CREATE VIEW product_facet AS
    SELECT p.id AS product, p.pool, 'brand' AS kind, '' AS name, p.brand AS value
    FROM product p WHERE p.brand IS NOT NULL
    UNION ALL
    SELECT p.id, p.pool, 'tag', '', t.tag FROM product p, unnest(p.tags) AS t (tag)
    UNION ALL
    SELECT p.id, p.pool, 'category', '', a.id::text FROM product p JOIN category c ON c.id = p.category
    JOIN category a ON a.pool = p.pool AND a.path = ANY (path_line(c.path))
    UNION ALL
    SELECT v.product, v.pool, 'option', o.key, o.value FROM variant v, jsonb_each_text(v.options) AS o
    WHERE v.status = 'active'
    UNION ALL
    SELECT p.id, p.pool, 'attribute', e.key, e.value FROM product p, jsonb_each_text(p.attributes) AS e
    JOIN attribute a ON a.code = e.key WHERE a.pool = p.pool AND a.is_filterable
    UNION ALL
    SELECT v.product, v.pool, 'attribute', e.key, e.value FROM variant v, jsonb_each_text(v.attributes) AS e
    JOIN attribute a ON a.code = e.key WHERE v.status = 'active' AND a.pool = v.pool AND a.is_filterable;

-- Everything that search reads of a product in one row: a match is one fetch, whatever is asked of it.
CREATE TABLE product_search (
    product    uuid PRIMARY KEY REFERENCES product ON DELETE CASCADE,
    pool       uuid NOT NULL,
    is_active  boolean NOT NULL,
    created_at timestamptz NOT NULL,
    facets     int[] NOT NULL,
    contexts   int[] NOT NULL DEFAULT '{}',    -- of search_price, with the prices there, place by place
    lows       bigint[] NOT NULL DEFAULT '{}',
    highs      bigint[] NOT NULL DEFAULT '{}',
    name_en    text COLLATE "C" NOT NULL,      -- sort keys by language: the database has no collations of its own
    name_sv    text COLLATE "C" NOT NULL,
    name_nl    text COLLATE "C" NOT NULL,
    words      tsvector NOT NULL
) WITH (fillfactor = 85);                      -- so that a new price finds room in its page and touches no index
ALTER TABLE product_search ALTER COLUMN words SET STORAGE MAIN;
CREATE INDEX product_search_facets ON product_search USING gin (facets) WITH (fastupdate = off);
-- A short pending list: a tenth of the cost of an import, and at most a few hundred rows that a search reads besides.
CREATE INDEX product_search_words ON product_search USING gin (words)
    WITH (fastupdate = on, gin_pending_list_limit = 512);
CREATE INDEX product_search_newest ON product_search (pool, created_at, product) WHERE is_active;
CREATE INDEX product_search_en ON product_search (pool, name_en, product) WHERE is_active;
CREATE INDEX product_search_sv ON product_search (pool, name_sv, product) WHERE is_active;
CREATE INDEX product_search_nl ON product_search (pool, name_nl, product) WHERE is_active;

-- The words that occur, for mending what was mistyped.
CREATE TABLE search_word (
    pool uuid NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (pool, word)
);
CREATE INDEX search_word_similar ON search_word USING gin (word gin_trgm_ops) WITH (fastupdate = off);

-- Known words that share some letters with one: two letters swapped leave few trigrams, so the threshold is low.
CREATE FUNCTION near_words(in_pool uuid, to_word text) RETURNS text[] LANGUAGE sql STABLE
    SET pg_trgm.similarity_threshold = 0.2
BEGIN ATOMIC
    SELECT array_agg(near.word) FROM (
        SELECT k.word FROM search_word k WHERE k.pool = in_pool AND k.word % to_word
        ORDER BY similarity(k.word, to_word) DESC, k.word LIMIT 50) AS near;
END;

-- For whom prices may differ: everybody in a pool and currency, and each channel that has lists of its own.
CREATE TABLE price_context (
    id       int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pool     uuid NOT NULL REFERENCES pool,
    currency text NOT NULL,
    channel  uuid REFERENCES channel,
    UNIQUE NULLS NOT DISTINCT (pool, currency, channel)
);
CREATE TABLE search_price (
    context    int     NOT NULL REFERENCES price_context,
    product    uuid    NOT NULL REFERENCES product ON DELETE CASCADE,
    low        bigint  NOT NULL,  -- cheapest and dearest active variant, a single piece for everybody
    high       bigint  NOT NULL,
    is_reduced boolean NOT NULL,
    PRIMARY KEY (context, product)
);
CREATE INDEX search_price_low ON search_price (context, low, product);
CREATE INDEX search_price_high ON search_price (context, high, product);
CREATE INDEX search_price_product ON search_price (product);
-- Lists that begin or end change prices without a write: up to when that has been taken account of.
CREATE TABLE price_clock (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    told_until timestamptz NOT NULL
);
INSERT INTO price_clock (told_until) VALUES (now());
