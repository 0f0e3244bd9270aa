-- How a review stood before it was decided in a batch, which can be taken back as a whole.
ALTER TABLE review
    ADD COLUMN was_status     text,
    ADD COLUMN was_reason     text NOT NULL DEFAULT '',
    ADD COLUMN was_reports    int  NOT NULL DEFAULT 0,
    ADD COLUMN was_decided_at timestamptz,
    ADD COLUMN was_decided_by text,
    ADD COLUMN batch          uuid;
CREATE INDEX review_batch ON review (batch) WHERE batch IS NOT NULL;
