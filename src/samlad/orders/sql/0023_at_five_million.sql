-- Orders are searched for by the beginning of an SKU on a line; equality is found by the same index.
CREATE INDEX order_line_sku_begins ON order_line (sku text_pattern_ops) WHERE sku IS NOT NULL;
DROP INDEX order_line_sku;
-- Distance sales are few of all lines: how much of the threshold they use is asked with every look at the page of taxes.
CREATE INDEX order_line_distance ON order_line (order_id) WHERE tax_treatment IN ('oss', 'origin');
