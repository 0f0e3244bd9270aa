-- The day by which the rest of an order with a deposit is to be paid (null: no day was agreed), and how many times its buyer was
-- reminded of it.
ALTER TABLE orders ADD COLUMN rest_due_on date, ADD COLUMN rest_reminders smallint NOT NULL DEFAULT 0;
CREATE INDEX orders_rest_due ON orders (rest_due_on)
    WHERE rest_due_on IS NOT NULL AND payment_status = 'unpaid' AND status <> 'cancelled';
