-- What staff took off by hand at the till: for a line (by variant) or for the sale, with its reason, who gave it and who
-- approved. See Discount in carts/model.py.
ALTER TABLE cart ADD COLUMN discounts jsonb NOT NULL DEFAULT '[]';
