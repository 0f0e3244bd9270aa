-- A session that was handed to a kiosk: a till at which customers serve themselves. It belongs to a device at a place and to nobody.
ALTER TABLE session ADD COLUMN kiosk      uuid,                         -- the location
                    ADD COLUMN kiosk_name text        NOT NULL DEFAULT '',
                    ADD COLUMN help_at    timestamptz;                  -- since when a customer there waits for staff
ALTER TABLE session ADD CONSTRAINT session_kiosk CHECK (kiosk IS NULL OR (is_till AND clerk IS NULL)),
                    ADD CONSTRAINT session_help  CHECK (help_at IS NULL OR kiosk IS NOT NULL);
CREATE INDEX session_kiosk ON session (kiosk) WHERE kiosk IS NOT NULL;
