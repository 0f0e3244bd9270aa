-- A session that was handed to a till: it opens nothing but the till, for whoever is on there by PIN or badge.
ALTER TABLE session ADD COLUMN is_till boolean NOT NULL DEFAULT false,
                    ADD COLUMN clerk   uuid    REFERENCES staff ON DELETE SET NULL;   -- null in a till's session: it is locked
ALTER TABLE session ADD CONSTRAINT session_clerk CHECK (clerk IS NULL OR is_till);

-- What a till without network compares a PIN with: PBKDF2-HMAC-SHA-256, which browsers have; argon2id they have not.
-- Null where the PIN was set before there was this; it is made at the next right PIN.
ALTER TABLE staff_pin ADD COLUMN till_check text;

CREATE TABLE staff_badge (
    staff     uuid        PRIMARY KEY REFERENCES staff ON DELETE CASCADE,
    code_hash bytea       NOT NULL UNIQUE,   -- SHA-256 of 95 random bits that only the badge has
    made_at   timestamptz NOT NULL DEFAULT now()
);
