-- How the buyer chose to get the goods and what was promised for it, as they were shown it (delivery.Promised), kept when
-- the method changes later; what they wrote for the shop, and the cards that go with the goods.
ALTER TABLE orders
    ADD COLUMN delivery_method uuid REFERENCES delivery_method,
    ADD COLUMN promise         jsonb,
    ADD COLUMN note            text,
    ADD COLUMN gift_note       text;
ALTER TABLE order_line ADD COLUMN gift_note text;
