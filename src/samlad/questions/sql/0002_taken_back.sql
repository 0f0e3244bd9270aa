-- What else of a question is as before when a decision is taken back: its reports, and who had decided when.
ALTER TABLE question
    ADD COLUMN was_reports    int NOT NULL DEFAULT 0,
    ADD COLUMN was_decided_at timestamptz,
    ADD COLUMN was_decided_by text;
