-- Answers that are kept for a week say what they are about, so that erasure finds those in which no name stands.
ALTER TABLE idempotency ADD COLUMN about uuid[] NOT NULL DEFAULT '{}';
