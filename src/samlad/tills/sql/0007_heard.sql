-- What a till or kiosk says of itself with each heartbeat: what it has not sent, how old its goods are, who of our sign-ins it is.
ALTER TABLE till_device ADD COLUMN name text NOT NULL DEFAULT '' CHECK (length(name) <= 40),   -- a kiosk's own; of a till what staff call it
                        ADD COLUMN is_kiosk boolean NOT NULL DEFAULT false,
                        ADD COLUMN session uuid,               -- the sign-in that it spoke by last; it may be over
                        ADD COLUMN cards int NOT NULL DEFAULT 0 CHECK (cards >= 0),   -- payments by card of a kiosk that are not settled
                        ADD COLUMN unsent_since timestamptz,   -- since when it says that something is not sent
                        ADD COLUMN pack_at timestamptz,        -- of when the goods and prices are that it sells by
                        ADD COLUMN put_away_at timestamptz,    -- it is not used any more; whatever it says next takes that back
                        ADD COLUMN put_away_by text,
                        ADD COLUMN reason text NOT NULL DEFAULT '';
UPDATE till_device SET unsent_since = seen_at WHERE unsent > 0;
CREATE INDEX till_device_unsent ON till_device (unsent_since) WHERE unsent_since IS NOT NULL AND put_away_at IS NULL;
CREATE INDEX till_device_session ON till_device (session) WHERE session IS NOT NULL;
