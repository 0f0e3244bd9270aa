-- What the desk sorts by and narrows to. Without these each look reads every order there ever was: staff of one store see only
-- theirs, and returns, cancelled and unpaid orders are few among those that are paid and done.
CREATE INDEX orders_location_placed ON orders (location, placed_at, id) WHERE location IS NOT NULL;
CREATE INDEX orders_total ON orders (total, id);
CREATE INDEX orders_number_order ON orders (number, id);
CREATE INDEX orders_not_sales ON orders (placed_at, id) WHERE kind <> 'sale';
CREATE INDEX orders_ended ON orders (placed_at, id) WHERE status IN ('cancelled', 'called_off', 'returned');
CREATE INDEX orders_not_paid ON orders (placed_at, id) WHERE payment_status <> 'paid';

-- The tags that an act on many orders has put on one, or taken off: taken back are only these. Null: an act before this was kept.
ALTER TABLE order_bulk_row ADD COLUMN changed text[];
