-- Customers that are one person stay as they are; each says which of them stands for all. Null: it does itself.
-- The floor of identity above decides it; ids that were given out keep their meaning through every merge and split.
ALTER TABLE customer ADD COLUMN survivor uuid REFERENCES customer CHECK (survivor <> id);
CREATE INDEX customer_survivor ON customer (survivor) WHERE survivor IS NOT NULL;

-- All customers that are the same people as these.
CREATE FUNCTION customer_members(ids uuid[]) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    WITH standing AS (SELECT coalesce(survivor, id) AS id FROM customer WHERE id = ANY (ids))
    SELECT coalesce(array_agg(id), '{}') FROM (
        SELECT id FROM standing UNION SELECT c.id FROM customer c WHERE c.survivor IN (SELECT id FROM standing)) AS m
$$;
