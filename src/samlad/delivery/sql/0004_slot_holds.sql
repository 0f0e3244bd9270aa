-- A cart has a slot, too, while its buyer pays: until then. Null: an order has it.
ALTER TABLE delivery_slot_share ADD COLUMN until timestamptz;
CREATE INDEX delivery_slot_share_until ON delivery_slot_share (until) WHERE until IS NOT NULL;
