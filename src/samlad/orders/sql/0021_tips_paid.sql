-- What of a tip was paid out to whom it was given for: the sum of what payouts say that were not undone, as the doctor proves. More than
-- is left of it where some went back to the customer afterwards: the next payout is less by that; below zero where that next one stands
-- and the first was undone.
ALTER TABLE order_tip ADD COLUMN paid bigint NOT NULL DEFAULT 0;
CREATE INDEX order_tip_unpaid ON order_tip (location, clerk, at) WHERE amount - returned <> paid;
