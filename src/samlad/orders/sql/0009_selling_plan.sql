-- The selling plan by which a line was bought: a subscription begins with it, or it is one's renewal.
ALTER TABLE order_line ADD COLUMN plan uuid;
