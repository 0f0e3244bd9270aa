-- Who waits at a level, in which order: holds without an end are those of orders.
CREATE INDEX hold_lasting ON hold (location, variant) WHERE expires_at IS NULL;
