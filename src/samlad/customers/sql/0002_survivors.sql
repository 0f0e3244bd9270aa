-- Customers that are one person stay as they are; each says which of them stands for all. Null: it does itself.
-- The floor of identity above decides it; ids that were given out keep their meaning through every merge and split.
ALTER TABLE customer ADD COLUMN survivor uuid REFERENCES customer CHECK (survivor <> id);
CREATE INDEX customer_survivor ON customer (survivor) WHERE survivor IS NOT NULL;
