-- The list by name: without it all customers were put in order, each with what they spent, for every page.
CREATE INDEX customer_name ON customer ((coalesce(lower(name), '')), id) WHERE survivor IS NULL;
