-- Schemes of tax that a seller uses beside the ordinary rules: the margin scheme for a class of goods (directive
-- 2006/112/EC, articles 311 to 343), the import one-stop shop for small parcels from outside the EU (articles 369l ff.).
-- They hold for the channel and those that inherit from it, from a day on.
CREATE TABLE tax_scheme (
    id         uuid   PRIMARY KEY,
    channel    uuid   NOT NULL REFERENCES channel,
    scheme     text   NOT NULL CHECK (scheme IN ('margin_second_hand', 'margin_art', 'margin_antiques', 'ioss')),
    tax_class  text   REFERENCES tax_product_class,        -- of the goods; the import scheme has all of them
    number     text   NOT NULL DEFAULT '',                 -- the import scheme's, IM…
    most       bigint CHECK (most > 0),                    -- of the import scheme: net value of a parcel, minor units
    valid_from date   NOT NULL,
    valid_to   date   CHECK (valid_to > valid_from),       -- exclusive
    version    int    NOT NULL DEFAULT 1,
    CHECK ((scheme = 'ioss') = (tax_class IS NULL)),
    CHECK ((scheme = 'ioss') = (most IS NOT NULL)),
    CONSTRAINT tax_scheme_once EXCLUDE USING gist
        (channel WITH =, coalesce(tax_class, '') WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE INDEX tax_scheme_channel ON tax_scheme (channel);

INSERT INTO tax_product_class (code, name, description) VALUES
    ('second_hand', 'Second-hand', 'Bought from people without a right to deduct, sold under the margin scheme')
ON CONFLICT DO NOTHING;
