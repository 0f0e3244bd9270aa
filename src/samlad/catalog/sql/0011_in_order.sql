-- The newest of several pools are read in their order, and titles that a search of the shop does not know (drafts) by any part.
CREATE INDEX product_created ON product (created_at, id);
CREATE INDEX product_title ON product USING gin (lower(title) gin_trgm_ops);
-- Variants and their prices by SKU, whichever pools somebody may see.
CREATE INDEX variant_sku ON variant (sku, id);
