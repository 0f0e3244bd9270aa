-- The list of customers by name.
CREATE INDEX customer_by_name ON customer (coalesce(lower(name), ''), id) WHERE survivor IS NULL;
