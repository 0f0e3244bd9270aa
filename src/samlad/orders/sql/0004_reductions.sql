-- The steps from the list price to what was paid: [{"promotion": …, "name": …, "amount": …}], amounts as quoted.
ALTER TABLE order_line ADD COLUMN reductions jsonb NOT NULL DEFAULT '[]';
