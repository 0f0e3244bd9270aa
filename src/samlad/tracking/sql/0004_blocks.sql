-- Names of events (the type where it is not track) that a source does not take: counted, and neither stored nor parked.
ALTER TABLE tracking_source ADD COLUMN blocks text[] NOT NULL DEFAULT '{}';
ALTER TABLE tracking_volume ADD COLUMN blocked int NOT NULL DEFAULT 0;
-- Parked events are tried again together, by name.
CREATE INDEX tracking_parked_name ON tracking_parked (reason, name, id);
