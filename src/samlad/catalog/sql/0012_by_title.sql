-- The list of products by title, and those that are not on sale, which are few among the others.
CREATE INDEX product_by_title ON product (lower(title), id);
CREATE INDEX product_not_on_sale ON product (created_at, id) WHERE status <> 'active';
-- Words in what a variant is called, wherever they stand, for lists of goods.
CREATE INDEX variant_sku_words ON variant USING gin (lower(sku) gin_trgm_ops);
CREATE INDEX variant_option_words ON variant USING gin (lower(option_text) gin_trgm_ops);
