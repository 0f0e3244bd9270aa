-- What is sold: products and their variants, how they are described, grouped and priced, and where they are listed.
-- Texts are in the retailer's own language; `translations` has {"sv": {"title": …}, …} for the others.

CREATE TABLE tax_class (
    code        text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,39}$'),
    name        text NOT NULL,
    description text NOT NULL DEFAULT ''
);

-- Rates are facts about countries, not about shops: they belong to no pool.
CREATE TABLE tax_rate (
    id         uuid PRIMARY KEY,
    country    text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    tax_class  text NOT NULL REFERENCES tax_class,
    rate_bp    int  NOT NULL CHECK (rate_bp BETWEEN 0 AND 10000),  -- basis points: 2000 is 20 %
    valid_from date NOT NULL,
    valid_to   date CHECK (valid_to > valid_from),                 -- exclusive; null: until further notice
    name       text NOT NULL,
    version    int  NOT NULL DEFAULT 1,
    CONSTRAINT tax_rate_once EXCLUDE USING gist
        (country WITH =, tax_class WITH =, daterange(valid_from, valid_to) WITH &&)
);

CREATE TABLE category (
    id              uuid PRIMARY KEY,
    pool            uuid NOT NULL REFERENCES pool,
    parent          uuid REFERENCES category,
    slug            text NOT NULL CHECK (slug <> '' AND slug !~ '/'),
    path            text NOT NULL,  -- slugs from the root, "kitchen/kettles"
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    position        int  NOT NULL DEFAULT 0,
    seo_title       text,
    seo_description text,
    translations    jsonb NOT NULL DEFAULT '{}',
    version         int  NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, path) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX category_below ON category (pool, path text_pattern_ops);
CREATE INDEX category_parent ON category (parent);

CREATE TABLE attribute (
    id            uuid PRIMARY KEY,
    pool          uuid NOT NULL REFERENCES pool,
    code          text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{0,62}$'),
    name          text NOT NULL,
    type          text NOT NULL CHECK (type IN ('text', 'number', 'boolean', 'choice', 'colour', 'date')),
    unit          text,
    choices       text[] NOT NULL DEFAULT '{}',
    is_filterable boolean NOT NULL DEFAULT true,
    position      int  NOT NULL DEFAULT 0,
    translations  jsonb NOT NULL DEFAULT '{}',
    version       int  NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, code)
);

CREATE TABLE product (
    id              uuid PRIMARY KEY,
    pool            uuid NOT NULL REFERENCES pool,
    handle          text NOT NULL,
    title           text NOT NULL,
    description     text NOT NULL DEFAULT '',   -- HTML, sanitised when it came in
    status          text NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    category        uuid REFERENCES category,
    brand           text,
    supplier        text,
    tags            text[] NOT NULL DEFAULT '{}',
    options         jsonb NOT NULL DEFAULT '[]', -- [{"name": "Size", "values": ["S", "M"]}]
    attributes      jsonb NOT NULL DEFAULT '{}', -- {"material": "wool"}
    tax_class       text NOT NULL DEFAULT 'standard' REFERENCES tax_class,
    seo_title       text,
    seo_description text,
    translations    jsonb NOT NULL DEFAULT '{}',
    version         int  NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, handle)
);
CREATE INDEX product_category ON product (category) WHERE category IS NOT NULL;
CREATE INDEX product_newest ON product (pool, created_at, id);
CREATE INDEX product_by_id ON product (pool, id);

CREATE TABLE variant (
    id                uuid PRIMARY KEY,
    product           uuid NOT NULL REFERENCES product,
    pool              uuid NOT NULL REFERENCES pool,  -- the product's, here for the unique SKU
    sku               text NOT NULL,
    gtin              text CHECK (gtin ~ '^([0-9]{8}|[0-9]{12,14})$'),
    gtin14            text GENERATED ALWAYS AS (lpad(gtin, 14, '0')) STORED,  -- a UPC equals its EAN with a 0 in front
    status            text NOT NULL CHECK (status IN ('active', 'archived')),
    options           jsonb NOT NULL DEFAULT '{}',
    option_text       text NOT NULL DEFAULT '',  -- the values in the product's order, "Red / M"
    position          int  NOT NULL DEFAULT 0,
    weight_g          int  CHECK (weight_g >= 0),
    length_mm         int  CHECK (length_mm >= 0),
    width_mm          int  CHECK (width_mm >= 0),
    height_mm         int  CHECK (height_mm >= 0),
    hs_code           text,
    origin_country    text CHECK (origin_country ~ '^[A-Z]{2}$'),
    requires_shipping boolean NOT NULL DEFAULT true,
    attributes        jsonb NOT NULL DEFAULT '{}',
    version           int  NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, sku),
    -- Two variants on sale never have the same options. Deferrable, so that two may swap theirs in one statement.
    CONSTRAINT variant_options_once EXCLUDE USING btree (product WITH =, md5(options::text) WITH =)
        WHERE (status = 'active') DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX variant_product ON variant (product, position);
CREATE INDEX variant_gtin ON variant (pool, gtin14) WHERE gtin14 IS NOT NULL;

CREATE TABLE media (
    id         uuid PRIMARY KEY,
    product    uuid NOT NULL REFERENCES product ON DELETE CASCADE,
    variant    uuid REFERENCES variant ON DELETE CASCADE,
    url        text NOT NULL,               -- where it is, or where it is to be fetched from
    storage_key text,                       -- our own copy, once it is fetched
    alt        text NOT NULL DEFAULT '',
    position   int  NOT NULL DEFAULT 0,
    status     text NOT NULL CHECK (status IN ('pending', 'ready', 'failed')),
    problem    text,                        -- why the latest attempt to fetch it failed
    attempts   int  NOT NULL DEFAULT 0,
    retry_at   timestamptz,                 -- not to be fetched before; while it is being fetched: the end of the lease
    translations jsonb NOT NULL DEFAULT '{}',
    UNIQUE (product, url),
    -- What is shown is ours: pages never send customers to somebody else's server for a picture.
    CHECK (status <> 'ready' OR storage_key IS NOT NULL OR url LIKE '/%')
);
CREATE INDEX media_pending ON media (coalesce(retry_at, '-infinity'), id) WHERE status = 'pending';
CREATE INDEX media_variant ON media (variant) WHERE variant IS NOT NULL;

-- A variant made of others: stock is that of the components.
CREATE TABLE bundle_component (
    bundle    uuid NOT NULL REFERENCES variant ON DELETE CASCADE,
    component uuid NOT NULL REFERENCES variant,
    quantity  int  NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (bundle, component),
    CHECK (bundle <> component)
);
CREATE INDEX bundle_component_of ON bundle_component (component);

CREATE TABLE collection (
    id              uuid PRIMARY KEY,
    pool            uuid NOT NULL REFERENCES pool,
    handle          text NOT NULL,
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    kind            text NOT NULL CHECK (kind IN ('manual', 'rule')),
    rule            jsonb,                  -- {"match": "all", "conditions": [{"field": …, "op": …, "value": …}]}
    status          text NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    seo_title       text,
    seo_description text,
    translations    jsonb NOT NULL DEFAULT '{}',
    version         int  NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, handle),
    CHECK ((kind = 'rule') = (rule IS NOT NULL))
);
CREATE TABLE collection_product (
    collection uuid NOT NULL REFERENCES collection ON DELETE CASCADE,
    product    uuid NOT NULL REFERENCES product ON DELETE CASCADE,
    position   int  NOT NULL,
    PRIMARY KEY (collection, product)
);
CREATE INDEX collection_product_of ON collection_product (product);

CREATE TABLE size_chart (
    id           uuid PRIMARY KEY,
    pool         uuid NOT NULL REFERENCES pool,
    name         text NOT NULL,
    unit         text NOT NULL CHECK (unit IN ('cm', 'in')),
    measures     text[] NOT NULL,            -- ["chest", "waist"]
    rows         jsonb NOT NULL,             -- [{"size": "M", "values": [[96, 100], [80, 84]]}]
    note         text NOT NULL DEFAULT '',
    products     uuid[] NOT NULL DEFAULT '{}',
    categories   uuid[] NOT NULL DEFAULT '{}',
    brands       text[] NOT NULL DEFAULT '{}',
    translations jsonb NOT NULL DEFAULT '{}',
    version      int  NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, name)
);

-- Prices. A list says for whom and when; a price says what, from which quantity on.
CREATE TABLE price_list (
    id             uuid PRIMARY KEY,
    pool           uuid NOT NULL REFERENCES pool,
    code           text NOT NULL,
    name           text NOT NULL,
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    channel        uuid REFERENCES channel,  -- null: every channel of the pool
    customer_group text,                     -- null: everybody
    kind           text NOT NULL CHECK (kind IN ('regular', 'sale')),
    tax_included   boolean NOT NULL,
    priority       int  NOT NULL DEFAULT 0,  -- the highest wins
    valid_from     timestamptz,
    valid_to       timestamptz CHECK (valid_to > valid_from),  -- exclusive
    status         text NOT NULL CHECK (status IN ('active', 'archived')),
    version        int  NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, code)
);
CREATE TABLE price (
    variant      uuid   NOT NULL REFERENCES variant,
    price_list   uuid   NOT NULL REFERENCES price_list,
    min_quantity int    NOT NULL DEFAULT 1 CHECK (min_quantity >= 1),
    amount       bigint NOT NULL CHECK (amount >= 0),      -- minor units of the list's currency
    compare_at   bigint CHECK (compare_at >= 0),           -- the maker's or former price, shown struck through
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (variant, price_list, min_quantity)
);
CREATE INDEX price_by_list ON price (price_list, variant, min_quantity);

-- What applied when, to everybody and for a single piece: enough to say the lowest price of the last 30 days.
-- Rows carry what the list said at the time, and are cut and begun anew when price or list change.
-- No foreign keys: variants and lists are never deleted, and this is written with every price.
CREATE TABLE price_history (
    variant      uuid   NOT NULL,
    price_list   uuid   NOT NULL,
    pool         uuid   NOT NULL,
    channel      uuid,
    currency     text   NOT NULL,
    kind         text   NOT NULL,
    priority     int    NOT NULL,
    tax_included boolean NOT NULL,
    amount       bigint NOT NULL,
    applied_from timestamptz NOT NULL,
    applied_to   timestamptz,                -- exclusive; null: still
    PRIMARY KEY (variant, price_list, applied_from),
    CHECK (applied_to > applied_from)
);

-- Where a product differs from its own self in a channel. No row: as it is.
CREATE TABLE listing (
    product      uuid NOT NULL REFERENCES product,
    channel      uuid NOT NULL REFERENCES channel,
    published_at timestamptz,               -- null: not published; in the future: from then on
    unpublish_at timestamptz,
    title        text,
    description  text,
    external_id  text,
    problems     jsonb NOT NULL DEFAULT '[]', -- [{"code": …, "message": …}]
    version      int  NOT NULL DEFAULT 1,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (product, channel)
);
CREATE INDEX listing_channel ON listing (channel);
CREATE INDEX listing_external ON listing (channel, external_id) WHERE external_id IS NOT NULL;

-- Seed: standard rates of the EU, the UK and the US (0: sales tax is the seller's tax adviser's matter), and the
-- reduced rates of the countries that this program speaks the languages of and their neighbours. A class without a
-- rate of its own in a country is taxed at the standard rate. Source: EU Commission, Taxes in Europe Database;
-- gov.uk VAT rates; the Swedish cut on food is prop. 2025/26:1 and ends with 2027.
INSERT INTO tax_class (code, name, description) VALUES
    ('standard', 'Standard', 'What has no reduced rate'),
    ('food', 'Food', 'Food and soft drinks for home, not restaurant meals'),
    ('books', 'Books', 'Printed books, newspapers and e-books'),
    ('zero', 'Zero', 'Never taxed: gift cards that are vouchers for several purposes, deposits');
INSERT INTO tax_rate (id, country, tax_class, rate_bp, valid_from, valid_to, name)
SELECT gen_random_uuid(), r.* FROM (VALUES
    ('AT', 'standard', 2000, date '1995-01-01', NULL::date, 'USt 20 %'),
    ('BE', 'standard', 2100, date '1996-01-01', NULL::date, 'Btw/TVA 21 %'),
    ('BG', 'standard', 2000, date '1999-01-01', NULL::date, 'VAT 20 %'),
    ('CY', 'standard', 1900, date '2014-01-13', NULL::date, 'VAT 19 %'),
    ('CZ', 'standard', 2100, date '2013-01-01', NULL::date, 'VAT 21 %'),
    ('DE', 'standard', 1900, date '2021-01-01', NULL::date, 'MwSt 19 %'),
    ('DK', 'standard', 2500, date '1992-01-01', NULL::date, 'Moms 25 %'),
    ('ES', 'standard', 2100, date '2012-09-01', NULL::date, 'IVA 21 %'),
    ('FR', 'standard', 2000, date '2014-01-01', NULL::date, 'TVA 20 %'),
    ('GB', 'standard', 2000, date '2011-01-04', NULL::date, 'VAT 20 %'),
    ('GR', 'standard', 2400, date '2016-06-01', NULL::date, 'VAT 24 %'),
    ('HR', 'standard', 2500, date '2012-03-01', NULL::date, 'VAT 25 %'),
    ('HU', 'standard', 2700, date '2012-01-01', NULL::date, 'VAT 27 %'),
    ('IE', 'standard', 2300, date '2021-03-01', NULL::date, 'VAT 23 %'),
    ('IT', 'standard', 2200, date '2013-10-01', NULL::date, 'IVA 22 %'),
    ('LT', 'standard', 2100, date '2009-09-01', NULL::date, 'VAT 21 %'),
    ('LU', 'standard', 1700, date '2024-01-01', NULL::date, 'TVA 17 %'),
    ('LV', 'standard', 2100, date '2012-07-01', NULL::date, 'VAT 21 %'),
    ('MT', 'standard', 1800, date '2004-01-01', NULL::date, 'VAT 18 %'),
    ('NL', 'standard', 2100, date '2012-10-01', NULL::date, 'Btw 21 %'),
    ('PL', 'standard', 2300, date '2011-01-01', NULL::date, 'VAT 23 %'),
    ('PT', 'standard', 2300, date '2011-01-01', NULL::date, 'IVA 23 %'),
    ('SE', 'standard', 2500, date '1990-07-01', NULL::date, 'Moms 25 %'),
    ('SI', 'standard', 2200, date '2013-07-01', NULL::date, 'VAT 22 %'),
    ('US', 'standard', 0, date '2000-01-01', NULL::date, 'Sales tax (not computed)'),
    ('GB', 'standard', 1750, date '2010-01-01', date '2011-01-04', 'VAT 17.5 %'),
    ('EE', 'standard', 2200, date '2024-01-01', date '2025-07-01', 'VAT 22 %'),
    ('EE', 'standard', 2400, date '2025-07-01', NULL::date, 'VAT 24 %'),
    ('FI', 'standard', 2400, date '2013-01-01', date '2024-09-01', 'Alv 24 %'),
    ('FI', 'standard', 2550, date '2024-09-01', NULL::date, 'Alv 25.5 %'),
    ('RO', 'standard', 1900, date '2017-01-01', date '2025-08-01', 'VAT 19 %'),
    ('RO', 'standard', 2100, date '2025-08-01', NULL::date, 'VAT 21 %'),
    ('SK', 'standard', 2000, date '2011-01-01', date '2025-01-01', 'VAT 20 %'),
    ('SK', 'standard', 2300, date '2025-01-01', NULL::date, 'VAT 23 %'),
    ('SE', 'food', 1200, date '2000-01-01', date '2026-04-01', 'Moms 12 %'),
    ('SE', 'food', 600, date '2026-04-01', date '2028-01-01', 'Moms 6 %'),
    ('SE', 'food', 1200, date '2028-01-01', NULL::date, 'Moms 12 %'),
    ('SE', 'books', 600, date '2002-01-01', NULL::date, 'Moms 6 %'),
    ('NL', 'food', 900, date '2019-01-01', NULL::date, 'Btw 9 %'),
    ('NL', 'books', 900, date '2019-01-01', NULL::date, 'Btw 9 %'),
    ('GB', 'food', 0, date '2000-01-01', NULL::date, 'VAT 0 %'),
    ('GB', 'books', 0, date '2000-01-01', NULL::date, 'VAT 0 %'),
    ('DE', 'food', 700, date '2007-01-01', NULL::date, 'MwSt 7 %'),
    ('DE', 'books', 700, date '2007-01-01', NULL::date, 'MwSt 7 %'),
    ('FR', 'food', 550, date '2000-01-01', NULL::date, 'TVA 5.5 %'),
    ('FR', 'books', 550, date '2013-01-01', NULL::date, 'TVA 5.5 %'),
    ('BE', 'food', 600, date '2000-01-01', NULL::date, 'Btw/TVA 6 %'),
    ('BE', 'books', 600, date '2000-01-01', NULL::date, 'Btw/TVA 6 %'),
    ('US', 'food', 0, date '2000-01-01', NULL::date, 'Sales tax (not computed)'),
    ('US', 'books', 0, date '2000-01-01', NULL::date, 'Sales tax (not computed)')) AS r (country, tax_class, rate_bp, valid_from, valid_to, name);

-- The lowest amount of the 30 days before the amount that applies at a moment began to apply without a break:
-- the "prior price" of directive 98/6/EC art. 6a. The rule in words and in Python: catalog/price_rules.py.
CREATE FUNCTION lowest_prior_price(
    of_variant uuid, of_pool uuid, in_channel uuid, in_currency text, with_tax boolean, at timestamptz
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH h AS MATERIALIZED (
            SELECT * FROM price_history
            WHERE variant = of_variant AND pool = of_pool AND currency = in_currency AND tax_included = with_tax
              AND (channel IS NULL OR channel = in_channel) AND applied_from <= at
        ), turn AS (
            SELECT applied_from AS t FROM h UNION SELECT applied_to FROM h WHERE applied_to <= at
        ), line AS MATERIALIZED (
            SELECT t, lead(t) OVER (ORDER BY t) AS until,
                   (SELECT h.amount FROM h WHERE h.applied_from <= t AND (h.applied_to IS NULL OR t < h.applied_to)
                    ORDER BY h.priority DESC, (h.channel IS NULL), h.amount, h.price_list LIMIT 1) AS amount
            FROM turn
        ), present AS (
            SELECT amount FROM line ORDER BY t DESC LIMIT 1
        ), began AS (
            SELECT min(t) AS t FROM line
            WHERE t > coalesce((SELECT max(line.t) FROM line, present
                                WHERE line.amount IS DISTINCT FROM present.amount), '-infinity')
        )
        SELECT min(line.amount) FROM line, began, present
        WHERE present.amount IS NOT NULL AND line.t < began.t
          AND (line.until IS NULL OR line.until > began.t - interval '30 days')
    );
END $$;

-- The rate of a class in a country on a day, in basis points: its own, else the standard rate, else 0.
CREATE FUNCTION tax_rate_on(in_country text, of_class text, on_day date) RETURNS int LANGUAGE sql STABLE
    RETURN CASE WHEN of_class = 'zero' THEN 0 ELSE coalesce(
        (SELECT r.rate_bp FROM tax_rate r
         WHERE r.country = in_country AND r.tax_class IN (of_class, 'standard')
           AND r.valid_from <= on_day AND (r.valid_to IS NULL OR on_day < r.valid_to)
         ORDER BY (r.tax_class = of_class) DESC LIMIT 1), 0) END;

-- unnest() of two arrays, for a handful of rows: unnest itself is planned as if every array had ten.
CREATE FUNCTION wanted_variants(ids uuid[], quantities int[]) RETURNS TABLE (id uuid, quantity int)
    LANGUAGE plpgsql IMMUTABLE ROWS 2 AS $$
BEGIN
    RETURN QUERY SELECT * FROM unnest(ids, quantities);
END $$;
