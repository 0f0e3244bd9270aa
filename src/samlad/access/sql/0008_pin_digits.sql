-- How many digits a PIN has: a till carries only those that are not soon tried through (`till_pins` of its store).
-- Null where the PIN was set before there was this; it is learnt at the next right PIN, and the PIN counts as short until then.
ALTER TABLE staff_pin ADD COLUMN digits smallint CHECK (digits BETWEEN 4 AND 8);
