-- How fast what a location has sells, and when it will be gone: summed up anew every hour from the ledger (samlad.stock.pace).
CREATE TABLE stock_pace (
    location    uuid        NOT NULL REFERENCES location,
    variant     uuid        NOT NULL REFERENCES variant ON DELETE CASCADE,
    sold        int         NOT NULL CHECK (sold > 0),   -- units in the last 28 days, less what came back of them
    runs_out_on date        NOT NULL,                    -- as it was then
    summed_at   timestamptz NOT NULL,
    PRIMARY KEY (location, variant)
);
CREATE INDEX stock_pace_runs_out ON stock_pace (runs_out_on);

-- The ledger is appended to in the order of time.
CREATE INDEX movement_created ON movement USING brin (created_at);
