-- What came of a purchase order may have cost something else than was ordered: each line knows what its units cost that came.
ALTER TABLE purchase_order_line ADD COLUMN received_e4 bigint NOT NULL DEFAULT 0 CHECK (received_e4 >= 0);
UPDATE purchase_order_line SET received_e4 = received * unit_cost_e4 WHERE received > 0;
