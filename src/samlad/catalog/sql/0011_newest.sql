-- The newest of several pools are read in their order, and titles that a search of the shop does not know (drafts) by any part.
CREATE INDEX product_created ON product (created_at, id);
CREATE INDEX product_title ON product USING gin (lower(title) gin_trgm_ops);
