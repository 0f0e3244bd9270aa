-- What customers think of a product, told by the floor of reviews: so that a list shows, filters and sorts by it in its one read.
ALTER TABLE product_search
    ADD COLUMN rating   int NOT NULL DEFAULT 0,   -- average, hundredths of stars; 0 without reviews
    ADD COLUMN ratings  int NOT NULL DEFAULT 0,   -- how many
    ADD COLUMN standing int NOT NULL DEFAULT 0;   -- what "best rated" sorts by: few reviews count less
CREATE INDEX product_search_rated ON product_search (pool, standing, product) WHERE is_active;
