-- Blind counts, and counts that somebody else approves because they differ by much.

ALTER TABLE location
    ADD COLUMN variance_units int    CHECK (variance_units >= 0),  -- a count that differs by more needs an approval
    ADD COLUMN variance_value bigint CHECK (variance_value >= 0);  -- likewise, minor units of the location's currency

ALTER TABLE stock_count
    ADD COLUMN is_blind     boolean NOT NULL DEFAULT false,        -- while it is open nobody sees what the books say
    ADD COLUMN submitted_by text,
    ADD COLUMN approved_by  text CHECK (approved_by <> submitted_by),
    DROP CONSTRAINT stock_count_status_check,
    ADD CONSTRAINT stock_count_status_check CHECK (status IN ('open', 'submitted', 'closed', 'cancelled'));
ALTER TABLE stock_count_line
    ADD COLUMN actors text[] NOT NULL DEFAULT '{}';                -- who has counted it
