-- Carts with a name of their own: drafts and quotes that staff entered are found among them, those touched last first.
CREATE INDEX cart_named ON cart (updated_at, id) WHERE label IS NOT NULL;
