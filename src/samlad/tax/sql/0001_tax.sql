-- What is taxed alike, what countries take of it, and where the seller is registered.
-- `tax_class` and `tax_rate` of the catalogue were the beginning of this; catalog/0004 moves what a shop had changed
-- there and removes them.

CREATE TABLE tax_product_class (
    code        text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,39}$'),
    name        text NOT NULL,
    description text NOT NULL DEFAULT ''
);

-- Without a pool: the law as this program ships it (rates.csv), the same for every shop. With one (of prices): what
-- the shopkeeper says instead, for the channels of that pool.
CREATE TABLE tax_country_rate (
    id         uuid PRIMARY KEY,
    pool       uuid REFERENCES pool,
    country    text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    region     text NOT NULL DEFAULT '' CHECK (length(region) <= 40),  -- ISO 3166-2; empty: the whole country
    tax_class  text NOT NULL REFERENCES tax_product_class,
    rate_bp    int  NOT NULL CHECK (rate_bp BETWEEN 0 AND 10000),  -- basis points: 2000 is 20 %
    category   text NOT NULL CHECK (category IN ('S', 'Z', 'E', 'O')),  -- EN 16931, UNTDID 5305
    valid_from date NOT NULL,
    valid_to   date CHECK (valid_to > valid_from),                 -- exclusive; null: until further notice
    name       text NOT NULL,
    version    int  NOT NULL DEFAULT 1,
    CHECK ((category = 'S') = (rate_bp > 0)),
    CONSTRAINT tax_country_rate_once EXCLUDE USING gist (
        coalesce(pool, '00000000-0000-0000-0000-000000000000'::uuid) WITH =, country WITH =, region WITH =,
        tax_class WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX tax_country_rate_pool ON tax_country_rate (pool) WHERE pool IS NOT NULL;

-- VAT numbers of the seller: of its own country, and of others where it is registered too. They hold for the channel
-- and those that inherit from it.
CREATE TABLE tax_registration (
    id         uuid PRIMARY KEY,
    channel    uuid NOT NULL REFERENCES channel,
    country    text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),  -- of the return: XI for Northern Ireland
    number     text NOT NULL CHECK (number <> ''),
    valid_from date NOT NULL,
    valid_to   date CHECK (valid_to > valid_from),            -- exclusive
    version    int  NOT NULL DEFAULT 1,
    CONSTRAINT tax_registration_once EXCLUDE USING gist
        (channel WITH =, country WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX tax_registration_channel ON tax_registration (channel);

-- What is known of customers' VAT numbers. `format`: only the check digits were looked at, VIES has not answered yet.
CREATE TABLE tax_number_check (
    number       text PRIMARY KEY,            -- with its country, compact: SE556012579001
    status       text NOT NULL CHECK (status IN ('format', 'valid', 'invalid')),
    name         text,                        -- as VIES tells it, where the member state lets it
    address      text,
    consultation text,                        -- VIES's request identifier: the proof for the tax office
    checked_at   timestamptz,                 -- when VIES last answered
    tries        int NOT NULL DEFAULT 0,      -- since it last answered
    next_at      timestamptz                  -- when to ask again; null: nobody needs to know
);
CREATE INDEX tax_number_check_due ON tax_number_check (next_at) WHERE next_at IS NOT NULL;

-- What an outside engine answered to a question (its SHA-256), so that nobody asks it inside a transaction.
CREATE TABLE tax_answer (
    question bytea PRIMARY KEY,
    engine   text NOT NULL,
    answer   jsonb NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tax_answer_age ON tax_answer (asked_at);

INSERT INTO tax_product_class (code, name, description) VALUES
    ('standard', 'Standard', 'What has no reduced rate'),
    ('food', 'Food', 'Food and soft drinks for home, not restaurant meals'),
    ('books', 'Books', 'Printed books, newspapers and e-books'),
    ('zero', 'Zero', 'Never taxed: gift cards that are vouchers for several purposes, deposits');

-- The rows of rates.csv, which people review; a test holds both together. Written down from
-- general knowledge, to be checked with the Taxes in Europe Database, gov.uk, Skatteetaten and the Swiss Federal Tax
-- Administration. The Swedish cut on food is prop. 2025/26:1 and ends with 2027. US: 0, sales tax is the seller's tax adviser's matter. A beginning of long ago is the
-- first day from which on the rate has surely held.
INSERT INTO tax_country_rate (id, country, region, tax_class, rate_bp, category, valid_from, valid_to, name)
SELECT gen_random_uuid(), r.* FROM (VALUES
    ('AT', '', 'standard', 2000, 'S', date '1995-01-01', NULL::date, 'USt 20 %'),
    ('AT', '', 'food', 1000, 'S', date '1995-01-01', NULL::date, 'USt 10 %'),
    ('AT', '', 'books', 1000, 'S', date '1995-01-01', NULL::date, 'USt 10 %'),
    ('BE', '', 'standard', 2100, 'S', date '1996-01-01', NULL::date, 'Btw/TVA 21 %'),
    ('BE', '', 'food', 600, 'S', date '2000-01-01', NULL::date, 'Btw/TVA 6 %'),
    ('BE', '', 'books', 600, 'S', date '2000-01-01', NULL::date, 'Btw/TVA 6 %'),
    ('BG', '', 'standard', 2000, 'S', date '1999-01-01', NULL::date, 'VAT 20 %'),
    ('BG', '', 'books', 900, 'S', date '2020-07-01', NULL::date, 'VAT 9 %'),
    ('CH', '', 'standard', 770, 'S', date '2018-01-01', date '2024-01-01', 'MWST 7.7 %'),
    ('CH', '', 'standard', 810, 'S', date '2024-01-01', NULL::date, 'MWST 8.1 %'),
    ('CH', '', 'food', 250, 'S', date '2018-01-01', date '2024-01-01', 'MWST 2.5 %'),
    ('CH', '', 'food', 260, 'S', date '2024-01-01', NULL::date, 'MWST 2.6 %'),
    ('CH', '', 'books', 250, 'S', date '2018-01-01', date '2024-01-01', 'MWST 2.5 %'),
    ('CH', '', 'books', 260, 'S', date '2024-01-01', NULL::date, 'MWST 2.6 %'),
    ('CY', '', 'standard', 1900, 'S', date '2014-01-13', NULL::date, 'VAT 19 %'),
    ('CY', '', 'food', 500, 'S', date '2014-01-13', NULL::date, 'VAT 5 %'),
    ('CY', '', 'books', 300, 'S', date '2024-01-01', NULL::date, 'VAT 3 %'),
    ('CZ', '', 'standard', 2100, 'S', date '2013-01-01', NULL::date, 'DPH 21 %'),
    ('CZ', '', 'food', 1500, 'S', date '2013-01-01', date '2024-01-01', 'DPH 15 %'),
    ('CZ', '', 'food', 1200, 'S', date '2024-01-01', NULL::date, 'DPH 12 %'),
    ('CZ', '', 'books', 1000, 'S', date '2015-01-01', date '2024-01-01', 'DPH 10 %'),
    ('CZ', '', 'books', 0, 'Z', date '2024-01-01', NULL::date, 'DPH 0 %'),
    ('DE', '', 'standard', 1900, 'S', date '2021-01-01', NULL::date, 'MwSt 19 %'),
    ('DE', '', 'food', 700, 'S', date '2021-01-01', NULL::date, 'MwSt 7 %'),
    ('DE', '', 'books', 700, 'S', date '2021-01-01', NULL::date, 'MwSt 7 %'),
    ('DK', '', 'standard', 2500, 'S', date '1992-01-01', NULL::date, 'Moms 25 %'),
    ('EE', '', 'standard', 2200, 'S', date '2024-01-01', date '2025-07-01', 'Km 22 %'),
    ('EE', '', 'standard', 2400, 'S', date '2025-07-01', NULL::date, 'Km 24 %'),
    ('EE', '', 'books', 900, 'S', date '2009-01-01', NULL::date, 'Km 9 %'),
    ('ES', '', 'standard', 2100, 'S', date '2012-09-01', NULL::date, 'IVA 21 %'),
    ('ES', '', 'food', 1000, 'S', date '2012-09-01', NULL::date, 'IVA 10 %'),
    ('ES', '', 'books', 400, 'S', date '2012-09-01', NULL::date, 'IVA 4 %'),
    ('FI', '', 'standard', 2400, 'S', date '2013-01-01', date '2024-09-01', 'Alv 24 %'),
    ('FI', '', 'standard', 2550, 'S', date '2024-09-01', NULL::date, 'Alv 25.5 %'),
    ('FI', '', 'food', 1400, 'S', date '2013-01-01', date '2026-01-01', 'Alv 14 %'),
    ('FI', '', 'food', 1350, 'S', date '2026-01-01', NULL::date, 'Alv 13.5 %'),
    ('FI', '', 'books', 1000, 'S', date '2013-01-01', date '2025-01-01', 'Alv 10 %'),
    ('FI', '', 'books', 1400, 'S', date '2025-01-01', date '2026-01-01', 'Alv 14 %'),
    ('FI', '', 'books', 1350, 'S', date '2026-01-01', NULL::date, 'Alv 13.5 %'),
    ('FR', '', 'standard', 2000, 'S', date '2014-01-01', NULL::date, 'TVA 20 %'),
    ('FR', '', 'food', 550, 'S', date '2013-01-01', NULL::date, 'TVA 5.5 %'),
    ('FR', '', 'books', 550, 'S', date '2013-01-01', NULL::date, 'TVA 5.5 %'),
    ('GB', '', 'standard', 1750, 'S', date '2010-01-01', date '2011-01-04', 'VAT 17.5 %'),
    ('GB', '', 'standard', 2000, 'S', date '2011-01-04', NULL::date, 'VAT 20 %'),
    ('GB', '', 'food', 0, 'Z', date '2000-01-01', NULL::date, 'VAT 0 %'),
    ('GB', '', 'books', 0, 'Z', date '2000-01-01', NULL::date, 'VAT 0 %'),
    ('GR', '', 'standard', 2400, 'S', date '2016-06-01', NULL::date, 'FPA 24 %'),
    ('GR', '', 'food', 1300, 'S', date '2016-06-01', NULL::date, 'FPA 13 %'),
    ('GR', '', 'books', 600, 'S', date '2016-06-01', NULL::date, 'FPA 6 %'),
    ('HR', '', 'standard', 2500, 'S', date '2012-03-01', NULL::date, 'PDV 25 %'),
    ('HR', '', 'books', 500, 'S', date '2013-01-01', NULL::date, 'PDV 5 %'),
    ('HU', '', 'standard', 2700, 'S', date '2012-01-01', NULL::date, 'ÁFA 27 %'),
    ('HU', '', 'books', 500, 'S', date '2012-01-01', NULL::date, 'ÁFA 5 %'),
    ('IE', '', 'standard', 2300, 'S', date '2021-03-01', NULL::date, 'VAT 23 %'),
    ('IE', '', 'food', 0, 'Z', date '2000-01-01', NULL::date, 'VAT 0 %'),
    ('IE', '', 'books', 0, 'Z', date '2000-01-01', NULL::date, 'VAT 0 %'),
    ('IT', '', 'standard', 2200, 'S', date '2013-10-01', NULL::date, 'IVA 22 %'),
    ('IT', '', 'food', 1000, 'S', date '2013-10-01', NULL::date, 'IVA 10 %'),
    ('IT', '', 'books', 400, 'S', date '2013-10-01', NULL::date, 'IVA 4 %'),
    ('LT', '', 'standard', 2100, 'S', date '2009-09-01', NULL::date, 'PVM 21 %'),
    ('LT', '', 'books', 900, 'S', date '2009-09-01', date '2026-01-01', 'PVM 9 %'),
    ('LT', '', 'books', 500, 'S', date '2026-01-01', NULL::date, 'PVM 5 %'),
    ('LU', '', 'standard', 1700, 'S', date '2024-01-01', NULL::date, 'TVA 17 %'),
    ('LU', '', 'food', 300, 'S', date '2015-01-01', NULL::date, 'TVA 3 %'),
    ('LU', '', 'books', 300, 'S', date '2015-01-01', NULL::date, 'TVA 3 %'),
    ('LV', '', 'standard', 2100, 'S', date '2012-07-01', NULL::date, 'PVN 21 %'),
    ('LV', '', 'books', 500, 'S', date '2022-01-01', NULL::date, 'PVN 5 %'),
    ('MT', '', 'standard', 1800, 'S', date '2004-01-01', NULL::date, 'VAT 18 %'),
    ('MT', '', 'food', 0, 'Z', date '2004-05-01', NULL::date, 'VAT 0 %'),
    ('MT', '', 'books', 500, 'S', date '2004-05-01', NULL::date, 'VAT 5 %'),
    ('NL', '', 'standard', 2100, 'S', date '2012-10-01', NULL::date, 'Btw 21 %'),
    ('NL', '', 'food', 900, 'S', date '2019-01-01', NULL::date, 'Btw 9 %'),
    ('NL', '', 'books', 900, 'S', date '2019-01-01', NULL::date, 'Btw 9 %'),
    ('NO', '', 'standard', 2500, 'S', date '2005-01-01', NULL::date, 'Mva 25 %'),
    ('NO', '', 'food', 1500, 'S', date '2012-01-01', NULL::date, 'Mva 15 %'),
    ('NO', '', 'books', 0, 'Z', date '2001-07-01', NULL::date, 'Mva 0 %'),
    ('PL', '', 'standard', 2300, 'S', date '2011-01-01', NULL::date, 'VAT 23 %'),
    ('PL', '', 'food', 500, 'S', date '2011-01-01', date '2022-02-01', 'VAT 5 %'),
    ('PL', '', 'food', 0, 'Z', date '2022-02-01', date '2024-04-01', 'VAT 0 %'),
    ('PL', '', 'food', 500, 'S', date '2024-04-01', NULL::date, 'VAT 5 %'),
    ('PL', '', 'books', 500, 'S', date '2011-01-01', NULL::date, 'VAT 5 %'),
    ('PT', '', 'standard', 2300, 'S', date '2011-01-01', NULL::date, 'IVA 23 %'),
    ('PT', '', 'food', 600, 'S', date '2011-01-01', NULL::date, 'IVA 6 %'),
    ('PT', '', 'books', 600, 'S', date '2011-01-01', NULL::date, 'IVA 6 %'),
    ('PT', 'PT-20', 'standard', 1600, 'S', date '2021-07-01', NULL::date, 'IVA 16 % (Açores)'),
    ('PT', 'PT-20', 'food', 400, 'S', date '2015-01-01', NULL::date, 'IVA 4 % (Açores)'),
    ('PT', 'PT-20', 'books', 400, 'S', date '2015-01-01', NULL::date, 'IVA 4 % (Açores)'),
    ('PT', 'PT-30', 'standard', 2200, 'S', date '2012-04-01', NULL::date, 'IVA 22 % (Madeira)'),
    ('PT', 'PT-30', 'food', 500, 'S', date '2012-04-01', date '2024-10-01', 'IVA 5 % (Madeira)'),
    ('PT', 'PT-30', 'food', 400, 'S', date '2024-10-01', NULL::date, 'IVA 4 % (Madeira)'),
    ('PT', 'PT-30', 'books', 500, 'S', date '2012-04-01', date '2024-10-01', 'IVA 5 % (Madeira)'),
    ('PT', 'PT-30', 'books', 400, 'S', date '2024-10-01', NULL::date, 'IVA 4 % (Madeira)'),
    ('RO', '', 'standard', 1900, 'S', date '2017-01-01', date '2025-08-01', 'TVA 19 %'),
    ('RO', '', 'standard', 2100, 'S', date '2025-08-01', NULL::date, 'TVA 21 %'),
    ('RO', '', 'food', 900, 'S', date '2015-06-01', date '2025-08-01', 'TVA 9 %'),
    ('RO', '', 'food', 1100, 'S', date '2025-08-01', NULL::date, 'TVA 11 %'),
    ('RO', '', 'books', 500, 'S', date '2018-01-01', date '2025-08-01', 'TVA 5 %'),
    ('RO', '', 'books', 1100, 'S', date '2025-08-01', NULL::date, 'TVA 11 %'),
    ('SE', '', 'standard', 2500, 'S', date '1990-07-01', NULL::date, 'Moms 25 %'),
    ('SE', '', 'food', 1200, 'S', date '2000-01-01', date '2026-04-01', 'Moms 12 %'),
    ('SE', '', 'food', 600, 'S', date '2026-04-01', date '2028-01-01', 'Moms 6 %'),
    ('SE', '', 'food', 1200, 'S', date '2028-01-01', NULL::date, 'Moms 12 %'),
    ('SE', '', 'books', 600, 'S', date '2002-01-01', NULL::date, 'Moms 6 %'),
    ('SI', '', 'standard', 2200, 'S', date '2013-07-01', NULL::date, 'DDV 22 %'),
    ('SI', '', 'food', 950, 'S', date '2013-07-01', NULL::date, 'DDV 9.5 %'),
    ('SI', '', 'books', 950, 'S', date '2013-07-01', date '2020-01-01', 'DDV 9.5 %'),
    ('SI', '', 'books', 500, 'S', date '2020-01-01', NULL::date, 'DDV 5 %'),
    ('SK', '', 'standard', 2000, 'S', date '2011-01-01', date '2025-01-01', 'DPH 20 %'),
    ('SK', '', 'standard', 2300, 'S', date '2025-01-01', NULL::date, 'DPH 23 %'),
    ('SK', '', 'food', 1900, 'S', date '2025-01-01', NULL::date, 'DPH 19 %'),
    ('SK', '', 'books', 1000, 'S', date '2011-01-01', date '2025-01-01', 'DPH 10 %'),
    ('SK', '', 'books', 500, 'S', date '2025-01-01', NULL::date, 'DPH 5 %'),
    ('US', '', 'standard', 0, 'O', date '2000-01-01', NULL::date, 'Sales tax (not computed)'),
    ('US', '', 'food', 0, 'O', date '2000-01-01', NULL::date, 'Sales tax (not computed)'),
    ('US', '', 'books', 0, 'O', date '2000-01-01', NULL::date, 'Sales tax (not computed)')) AS r (country, region, tax_class, rate_bp, category, valid_from, valid_to, name);
