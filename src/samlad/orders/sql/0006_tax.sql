-- How each line was taxed, and the VAT number of a business with what was known of it.
ALTER TABLE order_line
    ADD COLUMN tax_category  text CHECK (tax_category IN ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')),
    ADD COLUMN tax_treatment text,
    ADD COLUMN tax_country   text CHECK (tax_country ~ '^[A-Z]{2}$'),
    ADD COLUMN tax_note      text;
ALTER TABLE orders
    ADD COLUMN vat_number       text,
    ADD COLUMN vat_check        text CHECK (vat_check IN ('format', 'valid', 'invalid')),
    ADD COLUMN vat_checked      timestamptz,
    ADD COLUMN vat_consultation text;

-- Until now every line was taxed where its channel is.
UPDATE order_line l
SET tax_category = CASE WHEN l.tax_rate > 0 THEN 'S' ELSE 'Z' END, tax_treatment = 'domestic', tax_country = c.country
FROM orders o, LATERAL effective_channel(o.channel) AS c
WHERE o.id = l.order_id AND o.imported IS NULL AND l.kind IN ('item', 'shipping');
